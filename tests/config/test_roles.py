"""The table of what each setting belongs to."""

from recbole_finest.config.config import Config
from recbole_finest.config.roles import ROLES, Role, having, of_base, of_role
from recbole_finest.config.settings import properties_dir, read_yaml
from recbole_finest.experiment.protocol import settings_of
from recbole_finest.method import METHODS
from recbole_finest.method.finest import RANK_SETTINGS


def test_every_setting_of_ours_has_a_role():
    assert set(read_yaml(properties_dir() / "finest.yaml")) <= set(ROLES)


def test_a_name_of_nobodys_counts_for_base_and_for_every_method():
    """Whatever it begins with."""
    settings = Config("SASRec", "ml-100k").plain()
    own = {"rank_dim": 8, "plain_x": 1, "ensemble_y": 2, "finest_z": 3, "perturbation_w": 4}
    assert own.items() <= of_base({**settings, **own}).items()
    config = Config("SASRec", "ml-100k")
    for name, method in METHODS.items():
        assert own.items() <= settings_of({**settings, **own}, name, method(config)).items()


def test_base_depends_on_training_and_not_on_what_comes_after():
    given = dict.fromkeys(ROLES, 0)
    counted = set(of_base(given))
    assert {"model", "device", "shuffle_order", "training_mode", "score_memory"} <= counted
    assert not counted & {"rank_weight", "finest_epochs", "reference_k", "metrics", "control"}
    assert not counted & {"data_path", "output_dir", "perturbation_ratio", "perturbation_seed"}
    with_lists = set(of_base(given, Role.REFERENCE))
    assert with_lists - counted == {"reference_k", "reference_source"}
    assert set(of_role(given, Role.COMPARISON)) == {"metrics", "topk", "rbo_p"}


def test_all_but_the_machines_settings_hold_on_resume():
    free = having(Role.RESUMABLE)
    assert {"output_dir", "data_path", "worker", "seeds", "gpu_id"} <= free
    assert not free & {"seed", "epochs", "rank_weight", "shuffle_order", "nproc", "device"}


class Recorded:
    """Settings that note what is read of them."""

    def __init__(self, config):
        self.config = config
        self.read = set()

    def __getitem__(self, name):
        self.read.add(name)
        return self.config[name]


def test_methods_declare_what_they_read():
    own = having(Role.METHOD)
    for name, kind in METHODS.items():
        config = Recorded(Config("SASRec", "ml-100k"))
        method = kind(config)
        method.simulation()
        unused = set(RANK_SETTINGS) if name == "finest_no_regularizer" else set()  # by inheritance
        assert config.read & own <= set(method.reads) | unused, name
        assert set(method.reads) <= own, name
