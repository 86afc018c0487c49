"""The faults, and how the table of what came of them is written."""
import dataclasses
import typing

from faults import death_faults, disk_faults, endpoint_faults, oom_faults, store_faults


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    broken: str
    holds: str
    play: typing.Callable  # (bench, name, runs): a Tally
    runs: int = 3          # by scripts/faults
    few: int = 1           # by test_faults.py
    long: bool = False     # a play of it takes most of a minute


OTHERS = "the error names a remedy, the other profiles are whole, and so is the next incident"
WAITS = "it is said, the folder beside it has the incident at once, the bucket gets it once"
DISK = "it is said, sampling goes on, nothing is half; with space again the next incident is whole"

FAULTS = [
    Fault("endpoint slow", "profiles come in small pieces", "all are whole", endpoint_faults.slow),
    Fault("endpoint hanging", "a CPU profile's answer stops after its first bytes", OTHERS,
          endpoint_faults.hanging, long=True),
    Fault("endpoint resetting", "a connection is reset in the middle of a profile",
          "what came is kept and marked; " + OTHERS, endpoint_faults.resetting),
    Fault("endpoint garbage", "noise instead of a profile", OTHERS, endpoint_faults.garbage),
    Fault("endpoint web page", "a web page with status 200", OTHERS, endpoint_faults.login_page),
    Fault("endpoint gzip bomb", "2 MB that inflate to 4 GiB", OTHERS, endpoint_faults.bomb),
    Fault("endpoint endless", "a profile without an end", OTHERS, endpoint_faults.endless),
    Fault("endpoint 401", "a login is wanted", "every error names `app.headers`",
          endpoint_faults.no_login),
    Fault("endpoint 404", "no CPU profile there",
          "the error names `app.debug`, the other profiles are whole", endpoint_faults.not_found),
    Fault("endpoint in use", "somebody else profiles the CPU",
          "it is waited for; all profiles are whole", endpoint_faults.busy),
    Fault("endpoint WriteTimeout", "a WriteTimeout of 10 s, and 25 s are wanted",
          "a profile of 8 to 10 s; all are whole", endpoint_faults.short_timeout),
    Fault("store down", "the bucket refuses connections", WAITS, store_faults.down),
    Fault("store slow", "512 bytes every 20 ms", "the bucket gets it once", store_faults.slow),
    Fault("store 403", "AccessDenied", WAITS, store_faults.forbidden),
    Fault("store 503", "SlowDown", WAITS, store_faults.unavailable),
    Fault("store resetting", "a reset in the middle of every upload", WAITS,
          store_faults.resetting),
    Fault("disk full", "no byte is left below `state` at the fire", DISK,
          disk_faults.full_before),
    Fault("disk full in a capture", "it fills up while a profile is taken", DISK,
          disk_faults.full_in_the_middle),
    Fault("disk read-only", "`state` is read-only at the fire", DISK,
          disk_faults.read_only_before),
    Fault("disk read-only in a capture", "it becomes read-only while a profile is taken", DISK,
          disk_faults.read_only_in_the_middle),
    Fault("SIGKILL", "the agent is killed at a random moment from its start to the delivery, and "
          "started again", "every incident of the log is in both stores, once, with every profile "
          "that was whole; or nothing had been caught, and the log says so",
          death_faults.killed, 200, 12),
    Fault("SIGTERM", "the agent is asked to end at a random moment", "as for SIGKILL; it ends "
          f"within its grace of {death_faults.GRACE_S} s and keeps a running CPU profile",
          death_faults.terminated, 50, 4),
    Fault("OOM kill", "the app leaks 1% of its memory limit a second until the kernel kills it",
          "a heap profile with the leaking function on top, and at least a quarter of all that it "
          "leaked, is in both stores", oom_faults.at_one_percent, 10, 2, long=True),
    Fault("OOM kill in a spike", "the same, and it burns all its CPU", "the same",
          oom_faults.in_a_spike, 10, 1, long=True),
    Fault("OOM kill in the heap", "the kernel kills the app when half of its heap profile is sent",
          "what came is in both stores, marked, and the incident says what happened",
          oom_faults.killed_in_the_heap, 10, 1),
    Fault("OOM kill, fast", "the same at 5% a second",
          "a heap profile with the leaking function on top is in both stores",
          oom_faults.at_five_percent, 10, 1),
    Fault("OOM kill, too fast", "the same at 20% a second", "nothing is lost; the leak may not be "
          "foreseen", oom_faults.at_twenty_percent, 10, 1),
]


def row(fault, tally):
    """One row of the table."""
    if tally.skipped and not tally.runs:
        return (f"| {fault.name} | {fault.broken} | {fault.holds} | - | "
                f"not played: {tally.skipped} |")
    seen = [f"{number} {what}" for what, number in sorted(tally.counts.items())]
    seen += [f"{number} {what}" for what, (_, number) in sorted(tally.extremes.items())]
    if tally.ticks:
        seen.append(f"{tally.missed} of {tally.ticks} ticks missed")
    if tally.longest_ms:
        seen.append(f"at most {tally.longest_ms} ms between samples of {tally.interval_ms} ms")
    if tally.rss_kb:
        seen.append(f"agent {tally.rss_kb / 1024:.1f} MiB at most")
    return (f"| {fault.name} | {fault.broken} | {fault.holds} | {tally.held} of {tally.runs} | "
            f"{'; '.join(seen)} |")


HEAD = ["| fault | what is broken | what must hold | held | seen |",
        "| --- | --- | --- | --- | --- |"]


def markdown(results):
    """Of pairs of a fault and its tally."""
    return "\n".join(HEAD + [row(fault, tally) for fault, tally in results])
