"""A figure for each question that a run's methods answer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import plotly.graph_objects as go

from recbole_finest.names import ALONE
from recbole_finest.report.run.contents import Report
from recbole_finest.report.style import Figure


@dataclass(frozen=True)
class FigureBlock:
    """What is drawn in one figure.

    Attributes:
        asked: the question.
        words: what the block is called; empty where it is the only one.
        names: its models.
    """

    asked: str
    words: str
    names: list[str]

    def figure(self, name: str, section: str, title: str, note: str, plot: go.Figure) -> Figure:
        """The figure under the block's name and title."""
        name = name if self.asked == ALONE else f"{name}-{self.asked}"
        title = f"{title}: {self.words.lower()}" if self.words else title
        plot.update_layout(showlegend=True)  # a block may be one line, which has to be named
        return Figure(name, section, title, note, plot)


def blocks(report: Report, names: Iterable[str]) -> Iterator[FigureBlock]:
    """The models whose lists were compared, by question."""
    for asked, members in report.blocks(n for n in names if n in report.pairs).items():
        yield FigureBlock(asked, report.words(asked), members)
