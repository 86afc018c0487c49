"""Where AWS credentials come from, end to end: stand-ins of AWS's providers give what a real S3 server
(Ceph's) then takes or refuses, session tokens included."""
import contextlib
import hashlib
import json
import os
import re
import subprocess

import pytest

import incident_maker
from aws_providers import Container, IdentityCenter, Instance, NoWayOut, Sts, Task, in_seconds
from harness import BINARY, clean_environment, run, wait_until
from storage import Proxy, S3Server, refusing, storing
from test_review import Review

NOTHING = {"AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def s3(tmp_path_factory):
    """One that gives session tokens."""
    folder = str(tmp_path_factory.mktemp("s3") / "server")
    with contextlib.closing(S3Server(folder, sts="on")) as server:
        yield server


@pytest.fixture
def prefix(tmp_path):
    return tmp_path.name


@pytest.fixture
def stored(s3, prefix, tmp_path):
    """One incident in the bucket; its address."""
    folder = tmp_path / "made"
    incident_maker.round_start(folder, incident_maker.NEWEST_S)
    client = s3.client()
    for path in folder.rglob("*"):
        if path.is_file():
            client.put_object(Bucket=s3.bucket, Key=f"{prefix}/{path.relative_to(folder)}",
                              Body=path.read_bytes())
    return f"s3://{s3.bucket}/{prefix}"


@pytest.fixture
def home(tmp_path):
    """A home directory with files below .aws."""
    folder = tmp_path / "home"
    folder.mkdir()

    def make(**files):
        (folder / ".aws" / "sso" / "cache").mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / ".aws" / name).write_text(text)
        return {"HOME": str(folder)}
    return make


def listing(s3, where, environment):
    return run("list", where, "--endpoint", f"http://127.0.0.1:{s3.port}",
               environment=clean_environment({**NOTHING, **environment}))


def lists(s3, where, environment):
    result = listing(s3, where, environment)
    assert result.returncode == 0 and "20261123T150406Z-cpu-high" in result.stdout, result.stderr
    return result


def keys_of(s3, names=("aws_access_key_id", "aws_secret_access_key")):
    return "".join(f"{name} = {value}\n" for name, value in zip(names, s3.keys()))


def test_a_profile_of_a_laptop(s3, stored, home):
    environment = home(config="[profile reviews]\nregion = us-east-1\n[default]\n",
                       credentials=f"[reviews]\n{keys_of(s3)}[default]\naws_access_key_id=AKIAOTHER\n"
                                   "aws_secret_access_key=wrong\n")
    lists(s3, stored, {**environment, "AWS_PROFILE": "reviews"})
    assert listing(s3, stored, environment).returncode == 1  # the default's
    missing = listing(s3, stored, {**environment, "AWS_PROFILE": "mistyped"})
    assert missing.returncode == 1 and "AWS_PROFILE names mistyped" in missing.stderr
    # What is exported in the shell wins, as with AWS's own programs.
    lists(s3, stored, {**environment, "AWS_PROFILE": "mistyped", **s3.environment()})


def test_a_program_that_prints_them(s3, stored, home, tmp_path):
    script = tmp_path / "print credentials"
    access_key, secret_key, token = s3.session()
    answer = json.dumps({"Version": 1, "AccessKeyId": access_key, "SecretAccessKey": secret_key,
                         "SessionToken": token, "Expiration": in_seconds(900)})
    script.write_text(f'#!/bin/sh\ntest "$1" = "two words" || exit 9\ncat <<\'END\'\n{answer}\nEND\n')
    script.chmod(0o755)
    lists(s3, stored, home(config=f'[default]\ncredential_process = "{script}" "two words"\n'))
    refused = listing(s3, stored, home(config=f'[default]\ncredential_process = "{script}" two words\n'))
    assert refused.returncode == 1 and "it ended with status 9" in refused.stderr
    assert secret_key not in refused.stderr


