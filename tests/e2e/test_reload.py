"""SIGHUP: another configuration without a restart, and nothing that the agent knows or does is
lost."""
import copy
import json
import os
import pty
import random
import re
import signal
import time
import urllib.request

import pytest

import harness
from harness import incidents_below, wait_incidents, wait_until, warm, watching


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


def reload(agent, **changes):
    """Writes the configuration with these changes and has it read; the log's line about it."""
    agent.configure({**agent.config, **changes})
    return ask(agent)


def ask(agent):
    pattern = r"the configuration is (not )?reloaded(?! when)[^\n]*"
    before = len(re.findall(pattern, agent.log))
    agent.process.send_signal(signal.SIGHUP)
    return agent.wait_log(pattern, count=before + 1).group(0)


def trigger(status, name):
    return next(trigger for trigger in status["triggers"] if trigger["name"] == name)


def prometheus(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        return answer.read().decode()


def test_a_changed_threshold_takes_effect(agent, service, captures):
    config = watching(service, captures)
    config["triggers"]["cpu-high"]["above"] = "99.9%"
    config["triggers"]["cpu-high"]["for"] = "10m"
    running = warm(agent(config).start())
    service.burn(3)
    assert not incidents_below(captures)
    port = harness.free_port()
    line = reload(running, triggers={"cpu-high": {"metric": "cpu", "above": "60%", "for": "1s"}},
                  listen=f"127.0.0.1:{port}", log={"format": "json"})
    assert "changed triggers.cpu-high.above" in line and "listen" in line
    service.burn(6)
    wait_incidents(running, captures)
    status = running.status()
    assert status["configuration"]["reloads"] == 1 and "refusal" not in status["configuration"]
    assert trigger(status, "cpu-high")["rule"].startswith("cpu above 60% for 1 s")
    assert 'stakeout_config_reloads_total{result="done"} 1' in prometheus(port)
    assert json.loads(running.log.splitlines()[-1])["level"]
    assert "reloaded from" in running.command("status").stdout
    assert running.terminate() == 0


def test_a_bad_one_is_refused_with_all_its_errors(agent, service, captures):
    running = warm(agent(watching(service, captures)).start())
    good = copy.deepcopy(running.config)
    wrong = {**good, "interval": "1 parsec", "limits": {"per_huor": 3}}
    running.configure(wrong)
    line = ask(running)
    assert "not reloaded" in line and "(and 1 more)" in line
    assert "interval" in running.log and "per_hour" in running.log
    status = running.status()["configuration"]
    assert status["refused"] == 1 and "interval" in status["refusal"]["text"]
    # Who looks with the file that was refused finds the agent, too; so does a health check.
    assert "refused at" in running.command("status").stdout
    assert running.command("status", "--quiet").returncode == 0
    with open(running.file, "w", encoding="utf-8") as file:
        file.write(f"service: x\nstate: {running.state}\nlimits: {{\n")
    assert "not reloaded" in ask(running)
    assert running.command("status", "--quiet").returncode == 0
    # What runs is as it was.
    running.configure(good)
    service.burn(6)
    wait_incidents(running, captures)
    for key, value in (("service", "other"), ("state", os.path.join(running.folder, "other"))):
        assert f"{key}: is" in reload(running, **{key: value})
        running.configure(good)
    os.remove(running.file)
    assert "cannot open" in ask(running)
    assert "nothing has changed" in reload(running)
    status = running.status()["configuration"]
    assert status["refused"] == 5 and status["reloads"] == 1 and "refusal" not in status
    assert running.terminate() == 0


def test_what_is_not_a_file_cannot_change(agent, service, captures):
    running = agent(watching(service, captures))
    running.environment["STAKEOUT_CONFIG"] = json.dumps(running.config)
    running.spawn(harness.BINARY, "run")
    wait_until(lambda: running.command("status", "--quiet").returncode == 0, "it answers")
    assert "$STAKEOUT_CONFIG" in ask(running)
    assert running.terminate() == 0


def test_a_terminal_that_goes_away_ends_its_agent(agent, service, captures):
    """The kernel's SIGHUP is not a person's."""
    running = agent(watching(service, captures))
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(harness.BINARY, [harness.BINARY, "run", "-c", running.file], running.environment)
    try:
        wait_until(lambda: running.command("status", "--quiet").returncode == 0, "it answers")
        os.close(terminal)
        assert wait_until(lambda: os.waitpid(pid, os.WNOHANG)[0], "it ends") == pid
        pid = 0
    finally:
        if pid:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def learned_s(agent):
    """How much of its usual values cpu-spike has seen."""
    text = trigger(agent.status(), "cpu-spike").get("nearest_miss", {}).get("text", "")
    found = re.match(r"still learning: ([\d.]+) (s|min)", text)
    return float(found.group(1)) * (60 if found.group(2) == "min" else 1) if found else 0


def test_what_a_trigger_has_learned_is_kept(agent, service, captures):
    config = watching(service, captures)
    config["triggers"]["cpu-spike"] = {"metric": "cpu", "spike": {}}
    running = warm(agent(config).start())
    wait_until(lambda: learned_s(running) >= 20, "cpu-spike has learned for 20 s", 60)
    rows = running.status()["metrics"]
    reload(running, triggers={**config["triggers"],
                              "cpu-high": {"metric": "cpu", "above": "70%", "for": "1s"}})
    assert learned_s(running) >= 20
    assert {row["name"] for row in running.status()["metrics"]} >= {row["name"] for row in rows}
    reload(running, triggers={"cpu-spike": {"metric": "cpu", "spike": {"score": 9}}})
    assert learned_s(running) < 20
    assert running.terminate() == 0


def test_cooldowns_and_the_hour_go_on(agent, service, captures):
    config = watching(service, captures)
    running = warm(agent(config).start())
    running.fire(service)
    wait_incidents(running, captures)
    reload(running, triggers={"cpu-high": {"metric": "cpu", "above": "50%"}},
           limits={"per_hour": 5})
    status = trigger(running.status(), "cpu-high")
    assert status["state"] == "cooldown" and status["fires"] == 1
    running.fire(service, 3)
    running.wait_log("suppressed by cooldown")
    assert running.terminate() == 0 and len(incidents_below(captures)) == 1


def test_in_the_middle_of_a_capture(agent, service, captures):
    config = watching(service, captures)
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 4}, "heap"]}
    running = warm(agent(config).start())
    service.burn(8)
    running.wait_log("incident .* opened")
    agent_line = reload(running, captures={"spike": ["goroutine"]},
                        triggers={"cpu-low": {"metric": "cpu", "below": "0.001%"}})
    assert "changed captures.spike" in agent_line or "captures.spike" in agent_line
    assert "is reloaded when incident" in running.log
    incident, = wait_incidents(running, captures)
    assert sorted(profile["name"] for profile in incident.json["profiles"]) == ["cpu", "heap"]
    assert incident.profile("cpu")["status"] == "ok"
    assert 3.5 < incident.profile("cpu")["seconds"] < 5
    running.wait_spool_empty()
    taken = running.command("capture", "--reason", "by hand")
    assert taken.returncode == 0, taken.stderr
    by_hand = wait_incidents(running, captures, 2)[-1]
    assert [profile["name"] for profile in by_hand.json["profiles"]] == ["goroutine"]
    assert running.terminate() == 0 and len(incidents_below(captures)) == 2


