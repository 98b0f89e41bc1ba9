"""What goes into the wheel."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_package_and_properties_folder_is_listed():
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    code = {p.parent for p in (ROOT / "recbole_finest").rglob("__init__.py")}
    wanted = {".".join(p.relative_to(ROOT).parts) for p in code}
    folders = {p.parent for p in (ROOT / "properties").rglob("*.yaml")}
    wanted |= {"recbole_finest." + ".".join(p.relative_to(ROOT).parts) for p in folders}
    assert listed == wanted
