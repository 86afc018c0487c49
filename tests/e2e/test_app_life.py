"""An app that ends and is started anew: beside the incident, in the middle of it, and in the
middle of a recording."""
import os

import pytest

import harness
from ecs_metadata import EcsMetadata
from harness import seconds_of, wait_incidents, wait_until, warm, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def start_again(start_service, service, **flags):
    """The same app once more: in its cgroup and at its address."""
    return start_service(cgroup=service.cgroup, listen=f"127.0.0.1:{service.port}", **flags)


def preflight(status):
    return {found["profile"]: found for found in status["preflight"][0]["profiles"]}


def preflight_done(status):
    return not status["preflight"][0]["running"] and status["preflight"][0]["profiles"]


def test_a_length_that_fits_is_taken_from_the_first_request_on(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="4s")
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 25
    running = warm(agent(config).start())
    status = running.wait_status(preflight_done, "the profiles are tried")
    assert preflight(status)["profile cpu of 25 s"]["state"] == "shorter"
    assert preflight(status)["profile cpu of 25 s"]["seconds"] == 3
    assert "raise WriteTimeout above 25 s" in running.command("status").stdout
    running.fire(service)
    cpu = wait_incidents(running, captures)[0].profile("cpu")
    assert cpu["status"] == "ok" and cpu["attempts"] == 1
    assert 2.5 < cpu["seconds"] < 3.5


def test_a_new_start_is_tried_anew(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="4s")
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 5
    running = warm(agent(config).start())
    running.wait_status(preflight_done, "the profiles are tried")
    service.close()
    start_again(start_service, service)
    running.wait_log("app app: it was started anew")
    status = running.wait_status(
        lambda status: preflight_done(status) and
        preflight(status)["profile cpu of 5 s"]["state"] == "ok", "another WriteTimeout is seen")
    assert preflight(status)["profile heap"]["state"] == "ok"


def test_an_app_that_is_killed_in_a_capture(agent, start_service, service, captures):
    config = watching(service, captures)
    config["captures"]["spike"] = [{"profile": "cpu", "seconds": 20}, "heap", "goroutine",
                                   {"profile": "allocs", "at": "end"}]
    running = warm(agent(config).start())
    running.wait_status(preflight_done, "the profiles are tried")
    service.burn(20)
    running.wait_log("profile goroutine finished")
    service.close()
    started = start_again(start_service, service)
    incident = wait_incidents(running, captures)[0]
    ended = incident.json["app_ended"]
    assert ended["oom_killed"] is False and "exit_code" not in ended
    assert seconds_of(incident.json["fired"]) < seconds_of(ended["time"])
    assert seconds_of(ended["time"]) <= seconds_of(ended["restarted"])
    assert incident.profile("heap")["status"] == "ok"
    assert incident.profile("cpu")["status"] == "failed"
    assert "ended the connection" in incident.profile("cpu")["error"]
    allocs = incident.profile("allocs")  # on a busy machine the spike may have paused before
    assert allocs["status"] == "failed" or \
        seconds_of(allocs["finished"]) <= seconds_of(ended["time"]), running.log
    assert allocs["status"] == "ok" or "the app ended" in allocs["error"]
    assert seconds_of(incident.json["finished"]) < seconds_of(ended["time"]) + 5, "no retries"
    shown = running.command("show", incident.folder)
    assert "the app ended" in shown.stdout + shown.stderr
    assert started.get("/debug/pprof/profile?seconds=1")[0] in (200, 500)


def test_an_app_that_does_not_come_back(agent, service, captures):
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 20
    running = warm(agent(config).start())
    service.burn(20)
    running.wait_log("profile goroutine finished")
    service.close()
    incident = wait_incidents(running, captures)[0]
    assert "restarted" not in incident.json["app_ended"]
    assert running.wait_log("app app: it has ended")


def test_an_oom_kill_is_told(agent, start_service, captures):
    service = start_service(memory_bytes=96 << 20)
    config = watching(service, captures)
    config["captures"]["spike"] = [{"profile": "cpu", "seconds": 20}, "heap"]
    config["triggers"] = {"full": {"metric": "memory", "above": "50%"}}
    running = agent(config).start()
    running.wait_status(lambda status: any(metric["name"] == "memory" and metric["value"] > 0
                                           for metric in status["metrics"]), "memory is measured")
    service.get("/leak?for=30s")
    incident = wait_incidents(running, captures)[0]
    assert incident.json["app_ended"]["oom_killed"] is True
    assert incident.profile("heap")["status"] == "ok"
    assert "OOM-killed" in running.command("show", incident.folder).stdout


def test_slices_of_before_are_not_merged_with_those_after(agent, start_service, service, captures):
    config = watching(service, captures, recorder={"always": True, "slice": "1s", "keep": 20})
    config["captures"]["spike"][0]["seconds"] = 2
    config["triggers"] = {"killed": {"metric": "restarts", "increases": 1}}
    running = warm(agent(config).start())
    running.wait_status(lambda status: status["recorder"][0]["slices"] >= 3, "slices are kept")
    service.close()
    start_again(start_service, service)
    running.wait_log("app app: it was started anew")
    running.wait_status(lambda status: status["recorder"][0]["state"] == "recording",
                        "it records again")
    assert running.command("capture").returncode == 0
    incident = wait_incidents(running, captures)[0]
    cpu = incident.profile("cpu")
    assert seconds_of(cpu["requested"]) >= seconds_of(incident.json["fired"]) - 21
    assert cpu["status"] == "ok"


def test_ecs_tells_the_exit_status(agent, service, captures, closing):
    endpoint = closing(EcsMetadata({"api": service.cgroup.name, "stakeout": None}, cpu=CORES))
    config = watching(service, captures, source="ecs")
    config["app"]["container"] = "api"
    config["captures"]["spike"] = [{"profile": "cpu", "seconds": 20}, "heap"]
    environment = {"ECS_CONTAINER_METADATA_URI_V4": endpoint.uri}
    running = warm(agent(config, environment=environment).start())
    service.burn(20)
    running.wait_log("profile heap finished")
    endpoint.control("exit_137", "api")
    service.close()
    incident = wait_incidents(running, captures)[0]
    assert incident.json["app_ended"]["exit_code"] == 137
    assert incident.json["app_ended"]["oom_killed"] is True
    wait_until(lambda: os.path.exists(os.path.join(incident.folder, "incident.json")), "it is kept")
