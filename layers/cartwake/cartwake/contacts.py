"""Contacts: carry what trusted sources said of a profile's addresses into the tables that address them.

An edge, not a decision: it reads rows, and returns writes for the transaction that writes the profile.
"""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from cartwake.addresses import derive_key, state_consent
from cartwake.consents import is_statement, of_consent, read_statements
from cartwake.events import Event
from cartwake.family import find_address_key, is_held
from cartwake.gateways.secrets import address_secret
from cartwake.profiles import Profile
from cartwake.statements import Channel, join_former
from cartwake.store import addresses, base, consents, identities
from cartwake.times import Instant


def follow(before: Profile, profile: Profile, others: Sequence[Profile] = ()) -> tuple[Profile, list[base.Action]]:
    """Return the profile with the keys of its addresses, and the writes that make the other tables agree.

    Args:
        before: As it was read.
        profile: As decided; its state has the contacts and consents.
        others: The rows that were joined with it, as they were read.
    """
    if _told(before) == _told(profile):
        return profile, []
    # what was stated of push messages stays the shopper's while they are on no device
    keys: dict[Channel, str] = {it: key for it, key in before.address_keys.items() if it is Channel.PUSH}
    for channel, contact in sorted(profile.state.contacts.items()):
        key = _find_key(channel, str(contact.value), profile)
        if key is not None:
            keys[channel] = key
    writes: list[base.Action] = []
    for channel, key in keys.items():
        old = before.address_keys.get(channel)
        # what is said of push messages is said of all devices of one shopper, who alone has that row
        if channel is not Channel.PUSH:
            writes += _claim(profile, key)
        consent = profile.state.consents.get(channel)
        if consent is not None:
            address = addresses.get_address(key)
            since = profile.state.contacts[channel].at if old != key and channel is not Channel.PUSH else 0
            stated = state_consent(address, consent, since=since)
            if stated is not address:
                writes.append(addresses.write_address(stated))
    left = _list_left([before, *others], keys.values())
    state = msgspec.structs.replace(profile.state, former=join_former(profile.state.former, left))
    return msgspec.structs.replace(profile, address_keys=keys, state=state), [*writes, *_release(profile, left)]


def record(before: Profile, profile: Profile, told: Sequence[Event]) -> None:
    """Add to the consent record what events state, and with a new address what was stated before it was known.

    Args:
        before: As it was read.
        profile: As decided, with the keys of its addresses.
        told: The events, as they count.
    """
    statements = [it for event in told if is_statement(event) for it in read_statements(event, profile.address_keys)]
    for channel, key in profile.address_keys.items():
        consent = profile.state.consents.get(channel)
        if consent is not None and before.address_keys.get(channel) != key:
            statements.append(of_consent(key, consent))
    for statement in statements:
        consents.put_statement(statement)


def _find_key(channel: Channel, contact: str, profile: Profile) -> str | None:
    """Return the key of the row with consent, choices and caps: of push it outlives a token, and nobody inherits it."""
    if channel is Channel.PUSH:
        return derive_key(channel, profile.who, address_secret())
    return find_address_key(channel, contact, profile.state)


def _told(profile: Profile) -> tuple[object, ...]:
    state = profile.state
    # a device is told with every event, and is still the same
    contacts = {channel: it.value if channel is Channel.PUSH else it for channel, it in state.contacts.items()}
    return contacts, state.consents, state.country, state.sources


def _claim(profile: Profile, key: str) -> Iterator[base.Action]:
    """Yield the write that makes the profile the owner of its address, unless it is somebody else's."""
    owner = identities.find_owner(key)
    if owner == profile.who:
        return
    if owner is None or owner in profile.keys or not is_held(key, owner):
        yield identities.claim(key, profile.who, owner=owner)


def _list_left(rows: Sequence[Profile], kept: Collection[str]) -> dict[str, Instant]:
    """Return the keys of addresses that the rows had and the shopper has no more, and when each was told."""
    left: dict[str, Instant] = {}
    for row in rows:
        for channel, key in row.address_keys.items():
            if key not in kept:
                contact = row.state.contacts.get(channel)
                left = join_former(left, {key: contact.at if contact else 0})
    return left


def _release(profile: Profile, left: Collection[str]) -> Iterator[base.Action]:
    """Yield the writes that release addresses that are still the shopper's."""
    for key in left:
        owner = identities.find_owner(key)
        if owner is not None and owner in profile.keys:
            yield identities.release(key, owner=owner)
