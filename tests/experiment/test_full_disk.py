"""Disks that are full, folders that go or are not what they seem: one sentence, and a run that goes on."""

import shutil

import pytest
import torch

from recbole_finest import run_finest
from recbole_finest.cli.main import main
from recbole_finest.errors import UserError
from recbole_finest.experiment import run
from tests.experiment.test_folder import QUICK, command
from tests.full_disk import Disk

LINKED = ("tables", "ranklists", "ranklists_unseen", "reference", "tensorboard")


def weights_and_lists(folder):
    """The weights and lists that a run left, by the names of their files."""
    found = {path.name: path.read_bytes() for path in folder.glob("ranklists*/*.npz")}
    for path in folder.glob("*.pth"):
        state = torch.load(path, weights_only=True)["state_dict"]
        found[path.name] = {name: tensor.tolist() for name, tensor in state.items()}
    return found


def test_a_full_disk_is_one_sentence_and_the_run_goes_on(toy, tmp_path, capsys):
    words = command(toy, ["--dataset=toy"])
    with Disk().mounted() as disk:
        assert main(words) == 0
    whole, report = weights_and_lists(tmp_path / "run"), (tmp_path / "run/report.html").stat()
    for number, left in enumerate([100, 200_000, disk.used - report.st_size]):  # bytes
        folder = tmp_path / f"{number}"
        again = [*(w for w in words if not w.startswith("--output_dir")), f"--output_dir={folder}"]
        capsys.readouterr()
        with Disk(left).mounted():
            assert main(again) == 2
        (said,) = capsys.readouterr().err.splitlines()
        how = f"continue with --resume=True and --output_dir={folder}"
        begun = (folder / "manifest.json").exists()
        assert begun == (left > 100)
        assert said.startswith(f"error: output_dir '{folder}' cannot be written: No space left on")
        assert said.endswith(f"; make room, then {how if begun else 'give the command again'}")
        assert not list(folder.rglob("*.part"))
        assert main([*again, "--resume=True"] if begun else again) == 0
        assert weights_and_lists(folder) == whole


def test_a_script_gets_the_sentence_as_an_exception(toy):
    with pytest.raises(UserError, match=r"output_dir .* No space left"), Disk(9_000).mounted():
        run_finest("SASRec", "toy", config_dict={**toy, **QUICK, "baselines": []})


def test_a_folder_that_goes_while_it_is_written_is_not_made_again(
    toy, tmp_path, capsys, monkeypatch
):
    build = run.build_references

    def gone(*given, **more):
        shutil.rmtree(tmp_path / "run")
        return build(*given, **more)

    monkeypatch.setattr(run, "build_references", gone)
    assert main(command(toy, ["--dataset=toy"])) == 2
    (said,) = capsys.readouterr().err.splitlines()
    assert f"output_dir '{tmp_path / 'run'}' cannot be written: No such file or directory" in said
    assert said.endswith(
        "; leave its folder where it is while the command is at work, then give the command again"
    )
    assert not (tmp_path / "run").exists()


def test_a_name_that_is_too_long_is_refused(toy, tmp_path, capsys):
    folder = tmp_path / ("x" * 300)
    assert main(command(toy, ["--dataset=toy", f"--output_dir={folder}"])) == 2
    assert capsys.readouterr().err == (
        f"error: output_dir '{folder}' cannot be written: File name too long; give a shorter name, then "
        "give the command again\n"
    )


def test_links_in_a_run_lead_nowhere(toy, tmp_path, capsys):
    words, folder, outside = command(toy, ["--dataset=toy"]), tmp_path / "run", tmp_path / "outside"
    assert main(words) == 0
    theirs = {}
    for name in LINKED:
        shutil.copytree(folder / name, outside / name)
        shutil.rmtree(folder / name)
        for path in (outside / name).rglob("*"):
            if path.is_file():
                theirs[path] = b"theirs"
                path.write_bytes(theirs[path])
        if name != "ranklists":  # which a report reads
            (folder / name).symlink_to(outside / name)
    shutil.copytree(outside / "ranklists", folder / "ranklists")
    (folder / "SASRec-toy.log").unlink()
    capsys.readouterr()
    for more in (["--resume=True"], ["--overwrite=True"]):
        main([*words, *more])
        assert "Traceback" not in capsys.readouterr().err
        assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == theirs
        if not (folder / "tables").is_symlink():
            shutil.rmtree(folder / "tables")
            (folder / "tables").symlink_to(outside / "tables")
    assert main(["report", str(folder)]) == 2
    assert capsys.readouterr().err == (
        f"error: RUN_DIR '{folder}' cannot be written: a link stands there, which is not followed "
        "('tables'); remove it, or choose another place, then give the command again\n"
    )
    assert {path: path.read_bytes() for path in outside.rglob("*") if path.is_file()} == theirs
