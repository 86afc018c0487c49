"""What happens when a spike is over, against a real Go service: its CPU profile ends early, and a
follow-up is taken."""
import re
import select
import socket
import urllib.parse

import pytest

import harness
from endpoints import DebugEndpoint
from harness import seconds_of, wait_incidents, wait_until, warm, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def of_kind(captures, kind):
    return [one for one in harness.incidents_below(captures) if one.json["kind"] == kind]


def wait_kind(agent, captures, kind, timeout_s=60):
    return wait_until(lambda: of_kind(captures, kind),
                      lambda: f"one of kind {kind}; the log:\n{agent.log}", timeout_s)[0]


def capturing(service, captures, seconds, **changes):
    config = watching(service, captures, **changes)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": seconds}, "heap", "goroutine"]}
    return config


def test_a_cpu_profile_ends_with_its_spike(agent, service, captures):
    running = warm(agent(capturing(service, captures, 40)).start())
    service.burn(24)
    incident = wait_incidents(running, captures, timeout_s=90)[0]
    cpu, ended = incident.profile("cpu"), seconds_of(incident.json["ended"])
    assert cpu["status"] == "ok" and cpu["ended_early"] is True and cpu["attempts"] == 1
    recorded = seconds_of(cpu["finished"]) - seconds_of(cpu["requested"])
    assert 20 <= cpu["seconds"] < 35 and cpu["seconds"] <= recorded < cpu["seconds"] + 2
    assert abs(seconds_of(cpu["finished"]) - ended) < 3, "with the spike, and not later"
    onset = seconds_of(incident.json["onset"])
    covered = 100 * (ended - seconds_of(cpu["requested"])) / (ended - onset)
    assert cpu["covered_percent"] == pytest.approx(covered, abs=5)
    assert "covered_percent" not in incident.profile("heap")
    assert harness.CULPRIT in incident.top()
    assert f"incident {incident.id}: its spike is over, since {incident.json['ended']}" \
        in running.log
    assert "profile cpu is ended early and kept: the spike is over, and 2" in running.log
    assert "of 40 s are recorded" in running.log


def test_half_of_it_is_recorded_at_the_least(agent, service, captures):
    running = warm(agent(capturing(service, captures, 16)).start())
    service.burn(3)
    incident = wait_incidents(running, captures, timeout_s=60)[0]
    cpu = incident.profile("cpu")
    assert cpu["status"] == "ok" and cpu["ended_early"] is True
    assert cpu["seconds"] == pytest.approx(8, abs=0.7)
    assert harness.CULPRIT in incident.top()


def behind(endpoint, service, captures, seconds):
    config = capturing(service, captures, seconds)
    config["app"]["debug"] = endpoint.debug
    config["triggers"]["cpu-high"]["cooldown"] = "0s"
    return config


def gives_up_with_its_client(client, endpoint, target):
    """As many a proxy does: an end of the client's half is an end of the request."""
    app = urllib.parse.urlsplit(endpoint.service.debug)
    with socket.create_connection((app.hostname, app.port)) as upstream:
        upstream.sendall(f"GET {target} HTTP/1.0\r\nHost: {app.netloc}\r\n\r\n".encode())
        while True:
            readable, _, _ = select.select([client, upstream], [], [])
            data = readable[0].recv(65536)
            if not data:
                return
            if readable[0] is upstream:
                client.sendall(data)


def test_an_endpoint_that_gives_up_with_its_client_is_learned(agent, service, captures):
    endpoint = DebugEndpoint(service, profile=gives_up_with_its_client)
    running = warm(agent(behind(endpoint, service, captures, 8)).start())
    service.burn(2)
    first = wait_incidents(running, captures, timeout_s=60)[0].profile("cpu")
    assert first["status"] == "ok" and first["attempts"] == 2 and first["ended_early"] is True
    assert first["seconds"] == pytest.approx(4, abs=0.5)
    assert "the endpoint gave no answer when the profile was ended early" in running.log
    service.burn(2)
    second = wait_incidents(running, captures, count=2, timeout_s=60)[1].profile("cpu")
    assert second["status"] == "ok" and second["attempts"] == 1 and "ended_early" not in second
    assert second["seconds"] == pytest.approx(8, abs=0.5)
    assert "takes its full length, though the spike is over" in running.log


def test_an_endpoint_that_goes_on_is_taken_at_its_word(agent, service, captures):
    endpoint = DebugEndpoint(service)  # it does not look at its client before it answers
    running = warm(agent(behind(endpoint, service, captures, 8)).start())
    wait_until(lambda: service.get("/debug/pprof/profile?seconds=1")[0] == 200,
               "what the agent tried at its start is over")
    service.burn(2)
    cpu = wait_incidents(running, captures, timeout_s=60)[0].profile("cpu")
    assert cpu["status"] == "ok" and "ended_early" not in cpu
    assert cpu["seconds"] == pytest.approx(8, abs=0.5)


