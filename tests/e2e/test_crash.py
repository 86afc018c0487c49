"""The program itself crashes: what it leaves, what the next start makes of it, and who it was."""
import glob
import os
import re
import shutil
import signal
import subprocess

import pytest

import harness
from harness import watching

SCRIPT = os.path.join(harness.TREE, "scripts", "crash-lines")
FRAME = re.compile(r"#\d+ stakeout\+0x[0-9a-f]+ \(build id [0-9a-f]{40}\)")

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="the sanitizers report crashes themselves")


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


def reports(running):
    return sorted(glob.glob(os.path.join(running.state, "crash-*")))


def crash(running):
    """SIGSEGV; the exit status is as it would be without a handler."""
    running.process.send_signal(signal.SIGSEGV)
    assert running.process.wait(harness.PATIENCE_S) == -signal.SIGSEGV
    running.reader.join()


def lines_of(binary, report):
    if not shutil.which("addr2line"):
        pytest.skip("addr2line is not installed (apt-get install binutils)")
    return subprocess.run([SCRIPT, binary, report], text=True, capture_output=True, check=False)


def test_a_crash_in_a_capture_is_reported_once_and_costs_nothing(agent, service, captures):
    config = watching(service, captures, triggers={"never": {"metric": "cpu", "above": "5000%"}})
    config["captures"] = {"spike": [{"profile": "cpu", "seconds": 20}, "heap", "goroutine"]}
    running = agent(config).start()
    with subprocess.Popen([harness.BINARY, "capture", "-c", running.file], text=True,
                          stderr=subprocess.PIPE, env=running.environment) as asking:
        running.wait_log("profile goroutine finished")
        crash(running)
        asking.communicate(timeout=harness.PATIENCE_S)
    assert re.search(r'level=error msg="crash: SIGSEGV, sent by process \d+, in thread stakeout',
                     running.log)
    assert FRAME.search(running.log)
    [report] = reports(running)
    text = harness.read(report).decode()
    assert text.startswith("crash 1\n") and text.endswith("end complete\n")
    assert FRAME.search(text)

    running.lines.clear()
    running.start()
    running.wait_log("level=warn msg=\"an earlier run crashed at .*SIGSEGV, sent by process")
    status = running.status()
    assert status["crashes"]["count"] == 1
    assert status["crashes"]["last"]["file"] in running.log
    assert status["crashes"]["last"]["frames"]
    harness.seconds_of(status["crashes"]["last"]["time"])
    shown = running.command("status").stdout
    assert "crashed 1 time, last at " + status["crashes"]["last"]["time"] in shown
    [incident] = harness.wait_incidents(running, captures)
    assert {profile["name"]: profile["status"] for profile in incident.json["profiles"]} == {
        "cpu": "failed", "heap": "ok", "goroutine": "ok"}
    running.wait_spool_empty()
    assert not any("crash" in name for name in incident.files)

    assert reports(running) == [status["crashes"]["last"]["file"]]
    assert running.terminate() == 0
    running.lines.clear()
    running.start()
    assert running.status()["crashes"]["count"] == 1
    assert "an earlier run crashed" not in running.log


def test_the_script_names_functions(agent, service, captures, tmp_path):
    running = agent(watching(service, captures)).start()
    crash(running)
    [report] = reports(running)
    told = lines_of(harness.BINARY, report)
    assert told.returncode == 0, told.stderr
    assert re.search(r"^#\d+ +agent_run at \S+/agent/agent\.c:\d+ ", told.stdout, re.MULTILINE)
    assert "loop_run at " in told.stdout
    log = tmp_path / "log"
    log.write_text(running.log, encoding="utf-8")
    assert "agent_run at " in lines_of(harness.BINARY, str(log)).stdout
    other = lines_of(shutil.which("addr2line"), report)
    assert other.returncode == 1 and "is not the program that crashed" in other.stderr


def test_prometheus_counts_crashes(agent, service, captures):
    port = harness.free_port()
    running = agent(watching(service, captures, listen=f"127.0.0.1:{port}",
                             log={"format": "json"})).start()
    crash(running)
    assert re.search(r'"level":"error","msg":"crash: SIGSEGV', running.log)
    running.start()
    text = subprocess.run(["curl", "-s", f"http://127.0.0.1:{port}/metrics"], check=True, text=True,
                          capture_output=True).stdout
    assert re.search(r"^stakeout_crashes_total 1$", text, re.MULTILINE)
    assert re.search(r"^stakeout_last_crash_timestamp_seconds 1\d{9}", text, re.MULTILINE)


def test_other_commands_report_on_standard_error(tmp_path):
    with subprocess.Popen([harness.BINARY, "review", str(tmp_path), "--listen", "127.0.0.1:0"],
                          text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
                          env=harness.clean_environment()) as review:
        assert "http://" in review.stdout.readline()
        review.send_signal(signal.SIGSEGV)
        said = review.stderr.read()
        assert review.wait() == -signal.SIGSEGV
    assert re.search(r"^crash: SIGSEGV, sent by process \d+, in thread ", said, re.MULTILINE)
    assert re.search(r"^crash: #0 ", said, re.MULTILINE)
    assert not os.listdir(tmp_path), "nothing is written there"
