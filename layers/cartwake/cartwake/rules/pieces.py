"""Pieces: templates, layouts and parts, cut at what puts them together: extends, block and include."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.texts import tell_place

LAYOUTS: Final = "templates/layouts/"
PARTS: Final = "templates/parts/"
_STRING: Final = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'"
_JINJA: Final = re.compile(
    rf"\{{\#.*?\#\}}|\{{\{{(?:{_STRING}|(?!\}}\}})[^\"'])*\}}\}}"
    rf"|(?P<begin>\{{%[-+]?)\s*(?P<word>\w+)(?P<rest>(?:{_STRING}|(?!%\}})[^\"'])*)%\}}",
    re.DOTALL,
)
_NAME: Final = re.compile(r"\s*(?:\"([^\"]*)\"|'([^']*)')\s*")
_BLOCK: Final = re.compile(r"\s*([A-Za-z_]\w{0,62})\s*")
_EXAMPLES: Final = {
    "extends": '{% extends "shop" %}',
    "include": '{% include "products" %}',
    "block": "{% block body %}…{% endblock %}",
}
_SYNTAX: Final = Environment(autoescape=False)  # nosec B701  # noqa: S701  it reads, and never renders


@dataclass(frozen=True, slots=True)
class Words:
    """Text of a file that stays as it is, from `begin` to `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Include:
    """A part of another file."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Block:
    """What another file may replace."""

    name: str
    position: int
    nodes: tuple["Node", ...] = ()


Node = Words | Include | Block


@dataclass(frozen=True, slots=True)
class Piece:
    """A file of templates that needs others, or that others need.

    Attributes:
        extends: Its layout, and where that is said; None: it has none.
        compiled: What was made of it last, by what it was put together of; nothing that it says.
    """

    file: str
    text: str
    extends: Include | None
    nodes: tuple[Node, ...]
    compiled: dict[Any, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether it is a template that needs no other file."""
        parted = any(not isinstance(node, Words) for node in self.nodes)
        return not self.extends and not parted and not self.file.startswith((LAYOUTS, PARTS))

    def fault(self, position: int, message: str, *, suggestion: str = "", example: str = "") -> Fault:
        """Return what is wrong at a position."""
        place = tell_place(self.text, position)
        return Fault(file=self.file, path=place, message=message, suggestion=suggestion, example=example)


def read_piece(file: str, text: str) -> Piece:
    """Return the pieces of an `.mjml` file.

    Raises:
        Faulty: What stands between `{%` and `%}` is not well formed, or a layout or part says what it may not.
    """
    try:
        _SYNTAX.parse(text)
    except TemplateSyntaxError as error:
        message = f"This is not a template expression: {error.message.rstrip('.') if error.message else 'unknown'}."
        raise Faulty([Fault(file=file, path=f"line {error.lineno}", message=message)]) from None
    except RecursionError:
        raise Faulty([Fault(file=file, message="Expressions are nested too deep.")]) from None
    piece = _Reader(file, text).read()
    _check_part(piece)
    return piece


def list_blocks(nodes: tuple[Node, ...]) -> list[Block]:
    """Return every block, those within others too."""
    found: list[Block] = []
    for node in nodes:
        if isinstance(node, Block):
            found += [node, *list_blocks(node.nodes)]
    return found


class _Reader:
    """Cuts one file."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._at = 0
        self._extends: Include | None = None
        self._open: list[tuple[str, int, list[Node]]] = [("", 0, [])]

    def read(self) -> Piece:
        for found in _JINJA.finditer(self._text):
            if found["word"] in ("extends", "include", "block", "endblock"):
                begin, end = self._trim(found)
                self._keep(begin)
                self._take(found)
                self._at = end
        self._keep(len(self._text))
        nodes = tuple(self._open[0][2])
        names = [block.name for block in list_blocks(nodes)]
        for block in list_blocks(nodes):
            if names.count(block.name) > 1:
                self._refuse(block.position, f'The block "{block.name}" is there twice; each has a name of its own.')
        return Piece(self._file, self._text, self._extends, self._check_outside(nodes))

    def _trim(self, found: re.Match[str]) -> tuple[int, int]:
        """Return where a tag begins and ends: of a line of its own nothing stays, as with every tag of Jinja2."""
        begin, end = found.span()
        if found["begin"].endswith("-"):
            begin = len(self._text[:begin].rstrip())
        else:
            line = self._text.rfind("\n", 0, begin) + 1
            begin = line if not self._text[line:begin].strip() else begin
        if found["rest"].endswith("-"):
            return max(begin, self._at), len(self._text) - len(self._text[end:].lstrip())
        return max(begin, self._at), end + (self._text[end : end + 1] == "\n")

    def _keep(self, end: int) -> None:
        if end > self._at:
            self._open[-1][2].append(Words(self._at, end))

    def _take(self, found: re.Match[str]) -> None:
        position = found.start()
        match found["word"]:
            case "block":
                self._open.append((self._read_name(_BLOCK, found), position, []))
            case "endblock":
                name, begin, nodes = self._open.pop()
                self._open[-1][2].append(Block(name, begin, tuple(nodes)))
            case "include":
                self._open[-1][2].append(Include(self._read_name(_NAME, found), position))
            case _:
                if self._file.startswith(PARTS):
                    self._refuse(position, "A part has no layout: what includes it has one.")
                if self._extends or len(self._open) > 1 or _JINJA.sub("", self._text[:position]).strip():
                    self._refuse(position, "{% extends %} stands once, and before everything else.")
                self._extends = Include(self._read_name(_NAME, found), position)

    def _read_name(self, pattern: re.Pattern[str], found: re.Match[str]) -> str:
        """Return the name in a tag: nothing but one, for what is shown must be known when it is published."""
        name = pattern.fullmatch(found["rest"].removesuffix("-").removesuffix("+"))
        if name is None:
            message = (
                f"{{% {found['word']} %}} takes a name{' in quotes' if pattern is _NAME else ''}, and nothing else."
            )
            self._refuse(found.start(), message, example=_EXAMPLES[found["word"]])
            return ""
        return next(part for part in name.groups() if part is not None)

    def _check_outside(self, nodes: tuple[Node, ...]) -> tuple[Node, ...]:
        """Refuse what nobody would ever see: with a layout, only blocks are shown."""
        if self._extends is None:
            return nodes
        for node in nodes:
            text = self._text[node.begin : node.end] if isinstance(node, Words) else ""
            rest = re.sub(r"\{#.*?#\}|<!--.*?-->", lambda it: " " * len(it[0]), text, flags=re.DOTALL)
            if isinstance(node, Include) or rest.strip():
                begin = node.position if not isinstance(node, Words) else node.begin + len(rest) - len(rest.lstrip())
                message = "This stands outside of every block, so nobody would see it."
                self._refuse(begin, message, example=_EXAMPLES["block"])
        return tuple(node for node in nodes if isinstance(node, Block))

    def _refuse(self, position: int, message: str, *, example: str = "") -> None:
        place = tell_place(self._text, position)
        raise Faulty([Fault(file=self._file, path=place, message=message, example=example)])


def _check_part(piece: Piece) -> None:
    if not piece.file.startswith(PARTS):
        return
    for block in list_blocks(piece.nodes):
        raise Faulty([piece.fault(block.position, "A part has no blocks: they belong in layouts.")])
