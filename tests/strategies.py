"""What Hypothesis draws: events of few shoppers in a short time, so that ties and doubles are common."""

import msgspec
from builders import NEEDS, NOON, VIP
from hypothesis import strategies as st

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


@st.composite
def any_event(draw: st.DrawFn) -> Event:
    """One event of any kind that the fold knows."""
    at = draw(INSTANTS)
    name = draw(
        st.sampled_from(
            [
                "Order Completed",
                "Product Added",
                "Product Removed",
                "Page Viewed",
                "Subscribed",
                "Unsubscribed",
                "Identified",
            ]
        )
    )
    properties: dict[str, object] = {
        "revenue": draw(AMOUNTS),
        "product_id": draw(st.sampled_from(["P-1", "P-2", 3])),
        "name": draw(st.sampled_from(["Shoe", "x" * 900])),
        "url": draw(st.sampled_from(["https://shop.example.com/p", "https://shop.example.com/" + "y" * 900])),
        "quantity": draw(st.sampled_from([1, 2, None])),
        "price": 10,
        "channel": draw(st.sampled_from(["email", "sms"])),
    }
    traits = draw(OTHER_TRAITS) | {
        "city": draw(st.sampled_from(["Oslo", "Kyiv", 7])),
        "email": draw(st.sampled_from(["a@example.com", "b@example.com"])),
    }
    return Event(
        who="u#1",
        id=f"m{draw(st.integers(0, 30))}",
        name=name,
        sent_time=format_instant(at),
        occurred_at=at,
        received_at=at + draw(st.sampled_from([0, 1, SECOND])),
        trust=draw(st.sampled_from(list(Trust))),
        properties=properties,
        traits=traits if name == "Identified" else {},
    )


def histories(max_size: int = 25) -> st.SearchStrategy[list[Event]]:
    """Several events, no two with one key."""
    return st.lists(any_event(), max_size=max_size, unique_by=lambda event: event.key)


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
def known_in_part(draw: st.DrawFn, state: State) -> State:
    """A state in which some trackers were never kept, or not from the beginning, with memberships from before."""
    trackers: dict[str, Tracker] = {}
    for key, tracker in state.trackers.items():
        known_from = draw(st.one_of(st.none(), st.just(0), INSTANTS))
        if known_from is not None:
            kept = [it for it in tracker.entries if it.at >= known_from or draw(st.booleans())]
            trackers[key] = Tracker(max(known_from, tracker.complete_from), tuple(kept))
    members = {
        name: Membership(draw(st.sampled_from([0, NOON - DAY]))) for name in draw(st.sets(st.sampled_from([*SEGMENTS])))
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
