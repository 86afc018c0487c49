"""Own metrics from the service's metrics page: in status, triggers, metrics.csv, the report, and
what `check` says of them. COST: some seconds."""
import csv
import io
import os

import pytest

import harness
from harness import wait_until, watching

LOGIN = "Bearer of the page"


@pytest.fixture
def service(start_service):
    return start_service(cores=0.5)


def own_metrics(service, **more):
    page = f"http://127.0.0.1:{service.port}/metrics"
    return {
        "goroutines": {"prometheus": page, "series": "go_goroutines", **more},
        "errors": {"prometheus": page, "series": 'http_requests_total{code="500"}'},
        "requests": {"prometheus": page, "series": "http_requests_total"},
    }


def test_a_spike_of_an_own_metric_is_an_incident(agent, service, captures):
    config = watching(service, captures, metrics=own_metrics(service),
                      triggers={"failing": {"metric": "errors", "above": 5}})
    watched = agent(config).start()
    watched.wait_log(r"goroutines is go_goroutines of http://127.0.0.1:\d+/metrics")
    watched.wait_log(r"errors: http://127.0.0.1:\d+/metrics has none of http_requests_total"
                     r".*, but 1 of that name")
    assert watched.metric("goroutines") >= 3
    assert watched.metric("errors") is None, "a gap, not 0"
    for _ in range(50):
        assert service.get("/answer?code=500")[0] == 500
    incident = harness.wait_incidents(watched, captures)[0]
    assert incident.json["trigger"]["metric"] == "errors"
    assert incident.json["trigger"]["value"] > 5
    assert incident.json["metrics"]["peak"]["errors"] >= incident.json["trigger"]["value"]
    rows = list(csv.DictReader(io.StringIO(incident.files["metrics.csv"].decode())))
    assert {"goroutines", "errors", "requests"} <= set(rows[0])
    interval_s = 0.2
    counted = sum(float(row["errors"]) * interval_s for row in rows if row["errors"])
    assert counted == pytest.approx(50, rel=0.3)
    report = harness.run("report", incident.folder)
    assert report.returncode == 0, report.stderr
    with open(os.path.join(incident.folder, "report.html"), encoding="utf-8") as file:
        page = file.read()
    assert "goroutines" in page and "errors" in page
    shown = harness.run("show", incident.folder)
    assert "errors" in shown.stdout, shown.stdout


def test_a_service_that_starts_anew_is_a_gap_and_no_negative_rate(agent, start_service, captures):
    service = start_service(cores=0.5)
    port = service.port
    metrics = {"requests": own_metrics(service)["requests"]}
    watched = agent(watching(service, captures, metrics=metrics)).start()
    for _ in range(20):
        service.get("/answer")
    wait_until(lambda: watched.metric("requests") == 0, "the requests are over")
    service.close()
    watched.wait_log(r"/metrics did not answer")
    again = start_service(cgroup=service.cgroup, listen=f"127.0.0.1:{port}")
    watched.wait_log(r"source prometheus works again")
    again.get("/answer")
    assert wait_until(lambda: watched.metric("requests"), "requests are counted again") > 0


def test_check_tries_the_page(agent, start_service, captures):
    service = start_service(cores=0.5, login=LOGIN)
    headers = {"headers": {"Authorization": LOGIN}}
    config = watching(service, captures, metrics=own_metrics(service, **headers))
    config["app"].update(headers)
    del config["metrics"]["errors"]
    result = agent(config, "right").command("check")
    assert result.returncode == 0, result.stdout
    assert "source prometheus: ok\n" in result.stdout
    assert "metric goroutines: ok, " in result.stdout
    assert "metric requests: ok, 0\n" in result.stdout
    config["metrics"]["leak"] = {**config["metrics"]["goroutines"], "series": "go_gorutines"}
    result = agent(config, "misspelt").command("check")
    assert result.returncode == 1
    assert 'has no go_gorutines; did you mean "go_goroutines"?' in result.stdout
    assert "metric leak: no value\n" in result.stdout
    config["metrics"] = own_metrics(service)
    result = agent(config, "locked").command("check")
    assert result.returncode == 1
    assert "/metrics answers 401: give what it wants with headers:" in result.stdout
