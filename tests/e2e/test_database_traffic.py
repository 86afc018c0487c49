"""Database traffic is exact to the byte: real PostgreSQL, real connections, judged by a relay."""
import json
import os
import subprocess
import time

import pytest

import postgres

BUILD = os.environ.get("STAKEOUT_BUILD",
                       os.path.join(os.path.dirname(__file__), "..", "..", "build"))
PATIENCE_S = 20


class Probe:
    """Our counter by itself, a line a sample."""

    def __init__(self, endpoint, interval_ms=200):
        path = os.path.join(BUILD, "tests", "tcp_probe")
        if not os.path.exists(path):
            pytest.skip(f"{path} is not built")
        self.process = subprocess.Popen([path, str(interval_ms), endpoint], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.lines = []
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        assert line, "the probe ended"
        self.lines.append(json.loads(line))
        return self.lines[-1]

    def wait_for(self, received, sent):
        """Reads until that much was counted; the last line when it never is."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            line = self.read()
            if line["received"] >= received and line["sent"] >= sent:
                # One more sample: anything counted twice would come now.
                return self.read()
        return self.lines[-1]

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server():
    running = postgres.Server()
    running.pgbench("-i", "-s", "1", "-q")
    yield running
    running.close()


@pytest.fixture
def relay(server):
    running = postgres.Relay(server.port)
    yield running
    running.close()


def assert_exact(probe, relay):
    last = probe.wait_for(relay.received, relay.sent)
    assert (last["received"], last["sent"]) == (relay.received, relay.sent), relay.connections


@pytest.mark.parametrize("arguments, least_connections", [
    (("-n", "-c", "4", "-T", "3"), 4),
    (("-n", "-S", "-C", "-c", "4", "-T", "3"), 40),
    (("-n", "-C", "-c", "8", "-j", "2", "-t", "50"), 400),
], ids=["long connections", "a connection a query", "a connection a transaction"])
def test_every_byte_counts(server, relay, arguments, least_connections):
    probe = Probe(f"127.0.0.1:{relay.port}")
    try:
        server.pgbench(*arguments, port=relay.port)
        assert relay.connections >= least_connections
        assert_exact(probe, relay)
    finally:
        probe.close()


def test_what_was_open_before_is_a_baseline(server, relay):
    bench = subprocess.Popen(
        [os.path.join(server.bin, "pgbench"), "-h", "127.0.0.1", "-p", str(relay.port), "-U",
         "stakeout", "-n", "-S", "-c", "2", "-T", "5", "postgres"],
        cwd=server.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while relay.received < 100_000 and bench.poll() is None:
            time.sleep(0.01)
        before = relay.received
        probe = Probe(f"127.0.0.1:{relay.port}", 100)
        after = relay.received
        try:
            assert bench.wait() == 0
            total = relay.received
            last = probe.wait_for(total - after, 0)
            # The relay counts a piece of at most 64 KiB when it has passed it on.
            assert total - after - 65536 <= last["received"] <= total - before
        finally:
            probe.close()
    finally:
        bench.kill()
        bench.wait()


def test_series_while_and_after_connections_are_open(server, relay):
    probe = Probe(f"127.0.0.1:{relay.port}", 100)
    try:
        server.pgbench("-n", "-S", "-c", "2", "-T", "2", port=relay.port)
        last = probe.wait_for(relay.received, relay.sent)
        # Nobody has connected to it before pgbench did: a gap, not a zero.
        assert probe.lines[0]["db.received"] is None
        assert probe.lines[0]["db.connections"] is None
        open_ones = [line for line in probe.lines if line["db.connections"]]
        assert max(line["db.connections"] for line in open_ones) == 2
        assert all(0 < line["db.rtt"] < 1 for line in open_ones)
        assert max(line["db.received"] or 0 for line in open_ones) > 0
        # Nobody is connected any more: a true zero, and no round trip to speak of.
        assert last["db.connections"] == 0 and last["db.received"] == 0
        assert last["db.rtt"] is None
    finally:
        probe.close()


def test_the_other_side_of_loopback_does_not_count(server, relay):
    """The relay's own connections go to the server's port, the server's sockets come from it."""
    probe = Probe(f"127.0.0.1:{server.port}")
    try:
        server.pgbench("-n", "-S", "-c", "1", "-t", "200", port=relay.port)
        last = probe.wait_for(relay.received, relay.sent)
        assert (last["received"], last["sent"]) == (relay.received, relay.sent)
    finally:
        probe.close()
