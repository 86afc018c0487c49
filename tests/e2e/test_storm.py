"""The storm of docs/storm.md, in small: the same code with fewer bytes and agents, worse weather, and tokens that
last for seconds."""
import contextlib
import random

import pytest

import harness
from storage import S3Server
from storm import delivery, fleet, page
from storm.proxy import Weather

MEGABYTES, AGENTS = 40, 6
WEATHER = Weather(broken=0.12, refused=0.06, token_s=3)


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """One that gives session tokens."""
    folder = str(tmp_path_factory.mktemp("s3") / "server")
    with contextlib.closing(S3Server(folder, sts="on")) as server:
        yield server


def assert_all(points):
    failed = [point for point in points if not point.holds]
    assert not failed, "\n".join(f"{point.what}: {point.seen} {point.wrong}" for point in failed)


def test_all_arrives_once_and_whole(s3, service_binary, tmp_path):
    found = delivery.play(str(tmp_path), service_binary, s3, MEGABYTES * 10**6, random.randrange(10**6),
                          WEATHER, patience_s=240)
    print(page.delivery_text(found))
    points = page.delivery_points(found)
    if harness.SANITIZED:
        points = [point for point in points if "memory" not in point.what]
    assert_all(points)
    assert found.in_parts >= 2 and found.tokens >= 2


@pytest.mark.parametrize("down", [False, True], ids=["store up", "store down"])
def test_of_a_fleet_a_few_are_stored(s3, service_binary, tmp_path, down):
    found = fleet.play(str(tmp_path), service_binary, s3, AGENTS, down)
    assert_all(page.fleet_points(found, down))
