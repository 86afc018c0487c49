"""Debug endpoints as they are in the wild: too short a WriteTimeout, a login, competition, garbage,
and what is hostile outright. One failing profile never costs the others."""
import subprocess
import threading

import pytest

import endpoints
import harness
from harness import seconds_of, wait_until, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


@pytest.fixture
def endpoint(service, closing):
    """Makes an endpoint that misbehaves for the named profiles."""
    return lambda **behaviours: closing(endpoints.DebugEndpoint(service, **behaviours))


def take(agent, captures):
    """One incident by hand."""
    taken = agent.command("capture")
    assert taken.returncode == 0, taken.stderr
    incidents = harness.incidents_below(captures)
    assert len(incidents) == 1
    assert taken.stdout.strip() == incidents[0].id
    return incidents[0]


def against(service, captures, endpoint, profiles, **changes):
    """The configuration that takes these profiles from the misbehaving endpoint."""
    config = watching(service, captures, **changes)
    config["app"]["debug"] = endpoint.debug
    config["captures"] = {"spike": profiles}
    return config


def test_a_short_write_timeout_leads_to_a_shorter_profile(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="10s")
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 25}, "heap"]}
    running = agent(config).start()
    running.wait_log("profiles? can be had")
    service.burn(14)
    wait_until(lambda: harness.incidents_below(captures), lambda: running.log, 30)
    incident = harness.incidents_below(captures)[0]
    cpu = incident.profile("cpu")
    assert cpu["status"] == "ok" and cpu["http_status"] == 200
    assert 8.5 <= cpu["seconds"] < 10, "the longest that the server allows"
    assert cpu["attempts"] == 1, "it is known beforehand"
    assert seconds_of(cpu["finished"]) - seconds_of(incident.json["fired"]) < 12, "at once"
    assert "WriteTimeout" in running.log
    assert harness.CULPRIT in incident.top()


def test_a_competing_profile_is_waited_for(agent, service, captures):
    running = agent(watching(service, captures)).start()
    running.wait_log("profiles? can be had")
    rival = threading.Thread(
        target=lambda: service.get("/debug/pprof/profile?seconds=5", timeout=60))
    rival.start()
    wait_until(lambda: b"pprof.profileWriter" in service.get("/debug/pprof/goroutine?debug=1")[1],
               "the rival is profiling")
    service.burn(12)
    wait_until(lambda: harness.incidents_below(captures), lambda: running.log, 30)
    rival.join()
    incident = harness.incidents_below(captures)[0]
    cpu = incident.profile("cpu")
    assert cpu["status"] == "ok" and cpu["attempts"] > 1
    assert "already in use" in running.log
    assert harness.CULPRIT in incident.top()


def test_missing_profiles_fail_with_a_remedy_and_cost_nothing_else(agent, start_service, captures):
    service = start_service(cores=CORES, profiles="heap,goroutine")
    config = watching(service, captures)
    config["captures"] = {"spike": ["cpu", "heap", "mutex", "goroutine"]}
    incident = take(agent(config).start(), captures)
    for name in ("cpu", "mutex"):
        failed = incident.profile(name)
        assert failed["status"] == "failed" and failed["http_status"] == 404
        assert name in failed["error"] and "app.debug" in failed["error"]
        assert failed["attempts"] == 1, "there is nothing to wait for"
    for name in ("heap", "goroutine"):
        assert incident.profile(name)["status"] == "ok"


def test_a_login_is_asked_for_and_then_used(agent, start_service, captures):
    service = start_service(cores=CORES, login="Bearer open sesame")
    config = watching(service, captures)
    config["captures"] = {"spike": ["heap"]}
    without = take(agent(config, "without").start(), captures)
    assert without.profile("heap")["status"] == "failed"
    assert without.profile("heap")["http_status"] == 401
    assert "app.headers" in without.profile("heap")["error"]
    config["app"]["headers"] = {"Authorization": "Bearer ${WORD}"}
    config["export"] = {"directory": captures + "-2"}
    secret = agent(config, "with", {"WORD": "open sesame"}).start()
    incident = take(secret, captures + "-2")
    assert incident.profile("heap")["status"] == "ok"
    assert "sesame" not in secret.log
    assert b"sesame" not in b"".join(incident.files.values())
    assert "sesame" not in secret.command("status", "--json").stdout


def test_credentials_in_the_url_are_never_stored(agent, service, captures):
    config = watching(service, captures)
    config["app"]["debug"] = service.debug.replace("http://", "http://user:sesame@")
    config["captures"] = {"spike": ["heap"]}
    running = agent(config).start()
    incident = take(running, captures)
    assert incident.profile("heap")["status"] == "ok"
    assert b"sesame" not in incident.files["incident.json"]
    assert "sesame" not in running.log


def test_an_app_that_is_gone_still_yields_an_incident(agent, service, captures):
    config = watching(service, captures)
    config["app"]["debug"] = f"http://127.0.0.1:{harness.free_port()}/debug/pprof"
    config["captures"]["spike"] = ["cpu", "heap"]
    running = agent(config).start()
    running.fire(service, 3)
    running.wait_log("incident \\S+ opened")
    wait_until(lambda: harness.incidents_below(captures), lambda: running.log, 90)
    incident = harness.incidents_below(captures)[0]
    assert incident.json["kind"] == "spike" and incident.json["metrics"]["peak"]["cpu"] > 60
    for profile in incident.json["profiles"]:
        assert profile["status"] == "failed" and "http_status" not in profile
        assert "cannot be reached" in profile["error"] and "app.debug" in profile["error"]
    assert incident.profile("cpu")["attempts"] > 3, "it might have come back"


