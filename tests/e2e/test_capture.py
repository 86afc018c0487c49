"""From a spike to an incident: a real Go service burns CPU in a real cgroup."""
import http.client
import json
import os
import socket
import subprocess

import pytest

import harness
from harness import seconds_of, wait_incidents, wait_until, warm, watching

CORES = 0.3  # what the service may use: reached at once, and the machine stays usable


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def test_a_spike_of_30_s_yields_one_incident_with_the_culprit(agent, service, captures):
    config = watching(service, captures, interval="1s")
    config["triggers"] = {"cpu-high": {"metric": "cpu", "above": "80%", "for": "5s"}}
    del config["captures"]  # the built-in set: 25 s of CPU, heap, goroutine
    running = warm(agent(config).start())
    service.burn(30)
    running.wait_log("trigger cpu-high is clear again", 60)
    incidents = wait_incidents(running, captures, timeout_s=30)
    assert len(incidents) == 1
    incident = incidents[0].json
    onset, fired = seconds_of(incident["onset"]), seconds_of(incident["fired"])
    assert 5 <= fired - onset < 8
    cpu = incidents[0].profile("cpu")
    assert cpu["status"] == "ok" and cpu["seconds"] == pytest.approx(25, abs=1)
    assert seconds_of(cpu["requested"]) - fired < 1
    assert [profile["status"] for profile in incident["profiles"]] == ["ok"] * 3
    assert harness.CULPRIT in incidents[0].top()
    assert incident["metrics"]["peak"]["cpu"] > 80
    assert running.terminate() == 0, running.log
    assert len(harness.incidents_below(captures)) == 1


def test_every_field_is_as_documented(agent, service, captures):
    running = warm(agent(watching(service, captures)).start())
    service.burn(6)
    incident = wait_incidents(running, captures)[0]
    found = dict(incident.json)
    assert found.pop("schema") == 1
    assert found.pop("id") == os.path.basename(incident.folder)
    assert found.pop("service") == "games"
    assert found.pop("app") == "app"
    assert found.pop("kind") == "spike"
    trigger = found.pop("trigger")
    assert trigger.pop("name") == "cpu-high" and trigger.pop("metric") == "cpu"
    assert trigger.pop("limit") == 60 and 60 < trigger.pop("value") < 150
    assert trigger.pop("reason").startswith("cpu ") and not trigger
    onset, fired, finished = (seconds_of(found.pop(key)) for key in ("onset", "fired", "finished"))
    assert 1 <= fired - onset < 3 and 2 <= finished - fired < 6
    version = harness.run("--version").stdout.split()[1]
    assert found.pop("agent") == {"version": version}
    ended = found.pop("ended", None)
    assert ended is None or onset < seconds_of(ended) < finished + 2
    target = found.pop("target")
    assert target.pop("container") == service.cgroup.name
    assert target.pop("host") == socket.gethostname()
    assert abs(seconds_of(target.pop("started")) - fired) < 60 and not target
    assert found.pop("usage_during_capture")["cpu_mean"] > 50
    metrics = found.pop("metrics")
    assert metrics["file"] == "metrics.csv"
    assert {"cpu", "cpu.cores", "memory.bytes", "memory.rss"} <= set(metrics["peak"])
    profiles = found.pop("profiles")
    for field in ("headline", "group", "sparkline", "suspect", "explained"):
        assert found.pop(field), "what the report found: tests/e2e/test_agent_reports.py"
    found.pop("runners_up", None)
    assert not found, "fields that do not apply are left out"
    assert [profile["file"] for profile in profiles] == \
        ["cpu.pb.gz", "heap.pb.gz", "goroutine.pb.gz"]
    for profile in profiles:
        assert profile["status"] == "ok" and profile["error"] is None
        assert profile["url"].startswith(service.debug + "/")
        assert profile["http_status"] == 200 and profile["attempts"] == 1
        requested, ended = seconds_of(profile["requested"]), seconds_of(profile["finished"])
        assert fired <= requested <= ended <= finished
        assert profile["onset_covered"] is False
        assert ("seconds" in profile) == (profile["name"] == "cpu")
        keys = {"name", "file", "status", "url", "http_status", "requested", "finished", "bytes",
                "sha256", "attempts", "onset_covered", "error"}
        assert set(profile) - {"seconds", "covered_percent"} == keys
        assert ("covered_percent" in profile) == (profile["name"] == "cpu")
    assert profiles[0]["seconds"] == pytest.approx(2, abs=0.5)
    date = f"{incident.id[:4]}-{incident.id[4:6]}-{incident.id[6:8]}"
    assert incident.folder == os.path.join(captures, "service=games", f"date={date}", incident.id)
    running.wait_spool_empty()
    assert not harness.hidden_below(captures)
    assert harness.CULPRIT in incident.top()


