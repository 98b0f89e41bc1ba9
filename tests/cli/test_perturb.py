"""The command ``perturb``."""

import json

import pytest

from recbole_finest.cli.main import main
from recbole_finest.config.config import Config
from recbole_finest.data.perturbation import load_changes
from recbole_finest.data.prepare import prepare
from tests.conftest import write_toy

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's


@pytest.fixture(scope="module")
def data_path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    write_toy(folder, "toy")
    write_toy(folder, "other", users=20)
    return folder


@pytest.fixture
def perturb(data_path, monkeypatch, capsys):
    """Run the command; returns exit code, what it printed, and what it printed as an error."""

    def run(*words, dataset="toy"):
        common = [f"--dataset={dataset}", f"--data_path={data_path}", "--state=WARNING"]
        code = main(["perturb", *common, *words])
        return code, *capsys.readouterr()

    return run


def load(path, dataset="toy", **settings):
    return prepare(
        Config("SASRec", dataset, None, {"data_path": str(path), "state": "WARNING", **settings})
    )


def test_changes_are_shown_and_written(perturb, data_path, tmp_path):
    file = tmp_path / "changes.json"
    code, shown, _ = perturb(
        "--perturbation_kind=replacement", "--perturbation_count=7", f"--output={file}"
    )
    assert code == 0
    written = json.loads(file.read_text())
    assert written["dataset"] == "toy" and written["kind"] == "replacement"
    assert written["count"] == len(written["changes"]) == 7
    assert "7" in shown and str(file) in shown
    for word in ("user", "item", "position"):
        assert word in shown
    data = load(data_path)
    tokens = data.dataset.field2id_token
    changes = load_changes(file, data.log, tokens["user_id"], tokens["item_id"], "toy")
    assert changes.count == 7


def test_changes_are_replayed(perturb, data_path, tmp_path):
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    drawn = ["--perturbation_kind=insertion", "--perturbation_ratio=0.1", "--perturbation_seed=3"]
    assert perturb(*drawn, f"--output={first}", f"--output_dataset={tmp_path / 'one'}")[0] == 0
    replay = [f"--perturbation_file={first}", "--perturbation_seed=9"]
    assert perturb(*replay, f"--output={second}", f"--output_dataset={tmp_path / 'two'}")[0] == 0
    assert first.read_text() == second.read_text()
    assert (tmp_path / "one" / "one.inter").read_text() == (
        tmp_path / "two" / "two.inter"
    ).read_text()


@pytest.mark.parametrize("kind", ["deletion", "replacement", "insertion"])
def test_a_perturbed_data_set_loads_again(perturb, data_path, tmp_path, kind):
    file, folder = tmp_path / "changes.json", tmp_path / "perturbed"
    amount = ["--perturbation_count=9", f"--perturbation_kind={kind}"]
    code, shown, _ = perturb(*amount, f"--output={file}", f"--output_dataset={folder}")
    assert code == 0 and f"--data_path={tmp_path} --dataset=perturbed" in shown
    before, after = load(data_path), load(tmp_path, "perturbed")
    count = {"deletion": -9, "replacement": 0, "insertion": 9}[kind]
    assert len(after.log) == len(before.log) + count
    one, other = (set(interactions(data)) for data in (before, after))
    changes = json.loads(file.read_text())["changes"]
    taken = {(c["user"], c["item_before"], c["time"]) for c in changes if c["item_before"]}
    put = {(c["user"], c["item_after"], c["time"]) for c in changes if c["item_after"]}
    assert other == (one - taken) | put
    again = perturb(*amount, f"--output_dataset={folder}")
    assert again[0] == 2 and "exists" in again[2]
    assert perturb(*amount, f"--output_dataset={folder}", "--overwrite=True")[0] == 0


def interactions(data):
    tokens = data.dataset.field2id_token
    users, items = tokens["user_id"][data.log.user], tokens["item_id"][data.log.item]
    return list(zip(users.tolist(), items.tolist(), data.log.time.tolist()))


