"""Redemptions: an order that names codes which were given marks them as used, once."""

from collections.abc import Sequence

import msgspec

from cartwake.bundles import Bundle
from cartwake.coupons import list_used, name_order, tell_redeemed
from cartwake.events import Event
from cartwake.profiles import Kind
from cartwake.store import coupons, events, profiles


def redeem_coupons(news: Sequence[Event], rules: Bundle) -> int:
    """Mark the codes that orders have used, and return how many; doing so again changes nothing.

    A code that Cartwake did not give is nobody's business here.
    """
    orders = [event for event in news if event.name == rules.settings.order_event and not event.bot]
    return sum(_redeem(code, order) for order in orders for code in list_used(order))


def _redeem(code: str, order: Event) -> bool:
    taken = coupons.get_taken(code)
    if taken is None or taken.redeemed_at:
        return False
    buyer = profiles.resolve_profile(order.who)
    if buyer.kind is Kind.TOMBSTONE:
        return False
    used = msgspec.structs.replace(taken, redeemed_at=order.occurred_at, redeemed_by=buyer.who, order=name_order(order))
    event = tell_redeemed(used, order, own=taken.given.who in buyer.keys)
    return coupons.redeem(used, event=events.write_event(event))