def test_an_incident_can_be_replayed(agent, service, captures):
    running = warm(agent(watching(service, captures)).start())
    service.burn(6)
    incident = wait_incidents(running, captures)[0]
    trace = os.path.join(incident.folder, "metrics.csv")
    replayed = running.command("replay", trace)
    assert replayed.returncode == 0, replayed.stderr
    events = [json.loads(line) for line in replayed.stdout.splitlines()]
    fires = [event for event in events if event["event"] == "fire"]
    assert len(fires) == 1 and fires[0]["trigger"] == "cpu-high"
    assert fires[0]["onset"] == incident.json["onset"]
    assert abs(seconds_of(fires[0]["time"]) - seconds_of(incident.json["fired"])) < 0.2
    assert fires[0]["value"] == pytest.approx(incident.json["trigger"]["value"], rel=1e-3)
    assert fires[0]["reason"] == incident.json["trigger"]["reason"]
    rows = incident.files["metrics.csv"].decode().splitlines()
    columns = rows[0].split(",")
    times = [row.split(",")[0] for row in rows[1:]]
    assert columns[0] == "time" and "cpu" in columns
    last_profile = max(profile["finished"] for profile in incident.json["profiles"])
    after = [time for time in times if seconds_of_row(time) >= seconds_of(last_profile)]
    # One more where it comes while the last profile is being settled.
    assert 1 <= len(after) <= 2, "through the first sample after the last profile"


def seconds_of_row(text):
    return float(text) if text[0].isdigit() and "T" not in text else seconds_of(text)


def test_a_cooldown_holds_the_second_fire_back(agent, service, captures):
    running = warm(agent(watching(service, captures)).start())
    for count in (1, 2):
        service.burn(5)
        running.wait_log("trigger cpu-high is clear again", count=count)
    wait_incidents(running, captures)
    running.wait_log("trigger cpu-high suppressed by cooldown")
    trigger = running.status()["triggers"][0]
    assert trigger["fires"] == 1 and trigger["suppressed"] == 1
    assert trigger["state"] == "cooldown"
    # The next incident tells how many were held back; by hand it needs no cooldown's end.
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    incidents = harness.incidents_below(captures)
    assert [incident.json["kind"] for incident in incidents] == ["spike", "manual"]
    assert "suppressed_since_last" not in incidents[0].json
    assert incidents[1].json["suppressed_since_last"] == 1


def test_cooldowns_outlive_the_agent(agent, service, captures):
    config = watching(service, captures)
    config["captures"]["spike"] = ["goroutine"]
    config["triggers"]["cooled"] = {"metric": "cpu", "above": "60%", "for": "1s",
                                    "cooldown": "1s"}
    running = warm(agent(config).start())
    service.burn(60)
    wait_incidents(running, captures)
    running.kill()
    running.start()  # in the middle of the excursion
    running.wait_log(r"trigger cpu-high suppressed by cooldown: .*its cooldown lasts another 4 min")
    running.wait_log("trigger cooled fired")
    by_name = {trigger["name"]: trigger for trigger in running.status()["triggers"]}
    assert by_name["cpu-high"]["state"] == "cooldown" and by_name["cpu-high"]["fires"] == 0


def test_a_fire_without_a_spool_goes_to_the_store_from_memory(agent, service, captures):
    config = watching(service, captures)
    config["captures"]["spike"] = ["goroutine"]
    running = warm(agent(config).start())
    spool = os.path.join(running.state, "spool")
    os.rmdir(spool)
    with open(spool, "w", encoding="ascii"):
        pass  # a file where the folder should be
    service.burn(6)
    incident = wait_incidents(running, captures)[0]
    assert "report.html" not in incident.files and incident.profile("goroutine")["status"] == "ok"
    assert running.log.count("spool: cannot make") == 1, "said once"
    assert running.status()["spool"]["error"]
    os.remove(spool)
    os.mkdir(spool)
    running.wait_status(lambda status: not status["spool"]["error"], "it works again")
    assert running.status()["incidents"]["opened"] == 1


