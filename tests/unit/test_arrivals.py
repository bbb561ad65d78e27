"""The token in the address of a page: found where it counts, and kept in no address."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.arrivals import find_token, may_hold, strip

TOKEN = "k6N1IzGhbQE.vVZ0-a_b"
SHOP = "https://shop.example.com/a"


@pytest.mark.parametrize(
    ("context", "properties", "token"),
    [
        ({"page": {"url": f"{SHOP}?cw={TOKEN}"}}, {}, TOKEN),
        ({"page": {"url": f"{SHOP}?a=1&cw={TOKEN}&b=2#f"}}, {}, TOKEN),
        ({"page": {"search": f"?cw={TOKEN}"}}, {}, TOKEN),
        ({"page": {"search": f"cw={TOKEN}"}}, {}, TOKEN),
        ({"page": {"url": SHOP, "tab_url": f"{SHOP}?cw={TOKEN}"}}, {}, TOKEN),
        ({}, {"url": f"{SHOP}?cw={TOKEN}"}, TOKEN),
        ({"page": {"url": SHOP}}, {"search": f"?cw={TOKEN}"}, TOKEN),
        ({"page": {"referrer": f"{SHOP}?cw={TOKEN}"}}, {"link": f"{SHOP}?cw={TOKEN}"}, ""),
        ({"page": {"url": f"{SHOP}#?cw={TOKEN}"}}, {}, ""),
        ({"page": {"url": f"{SHOP}?xcw={TOKEN}"}}, {"url": f"{SHOP}?cw="}, ""),
        ({"page": {"url": f"{SHOP}?next=https%3A%2F%2Fx%3Fcw%3D{TOKEN}"}}, {}, ""),
        ({"page": [f"{SHOP}?cw={TOKEN}"]}, None, ""),
        ({"page": {"url": 5}}, {"url": [f"?cw={TOKEN}"]}, ""),
    ],
)
def test_where_a_token_counts(context: Any, properties: Any, token: str) -> None:
    """In the address of the page itself, as clients tell it: a referrer, or a link on the page, is no arrival."""
    assert find_token(context, properties) == token


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{SHOP}?cw={TOKEN}", SHOP),
        (f"{SHOP}?cw={TOKEN}#f", f"{SHOP}#f"),
        (f"{SHOP}?cw={TOKEN}&b=2", f"{SHOP}?b=2"),
        (f"{SHOP}?a=1&cw={TOKEN}", f"{SHOP}?a=1"),
        (f"{SHOP}?a=1&cw={TOKEN}&b=2#f", f"{SHOP}?a=1&b=2#f"),
        (f"{SHOP}?cw={TOKEN}&cw={TOKEN}&cw=x&b=2", f"{SHOP}?b=2"),
        (f"{SHOP}?a=1&amp;cw={TOKEN}&amp;b=2", f"{SHOP}?a=1&amp;b=2"),
        (f"{SHOP}?a=1;cw={TOKEN};b=2", f"{SHOP}?a=1;b=2"),
        (f"{SHOP}#/b?cw={TOKEN}", f"{SHOP}#/b"),
        (f"{SHOP}#cw={TOKEN}", SHOP),
        (f"?cw={TOKEN}", ""),
        (f"cw={TOKEN}&b=2", "b=2"),
        (f"{SHOP}?cw=tampered%20with!", SHOP),
        (f"{SHOP}?cw=&b=2", f"{SHOP}?b=2"),
        (
            f"https://x.example/?to=https%3A%2F%2Fshop%2F%3Fa%3D1%26cw%3D{TOKEN}&b=2",
            "https://x.example/?to=https%3A%2F%2Fshop%2F%3Fa%3D1&b=2",
        ),
        (f"https://x.example/?to=%2F%3Fcw%3D{TOKEN}%26c%3D1&b=2", "https://x.example/?to=%2F%3Fc%3D1&b=2"),
        (f"https://x.example/?to=%252F%253Fcw%253D{TOKEN}", "https://x.example/?to=%252F"),
        (f"See {SHOP}?cw={TOKEN} or '{SHOP}?cw={TOKEN}'", f"See {SHOP} or '{SHOP}'"),
        (f"{SHOP}?xcw=1&cwx=2", f"{SHOP}?xcw=1&cwx=2"),
        ("cw", "cw"),
    ],
)
def test_a_token_is_left_out_and_nothing_else(before: str, after: str) -> None:
    """Good or bad, once or often, encoded inside another address or not: the rest of the address stays as it was."""
    assert strip(before) == after
    told, left = ({"a": [{"b": text, text: 1}], "c": 2.5, "d": None} for text in (before, after))
    assert strip(told) == left


@given(st.recursive(st.text() | st.integers() | st.none(), lambda it: st.lists(it) | st.dictionaries(st.text(), it)))
def test_what_holds_none_stays_as_it_was(value: Any) -> None:
    """Nothing but the parameter is touched; and to leave it out twice is to leave it out once."""
    once = strip(value)
    assert strip(once) == once or "cw" in str(value)
    if "cw" not in str(value):
        assert once == value


@given(st.lists(st.sampled_from(["?", "&", "#", ";", "a=1", f"cw={TOKEN}", "cw%3D", "%26", "%3F", "&amp;", " ", "/"])))
def test_no_token_is_left_in_any_query(parts: list[str]) -> None:
    """However separators are heaped up, no parameter of the name is left that a page would read."""
    assert find_token({"page": {"url": strip(SHOP + "?" + "".join(parts))}}, {}) == ""


def test_it_takes_no_time() -> None:
    """An event of the largest size, made to be slow, is gone through in an instant."""
    for hostile in ("?cw=" * 8_000, "%25" * 10_000, "&cw" * 10_000, "?cw" + "%25" * 10_000, "?cw=" + "&cw=a" * 6_000):
        strip(hostile)


def test_most_events_need_not_be_gone_through() -> None:
    """What has neither the letters nor an escape that may hide them has no token."""
    assert not may_hold(b'{"url":"https://shop.example.com/a?b=1"}')
    assert may_hold(b'{"url":"https://shop.example.com/a?cw=1"}')
    assert may_hold(b'{"url":"https://shop.example.com/a?\\u0063w\\u003d1"}')
