"""`stakeout review` over HTTP: who may ask, what is stored, what comes in, and the same from a bucket."""
import concurrent.futures
import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import time
import urllib.parse

import pytest

import harness
import incident_maker

ROUND = "20261123T150406Z-cpu-high"


class Review:
    """A running server; `ask` speaks HTTP as it is told to, with a right Host unless it is told another."""

    def __init__(self, *where, environment=None, listen="127.0.0.1:0"):
        self.process = subprocess.Popen(
            [harness.BINARY, "review", "--listen", listen, *map(str, where)], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.clean_environment(environment))
        line = self.process.stdout.readline()
        match = re.fullmatch(r"stakeout review: http://127\.0\.0\.1:(\d+)/\n", line)
        if not match:
            self.process.kill()
            pytest.fail(f"it says {line!r} and {self.process.communicate()[1]!r}")
        self.port = int(match[1])

    def ask(self, path, method="GET", body=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=harness.PATIENCE_S)
        with contextlib.closing(connection):
            connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
            if body is not None:
                headers["Content-Length"] = str(len(body))
                headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer, answer.read()

    def page(self, path):
        answer, body = self.ask(path)
        assert answer.status == 200, body
        return body.decode()

    def rows(self, query=""):
        return re.findall(r'<li class="group" data-key="[^"]*" data-newest="([^"]+)"', self.page("/" + query))

    def post(self, path, **fields):
        fields.setdefault("token", re.search(r'name="token" value="([0-9a-f]+)"', self.page("/"))[1])
        answer, body = self.ask(path, "POST", urllib.parse.urlencode(fields).encode(),
                                Origin=f"http://127.0.0.1:{self.port}")
        return answer, body.decode()

    def end(self, with_signal=signal.SIGTERM):
        self.process.send_signal(with_signal)
        return self.process.wait(harness.PATIENCE_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()


@pytest.fixture
def place(tmp_path):
    """The story of incident_maker: 16 rounds of a game site, others, one of which all is hostile."""
    incident_maker.story(str(tmp_path / "captures"))
    return tmp_path / "captures"


@pytest.fixture
def start(closing):
    return lambda *where, **options: closing(Review(*where, **options))


def incidents_of(place, pattern):
    return sorted(os.path.basename(path) for path, _, files in os.walk(place)
                  if "incident.json" in files and re.search(pattern, path))


def folder_of(place, name):
    return next(path for path, _, _ in os.walk(place) if os.path.basename(path) == name)


def test_it_ends_cleanly_while_somebody_waits_for_news(place, start):
    for one in (signal.SIGINT, signal.SIGTERM):
        review = start(place)
        connection = http.client.HTTPConnection("127.0.0.1", review.port, timeout=harness.PATIENCE_S)
        with contextlib.closing(connection):
            version = re.search(r'data-version="(\d+)"', review.page("/"))[1]
            connection.request("GET", f"/api/changes?after={version}")
            assert review.end(one) == 0


def test_a_taken_port_says_what_to_do(place, start):
    review = start(place)
    second = harness.run("review", "--listen", f"127.0.0.1:{review.port}", str(place))
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1
    assert "Address already in use" in second.stderr and "--listen" in second.stderr


def test_wrong_command_lines(tmp_path):
    for arguments in (("--listen", "localhost"), ("--listen", "example.com:80"), ("--listen", "1.2.3.4:x"),
                      ("--host", "a b"), ("--host", "review:80")):
        done = harness.run("review", *arguments, str(tmp_path))
        assert done.returncode == 2, done
    assert harness.run("review", str(tmp_path / "missing")).returncode == 1


def test_an_open_address_is_warned_of(place):
    review = subprocess.Popen([harness.BINARY, "review", "--listen", "0.0.0.0:0", str(place)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.clean_environment())
    assert review.stdout.readline().startswith("stakeout review: http://localhost:")
    review.terminate()
    _, said = review.communicate(timeout=harness.PATIENCE_S)
    assert "there is no password" in said


@pytest.mark.parametrize("headers, status", [
    ({}, 200),
    ({"Host": "localhost"}, 200),
    ({"Host": "evil.example"}, 403),
    ({"Host": "evil.example:8642"}, 403),
    ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "script"}, 403),
    ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}, 200),
    ({"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"}, 403),
    ({"Origin": "http://evil.example"}, 403),
])
def test_strangers_are_refused(place, start, headers, status):
    review = start(place)
    for path in ("/", "/api/list", f"/incident/{incidents_of(place, ROUND)[0]}/cpu.pb.gz"):
        answer, body = review.ask(path, **headers)
        assert answer.status == status, (path, body)


