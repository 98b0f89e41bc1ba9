"""What a replay refuses before anything is read."""

import pytest

from recbole_finest import UserError
from recbole_finest.rolling.request import Request, method_of
from recbole_finest.update.request import WAYS


def test_the_defaults_hold_every_way_of_an_update():
    request = Request(["GRU4Rec"], "toy")
    request.check()
    assert {method_of(method)[0] for method in request.methods} == {"keep", *WAYS}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"dataset": ""}, "dataset is not set; give --dataset=NAME"),
        ({"models": "GRU4Rec"}, "models is 'GRU4Rec', but must be a list of different values"),
        ({"seeds": [1, 1]}, r"seeds is \[1, 1\], but must be a list of different values"),
        ({"seeds": [-1]}, "seeds is -1, but must be a whole number of at least 0"),
        ({"methods": ["fines"]}, "'fines', which does not exist; did you mean 'finest'"),
        ({"methods": ["finest:10"]}, "whose '10' is not SETTING=VALUE"),
        ({"periods": 0}, "periods is 0, but must be a whole number of at least 1"),
        ({"topk": 2.5}, "topk is 2.5, but must be a whole number of at least 1"),
        ({"address": "cluster"}, "address is 'cluster', but must be auto, local or host:port"),
        ({"start": 1.0}, "start is 1.0, but must be a share between 0 and 1"),
    ],
)
def test_what_is_refused(given, said):
    with pytest.raises(UserError, match=said):
        Request(**{"models": ["GRU4Rec"], "dataset": "toy", **given}).check()


def test_a_method_with_settings():
    assert method_of("retrain_recbole") == ("retrain", {"shuffle_order": "recbole"})
    found = method_of("finest:rank_weight=0.5:finest_epochs=3")
    assert found == ("finest", {"rank_weight": 0.5, "finest_epochs": 3})
