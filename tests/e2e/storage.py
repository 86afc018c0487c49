"""A real S3 server, what is in its buckets, and a relay in front of it that stands in the way
exactly where a test wants."""
import contextlib
import json
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from harness import ID, TREE, check_incident, clean_environment, free_port, read, watching


class S3Server:
    """Ceph's radosgw by scripts/s3-server, with boto3 as the independent judge."""

    def __init__(self, folder, sts="off"):
        script = os.path.join(TREE, "scripts", "s3-server")
        for program in ("radosgw", "ceph-mon", "ceph-osd"):
            if not shutil.which(program):
                pytest.skip(f"{program} is not installed (scripts/setup s3)")
        self.lock = threading.Lock()
        self.made = None
        self.stop = [script, "stop", "--dir", folder]
        ports = [str(free_port()) for _ in range(3)]
        started = subprocess.run(
            [script, "start", "--dir", folder, "--port", ports[0], "--tls-port", ports[1],
             "--mon-port", ports[2], "--sts", sts],
            text=True, capture_output=True, env=clean_environment(), timeout=120, check=False)
        if started.returncode != 0:
            subprocess.run(self.stop, check=False)
            pytest.fail(f"the S3 server does not start: {started.stderr}")
        self.settings = dict(re.findall(r"^export (\w+)=(.*)$", started.stdout, re.M))
        self.port = int(ports[0])
        self.tls_port = int(ports[1])

    @property
    def bucket(self):
        return self.settings["S3_BUCKET"]

    def environment(self, **changes):
        """What the agent finds its credentials in."""
        names = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION")
        return {**{name: self.settings[name] for name in names}, **changes}

    def client(self):
        """One for all threads: making one is not safe beside another."""
        boto3 = pytest.importorskip("boto3", reason="boto3 is the judge of what is in the bucket")
        from botocore.config import Config
        with self.lock:
            self.made = self.made or boto3.client(
                "s3", endpoint_url=self.settings["S3_ENDPOINT"], region_name="us-east-1",
                aws_access_key_id=self.settings["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=self.settings["AWS_SECRET_ACCESS_KEY"],
                config=Config(s3={"addressing_style": "path"}))
            return self.made

    def keys(self):
        """Access key, secret key and no session token."""
        return self.settings["AWS_ACCESS_KEY_ID"], self.settings["AWS_SECRET_ACCESS_KEY"], None

    def _api(self, service):
        boto3 = pytest.importorskip("boto3", reason="boto3 asks the server for session tokens")
        from botocore.config import Config
        access_key, secret_key, _ = self.keys()
        # This server's sessions may be shorter than AWS's.
        return boto3.client(service, endpoint_url=self.settings["S3_ENDPOINT"], region_name="us-east-1",
                            aws_access_key_id=access_key, aws_secret_access_key=secret_key,
                            config=Config(parameter_validation=False))

    def allow(self, action, role=None):
        """Lets the user, or a role that the user may assume, which is made, do something."""
        # Without spaces: radosgw does not read the "+" that they become in the request.
        def policy(**statement):
            return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]},
                              separators=(",", ":"))
        iam = self._api("iam")
        allowed = policy(Action=[action], Resource=["*"])
        if not role:
            iam.put_user_policy(UserName="test", PolicyName="sts", PolicyDocument=allowed)
            return
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=policy(
            Action=["sts:AssumeRole"], Principal={"AWS": ["arn:aws:iam:::user/test"]}))
        iam.put_role_policy(RoleName=role, PolicyName="storing", PolicyDocument=allowed)

    def session(self):
        """Access key, secret key and session token of a new session of the user."""
        self.allow("sts:*")
        made = self._api("sts").get_session_token(DurationSeconds=900)["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]

    def role_session(self, role, lives_s):
        """The same of a role that may be assumed; 60 s long at least."""
        made = self._api("sts").assume_role(RoleArn=f"arn:aws:iam:::role/{role}", RoleSessionName="e2e",
                                            DurationSeconds=lives_s)["Credentials"]
        return made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"]

    def objects(self, prefix):
        """Every object below the prefix: key to metadata of the listing."""
        pages = self.client().get_paginator("list_objects_v2")
        return {entry["Key"]: entry for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
                for entry in page.get("Contents", [])}

    def content(self, key):
        return self.client().get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def close(self):
        subprocess.run(self.stop, check=True)


def storing(service, s3, prefix, port=None, **changes):
    """The configuration that stores in the bucket, by way of a port."""
    config = watching(service, "unused", **changes)
    config["export"] = {"s3": {"bucket": s3.bucket, "prefix": prefix,
                               "endpoint": f"http://127.0.0.1:{port or s3.port}"}}
    return config


def stored(s3, prefix):
    """The incidents in the bucket: id to file to content. Whatever else is there is an error."""
    found = {}
    for key in s3.objects(prefix):
        parts = key[len(prefix) + 1:].split("/")
        assert parts[0] == "service=games" and len(parts) == 4, key
        incident_id = parts[2]
        date = f"date={incident_id[:4]}-{incident_id[4:6]}-{incident_id[6:8]}"
        assert ID.fullmatch(incident_id) and parts[1] == date, key
        found.setdefault(incident_id, {})[parts[3]] = s3.content(key)
    for incident_id, files in found.items():
        if "incident.json" in files:
            incident = json.loads(files["incident.json"])
            assert incident["id"] == incident_id
            check_incident(incident, files)
    return found


class Proxy:
    """A TCP relay in front of a server, which can be down, or stop in the middle of a request or of
    its answer: exactly where a test wants to be."""

    def __init__(self, target_port):
        self.target = ("127.0.0.1", target_port)
        self.port = free_port()
        self.listener = None
        self.sockets = set()
        self.lock = threading.Lock()
        self.token = None
        self.on_answer = False
        self.held = threading.Event()
        self.released = threading.Event()
        self.requests = []
        self.fault = None  # what every new connection meets, instead of the server
        self.up()

    def up(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def down(self):
        """Connections are refused from now on, and those that are open break."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._break()

    def meet(self, fault):
        """Every connection from now on meets this function(client, target); None: all is well."""
        self.fault = fault
        self._break()

    def _break(self):
        with self.lock:
            for one in self.sockets:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def hold(self, token, on_answer=False):
        """The next request line with the token stops in the middle, or its answer is held back;
        `held` is set then."""
        self.held.clear()
        self.released.clear()
        self.on_answer = on_answer
        self.token = token.encode()

    def release(self):
        """Ends what is held; everything after passes."""
        self.token = None
        self._break()
        self.released.set()

    def _accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
                fault = self.fault
                if fault:
                    threading.Thread(target=self._play, args=(fault, client), daemon=True).start()
                    continue
                server = socket.create_connection(self.target)
            except OSError:
                return
            with self.lock:
                self.sockets |= {client, server}
            answers = threading.Event()
            answers.set()
            for pump, pair in ((self._requests, (client, server, answers)),
                               (self._answers, (server, client, answers))):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    def _play(self, fault, client):
        with self.lock:
            self.sockets.add(client)
        with contextlib.suppress(OSError):
            fault(client, self.target)
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)

    def _requests(self, client, server, answers):
        with contextlib.suppress(OSError):
            while data := client.recv(65536):
                for line in re.findall(rb"^(?:PUT|GET|POST|HEAD) \S+", data, re.M):
                    self.requests.append(line.decode())
                token = self.token
                if token and token in data.split(b"\r\n", 1)[0]:
                    if self.on_answer:
                        answers.clear()
                    else:
                        server.sendall(data[:len(data) // 2])
                        self._hold()
                        return
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)

    def _answers(self, server, client, answers):
        with contextlib.suppress(OSError):
            while data := server.recv(65536):
                if not answers.is_set() and not data.startswith(b"HTTP/1.1 100"):
                    self._hold()
                    return
                client.sendall(data)
            client.shutdown(socket.SHUT_WR)

    def _hold(self):
        self.held.set()
        self.released.wait(120)

    def close(self):
        self.release()
        self.down()
        with self.lock:
            for one in self.sockets:
                one.close()


def read_request(client):
    """The head and the body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = client.recv(65536)
        if not more:
            raise ConnectionError("the client is gone")
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    found = re.search(rb"^content-length: *(\d+)", head, re.M | re.I)
    if re.search(rb"^expect: *100-continue", head, re.M | re.I):
        client.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while found and len(body) < int(found.group(1)):
        more = client.recv(65536)
        if not more:
            raise ConnectionError("the client is gone")
        body += more
    return head, body


def refusing(status, code):
    """A fault for Proxy.meet: the store answers everything with an error, as S3 words it."""
    def fault(client, _target):
        read_request(client)
        text = (f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code>'
                f"<Message>played</Message></Error>").encode()
        client.sendall((f"HTTP/1.1 {status} Played\r\nContent-Type: application/xml\r\n"
                        f"Connection: close\r\nContent-Length: {len(text)}\r\n\r\n").encode()
                       + text)
    return fault


def reset(client):
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def resetting_in_the_body(client, target):
    """A fault for Proxy.meet: half of a request reaches the server, and the client gets a reset."""
    head, body = read_request(client)
    with socket.create_connection(target) as server:
        server.sendall(head + b"\r\n\r\n" + body[:len(body) // 2])
        reset(client)


def slowly(client, target, size=512, pause_s=0.02):
    """A fault for Proxy.meet: all of it goes through, in small pieces."""
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while data := source.recv(size):
                time.sleep(pause_s)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
    with socket.create_connection(target) as server:
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()


class FileInFolder:
    """One file below a directory exporter's folder, by the names that FileInBucket has, too."""

    def __init__(self, folder, key):
        self.folder = str(folder)
        self.path = os.path.join(self.folder, key)
        self.exporters = {"directory": self.folder}
        self.environment = {}

    def read(self):
        return read(self.path) if os.path.exists(self.path) else None

    def write(self, content):
        os.makedirs(os.path.dirname(self.path), exist_ok=True)
        with open(self.path, "wb") as file:
            file.write(content)

    def remove(self):
        os.remove(self.path)


class FileInBucket:
    def __init__(self, s3, prefix, key, bucket=None, port=None):
        self.s3 = s3
        self.bucket = bucket or s3.bucket
        self.key = f"{prefix}/{key}"
        self.exporters = {"s3": {"bucket": self.bucket, "prefix": prefix,
                                 "endpoint": f"http://127.0.0.1:{port or s3.port}"}}
        self.environment = s3.environment()

    def read(self):
        client = self.s3.client()
        listed = client.list_objects_v2(Bucket=self.bucket, Prefix=self.key)
        if not listed.get("Contents"):
            return None
        return client.get_object(Bucket=self.bucket, Key=self.key)["Body"].read()

    def write(self, content):
        self.s3.client().put_object(Bucket=self.bucket, Key=self.key, Body=content)

    def remove(self):
        self.s3.client().delete_object(Bucket=self.bucket, Key=self.key)


def kept_in(request, tmp_path, key):
    """For a fixture with the parameters "folder" and "bucket"."""
    if request.param == "folder":
        return FileInFolder(tmp_path / "store", key)
    return FileInBucket(request.getfixturevalue("s3"), tmp_path.name, key)
