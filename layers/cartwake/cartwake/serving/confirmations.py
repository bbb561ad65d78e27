"""Confirmations: write that somebody confirmed a subscription to the address that the link was sent to."""

from typing import Final

from cartwake.addresses import Address, state_consent
from cartwake.errors import WriteConflict
from cartwake.events import SUBSCRIBED, Event, derive_id, own_event
from cartwake.links import Confirm
from cartwake.profiles import Kind
from cartwake.statements import Consent
from cartwake.store import addresses, base, events, profiles
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

METHOD: Final = "double opt-in"
_ATTEMPTS: Final = 8


def confirm(link: Confirm, *, now: Instant) -> bool:
    """Write the consent and tell it by an event, once for each link; False when the link has had its day.

    That is when the address is the shopper's no more, or when they withdrew after it was sent: an old link must not
    undo that, neither by itself nor pressed a second time.

    Raises:
        TryAgain: Not all is written.
    """
    for _ in range(_ATTEMPTS):
        profile = profiles.resolve_profile(link.who)
        if profile.kind is not Kind.PROFILE or profile.address_keys.get(link.channel) != link.address_key:
            return False
        address = addresses.get_address(link.address_key)
        told = _recall(link, address)
        if told is not None:
            break
        if _is_spent(link, address):
            return False
        at = max(now, address.consent.at + 1) if address.consent is not None else now
        told = _make_event(link, at)
        consent = Consent(subscribed=True, at=at, id=told.short_id, method=METHOD)
        unchanged = profiles.demand_profile(profile, channel=link.channel)
        if base.commit([addresses.write_address(state_consent(address, consent)), unchanged]):
            break
    else:
        raise WriteConflict("address written by others too often in a row")
    events.put_events([told])
    count("Confirmations")
    logger.info("subscription confirmed", who=name_who(link.who), channel=link.channel)
    return True


def _recall(link: Confirm, address: Address) -> Event | None:
    """Return the event of this very link, if its consent is the one that holds."""
    known = address.consent
    told = _make_event(link, known.at) if known is not None and known.subscribed else None
    return told if told is not None and known is not None and told.short_id == known.id else None


def _is_spent(link: Confirm, address: Address) -> bool:
    known = address.consent
    return known is not None and not known.subscribed and known.at > link.at


def _make_event(link: Confirm, at: Instant) -> Event:
    ident = derive_id("confirm", link.who, link.address_key, str(link.at))
    told = {"channel": link.channel.value, "method": METHOD}
    return own_event(link.who, SUBSCRIBED, id=ident, at=at, properties=told)
