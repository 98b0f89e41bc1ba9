"""What training costs on a GPU, and whether it gives a CPU's lists; under eight minutes.

    python benchmarks/gpu_check.py [--data_path=../shared/data] [--datasets=ml-100k] [--output=gpu.md]

Seconds of an epoch of RecBole's trainer and of ours, also under automatic mixed precision and
``torch.compile``, the share of the time in which the GPU computes, and peak memory: every figure from a
process of its own, 30 steps after a warm-up. Then the lists of one model on both devices.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tabulate import tabulate
from training import LENGTH, OURS, run

AMP = {"enable_amp": True, "enable_scaler": True}
VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, {}) for name in ("recbole", *OURS)},
    "recbole, amp": ("recbole", AMP),
    "packed finest, amp": ("packed finest", AMP),
    "packed finest, compiled": ("packed finest", {"compile_model": True}),
    "packed finest, both passes": ("packed finest", {"finest_dropout": "next_item"}),
}
MODELS = {
    "SASRec": list(VARIANTS),
    "GRU4Rec": ["recbole", *OURS, "packed finest, amp"],
    "BERT4Rec": ["recbole", "instance", "instance finest"],
}
SECONDS = 7 * 60  # after which no further measurement is begun


def costs(args: argparse.Namespace) -> list[list[str]]:
    """Rows of the table; what would begin too late is left out."""
    begin, rows = time.monotonic(), []
    for dataset in args.datasets.split(","):
        for model, names in MODELS.items():
            for name in names:
                late = time.monotonic() - begin > SECONDS
                found = {} if late else measured(args, model, dataset, *VARIANTS[name])
                rows.append([model, dataset, name, *cells(found)])
    return rows


def measured(
    args: argparse.Namespace, model: str, dataset: str, kind: str, changed: dict[str, Any]
) -> dict[str, float]:
    """One measurement; empty where it fails, with the reason on standard error."""
    settings = {"data_path": args.data_path, "MAX_ITEM_LIST_LENGTH": LENGTH, "use_gpu": True}
    if dataset == "ml-100k":
        del settings["data_path"]  # comes with RecBole
    what = {"kind": "recbole"} if kind == "recbole" else {"kind": "ours", **OURS[kind]}
    task = {**what, "model": model, "dataset": dataset, "steps": 30, "profile": True}
    try:
        return run({**task, "settings": {**settings, **changed}}, args.threads)
    except SystemExit as error:
        print(str(error)[-500:], file=sys.stderr)
        return {}


def cells(found: dict[str, float]) -> list[str]:
    """Seconds of an epoch, milliseconds of a step, share of time in kernels, memory of GPU and host."""
    if not found:
        return ["–"] * 5
    return [
        f"{found['epoch']:.2f}",
        f"{1000 * found['step']:.1f}",
        f"{100 * found['kernels']:.0f} %",
        f"{found.get('gpu_peak', 0):.2f}",
        f"{found['peak']:.2f}",
    ]


def lists(device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Top 100 items and their scores, ``[n_test, 100]``, of SASRec with the weights of its seed."""
    from recbole_finest.config.config import Config
    from recbole_finest.data.prepare import prepare
    from recbole_finest.evaluator.topk import top_items
    from recbole_finest.model.build import build_model
    from recbole_finest.scoring.scorer import Scorer

    settings = {"MAX_ITEM_LIST_LENGTH": LENGTH, "use_gpu": device == "cuda"}
    config = Config("SASRec", "ml-100k", None, settings)
    data = prepare(config)
    torch.manual_seed(0)
    model = build_model(config, data.train).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():  # the same weights on both devices, and lists that differ between people
        for weight in model.parameters():
            weight.add_(torch.randn(weight.shape, generator=generator).to(weight) * 0.1)
        found = []
        for batch in data.test_loader():
            scores = Scorer(model, data.train).all_items(batch[0].to(config["device"])).cpu()
            scores[:, 0] = -torch.inf
            best = top_items(scores, 100)
            found.append((best, scores.gather(1, best)))
    return torch.cat([items for items, _ in found]), torch.cat([scores for _, scores in found])


def same_lists() -> str:
    """One sentence on how far the lists of GPU and CPU agree."""
    (gpu, gpu_scores), (cpu, cpu_scores) = lists("cuda"), lists("cpu")
    equal = (gpu == cpu).double().mean().item()
    apart = (gpu_scores - cpu_scores).abs().max().item()
    verdict = "yes" if apart < 1e-3 and equal > 0.99 else "NO"
    return (
        f"The same lists on both devices: {verdict}. {100 * equal:.2f} % of the places hold the same "
        f"item, and scores differ by at most {apart:.1e} (sums in another order)."
    )


def main() -> None:
    """Print the table and the comparison."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data_path", default="../shared/data")
    parser.add_argument("--datasets", default="ml-100k")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--output", type=Path)
    args = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("gpu_check.py needs a CUDA GPU, but PyTorch finds none on this machine.")
    args.data_path = str(Path(args.data_path).resolve())
    name = torch.cuda.get_device_name()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    rows = costs(args)
    if visible is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = visible
    headers = ["model", "data", "what", "s an epoch", "ms a step", "in kernels", "GPU GiB", "GiB"]
    table = tabulate(rows, headers, tablefmt="github", disable_numparse=True)
    text = f"{name}, torch {torch.__version__}\n\n{table}\n\n{same_lists()}\n"
    print(text)
    if args.output:
        args.output.write_text(text, encoding="utf-8")
    print(json.dumps({"measured": sum(row[3] != "–" for row in rows), "of": len(rows)}))


if __name__ == "__main__":
    main()
