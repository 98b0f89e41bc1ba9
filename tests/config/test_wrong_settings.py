"""500 wrong settings, one at a time: no traceback, and a sentence that helps."""

import pytest

from recbole_finest.config.config import Config
from recbole_finest.errors import UserError, shown
from tests.config.wrong_settings import chosen, says_enough


def test_500_wrong_settings_are_sentences_with_setting_value_and_remedy():
    cases = chosen(500)
    assert len({(model, name, shown(value)) for model, name, value in cases}) > 490
    unclear = []
    for model, name, value in cases:
        with pytest.raises(UserError) as caught:
            Config(model, "toy", None, {name: value})
        if not says_enough(str(caught.value), name, value):
            unclear.append((model, name, value, str(caught.value)))
    assert not unclear
