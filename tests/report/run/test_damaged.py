"""Files of a run that are not the run's, or hold what no run writes: one sentence, nothing followed."""

import copy
import json
import logging
import re
import shutil

import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from recbole_finest.cli.main import main
from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import Manifest
from recbole_finest.report.run import shapes
from recbole_finest.report.run.run_folder import RunFolder
from recbole_finest.report.run.write import write_report
from tests.report.run.sample_run import add_replicates, write_run

READ = ["result.json", "curves.json", "config.yaml", "instances.npz", "ranklists/base.npz"]
READ += ["perturbation.json", "ranklists/finest_perturbed.npz", "ranklists_unseen/base.npz"]


def listed(folder):
    """The sample run with its manifest."""
    write_run(folder)
    Manifest(folder, {"settings": "x"}).add(*sorted(folder.iterdir()))
    return folder


def flip(path, elsewhere):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def link(path, elsewhere):
    shutil.move(path, elsewhere)
    path.symlink_to(elsewhere)


def as_folder(path, elsewhere):
    path.unlink()
    path.mkdir()


def missing(path, elsewhere):
    path.unlink()


@pytest.mark.parametrize("damage", [flip, link, as_folder, missing])
@pytest.mark.parametrize("name", READ)
def test_a_file_that_the_run_did_not_write_is_refused_by_name(tmp_path, name, damage, capsys):
    folder = listed(tmp_path / "run")
    damage(folder / name, tmp_path / "elsewhere")
    assert main(["report", str(folder)]) == 2
    said = capsys.readouterr().err
    assert (
        said.count("\n") == 1 and f"error: '{folder / name}' " in said and "--resume=True" in said
    )
    assert not (folder / "report.html").exists() and not (folder / "tables").exists()


def test_what_is_not_in_the_manifest_is_no_part_of_the_run(tmp_path):
    folder = listed(tmp_path / "run")
    shutil.copyfile(folder / "ranklists/base.npz", folder / "ranklists_unseen/stranger.npz")
    (folder / "ranklists/broken.npz").write_text("no archive")
    assert len(RunFolder(folder).tokens) == 4 and not RunFolder(folder).has("stranger")


def test_a_folder_of_an_earlier_version_is_read_with_one_warning(tmp_path, caplog):
    with caplog.at_level(logging.WARNING):
        write_report(write_run(tmp_path / "run"))
    assert [r.message for r in caplog.records if "no manifest" in r.message] == [
        f"'{tmp_path / 'run'}' is of a version that wrote no manifest: its files are taken as they are"
    ]
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        write_report(listed(tmp_path / "new"))
    assert not caplog.records


def test_links_in_the_folder_are_replaced_and_never_followed(tmp_path):
    folder, mine = listed(tmp_path / "run"), tmp_path / "mine"
    mine.mkdir()
    for name in ("report.html", "report.md", "per_instance.npz"):
        (mine / name).write_text("mine")
        (folder / name).symlink_to(mine / name)
    (folder / "tables").mkdir()
    (mine / "stability.csv").write_text("mine")
    (folder / "tables" / "stability.csv").symlink_to(mine / "stability.csv")
    write_report(folder)
    assert not (folder / "tables/stability.csv").is_symlink()
    shutil.rmtree(folder / "tables")
    (folder / "tables").symlink_to(mine)
    try:
        write_report(folder)
    except UserError as error:  # either is right
        assert "tables" in str(error)
    assert {path.read_text() for path in mine.iterdir()} == {"mine"} and len(
        list(mine.iterdir())
    ) == 4


NAMES = ["<script>alert(1)<|script>", "a|b*c_d", "=cmd()", "](http:\\evil"]


@pytest.mark.parametrize("name", NAMES)
def test_a_models_name_is_text_in_every_form(tmp_path, name):
    folder = write_run(tmp_path / "run")
    path = folder / "result.json"
    found = json.loads(path.read_text().replace('"finest', f'"{json.dumps(name)[1:-1]}'))
    more = f"{name}\n# two lines"
    path.write_text(json.dumps({**found, "model": more, "dataset": more, "device": more}))
    for lists in (folder / "ranklists", folder / "ranklists_unseen"):
        (lists / "finest.npz").rename(lists / f"{name}.npz")
        (lists / "finest_perturbed.npz").rename(lists / f"{name}_perturbed.npz")
    write_report(folder)
    page = (folder / "report.html").read_text().replace(get_plotlyjs(), "")
    assert "<script>alert" not in page and f"<b>{name}" not in page
    text = (folder / "report.md").read_text()
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert "<script" not in text and "](http" not in text.replace("\\]", "")
    widths = [len(re.findall(r"(?<!\\)\|", line)) for line in tables]
    starts = [i for i, line in enumerate(tables) if line.startswith(("|:--", "| --", "|---"))]
    assert starts and all(widths[i - 1] == widths[i] == widths[i + 1] for i in starts)
    for table in (folder / "tables").glob("*.csv"):
        cells = pd.read_csv(table, dtype=str, keep_default_na=False).to_numpy().ravel()
        assert not any(cell.startswith("=") for cell in cells), table.name


WRONG = [
    ("result.json", "accuracy", {"base": {"ndcg@2": "0.5"}}),
    ("result.json", "accuracy", {"base": {}, "finest": {"ndcg@2": 0.5}}),
    ("result.json", "accuracy", {"base": {}, "../../other": {}}),
    ("result.json", "accuracy", {"base": {}, "two\nlines": {}}),
    ("result.json", "stability", {"base": [0.5]}),
    ("result.json", "perturbation", {"kind": "deletion"}),
    ("result.json", "seed", -1),
    ("result.json", "epochs", {"base": 1e400}),
    ("result.json", "seconds", {"base": 10**400}),
    ("result.json", "cost", {"finest": {}}),
    ("result.json", "versions", []),
    ("result.json", "replicates", [{"seed": 1}]),
    ("curves.json", "finest", [{"ndcg@2": 0.5}]),
    ("perturbation.json", "changes", [{"row": 1}]),
    ("config.yaml", "topk", [0]),
    ("config.yaml", "rbo_p", 1.5),
    ("config.yaml", "dataset", "\ud800"),
    ("config.yaml", "metrics", "NDCG"),
]


@pytest.mark.parametrize(("name", "key", "value"), WRONG)
def test_a_value_that_no_run_writes_is_named(tmp_path, name, key, value):
    path = write_run(tmp_path / "run") / name
    found = yaml.safe_load(path.read_text())
    path.write_text(json.dumps({**found, key: value}))  # half a character as an escape
    with pytest.raises(UserError, match=re.escape(f"'{path}' cannot be read: ")) as error:
        RunFolder(path.parent).touched_users()
    assert key in str(error.value) and "\n" not in str(error.value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["base", "finest", "ndcg@2", "epoch", "seed"]), inner)
    ),
    max_leaves=6,
)


def nodes(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for key, part in value.items() if isinstance(value, dict) else enumerate(value):
            yield from nodes(part, (*path, key))


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    folder = add_replicates(write_run(tmp_path_factory.mktemp("made") / "run"))
    return json.loads((folder / "result.json").read_text())


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_a_result_is_refused_or_is_figures(result, data):
    found = copy.deepcopy(result)
    *path, last = data.draw(st.sampled_from([p for p in nodes(found) if p]))
    at = found
    for key in path:
        at = at[key]
    at[last] = data.draw(JSON)
    try:
        shapes.check_result(found)
    except ValueError as error:
        assert 0 < len(str(error)) < 400
        return
    for models in (found["accuracy"], found["stability"]):
        for metrics in models.values():
            assert all(type(value) in (int, float) for value in metrics.values())
