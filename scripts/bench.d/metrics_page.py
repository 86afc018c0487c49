"""Serves a metrics page of 5 MB, as an app with many handlers has it; prints its URL and ends with
its input."""
import http.server
import random
import sys
import threading

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, "+Inf")


def page(size):
    numbers = random.Random(1)
    parts = ["# TYPE go_goroutines gauge\ngo_goroutines 5\n",
             "# TYPE http_requests_total counter\n",
             *(f'http_requests_total{{code="{code}"}} 12\n' for code in (200, 404, 500)),
             "# TYPE http_request_duration_seconds histogram\n"]
    written = handler = 0
    while written < size:
        name, labels = "http_request_duration_seconds", f'handler="/api/{handler}",method="GET"'
        part = "".join(f'{name}_bucket{{{labels},le="{bound}"}} {numbers.randint(1, 10**6)}\n'
                       for bound in BOUNDS)
        part += f"{name}_sum{{{labels}}} 3.5\n{name}_count{{{labels}}} 12\n"
        parts.append(part)
        written += len(part)
        handler += 1
    return "".join(parts).encode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    body = page(5_000_000)

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(f"http://127.0.0.1:{server.server_address[1]}/metrics", flush=True)
sys.stdin.read()
