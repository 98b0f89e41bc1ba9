"""Colours, dashes and symbols of the models."""

from recbole_finest.report.style import COLOURS, HEIGHT, Styles, figure


def test_no_two_of_many_models_look_the_same():
    names = [f"method {n}" for n in range(5 * len(COLOURS))]
    styles = Styles(names)
    assert len({tuple(styles.line(name).values()) for name in names}) == len(names)
    assert len({tuple(styles.marker(name).values()) for name in names}) == len(names)
    assert [styles.line(name)["color"] for name in names[: len(COLOURS)]] == list(COLOURS)


def test_a_long_legend_leaves_the_axes_their_height():
    heights = [figure([{"type": "scatter"}] * n, "x", "y").layout.height for n in (1, 4, 5, 9)]
    assert heights == [HEIGHT, HEIGHT, HEIGHT + 19, HEIGHT + 95]
