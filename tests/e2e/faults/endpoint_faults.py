"""The debug endpoint is slow, hangs, resets, lies, or refuses. One profile never costs the others,
what failed says what to do, and the next incident, of a healed endpoint, is whole."""
import threading

import endpoints
from faults.accounts import failed_with, fine, only, profile_of
from faults.bench import each
from harness import wait_until


def take(play, service, config, heal=None):
    """One incident; then one more after the endpoint is healed, where it can be."""
    agent = play.agent(config).start()
    play.fire(agent, service)
    incidents = play.settle(agent, play.wait_delivered(agent))
    incident, _ = only(incidents)
    if heal:
        heal()
        taken = agent.command("capture")
        assert taken.returncode == 0, taken.stderr
        agent.wait_spool_empty()
        again = play.stores()["s3"]
        healed, _ = only({one: files for one, files in again.items() if one not in incidents})
        fine(healed, "cpu", "heap", "goroutine")
    play.measure(agent)
    return incident


def misbehaves(check, limits=None, **behaviours):
    """What is played at the named profiles, and what must be in the incident then."""
    def one(play):
        service = play.service()
        endpoint = play.endpoint(service, **behaviours)
        config = play.config(service, debug=endpoint.debug, limits=limits or {})
        incident = take(play, service, config, endpoint.behaviours.clear)
        check(incident)
        for profile in incident["profiles"]:
            play.tally.count(f"profiles {profile['status']}")
    return each(one)


def fails(name, *words, status="failed"):
    """A check: this profile failed with these words, and the others are fine."""
    def check(incident):
        failed_with(incident, name, *words, status=status)
        fine(incident, *{"cpu", "heap", "goroutine"} - {name})
    return check


def all_fine(incident):
    fine(incident, "cpu", "heap", "goroutine")


def login(play):
    service = play.service(login="Bearer open sesame")
    incident = take(play, service, play.config(service))
    for name in ("cpu", "heap", "goroutine"):
        failed_with(incident, name, "app.headers")
        assert profile_of(incident, name)["http_status"] == 401


def missing(play):
    service = play.service(profiles="heap,goroutine")
    incident = take(play, service, play.config(service))
    failed_with(incident, "cpu", "app.debug")
    fine(incident, "heap", "goroutine")


def in_use(play):
    service = play.service()
    agent = play.agent(play.config(service)).start()
    agent.wait_log("profiles? can be had")
    rival = threading.Thread(
        target=lambda: service.get("/debug/pprof/profile?seconds=3", timeout=60))
    rival.start()
    wait_until(lambda: b"pprof.profileWriter" in service.get("/debug/pprof/goroutine?debug=1")[1],
               "the rival is profiling")
    play.fire(agent, service)
    incident, _ = only(play.settle(agent, play.wait_delivered(agent)))
    rival.join()
    all_fine(incident)
    assert profile_of(incident, "cpu")["attempts"] > 1
    play.measure(agent)


def write_timeout(play):
    service = play.service(write_timeout="10s")
    incident = take(play, service, play.config(service, cpu_s=25))
    all_fine(incident)
    seconds = profile_of(incident, "cpu")["seconds"]
    assert 8 <= seconds < 10, f"{seconds} s of the 10 s that the server allows"


slow = misbehaves(all_fine, profile=endpoints.dribble, heap=endpoints.dribble)
hanging = misbehaves(fails("cpu", "within"), profile=endpoints.silence)
resetting = misbehaves(fails("goroutine", "connection", status="truncated"),
                       goroutine=endpoints.reset_in_the_middle)
garbage = misbehaves(fails("heap", "app.debug"), heap=endpoints.noise)
login_page = misbehaves(fails("heap", "app.debug"), heap=endpoints.page)
bomb = misbehaves(fails("heap", "app.debug"), heap=endpoints.bomb)
endless = misbehaves(fails("heap", "limits.profile"), {"profile": "8MiB"}, heap=endpoints.endless)
no_login = each(login)
not_found = each(missing)
busy = each(in_use)
short_timeout = each(write_timeout)
