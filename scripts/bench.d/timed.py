#!/usr/bin/python3
"""Runs a command without its output and prints its seconds, CPU seconds and largest RSS in kB."""
import os
import subprocess
import sys
import time

began = time.monotonic()
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
took = time.monotonic() - began
if status != 0:
    sys.exit(f"{sys.argv[1]} failed")
print(f"{took:.3f} {usage.ru_utime + usage.ru_stime:.3f} {usage.ru_maxrss}")
