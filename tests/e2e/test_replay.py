"""`stakeout replay` on traces that a user could have: what it prints, and what it refuses."""
import json
import math
import os

import pytest

import harness

START = 1767225600  # 2026-01-01T00:00:00Z
SMALL = {"service": "games", "app": {"debug": "http://127.0.0.1:9/debug/pprof"}}
MIB = 1 << 20


def noise(number):
    """Between -1 and 1, the same in every run, without a pattern."""
    return math.sin(number * 12.9898) * 43758.5453 % 2 - 1


def write_trace(path, header, rows):
    with open(path, "w", encoding="ascii") as file:
        file.write(header + "\n")
        file.writelines(",".join(row) + "\n" for row in rows)
    return str(path)


def rounds_trace(path, rounds=8, period=600, interval=5):
    """CPU and database traffic of a site whose rounds begin every ten minutes, after an hour."""
    first = 3600

    def row(second):
        age = (second - first) % period if second >= first else period
        busy = age < 60 and second < first + rounds * period
        cpu = 12 + 1.5 * noise(second) + (60 if busy else 0)
        memory = 40 + noise(second + 7) + (5 if busy else 0)
        db = 1e6 * (1 + 0.2 * noise(second + 3)) + (40e6 if busy else 0)
        return f"{START + second}", f"{cpu:.2f}", f"{memory:.2f}", f"{db:.0f}"

    rows = (row(second) for second in range(interval, first + (rounds + 2) * period, interval))
    return write_trace(path, "time,cpu,memory,db.received", rows)


@pytest.fixture
def replay(tmp_path):
    def replayed(config, trace, *options):
        file = tmp_path / "stakeout.yaml"
        file.write_text(json.dumps(config))
        result = harness.run("replay", "-c", str(file), *options, trace)
        return result, [json.loads(line) for line in result.stdout.splitlines()]
    return replayed


def of(events, trigger, *names):
    return [event for event in events
            if event["trigger"] == trigger and (not names or event["event"] in names)]


def test_the_built_in_set_sees_rounds_recur(replay, tmp_path):
    result, events = replay(SMALL, rounds_trace(tmp_path / "trace.csv"), "--limits", "off",
                            "--summary")
    assert result.returncode == 0, result.stderr
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)
    fires = of(events, "cpu-spike", "fire")
    assert len(fires) == 8
    for number, fire in enumerate(fires):
        began = START + 3600 + 600 * number
        assert abs(harness.seconds_of(fire["onset"]) - began) <= 10, "two samples"
        assert began <= harness.seconds_of(fire["time"]) <= began + 30
    assert len(of(events, "db-burst", "fire")) == 8, "the trace has the database's traffic"
    recognised = of(events, "recurring", "recognised")
    assert recognised and abs(recognised[0]["period_s"] - 600) < 12
    assert recognised[0]["onsets"] <= 5 and recognised[0]["jitter_s"] < 30
    hits = of(events, "recurring", "hit")
    assert len(hits) >= 3
    for arm in of(events, "recurring", "arm"):
        start, end = (harness.seconds_of(time) for time in arm["window"])
        assert start <= harness.seconds_of(arm["expected"]) <= end
        assert end - start <= 0.1 * 600 * 1.02
        assert harness.seconds_of(arm["time"]) <= end
    assert of(events, "recurring")[-1]["event"] == "dormant", "two rounds have not come"
    assert "note: the built-in trigger killed is left out" in result.stderr
    assert "oom_kills" in result.stderr
    table = result.stderr[result.stderr.index("TRIGGER"):]
    assert "cpu-spike" in table and "before-oom" in table


def test_limits_hold_fires_back(replay, tmp_path):
    trace = rounds_trace(tmp_path / "trace.csv", period=200)
    config = {**SMALL, "triggers": {"high": {"metric": "cpu", "above": "50%"}},
              "limits": {"cooldown": "5m", "per_hour": 2}}
    result, events = replay(config, trace)
    assert result.returncode == 0, result.stderr
    assert len(of(events, "high", "fire")) == 2
    assert {event["by"] for event in of(events, "high", "suppressed")} == {"cooldown", "limit"}
    _, events = replay(config, trace, "--limits", "off")
    assert len(of(events, "high", "fire")) == 8 and not of(events, "high", "suppressed")


def test_quiet_holds_fires_back_after_a_start(replay, tmp_path):
    rows = [(str(START + second), "90" if second % 100 >= 50 else "10", "1" if second > 220 else "0")
            for second in range(0, 400, 2)]
    trace = write_trace(tmp_path / "trace.csv", "time,cpu,restarts", rows)
    config = {**SMALL, "quiet": {"after_start": "60s"},
              "triggers": {"high": {"metric": "cpu", "above": "80%", "cooldown": "0s"}}}
    result, events = replay(config, trace)
    assert result.returncode == 0, result.stderr
    said = [(event["event"], int(harness.seconds_of(event["time"])) - START, event.get("by"))
            for event in of(events, "high", "fire", "suppressed")]
    # Quiet from 0 to 60 s, and from the restart at 222 s to 282 s.
    assert said == [("suppressed", 50, "quiet"), ("fire", 60, None), ("fire", 150, None),
                    ("suppressed", 250, "quiet"), ("fire", 282, None), ("fire", 350, None)]


