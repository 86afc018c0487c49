"""The recorder: a real Go service is being profiled already when its spike begins."""
import glob
import os
import re
import subprocess

import pytest

import harness
from harness import seconds_of, wait_until, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


@pytest.fixture
def recording(agent, service, captures):
    """Starts an agent that records all the time, once slices are kept."""
    def start(**changes):
        config = watching(service, captures, recorder={"always": True, "slice": "1s"},
                          log={"level": "debug"})
        config["captures"]["spike"][0]["seconds"] = 3
        config.update(changes)
        running = agent(config).start()
        wait_kept(running, config["recorder"].get("keep", 4))
        return running
    return start


def recorder(running):
    return running.status()["recorder"][0]


def wait_kept(running, count):
    running.wait_status(lambda status: status["recorder"][0]["slices"] >= count,
                        f"{count} slices are kept")


def wait_incidents(running, captures, count=1, timeout_s=harness.PATIENCE_S):
    def stored():
        found = harness.incidents_below(captures)
        return found if len(found) >= count else None
    return wait_until(stored, lambda: f"{count} incidents; the log:\n{running.log}", timeout_s)


def raw(incident, name="cpu"):
    """What `go tool pprof -raw` reads."""
    path = os.path.join(incident.folder, incident.profile(name)["file"])
    environment = harness.clean_environment({"PPROF_TMPDIR": incident.folder})
    return subprocess.run(["go", "tool", "pprof", "-raw", path], check=True, text=True,
                          capture_output=True, env=environment).stdout


def slices_on_disk(running):
    return glob.glob(os.path.join(running.state, "spool", ".recorder-*", "*"))


def test_the_onset_is_in_the_profile(recording, service, captures):
    running = recording()
    service.burn(8)
    incident = wait_incidents(running, captures)[0]
    cpu = incident.profile("cpu")
    assert [profile["name"] for profile in incident.json["profiles"]] == \
        ["cpu", "heap", "goroutine"]
    assert cpu["status"] == "ok" and cpu["onset_covered"] is True and cpu["attempts"] == 1
    onset, fired = seconds_of(incident.json["onset"]), seconds_of(incident.json["fired"])
    requested, finished = seconds_of(cpu["requested"]), seconds_of(cpu["finished"])
    assert requested <= onset < fired
    assert finished - fired > 3 - 0.6, "from the fire on it is as long as the set says"
    # Slices and capture leave no more out than Go needs to write a profile.
    assert (finished - requested) * 0.75 < cpu["seconds"] <= finished - requested
    duration = re.search(r"^Duration: ([\d.]+)(ms|s)?", raw(incident), re.M)
    assert duration, raw(incident)[:500]
    assert cpu["seconds"] == pytest.approx(float(duration[1]), abs=0.06)
    assert harness.CULPRIT in incident.top()
    assert "already in use" not in running.log
    wait_kept(running, 4)  # it goes on
    assert recorder(running)["state"] == "recording"
    assert running.terminate() == 0
    running.wait_spool_empty()


def test_other_profiles_do_not_wait(recording, service, captures):
    running = recording(recorder={"always": True, "slice": "5s", "keep": 1})
    service.burn(10)
    incident = wait_incidents(running, captures)[0]
    fired = seconds_of(incident.json["fired"])
    assert seconds_of(incident.profile("heap")["requested"]) - fired < 0.5
    cpu = incident.profile("cpu")
    assert cpu["onset_covered"] is True
    assert seconds_of(cpu["finished"]) - fired > 3 - 0.6
    assert "already in use" not in running.log


def test_a_set_without_cpu_leaves_it_alone(recording, service, captures):
    running = recording(captures={"spike": ["heap"]})
    service.burn(6)
    incident = wait_incidents(running, captures)[0]
    assert [profile["name"] for profile in incident.json["profiles"]] == ["heap"]
    assert "already in use" not in running.log
    wait_kept(running, 4)


def kept_over_a_kill(running, captures):
    """Kills it and starts it without a recorder: the incident, and the slices that it has."""
    running.kill()
    del running.config["recorder"]
    running.configure(running.config)
    running.start()
    incident = wait_incidents(running, captures)[0]
    kept = [profile for profile in incident.json["profiles"]
            if profile["name"].startswith("cpu.slice-") and profile["status"] == "ok"]
    assert kept, incident.json["profiles"]
    assert "Duration: " in raw(incident, kept[0]["name"])
    return incident, kept


def test_what_was_caught_outlives_a_kill(recording, service, captures):
    running = recording()
    service.burn(20)
    running.wait_log("profile cpu started")
    wait_until(lambda: glob.glob(os.path.join(running.state, "spool", ".2*", "incident.json")),
               "the incident is written down")
    incident, kept = kept_over_a_kill(running, captures)
    assert any(profile["onset_covered"] for profile in kept)
    assert incident.profile("cpu")["status"] == "failed"
    running.wait_log("was cut off when the agent was killed")
    running.wait_log("incident \\S+ delivered", count=1)
    assert not slices_on_disk(running)


def test_a_kill_right_after_a_fire_costs_no_slice(recording, service, captures):
    running = recording()
    service.burn(20)
    running.wait_log("incident \\S+ opened")
    kept_over_a_kill(running, captures)
    running.wait_spool_empty()
    assert not slices_on_disk(running)


def test_leftovers_of_a_killed_recorder_are_removed(recording):
    running = recording()
    running.kill()
    assert slices_on_disk(running)
    del running.config["recorder"]
    running.configure(running.config)
    running.start()
    running.wait_spool_empty()


def test_a_stop_keeps_the_slice_in_flight(recording, service, captures):
    running = recording()
    service.burn(20)
    running.wait_log("incident \\S+ opened")
    assert running.terminate() == 0, running.log
    incident = harness.incidents_below(captures)[0]
    cpu = incident.profile("cpu")
    assert cpu["onset_covered"] is True and cpu["status"] in ("ok", "truncated")
    assert harness.CULPRIT in incident.top()
    running.wait_spool_empty()


def test_check_is_not_in_its_way(recording):
    running = recording()
    checked = running.command("check")
    lines = [line for line in checked.stdout.splitlines() if "profile cpu" in line]
    assert lines == ["app app, profile cpu of 3 s: ok"], checked.stdout + checked.stderr
    wait_kept(running, 4)


def test_a_capture_by_hand_takes_what_is_in_flight(recording, captures):
    running = recording()
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    cpu = harness.incidents_below(captures)[0].profile("cpu")
    assert cpu["status"] == "ok" and 3 - 0.6 < cpu["seconds"] < 5
    assert "already in use" not in running.log


def test_status_tells_what_it_does(recording):
    running = recording()
    assert re.search(r"^recorder of app app: (recording|paused), \d slices? kept$",
                     running.command("status").stdout, re.M)
