"""What scripts/faults and scripts/storm share: a folder to play in, and the page that tells what came of it."""
import contextlib
import os
import shutil
import signal
import sys
import tempfile
import time

import pytest

import harness


@contextlib.contextmanager
def folder_for(name, options):
    """Without Go or the S3 server there is nothing to play, and it ends."""
    for number in (signal.SIGINT, signal.SIGTERM):  # also where a shell has them ignored
        signal.signal(number, signal.default_int_handler)
    print(f"{name}: --seed {options.seed}", file=sys.stderr)
    folder = tempfile.mkdtemp(prefix=f"stakeout-{name}-")
    try:
        yield folder
    except pytest.skip.Exception as reason:
        sys.exit(f"{name}: {reason}")
    finally:
        if options.keep:
            print(f"{name}: kept in {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def write_page(name, seed, took_s, body):
    """Replaces what stands between the two marks of docs/<name>.md."""
    path = os.path.join(harness.TREE, "docs", f"{name}.md")
    begin, end = f"<!-- scripts/{name} writes from here -->", "<!-- to here -->"
    with open(path, encoding="utf-8") as file:
        before, rest = file.read().split(begin)
    after = rest.split(end)[1]
    day = time.strftime("%Y-%m-%d", time.gmtime())
    facts = f"Played on {day}, with `--seed {seed}`, in {took_s / 60:.0f} minutes."
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"{before}{begin}\n\n{facts}\n\n{body}\n\n{end}{after}")
    print(f"{name}: {path} is written", file=sys.stderr)
