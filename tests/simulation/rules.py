"""The rules of the simulated shop: each journey stands for one kind of promise."""

from typing import Any

from cartwake.bundles import Bundle, Pool, QuietHours, Segment, Sender, Settings, Shop, Template
from cartwake.conditions.kinds import AllOf, Amount, Did, Trait
from cartwake.enrolments import Enrolment
from cartwake.journeys import Await, Branch, Call, Goal, Happening, Journey, Send, Split, Trigger, Variant, Wait, Watch
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR
from cartwake.trackers import Need
from cartwake.values import Exists, Is, PropertyTest

LAPSE = 5 * DAY
VIP_WINDOW = 90 * DAY
VIP_TOTAL = 200
CAPS = {Channel.EMAIL: 16 * HOUR, Channel.SMS: 24 * HOUR}
OPENS, CLOSES = 9 * 60, 20 * 60
ZONE = "Europe/Berlin"
AGAIN = 7 * DAY
LAST_USEFUL = 24 * HOUR
BUDGET = 2
"""So many SMS a day, all over."""
POOL, CODES = "back", 4
"""A pool of coupons, and how many codes are in it unless a story says otherwise."""
HOST, PATH = "crm.example.com", "/hooks/hidden-token"
"""Another system, and where it wants to be told: only its owner is to know that."""
CONFIDENTIAL = "not-for-logs"
TRIED_FOR = 6 * HOUR
HOPED = 2
"""After so many orders nobody hopes for more."""

NEEDS = {
    "orders": Need(event="Order Completed", latest=4, within_ms=VIP_WINDOW),
    "revenue": Need(event="Order Completed", amount="revenue", whole=True),
    "added": Need(event="Product Added", latest=5),
    "removed": Need(event="Product Removed"),
    "subscribed": Need(event="Subscribed", latest=5),
    "viewed": Need(event="Page Viewed", latest=3),
    "delivered": Need(event="Order Delivered", latest=5),
}
VIP = AllOf(
    of=(
        Did(tracker="orders", count=3, within_ms=VIP_WINDOW),
        Amount(tracker="revenue", op="more_than", bound=VIP_TOTAL, within_ms=VIP_WINDOW),
    )
)
LAPSED = AllOf(of=(Did(tracker="orders"), Did(tracker="orders", op="at_most", count=0, within_ms=LAPSE)))
NO_ORDER = Did(tracker="orders", op="at_most", count=0, since_start=True)
ORDERED = Trigger(event="Order Completed", tracker="orders")


def _mail(name: str, subject: str, **more: Any) -> Send:
    return Send(channel=Channel.EMAIL, template=name, subject=subject, **more)


def _call(about: str) -> Call:
    body = {"about": about, "note": CONFIDENTIAL}
    return Call(
        url=f"https://{HOST}{PATH}", traits=("email",), properties=("order_id",), body=body, not_after_ms=TRIED_FOR
    )


