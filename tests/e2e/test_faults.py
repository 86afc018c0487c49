"""Every fault of faults/table.py, a few times. All are played at once, and each test waits for its
own; `scripts/faults` plays them as often as the documentation says."""
import concurrent.futures
import contextlib
import json
import random

import pytest

from faults import accounts
from faults.bench import Bench
from faults.table import FAULTS


@pytest.fixture(scope="module")
def plays(tmp_path_factory, request):
    """A future a fault that was asked for."""
    wanted = {item.callspec.params.get("fault") for item in request.session.items
              if item.module is request.module}
    seed = random.randrange(10**6)
    with contextlib.ExitStack() as stack:
        folder = str(tmp_path_factory.mktemp("faults"))
        bench = stack.enter_context(contextlib.closing(Bench(folder, seed, lanes=8)))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(len(FAULTS)))
        # Most plays wait most of the time.
        yield {fault: pool.submit(fault.play, bench, fault.name, fault.few)
               for fault in sorted(FAULTS, key=lambda fault: not fault.long) if fault in wanted}


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])
def test_what_must_hold_holds(plays, fault):
    tally = plays[fault].result()
    if tally.skipped and not tally.runs:
        pytest.skip(tally.skipped)
    assert tally.held == tally.runs, "\n".join(tally.failures)


ID, OTHER = "20261126T053541Z-full-91c01c", "20261126T053541Z-full-91c01d"
LOG = f"""trigger full fired: x
incident {ID} opened: x
incident {ID}: profile heap finished: 10 bytes
"""


def stored(incident_id=ID, status="ok"):
    incident = {"id": incident_id, "profiles": [{"name": "heap", "status": status}]}
    return {incident_id: {"incident.json": json.dumps(incident).encode()}}


@pytest.mark.parametrize("log, bucket, folder, words", [
    (LOG, stored(), stored(), None),
    (LOG, {}, {}, "lost"),
    (LOG, stored(), {}, "lost"),
    (LOG, stored(status="failed"), stored(status="failed"), "was whole"),
    (LOG, {ID: {"heap.pb.gz": b""}}, stored(), "half"),
    (LOG, {**stored(), **stored(OTHER)}, stored(), "nothing opened it"),
    (LOG + f"incident {OTHER} opened: x\n", {**stored(), **stored(OTHER)},
     {**stored(), **stored(OTHER)}, "2 incidents of 1 fires"),
    (LOG + f"incident {ID} was cut off before anything was caught: removed", {}, {}, "in spite of"),
], ids=["all is well", "lost", "lost in one", "a whole profile failed", "half", "from nowhere",
        "twice", "removed"])
def test_accounts_notice(log, bucket, folder, words):
    stores = {"s3": bucket, "directory": folder}
    if not words:
        assert accounts.account(log, stores) == stored()
        return
    with pytest.raises(AssertionError, match=words):
        accounts.account(log, stores)
