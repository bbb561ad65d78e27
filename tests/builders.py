"""Builders: valid by default, overridden by keyword."""

from typing import Any

from cartwake.bundles import Bundle, Segment, Sender, Settings, Shop, Template, encode, name_bundle
from cartwake.conditions.kinds import AllOf, Amount, Did, Trait
from cartwake.events import Event, Trust
from cartwake.journeys import Branch, Journey, Send, Trigger, Wait
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR, format_instant
from cartwake.trackers import Need
from cartwake.values import Exists, Is, PropertyTest

NOON = 1_795_262_400_000
"""2026-11-21T12:00:00Z, the instant around which tests happen."""

NEEDS = {
    "orders": Need(event="Order Completed", latest=4, within_ms=90 * DAY),
    "revenue": Need(event="Order Completed", amount="revenue", latest=1, within_ms=90 * DAY),
    "added": Need(event="Product Added", latest=5),
    "removed": Need(event="Product Removed"),
    "subscribed": Need(event="Subscribed", latest=5),
    "viewed": Need(event="Page Viewed"),
}

VIP = AllOf(
    of=(
        Did(tracker="orders", count=3, within_ms=90 * DAY),
        Amount(tracker="revenue", op="more_than", bound=200, within_ms=90 * DAY),
    )
)
NO_ORDER_SINCE_START = Did(tracker="orders", op="at_most", count=0, since_start=True)

CART = Journey(
    title="Abandoned cart",
    status="live",
    trigger=Trigger(event="Product Added"),
    filter=NO_ORDER_SINCE_START,
    exits=(Trigger(event="Order Completed", tracker="orders"),),
    again_ms=7 * DAY,
    steps=(
        Wait(for_ms=HOUR, of_quiet=("added", "removed"), at_most_ms=6 * HOUR),
        Send(channel=Channel.EMAIL, template="cart-1", subject="You left {{ cart.items[0].name }} behind"),
        Wait(for_ms=23 * HOUR),
        Branch(
            condition=Trait(name="phone", test=Exists()),
            then=(Send(channel=Channel.SMS, template="cart-sms"),),
            otherwise=(Send(channel=Channel.EMAIL, template="cart-2", subject="Still there"),),
        ),
    ),
)
WELCOME = Journey(
    title="Welcome",
    status="live",
    trigger=Trigger(event="Subscribed", where=(PropertyTest("channel", Is(("email",))),)),
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="Welcome"),),
)
CONFIRM = Journey(
    title="Confirm a subscription",
    kind="confirmation",
    status="live",
    trigger=Trigger(event="Subscription Requested"),
    exits=(Trigger(event="Subscribed", tracker="subscribed"),),
    again_ms=0,
    steps=(Send(channel=Channel.EMAIL, template="confirm", subject="Please confirm"),),
)
VIP_THANKS = Journey(
    title="Thank you",
    status="live",
    trigger=Trigger(entered="vip"),
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="You are one of our best"),),
)


def an_event(name: str = "Page Viewed", **changes: Any) -> Event:
    """Return an event of user 1, told by a server at noon; `at` sets both of its times."""
    at = changes.pop("at", NOON)
    who = changes.get("who") or (f"u#{changes['user_id']}" if changes.get("user_id") else "")
    defaults: dict[str, Any] = {
        "who": who or "u#1",
        "id": f"m-{name}-{at}",
        "name": name,
        "sent_time": format_instant(changes.get("occurred_at", at)),
        "occurred_at": at,
        "received_at": at,
        "trust": Trust.SERVER,
    }
    return Event(**defaults | changes)


def an_order(revenue: float = 100.0, **changes: Any) -> Event:
    """Return an Order Completed event."""
    return an_event("Order Completed", **{"properties": {"order_id": "o-1", "revenue": revenue}} | changes)


def a_cart_event(product: str = "P-1", **changes: Any) -> Event:
    """Return a Product Added event."""
    properties = {"product_id": product, "name": "Trail Runner", "price": 129.0, "quantity": 1}
    return an_event("Product Added", **{"properties": properties} | changes)


def an_identify(email: str = "ada@example.com", **changes: Any) -> Event:
    """Return an Identified event that asserts an e-mail address."""
    return an_event("Identified", **{"type": "identify", "traits": {"email": email, "first_name": "Ada"}} | changes)


def a_subscription(channel: str = "email", **changes: Any) -> Event:
    """Return a Subscribed event."""
    return an_event("Subscribed", **{"properties": {"channel": channel}} | changes)


def a_request(email: str | None = "ada@example.com", **changes: Any) -> Event:
    """Return a Subscription Requested event, by a browser's key, of a visitor whom nobody has named."""
    named = {} if email is None else {"email": email}
    told = {"who": "a#1", "trust": Trust.BROWSER, "properties": {"channel": "email"} | named}
    return an_event("Subscription Requested", **told | changes)


def a_bundle(**changes: Any) -> Bundle:
    """Return a bundle with the segment vip and the journeys cart and welcome."""
    defaults: dict[str, Any] = {
        "generation": 1,
        "settings": Settings(
            shop=Shop(name="Nordlicht", url="https://shop.example.com", postal_address="Street 1, Town"),
            sender=Sender(email="shop@example.com", name="Nordlicht"),
            hours={},
        ),
        "needs": NEEDS,
        "segments": {"vip": Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1)},
        "journeys": {"cart": CART, "welcome": WELCOME},
        "templates": {
            "cart-1": Template(
                html="<p>{{ cart.items[0].name }} <a href='{{ unsubscribe_url }}'>stop</a></p>",
                text="{{ cart.items[0].name }}",
            ),
            "cart-2": Template(html="<p>Still there <a href='{{ unsubscribe_url }}'>stop</a></p>", text="Still there"),
            "cart-sms": Template(text="Your cart waits"),
            "confirm": Template(html="<p><a href='{{ confirm_url }}'>Yes</a></p>", text="{{ confirm_url }}"),
            "welcome": Template(
                html="<p>Hi {{ profile.first_name }} <a href='{{ unsubscribe_url }}'>stop</a></p>", text="Hi"
            ),
        },
    }
    return Bundle(**defaults | changes)


def publish(bundle: Bundle) -> str:
    """Make *bundle* the live one in the AWS that runs, and return its name."""
    from cartwake import live
    from cartwake.gateways import bucket
    from cartwake.store import bundles

    content = encode(bundle)
    name = name_bundle(content)
    bucket.write(f"bundles/{name}.json", content)
    known = bundles.get_live()
    assert bundles.put_live(bundles.Live(name, bundle.generation), replaces=known.generation if known else 0)
    live.forget()
    return name
