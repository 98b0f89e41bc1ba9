"""Missing values and sequences of atomic files, whichever pandas reads them; values worked by hand."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from recbole.data.dataset import SequentialDataset
from recbole.utils import FeatureType

from recbole_finest.data.tables import Table, sequences_filled
from tests.data.mini import history, load, write
from tests.data.stock import write_atomic

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # RecBole's
PANDAS_3 = not pd.__version__.startswith(("1.", "2."))


# Why there is such a module: each fails once it can go ------------------------------------------------


def of_recbole(table: pd.DataFrame, kind: FeatureType) -> SimpleNamespace:
    """What RecBole's methods read of a data set with one table of one column, ``x``."""
    logger = SimpleNamespace(debug=lambda words: None)
    return SimpleNamespace(
        feat_name_list=["inter_feat"], inter_feat=table, field2type={"x": kind}, logger=logger
    )


@pytest.mark.parametrize("kind", [FeatureType.TOKEN, FeatureType.FLOAT])
def test_recbole_fills_in_place_which_pandas_3_does_to_a_copy(kind):
    data = of_recbole(pd.DataFrame({"x": [1.0, None, 3.0]}), kind)
    SequentialDataset._fill_nan(data)
    assert data.inter_feat["x"].isna().tolist() == [False, PANDAS_3, False]


def test_recbole_asks_for_lengths_with_agg_which_pandas_3_gives_of_the_column():
    column = [[1, 2], [3], []]
    found = pd.DataFrame({"x": column})["x"].agg(len)
    assert (found == 3) if PANDAS_3 else (list(found) == [2, 1, 0])
    table = Table({"x": column})
    for kept in (table, table.drop(columns=[]), table[:3], pd.concat([table[:1], table[1:]])):
        assert list(kept["x"].agg(len)) == [2, 1, 0]
    assert table["x"].agg(np.concatenate).tolist() == [1, 2, 3]


# What a data set holds --------------------------------------------------------------------------------


@pytest.fixture
def gaps(tmp_path):
    """Items a to d; d has no line among the features, and the others lack some."""
    header = ("user_id:token", "item_id:token", "timestamp:float", "rating:float", "shop:token")
    rows = [f"{row} {rest}" for row, rest in zip(history(4), ["5 x", " y", "2 ", " "])]
    write(tmp_path, rows, header)
    features = {
        "item_id:token": ["a", "b", "c"],
        "brand:token": ["p", "", "q"],
        "price:float": [1.0, "", 4.0],
        "class:token_seq": ["s t", "", "t"],
        "sizes:float_seq": ["", "0.5 1.5", "2"],
    }
    write_atomic(tmp_path / "mini" / "mini.item", features)
    return tmp_path


COLUMNS = {
    "inter": ["user_id", "item_id", "timestamp", "rating", "shop"],
    "item": ["item_id", "brand", "price", "class", "sizes"],
}


def read(folder, **changes):
    """The data set; by default RecBole leaves out interactions with items that have no features."""
    return load(folder, load_col=COLUMNS, filter_inter_by_user_or_item=False, **changes).dataset


def test_missing_ratings_and_words_of_interactions(gaps):
    data = read(gaps)
    columns = data.inter_feat.fields.columns
    assert columns["rating"].tolist() == [5.0, 3.5, 2.0, 3.5]
    assert data.field2id_token["shop"].tolist() == ["[PAD]", "x", "y"]
    assert columns["shop"].tolist() == [1, 2, 0, 0]
    assert columns["shop"].dtype == torch.int64


def test_missing_features_of_items(gaps):
    data = read(gaps)
    items = data.item_feat
    assert data.field2id_token["item_id"].tolist() == ["[PAD]", "a", "b", "c", "d"]
    assert items["brand"].tolist() == [0, 1, 0, 2, 0]
    assert items["price"].tolist() == [2.5, 1.0, 2.5, 4.0, 2.5]
    assert data.field2id_token["class"].tolist() == ["[PAD]", "s", "t"]
    assert items["class"].tolist() == [[0, 0], [1, 2], [0, 0], [2, 0], [0, 0]]
    assert items["sizes"].tolist() == [[0, 0], [0, 0], [0.5, 1.5], [2, 0], [0, 0]]


def test_numbers_in_sequences_are_normalised(gaps):
    scaled = read(gaps, normalize_field=["sizes"]).item_feat["sizes"]
    assert scaled.numpy() == pytest.approx(
        np.array([[0, 0], [0, 0], [0, 2 / 3], [1, 0], [0, 0]]), abs=1e-6
    )


# Sequences without a word -----------------------------------------------------------------------------

FORM = {"field_separator": "\t", "seq_separator": " ", "encoding": "utf-8"}


def test_a_file_without_gaps_is_read_as_it_is(tmp_path):
    path = tmp_path / "mini.item"
    path.write_text("item_id:token\tclass:token_seq\na\ts t\n\tt\n")  # an id that is missing
    with sequences_filled(str(path), FORM) as found:
        assert found == str(path)


@pytest.mark.parametrize("word", ["", "NA", "null"])
def test_a_copy_has_a_separator_in_a_gap_and_goes_away(tmp_path, word):
    path = tmp_path / "mini.item"
    path.write_text(f'item_id:token\tclass:token_seq\tn:float\n"a\tz"\t{word}\t0.10\n\tt u\t\n')
    with sequences_filled(str(path), FORM) as found:
        copy = Path(found).read_text(encoding="utf-8")
    assert copy == 'item_id:token\tclass:token_seq\tn:float\n"a\tz"\t \t0.10\n\tt u\t\n'
    assert not Path(found).exists() and "\tt u\t\n" in path.read_text()


def test_a_file_that_is_not_loaded_is_not_read(gaps):
    item = gaps / "mini" / "mini.item"
    item.write_bytes(item.read_bytes() + "d\tMüller\t1\tx y\n".encode("latin-1"))
    found = load(gaps, load_col={"inter": COLUMNS["inter"]}).dataset
    assert found.item_feat is None and found.item_num == 5  # and padding


@pytest.mark.parametrize("separator", ["\t", ";;"])
def test_a_copy_has_the_files_separator(tmp_path, separator):
    path = tmp_path / "x.item"
    rows = [["item_id:token", "class:token_seq"], ["a", "s t"], ["b", ""]]
    path.write_text("".join(separator.join(row) + "\n" for row in rows))
    config = {"field_separator": separator, "seq_separator": " ", "encoding": "utf-8"}
    with sequences_filled(str(path), config) as filled:
        lines = Path(filled).read_text().splitlines()
    assert [line.split(separator) for line in lines] == [*rows[:2], ["b", " "]]
