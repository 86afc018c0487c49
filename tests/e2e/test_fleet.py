"""Copies of a service that spike at once: the store that they share settles who takes an incident,
and none is lost while it is down."""
import concurrent.futures
import json

import pytest

from harness import run, wait_until, warm
from storage import Proxy, storing

AGENTS = 20
SLOTS = 3
PATIENCE_S = 120  # many processes on a small machine


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


@pytest.fixture
def prefix(tmp_path):
    return f"e2e/{tmp_path.name}"


def as_fleet(config, slots=SLOTS):
    """Its captures are of a kind that any number of agents can take of one app at once; the window
    is so long that no test meets its end by chance."""
    return {**config,
            "fleet": {"incidents": slots, "per": "1d"},
            "triggers": {"cpu-high": {"metric": "cpu", "above": "40%", "for": "400ms"}},
            "captures": {"spike": ["goroutine", {"profile": "allocs", "seconds": 8}]},
            "limits": {"analyse": "reader"}}


def start_all(agent, config, count, environment=None):
    agents = [agent(config, f"agent-{i}", environment) for i in range(count)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: warm(one.start()), agents))
    return agents


def spike(service, agents):
    """Burns until each has opened an incident."""
    service.burn(10)
    for one in agents:
        one.wait_log("incident (\\S+) opened", PATIENCE_S)


def wait_settled(agents):
    """Each has stored its incident or thrown it away."""
    for one in agents:
        one.wait_log("delivered to|is thrown away", PATIENCE_S)
        one.wait_spool_empty(PATIENCE_S)


def incidents_of(s3, prefix):
    return [json.loads(s3.content(key)) for key in s3.objects(prefix)
            if key.endswith("/incident.json")]


def split(incidents):
    """Those that have a slot, and the duplicates; every one is settled."""
    taken = [one for one in incidents if "slot" in one["fleet"]]
    duplicates = [one for one in incidents if one["fleet"].get("duplicate")]
    assert len(taken) + len(duplicates) == len(incidents)
    assert len({one["fleet"]["slot"] for one in taken}) == len(taken)
    assert len({one["fleet"]["window"] for one in incidents}) == 1
    return taken, duplicates


def test_of_many_copies_a_few_take_the_spike(agent, service, s3, prefix):
    config = as_fleet(storing(service, s3, prefix))
    agents = start_all(agent, config, AGENTS, s3.environment())
    spike(service, agents)
    wait_settled(agents)
    incidents = incidents_of(s3, prefix)
    taken, duplicates = split(incidents)
    print(f"{AGENTS - len(incidents)} given up, {len(taken)} taken, {len(duplicates)} duplicates, "
          f"seen by {[one['fleet']['seen_by'] for one in taken]}")
    assert len(taken) == SLOTS
    assert {one["fleet"]["seen_by"] for one in taken} == {AGENTS}
    given_up = [one for one in agents if "is thrown away" in one.log]
    assert len(given_up) + len(incidents) == AGENTS
    assert given_up, "none was given up: was the store slower than the profile?"
    for one in given_up:
        assert "trigger cpu-high suppressed by fleet" in one.log
        status = one.status()
        assert status["incidents"]["opened"] == 0 and status["spool"]["waiting"] == 0
        assert status["fleet"]["given_up"] == 1
    first = agents[0]
    listed = first.command("list")
    assert listed.stdout.count("-cpu-high-") == SLOTS
    assert not duplicates or f"{len(duplicates)} duplicate" in listed.stderr
    assert f"[{AGENTS} copies]" in listed.stdout
    shown = first.command("show", taken[0]["id"]).stdout
    assert f"seen by {AGENTS} copies" in shown


def test_with_the_store_down_none_is_lost(agent, service, s3, prefix, closing):
    proxy = closing(Proxy(s3.port))
    config = as_fleet(storing(service, s3, prefix, proxy.port))
    agents = start_all(agent, config, AGENTS, s3.environment())
    proxy.down()
    spike(service, agents)
    for one in agents:
        one.wait_log("incident \\S+ finished", PATIENCE_S)
        assert "is thrown away" not in one.log
    killed, stopped = agents[0], agents[1]
    killed.kill()
    assert stopped.terminate(PATIENCE_S) == 0
    proxy.up()
    killed.start()
    stopped.start()
    wait_settled(agents)
    incidents = incidents_of(s3, prefix)
    assert len(incidents) == AGENTS
    taken, duplicates = split(incidents)
    assert len(taken) == SLOTS and len(duplicates) == AGENTS - SLOTS
    rows = agents[0].command("list", "--all").stdout
    assert rows.count("-cpu-high-") == AGENTS and rows.count("[duplicate") == AGENTS - SLOTS


def test_an_answer_that_comes_late_makes_a_duplicate(agent, service, s3, prefix, closing):
    """The store is not down, only slow: nothing is thrown away that was being captured."""
    proxy = closing(Proxy(s3.port))
    config = as_fleet(storing(service, s3, prefix), 1)
    first = start_all(agent, config, 1, s3.environment())
    config["export"]["s3"]["endpoint"] = f"http://127.0.0.1:{proxy.port}"
    slow = warm(agent(config, "slow", s3.environment()).start())
    proxy.hold("/_state/fleet/", on_answer=True)
    service.burn(10)
    first[0].wait_log("incident (\\S+) opened", PATIENCE_S)
    slow.wait_log("incident (\\S+) opened", PATIENCE_S)
    assert proxy.held.wait(PATIENCE_S)
    slow.wait_log("profile allocs finished", PATIENCE_S)
    proxy.release()
    wait_settled([*first, slow])
    assert "is thrown away" not in slow.log
    taken, duplicates = split(incidents_of(s3, prefix))
    assert len(taken) == 1 and len(duplicates) == ("is thrown away" not in first[0].log)


def test_a_shared_folder_settles_it_too(agent, service, captures, tmp_path):
    config = as_fleet({**storing_in(service, captures)}, 1)
    agents = start_all(agent, config, 5)
    spike(service, agents)
    wait_settled(agents)
    found = list((tmp_path / "captures").glob("service=*/date=*/*/incident.json"))
    taken, _ = split([json.loads(path.read_text()) for path in found])
    assert len(taken) == 1 and taken[0]["fleet"]["seen_by"] == 5


def test_check_says_whether_the_store_can(agent, service, s3, prefix):
    checking = agent(as_fleet(storing(service, s3, prefix)), environment=s3.environment())
    for _ in range(2):
        checked = checking.command("check")
        assert f"fleet in s3://{s3.bucket}/{prefix}: ok\n" in checked.stdout, checked.stdout
    assert f"{prefix}/service=games/_state/fleet/check" in s3.objects(prefix)


def storing_in(service, captures):
    from harness import watching
    return watching(service, captures)


def test_a_fleet_needs_a_store(tmp_path):
    path = tmp_path / "stakeout.yaml"
    path.write_text("service: x\napp: {debug: 'http://localhost:1/debug/pprof'}\n"
                    "export: {directory: /captures}\nfleet: {incidents: 0, per: 10s}\n")
    checked = run("check", "--offline", "-c", str(path))
    assert checked.returncode == 2
    assert "4:20: fleet.incidents: 0 is out of range" in checked.stderr
    assert "4:28: fleet.per: 10s is out of range" in checked.stderr
