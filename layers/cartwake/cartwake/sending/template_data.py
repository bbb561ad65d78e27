"""What a template sees: the shopper, the cart, the triggering event and the shop, as plain cleaned data.

Most of it was said by browsers, whose key is public. So nothing that a shopper can say becomes a link to
another site, a script, or a wall of text in somebody's mail. That goes by who said it and not by what it is called: of
a browser's event every text is defused, and of traits and carts, which do not tell who said them, too.
"""

import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final
from urllib.parse import urlsplit

from cartwake.bundles import Settings
from cartwake.carts import Item, list_items
from cartwake.domains import encode_url
from cartwake.events import Event, Trust
from cartwake.knowledge import find_zone
from cartwake.marks import Marks
from cartwake.profiles import State
from cartwake.sending.filters import is_currency
from cartwake.sending.hearsay import defuse
from cartwake.statements import Channel

SEEN: Final = {
    "profile.*": "A trait, for example `profile.first_name`; `firstName` is `first_name` too. It may be absent.",
    "profile.tags[]": "A tag, set by hand, by an import or by a segment: `{% if 'vip' in profile.tags %}`. It is never "
    "a trait of that name.",
    "profile.scores.*": "A score from scores/, for example `profile.scores.engagement`; `-` in its name becomes `_`. "
    "It is absent while not all of what it is made of is known.",
    "cart.items[].name": "Name of a product in the cart, as it is at the moment of sending.",
    "cart.items[].product_id": "Its id.",
    "cart.items[].quantity": "How many of it.",
    "cart.items[].price": "Price of one.",
    "cart.items[].total": "Price times quantity.",
    "cart.items[].currency": "May be absent.",
    "cart.items[].variant": "Size, colour and the like; may be absent.",
    "cart.items[].brand": "May be absent.",
    "cart.items[].category": "May be absent.",
    "cart.items[].sku": "May be absent.",
    "cart.items[].url": "Page of the product; the shop's own address when it is absent or leads elsewhere.",
    "cart.items[].image_url": "Picture of the product; may be absent.",
    "cart.count": "How many things are in the cart.",
    "cart.total": "Sum of the cart.",
    "cart.currency": "Currency of the cart, or the shop's.",
    "event.*": "A property of the event that started the journey, for example `event.order_id`. It may be absent.",
    "coupon.code": "The code that the step's `coupon` gives this shopper; absent where the step has none.",
    "coupon.expires_at": "The last day on which it is good: `{{ coupon.expires_at|date }}`; absent when it has no end.",
    "shop.name": "From settings.json, like all of `shop`.",
    "shop.url": "Address of the shop.",
    "shop.postal_address": "Must stand in every marketing email.",
    "shop.logo_url": "May be absent.",
    "shop.color": "Colour of buttons.",
    "shop.currency": "Currency where none is said.",
    "shop.language": "Language of what has no translation.",
    "language": "Language in which the message is written, and its numbers and dates: `de-AT`, or `shop.language`.",
    "timezone": "The shopper's own, or the shop's: by its calendar `date` names days.",
    "unsubscribe_url": "The shopper's own link to unsubscribe; must stand in every marketing email. Absent in what is "
    "not marketing, and where there is none for an SMS.",
    "preferences_url": "The shopper's own link to the page on which channels, topics, a pause and more are chosen; "
    "absent in a confirmation.",
    "confirm_url": "The link that confirms a subscription to the address that the message goes to; only in a "
    "journey of the kind confirmation, of which a template sees nothing else but shop and language.",
}
"""The names a template may use; `*` stands for any name, `[]` for a list."""

