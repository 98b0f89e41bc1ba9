"""What the tasks of a cluster leave of an error; tests/cli/test_rolling.py replays on Ray itself."""

from types import SimpleNamespace

import pytest

from recbole_finest import UserError
from recbole_finest.rolling import cluster


class Raised(Exception):
    """Ray's: what a task raised, with its traceback."""

    cause = UserError("epochs is -1")


class Lost(Exception):
    """Ray's: a worker, a machine."""


class Ray:
    """A cluster that raises an error, and knows whether it was left."""

    exceptions = SimpleNamespace(RayTaskError=Raised, RayError=Lost)
    left = False

    def __init__(self, error):
        self.error = error

    def remote(self, **resources):
        assert resources["num_cpus"] == 1
        return lambda function: SimpleNamespace(remote=lambda chains: (function, chains))

    def get(self, tasks):
        assert tasks == [(cluster.make_nights, ["retrain", "keep"])]
        raise self.error

    def shutdown(self):
        self.left = True


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Raised("a traceback"), "^epochs is -1$"),
        (Lost("gone\nand how"), "^Ray at address 'auto' failed: gone$"),
    ],
)
def test_an_error_is_one_sentence_and_the_cluster_is_left(monkeypatch, error, said):
    ray = Ray(error)
    monkeypatch.setattr(cluster, "connect", lambda address: ray)
    with pytest.raises(UserError, match=said):
        cluster.make_on_ray("auto", [("retrain", "keep")])
    assert ray.left
