"""The first part: a spool full of incidents goes to a store through a storm."""
import contextlib
import dataclasses
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import threading
import time

import pytest

import aws_providers
import harness
import storage
from storm import spoolful
from storm.memory import Growth
from storm.proxy import StormProxy, Weather

LIVE_EVERY_S = 10
ROLE = "storm"
SESSION_S = 65  # of the store's own tokens, whose shortest is 60 s


@dataclasses.dataclass
class Found:
    """What came of it."""
    bytes: int = 0
    incidents: int = 0  # in the spool
    live: int = 0       # caught meanwhile
    objects: int = 0
    in_parts: int = 0   # of these
    took_s: float = 0
    weather: dict = dataclasses.field(default_factory=dict)  # what the proxy counted
    tokens: int = 0
    lost_beginnings: int = 0  # uploads in parts of which the answer that says so was cut
    wrong: list = dataclasses.field(default_factory=list)    # keys that are missing or not the same
    surplus: list = dataclasses.field(default_factory=list)  # keys that nobody sent
    again: list = dataclasses.field(default_factory=list)    # whole objects that the store took twice
    joined_again: list = dataclasses.field(default_factory=list)  # objects in parts, likewise
    uploads: list = dataclasses.field(default_factory=list)  # in parts, that are left
    cold_growth: dict = dataclasses.field(default_factory=dict)  # KiB; since before the first TLS
    growth: dict = dataclasses.field(default_factory=dict)   # KiB; since after it; see memory.py
    resident_kb: int = 0  # at the end
    ticks: int = 0
    missed: int = 0


class Tokens:
    """Session tokens of the store's own STS, as a container's provider hands them out. Every second
    time it is told that they live for an hour, so that one that is over is used until the store
    refuses it; else they are renewed in time."""

    def __init__(self, s3, token_s):
        self.s3, self.token_s = s3, token_s
        s3.allow("sts:*")
        s3.allow("s3:*", role=ROLE)
        self.made = {}
        self.numbers = itertools.count()
        self.provider = aws_providers.Container(self.make, token_s)

    def make(self):
        keys = self.s3.role_session(ROLE, SESSION_S)
        self.made[keys[2]] = time.monotonic()
        self.provider.lives_s = 3600 if next(self.numbers) % 2 else self.token_s
        return keys

    def began(self, token):
        return self.made.get(token)

    def close(self):
        self.provider.close()


class Judge:
    """awscli, straight at the store."""

    def __init__(self, s3, prefix):
        self.s3, self.prefix = s3, prefix
        program = "/usr/bin/aws" if os.path.exists("/usr/bin/aws") else shutil.which("aws")
        if not program:
            pytest.skip("awscli is not installed (apt-get install awscli)")
        self.program = program

    def aws(self, *arguments):
        done = subprocess.run(
            [self.program, "--endpoint-url", self.s3.settings["S3_ENDPOINT_TLS"], "--ca-bundle",
             self.s3.settings["S3_CA_FILE"], "--output", "json", *arguments],
            env=harness.clean_environment(self.s3.environment()), text=True, capture_output=True, check=False)
        assert done.returncode == 0, f"aws {arguments}: {done.stderr}"
        return done.stdout

    def api(self, action, *arguments):
        return json.loads(self.aws("s3api", action, "--bucket", self.s3.bucket, *arguments) or "{}")

    def download(self, folder):
        """Key below the prefix to SHA-256."""
        self.aws("s3", "sync", "--only-show-errors", f"s3://{self.s3.bucket}/{self.prefix}", folder)
        paths = [os.path.join(path, name) for path, _, names in os.walk(folder) for name in names]
        return {os.path.relpath(path, folder): spoolful.sha256_of(path) for path in paths}

    def uploads(self):
        listed = self.api("list-multipart-uploads", "--prefix", self.prefix)
        return [entry["UploadId"] for entry in listed.get("Uploads", [])]


def is_state(key):
    """What an agent keeps besides its incidents, and may write again."""
    return "/_state/" in key


def expected_of(folder, live):
    """What an incident that was caught meanwhile must be, by its own incident.json, as downloaded."""
    expected = {}
    for path, _, names in os.walk(folder):
        if os.path.basename(path) in live and "incident.json" in names:
            place = os.path.relpath(path, folder)
            with open(os.path.join(path, "incident.json"), encoding="utf-8") as file:
                incident = json.load(file)
            harness.check_incident(incident, {name: harness.read(os.path.join(path, name)) for name in names})
            expected.update({f"{place}/{name}": spoolful.sha256_of(os.path.join(path, name)) for name in names})
    return expected