_NO_MARKS: Final = Marks()
_NONE: Final[Mapping[str, str]] = {}
_MOST: Final = 50
_DEEPEST: Final = 6
_LONGEST: Final = 500
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
_SPACES: Final = re.compile(r"\s+")
_SCRIPT: Final = re.compile(r"\s*(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_LINK: Final = re.compile(r"(?:[a-z][a-z0-9+.-]{0,30}://|\bwww\.)\S+", re.IGNORECASE)
_DOMAIN: Final = re.compile(r"\w\.[a-z]{2,}(?:/|\b)", re.IGNORECASE)
_NAMES: Final = frozenset({"name", "first_name", "last_name", "username", "title", "company", "city"})
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def gather(  # noqa: PLR0913  as many things are seen
    state: State,
    *,
    event: Event | None,
    settings: Settings,
    marks: Marks = _NO_MARKS,
    unsubscribe_url: str = "",
    coupon: dict[str, Any] | None = None,
    language: str = "",
    more_urls: Mapping[str, str] = _NONE,
) -> dict[str, Any]:
    """Return what a template sees.

    Args:
        state: Of the profile, fresh: the cart is the cart at the moment of sending.
        event: The one that started the run.
        settings: The live ones.
        marks: The shopper's tags and scores.
        unsubscribe_url: The shopper's own, signed.
        coupon: The code that is given (`coupons.show`).
        language: In which the message is written; "": the shop's.
        more_urls: Others, by the name under which templates show them.
    """
    shop = settings.shop
    return {
        "profile": _show_profile(state, shop.url) | _show_marks(marks),
        "cart": _show_cart(list_items(state.cart)[:_MOST], settings),
        "event": _show_event(event, shop.url) if event else {},
        "shop": {
            "name": shop.name,
            "url": shop.url,
            "postal_address": shop.postal_address,
            "logo_url": shop.logo_url or None,
            "color": shop.color,
            "currency": settings.currency,
            "language": settings.language,
        },
        "coupon": coupon,
        "language": language or settings.language,
        "timezone": str(find_zone(state, settings.timezone)),
        "unsubscribe_url": unsubscribe_url or None,
        **{name: url or None for name, url in more_urls.items()},
    }


def is_link_name(name: str) -> bool:
    """Say whether what has this name is an address: it leads to the shop, or shows a picture, or is absent."""
    return name.lower().endswith(("url", "href", "link", "image", "picture"))


def _show_profile(state: State, shop_url: str) -> dict[str, Any]:
    traits = {name: register.value for name, register in state.traits.items()}
    for name in list(traits):
        traits.setdefault(_HUMP.sub("_", name).lower(), traits[name])
    told = _defuse(_clean(traits, shop_url, most=len(traits)))
    shown: dict[str, Any] = {name: None if _is_false_name(name, traits[name]) else it for name, it in told.items()}
    names = {Channel.EMAIL: "email", Channel.SMS: "phone"}
    asserted = {name: state.contacts[channel].value for channel, name in names.items() if channel in state.contacts}
    shown |= _clean(asserted, shop_url)
    return shown


def _show_marks(marks: Marks) -> dict[str, Any]:
    """Return tags and scores; they stand before traits of the same name, which anybody may have told."""
    tags = [text for tag in marks.tags[:_MOST] if (text := _clean_text(tag))]
    return {"tags": tags, "scores": {name.replace("-", "_"): _cut(value) for name, value in marks.scores.items()}}


def _cut(value: float | None) -> float | None:
    """Return a score as people read it, and never more than it is: it may be compared with a bound."""
    if value is None:
        return None
    shown = math.floor(round(value * 100, 6)) / 100
    return int(shown) if shown.is_integer() else shown


def _is_false_name(name: str, value: object) -> bool:
    """Say whether something that names a person or a place is an address: it would become a link in the mail."""
    return _HUMP.sub("_", name).lower() in _NAMES and any(
        found.search(str(value)[:_LONGEST]) for found in (_LINK, _DOMAIN)
    )


def _show_event(event: Event, shop_url: str) -> dict[str, Any]:
    shown: dict[str, Any] = _clean(event.properties, shop_url)
    if event.trust is Trust.BROWSER:
        shown = _defuse(shown)
    return shown


def _show_cart(items: list[Item], settings: Settings) -> dict[str, Any]:
    shown = [_show_item(item, settings.shop.url) for item in items]
    return {
        "items": shown,
        "count": sum(item.quantity for item in items),
        "total": sum((item.total for item in items), Decimal(0)),
        "currency": next((item["currency"] for item in shown if item["currency"]), settings.currency),
    }


def _show_item(item: Item, shop_url: str) -> dict[str, Any]:
    shown: dict[str, Any] = {name: getattr(item, name) or None for name in item.__struct_fields__}
    shown = _defuse(_clean(shown, shop_url))
    shown |= {"quantity": item.quantity, "price": item.price, "total": item.total}
    shown["currency"] = shown["currency"] if is_currency(shown["currency"]) else None
    return shown | {"name": shown["name"] or shown["product_id"] or "", "url": shown["url"] or shop_url}


def _defuse(value: Any) -> Any:
    """Return *value* with all its texts defused; addresses have been seen to."""
    match value:
        case str():
            return defuse(value)
        case list():
            return [_defuse(item) for item in value]
        case dict():
            return {
                name: item if isinstance(item, str) and is_link_name(name) else _defuse(item)
                for name, item in value.items()
            }
        case _:
            return value


def _clean(value: Any, shop_url: str, *, depth: int = 0, most: int = _MOST) -> Any:
    """Return *value* with its texts cleaned and its size bounded; what is unusable becomes None."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return {
            str(name): _clean_link(name, item, shop_url)
            if isinstance(item, str) and is_link_name(name)
            else _clean(item, shop_url, depth=depth + 1)
            for name, item in list(value.items())[:most]
        }
    if isinstance(value, list):
        return [_clean(item, shop_url, depth=depth + 1) for item in value[:_MOST]]
    return _clean_text(value) if isinstance(value, str) else value


def _clean_text(text: str) -> str | None:
    text = _CONTROL.sub("", _SPACES.sub(" ", text[: 2 * _LONGEST]))
    return None if _SCRIPT.match(text) else _LINK.sub("", text)[:_LONGEST].strip()


def _clean_link(name: str, link: str, shop_url: str) -> str | None:
    """Pass pictures from anywhere, and links to the shop alone; other links become the shop's address."""
    try:
        parts = urlsplit(encode_url(_CONTROL.sub("", link).strip()[:2_000]))
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not host or "@" in parts.netloc or "\\" in link:
        return None
    if name.lower().endswith(("image_url", "imageurl", "image", "picture")) or _is_within(host, shop_url):
        return parts.geturl()
    return shop_url or None


def _is_within(host: str, shop_url: str) -> bool:
    home = (urlsplit(shop_url).hostname or "").removeprefix("www.")
    return not home or host == home or host.endswith(f".{home}")
