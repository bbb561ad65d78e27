"""What Hypothesis draws: events of few shoppers in a short time, so that ties and doubles are common."""

from collections.abc import Iterable

import msgspec
from builders import NEEDS, NOON, VIP
from hypothesis import strategies as st
from reference_person import AGENTS

from cartwake.addresses import name_address
from cartwake.bundles import Segment
from cartwake.conditions.kinds import AllOf, Amount, AnyOf, Condition, Did, InSegment, NoneOf, Trait
from cartwake.events import Event, Trust
from cartwake.profiles import Membership, State
from cartwake.times import DAY, HOUR, MINUTE, SECOND, format_instant
from cartwake.trackers import Tracker
from cartwake.values import Compared, Exists, Is

WINDOWS = (10 * SECOND, MINUTE, HOUR, DAY, 90 * DAY)
INSTANTS = st.one_of(
    st.integers(NOON - 200 * DAY, NOON),
    st.sampled_from([NOON - window + shift for window in WINDOWS for shift in (-1, 0, 1)]),
    st.sampled_from([NOON - 5 * SECOND, NOON - 5 * SECOND, NOON - 1, NOON]),
)
AMOUNTS = st.sampled_from([0, 10, 99.99, 100, 200, 200.01, "19,90", -50, None])


OTHER_TRAITS = st.one_of(
    st.just({}),
    st.builds(
        lambda first, value: {f"t{index}": value for index in range(first, first + 70)},
        st.integers(0, 100),
        st.sampled_from([1, "x" * 900, "x" * 2_000, {"city": ["Oslo"]}]),
    ),
    st.just({"n" * 101: 1}),
)
"""So many, and so large, that not all of two events fit into one profile."""


ITEMS = (
    {"product_id": "P-1", "category": "shoes", "price": 60, "quantity": 1},
    {"product_id": "P-2", "category": "Hats", "price": "19,90", "quantity": 2},
    {"product_id": "P-3", "category": "shoes", "price": 10},
    {"product_id": 4, "category": ["hats", "socks"]},
)
ORDERS = st.builds(
    lambda revenue, items, coupon: {"revenue": revenue, "products": list(items)} | coupon,
    AMOUNTS,
    st.sampled_from([(), ITEMS[:1], ITEMS[1:3], ITEMS, ITEMS[2:]]),
    st.sampled_from([{}, {"coupon": "SPRING"}, {"coupon": ""}]),
)
PAGES = st.sampled_from(
    [
        {"url": "https://shop.example.com/shoes", "category": "shoes"},
        {"url": "https://shop.example.com/p?utm_source=google&utm_campaign=s", "category": "hats"},
        {"url": "https://shop.example.com/p?utm_source=news", "category": None},
        {"url": "https://shop.example.com/" + "y" * 900},
    ]
)
CART_CHANGES = st.builds(
    lambda product, quantity, more: {"product_id": product, "quantity": quantity, "price": 10} | more,
    st.sampled_from(["P-1", "P-2", 3]),
    st.sampled_from([1, 2, None]),
    st.sampled_from([{"name": "Shoe", "category": "shoes"}, {"name": "x" * 900}, {"price": "19.90"}]),
)
SAID = st.sampled_from(
    [
        {"channel": "email"},
        {"channel": "email", "method": "form"},
        {"channel": "sms", "method": "import"},
        {},
        {"channel": "post"},
        {"channel": " Email"},
        {"channel": ["SMS", "post", None]},
        {"channel": None},
    ]
)
CLOCKS = st.sampled_from([{"timezone": it} for it in ("UTC", "Asia/Kolkata", "America/Sao_Paulo", "Nowhere/At", 7)])
DAYS = st.sampled_from(
    ["2000-02-29", "2000-03-01", "1999-02-28", "02-29", "--03-01", "2030-05-05", "soon", 951_782_400]
)
TOLD = st.one_of(
    st.sampled_from([{"city": it} for it in ("Oslo", "Kyiv", 7, ["Oslo", "Rome"])]),
    st.builds(lambda day: {"birthday": day}, DAYS),
    CLOCKS,
    st.sampled_from(
        [{"locale": "pl-PL"}, {"locale": "de_DE"}, {"language": "PL"}, {"country": "pl"}, {"country": "?"}]
    ),
    st.sampled_from([{"email": it} for it in ("a@example.com", "b@example.com", "no address", 5)]),
    st.just({"phone": "+48 600 700 800"}),
    OTHER_TRAITS,
)
"""What clients say of a shopper."""
CONTEXTS = st.one_of(
    st.just({}),
    st.sampled_from([{"userAgent": agent} for agent in AGENTS]),
    st.sampled_from([{"device": {"type": it}} for it in ("mobile", "desktop")]),
    st.sampled_from([{"device": {"type": "ios", "id": it, "token": f"token-of-device-{it}"}} for it in "1234567"]),
    st.sampled_from([{"campaign": {"source": "google", "name": it}} for it in ("spring", "")]),
    st.just({"page": {"url": "https://shop.example.com/?a=1&utm_source=bing&utm_term=b"}}),
    CLOCKS,
)
CONTENTS: dict[str, st.SearchStrategy[dict[str, object]]] = {
    "Order Completed": ORDERS,
    "Page Viewed": PAGES,
    "Product Added": CART_CHANGES,
    "Product Removed": CART_CHANGES,
    "Subscribed": SAID,
    "Unsubscribed": SAID,
    "Subscription Requested": SAID,
    "Identified": st.just({}),
    "Tag Added": st.sampled_from([{"tag": "vip"}, {"tag": "Wholesale"}, {"tag": ""}]),
    "Tag Removed": st.sampled_from([{"tag": "vip"}, {"tag": "Wholesale"}]),
    "Email Opened": st.just({}),
    "Email Link Clicked": st.just({}),
    "Email Bounced": st.sampled_from(
        [{"address_id": name_address("a@example.com"), "bounce": kind} for kind in ("permanent", "transient")]
    ),
}
NAMES = st.sampled_from([*CONTENTS])
DELAYS = st.sampled_from([0, 1, SECOND])
NO_BOTS = st.just(False)
TRUSTS = st.sampled_from([Trust.SERVER, Trust.SERVER, Trust.BROWSER, Trust.OWN])


