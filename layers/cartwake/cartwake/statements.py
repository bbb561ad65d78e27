"""Statements: what only a server or our own pages may say of a shopper: addresses, devices, consent, country, tags."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, Protocol

import msgspec

from cartwake import devices, registers
from cartwake.events import COMPLAINED, SUBSCRIBED, UNSUBSCRIBED, Event, Trust
from cartwake.registers import Register
from cartwake.times import Instant

TAG_ADDED: Final = "Tag Added"
"""`{"tag": "..."}`, from a server or a journey; a journey says which it is: `{"journey": "..."}`."""
TAG_REMOVED: Final = "Tag Removed"
"""`{"tag": "..."}`, from a server or a journey."""
TRAITS_SET: Final = "Traits Set"
"""Our own, of a journey: the event's traits are what it sets."""
POINTS_GIVEN: Final = "Points Given"
"""Our own, of a journey: `{"score": "...", "points": 10}`."""
LONGEST_TAG_BYTES: Final = 100
MOST_FORMER: Final = 10
"""So many addresses of before an erasure withdraws, in the one transaction that also takes every key and device."""
_LONGEST_METHOD: Final = 100
_COUNTRY_LETTERS: Final = 2
_OF_ADDRESSES: Final = ("email", "phone", "country")
_FINAL_FEEDBACK: Final = {"Email Bounced": "email", COMPLAINED: "email", devices.BOUNCED: "push"}


class Channel(StrEnum):
    """By what a step speaks: to a shopper, or, of a webhook, to another system about one."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"
    WEBHOOK = "webhook"


OF_SHOPPERS: Final = (Channel.EMAIL, Channel.SMS, Channel.PUSH)
"""Those by which a shopper can be reached: they have addresses, consent and caps."""


class Consent(msgspec.Struct, frozen=True, array_like=True):
    """The latest explicit statement for a channel; of two at the same instant the withdrawal wins."""

    subscribed: bool
    at: Instant
    id: int
    method: str = ""


class Stated(Protocol):
    """The part of a profile's state that is kept here."""

    @property
    def contacts(self) -> dict[Channel, Register]: ...  # noqa: D102  see State
    @property
    def former(self) -> dict[str, Instant]: ...  # noqa: D102  see State
    @property
    def devices(self) -> dict[str, Register]: ...  # noqa: D102  see State
    @property
    def consents(self) -> dict[Channel, Consent]: ...  # noqa: D102  see State
    @property
    def country(self) -> Register | None: ...  # noqa: D102  see State
    @property
    def blocked(self) -> dict[Channel, Register]: ...  # noqa: D102  see State
    @property
    def tags(self) -> dict[str, Register]: ...  # noqa: D102  see State


def fold(state: Stated, event: Event) -> dict[str, Any]:
    """Return what *event* states, joined with what was stated before: nothing where a browser says it."""
    if event.trust is Trust.BROWSER:
        return {}
    told: dict[str, Any] = {}
    if event.traits:
        told["contacts"] = registers.join(state.contacts, _read_contacts(event))
        told["country"] = _latest(state.country, _read_country(event))
    seen = devices.read(event)
    if seen:
        told["devices"] = devices.join(state.devices, seen)
        told["contacts"] = _reach(told.get("contacts", state.contacts), told["devices"])
    if event.name in (SUBSCRIBED, UNSUBSCRIBED):
        told["consents"] = _latest_consents(state.consents, read_consent(event))
    elif event.name in _FINAL_FEEDBACK:
        told["blocked"] = registers.join(state.blocked, _read_blocked(event))
    elif event.name in (TAG_ADDED, TAG_REMOVED):
        told["tags"] = registers.join_traits(state.tags, _read_tag(event))
    return told


def merge(left: Stated, right: Stated) -> dict[str, Any]:
    """Return what was stated of either of two profiles of one shopper."""
    joined = devices.join(left.devices, right.devices)
    return {
        "contacts": _reach(registers.join(left.contacts, right.contacts), joined),
        "former": join_former(left.former, right.former),
        "devices": joined,
        "country": _latest(left.country, right.country),
        "consents": _latest_consents(left.consents, right.consents),
        "blocked": registers.join(left.blocked, right.blocked),
        "tags": registers.join_traits(left.tags, right.tags),
    }


