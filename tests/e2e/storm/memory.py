"""What an agent's memory grew by, as the kernel counts it."""


class Growth:
    """From now on. The kernel's own mark of the most that was resident (VmHWM) is set back to what
    is resident now, so that no peak between two looks is missed."""

    def __init__(self, pid):
        self.pid = pid
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")
        self.first = self.now()

    def now(self):
        """In KiB."""
        found = {}
        for name in ("status", "smaps_rollup"):
            with open(f"/proc/{self.pid}/{name}", encoding="ascii") as file:
                for line in file:
                    key, _, value = line.partition(":")
                    if value.endswith("kB\n"):
                        found[key] = int(value.split()[0])
        return found

    def look(self):
        """By how many KiB the most that was resident, and what is resident and written to, exceed
        what was there at first."""
        now = self.now()
        return {"peak": now["VmHWM"] - self.first["VmRSS"], "resident": now["VmRSS"] - self.first["VmRSS"],
                "written": now["Private_Dirty"] - self.first["Private_Dirty"],
                "files": now["RssFile"] - self.first["RssFile"]}
