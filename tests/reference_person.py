"""The reference for what is known of a person: read off the list of all events, in the words of the definitions."""

from collections.abc import Iterator
from datetime import date, datetime, tzinfo
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cartwake.addresses import name_address, normalise
from cartwake.events import Event, Trust
from cartwake.statements import Channel
from cartwake.times import to_datetime, to_instant
from cartwake.values import find_value, parse_number

AGENTS = {
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1": "mobile",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36": "mobile",
    "Mozilla/5.0 (Linux; Android 13; SM-X700) AppleWebKit/537.36 Chrome/126.0 Safari/537.36": "tablet",
    "Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 Version/16.6 Mobile Safari/604.1": "tablet",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36": "desktop",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15": "desktop",
    "python-requests/2.32": None,
}
"""What each of these is, by its maker's word."""
_CAMPAIGN = {"source": "source", "medium": "medium", "name": "campaign", "term": "term", "content": "content"}


def in_order(events: tuple[Event, ...]) -> list[Event]:
    """Return what counts, in order of time."""
    return sorted((it for it in events if not it.bot), key=lambda it: (it.occurred_at, it.short_id))


def read_trait(events: tuple[Event, ...], name: str) -> Any:
    """Return what was last said of a trait, or of what is in one."""
    told: dict[str, Any] = {}
    for event in in_order(events):
        told |= {key: event.context[key] for key in ("timezone", "locale") if isinstance(event.context.get(key), str)}
        told |= event.traits
    if name in told:
        return told[name]
    outer, _, inner = name.partition(".")
    return find_value(told.get(outer), inner) if inner else None


def read_zone(events: tuple[Event, ...], shop: str) -> tzinfo:
    """Return the shopper's timezone, or the shop's."""
    told = read_trait(events, "timezone")
    try:
        return ZoneInfo(told)
    except (ValueError, TypeError, KeyError, OSError):
        return ZoneInfo(shop)