def test_what_the_recorder_has_counts(agent, service, captures):
    config = capturing(service, captures, 16)
    config["recorder"] = {"always": True, "slice": "2s", "keep": 4}
    running = warm(agent(config).start())
    running.wait_status(lambda status: status["recorder"][0]["slices"] >= 2, "there are slices")
    service.burn(4)
    incident = wait_incidents(running, captures, timeout_s=60)[0]
    cpu = incident.profile("cpu")
    assert [one["name"] for one in incident.json["profiles"]] == ["cpu", "heap", "goroutine"]
    assert cpu["status"] == "ok" and cpu["onset_covered"] is True
    assert 7 <= cpu["seconds"] < 12, "half of it, or a slice more"
    assert cpu["covered_percent"] > 80
    assert harness.CULPRIT in incident.top()


def test_a_spike_that_lasts_has_no_end(agent, service, captures):
    running = warm(agent(capturing(service, captures, 2)).start())
    service.burn(12)
    incident = wait_incidents(running, captures, timeout_s=60)[0]
    cpu = incident.profile("cpu")
    assert "ended" not in incident.json and "ended_early" not in cpu
    assert 10 < cpu["covered_percent"] < 100
    use = incident.json["usage_during_capture"]
    assert use["cpu_mean"] > 50 and set(use) <= {"cpu_mean", "memory_max"}


def test_a_follow_up_is_stored(agent, service, captures):
    running = warm(agent(capturing(service, captures, 16, follow_up="5s")).start())
    service.burn(8)
    spike = wait_kind(running, captures, "spike")
    follow_up = wait_kind(running, captures, "follow_up")
    found = follow_up.json
    assert found["follows"] == spike.id and found["trigger"]["name"] == "follow_up"
    assert "-follow_up-" in follow_up.id and "onset" not in found
    assert found["trigger"]["reason"] == f"after the spike of {spike.id}"
    since = max(seconds_of(spike.json["ended"]), seconds_of(spike.json["finished"]))
    assert 5 <= seconds_of(found["fired"]) - since < 8
    assert [(one["name"], one["status"]) for one in found["profiles"]] == \
        [("cpu", "ok"), ("heap", "ok"), ("goroutine", "ok")]
    assert follow_up.profile("cpu")["seconds"] == pytest.approx(5, abs=0.5)
    follow_up.top()
    listed = harness.run("list", "--json", str(captures)).stdout
    assert spike.id in listed and follow_up.id in listed
    shown = harness.run("show", f"{captures}/{follow_up.id}").stdout
    assert re.search(rf"^follows +{spike.id}$", shown, re.M), shown
    page = follow_up.files["report.html"].decode()
    assert re.search(rf"<dt>Follows</dt><dd>the spike of <code>{spike.id}</code>", page)
    shown = harness.run("show", f"{captures}/{spike.id}").stdout
    assert re.search(r"^over +20.*s after the onset$", shown, re.M), shown
    assert re.search(r"covers \d+% of the spike, ended with it", shown), shown


def test_a_fire_takes_the_place_of_a_follow_up(agent, service, captures):
    config = capturing(service, captures, 4, follow_up="5s")
    config["triggers"]["cpu-high"]["cooldown"] = "0s"
    running = warm(agent(config).start())
    service.burn(3)
    running.wait_log("after the spike of", 60)
    service.burn(6)
    running.wait_log("gives way and is thrown away", 30)
    wait_until(lambda: len(of_kind(captures, "spike")) == 2,
               lambda: f"a second spike; the log:\n{running.log}", 60)
    assert all(one.profile("cpu")["status"] == "ok" for one in of_kind(captures, "spike"))
    second = of_kind(captures, "spike")[1]
    assert wait_kind(running, captures, "follow_up").json["follows"] == second.id
    assert len(of_kind(captures, "follow_up")) == 1


def test_none_is_taken_of_an_agent_that_stops(agent, service, captures):
    running = warm(agent(capturing(service, captures, 2, follow_up="60s")).start())
    service.burn(4)
    spike = wait_kind(running, captures, "spike")
    [planned] = running.wait_status(lambda now: now["follow_ups"][0]["due"], "its end")["follow_ups"]
    assert planned["follows"] == spike.id and planned["after_s"] == 60
    assert seconds_of(planned["due"]) >= seconds_of(spike.json["fired"]) + 60, "a minute after the spike's end"
    said = running.command("status").stdout
    assert f"follow-up of incident {spike.id} planned for {planned['due'][:19]}" in said
    assert running.terminate() == 0, running.log
    assert f"incident {spike.id} gets no follow-up: the agent is stopping" in running.log
    assert not of_kind(captures, "follow_up")
