"""Runs that are killed, and what is left when they have gone on to their end.

    python -m tests.experiment.crashes FOLDER KILLS CHAINS [PROCESSES] [SIGNAL]

A chain is a run that is killed, the same command with --resume=True that is killed, and so on, until one is
left alone. With 0 chains, a run and its continuation are killed inside each kind of write instead. Prints
one JSON object a chain or a kind, and the sums.
"""

from __future__ import annotations

import json
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import torch

from tests.experiment.dying import CASES, STEP, prepare, run, words

TIMES = ("seconds", "cost")
WANTED = (
    STEP,
    "half of",
    "state.pth",
    "npy",
    ".pth before",
    "manifest",
    "training.pth",
    ".json",
    "removed",
)


def differences(whole: Path, cut: Path) -> list[str]:
    """Names of files and of parts of ``result.json`` that differ between two finished runs."""
    found = []
    names = {p.relative_to(f) for f in (whole, cut) for p in f.rglob("*") if p.is_file()}
    for name in sorted(n for n in names if n.suffix in (".npz", ".npy", ".pth", ".part")):
        one, other = whole / name, cut / name
        if not (one.is_file() and other.is_file()):
            found.append(f"{name} is there once")
        elif name.suffix == ".pth":
            found += [str(name)] if not _same_models(one, other) else []
        elif one.read_bytes() != other.read_bytes():
            found.append(str(name))
    one, other = (json.loads((f / "result.json").read_text()) for f in (whole, cut))
    found += [f"result.json: {k}" for k in one if k not in TIMES and one[k] != other.get(k)]
    curves = [(f / "curves.json").read_bytes() for f in (whole, cut)]
    return found + (["curves.json"] if curves[0] != curves[1] else [])


def _same_models(one: Path, other: Path) -> bool:
    first, second = (torch.load(path) for path in (one, other))
    weights = first["state_dict"]
    same = all(torch.equal(w, second["state_dict"][n]) for n, w in weights.items())
    return same and first.get("curve") == second.get("curve")


def most_repeated(file: Path) -> int:
    """The most epochs that a run trained although an earlier one had begun them."""
    runs: dict[str, list[tuple[str, str]]] = {}
    for line in file.read_text().splitlines():
        pid, name, epoch = line.split()
        runs.setdefault(pid, []).append((name, epoch))
    seen: set[tuple[str, str]] = set()
    most = 0
    for begun in runs.values():
        most = max(most, len(seen & set(begun)))
        seen |= set(begun)
    return most


def chain(root: Path, number: int, kills: int, world: int, by: int) -> dict[str, Any]:
    """One run, killed and resumed; what differs from an uninterrupted one, and what was said.

    Args:
        root: where files go.
        number: of the chain; says which case it is, and which events are hit.
        kills: how often it is killed.
        world: number of processes.
        by: number of the signal.
    """
    case = number % len(CASES) if world == 1 else 0  # S3Rec's pre-training wants one process
    whole, cut = uninterrupted(root, case, world), root / f"cut{number}-{world}-{by}"
    events = json.loads(whole.with_suffix(".events").read_text())
    rng = random.Random(number)
    codes = []
    for kill in range(kills):
        at = int(len(events) / (kills + 1) * rng.uniform(0.4, 1.2))  # its share, more or less
        dying = kill % world if by == signal.SIGKILL else 0
        if dying:  # it writes nothing: its events are the steps alone
            at = int(at * events.count(STEP) / len(events))
        how = {"by": by, "world": world, "dying": dying}
        how["wanted"] = WANTED[(number * kills + kill) % len(WANTED)] if dying == 0 else STEP
        codes.append(run(command(case, cut), cut, at, **how))
    last = run(command(case, cut), cut, world=world)
    return {"chain": number, "case": CASES[case]["model"], "codes": codes, **left(whole, cut, last)}


def uninterrupted(root: Path, case: int, world: int) -> Path:
    """The folder of a run that was not killed."""
    whole = root / f"whole{case}-{world}"
    if not whole.exists():
        assert run(command(case, whole), whole, world=world) == 0, whole.with_suffix(".said")
    return whole


def command(case: int, cut: Path) -> list[str]:
    """The command line that begins a run, or goes on with it once it has a folder."""
    resume = {"resume": True} if _begun(cut) else {}
    return words(case, cut, cut.parent / "data", **resume)


def _begun(cut: Path) -> bool:
    return any((cut / name).is_file() for name in ("config.yaml", "manifest.json"))


def left(whole: Path, cut: Path, last: int) -> dict[str, Any]:
    """What there is to say once the last run has ended, with the exit code ``last``."""
    said = cut.with_suffix(".said").read_text()
    hit = cut.with_suffix(".kills")
    return {
        "last": last,
        "killed at": hit.read_text().splitlines() if hit.is_file() else [],
        "differ": differences(whole, cut) if last == 0 else ["not finished"],
        "repeated": most_repeated(cut.with_suffix(".epochs")),
        "traceback": "Traceback" in said,
        "said": [line for line in said.splitlines() if "continue with" in line],
    }


def writes(root: Path, case: int = 0) -> list[dict[str, Any]]:
    """For every kind of file: a run and its continuation killed in its write, and a last one."""
    whole = uninterrupted(root, case, 1)
    events = json.loads(whole.with_suffix(".events").read_text())
    found = []
    for number, kind in enumerate(dict.fromkeys(e for e in events if e.startswith("half of"))):
        cut = root / f"write{number}"
        codes = [run(command(case, cut), cut, 0, wanted=kind) for _ in range(2)]
        last = run(command(case, cut), cut)
        found.append({"chain": number, "case": kind, "codes": codes, **left(whole, cut, last)})
    return found


def report(root: Path, kills: int, chains: int, world: int = 1, by: int = signal.SIGKILL) -> list:
    """All chains; with 0 of them every kind of write."""
    prepare(root)
    return [chain(root, n, kills, world, by) for n in range(chains)] or writes(root)


def totals(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures of a table."""
    return {
        "killed": sum(len(one["killed at"]) for one in found),
        "chains": len(found),
        "identical": sum(not one["differ"] for one in found),
        "most epochs repeated": max(one["repeated"] for one in found),
        "tracebacks": sum(one["traceback"] for one in found),
        "at": dict(Counter(what for one in found for what in one["killed at"]).most_common()),
    }


if __name__ == "__main__":
    folder, kills, chains, *rest = sys.argv[1:]
    found = report(Path(folder).absolute(), int(kills), int(chains), *map(int, rest))
    for one in found:
        print(json.dumps(one))
    print(json.dumps(totals(found), indent=2))
