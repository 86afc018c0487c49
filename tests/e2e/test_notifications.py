"""People are told of incidents: by webhooks and SNS, once, and never in an incident's way."""
import os
import re
import socket
import socketserver
import ssl
import subprocess
import threading
import urllib.request

import pytest

import harness
import storage
from harness import incidents_below, wait_incidents, wait_until, watching
from notified import Notified, Topic
from test_disk import REFUSALS, Disk

ARN = "arn:aws:sns:eu-west-1:123456789012:spikes"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hidden/secret"}


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


@pytest.fixture
def webhook(closing):
    return closing(Notified())


def telling(service, captures, **export):
    """A configuration whose incidents are quickly taken."""
    config = watching(service, captures)
    config["captures"]["spike"] = ["goroutine"]
    config["export"].update(export)
    return config


def take(agent):
    taken = agent.command("capture", "--reason", "a look <!channel> & more")
    assert taken.returncode == 0, taken.stderr + agent.log
    return taken.stdout.strip()


def wait_posts(agent, webhook, count, timeout_s=harness.PATIENCE_S):
    wait_until(lambda: len(webhook.posts) >= count,
               lambda: f"{count} messages, not {len(webhook.posts)}; the log:\n{agent.log}",
               timeout_s)
    return webhook.bodies()


def verifier_of_the_page():
    """The example that users copy."""
    page = harness.read(os.path.join(harness.TREE, "docs", "telling.md")).decode()
    code = re.search(r"```python\n(import hashlib, hmac.*?)```", page, re.S).group(1)
    scope = {}
    exec(code, scope)  # pylint: disable=exec-used
    return scope["is_from_stakeout"]


def test_it_is_told_once_it_is_stored(agent, service, captures, closing):
    stored = []

    def look(_handler, _body):
        stored.append([incident.id for incident in incidents_below(captures)])
        return 200, "ok", {}
    slack, program = closing(Notified(look)), closing(Notified())
    config = telling(service, captures, webhook=[
        {"url": slack.url + "/services/T/B/hidden"},
        {"url": program.url + "/x?token=hidden", "format": "json", "secret": "hidden secret"}])
    config["review_url"] = "https://review.internal/{id}"
    running = agent(config).start()
    incident = take(running)
    message = wait_posts(running, slack, 1)[0]
    body = wait_posts(running, program, 1)[0]
    assert stored[0] == [incident]
    assert message["unfurl_links"] is False and message["unfurl_media"] is False
    assert "<!channel>" not in str(message) and "&lt;!channel&gt; &amp; more" in message["text"]
    assert f"<https://review.internal/{incident}|Look at it>" in str(message)
    assert body["id"] == incident and body["event"] == "incident" and body["times"] == 1
    assert body["trigger"]["reason"] == "a look <!channel> & more"
    assert body["review_url"] == f"https://review.internal/{incident}"
    assert body["stored"].endswith(incident)
    _, _, headers, raw = program.posts[0]
    is_from_stakeout = verifier_of_the_page()
    assert is_from_stakeout("hidden secret", headers["X-Stakeout-Signature"], raw)
    assert not is_from_stakeout("another", headers["X-Stakeout-Signature"], raw)
    assert not is_from_stakeout("hidden secret", headers["X-Stakeout-Signature"], raw + b" ")
    status = running.wait_status(
        lambda status: all(one["told"] == 1 and not one["waiting"]
                           for one in status["notifications"]), "both are told")
    assert len(status["notifications"]) == 2
    shown = (running.log + str(status) + running.command("config").stdout +
             running.command("status").stdout)
    assert "hidden" not in shown
    for path, _, files in os.walk(running.state):
        for file in (os.path.join(path, name) for name in files):
            assert not os.path.isfile(file) or b"hidden" not in harness.read(file), file


def test_an_outage_and_a_kill_cost_nothing(agent, service, captures, webhook):
    running = agent(telling(service, captures, webhook={"url": webhook.url, "format": "json"}))
    running.start()
    webhook.stop()
    ids = [take(running) for _ in range(3)]
    running.wait_spool_empty()
    running.wait_log("notifications? of incidents waits?: ")
    assert len(incidents_below(captures)) == 3
    running.kill()
    running.lines.clear()
    webhook.start()
    running.start()
    running.wait_status(lambda status: status["notifications"][0]["told"] == 3, "all are told")
    assert [(body["id"], body["more"], body["times"]) for body in webhook.bodies()] == \
        [(ids[2], 2, 3)]
    running.kill()
    running.start()
    assert running.terminate() == 0
    assert len(webhook.posts) == 1


