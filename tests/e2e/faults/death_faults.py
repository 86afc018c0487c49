"""The agent dies: SIGKILL and SIGTERM at random moments of a cycle from the start and the fire to
the delivery, again and again with the same state. Nothing is lost, and nothing is there twice."""
import calendar
import os
import re
import signal
import time

import harness
from faults import accounts
from faults.bench import LANES, several
from harness import wait_until

LINES = [  # of a cycle, in its order; an agent is also killed right at one of them
    r"trigger full fired", r"profile cpu started", r"profile heap started",
    r"incident \S+ opened", r"profile heap finished", r"profile goroutine finished",
    r"profile cpu finished", r"incident \S+ finished", r"incident \S+ delivered to directory",
    r"incident \S+ delivered to s3", r"incident \S+ from an earlier run is taken up",
]
PHASES = [("delivered to", "delivery"), ("incident \\S+ finished", "analysis and delivery"),
          ("incident \\S+ opened", "capture"), ("trigger \\S+ fired", "fire"), ("", "start and recovery")]
GRACE_S = 10


def phase_of(text):
    """How far the agent had come, by what it said."""
    delivered = len(re.findall("delivered to", text))
    opened = "opened" in text
    if opened and delivered >= 2 and re.search(r"finished\b", text):
        last = accounts.OPENED.findall(text)[-1]
        if text.count(f"{last} delivered") == 2:
            return "after delivery"
        if text.count(f"{last} delivered") == 0 and f"{last} finished" not in text:
            return "capture"
    return next(name for pattern, name in PHASES if re.search(pattern, text))


class Chain:
    """One agent and its service, through many ends."""

    def __init__(self, play, cpu_s, **limits):
        self.play = play
        self.service = play.service()
        assert self.service.get(f"/map?bytes={80 << 20}")[0] == 200
        self.agent = play.agent(play.config(
            self.service, cpu_s=cpu_s, interval="100ms", limits=limits))

    def said(self, since):
        return "".join(self.agent.lines[since:])

    def cycle_s(self):
        """How long a cycle takes when nobody ends it: from the start to delivered in both stores."""
        began, since = time.monotonic(), len(self.agent.lines)
        self.agent.spawn()
        wait_until(lambda: self.said(since).count("delivered to") >= 2, lambda: self.agent.log)
        took = time.monotonic() - began
        self.play.note_memory(self.agent)
        return took

    def wait_moment(self, since, cycle_s):
        """Until a random moment: a time within the cycle, or a line of the log and a little more."""
        rng = self.play.random
        if rng.random() < 0.6:
            time.sleep(rng.uniform(0, cycle_s * 1.05))
            return
        line, deadline = re.compile(rng.choice(LINES)), time.monotonic() + 3 * cycle_s
        while not line.search(self.said(since)) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.choice([0, rng.uniform(0, 0.03)]))

    def drain(self):
        """One more start at which nothing fires: everything is delivered, and accounted for."""
        self.agent.configure({**self.agent.config, "triggers": {
            "full": {"metric": "memory.bytes", "above": "1TiB"}}})
        self.agent.start()
        self.agent.wait_spool_empty(120)
        incidents = self.play.settle(self.agent)
        self.play.measure(self.agent)
        self.play.tally.count("incidents stored", len(incidents))
        self.play.tally.count("cut off before anything was caught",
                              len(accounts.REMOVED.findall(self.agent.log)))
        return incidents


def kill_chain(times):
    def one(play):
        chain = Chain(play, cpu_s=1)
        cycle_s = chain.cycle_s()
        chain.agent.kill()
        for _ in range(times):
            since = len(chain.agent.lines)
            chain.agent.spawn()
            chain.wait_moment(since, cycle_s)
            assert chain.agent.running(), f"it ended by itself:\n{chain.said(since)}"
            play.note_memory(chain.agent)
            chain.agent.kill()
            play.tally.count("in " + phase_of(chain.said(since)))
        play.tally.runs = times
        chain.drain()
    return one


def logged_at(line):
    found = re.search(r"time=(\S+?)\.(\d+)Z", line)
    parsed = time.strptime(found.group(1) + " UTC", "%Y-%m-%dT%H:%M:%S %Z")
    return calendar.timegm(parsed) + float("0." + found.group(2))


def cpu_was_running(lines, at):
    """The incident whose CPU profile had begun a moment ago and was not over, if there is one."""
    started = finished = None
    for line in lines:
        if "profile cpu started" in line:
            started, finished = logged_at(line), None
        if "profile cpu finished" in line or "profile cpu failed" in line:
            finished = True
        if "stopping" in line:
            break
    opened = accounts.OPENED.findall("".join(lines))
    return opened[-1] if started and not finished and opened and at - started > 0.3 else None


def term_chain(times):
    def one(play):
        chain = Chain(play, cpu_s=3, grace=f"{GRACE_S}s")
        cycle_s = chain.cycle_s()
        assert chain.agent.terminate(GRACE_S + 2) == 0
        kept = []
        for _ in range(times):
            since = len(chain.agent.lines)
            chain.agent.spawn()
            # A process that has not come to its handlers ends by the signal; that is a kill.
            wait_until(lambda: chain.said(since), "it says something")
            chain.wait_moment(since, cycle_s)
            began = time.monotonic()
            at = time.time()
            chain.agent.process.send_signal(signal.SIGTERM)
            status = chain.agent.process.wait(GRACE_S + 2)
            chain.agent.reader.join()
            took = time.monotonic() - began
            assert status == 0 and took <= GRACE_S, f"{status} after {took:.1f} s:\n{chain.said(since)}"
            play.tally.counts["slowest end, ms"] = max(
                play.tally.counts.get("slowest end, ms", 0), round(took * 1000))
            cut = cpu_was_running(chain.agent.lines[since:], at)
            kept += [cut] if cut else []
        play.tally.runs = times
        incidents = chain.drain()
        for incident_id in kept:
            incident = accounts.only({incident_id: incidents[incident_id]})[0]
            profile = accounts.profile_of(incident, "cpu")
            assert profile["status"] == "ok", f"{incident_id}: {profile}"
        play.tally.count("CPU profiles ended early and kept", len(kept))
    return one


def chains(one):
    """So many ends, in some chains at a time."""
    def play_all(bench, name, runs):
        lanes = min(LANES, runs)
        shares = [runs // lanes + (lane < runs % lanes) for lane in range(lanes)]
        tally = several(bench, name, [one(share) for share in shares])
        slowest = "slowest end, ms"
        if slowest in tally.counts:  # added up over the chains
            tally.counts[slowest] //= max(1, lanes)
        return tally
    return play_all


killed = chains(kill_chain)
terminated = chains(term_chain)
