"""The command ``recommend``: lists for people, from a saved model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recbole_finest.cli.parser import asks_for_help, parse_settings
from recbole_finest.errors import UserError

if TYPE_CHECKING:
    from recbole_finest.serve.found import Found

HELP = """\
usage: run_finest.py recommend --model_file=RUN_OR_PTH --output=FILE [--topk=10] [--filter_seen=True]
                               [--dataset=NAME --data_path=FOLDER] [--users=FILE] [--others=FILE]
                               [--histories=FILE] [--setting=value …]

The best items for everybody in a data set, from their whole histories (training, validation and test;
the last MAX_ITEM_LIST_LENGTH interactions of each), or for the histories in a file.

  --model_file   a run's folder (its model.pth, finest.pth or base.pth), or a .pth of ours or of RecBole's
  --output       the lists: .npz (which compare reads fastest), .csv, .tsv, .parquet, .trec or .run
  --topk         length of the lists (10)
  --filter_seen  True leaves the items of a person's history out (False)
  --dataset      whose people and histories (the data set that the model was trained on); another one,
                 such as today's log, is joined with the model by user and item tokens
  --users        a text file with a user token on each line; only these people get lists
  --others       lists of an earlier night (.npz, .csv, …): whoever gets no new list keeps the one in there;
                 with --users=people_with_news.txt of an update, nobody else notices anything
  --histories    a CSV file (.tsv, .inter: with tabs) of other histories, people never seen too. Its first
                 line names the columns user, item and, where there are times, time; one row is one
                 interaction, and a person's rows stand together, oldest first where there are no times
  --check_ids    False accepts a checkpoint without tokens (RecBole's) whose ids nothing vouches for (True)

Items that the model does not know are skipped; people without a known item are left out. Any other
setting wins over the model's own, for example --eval_batch_size=1024 or --gpu_id=1.
"""


def main(argv: Sequence[str]) -> int:
    """Write the lists that these settings ask for; returns 0.

    Raises:
        UserError: a bad setting or file; nothing is written then.
    """
    if asks_for_help(argv):
        print(HELP)
        return 0
    settings, files = parse_settings(argv)
    if files:
        raise UserError("config_files is for training; a model brings its own settings")
    recommend(settings)
    return 0


def recommend(settings: dict[str, str]) -> None:
    """Load the model, find the lists, and write them while they are found.

    Args:
        settings: by name, as text; what is not the command's own goes to the model.
    """
    from recbole_finest.compat import parse_value
    from recbole_finest.serve.found import check_depth
    from recbole_finest.serve.kept import Kept
    from recbole_finest.serve.output import check_output, write_lists
    from recbole_finest.serve.people import People
    from recbole_finest.serve.recommender import Recommender

    model_file, target = (_needed(settings, name) for name in ("model_file", "output"))
    output = Path(target)
    k = parse_value(settings.pop("topk", "10"))
    filter_seen = _flag(settings, "filter_seen", "False")
    check_ids = _flag(settings, "check_ids", "True")
    histories, users, others = (_file(settings, n) for n in ("histories", "users", "others"))
    check_depth(k)
    check_output(output, [p for p in (Path(model_file), histories, users, others) if p])
    dataset, shown = settings.pop("dataset", None), settings.get("show_progress") != "False"
    recommender = Recommender.load(model_file, dataset, check_ids, **settings)
    people = People(recommender, histories, users, nobody=others is not None)
    found = _Progress(recommender.stream(people, k, filter_seen), people.total, shown)
    items, lists = recommender.vocabulary.items, iter(found)
    kept = None if others is None else Kept(others, items, min(k, recommender.n_items))
    if kept is not None:
        items, lists = kept.items, kept.after(found)
    written = write_lists(output, lists, items)
    if kept is not None:
        print(f"people who keep their lists of '{others}': {kept.people}")
    for note in [*people.notes(), *recommender.notes(k, found.strangers)]:
        print(note)
    print(f"lists of {min(k, recommender.n_items)} items for {written} people: {output}")


def _needed(settings: dict[str, str], name: str) -> str:
    if name not in settings:
        raise UserError(f"{name} is not set; give --{name}=PATH")
    return settings.pop(name)


def _flag(settings: dict[str, str], name: str, default: str) -> bool:
    text = settings.pop(name, default)
    if text not in ("True", "False"):
        raise UserError(f"{name} is {text!r}, but must be True or False")
    return text == "True"


def _file(settings: dict[str, str], name: str) -> Path | None:
    text = settings.pop(name, None)
    if text is not None and not Path(text).is_file():
        raise UserError(f"{name} is '{text}', which is no file; give the path of one")
    return None if text is None else Path(text)


class _Progress:
    """Lists as they are found, with a bar on a terminal; counts people whom the model does not know."""

    def __init__(self, found: Iterable[Found], total: int | None, shown: bool):
        self.found, self.total = found, total
        self.hidden = None if shown else True
        self.strangers = 0

    def __iter__(self) -> Iterator[Found]:
        from tqdm import tqdm

        with tqdm(desc="Recommend", total=self.total, unit=" people", disable=self.hidden) as bar:
            for part in self.found:
                self.strangers += int(part.strangers.sum())
                bar.update(len(part))
                yield part
