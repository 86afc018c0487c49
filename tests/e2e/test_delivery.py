"""What was caught arrives: outages, kills in the middle, wrong credentials, TLS, and two exporters
of which one is down. The judge of what is in the bucket is boto3."""
import glob
import hashlib
import json
import os
import shutil
import signal
import subprocess

import pytest

import harness
from harness import wait_until, watching
from storage import Proxy, stored, storing

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


@pytest.fixture
def proxy(s3, closing):
    return closing(Proxy(s3.port))


@pytest.fixture
def prefix(request, tmp_path):
    """A folder of the bucket for one test."""
    return f"e2e/{tmp_path.name}"


def hashes(contents):
    return {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}


def spool_hashes(agent, incident_id):
    folder = os.path.join(agent.state, "spool", incident_id)
    return hashes({name: harness.read(os.path.join(folder, name)) for name in os.listdir(folder)
                   if not name.startswith(".")})


def wait_stored(agent, s3, prefix, timeout_s=harness.PATIENCE_S):
    """The only incident, once it is complete and the spool has let go of it."""
    def complete():
        found = stored(s3, prefix)
        return found if any("incident.json" in files for files in found.values()) else None
    found = wait_until(complete, lambda: f"it is stored; the log:\n{agent.log}", timeout_s)
    assert len(found) == 1
    agent.wait_spool_empty()
    [(incident_id, files)] = stored(s3, prefix).items()
    return json.loads(files["incident.json"]), files


def spike(agent, service, seconds=5):
    """Burns until the incident is open; its id."""
    agent.fire(service, seconds)
    return agent.wait_log(r"incident (\S+) opened").group(1)


def test_a_spike_arrives_in_the_bucket_byte_for_byte(agent, service, s3, prefix, proxy):
    running = agent(storing(service, s3, prefix, proxy.port), environment=s3.environment()).start()
    proxy.hold("cpu.pb.gz")
    incident_id = spike(running, service)
    assert proxy.held.wait(harness.PATIENCE_S)
    kept = spool_hashes(running, incident_id)
    proxy.release()
    incident, files = wait_stored(running, s3, prefix)
    assert incident["id"] == incident_id
    assert hashes(files) == kept
    names = [line.rsplit("/", 1)[1] for line in proxy.requests if line.startswith("PUT ")]
    assert names[-1] == "incident.json"
    asked = [line for line in proxy.requests if not line.startswith("PUT ")]
    assert all(line.startswith("GET ") and line.endswith("/_state/known.json") for line in asked), \
        "storing needs s3:PutObject and nothing else; what is known is asked for and may be refused"


def test_objects_have_their_content_types(agent, service, s3, prefix):
    running = agent(storing(service, s3, prefix), environment=s3.environment())
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    types = {key.rsplit("/", 1)[1]:
             s3.client().head_object(Bucket=s3.bucket, Key=key)["ContentType"]
             for key in s3.objects(prefix)}
    assert types["incident.json"] == "application/json"
    assert types["metrics.csv"].startswith("text/csv")
    assert types["cpu.pb.gz"] == "application/octet-stream"


def test_an_outage_during_the_spike_only_delays(agent, service, s3, prefix, proxy):
    proxy.down()
    running = agent(storing(service, s3, prefix, proxy.port), environment=s3.environment()).start()
    incident_id = spike(running, service)
    status = running.wait_status(lambda now: now["exporters"][0]["error"], "it says what is wrong")
    assert status["spool"]["waiting"] == 1 and status["spool"]["bytes"] > 0
    assert status["exporters"][0]["failures"] >= 1
    kept = spool_hashes(running, incident_id)
    assert not s3.objects(prefix)
    proxy.up()
    incident, files = wait_stored(running, s3, prefix, 60)
    assert incident["id"] == incident_id and hashes(files) == kept
    running.wait_log("works again")
    status = running.status()
    assert status["exporters"][0]["error"] is None and status["exporters"][0]["stored"] == 1
    assert status["spool"]["waiting"] == 0


def test_an_outage_outlives_a_restart(agent, service, s3, prefix, proxy):
    proxy.down()
    running = agent(storing(service, s3, prefix, proxy.port), environment=s3.environment()).start()
    incident_id = spike(running, service)
    running.wait_status(lambda now: now["exporters"][0]["error"], "it says what is wrong")
    kept = spool_hashes(running, incident_id)
    assert running.terminate() == 0, running.log
    assert "1 incident is left in the spool" in running.log
    assert spool_hashes(running, incident_id) == kept
    proxy.up()
    running.start()
    running.wait_log(f"incident {incident_id} from an earlier run is taken up")
    _, files = wait_stored(running, s3, prefix)
    assert hashes(files) == kept


