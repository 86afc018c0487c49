"""The disk below `state` is full, or read-only: before the fire, or in the middle of a capture. The
agent goes on sampling and says so, and when there is space again, everything works."""
import contextlib
import json
import os
import shutil
import subprocess
import time

import pytest

import harness
from faults import accounts
from faults.bench import each

MB = 16


def run_or_skip(what, *command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{what}: {done.stderr.strip()}")


class Disk:
    """A small file system of its own: ext4, as it becomes read-only with files open for writing
    when it meets an error."""

    def __init__(self, folder):
        if os.geteuid() != 0:
            pytest.skip("not root: no file system can be mounted")
        self.folder = folder
        self.image = folder + ".ext4"
        os.makedirs(folder)
        with open(self.image, "wb") as file:
            file.truncate(MB << 20)
        if not shutil.which("mkfs.ext4"):
            pytest.skip("mkfs.ext4 is not installed (apt-get install e2fsprogs)")
        run_or_skip("no file system can be made", "mkfs.ext4", "-q", "-m", "0", self.image)
        run_or_skip("no file system can be mounted", "mount", "-o", "loop", self.image, folder)

    def fill(self):
        with contextlib.suppress(OSError), \
                open(os.path.join(self.folder, "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(bytes(1024))

    def free(self):
        os.unlink(os.path.join(self.folder, "ballast"))

    def abort(self):
        """As after an error of the disk: nothing can be written from now on."""
        subprocess.run(["mount", "-o", "remount,abort", self.folder], check=True)

    def mend(self):
        """A file system that was aborted can be written again only when it is mounted anew."""
        subprocess.run(["umount", self.folder], check=True)
        subprocess.run(["e2fsck", "-p", self.image], check=False, capture_output=True)
        subprocess.run(["mount", "-o", "loop", self.image, self.folder], check=True)

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)


def said(log):
    return any(word in log for word in ("No space left", "Read-only file system", "space below"))


def full(disk):
    disk.fill()


def freed(disk, _agent):
    disk.free()


def read_only(disk):
    disk.abort()


def mended(disk, agent):
    assert agent.terminate(30) == 0, agent.log
    disk.mend()
    agent.start()


def disk_fault(begin, end, when):
    """when: "before" the fire, or in the "middle" of the capture."""
    def one(play):
        service = play.service()
        disk = play.closing(Disk(os.path.join(play.folder, "disk")))
        config = play.config(service, cpu_s=2, state=os.path.join(disk.folder, "state"))
        agent = play.agent(config).start()
        if when == "before":
            agent.wait_log("profiles? can be had")
            harness.warm(agent)
            begin(disk)
            assert service.get(f"/map?bytes={64 << 20}")[0] == 200
            agent.wait_log(r"opens no incident|incident \S+ opened")
        else:
            play.fire(agent, service)
            agent.wait_log("profile heap finished")
            begin(disk)
        harness.wait_until(lambda: said(agent.log), lambda: f"it is said:\n{agent.log}", 30)
        play.measure(agent)
        play.tally.count("stored while the disk was so", int(stored_meanwhile(play)))
        end(disk, agent)
        whole_again(play, agent)
    return each(one)


def stored_meanwhile(play, within_s=6):
    """Whether an incident is in both stores before the disk works again. What it is made of is
    looked at when nothing is being written any more."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if play.in_folder() and play.in_bucket():
            return True
        time.sleep(0.1)
    return False


def whole_again(play, agent):
    """What is stored is whole; what is not is said to be lost; the next incident is fine."""
    # What fired opens an incident by itself, once that is possible.
    agent.wait_log(r"incident \S+-full-\S+ (?:opened|taken up|was cut off)", 60)

    def captured():
        return agent.command("capture").returncode == 0
    harness.wait_until(captured, lambda: f"a capture works again:\n{agent.log}", 120)
    agent.wait_spool_empty(120)
    stores = play.stores()
    opened = set(accounts.OPENED.findall(agent.log))
    for store, incidents in stores.items():
        assert all("incident.json" in files for files in incidents.values()), store
        assert set(incidents) <= opened, store
    lost = opened - set(stores["s3"])
    for incident_id in lost:
        assert f"{incident_id} is lost" in agent.log, f"{incident_id} is lost and nothing says so"
    fired = [one for one in stores["s3"] if "-full-" in one]
    play.tally.count("incidents of the fire stored", len(fired))
    for incident_id in fired:
        for profile in json.loads(stores["s3"][incident_id]["incident.json"])["profiles"]:
            play.tally.count(f"profiles {profile['status']}")
    play.tally.count("said to be lost", len(lost))
    assert fired or lost, agent.log
    play.measure(agent)


full_before = disk_fault(full, freed, "before")
full_in_the_middle = disk_fault(full, freed, "middle")
read_only_before = disk_fault(read_only, mended, "before")
read_only_in_the_middle = disk_fault(read_only, mended, "middle")
