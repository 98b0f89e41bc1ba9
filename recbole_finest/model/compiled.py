"""``torch.compile`` for any model, while it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from recbole.data.interaction import Interaction
from torch import nn

from recbole_finest.errors import UserError
from recbole_finest.model.build import BROKEN, reason
from recbole_finest.scoring.modes import evaluating, packed, shallow


class CompiledForward:
    """A model's ``forward``, compiled, and put in its place inside a ``with`` block.

    RecBole's losses call ``self.forward`` themselves, so that ``Module.compile`` would change nothing.

    Args:
        model: the model; outside of the block it is as it was.
        backend: of ``torch.compile``.
    """

    def __init__(self, model: nn.Module, backend: str = "inductor"):
        self.model = model
        self.forward: Callable[..., Any] = torch.compile(model.forward, backend=backend)
        self.checked = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        setattr(self.model, "forward", self.forward)  # noqa: B010 - of this instance only
        try:
            yield
        finally:
            delattr(self.model, "forward")

    def check(self, batch: Interaction) -> None:
        """Compare the loss of a batch with that of the model as it is, in evaluation mode; once.

        Raises:
            UserError: the model cannot be compiled here, or gives another loss.
        """
        if self.checked:
            return
        try:
            plain = self._loss(batch)
            with self():
                found = self._loss(batch)
        except BROKEN as error:
            raise UserError(
                f"compile_model is True, but model '{type(self.model).__name__}' cannot be compiled "
                f"here: {reason(error)[:300]}; set it to False"
            ) from error
        if not torch.allclose(plain, found, rtol=1e-3, atol=1e-4):
            raise UserError(
                f"compile_model is True, but compiled, model '{type(self.model).__name__}' has the loss "
                f"{found.item()} instead of {plain.item()}; set it to False"
            )
        self.checked = True

    def _loss(self, batch: Interaction) -> torch.Tensor:
        model: Any = self.model
        with torch.no_grad(), evaluating(model), packed(model, batch):
            loss = model.calculate_loss(shallow(batch))
        parts = loss if isinstance(loss, tuple) else (loss,)
        return torch.stack([part.reshape(()).float() for part in parts]).sum()
