"""Large files in parts against a real store (Ceph's radosgw), what objects are stored with, and
proxies on the way; boto3 is the judge."""
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading

import pytest

import harness
from harness import TREE, wait_until
from storage import Proxy

TOOL = os.path.join(TREE, os.environ.get("STAKEOUT_BUILD", "build"), "tests", "s3_tool")
PART = 8 << 20
ID = "20261123T150401Z-cpu-high-abcdef"
EXISTS = 4  # s3_tool's exit status


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "file"
    path.write_bytes(os.urandom(3 * PART + 12345))
    return path


@pytest.fixture
def prefix(tmp_path):
    return f"upload/{tmp_path.name}"


@pytest.fixture
def tool(s3):
    def spawn(*arguments, **environment):
        known = {name: value for name, value in s3.settings.items() if name != "S3_CA_FILE"}
        return subprocess.Popen(
            [TOOL, *map(str, arguments)], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=harness.clean_environment({**known, **environment}))

    def run(*arguments, **environment):
        process = spawn(*arguments, **environment)
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    run.spawn = spawn
    return run


@pytest.fixture
def proxy(s3, closing):
    return closing(Proxy(s3.port))


def uploads(s3, prefix):
    listed = s3.client().list_multipart_uploads(Bucket=s3.bucket, Prefix=prefix)
    return listed.get("Uploads", [])


def parts_of(requests):
    return [int(line.split("partNumber=")[1].split("&")[0])
            for line in requests if "partNumber=" in line]


@pytest.fixture
def killed_at(tool, proxy, large):
    """Begins an upload and kills it while that part is on its way; the way is free again then."""
    def begin(part, key, record):
        proxy.hold(f"partNumber={part}")
        running = tool.spawn("upload", key, large, record, S3_ENDPOINT=by_way_of(proxy))
        assert proxy.held.wait(60)
        running.kill()
        running.communicate()
        proxy.release()
    return begin


def by_way_of(proxy):
    return f"http://127.0.0.1:{proxy.port}"


def test_parts_over_tls_are_the_file(tool, s3, prefix, large, tmp_path):
    record = tmp_path / "record"
    key = f"{prefix}/a b+ü"
    done = tool("upload", key, large, record, S3_ENDPOINT=s3.settings["S3_ENDPOINT_TLS"],
                S3_CA_FILE=s3.settings["S3_CA_FILE"], S3_TAG="games")
    assert done.returncode == 0, done.stderr
    assert s3.content(key) == large.read_bytes()
    head = s3.client().head_object(Bucket=s3.bucket, Key=key)
    assert head["ETag"].endswith('-4"')
    assert head["ContentType"] == "application/octet-stream"
    assert head["Metadata"] == {"team": "games"}
    assert not uploads(s3, prefix) and not record.exists()


def test_a_killed_upload_goes_on_with_the_part_it_was_at(tool, s3, prefix, large, proxy, killed_at, tmp_path):
    record, key = tmp_path / "record", f"{prefix}/file"
    killed_at(3, key, record)
    assert len(uploads(s3, prefix)) == 1
    before = len(proxy.requests)
    second = tool("upload", key, large, record, S3_ENDPOINT=by_way_of(proxy))
    assert second.returncode == 0, second.stderr
    assert parts_of(proxy.requests[before:]) == [3, 4]
    assert not any("?uploads" in line for line in proxy.requests[before:])
    assert s3.content(key) == large.read_bytes()
    assert not uploads(s3, prefix) and not record.exists()


def test_an_upload_whose_beginning_had_no_answer_is_found(tool, s3, prefix, large, proxy, tmp_path):
    key = f"{prefix}/file"
    proxy.hold("?uploads", on_answer=True)
    running = tool.spawn("upload", key, large, tmp_path / "record",
                         S3_ENDPOINT=by_way_of(proxy))
    assert proxy.held.wait(60)
    assert len(uploads(s3, prefix)) == 1
    proxy.release()
    _, err = running.communicate(timeout=120)
    assert running.returncode == 0, err
    assert s3.content(key) == large.read_bytes()
    assert len([line for line in proxy.requests if line.startswith("POST ") and "?uploads" in line]) == 1
    assert not uploads(s3, prefix)


