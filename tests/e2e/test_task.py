"""A task as it really is: the image beside a Go service and PostgreSQL, in containers that share a network namespace with
a metadata endpoint, an S3 server and CloudWatch's stand-in, each with limits; without a root to write to, a user of rights
or a capability."""
import csv
import io
import json
import os
import re
import shutil
import subprocess
import tempfile
import urllib.request

import pytest

import containers
import harness
import postgres
import stakeout_image
import storage
from cloudwatch import CloudWatch, make_old
from containers import Container
from ecs_metadata import EcsMetadata
from harness import wait_until

pytestmark = pytest.mark.skipif(harness.SANITIZED, reason="the image has a build of its own")

METADATA = "169.254.170.2"
PATIENCE_S = 60
RSS_KB = 7000  # after HTTPS, without database.statements and cloudwatch
CORES = 0.4
[SIDECAR] = [one for one in json.loads(harness.read(os.path.join(harness.TREE, "deploy/ecs/fargate.json")))["containerDefinitions"]
             if one["name"] == "stakeout"]
HEALTH_CHECK = SIDECAR["healthCheck"]["command"][1:]
STATE = SIDECAR["mountPoints"][0]["containerPath"]
INSTANCE = "games-prod"
PASSWORD = "games!secret"
CONFINED = ["--read-only", "--read-only-tmpfs=false", "--cap-drop=all", "--security-opt=no-new-privileges"]


@pytest.fixture(scope="module")
def podman(tmp_path_factory, service_binary):
    made = containers.Podman(tmp_path_factory.mktemp("podman"))
    try:
        made.host = made.import_host()
        made.require()
        made.import_image("api", files={"service": service_binary})
        stakeout_image.make(made)
        yield made
    finally:
        made.close()


@pytest.fixture(scope="module")
def namespace(podman):
    made = containers.Namespace(METADATA)
    yield made
    made.close()


@pytest.fixture(scope="module")
def bucket(namespace, tmp_path_factory):
    """The S3 server, inside the task's network, with its keys as a task role's."""
    folder = tmp_path_factory.mktemp("s3")
    os.chmod(folder, 0o755)
    server = storage.S3Server(str(folder / "server"), sts="on")
    yield server
    server.close()


