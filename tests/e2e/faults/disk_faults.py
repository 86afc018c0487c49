"""The disk below `state` is full, or read-only: before the fire, or in the middle of a capture. The
agent goes on sampling and says so, and when there is space again, everything works."""
import contextlib
import os
import subprocess

import pytest

import harness
from faults import accounts
from faults.bench import each

SIZE = "4m"


class Disk:
    """A small file system of its own."""

    def __init__(self, folder):
        if os.geteuid() != 0:
            pytest.skip("not root: no file system can be mounted")
        self.folder = folder
        os.makedirs(folder)
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "stakeout-faults",
                                  folder], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            pytest.skip(f"no file system can be mounted: {mounted.stderr.strip()}")

    def fill(self):
        with contextlib.suppress(OSError), \
                open(os.path.join(self.folder, "ballast"), "wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))

    def free(self):
        os.unlink(os.path.join(self.folder, "ballast"))

    def read_only(self):
        """Also for who has a file open for writing: a remount alone is refused then."""
        subprocess.run(["mount", "-o", "remount,ro", self.folder], check=False, capture_output=True)

    def is_read_only(self):
        return bool(os.statvfs(self.folder).f_flag & os.ST_RDONLY)

    def writable(self):
        subprocess.run(["mount", "-o", "remount,rw", self.folder], check=True)

    def close(self):
        subprocess.run(["umount", "-l", self.folder], check=True)


def said(log):
    return any(word in log for word in ("No space left", "Read-only file system", "space below"))


def full(disk):
    disk.fill()


def freed(disk):
    disk.free()


def read_only(disk):
    """Files that are open for writing are closed within moments; it is tried until then."""
    harness.wait_until(lambda: disk.read_only() or disk.is_read_only(), "the disk is read-only")


def writable(disk):
    disk.writable()


def disk_fault(begin, end, when):
    """when: "before" the fire, or in the "middle" of the capture."""
    def one(play):
        service = play.service()
        disk = play.closing(Disk(os.path.join(play.folder, "disk")))
        config = play.config(service, cpu_s=2, state=os.path.join(disk.folder, "state"))
        agent = play.agent(config).start()
        if when == "before":
            agent.wait_log("profiles can be had")
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
        end(disk)
        whole_again(play, agent)
    return each(one)


def whole_again(play, agent):
    """What is stored is whole; what is not is said to be lost; the next incident is fine."""
    def nothing_runs():
        return agent.command("capture").returncode == 0
    harness.wait_until(nothing_runs, lambda: f"a capture works again:\n{agent.log}", 120)
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
    play.tally.count("said to be lost", len(lost))
    assert fired or lost, agent.log
    play.measure(agent)


full_before = disk_fault(full, freed, "before")
full_in_the_middle = disk_fault(full, freed, "middle")
read_only_before = disk_fault(read_only, writable, "before")
read_only_in_the_middle = disk_fault(read_only, writable, "middle")
