"""The table that a run prints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isnan, nan
from typing import Any

from tabulate import tabulate

from recbole_finest.evaluator.collapse import counts, sentence
from recbole_finest.evaluator.measures.direction import in_full_agreement, share_removed
from recbole_finest.experiment.protocol import CONTROL_FAILED
from recbole_finest.names import ALONE, CONTROLS, is_perturbed, perturbed
from recbole_finest.report.labels import label
from recbole_finest.report.questions import (
    COSTLY,
    MEANING,
    NO_EFFECT,
    NO_EFFECT_NOTE,
    TITLES,
    costly,
    costly_note,
    share,
    split,
)
from recbole_finest.report.run.replicates import crossing, printed

INTERVAL = (
    "Instability removed is the share of base's: [its 95 % interval over users], which speaks of these "
    "two trained models, not of other seeds or perturbations."
)

NEWS, FLIPS = "kept news@{} (by chance), %", "lost / gained@{}, %"
NEWS_NOTE = (
    "Kept news: of the items that base' newly lists, the share that the method's list of the perturbed "
    "side holds (its list of the clean side: by chance). Lost / gained: instances whose next item base's "
    "list of the clean log has and the method's of the perturbed log has not, and the reverse."
)


def summary_rows(result: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Header and rows of the table: one row a method, accuracy and stability side by side."""
    accuracy, stable = result["accuracy"], result["stability"]
    shown_accuracy = [m for m in accuracy["base"] if m.split("@")[0] in ("ndcg", "recall", "mrr")]
    k = shown_accuracy[0].split("@")[1] if shown_accuracy else None
    first: Mapping[str, float] = next(iter(stable.values()), {})
    shown_stability = [m for m in first if k is None or m.endswith(f"@{k}")] or list(first)
    shown_accuracy = [m for m in shown_accuracy if m.endswith(f"@{k}")]
    # the price stands beside stability
    shown_accuracy.sort(key=lambda m: m.startswith("ndcg"))
    jaccard = (m for m in shown_stability if m.startswith("jaccard@"))
    removed = next(jaccard, next(iter(shown_stability), None))
    price = shown_accuracy[-1] if shown_accuracy and len(accuracy) > 1 else None
    header = ["model", *shown_accuracy, *([f"{price} change, %"] if price else [])]
    depth = k if result.get("plasticity") else None
    header += [*shown_stability, *([name.format(depth) for name in (NEWS, FLIPS) if depth])]
    header += [*([f"instability removed ({removed})"] if removed else [])]
    rows = []
    for name in _names(result):
        row: list[Any] = [label(name)]
        row += [accuracy[name].get(m) for m in shown_accuracy]
        row += [_change(accuracy, name, price)] if price else []
        row += [stable.get(name, {}).get(m) for m in shown_stability]
        row += _plasticity(result["plasticity"].get(name, {}), depth) if depth else []
        if removed:
            row.append(_removed(result, name, removed))
        rows.append(row)
    return header, rows


def _names(result: Mapping[str, Any]) -> list[str]:
    return [name for name in result["accuracy"] if not is_perturbed(name)]


def _change(accuracy: Mapping[str, Mapping[str, float]], name: str, metric: str) -> str | None:
    """The change of accuracy against base's on the clean and on the perturbed log, in per cent."""
    if name in ("base", *CONTROLS):
        return None
    changes = [
        accuracy[one][metric] / accuracy[base][metric] - 1 if accuracy[base][metric] else nan
        for one, base in ((name, "base"), (perturbed(name), perturbed("base")))
        if one in accuracy and base in accuracy
    ]
    text = " / ".join("–" if isnan(c) else f"{100 * c:+.1f}" for c in changes)
    return text + (f" {COSTLY}" if costly(*changes) else "")


def _plasticity(found: Mapping[str, float | None], k: str) -> list[str | None]:
    """What a method takes up of the change, and the hits that it loses and gains, in per cent."""
    kept, chance = found.get(f"kept_news@{k}"), found.get(f"kept_news_by_chance@{k}")
    news = None if kept is None or chance is None else f"{100 * kept:.0f} ({100 * chance:.0f})"
    lost, gained = found.get(f"lost@{k}"), found.get(f"gained@{k}")
    flips = None if lost is None or gained is None else f"{100 * lost:.2f} / {100 * gained:.2f}"
    return [news, flips]


def _removed(result: Mapping[str, Any], name: str, metric: str) -> str | None:
    """Share of base's instability that a method takes away, in per cent, with its interval."""
    stable = result["stability"]
    if name in ("base", *CONTROLS) or name not in stable or not counts(result, name):
        return None
    mean = share_removed(metric, stable["base"][metric], stable[name][metric])
    known = result.get("removed", {}).get(name, {}).get(metric, {})
    low, high = (nan if known.get(end) is None else known[end] for end in ("low", "high"))
    return None if isnan(mean) else share(mean, low, high)


def collapses(result: Mapping[str, Any]) -> list[str]:
    """A sentence for each model whose lists have collapsed."""
    found = result.get("collapsed") or {}
    return [sentence(label(name), name, how) for name, how in found.items()]


def summary_table(result: Mapping[str, Any], style: str = "github") -> str:
    """The table that a run prints: a block for each question that its methods answer."""
    header, rows = summary_rows(result)
    cells = dict(zip(_names(result), rows))
    blocks = split(cells, result.get("question", {}))
    text = "\n\n".join(
        _titled(asked, [cells[name] for name in names], header, len(blocks) > 1, style)
        for asked, names in blocks.items()
    )
    text += _notes(header, rows)
    if not in_full_agreement(result["stability"].get("control", {})):
        text += f"\n\n{CONTROL_FAILED}"
    text = "\n\n".join([text, *collapses(result)])
    if "replicates" not in result:
        return text
    pairs = result["replicates"]
    first = f"seed {pairs[0]['seed']}, perturbation seed {pairs[0]['perturbation_seed']}"
    all_of_them = f"mean ± standard deviation over {crossing(pairs)}"
    return f"{first}:\n{text}\n\n{all_of_them}:\n{printed(result, header)}"


def _titled(
    asked: str, rows: list[list[Any]], header: Sequence[str], titled: bool, style: str
) -> str:
    table = tabulate(rows, header, tablefmt=style, floatfmt=".4f", missingval="–")
    return f"{TITLES[asked]} ({MEANING[asked]}):\n{table}" if titled or asked != ALONE else table


def _notes(header: Sequence[str], rows: list[list[Any]]) -> str:
    """What the cells need to be read rightly, as lines below the table."""
    texts = [cell for row in rows for cell in row[1:] if isinstance(cell, str)]
    price = next((name for name in header if name.endswith(" change, %")), "").partition(" ")[0]
    found = []
    if price and any("/" in text for text in texts):
        found.append(f"Change of {price}: against base on the clean / on the perturbed log.")
    if any("% [" in text for text in texts):
        found.append(INTERVAL)
    if any(NO_EFFECT in text for text in texts):
        found.append(NO_EFFECT_NOTE)
    if any(COSTLY in text for text in texts):
        found.append(costly_note(price))
    if any(name.startswith("kept news") for name in header):
        found.append(NEWS_NOTE)
    return "\n\n" + "\n".join(found) if found else ""
