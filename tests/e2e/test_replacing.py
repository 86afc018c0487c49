"""Where limits.per_hour is reached and the store is away, a worse spike takes the place of what waits."""
import os

import pytest

import harness
from harness import wait_incidents, watching

MIB = 1 << 20


@pytest.fixture
def service(start_service):
    return start_service(memory_bytes=512 * MIB)


def test_a_worse_spike_takes_the_place_of_what_waits(agent, service, captures):
    with open(captures, "w", encoding="ascii"):
        pass  # no store: its folder cannot be made
    running = agent(watching(
        service, captures, limits={"per_hour": 1}, captures={"spike": ["heap"]},
        triggers={"high": {"metric": "memory.bytes", "above": "64MiB"},
                  "higher": {"metric": "memory.bytes", "above": "128MiB"}})).start()
    assert service.get(f"/map?bytes={80 * MIB}")[0] == 200
    first = running.wait_log(r"incident (\S+) finished").group(1)
    running.wait_status(lambda now: now["exporters"][0]["failures"] > 0, "it waits for a while")
    assert running.spooled() == [first]
    assert service.get(f"/map?bytes={160 * MIB}")[0] == 200
    running.wait_log(f"incident {first} is replaced by ")
    status = running.wait_status(lambda now: now["incidents"]["replaced"] == 1, "it is told")
    assert status["spool"]["waiting"] == 1
    assert "replaced in the spool by worse ones: 1" in running.command("status").stdout
    os.remove(captures)
    assert running.terminate() == 0  # with one more try at once
    [incident] = wait_incidents(running, captures)
    assert incident.json["replaced"] == first
    assert harness.read(os.path.join(incident.folder, "heap.pb.gz"))