def test_a_kill_during_the_capture_keeps_what_was_whole(agent, service, s3, prefix):
    config = storing(service, s3, prefix)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 20}, "heap", "goroutine"]}
    running = agent(config, environment=s3.environment()).start()
    incident_id = spike(running, service, 3)
    running.wait_log("profile goroutine finished")
    folder = os.path.join(running.state, "spool", "." + incident_id)

    def noted():
        path = os.path.join(folder, "incident.json")
        with open(path, encoding="utf-8") as file:
            states = {profile["name"]: profile["status"]
                      for profile in json.load(file)["profiles"]}
        return states == {"cpu": "pending", "heap": "ok", "goroutine": "ok"}
    wait_until(noted, "the checkpoint knows what is whole")
    running.kill()
    assert not s3.objects(prefix)
    running.start()
    incident, files = wait_stored(running, s3, prefix)
    assert incident["id"] == incident_id and incident["kind"] == "spike"
    states = {profile["name"]: profile for profile in incident["profiles"]}
    assert states["heap"]["status"] == states["goroutine"]["status"] == "ok"
    assert states["cpu"]["status"] == "failed" and "killed" in states["cpu"]["error"]
    assert incident["trigger"]["name"] == "cpu-high" and incident["onset"]
    assert len(files["metrics.csv"].splitlines()) > 3, "the spike's figures were kept"
    assert "finished" in incident


def test_a_kill_right_after_the_fire_leaves_nothing_half(agent, service, s3, prefix):
    config = storing(service, s3, prefix)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 20}]}
    running = agent(config, environment=s3.environment()).start()
    spike(running, service, 3)
    running.kill()
    running.start()
    running.wait_log("cut off")
    running.wait_spool_empty()
    assert all("incident.json" in files for files in stored(s3, prefix).values())


@pytest.mark.parametrize("file, on_answer", [
    ("cpu.pb.gz", False), ("metrics.csv", False), ("incident.json", False),
    ("heap.pb.gz", True), ("incident.json", True),
], ids=["first file half sent", "metrics half sent", "incident.json half sent",
        "a file's answer on its way", "the last answer on its way"])
def test_a_kill_during_the_upload_neither_loses_nor_doubles(agent, service, s3, prefix, proxy,
                                                            file, on_answer):
    config = storing(service, s3, prefix, proxy.port)
    config["captures"]["spike"][0]["seconds"] = 1
    running = agent(config, environment=s3.environment()).start()
    proxy.hold(file, on_answer)
    incident_id = spike(running, service, 3)
    assert proxy.held.wait(harness.PATIENCE_S), running.log
    kept = spool_hashes(running, incident_id)
    running.kill()
    proxy.release()
    if file != "incident.json":
        assert "incident.json" not in stored(s3, prefix).get(incident_id, {})
    running.start()
    incident, files = wait_stored(running, s3, prefix)
    assert incident["id"] == incident_id and hashes(files) == kept


@pytest.mark.parametrize("moment", [
    "profile heap started", "profile heap finished", "profile goroutine finished",
    "profile cpu finished", "incident \\S+ finished", "incident \\S+ delivered",
])
def test_a_kill_at_any_moment_of_a_capture(agent, service, captures, moment):
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 1
    running = agent(config).start()
    command = subprocess.Popen([harness.BINARY, "capture", "-c", running.file], text=True,
                               env=running.environment, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL)
    running.wait_log(moment)
    running.kill()
    incident_id = command.communicate(timeout=60)[0].strip()
    # The exit status 0 means that it is stored.
    if command.returncode == 0:
        assert [incident.id for incident in harness.incidents_below(captures)] == [incident_id]
    running.start()
    running.wait_spool_empty()
    found = harness.incidents_below(captures)
    assert not harness.hidden_below(captures)
    assert len(found) <= 1
    if moment != "profile heap started" and "removed" not in running.log:
        assert [incident.id for incident in found] == [incident_id]
    if moment.startswith("incident"):
        assert [profile["status"] for profile in found[0].json["profiles"]] == ["ok"] * 3


