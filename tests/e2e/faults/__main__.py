"""The command behind scripts/faults; see there."""
import argparse
import contextlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time

import pytest

import harness
from faults.bench import Bench
from faults.table import FAULTS, markdown, row

PAGE = os.path.join(harness.TREE, "docs", "faults.md")
BEGIN, END = "<!-- scripts/faults writes from here -->", "<!-- to here -->"


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/faults")
    parser.add_argument("--runs", type=int, metavar="N", help="play each N times instead")
    parser.add_argument("--only", metavar="NAME", action="append", default=[],
                        help="only those whose name begins so; may be given again")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", action="store_true", help="keep the folders of the plays")
    return parser.parse_args()


def chosen(only):
    found = [fault for fault in FAULTS
             if not only or any(fault.name.startswith(name) for name in only)]
    if not found:
        sys.exit("faults: no such fault; there are: " + ", ".join(fault.name for fault in FAULTS))
    return found


def write_page(table, seed, took_s):
    with open(PAGE, encoding="utf-8") as file:
        page = file.read()
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    facts = f"Played on {day}, with `--seed {seed}`, in {took_s / 60:.0f} minutes."
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{facts}\n\n{table}\n\n{END}{after}")


def play_all(folder, options):
    results, began = [], time.monotonic()
    with contextlib.closing(Bench(folder, options.seed)) as bench:
        for fault in chosen(options.only):
            tally = fault.play(bench, fault.name, options.runs or fault.runs)
            results.append((fault, tally))
            print(f"{time.monotonic() - began:5.0f} s  {row(fault, tally)}", file=sys.stderr)
            for failure in tally.failures:
                print(f"        {failure}", file=sys.stderr)
    return results, time.monotonic() - began


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(number, signal.default_int_handler)
    print(f"faults: --seed {options.seed}", file=sys.stderr)
    folder = tempfile.mkdtemp(prefix="stakeout-faults-")
    try:
        results, took_s = play_all(folder, options)
    except pytest.skip.Exception as reason:  # without Go or the S3 server there is nothing to play
        sys.exit(f"faults: {reason}")
    finally:
        if options.keep:
            print(f"faults: kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    table = markdown(results)
    if options.only or options.runs:
        print(table)
    else:
        write_page(table, options.seed, took_s)
        print(f"faults: {PAGE} is written", file=sys.stderr)
    return 1 if any(tally.failures for _, tally in results) else 0


if __name__ == "__main__":
    sys.exit(main())
