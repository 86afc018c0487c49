"""RDS's metrics through CloudWatch: polled for triggers, and added to incidents that are stored."""
import csv
import io
import json
import os
import re
import types

import pytest

import harness
from cloudwatch import LONG_AGO_S, CloudWatch, make_old
from harness import wait_incidents, wait_until, watching

KEYS = ("AKIDEXAMPLE", "hidden/secret", "session+token")
CREDENTIALS = {"AWS_ACCESS_KEY_ID": KEYS[0], "AWS_SECRET_ACCESS_KEY": KEYS[1], "AWS_SESSION_TOKEN": KEYS[2]}
USUAL = ["CPUUtilization", "DatabaseConnections", "FreeableMemory", "NetworkReceiveThroughput",
         "NetworkTransmitThroughput", "ReadIOPS", "WriteIOPS", "ReadLatency", "WriteLatency", "DiskQueueDepth"]
INSTANCE = ("DBInstanceIdentifier", "games-prod")


def busy(metric, at):
    """Other values in each minute; of one metric there is nothing."""
    return None if metric == "ReadLatency" else 10 * USUAL.index(metric) + at // 60 % 7


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


@pytest.fixture
def rds(closing):
    return closing(CloudWatch({KEYS[0]: KEYS[1:]}, {INSTANCE: busy}))


def with_rds(service, stored_in, rds, **changes):
    cloudwatch = {"instance": INSTANCE[1], "region": "eu-west-1", "endpoint": rds.url}
    config = watching(service, stored_in, database={"endpoint": "127.0.0.1:5432", "cloudwatch": cloudwatch})
    config["captures"]["spike"] = ["goroutine"]
    config.update(changes)
    return config


def rows_of(incident):
    return list(csv.DictReader(io.StringIO(incident.files["metrics.csv"].decode())))


def take(running):
    taken = running.command("capture", "--reason", "a look")
    return taken.stdout.strip()


def late_folder(running, incident):
    return os.path.join(running.state, "late", incident)


def test_an_incident_is_stored_first_and_then_completed(agent, service, captures, rds):
    config = with_rds(service, captures, rds)
    running = agent(config, environment=CREDENTIALS).start()
    taken = take(running)
    first = wait_incidents(running, captures)[0]
    assert first.id == taken and "late_added" not in first.json["metrics"]
    assert not any(name.startswith("rds.") for name in rows_of(first)[0])
    wait_until(lambda: any(name.startswith(".stored-") for name in os.listdir(late_folder(running, taken))),
               "it is noted who has the incident")
    assert not rds.questions and running.status()["late"]["waiting"] == 1
    assert running.terminate() == 0, running.log
    assert "without rds.* yet" in running.log

    make_old(late_folder(running, taken))
    running.start()
    wait_until(lambda: not os.path.exists(late_folder(running, taken)), lambda: "it is done\n" + running.log)
    assert running.status()["late"]["waiting"] == 0
    question, = rds.questions
    assert rds.regions == ["eu-west-1"]
    assert [query["MetricStat"]["Metric"]["MetricName"] for query in question["MetricDataQueries"]] == USUAL

    folder = first.folder
    files = {name: harness.read(os.path.join(folder, name)) for name in os.listdir(folder)}
    incident = types.SimpleNamespace(files=files, json=json.loads(files["incident.json"]))
    assert sorted(files) == sorted(first.files)  # what it says of times is as of make_old
    assert harness.TIME.fullmatch(incident.json["metrics"]["late_added"])
    rows = rows_of(incident)
    times = [float(row["time"]) for row in rows]
    assert times == sorted(times)
    came = [row for row in rows if row["rds.CPUUtilization"]]
    before = [float(row["time"]) + LONG_AGO_S for row in rows if not row["rds.CPUUtilization"]]
    assert before[0] == float(rows_of(first)[0]["time"]) and len(before) == len(rows_of(first))
    minutes = [float(row["time"]) for row in came]
    assert minutes == [minutes[0] + 60 * i for i in range(len(came))]
    assert minutes[0] <= before[0] - LONG_AGO_S - 240 and minutes[-1] >= before[-1] - LONG_AGO_S
    for row in came:
        begins = int(float(row["time"])) - 60
        assert float(row["rds.WriteIOPS"]) == busy("WriteIOPS", begins)
        assert "rds.ReadLatency" not in row
    assert incident.json["metrics"]["peak"]["rds.DatabaseConnections"] >= 10
    assert "rds.NetworkTransmitThroughput" in incident.files["report.html"].decode()
    replayed = harness.run("replay", "-c", running.file, os.path.join(folder, "metrics.csv"))
    assert replayed.returncode == 0, replayed.stderr
    assert running.terminate() == 0, running.log
    assert KEYS[1] not in running.log and KEYS[2] not in running.log