def test_a_second_sigterm_ends_it_at_once_and_nothing_is_lost(agent, service, captures):
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 20
    running = agent(config).start()
    service.process.send_signal(signal.SIGSTOP)  # the app hangs: nothing can be finished
    try:
        taken = subprocess.Popen([harness.BINARY, "capture", "-c", running.file],
                                 env=running.environment, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        running.wait_log("incident \\S+ opened")
        running.process.send_signal(signal.SIGTERM)
        running.wait_log("stopping")
        assert running.terminate(timeout_s=5) == 0, running.log
        taken.wait(60)
    finally:
        service.process.send_signal(signal.SIGCONT)
    running.start()
    running.wait_spool_empty()
    found = harness.incidents_below(captures)
    assert len(found) <= 1 and not harness.hidden_below(captures)


@pytest.mark.parametrize("wrong, words", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong" * 8}, ["SignatureDoesNotMatch", "secret"]),
    ({"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS0"}, ["InvalidAccessKeyId", "key"]),
    ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, ["credentials"]),
], ids=["secret", "key", "none"])
def test_wrong_credentials_are_said_with_a_remedy(agent, service, s3, prefix, wrong, words):
    running = agent(storing(service, s3, prefix), environment=s3.environment(**wrong)).start()
    taken = running.command("capture")
    assert taken.returncode == 1, taken.stderr
    error = running.status()["exporters"][0]["error"]
    for word in words:
        assert word in error and word in taken.stderr and word in running.log
    assert s3.settings["AWS_SECRET_ACCESS_KEY"] not in running.log
    assert "wrongwrong" not in running.log and "wrongwrong" not in json.dumps(running.status())
    assert running.command("status", "--quiet").returncode == 0
    # With the right ones at the next start it is delivered.
    assert running.terminate() == 0, running.log
    running.environment = harness.clean_environment(s3.environment())
    running.start()
    wait_stored(running, s3, prefix)


def test_a_missing_bucket_is_said_and_then_found(agent, service, s3, prefix):
    config = storing(service, s3, prefix)
    bucket = "made-later-" + os.path.basename(prefix).replace("_", "-").lower()[:40].strip("-")
    config["export"]["s3"]["bucket"] = bucket
    running = agent(config, environment=s3.environment()).start()
    taken = running.command("capture")
    assert taken.returncode == 1 and bucket in taken.stderr and "NoSuchBucket" in taken.stderr
    error = running.status()["exporters"][0]["error"]
    assert "NoSuchBucket" in error and bucket in running.log
    s3.client().create_bucket(Bucket=bucket)
    running.wait_spool_empty(60)
    keys = [entry["Key"] for entry in s3.client().list_objects_v2(Bucket=bucket)["Contents"]]
    assert any(key.endswith("/incident.json") for key in keys)


def secure(service, s3, prefix, **options):
    config = storing(service, s3, prefix)
    config["captures"] = {"spike": ["heap"]}
    config["export"]["s3"].update(endpoint=f"https://localhost:{s3.tls_port}", **options)
    return config


def test_tls_trusts_the_given_authority(agent, service, s3, prefix):
    config = secure(service, s3, prefix, ca_file=s3.settings["S3_CA_FILE"])
    one = agent(config, environment=s3.environment())
    taken = one.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.strip() in stored(s3, prefix)


def test_tls_is_verified_unless_turned_off_by_name(agent, service, s3, prefix):
    strict = agent(secure(service, s3, prefix), "strict", s3.environment())
    taken = strict.command("capture")
    assert taken.returncode == 1 and "certificate" in taken.stderr
    assert not s3.objects(prefix)
    lax = agent(secure(service, s3, prefix, verify=False), "lax", s3.environment()).start()
    lax.wait_log("verify is off")
    taken = lax.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.strip() in stored(s3, prefix)


def both(service, s3, prefix, port, captures):
    config = storing(service, s3, prefix, port)
    config["captures"] = {"spike": ["heap", "goroutine"]}
    config["export"]["directory"] = captures
    return config


def test_a_bucket_that_is_down_does_not_hold_the_folder(agent, service, s3, prefix, proxy,
                                                        captures):
    proxy.down()
    running = agent(both(service, s3, prefix, proxy.port, captures),
                    environment=s3.environment()).start()
    ids = sorted(running.command("capture").stdout.strip() for _ in range(2))
    wait_until(lambda: [incident.id for incident in harness.incidents_below(captures)] == ids,
               lambda: running.log)
    waiting = {exporter["name"].split(":")[0]: exporter["waiting"]
               for exporter in running.status()["exporters"]}
    assert waiting == {"s3": 2, "directory": 0}
    # After a kill, what the folder has is not sent to it again.
    marks = os.path.join(running.state, "spool", "*", ".sent-*")
    wait_until(lambda: len(glob.glob(marks)) == 2, "it is noted what the folder has")
    running.kill()
    shutil.rmtree(captures)
    proxy.up()
    running.start()
    running.wait_spool_empty(60)
    found = stored(s3, prefix)
    assert sorted(found) == ids and all("incident.json" in files for files in found.values())
    assert not os.path.exists(captures)