def test_users_are_deleted_by_name_or_number(perturb, tmp_path):
    file = tmp_path / "changes.json"
    by_user = ["--perturbation_selection=user", f"--output={file}"]
    assert perturb(*by_user, "--perturbation_users=[u3, u5]")[0] == 0
    assert changed_users(file) == {"u3", "u5"}
    assert perturb(*by_user, "--perturbation_users=u7")[0] == 0
    assert changed_users(file) == {"u7"}
    assert perturb(*by_user, "--perturbation_count=4")[0] == 0
    assert len(changed_users(file)) == 4
    assert perturb(*by_user, "--perturbation_ratio=0.1")[0] == 0
    assert len(changed_users(file)) == 3
    assert perturb(*by_user)[0] == 0  # the default ratio is less than one of so few
    assert len(changed_users(file)) == 1


def changed_users(file):
    return {change["user"] for change in json.loads(file.read_text())["changes"]}


@pytest.mark.parametrize("position", ["begin", "middle", "end"])
def test_equally_many_of_every_user(perturb, data_path, tmp_path, position):
    file = tmp_path / "changes.json"
    words = ["--perturbation_per_user=2", f"--perturbation_position={position}"]
    assert perturb(*words, f"--output={file}")[0] == 0
    changes = json.loads(file.read_text())["changes"]
    data = load(data_path)
    users = data.log.n_users - 1
    assert len(changes) == 2 * users
    runs = {}
    for position_, (row, role) in enumerate(zip(data.log.row.tolist(), data.log.role.tolist())):
        if role == 0:
            runs.setdefault(data.log.user[position_], []).append(row)
    ends = {"begin": lambda run: run[:2], "end": lambda run: run[-2:]}
    if position in ends:
        expected = [row for run in runs.values() for row in ends[position](run)]
        assert [change["row"] for change in changes] == expected


@pytest.mark.parametrize(
    "words, answer",
    [
        (["--perturbation_ratio=0.0001"], "perturbation_ratio=0.0001 of"),
        (["--perturbation_ratio=0"], "perturbation_ratio is 0"),
        (["--perturbation_ratio=2"], "perturbation_ratio is 2"),
        (["--perturbation_count=99999"], "perturbation_count=99999 asks for 99999 changes but"),
        (["--perturbation_count=0"], "perturbation_count is 0"),
        (["--perturbation_selection=user", "--perturbation_count=31"], "only 30 users"),
        (
            ["--perturbation_selection=user", "--perturbation_ratio=0.001"],
            "perturbation_ratio=0.001",
        ),
        (["--perturbation_users=[u1]"], "perturbation_selection=user"),
        (["--perturbation_selection=user", "--perturbation_users=[nobody]"], "'nobody'"),
        (["--perturbation_selection=user", "--perturbation_users=[[PAD]]"], "perturbation_users"),
        (["--perturbation_count=1", "--perturbation_per_user=1"], "both given"),
        (["--perturbation_per_user=1", "--perturbation_selection=popular"], "selection random"),
        (["--perturbation_position=top", "--perturbation_per_user=1"], "perturbation_position is"),
        (["--perturbation_selection=file"], "perturbation_file"),
        (["--perturbation_selection=ramdom"], "did you mean 'random'"),
        (["--perturbation_kind=delete"], "did you mean 'deletion'"),
        (["--perturbation_file=missing.json"], "missing.json"),
        (["--perturbation_sed=1"], "did you mean 'perturbation_seed'"),
    ],
)
def test_what_is_refused(perturb, words, answer):
    code, _, error = perturb(*words)
    assert code == 2
    assert error.startswith("error: ") and answer in error
    assert "Traceback" not in error


def test_changes_of_another_data_set_are_refused(perturb, data_path, tmp_path):
    file = tmp_path / "changes.json"
    assert perturb("--perturbation_count=3", f"--output={file}")[0] == 0
    code, _, error = perturb(f"--perturbation_file={file}", dataset="other")
    assert code == 2 and "of data set 'toy', not of 'other'" in error
    code, _, error = perturb(f"--perturbation_file={file}", "--user_inter_num_interval=[8,inf)")
    assert code == 2 and "another fingerprint" in error


def test_help(capsys):
    assert main(["perturb", "--help"]) == 0
    assert "--output_dataset" in capsys.readouterr().out


def test_a_replacement_leaves_users_times_and_roles_as_they_were(perturb, data_path, tmp_path):
    folder = tmp_path / "same"
    words = ["--perturbation_kind=replacement", "--perturbation_count=5"]
    assert perturb(*words, f"--output_dataset={folder}")[0] == 0
    clean, again = load(data_path).log, load(tmp_path, "same").log
    for name in ("user", "time", "role"):
        assert getattr(again, name).tolist() == getattr(clean, name).tolist()