def test_what_is_made_of_others_and_what_counts(replay, tmp_path):
    rows = [(str(START + second), "95" if 40 <= second < 60 else "20",
             f"{(30 if 48 <= second < 70 else 1) * MIB}", "1" if second >= 90 else "0")
            for second in range(120)]
    trace = write_trace(tmp_path / "trace.csv", "time,cpu,db.received,oom_kills", rows)
    config = {**SMALL, "triggers": {
        "both": {"all": ["high", "burst"], "within": "10s"},
        "either": {"any": ["high", "killed"]},
        "high": {"metric": "cpu", "above": "80%"},
        "burst": {"metric": "db.received", "above": "20MB/s"},
        "killed": {"metric": "oom_kills", "increases": 1}}}
    result, events = replay(config, trace, "--limits", "off")
    assert result.returncode == 0, result.stderr
    fires = {name: [int(harness.seconds_of(event["time"])) - START
                    for event in of(events, name, "fire")] for name in config["triggers"]}
    assert fires == {"both": [48], "either": [40, 90], "high": [40], "burst": [48],
                     "killed": [90]}
    both = of(events, "both", "fire")[0]
    assert int(harness.seconds_of(both["onset"])) - START == 40
    assert "high" in both["reason"] and "burst" in both["reason"]


def test_memory_is_foreseen(replay, tmp_path):
    """A leak of 1% a second from 30% on; and a saw-tooth from 40 to 80% for half an hour."""
    def leaking(second):
        return 30 + 0.3 * noise(second) + max(0, second - 600)

    def saw_toothed(second):
        return 40 + (second * 1.0) % 40 + 0.5 * noise(second)

    config = {**SMALL, "triggers": {"before-oom": {"metric": "memory", "reaches": "100%",
                                                   "within": "60s", "capture": "memory"}}}
    fires = {}
    for shape, length in ((leaking, 670), (saw_toothed, 1800)):
        rows = [(str(START + second), f"{shape(second):.2f}") for second in range(length)]
        trace = write_trace(tmp_path / "trace.csv", "time,memory", rows)
        result, events = replay(config, trace)
        assert result.returncode == 0, result.stderr
        fires[shape] = of(events, "before-oom", "fire")
    assert len(fires[leaking]) == 1
    assert harness.seconds_of(fires[leaking][0]["time"]) - START < 655, "15 s are left"
    # The first tooth could be anything; those that come after it are known.
    assert all(harness.seconds_of(fire["time"]) - START < 40 for fire in fires[saw_toothed])


BROKEN = {
    "a word": ("time,cpu\n1,2\n2,high\n", "3:3:"),
    "nan": ("time,cpu\n1,2\n2,nan\n", "3:3:"),
    "a time that stays": ("time,cpu\n1,2\n1,3\n", "3:1:"),
    "a time that falls": ("time,cpu\n5,2\n4,3\n", "3:1:"),
    "binary junk": ("time,cpu\n1,2\n2,\0\1\2\n", "3:3:"),
    "a field too long": ("time,cpu\n1," + "9" * 300 + "\n", "2:3:"),
    "a row too short": ("time,cpu\n1\n", "2:"),
    "no time": ("cpu,memory\n1,2\n", "1:"),
    "nothing": ("", "1:"),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_trace_gets_one_error_with_its_place(replay, tmp_path, what):
    text, place = BROKEN[what]
    trace = str(tmp_path / "trace.csv")
    with open(trace, "w", encoding="latin-1") as file:
        file.write(text)
    config = {**SMALL, "triggers": {"high": {"metric": "cpu", "above": "80%"}}}
    result, _ = replay(config, trace)
    assert result.returncode == 1
    assert result.stderr.startswith(f"{trace}:{place}"), result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_trigger_of_the_file_needs_its_columns(replay, tmp_path):
    trace = write_trace(tmp_path / "trace.csv", "time,cpu", [(str(START), "1")])
    config = {**SMALL, "database": {"endpoint": "db:5432"}, "triggers": {
        "spike": {"metric": ["cpu", "db.received"], "spike": {}}, "rounds": {"recurs": {"of": "spike"}}}}
    result, events = replay(config, trace)
    assert result.returncode == 1 and not events
    assert result.stderr == (f"{trace}:1:9: the column db.received is missing, which the trigger "
                             "spike looks at\n")


def test_state_is_neither_read_nor_written(replay, tmp_path):
    state = tmp_path / "state"
    result, _ = replay({**SMALL, "state": str(state)}, rounds_trace(tmp_path / "trace.csv"))
    assert result.returncode == 0, result.stderr
    assert not os.path.exists(state)
