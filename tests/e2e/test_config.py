"""`stakeout config`: what it prints, and how it refuses."""
import os
import subprocess

import pytest

from harness import BINARY, run

SMALL = """service: games
app: {debug: "http://user:HUNTER2@localhost:8001/debug/pprof"}
triggers: {busy: {metric: cpu, above: 80%}}
export: {s3: {bucket: woogles-profiles, path_style: yes}}
"""

# Each has one mistake, and somebody's password beside it.
WITH_SECRETS = [
    'app: {debug: "http://u:HUNTER2@"}',
    'app: {debug: "u:HUNTER2@localhost:8001"}',
    'app: {debug: "http://h", headers: {Authorization:HUNTER2}}',
    'app: {debug: "http://h", headers: {"Bearer HUNTER2"}}',
    'app: {debug: "http://h", headers: {Authorization: "${HUNTER2"}}',
    'app: {debug: "http://h"}\nexport: {s3: {bucket: "s3://u:HUNTER2@b"}}',
    'app: {debug: "http://h"}\nexport: {s3: {bucket: abc, endpoint: "http://u:HUNTER2@h"}}',
    'app: {debug: "http://h"}\ndatabase: {endpoint: "postgres://u:HUNTER2@h/db"}',
]


@pytest.fixture
def file(tmp_path):
    def write(text):
        path = tmp_path / "stakeout.yaml"
        path.write_text(text)
        return str(path)
    return write


def test_what_follows_from_other_values_is_printed(file):
    printed = run("config", "-c", file(SMALL))
    assert printed.returncode == 0, printed.stderr
    assert "    clear: 80%\n" in printed.stdout
    assert "    path_style: true\n" in printed.stdout
    assert "region" not in printed.stdout, "it is found when the agent runs"
    assert "HUNTER2" not in printed.stdout
    again = run("config", "-c", file(printed.stdout))
    assert again.stdout == printed.stdout


@pytest.mark.parametrize("text", WITH_SECRETS)
def test_no_secret_is_in_a_message(file, text):
    refused = run("config", "-c", file("service: games\n" + text + "\n"))
    assert refused.returncode == 2 and not refused.stdout
    assert refused.stderr and "HUNTER2" not in refused.stderr, refused.stderr


def test_only_one_thing_is_printed():
    refused = run("config", "--reference", "--schema")
    assert refused.returncode == 2 and not refused.stdout
    assert "only one" in refused.stderr


def test_a_pipe_without_a_writer_is_refused_at_once(tmp_path):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    refused = run("config", "-c", str(path), timeout=60)
    assert refused.returncode == 2
    assert "nobody writes to it" in refused.stderr


def test_a_pipe_is_read(file):
    path = file(SMALL)
    expected = run("config", "-c", path).stdout
    script = '"$0" config -c <(cat "$1") && cat "$1" | "$0" config -c /dev/stdin'
    piped = subprocess.run(["bash", "-c", script, os.environ["STAKEOUT"], path], text=True,
                           capture_output=True, timeout=60, check=False)
    assert piped.stdout == 2 * expected and expected, piped.stderr


@pytest.mark.parametrize("command", [("--version",), ("--help",), ("--man",), ("run", "-h"),
                                     ("config", "--reference")])
def test_what_cannot_be_printed_is_told(command):
    with open("/dev/full", "w", encoding="ascii") as full:
        result = subprocess.run([BINARY, *command], stdout=full, stderr=subprocess.PIPE, text=True,
                                check=False)
    assert result.returncode == 1
    assert "cannot write to standard output: No space left on device" in result.stderr
