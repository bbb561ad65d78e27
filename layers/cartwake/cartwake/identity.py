"""Identity: which profiles are one shopper, and who survives when two are joined."""

from collections.abc import Iterable
from typing import Final

import msgspec

from cartwake.bundles import Bundle
from cartwake.events import Event
from cartwake.profiles import MOST_MERGES_A_DAY, MOST_SOURCES, Kind, Profile, merge
from cartwake.segments import adopt
from cartwake.times import DAY, Instant

_ANONYMOUS: Final = "a#"
_KNOWN: Final = "u#"


def is_anonymous(who: str) -> bool:
    """Say whether a key belongs to a visitor whom nobody has named."""
    return who.startswith(_ANONYMOUS)


def find_partners(profile: Profile, events: Iterable[Event]) -> list[str]:
    """Return the keys of anonymous visitors of whom *events* say that they are this shopper, in a fixed order."""
    told = {
        f"{_ANONYMOUS}{anonymous}"
        for event in events
        if event.user_id and not event.bot
        for anonymous in (event.anonymous_id, event.previous_id)
        if anonymous and anonymous != event.user_id
    }
    return sorted(told - set(profile.keys))


def may_join(profile: Profile, other: Profile, now: Instant) -> bool:
    """Say whether two profiles may be joined: never two known users, never too many in a day."""
    if not is_anonymous(profile.who) and not is_anonymous(other.who):
        return False
    recent = [at for at, _ in profile.state.merges if at > now - DAY]
    return len(recent) < MOST_MERGES_A_DAY and len(profile.state.sources) + len(other.keys) <= MOST_SOURCES


def choose_survivor(left: Profile, right: Profile) -> tuple[Profile, Profile]:
    """Return the profile that stays and the one that becomes a pointer: the known one stays, else the older one."""
    rank_left = (is_anonymous(left.who), left.state.first_seen_at, left.who)
    rank_right = (is_anonymous(right.who), right.state.first_seen_at, right.who)
    return (left, right) if rank_left <= rank_right else (right, left)


def join(survivor: Profile, other: Profile, rules: Bundle, *, now: Instant) -> Profile:
    """Return *survivor* with everything known of *other*; its memberships are still its own."""
    other = adopt(other, rules, now)
    state = merge(survivor.state, other.state, rules.needs)
    merges = (*(it for it in state.merges if it[0] > now - DAY), (now, other.who))
    sources = tuple(sorted({*state.sources, other.who}))
    return msgspec.structs.replace(survivor, state=msgspec.structs.replace(state, sources=sources, merges=merges))


def is_open(other: Profile) -> bool:
    """Say whether a row is a profile that exists and can be joined with another."""
    return other.kind is Kind.PROFILE and other.version > 0