def test_a_program_that_hangs_ends_with_who_asked_it(s3, stored, home, tmp_path):
    pids = tmp_path / "pids"
    script = tmp_path / "hang"
    script.write_text(f'#!/bin/sh\nsleep 600 &\necho $! $$ >{pids}.new\nmv {pids}.new {pids}\nwait\n')
    script.chmod(0o755)
    environment = {**NOTHING, **home(config=f"[default]\ncredential_process = {script}\n")}
    asking = subprocess.Popen(
        [BINARY, "list", stored, "--endpoint", f"http://127.0.0.1:{s3.port}"],
        env=clean_environment(environment), stderr=subprocess.DEVNULL)
    wait_until(pids.exists, "it runs")
    asking.kill()
    asking.wait()
    for pid in pids.read_text().split():
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), f"{pid} has ended")


SSO = """[default]
sso_session = office
sso_account_id = 123456789012
sso_role_name = Reader
[sso-session office]
sso_region = eu-west-1
sso_start_url = https://office.awsapps.com/start
"""


def test_a_login_of_single_sign_on(s3, stored, home, closing):
    center = closing(IdentityCenter(s3.session(), "bearer", "again"))
    environment = {**home(config=SSO), **center.environment()}
    refused = listing(s3, stored, environment)
    assert refused.returncode == 1 and "run `aws sso login --profile default`" in refused.stderr
    name = "sso/cache/" + hashlib.sha1(b"office").hexdigest() + ".json"
    login = {"startUrl": "https://office.awsapps.com/start", "accessToken": "bearer",
             "expiresAt": in_seconds(3600)}
    home(**{name: json.dumps(login)})
    lists(s3, stored, environment)
    assert center.asked == ["GET /federation/credentials"]
    # Over, and renewed without a person; what the next command needs is kept.
    login.update(expiresAt=in_seconds(-60), clientId="client", clientSecret="client-secret",
                 refreshToken="again", registrationExpiresAt=in_seconds(3600))
    home(**{name: json.dumps(login)})
    lists(s3, stored, environment)
    lists(s3, stored, environment)
    assert center.asked[1:] == ["POST /token"] + 2 * ["GET /federation/credentials"]
    home(**{name: json.dumps({**login, "expiresAt": in_seconds(-60)})})
    over = listing(s3, stored, environment)
    assert over.returncode == 1 and "invalid_grant" in over.stderr and "aws sso login" in over.stderr


def test_a_role_of_a_profile_and_the_signature_of_the_question(s3, stored, home, closing):
    made = s3.session
    sts = closing(Sts({"AKIABASE": ("base/secret+key", None)}, made, external_id="our id & more"))
    config = ("[profile reader]\nrole_arn = arn:aws:iam::123456789012:role/reader\nsource_profile = base\n"
              "external_id = our id & more\nrole_session_name = me@laptop\nregion = eu-west-2\n"
              "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = base/secret+key\n")
    environment = {**home(config=config), **sts.environment(), "AWS_PROFILE": "reader"}
    lists(s3, stored, environment)
    assert sts.regions == ["eu-west-2"] and sts.forms[0]["RoleSessionName"] == "me@laptop"
    wrong = listing(s3, stored, {**environment, **home(config=config.replace("our id", "your id"))})
    assert wrong.returncode == 1 and "AccessDenied" in wrong.stderr and "external id" in wrong.stderr
    wrong = listing(s3, stored, {**environment, **home(config=config.replace("base/", "other/"))})
    assert wrong.returncode == 1 and "SignatureDoesNotMatch" in wrong.stderr


def test_metadata_of_an_instance(s3, stored, home, closing):
    instance = closing(Instance(s3.session()))
    environment = {**home(), **instance.environment(), "AWS_EC2_METADATA_DISABLED": ""}
    lists(s3, stored, environment)
    assert instance.asked[0] == "PUT /latest/api/token"
    off = listing(s3, stored, {**environment, **NOTHING})
    assert off.returncode == 1 and "AWS_EC2_METADATA_DISABLED" in off.stderr


@pytest.fixture
def service(start_service):
    return start_service(cores=0.3)


def captured(running, count):
    """Captures one more; all are in the bucket then."""
    taken = running.command("capture")
    assert taken.returncode == 0, taken.stderr + running.log
    return running.wait_status(lambda now: now["exporters"][0]["stored"] == count,
                               f"{count} are stored", 60)


