"""`stakeout top`; the judge is `go tool pprof -top`, to the byte: of real Go programs' profiles of every kind, of odd
ones that are made here, and of what the fuzzers keep."""
import glob
import gzip
import json
import os
import pty
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

import harness
from odd_profiles import Odd, field, message, options

KINDS = ["cpu", "heap", "allocs", "goroutine", "mutex", "block", "threadcreate"]
TESTS = os.path.join(harness.TREE, "tests")
ODD_COUNT = 40 if harness.SANITIZED else 300
ODD_SEED = 20000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return str(tmp_path_factory.mktemp("top"))


@pytest.fixture(scope="module")
def profiles(folder):
    """Two folders of profiles of every kind, of the same program, which worked longer for the first."""
    binary = os.path.join(folder, "kinds")
    environment = harness.clean_environment({"GO111MODULE": "off", "GOFLAGS": "", "CGO_ENABLED": "0"})
    subprocess.run(["go", "build", "-o", binary, os.path.join(harness.HERE, "kinds", "main.go")], check=True,
                   env=environment)
    folders = [os.path.join(folder, name) for name in ("long", "short")]
    for path, rounds in zip(folders, ["25", "8"]):
        os.mkdir(path)
        subprocess.run([binary, path, rounds], check=True)
    return folders


def write(path, content):
    with open(path, "wb") as file:
        file.write(content)


def in_utc(extra=None):
    return harness.clean_environment({"TZ": "UTC", "HOME": "/nonexistent", **(extra or {})})


@pytest.fixture(scope="module")
def pprof():
    """Runs pprof; without the go command around it, which takes as long again."""
    path = subprocess.run(["go", "tool", "-n", "pprof"], check=True, capture_output=True, text=True).stdout.strip()

    def run(*arguments, environment=None):
        return subprocess.run([path, "-top", *arguments], capture_output=True, check=False,
                              env=environment or in_utc())
    return run


def top(*arguments, environment=None, **more):
    return subprocess.run([harness.BINARY, "top", *arguments], capture_output=True, check=False, timeout=60,
                          env=environment or in_utc(), **more)


def refused(result, *says):
    """It failed with one line that says all of this."""
    assert result.returncode == 1, result.stderr
    assert result.stdout == b""
    lines = result.stderr.decode().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("stakeout top: ")
    for text in says:
        assert text in lines[0]


def differs(pprof, theirs, ours, path):
    """What is wrong with our answer; None: it is pprof's. What pprof refuses we refuse, in one line."""
    judge, result = pprof(*theirs, path), top(*ours, path)
    if judge.returncode != 0:
        if result.returncode == 1 and result.stderr.count(b"\n") == 1:
            return None
        return f"{path} {theirs}: pprof says {judge.stderr}, we {result.stdout} {result.stderr}"
    if (result.returncode, result.stdout) == (0, judge.stdout):
        return None
    return f"{path} {theirs} {ours}:\n{judge.stdout.decode(errors='replace')}\n" \
           f"{result.stdout.decode(errors='replace')}{result.stderr}"


def assert_same(pprof, cases):
    with ThreadPoolExecutor(2) as pool:
        problems = [problem for problem in pool.map(lambda case: differs(pprof, *case), cases) if problem]
    assert not problems, f"{len(problems)} of {len(cases)}:\n{problems[0]}"


def types_of(path):
    result = subprocess.run(["go", "tool", "pprof", "-raw", path], check=True, capture_output=True, text=True,
                            env=in_utc())
    line = result.stdout.split("Samples:\n")[1].splitlines()[0]
    return [part.split("/")[0] for part in line.split()]


@pytest.mark.parametrize("kind", KINDS)
def test_go_programs(pprof, profiles, kind):
    path, base = (os.path.join(folder, kind) for folder in profiles)
    cases = [([], []), (["-cum"], ["--cum"]), (["-nodecount=7"], ["-n", "7"]),
             (["-nodefraction=0"], ["--node-fraction", "0"]),
             (["-nodefraction=0.05", "-cum"], ["--node-fraction=0.05", "--cum"]),
             (["-base", base], ["--base", base]),
             (["-base", base, "-cum", "-nodecount=20"], ["--base", base, "--cum", "-n20"])]
    for name in types_of(path):
        cases.append(([f"-sample_index={name}"], ["--sample", name]))
        cases.append(([f"-sample_index={name}", "-base", base, "-nodefraction=0"],
                      ["--sample", name, "--base", base, "--node-fraction", "0"]))
    assert_same(pprof, [(*case, path) for case in cases])
    if kind == "cpu":
        printed = top(path, "--node-fraction=0").stdout.decode()
        for name in ("main.fibonacci", "main.addThree", "main.Sum[...]", "encoding/json."):
            assert name in printed
        assert "inline)" in printed


def test_other_time_zones(pprof, profiles):
    path = os.path.join(profiles[0], "cpu")
    for zone in ("Europe/Zurich", "Asia/Kolkata", "America/Sao_Paulo", ""):
        environment = in_utc({"TZ": zone})
        assert top(path, environment=environment).stdout == pprof(path, environment=environment).stdout


def test_odd_profiles(pprof, folder):
    """Made at random, with every field that counts and values of all sizes; with and without a base."""
    cases = []
    for seed in range(ODD_SEED, ODD_SEED + ODD_COUNT):
        path, odd, chooser = os.path.join(folder, str(seed)), Odd(seed), random.Random(seed)
        write(path, odd.make())
        theirs, ours = options(chooser, odd.types)
        if chooser.random() < 0.4:
            like = odd if chooser.random() < 0.95 else None
            write(path + ".base", Odd(-seed, like).make())
            theirs, ours = theirs + ["-base", path + ".base"], ours + ["--base", path + ".base"]
        cases.append((theirs, ours, path))
    assert_same(pprof, cases)


