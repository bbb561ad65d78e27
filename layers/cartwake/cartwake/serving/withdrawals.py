"""Withdrawals: write that somebody unsubscribed to their address, then tell everybody else by an event."""

from typing import Final

from cartwake.addresses import state_consent
from cartwake.errors import WriteConflict
from cartwake.events import UNSUBSCRIBED, Event, derive_id, own_event
from cartwake.links import Unsubscribe
from cartwake.statements import Consent
from cartwake.store import addresses, events
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

_ATTEMPTS: Final = 8


def unsubscribe(link: Unsubscribe, *, now: Instant, method: str) -> None:
    """Write the withdrawal to the address, then tell everybody else by an event; doing it again is harmless.

    Raises:
        TryAgain: Not both are written.
    """
    told = _withdraw(link, now=now, method=method)
    events.put_events([told])
    count("Unsubscribes")
    who = name_who(link.who)
    logger.info("unsubscribed", who=who, message_id=link.message, channel=link.channel, method=method)


def _withdraw(link: Unsubscribe, *, now: Instant, method: str) -> Event:
    """Write the withdrawal, unless this very link has, and return its event: of a repetition the same."""
    for _ in range(_ATTEMPTS):
        address = addresses.get_address(link.address_key)
        known = address.consent
        if known is not None and not known.subscribed:
            told = _make_event(link, at=known.at, method=known.method)
            if told.short_id == known.id:
                return told
        # Never before what is known: clocks differ, and a withdrawal must not lose to a subscription just before it.
        at = max(now, known.at if known is not None else 0)
        told = _make_event(link, at=at, method=method)
        consent = Consent(subscribed=False, at=at, id=told.short_id, method=method)
        if addresses.put_address(state_consent(address, consent)):
            return told
    raise WriteConflict("address written by others too often in a row")


def _make_event(link: Unsubscribe, *, at: Instant, method: str) -> Event:
    ident = derive_id("unsubscribe", link.who, link.message, link.address_key)
    told = {"channel": link.channel.value, "message": link.message, "method": method}
    return own_event(link.who, UNSUBSCRIBED, id=ident, at=at, properties=told)
