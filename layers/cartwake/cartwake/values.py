"""Values as clients send them: numbers that may be text, paths into nested data, and tests on them."""

from datetime import UTC, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from itertools import islice
from re import compile as compile_pattern
from typing import Any, Final, assert_never
from unicodedata import normalize
from urllib.parse import unquote

import msgspec

from cartwake.times import read_instant

MICROS: Final = 1_000_000
_LARGEST: Final = Decimal(10) ** 12
_MOST_MICROS: Final = 10**12 * MICROS
_MOST_PLACES: Final = 12
_FINEST: Final = Decimal(1).scaleb(-_MOST_PLACES)
_MOST_SEARCHED: Final = 2_000
_MOST_WORDS: Final = 50
_MOST_ITEMS: Final = 500
_WORD_START: Final = compile_pattern(r"(?<!\w)\w")


class Is(msgspec.Struct, frozen=True, tag="is"):
    """Equal to one of the values, text compared without case."""

    values: tuple[Any, ...]
    negated: bool = False


class Contains(msgspec.Struct, frozen=True, tag="contains"):
    """The text occurs in the value, or the value is a list that holds it; without case."""

    text: str


class Matches(msgspec.Struct, frozen=True, tag="matches"):
    """A glob over the percent-decoded value, at the start of any word unless it begins with `*` or `/`."""

    glob: str


class Compared(msgspec.Struct, frozen=True, tag="compared"):
    """A number against a bound, or a date against an instant as text.

    `op` is one of more_than, less_than, at_least, at_most. A date that names no zone is one of the zone of its bound.
    """

    op: str
    bound: float | str


class Exists(msgspec.Struct, frozen=True, tag="exists"):
    """The value is there and neither null nor empty text, or the opposite."""

    wanted: bool = True


class AnyItem(msgspec.Struct, frozen=True, tag="any_item"):
    """The value is a list of objects, one of which passes all of the tests."""

    tests: tuple["PropertyTest", ...]


type Test = Is | Contains | Matches | Compared | Exists | AnyItem


class PropertyTest(msgspec.Struct, frozen=True):
    """A test on one property of an event, by its dotted path."""

    path: str
    test: Is | Contains | Matches | Compared | Exists | AnyItem


class Several(list[Any]):
    """What a path finds in a list of objects: a test is passed when one of them passes it."""


def passes(value: Any, test: Test) -> bool:
    """Say whether *value* passes *test*; a missing value passes only `exists: false` and `is_not`.

    Of a list one value must pass; and for `exists: false` and `is_not` none may be there.
    """
    match test:
        case Exists(wanted):
            return _exists(value) == wanted
        case Is(values, negated):
            return any(_same(value, wanted) for wanted in values) != negated
        case Contains(text):
            return any(_contains(it, fold(text)) for it in (value if isinstance(value, Several) else [value]))
        case Matches(glob):
            return any(isinstance(it, str) and matches_glob(it, glob) for it in _list(value))
        case Compared(op, bound):
            return any(_compare(it, op, bound) for it in _list(value))
        case AnyItem(tests):
            items = (it for it in _list(value) if isinstance(it, dict))
            return any(all(passes(find_value(it, each.path), each.test) for each in tests) for it in items)
        case _:
            assert_never(test)


def matches_glob(text: str, glob: str) -> bool:
    """Say whether *glob* matches *text*, percent-decoded and without case.

    A glob that begins with `*` is matched against all of it, one that begins with `/` from the path on, any other
    from the start of any word: `hiszp*` finds `/wakacje/hiszpania`. Of a long text only the beginning counts, and of
    one that the glob wants to its very end only the first words: trying each of 30 KB takes a second.
    """
    text, glob = fold(unquote(text)), fold(glob).replace("[", "[[]")  # to fnmatch a bracket would be a choice
    if glob.startswith("*"):
        return fnmatchcase(text, glob)
    if glob.startswith("/"):
        return fnmatchcase("/" + text.split("://", 1)[-1].partition("/")[2] if "://" in text else text, glob)
    if glob.endswith("*"):
        text = text[:_MOST_SEARCHED]
    starts = islice(_WORD_START.finditer(text, 0, _MOST_SEARCHED), None if len(text) <= _MOST_SEARCHED else _MOST_WORDS)
    return any(fnmatchcase(text[found.start() :], glob) for found in starts)