def test_an_upload_that_somebody_ended_begins_anew(tool, s3, prefix, large, killed_at, tmp_path):
    record, key = tmp_path / "record", f"{prefix}/file"
    killed_at(2, key, record)
    [left] = uploads(s3, prefix)
    s3.client().abort_multipart_upload(Bucket=s3.bucket, Key=key, UploadId=left["UploadId"])
    second = tool("upload", key, large, record)
    assert second.returncode == 0, second.stderr
    assert "begins anew" in second.stderr
    assert s3.content(key) == large.read_bytes()


def test_a_record_aborts(tool, s3, prefix, killed_at, tmp_path):
    record = tmp_path / "record"
    killed_at(2, f"{prefix}/file", record)
    assert uploads(s3, prefix)
    assert tool("abort", record).returncode == 0
    assert not uploads(s3, prefix)


def test_nothing_is_overwritten(tool, s3, prefix, tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("one")
    other.write_text("other")
    assert tool("new", f"{prefix}/k", one).returncode == 0
    assert tool("new", f"{prefix}/k", other).returncode == EXISTS
    assert s3.content(f"{prefix}/k") == b"one"
    assert tool("put", f"{prefix}/k", other).returncode == 0
    assert s3.content(f"{prefix}/k") == b"other"


def test_tags_class_and_encryption(tool, s3, prefix, tmp_path):
    file = tmp_path / "file"
    file.write_text("x")
    key = f"{prefix}/k"
    done = tool("put", key, file, S3_TAG="games +1", S3_CLASS="STANDARD",
                S3_OWNER="123456789012", S3_ENCRYPTION="AES256",
                S3_ENDPOINT=s3.settings["S3_ENDPOINT_TLS"], S3_CA_FILE=s3.settings["S3_CA_FILE"])
    assert done.returncode == 0, done.stderr
    tags = s3.client().get_object_tagging(Bucket=s3.bucket, Key=key)["TagSet"]
    assert tags == [{"Key": "team", "Value": "games +1"}]
    for changes, words in (({"S3_CLASS": "NO_SUCH"}, "storage_class"),
                           ({"S3_KMS_KEY": "no-such-key"}, "encryption")):
        refused = tool("put", key, file, S3_ENDPOINT=s3.settings["S3_ENDPOINT_TLS"],
                       S3_CA_FILE=s3.settings["S3_CA_FILE"], **changes)
        assert refused.returncode == 1 and words in refused.stderr, refused.stderr


class ConnectProxy:
    """An HTTP proxy that tunnels what is asked of it with CONNECT, or refuses."""

    def __init__(self, refuse=None):
        self.refuse = refuse
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(65536)
            line = head.split(b"\r\n", 1)[0].decode()
            self.asked.append(line)
            if self.refuse or not line.startswith("CONNECT "):
                answer = f"HTTP/1.1 {self.refuse or 400} No\r\nContent-Length: 0\r\n\r\n"
                client.sendall(answer.encode())
                return
            host, port = line.split()[1].rsplit(":", 1)
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                pair = {client: server, server: client}
                while True:
                    for one in select.select(list(pair), [], [])[0]:
                        data = one.recv(65536)
                        if not data:
                            return
                        pair[one].sendall(data)

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("changes, tunnels", [
    ({}, True), ({"NO_PROXY": "localhost"}, False), ({"no_proxy": ".localhost,other"}, False),
    ({"NO_PROXY": "other"}, True)])
def test_the_way_leads_through_a_proxy(tool, s3, prefix, large, tmp_path, closing, changes, tunnels):
    proxy = closing(ConnectProxy())
    done = tool("upload", f"{prefix}/file", large, tmp_path / "record",
                S3_ENDPOINT=s3.settings["S3_ENDPOINT_TLS"], S3_CA_FILE=s3.settings["S3_CA_FILE"],
                HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}", **changes)
    assert done.returncode == 0, done.stderr
    assert (f"CONNECT localhost:{s3.tls_port} HTTP/1.1" in proxy.asked) == tunnels
    assert s3.content(f"{prefix}/file") == large.read_bytes()


@pytest.mark.parametrize("status, words", [
    (407, "the proxy wants a user: put it into HTTPS_PROXY"),
    (403, "the proxy on the way refuses: mend HTTPS_PROXY, or name the host in NO_PROXY")])
def test_a_proxy_that_refuses_is_named(tool, s3, prefix, tmp_path, closing, status, words):
    proxy = closing(ConnectProxy(refuse=status))
    file = tmp_path / "file"
    file.write_text("x")
    done = tool("put", f"{prefix}/k", file, S3_ENDPOINT=s3.settings["S3_ENDPOINT_TLS"],
                HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}")
    assert done.returncode != 0
    assert words in done.stderr and str(status) in done.stderr, done.stderr


def config_of(s3, prefix, port, **changes):
    return {"service": "games", "app": {"debug": "http://127.0.0.1:9/debug/pprof"},
            "baseline": "off",
            "export": {"s3": {"bucket": s3.bucket, "prefix": prefix,
                              "endpoint": f"http://127.0.0.1:{port}"}}, **changes}


def spool_large(agent, large):
    """An incident with a large file that an earlier run left in the spool; its files."""
    folder = os.path.join(agent.state, "spool", ID)
    os.makedirs(folder)
    os.link(large, os.path.join(folder, "heap.pb.gz"))
    incident = {"schema": 1, "id": ID, "service": "games", "app": "app", "kind": "spike",
                "trigger": {"name": "cpu-high", "metric": "cpu", "value": 1, "reason": "x"},
                "onset": "2026-11-23T15:04:01.000Z", "fired": "2026-11-23T15:04:01.000Z",
                "finished": "2026-11-23T15:04:02.000Z", "agent": {"version": "0"}, "target": {},
                "profiles": [], "metrics": {"file": "metrics.csv", "peak": {}}}
    with open(os.path.join(folder, "incident.json"), "w", encoding="utf-8") as file:
        json.dump(incident, file)


def key_of(prefix, file):
    return f"{prefix}/service=games/date=2026-11-23/{ID}/{file}"


def test_an_agent_that_is_killed_goes_on(agent, s3, prefix, large, proxy):
    one = agent(config_of(s3, prefix, proxy.port), environment=s3.environment())
    spool_large(one, large)
    proxy.hold("partNumber=3")
    one.spawn()
    assert proxy.held.wait(60), one.log
    one.kill()
    proxy.release()
    before = len(proxy.requests)
    one.start()
    wait_until(lambda: key_of(prefix, "incident.json") in s3.objects(prefix), lambda: one.log)
    one.wait_spool_empty()
    assert parts_of(proxy.requests[before:]) == [3, 4]
    assert s3.content(key_of(prefix, "heap.pb.gz")) == large.read_bytes()
    assert set(s3.objects(prefix)) >= {key_of(prefix, name)
                                       for name in ("heap.pb.gz", "incident.json")}
    assert not uploads(s3, prefix)


def test_an_exporter_that_is_taken_out_leaves_no_parts(agent, s3, prefix, large, proxy, captures):
    config = config_of(s3, prefix, proxy.port)
    one = agent(config, environment=s3.environment())
    spool_large(one, large)
    proxy.hold("partNumber=3", on_answer=True)
    one.start()
    assert proxy.held.wait(60), one.log
    assert len(uploads(s3, prefix)) == 1
    one.configure({**one.config, "export": {"directory": str(captures)}})
    proxy.token = None
    one.process.send_signal(signal.SIGHUP)
    one.wait_log("incidents are no longer stored in s3://")
    wait_until(lambda: not uploads(s3, prefix), lambda: one.log)
    stored_there = os.path.join(str(captures), "service=games", "date=2026-11-23", ID)
    wait_until(lambda: os.path.exists(os.path.join(stored_there, "incident.json")), lambda: one.log)
    names = os.listdir(stored_there)
    assert "heap.pb.gz" in names and not [name for name in names if name.startswith(".")]
