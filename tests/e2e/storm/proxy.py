"""What stands between the agent and the store in a storm: an HTTPS proxy that breaks connections at a
random byte, answers 503 to some requests, and refuses session tokens once they are over, as S3 does."""
import contextlib
import dataclasses
import itertools
import random
import re
import socket
import ssl
import threading
import time

from storage import reset

PIECE = 64 * 1024
REQUESTS_MOST = 3   # on one connection, so that there are many
BEFORE_TLS = 0.1    # of the connections that break
IN_THE_ANSWER = 0.4  # of the others: the store has done what the agent does not know of


@dataclasses.dataclass
class Weather:
    """How much of what."""
    broken: float = 0.05   # of the connections
    refused: float = 0.05  # of the requests
    token_s: float = 60    # after it was made, a session token is over


class Broken(Exception):
    """This connection breaks here."""


class Wire:
    """What the client sends."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def head(self):
        """Up to the empty line; b"" at the end of the connection."""
        while b"\r\n\r\n" not in self.data:
            more = self.sock.recv(PIECE)
            if not more:
                return b""
            self.data += more
        head, _, self.data = self.data.partition(b"\r\n\r\n")
        return head + b"\r\n\r\n"

    def body(self, length):
        """The pieces of the body."""
        while length > 0:
            piece, self.data = self.data[:length], self.data[length:]
            piece = piece or self.sock.recv(min(PIECE, length))
            if not piece:
                raise ConnectionError("the client is gone")
            length -= len(piece)
            yield piece


def number_in(head, name):
    found = re.search(rb"^" + name + rb": *(\d+)", head, re.M | re.I)
    return int(found.group(1)) if found else 0


def text_in(head, name):
    found = re.search(rb"^" + name + rb": *(\S+)", head, re.M | re.I)
    return found.group(1).decode() if found else None


def without(head, *names):
    for name in names:
        head = re.sub(rb"^" + name + rb":.*\r\n", b"", head, flags=re.M | re.I)
    return head


def error(status, code, message):
    """As S3 words it."""
    body = (f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{message}'
            "</Message><RequestId>STORM</RequestId></Error>").encode()
    return (f"HTTP/1.1 {status} {code}\r\nContent-Type: application/xml\r\n"
            f"Content-Length: {len(body)}\r\n").encode(), body


class StormProxy:
    """`began` tells when the token was made that a request is signed with; None: it never ends.
    The certificate is the store's own. Closed at first: connections are refused until `up`, and
    from then on only questions pass, and all of them, until the storm begins."""

    def __init__(self, s3, weather, seed, began):
        self.s3, self.weather, self.began = s3, weather, began
        self.random = random.Random(seed)
        self.lock = threading.Lock()
        self.counts = {}
        self.stored = {}  # path to how often the store took a whole object for it
        self.joined = {}  # the same of objects that came in parts
        self.made_unknown = []  # uploads in parts of which the answer that says so was cut
        self.server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        folder = s3.settings["S3_CA_FILE"].rsplit("/", 1)[0]
        self.server_side.load_cert_chain(f"{folder}/ca.pem", f"{folder}/tls.key")
        self.client_side = ssl.create_default_context(cafile=s3.settings["S3_CA_FILE"])
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.listener = None
        self.calm = True

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    def up(self):
        self.listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        threading.Thread(target=self._accept, daemon=True).start()

    def begin(self):
        self.calm = False

    def close(self):
        if self.listener:
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()

    def count(self, what, number=1):
        """Of the storm."""
        if self.calm:
            return
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + number

    def draw(self):
        with self.lock:
            return self.random.random()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, raw):
        breaks = not self.calm and self.draw() < self.weather.broken
        self.count("connections")
        client = raw
        try:
            if breaks and self.draw() < BEFORE_TLS:
                raise Broken("before TLS")
            client = self.server_side.wrap_socket(raw, server_side=True)
            last = 1 + int(self.draw() * REQUESTS_MOST)
            broken_at = 1 + int(self.draw() * last) if breaks else 0
            wire = Wire(client)
            for number in range(1, last + 1):
                if not self._request(wire, number == last, number == broken_at):
                    break
            client.unwrap()
        except Broken as where:
            self.count(f"broken {where}")
            reset(client)
        except OSError:
            pass  # the agent has gone away
        finally:
            client.close()

    def _request(self, wire, last, breaks):
        """Whether there may be another one on this connection."""
        head = wire.head()
        if not head:
            return False
        self.count("requests")
        refusal = None if breaks else self._refusal(head)
        length = number_in(head, b"content-length")
        waits = bool(re.search(rb"^expect: *100-continue", head, re.M | re.I))
        if refusal:
            if not waits:
                for _ in wire.body(length):
                    pass
            last = last or waits
            start, body = refusal
            wire.sock.sendall(start + (b"Connection: close\r\n" if last else b"") + b"\r\n" + body)
            return not last
        if waits:
            wire.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._relay(wire, head, length, last, breaks)
        return not last

    def _refusal(self, head):
        if self.calm:
            return None if head.startswith(b"GET ") else error(503, "ServiceUnavailable", "Not yet.")
        began = self.began(text_in(head, b"x-amz-security-token"))
        if began is not None and time.monotonic() > began + self.weather.token_s:
            self.count("answers ExpiredToken")
            return error(400, "ExpiredToken", "The provided token has expired.")
        if self.draw() < self.weather.refused:
            self.count("answers 503")
            return error(503, "SlowDown", "Please reduce your request rate.")
        return None

    def _relay(self, wire, head, length, last, breaks):
        in_answer = self.draw() < IN_THE_ANSWER
        left = int(self.draw() * (len(head) + length)) if breaks and not in_answer else None
        with self.client_side.wrap_socket(
                socket.create_connection(("127.0.0.1", self.s3.tls_port)), server_hostname="localhost") as server:
            asked = without(head, b"expect", b"connection")[:-2] + b"Connection: close\r\n\r\n"
            for piece in itertools.chain((asked,), wire.body(length)):
                if left is not None and left < len(piece):
                    server.sendall(piece[:left])
                    raise Broken("in a request")
                server.sendall(piece)
                left = None if left is None else left - len(piece)
                self.count("bytes", len(piece))
            answer = b""
            with contextlib.suppress(ssl.SSLEOFError):
                while more := server.recv(PIECE):
                    answer += more
        self._answer(wire, head, answer, last, breaks)

    def _note(self, head, answer):
        """What the store did, whether or not the agent gets to know."""
        method, target = head.split(b" ", 2)[:2]
        path, _, query = target.decode().partition("?")
        begun = re.search(rb"<UploadId>([^<]+)", answer) if query.startswith("uploads") else None
        if answer.startswith(b"HTTP/1.1 412"):
            self.count("answers 412")
        if not answer.startswith(b"HTTP/1.1 200") or method not in (b"PUT", b"POST"):
            return None
        if not query or query.startswith("uploadId="):
            taken = self.joined if query else self.stored
            with self.lock:
                taken[path] = taken.get(path, 0) + 1
        return begun and begun.group(1).decode()

    def _answer(self, wire, head, answer, last, breaks):
        if not answer:
            raise ConnectionError("the store gives no answer")
        begun = self._note(head, answer)
        start, _, body = answer.partition(b"\r\n\r\n")
        start = without(start + b"\r\n", b"connection")
        answer = start + (b"Connection: close\r\n" if last else b"") + b"\r\n" + body
        if breaks:
            wire.sock.sendall(answer[:int(self.draw() * len(answer))])
            self.made_unknown += [begun] if begun else []
            raise Broken("in an answer")
        wire.sock.sendall(answer)
