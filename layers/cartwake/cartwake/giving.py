"""Giving: the one code that a message shows; decided before the claim, so that a refused message spends none."""

from typing import Final

from cartwake.bundles import Pool
from cartwake.coupons import Given, derive_code, fill, find_good, reckon_until, tell_given
from cartwake.errors import TryAgain
from cartwake.gateways.secrets import coupon_secret
from cartwake.reasons import Skip
from cartwake.sending.letters import Case, Unfit, find_live_step
from cartwake.store import coupons as store
from cartwake.store import events
from cartwake.times import NEVER, Instant

MOST_DRAWS: Final = 12


def give_coupon(case: Case, now: Instant) -> Given | Unfit | None:
    """Return the code for a message: the one its shopper has for this step, or a new one; None where none is asked for.

    A code that is given and not sent in the end stays the shopper's, for this step.

    Raises:
        TryAgain: Others kept taking what was drawn.
    """
    step = find_live_step(case.message, case.rules)
    if not step.coupon:
        return None
    pool = case.rules.pools.get(step.coupon)
    if pool is None:
        return Unfit(Skip.NO_COUPON, f'there is no pool "{step.coupon}"')
    wanted = Given(
        who=case.profile.who,
        pool=step.coupon,
        code="",
        journey=case.message.journey,
        path=case.message.path,
        given_at=now,
    )
    for attempt in range(MOST_DRAWS):
        held = [it for key in case.profile.keys for it in store.list_given(key, store.name_place(wanted))]
        good = find_good(held, now)
        if good is not None:
            return good
        candidate = _find_candidate(wanted, pool, attempt=attempt, before=held)
        if candidate is None:
            return Unfit(Skip.NO_COUPON, f'the pool "{step.coupon}" is empty')
        if store.take(candidate, drawn=not pool.length, event=events.write_event(tell_given(candidate))):
            return candidate
        if not pool.length and store.get_taken(candidate.code) is not None:
            store.discard(candidate.pool, candidate.code)
    raise TryAgain("the codes that were drawn were taken by others too often in a row")


def _find_candidate(wanted: Given, pool: Pool, *, attempt: int, before: list[Given]) -> Given | None:
    """Return the code to try, as it would be given; None when the pool is empty."""
    now = wanted.given_at
    turn = 1 + max((each.round for each in before), default=-1)
    if pool.length:
        parts = (wanted.pool, wanted.who, wanted.journey, wanted.path, str(turn), str(attempt))
        drawn: tuple[str, Instant] | None = derive_code(coupon_secret(), pool, *parts), NEVER
    else:
        drawn = store.draw(wanted.pool, now)
    if drawn is None:
        return None
    code, until = drawn
    return fill(wanted, code=code, turn=turn, until=reckon_until(pool, until, now))
