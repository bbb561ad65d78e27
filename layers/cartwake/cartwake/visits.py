"""Visits: when a shopper was seen first and last, on which device, and which UTM tags brought them."""

import re
from functools import lru_cache
from typing import Any, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

from cartwake.events import Event, Trust
from cartwake.registers import Register, is_later
from cartwake.times import Instant

UTM: Final = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
_IN_CONTEXT: Final = {"utm_campaign": "name"} | {name: name.removeprefix("utm_") for name in UTM[:2] + UTM[3:]}
_LONGEST: Final = 200
_LONGEST_AGENT: Final = 500
"""So much of a user agent is read: patterns that look ahead take their time over a long one."""
_TABLET: Final = re.compile(r"iPad|Tablet|PlayBook|Silk|Android(?!.*Mobile)", re.IGNORECASE)
_MOBILE: Final = re.compile(r"Mobi|iPhone|iPod|Android", re.IGNORECASE)
_TYPES: Final = {
    "mobile": "mobile",
    "phone": "mobile",
    "smartphone": "mobile",
    "tablet": "tablet",
    "desktop": "desktop",
}


class Seen(Protocol):
    """The part of a profile's state that is kept here."""

    @property
    def first_seen_at(self) -> Instant: ...  # noqa: D102  see State
    @property
    def last_seen_at(self) -> Instant: ...  # noqa: D102  see State
    @property
    def device(self) -> Register | None: ...  # noqa: D102  see State
    @property
    def first_touch(self) -> Register | None: ...  # noqa: D102  see State
    @property
    def last_touch(self) -> Register | None: ...  # noqa: D102  see State


def fold(state: Seen, event: Event) -> dict[str, Any]:
    """Return what *event* says of the shopper's visits, joined with what was known: our own events are none."""
    if event.trust is Trust.OWN:
        return {}
    device, touch = _find_device(event), read_utm(event)
    told = Register(touch, event.occurred_at, event.short_id) if touch else None
    return {
        "first_seen_at": min(state.first_seen_at, event.occurred_at),
        "last_seen_at": max(state.last_seen_at, event.occurred_at),
        "device": _last(state.device, Register(device, event.occurred_at, event.short_id) if device else None),
        "first_touch": _first(state.first_touch, told),
        "last_touch": _last(state.last_touch, told),
    }


def merge(left: Seen, right: Seen) -> dict[str, Any]:
    """Return the visits of two profiles of one shopper."""
    return {
        "first_seen_at": min(left.first_seen_at, right.first_seen_at),
        "last_seen_at": max(left.last_seen_at, right.last_seen_at),
        "device": _last(left.device, right.device),
        "first_touch": _first(left.first_touch, right.first_touch),
        "last_touch": _last(left.last_touch, right.last_touch),
    }


def read_utm(event: Event) -> dict[str, str]:
    """Return the UTM tags with which an event came: of its campaign, else of the address of its page."""
    campaign = event.context.get("campaign")
    told = {name: campaign.get(part) for name, part in _IN_CONTEXT.items()} if isinstance(campaign, dict) else {}
    return _keep_texts(told) or _keep_texts(_read_address(event))


def _keep_texts(told: dict[str, Any]) -> dict[str, str]:
    return {name: value[:_LONGEST] for name, value in told.items() if isinstance(value, str) and value}


def _read_address(event: Event) -> dict[str, Any]:
    page = event.context.get("page")
    url = (page.get("url") if isinstance(page, dict) else None) or event.properties.get("url")
    if not isinstance(url, str) or "utm_" not in url:
        return {}
    try:
        query = dict(parse_qsl(urlsplit(url).query))
    except ValueError:
        return {}
    return {name: query[name] for name in UTM if name in query}


def _find_device(event: Event) -> str:
    """Return the kind of device, as the client names it, else as its user agent lets one think."""
    told = event.context.get("device")
    named = _TYPES.get(str(told.get("type", "")).lower()) if isinstance(told, dict) else None
    agent = event.context.get("userAgent")
    if named or not isinstance(agent, str) or not agent:
        return named or ""
    return _read_agent(agent[:_LONGEST_AGENT])


@lru_cache(maxsize=1_000)
def _read_agent(agent: str) -> str:
    """Return the kind of device that a user agent lets one think of: the same few come again and again."""
    if _TABLET.search(agent):
        return "tablet"
    return "mobile" if _MOBILE.search(agent) else "desktop" if agent.startswith("Mozilla/") else ""


def _first(left: Register | None, right: Register | None) -> Register | None:
    if left is None or right is None:
        return left or right
    return right if is_later(left, right) else left


def _last(left: Register | None, right: Register | None) -> Register | None:
    if left is None or right is None:
        return left or right
    return right if is_later(right, left) else left
