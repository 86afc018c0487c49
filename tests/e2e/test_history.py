"""The same spike again, from the shell: what list and show tell of it, marks, links into the source."""
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import termios

import harness
import incident_maker
import pytest


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    incident_maker.story(str(folder))
    return str(folder)


def newest(folder, service="games", trigger="cpu-high"):
    found = []
    for path, _, files in os.walk(os.path.join(folder, f"service={service}")):
        if "incident.json" in files and f"-{trigger}-" in path:
            found.append(path)
    return max(found, key=os.path.basename)


def rows(*arguments):
    listed = harness.run("list", *arguments)
    assert listed.returncode == 0, listed.stderr
    return listed.stdout.splitlines()


def test_the_same_spike_is_one_row_and_gets_worse(made):
    games = [row for row in rows("--groups", "--service", "games", made) if "-cpu-high-" in row]
    assert len(games) == 1 and os.path.basename(newest(made)) in games[0]
    assert re.search(r" worse +16(x|×), every 30 min, \+1\d%/week ", games[0]), games[0]
    assert len([row for row in rows("--service", "games", "--trigger", "cpu-high", made)]) == 17


def on_terminal(columns, *arguments):
    """What the binary writes to a terminal so wide."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen([harness.BINARY, *arguments], stdin=subprocess.DEVNULL, stdout=slave,
                          env={**harness.clean_environment(), "NO_COLOR": "1"}) as listing:
        os.close(slave)
        text = b""
        try:
            while part := os.read(master, 65536):
                text += part
        except OSError:  # the other side is closed
            pass
        assert listing.wait(timeout=harness.PATIENCE_S) == 0
    os.close(master)
    return text.decode().replace("\r\n", "\n").splitlines()


@pytest.mark.parametrize("columns", [20, 40, 80, 100, 132, 200])
def test_rows_fit_the_terminal(made, columns):
    lines = on_terminal(columns, "list", made)
    assert len(lines) > 4 and all(len(line) <= columns for line in lines)
    assert all(line == line.rstrip() for line in lines)
    if columns >= 80:
        assert any(re.search(r"-cpu-spike-.* seen +2(x|×) .*cpu", line) for line in lines)


def test_json_has_the_history_beside_what_is_stored(made):
    listed = json.loads(harness.run("list", "--json", "--service", "games", made).stdout)
    one = next(incident for incident in listed if incident["id"] == os.path.basename(newest(made)))
    history = one.pop("history")
    assert history["verdict"] == "worse" and history["count"] == history["ordinal"] == 16
    assert history["period_s"] == 1800 and len(history["earlier"]) == 15
    assert "grows by" in history["trend"]
    group = one.pop("group")
    with open(os.path.join(newest(made), "incident.json"), encoding="utf-8") as file:
        stored = json.load(file)
    assert stored == one or stored == {**one, "group": group}
    of_group = json.loads(harness.run("list", "--json", "--group", group, made).stdout)
    assert {incident["group"] for incident in of_group} == {group} and len(of_group) == 16


def test_show_tells_the_story(made):
    shown = harness.run("show", newest(made)).stdout
    assert "16th time since 2 November, every 30 min; what the database sends grows by" in shown
    assert "\nWhat grew in CPU time, in points against the baseline\n" in shown
    assert re.search(r"^ *\+\d+\.\d +\d+\.\d% +0\.0% .*GetRematchStreak$", shown, re.M)
    assert "go tool pprof /" in shown and "compared with  2026" in shown


def test_a_known_group_is_folded(made):
    spike = newest(made, "search", "cpu-spike")
    marked = harness.run("mark", spike, "--known", "--looked", "--note", "the nightly index")
    assert marked.returncode == 0, marked.stderr
    listed = "\n".join(rows("--groups", made))
    assert "cpu-spike" not in listed and "1 known group with 2 incidents; --all shows them" in listed
    assert "known" in "\n".join(rows("--service", "search", made))
    with open(f"{made}/service=search/_state/known.json", encoding="utf-8") as file:
        groups = json.load(file)["groups"]
    assert [group["trigger"] for group in groups] == ["cpu-spike"] and groups[0]["peak"] > 80
    with open(f"{spike}/review.json", encoding="utf-8") as file:
        mark = json.load(file)
    assert mark["note"] == "the nightly index" and mark["looked"]
    review = {"looked": mark["looked"], "note": mark["note"]}
    assert json.loads(harness.run("show", "--json", spike).stdout)["review"] == review
    listed = json.loads(harness.run("list", "--json", "--service", "search", made).stdout)
    assert [incident["review"] for incident in listed if "review" in incident] == [review]
    shown = harness.run("show", spike).stdout
    assert re.search(f"^looked at +{mark['looked']}\nnote +the nightly index$", shown, re.M)
    assert "| note | `the nightly index` |" in harness.run("show", "--markdown", spike).stdout
    assert harness.run("mark", spike, "--not-known", "--note", "").returncode == 0
    assert "cpu-spike" in "\n".join(rows("--groups", made))
    with open(f"{spike}/review.json", encoding="utf-8") as file:
        assert "note" not in json.load(file)


def test_what_is_known_and_worse_is_not_folded(made):
    spike = newest(made)
    marked = harness.run("mark", spike, "--known")
    assert marked.returncode == 0, marked.stderr
    assert "known, and worse: not folded in lists because it is worse" in marked.stdout
    assert "known, and worse" in "\n".join(rows("--groups", made))
    assert "\nknown, and worse: " in harness.run("show", spike).stdout
    [history] = [incident["history"] for incident in json.loads(harness.run("list", "--json", made).stdout)
                 if incident["id"] == os.path.basename(spike)]
    assert history["known"] is True and history["verdict"] == "worse"
    assert harness.run("mark", spike, "--not-known").returncode == 0


def test_markdown_links_into_the_source(made):
    spike = newest(made)
    with open(f"{spike}/incident.json", encoding="utf-8") as file:
        incident = json.load(file)
    incident["source_url"] = "https://git.internal/liwords/blob/{commit}/{path}#L{line}"
    with open(f"{spike}/incident.json", "w", encoding="utf-8") as file:
        json.dump(incident, file)
    shown = harness.run("show", "--markdown", spike).stdout
    assert re.search(r"^\| `\+\d+\.\d` \|.*\[`\(\*DBStore\)\.GetRematchStreak`\]"
                     r"\(https://git\.internal/liwords/blob/5d1f0c2/pkg/stores/game/db\.go(#L\d+)?\) \|$",
                     shown, re.M), shown
    assert "encoding/json" not in re.sub(r"`[^`]*`", "", shown)


def test_a_filter_says_what_it_hides(made):
    for arguments in (["--service", "nope"], ["--trigger", "nope"], ["--group", "0" * 16]):
        told = harness.run("list", *arguments, made)
        assert told.returncode == 0 and re.search(r": the filter hides [1-9]\d*$", told.stderr.strip())


def test_an_endpoint_with_a_password_is_not_repeated():
    told = harness.run("list", "--endpoint", "https://me:secret@store", "s3://bucket")
    assert told.returncode == 2 and "user name or password" in told.stderr
    assert "secret" not in told.stderr


def test_what_is_hostile_stays_text(made):
    for arguments in (["list", made], ["list", "--groups", made], ["list", "--json", made],
                      ["show", newest(made, "hostile")],
                      ["show", "--markdown", newest(made, "hostile")]):
        told = harness.run(*arguments)
        assert told.returncode == 0, told.stderr
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e]", told.stdout)


@pytest.mark.parametrize("arguments, complaint", [
    (["mark", "20260101T000000Z-cpu-high-000000"], "what is to be noted"),
    (["mark", "x", "--known"], "x is not the id of an incident"),
    (["show", "/tmp/cpu-high"], "cpu-high is not the id of an incident"),
    (["list", "s3://"], "s3:// names no bucket: it is s3://BUCKET/PREFIX"),
    (["list", "s3:///prefix"], "s3:///prefix names no bucket"),
    (["list", "--endpoint", "store:9000", "s3://bucket"], "--endpoint store:9000: the S3 endpoint is no http"),
    (["list", "-c", "/nowhere.yaml", "/"], "/nowhere.yaml"),
    (["show", "-c", "/nowhere.yaml", "/20260101T000000Z-cpu-high-000000"], "/nowhere.yaml"),
    (["mark", "--known", "--not-known", "x"], "exclude each other"),
    (["mark", "--known"], "which incident"),
    (["list", "--group", "x", "/"], "16 hex digits"),
    (["list", "--groups", "--all", "/"], "exclude each other"),
    (["list", "--groups", "--json", "/"], "leave --groups out"),
])
def test_a_wrong_command_line_is_told(arguments, complaint):
    told = harness.run(*arguments)
    assert told.returncode == 2 and complaint in told.stderr
