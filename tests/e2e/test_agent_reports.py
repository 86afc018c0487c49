"""What is caught is analysed by a child of the agent before it is stored."""
import pytest

import harness
from harness import wait_incidents, wait_until, warm, watching

CORES = 0.3


@pytest.fixture
def service(start_service):
    return start_service(cores=CORES)


def spike(running, service):
    warm(running)
    service.burn(6)


def test_an_incident_is_stored_with_its_report_and_suspect(agent, service, captures):
    running = agent(watching(service, captures)).start()
    spike(running, service)
    incident = wait_incidents(running, captures)[0]
    report = incident.files["report.html"].decode()
    assert len(report) < 500_000 and "http://" not in report.split("<body")[0]
    found = incident.json
    assert found["headline"].startswith("CPU r")  # rose from, or reached where nothing is usual yet
    assert found["suspect"]["function"] == harness.CULPRIT
    assert found["suspect"]["path"][-1] == harness.CULPRIT
    assert found["suspect"]["cum_percent"] > 60
    assert found["explained"]["percent"] > 60
    assert found["sparkline"]["metric"] == "cpu"
    assert "suspect" in report.lower()
    running.wait_spool_empty()
    assert running.terminate() == 0, running.log


def test_the_reader_can_be_left_the_analysis(agent, service, captures):
    config = watching(service, captures)
    config["limits"] = {"analyse": "reader"}
    running = agent(config).start()
    spike(running, service)
    incident = wait_incidents(running, captures)[0]
    assert "report.html" not in incident.files and "suspect" not in incident.json
    result = harness.run("report", incident.folder)
    assert result.returncode == 0, result.stderr
    again = harness.Incident(incident.folder)
    assert again.json["suspect"]["function"] == harness.CULPRIT
    assert {key: again.json[key] for key in incident.json} == incident.json
    assert running.terminate() == 0, running.log


def test_what_an_earlier_run_left_without_a_report_gets_one(agent, service, captures, tmp_path):
    blocked = tmp_path / "not-a-folder"
    blocked.write_text("")
    config = watching(service, blocked / "captures")
    config["limits"] = {"analyse": "reader"}
    running = agent(config).start()
    spike(running, service)
    wait_until(running.spooled, lambda: f"an incident in the spool; the log:\n{running.log}")
    running.kill()
    left = running.spooled()
    running.configure({**watching(service, captures), "state": running.state})
    running.start()
    incident = wait_incidents(running, captures)[0]
    assert [incident.id] == left
    assert "report.html" in incident.files
    assert incident.json["suspect"]["function"] == harness.CULPRIT
    running.wait_spool_empty()
    assert running.terminate() == 0, running.log
