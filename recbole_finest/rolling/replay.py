"""A log replayed: all methods' nights, measured, in one folder that the same command continues."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tqdm import tqdm

from recbole_finest.compat import parse_value, quiet_recbole
from recbole_finest.config.config import Config
from recbole_finest.config.roles import Role, having
from recbole_finest.config.settings import read_yaml
from recbole_finest.errors import CONTINUES, UserError, kept, writes
from recbole_finest.files import write_json
from recbole_finest.folders.own import own_folder
from recbole_finest.formats.json_file import read_json
from recbole_finest.parallel.signals import continued_by
from recbole_finest.rolling.chain import Chain, Lists
from recbole_finest.rolling.cluster import make_on_ray
from recbole_finest.rolling.measure import Night, held
from recbole_finest.rolling.periods import Periods
from recbole_finest.rolling.request import KEEP, RETRAIN, Request, method_of

REPLAY, RECORDS = "rolling.json", "records.json"
EVERYBODY, WITH_NEWS = "everybody", "with_news"  # whose lists are made anew every night
OWN = {"seed", "eval_args", "dataset", "model"}
GROWS = ("models", "methods", "seeds")  # more of them add to what a folder has


def rolling(
    request: Request,
    config_file_list: Sequence[str] = (),
    config_dict: Mapping[str, Any] | None = None,
    command_line: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Replay a log, night after night, by several methods.

    Everybody's history up to a night is trained on, lists are made for everybody, and the next period's
    interactions are the truth. ``retrain`` is always among the methods: drift and cost are counted
    against it.

    Args:
        request: what to replay, and how.
        config_file_list, config_dict, command_line: settings, as for :class:`Config`.

    Returns:
        The contents of ``records.json``: ``replay``, what was asked for, and ``records``, one for each
        model, seed, method, night and ``served``: ``everybody``, all lists are made anew, or ``with_news``,
        only those of people who have interactions in that period. Keys: those of :meth:`Night.values`,
        ``seconds`` of training, and ``cost``, these over ``retrain``'s.

    Raises:
        UserError: anything that the user can put right.
    """
    with kept("output_dir", request.output_dir, CONTINUES):
        return _rolling(request, config_file_list, config_dict, command_line)


def _rolling(
    request: Request,
    config_file_list: Sequence[str],
    config_dict: Mapping[str, Any] | None,
    command_line: Mapping[str, str] | None,
) -> dict[str, Any]:
    request.check()
    quiet_recbole()
    files, words = tuple(config_file_list), dict(command_line or {})
    settings = {**(config_dict or {}), **{n: parse_value(word) for n, word in words.items()}}
    for name in sorted(OWN & set(settings)):
        raise UserError(f"{name} is decided by the replay; leave it out")
    configs = [Config(m, request.dataset, files, config_dict, words) for m in request.models]
    for model in request.models:  # unknown names and bad values are refused here
        for method in request.methods:
            given = {n: str(v) for n, v in method_of(method)[1].items()}
            Config(model, request.dataset, files, config_dict, {**words, **given})
    periods = Periods(configs[0], request.start, request.periods)
    root = Path(request.output_dir)
    _check_folder(root, asked := _asked(request, files, settings, configs[0]))
    with writes(root, own=True):
        root.mkdir(parents=True, exist_ok=True)
    write_json(root / REPLAY, asked)  # first: it says what the folder is
    periods.write(own_folder(root, "data"))
    names = [config["model"] for config in configs]
    replays = _replays(request, periods, root, names, files, settings)
    if request.address is not None:
        make_on_ray(request.address, replays)
    records: list[dict[str, Any]] = []
    total = sum(len(chains) for chains in replays) * (request.periods + 1)
    bar = tqdm(total=total, desc="Nights", unit="night")
    with bar, continued_by(lambda: "the same command"):
        for chains in replays:
            records += _measured(chains, periods, request.topk, bar)
    found = {"replay": {**asked, **_growing(request)}, "records": records}
    write_json(root / RECORDS, found)
    return found


def _replays(
    request: Request,
    periods: Periods,
    root: Path,
    names: Sequence[str],
    files: tuple[str, ...],
    settings: Mapping[str, Any],
) -> list[list[Chain]]:
    """The methods of each model and seed, retrain first."""
    methods = list(dict.fromkeys([RETRAIN, *request.methods]))
    if request.address is not None:  # tasks stand in other folders
        root, files = root.resolve(), tuple(str(Path(file).resolve()) for file in files)
    return [
        [Chain(periods, root, model, name, m, seed, request.topk, files, settings) for m in methods]
        for model, name in zip(request.models, names)
        for seed in request.seeds
    ]


def _measured(chains: Sequence[Chain], periods: Periods, k: int, bar: tqdm) -> list[dict[str, Any]]:
    """Records of the methods of one model and seed, retrain's first."""
    records: list[dict[str, Any]] = []
    retrained: list[Lists] = []
    for chain in chains:
        nights = []
        for lists in chain.nights():
            nights.append(lists)
            bar.update()
        retrained = retrained or nights
        records += _records(chain, nights, retrained, periods, k)
    return records


def _records(
    chain: Chain, nights: list[Lists], retrained: list[Lists], periods: Periods, k: int
) -> Iterator[dict[str, Any]]:
    for served in (EVERYBODY, WITH_NEWS)[: 1 if chain.method == KEEP else 2]:
        before = nights[0].items
        for number, (lists, other) in enumerate(zip(nights[1:], retrained[1:]), 1):
            now = lists.items
            if served == WITH_NEWS:
                now = held(before, now, periods.active(number))
            yield {
                "model": chain.name,
                "seed": chain.seed,
                "method": chain.method,
                "served": served,
                "night": number,
                **Night(periods, number, k).values(before, now, other.items),
                "seconds": lists.seconds,
                "cost": lists.seconds / other.seconds if other.seconds else None,
            }
            before = now


def _asked(
    request: Request, files: tuple[str, ...], settings: Mapping[str, Any], config: Config
) -> dict[str, Any]:
    """What makes two replays the same one, apart from ``GROWS``."""
    log = Path(str(config["data_path"])) / f"{config['dataset']}.inter"
    given = {**{n: v for file in files for n, v in read_yaml(file).items()}, **settings}
    given = {n: v for n, v in given.items() if n not in having(Role.PLACE)}
    asked = {name: value for name, value in asdict(request).items() if name not in GROWS}
    del asked["output_dir"], asked["address"]
    return {
        **asked,
        "settings": {name: str(value) for name, value in sorted(given.items())},
        "log": hashlib.sha256(log.read_bytes()).hexdigest(),
    }


def _growing(request: Request) -> dict[str, list[Any]]:
    return {name: list(getattr(request, name)) for name in GROWS}


def _check_folder(root: Path, asked: Mapping[str, Any]) -> None:
    """Refuse a folder that holds something else, or another replay."""
    path = root / REPLAY
    with writes(root):
        if not path.is_file():
            if root.exists() and (not root.is_dir() or any(root.iterdir())):
                raise UserError(f"output_dir '{root}' holds other files; choose another folder")
            return
    try:
        there = read_json(path)
    except (OSError, ValueError) as error:
        raise UserError(f"'{path}' cannot be read: {error}; choose another output_dir") from error
    other = [
        name for name in asked if not isinstance(there, dict) or there.get(name) != asked[name]
    ]
    if other:
        raise UserError(
            f"output_dir '{root}' holds a replay with other {', '.join(other)}; choose another folder"
        )
