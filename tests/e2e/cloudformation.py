"""A CloudFormation template as CloudFormation would read it, as far as the templates here need it; and what it says of a task
definition, as ECS's own API spells it."""
import re

import yaml

import harness

PSEUDO = {"AWS::Region": "us-east-1", "AWS::Partition": "aws", "AWS::AccountId": "123456789012"}


class _Loader(yaml.SafeLoader):
    def compose_node(self, parent, index):
        assert not self.check_event(yaml.AliasEvent), f"CloudFormation knows no aliases: {self.peek_event().start_mark}"
        return super().compose_node(parent, index)


def _function(name):
    return lambda loader, node: (name, loader.construct_scalar(node))


for _name in ("Ref", "Sub", "GetAtt"):
    _Loader.add_constructor(f"!{_name}", _function(_name))


class Template:
    """`names` is what stands for resources: {"LogGroup": ..., "TaskRole.Arn": ...}."""

    def __init__(self, path, names):
        self.content = yaml.load(harness.read(path), _Loader)
        defaults = {name: one["Default"] for name, one in self.content["Parameters"].items()}
        self.values = {**PSEUDO, **defaults, **names}

    def resource(self, name):
        """Its properties, with every function carried out."""
        return self._resolve(self.content["Resources"][name]["Properties"])

    def _resolve(self, value):
        if isinstance(value, tuple):
            function, text = value
            if function == "Sub":
                return re.sub(r"\$\{([\w:.]+)\}", lambda match: str(self.values[match[1]]), text)
            return self.values[text]
        if isinstance(value, dict):
            return {key: self._resolve(one) for key, one in value.items()}
        return [self._resolve(one) for one in value] if isinstance(value, list) else value


def as_api(value, shape):
    """The same with the API's names, which begin with a small letter; what the API has not is an error."""
    if shape.type_name == "structure":
        small = {name[0].lower() + name[1:]: one for name, one in value.items()}
        return {name: as_api(one, shape.members[name]) for name, one in small.items()}
    if shape.type_name == "list":
        return [as_api(one, shape.member) for one in value]
    return value