def test_a_folder_that_is_down_does_not_hold_the_bucket(agent, service, s3, prefix, captures):
    with open(captures, "w", encoding="ascii"):
        pass
    running = agent(both(service, s3, prefix, s3.port, captures),
                    environment=s3.environment()).start()
    taken = running.command("capture")
    incident_id = taken.stdout.strip()
    assert taken.returncode == 1 and captures in taken.stderr
    wait_until(lambda: "incident.json" in stored(s3, prefix).get(incident_id, {}),
               lambda: running.log)
    os.remove(captures)
    running.wait_spool_empty(60)
    assert [incident.id for incident in harness.incidents_below(captures)] == [incident_id]


@pytest.mark.parametrize("with_agent", [True, False], ids=["through the agent", "alone"])
def test_what_cannot_be_written_is_not_called_stored(agent, service, captures, with_agent):
    one = agent(watching(service, captures))
    if with_agent:
        one.start()
    command = subprocess.Popen([harness.BINARY, "capture", "-c", one.file], text=True,
                               env=one.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    partial = os.path.join(one.state, "spool", ".*", "incident.json")
    folder = os.path.dirname(wait_until(lambda: glob.glob(partial), "it is being taken")[0])
    os.rename(folder, os.path.join(one.folder, "elsewhere"))  # at once, unlike a removal
    _, said = command.communicate(timeout=60)
    assert command.returncode == 1 and "removed it from the spool" in said
    if with_agent:
        assert one.command("status", "--quiet").returncode == 0
        assert one.command("capture").returncode == 0, "the next one works"


def test_a_full_spool_takes_no_more(agent, service, captures):
    with open(captures, "w", encoding="ascii"):
        pass
    config = watching(service, captures, limits={"spool": "64KiB"})
    config["captures"]["spike"] = ["heap", "goroutine", "allocs"]
    running = agent(config).start()
    for _ in range(50):
        refused = running.command("capture")
        assert refused.returncode == 1
        if "limits.spool" in refused.stderr:
            break
    assert "limits.spool" in refused.stderr and not refused.stdout
    status = running.status()["spool"]
    assert status["bytes"] >= status["limit_bytes"] == 64 << 10
    kept = running.spooled()
    running.fire(service)
    running.wait_log("trigger cpu-high suppressed by limit")
    assert running.spooled() == kept
    os.remove(captures)
    running.wait_spool_empty(60)
    assert running.command("capture").returncode == 0


def test_a_state_that_cannot_be_written_is_said_at_start(agent, service, captures, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    one = agent(watching(service, captures, state=str(file / "state"))).spawn()
    assert one.process.wait(harness.PATIENCE_S) == 1
    one.reader.join()
    assert str(file) in one.log


def test_a_second_agent_with_the_same_state_is_refused(agent, service, captures):
    config = watching(service, captures)
    first = agent(config, "first").start()
    second = agent({**config, "state": first.state}, "second").spawn()
    assert second.process.wait(harness.PATIENCE_S) == 1
    second.reader.join()
    assert "another stakeout is running" in second.log and first.state in second.log
    assert first.command("capture").returncode == 0, "the first is not disturbed"
    first.kill()
    second.start()


def test_list_and_show_read_the_bucket(agent, service, s3, prefix):
    config = storing(service, s3, prefix)
    config["captures"] = {"spike": ["heap"]}
    one = agent(config, environment=s3.environment())
    incident_id = one.command("capture", "--reason", "look").stdout.strip()
    assert incident_id in one.command("list").stdout
    shown = one.command("show", incident_id)
    assert shown.returncode == 0 and "look" in shown.stdout
    where = ["--endpoint", f"http://127.0.0.1:{s3.port}", f"s3://{s3.bucket}/{prefix}"]
    listed = harness.run("list", "--json", *where, environment=one.environment)
    assert [incident["id"] for incident in json.loads(listed.stdout)] == [incident_id]
