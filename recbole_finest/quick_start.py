"""What the command does, as one function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_finest.compat import load_given_checkpoint, quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import base_settings
from recbole_finest.config.seeds import pairs
from recbole_finest.experiment.folder import open_output
from recbole_finest.experiment.output import Output
from recbole_finest.experiment.replicates import run_replicates
from recbole_finest.experiment.run import Run
from recbole_finest.experiment.tracking import check_tracking
from recbole_finest.parallel import distributed
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.parallel.launch import launch, wanted
from recbole_finest.report.run.write import write_report


def run_finest(
    model: str | type | None = None,
    dataset: str | None = None,
    config_file_list: Sequence[str] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Train a model, stabilise it with FINEST, and measure what that changed.

    Args:
        model, dataset, config_file_list, config_dict, command_line: as for :class:`Config`.

    Returns:
        The contents of ``result.json`` (see the README), with ``output_dir`` added.

    Raises:
        UserError: anything that the user can put right.
    """
    quiet_recbole()
    keep_freed_memory()
    given = model, dataset, config_file_list, config_dict, command_line
    config = Config(*given)
    if wanted(config):
        return launch(config, run_finest, given)
    with distributed.joined(config):
        checkpoint = None
        if config["base_checkpoint"]:
            path = config["base_checkpoint"]
            checkpoint = distributed.from_main(
                lambda: load_given_checkpoint(path, model=config.model_class)
            )
            config = base_settings(config, checkpoint, *given[3:])
        check_tracking(config)
        with open_output(config) as output:
            return _measured(config.but(checkpoint_dir=str(output.path)), output, checkpoint)


def _measured(config: Config, output: Output, checkpoint: dict[str, Any] | None) -> dict[str, Any]:
    """The run and its replicates, with all their files."""
    run = Run(config, output, checkpoint)
    result = run.measure()
    if len(pairs(config)) > 1:
        result["replicates"], result["ambiguity"] = run_replicates(run, result)
        output.write_result(result)
    if distributed.is_main():
        write_report(output.path)
    return {**result, "output_dir": str(output.path)}
