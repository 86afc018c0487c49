"""`stakeout check`: a line a part, with everything well and with each part broken."""
import contextlib
import json
import os
import re
import socket

import pytest

import endpoints
import harness
from harness import run, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


@pytest.fixture
def database():
    """One that the app is connected to."""
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            socket.create_connection(listener.getsockname()):
        yield listener.getsockname()[1]


def parts(result):
    """What `check` printed: part to verdict."""
    return dict(re.fullmatch(r"(.+?): (.+)", line).groups() for line in result.stdout.splitlines())


@pytest.fixture
def whole(service, captures, database):
    """A configuration of which every part works."""
    config = watching(service, captures)
    config["database"] = {"endpoint": f"127.0.0.1:{database}"}
    return config


def expected_parts(config, captures, state):
    return {"configuration", "source cgroup", "source tcp", "app app, profile cpu of 2 s",
            "app app, profile heap", "app app, profile goroutine",
            f"database {config['database']['endpoint']}", f"state {state}", f"directory:{captures}"}


def test_everything_is_well(agent, whole, service, captures):
    checked = agent(whole)
    result = checked.command("check")
    assert result.returncode == 0, result.stdout + result.stderr
    assert set(parts(result)) == expected_parts(whole, captures, checked.state)
    assert set(parts(result).values()) == {"ok"}
    assert harness.read(os.path.join(captures, "_stakeout", "probe"))
    assert not os.path.exists(os.path.join(checked.state, "probe"))
    assert service.get("/debug/pprof/profile?seconds=1")[0] == 200, "the profiler is free"


def break_source(config, _tmp_path):
    config["app"]["container"] = "no-such-cgroup"
    return "source cgroup", "no-such-cgroup"


def break_endpoint(config, _tmp_path):
    config["app"]["debug"] = f"http://127.0.0.1:{harness.free_port()}/debug/pprof"
    return "app app", "cannot be reached"


def break_profile(config, _tmp_path):
    config["captures"]["spike"].append("mutex")
    return "app app, profile mutex", "404"


def break_database(config, _tmp_path):
    endpoint = f"127.0.0.1:{harness.free_port()}"
    config["database"]["endpoint"] = endpoint
    return f"database {endpoint}", "cannot connect: Connection refused"


def break_state(config, tmp_path):
    file = tmp_path / "no-folder"
    file.write_text("")
    config["state"] = str(file)
    return f"state {file}", str(file)


def break_directory(config, tmp_path):
    file = tmp_path / "no-folder"
    file.write_text("")
    config["export"]["directory"] = str(file)
    return f"directory:{file}", str(file)


@pytest.mark.parametrize("breaks", [break_source, break_endpoint, break_profile, break_database,
                                    break_state, break_directory],
                         ids=lambda breaks: breaks.__name__)
def test_a_broken_part_is_named_and_the_others_are_tried(agent, whole, tmp_path, breaks):
    part, words = breaks(whole, tmp_path)
    result = agent(whole).command("check")
    assert result.returncode == 1
    found = parts(result)
    assert words in found[part]
    assert {name for name, verdict in found.items() if verdict == "ok"} >= {"configuration"}
    if breaks is break_endpoint:
        assert not [name for name in found if name.startswith("app app, profile")], "said once"
    elif breaks is break_database:
        assert found.pop("source tcp").startswith("ok, but no connection")
        assert [name for name, verdict in found.items() if verdict != "ok"] == [part]
    else:
        assert [name for name, verdict in found.items() if verdict != "ok"] == [part]


def test_a_write_timeout_is_seen_beforehand(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="10s")
    config = watching(service, captures)
    config["captures"]["spike"][0]["seconds"] = 25
    result = agent(config).command("check")
    found = parts(result)
    assert found["app app, profile cpu of 25 s"].startswith("warning: ")
    assert "9 s fit" in found["app app, profile cpu of 25 s"]
    assert "raise WriteTimeout above 25 s" in found["app app, profile cpu of 25 s"]
    assert found["app app, profile heap"] == "ok"
    assert result.returncode == 0, "what is taken in a shorter form is no failure"
    assert service.get("/debug/pprof/profile?seconds=1")[0] == 200, "the profiler is free"


def test_another_program_s_port_is_told_from_a_login(agent, whole, start_service):
    whole["app"]["debug"] = start_service(profiles="none").debug
    found = parts(agent(whole).command("check"))
    assert "nothing there is Go's profiler" in found["app app"]
    assert not [part for part in found if part.startswith("app app, profile")], "said once"


def test_every_set_of_the_file_is_tried(agent, whole):
    whole["captures"]["by-hand"] = ["block", "nonsense"]  # no trigger takes it
    found = parts(agent(whole).command("check"))
    assert found["app app, profile block"] == "ok"
    assert "404" in found["app app, profile nonsense"]


def test_an_address_that_takes_no_connection_records_nothing(agent, whole):
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, \
            contextlib.ExitStack() as fillers:
        for _ in range(8):  # from here on the kernel drops who knocks
            filler = fillers.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        whole["app"]["debug"] = f"http://127.0.0.1:{listener.getsockname()[1]}/debug/pprof"
        whole["captures"]["spike"] = [{"profile": "cpu", "seconds": 20}]
        result = agent(whole).command("check")
    assert result.returncode == 1
    assert "cannot be reached" in parts(result)["app app, profile cpu of 20 s"]


