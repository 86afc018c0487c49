"""The app leaks until the kernel kills it, in a real cgroup, with the built-in triggers. The heap
profile that shows the leak is in the store."""
import contextlib
import http.client
import os
import re
import signal
import subprocess
import time

import endpoints
import harness
import storage
from faults import accounts
from faults.bench import each

LIMIT = 256 << 20
LEAK = "main.keep"  # keepGames or keepMoves, by how it leaks
CORES = 0.25
STEPS_PER_S = 10


def leaking(play, percent_per_s, burns):
    """Grows from a random part of the limit until it is killed: the agent, the incidents, and the
    bytes that were leaked."""
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
    began = time.time()
    service.get(f"/leak?for=300s&bytes={step}&every_ms={1000 // STEPS_PER_S}&garbage={garbage}"
                f"&small={small}")
    status = service.process.wait(300)
    died = time.time()
    assert status == -signal.SIGKILL, f"it ended with {status}, not by the kernel"
    agent.wait_log("killed fired|joined by killed")  # what opens the last incident
    play.wait_delivered(agent)
    note_margin(play, agent.log, died)
    return agent, play.settle(agent), step * STEPS_PER_S * (died - began)


def note_margin(play, log, died):
    """How long before the kill it was foreseen: the least of all plays."""
    found = re.search(r"^.*before-oom fired.*$", log, re.M)
    if found:
        play.tally.least("s from the forecast to the kill, at least",
                         round(died - accounts.logged_at(found.group()), 1))


def leak_in(play, heap):
    """The bytes of the leaking function in a heap profile, where it is on top; else 0."""
    path = os.path.join(play.folder, "heap.pb.gz")
    with open(path, "wb") as file:
        file.write(heap)
    environment = harness.clean_environment({"PPROF_TMPDIR": play.folder})
    said = subprocess.run(["go", "tool", "pprof", "-top", "-unit=B", path], check=True, text=True,
                          capture_output=True, env=environment).stdout
    found = re.search(r"flat%.*\n *(\d+)B .* (\S+)$", said, re.M)
    return int(found.group(1)) if found and found.group(2).startswith(LEAK) else 0


def dies(percent_per_s, burns=False, least_percent=0):
    """least_percent: so much of the leak must be seen in the best of the heap profiles."""
    def one(play):
        agent, incidents, leaked = leaking(play, percent_per_s, burns)
        seen = max((leak_in(play, content) for files in incidents.values()
                    for name, content in files.items() if name.startswith("heap")), default=0)
        percent = round(100 * seen / leaked)
        play.tally.count("show the leak", int(seen > 0))
        play.tally.least("% of the leak in the best heap profile, at least", percent)
        for files in incidents.values():
            for profile in accounts.only({"": files})[0]["profiles"]:
                play.tally.count(f"profiles {profile['status']}")
        assert percent >= least_percent, f"{percent}% of the leak:\n{agent.log}"
        play.measure(agent)
    return each(one, heavy=burns)


at_one_percent = dies(1, least_percent=25)
in_a_spike = dies(1, burns=True, least_percent=25)
at_five_percent = dies(5, least_percent=1)
at_twenty_percent = dies(20)


def in_the_heap(play):
    """Half of the heap profile is sent when the kernel kills the app."""
    service = play.service(LIMIT, CORES)

    def die(client, _endpoint, target):
        status, body = service.get(target)
        if status != 200:  # the agent asks beforehand what there is
            endpoints.send_answer(client, body, status)
            return
        endpoints.send_answer(client, body[:len(body) // 2], length=len(body))
        with contextlib.suppress(OSError, http.client.HTTPException):
            service.get(f"/map?bytes={2 * LIMIT}")
        assert service.process.wait(30) == -signal.SIGKILL
        storage.reset(client)

    agent = play.agent(play.config(service, debug=play.endpoint(service, heap=die).debug)).start()
    play.fire(agent, service)
    play.wait_delivered(agent)
    incident, files = accounts.only(play.settle(agent))
    accounts.failed_with(incident, "heap", "the app ended the connection", status="truncated")
    assert incident["app_ended"]["oom_killed"], incident
    assert len(files["heap.pb.gz"]) == accounts.profile_of(incident, "heap")["bytes"] > 0
    for name in ("cpu", "goroutine"):
        play.tally.count(f"{name} profiles {accounts.profile_of(incident, name)['status']}")
    play.measure(agent)


killed_in_the_heap = each(in_the_heap)
