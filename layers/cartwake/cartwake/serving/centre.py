"""The preference centre: read what holds for a shopper's addresses, and write what they choose."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cartwake.addresses import Address, mask
from cartwake.bundles import Settings
from cartwake.consents import is_statement, read_statements
from cartwake.declarations import ATTEMPTS
from cartwake.errors import WriteConflict
from cartwake.links import Erase, Export, Preferences, erase_url, export_url, preferences_url
from cartwake.preference_page import Picture
from cartwake.preferences import Wish, fulfil, tell
from cartwake.profiles import Kind, Profile
from cartwake.statements import Channel
from cartwake.store import addresses, base, consents, events, profiles
from cartwake.telemetry import logger, name_who
from cartwake.times import Instant


@dataclass(frozen=True, slots=True)
class Seen:
    """Whom a link shows, and the rows of their addresses."""

    profile: Profile
    rows: dict[Channel, Address]


def look(link: Preferences) -> Seen | None:
    """Return what holds, or None where the link's address is the shopper's no more: it can still unsubscribe.

    An old mail may lie where somebody else reads it by now, so it shows and changes nothing of anybody's new addresses.
    """
    profile = profiles.resolve_profile(link.who)
    if profile.kind is not Kind.PROFILE or profile.address_keys.get(link.channel) != link.address_key:
        return None
    return Seen(profile, {channel: addresses.get_address(key) for channel, key in profile.address_keys.items()})


def choose(link: Preferences, wish: Wish, *, topics: Collection[str], now: Instant) -> Seen | None:
    """Write what is wished to all rows at once, then tell it by events; doing it again is harmless.

    Raises:
        TryAgain: Not all is written.
    """
    for _ in range(ATTEMPTS):
        seen = look(link)
        if seen is None:
            return None
        changed = fulfil(wish, seen.rows, topics=topics, now=now)
        unchanged = profiles.demand_profile(seen.profile, channel=link.channel)
        writes = [*map(addresses.write_address, changed), *_record(link.who, seen.rows, changed), unchanged]
        if not changed or base.commit(writes):
            break
    else:
        raise WriteConflict("addresses written by others too often in a row")
    rows = seen.rows | {Channel(row.key.partition("#")[0]): row for row in changed}
    told = [event for channel, row in rows.items() for event in tell(link.who, channel, row)]
    if told:
        events.put_events(told)
    who = name_who(link.who)
    logger.info("preferences chosen", who=who, message_id=link.message, changed=len(changed))
    return Seen(seen.profile, rows)


def _record(who: str, before: Mapping[Channel, Address], changed: Sequence[Address]) -> Iterator[base.Action]:
    """Yield the writes that put on record what is stated anew."""
    for row in changed:
        channel = Channel(row.key.partition("#")[0])
        told = tell(who, channel, row) if row.consent != before[channel].consent else []
        for event in filter(is_statement, told):
            yield from map(consents.write_statement, read_statements(event, {channel: row.key}))


def picture(seen: Seen, channel: Channel, settings: Settings) -> Picture:
    """Return what the page shows to whom a message reached by *channel*; its links are still to be made."""
    locale = seen.profile.state.traits.get("locale")
    return Picture(
        channels={
            each: (_mask(seen.profile, each), row.consent is not None and row.consent.subscribed)
            for each, row in seen.rows.items()
        },
        topics=settings.topics,
        choices=seen.rows[channel].choices,
        tracking=settings.tracking,
        language=str(locale.value) if locale is not None and locale.value else settings.language,
    )


def list_requests(link: Preferences, now: Instant, secrets: Sequence[bytes]) -> dict[str, str]:
    """Return the addresses of the pages on which a copy, or erasure, is asked for, as seen from the centre's own."""
    request = (link.who, link.message, link.address_key, link.channel, now)
    return {
        "export": export_url("..", Export(*request), secrets),
        "erase": erase_url("..", Erase(*request), secrets),
    }


def find_way_back(link: Export, secrets: Sequence[bytes]) -> str:
    """Return the address of the centre, as seen from the page of a request."""
    return preferences_url("..", Preferences(link.who, link.message, link.address_key, link.channel), secrets)


def _mask(profile: Profile, channel: Channel) -> str:
    contact = profile.state.contacts.get(channel)
    return mask(channel, str(contact.value)) if contact is not None else ""
