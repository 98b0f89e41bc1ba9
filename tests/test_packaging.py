"""What goes into the wheel."""

import configparser
import pkgutil
import re
from pathlib import Path

import yaml

import recbole_finest

ROOT = Path(__file__).parents[1]
CONFIG = configparser.ConfigParser()
CONFIG.read(ROOT / "setup.cfg")


def test_every_package_and_properties_folder_is_listed():
    listed = set(CONFIG["options"]["packages"].split())
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


def test_the_package_says_that_it_has_types():
    assert (ROOT / "recbole_finest" / "py.typed").is_file()
    assert CONFIG["options.package_data"]["recbole_finest"] == "py.typed"


def test_one_version_and_one_licence():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    about = CONFIG["metadata"]
    assert cited["version"] == about["version"] == recbole_finest.__version__
    assert cited["license"] == about["license"]


def test_the_api_reference_begins_with_the_public_names():
    index = (ROOT / "docs" / "api" / "index.rst").read_text()
    named = {module + "." + name for name, module in recbole_finest._EXPORTS.items()}
    assert set(re.findall(r"^   (recbole_finest\.[\w.]+)$", index, re.MULTILINE)) == named
