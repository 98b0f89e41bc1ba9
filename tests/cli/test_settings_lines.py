"""Whole command lines with one wrong setting each, and with the smallest and largest right values."""

import json
import math

import pytest

from recbole_finest.cli.main import main

pytestmark = pytest.mark.slow

HUGE = "9" * 400
WRONG = [
    "seed=-1",
    "seed=4294967296",
    f"seed={HUGE}",
    "seed=1.0",
    "seeds=[1,1]",
    "seeds=[]",
    "perturbation_seed=18446744073709551616",
    "epochs=",
    "epochs=-1",
    f"epochs={HUGE}",
    "epochs=.nan",
    "finest_epochs=1.5",
    "learning_rate=0",
    "learning_rate=.inf",
    "learning_rate=1e30",
    "finest_learning_rate=1e30",
    "finest_learning_rate=.nan",
    "rank_weight=1e30",
    "rank_weight=-.inf",
    "weight_decay=1e30",
    "rbo_p=1",
    "rbo_p=.nan",
    "simulation_ratio=1.01",
    "simulation_kinds=[]",
    "simulation_kinds=[deletion,[insertion]]",
    "simulation_item=[]",
    "perturbation_kind=[]",
    "perturbation_kind={a: 1}",
    "perturbation_selection=[random]",
    "perturbation_item={}",
    "perturbation_users=[]",
    "perturbation_users={a: b}",
    "perturbation_ratio=true",
    "finest_dropout=[]",
    "reference_model=[]",
    "training_mode=[auto]",
    "topk=[]",
    "topk=[1.5]",
    "topk=0",
    "topk=[10,null]",
    "topk=[10,41]",
    "topk=100",
    "metrics=[]",
    "metrics=[[NDCG]]",
    "metrics=[AUC]",
    "valid_metric=RBO@10",
    "valid_metric=NDCG",
    "valid_metric=[NDCG@10]",
    "valid_metric=",
    "gpu_id=99",
    "gpu_id=[0]",
    "gpu_id=first",
    "transform=bogus",
    "transform=mask_itemseq",
    "transform=crop_itemseq",
    "eval_args={mode: uni}",
    "eval_args={mode: uni0}",
    "eval_args={mode: labeled}",
    "learner=sparse_adam",
    "eval_args={split: {LS: some}}",
    "eval_args={split: {RS: [0,0,0]}}",
    "eval_args=[]",
    "loss_type=[]",
    "train_neg_sample_args={distribution: zipf}",
    "learner=[adam]",
    "state=[]",
    "worker=-1",
    "n_heads=3",
    "hidden_size=0",
    "hidden_size=8.0",
    "hidden_act=[]",
    "hidden_dropout_prob=1.1",
    "layer_norm_eps=tiny",
    "MAX_ITEM_LIST_LENGTH=0",
    "train_batch_size=0",
    "eval_batch_size=[]",
    "LIST_SUFFIX=",
    "field_separator=[]",
    "repeatable=False",
    "checkpoint_dir=",
    "loss_decimal_place=-1",
    "clip_grad_norm={max_norm: 0}",
    "numerical_features=age",
    "seq_len={a: 0}",
    "threshold={rating: good}",
    "discretization={a: {method: XX}}",
    "normalize_all=maybe",
    "baselines=[[plain]]",
]
RIGHT = [
    "seed=0",
    "seed=4294967295",
    "perturbation_seed=4294967295",
    "epochs=0",
    "finest_epochs=0",
    "learning_rate=1e-9",
    "finest_learning_rate=1e-9",
    "finest_learning_rate=1",
    "rank_weight=0",
    "rank_margin=0",
    "weight_decay=0",
    "rbo_p=0.999",
    "simulation_ratio=0",
    "simulation_ratio=1",
    "perturbation_ratio=0",
    "perturbation_count=1",
    "perturbation_per_user=1",
    "topk=1 valid_metric=MRR@1",
    "topk=[1,40] valid_metric=MRR@40",
    "topk=[10,10]",
    "list_depth=1",
    "list_depth=2147483647",
    "reference_k=2",
    "reference_k=20",
    "rank_instances_per_batch=1",
    "rank_instances_per_batch=2147483647",
    "target_stride=2147483647",
    "packed_stride=8",
    "packed_stride=1",
    "score_memory=1",
    "score_memory=2147483647",
    "resident_memory=0",
    "MAX_ITEM_LIST_LENGTH=1 packed_stride=1",
    "train_batch_size=1",
    "train_batch_size=2147483647",
    "eval_batch_size=1",
    "eval_batch_size=2147483647",
    "eval_step=0",
    "eval_step=2147483647",
    "stopping_step=0",
    "hidden_size=1 n_heads=1",
    "n_layers=1",
    "inner_size=1",
    "hidden_dropout_prob=0 attn_dropout_prob=0",
    "hidden_dropout_prob=1 attn_dropout_prob=1",
    "initializer_range=0",
    "layer_norm_eps=0",
    "warmup_ratio=1",
    "loss_decimal_place=0",
    "metric_decimal_place=0",
    "clip_grad_norm={max_norm: 1e-6, norm_type: 2}",
    "gpu_id=",
    "gpu_id=0",
    "gpu_id=-1",
    "state=DEBUG",
    "show_progress=None",
    "transform=inverse_itemseq",
    "eval_args={mode: uni1} valid_metric=MRR@1 topk=[1]",
    "eval_args={mode: pop5}",
    "eval_args={split: {RS: [8,1,1]}, group_by: none}",
    "eval_args={split: {last_ratio: 0.2}}",
    "loss_type=BPR train_neg_sample_args={distribution: popularity, alpha: 0}",
    "loss_type=BPR train_neg_sample_args={dynamic: true, candidate_num: 2}",
    "loss_type=BPR train_neg_sample_args={sample_num: 3}",
    "learner=RMSprop",
    "enable_amp=True enable_scaler=True",
    "seeds=0,1 perturbation_seeds=2",
    "reference_source=last_training_epoch",
    "rank_reduction=sum_over_users",
    "shuffle=False",
    "rm_dup_inter=first",
    "user_inter_num_interval=[1,inf)",
]
SMALL = {"epochs": 1, "finest_epochs": 1, "baselines": "[]", "control": False, "n_layers": 1}
SMALL |= {"hidden_size": 8, "inner_size": 8, "catalogue_overlap": False}


def words(toy, line):
    settings = {**toy, **SMALL, **dict(part.split("=", 1) for part in parts(line))}
    return ["--model=SASRec", "--dataset=toy", *(f"--{k}={v}" for k, v in settings.items())]


def parts(line):
    """``a={b: 1, c: 2} d=3`` as its two settings."""
    found = []
    for word in line.split(" "):
        if found and "=" not in word:
            found[-1] += f" {word}"
        else:
            found.append(word)
    return found


@pytest.mark.parametrize("line", WRONG, ids=lambda line: line[:40])
def test_a_wrong_setting_is_one_sentence_and_leaves_nothing(toy, line, capsys, tmp_path):
    code = main(words(toy, line))
    said = capsys.readouterr().err
    errors = [text for text in said.splitlines() if text.startswith("error: ")]
    assert code == 2 and len(errors) == 1 and "Traceback" not in said
    assert line.partition("=")[0] in errors[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


@pytest.mark.parametrize("line", RIGHT, ids=lambda line: line[:40])
def test_the_smallest_and_largest_right_values_run_through(toy, line, tmp_path):
    assert main(words(toy, line)) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    values = [v for of in result["accuracy"].values() for v in of.values()]
    assert values and all(map(math.isfinite, values))
