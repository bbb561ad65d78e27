"""The profile: everything known of one shopper, a join over their events.

`fold` adds one event, `merge` joins two profiles; both are idempotent and free of order, so a redelivered,
reordered or doubled event changes nothing.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from cartwake import carts, registers, trackers
from cartwake.carts import Cart
from cartwake.events import SUBSCRIBED, UNSUBSCRIBED, Event, Trust
from cartwake.registers import Register
from cartwake.times import NEVER, Instant
from cartwake.trackers import EMPTY, UNKNOWN, Need, Tracker

STATE_VERSION: Final = 1
MOST_SOURCES: Final = 50
MOST_MERGES_A_DAY: Final = 20
_COUNTRY_LETTERS: Final = 2


class Kind(StrEnum):
    """What a row of the profiles table is."""

    PROFILE = "profile"
    POINTER = "pointer"
    TOMBSTONE = "tombstone"


class Channel(StrEnum):
    """How a shopper can be reached."""

    EMAIL = "email"
    SMS = "sms"


class Consent(msgspec.Struct, frozen=True, array_like=True):
    """The latest explicit statement for a channel; of two at the same instant the withdrawal wins."""

    subscribed: bool
    at: Instant
    id: int
    method: str = ""


class Membership(msgspec.Struct, frozen=True, array_like=True):
    """What is known of one segment.

    Attributes:
        since: Member since when; 0: not a member.
        until: Until when the answer stays.
        entered_at: When it was last entered, by somebody who may have left since; 0: never.
        left_at: When it was last left; 0: never.
    """

    since: Instant
    until: Instant = NEVER
    entered_at: Instant = 0
    left_at: Instant = 0


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The folded state, packed into one attribute of the profile's row.

    Attributes:
        traits: By name, as anybody asserted them; `timezone` and `locale` come from an event's context too.
        contacts: By channel, the address that a trusted source asserted: the only ones ever written to.
        country: Two letters that a trusted source asserted: whose numbers a phone number without a prefix is one of.
        memberships: By segment.
        evaluated_at: The instant of the last evaluation.
        sources: The keys that were merged into this profile, in order of their names.
        merges: When and with which key it was merged in the last day.
    """

    version: int = STATE_VERSION
    first_seen_at: Instant = NEVER
    last_seen_at: Instant = 0
    traits: dict[str, Register] = {}
    contacts: dict[Channel, Register] = {}
    consents: dict[Channel, Consent] = {}
    country: Register | None = None
    trackers: dict[str, Tracker] = {}
    cart: Cart = Cart()
    memberships: dict[str, Membership] = {}
    evaluated_at: Instant = 0
    sources: tuple[str, ...] = ()
    merges: tuple[tuple[Instant, str], ...] = ()


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the profiles table.

    Attributes:
        target: Where a pointer leads.
        generation: The generation of the rules that wrote it; an older generation never writes.
        version: Raised by every write; 0 means that there is no row yet.
        address_keys: By channel, the key of the address that may be written to.
        wake_at: When to look at the memberships again, as the row's index has it; it may be early.
    """

    who: str
    kind: Kind = Kind.PROFILE
    target: str = ""
    state: State = State()
    generation: int = 0
    version: int = 0
    address_keys: dict[Channel, str] = {}
    wake_at: Instant = NEVER

    @property
    def keys(self) -> tuple[str, ...]:
        """Every key under which this shopper's runs and events may stand."""
        return (self.who, *self.state.sources)


def pack(state: State) -> bytes:
    """Return the state as bytes."""
    return _encoder.encode(state)


def unpack(packed: bytes) -> State:
    """Return the state that `pack` made, of this version or an older one."""
    return _decoder.decode(packed)


def prepare(state: State, needs: dict[str, Need], *, complete_from: Instant) -> State:
    """Return *state* with a tracker for every need, and none for what is needed no more.

    Args:
        state: As stored.
        needs: What the rules want remembered, by tracker key.
        complete_from: From when on a tracker that is new to this profile can be complete: 0 for a new profile.
    """
    if state.trackers.keys() == needs.keys():
        return state
    kept = {key: state.trackers.get(key) or Tracker(complete_from) for key in needs}
    return msgspec.structs.replace(state, trackers=kept)


def fold(state: State, event: Event, needs: dict[str, Need]) -> State:
    """Return *state* with *event* in it; the very same object when the event is in it already or says nothing."""
    if event.bot:
        return state
    changes: dict[str, Any] = {}
    tracked = _fold_trackers(state.trackers, event, needs)
    if tracked is not state.trackers:
        changes["trackers"] = tracked
    traits = registers.join_traits(state.traits, registers.read_traits(event))
    if traits != state.traits:
        changes["traits"] = traits
    if event.trust is not Trust.BROWSER:
        changes |= _fold_trusted(state, event)
    if event.trust is not Trust.OWN:
        changes |= _fold_seen(state, event)
    cart = carts.fold(state.cart, event)
    if cart is not state.cart:
        changes["cart"] = cart
    return msgspec.structs.replace(state, **changes) if changes else state


