"""`stakeout report` on folders as they are stored: what it writes, where it finds the baseline, what
it reads, and how it ends."""
import html.parser
import json
import os
import shutil
import subprocess

import pytest

import harness
import incident_maker

# What HTML lets one leave out the end of, and what ends it.
ENDED = {"td": {"td", "th", "tr", "tbody", "table"}, "th": {"td", "th", "tr", "tbody", "thead", "table"},
         "tr": {"tr", "tbody", "thead", "table"}, "tbody": {"table"}, "li": {"li", "ul", "ol"}}
VOID = {"meta", "link", "input", "br", "img", "hr", "wbr", "col"}


@pytest.fixture(scope="module", name="made")
def fixture_made(tmp_path_factory):
    root = str(tmp_path_factory.mktemp("incidents"))
    subprocess.run(["/usr/bin/python3", os.path.join(harness.HERE, "incident_maker.py"), root],
                   check=True, capture_output=True)
    return root


def folders(root, service):
    found = []
    for place, _, files in os.walk(os.path.join(root, f"service={service}")):
        if "incident.json" in files:
            found.append(place)
    return sorted(found)


def newest(root, service="games", kind="spike"):
    return [place for place in folders(root, service) if kind_of(place) == kind][-1]


def kind_of(folder):
    return incident_in(folder)["kind"]


def incident_in(folder):
    return json.loads(harness.read(os.path.join(folder, "incident.json")))


def report(*arguments):
    return subprocess.run([harness.BINARY, "report", *arguments], capture_output=True, text=True,
                          timeout=harness.PATIENCE_S, check=False)


def page_of(folder):
    return harness.read(os.path.join(folder, "report.html")).decode("utf-8")


class Outline(html.parser.HTMLParser):
    """Fails on what is not closed in order; keeps what the page asks the network for."""

    def __init__(self):
        super().__init__()
        self.open, self.addresses, self.names, self.scripts, self.titles = [], [], [], 0, 0

    def end_before(self, tag):
        while self.open and tag in {"td", "th", "tr", "tbody", "li"} & ENDED.get(self.open[-1], set()):
            if self.open.pop() == tag:
                break

    def handle_starttag(self, tag, attrs):
        self.end_before(tag)
        given = dict(attrs)
        assert len(given) == len(attrs), f"an attribute of <{tag}> is there twice: {attrs}"
        assert not [name for name in given if name.startswith("on") or name == "style"], attrs
        self.addresses += [given[name] for name in ("src", "href", "action", "data") if given.get(name)]
        self.names += [given["id"]] if "id" in given else []
        self.scripts += tag == "script"
        self.titles += tag == "h1"
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        while self.open[-1] != tag and tag in ENDED.get(self.open[-1], ()):
            self.open.pop()
        assert self.open and self.open[-1] == tag, f"</{tag}> within {self.open[-4:]}"
        self.open.pop()


def outline(text):
    found = Outline()
    found.feed(text)
    found.close()
    assert not found.open
    return found


def test_every_page_is_well_formed_and_needs_nothing(made):
    looked_at = 0
    for service in ("games", "billing", "hostile", "search"):
        for folder in folders(made, service):
            done = report(folder)
            assert done.returncode == 0, done.stderr
            page = outline(page_of(folder))
            assert len(page_of(folder)) < 500_000
            assert page.titles == 1 and page.scripts >= 1
            assert len(page.names) == len(set(page.names))
            assert not [to for to in page.addresses if not to.startswith(("#", "data:,"))], "no network"
            looked_at += 1
    assert looked_at > 15


def test_again_is_the_same_again_and_the_rest_of_the_json_stays(made, tmp_path):
    folder = shutil.copytree(newest(made), tmp_path / "one")
    path = os.path.join(folder, "incident.json")
    before = incident_in(folder)
    before["fleet"] = {"seen_by": 12}
    with open(path, "w", encoding="ascii") as file:
        json.dump(before, file)
    assert report(str(folder)).returncode == 0
    first, page = harness.read(path), page_of(folder)
    assert report(str(folder)).returncode == 0
    assert (harness.read(path), page_of(folder)) == (first, page)
    after = json.loads(first)
    assert after["headline"].startswith("CPU rose from 12% to 98%")
    assert after["fleet"] == {"seen_by": 12}
    assert after["sparkline"]["metric"] == "cpu" and len(after["sparkline"]["values"]) == 60
    assert {key: value for key, value in after.items() if key in before and key != "headline"}.items() \
        >= {key: before[key] for key in ("id", "trigger", "profiles", "metrics")}.items()
    assert sorted(os.listdir(folder)) == sorted(set(os.listdir(newest(made))) | {"report.html"})


def test_the_baseline_is_found_where_it_is_stored_or_given(made, tmp_path):
    spike, calm = newest(made), newest(made, kind="baseline")
    name = os.path.basename(calm)
    assert report(spike).returncode == 0
    assert f"Compared with the calm moment <code>{name}</code>" in page_of(spike)
    alone = str(shutil.copytree(spike, tmp_path / "alone"))
    assert report(alone).returncode == 0
    assert f"the baseline {name} is not stored beside it" in page_of(alone)
    assert report("--baseline", calm, alone).returncode == 0
    assert f"Compared with the calm moment <code>{name}</code>" in page_of(alone)
    shutil.copytree(calm, tmp_path / "state" / name)
    assert report("--baselines", str(tmp_path / "state"), alone).returncode == 0
    assert f"Compared with the calm moment <code>{name}</code>" in page_of(alone)
    done = report("--baseline", str(tmp_path / "nowhere"), alone)
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


