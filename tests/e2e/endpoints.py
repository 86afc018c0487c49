"""Debug endpoints that misbehave: garbage, bodies without an end, resets, silence."""
import fcntl
import gzip
import socket
import socketserver
import struct
import termios
import threading
import time
import urllib.parse
import zlib

from harness import wait_until


class DebugEndpoint:
    """A debug endpoint that misbehaves: by the profile's name, a function of this module answers;
    what is not named is relayed to a real service."""

    def __init__(self, service, port=0, **behaviours):
        endpoint = self
        self.service = service
        self.behaviours = behaviours
        self.closing = threading.Event()

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                endpoint.answer(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 64

            def handle_error(self, request, client_address):
                pass  # peers go away: that is what is tested

        self.server = Server(("127.0.0.1", port), Handler)
        self.debug = f"http://127.0.0.1:{self.server.server_address[1]}/debug/pprof"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        target = head.split(b" ", 2)[1].decode()
        name = urllib.parse.urlsplit(target).path.rsplit("/", 1)[-1]
        behaviour = self.behaviours.get(name)
        if behaviour:
            behaviour(client, self, target)
        else:
            status, body = self.service.get(target, timeout=120)
            send_answer(client, body, status)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


def send_answer(client, body, status=200, content_type="application/octet-stream", length=None):
    head = (f"HTTP/1.1 {status} Whatever\r\nContent-Type: {content_type}\r\nConnection: close\r\n"
            f"Content-Length: {len(body) if length is None else length}\r\n\r\n")
    client.sendall(head.encode() + body)


def answers(status, text):
    """A behaviour: this status and text."""
    def behaviour(client, _endpoint, _target):
        send_answer(client, text.encode(), status, "text/plain; charset=utf-8")
    return behaviour


def page(client, _endpoint, _target):
    send_answer(client, b"<!DOCTYPE html><title>Sign in</title>", content_type="text/html")


def empty(client, _endpoint, _target):
    send_answer(client, b"")


def noise(client, _endpoint, _target):
    send_answer(client, bytes(range(256)) * 100)


def endless(client, _endpoint, _target):
    # Stored blocks: a gzip stream that never ends and never is wrong.
    block = b"\x00\xff\xff\x00\x00" + b"\x00" * 65535
    client.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + gzip.compress(b"")[:10])
    while True:
        client.sendall(block)


def endless_error(client, _endpoint, _target):
    client.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    while True:
        client.sendall(b"x" * 65536)


def endless_header(client, _endpoint, _target):
    client.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while True:
        client.sendall(b"x" * 65536)


def bomb(client, _endpoint, _target):
    """2 MB that inflate to 4 GiB inside one long field of a profile."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    field = b"\x1a" + b"\x80\x80\x80\x80\x40"  # field 3, 16 GiB long
    begin = compressor.compress(field) + compressor.flush(zlib.Z_FULL_FLUSH)
    zeros = compressor.compress(bytes(64 << 20)) + compressor.flush(zlib.Z_FULL_FLUSH)
    send_answer(client, gzip.compress(b"")[:10] + begin + zeros * 64)


def _wait_received(client):
    def all_acknowledged():
        left = struct.unpack("i", fcntl.ioctl(client, termios.TIOCOUTQ, b"\0" * 4))[0]
        return left == 0
    wait_until(all_acknowledged, "what was sent is received")


def reset_in_the_middle(client, endpoint, target):
    """Half of a real profile, then a reset."""
    _, body = endpoint.service.get(target, timeout=120)
    send_answer(client, body[:len(body) // 2], length=len(body))
    _wait_received(client)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


def dribble(client, endpoint, target):
    """A real profile, in pieces that come slowly; whole in about two seconds."""
    _, body = endpoint.service.get(target, timeout=120)
    send_answer(client, b"", length=len(body))
    step = max(1, len(body) // 20)
    for at in range(0, len(body), step):
        time.sleep(0.1)
        client.sendall(body[at:at + step])


def silence(client, endpoint, _target):
    """A status line, and then nothing, whatever the other side does."""
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    endpoint.closing.wait()
