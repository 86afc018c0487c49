"""Baselines of a real Go service: taken in calm time, compared with, kept over a restart of the
container (in `state`) and of the task (in a folder and in Ceph's radosgw)."""
import json
import os
import re
import shutil
import tarfile
import time

import pytest

import harness
import storage
from ecs_metadata import EcsMetadata
from harness import seconds_of, wait_until, watching

CORES = 0.3
PACKED = "service=games/_state/baseline-app.tar"


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def with_baselines(service, captures, **changes):
    return watching(service, captures, **{"baseline": {"every": "6h"}, **changes})


def incidents_of(captures, kind):
    return [one for one in harness.incidents_below(captures) if one.json["kind"] == kind]


def wait_incidents(agent, captures, kind, count=1, timeout_s=40):
    def stored():
        found = incidents_of(captures, kind)
        return found if len(found) >= count else None
    return wait_until(stored, lambda: f"{count} of kind {kind}; the log:\n{agent.log}", timeout_s)


def kept(agent):
    folder = os.path.join(agent.state, "baselines")
    names = os.listdir(folder) if os.path.isdir(folder) else []
    return sorted(name for name in names if harness.ID.fullmatch(name))


def told(agent):
    return agent.status()["baselines"][0]


def wait_kept(agent, count=1, timeout_s=40):
    return wait_until(lambda: len(kept(agent)) == count and kept(agent),
                      lambda: f"{count} are kept, not {kept(agent)}; the log:\n{agent.log}",
                      timeout_s)


def kill(agent):
    """Once nothing is on its way, which would be stored a second time."""
    agent.wait_spool_empty()
    agent.kill()


def age(agent, hours):
    """Has the baselines in `state` be as old as that; their new names."""
    folder, names = os.path.join(agent.state, "baselines"), []
    for name in kept(agent):
        path = os.path.join(folder, name, "incident.json")
        incident = json.loads(harness.read(path))
        for key in ("fired", "finished"):
            then = seconds_of(incident[key]) - hours * 3600
            incident[key] = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(then))
        stamp = re.sub(r"[-:]|\.\d+", "", incident["fired"])
        incident["id"] = stamp + name[len(stamp):]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(incident, file)
        os.rename(os.path.join(folder, name), os.path.join(folder, incident["id"]))
        names.append(incident["id"])
    return names


def test_the_first_is_a_rehearsal_and_the_next_spike_is_compared_with_it(
        agent, service, captures):
    running = agent(with_baselines(service, captures)).start()
    began = time.time()
    baseline = wait_incidents(running, captures, "baseline")[0]
    incident = baseline.json
    assert 9 < seconds_of(incident["fired"]) - began < 25
    assert incident["trigger"]["name"] == "baseline" and "-baseline-" in incident["id"]
    assert incident["trigger"]["reason"] == \
        "calm for 10 s: the first baseline, and a rehearsal of what a spike takes"
    assert [profile["status"] for profile in incident["profiles"]] == ["ok"] * 3
    assert baseline.profile("cpu")["seconds"] == pytest.approx(2, abs=0.5)
    assert "baseline" not in incident and "onset" not in incident
    assert wait_kept(running) == [incident["id"]]
    now = running.wait_status(lambda status: status["baselines"][0]["newest"] and
                              seconds_of(status["baselines"][0]["next"]) - began > 5 * 3600,
                              "the next is due later")["baselines"][0]
    assert now["newest"] == incident["id"] and now["problems"] == []
    assert seconds_of(now["next"]) - seconds_of(incident["fired"]) == \
        pytest.approx(6 * 3600, abs=2)
    text = running.command("status").stdout
    assert f"baseline of app app: {incident['id']}, next due " in text
    listed = json.loads(running.command("list", "--json").stdout)
    assert [(one["id"], one["kind"]) for one in listed] == [(incident["id"], "baseline")]

    service.burn(6)
    spike = wait_incidents(running, captures, "spike")[0]
    assert spike.json["baseline"] == incident["id"]
    assert running.status()["incidents"]["opened"] == 1
    # What is kept is what was stored.
    folder = os.path.join(running.state, "baselines", incident["id"])
    for profile in incident["profiles"]:
        assert harness.read(os.path.join(folder, profile["file"])) == \
            baseline.files[profile["file"]]
    assert running.terminate() == 0, running.log
    assert "level=warn" not in running.log, running.log


def test_it_outlives_the_container(agent, service, captures):
    running = agent(with_baselines(service, captures)).start()
    first, = wait_kept(running)
    kill(running)
    running.start()
    assert told(running)["newest"] == first
    service.burn(6)
    assert wait_incidents(running, captures, "spike")[0].json["baseline"] == first
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert wait_incidents(running, captures, "manual")[0].json["baseline"] == first
    assert len(incidents_of(captures, "baseline")) == 1
    # Without a running agent, too.
    kill(running)
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert incidents_of(captures, "manual")[1].json["baseline"] == first


def test_what_fires_meanwhile_is_an_incident_of_its_own(agent, service, captures):
    config = with_baselines(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 8}, "heap"]}
    running = agent(config).start()
    running.wait_log("incident \\S+-baseline-\\S+ opened")
    running.wait_log("profile cpu started")
    service.burn(12)
    spike = wait_incidents(running, captures, "spike")[0]
    cpu = spike.profile("cpu")
    assert cpu["status"] == "ok" and cpu["seconds"] == pytest.approx(8, abs=1)
    assert cpu["attempts"] == 1 and "already in use" not in running.log
    assert seconds_of(cpu["requested"]) - seconds_of(spike.json["fired"]) < 2
    assert harness.CULPRIT in spike.top()
    assert "baseline" not in spike.json
    running.wait_log("baseline \\S+ gives way")
    assert not incidents_of(captures, "baseline") and not kept(running)
    # It comes in the next calm.
    running.wait_log("trigger cpu-high is clear again")
    wait_kept(running)
    running.wait_spool_empty()


