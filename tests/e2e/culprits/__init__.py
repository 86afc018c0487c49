"""Small Go services, each with a planted culprit: built, put under a calm and under a spiking load,
profiled, and made into the folders of an incident and of its baseline."""
import collections
import concurrent.futures
import contextlib
import glob
import http.client
import json
import os
import shutil
import subprocess
import threading
import time

import pytest

import postgres

HERE = os.path.dirname(os.path.abspath(__file__))
PQ = "/usr/share/gocode/src/github.com/lib/pq"
SECONDS, CALM_SECONDS = 2, 1
ENOUGH_CPU_S = 0.5
EXACT = ("goroutines", "memory")  # metrics whose profiles do not depend on CPU time
FIRED_S = 1795446241  # 2026-11-23T15:04:01Z

# module, program, the metric that fires, what a person names (any of them), calm and spiking requests
Culprit = collections.namedtuple("Culprit", "module program metric named calm spike kind")

LIWORDS = ["/lobby", "/word", "/login"]
SHOP = ["/search", "/cart"]
FLEET = ["/positions"]
ACME = "github.com/acme/fleet/"
INTERNAL = "example.org/shop/internal/"

CULPRITS = [Culprit(*line) for line in (
    ("liwords", "rematches", "cpu", ["liwords/pkg/stores/game.(*DBStore).scan",
                                     "liwords/pkg/stores/game.(*DBStore).GetRematchStreak"],
     LIWORDS + ["/streak"], ["/round"], "JSON"),
    ("liwords", "chat", "cpu", ["liwords/pkg/chat.(*Filter).Clean"], LIWORDS, ["/say"],
     "regular expressions compiled in a loop"),
    ("liwords", "ranking", "cpu", ["liwords/pkg/ranking.(*Division).Standings",
                                   "liwords/pkg/ranking.(*Division).Standings.func1"],
     LIWORDS + ["/small"], ["/large"], "sorting"),
    ("liwords", "moves", "cpu", ["liwords/pkg/movegen.(*Generator).extend"], LIWORDS + ["/move"],
     ["/analysis"], "recursion"),
    ("liwords", "feed", "cpu", ["liwords/pkg/feed.Render"], LIWORDS + ["/game"], ["/archive"],
     "strings concatenated"),
    ("liwords", "auth", "cpu", ["liwords/pkg/auth.(*Hasher).derive",
                                "liwords/pkg/auth.(*Hasher).Check"], LIWORDS, ["/enter"], "hashing"),
    ("liwords", "events", "goroutines", ["liwords/pkg/events.(*Hub).Watch.func1"], LIWORDS,
     ["/watch"], "goroutine leak"),
    ("liwords", "cache", "memory", ["liwords/pkg/cache.(*Games).Remember"], LIWORDS, ["/show"],
     "leak in a map"),
    ("liwords", "presence", "goroutines", ["liwords/pkg/presence.(*Tracker).Touch"],
     LIWORDS + ["/ping"], ["/reconnect"], "a lock held over slow work"),
    ("liwords", "entrants", "db.received", ["liwords/pkg/stores/tournament.(*Store).Entrants"],
     LIWORDS + ["/count"], ["/entrants"], "database reads"),
    ("shop", "catalog", "cpu", [INTERNAL + "catalog.(*Catalog).Lookup"], SHOP + ["/few"],
     ["/product"], "vendored code called too often"),
    ("shop", "invoice", "cpu", [INTERNAL + "invoice.(*Invoice).Write"], SHOP, ["/month"],
     "templates"),
    ("shop", "export", "cpu", [INTERNAL + "export.cells", INTERNAL + "export.CSV"], SHOP,
     ["/export"], "reflection"),
    ("shop", "archive", "cpu", [INTERNAL + "archive.Snapshot"], SHOP, ["/snapshot"], "compression"),
    ("shop", "pricing", "cpu", [INTERNAL + "pricing.key", INTERNAL + "pricing.(*Engine).Quote"],
     SHOP + ["/price"], ["/list"], "Sprintf for keys"),
    ("shop", "orders", "cpu", [INTERNAL + "orders.(*Service).customer",
                               INTERNAL + "orders.(*Service).Summaries"], SHOP + ["/today"],
     ["/ever"], "N+1 look-ups"),
    ("shop", "newsletter", "cpu", [INTERNAL + "collections.Dedupe[...]"], SHOP + ["/team"],
     ["/everybody"], "generics, quadratic"),
    ("shop", "report", "cpu", [INTERNAL + "report.Smooth.func1"], SHOP + ["/day"], ["/year"],
     "closures"),
    ("shop", "images", "cpu", [INTERNAL + "images.(*Canvas).Clone",
                               INTERNAL + "images.(*Canvas).Label"], SHOP, ["/label"],
     "large copies"),
    ("shop", "recommend", "cpu", [INTERNAL + "recommend.plant", INTERNAL + "recommend.For"],
     SHOP + ["/soap"], ["/everything"], "garbage full of pointers"),
    ("shop", "inventory", "cpu", [INTERNAL + "inventory.(*Stock).Total"], SHOP + ["/shelf"],
     ["/store"], "iteration of a map"),
    ("fleet", "relay", "cpu", [ACME + "pipeline.(*Stage).forward"], FLEET + ["/one"], ["/all"],
     "channels"),
    ("fleet", "ingest", "cpu", [ACME + "ingest.(*Decoder).Decode"], FLEET + ["/few"], ["/many"],
     "logging in a loop"),
    ("fleet", "trace", "memory", [ACME + "trace.(*Recorder).Add"], FLEET, ["/follow"],
     "leak in a slice"),
    ("fleet", "geofence", "cpu", [ACME + "geo.(*Fence).Contains"], FLEET + ["/simple"],
     ["/detailed"], "a large polygon"),
    ("fleet", "stamps", "cpu", [ACME + "stamps.Parse", ACME + "stamps.All"], FLEET + ["/hour"], ["/year"],
     "times parsed by trying"),
    ("fleet", "manifest", "cpu", [ACME + "manifest.Pieces"], FLEET + ["/bike"], ["/ship"], "XML"),
    ("fleet", "route", "cpu", [ACME + "route.Network.Shorten"], FLEET + ["/town"], ["/country"],
     "a cubic loop"),
    ("fleet", "gateway", "goroutines", [ACME + "gateway.(*Fleet).Ask.func1"], FLEET, ["/ask"],
     "goroutines waiting below vendored code"),
    ("fleet", "dispatch", "cpu", [ACME + "dispatch.(*Board).Take"], FLEET + ["/driver"],
     ["/morning"], "work under a lock"),
)]


