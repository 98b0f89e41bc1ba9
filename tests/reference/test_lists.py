"""Reference lists: what is stored, and what is found by row id."""

import numpy as np
import pytest
import torch

from recbole_finest.errors import Unwritten, UserError
from recbole_finest.reference.lists import ReferenceLists, reference_k
from tests.full_disk import Disk

SCORES = torch.tensor([[9.0, 1, 2, 3, 4, 5], [9.0, 5, 4, 3, 2, 1], [9.0, 1, 1, 1, 1, 2]])


def build(path, **extra):
    scores = SCORES.clone()
    scores[:, 0] = -torch.inf
    blocks = [(np.array([7, 2]), scores[:2]), (np.array([4]), scores[2:])]
    return ReferenceLists.build(blocks, 2, 3, 9, 6, path, **extra)


def test_lists_are_best_first_and_ties_go_to_the_smaller_id(tmp_path):
    lists = build(tmp_path / "reference")
    items, index = lists.lookup(torch.tensor([4, 7, 2]))
    assert items.tolist() == [[5, 1, 2, 3], [5, 4, 3, 2], [1, 2, 3, 4]]
    assert index.tolist() == [0, 1, 2]
    assert lists.k == 2


def test_rows_without_a_list_are_left_out(tmp_path):
    items, index = build(tmp_path / "reference").lookup(torch.tensor([-1, 2, 0, 7]))
    assert items.tolist() == [[1, 2, 3, 4], [5, 4, 3, 2]]
    assert index.tolist() == [1, 3]


def test_stored_in_the_smallest_type_and_memory_mapped(tmp_path):
    lists = build(tmp_path / "reference")
    assert lists.items.dtype == np.int16
    assert isinstance(lists.items, np.memmap)
    assert [path.name for path in tmp_path.iterdir()] == ["reference"]


def test_a_link_in_the_place_of_the_lists_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "items.npy").write_text("theirs")
    for name in ("reference", "reference.part"):
        (tmp_path / name).symlink_to(tmp_path / "outside")
    assert len(build(tmp_path / "reference")) == 3
    assert not (tmp_path / "reference").is_symlink()
    assert [path.read_text() for path in (tmp_path / "outside").iterdir()] == ["theirs"]


def test_lists_without_room_are_one_sentence_and_the_old_ones_stay(tmp_path):
    build(tmp_path / "reference")
    with Disk(130).mounted(), pytest.raises(Unwritten, match="reference' cannot be written: No sp"):
        build(tmp_path / "reference")
    assert [path.name for path in tmp_path.iterdir()] == ["reference"]
    assert len(ReferenceLists.load(tmp_path / "reference")) == 3


def test_scores_are_kept_when_asked_for(tmp_path):
    lists = build(tmp_path / "reference", keep_scores=True)
    assert lists.lookup_scores(torch.tensor([2, -1])).tolist() == [[5, 4, 3, 2]]
    with pytest.raises(ValueError, match="without scores"):
        build(tmp_path / "other").lookup_scores(torch.tensor([2]))


def test_load_refuses_what_are_no_lists(tmp_path):
    build(tmp_path / "reference")
    assert len(ReferenceLists.load(tmp_path / "reference")) == 3
    (tmp_path / "reference" / "slot.npy").write_bytes(b"damaged")
    with pytest.raises(UserError, match="no usable"):
        ReferenceLists.load(tmp_path / "reference")
    with pytest.raises(UserError, match="no usable"):
        ReferenceLists.load(tmp_path / "nowhere")


class FakeConfig(dict):
    def __init__(self, k, explicit):
        super().__init__(reference_k=k)
        self.explicit = explicit

    def is_explicit(self, name):
        return self.explicit


def test_k_is_reduced_with_a_warning_and_refused_when_explicit():
    warnings = []
    assert reference_k(FakeConfig(100, False), 42, warnings.append) == 20
    assert "from 100 to 20" in warnings[0]
    with pytest.raises(UserError, match="largest that fits is 20"):
        reference_k(FakeConfig(100, True), 42, warnings.append)
    assert reference_k(FakeConfig(20, True), 42, warnings.append) == 20
    with pytest.raises(UserError, match="at least 4"):
        reference_k(FakeConfig(100, False), 4, warnings.append)
