"""Whether the suspect is who a person would name: of small Go programs with a planted culprit each,
with a baseline and without one. The reports are made by `stakeout report`."""
import collections
import concurrent.futures
import contextlib
import os
import shutil

import pytest

import culprits
import harness
import postgres

# What may be missed where the machine is busy or a kind is hard: rather none than a wrong one.
RIGHT_LEAST, WRONG_MOST = 0.85, 1


def database():
    """PostgreSQL for the program that reads it, or nothing where it is not installed."""
    try:
        return postgres.Server()
    except pytest.skip.Exception:
        return contextlib.nullcontext()


@pytest.fixture(scope="module")
def incidents(tmp_path_factory):
    """A folder with the incidents of every program that can run here."""
    if not shutil.which("go"):
        pytest.skip("Go is not installed (apt-get install golang-go)")
    binaries = str(tmp_path_factory.mktemp("binaries"))
    folder = str(tmp_path_factory.mktemp("incidents"))
    culprits.build(binaries)
    server = database() if os.path.isdir(culprits.PQ) else contextlib.nullcontext()
    environment = {}
    if hasattr(server, "port"):
        environment["DATABASE"] = (f"postgres://stakeout@127.0.0.1:{server.port}/postgres"
                                   "?sslmode=disable")

    def record(culprit):
        culprits.record(binaries, culprit, os.path.join(folder, culprit.program), environment)
    chosen = [culprit for culprit in culprits.CULPRITS
              if culprit.program != "entrants" or environment]
    try:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            list(pool.map(record, chosen))
    finally:
        if environment:
            server.close()
    return folder


def test_the_suspect_is_the_culprit(incidents):
    counts = collections.defaultdict(collections.Counter)
    said = []
    for culprit in culprits.recorded(incidents):
        judged = culprits.judge(harness.BINARY, culprit, os.path.join(incidents, culprit.program))
        for name, (outcome, text) in judged.items():
            counts[name][outcome] += 1
            if outcome != "right":
                said.append(f"{culprit.program} ({culprit.kind}) {name}: {outcome}: {text}")
    for name in ("with", "alone"):
        print(f"{name}: {dict(counts[name])}")
    for name in ("with", "alone"):
        total = sum(counts[name].values())
        assert total >= 20
        assert counts[name]["right"] >= RIGHT_LEAST * total, "\n".join(said)
        assert counts[name]["wrong"] <= WRONG_MOST, "\n".join(said)
