"""Where faults are played: the service, the S3 server and a folder for all plays, and what one play
starts, waits for and measures."""
import concurrent.futures
import contextlib
import dataclasses
import glob
import os
import random
import threading
import time
import traceback

import pytest

import endpoints
import harness
import storage
from faults import accounts

LANES = 4  # plays at the same time
FIRES_ABOVE = 64 << 20
RSS_MOST_KB = 20 * 1024  # of the agent, whatever is played; see test_endpoint.py


@dataclasses.dataclass
class Tally:
    """What came of the plays of one fault."""
    runs: int = 0
    held: int = 0
    failures: list = dataclasses.field(default_factory=list)  # texts
    skipped: str = ""
    counts: dict = dataclasses.field(default_factory=dict)  # what else was counted
    extremes: dict = dataclasses.field(default_factory=dict)  # to max or min, and the value
    ticks: int = 0
    missed: int = 0
    longest_ms: int = 0  # between two samples
    interval_ms: int = 0
    rss_kb: int = 0
    took_s: float = 0

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def most(self, what, number):
        self.extremes[what] = max, max(number, self.extremes.get(what, (max, number))[1])

    def least(self, what, number):
        self.extremes[what] = min, min(number, self.extremes.get(what, (min, number))[1])

    def add(self, other):
        """Takes in the measurements of one play."""
        for what, number in other.counts.items():
            self.count(what, number)
        for what, (kind, number) in other.extremes.items():
            (self.most if kind is max else self.least)(what, number)
        self.ticks += other.ticks
        self.missed += other.missed
        self.longest_ms = max(self.longest_ms, other.longest_ms)
        self.interval_ms = max(self.interval_ms, other.interval_ms)
        self.rss_kb = max(self.rss_kb, other.rss_kb)


class Bench:
    """What all plays share."""

    def __init__(self, folder, seed, lanes=LANES):
        self.folder = folder
        self.seed = seed
        self.binary = harness.build_service(folder)
        self.s3 = storage.S3Server(os.path.join(folder, "s3"))
        self.slots = threading.Semaphore(lanes)

    def close(self):
        self.s3.close()


