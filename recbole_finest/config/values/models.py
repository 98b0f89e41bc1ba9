"""Type, range and choices of the settings of RecBole's sequential models and of ours.

A name means the same in all of them, except where ``OF_MODEL`` says otherwise. What RecBole's models
accept stands in ``recbole/properties/model/<Model>.yaml`` and in their code.
"""

from __future__ import annotations

from recbole_finest.config.values.rule import (
    AMOUNT,
    FLAG,
    NAME,
    SHARE,
    TEXT,
    Rule,
    above,
    either,
    list_of,
    one_of,
    whole,
    word_of,
)

SIZE = whole(1, 65536)
LAYERS = whole(1, 1000)
_TEMPERATURE = above(0, 10**6)
_SWITCH = Rule("0 or 1", lambda v: v in (0, 1), (0, 1, True), (2, -1, "on"))
_BELOW = whole(-1000, 0)
_SIZES = list_of("a list of whole numbers from 1 to 65536", SIZE)
_WEIGHTS = list_of("a list of two numbers of at least 0", AMOUNT, length=2)
_CONTRAST = one_of("us", "un", "su", "us_x")
_NO_CONTRAST = one_of("None")
_POOLING = one_of("average", "max")

EVERY = {"n_layers": LAYERS, "n_heads": LAYERS, "num_layers": LAYERS}  # of models of one's own, too

COMMON: dict[str, Rule] = {
    **EVERY,
    **dict.fromkeys(("embedding_size", "hidden_size", "inner_size", "kg_embedding_size"), SIZE),
    "mlp_hidden_size": _SIZES,
    **dict.fromkeys(("dropout_prob", "hidden_dropout_prob", "attn_dropout_prob"), SHARE),
    **dict.fromkeys(("sess_dropout", "item_dropout", "mask_ratio", "ft_ratio"), SHARE),
    "eta": SHARE,  # of RecBole's transforms
    "beta": SHARE,
    "dropout_probs": list_of("a list of two numbers from 0 to 1", SHARE, length=2),
    "hidden_act": one_of("gelu", "relu", "swish", "tanh", "sigmoid"),
    **dict.fromkeys(("layer_norm_eps", "initializer_range", "reg_weight"), AMOUNT),
    "learner": word_of("adam", "adamw", "sgd", "adagrad", "rmsprop"),  # no gradient here is sparse
    "loss_type": one_of("BPR", "CE", "NLL", "BCE"),  # which of them: data/requirements.py, LOSSES
    "pooling_mode": one_of("max", "mean", "sum"),
    "pooling_type": _POOLING,
    "pooling_type_layer_1": _POOLING,
    "pooling_type_layer_2": _POOLING,
    "selected_features": list_of("a list of columns of the .item file", NAME),
    "item_attribute": NAME,
    "freeze_kg": FLAG,
    "joint_train": FLAG,
    "gamma": AMOUNT,
    "alpha": AMOUNT,
    "weight": SHARE,
    "step": LAYERS,
    "nv": SIZE,
    "nh": SIZE,
    "dnn_type": one_of("trm", "ave"),
    "temperature": _TEMPERATURE,
    "gru_type": one_of("GRU", "AIGRU", "AGRU", "AUGRU"),
    "order_len": SIZE,
    "high_order": SIZE,
    "short_item_length": SIZE,
    "k_interests": SIZE,
    "prototype_size": SIZE,
    "interest_size": SIZE,
    "tau_ratio": _TEMPERATURE,
    "reg_loss_ratio": AMOUNT,
    "kernel_size": SIZE,
    "block_num": LAYERS,
    "dilations": _SIZES,
    # S3Rec
    **dict.fromkeys(("aap_weight", "mip_weight", "map_weight", "sp_weight"), AMOUNT),
    "train_stage": one_of("pretrain", "finetune"),
    "pretrain_epochs": whole(0),
    "save_step": whole(1),
    "pre_model_path": TEXT.or_null(),
    # FEARec
    "lmd": AMOUNT,
    "lmd_sem": AMOUNT,
    "global_ratio": above(0, 1),
    "spatial_ratio": SHARE,
    "dual_domain": FLAG,
    "std": FLAG,
    "fredom": FLAG,
    "fredom_type": either("us, un, su, us_x, or null", _CONTRAST, _NO_CONTRAST).or_null(),
    "contrast": either("us, un, su, us_x, or null", _CONTRAST, _NO_CONTRAST).or_null(),
    "topk_factor": LAYERS,
    "tau": _TEMPERATURE,
    "sim": one_of("dot", "cos"),
    "use_filter": FLAG,
    # GRU4RecCPR and SASRecCPR
    "use_out_emb": FLAG,
    **dict.fromkeys(("n_facet_all", "n_facet", "n_facet_hidden"), LAYERS),
    **dict.fromkeys(("n_facet_context", "n_facet_reranker"), whole(0, 1000)),
    **dict.fromkeys(("n_facet_window", "n_facet_MLP"), _BELOW),
    "n_facet_emb": Rule("0 or 2", lambda v: v in (0, 2), (0, 2), (1, 3, "two")),
    "weight_mode": one_of("", "dynamic", "static", "max_logits"),
    **dict.fromkeys(("context_norm", "use_proj_bias", "post_remove_context"), _SWITCH),
    **dict.fromkeys(("partition_merging_mode", "reranker_merging_mode"), one_of("replace", "add")),
    "reranker_CAN_NUM": Rule(
        "whole numbers such as 500,100,20",
        lambda v: all(int(n) > 0 for n in str(v).split(",")) and isinstance(v, (int, str)),
        (1, "100,20"),
        (0, "0", "a", "1,,2", 1.5, True, [5]),
    ),
    # ours
    "time_span": whole(1, 10**6),
    "r_min": SHARE,
    "r_max": SHARE,
    "state_size": SIZE.or_null(),
}

OF_MODEL: dict[str, dict[str, Rule]] = {
    "BERT4Rec": {"transform": one_of("mask_itemseq")},
    "HGN": {"reg_weight": _WEIGHTS},
    "HRM": {"reg_weight": AMOUNT.or_null()},
    "LRURec": {"inner_size": SIZE.or_null()},
    "SHAN": {"reg_weight": _WEIGHTS, "transform": one_of("inverse_itemseq")},
    "TiSASRec": {"inner_size": SIZE.or_null()},
}
