"""YAML: the same values as PyYAML's, within bounds."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from recbole_finest.compat import ScalarLoader, parse_value
from recbole_finest.config.settings import properties_dir
from recbole_finest.formats.yaml_file import DEPTH, VALUES, load_yaml, read_yaml

VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=15,
)


@settings(max_examples=60, deadline=None)
@given(VALUE)
def test_what_is_written_is_read(value):
    assert load_yaml(yaml.safe_dump(value)) == value


def test_every_shipped_file_is_read_as_before():
    files = sorted(properties_dir().rglob("*.yaml"))
    assert len(files) > 10
    for file in files:
        expected = yaml.load(file.read_text(encoding="utf-8"), Loader=ScalarLoader)
        assert read_yaml(file, ScalarLoader) == expected


def test_aliases_and_merges_are_read():
    text = "a: &a {x: 1, y: [1e-3]}\nb: *a\nc: {<<: *a, x: 2}\n"
    found = load_yaml(text, ScalarLoader)
    assert found["b"] == {"x": 1, "y": [0.001]} and found["c"] == {"x": 2, "y": [0.001]}
    assert load_yaml("") is None and load_yaml("# nothing\n") is None


def doubled(times: int) -> str:
    """A document that stands for about 2^times values."""
    lines = [f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, times)]
    return "\n".join(["a0: &a0 [x, x]", *lines])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (doubled(40), f"more than {VALUES:,} values"),
        ("a: &a [*a]", "stands for what it is part of"),
        ("[" * (DEPTH + 1) + "]" * (DEPTH + 1), f"more than {DEPTH} deep"),
        ("a: 1\nb: 2\na: 3", r"'a' is given twice \(line 3\)"),
        ("x: {1: a, 1: b}", "'1' is given twice"),
        ("a: 2020-99-99", "month must be in"),
        ("a: !!bool maybe", "maybe"),
        ("a: !!python/name:os.system", "could not determine a constructor"),
        ("a: 1\n---\nb: 2", "single document"),
        ("a: [", "expected the node content"),
    ],
)
def test_it_is_refused(text, words):
    with pytest.raises(ValueError, match=words) as error:
        load_yaml(text)
    assert "\n" not in str(error.value)


def test_just_within_the_bounds():
    assert len(load_yaml(doubled(14))) == 14
    depth = load_yaml("[" * (DEPTH - 1) + "1" + "]" * (DEPTH - 1))
    for _ in range(DEPTH - 1):
        (depth,) = depth
    assert depth == 1


def test_a_value_of_the_command_line_with_aliases_stays_text():
    assert parse_value("[&a [1], *a]") == [[1], [1]]
    pairs = zip("abcdefghijklmnopqrst", "bcdefghijklmnopqrstu")
    text = f"[&a [1,1],{','.join(f'&{new} [*{old},*{old}]' for old, new in pairs)}]"
    assert parse_value(text) == text
