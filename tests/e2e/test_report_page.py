"""report.html in a real browser, from its folder."""
import os

import pytest

import browser
import harness
import incident_maker

LIMIT_BYTES = 500_000


@pytest.fixture(scope="module", name="reports")
def made_reports(tmp_path_factory):
    """Paths of the reports of a story, by name."""
    browser.install()
    root = str(tmp_path_factory.mktemp("incidents"))
    ids = incident_maker.story(root)
    browser.analyse(root)
    del ids["rounds"]
    return {name: os.path.join(browser.find(root, incident), "report.html")
            for name, incident in ids.items()}


def test_reports_are_small(reports):
    sizes = {name: os.path.getsize(path) for name, path in reports.items()}
    assert max(sizes.values()) < LIMIT_BYTES, sizes


def test_reports_name_nothing_to_fetch(reports):
    for path in reports.values():
        text = harness.read(path).decode()
        for word in (' src="http', "@import", "url(", "<link", "<iframe", "<base"):
            assert word not in text.replace("<link rel=\"icon\" href=\"data:", ""), (path, word)


def test_report_in_the_browser(reports):
    browser.run("report.mjs", reports={name: f"file://{path}" for name, path in reports.items()})
