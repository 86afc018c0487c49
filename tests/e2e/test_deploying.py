"""deploy/: each file as somebody pastes it, by what its own tool says where that is here, and by what the program says.
COST: some seconds."""
import copy
import fnmatch
import glob
import http.server
import json
import os
import re
import shlex
import shutil
import subprocess
import threading
import urllib.parse
import urllib.request

import pytest

import browser
import cloudformation
import harness
from harness import run
from kubernetes_types import Types

yaml = pytest.importorskip("yaml", reason="python3-yaml reads the files (scripts/setup test)")

DEPLOY = os.path.join(harness.TREE, "deploy")
HERE = os.path.join(harness.HERE, "schemas")
BUILD = os.path.join(os.environ.get("STAKEOUT_BUILD", os.path.join(harness.TREE, "build")), "schemas")
PAGE = harness.read(os.path.join(harness.TREE, "docs", "deploying.md")).decode()
KUBERNETES = ("kubernetes/deployment.yaml", "kubernetes/eks.yaml")
TASKS = ("ecs/fargate.json", "ecs/ec2.json")
ALIVE = ["/stakeout", "status", "--quiet"]


def text_of(name):
    return harness.read(os.path.join(DEPLOY, name)).decode()


def json_of(name):
    return json.loads(text_of(name))


def documents(name):
    return {one["kind"]: one for one in yaml.safe_load_all(text_of(name))}


def container(task, name):
    [found] = [one for one in task["containerDefinitions"] if one["name"] == name]
    return found


def variable(of, name="STAKEOUT_CONFIG"):
    [value] = [one["value"] for one in of["environment"] if one["name"] == name]
    return value


def compose():
    return yaml.safe_load(text_of("compose.yaml"))


def configurations():
    """Every configuration in deploy/."""
    found = {name: variable(container(json_of(name), "stakeout")) for name in TASKS}
    found.update({name: documents(name)["ConfigMap"]["data"]["stakeout.yaml"] for name in KUBERNETES})
    found["compose.yaml"] = compose()["services"]["stakeout"]["environment"]["STAKEOUT_CONFIG"]
    found["systemd/stakeout.yaml"] = text_of("systemd/stakeout.yaml")
    return found


@pytest.mark.parametrize("name", configurations())
def test_its_configuration_is_one(name, tmp_path):
    (tmp_path / "stakeout.yaml").write_text(configurations()[name], encoding="utf-8")
    shown = run("config", "-c", "stakeout.yaml", cwd=tmp_path)
    assert (shown.returncode, shown.stderr) == (0, ""), shown.stderr
    effective = yaml.safe_load(shown.stdout)
    assert effective["state"] == "/var/lib/stakeout", "the volume is mounted there"
    assert effective["service"] == "woogles"
    folder = effective["export"].get("directory")
    assert not folder or folder["path"].startswith("/var/lib/stakeout/"), "nothing else can be written to"


# ECS

def plain(task):
    """The task definition as it was before stakeout was added."""
    task = copy.deepcopy(task)
    task["containerDefinitions"].remove(container(task, "stakeout"))
    for one in task["containerDefinitions"]:
        one["dependsOn"] = [each for each in one["dependsOn"] if each["containerName"] != "stakeout"]
        if not one["dependsOn"]:
            del one["dependsOn"]
    task["volumes"] = [each for each in task["volumes"] if each["name"] != "stakeout"]
    if not task["volumes"]:
        del task["volumes"]
    return task


