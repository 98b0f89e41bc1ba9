"""What an update refuses: one sentence, and nothing written."""

import json

import pytest
import torch

from recbole_finest import UserError, update_model
from recbole_finest.compat import load_checkpoint
from recbole_finest.update.request import Request

from ..contract.cases import write_own_model
from .two_days import rows_of, train, untrained, write_log


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def refused(deployed, dataset, folder, data_path, said, **given):
    settings = {"data_path": str(data_path), "output_dir": str(folder)}
    settings |= given.pop("settings", {})
    with pytest.raises(UserError, match=said) as error:
        update_model(deployed, dataset, config_dict=settings, **given)
    assert "\n" not in str(error.value)
    assert not folder.exists()


WORDS = [
    ({"method": "finist"}, "method is 'finist', which does not exist; did you mean 'finest'"),
    ({"start": "new"}, "start is 'new'"),
    ({"test": "first"}, "test is 'first'"),
    ({"allow_shrink": 1}, "allow_shrink is 1, but must be True or False"),
    ({"deployed_until": "monday"}, "deployed_until is 'monday', but must be a time"),
    ({"method": "warm_start", "start": "anew"}, "use method=retrain"),
    ({"start": "anew", "method": "retrain"}, "start=anew is for method=finest or distillation"),
    ({"dataset": ""}, "dataset is not set; give --dataset=NAME"),
    ({"deployed": ""}, "deployed is not set; give --deployed=RUN_FOLDER_OR_PTH"),
]


@pytest.mark.parametrize(("words", "said"), WORDS, ids=[next(iter(w)) for w, _ in WORDS])
def test_words(words, said):
    with pytest.raises(UserError, match=said):
        Request(**{"deployed": "run", "dataset": "toy", "method": "finest", **words}).check()


SETTINGS = [
    ({"hidden_size": 32}, r"hidden_size is 32, but deployed .* was trained with 64"),
    ({"MAX_ITEM_LIST_LENGTH": 9}, "MAX_ITEM_LIST_LENGTH is 9, but deployed .* was trained with 8"),
    ({"loss_type": "BPR"}, "loss_type is 'BPR', but deployed"),
    ({"TIME_FIELD": "when"}, "TIME_FIELD is 'when', but deployed"),
    ({"model": "GRU4Rec"}, "model is GRU4Rec, but deployed '.*' is a SASRec; leave model out"),
    ({"update_news_power": -1}, "update_news_power is -1, but must be a number of at least 0"),
    ({"update_list_age": 0}, "update_list_age is 0, but must be a number above 0, or null"),
    ({"reference_k": 50}, "the largest that fits is 20"),
    ({"topk": [5], "valid_metric": "RBO@5"}, "valid_metric is 'RBO@5', a measure of stability"),
]


@pytest.mark.parametrize(("settings", "said"), SETTINGS, ids=[next(iter(s)) for s, _ in SETTINGS])
def test_another_architecture_or_field(days, deployed_run, tmp_path, settings, said):
    refused(deployed_run, "today", tmp_path / "new", days, said, settings=settings)


def test_a_base_is_not_validated_by_stability(days, deployed_run, tmp_path):
    """Nor is one that finest then starts from; a model that is only fine-tuned may be."""
    by_lists = {"topk": [5], "valid_metric": "RBO@5"}
    given = {"method": "finest", "start": "anew", "settings": by_lists}
    said = "has nothing to compare with while base is trained"
    refused(deployed_run, "today", tmp_path / "new", days, said, **given)
    given = {"data_path": str(days), "output_dir": str(tmp_path / "new"), **by_lists}
    update_model(deployed_run, "today", "finest", config_dict=given)
    curves = json.loads((tmp_path / "new/curves.json").read_text())["model"]
    assert curves[0].keys() >= {"rbo@5"} and 0 < curves[0]["rbo@5"] <= 1
    given |= {"output_dir": str(tmp_path / "all")}  # where nothing is validated
    found = update_model(deployed_run, "today", test="none", config_dict=given)
    assert found["update"]["method"] == "retrain"


def test_what_does_not_change_the_model_may_be_given(days, deployed_run, tmp_path):
    free = {"hidden_dropout_prob": 0.1, "train_batch_size": 32, "finest_learning_rate": 1e-3}
    given = {"data_path": str(days), "output_dir": str(tmp_path / "new"), **free}
    update_model(deployed_run, "today", config_dict=given)
    written = load_checkpoint(tmp_path / "new/model.pth")["config"]
    assert {name: written[name] for name in free} == free
    assert written["epochs"] == 2 and written["finest_epochs"] == 1


