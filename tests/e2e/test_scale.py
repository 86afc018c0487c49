"""Buckets of 100,000 incidents: what list and review ask for, in which order, and what they hold in memory."""
import concurrent.futures
import contextlib
import datetime
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import termios
import urllib.request

import harness
import incident_maker
import many_store
import pytest

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "us-east-1"}
ENVIRONMENT = harness.clean_environment(CREDENTIALS)
# A sanitizer keeps freed memory for a while.
FLAT_KB = 200000 if harness.SANITIZED else 1500


@contextlib.contextmanager
def bucket(count, **changes):
    delay_s = changes.pop("delay_s", 0)
    store = many_store.ManyStore(many_store.Bucket(count, **changes), delay_s)
    try:
        yield store
    finally:
        store.close()


def arguments(store, *given):
    return [harness.BINARY, "list", "--endpoint", store.endpoint, "s3://bucket", *given]


def listed(store, *given):
    """Lines on standard output, and what is on standard error."""
    done = subprocess.run(arguments(store, *given), text=True, capture_output=True, env=ENVIRONMENT,
                          timeout=harness.PATIENCE_S * 3, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(), done.stderr


def fired(lines):
    return [re.search(r"\d{8}T\d{6}Z-cpu-high-\w{6}", line)[0] for line in lines[1:]]


def since(seconds):
    return incident_maker.rfc3339(incident_maker.NEWEST_S - seconds)


def test_only_the_partitions_asked_for_are_touched():
    with bucket(100000, services=4) as store:
        lines, said = listed(store, "--service", "service-002", "--since", since(86399), "--verbose")
        ids = fired(lines)
        assert len(ids) == 144 and ids == sorted(ids, reverse=True)
        dates = {f"{datetime.date(2026, 11, day)}" for day in (22, 23)}
        for asked in store.asked:
            found = re.search(r"service(?:=|%3D)service-(\d+).*date(?:=|%3D)([\d-]{10})", asked)
            # The last begins where the dates asked for do.
            assert not found or found[1] == "002" and (found[2] in dates or "start-after" in asked), asked
        counts = store.counts()
        # Its dates, both of these, and what is known.
        assert counts["get"] == 144 and counts["list"] == 4, store.asked
        assert "stakeout list: 4 LIST and 144 GET requests\n" in said
        assert 2 <= counts["most"] <= 17


def test_all_services_come_in_the_order_of_their_incidents():
    with bucket(6000, services=30, every_s=7200) as store:
        lines, _ = listed(store, "-n", "100")
        ids = fired(lines)
        assert len(ids) == 100 and ids == sorted(ids, reverse=True)
        assert {line.split()[3] for line in lines[1:31]} == {f"service-{number:03d}" for number in range(30)}
        counts = store.counts()
        assert counts["get"] == 100 and counts["list"] < 1 + 30 + 2 * 30 + 30 + 16, counts


@pytest.mark.parametrize("every_s", [600, 1])
def test_the_first_rows_come_at_once_and_memory_stays_flat(every_s):
    """Also where a day holds 86,400 of them, which is as many keys as 519 pages."""
    with bucket(100000, every_s=every_s) as store:
        listing = subprocess.Popen(arguments(store), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=ENVIRONMENT)
        with listing:
            listing.stdout.readline()
            first = listing.stdout.readline().decode()
            assert store.counts()["get"] < 250 and store.counts()["list"] < 40, store.counts()
            assert "2026-11-23 15:04" in first
            sizes, ids = [], [first]
            while len(ids) < 4000:
                ids.append(listing.stdout.readline().decode())
                if len(ids) in (500, 4000):
                    sizes.append(resident_kb(listing.pid))
            listing.stdout.close()  # nobody reads any more
            assert listing.wait(timeout=harness.PATIENCE_S) in (-signal.SIGPIPE, 1)
        assert fired(["", *ids]) == sorted(fired(["", *ids]), reverse=True)
        assert sizes[1] - sizes[0] <= FLAT_KB, sizes
        assert store.counts()["get"] < 20000, "it went on without a reader"


def resident_kb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read())[1])


def test_what_needs_all_of_them_is_left_out_of_rows_that_are_printed_as_they_are_read():
    with bucket(1000) as store:
        lines, said = listed(store, "-n", "200")
        assert " VERDICT  TIMES " in lines[0] and len(lines) == 201 and "34 of 34, every 1 h" in lines[1], lines[1]
        assert said == ""
        lines, said = listed(store, "-n", "201")
        assert "VERDICT" not in lines[0] and "TIMES" not in lines[0] and len(lines) == 202
        assert "201 incidents, printed as read: without how often each was seen" in said
        assert len({len(line.split("CPU rose")[0]) for line in lines[2:]}) == 1, "columns stay where they are"
        grouped, _ = listed(store, "--groups")
        assert len(grouped) == 7 and "167×, every 1 h" in grouped[1], grouped


def test_json_has_every_history_and_says_which_number_is_wrong():
    with bucket(1000) as store:
        incidents = json.loads("\n".join(listed(store, "--json", "-n", "500")[0]))
        assert len(incidents) == 500 and incidents[0]["history"]["count"] == 84
        assert incidents[0]["headline"].startswith("CPU rose") and len(incidents[7]["sparkline"]["values"]) == 120
        for wrong in ("x", "-1", "", "1.5", "1234567890"):
            done = subprocess.run(arguments(store, "-n", wrong), capture_output=True, text=True,
                                  env=ENVIRONMENT, check=False)
            assert done.returncode == 2 and "-n: it is a number of incidents" in done.stderr