class Task:
    """The containers of one task. `stakeout` is confined as deploy/ecs/fargate.json says."""

    def __init__(self, podman, namespace, bucket, prefix, authority, **changes):
        self.podman, self.bucket, self.prefix, self.authority = podman, bucket, prefix, authority
        self.ports = {name: harness.free_port() for name in ("api", "database")}
        self.namespace, self.started, self.folders, self.endpoint = namespace, [], [], None
        self.keys = bucket.session()
        self.config = {
            "service": "games",
            "interval": "500ms",
            "app": {"debug": f"http://localhost:{self.ports['api']}/debug/pprof", "container": "api"},
            "database": {"endpoint": f"localhost:{self.ports['database']}"},
            "triggers": {"cpu-high": {"metric": "cpu", "above": "25%", "for": "1s"}},
            "captures": {"spike": [{"profile": "cpu", "seconds": 3}, "heap", "goroutine"]},
            "baseline": "off",
            "export": {"s3": {"bucket": bucket.bucket, "prefix": prefix,
                              "endpoint": f"https://localhost:{bucket.tls_port}"}},
            **changes}
        if not authority.startswith("/etc/ssl/certs/"):
            self.config["export"]["s3"]["ca_file"] = authority

    def container(self, name, image, *options, command=()):
        made = Container(self.podman, name, image, *options, command=command, namespace=self.namespace)
        self.started.append(made)
        return made

    def start(self):
        self.api = self.container(
            "api", "api", *CONFINED, f"--cpus={CORES}", "--memory=128m", "--user=1000:1000",
            command=["/service", "-listen", f"127.0.0.1:{self.ports['api']}"])
        key, secret, token = self.keys
        self.endpoint = EcsMetadata(
            {"api": self.api.cgroup, "stakeout": None}, cpu=CORES, memory_mib=128, address=METADATA, port=80, interface="lo",
            credentials={"RoleArn": "arn:aws:iam::123456789012:role/games", "AccessKeyId": key, "SecretAccessKey": secret,
                         "Token": token, "Expiration": "2099-01-01T00:00:00Z"})
        self.stakeout = self.container(
            "stakeout", "stakeout", *CONFINED, "--cpus=0.25", f"--memory={SIDECAR['memory']}m", "--pids-limit=32",
            "-v", f"{self.bucket.settings['S3_CA_FILE']}:{self.authority}:ro",
            "-e", f"ECS_CONTAINER_METADATA_URI_V4={self.endpoint.uri}", "-e", "AWS_REGION=us-east-1",
            "-e", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=/v2/credentials/1a2b",
            "-e", "STAKEOUT_CONFIG=" + json.dumps(self.config), "-e", f"STAKEOUT_DB_PASSWORD={PASSWORD}")
        return self.wait_healthy()

    def wait_healthy(self):
        wait_until(lambda: self.stakeout.run(*HEALTH_CHECK).returncode == 0,
                   lambda: "the health check passes; the log:\n" + self.stakeout.log, PATIENCE_S)
        self.wait_status(lambda status: any(metric["name"] == "cpu" for metric in status["metrics"]), "cpu is measured")
        return self

    def wait_status(self, condition, what):
        def looked():
            status = json.loads(self.stakeout.run("/stakeout", "status", "--json").stdout or "{}")
            return status if status and condition(status) else None
        return wait_until(looked, lambda: f"{what}; the log:\n{self.stakeout.log}", PATIENCE_S)

    def ask(self, path):
        """A request to the service, from within the task."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports['api']}{path}", timeout=PATIENCE_S) as answer:
            assert answer.status == 200

    def incidents(self):
        """What is complete in the bucket: {id: (incident.json, {file: content})}."""
        keys = self.bucket.objects(self.prefix)
        found = {}
        for key in keys:
            if key.endswith("/incident.json"):
                folder = key.rsplit("/", 1)[0]
                files = {other.rsplit("/", 1)[1]: self.bucket.content(other) for other in keys
                         if other.startswith(folder + "/")}
                incident = json.loads(files["incident.json"])
                if "late_added" not in incident["metrics"]:  # else its times are make_old's
                    harness.check_incident(incident, files)
                found[incident["id"]] = (incident, files)
        return found

    def wait_incident(self, incident_id):
        return wait_until(lambda: self.incidents().get(incident_id),
                          lambda: f"{incident_id} is in the bucket; the log:\n{self.stakeout.log}", PATIENCE_S)

    def close(self):
        for made in self.started:
            made.remove()
        self.started.clear()
        for folder in self.folders:
            shutil.rmtree(folder)
        self.folders.clear()
        if self.endpoint:
            self.endpoint.close()
            self.endpoint = None


@pytest.fixture
def make_task(podman, namespace, bucket, tmp_path, closing):
    def make(authority="/etc/stakeout/ca.pem", **changes):
        return closing(Task(podman, namespace, bucket, tmp_path.name, authority, **changes))
    return make


class Database:
    """PostgreSQL in a container of the task, with pg_stat_statements and a role that may see all of it."""

    def __init__(self, task, podman):
        self.bin, self.port = postgres.binaries(), task.ports["database"]
        # No folder of pytest's: each run that begins beside this one closes these to other users.
        self.folder = tempfile.mkdtemp(prefix="stakeout-postgres-")
        task.folders.append(self.folder)
        user = postgres._unprivileged()
        os.chown(self.folder, user["user"], user["group"])
        data = os.path.join(self.folder, "data")
        subprocess.run([f"{self.bin}/initdb", "-D", data, "-U", "stakeout", "-A", "trust", "--no-sync", "--locale=C"],
                       check=True, cwd=self.folder, stdout=subprocess.DEVNULL, **user)
        with open(os.path.join(data, "pg_hba.conf"), "w", encoding="ascii") as file:
            file.write("host all watcher samehost scram-sha-256\nhost all all samehost trust\n")
        self.container = task.container(
            "database", "host", *podman.host, *CONFINED, "--cpus=0.5", "--memory=256m", f"--user={user['user']}:{user['group']}",
            "-v", f"{self.folder}:{self.folder}", "--shm-size=32m",
            command=[f"{self.bin}/postgres", "-D", data, "-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder,
                     "-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "shared_preload_libraries=pg_stat_statements"])
        wait_until(lambda: self.run("pgbench", "-i", "-q", "postgres", check=False) == 0,
                   lambda: self.container.log, PATIENCE_S)
        for text in ("CREATE EXTENSION pg_stat_statements", f"CREATE ROLE watcher LOGIN PASSWORD '{PASSWORD}'",
                     "GRANT pg_monitor TO watcher"):
            self.run("psql", "-X", "-c", text, "postgres")

    def run(self, program, *arguments, check=True):
        done = subprocess.run([f"{self.bin}/{program}", "-h", "127.0.0.1", "-p", str(self.port), "-U", "stakeout", *arguments],
                              check=check, cwd="/", capture_output=True)
        return done.returncode


def learned_onsets(task):
    content = [task.bucket.content(key) for key in task.bucket.objects(task.prefix) if key.endswith("_state/learned.json")]
    return len(json.loads(content[0])["learned"]["rounds"]["onsets"]) if content else 0


def with_database(task, rds):
    """The task's configuration with all that can be known of its database."""
    task.config["database"].update(
        statements=f"postgres://watcher:${{STAKEOUT_DB_PASSWORD}}@localhost:{task.ports['database']}/postgres",
        cloudwatch={"instance": INSTANCE, "region": "us-east-1", "endpoint": rds.url})


