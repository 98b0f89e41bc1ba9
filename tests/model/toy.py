"""Settings, batches and a training loop that are small enough for the models' unit tests."""

from __future__ import annotations

from pathlib import Path

import torch
import yaml

from recbole_finest.data.log import InteractionLog
from recbole_finest.model import model_class

PROPERTIES = Path(__file__).parents[2] / "properties" / "model"


class ToyDataset:
    """What a model asks of a data set: numbers of users and items, and the log of their times."""

    def __init__(self, log: InteractionLog):
        self.log = log
        self.sizes = {"user_id": log.n_users, "item_id": log.n_items}

    def num(self, field: str) -> int:
        return self.sizes[field]


def toy_log(time, user=None, n_items=12, role=None) -> InteractionLog:
    """A log with these times, of user 1 unless given; its items do not matter."""
    time = torch.as_tensor(time, dtype=torch.float64).numpy()
    user = [1] * len(time) if user is None else user
    item = [1] * len(time)
    return InteractionLog.from_columns(user, item, time, role=role, n_items=n_items)


def make_model(name: str, log: InteractionLog | None = None, **settings):
    """A model in evaluation mode with small, seeded weights and no dropout."""
    config = yaml.safe_load((PROPERTIES / f"{name}.yaml").read_text())
    config.update(
        USER_ID_FIELD="user_id",
        ITEM_ID_FIELD="item_id",
        TIME_FIELD="timestamp",
        LIST_SUFFIX="_list",
        ITEM_LIST_LENGTH_FIELD="item_length",
        NEG_PREFIX="neg_",
        MAX_ITEM_LIST_LENGTH=8,
        device="cpu",
        hidden_size=16,
        embedding_size=16,
        hidden_dropout_prob=0.0,
        attn_dropout_prob=0.0,
        dropout_prob=0.0,
        initializer_range=0.3,
    )
    config.update(settings)
    torch.manual_seed(0)
    return model_class(name)(config, ToyDataset(log or toy_log([0.0, 1.0, 3.0]))).eval()


def make_batch(histories, width: int, times=None, targets=None, padding: int = 0) -> dict:
    """Histories of user 1 in ``[B, width]``, items in front; ``padding`` fills what lies behind."""
    items = torch.full((len(histories), width), padding)
    offsets = torch.full((len(histories), width), float(padding))
    for i, history in enumerate(histories):
        items[i, : len(history)] = torch.tensor(history)
        time = range(len(history)) if times is None else times[i]
        offsets[i, : len(history)] = torch.tensor([float(t) for t in time])
    batch = {
        "user_id": torch.ones(len(histories), dtype=torch.long),
        "item_id_list": items,
        "item_length": torch.tensor([len(history) for history in histories]),
        "timestamp_offset_list": offsets,
    }
    if targets is not None:
        batch["item_id"] = torch.tensor(targets)
    return batch


def all_positions(model):
    """Score every position of every row, as training on packed windows does; ``[B * L, H]``."""
    model.gather_indexes = lambda output, index: output.flatten(0, 1)
    return model


def train(model, batch: dict, steps: int, learning_rate: float = 0.01) -> float:
    """Train on one batch and return hit@1 on it."""
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    for _ in range(steps):
        optimizer.zero_grad()
        model.calculate_loss(batch).backward()
        optimizer.step()
    return hit_rate(model.eval(), batch)


@torch.no_grad()
def hit_rate(model, batch: dict) -> float:
    """How often the target has the best score, 0 to 1."""
    return (model.full_sort_predict(batch).argmax(1) == batch["item_id"]).float().mean().item()


def cycle_batch(n_items: int = 12, width: int = 8) -> dict:
    """Every history of 1 to ``width - 1`` items of the cycle 1 → 2 → … → n_items - 1 → 1."""
    n = n_items - 1
    histories = [
        [(start + step) % n + 1 for step in range(length)]
        for start in range(n)
        for length in range(1, width)
    ]
    return make_batch(histories, width, targets=[history[-1] % n + 1 for history in histories])


HISTORIES = [[3, 1, 4, 1, 5], [9, 2], [6]]
TIMES = [[0, 1, 1, 4, 90], [2, 5], [7]]


def check_padding(model) -> None:
    """Neither the width of the padding nor what lies in it changes a score."""
    model.double()
    expected = model.full_sort_predict(make_batch(HISTORIES, 5, TIMES))
    for width, padding in [(8, 0), (5, 7), (8, 7)]:
        scores = model.full_sort_predict(make_batch(HISTORIES, width, TIMES, padding=padding))
        torch.testing.assert_close(scores, expected, rtol=0, atol=1e-12)


def check_causality(model) -> None:
    """Scoring all positions of a window at once equals scoring each of its prefixes alone."""
    model.double()
    window, times = [3, 1, 4, 1, 5, 9, 2], [0, 1, 1, 4, 90, 91, 95]
    lengths = range(1, len(window) + 1)
    prefixes = make_batch([window[:n] for n in lengths], 8, [times[:n] for n in lengths])
    expected = model.full_sort_predict(prefixes)
    packed = all_positions(model).full_sort_predict(make_batch([window], 7, [times]))
    torch.testing.assert_close(packed, expected, rtol=0, atol=1e-12)


def check_losses(name: str) -> None:
    """Both losses take N targets for B windows, and agree with the scores of ``predict``."""
    targets = torch.arange(10) % 11 + 1
    batch = make_batch([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]], 5) | {"item_id": targets}
    model = all_positions(make_model(name, loss_type="CE"))
    scores = model.full_sort_predict(batch)
    expected = -scores.log_softmax(1)[torch.arange(10), targets].mean()
    torch.testing.assert_close(model.calculate_loss(batch), expected)
    torch.testing.assert_close(model.predict(batch), scores[torch.arange(10), targets])

    model = all_positions(make_model(name, loss_type="BPR"))
    batch["neg_item_id"] = targets.flip(0)
    scores = model.full_sort_predict(batch)
    margin = model.predict(batch) - scores[torch.arange(10), targets.flip(0)]
    torch.testing.assert_close(model.calculate_loss(batch), -margin.sigmoid().log().mean())
