"""The command ``perturb``: draw a perturbation, without training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from recbole_finest.cli.parser import asks_for_help, parse_settings
from recbole_finest.errors import UserError, kept

# The data set is loaded as for this model; no model is made.
LOADING_MODEL = "SASRec"
HELP = """\
usage: run_finest.py perturb --dataset=NAME [--perturbation_…=…] [--output=changes.json]
                             [--output_dataset=FOLDER] [--model=NAME] [--setting=value …]

Draw a perturbation without training; print what it changes by user, item and position.

  --output           write the changes as perturbation.json, to be replayed with perturbation_file
  --output_dataset   write the perturbed log as RecBole atomic files: FOLDER/NAME/NAME.inter
"""


def main(argv: Sequence[str]) -> int:
    """Draw the test perturbation that these settings name, show it, and write it; returns 0."""
    if asks_for_help(argv):
        print(HELP)
        return 0
    settings, files = parse_settings(argv)
    output = settings.pop("output", None)
    atomic = settings.pop("output_dataset", None)
    show_perturbation(settings, files, output, atomic)
    return 0


def show_perturbation(
    settings: Mapping[str, str], files: Sequence[str], output: str | None, atomic: str | None
) -> None:
    """Draw, print and, where asked for, write a perturbation.

    Raises:
        UserError: the settings ask for none, or a file cannot be written.
    """
    import logging

    from recbole_finest.compat import quiet_recbole
    from recbole_finest.config.config import Config
    from recbole_finest.data.convert.convert import write_atomic
    from recbole_finest.data.from_settings import draw_test_perturbation
    from recbole_finest.data.perturbation import save_changes
    from recbole_finest.data.prepare import prepare
    from recbole_finest.data.summary import summarise

    quiet_recbole()
    given = dict(settings)
    model, dataset = given.pop("model", LOADING_MODEL), given.pop("dataset", None)
    config = Config(model, dataset, files, None, given)
    data = prepare(config)
    drawn = draw_test_perturbation(config, data, logging.getLogger())
    if drawn is None:
        raise UserError("perturbation_ratio is 0, which changes nothing; set it, or a count")
    log, changes = drawn
    tokens = data.dataset.field2id_token
    users, items = tokens[data.train.fields.user], tokens[data.train.fields.item]
    print(summarise(changes, data.log, users, items))
    if output:
        with kept("output", output):
            save_changes(output, changes, users, items, config["dataset"])
        print(f"changes: {output}")
    if atomic:
        name = Path(atomic).name
        path = Path(atomic) / f"{name}.inter"
        with kept("output_dataset", atomic):
            write_atomic(log, users, items, path, overwrite=config["overwrite"])
        print(f"perturbed data set: --data_path={Path(atomic).parent} --dataset={name}")