def test_a_wait_that_is_asked_for_is_kept(agent, service, captures, closing):
    busy = closing(Notified((429, "rate_limited", {"Retry-After": "3"}), (200, "ok", {})))
    running = agent(telling(service, captures, webhook={"url": busy.url})).start()
    take(running)
    wait_posts(running, busy, 2)
    assert busy.posts[1][0] - busy.posts[0][0] >= 3
    assert "rate_limited: Slack wants fewer messages" in running.log


@pytest.mark.parametrize("refusal", REFUSALS)
def test_a_disk_that_takes_no_files_keeps_nobody_in_the_dark(agent, service, captures, webhook,
                                                             closing, tmp_path, refusal):
    refuse, mend = REFUSALS[refusal]
    disk = closing(Disk(str(tmp_path / "disk")))
    config = telling(service, captures, webhook={"url": webhook.url, "format": "json"})
    running = agent({**config, "state": os.path.join(disk.path, "state")}).start()
    refuse(disk)
    incident = take(running)
    assert wait_posts(running, webhook, 1)[0]["id"] == incident
    mend(disk)
    running.wait_log("takes files again")
    another = take(running)
    assert wait_posts(running, webhook, 2)[1]["id"] == another
    assert running.terminate() == 0
    assert len(webhook.posts) == 2


def test_a_disk_that_is_full_from_the_start(agent, service, captures, webhook, closing, tmp_path):
    disk = closing(Disk(str(tmp_path / "disk")))
    config = telling(service, captures, webhook={"url": webhook.url})
    alone = agent({**config, "state": os.path.join(disk.path, "state")})
    disk.fill()
    taken = alone.command("capture")
    assert taken.returncode == 0, taken.stderr
    assert taken.stdout.strip() in str(webhook.bodies())


def test_a_capture_without_an_agent_is_told(agent, service, captures, webhook):
    taken = agent(telling(service, captures, webhook={"url": webhook.url})).command("capture")
    assert taken.returncode == 0, taken.stderr
    assert len(webhook.posts) == 1


@pytest.mark.parametrize("secret", [KEYS["AWS_SECRET_ACCESS_KEY"], "another"])
def test_a_topic_is_told(agent, service, captures, closing, secret):
    topic = Topic(ARN, secret)
    sns = closing(Notified(topic))
    config = telling(service, captures, sns={"topic": ARN, "endpoint": sns.url})
    running = agent(config, environment=KEYS).start()
    incident = take(running)
    if secret == "another":
        running.wait_log("SNS: SignatureDoesNotMatch: the secret key does not belong")
        assert not topic.published
        return
    form = wait_until(lambda: topic.published, lambda: running.log)[0]
    assert form["Action"] == "Publish" and incident in form["Message"]
    assert form["Subject"] == "games: taken by hand"
    assert form["MessageAttributes.entry.1.Value.StringValue"] == "games"
    assert "a look <!channel> & more" in form["Message"]


def test_a_topic_that_is_not_there(agent, service, captures, closing):
    sns = closing(Notified(Topic(ARN + "-old", KEYS["AWS_SECRET_ACCESS_KEY"])))
    config = telling(service, captures, sns={"topic": ARN, "endpoint": sns.url})
    checked = agent(config, environment=KEYS).command("check", "--notify")
    assert f"sns topic {ARN}: SNS: NotFound: there is no topic {ARN}" in checked.stdout


def test_check_bothers_nobody(agent, service, captures, webhook):
    checked = agent(telling(service, captures, webhook={"url": webhook.url}))
    quiet = checked.command("check")
    assert f"slack webhook at 127.0.0.1:{webhook.port}: ok, it can be reached" in quiet.stdout
    assert not webhook.posts
    loud = checked.command("check", "--notify")
    assert "ok, a test message was sent" in loud.stdout
    assert "this is a test" in str(webhook.bodies()[0])
    webhook.stop()
    broken = checked.command("check")
    assert broken.returncode == 1
    assert f"slack webhook at 127.0.0.1:{webhook.port}: Failed to connect" in broken.stdout


