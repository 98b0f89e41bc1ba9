"""The interface of a fine-tuning method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from torch import Tensor, nn

from recbole_finest.data.transform import LogPerturbation, OneOf
from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole_finest.config.config import Config
    from recbole_finest.data.log import InteractionLog

Recompute = Callable[[], Tensor]
Lists = TypeVar("Lists")

# Settings that several methods read; see ``Method.reads``.
LIST_SETTINGS = ("rank_instances_per_batch", "finest_dropout")
SIMULATION_SETTINGS = ("simulation_ratio", "simulation_kinds", "simulation_item")


@dataclass
class Step:
    """What a method sees of one training step.

    Attributes:
        next_item_loss: the model's own loss, a scalar.
        scores: gives the logits of the reference items, ``[R, 2K]``, for the R instances of the batch
            that have a reference list, from the same forward pass where the model allows it.
        reference_scores: gives base's logits of the same items, ``[R, 2K]``.
        users: number of different users (windows, in packed training) in the batch.
        model: the model that is trained.
        recompute: gives the next-item loss again, from a second forward pass over the same batch that
            draws the same random numbers (dropout masks); only for methods with ``needs_recompute``.
        list_weights: how far each of the R lists should still hold, ``[R]``, from 0 to 1; None is fully.
    """

    next_item_loss: Tensor
    scores: Callable[[], Tensor]
    reference_scores: Callable[[], Tensor]
    users: int
    model: Any = None
    recompute: Recompute | None = None
    list_weights: Tensor | None = None

    def mean(self, terms: Tensor) -> Tensor:
        """Mean of what a method adds for each list, from ``[R]``, each by its list's weight.

        It is a mean over instances, not over weights: one of weight 0 counts as one whose term is 0, so
        that lighter lists leave more of the step to the next-item loss.
        """
        return terms.mean() if self.list_weights is None else (terms * self.list_weights).mean()


class Method:
    """What is done with a trained base; subclass it and add it to ``METHODS``.

    One of the user's own is named ``package.module:Class`` instead.

    Both sides of the protocol, clean and perturbed log, get a model of the method each. By default both
    are copies of their own base, fine-tuned with :meth:`loss`.

    Args:
        config: the run's settings.

    Attributes:
        needs_lists: whether :meth:`loss` asks for ``scores``.
        needs_reference_scores: whether it asks for ``reference_scores``.
        needs_recompute: whether it asks for ``recompute``.
        starts_from: ``own``, each side starts from its own base; ``base``, both from the clean one.
        by_recipe: whether the bases that it starts from are trained by the settings of ``recipe``.
        lists_of: whose lists the perturbed side reads: ``own``, its own base's; ``setting``, what
            ``reference_model`` says.
        fine_tunes: whether epochs are trained on the clean side and on the perturbed side; where none
            are, the side's model is what it starts from.
        reads: settings of fine-tuning that it reads, beside ``finest_epochs`` and the like, which all
            do. A benchmark makes its cells anew when one of them changes, for a method of the user's own
            when any does.
    """

    needs_lists = False
    needs_reference_scores = False
    needs_recompute = False
    starts_from = "own"
    by_recipe = False
    lists_of = "setting"
    fine_tunes: tuple[bool, bool] = (True, True)
    reads: tuple[str, ...] = ()

    def __init__(self, config: Config):
        self.config = config

    @property
    def follows_dropout(self) -> bool:
        """Whether ``finest_dropout`` governs the next-item loss, which has dropout otherwise.

        True for methods that read lists; one to be compared with them can set it to True.
        """
        return self.needs_lists

    def simulation(self) -> Callable[..., InteractionLog] | None:
        """The transform of the log that is drawn in every epoch, or None."""
        return None

    def seeds(self, seed: int) -> list[int]:
        """Seeds of the bases that the method starts from, of a run with ``seed``.

        The scores of several are averaged; then nothing can be fine-tuned.
        """
        return [seed]

    def list_seeds(self, seed: int) -> list[int]:
        """Seeds of the bases whose lists it reads; of several, those of their averaged scores."""
        return [seed]

    def check(self, model: nn.Module) -> None:
        """Refuse, with :class:`UserError`, a model that the method cannot train; before anything is."""

    def lists_from(self, given: Lists | None) -> Lists | None:
        """The reference lists that the method reads; None where it reads none.

        Raises:
            UserError: it needs some, and none are given.
        """
        if self.needs_lists and given is None:
            raise UserError(
                f"method {type(self).__name__} needs reference lists; pass ReferenceLists"
            )
        return given if self.needs_lists else None

    def loss(self, step: Step) -> Tensor:
        """The loss of one step, a scalar: ``next_item_loss`` plus a mean over the instances of ``scores``.

        A batch that is computed in parts relies on this form, unless the method has ``needs_recompute``.
        """
        return step.next_item_loss


def simulation(config: Config) -> OneOf | None:
    """FINEST's simulation from the settings ``simulation_*``; None when the ratio is 0."""
    if config["simulation_ratio"] == 0:
        return None
    amount = {"ratio": config["simulation_ratio"]}
    item = config["simulation_item"]
    kinds = config["simulation_kinds"]
    return OneOf(tuple(LogPerturbation(kind, "random", item, amount) for kind in kinds))
