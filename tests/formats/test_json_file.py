"""JSON: bounded, and of the expected type."""

from __future__ import annotations

import json
import os

import pytest

from recbole_finest.formats.json_file import read_json


def test_what_is_written_is_read(tmp_path):
    value = {"a": [1, 2.5, None, True, "é𝄞"], "b": {"c": {}}}
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        (tmp_path / "a.json").write_text(text, encoding="utf-8")
        assert read_json(tmp_path / "a.json") == value
    (tmp_path / "a.json").write_text("[1]")
    assert read_json(tmp_path / "a.json", list) == [1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "it holds no object"),
        ("3", "it holds no object"),
        ('{"a": ' * 100_000, "nested too deeply"),
        ("[" * 100_000 + "]" * 100_000, "nested too deeply"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": ' + "9" * 5000 + "}", "digits"),
        ('{"a" 1}', "delimiter"),
        (b"\xff{}", "utf-8"),
        ('{"a": "' + "x" * 2000 + '"}', "more than the 1,000 bytes"),
    ],
)
def test_it_is_refused(tmp_path, text, words):
    (tmp_path / "a.json").write_bytes(text if isinstance(text, bytes) else text.encode())
    most = 1000 if "1,000" in words else 10**6
    with pytest.raises(ValueError, match=words):
        read_json(tmp_path / "a.json", dict, most)


def test_only_plain_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="no plain file"):
        read_json(tmp_path / "pipe")
    with pytest.raises(ValueError, match="a folder"):
        read_json(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "nothing")
