"""Withdrawals: write that somebody unsubscribed to their address, then tell everybody else by an event."""

from functools import partial

from cartwake.consents import say
from cartwake.declarations import declare
from cartwake.events import UNSUBSCRIBED, Event, derive_id, own_event
from cartwake.links import Unsubscribe
from cartwake.statements import Consent
from cartwake.store import events
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant


def unsubscribe(link: Unsubscribe, *, now: Instant, method: str) -> None:
    """Write the withdrawal to the address and its record, then tell it by an event; doing it again is harmless.

    Raises:
        TryAgain: Not all of it is written.
    """
    draft = Consent(subscribed=False, at=now, id=0, method=method)
    told = declare(link.address_key, lambda row: say(row, draft, partial(_make_event, link)))
    events.put_events([told] if told else [])
    count("Unsubscribes")
    who = name_who(link.who)
    logger.info("unsubscribed", who=who, message_id=link.message, channel=link.channel, method=method)


def _make_event(link: Unsubscribe, consent: Consent) -> Event:
    ident = derive_id("unsubscribe", link.who, link.message, link.address_key)
    told = {"channel": link.channel.value, "message": link.message, "method": consent.method}
    return own_event(link.who, UNSUBSCRIBED, id=ident, at=consent.at, properties=told)
