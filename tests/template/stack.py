"""The template as data: what SAM deploys, with its short forms spelled out."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
LAYER = ROOT / "layers" / "cartwake"

type Node = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """Reads `!Ref X` as `{"Ref": X}` and `!Sub X` as `{"Fn::Sub": X}`."""


def _spell_out(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> Node:
    name = suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        return {name: loader.construct_scalar(node)}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _spell_out)


@dataclass(frozen=True, slots=True)
class Function:
    """One function of the stack."""

    logical_id: str
    properties: Node
    resources: Node

    @property
    def name(self) -> str:
        """The folder's name."""
        return str(self.properties["CodeUri"]).removeprefix("functions/")

    @property
    def events(self) -> list[Node]:
        """What starts it."""
        return list(self.properties.get("Events", {}).values())

    @property
    def role(self) -> Node:
        """The properties of its role."""
        (role_id,) = find_references(self.properties["Role"])
        return dict(self.resources[role_id]["Properties"])

    @property
    def statements(self) -> list[Node]:
        """Every statement of its role."""
        return [
            statement
            for policy in self.role["Policies"]
            for statement in list_of(policy["PolicyDocument"]["Statement"])
        ]

    @property
    def environment(self) -> Node:
        """Its variables, without those that every function has."""
        return dict(self.properties["Environment"]["Variables"])


@cache
def load(path: str = "template.yaml") -> Node:
    """Read a template."""
    template: Node = yaml.load((ROOT / path).read_text(), _Loader)  # noqa: S506 - a subclass of the safe loader
    return template


def list_functions() -> list[Function]:
    """List the functions in the order of the file."""
    resources = load()["Resources"]
    return [Function(logical_id, each["Properties"], resources) for logical_id, each in find("Serverless::Function")]


def find(kind: str, path: str = "template.yaml") -> list[tuple[str, Node]]:
    """Find the resources of a type, which is written without `AWS::`."""
    return [(name, each) for name, each in load(path)["Resources"].items() if each["Type"] == f"AWS::{kind}"]


def find_references(value: object) -> set[str]:
    """Find the logical ids that a value names by Ref, GetAtt or Sub."""
    found: set[str] = set()
    for node in walk(value):
        if isinstance(node, dict):
            found |= {str(node["Ref"])} if "Ref" in node else set()
            if "Fn::GetAtt" in node:
                found.add(str(node["Fn::GetAtt"]).split(".")[0])
            if isinstance(node.get("Fn::Sub"), str):
                found |= set(re.findall(r"\$\{(\w+)[.}]", node["Fn::Sub"]))
    return found


def walk(value: object) -> Iterator[object]:
    """Give a value and everything inside it."""
    yield value
    if isinstance(value, dict):
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def list_sources(path: Path) -> set[Path]:
    """List a module and all modules of the layer that it imports, anywhere in it, and so on."""
    found, left = set[Path](), [path]
    while left:
        module = left.pop()
        if module not in found:
            found.add(module)
            imports = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ImportFrom)]
            names = {
                name for each in imports for name in (each.module, *(f"{each.module}.{it.name}" for it in each.names))
            }
            paths = [LAYER / f"{str(name).replace('.', '/')}.py" for name in names]
            left += [each for each in paths if each.is_file()]
    return found


def list_of(value: object) -> list[Any]:
    """Make a list of what may be one thing or a list, as IAM allows."""
    return value if isinstance(value, list) else [value]