def test_a_short_cooldown_lets_the_next_spike_through(agent, service, captures):
    config = watching(service, captures, limits={"cooldown": "2s"})
    config["triggers"]["cpu-high"]["for"] = "400ms"
    config["captures"]["spike"][0]["seconds"] = 1
    running = warm(agent(config).start())
    for count in (1, 2):
        service.burn(2)
        wait_incidents(running, captures, count)
        running.wait_log("trigger cpu-high is clear again", count=count)
        running.wait_status(lambda status: status["triggers"][0]["state"] == "watching",
                            "the cooldown is over")
    assert len(harness.incidents_below(captures)) == 2


def test_the_limit_an_hour_holds(agent, service, captures):
    config = watching(service, captures, limits={"cooldown": "0s", "per_hour": 1})
    config["captures"]["spike"] = ["goroutine"]
    running = warm(agent(config).start())
    for count in (1, 2):
        service.burn(3)
        running.wait_log("trigger cpu-high is clear again", count=count)
    running.wait_log("trigger cpu-high suppressed by limit")
    assert len(wait_incidents(running, captures)) == 1


def test_a_second_trigger_joins(agent, service, captures):
    config = watching(service, captures)
    config["triggers"]["memory-high"] = {"metric": "memory.bytes", "above": "100MB"}
    running = warm(agent(config).start())
    service.burn(6)
    running.wait_log("incident \\S+ opened")
    assert service.get("/grow?mb=150")[0] == 200
    incidents = wait_incidents(running, captures)
    joined = incidents[0].json["joined"]
    assert len(incidents) == 1 and len(joined) == 1
    assert joined[0]["name"] == "memory-high" and joined[0]["metric"] == "memory.bytes"
    assert joined[0]["value"] > 100e6 and joined[0]["reason"].startswith("memory.bytes ")
    fired, finished = (seconds_of(incidents[0].json[key]) for key in ("fired", "finished"))
    assert fired <= seconds_of(joined[0]["time"]) <= finished
    by_name = {trigger["name"]: trigger for trigger in running.status()["triggers"]}
    assert by_name["memory-high"]["state"] == "cooldown", "joining starts its own cooldown"
    assert running.status()["incidents"]["opened"] == 1


def test_two_apps_spike_at_the_same_time(agent, start_service, captures):
    services = {name: start_service(cores=CORES) for name in ("api", "worker")}
    config = watching(services["api"], captures)
    del config["app"]
    config["apps"] = {name: {"debug": one.debug, "container": one.cgroup.name}
                      for name, one in services.items()}
    config["triggers"] = {f"{name}-high": {"metric": f"{name}.cpu", "above": "60%", "for": "1s"}
                          for name in services}
    running = agent(config).start()
    running.wait_status(lambda status: {"api.cpu", "worker.cpu"} <=
                        {metric["name"] for metric in status["metrics"]}, "both are measured")
    for one in services.values():
        one.burn(8)
    incidents = wait_incidents(running, captures, 2)
    assert {incident.json["app"] for incident in incidents} == {"api", "worker"}
    for incident in incidents:
        app = incident.json["app"]
        assert "joined" not in incident.json
        assert incident.json["target"]["container"] == services[app].cgroup.name
        assert incident.profile("cpu")["url"].startswith(services[app].debug)
        assert incident.json["usage_during_capture"]["cpu_mean"] > 50
        assert harness.CULPRIT in incident.top()
    spans = sorted((incident.json["fired"], incident.json["finished"]) for incident in incidents)
    assert spans[1][0] < spans[0][1], "they ran beside each other"


def test_memory_is_measured_against_the_limit(agent, start_service, captures):
    service = start_service(cores=CORES, memory_bytes=256 << 20)
    config = watching(service, captures)
    config["triggers"] = {"memory-high": {"metric": "memory", "above": "50%",
                                          "capture": "memory"}}
    config["captures"] = {"memory": ["heap", "goroutine"]}
    running = agent(config).start()
    assert service.get("/grow?mb=160")[0] == 200
    incident = wait_incidents(running, captures)[0]
    assert [profile["name"] for profile in incident.json["profiles"]] == ["heap", "goroutine"]
    assert 50 < incident.json["metrics"]["peak"]["memory"] < 100
    assert "main.keepGames" in incident.top("heap")


