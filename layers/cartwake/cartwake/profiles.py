"""The profile: everything known of one shopper, a join over their events.

`fold` adds one event, `merge` joins two profiles; both are idempotent and free of order, so a redelivered,
reordered or doubled event changes nothing.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from cartwake import carts, optins, registers, statements, trackers, visits
from cartwake.carts import Cart
from cartwake.events import ORDER_COMPLETED, Event
from cartwake.optins import Asked
from cartwake.registers import Register
from cartwake.statements import Channel, Consent
from cartwake.times import NEVER, Instant
from cartwake.trackers import EMPTY, UNKNOWN, Need, Tracker

STATE_VERSION: Final = 2
MOST_SOURCES: Final = 50
MOST_MERGES_A_DAY: Final = 20
MOST_ARRIVALS: Final = 50
NO_LOT: Final = 2**63
"""More than any lot that is drawn."""


class Kind(StrEnum):
    """What a row of the profiles table is."""

    PROFILE = "profile"
    POINTER = "pointer"
    TOMBSTONE = "tombstone"


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
        asked: By channel, when a subscription was last asked for.
        country: Two letters that a trusted source asserted: whose numbers a phone number without a prefix is one of.
        former: Keys of the addresses that were the shopper's before, keyed hashes, and when each was told; the last.
        devices: By their own ids, those on which a trusted source told the shopper's app was, last.
        blocked: By channel, the short id of the address that bounced for good, or from which a complaint came, last.
        tags: By name, whether a server or a hand has set it or taken it away, which counts as an empty one.
        device: The kind of device that was used last.
        first_touch: The UTM tags of the earliest event that came with some.
        last_touch: Those of the latest.
        lot: A number drawn for each of the profile's keys, of several the lowest; `NO_LOT` until rules are adopted.
        created_at: Receipt of the earliest event; 0 where that was not yet remembered.
        backfilled_at: When history was last read into the trackers; 0: never.
        memberships: By segment.
        evaluated_at: The instant of the last evaluation.
        sources: The keys that were merged into this profile, in order of their names.
        vouched: Those of them of which a trusted source said so: the others are a browser's word.
        merges: When and with which key it was merged in the last day.
        arrivals: When a link of which message was followed, and what stands for the visitor who came by it; the last.
    """

    first_seen_at: Instant = NEVER
    last_seen_at: Instant = 0
    traits: dict[str, Register] = {}
    contacts: dict[Channel, Register] = {}
    former: dict[str, Instant] = {}
    devices: dict[str, Register] = {}
    consents: dict[Channel, Consent] = {}
    asked: dict[Channel, Asked] = {}
    country: Register | None = None
    blocked: dict[Channel, Register] = {}
    tags: dict[str, Register] = {}
    device: Register | None = None
    first_touch: Register | None = None
    last_touch: Register | None = None
    lot: int = NO_LOT
    created_at: Instant = NEVER
    backfilled_at: Instant = 0
    trackers: dict[str, Tracker] = {}
    cart: Cart = Cart()
    memberships: dict[str, Membership] = {}
    evaluated_at: Instant = 0
    sources: tuple[str, ...] = ()
    vouched: tuple[str, ...] = ()
    merges: tuple[tuple[Instant, str], ...] = ()
    arrivals: tuple[tuple[Instant, str, int], ...] = ()


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
    return _encoder.encode(_Stored(STATE_VERSION, state))


def unpack(packed: bytes) -> State:
    """Return the state that `pack` made, of this version or the first one, which did not say its own."""
    if packed[:1] == _STORED:
        return _decoder.decode(packed).state
    return msgspec.structs.replace(_first_decoder.decode(packed), created_at=0)


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


def fold(state: State, event: Event, needs: dict[str, Need], *, orders: str = ORDER_COMPLETED) -> State:
    """Return *state* with *event* in it; the very same object when the event is in it already or says nothing.

    Args:
        state: As it was.
        event: Of any name.
        needs: What the rules want remembered, by tracker key.
        orders: The shop's own name for an order, which empties the cart.
    """
    if event.bot:
        return state
    changes: dict[str, Any] = {}
    if event.received_at < state.created_at:
        changes["created_at"] = event.received_at
    tracked = _fold_trackers(state.trackers, event, needs)
    if tracked is not state.trackers:
        changes["trackers"] = tracked
    traits = registers.join_traits(state.traits, registers.read_traits(event))
    if traits != state.traits:
        changes["traits"] = traits
    told = statements.fold(state, event) | visits.fold(state, event) | {"asked": optins.fold(state.asked, event)}
    changes |= _pick(state, told)
    cart = carts.fold(state.cart, event, orders)
    if cart is not state.cart:
        changes["cart"] = cart
    return msgspec.structs.replace(state, **changes) if changes else state


def trim(state: State, needs: dict[str, Need], now: Instant) -> State:
    """Return *state* without the tracker entries that no window reaches any more, and never too large to be stored."""
    trimmed = {key: trackers.cut(tracker, needs[key], now) for key, tracker in state.trackers.items() if key in needs}
    trimmed = trackers.bound(trackers.limit(trimmed, needs), needs)
    return state if trimmed == state.trackers else msgspec.structs.replace(state, trackers=trimmed)


def merge(left: State, right: State, needs: dict[str, Need]) -> State:
    """Return the join of the states of two profiles of one shopper; its memberships are to be evaluated anew.

    Both must be prepared for the same *needs*: a tracker that one lacks counts as one that knows nothing.
    """
    return msgspec.structs.replace(
        left,
        **visits.merge(left, right),
        **statements.merge(left, right),
        asked=optins.merge(left.asked, right.asked),
        lot=min(left.lot, right.lot),
        created_at=min(left.created_at, right.created_at),
        backfilled_at=max(left.backfilled_at, right.backfilled_at),
        traits=registers.join_traits(left.traits, right.traits),
        trackers={
            key: trackers.join(left.trackers.get(key, UNKNOWN), right.trackers.get(key, UNKNOWN), need)
            for key, need in needs.items()
        },
        cart=carts.join(left.cart, right.cart),
        memberships=_join_memberships(left.memberships, right.memberships),
        evaluated_at=max(left.evaluated_at, right.evaluated_at),
        sources=tuple(sorted({*left.sources, *right.sources})),
        vouched=tuple(sorted({*left.vouched, *right.vouched})),
        merges=tuple(sorted({*left.merges, *right.merges})),
        arrivals=tuple(sorted({*left.arrivals, *right.arrivals})[-MOST_ARRIVALS:]),
    )


def _fold_trackers(kept: dict[str, Tracker], event: Event, needs: dict[str, Need]) -> dict[str, Tracker]:
    changed = {}
    for key, need in needs.items():
        before = kept.get(key, EMPTY)
        after = trackers.remember(before, event, need)
        if after is not before and after != before:
            changed[key] = after
    return kept | changed if changed else kept


def _pick(state: State, told: dict[str, Any]) -> dict[str, Any]:
    """Return of what an event told only what changes the state."""
    return {name: it for name, it in told.items() if it is not getattr(state, name) and it != getattr(state, name)}


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


class _Stored(msgspec.Struct, frozen=True, array_like=True):
    """What is stored: a state, and the version of its layout."""

    version: int
    state: State


_STORED: Final = b"\x92"
"""How a list of two begins; the first version was a map."""
_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decoder: Final = msgspec.msgpack.Decoder(_Stored)
_first_decoder: Final = msgspec.msgpack.Decoder(State)
