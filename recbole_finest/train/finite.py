"""Where a training leaves the numbers: the epoch, the step, the setting, and what is still good."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from recbole_finest.errors import UserError
from recbole_finest.parallel import distributed

if TYPE_CHECKING:
    from recbole_finest.train.resume import ResumableTrainer


def check_finite(
    trainer: ResumableTrainer, total: float, finite: Tensor, epoch: int, steps: int
) -> None:
    """Refuse an epoch that has left the numbers; the device is waited for once.

    Args:
        trainer: whose epoch it is.
        total: sum of the losses of all steps and processes.
        finite: steps of this process after which the sum was still finite.
        epoch, steps: number of the epoch, and how many steps it has.

    Raises:
        UserError: the loss of a step, or a weight, is infinite or no number.
    """
    if total - total != 0:  # nan, inf
        first = min(distributed.gather(int(finite)))
        raise not_finite(trainer, f"the loss ({total})", epoch, f", step {first} of {steps}")
    if not weights_are_finite(trainer.model):
        raise not_finite(trainer, "a weight", epoch, f", by its last step ({steps - 1})")


def weights_are_finite(model: nn.Module) -> bool:
    """Whether every weight is a finite number."""
    largest = [p.detach().abs().max() for p in model.parameters() if p.numel()]
    return bool(torch.isfinite(torch.stack(largest)).all()) if largest else True


def not_finite(trainer: ResumableTrainer, what: str, epoch: int, step: str = "") -> UserError:
    """What to say of a training that cannot go on."""
    states, rate = trainer.states, trainer.rate_setting
    name = trainer.stage if states is None or states.name == trainer.stage else states.name
    kept = "; nothing was kept before it"
    if states is not None and states.kept is not None:
        kept = f"; the state after epoch {states.kept[0]} is kept in '{states.kept[1]}'"
    clip = "" if trainer.config["clip_grad_norm"] else ", or set clip_grad_norm"
    return UserError(
        f"{what} of stage {name} is not a finite number in epoch {epoch}{step}: lower {rate} "
        f"({trainer.learning_rate}){clip}{kept if states is not None else ''}"
    )
