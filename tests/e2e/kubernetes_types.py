"""What Kubernetes takes, by the interfaces of the npm package kubernetes-types: names, types, and what may not be missing."""
import os
import re

FILES = {"v1": "core/v1.d.ts", "apps/v1": "apps/v1.d.ts"}
OTHERS = ("meta/v1.d.ts",)
SCALARS = {"string": str, "number": int, "boolean": bool, "Quantity": str, "Time": str}


def _interfaces(folder):
    """Name to {member: (type, may be missing)}."""
    found = {}
    for name in (*FILES.values(), *OTHERS):
        with open(os.path.join(folder, "node_modules", "kubernetes-types", name), encoding="utf-8") as file:
            text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
        text = re.sub(r"\{\s*\[name: string\]: ([^;]+);\s*\}", r"Map<\1>", text)
        for interface, body in re.findall(r"^export interface (\w+) \{\n(.*?)^\}", text, re.M | re.S):
            members = re.findall(r"^    (?:readonly )?\"?([\w$-]+)\"?(\??): (.*?);$", body, re.M | re.S)
            found[interface] = {member: (kind, bool(optional)) for member, optional, kind in members}
    return found


def _is_scalar(value, kind):
    return value == kind[1:-1] if kind.startswith('"') else type(value) is SCALARS.get(kind)


class Types:
    def __init__(self, folder):
        self.interfaces = _interfaces(folder)

    def problems(self, document):
        """What is wrong with a document, one text a problem."""
        if document.get("apiVersion") not in FILES or document.get("kind") not in self.interfaces:
            return [f"there is no {document.get('kind')} of {document.get('apiVersion')}"]
        return list(self._check(document, document["kind"], document["kind"]))

    def _check(self, value, kind, where):
        many = re.fullmatch(r"Array<(.+)>", kind)
        named = re.fullmatch(r"Map<(.+)>", kind)
        if many and isinstance(value, list):
            for i, one in enumerate(value):
                yield from self._check(one, many[1], f"{where}[{i}]")
        elif named and isinstance(value, dict):
            for name, one in value.items():
                yield from self._check(one, named[1], f"{where}.{name}")
        elif kind in self.interfaces and isinstance(value, dict):
            yield from self._check_members(value, self.interfaces[kind], where)
        elif not any(_is_scalar(value, one) for one in kind.split(" | ")):
            yield f"{where} is {value!r}, and has to be {kind}"

    def _check_members(self, value, members, where):
        for name in value.keys() - members.keys():
            yield f"{where} has no {name}"
        for name, (kind, optional) in members.items():
            if name in value:
                yield from self._check(value[name], kind, f"{where}.{name}")
            elif not optional:
                yield f"{where} lacks {name}"
