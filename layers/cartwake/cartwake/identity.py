"""Identity: which profiles are one shopper, and who survives when two are joined."""

from collections.abc import Iterable
from enum import Enum, auto
from typing import Final

import msgspec

from cartwake import statements
from cartwake.addresses import normalise
from cartwake.bundles import Bundle
from cartwake.events import Arrival, Event, Trust, short_id
from cartwake.profiles import MOST_ARRIVALS, MOST_MERGES_A_DAY, MOST_SOURCES, Kind, Profile, State, merge
from cartwake.registers import Register, read_contact
from cartwake.segments import adopt
from cartwake.statements import Channel
from cartwake.times import DAY, Instant

MOST_BROWSERS: Final = 3
"""So many browsers are joined to a shopper by the links of one message: nobody reads it on more."""
_ANONYMOUS: Final = "a#"
_TRAITS: Final = {Channel.EMAIL: "email", Channel.SMS: "phone"}


class Ruling(Enum):
    """Whether two profiles may become one."""

    JOIN = auto()
    TWO_KNOWN_USERS = auto()
    TOO_MANY = auto()
    HEARSAY = auto()
    LINK_USED = auto()


def is_anonymous(who: str) -> bool:
    """Say whether a key belongs to a visitor whom nobody has named."""
    return who.startswith(_ANONYMOUS)


def find_visitors(event: Event) -> list[str]:
    """Return the keys of anonymous visitors of whom *event* says that they are its user."""
    told = (event.anonymous_id, event.previous_id) if event.user_id and not event.bot else ()
    return [f"{_ANONYMOUS}{told_id}" for told_id in dict.fromkeys(told) if told_id and told_id != event.user_id]


def judge(profile: Profile, other: Profile, now: Instant, *, trusted: bool) -> Ruling:
    """Say whether two profiles may be joined: never two known users, never too many in a day.

    Nor on a browser's word a visitor of whom a trusted source stated an address or consent, unless the address is the
    user's: whoever has a public key would direct somebody's messages to an address of their own, or stop them.
    """
    if not is_anonymous(profile.who) and not is_anonymous(other.who):
        return Ruling.TWO_KNOWN_USERS
    if not trusted and not _shares_address(profile, other) and (other.state.contacts or other.state.consents):
        return Ruling.HEARSAY
    recent = [at for at, _ in (*profile.state.merges, *other.state.merges) if at > now - DAY]
    if len(recent) >= MOST_MERGES_A_DAY or len(profile.keys) + len(other.keys) > MOST_SOURCES:
        return Ruling.TOO_MANY
    return Ruling.JOIN


def judge_arrival(profile: Profile, visitor: Profile, event: Event, now: Instant) -> Ruling:
    """Say whether the visitor of *event*, who came by a link of a message, may be joined to the shopper it went to.

    The proof is that somebody read the shopper's mail, or was given what they saw: it counts as a browser's word, for
    one browser each time that a link is followed, and for nobody who has ever said that they are somebody else.
    """
    if not is_anonymous(visitor.who):
        return Ruling.TWO_KNOWN_USERS
    ruling = judge(profile, visitor, now, trusted=False)
    if ruling is not Ruling.JOIN:
        return ruling
    if event.arrival is None or _says_another(profile.state, visitor.state, event):
        return Ruling.HEARSAY
    return Ruling.LINK_USED if _is_used(profile.state, event.arrival) else Ruling.JOIN


def note_arrival(profile: Profile, event: Event) -> Profile:
    """Return the profile with the link used by the visitor of *event*: it serves no other one."""
    arrival = event.arrival
    if arrival is None:
        return profile
    noted = {*profile.state.arrivals, (arrival.at, arrival.message, short_id(event.who))}
    arrivals = tuple(sorted(noted)[-MOST_ARRIVALS:])
    return msgspec.structs.replace(profile, state=msgspec.structs.replace(profile.state, arrivals=arrivals))


def choose_survivor(left: Profile, right: Profile) -> tuple[Profile, Profile]:
    """Return the profile that stays and the one that becomes a pointer: the known one stays, else the older one."""
    rank_left = (is_anonymous(left.who), left.version == 0, left.state.first_seen_at, left.who)
    rank_right = (is_anonymous(right.who), right.version == 0, right.state.first_seen_at, right.who)
    return (left, right) if rank_left <= rank_right else (right, left)


def join(survivor: Profile, other: Profile, rules: Bundle, *, now: Instant) -> Profile:
    """Return *survivor* with everything known of *other*; its memberships are still to be evaluated."""
    survivor, other = adopt(survivor, rules, now), adopt(other, rules, now)
    state = merge(survivor.state, other.state, rules.needs)
    merges = (*(it for it in state.merges if it[0] > now - DAY), (now, other.who))
    sources = tuple(sorted({*state.sources, other.who} - {survivor.who}))
    return msgspec.structs.replace(survivor, state=msgspec.structs.replace(state, sources=sources, merges=merges))


def is_owned(profile: Profile, key: str) -> bool:
    """Say whether *key* is this shopper's on more than a browser's word: what vouches for it vouches for them."""
    return key == profile.who or key in profile.state.vouched


def vouch(profile: Profile, keys: Iterable[str]) -> Profile:
    """Return the profile with those of *keys* that are its own known to be so from a trusted source."""
    vouched = tuple(sorted({*profile.state.vouched, *keys} & {*profile.state.sources}))
    if vouched == profile.state.vouched:
        return profile
    return msgspec.structs.replace(profile, state=msgspec.structs.replace(profile.state, vouched=vouched))


def is_vouched(profile: Profile, event: Event) -> bool:
    """Say whether *event* speaks of this shopper on more than a browser's word that its visitor is the user."""
    return event.who == profile.who or not is_anonymous(event.who) or event.who in profile.state.vouched


def weigh(profile: Profile, event: Event) -> Event:
    """Return what counts of *event*: a visitor who is the user only by hearsay states no address and no yes."""
    return event if event.trust is Trust.BROWSER or is_vouched(profile, event) else statements.hush(event)


def _shares_address(profile: Profile, other: Profile) -> bool:
    known, told = _list_addresses(profile.state), _list_addresses(other.state)
    return bool(told) and all(address and known.get(channel) == address for channel, address in told.items())


def _is_used(state: State, arrival: Arrival) -> bool:
    """Say whether a browser has come by this click, or as many as may by links of the message."""
    came = [(at, who) for at, message, who in state.arrivals if message == arrival.message]
    return arrival.at in {at for at, _ in came} or len({who for _, who in came}) >= MOST_BROWSERS


def _says_another(known: State, visitor: State, event: Event) -> bool:
    """Say whether a visitor has told, now or before, an address that is not the shopper's."""
    country = known.country.value if known.country else None
    for channel, name in _TRAITS.items():
        theirs = [it for it in (known.contacts.get(channel), known.traits.get(name)) if it is not None]
        for told in (visitor.traits.get(name), read_contact(event, name)):
            if told is not None and told.value and not _is_among(channel, told.value, theirs, country):
                return True
    return False


def _is_among(channel: Channel, value: object, known: list[Register], country: str | None) -> bool:
    def spell(text: object) -> str:
        return normalise(channel, str(text), country=country) or str(text).strip().casefold()

    return spell(value) in {spell(each.value) for each in known}


def _list_addresses(state: State) -> dict[Channel, str | None]:
    country = state.country.value if state.country else None
    return {channel: normalise(channel, it.value, country=country) for channel, it in state.contacts.items()}


def is_erased(profile: Profile) -> bool:
    """Say whether a row is all that is left of somebody."""
    return profile.kind is Kind.TOMBSTONE
