"""What a run keeps of its test instances, so that a report needs no data set: ``instances.npz``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recbole_finest.data.prepare import Data
from recbole_finest.errors import UserError
from recbole_finest.evaluator.lists.ranklists import UNREADABLE
from recbole_finest.files import write_arrays
from recbole_finest.formats.arrays import read_arrays

FORMAT = "recbole_finest.instances.1"


@dataclass(frozen=True)
class Instances:
    """Properties of the test instances, in the order of the rank lists.

    Attributes:
        history_length: interactions of the user before the target in the clean log, ``[n]``.
        target_count: how often the target occurs among the clean training interactions, ``[n]``.
    """

    history_length: np.ndarray
    target_count: np.ndarray

    @classmethod
    def from_data(cls, data: Data) -> Instances:
        """Read them off a prepared data set (:class:`recbole_finest.data.prepare.Data`)."""
        view = data.measured.inter_feat
        log, positions = view.log, view.positions
        return cls(positions - log.user_start[positions], log.item_counts()[log.item[positions]])

    def __len__(self) -> int:
        return len(self.history_length)

    def save(self, path: Path) -> None:
        """Write an ``.npz`` that loads without pickle; an old one is replaced at once."""
        arrays = {
            "format": np.array(FORMAT),
            "history_length": self.history_length.astype(np.int32),
            "target_count": self.target_count.astype(np.int32),
        }
        write_arrays(path, arrays)

    @classmethod
    def load(cls, path: Path) -> Instances | None:
        """Read what :meth:`save` wrote; None where there is no such file.

        Raises:
            UserError: the file is another one, or damaged.
        """
        if not path.is_file():
            return None
        try:
            arrays = read_arrays(path)
            if str(arrays.pop("format", None)) != FORMAT:
                raise UserError(f"'{path}' is not a file of test instances")
            found = cls(arrays["history_length"], arrays["target_count"])
            for part in (found.history_length, found.target_count):
                if part.dtype.kind not in "iu" or part.shape != (len(found),):
                    raise ValueError("its arrays are not whole numbers, one for each instance")
            return found
        except UNREADABLE as error:
            raise UserError(f"'{path}' is not a file of test instances: {error}") from error