def test_a_stop_leaves_no_half_of_one(agent, service, captures):
    config = with_baselines(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 20}]}
    running = agent(config).start()
    running.wait_log("incident \\S+-baseline-\\S+ opened")
    assert running.terminate() == 0, running.log
    assert not harness.incidents_below(captures) and not kept(running)
    running.wait_spool_empty()


def test_the_rehearsal_tells_what_a_spike_would_lack(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="3s", profiles="profile,heap")
    config = with_baselines(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 8}, "heap", "goroutine"]}
    running = agent(config).start()
    baseline = wait_incidents(running, captures, "baseline")[0]
    assert baseline.profile("goroutine")["status"] == "failed"
    wait_kept(running)
    problems = running.wait_status(lambda status: status["baselines"][0]["problems"],
                                   "problems")["baselines"][0]["problems"]
    assert len(problems) == 2
    assert problems[0].startswith("profile cpu: only 2") and "WriteTimeout" in problems[0]
    assert problems[1].startswith("profile goroutine: ") and "404" in problems[1]
    for problem in problems:
        assert f"was rehearsed: {problem}".replace('"', '\\"') in running.log
    said = running.command("status").stdout
    told_of = [line for line in said.splitlines() if "WriteTimeout" in line or "404" in line]
    assert len(told_of) == 2, said  # not what was tried at the start and the rehearsal, both
    kill(running)
    running.start()
    assert told(running)["problems"] == problems


@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path):
    return storage.kept_in(request, tmp_path, PACKED)


def test_it_outlives_the_task(agent, service, store, captures, tmp_path):
    config = with_baselines(service, "unused", export=store.exporters)
    running = agent(config, environment=store.environment).start()
    first, = wait_kept(running)
    packed = wait_until(store.read, lambda: f"it is in the store; the log:\n{running.log}")
    with open(tmp_path / "packed.tar", "wb") as file:
        file.write(packed)
    with tarfile.open(tmp_path / "packed.tar") as archive:
        assert sorted(archive.getnames()) == sorted(
            f"{first}/{name}" for name in
            ("incident.json", "cpu.pb.gz", "heap.pb.gz", "goroutine.pb.gz"))

    # The task is replaced: its storage is gone.
    assert running.terminate() == 0
    shutil.rmtree(running.state)
    config["export"] = {**store.exporters}
    config["export"].setdefault("directory", str(captures))
    running.configure({"state": running.state, **config})
    running.start()
    assert wait_kept(running) == [first]
    assert told(running)["newest"] == first
    running.wait_log(f"baseline {first} of an earlier task is there to compare with")
    service.burn(6)
    folder = store.folder if isinstance(store, storage.FileInFolder) else captures
    spike = wait_incidents(running, folder, "spike")[0]
    assert spike.json["baseline"] == first


def test_hostile_ones_are_passed_over(agent, service, tmp_path):
    store = storage.FileInFolder(tmp_path / "store", PACKED)
    store.write(b"\0" * 1024)
    running = agent(with_baselines(service, "unused", export=store.exporters)).start()
    line = running.wait_log(r".*is passed over.*").group(0)
    assert "level=warn" in line and PACKED in line
    wait_kept(running)
    wait_until(lambda: store.read() != b"\0" * 1024, "a good one takes its place")


@pytest.fixture
def metadata(service, closing):
    return closing(EcsMetadata({"stakeout": None, "api": service.cgroup.name}, cpu=CORES))


def on_ecs(service, captures):
    config = with_baselines(service, captures, source="ecs")
    config["app"]["container"] = "api"
    return config


def test_the_next_is_due_in_time_and_of_a_comparable_hour(agent, service, captures, metadata):
    running = agent(on_ecs(service, captures),
                    environment={"ECS_CONTAINER_METADATA_URI_V4": metadata.uri}).start()
    wait_kept(running)
    kill(running)
    yesterday, = age(running, 23)
    running.start()
    assert told(running)["newest"] == yesterday
    service.burn(6)
    assert wait_incidents(running, captures, "spike")[0].json["baseline"] == yesterday
    running.wait_status(lambda status: 100 < seconds_of(status["baselines"][0]["next"]) -
                        time.time() < 125, "it is due two minutes after the capture")


def test_a_deploy_makes_it_due(agent, service, captures, metadata):
    running = agent(on_ecs(service, captures),
                    environment={"ECS_CONTAINER_METADATA_URI_V4": metadata.uri}).start()
    first, = wait_kept(running)
    assert wait_incidents(running, captures, "baseline")[0].json["target"]["image"] == \
        "registry.example/api:1.2.3"
    # A task of another image begins with what an earlier one left.
    kill(running)
    path = os.path.join(running.state, "baselines", first, "incident.json")
    text = harness.read(path).replace(b"api:1.2.3", b"api:1.2.2")
    with open(path, "wb") as file:
        file.write(text)
    began = time.time()
    running.start()
    service.burn(6)
    assert "baseline" not in wait_incidents(running, captures, "spike")[0].json
    second = wait_incidents(running, captures, "baseline", 2, 120)[1].json
    assert second["trigger"]["reason"].endswith(
        "after a deploy: the image is registry.example/api:1.2.3")
    assert seconds_of(second["fired"]) - began > 60
