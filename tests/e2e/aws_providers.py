"""Stand-ins for those who hand out AWS credentials: a container's provider (ECS, EKS Pod Identity),
EC2's instance metadata, STS, and IAM Identity Center. They check what they are asked as AWS documents
it; botocore's signer is the judge of signatures."""
import datetime
import http.server
import json
import re
import threading
import time
import urllib.parse

import pytest

from harness import wait_until


def in_seconds(seconds):
    """That time from now, as AWS writes it."""
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class StandIn:
    """An HTTP server on loopback. `asked` has "METHOD /path" of every request."""

    def __init__(self):
        self.asked = []
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                url = urllib.parse.urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                with outer.lock:
                    outer.asked.append(f"{self.command} {self.path.partition('?')[0]}")
                    status, text = outer.serve(self.command, url, self.headers, body)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = do_CONNECT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}"

    def wait_asked(self, count):
        wait_until(lambda: len(self.asked) >= count, lambda: f"{count} requests, not {self.asked}")

    def serve(self, method, url, headers, body):
        raise NotImplementedError

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Container(StandIn):
    """The provider of a container's credentials: others at each question, which say that they live for
    so many seconds. `make` gives access key, secret key, session token."""

    def __init__(self, make, lives_s, token_file=None):
        self.make, self.lives_s, self.token_file = make, lives_s, token_file
        self.failure = None  # (status, text) instead
        super().__init__()

    def environment(self):
        names = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": self.url + "/v1/credentials"}
        if self.token_file:
            names["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = str(self.token_file)
        return names

    def serve(self, method, url, headers, body):
        if self.failure:
            return self.failure
        if self.token_file and headers.get("Authorization") != self.token_file.read_text().strip():
            return 401, json.dumps({"code": "AccessDenied", "message": "who are you?"})
        access_key, secret_key, token = self.make()
        return 200, json.dumps({
            "AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": token,
            "Expiration": in_seconds(self.lives_s), "AccountId": "123456789012"})


class Instance(StandIn):
    """EC2's instance metadata, version 2 only."""

    def __init__(self, keys, region="eu-central-1", role="stakeout-role"):
        self.keys, self.region, self.role = keys, region, role
        self.tokens = set()
        super().__init__()

    def environment(self):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url + "/"}

    def serve(self, method, url, headers, body):
        if method == "PUT" and url.path == "/latest/api/token":
            assert 1 <= int(headers["X-aws-ec2-metadata-token-ttl-seconds"]) <= 21600
            assert not headers.get("X-Forwarded-For")
            token = f"token-{len(self.tokens)}=="
            self.tokens.add(token)
            return 200, token
        if headers.get("X-aws-ec2-metadata-token") not in self.tokens:
            return 401, "no token: this is version 2"
        below = "/latest/meta-data/iam/security-credentials/"
        if url.path == "/latest/meta-data/placement/region":
            return 200, self.region
        if url.path == below:
            return 200, self.role
        if url.path != below + self.role:
            return 404, "no such thing"
        access_key, secret_key, token = self.keys
        return 200, json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "LastUpdated": in_seconds(-60),
            "AccessKeyId": access_key, "SecretAccessKey": secret_key, "Token": token,
            "Expiration": in_seconds(21600)})


def xml_error(status, code, message):
    return status, (f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>'
                    f"Sender</Type><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")