def init(tmp_path, task, *options):
    """`stakeout init` as docs/deploying.md has it, on a file of its name."""
    [line] = re.findall(r"^    stakeout (init .+) > with-stakeout\.json$", PAGE, re.M)
    (tmp_path / "task-definition.json").write_text(json.dumps(task), encoding="utf-8")
    done = run(*shlex.split(line), *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.parametrize("name", TASKS)
def test_a_task_definition_is_what_init_prints(name, tmp_path):
    done = init(tmp_path, plain(json_of(name)))
    assert done.stdout == text_of(name), "the file is not what `stakeout init` prints"
    assert init(tmp_path, plain(json_of(name)), "--policy").stdout == text_of("ecs/policy.json")


def test_init_again_changes_only_what_the_options_say(tmp_path):
    (tmp_path / "task.json").write_text(text_of(TASKS[0]), encoding="utf-8")
    done = run("init", "--image", "r/stakeout:2", "task.json", cwd=tmp_path)
    expected = json_of(TASKS[0])
    container(expected, "stakeout")["image"] = "r/stakeout:2"
    assert done.returncode == 0 and json.loads(done.stdout) == expected, done.stderr
    done = run("init", "--debug", "http://localhost:1/debug/pprof", "task.json", cwd=tmp_path)
    assert "localhost:1/" in done.stdout and "made anew of the options" in done.stderr
    options = ("--service", "on", "--prefix", "a: b # c", "--debug", "${DEBUG}")
    done = run("init", *options, "task.json", cwd=tmp_path)
    config = container(json.loads(done.stdout), "stakeout")["environment"][0]["value"]
    assert config.startswith('service: "on"\napp:\n  debug: "${DEBUG}"\n') and 'prefix: "a: b # c"' in config, config


def test_a_task_definition_that_cannot_be_written_is_no_success(tmp_path):
    (tmp_path / "task.json").write_text(text_of(TASKS[0]), encoding="utf-8")
    with open("/dev/full", "w", encoding="ascii") as full, open(tmp_path / "task.json", encoding="ascii") as task:
        done = subprocess.run([harness.BINARY, "init", "-"], stdin=task, stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=harness.PATIENCE_S)
    assert done.returncode == 1 and "cannot write to standard output" in done.stderr


def test_a_configuration_without_aws_needs_no_role(tmp_path):
    (tmp_path / "task.json").write_text(json.dumps(plain(json_of(TASKS[0]))), encoding="utf-8")
    (tmp_path / "stakeout.yaml").write_text("service: s\napp: {debug: 'http://localhost:1/debug/pprof'}\n"
                                            "export: {directory: /captures}\n", encoding="utf-8")
    done = run("init", "--policy", "-c", "stakeout.yaml", "task.json", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "" and "needs no policy" in done.stderr
    with open(tmp_path / "stakeout.yaml", "a", encoding="utf-8") as file:
        file.write("# much\n" * 10000)
    done = run("init", "-c", "stakeout.yaml", "task.json", cwd=tmp_path)
    assert "incidents go to /captures: mount" in done.stderr and "KiB, and ECS takes 64" in done.stderr


def test_a_configuration_in_a_secret_has_to_be_given(tmp_path):
    task = json_of(TASKS[0])
    sidecar = container(task, "stakeout")
    text = sidecar.pop("environment")[0]["value"]
    sidecar["secrets"] = [{"name": "STAKEOUT_CONFIG", "valueFrom": "arn:aws:ssm:a:1:parameter/p"}]
    (tmp_path / "task.json").write_text(json.dumps(task), encoding="utf-8")
    (tmp_path / "stakeout.yaml").write_text(text, encoding="utf-8")
    done = run("init", "task.json", cwd=tmp_path)
    assert done.returncode == 1 and "arn:aws:ssm:a:1:parameter/p; give that text with -c FILE" in done.stderr
    done = run("init", "-c", "stakeout.yaml", "task.json", cwd=tmp_path)
    made = container(json.loads(done.stdout), "stakeout")
    assert made.pop("environment") == [] and made == sidecar, done.stderr


@pytest.fixture(scope="module")
def ecs():
    """The shape of RegisterTaskDefinition, and what judges by it."""
    session = pytest.importorskip("botocore.session", reason="botocore describes ECS's API (scripts/setup test)")
    from botocore.validate import ParamValidator
    shape = session.get_session().get_service_model("ecs").operation_model("RegisterTaskDefinition").input_shape

    def judge(task):
        report = ParamValidator().validate(task, shape)
        assert not report.has_errors(), report.generate_report()
    return shape, judge


@pytest.mark.parametrize("name", TASKS)
def test_ecs_would_take_the_task_definition(ecs, name):
    task = json_of(name)
    ecs[1](task)
    sidecar = container(task, "stakeout")
    assert sidecar["healthCheck"]["command"] == ["CMD", *ALIVE]
    assert sidecar["essential"] is False and sidecar["readonlyRootFilesystem"] is True


def template():
    of = json_of("ecs/fargate.json")
    return cloudformation.Template(os.path.join(DEPLOY, "ecs/cloudformation.yaml"), {
        "ExecutionRole.Arn": of["executionRoleArn"], "TaskRole.Arn": of["taskRoleArn"], "LogGroup": "/ecs/woogles"})


def test_cloudformations_task_definition_is_the_same(ecs):
    shape, judge = ecs
    task = cloudformation.as_api(template().resource("TaskDefinition"), shape)
    judge(task)
    assert task == json_of("ecs/fargate.json")


def test_cloudformations_policy_is_the_same():
    [policy] = template().resource("TaskRole")["Policies"]
    assert policy["PolicyDocument"] == json_of("ecs/policy.json")


def test_cloudformations_template_has_no_lint():
    if not shutil.which("cfn-lint") or subprocess.run(["cfn-lint", "--version"], check=False, capture_output=True).returncode:
        pytest.skip("cfn-lint is not installed")
    done = subprocess.run(["cfn-lint", os.path.join(DEPLOY, "ecs/cloudformation.yaml")], check=False, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def checked():
    """What the schema has against compose.yaml, and what main.tf says."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed (scripts/setup test)")
    browser.fetch(HERE, BUILD, "schemas")
    given = {"compose": compose(), "terraform": text_of("ecs/terraform/main.tf")}
    done = subprocess.run(["node", os.path.join(HERE, "check.mjs")], text=True, capture_output=True, check=False,
                          timeout=harness.PATIENCE_S * 3, env=harness.clean_environment(
                              {"STAKEOUT_MODULES": BUILD, "STAKEOUT_INPUT": json.dumps(given)}))
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Terraform:
    """What main.tf says, with the variables' defaults: as far as it needs no function but jsonencode."""

    def __init__(self, parsed):
        self.parsed = parsed
        self.locals = parsed["locals"][0]

    def value(self, value):
        if isinstance(value, dict):
            return {key: self.value(one) for key, one in value.items()}
        if isinstance(value, list):
            return [self.value(one) for one in value]
        if not isinstance(value, str):
            return value
        whole = re.fullmatch(r"\$\{([\w.]+)\}", value)
        return self.named(whole[1]) if whole else \
            re.sub(r"\$\{([\w.]+)\}", lambda match: str(self.named(match[1])), value)

    def named(self, name):
        kind, rest = name.split(".", 1)
        if kind == "var":
            return self.parsed["variable"][rest][0]["default"]
        if kind == "local":
            return self.value(self.locals[rest])
        assert name == "data.aws_partition.this.partition", name
        return "aws"


def test_terraforms_task_definition_and_policy_are_the_same(checked):
    terraform = Terraform(checked["terraform"])
    expected = json_of("ecs/fargate.json")
    assert terraform.named("local.containers") == expected["containerDefinitions"]
    assert terraform.named("local.policy") == json_of("ecs/policy.json")
    [made] = checked["terraform"]["resource"]["aws_ecs_task_definition"]["this"]
    for name, key in (("family", "family"), ("network_mode", "networkMode"), ("cpu", "cpu"), ("memory", "memory"),
                      ("requires_compatibilities", "requiresCompatibilities"), ("volume", "volumes")):
        assert terraform.value(made[name]) == expected[key], name
    assert made["container_definitions"] == "${jsonencode(local.containers)}"


def test_terraform_and_cloudformation_keep_incidents_as_long(checked):
    rules = template().resource("Bucket")["LifecycleConfiguration"]["Rules"]
    terraform = Terraform(checked["terraform"])
    [bucket] = checked["terraform"]["resource"]["aws_s3_bucket_lifecycle_configuration"]["incidents"]
    theirs = {rule["id"]: (rule["filter"][0]["prefix"], rule.get("expiration", [{}])[0].get("days"))
              for rule in terraform.value(bucket["rule"])}
    assert theirs == {rule["Id"]: (rule["Prefix"], rule.get("ExpirationInDays")) for rule in rules}


def test_terraform_is_formatted():
    if not shutil.which("terraform"):
        pytest.skip("terraform is not installed; `terraform validate` needs its provider besides")
    done = subprocess.run(["terraform", "fmt", "-check", "-diff", os.path.join(DEPLOY, "ecs/terraform")], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


# The policy, and what is asked of the store

def matches(policy, action, resource):
    return [one["Sid"] for one in policy["Statement"] if action in one["Action"]
            and fnmatch.fnmatchcase(resource, one["Resource"])]


def test_the_policy_is_one(ecs):
    import botocore.session
    operations = {service: set(botocore.session.get_session().get_service_model(service).operation_names)
                  for service in ("s3", "sts", "sns", "cloudwatch")}
    policy = json_of("ecs/policy.json")
    assert policy.keys() == {"Version", "Statement"} and policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"} and statement["Effect"] == "Allow"
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
        assert re.fullmatch(r"arn:aws:s3:::[a-z0-9.-]+(/.+)?", statement["Resource"])
        for action in statement["Action"]:
            service, operation = action.split(":")
            assert operation in operations[service], action


class Store(http.server.BaseHTTPRequestHandler):
    """An S3 that keeps what it is given, and notes what it is asked."""

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("ETag", '"1"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        path = urllib.parse.unquote(self.path)
        self.server.asked.append(("s3:PutObject", path))
        self.server.kept[path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(200)

    def do_GET(self):
        path = urllib.parse.unquote(self.path)
        self.server.asked.append(("s3:GetObject", path))
        kept = self.server.kept.get(path)
        self.answer(404 if kept is None else 200, kept or b"")

    def do_POST(self):
        self.server.asked.append((self.command, self.path))
        self.answer(501)

    do_DELETE = do_POST

    def log_message(self, *_):
        pass


@pytest.fixture
def store():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store) as server:
        server.asked, server.kept = [], {}
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_the_policy_allows_what_the_agent_does_and_is_used(agent, store, start_service):
    """What the agent of ecs/fargate.json asks of a store: check, incident, and what it learned, which the next one reads."""
    config = yaml.safe_load(variable(container(json_of("ecs/fargate.json"), "stakeout")))
    service = start_service()
    config["app"] = {"debug": service.debug}
    config["captures"] = {"spike": ["heap", "goroutine"]}
    config["triggers"] = {"high": {"metric": "cpu", "above": "99%", "for": "1m"}, "again": {"recurs": {"of": "high"}}}
    config["export"]["s3"]["endpoint"] = f"http://127.0.0.1:{store.server_address[1]}"
    keys = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    first = agent(config, "first", keys).start()
    taken = first.command("capture")
    assert taken.returncode == 0, taken.stderr + first.log
    assert first.terminate() == 0
    assert agent(config, "second", keys).start().terminate() == 0
    assert any(path.endswith("/incident.json") for path in store.kept)
    policy = json_of("ecs/policy.json")
    used = set()
    for action, path in store.asked:
        allowed = matches(policy, action, f"arn:aws:s3:::{path[1:]}")
        assert allowed, f"{action} on {path} is not in the policy"
        used.update(allowed)
    assert used == {one["Sid"] for one in policy["Statement"]}, "the policy has a right that is not used"


# Kubernetes and compose

@pytest.fixture(scope="module")
def kubernetes(checked):
    assert checked
    return Types(BUILD)


@pytest.mark.parametrize("name", KUBERNETES)
def test_kubernetes_would_take_it(kubernetes, name):
    for document in documents(name).values():
        assert not kubernetes.problems(document)
    broken = copy.deepcopy(documents(name)["Deployment"])
    broken["spec"]["template"]["spec"]["initContainers"][0]["readonlyRootFilesystem"] = True
    assert kubernetes.problems(broken), "what is misspelled is found"


@pytest.mark.parametrize("name", KUBERNETES)
def test_the_pods_sidecar_is_confined_and_holds_nobody_back(name):
    deployment = documents(name)["Deployment"]["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["selector"]["matchLabels"] == deployment["template"]["metadata"]["labels"]
    [sidecar] = pod["initContainers"]
    assert sidecar["restartPolicy"] == "Always" and "startupProbe" not in sidecar and "readinessProbe" not in sidecar
    assert sidecar["livenessProbe"]["exec"]["command"] == ALIVE
    confined = sidecar["securityContext"]
    assert confined["readOnlyRootFilesystem"] and not confined["allowPrivilegeEscalation"]
    assert confined["capabilities"] == {"drop": ["ALL"]} and pod["securityContext"]["runAsNonRoot"]
    assert pod["shareProcessNamespace"], "the source process needs it"
    volumes = {one["name"]: one for one in pod["volumes"]}
    mounts = {one["mountPath"]: volumes[one["name"]] for one in sidecar["volumeMounts"]}
    assert mounts["/etc/stakeout"]["configMap"]["name"] == documents(name)["ConfigMap"]["metadata"]["name"]
    assert "emptyDir" in mounts["/var/lib/stakeout"]


def test_eks_differs_in_its_rights_only():
    ours, theirs = (documents(name)["Deployment"]["spec"]["template"]["spec"] for name in KUBERNETES)
    [given] = ours["initContainers"][0].pop("envFrom")
    assert given["secretRef"]["name"] == documents(KUBERNETES[0])["Secret"]["metadata"]["name"]
    assert theirs.pop("serviceAccountName") == documents(KUBERNETES[1])["ServiceAccount"]["metadata"]["name"]
    for pod in (ours, theirs):
        for one in pod["initContainers"] + pod["containers"]:
            one["image"] = one["image"].rsplit("/", 1)[1]
    assert ours == theirs


def test_compose_would_take_it(checked):
    assert not checked["compose"]
    services = compose()["services"]
    for name in ("woogles", "stakeout"):
        assert services[name]["network_mode"] == services[name]["pid"] == "service:pod"
    assert services["stakeout"]["healthcheck"]["test"] == ["CMD", *ALIVE]
    assert "$" not in text_of("compose.yaml"), "compose would take it for a variable"


@pytest.mark.parametrize("tool", ["docker compose", "podman-compose"])
def test_composes_own_tools_take_it(tool):
    command = tool.split()
    if not shutil.which(command[0]) or subprocess.run([*command, "version"], check=False, capture_output=True).returncode:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([*command, "-f", os.path.join(DEPLOY, "compose.yaml"), "config"], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


# systemd

@pytest.fixture
def unit(tmp_path):
    """The unit, with the program that is tested."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed (apt-get install systemd)")
    text = text_of("systemd/stakeout.service")
    assert "ExecStart=/usr/bin/stakeout run\n" in text
    path = tmp_path / "stakeout.service"
    path.write_text(text.replace("/usr/bin/stakeout", harness.BINARY), encoding="utf-8")
    return str(path)


def analyze(*arguments):
    return subprocess.run(["systemd-analyze", *arguments], check=False, capture_output=True, text=True, timeout=60)


def test_systemd_takes_the_unit(unit):
    done = analyze("verify", "--man=no", unit)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_as_confined_as_is_said(unit):
    done = analyze("security", "--offline=true", "--threshold=20", unit)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exposure level for stakeout.service: 1.7 OK" in done.stdout, "docs/deploying.md says 1.7"
    assert "1.7" in PAGE


# Alerts, and the page

def test_alerts_are_on_metrics_that_there_are(agent, tmp_path):
    port = harness.free_port()
    running = agent({
        "service": "games", "app": {"debug": f"http://127.0.0.1:{harness.free_port()}/debug/pprof"},
        "listen": f"127.0.0.1:{port}", "fleet": {"incidents": 3, "per": "10m"},
        "export": {"directory": str(tmp_path / "captures"), "webhook": {"url": f"http://127.0.0.1:{harness.free_port()}/"}}})
    running.start()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        page = answer.read().decode()
    known = dict(re.findall(r"^(stakeout_\w+)(\{.*?\})? ", page, re.M))
    rules = [rule for group in yaml.safe_load(text_of("prometheus/alerts.yaml"))["groups"] for rule in group["rules"]]
    for rule in rules:
        names = re.findall(r"stakeout_\w+", rule["expr"])
        assert names and set(names) <= known.keys(), rule["alert"]
        labels = set(re.findall(r"\$labels\.(\w+)", json.dumps(rule["annotations"]))) - {"instance"}
        assert all(f"{label}=" in known[names[0]] for label in labels), rule["alert"]
    assert len({rule["alert"] for rule in rules}) == len(rules)


def test_prometheus_takes_the_alerts():
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (apt-get install prometheus)")
    done = subprocess.run(["promtool", "check", "rules", os.path.join(DEPLOY, "prometheus/alerts.yaml")], check=False,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_page_links_to_every_file():
    linked = {os.path.normpath(os.path.join("docs", link)) for link in re.findall(r"\]\((\.\./deploy/[^)#]+)\)", PAGE)}
    there = {os.path.relpath(path, harness.TREE) for path in glob.glob(os.path.join(DEPLOY, "**"), recursive=True)
             if os.path.isfile(path) and f"{os.sep}debian{os.sep}" not in path}  # these make the package
    assert linked == there