def read_moment(value: Any, zone: tzinfo) -> int | None:
    """Return the instant that a value names."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value * 1_000 if abs(value) < 10**11 else value)
    try:
        moment = datetime.fromisoformat(value)
    except (ValueError, TypeError):
        return None
    return to_instant(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def write_day(value: Any, zone: tzinfo) -> tuple[int | None, int, int] | None:
    """Return year, month and day; no year where none is said."""
    if isinstance(value, str) and len(value.removeprefix("--")) == len("05-17"):
        month, _, day = value.removeprefix("--").partition("-")
        date(2000, int(month), int(day))
        return None, int(month), int(day)
    if isinstance(value, str) and len(value) == len("2000-05-17"):
        told = date.fromisoformat(value)
        return told.year, told.month, told.day
    at = read_moment(value, zone)
    if at is None:
        return None
    local = to_datetime(at).astimezone(zone)
    return local.year, local.month, local.day


class Known:
    """What Cartwake itself knows."""

    def __init__(self, events: tuple[Event, ...]) -> None:
        self._events = in_order(events)
        self._trusted = [it for it in self._events if it.trust is not Trust.BROWSER]
        self._visits = [it for it in self._events if it.trust is not Trust.OWN]

    def read(self, name: str) -> Any:  # noqa: PLR0911  a line for each group
        """Return what is known under a name."""
        group, _, rest = name.partition(".")
        match group:
            case "consent":
                return self._read_consent(*rest.partition(".")[::2])
            case "reachable":
                return self._is_reachable(Channel(rest))
            case "tags":
                told = {it.properties["tag"].casefold(): it for it in self._trusted if _is_tag(it)}
                return [it.properties["tag"] for it in told.values() if it.name == "Tag Added"]
            case "device":
                return ([None] + [it for it in map(_name_device, self._visits) if it])[-1]
            case "first_visit" | "last_visit":
                touches = [it for it in map(_list_utm, self._visits) if it]
                return touches[0 if group == "first_visit" else -1].get(rest) if touches else None
            case "first_seen":
                return min((it.occurred_at for it in self._visits), default=None)
            case "last_seen":
                return max((it.occurred_at for it in self._visits), default=None)
            case "cart":
                return self._read_cart(rest)
            case _:
                return self._read_told(group)

    def _read_told(self, name: str) -> Any:
        told = read_trait(tuple(self._events), name)
        told = told if isinstance(told, str) and told else None
        if name == "country":
            trusted = [it.traits["country"] for it in self._trusted if len(str(it.traits.get("country"))) == 2]
            told = trusted[-1] if trusted else told
            return told.upper() if told else None
        if name == "language":
            locale = read_trait(tuple(self._events), "locale")
            told = told or (locale if isinstance(locale, str) else None)
            return told[:2].lower() if told else None
        return told

    def _read_consent(self, channel: str, part: str) -> Any:
        said = [
            it for it in self._trusted if it.name in ("Subscribed", "Unsubscribed") and channel in _list_channels(it)
        ]
        # of two at the same instant the withdrawal counts
        last = max(said, key=lambda it: (it.occurred_at, it.name == "Unsubscribed", it.short_id), default=None)
        asked = [
            it.occurred_at
            for it in self._events
            if it.name == "Subscription Requested"
            and channel in _list_channels(it)
            and (last is None or (it.trust is Trust.SERVER and it.occurred_at > last.occurred_at))
        ]
        if asked and (last is None or last.name == "Unsubscribed"):
            return {"": "pending", "at": max(asked)}.get(part)
        if last is None:
            return None if part else "never_asked"
        if part == "at":
            return last.occurred_at
        return last.properties.get("method") if part else last.name.lower()

    def _is_reachable(self, channel: Channel) -> bool:
        trait = "email" if channel is Channel.EMAIL else "phone"
        told = [it.traits[trait] for it in self._trusted if isinstance(it.traits.get(trait), str)]
        country = [it.traits["country"] for it in self._trusted if len(str(it.traits.get("country"))) == 2]
        address = normalise(channel, told[-1], country=country[-1].upper() if country else None) if told else None
        if address is None or self._read_consent(channel, "") != "subscribed":
            return False
        bounced = [
            it.properties["address_id"]
            for it in self._events
            if it.trust is Trust.OWN
            and it.name in ("Email Marked as Spam", "Email Bounced")
            and it.properties.get("bounce") != "transient"
        ]
        return channel is Channel.SMS or not bounced or bounced[-1] != name_address(address)

    def _read_cart(self, part: str) -> Any:
        orders = [(it.occurred_at, it.short_id) for it in self._events if it.name == "Order Completed"]
        changes = [
            it
            for it in self._events
            if it.name in ("Product Added", "Product Removed")
            and (it.occurred_at, it.short_id) > max(orders, default=(0, 0))
        ]
        if part == "changed":
            return changes[-1].occurred_at if changes else None
        items = list(_list_items(changes))
        if part == "items":
            return items
        return sum(it["quantity"] * (1 if part == "quantity" else it["price"]) for it in items)


def _list_channels(event: Event) -> list[str]:
    named = event.properties.get("channel", "email")
    if named is None and event.name == "Unsubscribed":
        named = "email"
    return [str(it).strip().lower() for it in (named if isinstance(named, list) else [named])]


def _list_items(changes: list[Event]) -> Iterator[dict[str, Any]]:
    for product in dict.fromkeys(str(it.properties["product_id"]) for it in changes):
        quantity, shown = 0, {}
        for event in changes:
            if str(event.properties["product_id"]) != product:
                continue
            told = event.properties.get("quantity")
            if event.name == "Product Removed":
                quantity = max(0, quantity - told) if told else 0
            else:
                quantity += told or 1
                shown |= {
                    name: it for name, it in event.properties.items() if name in ("name", "category", "brand", "sku")
                }
                if parse_number(event.properties.get("price")) is not None:
                    shown["price"] = parse_number(event.properties["price"])
        if quantity:
            yield {"product_id": product, "price": Decimal(0), "name": product, **shown, "quantity": quantity}


def _is_tag(event: Event) -> bool:
    return event.name in ("Tag Added", "Tag Removed") and bool(event.properties["tag"])


def _name_device(event: Event) -> str | None:
    told = event.context.get("device")
    if isinstance(told, dict) and told.get("type") in ("mobile", "tablet", "desktop"):
        return str(told["type"])
    return AGENTS.get(event.context.get("userAgent", ""))


def _list_utm(event: Event) -> dict[str, str]:
    campaign = event.context.get("campaign")
    if isinstance(campaign, dict) and any(campaign.values()):
        return {f"utm_{it}": campaign[part] for part, it in _CAMPAIGN.items() if campaign.get(part)}
    page = event.context.get("page") or {}
    url = page.get("url") or event.properties.get("url") or ""
    pairs = [pair.partition("=")[::2] for pair in url.partition("?")[2].split("&")]
    return {name: value for name, value in pairs if name in {f"utm_{it}" for it in _CAMPAIGN.values()} and value}
