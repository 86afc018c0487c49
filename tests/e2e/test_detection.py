"""The triggers on generated traces whose spikes and rounds are known: far below the goals, so that
only a real step back fails. scripts/bench detection measures them."""
import json
import os
import subprocess

import pytest

import harness

TRACES = os.environ.get("STAKEOUT_TRACES", os.path.join(harness.TREE, "..", "shared", "traces"))


@pytest.fixture
def scores(tmp_path):
    def scored(count, *suite):
        if not os.path.exists(os.path.join(TRACES, "generate")):
            pytest.skip(f"{TRACES} has no generate and score: name their folder in $STAKEOUT_TRACES")
        folder = str(tmp_path / "traces")
        subprocess.run([os.path.join(TRACES, "generate"), "--out", folder, "--seed", "1",
                        "--count", str(count), "--suite", *suite], check=True)
        done = subprocess.run(
            [os.path.join(TRACES, "score"), folder, "--stakeout", harness.BINARY,
             "--config", os.path.join(TRACES, "triggers.yaml")],
            check=True, stdout=subprocess.PIPE, env=harness.clean_environment())
        return json.loads(done.stdout)
    return scored


def test_rounds_are_found_recognised_and_expected(scores):
    found = scores(6, "seedlike")
    onset, sessions = found["onset"], found["sessions"]
    assert onset["recall"] > 0.97 and onset["fa_per_day"] < 1 and onset["lat_p50"] < 5
    assert onset["onset_err_p50"] < 2
    assert sessions["by6"] > 0.5 and sessions["hit_from_5th"] > 0.5
    assert sessions["perr_p50"] < 0.02


def test_small_spikes_among_noise_and_shifts_are_found(scores):
    found = scores(6, "mixed", "--hard")
    assert found["onset"]["recall"] > 0.9 and found["onset"]["fa_per_day"] < 2


def test_what_does_not_recur_is_not_recognised(scores):
    found = scores(8, "null", "--hard")
    assert found["trace_yesno"]["false_recognitions"] <= 1
    assert found["null_armed_duty"] < 0.01
