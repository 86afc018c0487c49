"""The app leaks until the kernel kills it, in a real cgroup, with the built-in triggers. The heap
profile that shows the leak is in the store."""
import os
import re
import signal
import subprocess
import time

import harness
from faults import accounts
from faults.bench import each

LIMIT = 256 << 20
LEAK = "main.keepGames"
STEPS_PER_S = 10


def leaking(play, percent_per_s, used_percent, garbage=0):
    """Grows from so much of the limit until it is killed; the heap's growth at the fire."""
    service = play.service(memory_bytes=LIMIT)
    config = play.config(service, interval="1s")
    del config["triggers"], config["captures"], config["limits"]
    assert service.get(f"/map?bytes={LIMIT * used_percent // 100}")[0] == 200
    agent = play.agent(config).start()
    harness.warm(agent)
    step = int(LIMIT * percent_per_s / 100 / STEPS_PER_S)
    service.get(f"/leak?for=300s&bytes={step}&every_ms={1000 // STEPS_PER_S}&garbage={garbage}")
    status = service.process.wait(300)
    assert status == -signal.SIGKILL, f"it ended with {status}, not by the kernel"
    died = time.time()
    stores = play.wait_delivered(agent)
    note_margin(play, agent.log, died)
    return agent, play.settle(agent, stores)


def note_margin(play, log, died):
    """How long before the kill the first heap profile was there: the least of all plays."""
    found = re.search(r"^.*profile heap finished.*$", log, re.M)
    if not found:
        return
    least = "ms from the heap profile to the kill, at least"
    play.tally.least(least, round((died - accounts.logged_at(found.group())) * 1000))


def top(play, files):
    path = os.path.join(play.folder, "heap.pb.gz")
    with open(path, "wb") as file:
        file.write(files["heap.pb.gz"])
    environment = harness.clean_environment({"PPROF_TMPDIR": play.folder})
    said = subprocess.run(["go", "tool", "pprof", "-top", path], check=True, text=True,
                          capture_output=True, env=environment).stdout
    rows = said[said.index("flat%"):].splitlines()[1:]
    return rows[0] if rows else "nothing"


def shows_leak(play, files):
    return "heap.pb.gz" in files and LEAK in top(play, files)


def dies(percent_per_s, every_time=True):
    def one(play):
        used = play.random.randint(25, 60)
        garbage = play.random.choice([0, 0, 64 << 10, 512 << 10])
        agent, incidents = leaking(play, percent_per_s, used, garbage)
        shown = any(shows_leak(play, files) for files in incidents.values())
        play.tally.count("heap profiles that show the leak", int(shown))
        for files in incidents.values():
            for profile in accounts.only({"": files})[0]["profiles"]:
                play.tally.count(f"profiles {profile['status']}")
        assert shown or not every_time, \
            f"no heap profile shows the leak (from {used}%, garbage {garbage}):\n{agent.log}"
        play.measure(agent)
    return each(one, heavy=False)


at_one_percent = dies(1)
at_five_percent = dies(5)
