#!/usr/bin/python3
"""Scores the triggers on generated traces whose spikes and rounds are known, beside the goals.

    detection.py STAKEOUT TRACES WORK [SEED [COUNT]]

TRACES holds `generate`, `score` and `triggers.yaml`; WORK is a folder for gigabytes that are
removed again, suite by suite. SEED (= 71) and COUNT (= 48, traces a suite) choose the traces.
Prints a line a figure: what, value, goal, and "missed" where it is. Exit status 1 when one is.
"""
import json
import os
import shutil
import subprocess
import sys

# Suite, options of `generate`, and the figures: name, place in the scores, goal (None: no goal,
# "<=" or ">=" the number).
SUITES = [
    ("mixed --hard", ["--suite", "mixed", "--hard"], [
        ("onset recall", ("onset", "recall"), ">=", 0.96),
        ("false alarms a day", ("onset", "fa_per_day"), "<=", 0.75),
        ("latency p50", ("onset", "lat_p50"), "<=", 4),
        ("latency p95", ("onset", "lat_p95"), "<=", 6.5),
        ("onset error p50", ("onset", "onset_err_p50"), None, None),
        ("recognised by the 6th round", ("sessions", "by6"), ">=", 0.52),
        ("period error p50", ("sessions", "perr_p50"), "<=", 0.006),
        ("period error p90", ("sessions", "perr_p90"), "<=", 0.025),
        ("hit from the 5th round", ("sessions", "hit_from_5th"), ">=", 0.48),
        ("armed on traces without a period", ("null_armed_duty",), "<=", 0.003),
    ]),
    ("seedlike", ["--suite", "seedlike"], [
        ("onset recall", ("onset", "recall"), ">=", 0.998),
        ("false alarms a day", ("onset", "fa_per_day"), "<=", 0.5),
        ("latency p50", ("onset", "lat_p50"), "<=", 3),
        ("recognised by the 6th round", ("sessions", "by6"), ">=", 0.90),
        ("hit from the 5th round", ("sessions", "hit_from_5th"), ">=", 0.86),
    ]),
    ("moderate", ["--suite", "moderate"], [
        ("recognised by the 6th round", ("sessions", "by6"), ">=", 0.62),
        ("hit from the 5th round", ("sessions", "hit_from_5th"), ">=", 0.48),
    ]),
    ("null --hard", ["--suite", "null", "--hard"], [
        ("onset recall", ("onset", "recall"), None, None),
        ("false alarms a day", ("onset", "fa_per_day"), None, None),
        ("false recognitions a null onset", ("trace_yesno", "per_null_onset"), "<=", 0.0004),
        ("armed on traces without a period", ("null_armed_duty",), "<=", 0.003),
    ]),
]


def scores_of(stakeout, traces, work, options):
    folder = os.path.join(work, "traces")
    try:
        subprocess.run([os.path.join(traces, "generate"), "--out", folder] + options, check=True)
        done = subprocess.run(
            [os.path.join(traces, "score"), folder, "--stakeout", stakeout,
             "--config", os.path.join(traces, "triggers.yaml")],
            check=True, stdout=subprocess.PIPE)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return json.loads(done.stdout)


def value_of(scores, place):
    for key in place:
        scores = scores[key]
    return scores


def is_missed(value, relation, goal):
    if value is None or goal is None:
        return False
    return value < goal if relation == ">=" else value > goal


def main():
    stakeout, traces, work = sys.argv[1:4]
    seed, count = (sys.argv[4:] + ["71", "48"][len(sys.argv) - 4:])[:2]
    missed = False
    for suite, options, figures in SUITES:
        scores = scores_of(stakeout, traces, work, options + ["--seed", seed, "--count", count])
        for name, place, relation, goal in figures:
            value = value_of(scores, place)
            miss = is_missed(value, relation, goal)
            missed = missed or miss
            print("%-48s %10s   %-10s %s" % (
                f"{suite}: {name}", "-" if value is None else f"{value:.4g}",
                f"{relation} {goal:g}" if goal is not None else "", "missed" if miss else ""))
        sys.stdout.flush()
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    try:
        main()
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f"detection: {error}")
