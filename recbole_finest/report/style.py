"""How the figures look: colours that colour-blind readers tell apart, and one layout for all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

# Okabe and Ito's palette, without the hues that are too pale on white
COLOURS = ("#D55E00", "#009E73", "#0072B2", "#CC79A7", "#000000", "#8C6D00")
DASHES = ("dot", "dash", "solid", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "cross")
HEIGHT = 360  # pixels
LEGEND_LINE = 19
CONFIG = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "modeBarButtons": [["toImage", "zoomIn2d", "zoomOut2d", "resetScale2d"]],
}


@dataclass(frozen=True)
class Figure:
    """One figure and what it shows.

    Attributes:
        name: its id in the page.
        section: the part of the page that it belongs to.
        title: its heading.
        note: one plain sentence on how to read it.
        plot: the Plotly figure.
    """

    name: str
    section: str
    title: str
    note: str
    plot: go.Figure


class Styles:
    """A colour, dash and symbol for each model, the same in all figures."""

    def __init__(self, names: list[str]):
        self.place = {name: i for i, name in enumerate(names)}

    def line(self, name: str) -> dict[str, Any]:
        dash = self._of(DASHES, name, self._round(name))
        return {"color": self._of(COLOURS, name), "dash": dash, "width": 2.5}

    def marker(self, name: str) -> dict[str, Any]:
        symbol = self._of(SYMBOLS, name, self._round(name))
        return {"color": self._of(COLOURS, name), "symbol": symbol, "size": 9}

    def _round(self, name: str) -> int:
        """How often the colours have been used up: a colour that comes again has another dash."""
        return self.place[name] // len(COLOURS)

    def _of(self, values: tuple[str, ...], name: str, shift: int = 0) -> str:
        return values[(self.place[name] + shift) % len(values)]


def figure(traces: list[Any], x: str, y: str, height: int = HEIGHT) -> go.Figure:
    """A figure with labelled axes, its legend below, that fits itself to the width it gets.

    On a phone each trace may take a line of the legend, so that many of them make it higher.
    """
    height += LEGEND_LINE * max(0, len(traces) - 4)
    axis = {
        "automargin": True,
        "gridcolor": "#e3e6ea",
        "linecolor": "#667080",
        "ticks": "outside",
        "tickcolor": "#667080",
        "zeroline": False,
        "title": {"standoff": 8, "font": {"size": 14}},
    }
    layout = go.Layout(
        autosize=True,
        height=height,
        margin={"l": 8, "r": 12, "t": 30, "b": 8},
        font={"family": "system-ui, sans-serif", "size": 13, "color": "#1c2430"},
        paper_bgcolor="#ffffff",
        plot_bgcolor="#ffffff",
        legend={"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"},
        hovermode="closest",
        dragmode=False,  # a finger on a figure scrolls the page
        xaxis=axis,
        yaxis=axis,
    )
    found = go.Figure(data=traces, layout=layout)
    found.update_layout(template=None, xaxis_title_text=x, yaxis_title_text=y)
    return found
