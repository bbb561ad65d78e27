"""Places: the line and column at which a path of a JSON text stands."""

import json
import re
from dataclasses import dataclass, field
from typing import Final, NamedTuple

_TOLD: Final = re.compile(r"line (\d+)(?:, column (\d+))?")
_TOKEN: Final = re.compile(r'\s*("(?:[^"\\]|\\.)*"|[\[\]{}:,]|[^\s\[\]{}:,"]+)', re.DOTALL)
_PART: Final = re.compile(r"\[(\d+)\]")


class Place(NamedTuple):
    """Where something begins, counted from 1; 0: not known."""

    line: int = 0
    column: int = 0


@dataclass(slots=True)
class _Node:
    """A value in the text.

    Attributes:
        begins: Where it begins, or the key before it.
        inner: What is in it, by key or by number.
        twice: Its key stood there before.
    """

    begins: int
    inner: dict[str | int, "_Node"] = field(default_factory=dict)
    twice: bool = False


def find_place(text: str, path: str) -> Place:
    """Return where in a JSON text *path* stands: its key, or an entry of a list; of what is missing, what it is in.

    A path that tells a line itself is that place. Of a text that is not JSON nothing is known.
    """
    told = _TOLD.fullmatch(path)
    if told:
        return Place(int(told[1]), int(told[2] or 1))
    if not path:
        return Place()
    root = _scan(text)
    return Place() if root is None else _tell(text, _find(root, path).begins)


def find_word(text: str, word: str) -> Place:
    """Return where a word such as NaN first stands in a JSON text, outside of its strings."""
    return next((_tell(text, found.start(1)) for found in _TOKEN.finditer(text) if found[1] == word), Place())


def find_twice(text: str) -> str:
    """Return the path of the first key that stands twice in one object; "" where none does."""
    root = _scan(text)
    return "" if root is None else _find_twice(root)


def _find_twice(node: _Node) -> str:
    for key, inner in node.inner.items():
        name = f"[{key}]" if isinstance(key, int) else f".{key}"
        if inner.twice:
            return name.removeprefix(".")
        below = _find_twice(inner)
        if below:
            return f"{name}{'' if below.startswith('[') else '.'}{below}".removeprefix(".")
    return ""


def _find(node: _Node, path: str) -> _Node:
    """Return the innermost part of *node* on *path*; keys may have dots themselves: the longest one counts."""
    path = path.removeprefix(".")
    numbered = _PART.match(path)
    if numbered:
        key: str | int = int(numbered[1])
        return _find(node.inner[key], path[numbered.end() :]) if key in node.inner else node
    keys = [key for key in node.inner if isinstance(key, str) and _leads(key, path)]
    if not keys:
        return node
    longest = max(keys, key=len)
    return _find(node.inner[longest], path[len(longest) :])


def _leads(key: str, path: str) -> bool:
    return bool(key) and path.startswith(key) and path[len(key) : len(key) + 1] in ("", ".", "[")


def _scan(text: str) -> _Node | None:
    """Return the tree of a JSON text; None when it is none."""
    tokens = [(found[1], found.start(1)) for found in _TOKEN.finditer(text)]
    try:
        node, _ = _read_value(tokens, 0)
    except (IndexError, ValueError, RecursionError):
        return None
    return node


def _read_value(tokens: list[tuple[str, int]], index: int) -> tuple[_Node, int]:
    word, begins = tokens[index]
    node = _Node(begins)
    if word == "{":
        return node, _read_object(tokens, index + 1, node)
    if word == "[":
        return node, _read_list(tokens, index + 1, node)
    return node, index + 1


def _read_object(tokens: list[tuple[str, int]], index: int, node: _Node) -> int:
    while tokens[index][0] != "}":
        key, begins = tokens[index]
        value, index = _read_value(tokens, index + 2)
        value.begins = begins
        name = json.loads(key)
        value.twice = name in node.inner
        node.inner[name] = value
        index += tokens[index][0] == ","
    return index + 1


def _read_list(tokens: list[tuple[str, int]], index: int, node: _Node) -> int:
    while tokens[index][0] != "]":
        value, index = _read_value(tokens, index)
        node.inner[len(node.inner)] = value
        index += tokens[index][0] == ","
    return index + 1


def _tell(text: str, position: int) -> Place:
    before = text[:position]
    return Place(before.count("\n") + 1, position - before.rfind("\n"))
