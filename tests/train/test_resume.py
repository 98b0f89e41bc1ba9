"""A training that goes on after its last finished epoch ends with the bytes of an uninterrupted one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
import torch

from recbole_finest.errors import UserError
from recbole_finest.reference import kept
from recbole_finest.train.base import RunTrainer
from recbole_finest.train.mode import prepare_data
from recbole_finest.train.resume import is_plain

from .interrupted import Stop, base, finest, opened, same, settings, stop_after

BEST, STATE = "base.training.pth", "base.state.pth"


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"learning_rate_schedule": "cosine", "warmup_ratio": 0.3, "learner": "adagrad"},
        {"eval_step": 2, "checkpoint_interval": 2},
        {"shuffle_order": "recbole", "loss_type": "BPR"},
    ],
    ids=["plain", "schedule", "interval", "recbole's order"],
)
def test_base_goes_on(toy, tmp_path, monkeypatch, more):
    config = settings(toy, **more)
    data = prepare_data(config)
    whole = base(config, data, opened(tmp_path / "whole"))
    begun = stop_after(monkeypatch, 1)
    with pytest.raises(Stop):
        base(config, data, opened(tmp_path / "cut"))
    assert same(base(config, data, opened(tmp_path / "cut")), whole)
    epochs = [epoch for _, epoch in begun]
    assert epochs == [0, 1, 2, *range(2, whole["epochs"])] and whole["epochs"] > 3
    assert {path.name for path in (tmp_path / "cut").glob("*.pth*")} == {"base.pth"}


@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("model", ["SASRec", "GRU4Rec"])  # packed; instances
def test_fine_tuning_goes_on_with_what_it_had_found_out(toy, tmp_path, monkeypatch, early, model):
    config = settings(toy, model, finest_early_stopping=early, epochs=1)
    data = prepare_data(config)
    whole = finest(config, data, opened(tmp_path / "whole"))
    begun = stop_after(monkeypatch, 2, "fine-tuning")
    with pytest.raises(Stop):
        finest(config, data, opened(tmp_path / "cut"))
    stamp = (tmp_path / "cut/reference/items.npy").stat().st_mtime_ns
    assert same(finest(config, data, opened(tmp_path / "cut")), whole)
    assert [e for stage, e in begun if stage == "fine-tuning"] == [0, 1, 2, 3, 3]
    assert (tmp_path / "cut/reference/items.npy").stat().st_mtime_ns == stamp
    assert not list((tmp_path / "cut").glob("*.state.pth")) + list(
        (tmp_path / "cut").glob("*.training.pth")
    )


@pytest.fixture
def first_is_best(toy, monkeypatch):
    """Settings and data of a training whose first epoch is the best one: it has both files then."""
    valid = RunTrainer._valid_epoch

    def falling(self, *args, **kwargs):
        return 100 - self.last_epoch, valid(self, *args, **kwargs)[1]

    monkeypatch.setattr(RunTrainer, "_valid_epoch", falling)
    config = settings(toy)
    return config, prepare_data(config)


def interrupt(config, data, folder: Path, monkeypatch) -> None:
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(Stop):
            base(config, data, opened(folder))
    assert torch.load(folder / BEST)["epoch"] == 0 and torch.load(folder / STATE)["epoch"] == 2


def test_early_stopping_goes_on_counting(first_is_best, tmp_path, monkeypatch):
    config, data = first_is_best
    config = config.but(epochs=30, stopping_step=3)
    whole = base(config, data, opened(tmp_path / "whole"))
    interrupt(config, data, tmp_path / "cut", monkeypatch)
    cut = base(config, data, opened(tmp_path / "cut"))
    assert same(cut, whole) and cut["epochs"] == 5  # four epochs without a gain after the first one


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def flip_weight(path: Path) -> None:
    _flip(path, 0.5)


def flip_pickle(path: Path) -> None:
    content = path.read_bytes()
    at = content.index(b"best_valid_score") + len("best_valid_score") + 4
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])


def _flip(path: Path, where: float) -> None:
    content = bytearray(path.read_bytes())
    content[int(len(content) * where)] ^= 1
    path.write_bytes(bytes(content))


def make_folder(path: Path) -> None:
    path.unlink()
    (path / "something").mkdir(parents=True)


def make_text(path: Path) -> None:
    path.write_text("epoch: 3")


def make_link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.with_name("nowhere"))


DAMAGE = [truncate, empty, flip_weight, flip_pickle, make_folder, make_text, make_link]


@pytest.mark.parametrize("damage", DAMAGE, ids=lambda one: one.__name__)
def test_a_damaged_state_is_set_aside(first_is_best, tmp_path, monkeypatch, caplog, damage):
    """Without its state a training goes on from its best epoch, without that too it begins anew."""
    config, data = first_is_best
    whole = base(config, data, opened(tmp_path / "whole"))
    interrupt(config, data, tmp_path / "cut", monkeypatch)
    for file, then, first in (
        (STATE, "goes on after epoch 0", 1),
        (BEST, "is trained from its beginning", 0),
    ):
        copy = tmp_path / file
        shutil.copytree(tmp_path / "cut", copy)
        damage(copy / file)
        caplog.clear()
        with monkeypatch.context() as patch:
            begun = stop_after(patch, 100)
            assert same(base(config, data, opened(copy)), whole)
        assert begun[0] == ("base", first)
        (said,) = [r.message for r in caplog.records if r.levelname == "WARNING"]
        assert file in said and "set aside" in said and then in said
        assert os.path.lexists(copy / f"{file}.damaged")
        left = {p.name for p in copy.glob("*.pth*")}
        assert left <= {"base.pth", f"{file}.damaged", f"{STATE}.damaged"}


def test_another_trainings_state_is_set_aside(toy, tmp_path, monkeypatch, caplog):
    config = settings(toy)
    data = prepare_data(config)
    whole = base(config, data, opened(tmp_path / "whole"))
    other = config.but(seed=7)
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 1)
        base(other, data.but(seed=7), opened(tmp_path / "cut"))
    assert same(base(config, data, opened(tmp_path / "cut")), whole)
    assert (
        "belongs to another training (it differs in seed, settings, first weights)" in caplog.text
    )


def test_another_methods_state_is_set_aside(toy, tmp_path, monkeypatch, caplog):
    config = settings(toy, epochs=1)
    data = prepare_data(config)
    whole = finest(config, data, opened(tmp_path / "whole"))
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 1, "fine-tuning")
        finest(config, data, opened(tmp_path / "cut"), "plain")
    (tmp_path / "cut/plain.state.pth").rename(tmp_path / "cut/finest.state.pth")
    assert same(finest(config, data, opened(tmp_path / "cut")), whole)
    assert "another training (it differs in method, reference lists)" in caplog.text


def newest_state(config, data, folder, monkeypatch):
    """The file with the newest state of a base that was interrupted."""
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 1)
        base(config, data, opened(folder))
    return max(folder.glob("base.*.pth"), key=lambda path: torch.load(path)["epoch"])


def test_a_state_that_cannot_be_taken_over_is_one_sentence(toy, tmp_path, monkeypatch):
    """Right checksums and the right identity, but values of another kind: a stranger's file."""
    config = settings(toy)
    data = prepare_data(config)
    file = newest_state(config, data, tmp_path / "cut", monkeypatch)
    good = torch.load(file)
    for part, value in (("streams", [{}]), ("optimizer", {}), ("curves", 3), ("state_dict", {})):
        torch.save({**good, part: value}, file)
        with pytest.raises(UserError, match=r"cannot be gone on from .*; remove 'base.state.pth'"):
            base(config, data, opened(tmp_path / "cut"))


