"""Expressions of templates, checked when they are published: what may be done, and which names there are."""

import inspect
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from cartwake.rules.faults import find_nearest, name_all
from cartwake.sending.filters import FILTERS, MOST_ENTRIES, MOST_PLACES
from cartwake.sending.template_data import SEEN
from cartwake.sending.templates import LOOP, TESTS, environment

DEEPEST_LOOPS: Final = 2
MOST_WORK: Final = 250_000
"""How often something may be looked up or shown, were every list as long as lists can be; a filter counts ten times."""
_FILTER_WORK: Final = 10
_LONGEST_BETWEEN: Final = 20
_SHORTEST_CUT: Final = 4
_ALLOWED: Final = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.If, nodes.For,
    nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Const, nodes.CondExpr,
    nodes.Add, nodes.Sub, nodes.Concat, nodes.Neg, nodes.List, nodes.Tuple, nodes.Slice,
)  # fmt: skip
_NAMED: Final = {
    "Call": "Nothing can be called here",
    "Assign": "{% set %} is not available",
    "AssignBlock": "{% set %} is not available",
    "Macro": "{% macro %} is not available",
    "CallBlock": "{% call %} is not available",
    "Include": "{% include %} is not available",
    "Import": "{% import %} is not available",
    "FromImport": "{% import %} is not available",
    "Extends": "{% extends %} is not available",
    "Block": "{% block %} is not available",
    "FilterBlock": "{% filter %} is not available",
    "With": "{% with %} is not available",
    "Mul": "* is not available",
    "Div": "/ is not available",
    "FloorDiv": "// is not available",
    "Mod": "% is not available",
    "Pow": "** is not available",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a template may not say."""

    line: int
    message: str
    suggestion: str = ""
    example: str = ""


@dataclass(frozen=True, slots=True)
class ListOf:
    """The shape of a list."""

    item: Any


_EXAMPLES: Final = {
    "date": "{{ event.starts_at|date }}",
    "default": "{{ profile.first_name|default('there') }}",
    "money": "{{ cart.total|money('EUR') }}",
    "round": "{{ event.rating|round(1) }}",
    "join": "{{ event.tags|join(', ') }}",
    "truncate": "{{ item.name|truncate(40) }}",
}
_ANY: Final = "*"
_SCORES: Final = "profile.scores"
_COUPON: Final = "coupon"
_OPEN: Final = "open"
_VALUE: Final = "value"
type Shape = str | ListOf | dict[str, Shape]


@dataclass(slots=True)
class Findings:
    """What a source says.

    Attributes:
        problems: What is wrong with it.
        always: The dotted names that it shows whatever the data are.
        reads: The first part of each name that it reads, and the line in which it first does.
        scores: The scores that it reads, as it writes them, and the line in which it first does.
        coupon: What it reads of the coupon, likewise.
        wants_coupon: What it shows of the coupon whatever the data are, with nothing instead, likewise.
    """

    problems: list[Problem] = field(default_factory=list)
    always: set[str] = field(default_factory=set)
    reads: dict[str, int] = field(default_factory=dict)
    scores: dict[str, int] = field(default_factory=dict)
    coupon: dict[str, int] = field(default_factory=dict)
    wants_coupon: dict[str, int] = field(default_factory=dict)


def examine(source: str) -> Findings:
    """Return what is wrong with a Jinja2 source, and what it always shows."""
    try:
        tree = environment(autoescape=False).parse(source)
    except TemplateSyntaxError as error:
        message = f"This is not a template expression: {error.message}"
        return Findings(
            [Problem(error.lineno, message.rstrip(".") + ".", example="{{ profile.first_name|default('there') }}")]
        )
    except RecursionError:
        return Findings([Problem(1, "Expressions are nested too deep.")])
    walker = _Walker()
    try:
        walker.visit(tree, _SHAPES)
    except RecursionError:
        return Findings([Problem(1, "Expressions are nested too deep.")])
    if walker.work > MOST_WORK:
        message = (
            f"Were all lists full, this would take {walker.work:,} steps; at most {MOST_WORK:,} are taken. "
            "Show less in loops, or only the first of a list."
        )
        walker.findings.problems.append(Problem(walker.busiest, message, example="{% for item in cart.items[:5] %}"))
    return walker.findings


class _Walker:
    """Walks over a tree with the names that are known at each place."""

    def __init__(self) -> None:
        self.findings = Findings()
        self.work = 0
        self.busiest = 1
        self._turns = 1
        self._loops = 0
        self._branches = 0

    def visit(self, node: nodes.Node, names: dict[str, Shape]) -> Shape:
        """Check *node* and what is below it; return the shape of its value."""
        self.work += self._turns * (_FILTER_WORK if isinstance(node, nodes.Filter) else 1)
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            return self._tell(node, f"{_NAMED.get(kind, f'{kind} is not available')} in templates.")
        match node:
            case nodes.Name():
                return self._visit_name(node, names)
            case nodes.Getattr():
                return self._visit_key(node, node.attr, names)
            case nodes.Getitem():
                return self._visit_item(node, names)
            case nodes.Filter():
                return self._visit_filter(node, names)
            case nodes.For():
                return self._visit_loop(node, names)
            case nodes.If() | nodes.CondExpr():
                return self._visit_branch(node, names)
            case nodes.Test() if node.name not in TESTS:
                self._tell(node, f'There is no test "{node.name}".', find_nearest(node.name, TESTS))
        shapes = [self.visit(child, names) for child in node.iter_child_nodes()]
        return _OPEN if isinstance(node, (nodes.Or, nodes.And)) and _OPEN in shapes else _VALUE

    def _visit_name(self, node: nodes.Name, names: dict[str, Shape]) -> Shape:
        if node.name not in names:
            known = name_all(sorted(names))
            return self._tell(
                node, f'There is no "{node.name}"; a template sees {known}.', find_nearest(node.name, names)
            )
        self._show(node.name)
        self.findings.reads.setdefault(node.name, node.lineno)
        return names[node.name]

    def _visit_key(self, node: nodes.Getattr | nodes.Getitem, key: str, names: dict[str, Shape]) -> Shape:
        shape = self.visit(node.node, names)
        if isinstance(shape, dict):
            if _name_of(node.node) == _SCORES:
                self.findings.scores.setdefault(key, node.lineno)
            if _name_of(node.node) == _COUPON:
                self._note_coupon(key, node.lineno)
            if key not in shape and _ANY in shape:
                self._show(f"{_name_of(node.node)}.{key}")
                return shape[_ANY]
            if key not in shape:
                known = name_all(sorted(shape))
                return self._tell(node, f'There is no "{key}" here; there is {known}.', find_nearest(key, shape))
            self._show(f"{_name_of(node.node)}.{key}")
            return shape[key]
        if isinstance(shape, ListOf):
            return self._tell(node, f'A list has no "{key}"; its first is [0].', example="{{ cart.items[0].name }}")
        if shape == _VALUE:
            return self._tell(node, f'There is nothing called "{key}" in a single value.')
        return _OPEN

    def _visit_item(self, node: nodes.Getitem, names: dict[str, Shape]) -> Shape:
        if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
            return self._visit_key(node, node.arg.value, names)
        shape = self.visit(node.node, names)
        parts = node.arg.iter_child_nodes() if isinstance(node.arg, nodes.Slice) else [node.arg]
        if not all(_is_number(part) for part in parts):
            return self._tell(node, "Between [ and ] stands a number or a name in quotes.", example="cart.items[0]")
        if isinstance(node.arg, nodes.Slice):
            return shape
        return shape.item if isinstance(shape, ListOf) else _OPEN

    def _visit_filter(self, node: nodes.Filter, names: dict[str, Shape]) -> Shape:
        if node.name not in FILTERS:
            self._tell(
                node,
                f'There is no filter "{node.name}"; there are {name_all(sorted(FILTERS))}.',
                find_nearest(node.name, FILTERS),
            )
        message = _find_wrong_argument(node)
        if message:
            self._tell(node, message, example=_EXAMPLES.get(node.name, f"{{{{ profile.first_name|{node.name} }}}}"))
        self._branches += node.name == "default"
        shapes = [self.visit(child, names) for child in node.iter_child_nodes()]
        self._branches -= node.name == "default"
        if node.name == "join" and shapes[:1] == [_VALUE]:
            self._tell(node, "This is not a list.", example=_EXAMPLES[node.name])
        if node.name == "default":
            return shapes[0] if shapes else _VALUE
        return _OPEN if node.name in ("first", "last") else _VALUE

    def _visit_loop(self, node: nodes.For, names: dict[str, Shape]) -> Shape:
        if node.recursive or not isinstance(node.target, nodes.Name):
            return self._tell(node, "A loop has one name.", example="{% for item in cart.items %}…{% endfor %}")
        shape = self.visit(node.iter, names)
        if shape == _VALUE or isinstance(shape, dict):
            self._tell(node, "This is not a list.", example="{% for item in cart.items %}…{% endfor %}")
        before = self.work
        turns, self._turns = self._turns, self._turns * _count_turns(node.iter)
        self._loops += 1
        if self._loops > DEEPEST_LOOPS:
            self._tell(node, f"Loops stand at most {DEEPEST_LOOPS} deep in each other.")
        inner = names | {node.target.name: shape.item if isinstance(shape, ListOf) else _OPEN, "loop": _LOOP_SHAPE}
        self._visit_aside([*node.body, *([node.test] if node.test else [])], inner)
        self._visit_aside(node.else_, names)
        self._loops -= 1
        self._turns = turns
        if self.work - before > MOST_WORK // 2:
            self.busiest = node.lineno
        return _VALUE

    def _visit_branch(self, node: nodes.If | nodes.CondExpr, names: dict[str, Shape]) -> Shape:
        self._visit_aside(list(node.iter_child_nodes()), names)
        return _OPEN if isinstance(node, nodes.CondExpr) else _VALUE

    def _visit_aside(self, below: list[Any], names: dict[str, Shape]) -> None:
        """Visit what is shown for some data only."""
        self._branches += 1
        for node in below:
            self.visit(node, names)
        self._branches -= 1

    def _show(self, name: str) -> None:
        if not self._branches:
            self.findings.always.add(name)

    def _note_coupon(self, key: str, line: int) -> None:
        self.findings.coupon.setdefault(key, line)
        if not self._branches:
            self.findings.wants_coupon.setdefault(key, line)

    def _tell(self, node: nodes.Node, message: str, suggestion: str = "", example: str = "") -> Shape:
        self.findings.problems.append(Problem(node.lineno, message, suggestion, example))
        return _OPEN


def _find_wrong_argument(node: nodes.Filter) -> str:
    """Return what is wrong with what a filter is told: it must take it, and not make much of little."""
    told = [*node.args, *(it.value for it in node.kwargs)]
    most = _MOST_TOLD.get(node.name, len(told))
    if len(told) > most:
        return f'"{node.name}" is told {most or "nothing"}{" at most" if most else ""} in parentheses, not {len(told)}.'
    first = told[0].value if told and isinstance(told[0], nodes.Const) else None
    match node.name:
        case "round" if told and (type(first) is not int or not 0 <= first <= MOST_PLACES):
            return f"A number is rounded to 0 to {MOST_PLACES} places."
        case "join" if told and not (isinstance(first, str) and len(first) <= _LONGEST_BETWEEN):
            return f"Between entries stands a text in quotes, of at most {_LONGEST_BETWEEN} characters."
        case "truncate" if told and (type(first) is not int or first < _SHORTEST_CUT):
            return f"A text is cut to a number of characters, at least {_SHORTEST_CUT}."
    return ""


def _count_turns(node: nodes.Node) -> int:
    """Return how often a loop is gone through at most."""
    last = node.arg.stop if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice) else None
    if isinstance(last, nodes.Const) and isinstance(last.value, int):
        return max(1, min(last.value, MOST_ENTRIES))
    return MOST_ENTRIES


def _is_number(node: nodes.Node) -> bool:
    if isinstance(node, nodes.Neg):
        return _is_number(node.node)
    return isinstance(node, nodes.Const) and isinstance(node.value, int)


def _name_of(node: nodes.Node) -> str:
    return (
        node.name
        if isinstance(node, nodes.Name)
        else f"{_name_of(node.node)}.{node.attr}"
        if isinstance(node, nodes.Getattr)
        else "?"
    )


def _build_shapes() -> dict[str, Shape]:
    """Return the shape of what is seen, from its documented names."""
    root: dict[str, Shape] = {}
    for name in SEEN:
        *parents, last = name.split(".")
        here = root
        for parent in parents:
            here = _enter(here, parent)
        here[last.removesuffix("[]")] = ListOf(_VALUE) if last.endswith("[]") else _OPEN if last == _ANY else _VALUE
    return root


def _enter(here: dict[str, Shape], parent: str) -> dict[str, Shape]:
    """Return the map that stands under *parent*, or that the entries of the list there are; `*` is any other name."""
    key = parent.removesuffix("[]")
    below: dict[str, Shape] = {}
    found = here.setdefault(key, ListOf(below) if parent.endswith("[]") else below)
    inner = found.item if isinstance(found, ListOf) else found
    if not isinstance(inner, dict):
        raise TypeError(f"{parent} is documented as two different things")
    return inner


def _count_told(filter_: Any) -> int:
    """Return how much a filter may be told, besides the value that stands before it."""
    given = 2 if getattr(filter_, "jinja_pass_arg", None) else 1
    return len(inspect.signature(filter_).parameters) - given


_MOST_TOLD: Final = {name: _count_told(filter_) for name, filter_ in FILTERS.items()}
_SHAPES: Final = _build_shapes()
_LOOP_SHAPE: Final[dict[str, Shape]] = dict.fromkeys(LOOP, _VALUE)
