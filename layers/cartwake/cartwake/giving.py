"""Giving: the one code that a shopper gets for a step, or for all messages that show a code of its pool.

A code is over at its end, or when an order has used it: what nobody would take is offered to nobody.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from cartwake.bundles import Pool
from cartwake.coupons import Given, Taken, derive_code, fill, list_good, reckon_until, tell_given
from cartwake.errors import TryAgain
from cartwake.gateways.secrets import coupon_secret
from cartwake.store import coupons as store
from cartwake.store import events
from cartwake.times import NEVER, Instant

MOST_DRAWS: Final = 12


def find_given(wanted: Given, keys: Iterable[str]) -> Taken | None:
    """Return the code that a step without a message gave and whose end has not come.

    One that is unused if there is; of the used ones that of the same journey.
    """

    def rank(taken: Taken) -> tuple[bool, bool]:
        return taken.redeemed_at > 0, taken.given.journey != wanted.journey

    held = _list_held(replace(wanted, for_all=True), keys)
    return min(_look_up(held, wanted.given_at), key=rank, default=None)


def give(wanted: Given, pool: Pool, keys: Iterable[str]) -> Given | None:
    """Return the code that a shopper has for this step, or for all of them, or a new one; None where the pool is empty.

    Args:
        wanted: What is to be given, as yet without a code; the time of it is now.
        pool: Its pool.
        keys: All those under which the shopper may have been given one.

    Raises:
        TryAgain: Others kept taking what was drawn.
    """
    keys = tuple(keys)
    for attempt in range(MOST_DRAWS):
        held = _list_held(wanted, keys)
        good = next((it.given for it in _look_up(held, wanted.given_at) if not it.redeemed_at), None)
        if good is not None:
            return good
        candidate = _find_candidate(wanted, pool, attempt=attempt, before=held)
        if candidate is None:
            return None
        if store.take(candidate, drawn=not pool.length, event=events.write_event(tell_given(candidate))):
            return candidate
        if not pool.length and store.get_taken(candidate.code) is not None:
            store.discard(candidate.pool, candidate.code)
    raise TryAgain("the codes that were drawn were taken by others too often in a row")


def _look_up(held: Iterable[Given], now: Instant) -> list[Taken]:
    """Return what became of those whose end has not come, the first one first."""
    found = (store.get_taken(each.code) for each in list_good(held, now))
    return [taken for taken in found if taken is not None]


def _list_held(wanted: Given, keys: Iterable[str]) -> list[Given]:
    return [it for key in keys for it in store.list_given(key, store.name_place(wanted))]


def _find_candidate(wanted: Given, pool: Pool, *, attempt: int, before: list[Given]) -> Given | None:
    """Return the code to try, as it would be given; None when the pool is empty."""
    now = wanted.given_at
    turn = 1 + max((each.round for each in before), default=-1)
    if pool.length:
        place = ("*",) if wanted.for_all else (wanted.journey, wanted.path)
        parts = (wanted.pool, wanted.who, *place, str(turn), str(attempt))
        drawn: tuple[str, Instant] | None = derive_code(coupon_secret(), pool, *parts), NEVER
    else:
        drawn = store.draw(wanted.pool, now)
    if drawn is None:
        return None
    code, until = drawn
    return fill(wanted, code=code, turn=turn, until=reckon_until(pool, until, now))
