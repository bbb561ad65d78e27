"""Knowledge: what Cartwake itself knows of a shopper, by the names that conditions use."""

from collections.abc import Callable
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from cartwake import carts
from cartwake.addresses import name_address, normalise
from cartwake.optins import pending_since
from cartwake.profiles import State
from cartwake.statements import OF_SHOPPERS, Channel, list_tags
from cartwake.times import NEVER
from cartwake.zones import load_zone

SUBSCRIBED: Final = "subscribed"
UNSUBSCRIBED: Final = "unsubscribed"
PENDING: Final = "pending"
NEVER_ASKED: Final = "never_asked"


def know(state: State, name: str) -> Any:
    """Return what is known under *name*, such as `device`, `consent.email.method` or `cart.value`; None: nothing."""
    group, _, rest = name.partition(".")
    return _READERS[group](state, rest) if group in _READERS else None


def is_changed(before: State, after: State, group: str) -> bool:
    """Say whether what is known by the names of a *group* (all before the first dot) can have changed."""
    reads = _READS.get(group)
    return reads is not None and reads(before) != reads(after)


def find_zone(state: State, timezone: str) -> ZoneInfo:
    """Return the profile's timezone, else the shop's, which is *timezone*."""
    return find_own_zone(state) or load_zone(timezone) or ZoneInfo("UTC")


def find_own_zone(state: State) -> ZoneInfo | None:
    """Return the timezone that the profile's browser or the shop has told, or None."""
    name = _trait(state, "timezone")
    return load_zone(name) if name else None


def is_reachable(state: State, channel: Channel) -> bool:
    """Say whether marketing may go out on a channel: there is an address, a yes, and nothing came back from it."""
    contact, consent = state.contacts.get(channel), state.consents.get(channel)
    if contact is None or consent is None or not consent.subscribed:
        return False
    address = normalise(channel, contact.value, country=state.country.value if state.country else None)
    if address is None:
        return False
    blocked = state.blocked.get(channel)
    # a device that bounced is there again only once it was told again
    return channel is Channel.PUSH or blocked is None or blocked.value != name_address(address)


def _read_consent(state: State, rest: str) -> Any:
    channel, _, part = rest.partition(".")
    if channel not in set(Channel):
        return None if part else NEVER_ASKED
    consent = state.consents.get(Channel(channel))
    since = pending_since(state.asked.get(Channel(channel)), consent)
    if since is not None:
        return {"": PENDING, "at": since}.get(part)
    if consent is None:
        return None if part else NEVER_ASKED
    return {"": SUBSCRIBED if consent.subscribed else UNSUBSCRIBED, "at": consent.at, "method": consent.method}[part]


def _read_reachable(state: State, rest: str) -> bool:
    return rest in OF_SHOPPERS and is_reachable(state, Channel(rest))


def _read_country(state: State, _: str) -> str | None:
    told = state.country.value if state.country else _trait(state, "country")
    return told.upper() if told else None


def _read_language(state: State, _: str) -> str | None:
    told = _trait(state, "language") or _trait(state, "locale")
    return told.replace("_", "-").partition("-")[0].lower() if told else None


def _read_cart(state: State, rest: str) -> Any:
    if rest == "changed":
        return state.cart.changes[-1].at if state.cart.changes else None
    items = carts.list_items(state.cart)
    match rest:
        case "quantity":
            return sum(item.quantity for item in items)
        case "value":
            return sum(item.total for item in items)
        case "items":
            return [msgspec.to_builtins(item) for item in items]
        case _:
            return None


def _show_contacts(state: State) -> dict[Channel, object]:
    """Return the contacts; a device is told with every event, and is still the same."""
    return {channel: it.value if channel is Channel.PUSH else it for channel, it in state.contacts.items()}


def _trait(state: State, name: str) -> str | None:
    register = state.traits.get(name)
    return register.value if register and isinstance(register.value, str) and register.value else None


_READERS: Final[dict[str, Callable[[State, str], Any]]] = {
    "consent": _read_consent,
    "reachable": _read_reachable,
    "tags": lambda state, _: list_tags(state.tags),
    "language": _read_language,
    "country": _read_country,
    "timezone": lambda state, _: _trait(state, "timezone"),
    "locale": lambda state, _: _trait(state, "locale"),
    "device": lambda state, _: state.device.value if state.device else None,
    "first_visit": lambda state, tag: state.first_touch.value.get(tag) if state.first_touch else None,
    "last_visit": lambda state, tag: state.last_touch.value.get(tag) if state.last_touch else None,
    "first_seen": lambda state, _: state.first_seen_at if state.first_seen_at < NEVER else None,
    "last_seen": lambda state, _: state.last_seen_at or None,
    "cart": _read_cart,
}
_READS: Final[dict[str, Callable[[State], object]]] = {
    "consent": lambda state: (state.consents, state.asked),
    "reachable": lambda state: (_show_contacts(state), state.consents, state.blocked, state.country),
    "tags": lambda state: state.tags,
    "language": lambda state: (state.traits.get("language"), state.traits.get("locale")),
    "country": lambda state: (state.country, state.traits.get("country")),
    "timezone": lambda state: state.traits.get("timezone"),
    "locale": lambda state: state.traits.get("locale"),
    "device": lambda state: state.device,
    "first_visit": lambda state: state.first_touch,
    "last_visit": lambda state: state.last_touch,
    "first_seen": lambda state: state.first_seen_at,
    "last_seen": lambda state: state.last_seen_at,
    "cart": lambda state: state.cart,
}
KNOWN: Final = tuple(_READERS)
"""The groups of names."""
