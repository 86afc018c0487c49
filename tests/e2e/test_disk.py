"""A disk below `state` that takes no files: it is full, or read-only. Sampling goes on, it is said,
and what is caught goes to the exporters all the same."""
import contextlib
import os
import subprocess

import pytest

import harness
from harness import watching

STATE_BYTES = 1 << 20


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


class Disk:
    """A small file system of its own."""

    def __init__(self, path):
        self.path = path
        os.makedirs(path)
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={STATE_BYTES}", "tmpfs", path],
                              capture_output=True, check=False)
        if made.returncode:
            pytest.skip("no file system can be mounted here")

    def fill(self):
        with contextlib.suppress(OSError), open(os.path.join(self.path, "filler"), "ab",
                                                buffering=0) as file:
            while True:
                file.write(b"x" * 4096)

    def empty(self):
        os.remove(os.path.join(self.path, "filler"))

    def remount(self, how):
        subprocess.run(["mount", "-o", f"remount,{how}", self.path], check=True)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=True)


@pytest.fixture
def disk(tmp_path, closing):
    return closing(Disk(str(tmp_path / "disk")))


def configured(service, captures, disk, **changes):
    config = watching(service, captures, state=os.path.join(disk.path, "state"), **changes)
    config["captures"]["spike"][0]["seconds"] = 1
    return config


def check_stored(captures, count, statuses=("ok", "ok", "ok")):
    found = harness.incidents_below(captures)  # checks every hash
    assert len(found) == count and not harness.hidden_below(captures)
    for incident in found:
        assert tuple(profile["status"] for profile in incident.json["profiles"]) == statuses, \
            incident.json["profiles"]
    return found


def said_once(running):
    return running.log.count("sampling goes on")


REFUSALS = {"full": (Disk.fill, Disk.empty),
            "read-only": (lambda disk: disk.remount("ro"), lambda disk: disk.remount("rw"))}


@pytest.mark.parametrize("refusal", REFUSALS)
def test_what_is_caught_while_the_disk_takes_nothing_arrives(agent, service, captures, disk,
                                                             refusal):
    refuse, mend = REFUSALS[refusal]
    running = agent(configured(service, captures, disk)).start()
    refuse(disk)
    for count in (1, 2):
        taken = running.command("capture")
        assert taken.returncode == 0, taken.stderr + running.log
        check_stored(captures, count)
    assert said_once(running) == 1
    status = running.status()
    assert status["spool"]["error"] and status["spool"]["memory_bytes"] == 0
    assert "kept in memory" in running.command("status").stdout
    running.wait_status(lambda now: now["agent"]["ticks"] > status["agent"]["ticks"], "it samples")
    mend(disk)
    running.wait_status(lambda now: not now["spool"]["error"], "it is seen")
    running.wait_log("takes files again")
    assert running.command("capture").returncode == 0
    check_stored(captures, 3)
    running.wait_spool_empty()
    assert running.terminate() == 0 and "lost" not in running.log


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_agent_starts_on_a_disk_that_takes_nothing(agent, service, captures, disk, refusal):
    refuse, mend = REFUSALS[refusal]
    refuse(disk)
    running = agent(configured(service, captures, disk)).spawn()  # it may have no control socket
    running.wait_log("source cgroup")
    service.burn(5)
    incident_id = running.wait_log(r"incident (\S+) opened").group(1)
    running.wait_log(f"incident {incident_id} delivered")
    check_stored(captures, 1)
    assert said_once(running) == 1
    mend(disk)
    running.wait_log("takes files again")


def test_a_full_disk_is_said_at_the_start(agent, service, captures, disk):
    running = agent(configured(service, captures, disk)).start()
    assert running.terminate() == 0
    disk.fill()
    running.spawn()
    running.wait_log("sampling goes on")  # before there is anything to keep
    disk.empty()
    running.wait_log("takes files again")


def test_a_disk_that_fills_up_in_the_middle_of_a_capture(agent, service, captures, disk):
    running = agent(configured(service, captures, disk)).start()
    command = subprocess.Popen([harness.BINARY, "capture", "-c", running.file], text=True,
                               env=running.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    running.wait_log("profile heap finished")
    disk.fill()
    _, said = command.communicate(timeout=60)
    assert command.returncode == 0, said + running.log
    check_stored(captures, 1)
    disk.empty()
    running.wait_log("takes files again")
    running.wait_spool_empty()


def test_what_no_exporter_takes_is_said_to_be_lost(agent, service, captures, disk):
    with open(captures, "w", encoding="ascii"):
        pass
    running = agent(configured(service, captures, disk)).start()
    disk.fill()
    taken = running.command("capture")
    assert taken.returncode == 1
    status = running.status()["spool"]
    assert status["waiting"] == 1 and status["memory_bytes"] > 0
    assert running.terminate() == 0
    assert "is lost: the disk did not take it, and no exporter has it" in running.log


def test_what_waits_in_memory_moves_to_a_disk_that_works_again(agent, service, captures, disk):
    with open(captures, "w", encoding="ascii"):
        pass
    running = agent(configured(service, captures, disk)).start()
    disk.fill()
    assert running.command("capture").returncode == 1
    disk.empty()
    running.wait_status(lambda now: not now["spool"]["memory_bytes"], "it moves")
    assert len(running.spooled()) == 1
    running.kill()
    os.remove(captures)
    running.start()
    running.wait_spool_empty()
    check_stored(captures, 1)
