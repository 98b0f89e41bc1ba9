"""The leaderboard in a real browser."""

import pytest

from recbole_finest.report.leaderboard import write_leaderboard
from tests.report.leaderboard.made_up import write_records
from tests.report.leaderboard.test_sweeps import records
from tests.report.leaderboard.test_write import some

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    write_leaderboard(write_records(folder, [*some(), *records(dataset="swept")]))
    return folder / "leaderboard.html"


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_opens_without_errors_or_requests_and_fits(browser, page, width):
    browser.open(page, width)
    plots = browser.value("document.querySelectorAll('.plotly-graph-div').length")
    assert plots == 6  # three data sets, two of them with both questions, and a sweep
    browser.wait_for(f"document.querySelectorAll('.plotly-graph-div .xtitle').length >= {plots}")
    requests = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    assert [url for url in requests if not url.startswith("data:")] == [page.resolve().as_uri()]
    assert browser.reported("Runtime.exceptionThrown") == []
    assert [e for e in browser.reported("Log.entryAdded") if e["entry"]["level"] == "error"] == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert browser.value(
        "[...document.querySelectorAll('.plotly-graph-div')].every(f =>"
        " f.clientWidth <= f.closest('figure').clientWidth + 1)"
    )