def test_another_number_of_threads_is_said_and_noted(toy, tmp_path, monkeypatch, caplog):
    config = settings(toy, epochs=3)
    data = prepare_data(config)
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 0)
        base(config, data, opened(tmp_path / "cut"))
    torch.set_num_threads(2)
    try:
        output = opened(tmp_path / "cut")
        state = base(config, data, output)
        again = opened(tmp_path / "cut")
        base(config, data, again)
    finally:
        torch.set_num_threads(1)
    assert state["threads"] == [1, 2] and output.threads == again.threads == {1, 2}
    said = "base was trained with 1 threads and goes on with 2: figures agree"
    assert said in caplog.text and "set OMP_NUM_THREADS=1" in caplog.text


@pytest.mark.parametrize("file", ["base.pth", "state"])
def test_another_number_of_processes_is_refused(toy, tmp_path, monkeypatch, file):
    config = settings(toy)
    data = prepare_data(config)
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 0)
        base(config, data, opened(tmp_path / "cut"))
    if file == "base.pth":
        base(config, data, opened(tmp_path / "cut"))
    (path,) = (tmp_path / "cut").glob("base*.pth")
    torch.save({**torch.load(path), "processes": 2}, path)
    with pytest.raises(UserError, match="made by a training in 2 processes, and this one has 1"):
        base(config, data, opened(tmp_path / "cut"))


