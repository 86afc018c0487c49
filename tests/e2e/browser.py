"""Debian's Chromium, driven by the scripts in tests/e2e/browser; and `stakeout review` for it."""
import glob
import hashlib
import json
import os
import re
import shutil
import subprocess

import pytest

import harness

HERE = os.path.join(harness.HERE, "browser")
BUILD = os.path.join(os.environ.get("STAKEOUT_BUILD", os.path.join(harness.TREE, "build")), "browser")
CHROMIUM = shutil.which("chromium") or ""


def fetch(here, build, what):
    """Has npm put what the lock file in `here` names into `build`; skips where it cannot be had."""
    lock = harness.read(os.path.join(here, "package-lock.json"))
    stamp, wanted = os.path.join(build, "fetched"), hashlib.sha256(lock).hexdigest()
    if os.path.exists(stamp) and harness.read(stamp).decode() == wanted:
        return
    os.makedirs(build, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(os.path.join(here, name), build)
    fetched = subprocess.run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"], cwd=build,
        text=True, capture_output=True, timeout=300, check=False)
    if fetched.returncode != 0:
        pytest.skip(f"npm cannot fetch {what}: {fetched.stderr.strip()[-200:]}")
    with open(stamp, "w", encoding="ascii") as file:
        file.write(wanted)


def install():
    """What the lock file names, in the build folder; skips where it cannot be had."""
    for program in ("node", "npm", "chromium"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (scripts/setup test)")
    fetch(HERE, BUILD, "playwright-core")


def run(script, **given):
    """Runs all scenarios of a script; fails with all that was wrong."""
    given.setdefault("screenshots", os.path.join(BUILD, "screenshots"))
    environment = harness.clean_environment({
        "STAKEOUT_MODULES": BUILD, "STAKEOUT_INPUT": json.dumps({"chromium": CHROMIUM, **given})})
    done = subprocess.run(["node", os.path.join(HERE, script)], text=True, capture_output=True,
                          timeout=harness.PATIENCE_S * 15, env=environment, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    failed = json.loads(done.stdout.splitlines()[-1])["failed"]
    assert not failed, "\n".join(failed)


def find(root, incident):
    """The folder of an incident."""
    found, = glob.glob(os.path.join(glob.escape(root), "service=*", "date=*", incident))
    return found


def analyse(root):
    """Has every incident's report made, as the agent does, calm times first."""
    folders = glob.glob(os.path.join(glob.escape(root), "service=*", "date=*", "*-*"))
    for folder in sorted(folders, key=lambda name: "-baseline-" not in name):
        made = subprocess.run([harness.BINARY, "report", folder], text=True, capture_output=True,
                              env=harness.clean_environment(), timeout=harness.PATIENCE_S, check=False)
        assert made.returncode == 0, made.stderr


class Review:
    """`stakeout review` over a folder, on a port of its own."""

    def __init__(self, root):
        self.process = subprocess.Popen(
            [harness.BINARY, "review", root, "--listen", "127.0.0.1:0"], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=harness.clean_environment())
        said = self.process.stdout.readline()
        found = re.search(r"http://\S+/", said)
        assert found, said + self.process.stderr.read()
        self.base = found[0]

    def close(self):
        """Ends it; it must not have complained."""
        self.process.terminate()
        _, complaints = self.process.communicate(timeout=harness.PATIENCE_S)
        assert self.process.returncode == 0, complaints
        assert "Sanitizer" not in complaints, complaints