def test_an_exporter_that_is_gone_and_one_that_is_new(agent, service, tmp_path, captures):
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where the folder is to be")
    config = watching(service, captures, export={"directory": [captures, str(blocked / "below")]})
    running = warm(agent(config).start())
    taken = running.command("capture")
    assert taken.returncode == 1
    wait_incidents(running, captures)
    assert len(running.spooled()) == 1
    reload(running, export={"directory": captures})
    running.wait_spool_empty()
    assert "no longer stored in" in running.log
    # The only one was wrong: what waits for it goes where the new one says.
    reload(running, export={"directory": str(blocked / "below")})
    assert running.command("capture").returncode == 1
    mended = tmp_path / "mended"
    reload(running, export={"directory": str(mended)})
    wait_until(lambda: len(incidents_below(mended)) == 1, lambda: running.log)
    running.wait_spool_empty()
    assert len(incidents_below(captures)) == 1
    assert running.terminate() == 0


def test_at_any_moment_nothing_is_lost_or_doubled(agent, service, tmp_path, captures):
    """SIGHUP at random moments of captures and deliveries."""
    chance = random.Random(1)
    config = watching(service, captures, limits={"cooldown": "1s", "per_hour": 1000},
                      recorder={"slice": "1s", "keep": 2, "always": True})
    config["captures"]["spike"] = [{"profile": "cpu", "seconds": 1}, "heap"]
    config["triggers"]["cpu-high"] = {"metric": "cpu", "above": "50%"}
    running = warm(agent(config).start())
    variants = [{}, {"interval": "300ms"}, {"recorder": {"slice": "2s"}},
                {"export": {"directory": [captures, str(tmp_path / "second")]}},
                {"interval": "never"}, {"database": {"endpoint": "127.0.0.1:5432"}}]
    for turn in range(70):
        path = running.file
        running.file = path + ".new"
        running.configure({"state": running.state, **config, **chance.choice(variants)})
        os.rename(running.file, path)
        running.file = path
        running.process.send_signal(signal.SIGHUP)
        if turn % 20 == 0:
            service.burn(1)
        time.sleep(chance.uniform(0, 0.4))
    running.configure({"state": running.state, **config})
    running.process.send_signal(signal.SIGHUP)
    assert running.terminate() == 0
    assert running.log.count("is reloaded from") > 5
    opened = re.findall(r"incident (\S+) opened", running.log)
    stored = [incident.id for incident in incidents_below(captures)]
    assert sorted(opened) == sorted(stored) and len(opened) > 1
    assert not running.spooled()