def build(folder):
    """Builds all programs below a copy of the tree; the folder of each module's programs."""
    for module in sorted({culprit.module for culprit in CULPRITS}):
        copy = os.path.join(folder, module)
        shutil.copytree(os.path.join(HERE, module), copy)
        if module == "liwords" and os.path.isdir(PQ):
            shutil.copytree(PQ, os.path.join(copy, "vendor", "github.com", "lib", "pq"))
        programs = [f"./cmd/{culprit.program}" for culprit in CULPRITS if culprit.module == module
                    and (culprit.program != "entrants" or os.path.isdir(PQ))]
        os.mkdir(os.path.join(copy, "bin"))
        environment = dict(os.environ, GO111MODULE="on", GOFLAGS="-mod=vendor", CGO_ENABLED="0")
        environment.setdefault("HOME", folder)
        subprocess.run(["go", "build", "-o", "bin/", *programs], check=True, cwd=copy,
                       env=environment)


class Service:
    """A running program."""

    def __init__(self, folder, culprit, environment=None):
        path = os.path.join(folder, culprit.module, "bin", culprit.program)
        self.process = subprocess.Popen([path], stdout=subprocess.PIPE, text=True,
                                        stderr=subprocess.DEVNULL,
                                        env=dict(os.environ, GOMAXPROCS="2", **(environment or {})))
        self.port = int(self.process.stdout.readline())

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            body = response.read()
            assert response.status == 200, (path, response.status, body[:200])
            return body
        finally:
            connection.close()

    @contextlib.contextmanager
    def load(self, paths, pause_s):
        """Requests one after the other, until it is left."""
        ending = threading.Event()

        def work():
            while not ending.is_set():
                for path in paths:
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        self.get(path)
                    ending.wait(pause_s)
        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()

    def profiles(self, seconds):
        with concurrent.futures.ThreadPoolExecutor() as pool:
            cpu = pool.submit(self.get, f"/debug/pprof/profile?seconds={seconds}")
            time.sleep(seconds * 0.8)  # the rest is as it is while the load is on
            taken = {"goroutine": self.get("/debug/pprof/goroutine"),
                     "heap": self.get("/debug/pprof/heap?gc=1")}
            return {"cpu": cpu.result(), **taken}

    def cpu_s(self):
        """CPU time that it has used."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def write_incident(folder, name, metric, profiles, baseline=None):
    """An incident's folder as the agent leaves it; its path."""
    trigger = "baseline" if baseline is None and name == "baseline" else "spike"
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(FIRED_S))
    at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(FIRED_S))
    end = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(FIRED_S + SECONDS))
    incident = {"schema": 1, "id": f"{stamp}-{trigger}-1a2b3c", "service": "culprit", "app": "app",
                "kind": trigger, "trigger": {"name": trigger, "metric": metric, "value": 1},
                "fired": at, "profiles": []}
    if baseline:
        incident["baseline"] = f"{stamp}-baseline-1a2b3c"
    path = os.path.join(folder, name)
    os.makedirs(path)
    for profile, content in profiles.items():
        file = f"{profile}.pb.gz"
        with open(os.path.join(path, file), "wb") as out:
            out.write(content)
        incident["profiles"].append({
            "name": profile, "file": file, "status": "ok", "requested": at, "finished": end,
            "bytes": len(content), "attempts": 1, "error": None,
            **({"seconds": SECONDS} if profile == "cpu" else {})})
    with open(os.path.join(path, "incident.json"), "w", encoding="utf-8") as out:
        json.dump(incident, out)
    return path


