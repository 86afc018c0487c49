#!/usr/bin/python3
"""Writes an incident with nothing but a large CPU profile: large_incident.py FOLDER MEGABYTES."""
import json
import os
import subprocess
import sys

folder, megabytes = sys.argv[1:]
os.makedirs(folder)
with open(os.path.join(folder, "incident.json"), "w", encoding="ascii") as file:
    json.dump({"schema": 1, "id": "20261123T150406Z-cpu-high-1a2b3c", "service": "bench", "kind": "spike",
               "fired": "2026-11-23T15:04:06.000Z", "trigger": {"name": "cpu-high", "metric": "cpu"},
               "profiles": [{"name": "cpu", "file": "cpu.pb.gz", "status": "ok", "seconds": 25}]}, file)
subprocess.run([sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "large_profile.py"),
                os.path.join(folder, "cpu.pb.gz"), megabytes], check=True)
