"""Averages of base's weights: against PyTorch's ``AveragedModel``, by hand, and in whole trainings."""

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from recbole_finest import run_finest
from recbole_finest.errors import UserError
from recbole_finest.model.build import build_model
from recbole_finest.train.average import WeightAverage
from recbole_finest.train.base import RunTrainer, base_trainer
from recbole_finest.train.mode import prepare_data

from .interrupted import Stop, base, finest, opened, same, settings, stop_after

EPOCHS, STEPS = 6, 3  # the last quarter of 6 epochs, rounded up: 2
KINDS = ["ema", "last_quarter"]


def epochs(model):
    """Gradient steps on a fixed problem; gives the epoch after each of its steps, and None at its end."""
    torch.manual_seed(0)
    x, y = torch.randn(8, 3), torch.randn(8, 2)
    optimizer = torch.optim.Adam(model.parameters(), 0.1)
    for epoch in range(EPOCHS):
        for _ in range(STEPS):
            optimizer.zero_grad()
            (model(x) - y).square().mean().backward()
            optimizer.step()
            yield epoch, False
        yield epoch, True


def made():
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))


def weights(model):
    return [parameter.detach().clone() for parameter in model.parameters()]


def take(average, epoch, ended):
    if ended:
        average.after_epoch(epoch)
    else:
        average.after_step()


@pytest.mark.parametrize("kind", KINDS)
def test_as_pytorchs_averaged_model(kind):
    model = made()
    own = WeightAverage(model, kind, 0.9, EPOCHS)
    theirs = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9) if kind == "ema" else None)
    for epoch, ended in epochs(model):
        take(own, epoch, ended)
        if (kind == "ema" and not ended) or (kind == "last_quarter" and ended and epoch >= 4):
            theirs.update_parameters(model)
    before = weights(model)
    with own.applied():
        found = model.state_dict()
        for name, value in theirs.module.state_dict().items():  # buffers, too
            torch.testing.assert_close(found[name], value)
        assert not all(torch.equal(a, b) for a, b in zip(before, weights(model)))
    assert all(torch.equal(a, b) for a, b in zip(before, weights(model)))


@pytest.mark.parametrize(("of", "last"), [(6, 2), (8, 2), (5, 2), (4, 1), (1, 1)])
def test_the_mean_of_the_last_quarter_by_hand(of, last):
    model = nn.Linear(1, 1, bias=False)
    own = WeightAverage(model, "last_quarter", 0.9, of)
    for epoch in range(of):
        with torch.no_grad():
            model.weight.fill_(2.0**epoch)
        own.after_step()
        own.after_epoch(epoch)
        seen = [2.0**e for e in range(of - last, epoch + 1)] or [2.0**epoch]
        with own.applied():
            assert float(model.weight) == pytest.approx(sum(seen) / len(seen))


def test_a_moving_average_by_hand():
    model = nn.Linear(1, 1, bias=False)
    own = WeightAverage(model, "ema", 0.75, 1)
    for value, wanted in ((8.0, 8.0), (0.0, 6.0), (2.0, 5.0)):
        with torch.no_grad():
            model.weight.fill_(value)
        own.after_step()
        with own.applied():
            assert float(model.weight) == wanted
        assert float(model.weight) == value


# In trainings --------------------------------------------------------------------------------------


def trained(config, kind):
    """A trainer after the fit, its validations' weights, and its weights after each step and epoch."""
    data = prepare_data(config)
    trainer = base_trainer(config, build_model(config, data.train))
    steps, ends, validated = [], [], []
    step = trainer.optimizer.step

    def stepped(*args, **kwargs):
        found = step(*args, **kwargs)
        steps.append(weights(trainer.model))
        return found

    evaluate = trainer.evaluate

    def evaluated(*args, **kwargs):
        validated.append(weights(trainer.model))
        ends.append(len(steps))
        return evaluate(*args, **kwargs)

    trainer.optimizer.step, trainer.evaluate = stepped, evaluated
    trainer.fit(data.train_loader("base"), data.valid_loader(), verbose=False)
    return trainer, steps, [steps[n - 1] for n in ends], validated


def ema(steps, decay):
    found = steps[0]
    for now in steps[1:]:
        found = [decay * a + (1 - decay) * w for a, w in zip(found, now)]
    return found