def join_former(left: dict[str, Instant], right: dict[str, Instant]) -> dict[str, Instant]:
    """Return the addresses of before of both, and of too many those that were told last."""
    joined = left | {key: max(at, left.get(key, at)) for key, at in right.items()}
    kept = sorted(joined, key=lambda key: (joined[key], key))[-MOST_FORMER:]
    return {key: joined[key] for key in kept}


def hush(event: Event) -> Event:
    """Return *event* without the addresses, device, country and yes that it states; a withdrawal stays."""
    traits = {name: value for name, value in event.traits.items() if name not in _OF_ADDRESSES}
    properties = event.properties | {"channel": ""} if event.name == SUBSCRIBED else event.properties
    context = {name: value for name, value in event.context.items() if name != "device"}
    return msgspec.structs.replace(event, traits=traits, properties=properties, context=context)


def read_consent(event: Event) -> dict[Channel, Consent]:
    """Return what an event that states consent states, by channel."""
    told = event.properties.get("method")
    method = told[:_LONGEST_METHOD] if isinstance(told, str) else ""
    consent = Consent(event.name == SUBSCRIBED, event.occurred_at, event.short_id, method)
    return dict.fromkeys(read_channels(event), consent)


def list_tags(tags: Mapping[str, Register]) -> list[str]:
    """Return the tags that were set and not taken away since."""
    return sorted(str(register.value) for register in tags.values() if register.value)


def _read_contacts(event: Event) -> dict[Channel, Register]:
    pairs = ((Channel.EMAIL, "email"), (Channel.SMS, "phone"))
    return {channel: contact for channel, name in pairs if (contact := registers.read_contact(event, name))}


def reach(state: Stated, known: dict[str, Register]) -> dict[str, Any]:
    """Return what changes in a profile with these devices."""
    return {"devices": known, "contacts": _reach(state.contacts, known)}


def _reach(contacts: dict[Channel, Register], known: dict[str, Register]) -> dict[Channel, Register]:
    """Return the contacts with the device that was seen last, which push messages go to; without any, with none."""
    last = devices.find_last(known)
    if contacts.get(Channel.PUSH) == last:
        return contacts
    found: dict[Channel, Register] = {
        channel: contact for channel, contact in contacts.items() if channel is not Channel.PUSH
    }
    if last is not None:
        found[Channel.PUSH] = last
    return found


def _read_country(event: Event) -> Register | None:
    named = event.traits.get("country")
    if isinstance(named, str) and len(named) == _COUNTRY_LETTERS and named.isascii() and named.isalpha():
        return Register(named.upper(), event.occurred_at, event.short_id)
    return None


def _read_blocked(event: Event) -> dict[Channel, Register]:
    """Return the address that feedback of our own says is of no use any more."""
    address = event.properties.get("address_id")
    if event.trust is not Trust.OWN or not address:
        return {}
    if event.properties.get("bounce") == "transient" and event.properties.get("suppressed") is not True:
        return {}
    return {Channel(_FINAL_FEEDBACK[event.name]): Register(address, event.occurred_at, event.short_id)}


def _read_tag(event: Event) -> dict[str, Register]:
    tag = event.properties.get("tag")
    if not isinstance(tag, str) or not tag or len(tag.encode()) > LONGEST_TAG_BYTES:
        return {}
    return {tag.casefold(): Register(tag if event.name == TAG_ADDED else "", event.occurred_at, event.short_id)}


def _latest(left: Register | None, right: Register | None) -> Register | None:
    if left is None or right is None:
        return left or right
    return right if registers.is_later(right, left) else left


def read_channels(event: Event) -> list[Channel]:
    """Return what a statement is about: without a channel email; one that we do not have is not about us.

    A withdrawal whose channel is empty has none: a yes is never taken for more than it says, a no never for nothing.
    """
    named = event.properties.get("channel", Channel.EMAIL)
    if not named and event.name == UNSUBSCRIBED:
        named = Channel.EMAIL
    several = named if isinstance(named, list) else [named]
    told = {it.strip().casefold() for it in several if isinstance(it, str)}
    return [channel for channel in OF_SHOPPERS if channel.value in told]


def _latest_consents(left: dict[Channel, Consent], right: dict[Channel, Consent]) -> dict[Channel, Consent]:
    def rank(consent: Consent) -> tuple[Instant, bool, int, str]:
        return consent.at, not consent.subscribed, consent.id, consent.method

    newer = {key: value for key, value in right.items() if key not in left or rank(value) > rank(left[key])}
    return left | newer if newer else left
