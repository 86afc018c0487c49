#!/usr/bin/python3
"""cpu_times.py TIMES COMMAND... -- COMMAND...: runs the commands in turn, without their output, and prints the median
CPU milliseconds of each process with all that it started."""
import os
import resource
import statistics
import subprocess
import sys


def cpu_ms(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   env=dict(os.environ, HOME="/nonexistent"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3


middle = sys.argv.index("--")
commands = sys.argv[2:middle], sys.argv[middle + 1:]
times = [[cpu_ms(command) for command in commands] for _ in range(int(sys.argv[1]))]
print(*(f"{statistics.median(column):.1f}" for column in zip(*times)))
