"""More epochs of the next-item loss: what fine-tuning does without FINEST."""

from recbole_finest.method.base import Method


class Plain(Method):
    """Same epochs, learning rate and optimiser as FINEST; next-item loss only, no simulation."""
