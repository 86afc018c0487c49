#!/usr/bin/python3
"""An S3 server that holds nothing: a bucket of as many incidents as wanted, whose listings and incident.json are made
when they are asked for. It checks no signature. Counts what it is asked and can take its time for each answer.

    many_store.py COUNT [--services N] [--every SECONDS] [--delay MS] [--newest UNIX]
prints its address and serves until its input ends; GET /_requests has the counts.
"""
import argparse
import bisect
import datetime
import functools
import hashlib
import http.server
import json
import math
import sys
import threading
import time
import urllib.parse
import xml.sax.saxutils

import incident_maker

FILES = ["cpu.pb.gz", "goroutine.pb.gz", "heap.pb.gz", "incident.json", "metrics.csv", "report.html"]
PAGE = 1000


@functools.lru_cache(maxsize=None)
def day_text(day):
    return (datetime.date(1970, 1, 1) + datetime.timedelta(days=day)).strftime("%Y-%m-%d")


class Bucket:
    """service=<service>/date=<date>/<id>/<file>: key number i can be told without any other."""

    def __init__(self, count, services=1, every_s=600, newest_s=incident_maker.NEWEST_S, changed=""):
        self.services = [f"service-{number:03d}" for number in range(services)]
        self.each = count // services  # incidents of a service
        self.every_s, self.newest_s, self.changed = every_s, newest_s, changed

    def fired_s(self, number):
        """Of incident number 0, the oldest, and so on."""
        return self.newest_s - (self.each - 1 - number) * self.every_s

    def incident_id(self, number):
        fired_s = self.fired_s(number)
        day, rest = divmod(int(fired_s), 86400)
        date = day_text(day).replace("-", "")
        return f"{date}T{rest // 3600:02d}{rest // 60 % 60:02d}{rest % 60:02d}Z-cpu-high-{number & 0xffffff:06x}"

    def key(self, index):
        service, rest = divmod(index, self.each * len(FILES))
        number, file = divmod(rest, len(FILES))
        name = self.incident_id(number)
        date = f"{name[:4]}-{name[4:6]}-{name[6:8]}"
        return f"service={self.services[service]}/date={date}/{name}/{FILES[file]}"

    def __len__(self):
        return len(self.services) * self.each * len(FILES)

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(index)
        return self.key(index)

    def first_from(self, text):
        return bisect.bisect_left(self, text)

    def page(self, prefix, delimiter, after):
        """Entries (key or common prefix), and where the next page starts; None: nowhere."""
        found, index = [], self.first_from(max(prefix, after + "\0" if after else ""))
        while index < len(self) and self.key(index).startswith(prefix):
            if len(found) == PAGE:
                return found, self.key(index - 1)
            name = self.key(index)
            cut = name.find(delimiter, len(prefix)) if delimiter else -1
            if cut >= 0:
                name = name[:cut + 1]
                index = self.first_from(name + "\x7f")
                if after and name <= after:
                    continue
            else:
                index += 1
            found.append(name)
        return found, None

    def etag(self, key):
        return hashlib.md5((key + (self.changed if key.endswith(".json") else "")).encode()).hexdigest()

    def incident(self, key):
        parts = key.split("/")
        if len(parts) != 4 or parts[3] != "incident.json" or not key == self.key(min(self.first_from(key), len(self) - 1)):
            return None
        service, name = parts[0].partition("=")[2], parts[2]
        number = int(name[-6:], 16)
        fired_s = self.fired_s(number)
        suspect = incident_maker.SUSPECTS[number % len(incident_maker.SUSPECTS)]
        peak = 92 + number % 7
        return {
            "schema": 1, "id": name, "service": service, "app": "app", "kind": "spike",
            "trigger": {"name": "cpu-high", "metric": "cpu", "value": 92, "limit": 80,
                        "reason": "cpu 92% above 80% for 10 s"},
            "onset": incident_maker.rfc3339(fired_s - 5), "fired": incident_maker.rfc3339(fired_s),
            "finished": incident_maker.rfc3339(fired_s + 30), "target": incident_maker.TARGET, "profiles": [],
            "metrics": {"peak": {"cpu": peak, "db.received": 3e8}},
            "headline": f"{self.changed}CPU rose from 12% to {peak}% for 41 s; 61% of it in {suspect}.",
            "group": hashlib.sha256((service + suspect).encode()).hexdigest()[:16],
            "suspect": {"function": incident_maker.GAMES + suspect, "file": "db.go", "line": 173,
                        "profile": "cpu", "sample": "cpu", "cum_percent": 61.2, "baseline_percent": 0.3,
                        "delta_points": 60.9},
            "sparkline": {"metric": "cpu", "from": incident_maker.rfc3339(fired_s - 305),
                          "to": incident_maker.rfc3339(fired_s + 30),
                          "values": [round(12 + 80 * math.exp(-(step - 80) ** 2 / 90), 1) for step in range(120)]}}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_arguments):
        pass

    def answer(self, status, body, kind="application/xml"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        store = self.server.store
        path, _, query = self.path.partition("?")
        if path == "/_requests":
            self.answer(200, json.dumps(store.counts()).encode(), "application/json")
            return
        key = urllib.parse.unquote(path).split("/", 2)[2] if path.count("/") > 1 else ""
        with store.lock:
            store.asked.append(f"GET {key}" if key else f"LIST {query}")
            store.now += 1
            store.most = max(store.most, store.now)
        time.sleep(store.delay_s)
        if key:
            incident = store.bucket.incident(key)
            body = json.dumps(incident, indent=2).encode() if incident else b"<Error><Code>NoSuchKey</Code></Error>"
            status = 200 if incident else 404
        else:
            status, body = 200, self.listing(dict(urllib.parse.parse_qsl(query)))
        with store.lock:
            store.now -= 1
        self.answer(status, body)

    def listing(self, asked):
        bucket, delimiter = self.server.store.bucket, asked.get("delimiter")
        after = asked.get("continuation-token") or asked.get("start-after", "")
        found, more = bucket.page(asked.get("prefix", ""), delimiter, after)
        escape = xml.sax.saxutils.escape
        body = ["<ListBucketResult>"]
        for name in found:
            if name.endswith("/"):
                body.append(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>")
            else:
                body.append(f"<Contents><Key>{escape(name)}</Key><ETag>&quot;{bucket.etag(name)}&quot;</ETag></Contents>")
        if more:
            body.append(f"<IsTruncated>true</IsTruncated><NextContinuationToken>{escape(more)}</NextContinuationToken>")
        return ("".join(body) + "</ListBucketResult>").encode()


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64

    def handle_error(self, request, client_address):
        """A client may leave at any moment."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class ManyStore:
    """Serves a Bucket on loopback, in threads."""

    def __init__(self, bucket, delay_s=0.0):
        self.bucket, self.delay_s, self.asked, self.now, self.most = bucket, delay_s, [], 0, 0
        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.store = self
        self.server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def counts(self):
        with self.lock:
            lists = sum(asked.startswith("LIST") for asked in self.asked)
            return {"list": lists, "get": len(self.asked) - lists, "most": self.most}

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("count", type=int)
    parser.add_argument("--services", type=int, default=1)
    parser.add_argument("--every", type=float, default=600)
    parser.add_argument("--delay", type=float, default=0)
    parser.add_argument("--newest", type=float, default=time.time())
    given = parser.parse_args()
    store = ManyStore(Bucket(given.count, given.services, given.every, given.newest), given.delay / 1000)
    print(store.endpoint, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
