"""The store is down, slow, refuses, or resets. What was caught waits, is said to wait, and arrives
once. The folder beside the bucket has it meanwhile."""
import storage
from faults import accounts
from faults.bench import each


def outage(begin, end, fails=True):
    """From before the fire until some tries have failed; then all is well again."""
    def one(play):
        service, proxy = play.service(), play.proxy()
        begin(proxy)
        agent = play.agent(play.config(service, port=proxy.port)).start()
        incident_id = play.fire(agent, service)
        if fails:
            agent.wait_log(r"waits in the spool: .*; next try in", count=2)
            status = agent.status()
            assert status["spool"]["waiting"] == 1
            assert any(exporter["error"] for exporter in status["exporters"])
            assert "incident.json" not in play.stores()["s3"].get(incident_id, {})
            assert incident_id in accounts.stored_below(play.captures), "the folder is not held up"
            play.tally.count("failed tries", sum(one["failures"] for one in status["exporters"]))
            end(proxy)
        incidents = play.settle(agent, play.wait_delivered(agent))
        incident, _ = accounts.only(incidents)
        assert incident["id"] == incident_id
        accounts.fine(incident, "cpu", "heap", "goroutine")
        play.measure(agent)
    return each(one)


def meets(fault):
    return outage(lambda proxy: proxy.meet(fault), lambda proxy: proxy.meet(None))


down = outage(storage.Proxy.down, storage.Proxy.up)
slow = outage(lambda proxy: proxy.meet(storage.slowly), None, fails=False)
forbidden = meets(storage.refusing(403, "AccessDenied"))
unavailable = meets(storage.refusing(503, "SlowDown"))
resetting = meets(storage.resetting_in_the_body)
