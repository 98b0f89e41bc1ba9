"""Reference lists: what a trained model recommends for every training instance."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recbole_finest.config.config import Config
from recbole_finest.data.log import smallest_int
from recbole_finest.errors import UserError
from recbole_finest.evaluator.topk import top_items
from recbole_finest.files import array_rows, written_whole
from recbole_finest.folders.own import folder_whole
from recbole_finest.formats.arrays import open_array
from recbole_finest.parallel import distributed

Block = tuple[np.ndarray, Tensor]  # row ids [B] and scores [B, n_items] of as many instances


class ReferenceLists:
    """The top-2K items of a model for training instances, looked up by row id.

    The first K items of a list are to be preserved, the next K are their competitors. Lists are kept
    on disk in the smallest integer type and memory-mapped; one row takes 4K bytes below 32,768 items.

    Args:
        items: item ids best first, ``[n, 2K]``.
        slot: index into ``items`` for every row id, ``[n_clean]``; -1 where there is no list.
        scores: the model's logits of ``items``, ``[n, 2K]``, float16, where they were kept.
        weights: how far each list should hold, ``[n]``, float32, from 0 to 1; None is fully.
    """

    earlier_seconds: Sequence[float] = (0.0, 0.0)

    def __init__(
        self,
        items: np.ndarray,
        slot: np.ndarray,
        scores: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ):
        self.items = items
        self.slot = slot
        self.scores = scores
        self.weights = weights
        self._resident: dict[str, Tensor] = {}

    @property
    def k(self) -> int:
        """K: half of the length of a list."""
        return self.items.shape[1] // 2

    def __len__(self) -> int:
        return len(self.items)

    @classmethod
    def build(
        cls,
        blocks: Iterable[Block],
        k: int,
        n_instances: int,
        n_clean: int,
        n_items: int,
        path: str | Path,
        keep_scores: bool = False,
        writes: bool = True,
    ) -> ReferenceLists:
        """Stream scores into lists on disk.

        Args:
            blocks: row ids ``[B]`` with scores ``[B, n_items]``; together ``n_instances`` rows.
            k: K, at least 2; 2K must not exceed the items.
            n_instances, n_clean, n_items: sizes; ``n_items`` counts padding.
            path: folder for the files; it appears only when all lists are written.
            keep_scores: also keep the logits, as float16.
            writes: of several processes, whose blocks are dealt out in turn, whether this one writes
                the files; the others read them.
        """
        path = Path(path)
        lists = distributed.in_turn(_top(block, k, keep_scores) for block in blocks)
        if not writes:
            for _ in lists:
                pass
            distributed.barrier()
            return cls.load(path)
        slot = np.full(n_clean, -1, smallest_int(n_instances))
        columns = {
            "items": smallest_int(n_items),
            **({"scores": np.float16} if keep_scores else {}),
        }
        _write(path, lists, columns, (n_instances, 2 * k), slot)
        distributed.barrier()
        return cls.load(path)

    @classmethod
    def load(
        cls, path: str | Path, earlier_seconds: Sequence[float] = (0.0, 0.0)
    ) -> ReferenceLists:
        """Open lists that :meth:`build` wrote.

        Args:
            path: their folder.
            earlier_seconds: what building them took another run, of wall clock and of CPU.

        Raises:
            UserError: there are none, or they are damaged.
        """
        path = Path(path)
        try:
            scores = path / "scores.npy"
            lists = cls(
                open_array(path / "items.npy", "r"),
                open_array(path / "slot.npy"),
                open_array(scores, "r") if scores.is_file() else None,
            )
            lists.earlier_seconds = earlier_seconds
            return lists
        except (OSError, ValueError) as error:
            raise UserError(
                f"no usable reference lists in '{path}' ({error}); remove the folder"
            ) from error

    def digest(self) -> str:
        """SHA-256 of some 4,096 of the lists, spread over all, which another model's lists do not have."""
        every = slice(None, None, max(1, len(self) // 4096))
        found = hashlib.sha256(f"{self.items.shape} {self.items.dtype}".encode())
        for column in (self.items, self.scores, self.weights):
            found.update(b"none" if column is None else column[every].tobytes())
        found.update(self.slot.tobytes())
        return found.hexdigest()

    def weighted(self, weights: np.ndarray) -> ReferenceLists:
        """The same lists, each to hold as far as its weight says.

        Args:
            weights: for every row id, ``[n_clean]``.
        """
        rows = np.flatnonzero(self.slot >= 0)
        own = np.zeros(len(self), np.float32)
        own[self.slot[rows]] = weights[rows]
        return ReferenceLists(self.items, self.slot, self.scores, own)

    def lookup(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Lists of instances by the row ids of their targets.

        Args:
            rows: row ids, ``[B]``; -1 for an inserted target.

        Returns:
            Item ids ``[R, 2K]`` of the R instances that have a list, and their indices ``[R]`` in
            ``rows``. A target that was inserted, or became one only through an insertion, has none.
        """
        slot = self.slots(rows.cpu().numpy())
        index = np.flatnonzero(slot >= 0)
        return self.lists(slot[index], rows.device), torch.from_numpy(index).to(rows.device)

    def lookup_scores(self, rows: Tensor) -> Tensor:
        """The model's logits of the lists that :meth:`lookup` gives, ``[R, 2K]``, float32."""
        slot = self.slots(rows.cpu().numpy())
        return self.list_scores(slot[slot >= 0], rows.device)

    def slots(self, rows: np.ndarray) -> np.ndarray:
        """Number of the list of each row id, ``[B]``; -1 where there is none."""
        return np.where(rows >= 0, self.slot[rows], -1).astype(np.int64)

    def lists(self, slots: np.ndarray, device: torch.device) -> Tensor:
        """Item ids of the lists with these numbers, ``[R, 2K]``."""
        return self._on("items", self.items, slots, device).long()

    def list_scores(self, slots: np.ndarray, device: torch.device) -> Tensor:
        """The model's logits of the lists with these numbers, ``[R, 2K]``, float32."""
        if self.scores is None:
            raise ValueError("these reference lists were built without scores")
        return self._on("scores", self.scores, slots, device).float()

    def list_weights(self, slots: np.ndarray, device: torch.device) -> Tensor | None:
        """Weights of the lists with these numbers, ``[R]``; None where all hold fully."""
        return None if self.weights is None else self._on("weights", self.weights, slots, device)

    def keep_on(self, device: torch.device, most: int) -> bool:
        """Keep the lists on ``device`` when they take at most ``most`` bytes; whether they do.

        Then only the numbers of a batch's lists are sent there, else the lists themselves.
        """
        columns = {"items": self.items, "scores": self.scores, "weights": self.weights}
        given = {name: column for name, column in columns.items() if column is not None}
        fits = sum(column.nbytes for column in given.values()) <= most
        self._resident = {
            n: torch.from_numpy(np.array(c)).to(device) for n, c in given.items() if fits
        }
        return fits

    def _on(self, name: str, column: np.ndarray, slots: np.ndarray, device: torch.device) -> Tensor:
        if name in self._resident:
            return self._resident[name][_sent(torch.from_numpy(slots), device)]
        return _sent(torch.from_numpy(column[slots]), device)


def _sent(values: Tensor, device: torch.device) -> Tensor:
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def _top(block: Block, k: int, keep_scores: bool) -> tuple[np.ndarray, np.ndarray, Any]:
    """Row ids ``[B]``, their best 2K items ``[B, 2K]``, and the logits of these as float16 or None."""
    rows, scores = block
    best = top_items(scores, 2 * k)
    values = scores.gather(1, best).to("cpu", torch.float16).numpy() if keep_scores else None
    return rows, best.cpu().numpy(), values


def _write(
    path: Path,
    lists: Iterable[tuple[np.ndarray, ...]],
    columns: Mapping[str, Any],
    shape: tuple[int, int],
    slot: np.ndarray,
) -> None:
    """Fill a folder with lists as they come; ``slot`` is filled too.

    Args:
        path: the folder.
        lists: row ids and the parts of ``columns``, in their order.
        columns: types of the files by name.
        shape: of each file, ``[n, 2K]``.
        slot: -1 for every row id, ``[n_clean]``.
    """
    done = 0
    with folder_whole(path) as part, ExitStack() as files:

        def column(name: str, dtype: Any, shape: tuple[int, ...]) -> Callable[[np.ndarray], object]:
            return array_rows(
                files.enter_context(written_whole(part / f"{name}.npy")), dtype, shape
            )

        add = [column(name, dtype, shape) for name, dtype in columns.items()]
        for rows, *parts in lists:
            for write, values in zip(add, parts):
                write(values)
            slot[rows] = np.arange(done, done + len(rows))
            done += len(rows)
        if done != shape[0]:
            raise ValueError(f"{done} instances were scored, but {shape[0]} were announced")
        column("slot", slot.dtype, slot.shape)(slot)


def reference_k(config: Config, n_items: int, warn: Callable[[str], object]) -> int:
    """K of this run: ``reference_k``, reduced with a warning when 2K exceeds the items.

    Args:
        config: our Config.
        n_items: number of items, padding included.
        warn: called with the warning.

    Raises:
        UserError: K was asked for explicitly and 2K exceeds the items, or there are fewer than 4.
    """
    wanted, largest = config["reference_k"], (n_items - 1) // 2
    if wanted <= largest:
        return wanted
    if largest < 2:
        raise UserError(
            f"the data set has {n_items - 1} items, but a reference list needs at least 4"
        )
    if config.is_explicit("reference_k"):
        raise UserError(
            f"reference_k is {wanted}, which needs {2 * wanted} items, but the data set has "
            f"{n_items - 1}; the largest that fits is {largest}"
        )
    warn(f"reference_k reduced from {wanted} to {largest}: the data set has {n_items - 1} items")
    return largest
