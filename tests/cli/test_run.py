"""What a run refuses: one sentence, and exit code 2."""

import pytest

from recbole_finest.cli.main import main

BAD = [
    (["--model=SASRec", "--dataset=toy", "--finest_epoch=3"], "did you mean 'finest_epochs'"),
    (["--model=SASRek", "--dataset=toy"], "did you mean 'SASRec'"),
    (["--model=BPR", "--dataset=toy"], "not a sequential recommender"),
    (["--dataset=toy"], "model is not set"),
    (["--model=SASRec"], "dataset is not set"),
    (["--model=SASRec", "--dataset=toy", "--epochs=many"], "epochs is 'many'"),
    (["--model=SASRec", "--dataset=toy", "--hidden_size=big"], "hidden_size is 'big'"),
    (["--model=SASRec", "--dataset=toy", "--rbo_p=1"], "rbo_p is 1"),
    (["--model=SASRec", "--dataset=toy", "--reference_k=30"], "largest that fits is 20"),
    (["--model=SASRec", "--dataset=toy", "--perturbation_kind=delete"], "perturbation_kind"),
    (["--model=SASRec", "--dataset=toy", "--perturbation_ratio=0.00001"], "perturbation_ratio"),
    (["--model=SASRec", "--dataset=toy", "--baselines=[plane]"], "did you mean 'plain'"),
    (["--model=SASRec", "--dataset=toy", "--baselines=[no_module:Mine]"], "cannot be imported"),
    (["--model=SASRec", "--dataset=toy", "--ensemble_size=1"], "ensemble_size is 1"),
    (["--model=SASRec", "--dataset=toy", "--metrics=[NDCG,Jacard]"], "Jacard"),
    (["--model=SASRec", "--dataset=toy", "--valid_metric=NDCG@7"], "valid_metric is 'NDCG@7'"),
    (["--model=SASRec", "--dataset=toy", "--base_checkpoint=no.pth"], "does not exist"),
    (["--model=SASRec", "--dataset=toy", "--config_files=no.yaml"], "cannot be read"),
    (["--model=SASRec", "--dataset=nowhere"], "nowhere.inter"),
    (["--model=SASRec", "--dataset=toy", "--TIME_FIELD=when"], "no column 'when'"),
    (["--model=SASRec", "--dataset=toy", "epochs=3"], "epochs=3"),
    (["--model=SASRec", "--dataset=toy", "--seed=1", "--seed=2"], "given twice"),
    (["--model=BERT4Rec", "--dataset=toy", "--training_mode=packed"], "training_mode is packed"),
    (["perturbe"], "did you mean 'perturb'"),
    (["--model=sasrec", "--dataset=toy"], "unknown model 'sasrec'; did you mean 'SASRec'?"),
    (["--model=SASREC", "--dataset=toy"], "unknown model 'SASREC'; did you mean 'SASRec'?"),
    *[
        (["--model=SASRec", "--dataset=toy", word], said)
        for word, said in {
            "--load_col=foo": "load_col is 'foo', but must be a mapping",
            "--load_col={inter: [user_id, colour]}": "load_col names the column 'colour'",
            "--unused_col=foo": "unused_col is 'foo', but must be a mapping",
            "--val_interval=foo": "val_interval is 'foo', but must be a mapping",
            "--val_interval={item_id: '[0,5]'}": "val_interval of 'item_id' is '[0,5]', but must be a",
            "--val_interval={timestamp: many}": "val_interval of 'timestamp' is 'many', but must be",
            "--user_inter_num_interval=foo": "user_inter_num_interval is 'foo', but must be an",
            "--clip_grad_norm=5": "clip_grad_norm is 5, but must be a mapping",
            "--learner=foo": "learner is 'foo', but must be one of adam, ",
            "--state=foo": "state is 'foo', but must be one of debug, ",
            "--metrics=5": "metrics is 5, but must be a list of names",
            "--metrics=foo": "metrics names 'foo', which does not exist",
            "--metrics=[NDCG,MRR,Jacard]": "metrics names 'Jacard', which does not exist; did you mean "
            "'Jaccard'?",
            "--n_layers=0": "n_layers is 0, but must be a whole number of at least 1",
        }.items()
    ],
]


@pytest.mark.parametrize(("words", "said"), BAD, ids=[" ".join(w)[:60] for w, _ in BAD])
def test_bad_input_is_one_sentence_and_exit_code_2(toy, capsys, words, said, tmp_path):
    common = [
        f"--{k}={v}" for k, v in toy.items() if not any(w.startswith(f"--{k}=") for w in words)
    ]
    code = main(words + (common if words[0].startswith("--") else []))
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert code == 2
    assert len(lines) == 1 and said in lines[0]
    assert "Traceback" not in error
