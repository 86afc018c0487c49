#!/usr/bin/python3
"""Folders of incidents as the agent stores them, made without an agent: a game site whose rounds
spike every half hour and get worse over weeks, other services' spikes, one of which everything is
hostile, and as many plain ones as wanted.

    tests/e2e/incident_maker.py FOLDER             the story; `stakeout report` analyses it
    tests/e2e/incident_maker.py FOLDER --many N    N small ones, analysed
    tests/e2e/incident_maker.py FOLDER --now       one that was stored a moment ago; prints its id
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import random
import time

import pprof_maker

NEWEST_S = 1795446246  # 2026-11-23T15:04:06Z
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
SITE = "liwords/pkg/"
GAMES = SITE + "stores/game.(*DBStore)."


def rfc3339(seconds):
    moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{round(seconds % 1 * 1000) % 1000:03d}Z"


def incident_id(fired_s, trigger, service):
    moment = datetime.datetime.fromtimestamp(int(fired_s), datetime.timezone.utc)
    digest = hashlib.sha256(f"{fired_s} {service}".encode()).hexdigest()
    return f"{moment:%Y%m%dT%H%M%SZ}-{trigger}-{digest[:6]}"


def folder_of(root, service, name):
    date = f"{name[0:4]}-{name[4:6]}-{name[6:8]}"
    return os.path.join(root, f"service={service}", f"date={date}", name)


# --- what the site does --------------------------------------------------------------------------

SERVE = [("net/http.(*conn).serve", "/usr/lib/go/src/net/http/server.go", 1995),
         ("net/http.HandlerFunc.ServeHTTP", "/usr/lib/go/src/net/http/server.go", 2136)]
START = SERVE + [(SITE + "tournament.(*Director).StartRound", "/src/liwords/pkg/tournament/director.go", 88),
                 (SITE + "gameplay.InstantiateNewGame", "/src/liwords/pkg/gameplay/game.go", 61)]
STREAK = START + [(GAMES + "GetRematchStreak", "/src/liwords/pkg/stores/game/db.go", 173)]
DECODE = [("encoding/json.Unmarshal", "/usr/lib/go/src/encoding/json/decode.go", 96),
          ("encoding/json.(*decodeState).object", "/usr/lib/go/src/encoding/json/decode.go", 608)]
LOOKUP = SERVE + [(SITE + "web.(*Site).ShowGame", "/src/liwords/pkg/web/site.go", 140),
                  (GAMES + "Get", "/src/liwords/pkg/stores/game/db.go", 98)]
RENDER = SERVE + [(SITE + "web.(*Site).ShowGame", "/src/liwords/pkg/web/site.go", 151),
                  ("html/template.(*Template).Execute", "/usr/lib/go/src/html/template/template.go", 120)]
READ = [("database/sql.(*Rows).Next", "/usr/lib/go/src/database/sql/sql.go", 3020),
        ("github.com/lib/pq.(*conn).recvMessage", "/go/pkg/mod/github.com/lib/pq@v1.10.7/conn.go", 1012)]
GC = [("runtime.gcBgMarkWorker", "/usr/lib/go/src/runtime/mgc.go", 1200),
      ("runtime.gcDrain", "/usr/lib/go/src/runtime/mgcmark.go", 1100),
      ("runtime.scanobject", "/usr/lib/go/src/runtime/mgcmark.go", 1300)]


def site_cpu(time_s, culprit_s, usual_s=2.8, seconds=25):
    """`usual_s` of CPU for what the site always does, `culprit_s` for the rematch streak."""
    stacks = [(LOOKUP + READ, .35 * usual_s), (RENDER, .4 * usual_s), (GC, .25 * usual_s)]
    streak = [
        (DECODE + ["encoding/json.(*decodeState).literalStore"], .32),
        (DECODE + ["encoding/json.(*decodeState).array", "reflect.Value.Set"], .17),
        (DECODE + ["encoding/json.checkValid", "encoding/json.stateInString"], .15),
        (READ + ["syscall.Syscall"], .16),
        (["sort.Slice", "sort.quickSort_func", GAMES + "GetRematchStreak.func1"], .08),
    ]
    stacks += [(STREAK + frames, share * culprit_s) for frames, share in streak]
    stacks += [(GC + ["runtime.greyobject"], .12 * culprit_s)]
    return pprof_maker.cpu([stack for stack in stacks if stack[1] > 0.005], time_s, seconds)


def site_heap(time_s, culprit_mb, usual_mb=40):
    mib = 1 << 20
    return pprof_maker.heap([
        (LOOKUP + READ, 30 * usual_mb * mib, usual_mb * mib // 2),
        (RENDER, 50 * usual_mb * mib, usual_mb * mib // 2),
        (STREAK + DECODE + ["reflect.New"], 9 * culprit_mb * mib, culprit_mb * mib),
        (STREAK + READ, 4 * culprit_mb * mib, culprit_mb * mib // 3),
    ], time_s)


def site_goroutine(time_s, waiting):
    park = ("runtime.gopark", "/usr/lib/go/src/runtime/proc.go", 381)
    return pprof_maker.goroutine([
        (SERVE + ["bufio.(*Reader).Peek", "internal/poll.(*FD).Read", park], 24),
        (STREAK + ["database/sql.(*DB).conn", "runtime.selectgo", park], waiting),
        (["main.main", "net/http.(*Server).Serve", "internal/poll.(*FD).Accept", park], 1),
    ], time_s)


HOSTILE = [
    "</script><script>window.pwned=1</script>",
    "\"><img src=x onerror=window.pwned=1>",
    "'-alert(window.pwned=1)-'",
    "</style></title></textarea><svg onload=window.pwned=1>",
    "javascript:window.pwned=1//\u2028\u202e\x1b[2J\x00end",
    "{{constructor.constructor('window.pwned=1')()}}${window.pwned=1}",
    "&lt;script&gt;window.pwned=1&lt;/script&gt;<!--",
]


def hostile_cpu(time_s):
    own = SITE + "web.(*Site)."
    stacks = [(SERVE + [(own + name, name + ".go", 7), (name, name, 1)], 3 + index)
              for index, name in enumerate(HOSTILE)]
    return pprof_maker.cpu(stacks, time_s)


# --- metrics -------------------------------------------------------------------------------------

class Metrics:
    """metrics.csv: once a second from 5 minutes before the onset, calm, then a spike of a minute."""

    def __init__(self, seed, cpu=(12, 97), db_received=(8e6, 310e6), memory=(34, 61), spike_s=24,
                 extra=()):
        self.seed = seed
        self.levels = {"cpu": cpu, "cpu.cores": (cpu[0] / 100, cpu[1] / 100), "memory": memory,
                       "db.received": db_received, "db.sent": (2e5, 9e5), "db.connections": (9, 31)}
        self.levels.update(extra)
        self.spike_s = spike_s

    def value(self, chance, name, at_s):
        calm, high = self.levels[name]
        if name == "memory":
            share = min(1, max(0, at_s / self.spike_s))
        else:
            share = 1 - math.exp(-at_s / 2) if 0 <= at_s < self.spike_s else 0
        value = calm + (high - calm) * share
        value *= 1 + .05 * (chance.random() - .5) * (2 if share == 0 else .5)
        return round(value) if name in ("db.connections",) else value

    def rows(self, onset_s, finished_s):
        chance = random.Random(self.seed)
        for second in range(-300, int(finished_s - onset_s) + 2):
            row = {name: self.value(chance, name, second) for name in self.levels}
            if -200 <= second < -190:
                row["memory"] = None
            yield onset_s + second, row

    def write(self, path, onset_s, finished_s):
        """Returns the peaks since the onset."""
        peaks = {}
        with open(path, "w", encoding="ascii") as file:
            print("time", *self.levels, sep=",", file=file)
            for time_s, row in self.rows(onset_s, finished_s):
                cells = ["" if value is None else f"{value:.6g}" for value in row.values()]
                print(f"{time_s:.3f}", *cells, sep=",", file=file)
                for name, value in row.items():
                    if time_s >= onset_s and value is not None:
                        peaks[name] = max(peaks.get(name, value), value)
        return {name: float(f"{value:.4g}") for name, value in peaks.items()}


# --- one incident --------------------------------------------------------------------------------

TARGET = {"task_arn": "arn:aws:ecs:us-east-1:111122223333:task/prod/0af3", "cluster": "prod",
          "family": "games", "revision": "7", "container": "api",
          "image": "registry.internal/games:5d1f0c2", "host": "ip-10-0-3-17"}


def describe_profile(name, made, requested_s, seconds, covered=True):
    suffix = {"cpu": "profile"}.get(name, name)
    entry = {"name": name, "status": "ok", "url": f"http://localhost:8001/debug/pprof/{suffix}",
             "requested": rfc3339(requested_s), "finished": rfc3339(requested_s + seconds),
             "attempts": 1, "onset_covered": covered, "error": None}
    if isinstance(made, str):  # why it failed
        entry.update(status="failed", error=made, attempts=3, http_status=404)
        del entry["onset_covered"]
        return entry, None
    data = made if isinstance(made, bytes) else pprof_maker.gzip.compress(made.encode(), 6, mtime=0)
    file = f"{name}.txt" if isinstance(made, bytes) else f"{name}.pb.gz"
    entry.update(file=file, http_status=200, bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    if name == "cpu":
        entry["seconds"] = seconds
    return entry, data


def write(root, fired_s, profiles, metrics, service="games", trigger="cpu-high", kind="spike",
          metric="cpu", limit=80, unit="%", seconds=25, baseline=None, notice_s=5, covered=False,
          **fields):
    """Stores one incident as an exporter does, incident.json last and at once. `profiles` maps names
    to a Profile, to bytes (a text profile) or to why it failed. Returns its id."""
    name = incident_id(fired_s, trigger, service)
    folder = folder_of(root, service, name)
    os.makedirs(folder, exist_ok=True)
    onset_s, finished_s = fired_s - notice_s, fired_s + seconds + 1
    peaks = metrics.write(os.path.join(folder, "metrics.csv"), onset_s, finished_s)
    described = []
    for profile, made in profiles.items():
        took_s = seconds if profile == "cpu" else 1
        entry, data = describe_profile(profile, made, fired_s, took_s, covered)
        described.append(entry)
        if data is not None:
            with open(os.path.join(folder, entry["file"]), "wb") as file:
                file.write(data)
    value = peaks.get(metric, 0)
    incident = {
        "schema": 1, "id": name, "service": service, "app": "app", "kind": kind,
        "trigger": {"name": trigger, "metric": metric, "value": value, "limit": limit,
                    "reason": f"{metric} {value:g}{unit} above {limit:g}{unit} for {notice_s} s"},
        "onset": rfc3339(onset_s), "fired": rfc3339(fired_s), "finished": rfc3339(finished_s),
        "agent": {"version": "0.1.0"}, "target": {**TARGET, "started": rfc3339(fired_s - 2 * DAY_S)},
        "profiles": described, "metrics": {"file": "metrics.csv", "peak": peaks},
        "usage_during_capture": {"cpu_mean": round(.95 * peaks.get("cpu", 0), 1)},
    }
    if kind == "baseline":
        incident["trigger"] = {"name": "baseline", "reason": "a calm time to compare with"}
    if baseline:
        incident["baseline"] = baseline
    incident.update(fields)
    store_json(folder, incident)
    return name


def store_json(folder, incident):
    temporary = os.path.join(folder, ".incident.json")
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(incident, file, indent=2)
    os.rename(temporary, os.path.join(folder, "incident.json"))


# --- the stories ---------------------------------------------------------------------------------

def baseline(root, fired_s, **fields):
    calm = Metrics(fired_s, cpu=(12, 12), db_received=(8e6, 8e6), memory=(34, 34))
    profiles = {"cpu": site_cpu(fired_s, .01), "heap": site_heap(fired_s, 0),
                "goroutine": site_goroutine(fired_s, 0)}
    return write(root, fired_s, profiles, calm, trigger="baseline", kind="baseline", **fields)


def round_start(root, fired_s, strength=1.0, **fields):
    """A round's start: cpu to 97%, of which most is GetRematchStreak, and the database with it."""
    metrics = Metrics(fired_s, cpu=(12, 97), db_received=(8e6, 310e6 * strength))
    profiles = {"cpu": site_cpu(fired_s, 16 * strength), "heap": site_heap(fired_s, int(180 * strength)),
                "goroutine": site_goroutine(fired_s, 140)}
    joined = [{"name": "db-burst", "metric": "db.received", "value": 300e6 * strength,
               "time": rfc3339(fired_s + 1), "reason": "db.received stands out: score 14 above 8"}]
    return write(root, fired_s, profiles, metrics, joined=joined, **fields)


