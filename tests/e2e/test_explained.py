"""What the log tells of every incident, and of every fire that opens none; and the byte budget of a
day, with a real service."""
import re
import threading

from endpoints import DebugEndpoint, send_answer
from harness import wait_incidents, wait_until, warm, watching

CORES = 0.3
BUSY = "Could not enable CPU profiling: cpu profiling already in use\n"


def busy_once(free):
    """A behaviour: one CPU profile is refused after `free` was cleared."""
    def behaviour(client, endpoint, target):
        if free.is_set():
            status, body = endpoint.service.get(target, timeout=120)
            send_answer(client, body, status)
        else:
            free.set()
            send_answer(client, BUSY.encode(), 500, "text/plain; charset=utf-8")
    return behaviour


def test_an_incident_and_a_fire_that_is_held_back_are_told(agent, start_service, captures, closing):
    service = start_service(cores=CORES)
    free = threading.Event()
    free.set()
    endpoint = closing(DebugEndpoint(service, profile=busy_once(free)))
    config = watching(service, captures, limits={"cooldown": "0s", "per_hour": 1})
    config["app"]["debug"] = endpoint.debug
    running = warm(agent(config).start())
    running.wait_log("profiles? can be had")
    free.clear()
    running.fire(service, 8)
    incident = wait_incidents(running, captures)[0]
    assert incident.profile("cpu")["attempts"] > 1
    running.wait_log("trigger cpu-high is clear again")
    running.fire(service)
    running.wait_log("trigger cpu-high suppressed by limit: .*limits.per_hour: 1; there is room in ")
    expected = [
        "trigger cpu-high fired: cpu ",
        f"incident {incident.id} opened: cpu ",
        f"incident {incident.id}: profile cpu started: http",
        f"incident {incident.id}: profile cpu retried .*already in use",
        f"incident {incident.id}: profile cpu finished: ",
        f"incident {incident.id} finished",
        f"incident {incident.id} delivered to ",
        "trigger cpu-high suppressed by limit: ",
    ]
    at = 0
    for pattern in expected:
        found = re.compile(pattern).search(running.log, at)
        assert found, f"{pattern!r} after what came before it in the log:\n{running.log}"
        at = found.start()
    for name in ("heap", "goroutine"):
        for what in ("started", "finished"):
            assert f"incident {incident.id}: profile {name} {what}: " in running.log


def test_the_bytes_of_a_day_hold_also_over_a_restart(agent, start_service, captures):
    service = start_service(cores=CORES)
    limits = {"cooldown": "0s", "per_hour": 100, "per_day": "1KiB"}
    config = watching(service, captures, limits=limits)
    config["captures"]["spike"] = ["goroutine"]
    running = warm(agent(config).start())
    running.fire(service, 3)
    wait_incidents(running, captures)
    running.wait_log("trigger cpu-high is clear again")
    wait_until(lambda: running.status()["limits"]["per_day"]["bytes"] > 1024, "it is counted")
    day = running.status()["limits"]["per_day"]
    assert day["limit_bytes"] == 1024 and day["room"]
    assert "no more until" in running.command("status").stdout
    assert running.terminate() == 0
    running.lines.clear()
    warm(running.start())
    running.fire(service, 3)
    running.wait_log("trigger cpu-high suppressed by limit: .*limits.per_day: .* there is room at 20")
    assert running.status()["limits"]["per_day"]["bytes"] >= day["bytes"]
    assert running.command("capture", "--reason", "by hand").returncode == 0
    kinds = [incident.json["kind"] for incident in wait_incidents(running, captures, 2)]
    assert sorted(kinds) == ["manual", "spike"]
