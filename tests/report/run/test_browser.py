"""The report in a real browser."""

import json

import pytest

from recbole_finest.report.run.write import write_report
from tests.report.run.sample_run import add_replicates, write_run

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return write_report(add_replicates(write_run(tmp_path_factory.mktemp("browser") / "run")))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_without_errors_or_requests(browser, page, width):
    browser.open(page, width)
    plots = browser.value("document.querySelectorAll('.plotly-graph-div').length")
    assert plots >= 8
    # a drawn figure has its axes; an error would leave the element empty
    browser.wait_for(f"document.querySelectorAll('.plotly-graph-div .xtitle').length >= {plots}")
    requests = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert [url for url in requests if url.startswith("file:")] == [page.resolve().as_uri()]
    assert browser.reported("Runtime.exceptionThrown") == []
    assert [e for e in browser.reported("Log.entryAdded") if e["entry"]["level"] == "error"] == []
    said = browser.reported("Runtime.consoleAPICalled")
    assert [entry for entry in said if entry["type"] in ("error", "warning")] == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_its_width_and_is_legible(browser, page, width):
    browser.open(page, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    sizes = "[...document.querySelectorAll('.plotly-graph-div svg text')]"
    smallest = f"Math.min(...{sizes}.map(t => parseFloat(getComputedStyle(t).fontSize)))"
    assert browser.value(smallest) >= 12
    assert browser.value(
        "[...document.querySelectorAll('.plotly-graph-div')].every(f =>"
        " f.clientWidth <= f.closest('figure').clientWidth + 1)"
    )


def edges(browser, name: str) -> tuple[int, int]:
    """How dark the left and the right edge of a table's region are below its text, 255 being white."""
    box = browser.value(
        f"(r => [r.left + scrollX, r.bottom + scrollY, r.width])"
        f"(document.querySelector('#table-{name}').closest('.scroll').getBoundingClientRect())"
    )
    left, bottom, width = box
    below = browser.picture(left, bottom - 12, width, 8)  # between the last row's text and its line
    return below.getpixel((1, 4)), below.getpixel((round(width) - 2, 4))


def test_a_table_shows_at_which_edge_it_goes_on(browser, page):
    scroll = "document.querySelector('#table-paired').closest('.scroll')"
    browser.open(page, 390)
    assert browser.value(f"{scroll}.scrollWidth > {scroll}.clientWidth + 100")
    assert edges(browser, "paired")[0] == 255 and edges(browser, "paired")[1] < 215
    browser.value(f"void ({scroll}.scrollLeft = 60)")
    assert max(edges(browser, "paired")) < 215
    browser.value(f"void ({scroll}.scrollLeft = 10000)")
    assert edges(browser, "paired")[0] < 215 and edges(browser, "paired")[1] == 255
    browser.open(page, 1280)
    assert browser.value(f"{scroll}.scrollWidth == {scroll}.clientWidth")
    assert edges(browser, "paired") == (255, 255)


def test_curves_of_one_epoch_have_its_tick_alone(browser, tmp_path):
    folder = write_run(tmp_path / "run")
    curves = json.loads((folder / "curves.json").read_text())
    for epochs, ticks in {1: ["1"], 3: ["1", "2", "3"]}.items():
        shown = {name: rows[:epochs] for name, rows in curves.items()}
        (folder / "curves.json").write_text(json.dumps(shown))
        browser.open(write_report(folder), 1280)
        path = "#figure-curve-jaccard-anchored .xtick text"
        browser.wait_for(f"document.querySelector('{path}')")
        assert (
            browser.value(f"[...document.querySelectorAll('{path}')].map(t => t.textContent)")
            == ticks
        )


def test_the_policy_stops_what_would_be_fetched(browser, page):
    browser.open(page, 1280)
    browser.value("void (new Image().src = 'http://outside.invalid/a.png')")
    browser.wait_for("true")
    urls = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    sent = [url for url in urls if "outside.invalid" in url]
    blocked = [e for e in browser.reported("Log.entryAdded") if "outside.invalid" in str(e)]
    assert not sent or blocked