def rounds(root, newest_s=NEWEST_S, weeks=4, per_week=4):
    """The same spike for weeks, its database volume growing; returns their ids, newest first."""
    ids, calm = [], None
    for number in range(weeks * per_week):
        week, in_week = divmod(number, per_week)
        if in_week == 0:
            calm = baseline(root, newest_s - week * 7 * DAY_S - 6 * HOUR_S)
        fired_s = newest_s - week * 7 * DAY_S - in_week * 30 * MINUTE_S
        strength = 1.0 - .12 * week
        pattern = {"period_s": 1800, "jitter_s": 12.5, "onsets": 5, "next": rfc3339(fired_s + 1795)}
        ids.append(round_start(root, fired_s, strength, recurrence=pattern, covered=True,
                               baseline=calm))
    return ids


def hostile(root, fired_s=NEWEST_S - 90 * MINUTE_S):
    """Everything that comes from outside and is not checked by its reader tries to be markup."""
    attack = HOSTILE[0] + HOSTILE[1]
    metrics = Metrics(fired_s, extra={"<img src=x onerror=window.pwned=1>": (1, 9)})
    target = {key: attack for key in TARGET}
    return write(
        root, fired_s, {"cpu": hostile_cpu(fired_s), "heap": attack, "<b>x": HOSTILE[3]}, metrics,
        service="hostile", trigger="cpu-high", metric="cpu", app=attack, target=target,
        agent={"version": attack}, headline=attack, group="0123456789abcdef",
        joined=[{"name": attack, "metric": attack, "value": 1, "time": rfc3339(fired_s),
                 "reason": attack}])


