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
LEAK = "main.keep"  # keepGames or keepMoves, by how it leaks
CORES = 0.25
STEPS_PER_S = 10


def leaking(play, percent_per_s, burns):
    """Grows from a random part of the limit until it is killed; the agent and the incidents."""
    used_percent = play.random.randint(25, 60)
    garbage = play.random.choice([0, 0, 64 << 10, 512 << 10])
    small = play.random.choice([0, 1])
    service = play.service(LIMIT, CORES)
    config = play.config(service, interval="1s")
    del config["triggers"], config["captures"], config["limits"]
    assert service.get(f"/map?bytes={LIMIT * used_percent // 100}")[0] == 200
    agent = play.agent(config).start()
    harness.warm(agent)
    if burns:
        service.burn(300)
    step = int(LIMIT * percent_per_s / 100 / STEPS_PER_S)
    service.get(f"/leak?for=300s&bytes={step}&every_ms={1000 // STEPS_PER_S}&garbage={garbage}"
                f"&small={small}")
    status = service.process.wait(300)
    died = time.time()
    assert status == -signal.SIGKILL, f"it ended with {status}, not by the kernel"
    agent.wait_log("killed fired|joined by killed")  # what opens the last incident
    play.wait_delivered(agent)
    note_margin(play, agent.log, died)
    return agent, play.settle(agent)


def note_margin(play, log, died):
    """How long before the kill it was foreseen: the least of all plays."""
    found = re.search(r"^.*before-oom fired.*$", log, re.M)
    if found:
        play.tally.least("s from the forecast to the kill, at least",
                         round(died - accounts.logged_at(found.group()), 1))


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


def dies(percent_per_s, burns=False, every_time=True):
    def one(play):
        agent, incidents = leaking(play, percent_per_s, burns)
        shown = any(shows_leak(play, files) for files in incidents.values())
        play.tally.count("show the leak", int(shown))
        for files in incidents.values():
            for profile in accounts.only({"": files})[0]["profiles"]:
                play.tally.count(f"profiles {profile['status']}")
        assert shown or not every_time, f"no heap profile shows the leak:\n{agent.log}"
        play.measure(agent)
    return each(one, heavy=burns)


at_one_percent = dies(1)
in_a_spike = dies(1, burns=True)
at_five_percent = dies(5)
at_twenty_percent = dies(20, every_time=False)
