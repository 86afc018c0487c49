"""A stand-in for a Pyroscope server: it takes what push.v1.PusherService/Push takes (Connect with
protobuf), byte by byte as the server's own definitions say, and refuses everything else."""
import gzip
import http.server
import subprocess
import threading
import uuid

from harness import clean_environment

PATH = "/push.v1.PusherService/Push"


def fields(data):
    """Number and value of each field; bytes of those with a length."""
    position = 0

    def varint():
        nonlocal position
        number = shift = 0
        while True:
            byte = data[position]
            position += 1
            number |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return number

    while position < len(data):
        tag = varint()
        assert tag & 7 in (0, 2), f"wire type {tag & 7}"
        value = varint()
        if tag & 7 == 2:
            length, value = value, data[position:position + value]
            assert len(value) == length, "a field is cut"
            position += length
        yield tag >> 3, value


class Pushed:
    """One profile and what was said of it."""

    def __init__(self, series, headers):
        self.headers = headers
        self.labels, samples = {}, []
        for number, value in fields(series):
            if number == 1:
                name, text = (part.decode() for _, part in sorted(fields(value)))
                assert name not in self.labels
                self.labels[name] = text
            else:
                assert number == 2
                samples.append(dict(fields(value)))
        [sample] = samples
        self.id = str(uuid.UUID(sample[2].decode()))
        self.profile = sample[1]

    @property
    def name(self):
        return self.labels["__name__"]

    @property
    def time_s(self):
        """The profile's own time, which is what the server goes by."""
        return dict(fields(gzip.decompress(self.profile)))[9] / 1e9

    def top(self, folder):
        """What `go tool pprof -top` says of it."""
        path = folder / f"{self.id}.pb.gz"
        path.write_bytes(self.profile)
        environment = clean_environment({"PPROF_TMPDIR": str(folder)})
        return subprocess.run(["go", "tool", "pprof", "-top", str(path)], check=True, text=True,
                              capture_output=True, env=environment).stdout


class Pyroscope:
    """`refuse` (a function of what was pushed, None for an empty request) returns status, code,
    message and headers instead of taking it."""

    def __init__(self):
        pyroscope = self
        self.pushed, self.refused = [], []
        self.refuse = lambda pushed: None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, answer, headers = pyroscope.take(self.path, self.headers, body)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, path, headers, body):
        if path != PATH:
            return 404, b"404 page not found\n", {"Content-Type": "text/plain"}
        if headers["Content-Type"] != "application/proto" or \
                headers["Connect-Protocol-Version"] != "1":
            return 415, b"", {}
        all_series = [value for number, value in fields(body) if number == 1]
        pushed = Pushed(all_series[0], dict(headers)) if all_series else None
        refusal = self.refuse(pushed)
        if pushed is None and not refusal:
            refusal = 400, "invalid_argument", "no profiles received"
        if refusal:
            self.refused.append(pushed)
            status, code, message, *more = refusal
            text = f'{{"code":"{code}","message":"{message}"}}'.encode()
            return status, text, {"Content-Type": "application/json", **(more[0] if more else {})}
        assert len(all_series) == 1
        self.pushed.append(pushed)
        return 200, b"", {"Content-Type": "application/proto"}

    def close(self):
        self.server.shutdown()
        self.server.server_close()
