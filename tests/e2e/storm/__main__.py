"""The command behind scripts/storm; see there."""
import argparse
import contextlib
import os
import random
import sys
import time

import harness
import plays
import storage
from storm import delivery, fleet, page

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


def main():
    options, began = arguments(), time.monotonic()
    with plays.folder_for("storm", options) as folder:
        texts, points = play(folder, options)
    if options.only or (options.megabytes, options.agents) != (MEGABYTES, AGENTS):
        print("\n".join(texts))
    else:
        plays.write_page("storm", options.seed, time.monotonic() - began, "\n".join(texts).strip())
    failed = [point for point in points if not point.holds]
    for point in failed:
        print(f"storm: {point.what}: {point.seen}", *point.wrong[:20], sep="\n    ", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
