"""A log cut by time: what was known before each night, and what came after it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError, writes
from recbole_finest.files import written_whole
from recbole_finest.folders.own import own_folder
from recbole_finest.formats.numbers import as_numbers
from recbole_finest.formats.tables import read_separated


def period_of(times: np.ndarray, start: float, periods: int) -> np.ndarray:
    """Number each interaction's period.

    The oldest share ``start`` of the interactions is period 0, the rest is cut by time into ``periods`` + 1
    parts of about equally many interactions, of which the last is only ever the future. Interactions of
    one moment stay together, in the earlier part.

    Args:
        times: ``[n]``.
        start: share, between 0 and 1.
        periods: number of nights.

    Returns:
        From 0 to ``periods`` + 1, ``[n]``.

    Raises:
        UserError: a period without interactions.
    """
    ordered = np.sort(times)
    shares = np.linspace(start, 1, periods + 2)[:-1]
    last = ordered[np.maximum(np.rint(shares * len(ordered)).astype(int) - 1, 0)]
    found = np.searchsorted(last, times, side="left")
    missing = np.flatnonzero(np.bincount(found, minlength=periods + 2) == 0)
    if len(missing):
        raise UserError(
            f"the log has no interactions of their own for period {missing[0]} of {periods}; choose fewer "
            "--periods or another --start"
        )
    return found


class Periods:
    """A data set's log by periods.

    Args:
        config: of the data set.
        start, periods: as for :func:`period_of`.

    Attributes:
        users, items: the different tokens, sorted.
        user, item: whose and which each interaction is, indices of these, ``[n]``.
        period: of each interaction, ``[n]``.

    Raises:
        UserError: no such file or columns, times that are no numbers, too few interactions.
    """

    def __init__(self, config: Config, start: float, periods: int):
        self.n = periods
        self.name, self.separator = config["dataset"], config["field_separator"] or "\t"
        self.table = _read(config)
        columns = {column.partition(":")[0]: column for column in self.table.columns}
        wanted = [config[f"{name}_FIELD"] for name in ("USER_ID", "ITEM_ID", "TIME")]
        for name in wanted:
            if name not in columns:
                raise UserError(f"data set '{self.name}' has no column '{name}' to replay it by")
        user, item, time = (self.table[columns[name]].to_numpy() for name in wanted)
        times = as_numbers(time)
        if len(bad := np.flatnonzero(~np.isfinite(times))):
            raise UserError(
                f"data set '{self.name}' has a time that is no number: {time[bad[0]]!r}"
            )
        self.users, self.user = np.unique(user.astype(str), return_inverse=True)
        self.items, self.item = np.unique(item.astype(str), return_inverse=True)
        self.period = period_of(times, start, periods)

    def dataset(self, night: int) -> str:
        """Name of the data set that holds everything up to and with a period."""
        return f"{self.name}-{night}"

    def write(self, folder: Path) -> None:
        """One data set a night, for those that are not there, under ``folder``."""
        with writes(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for night in range(self.n + 1):
            name = self.dataset(night)
            path = folder / name / f"{name}.inter"
            if path.is_file():
                continue
            own_folder(folder, name)
            with written_whole(path, "w", encoding="utf-8", newline="") as file:
                known = self.table[self.period <= night]
                known.to_csv(file, sep=self.separator, index=False, quoting=3, lineterminator="\n")

    def active(self, period: int) -> np.ndarray:
        """Whether each user has an interaction in a period, ``[n_users]``."""
        found = np.zeros(len(self.users), bool)
        found[self.user[self.period == period]] = True
        return found

    def newcomers(self, period: int) -> np.ndarray:
        """Whether each item has its first interaction in a period, ``[n_items]``."""
        first = np.full(len(self.items), self.n + 2)
        np.minimum.at(first, self.item, self.period)
        return first == period

    def truth(self, period: int) -> tuple[np.ndarray, np.ndarray]:
        """Users and their different items in a period, ``[t]`` each, by user."""
        now = self.period == period
        pairs = np.unique(np.column_stack([self.user[now], self.item[now]]), axis=0)
        return pairs[:, 0], pairs[:, 1]


def _read(config: Config) -> pd.DataFrame:
    path = Path(str(config["data_path"])) / f"{config['dataset']}.inter"
    if not path.is_file():
        raise UserError(f"there is no '{path}' to replay; give --data_path=FOLDER")
    options = {"sep": config["field_separator"] or "\t", "encoding": "utf-8-sig", "quoting": 3}
    try:
        return read_separated(path, **options)
    except (ValueError, OSError) as error:
        raise UserError(f"'{path}' cannot be read: {error}") from error
