"""What the end-to-end tests start and wait for: the agent, a Go service in a cgroup, an S3 server,
and what stands in the way between them. Nothing sleeps for a fixed time: conditions are waited for
with a deadline."""
import calendar
import contextlib
import glob
import hashlib
import http.client
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
TREE = os.path.dirname(os.path.dirname(HERE))
BINARY = os.environ.get("STAKEOUT", os.path.join(TREE, "build", "stakeout"))
SANITIZED = os.environ.get("STAKEOUT_SANITIZED", "") not in ("", "0")
PATIENCE_S = 40 if SANITIZED else 20
CULPRIT = "main.DecodeRematches"  # the service's function that burns
POLL_S = 0.02

ID = re.compile(r"\d{8}T\d{6}Z-[a-z0-9._-]+-[0-9a-f]{6}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def wait_until(condition, what, timeout_s=PATIENCE_S):
    """The condition's first true value; fails with `what`, a text or a function, at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail(f"not within {timeout_s} s: {what() if callable(what) else what}")
        time.sleep(POLL_S)


def free_port(given=set()):  # one set for all calls
    """Of this machine, and not one that was given before: who asked for that may not listen yet."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        if port not in given:
            given.add(port)
            return port


def read(path):
    with open(path, "rb") as file:
        return file.read()


def seconds_of(time_text):
    """RFC 3339 with milliseconds, UTC, as Unix seconds."""
    assert TIME.fullmatch(time_text), time_text
    whole, millis = time_text[:-1].split(".")
    parsed = time.strptime(whole + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    return calendar.timegm(parsed) + int(millis) / 1000


def clean_environment(extra=None):
    """Ours without what would configure the agent from outside."""
    unwanted = ("AWS_", "STAKEOUT_CONFIG", "ECS_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy",
                "https_proxy")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    kept.update(extra or {})
    return kept


def watching(service, stored_in, **changes):
    """A configuration that watches a service closely and stores in a folder."""
    return {
        "service": "games",
        "interval": "200ms",
        "source": "cgroup",
        "app": {"debug": service.debug, "container": service.cgroup.name},
        "triggers": {"cpu-high": {"metric": "cpu", "above": "60%", "for": "1s"}},
        "captures": {"spike": [{"profile": "cpu", "seconds": 2}, "heap", "goroutine"]},
        "baseline": "off",  # tests count incidents
        "export": {"directory": str(stored_in)},
        **changes,
    }


class Cgroup:
    """A real cgroup below this machine's mounts, version 1 or 2; skips where there can be none."""
    numbers = itertools.count(1)
    # Short, so that a sample of 200 ms sees many bursts and not one more or less by chance.
    PERIOD_US = 20000

    def __init__(self, cores=None, memory_bytes=None, name=None):
        if os.geteuid() != 0:
            pytest.skip("not root: no cgroup can be made")
        self.name = name or f"stakeout-e2e-{os.getpid()}-{next(self.numbers)}"
        self.version, mounts = self._mounts()
        self.folders = {}
        try:
            for controller, mount in mounts.items():
                folder = os.path.join(mount, self.name)
                os.makedirs(folder, exist_ok=True)
                self.folders[controller] = folder
            if cores:
                self._limit_cpu(cores)
            if memory_bytes:
                file = "memory.limit_in_bytes" if self.version == 1 else "memory.max"
                self._write("memory", file, str(memory_bytes))
        except OSError as error:
            self.close()
            pytest.skip(f"no cgroup can be made here: {error}")

    @staticmethod
    def _mounts():
        v1, v2 = {}, None
        with open("/proc/self/mounts", encoding="utf-8") as file:
            for line in file:
                _, path, kind, options = line.split()[:4]
                if not path.startswith("/sys/fs/cgroup"):
                    continue
                if kind == "cgroup2":
                    v2 = path
                elif kind == "cgroup":
                    for controller in {"cpu", "cpuacct", "memory"} & set(options.split(",")):
                        v1.setdefault(controller, path)
        if len(v1) == 3:
            return 1, v1
        if not v2:
            pytest.skip("neither version 1 nor version 2 of cgroups is mounted here")
        try:
            with open(f"{v2}/cgroup.subtree_control", "w", encoding="ascii") as file:
                file.write("+cpu +memory")
        except OSError as error:
            pytest.skip(f"the controllers of {v2} cannot be used: {error}")
        return 2, {"cpu": v2, "memory": v2}

    def _write(self, controller, file, text):
        with open(os.path.join(self.folders[controller], file), "w", encoding="ascii") as out:
            out.write(text)

    def _limit_cpu(self, cores):
        """What it may use it gets at once, however busy others keep the machine: a spike is one then, too."""
        if self.version == 1:
            self._write("cpu", "cpu.shares", "262144")
            self._write("cpu", "cpu.cfs_period_us", str(self.PERIOD_US))
            self._write("cpu", "cpu.cfs_quota_us", str(int(cores * self.PERIOD_US)))
        else:
            self._write("cpu", "cpu.weight", "10000")
            self._write("cpu", "cpu.max", f"{int(cores * self.PERIOD_US)} {self.PERIOD_US}")

    def wrap(self, command):
        """The command line that runs `command` in this cgroup."""
        joins = " && ".join(f"echo $$ >{shlex.quote(folder + '/cgroup.procs')}"
                            for folder in sorted(set(self.folders.values())))
        return ["/bin/sh", "-c", f'{joins} && exec "$@"', "sh", *command]

    def close(self):
        for folder in set(self.folders.values()):
            def removed(path=folder):
                with contextlib.suppress(OSError):
                    os.rmdir(path)
                return not os.path.exists(path)
            wait_until(removed, f"{folder} is removed")


def build_service(folder):
    """Builds the Go service; its path."""
    if not shutil.which("go"):
        pytest.skip("Go is not installed (apt-get install golang-go)")
    binary = os.path.join(folder, "service")
    environment = dict(os.environ, GO111MODULE="off", GOFLAGS="", CGO_ENABLED="0")
    environment.setdefault("HOME", folder)
    sources = sorted(glob.glob(os.path.join(HERE, "service", "*.go")))
    subprocess.run(["go", "build", "-o", binary, *sources], check=True, env=environment)
    return binary


class GoService:
    """A running instance of tests/e2e/service."""

    def __init__(self, binary, cgroup=None, **flags):
        self.cgroup = cgroup
        options = [f"-{name.replace('_', '-')}={value}" for name, value in flags.items()]
        command = [binary, *options]
        self.process = subprocess.Popen(cgroup.wrap(command) if cgroup else command, text=True,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    @property
    def debug(self):
        return f"http://127.0.0.1:{self.port}/debug/pprof"

    def get(self, path, timeout=PATIENCE_S, headers=None):
        """Status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request("GET", path, headers=headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def burn(self, seconds):
        assert self.get(f"/burn?for={seconds}s")[0] == 200

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Stakeout:
    """The agent with a configuration (a dictionary: JSON is YAML) and a folder of its own."""

    def __init__(self, folder, config, environment=None):
        if not os.path.exists(BINARY):
            pytest.fail(f"{BINARY} is not built: name the binary in $STAKEOUT")
        self.folder = str(folder)
        self.file = os.path.join(self.folder, "stakeout.yaml")
        self.state = config.get("state", os.path.join(self.folder, "state"))
        self.environment = clean_environment(environment)
        self.configure({"state": self.state, **config})
        self.process = None
        self.lines = []
        self.reader = None

    def configure(self, config):
        self.config = config
        with open(self.file, "w", encoding="utf-8") as file:
            json.dump(config, file, indent=1)

    def start(self):
        """Returns when the agent answers on its control socket."""
        self.spawn()
        wait_until(lambda: not self.running() or self.command("status", "--quiet").returncode == 0,
                   lambda: "the agent answers; it said:\n" + self.log)
        assert self.running(), "the agent ended at its start:\n" + self.log
        return self

    def spawn(self, *command):
        """Starts it without waiting; with a command line, that instead."""
        command = command or (BINARY, "run", "-c", self.file)
        self.process = subprocess.Popen(command, env=self.environment,
                                        text=True, errors="replace", stdin=subprocess.DEVNULL,
                                        stderr=subprocess.PIPE, cwd=self.folder)
        self.reader = threading.Thread(target=self._collect, args=(self.process.stderr,))
        self.reader.start()
        return self

    def _collect(self, pipe):
        with pipe:
            for line in pipe:
                self.lines.append(line)

    @property
    def log(self):
        return "".join(self.lines)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait_log(self, pattern, timeout_s=PATIENCE_S, count=1):
        """The last match of the pattern, once the log has it `count` times."""
        def found():
            matches = list(re.finditer(pattern, self.log))
            return matches[-1] if len(matches) >= count else None
        return wait_until(found, lambda: f"{pattern!r} in the log:\n{self.log}", timeout_s)

    def fire(self, service, seconds=4):
        """Burns until a trigger has fired or was held back. A burn while others keep the machine busy may be no
        spike: then there is another one."""
        def fires():
            return len(re.findall(r"trigger \S+ (?:fired|suppressed)", self.log))

        def fired():
            service.burn(seconds)
            end = time.monotonic() + seconds + 1
            while fires() == before and time.monotonic() < end:
                time.sleep(POLL_S)
            return fires() > before
        before = fires()
        wait_until(fired, lambda: f"a trigger fires:\n{self.log}", 5 * seconds)

    def command(self, *arguments, timeout=120, environment=None):
        """One of the other commands, with this agent's configuration."""
        name, *rest = arguments
        return run(name, "-c", self.file, *rest, timeout=timeout, cwd=self.folder,
                   environment={**self.environment, **(environment or {})})

    def status(self):
        result = self.command("status", "--json")
        assert result.returncode == 0, result.stderr + self.log
        return json.loads(result.stdout)

    def metric(self, name):
        return next((metric["value"] for metric in self.status()["metrics"]
                     if metric["name"] == name), None)

    def wait_status(self, condition, what, timeout_s=PATIENCE_S):
        """The first status for which the condition is true."""
        def looked():
            status = self.status()
            return status if condition(status) else None
        return wait_until(looked, lambda: f"{what}; the log:\n{self.log}", timeout_s)

    def terminate(self, timeout_s=PATIENCE_S):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(timeout_s)
        self.reader.join()
        return status

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.reader.join()

    def close(self):
        if self.running():
            self.kill()
        elif self.process is not None:
            self.reader.join()

    def spooled(self):
        """The names of complete incidents in the spool."""
        folder = os.path.join(self.state, "spool")
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return sorted(name for name in names if ID.fullmatch(name))

    def wait_spool_empty(self, timeout_s=PATIENCE_S):
        folder = os.path.join(self.state, "spool")
        wait_until(lambda: not os.listdir(folder),
                   lambda: f"the spool is empty, not {os.listdir(folder)}:\n{self.log}", timeout_s)


def run(*arguments, timeout=120, environment=None, cwd=None):
    """The binary with these arguments; text output is captured."""
    return subprocess.run([BINARY, *arguments], text=True, capture_output=True, timeout=timeout,
                          stdin=subprocess.DEVNULL, cwd=cwd, check=False,
                          env=clean_environment() if environment is None else environment)


class Incident:
    """An incident in a folder, read and checked for what every one must be."""

    def __init__(self, folder):
        self.folder = folder
        self.files = {name: read(os.path.join(folder, name)) for name in os.listdir(folder)}
        self.json = json.loads(self.files["incident.json"])
        self.id = self.json["id"]
        check_incident(self.json, self.files)

    def profile(self, name):
        return next(profile for profile in self.json["profiles"] if profile["name"] == name)

    def top(self, name="cpu"):
        """What `go tool pprof -top` says of a profile."""
        path = os.path.join(self.folder, self.profile(name)["file"])
        environment = clean_environment({"PPROF_TMPDIR": self.folder})
        return subprocess.run(["go", "tool", "pprof", "-top", path], check=True, text=True,
                              capture_output=True, env=environment).stdout


def check_incident(incident, files):
    """Names, order of times, sizes and checksums, as every incident has them."""
    assert ID.fullmatch(incident["id"])
    assert "incident.json" in files and "metrics.csv" in files
    for time_key in ("fired", "finished"):
        assert TIME.fullmatch(incident[time_key])
    fired = incident["fired"]
    assert incident["id"].startswith(re.sub(r"[-:]|\.\d+", "", fired) + "-")
    assert incident["finished"] >= fired
    expected = {"incident.json", "metrics.csv"}
    for profile in incident["profiles"]:
        assert profile["status"] in ("ok", "truncated", "failed"), profile
        assert bool(profile["error"]) == (profile["status"] != "ok"), profile
        if profile["status"] == "failed":
            assert "file" not in profile, profile
            continue
        expected.add(profile["file"])
        content = files[profile["file"]]
        assert len(content) == profile["bytes"], profile
        assert hashlib.sha256(content).hexdigest() == profile["sha256"], profile
    # A report is there if it was made in time.
    assert set(files) - {"report.html"} == expected, sorted(files)


def incidents_below(folder):
    """The complete incidents that a directory exporter has stored, oldest first."""
    pattern = os.path.join(str(folder), "service=*", "date=*", "*", "incident.json")
    return [Incident(os.path.dirname(path)) for path in sorted(glob.glob(pattern))]


def wait_incidents(agent, captures, count=1, timeout_s=PATIENCE_S):
    """The incidents, once there are so many."""
    def stored():
        found = incidents_below(captures)
        return found if len(found) >= count else None
    return wait_until(stored, lambda: f"{count} incidents; the log:\n{agent.log}", timeout_s)


def warm(agent):
    """Waits for the first CPU figure."""
    agent.wait_status(lambda status: any(metric["name"] == "cpu" for metric in status["metrics"]),
                      "cpu is measured")
    return agent


def hidden_below(folder):
    """Temporary files: their names begin with a dot."""
    return [os.path.join(path, name) for path, folders, names in os.walk(str(folder))
            for name in folders + names if name.startswith(".")]
