"""Coupons: what a code is, until when it is good, how one is made, and which codes an order says were used."""

import hmac
import unicodedata
from collections.abc import Iterable
from datetime import UTC
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cartwake.bundles import Pool
from cartwake.events import Event, derive_id, own_event
from cartwake.times import NEVER, Instant, format_instant, to_datetime

GIVEN: Final = "Coupon Given"
"""Told by Cartwake itself: `{"pool", "coupon", "journey", "expires_at"}`."""
REDEEMED: Final = "Coupon Redeemed"
"""Told by Cartwake itself of whoever ordered: `{"pool", "coupon", "journey", "order_id", "own"}`."""
MOST_IN_AN_ORDER: Final = 10
LONGEST_CODE: Final = 64
_ALPHABET: Final = "23456789BCDFGHJKMNPQRSTVWXZ"
"""Nothing that is taken for something else, and no vowels, so that no word comes of it."""


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """A code that belongs to a shopper.

    Attributes:
        who: The key under which it was given.
        path: Of the step.
        for_all: It was given without a message, for every message that shows a code of the pool.
        round: How many the shopper had for this step, or for all, before.
        until: The instant from which it is no longer good; NEVER: always.
    """

    who: str
    pool: str
    code: str
    journey: str
    path: str
    for_all: bool = False
    round: int = 0
    given_at: Instant
    until: Instant = NEVER


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a code that is nobody else's any more.

    Attributes:
        redeemed_at: The instant of the order; 0 while there is none.
        redeemed_by: The key of whoever ordered.
    """

    given: Given
    redeemed_at: Instant = 0
    redeemed_by: str = ""
    order: str = ""


def normalise_code(text: str) -> str:
    """Return the spelling under which a code is known: shops take `back-7x` for `BACK-7X`."""
    return unicodedata.normalize("NFC", text.upper()).strip()


def list_good(given: Iterable[Given], now: Instant) -> list[Given]:
    """Return those that are not over yet, the first one first."""
    return sorted((each for each in given if each.until > now), key=lambda each: (each.given_at, each.code))


def reckon_until(pool: Pool, code_until: Instant, now: Instant) -> Instant:
    """Return until when a code is good that is given now: its own end, or so long after now, whichever comes first."""
    return min(code_until, now + pool.valid_for_ms if pool.valid_for_ms else NEVER)


def fill(wanted: Given, *, code: str, turn: int, until: Instant) -> Given:
    """Return what is wanted, as it would be with a code."""
    return msgspec.structs.replace(wanted, code=code, round=turn, until=until)


def derive_code(secret: bytes, pool: Pool, *parts: str) -> str:
    """Return the code that follows from *parts*: nobody without the secret can guess another one."""
    drawn = int.from_bytes(hmac.new(secret, "\x1f".join(parts).encode(), sha256).digest())
    letters = []
    for _ in range(pool.length):
        drawn, letter = divmod(drawn, len(_ALPHABET))
        letters.append(_ALPHABET[letter])
    return pool.prefix + "".join(letters)


def list_used(event: Event) -> list[str]:
    """Return the codes that an order says were used: Segment's `coupon`, a text or a list of them."""
    said = event.properties.get("coupon")
    texts = said if isinstance(said, list) else [said]
    codes = (normalise_code(text) for text in texts if isinstance(text, str) and len(text) <= LONGEST_CODE)
    return [code for code in dict.fromkeys(codes) if code][:MOST_IN_AN_ORDER]


def show(given: Given, timezone: str) -> dict[str, Any]:
    """Return what a template sees; the last day on which the code is good is one of the shop's own."""
    if given.until >= NEVER:
        return {"code": given.code, "expires_at": None}
    last = to_datetime(given.until - 1).astimezone(ZoneInfo(timezone) if timezone != "UTC" else UTC)
    return {"code": given.code, "expires_at": last.date().isoformat()}


def tell_given(given: Given) -> Event:
    """Return the event that a code was given."""
    expires = {"expires_at": format_instant(given.until)} if given.until < NEVER else {}
    properties = {"pool": given.pool, "coupon": given.code, "journey": given.journey, **expires}
    return own_event(given.who, GIVEN, id=_name(GIVEN, given), at=given.given_at, properties=properties)


def tell_redeemed(taken: Taken, order: Event, *, own: bool) -> Event:
    """Return the event that an order has used a code.

    Args:
        taken: The code.
        order: The order.
        own: The code was given to this very shopper.
    """
    given = taken.given
    properties = {
        "pool": given.pool,
        "coupon": given.code,
        "journey": given.journey,
        "order_id": name_order(order),
        "own": own,
    }
    told = own_event(order.who, REDEEMED, id=_name(REDEEMED, given), at=order.received_at, properties=properties)
    return msgspec.structs.replace(told, backfill=order.backfill)


def name_order(order: Event) -> str:
    """Return an order's own id, or the event's."""
    said = order.properties.get("order_id")
    return str(said)[:200] if isinstance(said, (str, int)) and said != "" else order.id


def _name(what: str, given: Given) -> str:
    return derive_id(what, normalise_code(given.code))
