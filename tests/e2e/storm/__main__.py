"""The command behind scripts/storm; see there."""
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
import storage
from storm import delivery, fleet, page

PAGE = os.path.join(harness.TREE, "docs", "storm.md")
BEGIN, END = "<!-- scripts/storm writes from here -->", "<!-- to here -->"
MEGABYTES, AGENTS = 2000, 200


def arguments():
    parser = argparse.ArgumentParser(prog="scripts/storm")
    parser.add_argument("--megabytes", type=int, metavar="N", default=MEGABYTES)
    parser.add_argument("--agents", type=int, metavar="N", default=AGENTS)
    parser.add_argument("--only", choices=("delivery", "fleet"))
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--keep", action="store_true", help="keep the folder, with the agent's log")
    return parser.parse_args()


def play(folder, options):
    """The texts of the page, and the points."""
    texts, points = [], []
    binary = harness.build_service(folder)
    with contextlib.closing(storage.S3Server(os.path.join(folder, "s3"), sts="on")) as s3:
        if options.only != "fleet":
            found = delivery.play(folder, binary, s3, options.megabytes * 10**6, options.seed, meanwhile=True)
            texts.append(page.delivery_text(found))
            points += page.delivery_points(found)
            print(texts[-1], file=sys.stderr)
        if options.only != "delivery":
            up, down = (fleet.play(folder, binary, s3, options.agents, down) for down in (False, True))
            texts.append(page.fleet_text(up, down))
            points += page.fleet_points(up, False) + page.fleet_points(down, True)
            print(texts[-1], file=sys.stderr)
    return texts, points


def write_page(texts, options, took_s):
    with open(PAGE, encoding="utf-8") as file:
        before, rest = file.read().split(BEGIN)
    day = time.strftime("%Y-%m-%d", time.gmtime())
    facts = f"Played on {day}, with `--seed {options.seed}`, in {took_s / 60:.0f} minutes."
    body = "\n".join(texts).strip()
    with open(PAGE, "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n\n{facts}\n\n{body}\n\n{END}{rest.split(END)[1]}")


def main():
    options = arguments()
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(number, signal.default_int_handler)
    print(f"storm: --seed {options.seed}", file=sys.stderr)
    folder, began = tempfile.mkdtemp(prefix="stakeout-storm-"), time.monotonic()
    try:
        texts, points = play(folder, options)
    except pytest.skip.Exception as reason:  # without Go or the S3 server there is nothing to play
        sys.exit(f"storm: {reason}")
    finally:
        if options.keep:
            print(f"storm: kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    if options.only or (options.megabytes, options.agents) != (MEGABYTES, AGENTS):
        print("\n".join(texts))
    else:
        write_page(texts, options, time.monotonic() - began)
        print(f"storm: {PAGE} is written", file=sys.stderr)
    failed = [point for point in points if not point.holds]
    for point in failed:
        print(f"storm: {point.what}: {point.seen}", *point.wrong[:20], sep="\n    ", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
