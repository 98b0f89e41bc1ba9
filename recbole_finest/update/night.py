"""Yesterday's model and today's log make tonight's model: the function that the command calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from recbole_finest.compat import quiet_recbole
from recbole_finest.experiment.folder import open_output
from recbole_finest.experiment.tracking import check_tracking
from recbole_finest.files import PathLike
from recbole_finest.parallel import distributed
from recbole_finest.parallel.allocator import keep_freed_memory
from recbole_finest.parallel.launch import launch, wanted
from recbole_finest.update.deployed import load_deployed
from recbole_finest.update.request import DEFAULT_METHOD, Request
from recbole_finest.update.settings import Given, tonight
from recbole_finest.update.stages import Stages


def update_model(
    deployed: PathLike,
    dataset: str,
    method: str = DEFAULT_METHOD,
    start: str = "deployed",
    test: str = "last",
    allow_shrink: bool = False,
    deployed_until: float | None = None,
    check_ids: bool = True,
    config_file_list: Sequence[str] | None = None,
    config_dict: Mapping[str, Any] | None = None,
    command_line: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Make tonight's model from yesterday's and today's log, in a folder that tomorrow's update takes.

    Args:
        deployed: a run's folder, or a checkpoint of ours or of RecBole's.
        dataset: name of today's data set.
        method: ``retrain`` (on today's log alone), ``warm_start`` (the deployed model's weights, next-item
            loss alone), ``finest`` or ``distillation`` (its weights, and its lists as references).
        start: ``deployed``, from its weights, or ``anew``, for ``finest`` and ``distillation``, from a base
            trained on today's log first.
        test: ``last``, each person's last interaction is held out of training so that accuracy is known, or
            ``none``, everything is trained on.
        allow_shrink: accept a log without most of yesterday's users or items.
        deployed_until: newest time that the deployed model was trained on, for a checkpoint that does not
            list its interactions.
        check_ids: False accepts a checkpoint without tokens (RecBole's) whose ids nothing vouches for.
        config_file_list, config_dict, command_line: settings, as for :class:`Config`; they win over the
            deployed model's, but must not change its architecture.

    Returns:
        The contents of ``result.json``, with ``output_dir`` added.

    Raises:
        UserError: anything that the user can put right; nothing is written then.
    """
    words = deployed, dataset, method, start, test, allow_shrink, deployed_until, check_ids
    request = Request(*words)
    return _update(request, Given.of(config_file_list, config_dict, command_line))


def _update(request: Request, given: Given) -> dict[str, Any]:
    quiet_recbole()
    keep_freed_memory()
    request.check()
    deployed = load_deployed(request.deployed, request.check_ids, given.model)
    config = tonight(deployed, request.dataset, request.test == "none", given)
    if wanted(config):
        return launch(config, _update, (request, given))
    with distributed.joined(config):
        check_tracking(config)
        with open_output(config) as output:
            config = config.but(checkpoint_dir=str(output.path))
            return {
                **Stages(config, output, deployed, request).run(),
                "output_dir": str(output.path),
            }