def check_memory(task):
    resident = task.stakeout.rss_kb()
    print(f"stakeout after HTTPS: {resident} kB of memory")
    assert resident <= RSS_KB


def column_of(files, name):
    return [row[name] for row in csv.DictReader(io.StringIO(files["metrics.csv"].decode()))]


def check_statements(incident, files):
    database, = incident["statements"]
    assert "problem" not in database, database
    calls = {row["text"]: row["calls"] for row in database["top"]}
    assert calls.get("SELECT abalance FROM pgbench_accounts WHERE aid = $1", 0) > 100, database
    page = files["report.html"].decode()
    assert "What the database did" in page and "pgbench_accounts WHERE aid = $1" in page


def complete(task, incident_id):
    """The incident with RDS's minutes, which are there when the agent comes back: its files."""
    folder = os.path.join(task.stakeout.volume(STATE), "late", incident_id)
    wait_until(lambda: any(name.startswith(".stored-") for name in os.listdir(folder)), "it is noted who has the incident")
    assert task.stakeout.stop() == 0, task.stakeout.log
    make_old(folder)
    task.stakeout.start()
    task.wait_healthy()
    wait_until(lambda: not os.path.exists(folder), lambda: "it is done\n" + task.stakeout.log, PATIENCE_S)
    incident, files = task.incidents()[incident_id]
    assert harness.TIME.fullmatch(incident["metrics"]["late_added"])
    return files


