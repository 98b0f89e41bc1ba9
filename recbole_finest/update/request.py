"""What is asked of an update, beside settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from recbole_finest.config.values import is_number
from recbole_finest.errors import UserError, nearest
from recbole_finest.files import PathLike

RETRAIN, WARM_START = "retrain", "warm_start"
WAYS = ("finest", "distillation", WARM_START, RETRAIN)
STARTS = ("deployed", "anew")
TESTS = ("last", "none")
DEFAULT_METHOD = RETRAIN  # docs/nights.md says by which rule


@dataclass(frozen=True)
class Request:
    """The arguments of :func:`recbole_finest.update.night.update_model` that are no settings.

    Attributes:
        deployed: a run's folder, or a ``.pth``.
        dataset: name of today's data set.
        method: one of ``WAYS``.
        start: ``deployed``, from its weights, or ``anew``, for ``finest`` and ``distillation``, from a base
            trained on today's log first.
        test: ``last``, each person's last interaction is held out, or ``none``.
        allow_shrink: accept a log without most of yesterday's users or items.
        deployed_until: newest time that the deployed model was trained on, or None.
        check_ids: False accepts a checkpoint without tokens whose ids nothing vouches for.
    """

    deployed: PathLike
    dataset: str
    method: str
    start: str = "deployed"
    test: str = "last"
    allow_shrink: bool = False
    deployed_until: Any = None
    check_ids: bool = True

    def check(self) -> None:
        """Refuse a word that is none of those.

        Raises:
            UserError: naming the nearest one.
        """
        for name, missing in (("deployed", "RUN_FOLDER_OR_PTH"), ("dataset", "NAME")):
            if not getattr(self, name):
                raise UserError(f"{name} is not set; give --{name}={missing}")
        for name, words in (("method", WAYS), ("start", STARTS), ("test", TESTS)):
            value = getattr(self, name)
            if value not in words:
                raise UserError(
                    f"{name} is {value!r}, which does not exist; {nearest(value, words)}"
                )
        for name in ("allow_shrink", "check_ids"):
            if not isinstance(getattr(self, name), bool):
                raise UserError(f"{name} is {getattr(self, name)!r}, but must be True or False")
        if self.deployed_until is not None and not is_number(self.deployed_until):
            raise UserError(
                f"deployed_until is {self.deployed_until!r}, but must be a time in the data set's units"
            )
        if self.method == WARM_START and self.start == "anew":
            raise UserError(
                "method=warm_start continues the deployed weights, and start=anew does not; use "
                "method=retrain to train on today's log alone"
            )
        if self.method == RETRAIN and self.start == "anew":
            raise UserError(
                "method=retrain trains on today's log alone, and start=anew is for method=finest or "
                "distillation, which fine-tune such a model; give one of them, or leave start out"
            )
