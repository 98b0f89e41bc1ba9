"""The command ``update``: yesterday's model and today's log make tonight's model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recbole_finest.cli.parser import asks_for_help, parse_settings

HELP = """\
usage: run_finest.py update --deployed=RUN_FOLDER_OR_PTH --dataset=TODAY [--data_path=FOLDER]
                            [--method=retrain|warm_start|finest|distillation] [--start=deployed|anew]
                            [--test=last|none] [--allow_shrink] [--deployed_until=TIME]
                            [--output_dir=FOLDER] [--setting=value …]

Make tonight's model from yesterday's model and today's log, and say how far people's lists have moved.
Old users and items keep their weights, whatever their ids are today; new ones are added.

  --deployed        a run's folder (its model.pth, finest.pth or base.pth), or a .pth of ours or of RecBole
  --dataset         today's log: yesterday's with its new interactions, whole
  --method          retrain: from nothing, which is as accurate as it gets, for new lists of people with
                    news only; warm_start: from yesterday's weights, the next-item loss alone; finest or
                    distillation: from these too, with yesterday's lists as references as far as they should
                    still hold, where one model is to serve all and little is new
  --start           deployed, or anew, for finest and distillation: a base is trained on today's log first
  --test            last: each person's last interaction is held out, so that accuracy is known; none:
                    everything is trained on, for serving
  --allow_shrink    accept a log without most of yesterday's users or items
  --deployed_until  newest time of yesterday's training, for a checkpoint that does not list its rows
  --check_ids       False accepts a checkpoint without tokens (RecBole's) whose ids nothing vouches for

The settings are yesterday's; those given here win, but must not change the model. The folder holds
model.pth, which tomorrow's update takes, ranklists/deployed.npz and updated.npz, result.json, and
people_with_news.txt, for recommend --users where the others' lists are to stay as they are.
"""
FLAGS = {"--allow_shrink", "--allow-shrink"}
SHOWN = ("jaccard", "rbo")  # measures of similarity in the table
GROUPS = {"all": "all", "without_news": "without news", "with_news": "with news"}


def main(argv: Sequence[str]) -> int:
    """Make tonight's model and print how it compares with yesterday's; returns 0.

    Raises:
        UserError: as :func:`recbole_finest.update.night.update_model`.
    """
    if asks_for_help(argv):
        print(HELP)
        return 0
    words = ["--allow_shrink=True" if word in FLAGS else word for word in argv]
    settings, files = parse_settings(words)
    from recbole_finest.compat import parse_value
    from recbole_finest.parallel.distributed import place
    from recbole_finest.update.night import update_model
    from recbole_finest.update.request import DEFAULT_METHOD

    given: dict[str, Any] = {
        "method": settings.pop("method", DEFAULT_METHOD),
        "start": settings.pop("start", "deployed"),
        "test": settings.pop("test", "last"),
        "allow_shrink": parse_value(settings.pop("allow_shrink", "False")),
        "deployed_until": parse_value(settings.pop("deployed_until", "None")),
        "check_ids": parse_value(settings.pop("check_ids", "True")),
    }
    deployed, dataset = settings.pop("deployed", ""), settings.pop("dataset", "")
    result = update_model(deployed, dataset, **given, config_file_list=files, command_line=settings)
    if place().rank == 0:
        print(summary(result))
        print(f"tonight's model: {Path(result['output_dir']) / 'model.pth'}")
    return 0


def summary(result: Mapping[str, Any]) -> str:
    """What a person wants to see of an update: how far lists moved, accuracy, cost."""
    from tabulate import tabulate

    found = result["update"]
    alike = found["similarity_to_deployed"]
    names = [n for n in alike["all"] if n.split("@")[0] in SHOWN]
    rows = [
        [GROUPS[group], found["people"][group], *(alike[group].get(name) for name in names)]
        for group in GROUPS
    ]
    parts = [tabulate(rows, ["people", "lists", *names], floatfmt=".4f", missingval="–")]
    if found["accuracy"] is not None:
        metrics = list(found["accuracy"]["updated"])
        rows = [[n, *(found["accuracy"][n][m] for m in metrics)] for n in ("deployed", "updated")]
        parts.append(tabulate(rows, ["accuracy", *metrics], floatfmt=".4f"))
    cost = found["cost"]
    parts.append(
        f"{found['method']}: {cost['seconds']:.1f} s of training, {cost['ratio']:.2f} of a retraining "
        f"({cost['retraining']}); {found['new_users']} new users, {found['new_items']} new items, "
        f"{found['new_interactions']} new training interactions"
    )
    return "\n\n".join(parts)