def close(one, other):
    return all(torch.allclose(a, b, atol=1e-6) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize("model", ["SASRec", "GRU4Rec"])  # packed; instances
@pytest.mark.parametrize("kind", KINDS)
def test_the_average_is_validated_and_saved(toy, model, kind):
    more = {"weight_average": kind, "weight_average_decay": 0.8, "valid_metric": "NDCG@10"}
    mode = {"SASRec": "packed", "GRU4Rec": "instance"}[model]
    config = settings(toy, model, epochs=6, stopping_step=9, training_mode=mode, **more)
    trainer, steps, ends, validated = trained(config, kind)
    assert len(ends) == 6 and len(steps) % 6 == 0
    every = len(steps) // 6
    for epoch in range(6):
        if kind == "ema":
            wanted = ema(steps[: every * (epoch + 1)], 0.8)
        else:
            own = ends[4 : epoch + 1] or [ends[epoch]]
            wanted = [sum(parts) / len(parts) for parts in zip(*own)]
        assert close(validated[epoch], wanted), epoch
    assert all(torch.equal(a, b) for a, b in zip(weights(trainer.model), steps[-1]))
    scores = [row["ndcg@10"] for row in trainer.curves]
    trainer.load_weights(trainer.saved_model_file)
    best = max(range(6), key=lambda epoch: (scores[epoch], -epoch))
    assert all(torch.equal(a, b) for a, b in zip(weights(trainer.model), validated[best]))


def test_fine_tuning_and_pre_training_have_none(toy, tmp_path, monkeypatch):
    fit, seen = RunTrainer.fit, []

    def noted(self, *args, **kwargs):
        seen.append((self.stage, self.config["train_stage"], self.average is not None))
        return fit(self, *args, **kwargs)

    monkeypatch.setattr(RunTrainer, "fit", noted)
    config = settings(toy, weight_average="ema", epochs=1, finest_epochs=1)
    finest(config, prepare_data(config), opened(tmp_path / "run"))
    items = "".join(f"i{item}\tc{item % 4}\n" for item in range(40))
    (tmp_path / "data/toy/toy.item").write_text("item_id:token\tclass:token_seq\n" + items)
    config = settings(toy, "S3Rec", weight_average="ema", epochs=1, pretrain_epochs=1)
    base(config, prepare_data(config), opened(tmp_path / "other"))
    assert seen == [
        ("base", None, True),
        ("fine-tuning", None, False),
        ("base", "pretrain", False),
        ("base", "finetune", True),
    ]


@pytest.mark.parametrize(
    ("model", "kind", "stop", "more"),
    [
        ("GRU4Rec", "ema", 0, {}),
        ("SASRec", "ema", 2, {"learning_rate_schedule": "linear"}),
        ("GRU4Rec", "last_quarter", 4, {}),
        ("SASRec", "last_quarter", 6, {}),
        ("GRU4Rec", "last_quarter", 6, {"eval_step": 8}),  # the state alone has the average
    ],
)
def test_an_interrupted_training_ends_with_the_same_bytes(
    toy, tmp_path, monkeypatch, model, kind, stop, more
):
    given = {"weight_average": kind, "weight_average_decay": 0.8, "epochs": 8, "stopping_step": 9}
    config = settings(toy, model, **given, **more)
    data = prepare_data(config)
    whole = base(config, data, opened(tmp_path / "whole"))
    begun = stop_after(monkeypatch, stop)
    with pytest.raises(Stop):
        base(config, data, opened(tmp_path / "cut"))
    kept = max((torch.load(p) for p in (tmp_path / "cut").glob("*.pth")), key=lambda s: s["epoch"])
    steps = len(data.train_loader("base"))
    assert kept["epoch"] == stop
    averaged = (stop + 1) * steps if kind == "ema" else max(0, stop - 5)
    assert kept["average"]["averaged"] == averaged
    assert same(base(config, data, opened(tmp_path / "cut")), whole)
    assert [epoch for _, epoch in begun] == [*range(stop + 2), *range(stop + 1, 8)]


RECIPES = [
    {"weight_average": "ema", "weight_average_decay": 0.9},
    {"weight_average": "last_quarter", "learning_rate_schedule": "linear", "warmup_ratio": 0.2},
]


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: "-".join(map(str, recipe.values())))
def test_control_is_base_bit_by_bit_for_every_recipe(toy, tmp_path, monkeypatch, recipe):
    monkeypatch.setattr("recbole_finest.quick_start.write_report", lambda folder: None)
    given = {**toy, "epochs": 3, "eval_step": 3, "finest_epochs": 1, "baselines": ["finest_own"]}
    result = run_finest("GRU4Rec", "toy", None, {**given, **recipe})
    found = result["stability"]["control"]
    assert found["jaccard@10"] == 1 and all(abs(v - 1) <= 1e-12 for v in found.values())
    assert result["stability"]["base"]["jaccard@10"] < 1
    one, other = (torch.load(tmp_path / "run" / f"{n}.pth") for n in ("base", "control"))
    assert same(one, other)
    assert "average" not in one


def test_the_same_command_gives_the_same_bytes(toy, tmp_path):
    config = settings(toy, "SASRec", weight_average="ema", weight_average_decay=0.9, epochs=2)
    one, two = (base(config, prepare_data(config), opened(tmp_path / n)) for n in ("one", "two"))
    assert same(one, two)
    config = settings(toy, "SASRec", epochs=2)
    assert not same(base(config, prepare_data(config), opened(tmp_path / "none")), one)


def test_an_epoch_before_the_last_quarter_is_said_to_have_no_average(toy, monkeypatch, caplog):
    valid = RunTrainer._valid_epoch

    def falling(self, *args, **kwargs):
        return 100 - self.last_epoch, valid(self, *args, **kwargs)[1]

    monkeypatch.setattr(RunTrainer, "_valid_epoch", falling)
    config = settings(toy, weight_average="last_quarter", epochs=4)
    trained(config, "last_quarter")
    assert "epoch 0 is kept, which is not among the last quarter of 4 epochs" in caplog.text


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("weight_average", "swa", "must be one of none, ema, last_quarter"),
        ("weight_average_decay", 1, "must be a number of at least 0 and below 1"),
    ],
)
def test_wrong_values_are_refused(toy, setting, value, words):
    with pytest.raises(UserError, match=f"{setting} is .*{words}"):
        settings(toy, **{setting: value})
