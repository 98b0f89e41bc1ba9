"""Settings are finished once made; changed copies come from ``but``."""

import pytest
from recbole.data.transform import construct_transform

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError


def test_a_changed_copy_leaves_the_first_as_it_was():
    config = Config("SASRec", "ml-100k", None, {"seed": 3})
    other = config.but(seed=4, hidden_size=8)
    assert (config["seed"], config["hidden_size"]) == (3, 64)
    assert (other["seed"], other["hidden_size"], other["n_layers"]) == (4, 8, config["n_layers"])
    assert other.is_explicit("seed") and other.model_class is config.model_class


def test_settings_are_not_written_to():
    config = Config("SASRec", "ml-100k")
    with pytest.raises(TypeError, match=r"config\.but\(seed=…\)"):
        config["seed"] = 1
    with pytest.raises(TypeError, match="finished"):
        config["a_new_name"] = 1
    config["seed"] = config["seed"]


@pytest.mark.parametrize("model", ["BERT4Rec", "SHAN", "SASRec"])
def test_recboles_transforms_find_their_names_written(model):
    config = Config(model, "ml-100k")
    before = dict(config.final_config_dict)
    construct_transform(config)  # writes them again
    assert config.final_config_dict == before
    assert (config["MASK_ITEM_SEQ"] == "Mask_item_id_list") == (model == "BERT4Rec")
    assert (config["INVERSE_ITEM_SEQ"] == "Inverse_item_id_list") == (model == "SHAN")


def test_an_unknown_transform_is_one_sentence():
    with pytest.raises(UserError, match="transform is 'bogus', but must be one of mask_itemseq, "):
        Config("SASRec", "ml-100k", None, {"transform": "bogus"})
