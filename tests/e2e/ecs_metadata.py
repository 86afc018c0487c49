#!/usr/bin/python3
"""A stand-in for the ECS task metadata endpoint, version 4, with real figures.

It answers below /v4/<id> like the endpoint (the container's own metadata, /task, /stats and
/task/stats) with the figures of real cgroups of this machine, and on request with each oddity that
the endpoint is known for. /v2/credentials/<id> answers with task-role credentials.

As a program it prints its address, serves until standard input ends, and takes oddities by
POST /control {"oddity": "null_stats", "container": "api"}; {"oddity": null} ends them all.
"""
import argparse
import datetime
import hashlib
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CGROUPS = "/sys/fs/cgroup"
TASK_ARN = "arn:aws:ecs:eu-west-1:123456789012:task/games/9f8e7d"
BASE = "/v4/1a2b3c4d-0123"
NO_TIME = "0001-01-01T00:00:00Z"

# What `control` understands besides "slow", "restart" and "restart_policy". Those of STATS and
# METADATA can be limited to one container.
STATUS = {"429": (429, "Too Many Requests"),
          "404": (404, "V4 task metadata handler: unable to get task arn"),
          "500": (500, "V4 task stats handler: unable to get the stats")}
BODIES = {"empty": b"{}", "null": b"null", "garbage": b'{"cut": [1, 2', "array": b"[1, 2, 3]",
          "html": b"<html>no</html>", "deep": b"[" * 100000, "huge": b'"' + b"x" * (2 << 20) + b'"'}
STATS = {"null_stats", "missing_stats", "stale", "no_system_cpu", "no_cpu", "no_memory", "no_parts",
         "no_networks", "no_throttling", "odd_types", "zero_read", "absurd_cpu", "unlimited"}
METADATA = {"no_limits", "exit_137", "not_created", "stopping"}


def rfc3339(seconds):
    whole = int(seconds)
    text = datetime.datetime.fromtimestamp(whole, datetime.timezone.utc)
    return f"{text:%Y-%m-%dT%H:%M:%S}.{int((seconds - whole) * 1e9):09d}Z"


def read(path, otherwise=""):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return otherwise


def read_keys(path):
    return {words[0]: int(words[1]) for words in map(str.split, read(path).splitlines()) if words}


class Cgroup:
    """The figures of one real cgroup, version 1 below every controller or version 2."""

    def __init__(self, path):
        self.path = path.strip("/")
        self.v2 = not os.path.isdir(f"{CGROUPS}/cpuacct/{self.path}")

    def file(self, controller, name):
        return f"{CGROUPS}/{'' if self.v2 else controller + '/'}{self.path}/{name}"

    def cpu_ns(self):
        if self.v2:
            return read_keys(self.file("cpu", "cpu.stat")).get("usage_usec", 0) * 1000
        return int(read(self.file("cpuacct", "cpuacct.usage"), "0"))

    def throttling(self):
        keys = read_keys(self.file("cpu", "cpu.stat"))
        return {"periods": keys.get("nr_periods", 0),
                "throttled_periods": keys.get("nr_throttled", 0),
                "throttled_time": keys.get("throttled_time", 0)}

    def memory(self):
        name = "memory.current" if self.v2 else "memory.usage_in_bytes"
        return (int(read(self.file("memory", name), "0")),
                read_keys(self.file("memory", "memory.stat")))


class NoCgroup:
    """A container that does nothing."""

    @staticmethod
    def cpu_ns():
        return 0

    @staticmethod
    def throttling():
        return {"periods": 0, "throttled_periods": 0, "throttled_time": 0}

    @staticmethod
    def memory():
        return 1 << 20, {"total_inactive_file": 0, "total_rss": 1 << 19}


def interfaces(wanted=None):
    """This machine's network as if it were the task's: every interface but lo, or one as eth0."""
    names = ("bytes", "packets", "errors", "dropped")
    found = {}
    for line in read("/proc/net/dev").splitlines()[2:]:
        name, text = line.split(":")
        figures = [int(figure) for figure in text.split()]
        found[name.strip()] = {
            **{f"rx_{what}": figure for what, figure in zip(names, figures)},
            **{f"tx_{what}": figure for what, figure in zip(names, figures[8:])}}
    loopback = found.pop("lo")
    if wanted == "lo" or not found:
        return {"eth0": loopback}
    return {"eth0": found[wanted]} if wanted else found