def trim(state: State, needs: dict[str, Need], now: Instant) -> State:
    """Return *state* without the tracker entries that no window reaches any more, and never too large to be stored."""
    trimmed = {key: trackers.cut(tracker, needs[key], now) for key, tracker in state.trackers.items() if key in needs}
    trimmed = trackers.limit(trimmed, needs)
    return state if trimmed == state.trackers else msgspec.structs.replace(state, trackers=trimmed)


def merge(left: State, right: State, needs: dict[str, Need]) -> State:
    """Return the join of the states of two profiles of one shopper; its memberships are to be evaluated anew.

    Both must be prepared for the same *needs*: a tracker that one lacks counts as one that knows nothing.
    """
    return msgspec.structs.replace(
        left,
        first_seen_at=min(left.first_seen_at, right.first_seen_at),
        last_seen_at=max(left.last_seen_at, right.last_seen_at),
        traits=registers.join_traits(left.traits, right.traits),
        contacts=registers.join(left.contacts, right.contacts),
        consents=_latest_consents(left.consents, right.consents),
        country=_latest_country(left.country, right.country),
        trackers={
            key: trackers.join(left.trackers.get(key, UNKNOWN), right.trackers.get(key, UNKNOWN), need)
            for key, need in needs.items()
        },
        cart=carts.join(left.cart, right.cart),
        memberships=_join_memberships(left.memberships, right.memberships),
        evaluated_at=max(left.evaluated_at, right.evaluated_at),
        sources=tuple(sorted({*left.sources, *right.sources})),
        merges=tuple(sorted({*left.merges, *right.merges})),
    )


def _fold_trackers(kept: dict[str, Tracker], event: Event, needs: dict[str, Need]) -> dict[str, Tracker]:
    changed = {}
    for key, need in needs.items():
        if trackers.wants(need, event):
            before = kept.get(key, EMPTY)
            after = trackers.remember(before, event, need)
            if after is not before and after != before:
                changed[key] = after
    return kept | changed if changed else kept


def _fold_trusted(state: State, event: Event) -> dict[str, Any]:
    """Return the changes of contacts and consent that only a server or our own pages may assert."""
    changes: dict[str, Any] = {}
    told = {
        channel: contact
        for channel, name in ((Channel.EMAIL, "email"), (Channel.SMS, "phone"))
        if (contact := registers.read_contact(event, name))
    }
    contacts = registers.join(state.contacts, told)
    if contacts != state.contacts:
        changes["contacts"] = contacts
    named = event.traits.get("country")
    if isinstance(named, str) and len(named) == _COUNTRY_LETTERS and named.isascii() and named.isalpha():
        country = _latest_country(state.country, Register(named.upper(), event.occurred_at, event.short_id))
        if country != state.country:
            changes["country"] = country
    if event.name in (SUBSCRIBED, UNSUBSCRIBED):
        channel = _channel_of(event)
        method = str(event.properties.get("method", ""))[:100]
        consent = Consent(event.name == SUBSCRIBED, event.occurred_at, event.short_id, method)
        consents = _latest_consents(state.consents, {channel: consent} if channel else {})
        if consents != state.consents:
            changes["consents"] = consents
    return changes


def _latest_country(left: Register | None, right: Register | None) -> Register | None:
    return max((it for it in (left, right) if it is not None), key=registers.rank, default=None)


def _join_memberships(left: dict[str, Membership], right: dict[str, Membership]) -> dict[str, Membership]:
    """A member of either is one since the earlier of both; the answer is as good as the worse of both."""
    joined = dict(left)
    for name, other in right.items():
        own = joined.get(name, other)
        joined[name] = Membership(
            since=min((it for it in (own.since, other.since) if it), default=0),
            until=min(own.until, other.until),
            entered_at=max(own.entered_at, other.entered_at),
            left_at=max(own.left_at, other.left_at),
        )
    return joined


def _fold_seen(state: State, event: Event) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if event.occurred_at < state.first_seen_at:
        changes["first_seen_at"] = event.occurred_at
    if event.occurred_at > state.last_seen_at:
        changes["last_seen_at"] = event.occurred_at
    return changes


def _channel_of(event: Event) -> Channel | None:
    """A statement without a channel is about email; one about a channel we do not have is not about us."""
    named = event.properties.get("channel", Channel.EMAIL)
    return Channel(named) if named in set(Channel) else None


def _latest_consents(left: dict[Channel, Consent], right: dict[Channel, Consent]) -> dict[Channel, Consent]:
    def rank(consent: Consent) -> tuple[Instant, bool, int, str]:
        return consent.at, not consent.subscribed, consent.id, consent.method

    newer = {key: value for key, value in right.items() if key not in left or rank(value) > rank(left[key])}
    return left | newer if newer else left


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(State)
