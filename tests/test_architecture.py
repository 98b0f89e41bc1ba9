"""The floors of ARCHITECTURE.md: the code's imports are held to the page, and the page to the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "recbole_finest"
MOST_ROOT_MODULES = 7
Arrows = dict[tuple[str, str], str]  # (importing room, imported room): where it is imported first


def floors(page: str) -> dict[str, list[str]]:
    """The block ``floors`` of the page: rooms from the ground up, ``x.py`` or ``x/``, with subfolders."""
    (block,) = re.findall(r"^```floors\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    found: dict[str, list[str]] = {}
    for indent, name in re.findall(r"^( *)(\w+(?:\.py|/))", block, re.MULTILINE):
        if indent:
            found[list(found)[-1]].append(name)
        else:
            found[name] = []
    return found


def imported(tree: ast.AST, package: str) -> Iterator[tuple[str, int]]:
    """All modules and names that code in a package imports, in functions too, but not for types only."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from ((f"{module}.{alias.name}", node.lineno) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            yield from imported(ast.Module(node.orelse, []), package)
        else:
            yield from imported(node, package)


def arrows(sources: dict[str, str]) -> Arrows:
    """The imports between rooms, from the sources of modules by their path within the package."""
    found: Arrows = {}
    for path, source in sources.items():
        room, *_ = path.removesuffix(".py").split("/")
        package = ".".join([PACKAGE.name, *path.split("/")[:-1]])
        for name, line in imported(ast.parse(source), package):
            top, other, *_ = [*name.split("."), PACKAGE.name]
            if top == PACKAGE.name and other != room and not other.startswith("__"):
                found.setdefault((room, other), f"{path}:{line}")
    return found


def mistakes(found: Arrows, rooms: list[str]) -> list[str]:
    """A sentence for each import of a higher room or of none, and for a circle between rooms."""
    height = {room: floor for floor, room in enumerate(["__init__", *rooms])}
    said = []
    for (room, other), where in found.items():
        if other not in height:
            said.append(f"{where}: {other} is no room of ARCHITECTURE.md")
        elif height[other] > height.get(room, -1):
            said.append(f"{where}: {room} imports {other}, which stands above it")
    try:
        pairs = list(found)
        below = {room: [to for source, to in pairs if source == room] for room, _ in pairs}
        TopologicalSorter(below).prepare()
    except CycleError as error:
        said.append(f"rooms in a circle, each imported by the next: {', '.join(error.args[1])}")
    return said


TEXT = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PAGE = floors(TEXT)
ROOMS = [name.removesuffix(".py").rstrip("/") for name in PAGE]


def test_no_room_imports_a_higher_one():
    files = {p.relative_to(PACKAGE).as_posix(): p.read_text("utf-8") for p in PACKAGE.rglob("*.py")}
    said = mistakes(arrows(files), ROOMS)
    assert not said, "\n".join(said)


def test_the_page_names_every_room_and_no_other():
    modules = {path.name for path in PACKAGE.glob("*.py")} - {"__init__.py"}
    assert len(modules) <= MOST_ROOT_MODULES, f"too many modules at the root: {sorted(modules)}"
    there = modules | {f"{path.parent.name}/" for path in PACKAGE.glob("*/__init__.py")}
    there |= {f"{p.parents[1].name}/{p.parent.name}/" for p in PACKAGE.glob("*/*/__init__.py")}
    listed = {*PAGE, *(room + folder for room, folders in PAGE.items() for folder in folders)}
    assert not there - listed, f"not in ARCHITECTURE.md: {sorted(there - listed)}"
    assert not listed - there, f"in ARCHITECTURE.md, but not there: {sorted(listed - there)}"


def test_every_file_and_folder_that_the_page_names_is_there():
    named = set(re.findall(r"`([\w./-]+(?:\.(?:py|md|rst|yaml|html|cfg)|/))`", TEXT))
    gone = {name for name in named if not any((top / name).exists() for top in (ROOT, PACKAGE))}
    assert len(named) > 40 and not gone, f"named in ARCHITECTURE.md, but not there: {sorted(gone)}"


def test_an_upward_import_is_found_inside_a_function_and_in_every_form():
    forms = [
        "import recbole_finest.report.page",
        "from recbole_finest import report",
        "from recbole_finest.report import page",
        "from .. import report",
    ]
    for form in forms:
        source = f"def late():\n    if True:\n        {form}\n"
        assert mistakes(arrows({"data/log.py": source}), ["data", "report"]) == [
            "data/log.py:3: data imports report, which stands above it"
        ]
        assert mistakes(arrows({"data/log.py": source}), ["report", "data"]) == []


def test_imports_for_types_only_are_exempt():
    source = """
if TYPE_CHECKING:
    from recbole_finest.report import page
if typing.TYPE_CHECKING:
    import recbole_finest.cli
else:
    import recbole_finest.errors
from recbole_finest import __version__
from recbole_finest.data import log
"""
    assert arrows({"data/log.py": source}) == {("data", "errors"): "data/log.py:7"}


def test_a_circle_and_what_is_no_room_are_found():
    one, other = "import recbole_finest.b", "def late():\n    from recbole_finest.a import x"
    upward, circle = mistakes(arrows({"a.py": one, "b/c.py": other}), ["a", "b"])
    assert upward == "a.py:1: a imports b, which stands above it"
    assert circle.startswith("rooms in a circle") and circle.endswith((": a, b, a", ": b, a, b"))
    lazy = "import recbole_finest\nfrom recbole_finest import run_finest"
    assert mistakes(arrows({"a.py": lazy}), ["a"]) == [
        "a.py:1: recbole_finest is no room of ARCHITECTURE.md",
        "a.py:2: run_finest is no room of ARCHITECTURE.md",
    ]


def test_the_package_itself_stands_below_all_rooms():
    found = arrows({"__init__.py": "from recbole_finest.errors import UserError"})
    assert len(mistakes(found, ["errors"])) == 1


def test_the_page_is_read_room_by_room():
    page = "```floors\nerrors.py   what a user reads\ndata/       logs\n  convert/  CSV\n```\n"
    assert floors(page) == {"errors.py": [], "data/": ["convert/"]}
