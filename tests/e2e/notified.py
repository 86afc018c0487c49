"""Somebody who is notified: a webhook, or SNS as far as Publish goes."""
import hashlib
import hmac
import http.server
import json
import threading
import time
import urllib.parse


class Notified:
    """Answers posts with what is prepared (the last again and again) and keeps what was posted. It
    can be stopped, and started again at the same address."""

    def __init__(self, *answers, context=None):
        self.answers = list(answers) or [(200, "ok", {})]
        self.posts = []  # (time, path, headers, body)
        self.context = context
        self.port = 0
        self.server = None
        self.start()

    def start(self):
        notified = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_HEAD(self):
                self.send_response(404)
                self.end_headers()

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                index = len(notified.posts)
                answer = notified.answers[min(index, len(notified.answers) - 1)]
                status, text, headers = answer(self, body) if callable(answer) else answer
                notified.posts.append((time.monotonic(), self.path, dict(self.headers), body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, format, *args):  # pylint: disable=redefined-builtin
                pass

        class Server(http.server.ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_address[1]
        if self.context:
            self.server.socket = self.context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        scheme = "https" if self.context else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    def bodies(self):
        return [json.loads(body) for _, _, _, body in self.posts]

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
        self.server = None

    close = stop


def signature_is_valid(secret, method, path, headers, body, service):
    """Signature Version 4, as its documentation has it:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
    headers = {name.lower(): value for name, value in headers.items()}
    scheme, rest = headers["authorization"].split(" ", 1)
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    scope = parts["Credential"].split("/", 1)[1]
    date, region, named_service, _ = scope.split("/")
    signed = parts["SignedHeaders"].split(";")
    canonical = "\n".join([method, path, "",
                           *(f"{name}:{headers[name].strip()}" for name in signed), "",
                           ";".join(signed), hashlib.sha256(body).hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, named_service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (scheme == "AWS4-HMAC-SHA256" and named_service == service and "host" in signed
            and hmac.compare_digest(expected, parts["Signature"]))


class Topic:
    """What SNS does with a Publish: the signature first."""

    def __init__(self, arn, secret):
        self.arn = arn
        self.secret = secret
        self.published = []

    def __call__(self, handler, body):
        if not signature_is_valid(self.secret, "POST", handler.path, dict(handler.headers), body,
                                  "sns"):
            return self.error(403, "SignatureDoesNotMatch")
        form = dict(urllib.parse.parse_qsl(body.decode()))
        if form["TopicArn"] != self.arn:
            return self.error(404, "NotFound")
        self.published.append(form)
        return 200, "<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult>" \
                    "</PublishResponse>", {"Content-Type": "text/xml"}

    @staticmethod
    def error(status, code):
        return status, f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code>" \
                       f"<Message>no</Message></Error></ErrorResponse>", {"Content-Type": "text/xml"}
