"""Registers: values of which the latest statement counts, and how many and how large they may be.

All limits look at one statement alone, or at the ranks of the latest ones: what is dropped is the same in any order.
A limit on the bytes of all together would not be: what an older, larger value has pushed out would stay out.
"""

from typing import Any, Final

import msgspec

from cartwake.events import Event
from cartwake.times import Instant

MOST_TRAITS: Final = 100
LONGEST_NAME_BYTES: Final = 100
LARGEST_VALUE_BYTES: Final = 1_000
LONGEST_CONTACT: Final = 320


class Register(msgspec.Struct, frozen=True, array_like=True):
    """A value, and the event that set it: the latest by (time, id) wins."""

    value: Any
    at: Instant
    id: int


type Rank = tuple[Instant, int, str]


def rank(register: Register) -> Rank:
    """Return the place of a statement among all others."""
    return register.at, register.id, repr(register.value)


def is_later(one: Register, other: Register) -> bool:
    """Say whether *one* stands after *other*."""
    if one.at != other.at or one.id != other.id:
        return (one.at, one.id) > (other.at, other.id)
    return rank(one) > rank(other)


def join[Key](left: dict[Key, Register], right: dict[Key, Register]) -> dict[Key, Register]:
    """Return the latest of both for each key; *left* itself where *right* says nothing new."""
    newer = {key: value for key, value in right.items() if key not in left or is_later(value, left[key])}
    return left | newer if newer else left


def join_traits(left: dict[str, Register], right: dict[str, Register]) -> dict[str, Register]:
    """Return the latest of both for each name, and of too many names those that were told last."""
    joined = join(left, right) if right else left
    if len(joined) <= MOST_TRAITS:
        return joined
    kept = set(sorted(joined, key=lambda name: (*rank(joined[name]), name))[-MOST_TRAITS:])
    return {name: value for name, value in joined.items() if name in kept}


def read_traits(event: Event) -> dict[str, Register]:
    """Return what an event says of a shopper, without what is too large to be kept.

    Traits come with `identify`; locale and timezone with any event that a client sends.
    """
    told = dict(event.traits)
    for name in ("timezone", "locale"):
        if isinstance(event.context.get(name), str):
            told.setdefault(name, event.context[name])
    return {
        name: Register(value, event.occurred_at, event.short_id) for name, value in told.items() if _fits(name, value)
    }


def read_contact(event: Event, trait: str) -> Register | None:
    """Return the address that a trait asserts, or None where there is none."""
    value = event.traits.get(trait)
    if not isinstance(value, str) or len(value) > LONGEST_CONTACT:
        return None
    return Register(value, event.occurred_at, event.short_id)


def _fits(name: str, value: Any) -> bool:
    return len(name.encode()) <= LONGEST_NAME_BYTES and len(msgspec.msgpack.encode(value)) <= LARGEST_VALUE_BYTES
