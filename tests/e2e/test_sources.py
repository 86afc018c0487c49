"""The cgroup and the ECS source against real cgroups: figures against the kernel's own, and each
oddity of the metadata endpoint a gap, never a wrong or negative number."""
import os
import time

import pytest

from ecs_metadata import Container, EcsMetadata, interfaces
from harness import Cgroup, wait_until
from source_probe import Busy, Idle, Probe, assert_kills_count, integral


@pytest.fixture
def busy(closing):
    return closing(Busy(closing(Cgroup(cores=0.5, memory_bytes=256 << 20))))


@pytest.fixture
def endpoint(busy, closing):
    return closing(EcsMetadata({"api": Container("api", busy.cgroup.name, memory_mib=128),
                                "stakeout": None}, cpu=0.5, memory_mib=512))


@pytest.fixture
def ecs(endpoint, closing):
    probe = closing(Probe("ecs", "-", endpoint.uri))
    probe.wait("cpu", 1)
    return probe


def assert_agrees(probe, busy, memory_limit_bytes):
    probe.wait("cpu.cores", 2)
    since_ms, before_s = probe.samples["cpu.cores"][-1][0], busy.cpu_s()
    probe.wait("cpu.cores", 20)
    until_ms, after_s = probe.samples["cpu.cores"][-1][0], busy.cpu_s()
    measured, truth = integral(probe, "cpu.cores", since_ms, until_ms), after_s - before_s
    assert measured == pytest.approx(truth, rel=0.15, abs=0.05)
    assert probe.last("cpu") == pytest.approx(200 * probe.last("cpu.cores"), rel=0.01)
    assert 0 < probe.last("memory.bytes") <= busy.memory_bytes() + (1 << 20)
    assert probe.last("memory.bytes") >= 32 << 20
    assert probe.last("memory") == pytest.approx(
        100 * probe.last("memory.bytes") / memory_limit_bytes)
    assert probe.last("memory.rss") >= 31 << 20
    assert 0 <= probe.last("cpu.throttled") <= 100
    assert probe.last("oom_kills") == 0 and probe.last("restarts") == 0


def test_cgroup_agrees_with_the_kernel(busy, closing):
    probe = closing(Probe("cgroup", busy.cgroup.name))
    assert_agrees(probe, busy, 256 << 20)
    assert probe.notes[0] == (f"{busy.cgroup.name}: cpu is a share of 0.5 cores (the quota), "
                              "memory of 256 MiB (the limit)")
    assert not probe.errors


def test_cgroup_counts_oom_kills(closing):
    cgroup = closing(Cgroup(memory_bytes=16 << 20))
    closing(Idle(cgroup))
    assert_kills_count(closing(Probe("cgroup", cgroup.name)), cgroup)


def test_ecs_agrees_with_the_kernel(busy, ecs):
    assert_agrees(ecs, busy, 128 << 20)
    assert ecs.identity["container"] == "api"
    assert ecs.identity["image"] == "registry.example/api:1.2.3"
    assert ecs.identity["family"] == "web" and ecs.identity["revision"] == "7"
    assert abs(ecs.identity["started"] / 1000 - time.time()) < 60
    assert ecs.notes[0] == ("api: cpu is a share of 0.5 cores (the task's limit), "
                            "memory of 128 MiB (the container's limit)")
    assert not ecs.errors


def test_ecs_of_cgroup_v2_shape(busy, closing):
    endpoint = closing(EcsMetadata({"api": busy.cgroup.name, "stakeout": None}, cpu=0.5,
                                   memory_mib=256, v2_shape=True))
    assert_agrees(closing(Probe("ecs", "api", endpoint.uri)), busy, 256 << 20)


@pytest.mark.parametrize("oddity", ["empty", "null", "array", "null_stats", "missing_stats",
                                    "stale", "zero_read"])
def test_ecs_has_a_gap_without_a_sample(endpoint, ecs, oddity):
    endpoint.control(oddity, "api" if "stats" in oddity else None)
    asked = len(endpoint.requests)
    wait_until(lambda: len(endpoint.requests) >= asked + 3, "it asks on")
    quiet = ecs.count("memory")
    wait_until(lambda: len(endpoint.requests) >= asked + 8, "it asks on")
    assert ecs.count("memory") == quiet
    endpoint.control(None)
    ecs.wait("cpu")


@pytest.mark.parametrize("oddity,words", [
    ("404", "404 to /task/stats: V4 task metadata handler"), ("500", "500 to /task/stats"),
    ("garbage", "no JSON"), ("html", "no JSON"), ("deep", "no JSON"), ("huge", "larger than"),
    ("slow", "did not answer /task/stats: no whole answer within 2 s"), ("429", "429")])
def test_ecs_says_what_is_wrong_and_recovers(endpoint, ecs, oddity, words):
    endpoint.control(oddity)
    ecs.wait_error(words)
    endpoint.control(None)
    ecs.wait("cpu")