def footprint(agent):
    pid = agent.process.pid
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        rss = int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))
    return len(os.listdir(f"/proc/{pid}/fd")), rss, len(os.listdir(f"/proc/{pid}/task"))


def test_fifty_leave_nothing_behind(agent, service, tmp_path, captures):
    config = watching(service, captures, recorder={"slice": "1s", "always": True})
    config["triggers"]["cpu-spike"] = {"metric": "cpu", "spike": {}}
    config["triggers"]["rounds"] = {"recurs": {"of": "cpu-spike"}}
    other = copy.deepcopy(config)
    other["interval"] = "300ms"
    other["database"] = {"endpoint": "127.0.0.1:5432"}
    other["triggers"]["cpu-high"] = {"metric": "memory", "above": "99%"}
    other["captures"]["spike"] = ["heap", "goroutine"]
    other["export"] = {"directory": [captures, str(tmp_path / "second")]}
    other["listen"] = f"127.0.0.1:{harness.free_port()}"
    running = warm(agent(config).start())

    def turn(times):
        for _ in range(times):
            for settings in (other, config):
                running.configure({"state": running.state, **settings})
                assert " reloaded from" in ask(running)
    turn(5)
    running.wait_log("0 of|[0-9] of [0-9] profiles? can be had", count=2)
    fds, rss, threads = footprint(running)
    turn(25)
    wait_until(lambda: footprint(running)[0] <= fds + 2, lambda: f"{footprint(running)}, {fds}")
    assert footprint(running)[2] == threads
    assert footprint(running)[1] < rss + 2048, (footprint(running), rss)
    service.burn(6)
    wait_incidents(running, captures)
    assert running.terminate() == 0
