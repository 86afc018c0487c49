"""The agent's own footprint has budgets: memory, descriptors, and what it does at rest."""
import os

import pytest

import harness
from harness import wait_until, watching

RSS_BEFORE_KB = 12 * 1024  # idle, before the first transfer
RSS_AFTER_KB = 15 * 1024   # after an HTTPS transfer, with Debian's libcurl
DESCRIPTORS = 32           # idle: sampled files, timers, sockets, the log
GROWTH_KB = 256

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="a sanitized build's memory says nothing")


@pytest.fixture
def service(start_service):
    return start_service(cores=0.4)


def resident_kb(agent):
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def descriptors(agent):
    """What is open, by its target."""
    folder = f"/proc/{agent.process.pid}/fd"
    found = []
    for name in os.listdir(folder):
        try:
            found.append(os.readlink(os.path.join(folder, name)))
        except FileNotFoundError:
            pass  # closed since
    return sorted(found)


def wakes(agent):
    """How often it has gone to sleep: once a tick at least, and asking costs the agent nothing."""
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file
                    if line.startswith("voluntary_ctxt_switches"))


def wait_ticks(agent, more):
    first = wakes(agent)
    wait_until(lambda: wakes(agent) >= first + more, f"{more} ticks", timeout_s=60 + more)


def test_memory_does_not_grow_with_ticks(agent, service, captures):
    running = agent(watching(service, captures, interval="100ms")).start()
    wait_ticks(running, 50)
    before = resident_kb(running)
    assert before <= RSS_BEFORE_KB
    open_before = len(descriptors(running))
    assert open_before <= DESCRIPTORS
    wait_ticks(running, 300)
    assert resident_kb(running) - before <= GROWTH_KB
    assert len(descriptors(running)) <= open_before + 1, "one may be a status request's"


def test_memory_after_an_https_transfer(agent, service, captures, s3):
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 1}, "heap", "goroutine"]}
    config["export"] = {"s3": {"bucket": s3.bucket, "prefix": "footprint",
                               "endpoint": f"https://localhost:{s3.tls_port}",
                               "ca_file": s3.settings["S3_CA_FILE"]}}
    running = agent(config, environment=s3.environment()).start()
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert resident_kb(running) <= RSS_AFTER_KB
    first = resident_kb(running)
    for _ in range(3):
        assert running.command("capture").returncode == 0
    assert resident_kb(running) - first <= 2 * GROWTH_KB
    assert resident_kb(running) <= RSS_AFTER_KB


def test_descriptors_are_given_back_after_an_incident(agent, service, captures):
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 1}, "heap", "mutex"]}
    running = agent(config).start()
    running.wait_status(lambda status: len(status["metrics"]) > 3, "everything is opened")
    before = wait_until(lambda: settled(running), "the descriptors settle")
    for _ in range(3):
        assert running.command("capture").returncode == 0
    running.wait_spool_empty()
    wait_until(lambda: len(descriptors(running)) <= len(before),
               lambda: f"{before} again, not {descriptors(running)}")


def settled(agent):
    """The descriptors, when two looks agree."""
    first = descriptors(agent)
    wait_ticks(agent, 2)
    return first if descriptors(agent) == first else None


def test_the_agent_at_rest_takes_next_to_no_cpu(agent, service, captures):
    running = agent(watching(service, captures, interval="100ms")).start()
    wait_ticks(running, 20)

    def used():
        with open(f"/proc/{running.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    before = used()
    wait_ticks(running, 100)
    assert used() - before < 0.5, "5 ms a tick would be ten times what is usual"
