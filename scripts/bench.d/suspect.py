#!/usr/bin/python3
"""How often the suspect is the culprit: the programs of tests/e2e/culprits, with a baseline and alone.

    scripts/bench.d/suspect.py STAKEOUT [--busy]

With --busy the services have as much to do on a calm day, and the culprit is a part of the load."""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "e2e"))

import culprits  # noqa: E402 (the path comes first)

with tempfile.TemporaryDirectory() as folder:
    culprits.record_all(folder, "--busy" in sys.argv)
    counts, said = culprits.judge_all(os.path.abspath(sys.argv[1]), folder)
print(*said, sep="\n")
for name, outcomes in counts.items():
    print(f"{name}: {outcomes['right']} right, {outcomes['none']} none, {outcomes['wrong']} wrong, "
          f"{outcomes['starved']} starved (the machine is too busy)")