def capture_meanwhile(agent, over):
    """Has more incidents caught until it is over."""
    while not over.wait(LIVE_EVERY_S):
        agent.command("capture", "--reason", "storm", timeout=900)


def play(folder, binary, s3, total, seed, weather=Weather(), meanwhile=False, patience_s=3600):
    """So many bytes; what was found. Raises only for what keeps it from being played."""
    found, prefix = Found(), f"storm/{seed}"
    with contextlib.ExitStack() as stack:
        def closing(thing):
            return stack.enter_context(contextlib.closing(thing))
        judge = Judge(s3, prefix)
        tokens = closing(Tokens(s3, weather.token_s))
        proxy = closing(StormProxy(s3, weather, seed, tokens.began))
        service = closing(harness.GoService(binary, closing(harness.Cgroup(0.3))))
        place = os.path.join(folder, "agent")
        os.makedirs(place)
        agent = closing(harness.Stakeout(place, config_of(service, s3, prefix, proxy, total), {
            **tokens.provider.environment(), "HOME": folder, "AWS_REGION": "us-east-1"}))
        expected, found.bytes = spoolful.fill(
            os.path.join(agent.state, "spool"), "games", total, random.Random(seed))
        found.incidents = len({os.path.dirname(key) for key in expected})
        try:
            deliver(agent, proxy, found, meanwhile, patience_s)
        finally:
            with open(os.path.join(folder, "log"), "w", encoding="utf-8") as file:
                file.write(agent.log)
        note_weather(found, proxy, tokens)
        live = set(re.findall(r"incident (\S+-manual-\S+) opened", agent.log))
        judge_it(judge, found, expected, os.path.join(folder, "downloaded"), live)
    return found


def config_of(service, s3, prefix, proxy, total):
    config = storage.storing(service, s3, prefix, interval="1s")
    config["export"]["s3"].update(endpoint=proxy.url, ca_file=s3.settings["S3_CA_FILE"])
    config["limits"] = {"spool": str(2 * total + (64 << 20)), "analyse": "reader", "per_day": "1TiB"}
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 1}, "heap", "goroutine"]}
    return config


def deliver(agent, proxy, found, meanwhile, patience_s):
    """Until all that was in the spool is stored. Memory is first looked at when nothing but TCP's
    refusal has been seen of the store, and then when one request over TLS was answered 503."""
    agent.start()
    agent.wait_log(r"\d+ of \d+ profiles? can be had", 60)
    agent.wait_log(r"waits in the spool: .*does not answer", 60)
    harness.warm(agent)
    cold = Growth(agent.process.pid)
    proxy.up()
    agent.wait_log(r"waits in the spool: .*\bHTTP 503\b", 120)
    warm, over = Growth(agent.process.pid), threading.Event()
    capturing = threading.Thread(target=capture_meanwhile, args=(agent, over))
    proxy.begin()
    began = time.monotonic()
    if meanwhile:
        capturing.start()
    try:
        harness.wait_until(lambda: not waiting_in(agent) or not agent.running(),
                           lambda: f"all is stored; the agent says:\n{agent.log}", patience_s)
    finally:
        over.set()
        if meanwhile:
            capturing.join()
    agent.wait_spool_empty(600)
    found.took_s = time.monotonic() - began
    found.growth, found.cold_growth = warm.look(), cold.look()
    # The mark was set back in between.
    found.cold_growth["peak"] = found.growth["peak"] + warm.first["VmRSS"] - cold.first["VmRSS"]
    found.resident_kb = warm.now()["VmRSS"]
    status = agent.status()["agent"]
    found.ticks, found.missed = status["ticks"], status["ticks_missed"]


def waiting_in(agent):
    """What was there from the beginning."""
    return [name for name in os.listdir(os.path.join(agent.state, "spool")) if "-full-" in name]


def note_weather(found, proxy, tokens):
    found.weather, found.tokens = dict(proxy.counts), len(tokens.made)
    found.lost_beginnings, found.in_parts = len(proxy.made_unknown), len(proxy.joined)
    found.again = sorted(path for path, times in proxy.stored.items() if times > 1 and not is_state(path))
    found.joined_again = sorted(path for path, times in proxy.joined.items() if times > 1)


def judge_it(judge, found, expected, folder, live):
    got = judge.download(folder)
    caught = expected_of(folder, live)
    found.live = len({os.path.dirname(key) for key in caught})
    found.objects = len(expected) + len(caught)
    expected = {**expected, **caught}
    found.wrong = sorted(key for key, sha256 in expected.items() if got.get(key) != sha256)
    found.wrong += sorted(live - {os.path.basename(os.path.dirname(key)) for key in caught})
    found.surplus = sorted(key for key in got if key not in expected and not is_state(key))
    found.uploads = judge.uploads()
