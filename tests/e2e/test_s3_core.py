"""core/s3 against a real store (Ceph's radosgw), with boto3 as the independent judge.

Run with Debian's python3-pytest: STAKEOUT_BUILD=build pytest tests/e2e/test_s3_core.py
"""

import concurrent.futures
import json
import os
import pathlib
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

import boto3
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = ROOT / os.environ.get("STAKEOUT_BUILD", "build") / "tests" / "s3_tool"
RETRY = 3  # s3_tool's exit status for what may work later


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The environment that scripts/s3-server prints, as a dict."""
    if not shutil.which("radosgw"):
        pytest.skip("radosgw is not installed")
    folder = tmp_path_factory.mktemp("s3") / "server"
    ports = [str(free_port()) for _ in range(3)]
    server = ROOT / "scripts" / "s3-server"
    started = subprocess.run(
        [server, "start", "--dir", folder, "--port", ports[0], "--tls-port", ports[1],
         "--mon-port", ports[2]],
        check=True, capture_output=True, text=True)
    pairs = (line.removeprefix("export ").split("=", 1) for line in started.stdout.splitlines())
    yield dict(pairs)
    subprocess.run([server, "stop", "--dir", folder], check=True)


@pytest.fixture(scope="module")
def judge(store):
    return boto3.client(
        "s3", endpoint_url=store["S3_ENDPOINT"], region_name="us-east-1",
        aws_access_key_id=store["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=store["AWS_SECRET_ACCESS_KEY"])


@pytest.fixture
def tool(store):
    """Runs s3_tool; keyword arguments change its environment, None removes."""

    def run(*arguments, wrapper=(), **changes):
        environment = {"PATH": os.environ["PATH"], **store}
        environment.pop("S3_CA_FILE")
        for name, value in changes.items():
            environment.pop(name, None)
            if value is not None:
                environment[name] = value
        return subprocess.run([*wrapper, TOOL, *arguments], env=environment, capture_output=True)

    return run


@pytest.fixture
def payload(tmp_path):
    path = tmp_path / "payload"
    path.write_bytes(os.urandom(3_000_000))
    return path


ODD_KEYS = [
    "plain", "a b+c d=é/ü&?#%.bin", "service=woogles/date=2026-11-23/x", "%41%2f", "~!*'()",
    "double//slash", "dots/../and/./more", "\u1234/\U0001f600", "quote\"<>&;", "x" * 1000,
]


@pytest.mark.parametrize("key", ODD_KEYS)
def test_any_key_can_be_put_listed_and_got(tool, judge, store, payload, key):
    done = tool("put", key, payload)
    assert done.returncode == 0, done.stderr
    stored = judge.get_object(Bucket=store["S3_BUCKET"], Key=key)
    assert stored["Body"].read() == payload.read_bytes()
    assert stored["ContentType"] == "application/octet-stream"
    assert tool("get", key).stdout == payload.read_bytes()
    listed = tool("list", key)
    assert listed.stdout == key.encode() + b"\0", listed.stderr


def test_an_empty_object_is_an_object(tool, judge, store, tmp_path):
    empty = tmp_path / "empty"
    empty.touch()
    assert tool("put", "empty", empty).returncode == 0
    assert judge.head_object(Bucket=store["S3_BUCKET"], Key="empty")["ContentLength"] == 0


def test_lists_more_than_a_page_and_folders_of_a_level(tool, judge, store):
    keys = [f"many/{i % 3}/k{i:04} +=%\u1234" for i in range(1100)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(
            lambda key: judge.put_object(Bucket=store["S3_BUCKET"], Key=key, Body=b""), keys))
    listed = tool("list", "many/").stdout.decode().split("\0")[:-1]
    assert listed == sorted(keys, key=str.encode)
    assert tool("list", "many/", "/").stdout == b"many/0/\0many/1/\0many/2/\0"
    assert tool("list", "nothing/").stdout == b""


def test_tls_with_the_stores_own_authority(tool, store, payload):
    secure = {"S3_ENDPOINT": store["S3_ENDPOINT_TLS"]}
    assert tool("put", "tls", payload, **secure, S3_CA_FILE=store["S3_CA_FILE"]).returncode == 0
    untrusted = tool("put", "tls", payload, **secure)
    assert untrusted.returncode == 1
    assert b"set ca_file" in untrusted.stderr
    assert tool("put", "tls", payload, **secure, S3_INSECURE="1").returncode == 0


def test_the_bucket_as_part_of_the_host(tool, store, payload):
    endpoint = store["S3_ENDPOINT"].replace("127.0.0.1", "localhost")
    virtual = {"S3_ENDPOINT": endpoint, "S3_VIRTUAL_HOST": "1"}
    done = tool("put", "virtual host", payload, **virtual)
    assert done.returncode == 0, done.stderr
    assert tool("get", "virtual host").stdout == payload.read_bytes()


@pytest.mark.parametrize("offset", ["+2h", "-40d"])
def test_a_wrong_clock_is_corrected(tool, judge, store, payload, offset):
    if not shutil.which("faketime"):
        pytest.skip("faketime is not installed")
    done = tool("put", f"skew{offset}", payload, wrapper=["faketime", "-f", offset])
    assert done.returncode == 0, done.stderr
    assert b"clock" in done.stderr
    judge.head_object(Bucket=store["S3_BUCKET"], Key=f"skew{offset}")


@pytest.mark.parametrize("changes, reason", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, b"secret key does not belong"),
    ({"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN"}, b"does not know the access key AKIA"),
    ({"S3_BUCKET": "no-such-bucket"}, b"there is no bucket no-such-bucket"),
    ({"AWS_ACCESS_KEY_ID": None}, b"there are no AWS credentials"),
])
def test_refusals_say_what_to_do(tool, payload, changes, reason):
    done = tool("put", "refused", payload, **changes)
    assert done.returncode == 1
    assert reason in done.stderr
    assert b"stakeout+example" not in done.stderr


def test_a_missing_right_is_named(tool, judge, store, payload):
    bucket = store["S3_BUCKET"]
    judge.put_bucket_policy(Bucket=bucket, Policy=json.dumps({
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject",
                       "Resource": f"arn:aws:s3:::{bucket}/locked/*"}]}))
    try:
        done = tool("put", "locked/x", payload, S3_PREFIX="locked")
    finally:
        judge.delete_bucket_policy(Bucket=bucket)
    assert done.returncode == 1
    assert f"allow s3:PutObject on arn:aws:s3:::{bucket}/locked/*".encode() in done.stderr


def test_a_link_works_without_credentials_until_it_ends(tool, payload, store, tmp_path):
    key = "a b/ü+report.html"
    assert tool("put", key, payload).returncode == 0
    url, _ = tool("presign", key, "60").stdout.decode().split()
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == payload.read_bytes()
    with pytest.raises(urllib.error.HTTPError, match="403"):
        urllib.request.urlopen(url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"))


def test_a_store_that_is_down_is_for_later(tool, payload):
    down = tool("put", "later", payload, S3_ENDPOINT=f"http://127.0.0.1:{free_port()}")
    assert down.returncode == RETRY
    assert b"does not answer" in down.stderr


def test_a_missing_object_is_said(tool):
    missing = tool("get", "not/there")
    assert missing.returncode == 1
    assert b"there is no such object" in missing.stderr
