"""A loss that compares two draws of dropout keeps it in fine-tuning."""

import pytest

from recbole_finest.config.config import Config
from recbole_finest.data.loader import InstanceLoader
from recbole_finest.data.prepare import prepare
from recbole_finest.method import Finest
from recbole_finest.model.build import build_model
from recbole_finest.reference.build import build_references
from recbole_finest.scoring.probes import compares_draws
from recbole_finest.train.finest import FinestTrainer
from recbole_finest.train.mode import choose_training_mode
from tests.train.own_models import Contrastive, ContrastiveInTraining, settings_of
from tests.train.test_finest import K


def trainer_of(model, toy, path, **changed):
    config = Config(model, "toy", None, settings_of(model, toy, output_dir=None, **changed))
    data = prepare(config)
    choose_training_mode(data)
    net = build_model(config, data.train)
    path.mkdir(exist_ok=True)
    references = build_references(config, data, net, path / "reference", K)
    return data, net, FinestTrainer(config, net, references, Finest(config))


@pytest.mark.parametrize("model", [Contrastive, ContrastiveInTraining])
def test_two_views_differ_in_fine_tuning(toy, tmp_path, caplog, model):
    data, net, trainer = trainer_of(model, toy, tmp_path / "one", state="INFO")
    net.cosines.clear()
    trainer._train_epoch(data.train_loader("fine-tuning"), 0)
    assert 0.1 < max(net.cosines) < 0.99  # they were 1.000
    assert "finest_dropout is none, but" in caplog.text
    assert caplog.text.count("finest_dropout is none") == 1


def test_without_dropout_or_contrast_nothing_is_kept(toy, tmp_path, caplog):
    data, _, trainer = trainer_of("SASRec", toy, tmp_path / "one")
    trainer._train_epoch(data.train_loader("fine-tuning"), 0)
    assert "finest_dropout" not in caplog.text and trainer.still
    data, _, trainer = trainer_of(Contrastive, toy, tmp_path / "two", finest_dropout="both")
    trainer._train_epoch(data.train_loader("fine-tuning"), 0)
    assert "finest_dropout" not in caplog.text


@pytest.mark.parametrize(
    ("model", "changed", "expected"),
    [
        ("FEARec", {"n_layers": 2, "contrast": "un"}, True),
        ("FEARec", {"n_layers": 2, "contrast": "su"}, False),
        ("FEARec", {"n_layers": 2}, False),
        ("BERT4Rec", {}, False),
        ("GRU4Rec", {}, False),
        ("CORE", {}, False),
        ("SASRec", {"loss_type": "BPR"}, False),
        (Contrastive, {"hidden_dropout_prob": 0.0, "attn_dropout_prob": 0.0}, False),
    ],
)
def test_which_losses_compare_draws(toy, model, changed, expected):
    config = Config(model, "toy", None, settings_of(model, toy, output_dir=None, **changed))
    data = prepare(config)
    net = build_model(config, data.train)
    batch = InstanceLoader(config, data.train, data.samplers[0], "probe").probe(0, 1)
    assert compares_draws(net, batch) is expected
