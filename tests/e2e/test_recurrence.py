"""What recurs is expected: a real Go service burns CPU every few seconds, and the profiler of a later
round runs before it begins."""
import itertools
import subprocess
import threading
import time

import pytest

import harness
from harness import seconds_of, wait_until, watching

PERIOD_S = 6
CORES = 0.3


class Rounds:
    """Has the service burn for 2 s every six seconds, until it is closed."""

    def __init__(self, service):
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(service,))
        self.thread.start()

    def _run(self, service):
        began = time.monotonic()
        for number in itertools.count():
            if self.over.wait(began + number * PERIOD_S - time.monotonic()):
                return
            service.burn(2)

    def close(self):
        self.over.set()
        self.thread.join()


@pytest.fixture
def config(start_service, captures):
    service = start_service(cores=CORES)
    changed = watching(service, captures, triggers={
        "busy": {"metric": "cpu", "above": "60%", "for": "400ms", "cooldown": "1s"},
        "rounds": {"recurs": {"of": "busy", "period": "5s..30s"}}})
    changed["captures"] = {"spike": [{"profile": "cpu", "seconds": 1}, "heap"]}
    changed["recorder"] = {"slice": "1s", "keep": 6}
    changed["limits"] = {"per_hour": 100}
    return service, changed


def seen(status):
    return next(trigger for trigger in status["triggers"] if trigger["name"] == "rounds")


def test_a_round_is_caught_from_its_beginning(agent, config, captures, closing):
    service, changed = config
    running = agent(changed).start()
    running.wait_status(lambda status: any(metric["name"] == "cpu" for metric in status["metrics"]),
                        "cpu is measured")
    closing(Rounds(service))

    def covered():
        return next((incident for incident in harness.incidents_below(captures)
                     if incident.profile("cpu").get("onset_covered")
                     and "recurrence" in incident.json), None)

    incident = wait_until(covered, lambda: f"a round is caught from its beginning:\n{running.log}",
                          120)
    recurrence = incident.json["recurrence"]
    assert recurrence["period_s"] == pytest.approx(PERIOD_S, rel=0.1)
    assert recurrence["jitter_s"] < 1 and recurrence["onsets"] >= 3
    assert seconds_of(recurrence["next"]) > seconds_of(incident.json["fired"])
    cpu = incident.profile("cpu")
    assert seconds_of(cpu["requested"]) <= seconds_of(incident.json["onset"])
    assert cpu["seconds"] >= 1.5 and cpu["status"] == "ok"
    assert harness.CULPRIT in incident.top()
    assert [profile["name"] for profile in incident.json["profiles"]] == ["cpu", "heap"]
    assert "already in use" not in running.log

    status = running.status()
    assert seen(status)["state"] == "recurring" and seen(status)["recurrence"]["recognised"]
    table = running.command("status").stdout
    assert "recurs every" in table
    shown = running.command("show", incident.id)
    assert "recurs" in shown.stdout and "was running at the onset" in shown.stdout
    raw = subprocess.run(["go", "tool", "pprof", "-raw", f"{incident.folder}/{cpu['file']}"],
                         text=True, capture_output=True, check=True,
                         env=harness.clean_environment({"PPROF_TMPDIR": incident.folder}))
    assert "Duration: " in raw.stdout
    running.wait_log("trigger rounds: ")
    assert running.terminate() == 0, running.log
    assert not running.spooled()


def test_when_it_does_not_come_nothing_is_kept(agent, config, captures, closing):
    service, changed = config
    running = agent(changed).start()
    rounds = closing(Rounds(service))
    running.wait_status(lambda status: seen(status).get("recurrence", {}).get("recognised"),
                        "the rounds are recognised", 90)
    rounds.close()
    running.wait_log("trigger rounds: it did not come", 60)
    running.wait_log("trigger rounds: recurs no longer", 120)
    before = {incident.id for incident in harness.incidents_below(captures)}
    wait_until(lambda: not harness.hidden_below(running.state + "/spool"),
               lambda: f"the slices are thrown away, not {harness.hidden_below(running.state)}")
    running.wait_spool_empty()
    assert {incident.id for incident in harness.incidents_below(captures)} == before
    assert "recorder" in running.status()
