"""Vetting: what an event may hold."""

import json

import pytest

from cartwake.capture.vetting import DEEPEST, decode_event, vet
from cartwake.errors import BadInput


def _refuse(value: object) -> BadInput:
    with pytest.raises(BadInput) as refused:
        vet(value)
    return refused.value


def _nest(levels: int, *, lists: bool) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value] if lists else {"a": value}
    return value


@pytest.mark.parametrize("lists", [True, False])
def test_how_deep_values_may_be_nested(lists: bool) -> None:
    """Twelve levels, of lists as of objects; the next is refused, with its place."""
    vet(_nest(DEEPEST, lists=lists))
    refused = _refuse(_nest(DEEPEST + 1, lists=lists))
    assert (refused.code, str(refused)) == ("too_deep", f"nested deeper than {DEEPEST} levels")
    assert refused.where == ("[0]" * DEEPEST if lists else ".".join("a" * DEEPEST))


@pytest.mark.parametrize(
    ("value", "code", "where"),
    [
        ({"a": [1, {"b": "x\x00"}]}, "invalid_text", "a[1].b"),
        ({"a": {"b\x00": 1}}, "invalid_text", "a"),
        ({"a": [2**63]}, "invalid_number", "a[0]"),
        ([-(2**63)], "invalid_number", "[0]"),
        ([float("inf")], "invalid_number", "[0]"),
        ([float("nan")], "invalid_number", "[0]"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_its_place(value: object, code: str, where: str) -> None:
    """A client that is told where it is can mend it."""
    refused = _refuse(value)
    assert (refused.code, refused.where) == (code, where)


def test_what_can_be_stored_is_taken() -> None:
    """Every kind of value that JSON has."""
    vet({"a": [None, True, 2**63 - 1, -(2**63) + 1, 1.5, "text", {}, []]})


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (b'{"a": "\xff"}', "invalid_text", "not UTF-8"),
        (b"{", "invalid_json", "truncated"),
        (b'{"a": 1e999}', "invalid_number", "send null or text"),
        (b"[]", "invalid_event", "an event is an object"),
        (json.dumps({"a": "x" * 40_000}).encode(), "event_too_large", "40009 bytes; an event may have"),
    ],
)
def test_an_event_that_is_refused_is_told_why(raw: bytes, code: str, words: str) -> None:
    """In a word that a program reads, and in a sentence."""
    with pytest.raises(BadInput, match=words) as refused:
        decode_event(raw)
    assert refused.value.code == code