def record(binaries, culprit, folder, environment=None, busy=False):
    """Runs the program, calm and spiking; leaves baseline, with and alone in the folder. A busy one
    has much else to do on a calm day as well, and the culprit is asked for by one client only."""
    service = Service(binaries, culprit, environment)
    calm_pauses, spike_pauses = ([0, 0.002, 0.002], [0.01]) if busy else ([0.01], [0, 0])
    try:
        with contextlib.ExitStack() as loads:
            for pause_s in calm_pauses:
                loads.enter_context(service.load(culprit.calm, pause_s))
            calm = service.profiles(CALM_SECONDS)
            for pause_s in spike_pauses:
                loads.enter_context(service.load(culprit.spike, pause_s))
            before = service.cpu_s()
            spiking = service.profiles(SECONDS)
            if culprit.metric not in EXACT and service.cpu_s() - before < ENOUGH_CPU_S:
                spiking = service.profiles(SECONDS * 4)  # the machine is busy with others
    finally:
        service.close()
    write_incident(folder, "baseline", culprit.metric, calm)
    write_incident(folder, "with", culprit.metric, spiking, "baseline")
    write_incident(folder, "alone", culprit.metric, spiking)


def judge(stakeout, culprit, folder):
    """What the report names, with the baseline and alone: (outcome, suspect or why none) each."""
    outcomes = {}
    for name, options in (("with", ["--baseline", os.path.join(folder, "baseline")]),
                          ("alone", [])):
        path = os.path.join(folder, name)
        subprocess.run([stakeout, "report", *options, path], check=True)
        with open(os.path.join(path, "incident.json"), encoding="utf-8") as file:
            incident = json.load(file)
        suspect = incident.get("suspect")
        outcome = "none" if not suspect else "right" if suspect["function"] in culprit.named \
            else "wrong"
        if not suspect and "samples, which say little" in incident["no_suspect"]:
            outcome = "starved"  # the machine gave the program too little to judge by
        outcomes[name] = (outcome, suspect["function"] + ": " + suspect["why"] if suspect
                          else incident["no_suspect"])
    return outcomes


def recorded(folder):
    """The culprits whose incidents are in the folder."""
    return [culprit for culprit in CULPRITS
            if glob.glob(os.path.join(folder, culprit.program, "alone"))]


@contextlib.contextmanager
def database():
    """The environment with PostgreSQL for the program that reads it; empty where there is none."""
    try:
        server = postgres.Server() if os.path.isdir(PQ) else None
    except pytest.skip.Exception:
        server = None
    if not server:
        yield {}
        return
    with contextlib.closing(server):
        yield {"DATABASE": f"postgres://stakeout@127.0.0.1:{server.port}/postgres?sslmode=disable"}


def record_all(folder, busy=False):
    """Builds and records every program that can run here, two at a time."""
    binaries = os.path.join(folder, "binaries")
    os.makedirs(binaries)
    build(binaries)
    with database() as environment, concurrent.futures.ThreadPoolExecutor(2) as pool:
        chosen = [culprit for culprit in CULPRITS if culprit.program != "entrants" or environment]
        list(pool.map(lambda culprit: record(binaries, culprit, os.path.join(
            folder, culprit.program), environment, busy), chosen))


def judge_all(stakeout, folder):
    """Counts of right, none and wrong, with the baseline and alone; and a line for what is not right."""
    counts = {"with": collections.Counter(), "alone": collections.Counter()}
    said = []
    for culprit in recorded(folder):
        judged = judge(stakeout, culprit, os.path.join(folder, culprit.program))
        for name, (outcome, text) in judged.items():
            counts[name][outcome] += 1
            if outcome != "right":
                said.append(f"{culprit.program} ({culprit.kind}) {name}: {outcome}: {text}")
    return counts, said
