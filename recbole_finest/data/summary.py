"""What a perturbation changed, counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from recbole_finest.data.log import InteractionLog
from recbole_finest.data.perturbation.changes import Changes
from recbole_finest.data.perturbation.histories import train_runs

_TENTHS = 10
_SHOWN = 5  # users and items named in the text


@dataclass(frozen=True)
class Summary:
    """Counts of changes; as text with ``str``, as plain data with :meth:`as_dict`.

    Attributes:
        kind, selection, item_choice: how the changes were drawn.
        count: number of changes.
        n_interactions: number of training interactions before them.
        by_user: changes of each user changed, most first, ties by id.
        items_taken, items_put: how often each item was taken out, or put in; in the same order.
        by_tenth: changes in each tenth of the users' training histories, earliest first; an
            interaction with ``i`` of ``n`` before it is in tenth ``floor(10 i / n)``.
        first, last: changes of users' first and of their last training interactions.
        emptied_users: users left without training interactions.
    """

    kind: str
    selection: str
    item_choice: str | None
    count: int
    n_interactions: int
    by_user: dict[str, int]
    items_taken: dict[str, int]
    items_put: dict[str, int]
    by_tenth: list[int]
    first: int
    last: int
    emptied_users: list[str]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def __str__(self) -> str:
        drawn = f"selection {self.selection}"
        if self.item_choice is not None:
            drawn += f", item {self.item_choice}"
        lines = [
            f"{self.kind} of {self.count} of {self.n_interactions} training interactions ({drawn})",
            _line("users", self.by_user),
            _line("items taken out", self.items_taken),
            _line("items put in", self.items_put),
            "position in the history, by tenths: " + " ".join(map(str, self.by_tenth)),
            f"first of a history: {self.first}, last: {self.last}",
        ]
        if self.emptied_users:
            lines.append(
                f"{len(self.emptied_users)} users are left without training interactions: "
                + _few(self.emptied_users)
            )
        return "\n".join(line for line in lines if line)


def summarise(
    changes: Changes,
    log: InteractionLog,
    user_tokens: np.ndarray | Sequence[str] | None = None,
    item_tokens: np.ndarray | Sequence[str] | None = None,
) -> Summary:
    """Count the changes of ``log`` by user, by item and by position in the user's history.

    Args:
        changes: what ``perturb`` or ``load_changes`` returned.
        log: the log that the changes were drawn for, before them.
        user_tokens, item_tokens: token of each internal id; None names them by id.
    """
    start, length = train_runs(log)
    index = np.searchsorted(log.train_positions, changes.position)
    run = np.searchsorted(start, index, "right") - 1
    before, total = index - start[run], length[run]
    return Summary(
        kind=changes.kind,
        selection=changes.selection,
        item_choice=changes.item_choice,
        count=changes.count,
        n_interactions=changes.n_interactions,
        by_user=_counts(changes.user, user_tokens),
        items_taken=_counts(changes.item_before, item_tokens),
        items_put=_counts(changes.item_after, item_tokens),
        by_tenth=np.bincount(before * _TENTHS // total, minlength=_TENTHS).tolist(),
        first=int((before == 0).sum()),
        last=int((before == total - 1).sum()),
        emptied_users=[_name(user, user_tokens) for user in changes.emptied_users.tolist()],
    )


def _counts(ids: np.ndarray, tokens: np.ndarray | Sequence[str] | None) -> dict[str, int]:
    found, counts = np.unique(ids[ids > 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {_name(found[i], tokens): int(counts[i]) for i in order.tolist()}


def _name(index: int, tokens: np.ndarray | Sequence[str] | None) -> str:
    return str(index if tokens is None else tokens[index])


def _line(what: str, counts: dict[str, int]) -> str:
    named = [f"{name} ({count})" for name, count in counts.items()]
    return f"{what}: {len(counts)}, most often {_few(named)}" if named else ""


def _few(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