def fold(text: str) -> str:
    """Return a text as it is compared: without case, its accents in one form; an address without its percent signs.

    What is the same to a reader is the same: "ń" is one character or two, and `%C5%84` in an address.
    """
    if "%" in text and "/" in text:
        text = unquote(text)
    return (text if text.isascii() else normalize("NFC", text)).casefold()


def find_value(data: Any, path: str) -> Any:
    """Return what the dotted *path* leads to in nested objects, or None; a key with dots in it is tried first.

    Where it leads through a list of objects, `Several`: what it finds in each of them.
    """
    if isinstance(data, dict) and path in data:
        return data[path]
    part, _, rest = path.partition(".")
    if isinstance(data, list):
        found = [find_value(item, path) for item in data[:_MOST_ITEMS] if isinstance(item, dict)]
        several = Several()
        for each in found:
            several.extend(each if isinstance(each, Several) else [each])
        return several or None
    if not isinstance(data, dict):
        return None
    return find_value(data.get(part), rest) if rest else data.get(part)


def list_texts(value: Any) -> list[str]:
    """Return the texts, and the numbers as text, that *value* is or has in it; each once, empty ones not.

    1, 1.0 and "1" are one of them.
    """
    told = (it for it in _list(value) if isinstance(it, (str, int, float)) and not isinstance(it, bool))
    texts = (str(int(it) if isinstance(it, float) and it.is_integer() else it) for it in told)
    return list(dict.fromkeys(text for text in texts if text))


def sum_micros(value: Any) -> int | None:
    """Return the millionths of a number, or of all numbers of a list together; None where there is none.

    They too are below 10¹² either way: a state can hold it.
    """
    numbers = [micros for it in _list(value) if (micros := to_micros(it)) is not None]
    return max(-_MOST_MICROS, min(_MOST_MICROS, sum(numbers))) if numbers else None


def parse_number(value: Any) -> Decimal | None:
    """Return the number that *value* is or spells ("19,90" and "1 299.00" are numbers), or None.

    It is below 10¹² either way, and has at most 12 places: what is computed from it cannot overflow.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip().replace("\u00a0", "").replace(" ", "")
        if "," in value and "." in value:
            thousands = "," if value.rfind(",") < value.rfind(".") else "."
            value = value.replace(thousands, "")
        value = value.replace(",", ".")
    if not isinstance(value, (int, float, str, Decimal)):
        return None
    try:
        number = Decimal(str(value))
    except (InvalidOperation, ValueError):
        return None
    # Compared and not rounded: arithmetic, abs() too, raises where an exponent is out of all reason.
    if not number.is_finite() or not -_LARGEST < number < _LARGEST:
        return None
    exponent = int(number.as_tuple().exponent)
    return number if -_MOST_PLACES <= exponent <= _MOST_PLACES else number.quantize(_FINEST)


def to_micros(value: Any) -> int | None:
    """Return a number as whole millionths, or None when it is none."""
    number = parse_number(value)
    return None if number is None else int((number * MICROS).to_integral_value())


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _exists(value: Any) -> bool:
    if isinstance(value, Several):
        return any(_exists(it) for it in value)
    return value is not None and value not in ("", [], {})


def _same(value: Any, wanted: Any) -> bool:
    if isinstance(value, str) and isinstance(wanted, str):
        return fold(value) == fold(wanted)
    if isinstance(value, bool) or isinstance(wanted, bool):
        return value is wanted
    if isinstance(value, list):
        return any(_same(item, wanted) for item in value)
    if isinstance(wanted, (int, float)):
        return parse_number(value) == parse_number(wanted) is not None
    return bool(value == wanted or (isinstance(value, (int, float)) and str(value) == wanted))


def _contains(value: Any, text: str) -> bool:
    if isinstance(value, str):
        return text in fold(value)
    return isinstance(value, list) and any(isinstance(item, str) and fold(item) == text for item in value)


def _compare(value: Any, op: str, bound: float | str) -> bool:
    left: Any
    right: Any
    if isinstance(bound, str):
        zone = _find_zone(bound)
        left, right = read_instant(value, zone), read_instant(bound, zone)
    else:
        left, right = parse_number(value), Decimal(str(bound))
    if left is None or right is None:
        return False
    return bool(
        {"more_than": left > right, "less_than": left < right, "at_least": left >= right, "at_most": left <= right}[op]
    )


def _find_zone(text: str) -> tzinfo:
    try:
        return datetime.fromisoformat(text).tzinfo or UTC
    except ValueError:
        return UTC
