"""What a retraining of tonight's model would have cost, from a few of its steps."""

from __future__ import annotations

import time
from itertools import islice

import torch

from recbole_finest.config.config import Config
from recbole_finest.data.parts import to_device
from recbole_finest.data.prepare import Data
from recbole_finest.model.build import build_model
from recbole_finest.scoring.modes import packed, shallow
from recbole_finest.seeding import global_streams, replayed
from recbole_finest.train.base import summed

WARM_UP, STEPS = 2, 20


def retraining_seconds(config: Config, data: Data, epochs: int) -> float:
    """Seconds that base would train on today's log, without validation.

    A new model takes up to ``STEPS`` steps of the next-item loss after a short warm-up, on batches as base
    has them; nothing of it is kept, and the global generators stay where they are.

    Args:
        config, data: of tonight.
        epochs: of base.
    """
    device: torch.device = config["device"]
    with replayed(global_streams()):
        model = build_model(config, data.train).train()
        optimizer = torch.optim.Adam(model.parameters(), lr=config["learning_rate"])
        loader = data.train_loader("base")
        steps, begin = 0, time.perf_counter()
        for number, batch in enumerate(islice(loader, WARM_UP + STEPS)):
            if number == min(WARM_UP, len(loader) - 1):
                steps, begin = 0, _now(device)
            sent = to_device(batch, device)
            optimizer.zero_grad()
            with packed(model, sent):
                loss = summed(model.calculate_loss(shallow(sent)))
            loss.backward()
            optimizer.step()
            steps += 1
        return (_now(device) - begin) / max(1, steps) * len(loader) * epochs


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()