@pytest.mark.parametrize("behaviour, words", [
    (endpoints.page, "web page"),
    (endpoints.empty, "empty"),
    (endpoints.noise, "not a gzip"),
    (endpoints.bomb, "profile"),
    (endpoints.answers(403, "no"), "app.headers"),
    (endpoints.answers(400, "bad \x1b[31mred\x1b[0m"), "400"),
    (endpoints.answers(302, ""), "302"),
], ids=["a web page", "nothing", "noise", "a gzip bomb", "403", "400 in colour", "a redirect"])
def test_what_is_no_profile_fails_and_costs_nothing_else(agent, service, captures, endpoint,
                                                         behaviour, words):
    misbehaving = endpoint(heap=behaviour)
    config = against(service, captures, misbehaving,
                     [{"profile": "cpu", "seconds": 1}, "heap", "goroutine"])
    running = agent(config).start()
    incident = take(running, captures)
    heap = incident.profile("heap")
    assert heap["status"] == "failed" and words in heap["error"]
    assert "\x1b" not in heap["error"] and "\x1b" not in running.log
    for name in ("cpu", "goroutine"):
        assert incident.profile(name)["status"] == "ok", incident.profile(name)
    assert running.status()["agent"]["ticks_missed"] < 20


@pytest.mark.parametrize("behaviour", [endpoints.endless, endpoints.endless_error],
                         ids=["a profile", "an error text"])
def test_a_body_without_an_end_is_cut_at_the_limit(agent, service, captures, endpoint, behaviour):
    misbehaving = endpoint(heap=behaviour)
    config = against(service, captures, misbehaving, ["heap", "goroutine"])
    config["limits"] = {"profile": "8MiB"}
    running = agent(config).start()
    incident = take(running, captures)
    heap = incident.profile("heap")
    assert heap["status"] == "failed"
    words = "limits.profile" if behaviour is endpoints.endless else "answered 400"
    assert words in heap["error"]
    assert incident.profile("goroutine")["status"] == "ok"


def test_error_texts_take_no_memory(agent, service, captures, endpoint):
    if harness.SANITIZED:
        pytest.skip("a sanitized build's memory says nothing")
    config = against(service, captures, endpoint(heap=endpoints.endless_error), ["heap"])
    running = agent(config).start()
    take(running, captures)
    with open(f"/proc/{running.process.pid}/status", encoding="ascii") as file:
        high_water_kb = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
    assert high_water_kb < 20 * 1024, "limits.profile is about profiles, which go to disk"


def test_a_reset_in_the_middle_keeps_what_came(agent, service, captures, endpoint):
    misbehaving = endpoint(goroutine=endpoints.reset_in_the_middle)
    config = against(service, captures, misbehaving, ["goroutine", "heap"])
    incident = take(agent(config).start(), captures)
    cut = incident.profile("goroutine")
    assert cut["status"] == "truncated" and cut["bytes"] > 0
    assert "connection" in cut["error"]
    assert incident.profile("heap")["status"] == "ok"
    with pytest.raises(subprocess.CalledProcessError):
        incident.top("goroutine")
    copy = incident.profile("goroutine.readable")
    assert "goroutine.pb.gz, which ends in the middle" in copy["error"]
    assert "flat%" in incident.top("goroutine.readable"), "what is whole of it is readable"


def test_a_slow_answer_is_waited_for_and_silence_is_not(agent, service, captures, endpoint):
    misbehaving = endpoint(allocs=endpoints.dribble, heap=endpoints.silence,
                           profile=endpoints.endless_header)
    config = against(service, captures, misbehaving, ["cpu", "allocs", "heap", "goroutine"])
    running = agent(config).start()
    incident = take(running, captures)
    assert incident.profile("cpu")["status"] == "failed"
    assert incident.profile("allocs")["status"] == "ok"
    assert incident.profile("heap")["status"] == "failed"
    assert "within" in incident.profile("heap")["error"]
    assert incident.profile("goroutine")["status"] == "ok"


def test_sigterm_ends_a_cpu_profile_early_and_keeps_it(agent, service, captures):
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 25}, "heap"]}
    running = agent(config).start()
    service.burn(30)
    running.wait_log("profile heap finished")
    ticks = running.status()["agent"]["ticks"]
    running.wait_status(lambda now: now["agent"]["ticks"] > ticks + 10, "two seconds of profile")
    assert running.terminate(timeout_s=10) == 0, running.log
    assert "ended early and kept" in running.log
    incident = harness.incidents_below(captures)[0]
    cpu = incident.profile("cpu")
    assert cpu["status"] == "ok" and 1 < cpu["seconds"] < 10
    assert harness.CULPRIT in incident.top()
    assert not running.spooled()
    # The app is left as it was: its profiler is free.
    assert service.get("/debug/pprof/profile?seconds=1")[0] == 200


def test_sigterm_holds_to_its_grace(agent, service, captures, endpoint):
    misbehaving = endpoint(profile=endpoints.silence)
    config = against(service, captures, misbehaving, ["cpu", "heap"], limits={"grace": "3s"})
    running = agent(config).start()
    service.burn(5)
    running.wait_log("profile heap finished")
    assert running.terminate(timeout_s=6) == 0, running.log
    incident = harness.incidents_below(captures)[0]
    assert incident.profile("cpu")["status"] == "failed"
    assert "stopped" in incident.profile("cpu")["error"]
    assert incident.profile("heap")["status"] == "ok"
