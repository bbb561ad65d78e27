"""Coupons: until when a code is good, which one a shopper keeps, how one is made, and what an order says of it."""

import pytest
from builders import NOON, an_order
from hypothesis import given as given_any
from hypothesis import strategies as st
from msgspec.structs import replace

from cartwake.bundles import Pool
from cartwake.coupons import (
    Given,
    Taken,
    derive_code,
    list_good,
    list_used,
    normalise_code,
    reckon_until,
    show,
    tell_given,
    tell_redeemed,
)
from cartwake.events import Trust
from cartwake.times import DAY, HOUR, NEVER

GIVEN = Given(who="u#1", pool="back", code="BACK-1", journey="cart", path="1", given_at=NOON, until=NOON + DAY)


def test_a_code_is_the_same_until_its_last_millisecond() -> None:
    """The code a shopper has counts up to its end, and not at it; of several the first that was given."""
    later = replace(GIVEN, code="BACK-2", given_at=NOON + 1, until=NEVER)
    assert list_good([later, GIVEN], NOON + DAY - 1) == [GIVEN, later]
    assert list_good([later, GIVEN], NOON + DAY) == [later]
    assert list_good([GIVEN], NOON + DAY) == []


@pytest.mark.parametrize(
    ("valid_for", "own", "until"),
    [(0, NEVER, NEVER), (DAY, NEVER, NOON + DAY), (DAY, NOON + HOUR, NOON + HOUR), (0, NOON + HOUR, NOON + HOUR)],
)
def test_a_code_ends_with_its_date_or_its_time(valid_for: int, own: int, until: int) -> None:
    """Whichever comes first: so long after it was given, or its own date."""
    assert reckon_until(Pool(valid_for_ms=valid_for), own, NOON) == until


def test_generated_codes_follow_from_the_secret() -> None:
    """The same question gives the same code; another shopper, step, turn or secret another one."""
    pool = Pool(prefix="BACK-", length=8)
    code = derive_code(b"secret", pool, "back", "u#1", "cart", "1", "0", "0")
    assert code == derive_code(b"secret", pool, "back", "u#1", "cart", "1", "0", "0")
    assert len({code, derive_code(b"other", pool, "back", "u#1", "cart", "1", "0", "0")}) == 2
    many = {derive_code(b"secret", pool, "back", f"u#{who}", "cart", "1", "0", "0") for who in range(500)}
    assert len(many) == 500
    assert all(it.startswith("BACK-") and len(it) == 13 and not set(it[5:]) & set("01OILAEU") for it in many)


@given_any(st.text(max_size=80))
def test_one_code_has_one_spelling(text: str) -> None:
    """What is normalised stays as it is: the spelling under which a code is kept is the one it is looked up by."""
    assert normalise_code(normalise_code(text)) == normalise_code(text)


@pytest.mark.parametrize(
    ("said", "codes"),
    [
        ("back-1", ["BACK-1"]),
        ([" back-1 ", "X", "BACK-1"], ["BACK-1", "X"]),
        ("", []),
        (None, []),
        (17, []),
        ({"code": "X"}, []),
        (["X" * 65, "Y"], ["Y"]),
        ([f"C{n}" for n in range(20)], [f"C{n}" for n in range(10)]),
    ],
)
def test_what_an_order_says_was_used(said: object, codes: list[str]) -> None:
    """A text or a list of them, in any letters, each once, ten at most; anything else is no code."""
    assert list_used(an_order(properties={"coupon": said})) == codes


def test_the_last_day_is_the_shops_own() -> None:
    """What ends at midnight in Berlin was good the day before, wherever that instant is a day of."""
    midnight = NOON + 11 * HOUR  # 2026-11-22T00:00 in Berlin
    assert show(replace(GIVEN, until=midnight), "Europe/Berlin") == {"code": "BACK-1", "expires_at": "2026-11-21"}
    assert show(replace(GIVEN, until=midnight + 1), "Europe/Berlin")["expires_at"] == "2026-11-22"
    assert show(replace(GIVEN, until=midnight), "America/New_York")["expires_at"] == "2026-11-21"
    assert show(replace(GIVEN, until=NEVER), "UTC") == {"code": "BACK-1", "expires_at": None}


def test_each_code_is_told_of_once() -> None:
    """The events of a code have ids that follow from it; those of an imported order start nothing."""
    order = an_order(id="o")
    assert tell_given(GIVEN).key == tell_given(GIVEN).key
    assert tell_given(GIVEN).properties["expires_at"] == "2026-11-22T12:00:00.000Z"
    told = tell_redeemed(Taken(given=GIVEN), replace(order, backfill=True, who="u#2"), own=False)
    assert (told.who, told.trust, told.backfill) == ("u#2", Trust.OWN, True)
    assert told.properties == {"pool": "back", "coupon": "BACK-1", "journey": "cart", "order_id": "o-1", "own": False}
