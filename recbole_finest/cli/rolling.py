"""The command ``rolling``: a log replayed period by period by several methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from recbole_finest.cli.parser import asks_for_help, parse_settings

HELP = """\
usage: run_finest.py rolling --model=NAME|--models=[A,B] --dataset=NAME [--data_path=FOLDER] [--periods=6]
                             [--methods=[retrain_recbole,retrain,keep,warm_start,distillation,finest]]
                             [--seeds=[2020]] [--start=0.5] [--topk=10] [--output_dir=runs/rolling]
                             [--address=auto] [--config_files=a.yaml,b.yaml] [--setting=value …]

Replay a log night by night. The oldest interactions train a first model on everything that is known
then; each night adds a period, every method makes tonight's model, and everybody's lists are compared
with those they had and with what they choose in the next period.

  --methods     retrain_recbole: from nothing, in RecBole's order; retrain: in the stable order; keep: the
                first model for ever; warm_start, distillation, finest: as in update. Each can bring
                settings of its own: finest:rank_weight=10
  --seeds       of training; several give intervals
  --start       share of the interactions, oldest first, for the first model; the rest is cut into
                periods + 1 parts of equally many interactions, the last one the truth of the last night
  --topk        length of the lists
  --output_dir  data sets, models, lists, records.json, report.html; the same command continues there, and
                more models, methods or seeds add to it
  --address     of a Ray cluster whose machines share output_dir (auto, local or host:port):
                each model and seed is a task of one processor; without it, all in turn in this process

Any other setting goes to all models. epochs is what a retraining takes each night: nothing is held out, so
that nothing stops it early.
"""
WORDS = ("output_dir", "address")
LISTS = ("models", "methods", "seeds")


def main(argv: Sequence[str]) -> int:
    """Replay, print the table, write the report; returns 0.

    Raises:
        UserError: as :func:`recbole_finest.rolling.replay.rolling`.
    """
    if asks_for_help(argv):
        print(HELP)
        return 0
    settings, files = parse_settings(argv)
    from recbole_finest.report.rolling import replay_table, write_replay_report
    from recbole_finest.rolling.replay import rolling

    request = _request(settings)
    found = rolling(request, files, command_line=settings)
    print(replay_table(found))
    print(f"report: {write_replay_report(found, request.output_dir)}")
    return 0


def _request(settings: dict[str, str]) -> Any:
    """What is asked for, taken out of the settings."""
    from recbole_finest.compat import parse_value
    from recbole_finest.errors import UserError
    from recbole_finest.rolling.request import Request

    given: dict[str, Any] = {"dataset": settings.pop("dataset", "")}
    if "model" in settings and "models" in settings:
        raise UserError("model and models are both given; leave one of them out")
    if "model" in settings:
        given["models"] = [settings.pop("model")]
    for name in ("output_dir", "address", "models", "methods", "seeds", "periods", "start", "topk"):
        if name in settings:
            word = settings.pop(name)
            given[name] = word if name in WORDS else _value(name, parse_value(word))
    if "models" not in given:
        raise UserError("model is not set; give --model=NAME")
    return Request(**given)


def _value(name: str, value: object) -> Any:
    """A list where one is meant, also of a single word or of words without brackets."""
    from recbole_finest.compat import parse_value

    if name not in LISTS or isinstance(value, list):
        return value
    return [parse_value(word) for word in value.split(",")] if isinstance(value, str) else [value]