def test_the_deployed_models_folder_is_not_overwritten(days, deployed_run, tmp_path):
    given = {"data_path": str(days), "output_dir": str(deployed_run), "overwrite": True}
    with pytest.raises(UserError, match="is in output_dir, whose files overwrite removes"):
        update_model(deployed_run, "today", config_dict=given)
    assert (deployed_run / "finest.pth").is_file()


def test_a_log_without_most_of_yesterdays_users_or_items(days, deployed_run, tmp_path):
    rows = rows_of(days)
    few = [row for row in rows if int(row.split("\t")[0][1:]) < 12]
    write_log(tmp_path, "few", few)
    said = "data set 'few' has 12 of the 30 users of deployed .*--allow_shrink"
    refused(deployed_run, "few", tmp_path / "new", tmp_path, said)
    renamed = [row.replace("\ti", "\tx") for row in rows]
    write_log(tmp_path, "renamed", renamed)
    said = "data set 'renamed' has 0 of the 40 items"
    refused(deployed_run, "renamed", tmp_path / "new", tmp_path, said)
    given = {"data_path": str(tmp_path), "output_dir": str(tmp_path / "new")}
    found = update_model(deployed_run, "few", config_dict=given, allow_shrink=True)
    assert found["update"]["people"]["all"] == 12


def in_units(rows, change):
    found = []
    for row in rows:
        user, item, time = row.split("\t")
        found.append(f"{user}\t{item}\t{change(float(time)):.0f}")
    return found


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: 1000 * t, r"are about 1e\+03 times those .* as in other units"),
        (lambda t: 1e6 * t, r"are about 1e\+06 times those"),
        (lambda t: t / 1e3, "end at .*, before the first one"),
    ],
)
def test_times_in_other_units(days, deployed_run, tmp_path, change, said):
    write_log(tmp_path, "units", in_units(rows_of(days, "today"), change))
    refused(deployed_run, "units", tmp_path / "new", tmp_path, said)


def test_checkpoints_that_say_too_little(days, deployed_run, tmp_path):
    state = load_checkpoint(deployed_run / "base.pth")
    torch.save(state["state_dict"], tmp_path / "bare.pth")
    refused(tmp_path / "bare.pth", "today", tmp_path / "new", days, "holds weights alone")
    torch.save({**state, "stage": "average"}, tmp_path / "several.pth")
    refused(
        tmp_path / "several.pth", "today", tmp_path / "new", days, "an average of several models"
    )
    refused(tmp_path / "none.pth", "today", tmp_path / "new", days, "none.pth' does not exist")
    refused(tmp_path, "today", tmp_path / "new", days, "a folder without any of model.pth")


def test_an_older_checkpoint_of_ours_without_tokens_or_rows(days, deployed_run, tmp_path):
    """The log's fingerprint vouches for the ids, and the data set says what was trained on."""
    state = load_checkpoint(deployed_run / "base.pth")
    older = {k: v for k, v in state.items() if k not in ("tokens", "rows", "times")}
    torch.save(older, tmp_path / "older.pth")
    given = {"data_path": str(days), "output_dir": str(tmp_path / "new")}
    found = update_model(tmp_path / "older.pth", "today", config_dict=given)["update"]
    assert found["new_interactions"] == 10
    older["tokens"] = state["tokens"]  # without rows: by users and items, or by time
    torch.save(older, tmp_path / "older.pth")
    given["overwrite"] = True
    found = update_model(tmp_path / "older.pth", "today", config_dict=given)["update"]
    # the three people's new interactions with known items are taken for known ones
    assert found["new_interactions"] == 2 * 2
    found = update_model(
        tmp_path / "older.pth", "today", config_dict=given, deployed_until=1_500_000_000
    )["update"]
    assert found["new_interactions"] == 2 * 2


def test_models_that_read_features(days, tmp_path):
    folder = tmp_path / "data"
    write_log(folder, "toy", rows_of(days))
    items = "\n".join(f"i{i}\tclass{i % 3}" for i in range(40))
    (folder / "toy/toy.item").write_text(f"item_id:token\tclass:token\n{items}\n")
    columns = {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id", "class"]}
    settings = {"load_col": columns, "selected_features": ["class"], "hidden_size": 16}
    path = untrained("GRU4RecF", tmp_path, folder, **settings)
    refused(path, "toy", tmp_path / "new", folder, "model 'GRU4RecF' reads features")


def test_a_class_of_ones_own_is_imported_only_when_named(days, tmp_path):
    write_own_model(tmp_path)
    mine = "my_pkg.my_module:MyModel"
    run = train(mine, tmp_path / "run", days)
    refused(run, "today", tmp_path / "new", days, f"only where you name it; give --model={mine}")
    given = {"data_path": str(days), "output_dir": str(tmp_path / "new"), "model": mine}
    assert update_model(run, "today", config_dict=given)["model"] == "MyModel"
