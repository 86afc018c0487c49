"""Whether the suspect is who a person would name: of small Go programs with a planted culprit each,
with a baseline and without one. The reports are made by `stakeout report`."""
import shutil

import pytest

import culprits
import harness

# What may be missed where the machine is busy: rather none than a wrong one.
RIGHT_LEAST, WRONG_MOST, STARVED_MOST = 0.85, 1, 10


def test_the_suspect_is_the_culprit(tmp_path):
    if not shutil.which("go"):
        pytest.skip("Go is not installed (apt-get install golang-go)")
    culprits.record_all(str(tmp_path))
    counts, said = culprits.judge_all(harness.BINARY, str(tmp_path))
    if max(outcomes["starved"] for outcomes in counts.values()) > STARVED_MOST:
        pytest.skip("this machine is too busy with others to profile anything")
    for name, outcomes in counts.items():
        print(f"{name}: {dict(outcomes)}")
        total = sum(outcomes.values()) - outcomes["starved"]
        assert total >= 20
        assert outcomes["right"] >= RIGHT_LEAST * total, "\n".join(said)
        assert outcomes["wrong"] <= WRONG_MOST, "\n".join(said)
