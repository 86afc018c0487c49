"""A source alone, as tests/tools/source_probe.c runs it, and what it looks at."""
import json
import os
import subprocess
import threading

import pytest

from harness import TREE, clean_environment, read, wait_until

BUILD = os.environ.get("STAKEOUT_BUILD", os.path.join(TREE, "build"))
INTERVAL_MS = 100


class Probe:
    """A running source_probe; `samples` is {metric: [(time in ms, value)]}."""

    def __init__(self, kind, container, uri=None, before=(), environment=None):
        """`before` is what the probe's command line begins with, such as another user."""
        extra = {"ECS_CONTAINER_METADATA_URI_V4": uri} if uri else environment
        command = [*before, os.path.join(BUILD, "tests", "source_probe"), kind, container,
                   str(INTERVAL_MS)]
        self.process = subprocess.Popen(command, env=clean_environment(extra), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.samples, self.errors, self.notes, self.identity = {}, [], [], {}
        self.reader = threading.Thread(target=self._collect)
        self.reader.start()

    def _collect(self):
        for line in self.process.stdout:
            said = json.loads(line)
            if "metric" in said:
                self.samples.setdefault(said["metric"], []).append((said["time_ms"], said["value"]))
            elif "error" in said:
                self.errors.append(said["error"])
            elif "note" in said:
                self.notes.append(said["note"])
            elif "identity" in said:
                self.identity = said["identity"]

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(10) == 0
        self.reader.join()
        self.process.stdout.close()
        for metric, samples in self.samples.items():
            times = [at for at, _ in samples]
            assert times == sorted(set(times)), metric
            assert all(0 <= value < 1e13 for _, value in samples), (metric, samples)
        assert all(value < 150 * os.cpu_count() for _, value in self.samples.get("cpu.cores", []))

    def last(self, metric):
        return self.samples.get(metric, [(0, None)])[-1][1]

    def count(self, metric):
        return len(self.samples.get(metric, []))

    def wait(self, metric, more=3):
        """Until there are that many more samples of it; these."""
        before = self.count(metric)
        wait_until(lambda: self.count(metric) >= before + more,
                   lambda: f"{more} more of {metric}; errors {self.errors}")
        return [value for _, value in self.samples[metric][before:]]

    def wait_error(self, words):
        wait_until(lambda: any(words in error for error in self.errors),
                   lambda: f"an error with {words!r} in {self.errors}")


class Idle:
    """A process that keeps a cgroup alive."""

    def __init__(self, cgroup):
        self.process = subprocess.Popen(cgroup.wrap(["sleep", "600"]))

    def close(self):
        self.process.kill()
        self.process.wait()


class Busy:
    """A process in a cgroup that burns CPU and holds 32 MiB."""

    def __init__(self, cgroup):
        self.cgroup = cgroup
        self.process = subprocess.Popen(cgroup.wrap([
            "/usr/bin/python3", "-c", "held = b'x' * (32 << 20)\nprint(1, flush=True)\n"
            "while True: pass"]), stdout=subprocess.PIPE)
        self.process.stdout.readline()

    def cpu_s(self):
        folder = self.cgroup.folders.get("cpuacct")
        if folder:
            return int(read(f"{folder}/cpuacct.usage")) / 1e9
        words = read(f"{self.cgroup.folders['cpu']}/cpu.stat").split()
        return int(words[1]) / 1e6

    def memory_bytes(self):
        name = "memory.usage_in_bytes" if self.cgroup.version == 1 else "memory.current"
        return int(read(f"{self.cgroup.folders['memory']}/{name}"))

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def assert_kills_count(probe, cgroup):
    """One of a process that takes more than the cgroup's 16 MiB."""
    probe.wait("oom_kills", 1)
    greedy = subprocess.run(cgroup.wrap(["/usr/bin/python3", "-c", "b'x' * (64 << 20)"]),
                            check=False)
    if greedy.returncode == 0:
        pytest.skip("memory limits are not enforced here")
    wait_until(lambda: probe.last("oom_kills") >= 1, "a kill was counted")


def integral(probe, metric, since_ms, until_ms):
    """What a rate sums up to between two samples' times."""
    samples = [found for found in probe.samples[metric] if since_ms <= found[0] <= until_ms]
    return sum(value * (at - before) / 1000
               for (before, _), (at, value) in zip(samples, samples[1:]))
