"""A resumed run takes what its manifest vouches for, and makes the rest again."""

import json
import shutil

import numpy as np
import pytest
import torch
import yaml

from recbole_finest import run_finest
from recbole_finest.errors import UserError
from recbole_finest.folders.manifest import MANIFEST, Manifest
from tests.experiment.test_run import without_times

QUICK = {"epochs": 1, "finest_epochs": 1, "baselines": [], "perturbation_ratio": 0}


@pytest.fixture
def finished(toy, tmp_path):
    """Settings, folder and result of a finished run."""
    settings = {**toy, **QUICK}
    return (
        settings,
        tmp_path / "run",
        without_times(run_finest("GRU4Rec", "toy", config_dict=settings)),
    )


def resumed(settings, **changed):
    given = {**settings, "resume": True, **changed}
    return without_times(run_finest("GRU4Rec", "toy", config_dict=given))


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def other_weights(path):
    state = torch.load(path, weights_only=True)
    state["state_dict"] = {
        k: v + 1 if v.is_floating_point() else v for k, v in state["state_dict"].items()
    }
    torch.save(state, path)


def test_the_manifest_names_every_file_that_a_later_run_reads(finished):
    _, folder, _ = finished
    found = Manifest.read(folder)
    lists = {f"ranklists/{name}.npz" for name in ("base", "finest")}
    files = {"config.yaml", "base.pth", "finest.pth", "seconds.json", "result.json", "curves.json"}
    assert set(found.files) >= {*files, "instances.npz", *lists}
    assert list(found.wrong()) == []
    base, finest = found.files["base.pth"], found.files["finest.pth"]
    assert (base["stage"], finest["stage"]) == ("base", "fine-tuning")
    assert base["seed"] == finest["seed"] == 2020
    assert base["fingerprint"] == finest["fingerprint"] == found.about["log"]


@pytest.mark.parametrize("name", ["base", "finest"])
@pytest.mark.parametrize("damage", [flip, other_weights])
def test_a_damaged_model_is_set_aside_and_made_again(finished, name, damage, caplog):
    settings, folder, before = finished
    models = {n: torch.load(folder / f"{n}.pth", weights_only=True) for n in ("base", "finest")}
    damage(folder / f"{name}.pth")
    wrong = (folder / f"{name}.pth").read_bytes()
    assert resumed(settings) == before
    assert f"'{folder / name}.pth' has " in caplog.text and "made again" in caplog.text
    assert (folder / f"{name}.pth.damaged").read_bytes() == wrong
    for n, model in models.items():
        again = torch.load(folder / f"{n}.pth", weights_only=True)["state_dict"]
        assert all(torch.equal(again[k], v) for k, v in model["state_dict"].items())
    assert list(Manifest.read(folder).wrong()) == []


def test_an_exchanged_model_is_not_taken(finished):
    settings, folder, before = finished
    shutil.copy(folder / "base.pth", folder / "finest.pth")
    assert resumed(settings) == before


def test_a_model_that_is_not_in_the_manifest_is_made_again(finished):
    """As a kill between the file and its entry leaves it."""
    settings, folder, before = finished
    found = Manifest.read(folder)
    with pytest.raises(KeyboardInterrupt), found.replacing(folder / "finest.pth"):
        other_weights(folder / "finest.pth")
        raise KeyboardInterrupt
    assert resumed(settings) == before


@pytest.mark.parametrize("content", ["", "a: [", "model: GRU4Rec\nseed: 7\n"])
def test_damaged_settings_switch_no_check_off(finished, content):
    settings, folder, before = finished
    good = (folder / "config.yaml").read_text()
    (folder / "config.yaml").write_text(content)
    with pytest.raises(UserError, match=r"'.*config.yaml' is damaged, and .* other settings"):
        resumed(settings, seed=7)
    assert (folder / "config.yaml").read_text() == content
    assert resumed(settings) == before
    again = yaml.safe_load((folder / "config.yaml").read_text())
    assert again | {"explicit": []} == yaml.safe_load(good) | {"explicit": []}


def test_with_a_damaged_manifest_everything_is_made_again(finished, caplog):
    settings, folder, before = finished
    other_weights(folder / "base.pth")
    flip(folder / MANIFEST)
    assert resumed(settings) == before
    assert "everything is made again" in caplog.text or "all is made again" in caplog.text
    assert (folder / f"{MANIFEST}.damaged").is_file()


def test_damaged_seconds_stop_nothing(finished):
    settings, folder, before = finished
    (folder / "seconds.json").write_text("{")
    assert resumed(settings) == before
    assert set(json.loads((folder / "seconds.json").read_text())) >= {"base", "finest"}