JOURNEYS = {
    "cart": Journey(
        title="Abandoned cart",
        status="live",
        trigger=Trigger(event="Product Added"),
        filter=NO_ORDER,
        exits=(ORDERED,),
        again_ms=AGAIN,
        steps=(
            Wait(for_ms=HOUR, of_quiet=("added", "removed"), at_most_ms=6 * HOUR),
            _mail("cart-1", "You left {{ cart.items[0].name }} behind"),
            Wait(for_ms=23 * HOUR),
            Branch(
                condition=Trait(name="phone", test=Exists()),
                then=(Send(channel=Channel.SMS, template="cart-sms"),),
                otherwise=(_mail("cart-2", "Still there"),),
            ),
        ),
    ),
    "welcome": Journey(
        title="Welcome",
        status="live",
        trigger=Trigger(event="Subscribed", where=(PropertyTest("channel", Is(("email",))),)),
        steps=(_mail("welcome", "Welcome"),),
    ),
    "thanks": Journey(
        title="Thank you",
        status="live",
        trigger=Trigger(entered="vip"),
        again_ms=30 * DAY,
        steps=(Wait(for_ms=2 * HOUR), _mail("thanks", "You are one of our best", held=True)),
    ),
    "winback": Journey(
        title="Win-back",
        status="live",
        trigger=Trigger(entered="lapsed"),
        exits=(ORDERED,),
        again_ms=AGAIN,
        steps=(_mail("winback", "We miss you", coupon=POOL),),
    ),
    "receipt": Journey(
        title="Receipt",
        kind="transactional",
        status="live",
        trigger=Trigger(event="Order Completed"),
        again_ms=0,
        steps=(_mail("receipt", "Your order"),),
    ),
    "parcel": Journey(
        title="Parcel",
        status="live",
        trigger=Trigger(event="Order Completed"),
        again_ms=0,
        steps=(
            Await(
                happening=Happening(name="Order Delivered", tracker="delivered"),
                at_most_ms=2 * DAY,
                then=(
                    Split(
                        salt="test ask",
                        test="ask",
                        variants=tuple(
                            Variant(name=name, micros=500_000, steps=(_mail("ask", "How was it?"),))
                            for name in ("a", "b")
                        ),
                    ),
                ),
                otherwise=(_mail("late", "Where is it?"),),
            ),
        ),
    ),
    "offer": Journey(
        title="Offer",
        status="live",
        trigger=Trigger(event="Product Added"),
        steps=(
            Wait(for_ms=HOUR),
            _mail("cart-2", "Still there"),
            Wait(for_ms=DAY),
            Goal(happening=Happening(name="Order Completed", tracker="orders"), or_end=True),
            _mail("thanks", "A good choice"),
        ),
    ),
    "news": Journey(title="News", status="live", trigger=Trigger(), steps=(_mail("welcome", "News"),)),
    # its steps are in the file that its story saves
    "rivals": Journey(title="Rivals", status="live", trigger=Trigger(event="Order Delivered"), again_ms=0),
}
JOURNEYS["review"] = Journey(
    title="Review",
    status="live",
    trigger=Trigger(event="Order Completed"),
    key="order_id",
    exits=(Trigger(event="Order Cancelled", tracker="cancelled"),),
    steps=(
        Wait(for_ms=HOUR),
        Await(
            happening=Happening(name="Order Delivered", tracker="parcels"),
            at_most_ms=2 * DAY,
            then=(_mail("ask", "How was {{ event.order_id }}?", held=True),),
        ),
    ),
)
JOURNEYS["crm"] = Journey(
    title="CRM",
    status="live",
    trigger=Trigger(event="Order Completed"),
    again_ms=0,
    steps=(_call("order"),),
)
JOURNEYS["hope"] = Journey(
    title="Hope",
    status="live",
    trigger=Trigger(event="Product Added"),
    again_ms=AGAIN,
    steps=(
        Await(
            happening=Happening(name="two orders", condition=Did(tracker="orders", count=HOPED, since_start=True)),
            at_most_ms=2 * DAY,
            then=(_call("met"),),
            otherwise=(_call("unmet"),),
        ),
    ),
)
NEWS_AT = 1_795_262_400_000 + 9 * DAY
"""Nine days from noon: then the campaign `news` begins, for those who have lapsed."""
EVERYDAY = ("cart", "welcome", "thanks", "winback", "receipt", "parcel", "offer")
"""Those of every random world."""
SOMETIMES = ("review", "crm", "hope", "news")
"""Those of some of them."""
WAYS = dict.fromkeys(("parcel", "hope"), ("0.then", "0.else"))
"""Of journeys that begin with a wait for something: where they go when it has come, and where when time is over."""
KEPT_BY_KEY = 365 * DAY
KEYED_NEEDS = {
    "cancelled": Need(event="Order Cancelled", key="order_id", latest=2, within_ms=KEPT_BY_KEY),
    "parcels": Need(event="Order Delivered", key="order_id", latest=2, within_ms=KEPT_BY_KEY),
}
WATCHES = {
    "review": Watch(events=("Order Delivered",)),
    "parcel": Watch(events=("Order Delivered",)),
    "offer": Watch(events=("Order Completed",)),
    "hope": Watch(events=("Order Completed",)),
}
_STOP = "<a href='{{ unsubscribe_url }}'>stop</a>"
TEMPLATES = {
    "cart-1": Template(html="<p>{{ cart.items[0].name }} " + _STOP + "</p>", text="{{ cart.items[0].name }}"),
    "cart-2": Template(html=f"<p>Still there {_STOP}</p>", text="Still there"),
    "cart-sms": Template(text="Your cart waits"),
    "welcome": Template(html=f"<p>Hi {_STOP}</p>", text="Hi"),
    "thanks": Template(html=f"<p>Thanks {_STOP}</p>", text="Thanks"),
    "winback": Template(html=f"<p>Come back: <b>{{{{ coupon.code }}}}</b> {_STOP}</p>", text="{{ coupon.code }}"),
    "ask": Template(html=f"<p>How was it? {_STOP}</p>", text="How was it?"),
    "late": Template(html=f"<p>Where is it? {_STOP}</p>", text="Where is it?"),
    "receipt": Template(html="<p>Your order</p>", text="Your order"),
}


def make_bundle(*names: str, generation: int = 1, news_at: int = NEWS_AT, **changed: Journey) -> Bundle:
    """Return the rules with the named journeys, or those of every day, some of them *changed*."""
    names = names or EVERYDAY
    journeys = {name: changed.get(name, it) for name, it in JOURNEYS.items() if name in names}
    return Bundle(
        generation=generation,
        settings=Settings(
            shop=Shop(name="Nordlicht", url="https://shop.example.com", postal_address="Street 1, Town"),
            sender=Sender(email="shop@example.com", name="Nordlicht"),
            timezone=ZONE,
            cap_ms=CAPS,
            hours={Channel.SMS: QuietHours(opens_minute=OPENS, closes_minute=CLOSES)},
            budgets={Channel.SMS: BUDGET},
            webhook_hosts=(HOST,),
        ),
        needs=NEEDS | (KEYED_NEEDS if "review" in names else {}),
        segments={
            "vip": Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1),
            "lapsed": Segment(title="Lapsed", where=LAPSED, events=("Order Completed",), changed_generation=1),
        },
        journeys=journeys,
        watches={name: it for name, it in WATCHES.items() if name in names},
        enrolments={
            name: Enrolment(segment="lapsed", starts_at=news_at, is_campaign=True)
            for name in ("news",)
            if name in names
        },
        templates=TEMPLATES,
        pools={POOL: Pool(valid_for_ms=6 * DAY, low_at=0)},
    )
