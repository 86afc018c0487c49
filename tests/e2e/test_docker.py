"""The docker source against a real engine, Podman's Docker-compatible socket; and what else can be
known of the same containers by their processes and cgroups."""
import contextlib
import os
import signal
import urllib.request

import pytest

from harness import PATIENCE_S, read, wait_incidents, wait_until, watching
from podman import Podman
from source_probe import Probe


@pytest.fixture(scope="module")
def podman(tmp_path_factory, service_binary):
    with contextlib.closing(Podman(tmp_path_factory.mktemp("podman"), service_binary)) as engine:
        yield engine


class Contained:
    """The service in a container, on this machine's network."""

    def __init__(self, podman, *options):
        self.podman = podman
        self.name = podman.run("--network=host", *options)
        wait_until(lambda: self.podman("logs", self.name), "the service says its port")

    @property
    def debug(self):
        return f"http://127.0.0.1:{self.podman('logs', self.name).split()[-1]}/debug/pprof"

    @property
    def cgroup(self):
        return self

    def get(self, path):
        address = self.debug.replace("/debug/pprof", path)
        return urllib.request.urlopen(address, timeout=PATIENCE_S).read()


@pytest.fixture(scope="module")
def contained(podman):
    return Contained(podman, "--cpus=0.5", "--memory=128m")


@pytest.fixture
def probe(podman, contained, closing):
    return closing(Probe("docker", contained.name,
                         environment={"DOCKER_HOST": f"unix://{podman.socket}"}))


def cpu_s(podman, name):
    """What the kernel says that the container's processes have used."""
    for line in read(f"/proc/{podman.pid(name)}/cgroup").decode().splitlines():
        _, controllers, path = line.split(":", 2)
        if "cpuacct" in controllers.split(","):
            return int(read(f"/sys/fs/cgroup/cpuacct{path}/cpuacct.usage")) / 1e9
    pytest.skip("the controllers are not version 1's here")


def test_what_the_engine_says_agrees_with_the_kernel(podman, contained, probe):
    contained.get("/burn?for=4s")
    probe.wait("cpu.cores", 3)
    since_ms, before_s = probe.samples["cpu.cores"][-1][0], cpu_s(podman, contained.name)
    probe.wait("cpu.cores", 15)
    until_ms, after_s = probe.samples["cpu.cores"][-1][0], cpu_s(podman, contained.name)
    used_s = sum(value * (at - before) / 1000 for (before, _), (at, value) in
                 zip(probe.samples["cpu.cores"], probe.samples["cpu.cores"][1:])
                 if since_ms < at <= until_ms)
    assert used_s == pytest.approx(after_s - before_s, rel=0.2, abs=0.06)
    assert probe.last("cpu") == pytest.approx(200 * probe.last("cpu.cores"), rel=0.01)
    assert probe.identity["container"] == contained.name
    assert probe.identity["image"] == "localhost/program:1"
    assert "cpu is a share of 0.5 cores (the container's limit), memory of 128 MiB" in \
        probe.notes[0]


def test_what_podman_does_not_say_is_a_gap_with_a_remedy(probe):
    probe.wait("cpu", 3)
    assert not {"memory", "memory.bytes", "memory.rss", "net.received"} & set(probe.samples)
    assert any("memory is not measured: Podman" in note for note in probe.notes)
    assert any("net.* is not measured" in note for note in probe.notes)


def test_a_missing_container_is_said_with_those_there_are(podman, contained, closing):
    probe = closing(Probe("docker", "no-such-container",
                          environment={"DOCKER_HOST": f"unix://{podman.socket}"}))
    probe.wait_error(f"has no container no-such-container (app.container); it has: {contained.name}")


def test_a_kill_and_a_restart_are_counted_once(podman, closing):
    name = podman.run("--network=none")
    probe = closing(Probe("docker", name, environment={"DOCKER_HOST": f"unix://{podman.socket}"}))
    probe.wait("cpu", 3)
    podman("kill", "-s", "WINCH", name)  # which ends nothing; the kill below comes well after it
    last_ms = probe.samples["cpu.cores"][-1][0]
    wait_until(lambda: probe.samples["cpu.cores"][-1][0] > last_ms + 2500, "what would be taken for its end is past")
    os.kill(podman.pid(name), signal.SIGKILL)  # nobody asked Podman for it, as with an OOM kill
    wait_until(lambda: probe.last("oom_kills") == 1, "a kill")
    probe.wait_error(f"the container {name} does not run")
    podman("start", name)
    wait_until(lambda: probe.last("restarts") == 1, "a restart")
    podman("kill", "-s", "KILL", name)
    podman("start", name)
    wait_until(lambda: probe.last("restarts") == 2, "another restart")
    probe.wait("cpu", 3)
    assert probe.last("oom_kills") == 1


def test_a_containers_process_shows_the_same_limits(podman, contained, closing):
    probe = closing(Probe("process", str(podman.pid(contained.name))))
    probe.wait("cpu", 3)
    assert probe.last("cpu") == pytest.approx(200 * probe.last("cpu.cores"), rel=0.01, abs=0.01)
    assert "0.5 cores (its cgroup's quota), memory of 128 MiB (its cgroup's limit)" in \
        probe.notes[0]
    assert probe.last("memory") > 0 and probe.last("oom_kills") == 0


def test_a_spike_in_a_container_is_caught(podman, contained, agent, captures):
    config = watching(contained, captures)
    config["source"] = "auto"
    config["triggers"]["cpu-high"].update({"above": "10%", "for": "400ms"})
    running = agent(config, environment={"DOCKER_HOST": f"unix://{podman.socket}"}).start()
    running.wait_log("source docker: chosen by source: auto; ecs: .*; process: there is no process")
    contained.get("/burn?for=20s")
    incident = wait_incidents(running, captures)[0]
    assert incident.profile("cpu")["status"] == "ok"
    assert incident.json["target"]["container"] == contained.name
    assert incident.json["target"]["image"] == "localhost/program:1"