def test_a_folder_of_a_version_without_manifest_is_taken_with_a_warning(finished, caplog):
    settings, folder, before = finished
    (folder / MANIFEST).unlink()
    stamp = (folder / "base.pth").stat().st_mtime_ns
    assert resumed(settings) == before
    assert "wrote no manifest.json" in caplog.text
    assert (folder / "base.pth").stat().st_mtime_ns == stamp
    assert {"base.pth", "finest.pth", "config.yaml"} <= set(Manifest.read(folder).files)


def test_without_manifest_empty_settings_are_refused(finished):
    settings, folder, _ = finished
    (folder / MANIFEST).unlink()
    (folder / "config.yaml").write_text("")
    with pytest.raises(UserError, match=r"config.yaml' is damaged, so which run"):
        resumed(settings, seed=7)


def test_other_data_is_refused(finished, tmp_path):
    settings, _, before = finished
    file = tmp_path / "data" / "toy" / "toy.inter"
    good = file.read_text()
    rows = good.splitlines()
    file.write_text("\n".join(rows[:-1]) + "\n")
    with pytest.raises(UserError, match="data set 'toy' has other interactions than when"):
        resumed(settings)
    file.write_text(good.replace("u3\t", "v3\t"))  # the same ids
    with pytest.raises(UserError, match="data set 'toy' has other users or items than when"):
        resumed(settings)
    file.write_text(good)
    assert resumed(settings) == before


def test_another_file_of_the_same_name_is_no_base_to_go_on_with(finished, tmp_path):
    settings, folder, _ = finished
    given = tmp_path / "given.pth"
    shutil.copy(folder / "base.pth", given)
    second = {**settings, "output_dir": str(tmp_path / "second"), "base_checkpoint": str(given)}
    run_finest("GRU4Rec", "toy", config_dict=second)
    other_weights(given)
    with pytest.raises(UserError, match=r"base_checkpoint '.*given.pth' is another file than when"):
        resumed(second)


def test_a_damaged_base_of_a_run_is_refused_as_base_checkpoint(finished, tmp_path):
    settings, folder, _ = finished
    other_weights(folder / "base.pth")
    second = {**settings, "output_dir": str(tmp_path / "second")}
    second["base_checkpoint"] = str(folder / "base.pth")
    with pytest.raises(UserError, match=r"base.pth' has .* not the file that the run wrote"):
        run_finest("GRU4Rec", "toy", config_dict=second)
    assert not (tmp_path / "second").exists()


def test_an_overwritten_folder_keeps_nothing_and_follows_no_link(finished, tmp_path):
    settings, folder, before = finished
    (tmp_path / "theirs").mkdir()
    np.save(tmp_path / "theirs" / "a.npy", [1])
    shutil.rmtree(folder / "reference")
    (folder / "reference").symlink_to(tmp_path / "theirs")
    (folder / "reference_perturbed").mkdir()
    (folder / "reference_perturbed" / "old.npy").touch()
    (folder / "base.pth.damaged").touch()
    again = run_finest("GRU4Rec", "toy", config_dict={**settings, "overwrite": True})
    assert without_times(again) == before
    assert [file.name for file in (tmp_path / "theirs").iterdir()] == ["a.npy"]
    assert not list(folder.glob("reference_perturbed/*")) and not list(folder.glob("*.damaged"))


@pytest.mark.parametrize("name", ["reference", "ranklists"])
def test_a_linked_folder_is_set_aside_and_what_it_leads_to_left(finished, tmp_path, name):
    settings, folder, before = finished
    (folder / name).rename(tmp_path / "theirs")
    (folder / name).symlink_to(tmp_path / "theirs")
    files = {file: file.read_bytes() for file in (tmp_path / "theirs").iterdir()}
    assert resumed(settings) == before
    assert {file: file.read_bytes() for file in (tmp_path / "theirs").iterdir()} == files
    assert (folder / name).is_dir() and not (folder / name).is_symlink()


def test_a_run_that_another_one_overtook_in_a_new_folder_is_refused(toy, tmp_path, monkeypatch):
    """Both have looked when neither had begun; the second takes the folder over when the first is done."""
    from recbole_finest.experiment.output import Output

    settings, inner = {**toy, **QUICK}, {}
    take_over = Output.take_over

    def overtaken(self, **given):
        if not inner:
            inner["result"] = None
            inner["result"] = run_finest("GRU4Rec", "toy", config_dict={**settings, "seed": 7})
        take_over(self, **given)

    monkeypatch.setattr(Output, "take_over", overtaken)
    with pytest.raises(UserError, match="holds files of another run"):
        run_finest("GRU4Rec", "toy", config_dict=settings)
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["seed"] == 7 == inner["result"]["seed"]
    assert list(Manifest.read(tmp_path / "run").wrong()) == []
