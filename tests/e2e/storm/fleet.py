"""The second part: many agents of one service that spike in the same second."""
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import re
import time

import harness
import storage

FIRES_ABOVE = 64 << 20
SLOTS, PER_S = 3, 600
STARTING = 8  # agents at the same time
LINE = r"time=(\S+) .*msg=\"incident (\S+-full-[0-9a-f]{6}) "
OPENED = re.compile(LINE + "opened")
GIVEN_UP = re.compile(LINE + "is thrown away")


@dataclasses.dataclass
class Found:
    """What came of it."""
    agents: int
    fired: int = 0         # agents that opened an incident
    within_s: float = 0    # from the first fire to the last
    given_up: int = 0      # before anything of them was stored
    slowest_s: float = 0   # of these, from the fire to the end of the capture
    stored: int = 0
    taken: int = 0         # of these, with a slot
    duplicates: int = 0    # of these, marked
    unmarked: list = dataclasses.field(default_factory=list)  # of these, neither
    lost: list = dataclasses.field(default_factory=list)      # opened, and neither given up nor stored
    nobodys: list = dataclasses.field(default_factory=list)   # stored, and nobody opened or who did gave it up
    seen_by: list = dataclasses.field(default_factory=list)   # of those with a slot
    took_s: float = 0      # from the first fire, or the store's return, to the last settled
    most_kb: int = 0       # of an agent, resident


def window_s(wall_s):
    """Where a window begins, as agent/fleet/fleet_plan.h has it."""
    return wall_s - (wall_s - PER_S * 0.382) % PER_S


def keep_off_the_edge(spare_s=30):
    """No spike that is two windows' by chance."""
    left_s = window_s(time.time()) + PER_S - time.time()
    if left_s < spare_s:
        time.sleep(left_s + 1)


def config_of(service, s3, prefix, port, seconds):
    config = storage.storing(service, s3, prefix, port, interval="1s")
    config.update({
        "fleet": {"incidents": SLOTS, "per": f"{PER_S // 60}m"},
        "triggers": {"full": {"metric": "memory.bytes", "above": str(FIRES_ABOVE)}},
        # Of a kind that any number of agents can take of one app at once.
        "captures": {"spike": ["goroutine", {"profile": "allocs", "seconds": seconds}]},
        "limits": {"analyse": "reader"}})
    return config


def start_all(folder, config, count, environment, stack):
    agents = []
    for number in range(count):
        place = os.path.join(folder, f"agent-{number}")
        os.makedirs(place)
        agents.append(stack.enter_context(contextlib.closing(harness.Stakeout(place, config, environment))))
    with concurrent.futures.ThreadPoolExecutor(STARTING) as pool:
        list(pool.map(lambda one: one.spawn().wait_log(r"\d+ of \d+ profiles? can be had", 120), agents))
    return agents


def account(found, agents, s3, prefix):
    """What became of everything that was opened."""
    incidents = {incident["id"]: incident for incident in incidents_of(s3, prefix)}
    fired, known = [], set()
    for one in agents:
        opened = dict((incident_id, harness.seconds_of(when)) for when, incident_id in OPENED.findall(one.log))
        given_up = dict((incident_id, harness.seconds_of(when)) for when, incident_id in GIVEN_UP.findall(one.log))
        fired += opened.values()
        known |= set(opened) - set(given_up)
        found.fired += bool(opened)
        found.given_up += len(given_up)
        found.lost += sorted(set(opened) - set(given_up) - set(incidents))
        for incident_id, when in given_up.items():
            found.slowest_s = max(found.slowest_s, when - opened[incident_id])
        found.most_kb = max(found.most_kb, peak_kb(one))
    found.within_s = max(fired) - min(fired)
    found.nobodys = sorted(set(incidents) - known)
    found.stored = len(incidents)
    for incident_id, incident in incidents.items():
        fleet = incident.get("fleet", {})
        if fleet.get("duplicate"):
            found.duplicates += 1
        elif "slot" in fleet:
            found.taken += 1
            found.seen_by.append(fleet.get("seen_by"))
        else:
            found.unmarked.append(incident_id)


def incidents_of(s3, prefix):
    keys = [key for key in s3.objects(prefix) if key.endswith("/incident.json")]
    return [json.loads(s3.content(key)) for key in keys]


def peak_kb(agent):
    with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def play(folder, binary, s3, count, down, patience_s=300):
    """With the store down at the time, or not."""
    prefix = f"fleet/{'down' if down else 'up'}"
    with contextlib.ExitStack() as stack:
        def closing(thing):
            return stack.enter_context(contextlib.closing(thing))
        service = closing(harness.GoService(binary, closing(harness.Cgroup(1))))
        proxy = closing(storage.Proxy(s3.port)) if down else None
        # What nobody can answer may be short; else the answers have to come before it is over.
        config = config_of(service, s3, prefix, proxy and proxy.port, 2 if down else 8)
        agents = start_all(os.path.join(folder, prefix), config, count, s3.environment(), stack)
        keep_off_the_edge()
        if down:
            proxy.down()
        assert service.get(f"/map?bytes={FIRES_ABOVE}")[0] == 200
        began = time.monotonic()
        for one in agents:
            one.wait_log(OPENED.pattern, patience_s)
        if down:
            for one in agents:
                one.wait_log(r"incident \S+ finished", patience_s)
            began = time.monotonic()
            proxy.up()
        for one in agents:
            one.wait_log("delivered to|is thrown away", patience_s)
            one.wait_spool_empty(patience_s)
        found = Found(agents=count, took_s=time.monotonic() - began)
        account(found, agents, s3, prefix)
    return found