def test_a_containers_that_rotate(s3, service, agent, prefix, closing, tmp_path):
    token_file = tmp_path / "token"
    token_file.write_text("first\n")
    provider = closing(Container(s3.session, 4, token_file))
    running = agent(storing(service, s3, prefix, log={"level": "debug"}), environment={
        **provider.environment(), "HOME": str(tmp_path)}).start()
    status = captured(running, 1)
    found = status["exporters"][0]["credentials"]
    assert "container" in found["provider"] and re.fullmatch(r"\d{4}-.*Z", found["expires"])
    # In the background, though nothing is sent; the token is read anew.
    token_file.write_text("second\n")
    asked = len(provider.asked)
    provider.wait_asked(asked + 3)
    captured(running, 2)
    assert len(re.findall(r"AWS credentials come from .*container", running.log)) == 1
    running.wait_log("AWS credentials renewed from")
    assert not re.search("level=(warn|error).*(AWS|s3:)", running.log), running.log
    # While the provider is down the old ones do, and then nothing does until it is back.
    provider.failure = 503, json.dumps({"code": "InternalError", "message": "played"})
    running.command("capture")  # may still be stored, or is left in the spool for a while
    running.wait_log("InternalError: played")
    provider.failure = None
    running.wait_status(lambda now: now["exporters"][0]["stored"] == 3, "it is stored after all", 60)


def test_expired_in_the_middle(s3, service, agent, prefix, closing, proxy_of, tmp_path):
    """The store says that a token has expired which its provider believes in: it is renewed, and the
    request sent once more, without anything else being told."""
    proxy = proxy_of(s3.port)
    provider = closing(Container(s3.session, 3600))
    running = agent(storing(service, s3, prefix, proxy.port), environment={
        **provider.environment(), "HOME": str(tmp_path)}).start()
    captured(running, 1)
    asked, expired = len(provider.asked), refusing(400, "ExpiredToken")

    def once(client, target):
        proxy.fault = None
        expired(client, target)
    proxy.meet(once)
    status = captured(running, 2)
    assert len(provider.asked) == asked + 1
    assert status["exporters"][0]["failures"] == 0, running.log


@pytest.fixture
def proxy_of(closing):
    return lambda port: closing(Proxy(port))


def test_a_web_identity_whose_file_is_replaced(s3, service, agent, prefix, closing, tmp_path):
    token_file = tmp_path / "web-identity"
    token_file.write_text("eyJ.first.token")
    sts = closing(Sts({}, s3.session, web_token=token_file.read_text, lives_s=4))
    running = agent(storing(service, s3, prefix), environment={
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(token_file), "HOME": str(tmp_path),
        "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/pod", **sts.environment()}).start()
    captured(running, 1)
    token_file.write_text("eyJ.second.token")
    wait_until(lambda: sts.forms[-1]["WebIdentityToken"] == "eyJ.second.token", "the new one is sent")
    captured(running, 2)
    assert sts.forms[0]["RoleSessionName"] == "stakeout-games"
    token_file.write_text("eyJ.third.token")
    sts.web_token = lambda: "another"
    running.command("capture")
    running.wait_log("InvalidIdentityToken", 40)


def checked(one):
    result = one.command("check")
    return result, dict(re.fullmatch(r"(.+?): (.+)", line).groups() for line in result.stdout.splitlines())


def test_a_role_on_top_with_the_servers_own_sts(s3, service, agent, prefix, home):
    """radosgw gives the role's session, and takes it."""
    s3.allow("sts:*")
    s3.allow("s3:*", role="writer")
    config = storing(service, s3, prefix)
    config["export"]["s3"]["role"] = "arn:aws:iam:::role/writer"
    server = {"AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{s3.port}"}
    one = agent(config, environment={**s3.environment(), **server, **home()})
    result, parts = checked(one)
    assert parts[f"s3://{s3.bucket}/{prefix}"] == "ok", result.stdout
    who = parts[f"credentials of s3://{s3.bucket}/{prefix}"]
    assert who.startswith("from the role arn:aws:iam:::role/writer, assumed with the environment")
    config["export"]["s3"]["role"] = "arn:aws:iam:::role/nobody"
    result, parts = checked(agent(config, "other", {**s3.environment(), **server, **home()}))
    assert result.returncode == 1
    assert "arn:aws:iam:::role/nobody cannot be assumed" in parts[f"s3://{s3.bucket}/{prefix}"]
    assert s3.keys()[1] not in result.stdout + result.stderr


