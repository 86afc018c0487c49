"""Captures that somebody asks for: through the running agent, or without one."""
import os
import re
import signal
import subprocess

import pytest

import harness
from harness import wait_incidents, watching

CORES = 0.3  # what the service may use: reached at once, and the machine stays usable


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def test_a_capture_by_hand_goes_through_the_running_agent(agent, service, captures):
    running = agent(watching(service, captures)).start()
    taken = running.command("capture", "--reason", "a look at 100% & more")
    assert taken.returncode == 0, taken.stderr
    incident = harness.incidents_below(captures)[0]
    assert taken.stdout == incident.id + "\n"
    assert incident.json["kind"] == "manual"
    assert incident.json["trigger"] == {"name": "manual", "reason": "a look at 100% & more"}
    assert "onset" not in incident.json
    assert f"incident {incident.id} opened" in running.log
    unknown = running.command("capture", "--set", "nonsense")
    assert unknown.returncode == 2 and "nonsense" in unknown.stderr


def test_a_capture_by_hand_needs_no_agent(agent, service, captures):
    alone = agent(watching(service, captures))
    taken = alone.command("capture", "--reason", "before the release")
    assert taken.returncode == 0, taken.stderr
    incident = harness.incidents_below(captures)[0]
    assert taken.stdout == incident.id + "\n"
    assert incident.json["trigger"]["reason"] == "before the release"
    assert [profile["status"] for profile in incident.json["profiles"]] == ["ok"] * 3
    alone.wait_spool_empty()
    with open("/dev/full", "w", encoding="ascii") as full:
        untold = subprocess.run([harness.BINARY, "capture", "-c", alone.file], stdout=full, stderr=subprocess.PIPE,
                                text=True, check=False, timeout=harness.PATIENCE_S)
    assert untold.returncode == 1 and "cannot write to standard output" in untold.stderr
    assert len(harness.incidents_below(captures)) == 2


@pytest.mark.parametrize("signals", [1, 2], ids=["grace ends", "a second signal"])
def test_a_capture_that_is_interrupted_is_not_stored(agent, start_service, captures, signals):
    service = start_service(cores=CORES)
    service.process.send_signal(signal.SIGSTOP)  # it never answers, so that nothing is complete before the end
    config = watching(service, captures, limits={"grace": "0s" if signals == 1 else "60s"})
    config["captures"]["spike"] = ["goroutine"]
    alone = agent(config)
    alone.spawn(harness.BINARY, "capture", "-c", alone.file)
    alone.wait_log("profile goroutine started")
    for count in range(signals):
        alone.process.send_signal(signal.SIGINT)
        if count == 0:
            alone.wait_log("stopping: ")
    assert alone.process.wait(harness.PATIENCE_S) == 1, alone.log
    assert re.search(r"incident \S+ (is|was) .*left in the spool", alone.log), alone.log
    assert not harness.incidents_below(captures)


@pytest.mark.parametrize("with_agent", [True, False], ids=["through the agent", "alone"])
def test_a_capture_that_cannot_be_stored_stays_in_the_spool(agent, service, captures, with_agent):
    with open(captures, "w", encoding="ascii"):
        pass  # a file where the folder should be
    one = agent(watching(service, captures))
    one.config["captures"]["spike"] = ["goroutine"]
    one.configure(one.config)
    if with_agent:
        one.start()
    taken = one.command("capture")
    assert taken.returncode == 1
    incident_id = taken.stdout.strip()
    assert incident_id in taken.stderr and "spool" in taken.stderr
    assert one.spooled() == [incident_id]
    if not with_agent:
        one.start()
    os.remove(captures)
    incident = wait_incidents(one, captures, timeout_s=60)[0]
    assert incident.id == incident_id
    one.wait_spool_empty()


def test_captures_by_hand_need_no_source(agent, service, captures):
    config = watching(service, captures)
    del config["source"], config["app"]["container"], config["triggers"]
    running = agent(config).start()
    running.wait_log("source auto: .*app.container.*is a gap until that is mended")
    assert running.log.count("is a gap until that is mended") == 1, "said once"
    assert running.command("capture").returncode == 0
    incident = harness.incidents_below(captures)[0]
    assert incident.profile("cpu")["status"] == "ok"
    assert incident.json["metrics"] == {"file": "metrics.csv"}
