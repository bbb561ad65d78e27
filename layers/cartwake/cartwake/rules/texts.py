"""Texts of files: bytes become text and JSON, with everything refused that two readers could read differently."""

import json
import re
from typing import Any, Final, NoReturn

from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.places import find_twice, find_word

LARGEST: Final = 256 * 1024
DEEPEST: Final = 40
_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)
_NOT_TEXT: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def read_text(file: str, content: bytes) -> str:
    """Return the text of a file; a byte order mark is dropped.

    Raises:
        Faulty: It is too large, empty, or not UTF-8.
    """
    if len(content) > LARGEST:
        size = f"{len(content) / 1024:,.0f} KB"
        raise Faulty([Fault(file=file, message=f"The file has {size}; at most {LARGEST // 1024} KB are read.")])
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"Byte {error.start + 1} is not UTF-8; save the file as UTF-8."
        raise Faulty([Fault(file=file, message=message)]) from None
    if not text.strip():
        raise Faulty([Fault(file=file, message="The file is empty.")])
    found = _NOT_TEXT.search(text)
    if found:
        message = f"There is a character that is not text (U+{ord(found[0]):04X})."
        raise Faulty([Fault(file=file, path=tell_place(text, found.start()), message=message)])
    return text.replace("\r\n", "\n")


def read_json(file: str, text: str) -> Any:
    """Return what a JSON text says.

    Raises:
        Faulty: It is not JSON, has a key twice in one object, a number that is none, or too deep a nesting.
    """
    _check_depth(file, text)
    try:
        refuse = _Refuse(file, text)
        data = json.loads(text, object_pairs_hook=_pair, parse_constant=refuse, parse_float=_Float(file, text))
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Faulty([Fault(file=file, path=place, message=f"This is not JSON: {_explain(error.msg)}.")]) from None
    except _TwiceError as error:
        message = f'The key "{error}" stands twice in one object; keep one of them.'
        raise Faulty([Fault(file=file, path=find_twice(text), message=message)]) from None
    except ValueError:
        raise Faulty([Fault(file=file, message="There is a number with too many digits.")]) from None
    if _has_surrogate(data):
        raise Faulty([Fault(file=file, message="There is half a character (a lone surrogate such as \\ud83d).")])
    return data


def tell_place(text: str, position: int) -> str:
    """Return `line 3, column 5` for a position in a text."""
    before = text[:position]
    return f"line {before.count('\n') + 1}, column {position - before.rfind('\n')}"


class _TwiceError(ValueError):
    """A key stands twice in one object: readers differ on which of the two counts."""


def _pair(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object, and refuse a key that it has already."""
    if len(built := dict(pairs)) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return built


class _Refuse:
    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text

    def __call__(self, word: str) -> NoReturn:
        line, column = find_word(self._text, word)
        message = f"{word} is not a number that can be compared."
        raise Faulty([Fault(file=self._file, path=f"line {line}, column {column}", message=message)])


class _Float(_Refuse):
    def __call__(self, word: str) -> float:  # type: ignore[override]
        number = float(word)
        if number in (float("inf"), float("-inf")):
            super().__call__(word)
        return number


def _check_depth(file: str, text: str) -> None:
    depth = 0
    for token in _TOKEN.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token[0], 0)
        if depth > DEEPEST:
            place = tell_place(text, token.start())
            raise Faulty([Fault(file=file, path=place, message=f"Objects are nested more than {DEEPEST} deep.")])


def _has_surrogate(data: Any) -> bool:
    if isinstance(data, dict):
        return any(_has_surrogate(key) or _has_surrogate(value) for key, value in data.items())
    if isinstance(data, list):
        return any(_has_surrogate(item) for item in data)
    return isinstance(data, str) and any("\ud800" <= character <= "\udfff" for character in data)


def _explain(message: str) -> str:
    return {
        "Expecting ',' delimiter": "a comma or a closing bracket is missing here",
        "Expecting ':' delimiter": "a colon is missing here",
        "Expecting value": "a value is missing here",
        "Extra data": "there is something after the end",
        "Illegal trailing comma before end of object": "the comma before } must go",
        "Illegal trailing comma before end of array": "the comma before ] must go",
        "Expecting property name enclosed in double quotes": "a key in double quotes is missing here",
    }.get(message, message[0].lower() + message[1:])