def test_an_interval_of_0_keeps_the_best_epoch_alone(first_is_best, tmp_path, monkeypatch):
    config, data = first_is_best
    config = config.but(checkpoint_interval=0)
    with monkeypatch.context() as patch, pytest.raises(Stop):
        stop_after(patch, 2)
        base(config, data, opened(tmp_path / "cut"))
    assert torch.load(tmp_path / "cut" / BEST)["epoch"] == 0
    assert not (tmp_path / "cut" / STATE).exists()


def test_nothing_is_kept_where_no_run_could_go_on(toy, tmp_path, monkeypatch):
    config = settings(toy)
    output = opened(tmp_path / "cut")
    output.states = False
    stop_after(monkeypatch, 1)
    with pytest.raises(Stop):
        base(config, prepare_data(config), output)
    assert {p.name for p in (tmp_path / "cut").iterdir()} == {BEST}  # RecBole's


def test_seconds_of_the_interrupted_part_count(toy, tmp_path, monkeypatch):
    config = settings(toy)
    data = prepare_data(config)
    file = newest_state(config, data, tmp_path / "cut", monkeypatch)
    torch.save({**torch.load(file), "seconds": [1000.0, 500.0]}, file)
    for _ in range(2):  # the second time the model is there
        output = opened(tmp_path / "cut")
        wall, cpu = base(config, data, output)["seconds"]
        assert 1000 < wall < 1100 and 500 < cpu < 600
    assert output.carried == {"base": (wall, cpu)}


def test_reference_lists_are_built_again_where_they_do_not_fit(toy, tmp_path):
    config = settings(toy, epochs=1, finest_epochs=1)
    data = prepare_data(config)
    whole = finest(config, data, opened(tmp_path / "run"))
    items = tmp_path / "run/reference/items.npy"
    right = items.read_bytes()

    def flip() -> None:
        _flip(items, 0.9)

    def other_base() -> None:
        about = json.loads((items.parent / kept.ABOUT).read_text())
        about["built_from"]["weights"] = "0" * 64
        (items.parent / kept.ABOUT).write_text(json.dumps(about))

    for change in (flip, items.unlink, other_base, (items.parent / kept.ABOUT).unlink):
        change()
        (tmp_path / "run/finest.pth").unlink()
        assert same(finest(config, data, opened(tmp_path / "run")), whole)
        assert items.read_bytes() == right


def test_what_a_checkpoint_may_hold():
    assert is_plain({"a": [1, 2.0, None, "x"], "b": (torch.zeros(2),)})
    assert not is_plain({"a": {1}}) and not is_plain([object()])