def story(root, newest_s=NEWEST_S):
    """All that a page has to show. Returns names for the ids."""
    made = {"rounds": rounds(root, newest_s)}
    made["round"] = made["rounds"][0]
    made["hostile"] = hostile(root, newest_s - 90 * MINUTE_S)
    at_s = newest_s - 3 * HOUR_S
    calm = Metrics(1, cpu=(20, 30), memory=(60, 98), db_received=(1e5, 1e5))
    made["failed"] = write(
        root, at_s, {"cpu": "the app answers 404: is net/http/pprof imported?",
                     "heap": "no answer within 10 s"},
        calm, service="billing", trigger="before-oom", metric="memory", limit=100)
    made["memory"] = write(
        root, at_s - DAY_S, {"heap": site_heap(at_s, 900), "goroutine": site_goroutine(at_s, 9000)},
        calm, service="billing", trigger="before-oom", metric="memory", limit=100)
    lone = Metrics(2, cpu=(5, 88), db_received=(0, 0))
    made["text"] = write(root, at_s - 2 * DAY_S, {"jvm": b"a text profile\n"}, lone,
                         service="search", trigger="cpu-spike", limit=8, unit="")
    made["unsymbolised"] = write(
        root, at_s - 3 * DAY_S, {"cpu": pprof_maker.cpu([([0x4a1000, 0x4a2010, 0x4b0020], 9.0), ([0x4a1000], 4.0)])}, lone,
        service="search", trigger="cpu-spike", limit=8, unit="")
    made["manual"] = write(root, at_s - 4 * DAY_S, {"cpu": site_cpu(at_s, 1)}, lone, kind="manual",
                           trigger="manual", service="games")
    return made


