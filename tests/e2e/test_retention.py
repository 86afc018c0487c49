"""The directory exporter with limits, and what is there to be kept: the agent removes the oldest
incidents of its service, and nothing else."""
import glob
import json
import os
import shutil
import subprocess
import time

import pytest

import harness
import incident_maker
from harness import clean_environment, hidden_below, watching

DAY_S = 86400


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


def keeping(service, captures, **limits):
    return watching(service, captures, export={"directory": {"path": str(captures), **limits}})


def old_incident(captures, days, service="games", **changes):
    """The folder of one that fired so many days ago."""
    root = str(captures)
    fired_s = int(time.time()) - days * DAY_S
    incident_maker.round_start(root, fired_s, service=service, **changes)
    [folder] = glob.glob(os.path.join(root, f"service={service}", "date=*", incident_maker.
                                      incident_id(fired_s, "cpu-high", service)))
    return folder


def spike(running, service):
    running.fire(service)
    running.wait_log("incident .* delivered to directory:")


def holds(running):
    [exporter] = running.status()["exporters"]
    return exporter.get("holds")


def test_what_is_too_old_goes(agent, service, captures):
    old, older, kept = (old_incident(captures, days) for days in (31, 40, 29))
    noted, foreign = old_incident(captures, 50), old_incident(captures, 60, service="chess")
    with open(os.path.join(noted, "review.json"), "w", encoding="utf-8") as file:
        json.dump({"schema": 1, "note": "fixed in revision 8"}, file)
    unfinished = old_incident(captures, 45)
    os.remove(os.path.join(unfinished, "incident.json"))
    running = agent(keeping(service, captures, keep="30d")).start()
    assert os.path.isdir(old), "it waits for the first incident, or some minutes"
    spike(running, service)
    for folder in (old, older):
        name = os.path.basename(folder)
        running.wait_log(f"level=info .*incident {name} is removed from directory:.*: "
                         "it is older than keep")
        assert not os.path.exists(os.path.dirname(folder)), "the folder of its date was empty"
    running.wait_status(lambda status: holds(running) and holds(running)["removed"] == 2, "removed")
    for folder in (kept, noted, foreign, unfinished):
        assert os.path.isdir(folder), folder
    assert holds(running)["held"] == 1 and holds(running)["incidents"] == 3
    assert not hidden_below(captures)
    printed = running.command("status").stdout
    assert "  holds 3 incidents, " in printed and ", keeps 30 days; 2 removed; 1 stay" in printed


def test_what_is_too_much_goes_oldest_first(agent, service, captures):
    folders = [old_incident(captures, days) for days in range(9, 0, -1)]
    for folder in folders:  # 256 KiB each, of which more than three do not fit
        with open(os.path.join(folder, "report.html"), "wb") as file:
            file.truncate(256 << 10)
    running = agent(keeping(service, captures, size="1MiB")).start()
    spike(running, service)
    running.wait_log("incident .* is removed from directory:.* bytes are more than size", count=6)
    running.wait_status(lambda status: holds(running) and holds(running)["removed"] == 6, "removed")
    assert [os.path.isdir(folder) for folder in folders] == [False] * 6 + [True] * 3
    found = holds(running)
    assert found["incidents"] == 4 and found["bytes"] <= found["size_bytes"] == 1 << 20


@pytest.mark.skipif(not shutil.which("aws"), reason="awscli copies the folder")
def test_a_folder_can_be_synced_to_a_bucket(captures, s3, tmp_path):
    kept = old_incident(captures, 3)
    hidden = os.path.join(os.path.dirname(kept), ".gone-" + os.path.basename(kept))
    shutil.copytree(kept, hidden)
    place = f"s3://{s3.bucket}/e2e/{tmp_path.name}"
    environment = clean_environment(s3.environment(AWS_ENDPOINT_URL=s3.settings["S3_ENDPOINT"]))
    for more in (["--exclude", "*/incident.json"], []):
        subprocess.run(["aws", "--endpoint-url", s3.settings["S3_ENDPOINT"], "s3", "sync",
                        str(captures), place, "--exclude", "*/.*", *more],
                       check=True, env=environment, capture_output=True)
    listed = {}
    for where in (str(captures), place):
        found = harness.run("list", where, "--json", "--endpoint", s3.settings["S3_ENDPOINT"],
                            "--path-style", environment=environment)
        assert found.returncode == 0, found.stderr
        listed[where] = [incident["id"] for incident in json.loads(found.stdout)]
    assert listed[place] == listed[str(captures)] == [os.path.basename(kept)]
    assert not any("/." in key for key in s3.objects(f"e2e/{tmp_path.name}"))
