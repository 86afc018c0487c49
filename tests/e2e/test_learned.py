"""What recurs survives: a restart of the container in `state`, and a new task, whose storage is
empty, in the store (a folder, and Ceph's radosgw)."""
import json
import os
import re
import shutil
import time

import pytest

import harness
import storage
from harness import wait_until, watching

PERIOD_S = 1800
ROUNDS = 6
KEY = "service=games/_state/learned.json"

@pytest.fixture(params=["folder", "bucket"])
def store(request, tmp_path):
    return storage.kept_in(request, tmp_path, KEY)

@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)

def learning(service, store):
    config = watching(service, "unused", export=store.exporters)
    config["captures"] = {"spike": ["goroutine"]}
    config["triggers"] = {"cpu-high": {"metric": "cpu", "above": "60%"},
                          "rounds": {"recurs": {"of": "cpu-high"}}}
    return config

def rounds_until_now(of="cpu-high"):
    """What an agent wrote that saw a spike every half hour; the next is due in a moment."""
    def text(ago_s):
        return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - ago_s))
    onsets = [text(k * PERIOD_S - 5) for k in range(ROUNDS, 0, -1)]
    return json.dumps({"schema": 1, "saved": text(0),
                       "learned": {"rounds": {"of": of, "onsets": onsets}}}).encode()

def onsets_in(content):
    return len(json.loads(content)["learned"]["rounds"]["onsets"]) if content else 0

def recurrence(status):
    return next(trigger for trigger in status["triggers"]
                if trigger["name"] == "rounds").get("recurrence", {})

def wait_recognised(agent, onsets):
    status = agent.wait_status(lambda now: recurrence(now).get("onsets") == onsets,
                               f"{onsets} onsets are known")
    known = recurrence(status)
    assert known["recognised"] and abs(known["period_s"] / PERIOD_S - 1) < 0.02
    return known

def in_state(agent):
    path = os.path.join(agent.state, "learned.json")
    return onsets_in(harness.read(path)) if os.path.exists(path) else 0

def test_it_survives_the_container_and_the_task(agent, service, store):
    store.write(rounds_until_now())
    running = agent(learning(service, store), environment=store.environment).start()
    wait_recognised(running, ROUNDS)
    service.burn(2)
    wait_until(lambda: in_state(running) == ROUNDS + 1, lambda: running.log)
    assert running.terminate() == 0, running.log
    assert onsets_in(store.read()) == ROUNDS + 1, "it did not wait for a minute to pass"

    # The task is replaced: its storage is gone.
    shutil.rmtree(running.state)
    running.start()
    wait_recognised(running, ROUNDS + 1)
    wait_until(lambda: in_state(running) == ROUNDS + 1, lambda: running.log)

    # The container is: the store is not needed.
    running.kill()
    store.remove()
    running.start()
    wait_recognised(running, ROUNDS + 1)
    running.kill()
    assert store.read() is None, "nothing has changed"

def test_an_outage_at_the_start_costs_nothing(agent, service, s3, tmp_path, closing):
    proxy = closing(storage.Proxy(s3.port))
    store = storage.FileInBucket(s3, tmp_path.name, KEY, port=proxy.port)
    before = rounds_until_now()
    store.write(before)
    proxy.down()
    running = agent(learning(service, store), environment=store.environment).start()
    service.burn(2)
    wait_until(lambda: in_state(running) == 1, lambda: running.log)
    assert "level=warn" in running.wait_log(r".*cannot be asked for.*").group(0)
    assert store.read() == before

    # The container is replaced meanwhile: what is in `state` is not all yet.
    running.kill()
    running.start()
    running.wait_log(r"goes on with 1 onset from")
    running.wait_log(r"cannot be asked for", count=2)
    proxy.up()
    wait_recognised(running, ROUNDS + 1)
    wait_until(lambda: onsets_in(store.read()) == ROUNDS + 1, lambda: running.log)
    running.kill()
    assert in_state(running) == ROUNDS + 1
    assert len(re.findall("could be asked for", running.log)) == 1
    assert [line.split()[0] for line in proxy.requests if KEY.rsplit("/", 1)[1] in line] == \
        ["GET", "PUT"]

def test_a_first_task_finds_nothing_and_stores_what_it_learns(agent, service, store):
    running = agent(learning(service, store), environment=store.environment).start()
    assert recurrence(running.status()).get("onsets", 0) == 0
    service.burn(2)
    wait_until(lambda: onsets_in(store.read()) == 1, lambda: running.log)
    running.kill()
    assert in_state(running) == 1
    assert "level=warn" not in running.log and KEY not in running.log, running.log

@pytest.mark.parametrize("content", [b"{", rounds_until_now("db-burst")],
                         ids=["broken", "of another trigger"])
def test_what_is_not_ours_is_passed_over(agent, service, tmp_path, content):
    store = storage.FileInFolder(tmp_path / "store", KEY)
    store.write(content)
    running = agent(learning(service, store)).start()
    service.burn(2)
    wait_until(lambda: store.read() != content, lambda: running.log)
    assert onsets_in(store.read()) == 1
    assert ("is passed over" in running.log) == (content == b"{")

def test_without_the_right_to_read_it_says_which(agent, service, s3, tmp_path):
    name = "write-only"
    client = s3.client()
    client.create_bucket(Bucket=name)
    client.put_bucket_policy(Bucket=name, Policy=json.dumps({
        "Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Principal": "*", "Action": "s3:GetObject",
             "Resource": f"arn:aws:s3:::{name}/*"}]}))
    store = storage.FileInBucket(s3, tmp_path.name, KEY, bucket=name)
    before = rounds_until_now()
    store.write(before)
    running = agent(learning(service, store), environment=store.environment).start()
    line = running.wait_log(r".*not read back.*").group(0)
    assert "level=info" in line and "s3:GetObject" in line and KEY in line
    service.burn(2)
    client.delete_bucket_policy(Bucket=name)
    wait_until(lambda: store.read() != before, lambda: running.log)
    assert onsets_in(store.read()) == 1

def test_a_capture_by_hand_reads_nothing_back(agent, service, tmp_path):
    store = storage.FileInFolder(tmp_path / "store", KEY)
    store.write(rounds_until_now())
    one = agent(learning(service, store))
    taken = one.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert in_state(one) == 0 and "onsets" not in taken.stderr
