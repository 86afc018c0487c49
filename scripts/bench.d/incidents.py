#!/usr/bin/python3
"""Fills a folder with incidents as a fleet would over months: a few spikes that recur, some that get worse, some that
are gone, and baselines. Without profiles: what a list shows, not what a report does.

    incidents.py FOLDER COUNT [--days N] [--end RFC3339] [--seed N]
"""
import argparse
import datetime
import hashlib
import json
import math
import os
import random

CULPRITS = [
    ("woogles", "app", "cpu-spike", "cpu", "liwords/pkg/stores/game.(*DBStore).GetRematchStreak", "cpu", "cpu"),
    ("woogles", "app", "db-burst", "db.received", "liwords/pkg/stores/game.(*DBStore).History", "cpu", "cpu"),
    ("woogles", "app", "before-oom", "memory", "liwords/pkg/bus.(*Bus).subscribe", "heap", "inuse_space"),
    ("woogles", "app", "cpu-high", "cpu", "liwords/pkg/pair.(*Swiss).Pairings", "cpu", "cpu"),
    ("lexicon", "api", "cpu-high", "cpu", "lexicon/search.(*Index).Expand[...]", "cpu", "cpu"),
    ("lexicon", "worker", "worker-high", "worker.cpu", "lexicon/build.sortAnagrams", "cpu", "cpu"),
    ("billing", "app", "goroutines", "goroutines", "billing/mail.(*Queue).Send.func1", "goroutine", "goroutine"),
    ("billing", "app", "cpu-high", "cpu", None, None, None),
]
SCALE = {"cpu": (12, 97), "worker.cpu": (20, 99), "memory": (48, 96), "db.received": (7.5e6, 310e6),
         "goroutines": (180, 14000)}
TITLE = {"cpu": "CPU", "worker.cpu": "CPU", "memory": "Memory", "db.received": "Database traffic",
         "goroutines": "Goroutines"}


def rfc3339(moment):
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def sparkline(chance, fired, metric, normal, peak):
    values = []
    for i in range(60):
        height = 0 if i < 40 else math.exp(-((i - 46) / 6) ** 2) if i < 46 else math.exp(-((i - 46) / 9) ** 2)
        values.append(round(normal * chance.uniform(0.8, 1.2) + (peak - normal) * height, 3))
    return {"metric": metric, "from": rfc3339(fired - datetime.timedelta(seconds=400)),
            "to": rfc3339(fired + datetime.timedelta(seconds=200)), "values": values}


def said(metric, value):
    if metric == "db.received":
        return f"{value / 1e6:.0f} MB/s"
    return f"{value:,.0f}" if metric == "goroutines" else f"{value:.0f}%"


def incident(chance, culprit, fired, age_weeks, number):
    service, app, trigger, metric, function, profile, sample = culprit
    normal, peak = SCALE[metric]
    peak *= (1 - 0.02 * age_weeks if metric != "cpu" else 1) * chance.uniform(0.93, 1)
    identity = f"{fired:%Y%m%dT%H%M%SZ}-{trigger}-{number & 0xffffff:06x}"
    share, calm = chance.uniform(55, 65), chance.uniform(0.1, 0.9)
    taken = fired + datetime.timedelta(seconds=1)
    record = {
        "schema": 1, "id": identity, "service": service, "app": app, "kind": "spike",
        "trigger": {"name": trigger, "metric": metric, "value": round(peak * 0.9, 2), "limit": round(normal * 4, 2),
                    "reason": f"{metric} {said(metric, peak * 0.9)} above {said(metric, normal * 4)} for 10 s"},
        "onset": rfc3339(fired - datetime.timedelta(seconds=10)), "fired": rfc3339(fired),
        "finished": rfc3339(fired + datetime.timedelta(seconds=30)), "agent": {"version": "0.1.0"},
        "target": {"family": service, "revision": str(20 - int(age_weeks)), "container": app,
                   "image": f"{service}:{20 - int(age_weeks)}"},
        "profiles": [{"name": name, "file": f"{name}.pb.gz", "status": "ok", "seconds": 25 if name == "cpu" else None,
                      "requested": rfc3339(taken), "finished": rfc3339(taken + datetime.timedelta(seconds=25)),
                      "bytes": 8123, "attempts": 1, "onset_covered": False} for name in ("cpu", "heap", "goroutine")],
        "metrics": {"file": "metrics.csv", "peak": {metric: round(peak, 2), "db.received": 3.1e8}},
        "headline": f"{TITLE[metric]} rose from {said(metric, normal)} to {said(metric, peak)} for 41 s"
                    + (f"; {share:.0f}% of it in {function.rsplit('.', 1)[-1]}, which is {calm:.1f}% on a calm day."
                       if function else "."),
        "group": hashlib.sha256("/".join(str(part) for part in culprit).encode()).hexdigest()[:16],
        "sparkline": sparkline(chance, fired, metric, normal, peak),
    }
    if function:
        record["suspect"] = {"function": function, "file": f"{service}/file.go", "line": 173, "profile": profile,
                             "sample": sample, "cum_percent": round(share, 1), "baseline_percent": round(calm, 1),
                             "delta_points": round(share - calm, 1), "path": ["main.main", function],
                             "why": "It grew most."}
        record["runners_up"] = [{"function": "encoding/json.Unmarshal", "cum_percent": 41.0, "delta_points": 39.5}]
        record["explained"] = {"profile_cpu_s": 22.9, "container_cpu_s": 24.1, "percent": 95}
    else:
        record["no_suspect"] = "The profile explains 12% of the CPU time: the rest is not in this process."
    return record


def store(folder, record):
    path = os.path.join(folder, f"service={record['service']}", f"date={record['fired'][:10]}", record["id"])
    os.makedirs(path, exist_ok=True)
    with open(os.path.join(path, "incident.json"), "w", encoding="ascii") as file:
        json.dump(record, file)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("count", type=int)
    parser.add_argument("--days", type=float, default=90)
    parser.add_argument("--end")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    end = datetime.datetime.fromisoformat(options.end.replace("Z", "+00:00")) if options.end \
        else datetime.datetime.now(datetime.timezone.utc)
    step = datetime.timedelta(days=options.days / options.count)
    for number in range(options.count):
        age = step * number
        fired = end - age
        culprit = chance.choices(CULPRITS, weights=(14, 5, 3, 2, 3, 2, 1, 1))[0]
        record = incident(chance, culprit, fired, age.days / 7, number)
        if number % 40 == 39:
            record.update(kind="baseline", group="ba5e" + record["group"][4:])
            record["trigger"] = {"name": "baseline", "reason": "a calm time"}
            record["id"] = f"{fired:%Y%m%dT%H%M%SZ}-baseline-{number & 0xffffff:06x}"
        store(options.folder, record)


if __name__ == "__main__":
    main()
