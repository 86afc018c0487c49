"""Profiles of a real Go service, merged; the judge is what `go tool pprof` makes of the same ones."""
import os
import subprocess

import pytest

import harness

KINDS = ["profile?seconds=1", "heap", "allocs", "goroutine", "block"]


@pytest.fixture
def service(start_service):
    return start_service()


@pytest.fixture
def folder(tmp_path):
    return str(tmp_path)


def store(folder, name, content):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(content)
    return path


def fetch(service, folder, kind, count=3):
    """Files with so many profiles of a kind, one after the other."""
    paths = []
    for number in range(count):
        service.burn(1)
        status, content = service.get(f"/debug/pprof/{kind}")
        assert status == 200, content
        paths.append(store(folder, f"{kind.partition('?')[0]}-{number}.pb.gz", content))
    return paths


def pprof(folder, *arguments):
    environment = harness.clean_environment({"PPROF_TMPDIR": folder})
    return subprocess.run(["go", "tool", "pprof", *arguments], check=True, text=True,
                          capture_output=True, env=environment, cwd=folder).stdout


def merge(output, *arguments):
    result = harness.run("merge", "-o", output, *arguments)
    assert result.stdout == ""
    return result


def refused(result, *says):
    """It failed with one line that says all of this."""
    assert result.returncode == 1, result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for text in says:
        assert text in result.stderr, result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_profiles_merge_as_pprof_merges_them(service, folder, kind):
    slices = fetch(service, folder, kind)
    ours = os.path.join(folder, "ours.pb.gz")
    result = merge(ours, *slices)
    assert result.returncode == 0, result.stderr
    for report in (["-top", "-nodecount=10000"], ["-top", "-cum"], ["-raw"]):
        assert pprof(folder, *report, ours) == pprof(folder, *report, *slices)
    if kind.startswith("profile"):
        assert harness.CULPRIT in pprof(folder, "-top", ours)
        assert "Duration: 3." in pprof(folder, "-top", ours)


def test_the_output_may_be_one_of_the_inputs(service, folder):
    one, two = fetch(service, folder, "goroutine", 2)
    both = pprof(folder, "-raw", one, two)
    assert merge(one, one, two).returncode == 0
    assert pprof(folder, "-raw", one) == both
    assert sorted(os.listdir(folder)) == ["goroutine-0.pb.gz", "goroutine-1.pb.gz"]


def test_what_cannot_be_merged_is_said_and_leaves_the_output_alone(service, folder):
    cpu, = fetch(service, folder, "profile?seconds=1", 1)
    heap, = fetch(service, folder, "heap", 1)
    cut = store(folder, "cut.pb.gz", harness.read(cpu)[:-20])
    page = store(folder, "page.pb.gz", b"<html>login</html>")
    output = store(folder, "out.pb.gz", b"as it was")
    refused(merge(output, cpu, heap), heap, "cpu/nanoseconds", "inuse_space/bytes")
    refused(merge(output, cpu, cut), cut, "ends in the middle")
    refused(merge(output, page), page, "not in pprof's format")
    refused(merge(output, cpu, cpu + "-gone"), cpu + "-gone", "No such file")
    refused(merge(output, "--limit", "1000", heap), heap, "1000 bytes")
    refused(merge(os.path.join(folder, "nowhere", "out"), cpu), "nowhere/out")
    assert harness.read(output) == b"as it was"
    assert harness.hidden_below(folder) == []


def test_the_command_line_is_checked(folder):
    for arguments in ([], ["-o", "out"], ["in"], ["-o", "out", "--limit", "0", "in"],
                      ["-o", "out", "--limit", "many", "in"]):
        result = harness.run("merge", *arguments, cwd=folder)
        assert result.returncode == 2, result.stderr
        assert "stakeout merge -h" in result.stderr
    assert os.listdir(folder) == []