def test_status_tells_what_the_agent_sees(agent, service, captures):
    one = agent(watching(service, captures))
    nobody = one.command("status")
    assert nobody.returncode == 1 and one.state in nobody.stderr and not nobody.stdout
    quiet = one.command("status", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (1, "", "")
    warm(one.start())
    quiet = one.command("status", "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")
    status = one.status()
    assert status["service"] == "games"
    assert status["agent"]["pid"] == one.process.pid
    assert status["sources"] == [{"name": "cgroup", "error": None}]
    assert status["triggers"][0]["name"] == "cpu-high"
    assert status["spool"]["waiting"] == 0
    assert status["exporters"][0]["name"] == f"directory:{captures}"
    text = one.command("status")
    assert text.returncode == 0 and not text.stderr
    for word in ("cpu-high", "memory.bytes", "directory:", "spool: 0 waiting"):
        assert word in text.stdout
    assert "\x1b" not in text.stdout
    service.burn(3)
    one.wait_status(lambda now: "nearest_miss" in now["triggers"][0] or now["triggers"][0]["fires"],
                    "the trigger notes how near it was")


def test_list_and_show_find_what_was_stored(agent, service, captures):
    running = agent(watching(service, captures)).start()
    ids = [running.command("capture", "--reason", reason).stdout.strip()
           for reason in ("first", "second")]
    listed = running.command("list")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.index(ids[1]) < listed.stdout.index(ids[0]), "newest first"
    as_json = harness.run("list", "--json", captures)
    assert [incident["id"] for incident in json.loads(as_json.stdout)] == ids[::-1]
    shown = running.command("show", ids[0])
    assert shown.returncode == 0 and "first" in shown.stdout and "cpu.pb.gz" in shown.stdout
    stored = harness.incidents_below(captures)[0]
    as_json = harness.run("show", "--json", f"{captures}/{ids[0]}")
    assert json.loads(as_json.stdout) == stored.json
    missing = running.command("show", "20260101T000000Z-cpu-high-000000")
    assert missing.returncode == 1 and "20260101T000000Z-cpu-high-000000" in missing.stderr


def ask(port, method, path, headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=harness.PATIENCE_S)
    try:
        connection.request(method, path, headers=headers or {})
        response = connection.getresponse()
        return response.status, response.read().decode(), dict(response.getheaders())
    finally:
        connection.close()


def test_the_port_serves_health_status_metrics_and_captures(agent, service, captures):
    port = harness.free_port()
    config = watching(service, captures, listen=f"0.0.0.0:{port}")
    config["captures"]["spike"] = ["goroutine"]
    running = warm(agent(config).start())
    running.wait_log("listening on 0.0.0.0:.*: whoever reaches it may")
    assert ask(port, "GET", "/healthz")[:2] == (200, "ok\n")
    status, body, headers = ask(port, "GET", "/status")
    assert status == 200 and json.loads(body)["service"] == "games"
    assert headers["Content-Type"] == "application/json"
    status, body, headers = ask(port, "GET", "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    samples = dict(line.rsplit(" ", 1) for line in body.splitlines() if not line.startswith("#"))
    assert float(samples["stakeout_ticks_total"]) > 0
    assert float(samples["stakeout_process_resident_memory_bytes"]) > 1e6
    assert 'stakeout_metric{metric="cpu"}' in samples
    assert samples['stakeout_trigger_fires_total{trigger="cpu-high"}'] == "0"
    assert samples['stakeout_recorder_recording{app="app"}'] == "0"
    assert samples['stakeout_source_up{source="cgroup"}'] == "1"
    for line in body.splitlines():
        if not line.startswith("#"):
            assert f"# TYPE {line.split('{')[0].split(' ')[0]} " in body, line
    status, body, headers = ask(port, "HEAD", "/healthz")
    assert status == 200 and not body and headers["Content-Length"] == "3"
    for method, path, expected in (("GET", "/nothing", 404), ("GET", "/capture", 405),
                                   ("HEAD", "/capture", 405), ("POST", "/status", 405)):
        assert ask(port, method, path)[0] == expected, (method, path)
    status, body, _ = ask(port, "POST", "/capture?reason=from+the+port")
    assert status == 202
    incident = wait_incidents(running, captures)[0]
    assert incident.id == json.loads(body)["id"]
    assert incident.json["trigger"]["reason"] == "from the port"


def test_a_log_that_nobody_reads_does_not_end_it(agent, service, captures):
    running = agent(watching(service, captures))
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.Popen([harness.BINARY, "run", "-c", running.file], stderr=writer,
                               stdin=subprocess.DEVNULL, cwd=running.folder,
                               env=running.environment)
    os.close(writer)
    try:
        wait_until(lambda: process.poll() is not None or
                   running.command("status", "--quiet").returncode == 0, "it answers or ends")
        process.terminate()
        assert process.wait(harness.PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait()


def test_a_web_page_cannot_take_captures(agent, service, captures):
    port = harness.free_port()
    running = agent(watching(service, captures, listen=f"127.0.0.1:{port}")).start()
    running.wait_log("listening on")
    for origin in ("http://evil.example", "null"):
        status, body, headers = ask(port, "POST", "/capture", {"Origin": origin})
        assert status == 403 and "error" in json.loads(body)
        assert "Access-Control-Allow-Origin" not in headers
    assert running.status()["incidents"]["running"] == []
    assert "last" not in running.status()["incidents"] or not running.status()["incidents"]["last"]


def test_a_port_that_is_taken_is_not_fatal(agent, service, captures):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        running = agent(watching(service, captures, listen=f"127.0.0.1:{port}")).start()
        running.wait_log(f"cannot listen on 127.0.0.1 port {port}: .*in use")
        assert running.command("status", "--quiet").returncode == 0
    running.wait_log(f"listening on 127.0.0.1:{port}", 30)
    assert ask(port, "GET", "/healthz")[0] == 200


def test_a_url_and_a_folder_are_enough(agent, service, captures):
    if os.geteuid() != 0:
        pytest.skip("not root: no file system of its own for the default state folder")
    unused = agent(watching(service, captures))
    unused.spawn("unshare", "--mount", "sh", "-c", 'mount -t tmpfs none /var/lib && exec "$@"',
                 "sh", harness.BINARY, "run", "--app", service.debug, "--directory", captures)
    unused.wait_log(f"profiles from {service.debug}")
    unused.wait_log("is a gap until that is mended")
    assert unused.terminate() == 0, unused.log
    unused.wait_log("stopped")


def test_without_a_file_the_log_says_how_to_ask(agent, service, captures):
    if os.geteuid() != 0:
        pytest.skip("not root: no file system of its own for the default state folder")
    one = agent(watching(service, captures))
    one.spawn("unshare", "--mount", "sh", "-c",
              'mount -t tmpfs -o ro none /var/lib && exec "$@"', "sh", harness.BINARY, "run",
              "--app", service.debug, "--directory", captures)
    state = one.wait_log("stakeout status --state ([^` ]+)`").group(1)
    assert f"stakeout capture --state {state}`" in one.log
    wait_until(lambda: harness.run("status", "--quiet", "--state", state).returncode == 0,
               lambda: one.log)
    taken = harness.run("capture", "--state", state)
    assert taken.returncode == 0, taken.stderr
    assert harness.incidents_below(captures)[0].id == taken.stdout.strip()
    if not os.path.exists("/etc/stakeout/stakeout.yaml"):
        elsewhere = harness.run("capture")
        assert elsewhere.returncode == 2 and "--state DIR names another" in elsewhere.stderr
    assert one.terminate() == 0, one.log
    for command in ("status", "capture"):
        alone = harness.run(command, "--state", state)
        assert alone.returncode == 1 and state in alone.stderr
        both = harness.run(command, "--state", state, "-c", one.file)
        assert both.returncode == 2 and "--state" in both.stderr


def test_a_service_that_goes_and_comes_back_is_a_gap(agent, service_binary, captures, closing):
    cgroup = harness.Cgroup(CORES)
    service = harness.GoService(service_binary, cgroup)
    running = warm(agent(watching(service, captures)).start())
    service.close()
    cgroup.close()
    running.wait_log("source cgroup: there is no cgroup")
    assert running.status()["sources"][0]["error"]
    again = closing(harness.Cgroup(CORES, name=cgroup.name))
    service = closing(harness.GoService(service_binary, again, listen=f"127.0.0.1:{service.port}"))
    running.wait_log("source cgroup works again")
    assert running.log.count("there is no cgroup") == 1, "said once"
    service.burn(5)
    incident = wait_incidents(running, captures)[0]
    assert incident.profile("cpu")["status"] == "ok"
    header, *rows = incident.files["metrics.csv"].decode().splitlines()
    cpu = header.split(",").index("cpu")
    times = [seconds_of_row(row.split(",")[0]) for row in rows if row.split(",")[cpu]]
    longest = max(after - before for before, after in zip(times, times[1:]))
    assert longest > 0.35, "a gap is no zero"