SUSPECTS = ["GetRematchStreak", "Get", "ListActive", "SetReady", "Unload", "History"]


def many(root, count, newest_s=NEWEST_S, every_s=10 * MINUTE_S):
    """Small incidents that are analysed already and have no profiles."""
    for number in range(count):
        fired_s = newest_s - number * every_s
        suspect = SUSPECTS[number % len(SUSPECTS)]
        service = f"service-{number % 5}"
        name = incident_id(fired_s, "cpu-high", service)
        folder = folder_of(root, service, name)
        os.makedirs(folder)
        values = [round(12 + 80 * math.exp(-(step - 80) ** 2 / 90), 1) for step in range(120)]
        store_json(folder, {
            "schema": 1, "id": name, "service": service, "app": "app", "kind": "spike",
            "trigger": {"name": "cpu-high", "metric": "cpu", "value": 92, "limit": 80,
                        "reason": "cpu 92% above 80% for 10 s"},
            "onset": rfc3339(fired_s - 5), "fired": rfc3339(fired_s),
            "finished": rfc3339(fired_s + 30), "target": TARGET, "profiles": [],
            "metrics": {"peak": {"cpu": 92 + number % 7, "db.received": 3e8}},
            "headline": f"CPU rose from 12% to {92 + number % 7}% for 41 s; 61% of it in {suspect}.",
            "group": hashlib.sha256((service + suspect).encode()).hexdigest()[:16],
            "suspect": {"function": GAMES + suspect, "file": "db.go", "line": 173, "profile": "cpu",
                        "sample": "cpu", "cum_percent": 61.2, "baseline_percent": 0.3,
                        "delta_points": 60.9},
            "sparkline": {"metric": "cpu", "from": rfc3339(fired_s - 305),
                          "to": rfc3339(fired_s + 30), "values": values}})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--many", type=int, metavar="N")
    parser.add_argument("--now", action="store_true")
    arguments = parser.parse_args()
    if arguments.now:
        print(round_start(arguments.folder, time.time() - MINUTE_S, service="latest"))
    elif arguments.many:
        many(arguments.folder, arguments.many)
    else:
        print(json.dumps(story(arguments.folder), indent=2))


if __name__ == "__main__":
    main()
