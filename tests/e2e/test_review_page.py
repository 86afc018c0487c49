"""`stakeout review` in a real browser."""
import json
import os
import subprocess
import sys
import urllib.request

import pytest

import browser
import harness
import incident_maker


@pytest.fixture(scope="module", name="place")
def analysed_place(tmp_path_factory):
    """A folder of incidents with their reports, and their names."""
    browser.install()
    root = str(tmp_path_factory.mktemp("incidents"))
    ids = incident_maker.story(root)
    browser.analyse(root)
    return root, ids


@pytest.fixture(name="review")
def running_review(place, closing):
    return closing(browser.Review(place[0]))


def given(place, review):
    with urllib.request.urlopen(f"{review.base}incident/{place[1]['round']}") as page:
        has_speedscope = b'"/speedscope/' in page.read()
    return {"base": review.base, "ids": place[1], "root": place[0], "speedscope": has_speedscope,
            "python": sys.executable, "maker": incident_maker.__file__}


def test_an_incident(place, review):
    browser.run("incident.mjs", **given(place, review))


def test_the_list(place, review):
    browser.run("list.mjs", **given(place, review))


def test_downloads_are_what_is_stored(place, review, tmp_path):
    root, ids = place
    folder = browser.find(root, ids["round"])
    with open(os.path.join(folder, "incident.json"), encoding="utf-8") as file:
        names = [profile["file"] for profile in json.load(file)["profiles"]]
    for name in (*names, "metrics.csv"):
        with urllib.request.urlopen(f"{review.base}incident/{ids['round']}/{name}") as answer:
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
            data = answer.read()
        assert data == harness.read(os.path.join(folder, name))
        if name.endswith(".pb.gz"):
            (tmp_path / name).write_bytes(data)
            shown = subprocess.run(["go", "tool", "pprof", "-top", str(tmp_path / name)], text=True,
                                   capture_output=True, timeout=60, check=False)
            assert "GetRematchStreak" in shown.stdout, shown.stderr
