"""What goes into the wheel."""

import configparser
import pkgutil
import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

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


# Tested sets of packages ------------------------------------------------------------------------------


def requirements(*extras: str) -> list[Requirement]:
    """What the package asks for on Python 3.11, with these extras."""
    options = CONFIG["options"], CONFIG["options.extras_require"]
    texts = [options[0]["install_requires"], *(options[1][extra] for extra in extras)]
    lines = [line for text in texts for line in text.splitlines() if line and line[0] != "#"]
    found = [Requirement(line) for line in lines]
    return [r for r in found if not r.marker or r.marker.evaluate({"python_version": "3.11"})]


def pins(file: str) -> list[Requirement]:
    lines = (ROOT / file).read_text().splitlines()
    return [Requirement(line) for line in lines if not line.startswith("#")]


def pinned(requirement: Requirement) -> Version:
    return Version(next(iter(requirement.specifier)).version)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_oldest_set_has_the_lower_bounds():
    oldest = {plain(pin.name): pinned(pin) for pin in pins("constraints-oldest.txt")}
    for asked in requirements("parquet", "gate", "ray"):
        for bound in asked.specifier:
            if bound.operator in (">=", "=="):
                assert oldest[plain(asked.name)] == Version(bound.version), asked


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_newest_set_is_whole_and_within_the_bounds(python):
    assert python in SpecifierSet(CONFIG["options"]["python_requires"])
    here = {"python_version": python}
    newest = [pin for pin in pins("constraints.txt") if not pin.marker or pin.marker.evaluate(here)]
    names = [plain(pin.name) for pin in newest]
    assert len(names) == len(set(names))
    found = {plain(pin.name): pinned(pin) for pin in newest}
    for asked in requirements("parquet", "gate", "test"):
        assert found[plain(asked.name)] in asked.specifier, asked
    assert found["recbole"] == Version("1.2.1")
