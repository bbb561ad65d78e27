"""Absences: the names without which a template is not sent, however it comes by them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from jinja2 import nodes
from jinja2.exceptions import TemplateSyntaxError

from cartwake.bundles import Template
from cartwake.sending.templates import environment

_ENTRY: Final = "[]"
_NOTHING: Final[frozenset[str]] = frozenset()


@dataclass(frozen=True, slots=True)
class Needed:
    """What must be there for a message to be sent; names as they are documented (`cart.items[].sku`), and as written.

    Attributes:
        always: Whatever the data are.
        each: Of each entry of a list that a loop goes through.
    """

    always: Mapping[str, str] = field(default_factory=dict)
    each: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Weight:
    """What an expression comes to where a name is absent.

    Attributes:
        fails: The names without which it is an error.
        empties: Those without which it is absent itself: an error where it is shown.
    """

    fails: frozenset[str] = _NOTHING
    empties: frozenset[str] = _NOTHING

    @property
    def shown(self) -> frozenset[str]:
        """Those without which it cannot be shown."""
        return self.fails | self.empties


def find_needed(source: str) -> Needed:
    """Return what must be there for a source to be filled; of one that is none, nothing."""
    walker = _Walker()
    try:
        walker.walk(environment(autoescape=False).parse(source).body, {}, _NOTHING, sure=True)
    except (TemplateSyntaxError, RecursionError):
        return Needed()
    return Needed(walker.always, walker.each)


def find_needed_of(template: Template) -> Needed:
    """Return what must be there for a template to be filled."""
    found = [find_needed(it) for it in (template.html, template.text, template.subject, template.link, template.image)]
    always: dict[str, str] = {}
    each: dict[str, str] = {}
    for one in found:
        always |= one.always
        each |= one.each
    return Needed(always, each)


def write(name: str) -> str:
    """Return a name as it may be written: of a list, the first."""
    return name.replace(_ENTRY, "[0]")


class _Walker:
    """Goes through what is filled, with the names that loops give."""

    def __init__(self) -> None:
        self.always: dict[str, str] = {}
        self.each: dict[str, str] = {}

    def walk(self, body: Iterable[nodes.Node], loops: dict[str, str], inside: frozenset[str], *, sure: bool) -> None:
        """Note what is needed in a part.

        Args:
            body: The part.
            loops: What the names of loops stand for.
            inside: Those of them that are there whenever the part is reached: no `if` stands between.
            sure: Whether it is reached whatever the data are.
        """
        for node in body:
            match node:
                case nodes.Output():
                    for shown in node.nodes:
                        self._note(weigh(shown).shown, loops, inside, sure=sure)
                case nodes.If():
                    self._note(weigh(node.test).fails, loops, inside, sure=sure)
                    for part in (node.body, node.elif_, node.else_):
                        self.walk(part, loops, _NOTHING, sure=False)
                case nodes.For(target=nodes.Name(name=name)):
                    self._note(weigh(node.iter).shown, loops, inside, sure=sure)
                    inner = inside | {name} if node.test is None else _NOTHING
                    entry = _resolve(_path_of(node.iter) or "?", loops) + _ENTRY
                    self.walk(node.body, loops | {name: entry}, inner, sure=False)
                    self.walk(node.else_, loops, _NOTHING, sure=False)
                case _:
                    continue

    def _note(self, names: Iterable[str], loops: dict[str, str], inside: frozenset[str], *, sure: bool) -> None:
        for name in names:
            root = _root_of(name)
            if root in loops and root in inside:
                self.each.setdefault(_resolve(name, loops), name)
            elif root not in loops and sure:
                self.always.setdefault(name, name)


def weigh(node: nodes.Node | None) -> _Weight:
    """Return what an expression comes to where names are absent."""
    match node:
        case nodes.Name() | nodes.Getattr() | nodes.Getitem():
            return _weigh_name(node)
        case nodes.Filter(name="default"):
            value, otherwise = weigh(node.node), weigh(node.args[0]) if node.args else _Weight()
            return _Weight(value.fails, value.empties & otherwise.empties)
        case nodes.Or():
            left, right = weigh(node.left), weigh(node.right)
            return _Weight(left.fails | (left.empties & right.fails), left.empties & right.empties)
        case nodes.And():
            return weigh(node.left)
        case nodes.CondExpr():
            left, right = weigh(node.expr1), weigh(node.expr2)
            return _Weight(weigh(node.test).fails | (left.fails & right.fails), left.empties & right.empties)
        case _:
            return _Weight(_find_failing(node))


def _find_failing(node: nodes.Node | None) -> frozenset[str]:
    """Return the names without which an expression is an error, of one that is never absent itself."""
    match node:
        case nodes.Filter():
            return weigh(node.node).shown
        case nodes.Test():
            value = weigh(node.node)
            return value.fails if node.name in ("defined", "undefined") else value.shown
        case nodes.Not():
            return weigh(node.node).fails
        case nodes.Compare():
            return _find_failing_comparison(node)
        case nodes.Add() | nodes.Sub() | nodes.Neg() | nodes.Concat():
            return _NOTHING.union(*(weigh(it).shown for it in node.iter_child_nodes()))
        case nodes.List() | nodes.Tuple():
            return _NOTHING.union(*(weigh(it).fails for it in node.items))
        case _:
            return _NOTHING


def _weigh_name(node: nodes.Name | nodes.Getattr | nodes.Getitem) -> _Weight:
    if isinstance(node, nodes.Name):
        return _Weight(empties=frozenset({node.name}))
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice):
        return _Weight(weigh(node.node).shown)
    path = _path_of(node)
    below = weigh(node.node)
    return _Weight(below.fails, frozenset({path}) if path else below.empties)


def _find_failing_comparison(node: nodes.Compare) -> frozenset[str]:
    """Whatever is absent compares as false; but that a text contains it cannot be asked."""
    fails = weigh(node.expr).fails.union(*(weigh(it.expr).fails for it in node.ops))
    first = node.ops[0]
    if first.op in ("in", "notin") and isinstance(first.expr, nodes.Const) and isinstance(first.expr.value, str):
        return fails | weigh(node.expr).empties
    return fails


def _path_of(node: nodes.Node | None) -> str:
    """Return what a node names, as names are documented: `cart.items[].name` for `cart.items[0].name`; "": nothing."""
    match node:
        case nodes.Name():
            return node.name
        case nodes.Getattr():
            return _join(_path_of(node.node), f".{node.attr}")
        case nodes.Getitem(arg=nodes.Const(value=str() as key)):
            return _join(_path_of(node.node), f".{key}")
        case nodes.Getitem(arg=nodes.Slice()):
            return _path_of(node.node)
        case nodes.Getitem():
            return _join(_path_of(node.node), _ENTRY)
        case nodes.Filter(name="default"):
            return _path_of(node.node)
        case _:
            return ""


def _join(path: str, more: str) -> str:
    return path and path + more


def _root_of(name: str) -> str:
    return name.partition(".")[0].removesuffix(_ENTRY)


def _resolve(name: str, loops: Mapping[str, str]) -> str:
    root = _root_of(name)
    return loops.get(root, root) + name[len(root) :]
