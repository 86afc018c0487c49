"""Profiles that are not those of every incident: by path, of the spike's end, deltas, and one that
the app may not have. A real Go service has them."""
import os
import subprocess

import harness
from harness import seconds_of, wait_incidents, warm, watching

CORES = 0.3


def with_set(service, captures, entries):
    return {**watching(service, captures), "captures": {"spike": entries}}


def take(agent, start_service, captures, entries, name="agent", **flags):
    service = start_service(cores=CORES, **flags)
    running = warm(agent(with_set(service, captures, entries), name=name).start())
    running.fire(service)
    return running, wait_incidents(running, captures)[0]


def test_any_profile_of_the_app_by_its_path(agent, start_service, captures):
    running, incident = take(agent, start_service, captures, [
        {"profile": "cpu", "seconds": 2},
        {"path": "/debug/fgprof", "seconds": 2},
        {"path": "/debug/fgprof?plain=1&seconds=1", "name": "plain"},
        {"path": "/debug/jemalloc"},
        {"path": "/debug/pprof/trace?seconds=1"},
        {"path": "/debug/pprof/goroutine?debug=2", "name": "goroutines"},
        {"path": "/debug/page"},
        {"path": "/debug/none"},
    ])
    files = {profile["name"]: profile.get("file") for profile in incident.json["profiles"]}
    assert files == {"cpu": "cpu.pb.gz", "fgprof": "fgprof.pb.gz", "plain": "plain.pb.gz",
                     "jemalloc": "jemalloc.txt", "trace": "trace.trace",
                     "goroutines": "goroutines.txt", "page": None, "none": None}
    wall, cpu = incident.profile("fgprof"), incident.profile("cpu")
    assert abs(seconds_of(wall["requested"]) - seconds_of(cpu["requested"])) < 0.5
    assert 1.9 < wall["seconds"] < 3 and wall["url"].endswith("/debug/fgprof")
    assert "main.DecodeRematches" in incident.top("fgprof")
    assert "main.DecodeRematches" in incident.top("plain")
    assert incident.files["jemalloc.txt"].startswith(b"heap_v2/")
    assert incident.files["trace.trace"].startswith(b"go 1.")
    assert incident.files["goroutines.txt"].startswith(b"goroutine ")
    assert "web page" in incident.profile("page")["error"]
    assert '"/debug/none" (404)' in incident.profile("none")["error"]
    shown = running.command("show", incident.id)
    assert "jemalloc.txt" in shown.stdout and "it is text and no pprof profile" in shown.stdout
    report = incident.files["report.html"].decode()
    assert "jemalloc.txt" in report and "trace.trace" in report
    top = harness.run("top", os.path.join(incident.folder, "plain.pb.gz"))
    assert "main.DecodeRematches" in top.stdout


def test_one_profile_at_the_start_and_at_the_end(agent, start_service, captures):
    _, incident = take(agent, start_service, captures, [
        {"profile": "cpu", "seconds": 2}, "heap", {"profile": "heap", "at": "end"},
        {"profile": "allocs", "seconds": 1}])
    first, last = incident.profile("heap"), incident.profile("heap-end")
    assert last["file"] == "heap-end.pb.gz" and last["status"] == "ok"
    assert seconds_of(first["requested"]) - seconds_of(incident.json["fired"]) < 1
    assert seconds_of(last["requested"]) >= seconds_of(first["finished"])
    assert incident.profile("allocs")["seconds"] >= 0.9
    assert "heap" in first["url"] and last["url"] == first["url"]


def test_a_leak_profile_is_taken_where_the_app_has_one(agent, start_service, captures):
    entries = [{"profile": "cpu", "seconds": 1}, "heap", "goroutineleak"]
    running, incident = take(agent, start_service, captures, entries)
    assert [profile["name"] for profile in incident.json["profiles"]] == ["cpu", "heap"]
    assert "goroutineleak failed" not in running.log
    _, incident = take(agent, start_service, captures + "-2", entries, name="second",
                       profiles="profile,heap,goroutineleak")
    assert incident.profile("goroutineleak")["status"] == "ok"


def test_before_an_oom_the_heap_comes_first(agent, start_service, captures):
    service = start_service(memory_bytes=256 << 20, profiles="profile,heap,goroutine,allocs")
    config = watching(service, captures, triggers={
        "before-oom": {"metric": "memory", "reaches": "100%", "within": "60s",
                       "capture": "memory"}})
    del config["captures"]
    running = warm(agent(config).start())
    assert service.get("/leak?for=9s")[0] == 200
    incident = wait_incidents(running, captures, timeout_s=40)[0]
    by_time = sorted(incident.json["profiles"], key=lambda profile: profile["requested"])
    assert by_time[0]["name"] == "heap" and by_time[0]["status"] == "ok"
    assert seconds_of(by_time[0]["requested"]) - seconds_of(incident.json["fired"]) < 1
    assert {profile["name"] for profile in by_time} == {"heap", "goroutine", "allocs"}
    assert "main.keepGames" in incident.top("heap")
    assert subprocess.run(["go", "tool", "pprof", "-raw",
                           os.path.join(incident.folder, "allocs.pb.gz")],
                          check=True, capture_output=True).stdout
