"""The report in a real browser."""

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


def test_the_policy_stops_what_would_be_fetched(browser, page):
    browser.open(page, 1280)
    browser.value("void (new Image().src = 'http://outside.invalid/a.png')")
    browser.wait_for("true")
    urls = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    sent = [url for url in urls if "outside.invalid" in url]
    blocked = [e for e in browser.reported("Log.entryAdded") if "outside.invalid" in str(e)]
    assert not sent or blocked