def test_every_answer_is_strict(place, start):
    review = start(place)
    for path in ("/", "/nothing", "/static/web.css", f"/incident/{incidents_of(place, ROUND)[0]}",
                 f"/incident/{incidents_of(place, ROUND)[0]}/report.html"):
        answer, _ = review.ask(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy, path
        assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for method in ("PUT", "DELETE", "OPTIONS", "TRACE"):
        assert review.ask("/", method)[0].status == 405
    assert review.ask("/", "HEAD")[0].status == 200


def test_nothing_but_what_an_incident_lists_is_given(place, start):
    review = start(place)
    (place / "secret").write_text("secret")
    name = incidents_of(place, ROUND)[0]
    for path in ("/secret", "/../secret", f"/incident/{name}/../../../secret", "/incident/%2e%2e/secret",
                 f"/incident/{name}/..%2f..%2f..%2fsecret", f"/incident/{name}/%00", "/incident/" + "a" * 3000,
                 f"/incident/{name}/review.json", "/speedscope/../secret", "/static/%2e%2e/secret", "//secret"):
        answer, body = review.ask(path)
        assert answer.status == 404, path
        assert b"secret" not in body.replace(path.encode(), b"")
    assert review.ask("/?a=%zz")[0].status == 400
    assert review.ask("/?" + "a" * 20000)[0].status in (413, 414)
    assert review.ask(f"/incident/{name}/note", "POST", b"a" * 100000)[0].status == 413
    assert review.rows(), "and it goes on"


def test_downloads_are_what_is_stored(place, start):
    review = start(place)
    name = incidents_of(place, ROUND)[0]
    for file in ("cpu.pb.gz", "heap.pb.gz", "metrics.csv", "incident.json"):
        answer, body = review.ask(f"/incident/{name}/{file}")
        assert answer.status == 200
        assert body == harness.read(os.path.join(folder_of(place, name), file))
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{file}"'


def test_filters_are_in_the_address(place, start):
    review = start(place)
    everything = review.rows()
    assert not any("-baseline-" in name for name in everything)
    assert any("-baseline-" in name for name in review.rows("?kind=all"))
    for query, pattern in (("?service=billing", "service=billing"), ("?trigger=manual", "-manual-")):
        found = review.rows(query)
        assert found and set(found) <= set(incidents_of(place, pattern))
    assert review.rows("?service=nobody") == []
    assert review.rows("?q=" + everything[0]) == [everything[0]]
    assert review.rows("?since=2026-11-23") and review.rows("?since=2026-11-24") == []
    assert review.ask("/?since=soon")[0].status == 400


def test_a_note_is_kept_beside_the_incident(place, start):
    review = start(place)
    name = incidents_of(place, ROUND)[0]
    note = "an empty id <script>\n\N{SNOWMAN}"
    answer, _ = review.post(f"/incident/{name}/note", note=note, back="/?q=snow")
    assert answer.status == 303 and answer.headers["Location"] == "/?q=snow"
    answer, _ = review.post(f"/incident/{name}/looked", looked="yes", back="https://evil.example/")
    assert answer.status == 303 and answer.headers["Location"] == f"/incident/{name}"
    kept = json.loads(harness.read(os.path.join(folder_of(place, name), "review.json")))
    assert kept["schema"] == 1 and kept["note"] == note and harness.seconds_of(kept["looked"])
    assert review.rows("?looked=yes&kind=all") == [name]
    assert "an empty id &lt;script&gt;" in review.page(f"/incident/{name}")
    assert "<script>\n" not in review.page(f"/incident/{name}").split("<textarea")[1].split("</textarea>")[0]
    again = start(place)
    harness.wait_until(lambda: again.rows("?q=empty+id"), "another start shows the note")
    assert review.post(f"/incident/{name}/note", note="", token="0" * 32)[0].status == 403
    assert review.post(f"/incident/{name}/note", note="x" * 30000)[0].status == 413
    assert review.post(f"/incident/{name}/looked", looked="no")[0].status == 303
    assert review.rows("?looked=yes&kind=all") == []


def test_notes_at_once_do_not_undo_each_other(place, start):
    review = start(place)
    names = review.rows()
    token = re.search(r'name="token" value="([0-9a-f]+)"', review.page("/"))[1]

    def known():
        return sorted(one["group"] for file in place.glob("*/_state/known.json")
                      for one in json.loads(harness.read(file))["groups"])

    for name in names:
        review.post(f"/incident/{name}/known", token=token, known="yes")
    expected = known()
    for name in names:
        review.post(f"/incident/{name}/known", token=token, known="no")
    assert len(expected) > 1 and known() == []
    posts = [(f"/incident/{names[0]}/note", {"note": "kept"}), (f"/incident/{names[0]}/looked", {"looked": "yes"})]
    posts += [(f"/incident/{name}/known", {"known": "yes"}) for name in names]
    with concurrent.futures.ThreadPoolExecutor(len(posts)) as pool:
        answers = list(pool.map(lambda post: review.post(post[0], token=token, **post[1])[0], posts))
    assert [answer.status for answer in answers] == [303] * len(posts)
    kept = json.loads(harness.read(os.path.join(folder_of(place, names[0]), "review.json")))
    assert kept["note"] == "kept" and kept["looked"]
    assert known() == expected
    assert not [name for _, _, files in os.walk(place) for name in files if name.endswith(".tmp")]


def test_a_broken_note_blocks_nothing(place, start):
    name = incidents_of(place, ROUND)[0]
    file = os.path.join(folder_of(place, name), "review.json")
    with open(file, "w", encoding="ascii") as broken:
        broken.write('{"schema": 1, "note": <b>')
    review = start(place)
    assert "review.json counts as empty" in review.page(f"/incident/{name}")
    assert review.post(f"/incident/{name}/note", note="again")[0].status == 303
    assert json.loads(harness.read(file))["note"] == "again"
    assert "counts as empty" not in review.page(f"/incident/{name}")


def test_a_group_is_marked_as_known(place, start):
    review = start(place)
    name = review.rows("?service=billing")[0]
    group = re.search(rf'data-key="([0-9a-f]+)" data-newest="{name}"', review.page("/"))[1]
    assert review.post(f"/incident/{name}/known", known="yes")[0].status == 303
    known = json.loads(harness.read(place / "service=billing" / "_state" / "known.json"))
    assert [one["group"] for one in known["groups"]] == [group]
    assert "1 known group<" in review.page("/"), "it is folded"
    assert name in review.rows("?verdict=known")
    assert review.post(f"/incident/{name}/known", known="no")[0].status == 303
    assert "known group" not in review.page("/")


def test_new_incidents_come_by_themselves(place, start):
    review = start(place)
    version = re.search(r'data-version="(\d+)"', review.page("/"))[1]
    name = incident_maker.round_start(str(place), time.time() - 60, service="latest")
    answer, body = review.ask(f"/api/changes?after={version}")
    assert answer.status == 200 and json.loads(body)["version"] != int(version)
    harness.wait_until(lambda: review.rows()[0] == name, "it is on top")


def test_a_place_out_of_reach_is_told_once(start):
    review = start("s3://nowhere", "--endpoint", "http://127.0.0.1:1",
                   environment={"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_REGION": "eu-1"})
    harness.wait_until(lambda: "The incidents cannot be read" in review.page("/"), "the page says so")
    review.process.terminate()
    _, said = review.process.communicate(timeout=harness.PATIENCE_S)
    assert len(said.splitlines()) == 1 and "the incidents cannot be read" in said


def test_an_empty_place_says_what_to_do(tmp_path, start):
    assert "No incidents yet" in start(tmp_path).page("/")


def test_a_broken_incident_does_not_hide_the_others(place, start):
    name = incidents_of(place, ROUND)[0]
    with open(os.path.join(folder_of(place, name), "incident.json"), "w", encoding="ascii") as file:
        file.write('{"schema": 1, "id": "<b>')
    review = start(place)
    assert "cannot be read" in review.page(f"/?kind=all&q={name}") or name in review.rows("?kind=all")
    assert review.ask(f"/incident/{name}")[0].status == 404
    assert len(review.rows()) > 2


def test_a_comparison_is_of_any_two(place, start):
    review = start(place)
    games = incidents_of(place, "service=games.*-cpu-high-")
    hostile = incidents_of(place, "service=hostile")[0]
    for pair in ((games[0], games[-1]), (games[-1], games[0]), (hostile, games[0])):
        page = review.page(f"/compare?a={pair[0]}&b={pair[1]}")
        assert page.index(min(pair)) < page.index(max(pair)), "the older one first"
        assert "Peaks of the metrics" in page and "flame-graph" in page
        assert "window.pwned=1</script>" not in page
    assert review.ask("/compare?a=" + games[0])[0].status == 400


def test_everything_from_a_bucket(place, start, s3):
    client = s3.client()
    for path, _, files in os.walk(place):
        for file in files:
            key = "team/" + os.path.relpath(os.path.join(path, file), place)
            client.upload_file(os.path.join(path, file), s3.bucket, key)
    review = start(f"s3://{s3.bucket}/team", "--endpoint", s3.settings["S3_ENDPOINT"],
                   environment=s3.environment())
    count = len(incidents_of(place, "service="))
    harness.wait_until(lambda: f'data-incidents="{count}" data-complete="1"' in review.page("/?kind=all"),
                       "all are read")
    name = incidents_of(place, ROUND)[0]
    assert "CPU" in review.page(f"/incident/{name}")
    assert review.ask(f"/incident/{name}/cpu.pb.gz")[1] == harness.read(
        os.path.join(folder_of(place, name), "cpu.pb.gz"))
    assert review.post(f"/incident/{name}/note", note="from a bucket")[0].status == 303
    key = next(key for key in s3.objects("team/") if key.endswith(f"{name}/review.json"))
    assert json.loads(s3.content(key))["note"] == "from a bucket"


def test_what_nobody_has_analysed_is_analysed(place, start):
    name = incidents_of(place, ROUND)[0]
    assert "headline" not in json.loads(harness.read(os.path.join(folder_of(place, name), "incident.json")))
    review = start(place)
    harness.wait_until(lambda: "GetRematchStreak" in review.page("/?service=games"), "the list has a suspect")
    assert "headline" not in json.loads(harness.read(os.path.join(folder_of(place, name), "incident.json")))
