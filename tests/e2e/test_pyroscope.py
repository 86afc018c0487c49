"""The profiles of a spike in a Pyroscope server. It is a stand-in (pyroscope.py) that reads what its
documentation says; no real Pyroscope has been asked. `go tool pprof` judges what arrived."""
import pytest

import harness
from harness import seconds_of, wait_incidents, watching
from pyroscope import Pyroscope

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


@pytest.fixture
def server(closing):
    return closing(Pyroscope())


def pushing(service, captures, server, **options):
    spike = [{"profile": "cpu", "seconds": 2}, "heap", "goroutine",
             {"path": "/debug/fgprof", "seconds": 1}, {"path": "/debug/jemalloc"}]
    return watching(service, captures, captures={"spike": spike},
                    export={"directory": str(captures),
                            "pyroscope": {"url": server.url + "/", **options}})


def spike(running, service, captures):
    """The incident, once everybody has it."""
    running.fire(service)
    [incident] = wait_incidents(running, captures)
    running.wait_spool_empty()
    return incident


def test_the_profiles_of_a_spike_arrive_with_labels(agent, service, captures, server, tmp_path):
    config = pushing(service, captures, server, user="user", password="pa:ss-word",
                     tenant="games-team", headers={"X-Route": "through-here"})
    running = agent(config).start()
    incident = spike(running, service, captures)
    names = {"cpu": "process_cpu", "heap": "memory", "goroutine": "goroutine", "fgprof": "fgprof"}
    assert sorted(pushed.name for pushed in server.pushed) == sorted(names.values()), \
        "each profile once, and nothing else"
    for pushed in server.pushed:
        assert pushed.labels["service_name"] == "games"
        assert pushed.labels["trigger"] == "cpu-high"
        assert pushed.labels["incident"] == incident.id
        assert pushed.labels["container"] == incident.json["target"]["container"]
        assert pushed.headers["X-Scope-OrgID"] == "games-team"
        assert pushed.headers["X-Route"] == "through-here"
        assert pushed.headers["Authorization"] == "Basic dXNlcjpwYTpzcy13b3Jk"
    by_name = {pushed.name: pushed for pushed in server.pushed}
    for name, pyroscope_name in names.items():
        profile, pushed = incident.profile(name), by_name[pyroscope_name]
        assert pushed.profile == incident.files[profile["file"]]
        if name != "fgprof":  # that of the service has no time: it is then that of its arrival
            assert seconds_of(profile["requested"]) - 1 < pushed.time_s \
                < seconds_of(profile["finished"]) + 1
        recorded = profile.get("seconds") is not None
        assert (pushed.labels.get("__delta__") == "false") == recorded
    assert len({pushed.id for pushed in server.pushed}) == len(names)
    assert harness.CULPRIT in by_name["process_cpu"].top(tmp_path)
    assert "inuse_space" in by_name["memory"].top(tmp_path)
    printed = running.command("config").stdout
    for secret in ("pa:ss-word", "games-team", "through-here"):
        assert secret not in printed + running.log
        assert not any(secret.encode() in content for content in incident.files.values())
    [exporter] = [each for each in running.status()["exporters"] if "pyroscope" in each["name"]]
    assert exporter["stored"] == 1 and exporter["error"] is None


def test_what_is_refused_for_good_holds_nothing_back(agent, service, captures, server):
    trouble = [(503, "unavailable", "no ingester"), (429, "resource_exhausted", "slower",
                                                     {"Retry-After": "1"})]

    def refuse(pushed):
        if pushed.name == "memory":
            return (400, "invalid_argument",
                    "profile with labels '{a, b}' is outside of ingestion window")
        return trouble.pop(0) if trouble and pushed.name == "process_cpu" else None

    server.refuse = refuse
    running = agent(pushing(service, captures, server)).start()
    incident = spike(running, service, captures)
    assert sorted(pushed.name for pushed in server.pushed) == ["fgprof", "goroutine", "process_cpu"]
    tries = [pushed.id for pushed in server.refused + server.pushed
             if pushed.name == "process_cpu"]
    assert len(tries) == 3 and len(set(tries)) == 1, "the same profile keeps its UUID"
    assert [pushed.name for pushed in server.refused].count("memory") == 1
    left_out = running.wait_log(r".*heap\.pb\.gz of incident \S+ is left out.*").group()
    assert incident.id in left_out and "-validation.reject-older-than" in left_out
    running.wait_log("HTTP 503: no ingester")


def test_what_a_person_must_mend_is_said_and_waits(agent, service, captures, server):
    server.refuse = lambda pushed: (401, "unauthenticated", "no org id")
    running = agent(pushing(service, captures, server)).start()
    running.fire(service)
    wait_incidents(running, captures)
    running.wait_log("HTTP 401: no org id: it does not know who sends this: set user and password, "
                     "headers, or the tenant")
    assert running.spooled(), "it waits"
    running.configure({"state": running.state,
                       **pushing(service, captures, server, tenant="games-team")})
    server.refuse = lambda pushed: None
    running.process.send_signal(harness.signal.SIGHUP)
    running.wait_spool_empty()
    assert len(server.pushed) == 4


def test_a_kill_has_nothing_pushed_twice(agent, service, captures, server):
    server.refuse = lambda pushed: (503, "unavailable", "x") if pushed.name == "memory" else None
    running = agent(pushing(service, captures, server)).start()
    running.fire(service)
    running.wait_log("HTTP 503")
    running.kill()
    assert len(server.pushed) == 3, "all but the heap, which is last"
    server.refuse = lambda pushed: None
    running.start()
    running.wait_spool_empty()
    assert sorted(pushed.name for pushed in server.pushed) == \
        ["fgprof", "goroutine", "memory", "process_cpu"]


def test_check_asks_the_server(agent, service, captures, server):
    config = pushing(service, captures, server)
    asked = agent(config, "ok").command("check")
    assert asked.returncode == 0, asked.stdout
    assert f"pyroscope at {server.url}: ok" in asked.stdout
    assert server.refused == [None] and not server.pushed, "nothing is stored for it"
    config["export"]["pyroscope"]["url"] = server.url + "/api"
    wrong = agent(config, "wrong").command("check")
    assert wrong.returncode == 1
    assert "HTTP 404: 404 page not found: nothing there takes profiles: set url" in wrong.stdout


def test_a_query_in_the_address_is_a_mistake(agent, service, captures, server):
    config = pushing(service, captures, server)
    config["export"]["pyroscope"] = server.url + "/ingest?name=games"
    told = agent(config).command("check", "--offline")
    assert told.returncode == 2
    assert "has a query: write the server's address" in told.stderr


def test_profiles_alone_are_no_incident(agent, service, captures, server):
    config = pushing(service, captures, server)
    del config["export"]["directory"]
    told = agent(config).command("check", "--offline")
    assert told.returncode == 2
    assert "export: names no place to store incidents; give it directory: or s3:" in told.stderr
