"""The command ``convert``."""

from pathlib import Path

import pytest

from recbole_finest.cli.main import main


def test_convert(tmp_path, capsys):
    source = tmp_path / "shop.csv"
    source.write_text("user,item,when\na,x,3\nb,y,2\n,y,1\na,y,soon\na,z,1\n")
    code = main(["convert", str(source), "--columns=user,item,time", f"--data_path={tmp_path}"])
    shown = capsys.readouterr().out
    assert code == 0
    assert "3 interactions, 2 users, 3 items" in shown
    assert "line 4: no user" in shown and "line 5: time 'soon'" in shown
    written = (tmp_path / "shop" / "shop.inter").read_text().splitlines()
    assert written == [
        "user_id:token\titem_id:token\ttimestamp:float",
        "a\tx\t3",
        "b\ty\t2",
        "a\tz\t1",
    ]


@pytest.mark.parametrize(
    "words, answer",
    [
        (["missing.csv"], "'missing.csv' cannot be read"),
        ([], "required: file"),
        (["shop.csv", "--columns=user,item"], "must name each of user, item and time"),
        (["shop.csv", "--header=maybe"], "maybe"),
        (["shop.csv", "--colums=user,item,time"], "colums"),
    ],
)
def test_what_convert_refuses(tmp_path, monkeypatch, capsys, words, answer):
    monkeypatch.chdir(tmp_path)
    Path("shop.csv").write_text("a,x,3\n")
    assert main(["convert", *words]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and answer in error