def version_2(parts):
    """memory.stat of version 1 as version 2 has it."""
    if "total_rss" not in parts:
        return parts
    return {"anon": parts["total_rss"], "file": parts.get("total_cache", 0),
            "inactive_file": parts["total_inactive_file"],
            "active_file": parts.get("total_active_file", 0)}


class Container:
    def __init__(self, name, cgroup=None, kind="NORMAL", shares=256, memory_mib=0):
        self.name = name
        self.kind = kind
        self.cgroup = Cgroup(cgroup) if cgroup else NoCgroup()
        self.limits = {"CPU": shares, "Memory": memory_mib}
        self.generation = 0
        self.restart_count = None
        self.frozen = None
        self.base_cpu_ns = 0
        self.begin()

    def begin(self):
        seed = hashlib.sha256(f"{self.name} {self.generation} {id(self)}".encode()).hexdigest()
        self.docker_id = f"{seed[:32]}-{int(seed[32:40], 16)}"
        self.started = time.time()

    def restart(self):
        """As ECS does it for a service: a new container, its counters from zero."""
        self.generation += 1
        self.base_cpu_ns = self.cgroup.cpu_ns()
        self.begin()

    def metadata(self, odd):
        data = {
            "DockerId": "" if "not_created" in odd else self.docker_id,
            "Name": self.name,
            "DockerName": f"ecs-web-7-{self.name}-f0e1d2c3",
            "Image": f"registry.example/{self.name}:1.2.3",
            "ImageID": "sha256:" + hashlib.sha256(self.name.encode()).hexdigest(),
            "Labels": {"com.amazonaws.ecs.container-name": self.name,
                       "com.amazonaws.ecs.task-definition-family": "web",
                       "com.amazonaws.ecs.task-definition-version": "7"},
            "DesiredStatus": "STOPPED" if "stopping" in odd else "RUNNING",
            "KnownStatus": "RUNNING", "Limits": self.limits,
            "CreatedAt": rfc3339(self.started - 1), "StartedAt": rfc3339(self.started),
            "Type": self.kind, "LogDriver": "awslogs",
            "Networks": [{"NetworkMode": "awsvpc", "IPv4Addresses": ["10.0.1.7"]}]}
        if self.restart_count is not None:
            data["RestartCount"] = self.restart_count
        if "no_limits" in odd:
            del data["Limits"]
        if "exit_137" in odd:
            data.update(KnownStatus="STOPPED", ExitCode=137, FinishedAt=rfc3339(time.time()))
        if self.kind == "CNI_PAUSE":
            data.update(Name="~internal~ecs~pause", Labels={}, KnownStatus="RESOURCES_PROVISIONED")
        return data

    def cpu_stats(self):
        cpus = os.cpu_count()
        used = max(self.cgroup.cpu_ns() - self.base_cpu_ns, 0)
        return {"cpu_usage": {"total_usage": used, "percpu_usage": [used // cpus] * cpus,
                              "usage_in_kernelmode": used // 10, "usage_in_usermode": used},
                "system_cpu_usage": int(time.monotonic() * cpus * 1e9), "online_cpus": cpus,
                "throttling_data": self.cgroup.throttling()}

    def stats(self, odd, networks, v2_shape):
        if "stale" in odd and self.frozen:
            return self.frozen
        now = time.time()
        usage, parts = self.cgroup.memory()
        zeros = {"cpu_usage": {"total_usage": 0, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
                 "throttling_data": NoCgroup.throttling()}
        data = {
            "id": self.docker_id, "name": f"/ecs-web-7-{self.name}-f0e1d2c3",
            "read": rfc3339(now), "preread": NO_TIME, "num_procs": 0,
            "pids_stats": {"current": 3, "limit": 18446744073709551615},
            "blkio_stats": {"io_service_bytes_recursive": [
                {"major": 259, "minor": 0, "op": op, "value": 4096} for op in ("Read", "Write")]},
            "storage_stats": {}, "precpu_stats": zeros, "cpu_stats": self.cpu_stats(),
            "memory_stats": {"usage": usage, "max_usage": usage, "limit": 8 << 30,
                             "stats": version_2(parts) if v2_shape else parts},
            "networks": networks,
            "network_rate_stats": {"rx_bytes_per_sec": 0, "tx_bytes_per_sec": 0}}
        spoil(data, odd)
        self.frozen = data
        return data


def spoil(data, odd):
    """Makes a sample odd."""
    if "no_system_cpu" in odd:
        del data["cpu_stats"]["system_cpu_usage"]
    if "no_throttling" in odd:
        del data["cpu_stats"]["throttling_data"]
    if "absurd_cpu" in odd:
        data["cpu_stats"]["cpu_usage"]["total_usage"] += int(time.time() * 1e11)
    if "no_parts" in odd:
        del data["memory_stats"]["stats"]
    if "unlimited" in odd:
        data["memory_stats"]["limit"] = 0xFFFFFFFFFFFFFFFF
    if "odd_types" in odd:
        data["cpu_stats"]["cpu_usage"]["total_usage"] = "many"
        data["memory_stats"]["usage"] = -5
        data["networks"] = [1, 2]
    if "no_memory" in odd:
        data["memory_stats"] = {}
    if "no_networks" in odd:
        del data["networks"]
    if "no_cpu" in odd:
        data["cpu_stats"] = None
    if "zero_read" in odd:
        data["read"] = NO_TIME


class EcsMetadata:
    """The endpoint, served by a thread. `containers`: {name: cgroup path, None or a Container}; the
    one named "stakeout" is the asking one."""

    def __init__(self, containers, cpu=1.0, memory_mib=512, port=0, v2_shape=False, cached_s=0,
                 networks_cached_s=0, interface=None, credentials=None, pad_bytes=0,
                 address="127.0.0.1"):
        self.containers = {name: found if isinstance(found, Container) else Container(name, found)
                           for name, found in containers.items()}
        self.containers["~pause"] = Container("~pause", kind="CNI_PAUSE")
        self.limits = {"CPU": cpu, "Memory": memory_mib}
        self.v2_shape, self.cached_s, self.networks_cached_s = v2_shape, cached_s, networks_cached_s
        self.interface = interface  # of this machine, whose traffic is the task's; None: all but lo
        self.credentials = credentials or {}
        self.pad_bytes = pad_bytes
        self.oddities = set()  # (name, container or None)
        self.requests = []     # paths asked for, in order
        self.cache = {}
        self.lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # one segment an answer

            def do_GET(self):
                owner.get(self)

            def do_POST(self):
                owner.post(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer((address, port), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True)
        self.thread.start()

    @property
    def host(self):
        return "http://{}:{}".format(*self.server.server_address)

    @property
    def uri(self):
        return self.host + BASE

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def control(self, oddity, container=None):
        """Turns an oddity on; None turns all off. Restarts happen at once."""
        with self.lock:
            self.cache.clear()
            if oddity is None:
                self.oddities.clear()
            elif oddity == "restart":
                self.containers[container].restart()
            elif oddity == "restart_policy":
                chosen = self.containers[container]
                chosen.restart_count = (chosen.restart_count or 0) + 1
            elif oddity in {"slow", *STATUS, *BODIES, *STATS, *METADATA}:
                self.oddities.add((oddity, container))
            else:
                raise ValueError(f"no such oddity: {oddity}")

    def odd(self, container=None):
        return {name for name, of in self.oddities if of in (None, container)}

    def cached(self, key, seconds, make):
        at, value = self.cache.get(key, (None, None))
        if at is None or time.monotonic() - at >= seconds:
            value = make()
            self.cache[key] = (time.monotonic(), value)
        return value

    def task(self):
        data = {"Cluster": "games", "TaskARN": TASK_ARN, "Family": "web", "Revision": "7",
                "DesiredStatus": "RUNNING", "KnownStatus": "RUNNING", "Limits": self.limits,
                "PullStartedAt": rfc3339(time.time() - 60), "AvailabilityZone": "eu-west-1a",
                "LaunchType": "FARGATE",
                "Containers": [found.metadata(self.odd(name))
                               for name, found in self.containers.items()]}
        if "no_limits" in self.odd():
            del data["Limits"]
        return data

    def stats(self, name):
        odd = self.odd(name)
        networks = self.cached("networks", self.networks_cached_s,
                               lambda: interfaces(self.interface))
        data = self.containers[name].stats(odd, networks, self.v2_shape)
        return None if "null_stats" in odd else data

    def task_stats(self):
        return {found.docker_id: self.stats(name) for name, found in self.containers.items()
                if "missing_stats" not in self.odd(name)}

    def figures(self, path):
        own = "stakeout" if "stakeout" in self.containers else next(iter(self.containers))
        if path == "":
            return self.containers[own].metadata(self.odd(own))
        if path == "/task":
            return self.task()
        if path == "/stats":
            return self.stats(own)
        if path == "/task/stats":
            data = self.cached("stats", self.cached_s, self.task_stats)
            return dict(data, pad="x" * self.pad_bytes) if self.pad_bytes else data
        return None

    def respond(self, path):
        """Status and body of the answer to a GET."""
        with self.lock:
            self.requests.append(path)
            odd = self.odd()
        if path.startswith("/v2/credentials/"):
            return 200, json.dumps(self.credentials).encode()
        if "slow" in odd:
            time.sleep(4)
        for name in odd & STATUS.keys():
            return STATUS[name][0], json.dumps(STATUS[name][1]).encode()
        for name in odd & BODIES.keys():
            return 200, BODIES[name]
        with self.lock:
            data = self.figures(path[len(BASE):]) if path.startswith(BASE) else None
        if data is None:
            return 404, json.dumps(STATUS["404"][1]).encode()
        return 200, json.dumps(data).encode()

    def get(self, request):
        answer(request, *self.respond(request.path.rstrip("/")))

    def post(self, request):
        body = request.rfile.read(int(request.headers.get("Content-Length", 0)))
        try:
            wanted = json.loads(body)
            self.control(wanted["oddity"], wanted.get("container"))
        except (ValueError, KeyError, TypeError) as error:
            return answer(request, 400, str(error).encode())
        return answer(request, 200, b"{}")


def answer(request, status, body):
    try:
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
        request.wfile.flush()
    except OSError:
        pass  # who asked has gone


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--container", action="append", default=[], metavar="NAME=CGROUP",
                        help="a container and its cgroup's path below the mount; NAME alone: idle")
    parser.add_argument("--memory-mib", type=int, default=0, help="each container's memory limit")
    parser.add_argument("--task-cpu", type=float, default=1.0, help="vCPU")
    parser.add_argument("--task-memory-mib", type=int, default=512)
    parser.add_argument("--v2-shape", action="store_true", help="memory figures as with cgroup v2")
    parser.add_argument("--cached", type=float, default=0, metavar="SECONDS",
                        help="figures are refreshed this rarely (Fargate: 10)")
    parser.add_argument("--networks-cached", type=float, default=0, metavar="SECONDS",
                        help="the same for network counters alone (awsvpc: 10)")
    parser.add_argument("--pad", type=int, default=0, metavar="BYTES",
                        help="makes the stats answer larger by this")
    parser.add_argument("--credentials", type=json.loads, default=None, metavar="JSON")
    given = parser.parse_args()
    containers = {}
    for text in given.container:
        name, _, cgroup = text.partition("=")
        containers[name] = Container(name, cgroup or None, memory_mib=given.memory_mib)
    with EcsMetadata(containers, cpu=given.task_cpu, memory_mib=given.task_memory_mib,
                     port=given.port, v2_shape=given.v2_shape, cached_s=given.cached,
                     networks_cached_s=given.networks_cached, credentials=given.credentials,
                     pad_bytes=given.pad) as endpoint:
        print(endpoint.uri, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
