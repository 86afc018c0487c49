"""A stand-in for CloudWatch's GetMetricData. It takes what botocore's description of the service says that
the operation takes, answers in the shape that it says, and believes a signature when botocore makes the
same one; botocore's parser reads each answer before it leaves."""
import datetime
import math
import os
import re
import time
import urllib.parse

import pytest

import harness
from aws_providers import Sts, xml_error

MINUTE = 60
LONG_AGO_S = 3600


def _timestamp(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def make_old(folder):
    """Has the incident in this folder be of an hour ago, as if the agent had been away since."""
    def earlier(match):
        moment = datetime.datetime.fromisoformat(match.group()[:-1] + "+00:00")
        moment -= datetime.timedelta(seconds=LONG_AGO_S)
        return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
    path = os.path.join(folder, "incident.json")
    text = re.sub(harness.TIME, earlier, harness.read(path).decode())
    files = {path: text}
    path = os.path.join(folder, "metrics.csv")
    files[path] = re.sub(r"(?m)^(\d+)(?=\.)", lambda match: str(int(match.group()) - LONG_AGO_S),
                         harness.read(path).decode())
    for path, text in files.items():
        os.remove(path)  # it may be a link
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


class Shapes:
    """The operation, as botocore describes it."""

    def __init__(self):
        loaders = pytest.importorskip("botocore.loaders", reason="botocore describes the service")
        from botocore import model, parsers
        description = loaders.Loader().load_service_model("cloudwatch", "service-2")
        service = model.ServiceModel(description)
        assert service.metadata["protocol"] == "query"
        self.version = service.api_version
        self.operation = service.operation_model("GetMetricData")
        self.parser = parsers.create_parser("query")

    def question(self, form):
        """The parameters of a form; a KeyError or AssertionError for one that is none."""
        found = self._take(self.operation.input_shape, form, "")
        assert not form, f"not of GetMetricData: {sorted(form)}"
        return found

    def _take(self, shape, form, prefix):
        below = {key for key in form if key == prefix or key.startswith(prefix + ".") or not prefix}
        if not below:
            return None
        if shape.type_name == "structure":
            found = {name: self._take(member, form, f"{prefix}.{name}" if prefix else name)
                     for name, member in shape.members.items()}
            lacking = [name for name in shape.required_members if found[name] is None]
            assert not lacking, f"{prefix} lacks {lacking}"
            return {name: value for name, value in found.items() if value is not None}
        if shape.type_name == "list":
            count = max(int(key[len(prefix):].split(".")[2]) for key in below)
            return [self._take(shape.member, form, f"{prefix}.member.{i + 1}") for i in range(count)]
        text = form.pop(prefix)
        if shape.type_name == "timestamp":
            return datetime.datetime.strptime(text[:19] + "Z", "%Y-%m-%dT%H:%M:%SZ").replace(
                tzinfo=datetime.timezone.utc).timestamp()
        if getattr(shape, "enum", None):
            assert text in shape.enum, text
        return int(text) if shape.type_name == "integer" else text

    def answer(self, result):
        shape = self.operation.output_shape
        inner = self._write(shape, result)
        text = (f'<GetMetricDataResponse xmlns="http://monitoring.amazonaws.com/doc/2010-08-01/">'
                f"<GetMetricDataResult>{inner}</GetMetricDataResult><ResponseMetadata><RequestId>1"
                f"</RequestId></ResponseMetadata></GetMetricDataResponse>")
        parsed = self.parser.parse({"body": text.encode(), "headers": {}, "status_code": 200}, shape)
        assert [len(each["Values"]) for each in parsed["MetricDataResults"]] == \
            [len(each["Values"]) for each in result["MetricDataResults"]]
        return text

    def _write(self, shape, value):
        if shape.type_name == "structure":
            assert set(value) <= set(shape.members), value
            return "".join(f"<{name}>{self._write(member, value[name])}</{name}>"
                           for name, member in shape.members.items() if name in value)
        if shape.type_name == "list":
            return "".join(f"<member>{self._write(shape.member, each)}</member>" for each in value)
        if shape.type_name == "timestamp":
            return _timestamp(value)
        return str(value)


class CloudWatch(Sts):
    """`known` as with Sts. `databases` has what each instance or cluster is like: the value of a metric in the
    minute that begins at a time (Unix seconds), None: there is none."""
    scope = "monitoring"

    def __init__(self, known, databases, late_s=0):
        self.shapes = Shapes()
        self.databases, self.late_s = dict(databases), late_s
        self.questions = []
        self.fault = None  # (status, code, message) instead
        super().__init__(known, None)

    def environment(self):
        return {"AWS_ENDPOINT_URL_CLOUDWATCH": self.url}

    def serve(self, method, url, headers, body):
        assert (method, url.path, url.query) == ("POST", "/", "")
        if fault := self.fault_of(method, headers, body):
            return fault
        if self.fault:
            return xml_error(*self.fault)
        form = dict(urllib.parse.parse_qsl(body.decode(), strict_parsing=True))
        if (form.pop("Action"), form.pop("Version")) != ("GetMetricData", self.shapes.version):
            return xml_error(400, "InvalidAction", "no such action or version")
        question = self.shapes.question(form)
        self.questions.append(question)
        results = [self.line(query, question) for query in question["MetricDataQueries"]]
        return 200, self.shapes.answer({"MetricDataResults": results, "Messages": []})

    def line(self, query, question):
        stat = query["MetricStat"]
        assert (stat["Metric"]["Namespace"], stat["Period"], stat["Stat"]) == ("AWS/RDS", MINUTE, "Average")
        assert re.fullmatch(r"[a-z]\w*", query["Id"])
        dimension, = stat["Metric"]["Dimensions"]
        assert dimension["Name"] in ("DBInstanceIdentifier", "DBClusterIdentifier")
        value_at = self.databases.get((dimension["Name"], dimension["Value"]), lambda _metric, _at: None)
        begin = math.ceil(question["StartTime"] / MINUTE) * MINUTE
        end = min(question["EndTime"], time.time() - MINUTE - self.late_s)
        points = [(at, value_at(stat["Metric"]["MetricName"], at))
                  for at in range(begin, math.ceil(end), MINUTE) if at < end]
        points = [(at, value) for at, value in points if value is not None]
        assert question.get("ScanBy") == "TimestampAscending"
        return {"Id": query["Id"], "Label": stat["Metric"]["MetricName"], "StatusCode": "Complete",
                "Timestamps": [at for at, _ in points], "Values": [value for _, value in points]}
