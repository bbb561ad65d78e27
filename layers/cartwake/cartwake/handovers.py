"""Handovers: a device belongs to whoever was seen on it last; from whoever was there before, it goes.

An edge, not a decision: it reads rows, and returns writes for the transaction that writes the profile.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from cartwake import devices, registers, statements
from cartwake.addresses import derive_key
from cartwake.gateways.secrets import address_secret
from cartwake.profiles import Kind, Profile
from cartwake.registers import Register
from cartwake.statements import Channel
from cartwake.store import base, identities, profiles


@dataclass(slots=True)
class Handover:
    """What becomes of the devices of a profile.

    Attributes:
        profile: It, without those on which somebody else was seen later.
        losers: The profiles that had one of its devices before, without it; they have to be written with it.
        writes: What makes the table of owners agree.
    """

    profile: Profile
    losers: dict[str, Profile] = field(default_factory=dict)
    writes: list[base.Action] = field(default_factory=list)


def hand_over(before: Profile, profile: Profile, others: Sequence[Profile] = ()) -> Handover:
    """Return what becomes of devices that are new to a profile, and of those that it has no more.

    Args:
        before: As it was read.
        profile: As decided.
        others: The rows that were joined with it, as they were read.
    """
    known, told = (devices.list_addresses(it.state.devices) for it in (before, profile))
    found = Handover(profile)
    if list(known) == list(told) and before.state.sources == profile.state.sources:
        return found
    for row in others:
        known |= devices.list_addresses(row.state.devices)
    for address, register in told.items():
        _take(found, address, register)
    left = devices.list_addresses(found.profile.state.devices)
    for address in known.keys() - left.keys():
        key = name_owner(address)
        owner = identities.find_owner(key)
        if owner in profile.keys:
            found.writes.append(identities.release(key, owner=owner))
    return found


def name_owner(address: str) -> str:
    """Return the key under which it stands whose a device is."""
    return derive_key(Channel.PUSH, address, address_secret())


def _take(found: Handover, address: str, told: Register) -> None:
    """Make a device the profile's own, unless its owner was seen on it later."""
    key, profile = name_owner(address), found.profile
    owner = identities.find_owner(key)
    if owner == profile.who:
        return
    if owner is not None and owner not in profile.keys:
        rival = profiles.resolve_profile(owner)
        rival = found.losers.get(rival.who, rival)
        theirs = devices.list_addresses(rival.state.devices).get(address)
        if rival.kind is Kind.PROFILE and rival.who not in profile.keys and theirs is not None:
            if registers.is_later(theirs, told):
                found.profile = _without(profile, address, theirs)
                return
            found.losers[rival.who] = _without(rival, address, told)
    found.writes.append(identities.claim(key, profile.who, owner=owner))


def _without(profile: Profile, address: str, told: Register) -> Profile:
    state = profile.state
    known = devices.hand_over(state.devices, address, told)
    state = msgspec.structs.replace(state, **statements.reach(state, known))
    return msgspec.structs.replace(profile, state=state)
