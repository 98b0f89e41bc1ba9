"""The settings of tonight's training: the deployed model's, below what the user gives now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recbole_finest.config.config import Config
from recbole_finest.config.from_checkpoint import own_loss, taken_from
from recbole_finest.config.roles import ROLES
from recbole_finest.errors import UserError
from recbole_finest.model.find import find_model, model_names
from recbole_finest.update.deployed import Deployed

LEAVE_ONE_OUT = {"group_by": "user", "order": "TO", "split": {"LS": "valid_and_test"}}
SHARE = 0.25  # of base's epochs, which fine-tuning takes at most unless the user says how many
# the rank-preserving loss of a night holds lists as they are: with a margin it is least where neighbours in
# a list stand that far apart, so that it moves the deployed model's, which stand closer
MARGIN = 0.0
# what a model's weights or meaning hang on, among the settings that RecBole documents for any model
FIXED = frozenset({"USER_ID_FIELD", "ITEM_ID_FIELD", "TIME_FIELD", "MAX_ITEM_LIST_LENGTH"})
# which settings_in() adds to RecBole's checkpoints: how RecBole trains, which tonight does not follow
OF_RECBOLE = frozenset({"shuffle_order", "training_mode"})


@dataclass(frozen=True)
class Given:
    """What the user gives, as for :class:`Config`.

    Attributes:
        files: YAML files.
        settings: by name; win over the files.
        command_line: by name; win over all others, unknown names are refused.
    """

    files: tuple[str, ...] = ()
    settings: Mapping[str, Any] | None = None
    command_line: Mapping[str, Any] | None = None

    @classmethod
    def of(
        cls,
        files: Sequence[str] | None,
        settings: Mapping[str, Any] | None,
        command_line: Mapping[str, Any] | None,
    ) -> Given:
        """From the arguments of a public function."""
        return cls(tuple(files or ()), dict(settings or {}), dict(command_line or {}))

    @property
    def model(self) -> Any:
        """The user's word for the model, or None."""
        known = (self.command_line or {}, self.settings or {})
        return next((found for one in known if (found := one.get("model")) is not None), None)


def tonight(deployed: Deployed, dataset: str, everything: bool, given: Given) -> Config:
    """The settings of tonight's model.

    Args:
        deployed: the deployed model.
        dataset: name of today's data set.
        everything: whether all interactions are trained on; else each person's last one is held out.
        given: by the user.

    Raises:
        UserError: a setting of the model or a field is another than the deployed model's; the output would
            remove the deployed model; a bad value.
    """
    known = dict(deployed.settings)
    model = find_model(_model(deployed, given))
    settings = {**own_loss(model, known), **(given.settings or {})}
    asked = Config(model, dataset, given.files, settings, given.command_line)
    explicit = frozenset(n for n in asked.external_config_dict if asked.is_explicit(n))
    _check_model(asked, deployed)
    _check_architecture(asked, explicit, deployed)
    _check_place(asked, deployed)
    if everything and "eval_args" in explicit:
        raise UserError(
            "eval_args is given, but with test=none nothing is held out; leave one of them out"
        )
    taken = _taken(deployed, model, dataset, asked, everything)
    merged = {**taken, **asked.file_config_dict, **(given.settings or {})}
    config = Config(asked["model_class"], dataset, None, merged, dict(given.command_line or {}))
    return config.inheriting((frozenset(taken) | asked.inherited) - explicit)


def _taken(
    deployed: Deployed, model: type, dataset: str, asked: Config, everything: bool
) -> dict[str, Any]:
    """The deployed model's settings as far as they are tonight's, and what a night's are by default."""
    known = dict(deployed.settings)
    taken = taken_from(known, Config(model, dataset, None, own_loss(model, known)))
    taken = {n: v for n, v in taken.items() if not (deployed.by_recbole and n in OF_RECBOLE)}
    taken |= {**_data_path(known, dataset), "eval_args": _split(known)}
    if not deployed.by_update:  # else it is MARGIN already, or was given on an earlier night
        taken["rank_margin"] = MARGIN
    most = max(1, int(SHARE * deployed.base_epochs))
    taken["finest_epochs"] = min(most, taken.get("finest_epochs", asked["finest_epochs"]))
    if everything:  # nothing is held out that could stop training early
        taken["epochs"] = deployed.base_epochs
    if "train_stage" in asked:
        taken |= {"train_stage": "finetune", "pre_model_path": None}
    return taken


def _model(deployed: Deployed, given: Given) -> Any:
    """The model's name or class: the user's word for it, or the checkpoint's where it is no stranger's."""
    if given.model is not None:
        return given.model
    name = deployed.settings["model"]
    if name in model_names():
        return name
    own = deployed.settings.get("model_class", name)
    raise UserError(
        f"deployed '{deployed.file}' was trained with the class '{own}', which is imported only where you "
        f"name it; give --model={own}"
    )


def _check_model(asked: Config, deployed: Deployed) -> None:
    if asked["model"] != deployed.settings["model"]:
        raise UserError(
            f"model is {asked['model']}, but deployed '{deployed.file}' is a {deployed.settings['model']}; "
            "leave model out"
        )


def _check_architecture(asked: Config, explicit: frozenset[str], deployed: Deployed) -> None:
    known = deployed.settings
    documented = {name for names in asked.parameters.values() for name in names} - FIXED
    for name in sorted(explicit - set(ROLES) - documented):
        if name in known and asked[name] != known[name] and "dropout" not in name:
            raise UserError(
                f"{name} is {asked[name]!r}, but deployed '{deployed.file}' was trained with "
                f"{known[name]!r}, and tonight's model continues it; leave it out, or train a new model "
                "without update"
            )


def _check_place(asked: Config, deployed: Deployed) -> None:
    if not (asked["overwrite"] and asked["output_dir"]):
        return
    if deployed.file.resolve().parent == Path(asked["output_dir"]).resolve():
        raise UserError(
            f"deployed '{deployed.file}' is in output_dir, whose files overwrite removes; choose another "
            "output_dir"
        )


def _data_path(known: Mapping[str, Any], dataset: str) -> dict[str, str]:
    """Where the deployed model's data set was, if today's is there too; else the default stays."""
    folder = Path(str(known.get("data_path", "."))).parent  # RecBole has added the data set
    return {"data_path": str(folder)} if (folder / dataset / f"{dataset}.inter").is_file() else {}


def _split(known: Mapping[str, Any]) -> dict[str, Any]:
    """Leave-one-out: each person's last interaction for test, the one before for validation."""
    arguments = dict(known.get("eval_args") or {})
    return {**arguments, **LEAVE_ONE_OUT, "mode": arguments.get("mode", "full")}