@st.composite
def any_event(
    draw: st.DrawFn,
    instants: st.SearchStrategy[int] = INSTANTS,
    names: st.SearchStrategy[str] = NAMES,
    delays: st.SearchStrategy[int] = DELAYS,
    *,
    bots: st.SearchStrategy[bool] = NO_BOTS,
    told: st.SearchStrategy[dict[str, object]] = TOLD,
) -> Event:
    """One event of any kind that the fold knows."""
    at, name = draw(instants), draw(names)
    return Event(
        who=draw(st.sampled_from(["u#1", "u#1", "a#1"])),
        id=f"m{draw(st.integers(0, 30))}",
        name=name,
        sent_time=format_instant(at),
        occurred_at=at,
        received_at=at + draw(delays),
        trust=draw(TRUSTS),
        properties=draw(CONTENTS[name]),
        traits=draw(told) if name == "Identified" else {},
        context=draw(CONTEXTS) if name in ("Page Viewed", "Product Added", "Identified") else {},
        bot=draw(bots),
    )


def histories(max_size: int = 25, events: st.SearchStrategy[Event] | None = None) -> st.SearchStrategy[list[Event]]:
    """Several events, no two with one key."""
    return st.lists(any_event() if events is None else events, max_size=max_size, unique_by=lambda event: event.key)


COUNTS = st.builds(
    Did,
    tracker=st.just("orders"),
    op=st.sampled_from(["at_least", "at_most", "exactly"]),
    count=st.integers(0, 3),
    within_ms=st.sampled_from((0, *[window for window in WINDOWS if window <= 90 * DAY])),
)
TOTALS = st.builds(
    Amount,
    tracker=st.just("revenue"),
    op=st.sampled_from(["more_than", "less_than", "at_least", "at_most"]),
    bound=st.sampled_from([0.0, 100.0, 200.0, -10.0]),
    within_ms=st.sampled_from(WINDOWS),
)
TRAITS = st.builds(
    Trait,
    name=st.sampled_from(["city", "email", "none"]),
    test=st.one_of(
        st.builds(Is, values=st.just(("Oslo",)), negated=st.booleans()),
        st.builds(Exists, wanted=st.booleans()),
        st.builds(Compared, op=st.just("more_than"), bound=st.just(5.0)),
    ),
)
BASIC = st.one_of(COUNTS, TOTALS)
SEGMENTS = {
    "vip": Segment(title="VIP", where=VIP),
    "lapsed": Segment(
        title="Lapsed", where=AllOf(of=(Did(tracker="orders"), NoneOf(of=(Did(tracker="orders", within_ms=DAY),))))
    ),
    "others": Segment(title="Others", where=NoneOf(of=(InSegment(segment="vip"), InSegment(segment="lapsed")))),
}
MEMBERSHIPS = st.builds(InSegment, segment=st.sampled_from([*SEGMENTS, "unheard of"]))


@st.composite
def known_in_part(
    draw: st.DrawFn, state: State, instants: st.SearchStrategy[int] = INSTANTS, segments: Iterable[str] = SEGMENTS
) -> State:
    """A state in which some trackers were never kept, or not from the beginning, with memberships from before."""
    trackers: dict[str, Tracker] = {}
    for key, tracker in state.trackers.items():
        known_from = draw(st.one_of(st.none(), st.just(0), instants))
        if known_from is not None:
            kept = [it for it in tracker.entries if it.at >= known_from or draw(st.booleans())]
            trackers[key] = Tracker(max(known_from, tracker.complete_from), tuple(kept))
    members = {
        name: Membership(draw(st.sampled_from([0, NOON - DAY]))) for name in draw(st.sets(st.sampled_from([*segments])))
    }
    return msgspec.structs.replace(state, trackers=trackers, memberships=members)


def conditions(*, of_segments: bool = True) -> st.SearchStrategy[Condition]:
    """Conditions of any depth."""

    def nest(inner: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
        several = st.lists(inner, min_size=1, max_size=3).map(tuple)
        return st.one_of(
            several.map(lambda of: AllOf(of=of)),
            several.map(lambda of: AnyOf(of=of)),
            several.map(lambda of: NoneOf(of=of)),
        )

    leaves = [COUNTS, TOTALS, TRAITS, *([MEMBERSHIPS] if of_segments else [])]
    return st.recursive(st.one_of(leaves), nest, max_leaves=6)


assert {"orders", "revenue"} <= NEEDS.keys()
