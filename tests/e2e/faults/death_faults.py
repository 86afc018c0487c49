"""The agent dies: SIGKILL and SIGTERM at random moments of a cycle from the start and the fire to
the delivery, again and again with the same state. Nothing is lost, and nothing is there twice."""
import re
import signal
import time

from faults import accounts
from faults.bench import LANES, several
from harness import wait_until

LINES = [  # of a cycle; an agent is also killed right at one of them, or a moment later
    r"trigger full fired", r"profile cpu started", r"incident \S+ opened",
    r"profile heap finished", r"profile goroutine finished", r"profile cpu finished",
    r"incident \S+ finished", r"incident \S+ delivered to directory",
    r"incident \S+ delivered to s3",
]
GRACE_S = 10


def phase_of(text):
    """How far an agent had come with the newest incident, by what it said since its start."""
    opened = accounts.OPENED.findall(text)
    if not opened:
        return "killed before the fire" if "fired" not in text else "killed at the fire"
    done = text.count(f"{opened[-1]} delivered to")
    if done == 2:
        return "killed after the delivery"
    if done == 1:
        return "killed between the stores"
    if f"{opened[-1]} finished" in text:
        return "killed in the delivery"
    return "killed in the capture"


class Chain:
    """One agent and its service, through many ends."""

    def __init__(self, play, cpu_s, **limits):
        self.play = play
        self.delivery_s = 0  # what it takes of a cycle
        self.service = play.service()
        assert self.service.get(f"/map?bytes={80 << 20}")[0] == 200
        config = play.config(self.service, cpu_s=cpu_s, interval="100ms", limits=limits)
        self.agent = play.agent(config)

    def said(self, since):
        return "".join(self.agent.lines[since:])

    def cycle_s(self):
        """What a cycle takes when nobody ends it: from the start to delivered in both stores."""
        began, since = time.monotonic(), len(self.agent.lines)
        self.agent.spawn()
        wait_until(lambda: self.said(since).count("delivered to") >= 2, lambda: self.agent.log, 60)
        took = time.monotonic() - began
        times = [accounts.logged_at(line) for line in self.agent.lines[since:]
                 if re.search(r"incident \S+ (finished|delivered)", line)]
        self.delivery_s = times[-1] - times[0]
        self.play.note_memory(self.agent)
        return took

    def wait_moment(self, since, cycle_s):
        """Until a random moment: of the cycle, of the delivery, or right at a line of the log."""
        rng, kind = self.play.random, self.play.random.choice(["time", "delivery", "line"])
        if kind == "time":
            time.sleep(rng.uniform(0, cycle_s * 1.05))
            return
        line = re.compile(r"incident \S+ finished" if kind == "delivery" else rng.choice(LINES))
        deadline = time.monotonic() + 3 * cycle_s
        while not line.search(self.said(since)) and time.monotonic() < deadline:
            time.sleep(0.001)
        time.sleep(rng.uniform(0, self.delivery_s) if kind == "delivery" else
                   rng.choice([0, rng.uniform(0, 0.03)]))

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
            play.tally.count(phase_of(chain.said(since)))
        play.tally.runs = times
        chain.drain()
    return one


def cpu_was_running(lines, at):
    """The incident whose CPU profile had begun a moment ago and was not over, if there is one."""
    running = None
    for line in lines:
        if "stopping" in line:
            break
        begun = re.search(r"incident (\S+): profile cpu started", line)
        if begun:
            running = begun.group(1) if at - accounts.logged_at(line) > 0.3 else None
        if re.search(r"profile cpu (finished|failed)", line):
            running = None
    return running


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
            assert status == 0 and took <= GRACE_S, \
                f"{status} after {took:.1f} s:\n{chain.said(since)}"
            play.tally.most("ms to the end, at most", round(took * 1000))
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
        return several(bench, name, [one(share) for share in shares])
    return play_all


killed = chains(kill_chain)
terminated = chains(term_chain)