def test_nothing_found_says_what_is_hidden_without_listing_all():
    with bucket(100000) as store:
        _, said = listed(store, "--trigger", "other", "--since", since(86400))
        assert "the filter hides 1000 or more" in said
        assert store.counts()["list"] < 60 and store.counts()["get"] == 0, store.counts()


def test_one_that_cannot_be_read_does_not_end_it():
    with bucket(300) as store:
        plain = store.bucket.incident
        store.bucket.incident = lambda key: None if "00012a" in key else plain(key)
        lines, said = listed(store)
        assert len(lines) == 300 and "skipped s3://bucket/service=service-000/" in said
        store.bucket.incident = lambda key: None
        done = subprocess.run(arguments(store), capture_output=True, text=True, env=ENVIRONMENT, check=False)
        assert done.returncode == 1 and "cannot read s3://bucket/service=service-000" in done.stderr


class Review:
    def __init__(self, store):
        self.process = subprocess.Popen(
            [harness.BINARY, "review", "--listen", "127.0.0.1:0", "--endpoint", store.endpoint, "s3://bucket"],
            stdout=subprocess.PIPE, text=True, env=ENVIRONMENT)
        self.address = re.search(r"http://\S+", self.process.stdout.readline())[0]

    def page(self):
        with urllib.request.urlopen(self.address) as answer:
            return answer.read().decode()

    def close(self):
        self.process.terminate()
        assert self.process.wait(timeout=harness.PATIENCE_S) == 0
        self.process.stdout.close()


def test_review_shows_the_newest_while_it_reads_the_rest():
    with bucket(100000, delay_s=0.005) as store:
        review = Review(store)
        try:
            harness.wait_until(lambda: 'class="group"' in review.page(), "the first incidents")
            page = review.page()
            assert 'data-complete="1"' not in page and store.counts()["get"] < 30000
            assert store.bucket.incident_id(99999) in page
        finally:
            review.close()


def test_a_real_store_lists_the_same(s3):
    """Ceph's: a date that no page holds, dates and services around it, and what was written again."""
    prefix, newest_s = "scale", incident_maker.NEWEST_S
    incidents = many_store.Bucket(300, every_s=60)
    fired_s = {incidents.incident_id(number): newest_s - (299 - number) * 60 for number in range(300)}
    sparse = many_store.Bucket(12, every_s=86400)
    keys = [incidents[index] for index in range(len(incidents))]
    keys += [sparse[index].replace("service-000", "sparse") for index in range(len(sparse))]

    def put(key):
        body = b"x"
        if key.endswith("/incident.json"):
            maker = sparse if "sparse" in key else incidents
            found = maker.incident(key.replace("service=sparse", "service=service-000"))
            body = json.dumps({**found, "service": "sparse" if maker is sparse else found["service"]}).encode()
        s3.client().put_object(Bucket=s3.bucket, Key=f"{prefix}/{key}", Body=body)

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(put, keys))
    where = ["--endpoint", s3.settings["S3_ENDPOINT"], f"s3://{s3.bucket}/{prefix}", "--verbose"]

    def ids(*given):
        done = harness.run("list", *given, *where, environment=s3.environment())
        assert done.returncode == 0, done.stderr
        return fired(done.stdout.splitlines()), [int(count) for count in re.findall(r"(\d+) (?:LIST|GET)", done.stderr)]

    everything, (_, gets) = ids()
    assert gets == 312 and len(everything) == 312 and everything == sorted(everything, reverse=True)
    assert set(everything) >= set(fired_s)
    newest, (lists, gets) = ids("--service", "service-000", "-n", "5")
    assert newest == sorted(fired_s, reverse=True)[:5] and gets == 5 and lists <= 20, lists
    late, (lists, gets) = ids("--service", "service-000", "--since", since(3600))
    assert late == [name for name in sorted(fired_s, reverse=True) if fired_s[name] >= newest_s - 3600]
    assert gets == len(late) == 61 and lists == 3, lists


def on_terminal(store, *given):
    """Both outputs, as one, on a terminal."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 132, 0, 0))
    text = b""
    with subprocess.Popen(arguments(store, *given), stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                          env={**ENVIRONMENT, "NO_COLOR": "1"}) as listing:
        os.close(slave)
        with contextlib.suppress(OSError):  # the other side is closed
            while part := os.read(master, 65536):
                text += part
        assert listing.wait(timeout=harness.PATIENCE_S) == 0, text
    os.close(master)
    return text.decode().replace("\r\n", "\n")


def test_a_terminal_gets_what_the_newest_tell_unless_it_asks_for_more():
    with bucket(1000, delay_s=0.02) as store:
        shown = on_terminal(store).rpartition("\x1b[K")[2]  # on a slow machine it says how far it is
        assert store.counts()["get"] == 200 and len(shown.splitlines()) == 1 + 6 + 1
        assert shown.endswith("of the newest 200 incidents; -n 0 lists all, --since 7d those of a week\n")
        shown = on_terminal(store, "--since", since(3600)).rpartition("\x1b[K")[2]
        assert "of the newest" not in shown and shown.count("CPU rose") == 6
        shown = on_terminal(store, "-n", "0")
        assert store.counts()["get"] == 200 + 7 + 1000
        assert re.match(r"(\rstakeout list: \d+ incidents? read)+\r\x1b\[K[^\r\x1b]*\Z", shown), shown[:300]
        assert "167×, every 1 h" in shown
