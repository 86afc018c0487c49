"""The source, the trigger and the exporter of CONTRIBUTING.md, built into the program and run."""
import json
import os
import re
import shlex
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

import harness

PAGE = os.path.join(harness.TREE, "CONTRIBUTING.md")
BUILD = os.environ.get("STAKEOUT_BUILD", "")
# Where a kind is made known: the header and the table of its sort.
HEADERS = {"sources": "source", "triggers": "trigger", "exporters": "exporter"}


def examples():
    """Path and text of each whole file on the page, and the configuration at its end."""
    page = harness.read(PAGE).decode()
    files = re.findall(r"`(\w+/\w+\.c)`:\n\n```c\n(.*?)```", page, re.S)
    return files, re.findall(r"```yaml\n(.*?)```", page, re.S)[-1]


def make_known(folder, text, header):
    """As the page says: in the header and in both tables of agent/kinds.c."""
    kinds = os.path.join(folder, "agent", "kinds.c")
    for path, name in re.findall(r"const struct (\w+)_kind (\w+) = {", text):
        original = harness.read(os.path.join(harness.TREE, header)).decode()
        declared, count = re.subn(f"(extern const struct {path}_kind )(?!\\*)", f"\\1{name}, ",
                                  original, count=1)
        assert count == 1, f"{header} declares no {path}_kind"
        os.makedirs(os.path.dirname(os.path.join(folder, header)), exist_ok=True)
        with open(os.path.join(folder, header), "w", encoding="utf-8") as out:
            out.write(declared)
        tables = harness.read(kinds).decode()
        for table, entry in ((f"{path}_kinds", f"&{name}"), (f"{path}s", f"&{name}.kind")):
            tables, count = re.subn(f"( {table}\\[\\] = {{)", f"\\1{entry}, ", tables)
            assert count == 1, f"agent/kinds.c has no table {table}"
        with open(kinds, "w", encoding="utf-8") as out:
            out.write(tables)


def link_command():
    """How this build links the program, as arguments."""
    try:
        said = subprocess.run(["ninja", "-C", BUILD, "-t", "commands", "stakeout"], text=True,
                              capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a build by ninja")
    last = said.strip().splitlines()[-1]
    return [word for word in shlex.split(last) if word not in (":", "&&")]


@pytest.fixture(scope="module")
def extended(tmp_path_factory):
    """The program with the page's three in it."""
    if not BUILD:
        pytest.skip("no build folder is named in $STAKEOUT_BUILD")
    folder = str(tmp_path_factory.mktemp("tree"))
    os.mkdir(os.path.join(folder, "agent"))
    with open(os.path.join(folder, "agent", "kinds.c"), "wb") as out:
        out.write(harness.read(os.path.join(harness.TREE, "agent", "kinds.c")))
    files, _ = examples()
    assert [path.split("/")[0] for path, _ in files] == list(HEADERS)
    for path, text in files:
        room = path.split("/")[0]
        make_known(folder, text, f"{room}/{HEADERS[room]}.h")
        with open(os.path.join(folder, path), "w", encoding="utf-8") as out:
            out.write(text)

    with open(os.path.join(BUILD, "compile_commands.json"), encoding="utf-8") as file:
        compiling = next(entry["command"] for entry in json.load(file)
                         if entry["file"].endswith("/agent/kinds.c"))
    compiling = shlex.split(compiling)
    for option in ("-o", "-c"):
        at = compiling.index(option)
        del compiling[at:at + 2]
    objects = []
    for path in ["agent/kinds.c", *(path for path, _ in files)]:
        objects.append(os.path.join(folder, path[:-1] + "o"))
        # The changed headers come before the tree's own.
        subprocess.run([compiling[0], f"-I{folder}", *compiling[1:], "-Werror", "-c",
                        os.path.join(folder, path), "-o", objects[-1]], check=True, cwd=BUILD)
    linking = link_command()
    linking[linking.index("-o") + 1] = program = os.path.join(folder, "stakeout")
    subprocess.run([linking[0], *objects, *linking[1:]], check=True, cwd=BUILD)
    return program


class NoProfiles(BaseHTTPRequestHandler):
    """An app that has none: they fail at once, and the incident is complete."""

    def do_GET(self):
        self.send_error(404)

    do_HEAD = do_GET

    def log_message(self, *_):
        pass


@pytest.fixture
def app():
    with ThreadingHTTPServer(("127.0.0.1", 0), NoProfiles) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def configured(tmp_path, app):
    """The page's configuration, with folders of this test."""
    _, text = examples()
    captures, lines = tmp_path / "captures", tmp_path / "lines"
    text = text.replace("/var/lib/stakeout/captures", str(captures))
    text = text.replace("/var/log/stakeout-incidents", str(lines))
    file = tmp_path / "stakeout.yaml"
    file.write_text(f"state: {tmp_path}/state\nbaseline: off\ncaptures: {{spike: [goroutine]}}\n"
                    + text.replace("localhost:6060", app))
    return file, lines


def run(program, *arguments):
    return subprocess.run([program, *arguments], text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, env=harness.clean_environment(), check=False)


def test_the_configuration_knows_them(extended, configured):
    printed = run(extended, "config", "-c", str(configured[0]))
    assert printed.returncode == 0, printed.stderr
    for line in ("source: loadavg", "from: 0.5", "lines:"):
        assert line in printed.stdout
    reference = run(extended, "config", "--reference").stdout
    assert "triggers.NAME.outside.from" in reference and "export.lines.path" in reference


def test_the_trigger_fires_outside_of_its_range(extended, configured, tmp_path):
    trace = tmp_path / "trace.csv"
    values = [2, 5.9, 6.1, 7, 3, 0.4, 1]
    rows = "".join(f"{1767225600 + 5 * i},{value}\n" for i, value in enumerate(values))
    trace.write_text("time,cpu.cores\n" + rows)
    result = run(extended, "replay", "-c", str(configured[0]), "--limits", "off", str(trace))
    fires = [event for event in map(json.loads, result.stdout.splitlines())
             if event["event"] == "fire"]
    assert [fire["value"] for fire in fires] == [6.1, 0.4], result.stdout + result.stderr
    assert "outside of" in fires[0]["reason"]


def test_the_source_measures_and_the_exporter_tells(extended, configured):
    file, lines = configured
    agent = subprocess.Popen([extended, "run", "-c", str(file)], text=True,
                             stderr=subprocess.PIPE, env=harness.clean_environment())
    try:
        def measured():
            status = run(extended, "status", "-c", str(file), "--json")
            return status.returncode == 0 and any(
                metric["name"] == "cpu.cores" for metric in json.loads(status.stdout)["metrics"])
        harness.wait_until(measured, "the load is measured")
        taken = run(extended, "capture", "-c", str(file), "--reason", "a look")
        harness.wait_until(lambda: lines.exists() and lines.read_text(), "a line is written")
        assert taken.stdout.strip() in lines.read_text()
    finally:
        agent.terminate()
        agent.communicate(timeout=60)
