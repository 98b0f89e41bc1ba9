"""RecBole's Config with our defaults and checks, and without ``sys.argv`` and ``eval``."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from recbole.config import Config as RecBoleConfig
from typing_extensions import Self

from recbole_finest.compat import ScalarLoader, plain_state
from recbole_finest.config.checks import (
    check_devices,
    check_gpus,
    check_loss,
    check_method,
    check_metrics,
    check_together,
    draws_none,
    needs_negatives,
)
from recbole_finest.config.roles import Role, having
from recbole_finest.config.seeds import SEED_LISTS, first_seeds, seed_list
from recbole_finest.config.settings import (
    EXPLICIT,
    NOT_IN_SOURCE,
    SEE_HELP,
    check_known,
    check_type,
    check_values,
    described_settings,
    read_settings,
)
from recbole_finest.config.shipped import own_files, quick_start, shipped
from recbole_finest.config.values import Rule, read_text, rules_of
from recbole_finest.config.worked_out import columns, eval_args, field_names, valid_metric
from recbole_finest.errors import UserError
from recbole_finest.evaluator.registry import register_metrics
from recbole_finest.model.find import find_model
from recbole_finest.model.own_settings import is_own, own_settings
from recbole_finest.parallel.distributed import place

register_metrics()


class Config(RecBoleConfig):
    """RecBole's ``Config`` for one model and one data set, ready for :func:`run_finest`.

    Precedence, as in RecBole: ``command_line`` > ``config_dict`` > ``config_file_list`` > the shipped
    files. Neither ``sys.argv`` nor ``eval`` is consulted. Cross-entropy models work without
    ``train_neg_sample_args: null``, and the time column is always loaded. Once made, it is not written to:
    :meth:`but` gives a changed copy.

    Args:
        model: name of a RecBole model, of one of ours, ``package.module:Class``, or a class.
        dataset: name of a data set in RecBole's atomic files.
        config_file_list: YAML files, later ones first in precedence.
        config_dict: settings by name.
        command_line: settings by name that win over all others; unknown names are refused.

    Raises:
        UserError: unknown model or setting, wrong type or range.
    """

    def __init__(
        self,
        model: str | type | None = None,
        dataset: str | None = None,
        config_file_list: Sequence[str] | None = None,
        config_dict: Mapping[str, Any] | None = None,
        command_line: Mapping[str, Any] | None = None,
    ):
        self.inherited: frozenset[str] = frozenset()
        self._command_line = dict(command_line or {})
        self._config_dict = dict(config_dict or {})
        try:
            super().__init__(model, dataset, list(config_file_list or []), dict(self._config_dict))
        except (ValueError, TypeError, NotImplementedError, KeyError, RuntimeError) as error:
            raise UserError(str(error).strip("'\"")) from error
        for method in self["baselines"]:
            check_method(method)
        self.final_config_dict |= field_names(self)

    # Finished settings ---------------------------------------------------------------------------

    def but(self, **settings: Any) -> Self:
        """A copy with some settings changed; those worked out from others are not worked out again."""
        other = copy.copy(self)
        other.final_config_dict = {**self.final_config_dict, **settings}
        return other

    def inheriting(self, names: frozenset[str]) -> Self:
        """A copy in which the user has not given these settings: they were found somewhere."""
        other = copy.copy(self)
        other.inherited = names
        return other

    def __setitem__(self, key: str, value: object) -> None:
        """Refuse a change; RecBole's transforms write the same names again whenever they are made.

        Raises:
            TypeError: the value is another one.
        """
        if key not in self.final_config_dict or self.final_config_dict[key] != value:
            raise TypeError(f"settings are finished once made: use config.but({key}=…)")

    # RecBole's extension points -----------------------------------------------------------------

    def _load_cmd_line(self) -> dict[str, Any]:
        given = self._command_line.items()
        return {k: read_text(k, v) if isinstance(v, str) else v for k, v in given}

    def _convert_config_dict(self, config_dict: dict[str, Any]) -> dict[str, Any]:
        """RecBole's, for settings that are no text of the command line: there an empty one is null."""
        return {
            k: read_text(k, v) if isinstance(v, str) and v else v for k, v in config_dict.items()
        }

    def _init_device(self) -> None:
        """RecBole's choice of device; a process of several takes the GPU of its own number."""
        final, here = self.final_config_dict, place()
        final.pop("local_rank", None)  # with it RecBole would join its own group
        several = here.world_size > 1
        if several and "gpu_id" not in self.external_config_dict:
            final["gpu_id"] = ",".join(map(str, range(here.local_world_size)))
        super()._init_device()
        if not several:
            if self.is_explicit("gpu_id"):
                check_devices(final["gpu_id"])
            return
        final["local_rank"] = here.local_rank
        if here.rank > 0:
            final.update(show_progress=False, log_wandb=False)
        if final["device"].type == "cuda":
            check_gpus(here.local_world_size, final["gpu_id"])
            final["device"] = torch.device("cuda", here.local_rank)
            torch.cuda.set_device(here.local_rank)

    def _load_config_files(self, file_list: Sequence[str]) -> dict[str, Any]:
        settings, self._file_defaults = read_settings(file_list)
        return settings

    def _merge_external_config_dict(self) -> None:
        super()._merge_external_config_dict()
        given = set(self.variable_config_dict) | set(self.cmd_config_dict)
        self.inherited = frozenset(self._file_defaults - given)

    def _get_model_and_dataset(self, model: Any, dataset: Any) -> tuple[str, type, str]:
        model = model if model is not None else self.external_config_dict.get("model")
        dataset = dataset if dataset is not None else self.external_config_dict.get("dataset")
        if model is None or dataset is None:
            missing = "model" if model is None else "dataset"
            raise UserError(f"{missing} is not set; give --{missing}=NAME")
        model_class = find_model(model)
        return model_class.__name__, model_class, str(dataset)

    def _update_internal_config_dict(self, file: str) -> dict[str, Any]:
        """RecBole's, but a file that has not changed is read once a process."""
        found = shipped(Path(file), self.yaml_loader)
        self.internal_config_dict.update(found)
        return found

    def _load_internal_config_dict(self, model: str, model_class: type, dataset: str) -> None:
        super()._load_internal_config_dict(model, model_class, dataset)
        # Four models have quick-start files of their own; rank lists need the others' evaluation.
        self._update_internal_config_dict(quick_start("sequential"))
        if self.internal_config_dict["valid_metric"] == "AUC":
            self.internal_config_dict["valid_metric"] = "MRR@10"
        for file in own_files(model_class, model, dataset):
            if file.is_file():
                self.internal_config_dict.update(shipped(file, ScalarLoader))
        self._await_loss(model_class)
        self._check_given()

    def _await_loss(self, model_class: type) -> None:
        """A loss to go on with, which RecBole asks for, where ``base_checkpoint`` is going to say which."""
        known = hasattr(model_class, "input_type") or "loss_type" in self.internal_config_dict
        given = self.external_config_dict
        self.awaits_loss = not known and "loss_type" not in given and "base_checkpoint" in given
        if self.awaits_loss:
            self.internal_config_dict["loss_type"] = "CE"

    def _get_final_config_dict(self) -> dict[str, Any]:
        final = super()._get_final_config_dict()
        if not self.is_explicit("train_neg_sample_args"):
            needed = needs_negatives(self.model_class, final.get("loss_type"))
            default = self.internal_config_dict["train_neg_sample_args"]
            final["train_neg_sample_args"] = default if needed else None
        elif draws_none(final["train_neg_sample_args"]):
            final["train_neg_sample_args"] = None
        final["eval_args"] = eval_args(final["eval_args"], self.internal_config_dict["eval_args"])
        own = self.takes_any_setting()
        check_loss(self.model_class, final, own)
        check_together(final, own)
        final["load_col"] = columns(final)
        final["model_class"] = f"{self.model_class.__module__}:{self.model_class.__qualname__}"
        for name in ("metrics", "baselines", "simulation_kinds", "perturbation_users"):
            if final.get(name) is not None and not isinstance(final[name], list):
                final[name] = [final[name]]
        check_metrics(final["metrics"])
        final["valid_metric"] = valid_metric(final, self.is_explicit("valid_metric"))
        final.update({name: seed_list(final.get(name)) for name in SEED_LISTS.values()})
        final.update(first_seeds(final, self.external_config_dict))
        return final

    # ---------------------------------------------------------------------------------------------

    def known_settings(self) -> set[str]:
        """Names of the settings that somebody reads: RecBole, the model, this package or a YAML file.

        Of a model of the user's own these are all that its source could mean.
        """
        known = set(self.internal_config_dict) | set(self.file_config_dict)
        known |= {name for names in self.parameters.values() for name in names}
        known |= own_settings(self.model_class)
        return known | {
            *("model", "dataset", "config_files", "gpu_id", "nproc", "world_size", "ip", "port"),
            "loss_type",  # read by RecBole's Config
        }

    def takes_any_setting(self) -> bool:
        """Whether the model is a class of the user's own, which may read settings that nobody lists."""
        return is_own(self.model_class)

    def _check_given(self) -> None:
        known = self.known_settings()
        other = NOT_IN_SOURCE.format(self.model) if self.takes_any_setting() else SEE_HELP
        check_known(self._command_line, known, other)
        if not self.takes_any_setting():
            check_known(self._config_dict, known | having(Role.PLACE | Role.WHAT))
        stock = Path(quick_start("sequential")).parents[1] / "model" / f"{self.model}.yaml"
        meanings = described_settings(stock) if stock.is_file() else {}
        for name, value in self.external_config_dict.items():
            if name not in self._rules():
                check_type(name, value, self.internal_config_dict.get(name), meanings.get(name, ""))
        check_values({**self.internal_config_dict, **self.external_config_dict}, self._rules())

    def _rules(self) -> Mapping[str, Rule]:
        return rules_of(None if self.takes_any_setting() else self.model)

    def is_explicit(self, name: str) -> bool:
        """Whether the user gave this setting, rather than a shipped default."""
        return name in self.external_config_dict and name not in self.inherited

    def repeatable(self) -> dict[str, Any]:
        """The settings as a config file holds them that repeats the run, defaults included."""
        names = {
            "model",
            "dataset",
            "device",
            *self.internal_config_dict,
            *self.external_config_dict,
        }
        derived = having(Role.DERIVED)
        found = {k: v for k, v in self.plain().items() if k in names - derived}
        found["data_path"] = str(Path(found["data_path"]).parent)  # RecBole has added the data set
        if self.takes_any_setting():
            found["model"] = self["model_class"]
        return {**found, EXPLICIT: sorted(filter(self.is_explicit, found))}

    def plain(self) -> dict[str, Any]:
        """All settings as plain values, for YAML and checkpoints."""
        return plain_state(self.final_config_dict)