def test_check_says_who(service, agent, captures, closing, home):
    """Of AWS's own stores STS says who; the store itself is out of reach here."""
    sts = closing(Sts({"AKIAWHO": ("secret", None)}, None))
    config = {**storing(service, type("Nowhere", (), {"bucket": "b-u-c", "port": 1}), "p")}
    config["export"]["s3"] = {"bucket": "b-u-c", "endpoint": "https://s3.eu-west-1.amazonaws.com",
                              "region": "eu-west-1"}
    unreachable = {"HTTPS_PROXY": "http://127.0.0.1:1", "NO_PROXY": "127.0.0.1"}
    keys = {"AWS_ACCESS_KEY_ID": "AKIAWHO", "AWS_SECRET_ACCESS_KEY": "secret"}
    environment = {**keys, **sts.environment(), **unreachable, **home()}
    _, parts = checked(agent(config, environment=environment))
    assert parts["credentials of s3://b-u-c"] == (
        "arn:aws:iam::123456789012:user/somebody, from the environment (AWS_ACCESS_KEY_ID), access key AKIA...")
    assert sts.regions == ["eu-west-1"]
    config["export"]["sns"] = {"topic": "arn:aws:sns:eu-west-3:123456789012:spikes"}
    _, parts = checked(agent(config, environment=environment))
    assert parts["credentials of sns topic arn:aws:sns:eu-west-3:123456789012:spikes"].startswith(
        "arn:aws:iam::123456789012:user/somebody, from the environment")
    assert sts.regions[-1] == "eu-west-3"
    del config["export"]["sns"]
    sts.known.clear()
    _, parts = checked(agent(config, environment=environment))
    assert parts["credentials of s3://b-u-c"].startswith("from the environment (AWS_ACCESS_KEY_ID)")
    assert "InvalidClientTokenId" in parts["credentials of s3://b-u-c"]


KEYS = {"AWS_ACCESS_KEY_ID": "AKIAWHO", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.mark.parametrize("said, region", [
    ({}, "eu-north-1"), ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"), ({"AWS_REGION": "cn-north-1"}, "cn-north-1")])
def test_the_region_is_known_before_the_first_request(closing, home, said, region):
    task, out = closing(Task("eu-north-1")), closing(NoWayOut())
    run("list", "s3://b-u-c", environment=clean_environment(
        {**NOTHING, **KEYS, **task.environment(), **out.environment(), **home(), **said}))
    china = ".cn" if region.startswith("cn-") else ""
    assert set(out.asked) == {f"CONNECT b-u-c.s3.{region}.amazonaws.com{china}:443"}
    assert task.asked == ([] if said else ["GET /v4/x/task"])


def test_the_region_of_an_instance(closing, home):
    instance, out = closing(Instance(("ASIAWHO", "secret", "token"), "ap-south-1")), closing(NoWayOut())
    run("list", "s3://b-u-c", environment=clean_environment(
        {**instance.environment(), **out.environment(), **home()}))
    assert set(out.asked) == {"CONNECT b-u-c.s3.ap-south-1.amazonaws.com:443"}


def test_the_store_of_the_environment(s3, stored, home):
    """AWS_ENDPOINT_URL_S3, as for AWS's own programs; `review` reads as `list` does."""
    environment = {**home(credentials=f"[reviews]\n{keys_of(s3)}"), "AWS_PROFILE": "reviews", **NOTHING,
                   "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{s3.port}/"}
    result = run("list", stored, environment=clean_environment(environment))
    assert result.returncode == 0 and "20261123T150406Z" in result.stdout, result.stderr
    with contextlib.closing(Review(stored, environment=environment)) as review:
        assert "20261123T150406Z" in wait_until(lambda: "20261123T150406Z" in review.page("/") and review.page("/"),
                                                "the incident is listed")
