"""What must hold, whatever was broken: nothing is lost, nothing is doubled, nothing is half."""
import calendar
import csv
import io
import json
import os
import re
import time

import harness

FIRED = re.compile(r"trigger \S+ fired: ")
OPENED = re.compile(r"incident (\S+) opened: ")
BEGUN = re.compile(r"incident (\S+): profile \S+ started: ")  # comes before it
ENDED = re.compile(r"incident (\S+) finished")
TAKEN_UP = re.compile(r"incident (\S+) (?:from an earlier run is taken up|was cut off)")
REMOVED = re.compile(r"incident (\S+) was cut off before anything was caught: removed")
WHOLE = re.compile(r"incident (\S+): profile (\S+) finished: \d+ bytes\b(?!,)")


def logged_at(line):
    """When a line of the log was written, Unix seconds."""
    found = re.search(r"time=(\S+?)\.(\d+)Z", line)
    parsed = time.strptime(found.group(1) + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    return calendar.timegm(parsed) + float("0." + found.group(2))


def stored_below(captures):
    """What a folder has: id to file to content, as storage.stored says it of a bucket."""
    found = {}
    for folder, _, names in os.walk(captures):
        parts = os.path.relpath(folder, captures).split(os.sep)
        for name in names:
            assert len(parts) == 3 and not name.startswith("."), f"{folder}/{name} is none of ours"
            found.setdefault(parts[2], {})[name] = harness.read(os.path.join(folder, name))
    for incident_id, files in found.items():
        assert "incident.json" in files, f"{incident_id} is half: {sorted(files)}"
        incident = json.loads(files["incident.json"])
        assert incident["id"] == incident_id
        harness.check_incident(incident, files)
    return found


def whole_profiles(log):
    """Id to the names of the profiles that the log calls finished."""
    found = {}
    for incident_id, name in WHOLE.findall(log):
        found.setdefault(incident_id, set()).add(name)
    return found


def account(log, stores, fires=None):
    """Every incident that the log speaks of is in every store, once, and whole; or the log says
    that nothing had been caught. The incidents, by id."""
    known = {one for words in (OPENED, BEGUN, TAKEN_UP) for one in words.findall(log)}
    removed = set(REMOVED.findall(log))
    whole = whole_profiles(log)
    assert not removed & set(whole), f"removed in spite of a profile: {removed & set(whole)}"
    for store, incidents in stores.items():
        ids = set(incidents)
        assert not known - removed - ids, f"lost, not in {store}: {sorted(known - removed - ids)}"
        assert not ids - known, f"in {store}, but nothing opened it: {sorted(ids - known)}"
        for incident_id, files in incidents.items():
            assert "incident.json" in files, f"{incident_id} is half in {store}: {sorted(files)}"
            states = {profile["name"]: profile["status"]
                      for profile in json.loads(files["incident.json"])["profiles"]}
            for name in whole.get(incident_id, ()):
                assert states.get(name) == "ok", \
                    f"{incident_id}: {name} was whole, and is {states.get(name)} in {store}"
    fires = len(FIRED.findall(log)) if fires is None else fires
    assert len(known) <= fires, f"{len(known)} incidents of {fires} fires"
    first, *others = stores.values()
    for other in others:
        for incident_id, files in first.items():
            assert other[incident_id] == files, f"{incident_id} differs between the stores"
    return first


def only(incidents):
    """The only incident's object and files."""
    assert len(incidents) == 1, sorted(incidents)
    [files] = incidents.values()
    return json.loads(files["incident.json"]), files


def profile_of(incident, name):
    return next(profile for profile in incident["profiles"] if profile["name"] == name)


def failed_with(incident, name, *words, status="failed"):
    """The profile failed, and its error has these words: what to do about it."""
    profile = profile_of(incident, name)
    assert profile["status"] == status, profile
    for word in words:
        assert word in profile["error"], f"{word!r} is not in {profile['error']!r}"


def fine(incident, *names):
    for name in names:
        profile = profile_of(incident, name)
        assert profile["status"] == "ok", profile


def longest_gap_ms(files):
    """Between two samples of an incident's metrics."""
    rows = csv.DictReader(io.StringIO(files["metrics.csv"].decode()))
    times = [float(row["time"]) for row in rows if row.get("memory.bytes")]
    return round(max((late - early for early, late in zip(times, times[1:])), default=0) * 1000)
