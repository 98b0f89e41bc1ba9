"""Type, range and choices of this package's settings; defaults stand in ``properties/finest.yaml``."""

from __future__ import annotations

from dataclasses import replace

from recbole_finest.config.seeds import seed_list
from recbole_finest.config.values.rule import (
    AMOUNT,
    FLAG,
    NAME,
    NAMES,
    SHARE,
    TEXT,
    Rule,
    above,
    either,
    list_of,
    named_in,
    one_of,
    real,
    whole,
)
from recbole_finest.data.perturbation import ITEM_CHOICES, KINDS, SELECTIONS

SEED = whole(0, 2**32 - 1)  # NumPy's and RecBole's largest
RATE = above(
    0, 100
)  # learning rates: 30 has been of use (with SGD), 1e30 leaves nothing of a model

_ALL = list_of("", SEED, distinct=True)
_SEEDS = Rule(
    "a list of distinct whole numbers from 0 to 4294967295, such as [0, 1, 2]",
    lambda v: _ALL.allows(seed_list(v)),
    (0, "0,1", *_ALL.right),
    (*_ALL.wrong, "1,1", "0,x", -1),
)
_KINDS = list_of(f"a list of {', '.join([*KINDS][:-1])} and {[*KINDS][-1]}", named_in(KINDS))
_TOKEN = either("a user token", NAME, real("", lambda v: True, (7,)))
_USERS = either("a list of user tokens", _TOKEN, list_of("", _TOKEN))

OURS: dict[str, Rule] = {
    # fine-tuning
    "finest_epochs": whole(0),
    "finest_learning_rate": RATE,
    "finest_early_stopping": FLAG,
    "reference_k": whole(2),
    "rank_weight": AMOUNT,
    "rank_margin": AMOUNT,
    "finest_dropout": one_of("none", "next_item", "both"),
    "rank_reduction": one_of("mean", "sum_over_users"),
    "rank_instances_per_batch": whole(1).or_null(),
    "simulation_ratio": SHARE,
    "simulation_kinds": either(_KINDS.text, _KINDS, named_in(KINDS)),
    "simulation_item": named_in(ITEM_CHOICES),
    "reference_model": one_of("base", "own"),
    "reference_source": one_of("evaluation", "last_training_epoch"),
    "baselines": either("a list of names", NAMES, NAME),
    "distillation_weight": AMOUNT,
    "distillation_temperature": above(0, 10**6),
    "listmle_weight": AMOUNT,
    "ensemble_size": whole(2, 1000),
    "adversarial_weight": AMOUNT,
    "adversarial_epsilon": AMOUNT,
    "update_news_power": AMOUNT,
    "update_list_age": real("a number above 0", lambda v: v > 0, (1e-9,), (0, -1)).or_null(),
    # the test perturbation
    "perturbation_kind": named_in(KINDS),
    "perturbation_selection": named_in(SELECTIONS),
    "perturbation_item": named_in(ITEM_CHOICES),
    "perturbation_ratio": SHARE,
    "perturbation_count": whole(1).or_null(),
    "perturbation_per_user": whole(1).or_null(),
    "perturbation_position": one_of("begin", "middle", "end"),
    "perturbation_users": _USERS.or_null(),
    "perturbation_seed": SEED,
    "perturbation_seeds": _SEEDS.or_null(),
    "perturbation_file": TEXT.or_null(),
    # base and the protocol
    "seeds": _SEEDS.or_null(),
    "learning_rate_schedule": one_of("constant", "linear", "cosine"),
    "warmup_ratio": SHARE,
    "weight_average": one_of("none", "ema", "last_quarter"),
    "weight_average_decay": real(
        "a number of at least 0 and below 1", lambda v: 0 <= v < 1, (0, 0.9999), (-0.001, 1)
    ),
    "shuffle_order": one_of("stable", "recbole"),
    "time_order": one_of("exact", "recbole"),
    "control": FLAG,
    "seed_control": FLAG,
    "recbole_order_baseline": FLAG,
    "filter_seen": FLAG,
    "catalogue_overlap": FLAG,
    "measured_on": one_of("test", "valid"),
    "rbo_p": real(
        "a number between 0 and 1, both excluded", lambda v: 0 < v < 1, (1e-9, 0.999), (0, 1)
    ),
    "list_depth": whole(1),
    # speed
    "training_mode": one_of("auto", "instance", "packed"),
    "target_stride": whole(1),
    "recent_only": FLAG,
    "packed_stride": whole(1).or_null(),
    "score_memory": whole(1),
    "resident_memory": whole(0),
    "compile_model": FLAG,
    # the run and its processes
    "base_checkpoint": TEXT.or_null(),
    "output_dir": TEXT.or_null(),
    "overwrite": FLAG,
    "resume": FLAG,
    "checkpoint_interval": whole(0),
    "nproc": whole(1, 65536),
    "world_size": Rule(
        "-1 or a whole number of at least 1",
        lambda v: v == -1 or whole(1, 65536).allows(v),
        (-1, 1, 65536),
        (0, -2, 65537, "two"),
    ),
    "ip": replace(NAME, text="an address"),
    "port": whole(1, 65535),
    "group_offset": whole(0, 65535),
    "process_timeout": whole(1),
}
