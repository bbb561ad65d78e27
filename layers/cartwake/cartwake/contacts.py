"""Contacts: carry what trusted sources said of a profile's addresses into the tables that address them.

An edge, not a decision: it reads and returns writes, for the transaction that writes the profile.
"""

from collections.abc import Iterator

import msgspec

from cartwake import identity
from cartwake.addresses import derive_key, normalise, state_consent
from cartwake.bundles import Bundle
from cartwake.gateways.secrets import address_secret
from cartwake.profiles import Channel, Profile
from cartwake.store import addresses, base, identities, profiles
from cartwake.times import Instant


def follow(
    before: Profile, profile: Profile, rules: Bundle, *, now: Instant
) -> tuple[Profile, list[Profile], list[base.Action]]:
    """Return the profile with the keys of its addresses, who it was joined with because of one, and the writes.

    Args:
        before: As it was read.
        profile: As decided; its state has the contacts and consents.
        rules: The live ones.
        now: The time.
    """
    told = (profile.state.contacts, profile.state.consents, profile.state.sources)
    if told == (before.state.contacts, before.state.consents, before.state.sources):
        return profile, [], []
    profile, others = _join_owners(profile, rules, now)
    writes: list[base.Action] = []
    keys = dict(_address_keys(profile))
    for channel, key in keys.items():
        old = profile.address_keys.get(channel)
        writes += _claim(profile, key, old)
        consent = profile.state.consents.get(channel)
        if consent is not None:
            address = addresses.get_address(key)
            stated = state_consent(address, consent)
            if stated is not address:
                writes.append(addresses.write_address(stated))
    return msgspec.structs.replace(profile, address_keys=keys), others, writes


def _join_owners(profile: Profile, rules: Bundle, now: Instant) -> tuple[Profile, list[Profile]]:
    """Join the profile with those that own its addresses, where one of both is anonymous."""
    others: list[Profile] = []
    for _ in Channel:
        for _, key in _address_keys(profile):
            owner = identities.find_owner(key)
            if owner is None or owner in profile.keys:
                continue
            other = profiles.resolve_profile(owner)
            if other.who in profile.keys or not identity.is_open(other) or not identity.may_join(profile, other, now):
                continue
            survivor, gone = identity.choose_survivor(profile, other)
            others.append(gone)
            profile = identity.join(survivor, gone, rules, now=now)
            break
    return profile, [other for other in others if other.version > 0 or other.who != profile.who]


def _address_keys(profile: Profile) -> Iterator[tuple[Channel, str]]:
    """Yield the key of each address that is one."""
    for channel, register in sorted(profile.state.contacts.items()):
        country = profile.state.traits.get("country")
        normalised = normalise(channel, register.value, country=country.value if country else None)
        if normalised is not None:
            yield channel, derive_key(channel, normalised, address_secret())


def _claim(profile: Profile, key: str, old: str | None) -> list[base.Action]:
    """Return the writes that make the profile the owner of its address, and release the one it had before."""
    writes: list[base.Action] = []
    owner = identities.find_owner(key)
    if owner is None or (owner != profile.who and owner in profile.keys):
        writes.append(identities.claim(key, profile.who, owner=owner))
    if old is not None and old != key and identities.find_owner(old) == profile.who:
        writes.append(identities.release(old, owner=profile.who))
    return writes
