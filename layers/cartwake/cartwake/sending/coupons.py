"""The one code that a message shows; decided before the claim, so that a refused message spends none."""

from cartwake.coupons import Given
from cartwake.giving import find_given, give
from cartwake.reasons import Skip
from cartwake.sending.letters import Case, Unfit, find_live_step
from cartwake.times import Instant


def give_coupon(case: Case, now: Instant) -> Given | Unfit | None:
    """Return the code for a message: the one its shopper has by now, or a new one; None where none is asked for.

    A code that is given and not sent in the end stays the shopper's, for this step. One that a step gave and an order
    has used is replaced by no message of that journey: who reminds of it would give away another.

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
    keys = case.profile.keys
    gift = find_given(wanted, keys)
    if gift is not None and not gift.redeemed_at:
        return gift.given
    if gift is not None and gift.given.journey == wanted.journey:
        return Unfit(Skip.NO_COUPON, f'an order has used the code of "{step.coupon}" that was given')
    return give(wanted, pool, keys) or Unfit(Skip.NO_COUPON, f'the pool "{step.coupon}" is empty')
