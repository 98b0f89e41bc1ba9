"""The nearest right name for a wrong one; what cannot be written, in one sentence."""

import errno
import os
import pickle

import pytest

from recbole_finest.errors import Unwritten, UserError, kept, nearest, writes


def test_the_nearest_name_is_suggested():
    assert nearest("jacard", ["rbo", "jaccard"]) == "did you mean 'jaccard'?"
    assert nearest("JACARD", {"jaccard": "Jaccard", "rbo": "RBO"}) == "did you mean 'Jaccard'?"


def test_all_names_or_other_words_where_none_is_near():
    assert nearest("xyz", ["rbo", "jaccard"]) == "use one of rbo, jaccard"
    assert nearest("xyz", ["rbo"], "see --help") == "see --help"
    assert nearest("abcd", ["abxx"], "none", cutoff=0.6) == "none"
    assert nearest("abcd", ["abxx"], "none", cutoff=0.5) == "did you mean 'abxx'?"


def test_what_cannot_be_written_names_the_setting_the_file_and_how_to_go_on():
    def fail():
        with kept("output_dir", "runs/a", "continue"), writes("runs/a/base.pth"):
            raise OSError(errno.ENOSPC, "")

    with pytest.raises(UserError) as caught:
        fail()
    assert str(caught.value) == (
        "output_dir 'runs/a' cannot be written: No space left on device ('base.pth'); make room, then "
        "continue"
    )
    assert caught.value.strerror == "No space left on device"  # an OSError, too
    other = pickle.loads(pickle.dumps(caught.value))  # from another process
    assert type(other) is Unwritten and str(other) == str(caught.value)


def test_the_outermost_setting_names_what_is_in_its_place():
    inner = kept("output_dir", "a/1", lambda: "never said")
    others = kept("output_dir", "b"), kept("rolling", "a")
    with pytest.raises(Unwritten) as caught, others[0], others[1], inner, writes("a/1/base.pth"):
        raise OSError(errno.EROFS, "")
    assert str(caught.value) == (
        "rolling 'a' cannot be written: Read-only file system ('1/base.pth'); make it writable, or choose "
        "another place, then give the command again"
    )


def test_a_file_that_the_error_names_is_believed_where_it_may_be():
    for own, name in ((True, "inner"), (False, "outer")):
        with pytest.raises(Unwritten, match=f"'{name}' cannot be written"), writes("outer", own):
            raise OSError(errno.EACCES, os.strerror(errno.EACCES), "inner")


@pytest.mark.parametrize(
    "error", [OSError(errno.EBADF, ""), OSError("odd"), ValueError(), KeyError()]
)
def test_our_own_mistakes_are_not_hidden(error):
    with pytest.raises(type(error)) as caught, kept("output_dir", "a"), writes("a/b"):
        raise error
    assert caught.value is error


def test_a_message_cannot_steer_the_terminal(tmp_path, capsys):
    from recbole_finest.cli.main import main

    path = tmp_path / "a.csv"
    path.write_text("user,item,rank\nu\x1b[2J\u202eevil,i,1\nu\x1b[2J\u202eevil,i,2\n")
    assert main(["compare", str(path), str(path)]) == 2
    said = capsys.readouterr().err
    assert "\\x1b[2J\\u202eevil" in said and said.strip("\n").isprintable()