def test_check_tells_two_webhooks_of_a_host_apart(agent, service, captures, webhook):
    config = telling(service, captures)
    config["export"]["webhook"] = [{"url": webhook.url + "/one"}, {"url": webhook.url + "/two"}]
    checked = agent(config).command("check")
    named = re.findall(r"^(slack webhook at 127\.0\.0\.1:\d+ \(\w{8}\)): ok", checked.stdout, re.M)
    assert len(set(named)) == 2, checked.stdout + checked.stderr


def test_a_link_to_the_report_needs_no_credentials(agent, service, s3, webhook):
    config = storage.storing(service, s3, "notified")
    config["captures"]["spike"] = ["goroutine"]
    config["export"]["webhook"] = {"url": webhook.url, "format": "json"}
    config["report_links"] = "2h"
    running = agent(config, environment=s3.environment()).start()
    incident = take(running)
    body = wait_posts(running, webhook, 1)[0]
    assert "hidden" not in running.log and body["report_url"] not in running.log
    with urllib.request.urlopen(body["report_url"], timeout=harness.PATIENCE_S) as answer:
        page = answer.read()
    key = next(key for key in s3.objects("notified") if key.endswith(f"{incident}/report.html"))
    assert page == s3.content(key)
    ends_in = harness.seconds_of(body["report_expires"]) - harness.seconds_of(body["finished"])
    assert 7190 <= ends_in < 7200 + 2 * harness.PATIENCE_S


def test_links_that_nobody_gets_are_said(agent, service, captures):
    config = harness.watching(service, captures, review_url="https://review.internal/{id}")
    agent(config).start().wait_log("review_url has no effect: without export.webhook or export.sns")


@pytest.fixture
def authority(tmp_path):
    """A certificate of our own: its file, and a context that shows it."""
    key, certificate = str(tmp_path / "key.pem"), str(tmp_path / "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return certificate, context


class Proxy:
    """Takes CONNECT."""

    def __init__(self):
        proxy = self
        self.asked = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                head = b""
                while b"\r\n\r\n" not in head:
                    head += self.request.recv(4096)
                target = head.split()[1].decode()
                proxy.asked.append(target)
                host, port = target.rsplit(":", 1)
                with socket.create_connection((host, int(port))) as onward:
                    self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
                    back = threading.Thread(target=pump, args=(onward, self.request), daemon=True)
                    back.start()
                    pump(self.request, onward)

        def pump(source, sink):
            try:
                while data := source.recv(65536):
                    sink.sendall(data)
            except OSError:
                pass

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_tls_is_verified_and_the_proxy_is_asked(agent, service, captures, closing, authority):
    certificate, context = authority
    webhook, proxy = closing(Notified(context=context)), closing(Proxy())
    config = telling(service, captures, webhook={"url": webhook.url})
    stranger = agent(config).command("check", "--notify")
    assert stranger.returncode == 1 and "certificate" in stranger.stdout
    assert not webhook.posts
    config["export"]["webhook"]["ca_file"] = certificate
    trusting = agent(config, environment={"HTTPS_PROXY": proxy.url})
    assert "a test message was sent" in trusting.command("check", "--notify").stdout
    assert proxy.asked == [f"127.0.0.1:{webhook.port}"]


def test_what_only_tells_stores_nothing(agent, service, captures, webhook):
    config = telling(service, captures, webhook={"url": webhook.url})
    del config["export"]["directory"]
    refused = agent(config).command("check", "--offline")
    assert refused.returncode == 2
    assert "names no place to store incidents" in refused.stderr


def test_a_spike_is_told_with_its_suspect(agent, service, captures, webhook):
    config = watching(service, captures)
    config["export"]["webhook"] = {"url": webhook.url, "format": "json"}
    running = harness.warm(agent(config).start())
    service.burn(6)
    incident = wait_incidents(running, captures, timeout_s=60)[0]
    body = wait_posts(running, webhook, 1, timeout_s=60)[0]
    assert body["id"] == incident.id and body["unit"] == "%" and body["to"] > 60
    for name in ("headline", "suspect", "no_suspect", "trigger", "onset"):
        assert body.get(name) == incident.json.get(name), name
    assert bool(body["grew"]) == ("suspect" in incident.json)