def test_what_is_no_incident_is_one_line(made, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "incident.json").write_text("{")
    for folder in ("empty", "broken", "missing"):
        done = report(str(tmp_path / folder))
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1 and folder in done.stderr
        assert not (tmp_path / folder / "report.html").exists()
    assert report().returncode == 2
    assert report("--memory", "1MiB", newest(made)).returncode == 2


def test_a_suspect_that_others_wrote_is_shown_as_it_is_stored(tmp_path):
    """incident.json from the format's description: without a headline, its profiles not at hand."""
    name = "20261123T150401Z-cpu-high-1a2b3c"
    written = {
        "schema": 1, "id": name, "service": "woogles", "app": "app", "kind": "spike",
        "trigger": {"name": "cpu-high", "metric": "cpu", "value": 93.1, "limit": 80,
                    "reason": "cpu 93.1% above 80% for 10 s"},
        "onset": "2026-11-23T15:03:51.000Z", "fired": "2026-11-23T15:04:01.000Z",
        "finished": "2026-11-23T15:04:31.000Z", "agent": {"version": "1"},
        "target": {"container": "api"},
        "profiles": [{"name": "cpu", "file": "cpu.pb.gz", "status": "ok", "seconds": 25,
                      "bytes": 8123, "attempts": 1, "onset_covered": True, "error": None}],
        "metrics": {"file": "metrics.csv", "peak": {"cpu": 97.2}},
        "suspect": {"function": "liwords/game.(*Store).Streak", "profile": "cpu", "sample": "cpu",
                    "cum_percent": 61.2, "baseline_percent": 0.3, "delta_points": 60.9,
                    "path": ["main.main", "liwords/game.(*Store).Streak"], "why": "it grew most"},
        "runners_up": [{"function": "main.other", "cum_percent": 12.0, "delta_points": 9.1}],
        "explained": {"profile_cpu_s": 22.9, "container_cpu_s": 24.1, "percent": 95}}
    folder = tmp_path / "service=woogles" / "date=2026-11-23" / name
    folder.mkdir(parents=True)
    (folder / "incident.json").write_text(json.dumps(written))
    shown = harness.run("show", f"{tmp_path}/{name}")
    assert shown.returncode == 0 and "(*Store).Streak" in shown.stdout, shown.stderr
    assert "share      61.2% of the CPU time, 0.3% on a calm day" in shown.stdout
    stored = json.loads(harness.run("show", "--json", f"{tmp_path}/{name}").stdout)
    assert {key: stored[key] for key in written} == written


def test_what_is_damaged_is_told(made, tmp_path):
    folder = shutil.copytree(newest(made), tmp_path / os.path.relpath(newest(made), made))
    whole = harness.read(folder / "cpu.pb.gz")
    (folder / "cpu.pb.gz").write_bytes(whole[:-40])
    os.remove(folder / "metrics.csv")
    done = report(str(folder))
    assert done.returncode == 0
    assert [name for line in done.stderr.splitlines() for name in ("cpu.pb.gz: it has", "metrics.csv: ")
            if name in line] == ["cpu.pb.gz: it has", "metrics.csv: "], done.stderr
    shown = subprocess.run([harness.BINARY, "show", str(folder)], capture_output=True, text=True,
                           timeout=harness.PATIENCE_S, check=False).stdout
    assert "damaged: it has" in shown and "were stored" in page_of(folder)
    assert report(newest(made)).stderr == ""


def test_links_do_not_lead_out_of_the_folder(made, tmp_path):
    folder = shutil.copytree(newest(made), tmp_path / "linked")
    os.remove(folder / "cpu.pb.gz")
    os.symlink(os.path.join(newest(made), "cpu.pb.gz"), folder / "cpu.pb.gz")
    assert report(str(folder)).returncode == 0
    assert "there is no file" in page_of(folder)


def test_what_does_not_fit_into_memory_is_said(made, tmp_path):
    folder = shutil.copytree(newest(made), tmp_path / os.path.relpath(newest(made), made))
    frames = [[f"app/pkg{a}.F{b}" for b in range(a, a + 12)] for a in range(9000)]
    incident_maker.pprof_maker.cpu([(stack, 1) for stack in frames]).write(folder / "cpu.pb.gz")
    if os.environ.get("STAKEOUT_SANITIZED") == "1":
        pytest.skip("AddressSanitizer needs more address space than there is memory")
    assert report("--memory", "48MiB", str(folder)).returncode == 0
    assert "is too large to analyse here" in incident_in(folder)["analysis_skipped"]
    assert "is too large to analyse here" in page_of(folder)
    outline(page_of(folder))
    assert "is left to a reader with more memory" in incident_in(folder)["no_suspect"]
    shown = subprocess.run([harness.BINARY, "show", "--json", str(folder)], capture_output=True,
                           text=True, timeout=harness.PATIENCE_S, check=False)
    assert shown.returncode == 0 and "analysis_skipped" not in json.loads(shown.stdout)
    assert report(str(folder)).returncode == 0
    assert "analysis_skipped" not in incident_in(folder)