def test_what_fuzzers_keep(pprof, folder):
    cases = []
    for corpus in ("profile", "profile_check", "top"):
        for path in sorted(glob.glob(os.path.join(TESTS, "fuzz", "corpus", corpus, "*"))):
            copy = os.path.join(folder, f"{corpus}-{os.path.basename(path)}")
            write(copy, harness.read(path)[1 if corpus == "top" else 0:])
            cases += [([], [], copy), (["-base", copy], ["--base", copy], copy)]
    assert len(cases) > 10
    assert_same(pprof, cases)


def test_fixtures(pprof):
    cases = [([], [], path) for path in sorted(glob.glob(os.path.join(TESTS, "fixtures", "profiles", "*.pb.gz")))]
    assert cases
    assert_same(pprof, cases)


def test_standard_input_and_files_that_are_not_there(profiles):
    path = os.path.join(profiles[0], "heap")
    with open(path, "rb") as file:
        assert top("-", stdin=file).stdout == top(path).stdout
    out, into = os.pipe()
    with open(path, "rb") as file, os.fdopen(into, "wb") as pipe, os.fdopen(out, "rb") as end:
        content = file.read()
        assert len(content) < 60000
        pipe.write(content)
        pipe.close()
        assert top("-", stdin=end).stdout == top(path).stdout
    refused(top("/nonexistent/profile"), "/nonexistent/profile", "No such file")
    refused(top(os.path.dirname(path)), "directory")
    refused(top("--base", "/nonexistent/base", path), "/nonexistent/base")


def test_json(profiles):
    path = os.path.join(profiles[0], "heap")
    result = top("--json", "-n", "3", "--sample", "alloc_space", path)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    assert (told["type"], told["unit"], told["file"]) == ("alloc_space", "bytes", "kinds")
    assert len(told["functions"]) == 3 < told["functions_total"]
    first = told["functions"][0]
    assert set(first) == {"name", "inlined", "flat", "flat_percent", "cum", "cum_percent"}
    assert told["total"] >= first["flat"] > 0
    assert first["flat_percent"] == pytest.approx(first["flat"] / told["total"] * 100, abs=0.006)


def test_the_command_line():
    for arguments in ([], ["a", "b"], ["-n", "-1", "a"], ["-n", "x", "a"], ["--node-fraction", "nan", "a"],
                      ["--limit", "0", "a"], ["--limit", "many", "a"], ["--base", "-", "-"], ["--unknown", "a"]):
        result = top(*arguments)
        assert result.returncode == 2, arguments
        assert result.stderr.count(b"\n") == 1


def simple(functions, extra=b""):
    """A profile with one sample in each of some functions."""
    strings = ["", "cpu", "count", *functions]
    out = message(1, field(1, 1) + field(2, 2)) + extra
    for number, _ in enumerate(functions, 1):
        out += message(5, field(1, number) + field(2, number + 2) + field(3, number + 2))
        out += message(4, field(1, number) + message(4, field(1, number)))
        out += message(2, field(1, number) + field(2, 1))
    return out + b"".join(message(6, text if isinstance(text, bytes) else text.encode()) for text in strings)


def stored(folder, name, content):
    path = os.path.join(folder, name)
    write(path, content)
    return path


def test_hostile_profiles(folder):
    large = gzip.compress(b"\x00" * (70 << 20))
    refused(top(stored(folder, "bomb", large)), "inflates to more")
    refused(top(stored(folder, "empty", b"")), "is empty")
    refused(top(stored(folder, "text", b"goroutine profile: total 5\n")), "the profile is damaged",
            "is it a profile in pprof's format?")
    whole = gzip.compress(simple(["main.main"]))
    refused(top(stored(folder, "half", whole[:len(whole) // 2])), "in the middle")
    refused(top("--limit", "10", stored(folder, "small", simple(["main.main"]))), "10")
    refused(top("--sample", "wall", stored(folder, "one", whole)), '"wall"', "cpu")
    refused(top("--sample", "7", stored(folder, "one", whole)), '"7"')


def test_hostile_expressions_end(folder):
    """What takes other engines for ever, in drop_frames."""
    names = [f"{'a' * 3000}{number}" for number in range(300)]
    for pattern in ("(a*)*(a*)*b", "((a{1,30}){1,30})*b", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b", "(a|b|ab)*c"):
        data = simple([*names, pattern], field(7, len(names) + 3))
        result = top(stored(folder, "pattern", data))
        if result.returncode != 0:
            refused(result, "drop_frames takes too long")


def on_terminal(*arguments):
    """What it prints on a terminal."""
    control, terminal = pty.openpty()
    with os.fdopen(control, "rb", buffering=0) as screen:
        with os.fdopen(terminal, "wb") as end:
            process = subprocess.Popen([harness.BINARY, "top", *arguments], stdout=end, env=in_utc())
        printed = b""
        while True:
            try:
                block = screen.read(4096)
            except OSError:
                break
            if not block:
                break
            printed += block
        assert process.wait() == 0
    return printed


def test_names_cannot_steer_a_terminal(pprof, folder):
    names = ["main.\x1b[31mred", "two\nlines", "turned\u202earound", b"stray\xff"]
    path = stored(folder, "names", simple(names))
    assert top(path).stdout == pprof(path).stdout
    printed = on_terminal(path)
    for forbidden in (b"\x1b", b"\xff", "\u202e".encode(), b"two\r\nlines"):
        assert forbidden not in printed
    for spelled in (rb"\x1b[31mred", rb"two\nlines", rb"\xff"):
        assert spelled in printed