def test_a_task_from_its_spike_to_its_successor(make_task, podman, tmp_path, closing):
    triggers = {"cpu-high": {"metric": "cpu", "above": "25%", "for": "1s", "cooldown": "1s"},
                "rounds": {"recurs": {"of": "cpu-high", "period": "1m..8h"}}}  # onsets 6 s apart are two
    task = make_task(triggers=triggers, baseline={"every": "6h"})
    rds = closing(CloudWatch({task.keys[0]: task.keys[1:]}, {("DBInstanceIdentifier", INSTANCE): lambda _metric, _at: 42.5}))
    with_database(task, rds)
    database = Database(task, podman)
    task.start()
    wait_until(lambda: any(key.endswith("_state/baseline-app.tar") for key in task.bucket.objects(task.prefix)),
               lambda: f"a baseline is kept; the log:\n{task.stakeout.log}", PATIENCE_S)
    task.stakeout.wait_log(r"the database postgres has counted \d+")

    # A spike, while the database answers.
    task.ask("/burn?for=8s")
    database.run("pgbench", "-S", "-n", "-c", "2", "-R", "300", "-T", "4", "postgres")
    spike = task.stakeout.wait_log(r"incident (\S+-cpu-high-\S+) opened").group(1)
    incident, files = task.wait_incident(spike)
    assert {profile["name"]: profile["status"] for profile in incident["profiles"]}["cpu"] == "ok"
    with open(tmp_path / "cpu.pb.gz", "wb") as file:
        file.write(files["cpu.pb.gz"])
    top = subprocess.run(["go", "tool", "pprof", "-top", tmp_path / "cpu.pb.gz"], check=True, text=True,
                         capture_output=True, env=harness.clean_environment({"PPROF_TMPDIR": str(tmp_path)})).stdout
    assert harness.CULPRIT in top
    assert max(float(value or 0) for value in column_of(files, "db.received")) > 10000, "pgbench is seen from beside it"
    check_statements(incident, files)
    print(f"stakeout after HTTPS, with statements: {task.stakeout.rss_kb()} kB of memory")

    # What RDS says of it comes later, and the report has it then.
    task.stakeout.wait_log("trigger cpu-high is clear again")
    files = complete(task, spike)
    assert learned_onsets(task) == 1
    assert "42.5" in column_of(files, "rds.CPUUtilization")
    assert "rds.CPUUtilization" in files["report.html"].decode()

    # A stop in the middle of the next one: what there is of it arrives all the same.
    task.ask("/burn?for=20s")
    task.stakeout.wait_log(r"(?s)incident \S+-cpu-high-\S+ opened.*incident \S+-cpu-high-\S+ opened")
    assert task.stakeout.stop() == 0, task.stakeout.log
    opened = re.findall(r"incident (\S+) opened", task.stakeout.log)
    assert len(opened) >= 3 and set(opened) <= set(task.incidents()), task.stakeout.log
    assert learned_onsets(task) == 2
    assert PASSWORD not in task.stakeout.log

    # A new task, with storage of its own, goes on where it ended.
    before = task.incidents()
    task.close()
    successor = make_task(triggers=triggers, baseline={"every": "6h"}).start()
    successor.stakeout.wait_log("goes on with 2 onsets")
    successor.stakeout.wait_log(r"baseline \S+ of an earlier task is there to compare with")
    check_memory(successor)
    assert successor.stakeout.stop() == 0
    assert set(before) <= set(successor.incidents())


def test_an_oom_kill_of_the_app(make_task, bucket):
    name = subprocess.run(["openssl", "x509", "-hash", "-noout", "-in", bucket.settings["S3_CA_FILE"]], check=True, text=True,
                          capture_output=True).stdout.strip()
    task = make_task(f"/etc/ssl/certs/{name}.0", triggers={"full": {"metric": "memory", "above": "50%"}},
                     captures={"spike": [{"profile": "cpu", "seconds": 20}, "heap"]}).start()
    pid = task.api.pid
    task.ask("/leak?for=60s")
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), lambda: "the app is killed\n" + task.api.log, PATIENCE_S)
    task.endpoint.control("exit_137", "api")  # at once: podman says it seconds later where all is slow
    assert task.api.wait_exit() == 137
    incident, _ = task.wait_incident(task.stakeout.wait_log(r"incident (\S+) opened").group(1))
    assert incident["app_ended"]["oom_killed"] is True
    assert incident["app_ended"]["exit_code"] == 137
    assert {profile["name"]: profile["status"] for profile in incident["profiles"]}["heap"] == "ok"
    check_memory(task)
    # The app is essential: the task stops, the sidecar last.
    assert task.stakeout.stop() == 0, task.stakeout.log