class Sts(StandIn):
    """STS, which believes a signature when botocore makes the same one. `known` has the secret key of each
    access key and its session token; roles give what `made` says."""
    scope = "sts"  # the service that signatures are for

    def __init__(self, known, made, external_id=None, web_token=None, lives_s=3600):
        self.signers = pytest.importorskip("botocore.auth", reason="botocore is the judge of signatures")
        self.known, self.made, self.lives_s = dict(known), made, lives_s
        self.external_id, self.web_token = external_id, web_token
        self.regions, self.forms = [], []
        super().__init__()

    def environment(self):
        return {"AWS_ENDPOINT_URL_STS": self.url}

    def fault_of(self, method, headers, body):
        """What is wrong with a signature; None: nothing."""
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        found = re.fullmatch(
            r"AWS4-HMAC-SHA256 Credential=(\w+)/(\d{8})/([a-z0-9-]+)/" + self.scope + r"/aws4_request, *"
            r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})", headers.get("Authorization", ""))
        if not found:
            return xml_error(403, "MissingAuthenticationToken", "it is not signed")
        access_key, _, region, names, signature = found.groups()
        if access_key not in self.known:
            return xml_error(403, "InvalidClientTokenId", "the security token is invalid")
        secret_key, token = self.known[access_key]
        if headers.get("X-Amz-Security-Token") != token:
            return xml_error(403, "InvalidClientTokenId", "that is not its session token")
        request = AWSRequest(method, self.url + "/", data=body,
                             headers={name: headers[name] for name in names.split(";")})
        request.context["timestamp"] = headers["X-Amz-Date"]
        signer = self.signers.SigV4Auth(Credentials(access_key, secret_key), self.scope, region)
        text = signer.string_to_sign(request, signer.canonical_request(request))
        if signer.signature(text, request) != signature:
            return xml_error(403, "SignatureDoesNotMatch", "botocore computes another")
        self.regions.append(region)
        return None

    def serve(self, method, url, headers, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        self.forms.append(form)
        action = form["Action"]
        if form["Version"] != "2011-06-15":
            return xml_error(400, "InvalidAction", "no such version")
        if action == "AssumeRoleWithWebIdentity":
            if form["WebIdentityToken"] != self.web_token():
                return xml_error(400, "InvalidIdentityToken", "not that token")
        elif fault := self.fault_of(method, headers, body):
            return fault
        if action == "GetCallerIdentity":
            return 200, ("<GetCallerIdentityResponse><GetCallerIdentityResult>"
                         "<Arn>arn:aws:iam::123456789012:user/somebody</Arn><UserId>AIDA</UserId>"
                         "<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
        if self.external_id and form.get("ExternalId") != self.external_id:
            return xml_error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole")
        return self.assumed(action, form)

    def assumed(self, action, form):
        access_key, secret_key, token = self.made()
        self.known[access_key] = secret_key, token
        return 200, (f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result>'
                     f"<AssumedRoleUser><Arn>{form['RoleArn']}/{form['RoleSessionName']}</Arn></AssumedRoleUser>"
                     f"<Credentials><AccessKeyId>{access_key}</AccessKeyId><SecretAccessKey>{secret_key}"
                     f"</SecretAccessKey><SessionToken>{token}</SessionToken><Expiration>"
                     f"{in_seconds(self.lives_s)}</Expiration></Credentials></{action}Result></{action}Response>")


class IdentityCenter(StandIn):
    """The portal of IAM Identity Center and its OIDC service."""

    def __init__(self, keys, token, refresh_token):
        self.keys, self.token, self.refresh_token = keys, token, refresh_token
        super().__init__()

    def environment(self):
        return {"AWS_ENDPOINT_URL_SSO": self.url, "AWS_ENDPOINT_URL_SSO_OIDC": self.url}

    def serve(self, method, url, headers, body):
        if (method, url.path) == ("POST", "/token"):
            question = json.loads(body)
            assert question["grantType"] == "refresh_token" and question["clientSecret"] == "client-secret"
            if question["refreshToken"] != self.refresh_token:
                return 400, json.dumps({"error": "invalid_grant", "error_description": "used up"})
            self.token, self.refresh_token = self.token + "+", self.refresh_token + "+"
            return 200, json.dumps({"accessToken": self.token, "expiresIn": 28800, "tokenType": "Bearer",
                                    "refreshToken": self.refresh_token})
        if headers.get("x-amz-sso_bearer_token") != self.token:
            return 401, json.dumps({"message": "Session token not found or invalid"})
        query = dict(urllib.parse.parse_qsl(url.query))
        if (url.path, query) != ("/federation/credentials",
                                 {"account_id": "123456789012", "role_name": "Reader"}):
            return 403, json.dumps({"message": "No access"})
        access_key, secret_key, token = self.keys
        return 200, json.dumps({"roleCredentials": {
            "accessKeyId": access_key, "secretAccessKey": secret_key, "sessionToken": token,
            "expiration": int((time.time() + 3600) * 1000)}})


class NoWayOut(StandIn):
    """An HTTP proxy that lets nobody through: `asked` has whom they wanted."""

    def environment(self):
        return {"HTTPS_PROXY": self.url}

    def serve(self, method, url, headers, body):
        return 502, ""


class Task(StandIn):
    """As much of the ECS task metadata as says where the task runs."""

    def __init__(self, region):
        self.region = region
        super().__init__()

    def environment(self):
        return {"ECS_CONTAINER_METADATA_URI_V4": self.url + "/v4/x"}

    def serve(self, method, url, headers, body):
        return 200, json.dumps({"TaskARN": f"arn:aws:ecs:{self.region}:123456789012:task/games/1",
                                "AvailabilityZone": self.region + "b"})