def test_what_does_not_come_holds_nothing_back_and_is_given_up(agent, service, captures, rds):
    rds.fault = (403, "AccessDenied", "User: x is not authorized to perform: cloudwatch:GetMetricData")
    running = agent(with_rds(service, captures, rds), environment=CREDENTIALS).start()
    taken = take(running)
    wait_incidents(running, captures)
    assert running.terminate() == 0, running.log
    make_old(late_folder(running, taken))
    running.start()
    running.wait_log(f"{taken} has no rds.* yet: CloudWatch: AccessDenied: allow cloudwatch:GetMetricData")
    assert "allow cloudwatch:GetMetricData" in running.status()["late"]["error"]
    assert os.path.exists(late_folder(running, taken))
    assert running.terminate() == 0, running.log


def test_a_trigger_on_it_has_it_polled_and_fires(agent, service, captures, rds):
    rds.databases[INSTANCE] = lambda metric, at: 95.5
    config = with_rds(service, captures, rds,
                      triggers={"rds-cpu": {"metric": "rds.CPUUtilization", "above": "90%"}})
    running = agent(config, environment=CREDENTIALS).start()
    incident = wait_incidents(running, captures)[0]
    assert incident.json["trigger"]["metric"] == "rds.CPUUtilization"
    assert incident.json["trigger"]["value"] == 95.5
    question = rds.questions[0]
    assert [query["MetricStat"]["Metric"]["MetricName"] for query in question["MetricDataQueries"]] == \
        ["CPUUtilization"]
    assert re.search(r"source cloudwatch: 1 metric of CloudWatch is polled once a minute", running.log)
    assert running.metric("rds.CPUUtilization") == 95.5
    assert running.terminate() == 0, running.log


CHECKS = [
    ({}, {}, None, "ok, 9 of 10 metrics came from eu-west-1 (nothing of ReadLatency); the newest minute"),
    ({"instance": "games-prdo"}, {}, None, "nothing of the instance games-prdo in eu-west-1: is that its"),
    ({"instance": None, "cluster": "games-prod"}, {}, None, "is it a cluster and not an instance"),
    ({}, {"AWS_ACCESS_KEY_ID": "AKIDOTHER"}, None, "InvalidClientTokenId: AWS does not know the access key"),
    ({}, {"AWS_SECRET_ACCESS_KEY": "another"}, None, "SignatureDoesNotMatch: the secret key does not belong"),
    ({}, {}, (403, "AccessDenied", "no"), "allow cloudwatch:GetMetricData to these credentials"),
    ({}, {}, (403, "ExpiredToken", "no"), "the credentials have expired: renew them"),
    ({}, {}, (403, "OptInRequired", "no"), "the account has not enabled the region eu-west-1"),
    ({}, {}, (400, "Odd", "something <new>"), "CloudWatch answered HTTP 400, Odd: something"),
    ({"endpoint": None, "region": "eu-wset-1"}, {}, None, "is eu-wset-1 a region, and is there a way to it"),
]


@pytest.mark.parametrize("settings, environment, fault, said", CHECKS)
def test_check_tries_it(agent, service, captures, rds, settings, environment, fault, said):
    config = with_rds(service, captures, rds)
    cloudwatch = config["database"]["cloudwatch"]
    cloudwatch.update(settings)
    config["database"]["cloudwatch"] = {key: value for key, value in cloudwatch.items() if value}
    if fault:
        rds.fault = (fault[0], fault[1], fault[2].replace("<", "&lt;").replace(">", "&gt;"))
    checked = agent(config, environment={**CREDENTIALS, **environment}).command("check")
    line = next(line for line in checked.stdout.splitlines() if line.startswith("cloudwatch "))
    assert said in line, line
    assert checked.returncode == 1  # nobody listens at the database's port


@pytest.mark.parametrize("trigger, said", [
    ({"metric": "rds.CPUUtilization", "above": "90%", "for": "10s"}, "give 0s, which is one sample, or 1m"),
    ({"metric": "rds.FreeableMemory", "reaches": "1GiB", "within": "60s"}, "give 10m or more"),
    ({"all": ["cpu-high", "fine"], "within": "10s"}, "give 5m or more"),
    ({"metric": ["cpu", "rds.CPUUtilization"], "spike": {}}, "make them two triggers"),
])
def test_a_trigger_that_cannot_work_is_refused(agent, service, captures, rds, trigger, said):
    config = with_rds(service, captures, rds)
    config["triggers"].update({"fine": {"metric": "rds.CPUUtilization", "above": "90%"}, "bad": trigger})
    checked = agent(config).command("check", "--offline")
    assert checked.returncode == 2
    line, = checked.stderr.strip().splitlines()
    assert "triggers.bad" in line and "one sample a minute, which comes up to 5 minutes late" in line
    assert said in line
