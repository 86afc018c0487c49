"""The store is down, slow, refuses, or resets. What was caught waits, is said to wait, and arrives
once. The folder beside the bucket has it meanwhile."""
import harness
import storage
from faults import accounts
from faults.bench import each


def outage(begin, end, tries=2):
    """From before the fire until so many tries have failed; then all is well again."""
    def one(play):
        service, proxy = play.service(), play.proxy()
        begin(proxy)
        agent = play.agent(play.config(service, port=proxy.port)).start()
        incident_id = play.fire(agent, service)
        if tries:
            agent.wait_log(r"waits in the spool: .*; next try in")
            status = agent.wait_status(lambda now: failed_tries(now) >= tries, "it tries again")
            assert status["spool"]["waiting"] == 1
            assert any(exporter["error"] for exporter in status["exporters"])
            assert incident_id not in play.in_bucket()
            harness.wait_until(lambda: incident_id in play.in_folder(),
                               "it is in the folder, which the store does not hold up")
            play.tally.count("failed tries", failed_tries(status))
            end(proxy)
        incidents = play.settle(agent, play.wait_delivered(agent))
        incident, _ = accounts.only(incidents)
        assert incident["id"] == incident_id
        accounts.fine(incident, "cpu", "heap", "goroutine")
        play.measure(agent)
    return each(one)


def failed_tries(status):
    return sum(exporter["failures"] for exporter in status["exporters"])


def meets(fault, tries=2):
    return outage(lambda proxy: proxy.meet(fault), lambda proxy: proxy.meet(None), tries)


down = outage(storage.Proxy.down, storage.Proxy.up)
slow = outage(lambda proxy: proxy.meet(storage.slowly), None, 0)
forbidden = meets(storage.refusing(403, "AccessDenied"), 1)  # tried again after half a minute
unavailable = meets(storage.refusing(503, "SlowDown"))
resetting = meets(storage.resetting_in_the_body)
