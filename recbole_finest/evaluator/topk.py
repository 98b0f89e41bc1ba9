"""The best items of a score matrix, the same on every machine: ties go to the smaller item id."""

from __future__ import annotations

import torch

from recbole_finest.errors import UserError

CELLS_AT_A_TIME = 1 << 24  # bounds the memory when every row has ties


def top_items(scores: torch.Tensor, k: int) -> torch.LongTensor:
    """Return the ``k`` best items of every row: score descending, then item id ascending.

    ``torch.topk`` alone leaves the order of equal scores, and which of them get in, to chance.

    Args:
        scores: one score for each item id, ``[B, n_items]``, any float type and device. Item 0 is
            padding and never returned, nor is an item whose score is -inf (masked).
        k: number of items wanted, at least 1.

    Returns:
        Item ids ``[B, k]`` on the scores' device; -1 where a row has no more items.

    Raises:
        UserError: k below 1, or scores that are NaN.
    """
    return top_items_and_scores(scores, k)[0]


def top_items_and_scores(scores: torch.Tensor, k: int) -> tuple[torch.LongTensor, torch.Tensor]:
    """As :func:`top_items`, with the items' scores ``[B, k]`` (-inf where there is no item)."""
    if k < 1:
        raise UserError(f"The number of best items must be at least 1, not {k}.")
    scores = scores.detach()[:, 1:]  # [B, n_items - 1], item id - 1
    n_items = scores.shape[1]
    kept = min(k, n_items)
    values, items = torch.topk(scores, min(kept + 1, n_items), dim=1)  # one more: ties at the end
    if values.numel() and torch.isnan(values[:, 0]).any():  # topk puts NaN first
        raise UserError(
            "the model's scores are not numbers (NaN): its training diverged; lower learning_rate, or "
            "finest_learning_rate where it was fine-tuned"
        )
    cut = _cut_ties(values, kept)
    values, items = values[:, :kept], items[:, :kept]
    for rows in cut.split(max(1, CELLS_AT_A_TIME // max(1, n_items))):
        items[rows] = _first_of_ties(scores[rows], values[rows, -1:], kept)
        values[rows] = scores[rows].gather(1, items[rows])
    _sort_ties(values, items, cut)
    items = torch.where(values == -torch.inf, -1, items + 1)
    missing = (0, k - kept)
    return (
        torch.nn.functional.pad(items, missing, value=-1),
        torch.nn.functional.pad(values, missing, value=-torch.inf),
    )  # type: ignore[return-value]


def _cut_ties(values: torch.Tensor, kept: int) -> torch.Tensor:
    """Rows in which the first score left out equals the last one kept (and is no mask)."""
    if values.shape[1] <= kept:
        return torch.empty(0, dtype=torch.long, device=values.device)
    last = values[:, kept - 1]
    return ((last == values[:, kept]) & (last != -torch.inf)).nonzero()[:, 0]


def _first_of_ties(scores: torch.Tensor, last: torch.Tensor, kept: int) -> torch.Tensor:
    """All items above the last kept score, and of those equal to it the smallest ids; by id."""
    above, equal = scores > last, scores == last  # [R, n_items - 1], last: [R, 1]
    room = kept - above.sum(dim=1, keepdim=True)
    chosen = above | (equal & (equal.cumsum(dim=1) <= room))
    return chosen.nonzero()[:, 1].view(-1, kept)


def _sort_ties(values: torch.Tensor, items: torch.Tensor, cut: torch.Tensor) -> None:
    """Sort rows with ties, and the rows ``cut``, by score, then by id ascending; in place."""
    unsure = (values[:, 1:] == values[:, :-1]).any(dim=1)
    unsure[cut] = True
    tied = unsure.nonzero()[:, 0]
    if not tied.numel():
        return
    by_id, order = items[tied].sort(dim=1)
    # + 0.0 makes -0.0 and 0.0 one value also where a device sorts floats by their bits
    ordered = values[tied].gather(1, order) + 0.0
    ordered, order = ordered.sort(dim=1, descending=True, stable=True)
    values[tied], items[tied] = ordered, by_id.gather(1, order)
