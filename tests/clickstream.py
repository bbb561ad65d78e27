"""Half a year of clicks of 600 users in a shop, with products, consent and mail made up on top from a seed.

The clicks are those that the package `retentioneering` ships (Apache-2.0; 31,106 rows). They name no products and no
mail; both are made here, always the same. What comes out is plain: the core and DuckDB each make their own of it.
"""

import csv
import gzip
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from random import Random
from typing import Any

from cartwake.times import DAY, HOUR, MINUTE, Instant

ENDS_AT: Instant = 1_719_705_600_000
"""2024-06-30T00:00:00Z: the last click is of the evening before."""
PAGES = {
    "home": "/", "catalog": "/catalog", "search": "/search?q=shoes", "filter_results": "/catalog?size=42",
    "promo_page": "/sale", "wishlist_add": "/wishlist", "account_page": "/account", "review_page": "/reviews",
    "support_chat": "/help", "error_page": "/error", "compare": "/compare", "payment_error": "/checkout/error",
    "checkout_bug": "/checkout", "payment_details": "/checkout/payment",
}  # fmt: skip
EVENTS = {
    "product_view": "Product Viewed", "add_to_cart": "Product Added", "cart": "Cart Viewed",
    "shipping_details": "Checkout Started", "purchase": "Order Completed",
}  # fmt: skip
CAMPAIGNS = {"paid_search": ("google", "cpc"), "social": ("instagram", "paid"), "email": ("newsletter", "email")}
CATEGORIES = ("sneakers", "boots", "sandals", "running", "bags", "care")
PRODUCTS = tuple((f"P-{number}", CATEGORIES[number % 6], 19.0 + 7 * (number * 5 % 23)) for number in range(48))
_MAC = "like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
_CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0 Safari/537.36"
DEVICES = {
    "desktop": f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {_CHROME}",
    "mobile": f"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 {_MAC}",
    "tablet": f"Mozilla/5.0 (iPad; CPU OS 17_5 {_MAC}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One thing that happened to a user, told by whom: a browser, a server, or Cartwake's own mail."""

    user: str
    id: str
    at: Instant
    name: str
    by: str
    properties: dict[str, Any] = field(default_factory=dict)
    traits: dict[str, Any] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    bot: bool = False


@cache
def read_facts() -> dict[str, list[Fact]]:
    """Return everything that happened to each user, in order of time."""
    rows = sorted(_read_rows(), key=lambda row: (row["user_id"], row["at"], row["number"]))
    return {
        user: _put_in_order(_tell_user(user, list(clicks)))
        for user, clicks in groupby(rows, key=lambda row: row["user_id"])
    }


def _put_in_order(facts: Iterable[Fact]) -> list[Fact]:
    """No two at the same millisecond: so it is plain which of them came first."""
    found: list[Fact] = []
    for fact in sorted(facts, key=lambda fact: fact.at):
        found.append(replace(fact, at=max(fact.at, found[-1].at + 1 if found else 0)))
    return found


def _read_rows() -> Iterator[dict[str, Any]]:
    package = find_spec("retentioneering")
    if package is None or not package.submodule_search_locations:
        raise RuntimeError("the clicks are not installed; run infra/install project")
    path = Path(package.submodule_search_locations[0]) / "datasets" / "ecom.csv.gz"
    with gzip.open(path, "rt", newline="") as lines:
        for number, row in enumerate(csv.DictReader(lines)):
            at = datetime.fromisoformat(row["timestamp"]).replace(tzinfo=UTC)
            yield row | {"number": number, "at": int(at.timestamp()) * 1_000}


def _tell_user(user: str, clicks: list[dict[str, Any]]) -> Iterator[Fact]:
    chance = Random(f"cartwake {user}")
    first_at = clicks[0]["at"]
    traits = _make_traits(user, chance)
    yield Fact(user=user, id="identify", at=first_at, name="Identified", by="server", traits=traits)
    yield from _tell_clicks(user, clicks, chance)
    if "email" in traits and chance.random() < 0.75:
        yield from _tell_mail(user, first_at + MINUTE, chance)
    if "phone" in traits and chance.random() < 0.6:
        told = {"channel": "sms", "method": "checkout"}
        yield Fact(user=user, id="sms", at=first_at + 2 * MINUTE, name="Subscribed", by="server", properties=told)
    if chance.random() < 0.06:
        tag = {"tag": "wholesale"}
        yield Fact(user=user, id="tag", at=first_at + DAY, name="Tag Added", by="server", properties=tag)
        if chance.random() < 0.5:
            yield Fact(user=user, id="untag", at=first_at + 60 * DAY, name="Tag Removed", by="server", properties=tag)


def _make_traits(user: str, chance: Random) -> dict[str, Any]:
    born = date(1950, 1, 1) + timedelta(days=chance.randrange(20_000))
    made = {
        "email": (0.8, f"{user}@example.com"),
        "phone": (0.35, f"+4915112{user[-4:].rjust(6, '0')}"),
        "birthday": (0.7, born.isoformat()),
        "country": (0.9, chance.choice(("DE", "DE", "PL", "AT"))),
        "language": (0.9, chance.choice(("de", "de", "pl", "en"))),
    }
    return {name: value for name, (share, value) in made.items() if chance.random() < share}


def _tell_clicks(user: str, clicks: list[dict[str, Any]], chance: Random) -> Iterator[Fact]:
    favourite = chance.choice(CATEGORIES)
    cart: list[dict[str, Any]] = []
    session = ""
    for click in clicks:
        context: dict[str, Any] = {"userAgent": DEVICES[click["platform"]]}
        if click["session_id"] != session:
            # later visits come by other ways too
            channel = "email" if session and chance.random() < 0.2 else click["acquisition_channel"]
            if channel in CAMPAIGNS:
                source, medium = CAMPAIGNS[channel]
                context["campaign"] = {"source": source, "medium": medium, "name": "spring"}
        session = click["session_id"]
        name = EVENTS.get(click["event"], "Page Viewed")
        about = {"user": user, "id": f"click-{click['number']}", "at": click["at"], "name": name}
        if name == "Page Viewed":
            path = PAGES[click["event"]]
            seen = {"url": f"https://shop.example.com{path}", "path": path.partition("?")[0]}
            yield Fact(**about, by="browser", properties=seen, context=context)
        elif name == "Order Completed":
            yield Fact(**about, by="server", properties=_make_order(click, cart, chance), context=context)
            if chance.random() < 0.3:
                refund = about | {
                    "id": f"refund-{click['number']}",
                    "name": "Order Refunded",
                    "at": click["at"] + 5 * DAY,
                }
                yield Fact(**refund, by="server", properties={"order_id": str(click["number"])})
                if click["number"] % 2:  # in two parts
                    refund |= {"id": f"{refund['id']}-rest", "at": click["at"] + 6 * DAY}
                    yield Fact(**refund, by="server", properties={"order_id": str(click["number"])})
            cart = []
        else:
            product = _pick(favourite, chance)
            if name == "Product Added":
                cart.append(product)
            told = product if name in ("Product Viewed", "Product Added") else {}
            yield Fact(**about, by="browser", properties=told, context=context)


def _pick(favourite: str, chance: Random) -> dict[str, Any]:
    fitting = [it for it in PRODUCTS if it[1] == favourite] if chance.random() < 0.5 else PRODUCTS
    product, category, price = chance.choice(fitting)
    return {"product_id": product, "name": f"Product {product}", "category": category, "price": price, "quantity": 1}


def _make_order(click: dict[str, Any], cart: list[dict[str, Any]], chance: Random) -> dict[str, Any]:
    """What lies in the cart, or one product if the clicks show none; a quarter with a coupon."""
    products = cart[:5] or [_pick("sneakers", chance)]
    total = sum(product["price"] for product in products)
    order = {"order_id": str(click["number"]), "revenue": total, "currency": "EUR", "products": products}
    if chance.random() < 0.25:
        order |= {"coupon": "SPRING", "discount": round(total / 10, 2)}
    return order


def _tell_mail(user: str, at: Instant, chance: Random) -> Iterator[Fact]:
    """Consent, and then a newsletter each Tuesday until it bounces or is unsubscribed from."""

    def tell(name: str, at: Instant, *, bot: bool = False, **properties: Any) -> Fact:
        return Fact(user=user, id=f"{name}-{at}", at=at, name=name, by="own", properties=properties, bot=bot)

    yield Fact(
        user=user, id="email", at=at, name="Subscribed", by="server", properties={"channel": "email", "method": "form"}
    )
    opens, clicks = chance.choice(((0.0, 0.0), (0.1, 0.1), (0.4, 0.2), (0.8, 0.4)))
    week = 7 * DAY
    first = at // week * week + 5 * DAY + 9 * HOUR  # weeks since 1970 begin on a Thursday
    for sent_at in range(first if first > at else first + week, ENDS_AT, week):
        yield tell("Email Sent", sent_at, channel="email")
        if chance.random() < 0.02:
            kind = chance.choice(("permanent", "transient"))
            yield tell("Email Bounced", sent_at + MINUTE, channel="email", bounce=kind)
            if kind == "permanent":
                return
            continue
        yield tell("Email Delivered", sent_at + MINUTE, channel="email")
        if chance.random() < 0.3:
            yield tell("Email Opened", sent_at + 2 * MINUTE, bot=True, channel="email")
        if chance.random() < opens:
            opened_at = sent_at + chance.randrange(3 * MINUTE, 30 * HOUR)
            yield tell("Email Opened", opened_at, channel="email")
            if chance.random() < clicks:
                yield tell(
                    "Email Link Clicked", opened_at + MINUTE, channel="email", link="https://shop.example.com/sale"
                )
        if chance.random() < 0.01:
            yield tell("Unsubscribed", sent_at + 2 * HOUR, channel="email", method="link")
            return
