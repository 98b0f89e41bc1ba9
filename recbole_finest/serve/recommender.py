"""Lists for any history, from a saved model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from recbole.data.interaction import Interaction
from torch import nn
from typing_extensions import Self

from recbole_finest.config.config import Config
from recbole_finest.data.dataset import LogDataset
from recbole_finest.data.loader import EvalLoader
from recbole_finest.errors import UserError
from recbole_finest.evaluator.evaluation import hide_seen
from recbole_finest.evaluator.topk import top_items_and_scores
from recbole_finest.files import PathLike
from recbole_finest.scoring.scorer import Scorer
from recbole_finest.serve.found import Found, Recommendations, check_depth
from recbole_finest.serve.histories import Histories, from_tokens, of_dataset
from recbole_finest.serve.instances import instances_of
from recbole_finest.serve.load import load_served
from recbole_finest.serve.strangers import average_person
from recbole_finest.serve.vocabulary import Vocabulary


class Recommender:
    """A trained model that gives lists for histories of item tokens.

    A list is what the evaluation gives for the same history: the same instance goes through the same
    loader, transform and scorer. Only the last ``MAX_ITEM_LIST_LENGTH`` interactions are read.

    People: models with a vector for each user (Caser, FOSSIL, FPMC, HGN, HRM, NPE, SHAN, TransRec) look
    a known user token up; for anybody else they take the mean of all users' vectors. The other models
    treat all people alike. TiSASRec reads times: a known person's are counted in the unit of the
    training, anybody else's in the smallest positive gap of the history at hand. A model of one's own
    that keeps users otherwise than in an ``nn.Embedding`` sees user id 0 (padding).

    Args:
        config: the model's settings.
        dataset: a loaded data set, whose people and histories :meth:`whole_histories` gives.
        model: trained; the row of its user tables that is nobody's is changed in place.
        home: a part of ``dataset`` with the model's ids, such as the training set.

    Example::

        recommender = Recommender.load("runs/demo")
        found = recommender.recommend([["242", "302"], ["51"]], k=10)
        found.items[0]  # ten tokens, best first
    """

    def __init__(self, config: Config, dataset: LogDataset, model: nn.Module, home: LogDataset):
        self.dataset, self.home = dataset, home
        self.vocabulary = Vocabulary.of_dataset(home)
        self.scorer = Scorer(model.eval(), home)
        self.n_items = self.scorer.n_items - 1
        fit = config["score_memory"] * 2**20 // (2 * 4 * self.scorer.n_items)
        self.config = config.but(eval_batch_size=max(1, min(config["eval_batch_size"], fit)))
        self.loader = EvalLoader(self.config, home.copy(home.inter_feat[:0]))
        self.reads_users = average_person(self.scorer, self._probe())

    @classmethod
    def load(
        cls, path: PathLike, dataset: str | None = None, check_ids: bool = True, **settings: Any
    ) -> Self:
        """The model of a run of ours, of a ``.pth`` of ours, or of one of RecBole's.

        Its data set is loaded, too: models are made from it. Where the ids there are not the
        checkpoint's, users and items are joined by token. RecBole's checkpoints carry no tokens; they
        are accepted where the model reaches the validation score kept in them.

        Args:
            path: a run's folder (its ``model.pth``, ``finest.pth`` or ``base.pth``), or a ``.pth``.
            dataset: name of a data set, for example today's; None is the one that it was trained on.
            check_ids: False accepts a checkpoint whose ids nothing vouches for.
            settings: such as ``data_path``, ``eval_batch_size``, ``gpu_id``; they win over the
                checkpoint's. ``model`` names a class of one's own, which is imported only then.

        Raises:
            UserError: no such file, another model's, or ids that are not those of the training.
        """
        served = load_served(path, dataset, check_ids, settings)
        return cls(served.config, served.dataset, served.model, served.home)

    def recommend(
        self,
        histories: Sequence[Sequence[Any]],
        k: int = 10,
        users: Sequence[Any] | None = None,
        times: Sequence[Sequence[float]] | None = None,
        filter_seen: bool = False,
    ) -> Recommendations:
        """The best items for each history.

        Args:
            histories: item tokens, oldest first, ``[n][…]``, of anybody.
            k: length of the lists.
            users: a user token or None for each, ``[n]``, for models that know people.
            times: of each item, in the data set's units, ``[n][…]``; a history is sorted by them.
            filter_seen: leave the items of the history out.

        Returns:
            Tokens and scores. Items that the model does not know are skipped and counted; a history
            without any known item has an empty list and is named in ``notes``.

        Raises:
            UserError: k below 1, lists of other lengths, or the model reads what is not given.
        """
        check_depth(k)
        asked = from_tokens(self.vocabulary, histories, users, times)
        found = self.find(asked.nonempty(), k, filter_seen)
        items: list[list[str]] = [[] for _ in range(len(asked))]
        scores: list[list[float]] = [[] for _ in range(len(asked))]
        for row, ids, values in zip(np.flatnonzero(asked.length), found.items, found.scores):
            items[row] = self.vocabulary.items[ids[ids > 0]].tolist()
            scores[row] = values[ids > 0].tolist()
        empty = np.flatnonzero(asked.length == 0)
        notes = self.notes(k, int(found.strangers.sum()))
        if len(empty):
            notes.append(
                "histories without an item that the model knows, whose lists are empty: "
                f"{len(empty)} of {len(asked)} (the first is number {empty[0]})"
            )
        return Recommendations(items, scores, asked.unknown.tolist(), notes)

    def whole_histories(self, users: np.ndarray | None = None) -> Iterator[Histories]:
        """Histories of the data set's people with all their interactions, training, validation and test.

        Args:
            users: the data set's user ids, ``[n]``; None is everybody.
        """
        return of_dataset(self.dataset, self.vocabulary, users)

    def stream(
        self, histories: Iterable[Histories], k: int, filter_seen: bool = False
    ) -> Iterator[Found]:
        """Lists of any number of people, as they come; those without a known item are left out."""
        for part in histories:
            yield self.find(part.nonempty(), k, filter_seen)

    @torch.no_grad()
    def find(self, histories: Histories, k: int, filter_seen: bool = False) -> Found:
        """Lists as ids; no history may be empty, and k is at least 1."""
        depth, user_ids = min(k, self.n_items), self.vocabulary.user_ids(histories.users)
        items, scores = [np.zeros((0, depth), np.int32)], [np.zeros((0, depth), np.float32)]
        for batch, hide in self._batches(histories, user_ids):
            logits = self._logits(batch)
            if filter_seen:
                hide(logits)
            best, value = top_items_and_scores(logits, depth)
            items.append(best.to(torch.int32).cpu().numpy())
            scores.append(value.cpu().numpy())
        strangers = (user_ids == 0) & self.reads_users
        return Found(histories.users, np.concatenate(items), np.concatenate(scores), strangers)

    def _batches(self, histories: Histories, user_ids: np.ndarray) -> Iterator[tuple]:
        """Batches as the evaluation's, each with a function that hides its histories' items."""
        if not len(histories):
            return
        part = instances_of(self.home, self.home.fields, histories, user_ids)
        view, step = part.inter_feat, self.loader.step
        self.loader._dataset = part  # a loader for each part would be freed by the collector alone
        for first in range(0, len(part), step):
            rows = range(first, min(first + step, len(part)))
            positions = view.positions[first : first + step]
            batch, *_ = self.loader.collate_fn(rows)
            yield batch, lambda scores, p=positions: hide_seen(scores, view.log, p)

    def _logits(self, batch: Interaction) -> torch.Tensor:
        try:
            scores = self.scorer.all_items(batch.to(self.config["device"])).float()
        except KeyError as error:
            raise UserError(
                f"model '{self.config['model']}' reads {error} of interactions, which these histories do "
                "not have; recommend to the data set's own people"
            ) from error
        scores[:, 0] = -torch.inf
        return scores

    def _probe(self) -> Interaction:
        """Instances of a few users, in which no other column is the users'."""
        n = min(7, len(self.vocabulary.users) - 1, max(1, self.n_items - 1))
        users, last = np.arange(n, 0, -1), np.arange(1, n + 1)
        items = np.column_stack([np.minimum(last + 1, self.n_items), last]).reshape(-1)
        names, begin = self.vocabulary.users[users], np.arange(0, 2 * n + 1, 2)
        nothing = np.zeros(2 * n, np.int64)  # times, and rows, whose other columns do not matter
        histories = Histories(names, begin, items, nothing[:n], nothing.astype(float), nothing)
        (batch, _), *_ = self._batches(histories, users)
        return batch.to(self.config["device"])

    def notes(self, k: int, strangers: int) -> list[str]:
        """What a reader of lists should know: short lists, and people whom the model does not know."""
        notes = []
        if k > self.n_items:
            notes.append(f"lists have {self.n_items} items, not {k}: the model knows no more")
        if strangers:
            notes.append(
                f"people unknown to model '{self.config['model']}', which reads users, for whom the "
                f"average person stands: {strangers}"
            )
        return notes