def test_ecs_backs_off_when_limited(endpoint, ecs):
    endpoint.control("429")
    ecs.wait_error("asked again in 2 s")  # the second refusal in a row
    asked = len(endpoint.requests)
    time.sleep(1)  # nothing may come within this: there is no condition to wait for
    assert len(endpoint.requests) <= asked + 1


@pytest.mark.parametrize("oddity,gaps,others", [
    ("no_system_cpu", [], ["cpu", "memory"]),
    ("unlimited", [], ["cpu", "memory"]),
    ("no_cpu", ["cpu", "cpu.cores", "cpu.throttled"], ["memory"]),
    ("absurd_cpu", ["cpu", "cpu.cores"], ["memory"]),
    ("no_throttling", ["cpu.throttled"], ["cpu", "memory"]),
    ("no_memory", ["memory", "memory.bytes", "memory.rss"], ["cpu"]),
    ("no_parts", ["memory", "memory.bytes", "memory.rss"], ["cpu"]),
    ("odd_types", ["cpu", "memory", "net.sent"], ["restarts"])])
def test_ecs_leaves_out_what_is_missing(endpoint, ecs, oddity, gaps, others):
    endpoint.control(oddity)
    ecs.wait("restarts")
    before = {metric: ecs.count(metric) for metric in gaps}
    ecs.wait("restarts", 5)
    assert {metric: ecs.count(metric) for metric in gaps} == before
    for metric in others:
        ecs.wait(metric, 1)
    endpoint.control(None)
    ecs.wait("cpu")
    ecs.wait("memory")


def test_ecs_falls_back_to_the_machine_without_limits(busy, closing):
    endpoint = closing(EcsMetadata({"api": busy.cgroup.name, "stakeout": None}))
    endpoint.control("no_limits")
    probe = closing(Probe("ecs", "api", endpoint.uri))
    probe.wait("cpu")
    assert probe.last("cpu") == pytest.approx(
        100 * probe.last("cpu.cores") / os.cpu_count(), rel=0.01)
    assert 0 < probe.last("memory") < 100


def test_ecs_counts_a_restart_once(endpoint, ecs):
    ecs.wait("cpu")
    endpoint.control("restart", "api")
    wait_until(lambda: ecs.last("restarts") == 1, lambda: f"a restart; {ecs.samples['restarts']}")
    ecs.wait("cpu", 5)
    assert ecs.last("restarts") == 1
    assert max(value for _, value in ecs.samples["cpu.cores"]) < os.cpu_count() * 1.5


def test_ecs_counts_a_kill_once(endpoint, ecs):
    endpoint.control("exit_137", "api")
    endpoint.control("null_stats", "api")
    wait_until(lambda: ecs.last("oom_kills") == 1, "a kill")
    endpoint.control(None)
    ecs.wait("cpu", 5)
    assert ecs.last("oom_kills") == 1


def test_ecs_times_follow_a_cache(busy, closing):
    endpoint = closing(EcsMetadata({"api": busy.cgroup.name, "stakeout": None}, cached_s=1))
    probe = closing(Probe("ecs", "api", endpoint.uri))
    probe.wait("cpu", 4)
    times = [at for at, _ in probe.samples["cpu"]]
    assert all(900 <= later - at <= 1500 for at, later in zip(times, times[1:])), times


def loopback_bytes():
    return interfaces("lo")["eth0"]["rx_bytes"]


def test_ecs_network_cached_for_longer_is_not_overestimated(busy, closing):
    before = loopback_bytes()
    endpoint = closing(EcsMetadata({"api": busy.cgroup.name, "stakeout": None},
                                   networks_cached_s=1, interface="lo"))
    probe = closing(Probe("ecs", "api", endpoint.uri))
    probe.wait("net.received", 3)
    times = [at for at, _ in probe.samples["net.received"]]
    assert all(later - at >= 800 for at, later in zip(times, times[1:])), times
    since_ms, until_ms = times[0], times[-1]
    assert 0 < integral(probe, "net.received", since_ms, until_ms) <= loopback_bytes() - before


def test_ecs_lists_the_containers_when_there_is_a_choice(closing):
    endpoint = closing(EcsMetadata({"api": None, "worker": None, "stakeout": None}))
    probe = closing(Probe("ecs", "-", endpoint.uri))
    probe.wait_error("set app.container to the container to watch, one of: api, worker")
    wrong = closing(Probe("ecs", "web", endpoint.uri))
    wrong.wait_error("the task has no container web (app.container); it has: api, worker, stakeout")


def test_ecs_waits_for_a_container_that_is_created_later(endpoint, closing):
    endpoint.control("not_created", "api")
    probe = closing(Probe("ecs", "api", endpoint.uri))
    probe.wait_error("the task has no container api")
    endpoint.control(None)
    probe.wait("cpu")
    assert probe.last("restarts") == 0


def test_ecs_without_an_endpoint(closing):
    with EcsMetadata({"api": None}) as gone:
        uri = gone.uri
    probe = closing(Probe("ecs", "api", uri))
    probe.wait_error("did not answer /task: ")
