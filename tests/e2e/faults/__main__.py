"""The command behind scripts/faults; see there."""
import argparse
import contextlib
import random
import sys
import time

import plays
from faults.bench import Bench
from faults.table import FAULTS, markdown, row


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
    with plays.folder_for("faults", options) as folder:
        results, took_s = play_all(folder, options)
    table = markdown(results)
    if options.only or options.runs:
        print(table)
    else:
        plays.write_page("faults", options.seed, took_s, table)
    return 1 if any(tally.failures for _, tally in results) else 0


if __name__ == "__main__":
    sys.exit(main())