def test_a_run_says_at_its_start_what_will_not_work(agent, start_service, captures):
    service = start_service(cores=CORES, write_timeout="10s", profiles="profile,heap,goroutine")
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 25}, "heap", "mutex"]}
    running = agent(config).start()
    running.wait_log("level=warn msg=.app app, profile cpu of 25 s: .*WriteTimeout.*9 s fit")
    running.wait_log("level=warn msg=.app app, profile mutex: .*404")
    assert "profile heap" not in running.log
    assert service.get("/debug/pprof/profile?seconds=1")[0] == 200, "the profiler is free"
    assert running.log.count("app app, profile") == 2, "said once"


def test_a_run_waits_for_an_app_that_starts_after_it(agent, service, captures, closing):
    config = watching(service, captures)
    port = harness.free_port()
    config["app"]["debug"] = f"http://127.0.0.1:{port}/debug/pprof"
    config["captures"] = {"spike": ["heap", "mutex"]}
    running = agent(config).start()
    running.wait_log("app app, profile heap: .*cannot be reached.*app.debug.*tried when it can be")
    relay = closing(endpoints.DebugEndpoint(service, port=port,
                                            mutex=endpoints.answers(404, "no such profile")))
    assert relay.debug == config["app"]["debug"]
    running.wait_log("app app, profile mutex: .*404")
    assert running.log.count("cannot be reached") == 1, "said once"


def test_a_login_is_named(agent, start_service, captures):
    service = start_service(cores=CORES, login="Bearer open sesame")
    config = watching(service, captures)
    result = agent(config).command("check")
    assert result.returncode == 1 and "app.headers" in parts(result)["app app"]
    assert result.stdout.count("app.headers") == 1, "said once"
    config["app"]["headers"] = {"Authorization": "Bearer open sesame"}
    result = agent(config).command("check")
    assert result.returncode == 0 and "sesame" not in result.stdout + result.stderr


def test_the_bucket_is_tried(agent, service, captures, s3):
    config = watching(service, captures)
    endpoint = f"http://127.0.0.1:{s3.port}"
    config["export"] = {"s3": {"bucket": s3.bucket, "prefix": "checked", "endpoint": endpoint}}
    one = agent(config, environment=s3.environment())
    result = one.command("check")
    assert result.returncode == 0 and parts(result)[f"s3://{s3.bucket}/checked"] == "ok"
    assert list(s3.objects("checked")) == ["checked/_stakeout/probe"]
    wrong = one.command("check", environment={"AWS_SECRET_ACCESS_KEY": "wrong" * 8})
    assert wrong.returncode == 1
    assert "SignatureDoesNotMatch" in parts(wrong)[f"s3://{s3.bucket}/checked"]
    config["export"]["s3"]["bucket"] = "no-such-bucket"
    missing = agent(config, environment=s3.environment()).command("check")
    assert missing.returncode == 1
    assert "NoSuchBucket" in parts(missing)["s3://no-such-bucket/checked"]


def test_offline_tries_nothing(agent, whole, captures):
    whole["app"]["debug"] = f"http://127.0.0.1:{harness.free_port()}/debug/pprof"
    checked = agent(whole)
    result = checked.command("check", "--offline")
    assert (result.returncode, result.stdout, result.stderr) == (0, "configuration: ok\n", "")
    assert not os.path.exists(captures) and not os.path.exists(checked.state)
    both = checked.command("check", "--offline", "--notify")
    assert both.returncode == 2 and "leave one out" in both.stderr


WRONG = """service: games
intervall: 1s
app:
  debug: http://localhost:6060/debug/pprof
triggers:
  cpu-high: {metric: cpu, above: 80}
  other: {metric: cpu, above: 90%, capture: spiky}
export:
  directory: /captures
"""


@pytest.mark.parametrize("command", ["check", "run", "status", "capture", "config"])
def test_a_wrong_configuration_is_told_whole(tmp_path, command):
    file = tmp_path / "wrong.yaml"
    file.write_text(WRONG)
    result = run(command, "-c", str(file))
    assert result.returncode == 2 and not result.stdout
    places = re.findall(rf"^{re.escape(str(file))}:(\d+):(\d+): ([\w.-]+): .+", result.stderr, re.M)
    assert ("2", "1") in [place[:2] for place in places], result.stderr
    assert {place[0] for place in places} == {"2", "6", "7"}, result.stderr
    assert "interval" in result.stderr and "80%" in result.stderr and "spike" in result.stderr


def test_a_configuration_may_come_by_environment(agent, whole):
    one = agent(whole)
    environment = {**one.environment, "STAKEOUT_CONFIG": json.dumps(one.config)}
    result = run("check", "--offline", environment=environment)
    assert result.returncode == 0, result.stderr
    environment["STAKEOUT_CONFIG"] = "service: [games]"
    wrong = run("check", "--offline", environment=environment)
    assert wrong.returncode == 2 and re.search(r"STAKEOUT_CONFIG:1:\d+: ", wrong.stderr)


def test_a_missing_file_is_named(tmp_path):
    result = run("check", "-c", str(tmp_path / "nothing.yaml"))
    assert result.returncode == 2 and "nothing.yaml" in result.stderr
