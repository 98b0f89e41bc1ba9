"""What goes into the wheel."""

import configparser
import pkgutil
from pathlib import Path

import recbole_finest

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


def test_public_names_are_no_modules():
    """A module of a function's name would hide it as soon as something imports the module."""
    for module in pkgutil.walk_packages(recbole_finest.__path__, "recbole_finest."):
        name = module.name.removeprefix("recbole_finest.")
        assert name not in recbole_finest.__all__
    assert all(callable(getattr(recbole_finest, name)) for name in recbole_finest.__all__)