class Play:
    """One play of one fault: what it starts is closed at its end."""

    def __init__(self, bench, name, number):
        self.bench = bench
        self.s3 = bench.s3
        self.seed = f"{bench.seed}/{name}/{number}"
        self.random = random.Random(self.seed)
        self.prefix = f"faults/{name.replace(' ', '-')}/{number}"
        self.folder = os.path.join(bench.folder, name.replace(" ", "-"), str(number))
        self.captures = os.path.join(self.folder, "captures")
        self.tally = Tally()
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        os.makedirs(self.folder)
        return self

    def __exit__(self, *what):
        self.stack.close()

    def closing(self, thing):
        return self.stack.enter_context(contextlib.closing(thing))

    def service(self, memory_bytes=None, cores=None, **flags):
        """The real service in a real cgroup of its own."""
        cgroup = self.closing(harness.Cgroup(cores, memory_bytes))
        return self.closing(harness.GoService(self.bench.binary, cgroup, **flags))

    def endpoint(self, service, **behaviours):
        return self.closing(endpoints.DebugEndpoint(service, **behaviours))

    def proxy(self):
        return self.closing(storage.Proxy(self.s3.port))

    def config(self, service, port=None, debug=None, cpu_s=1, **changes):
        """Stores in a bucket and in a folder; what fires costs the service nothing."""
        config = storage.storing(service, self.s3, self.prefix, port, **{
            "triggers": {"full": {"metric": "memory.bytes", "above": str(FIRES_ABOVE)}},
            "captures": {"spike": [{"profile": "cpu", "seconds": cpu_s}, "heap", "goroutine"]},
            **changes})
        config["limits"] = {"cooldown": "0s", "per_hour": 1000, **changes.get("limits", {})}
        config["export"]["directory"] = self.captures
        if debug:
            config["app"]["debug"] = debug
        return config

    def agent(self, config, name="agent"):
        folder = os.path.join(self.folder, name)
        os.makedirs(folder, exist_ok=True)
        agent = harness.Stakeout(folder, config, self.s3.environment())
        self.stack.callback(self.keep_log, agent)
        return self.closing(agent)

    @staticmethod
    def keep_log(agent):
        with open(os.path.join(agent.folder, "log"), "w", encoding="utf-8") as file:
            file.write(agent.log)

    def fire(self, agent, service):
        """Has the trigger fire; the incident's id."""
        agent.wait_log(r"\d+ of \d+ profiles? can be had")
        harness.warm(agent)
        assert service.get(f"/map?bytes={FIRES_ABOVE}")[0] == 200
        return agent.wait_log(r"incident (\S+) opened").group(1)

    def stores(self):
        return {"s3": storage.stored(self.s3, self.prefix),
                "directory": accounts.stored_below(self.captures)}

    def in_folder(self):
        """The ids of what the folder has whole, though more is being written: incident.json comes
        last."""
        return {path.split(os.sep)[-2] for path in glob.glob(f"{self.captures}/*/*/*/incident.json")}

    def in_bucket(self):
        """As in_folder, of the bucket."""
        return {key.split("/")[-2] for key in self.s3.objects(self.prefix)
                if key.endswith("/incident.json")}

    def wait_delivered(self, agent, timeout_s=90):
        """Everything that was opened is finished, and the spool has let go of it."""
        def finished():
            ended = set(accounts.ENDED.findall(agent.log))
            return not set(accounts.OPENED.findall(agent.log)) - ended
        agent.wait_log(accounts.ENDED.pattern, timeout_s)
        harness.wait_until(finished, lambda: f"all is finished:\n{agent.log}", timeout_s)
        agent.wait_spool_empty(timeout_s)
        return self.stores()

    def measure(self, agent):
        """Of an agent that runs: it goes on sampling, and has not grown."""
        first = agent.status()["agent"]
        agent.wait_status(lambda now: now["agent"]["ticks"] > first["ticks"] + 1,
                          "it goes on sampling")
        self.tally.ticks += first["ticks"]
        self.tally.missed += first["ticks_missed"]
        self.note_memory(agent)

    def note_memory(self, agent):
        with contextlib.suppress(OSError), \
                open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
            text = dict(line.split(":", 1) for line in file)
            if "VmHWM" in text:
                self.tally.rss_kb = max(self.tally.rss_kb, int(text["VmHWM"].split()[0]))
        if not harness.SANITIZED:
            assert self.tally.rss_kb <= RSS_MOST_KB, f"{self.tally.rss_kb} KiB resident"

    def settle(self, agent, stores=None):
        """Everything is accounted for; the stores' incidents."""
        stores = stores or self.stores()
        self.tally.interval_ms = interval_ms_of(agent.config)
        incidents = accounts.account(agent.log, stores)
        for files in incidents.values():
            self.tally.longest_ms = max(self.tally.longest_ms, accounts.longest_gap_ms(files))
        return incidents


def interval_ms_of(config):
    text = config["interval"]
    return int(text[:-2]) if text.endswith("ms") else int(text[:-1]) * 1000


def played(bench, name, number, one, tally, lock, heavy):
    """One play; what it finds goes into the tally."""
    with bench.slots if heavy else contextlib.nullcontext(), Play(bench, name, number) as play:
        wrong = skipped = None
        try:
            one(play)
        except pytest.skip.Exception as reason:
            skipped = str(reason)
        except (Exception, pytest.fail.Exception) as error:  # whatever it is, it did not hold
            where = traceback.extract_tb(error.__traceback__)
            at = next((step for step in reversed(where) if "faults" in step.filename), where[-1])
            wrong = f"{play.seed}: {type(error).__name__} in {at.name}, line {at.lineno}: {error}"
    with lock:
        tally.add(play.tally)
        if skipped:
            tally.skipped = skipped
            return
        tally.runs += play.tally.runs or 1
        if wrong:
            tally.failures.append(wrong)
        else:
            tally.held += play.tally.runs or 1


def each(one, heavy=True):
    """A fault of which each run is a play of its own."""
    def play_all(bench, name, runs):
        return several(bench, name, [one] * runs, heavy)
    return play_all


def several(bench, name, plays, heavy=True):
    tally, lock, began = Tally(), threading.Lock(), time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(max(1, len(plays))) as pool:
        list(pool.map(lambda pair: played(bench, name, pair[0], pair[1], tally, lock, heavy),
                      enumerate(plays)))
    tally.took_s = time.monotonic() - began
    return tally
