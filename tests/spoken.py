"""Conditions as marketers write them, drawn by Hypothesis: few events, short times, two minutes around a midnight.

The midnight is the one after 28 February, so that days, leap days and dates change within it.
"""

import json
from typing import Any, NamedTuple

import msgspec
from builders import WELCOME
from hypothesis import strategies as st
from strategies import CLOCKS, DAYS, any_event

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Condition
from cartwake.events import Event
from cartwake.journeys import Trigger
from cartwake.rules.compile import link
from cartwake.rules.compile_conditions import ConditionCompiler, read_condition
from cartwake.rules.compiling.desk import describe_shop
from cartwake.rules.files import read_file
from cartwake.rules.needs import Needs
from cartwake.times import SECOND, parse_instant
from cartwake.trackers import Need

type Spoken = dict[str, Any]
MIDNIGHT = parse_instant("2027-03-01T00:00:00Z")
STEP = 10 * SECOND
GRID = [MIDNIGHT + STEP * step for step in range(-6, 7)]
END = GRID[-1] + 2 * 60 * SECOND
INSTANTS = st.sampled_from(GRID)
DELAYS = st.sampled_from([0, 0, 1, STEP, 3 * STEP])
BOTS = st.integers(0, 20).map(lambda it: it == 20)
EVENTS = any_event(INSTANTS, delays=DELAYS, bots=BOTS)
ORDER, VIEW = "Order Completed", "Page Viewed"
NAMES = st.sampled_from([ORDER, VIEW, "Product Added"])
TIMES = ("10 seconds", "20 seconds", "30 seconds", "1 minute", "1 hour", "1 day")
IN_ORDER = st.sets(st.sampled_from(range(len(TIMES))), min_size=2, max_size=2).map(
    lambda pair: [TIMES[it] for it in sorted(pair, reverse=True)]
)
DATES = ("2027-02-28", "2027-03-01", "2027-02-28T23:59:30Z", "2027-03-01T00:00:20Z", "2027-03-02")
DATE_PAIRS = st.sampled_from(
    [
        ["2027-02-27", "2027-02-28"],
        ["2027-02-28T23:59:20Z", "2027-03-01T00:00:10Z"],
        ["2027-03-01", "2027-03-01"],
        ["2027-02-28", "2027-03-05"],
    ]
)
TIME = st.sampled_from(TIMES)
ENDING_NOW: st.SearchStrategy[Spoken] = st.one_of(
    st.just({}),
    TIME.map(lambda it: {"in_last": it}),
    st.sampled_from(DATES).map(lambda it: {"after": it}),
    DATE_PAIRS.map(lambda pair: {"between": pair}),
    st.sampled_from(DATES).map(lambda it: {"before": it}),
)
ENDING_BEFORE: st.SearchStrategy[Spoken] = st.one_of(
    IN_ORDER.map(lambda pair: {"between": pair}), IN_ORDER.map(lambda pair: {"in_last": pair[0], "before": pair[1]})
)
WINDOWS = st.one_of(ENDING_NOW, TIME.map(lambda it: {"before": it}), ENDING_BEFORE)
COUNTS: st.SearchStrategy[Spoken] = st.one_of(
    st.integers(1, 3).map(lambda it: {"at_least": it}),
    st.integers(0, 3).map(lambda it: {"at_most": it}),
    st.integers(0, 3).map(lambda it: {"exactly": it}),
    st.just({"at_least": 1, "at_most": 2}),
)
NUMBERS = (0, 1, 2, 10, 60, 100, 119.9, 200)
BOUNDS: st.SearchStrategy[Spoken] = st.builds(
    lambda op, bound: {op: bound},
    st.sampled_from(["more_than", "less_than", "at_least", "at_most"]),
    st.sampled_from(NUMBERS),
)
WHERE: st.SearchStrategy[Spoken] = st.sampled_from(
    [
        {},
        {},
        {"where": {"category": ["shoes", "hats"]}},
        {"where": {"products.category": "shoes"}},
        {"where": {"products": {"any_item": {"category": {"is": "hats"}, "price": {"at_least": 15}}}}},
        {"where": {"revenue": {"at_least": 100}}},
        {"where": {"coupon": {"exists": False}}},
        {"where": {"url": {"matches": "sho*"}, "category": {"is_not": "hats"}}},
    ]
)


def _merge(*parts: Spoken) -> Spoken:
    return {key: value for part in parts for key, value in part.items()}


def _say(key: str, values: st.SearchStrategy[Any], *more: st.SearchStrategy[Spoken]) -> st.SearchStrategy[Spoken]:
    return st.builds(lambda value, *parts: _merge({key: value}, *parts), values, *more)


LAST_THEN = st.builds(
    lambda did, name, within, where: {did: name, "within": within} | where,
    st.sampled_from(["did", "did_not"]),
    NAMES,
    TIME,
    WHERE,
)
THEN = st.one_of(
    LAST_THEN,
    st.builds(lambda name, within, then: {"did": name, "within": within, "then": then}, NAMES, TIME, LAST_THEN),
)
BEGUN = st.one_of(
    TIME.map(lambda it: {"in_last": it}),
    st.sampled_from(DATES).map(lambda it: {"after": it}),
    st.just({"between": ["2027-02-28", "2027-03-01"]}),
)
DID = _say("did", NAMES, COUNTS, WINDOWS, WHERE)
DID_NOT = _say("did_not", NAMES, WINDOWS, WHERE)
SEQUENCES = _say("did", NAMES, COUNTS, BEGUN, WHERE, THEN.map(lambda it: {"then": it}))
EDGES = st.one_of(
    _say(edge, NAMES, windows, wheres)
    for edge in ("first", "last")
    for windows, wheres in ((WINDOWS.filter(bool), WHERE), (st.just({}), WHERE.filter(bool)))
)
AMOUNTS = st.builds(
    lambda of, path, window, where, bounds: _merge({of: path, "on": ORDER}, window, where, bounds),
    st.sampled_from(["total_of", "average_of", "largest_of"]),
    st.sampled_from(["revenue", "products.quantity", "products.price"]),
    st.one_of(ENDING_NOW, ENDING_BEFORE),
    WHERE,
    BOUNDS,
)
DISTINCT = st.builds(
    lambda path, on, counts, window, where: _merge({"distinct_of": path, "on": on}, counts, window, where),
    st.sampled_from(["products.category", "category", "products.product_id"]),
    NAMES,
    COUNTS,
    ENDING_NOW,
    WHERE,
)
BEHAVIOUR = {
    "did": DID, "did_not": DID_NOT, "then": SEQUENCES, "edge": EDGES, "amount": AMOUNTS, "distinct": DISTINCT,
}  # fmt: skip
TESTS: st.SearchStrategy[Spoken] = st.sampled_from(
    [{"is": "Oslo"}, {"is_not": ["Oslo", 7]}, {"exists": True}, {"exists": False}, {"contains": "os"}, {"more_than": 5}]
)
PAST = st.one_of(
    TIME.map(lambda it: {"in_last": it}),
    TIME.map(lambda it: {"before": it}),
    IN_ORDER.map(lambda pair: {"in_last": pair[0], "before": pair[1]}),
)
DATED = st.one_of(PAST, TIME.map(lambda it: {"in_next": it}))
SOME_DAYS = st.sampled_from([{"today": True}, {"in_next": "1 day"}, {"in_next": "180 days"}, {"in_last": "2 days"}])
UTM = st.sampled_from(["first_visit.utm_source", "last_visit.utm_source", "first_visit.utm_campaign"])
PERSON = {
    "trait": _say("trait", st.sampled_from(["city", "email", "none"]), TESTS),
    "moment": _say("trait", st.sampled_from(["ends", "birthday"]), DATED),
    "age": _say("age_of", st.just("birthday"), st.builds(
        lambda op, years: {op: years}, st.sampled_from(["more_than", "less_than", "at_least", "at_most"]),
        st.sampled_from([26, 27, 28]),
    )),
    "anniversary": _say("anniversary_of", st.just("birthday"), SOME_DAYS),
    "profile": st.one_of(
        _say("profile", st.sampled_from(["first_seen", "last_seen"]), PAST),
        _say("profile", UTM, st.sampled_from([{"is": "google"}, {"exists": False}])),
        _say("profile", st.just("device"), st.sampled_from([{"is": "mobile"}, {"is_not": "desktop"}])),
        _say("profile", st.just("language"), st.just({"is": ["pl", "en"]})),
        _say("profile", st.just("country"), st.sampled_from([{"is": "PL"}, {"exists": True}])),
        _say("profile", st.just("timezone"), st.just({"contains": "asia"})),
    ),
    "consent": st.one_of(
        _say("consent", st.sampled_from(["email", "sms"]), st.sampled_from([{}, {"is": "never_asked"}])),
        _say("consent", st.just("email"), st.sampled_from([{"is": "pending"}, {"is": "unsubscribed"}])),
        _say("consent", st.just("email"), PAST),
        _say("consent", st.just("email"), st.just({"method": ["form", "import"]})),
    ),
    "reachable": _say("reachable_by", st.sampled_from(["email", "sms"])),
    "share": _say("share", st.sampled_from([20, 50]), st.sampled_from([{"of": "x"}, {"of": "y"}])),
    "cart": st.one_of(
        st.just({"cart": "empty"}),
        _say("cart", st.just("open"), TIME.map(lambda it: {"untouched_for": it})),
        _say("cart", st.just("open"), BOUNDS.map(lambda it: {"value": it})),
        _say("cart", st.just("open"), st.just({"quantity": {"at_least": 2}, "item": {"category": "shoes"}})),
    ),
}  # fmt: skip
STATE = {
    "lifecycle": _say("lifecycle", st.sampled_from(["prospect", "new", "promising", ["champions", "loyal"]])),
    "engagement": _say("engagement", st.sampled_from(["clicker", "active", "inactive"])),
    "score": _say("score", st.just("points"), BOUNDS),
    "faded": _say("score", st.just("faded"), BOUNDS),
    "orders": _say("predicted", st.sampled_from(["orders", "value", "rhythm", "expected_value"]), BOUNDS),
    "risk": _say("predicted", st.just("churn_risk"), st.sampled_from([{"more_than": 10}, {"at_most": 25}])),
    "next_order": _say("predicted", st.just("next_order"), st.one_of(DATED, st.just({"in_next": "1 day"}))),
}
LEAVES = BEHAVIOUR | PERSON | STATE
SEGMENTS = ("a", "b", "c")


def conditions(*others: str) -> st.SearchStrategy[Spoken]:
    """Conditions, some of them composed; about other segments too."""
    of_segments = {name: st.sampled_from([{"in_segment": name}, {"tag": f"of-{name}"}]) for name in others}
    leaf = st.one_of(*LEAVES.values(), *of_segments.values(), *of_segments.values(), st.just({"tag": "vip"}))
    group = _say_group(st.one_of(leaf, leaf, _say_group(leaf)))
    return st.one_of(leaf, group)


def _say_group(inner: st.SearchStrategy[Spoken]) -> st.SearchStrategy[Spoken]:
    several = st.lists(inner, min_size=1, max_size=3)
    return st.builds(lambda key, of: {key: of}, st.sampled_from(["all", "any", "none"]), several)


POINTS = st.lists(
    st.one_of(
        st.builds(
            lambda name, where, points, most: _merge({"did": name, "points": points}, where, most),
            NAMES,
            WHERE,
            st.sampled_from([1, 2.5, 50, -20]),
            st.sampled_from([{}, {}, {"most": 30}]),
        ),
        st.builds(lambda when, points: {"when": when, "points": points}, st.one_of(DID, PERSON["moment"]), st.just(30)),
    ),
    min_size=1,
    max_size=3,
)
KEPT: st.SearchStrategy[Spoken] = st.sampled_from([{}, {"in_last": "20 seconds"}, {"in_last": "1 hour"}])
FADING: st.SearchStrategy[Spoken] = st.sampled_from([{"half_life": "10 seconds"}, {"half_life": "1 hour"}])
ENDS: st.SearchStrategy[Spoken] = st.sampled_from([{}, {"cap": 100}, {"floor": -50, "cap": 40}])


PREDICTIONS = {
    "fitted_at": "2026-11-22",
    "customers": 23570,
    "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
    "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
}
SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "timezone": "UTC",
}
FILES: dict[str, Spoken] = {"settings.json": SETTINGS, "predictions.json": PREDICTIONS}


def _score(kept: st.SearchStrategy[Spoken]) -> st.SearchStrategy[Spoken]:
    return st.builds(lambda *parts: _merge({"name": "S"}, *parts), kept, ENDS, POINTS.map(lambda it: {"points": it}))


def _write(wheres: tuple[Spoken, ...], sticky: list[bool], points: Spoken, faded: Spoken) -> dict[str, Spoken]:
    segments = {
        f"segments/{name}.json": {"name": name, "where": where, "then": {"tag": f"of-{name}", "sticky": stays}}
        for name, where, stays in zip(SEGMENTS, wheres, sticky, strict=True)
    }
    return FILES | segments | {"scores/points.json": points, "scores/faded.json": faded}


WRITTEN = st.builds(
    _write,
    st.tuples(*(conditions(*SEGMENTS[:place]) for place in range(len(SEGMENTS)))),
    st.lists(st.booleans(), min_size=len(SEGMENTS), max_size=len(SEGMENTS)),
    _score(KEPT),
    _score(FADING),
)
"""Three segments, of which the later ones may read the earlier ones, and two scores: the files of a folder."""


def _of(*names: str) -> st.SearchStrategy[Event]:
    return any_event(INSTANTS, st.sampled_from(names), DELAYS, bots=BOTS)


def _told(name: str, *values: object) -> st.SearchStrategy[Event]:
    told = st.sampled_from([{name: value} for value in values])
    return any_event(INSTANTS, st.just("Identified"), DELAYS, bots=BOTS, told=told)


_ADDRESSED = any_event(
    INSTANTS,
    st.just("Identified"),
    DELAYS,
    told=st.sampled_from([{"email": "a@example.com", "phone": "+48 600 700 800"}, {"email": "no address"}]),
)
CLUES: dict[str, tuple[st.SearchStrategy[Event], ...]] = {
    **dict.fromkeys((ORDER, "lifecycle"), (_of(ORDER),)),
    "predicted": (_of(ORDER),) * 3,
    **dict.fromkeys((VIEW, "first_seen", "last_seen", "utm_", "device"), (_of(VIEW),)),
    "Product Added": (_of("Product Added"),),
    "cart": (_of("Product Added"), _of("Product Added", "Product Removed", ORDER)),
    "consent": (_of("Subscribed", "Unsubscribed", "Subscription Requested"),),
    "reachable_by": (_ADDRESSED, _of("Subscribed"), _of("Subscribed", "Unsubscribed", "Email Bounced")),
    "engagement": (_of("Email Opened", "Email Link Clicked", VIEW),),
    "vip": (_of("Tag Added", "Tag Removed"),),
    "city": (_told("city", "Oslo", "Kyiv", 7, ["Oslo", "Rome"]),),
    "email": (_told("email", "a@example.com", 5),),
    "birthday": (
        any_event(INSTANTS, st.just("Identified"), DELAYS, told=DAYS.map(lambda it: {"birthday": it})),
        any_event(INSTANTS, st.just("Identified"), DELAYS, told=CLOCKS),
    ),
    "ends": (
        _told("ends", "2027-03-01", "2027-02-28T23:59:40Z", "2027-03-01T01:00:30+01:00", MIDNIGHT // SECOND + 10),
    ),
    "language": (_told("language", "PL", "en", "de"), _told("locale", "pl-PL", "en_GB")),
    "country": (_told("country", "pl", "DE", "?"),),
    "timezone": (_told("timezone", "Asia/Kolkata", "UTC"),),
}
"""What a condition with such a word in it is about: else most that happens would have nothing to do with it."""


class Scene(NamedTuple):
    """Rules, and what happened."""

    rules: Bundle
    events: list[Event]


@st.composite
def lives(draw: st.DrawFn, words: str, most: int) -> list[Event]:
    """No more than so many events, of which most are such as words are about."""
    about = [each for clue, found in CLUES.items() if clue in words for each in found]
    least = draw(st.sampled_from([0, most // 3, most // 2]))
    events = st.one_of(*about, *about, EVENTS)
    return draw(st.lists(events, min_size=least, max_size=most, unique_by=lambda event: event.key))


@st.composite
def scenes(draw: st.DrawFn, most: int = 12) -> Scene:
    """A folder of rules with journeys that hear of every segment, and no more than so many events."""
    files = draw(WRITTEN)
    words = json.dumps([it["where"] for name, it in files.items() if name.startswith("segments/")])
    if '"score"' in words:
        words += json.dumps([it["points"] for name, it in files.items() if name.startswith("scores/")])
    rules = compile_files(files)
    journeys = {
        name: msgspec.structs.replace(WELCOME, trigger=Trigger(entered=name), exits=(Trigger(left=name),))
        for name in SEGMENTS
    }
    return Scene(msgspec.structs.replace(rules, journeys=journeys), draw(lives(words, most)))


def compile_files(files: dict[str, Spoken]) -> Bundle:
    """Return the bundle that files make."""
    linked = link({name: read_file(name, json.dumps(it).encode()) for name, it in files.items()}, now=MIDNIGHT)
    assert not linked.conflicts
    return linked.bundle


def compile_one(rule: Spoken) -> tuple[Condition, dict[str, Need]]:
    """Return what a rule is when compiled, and what it needs; it reads no other file."""
    needs = Needs()
    compiler = ConditionCompiler(describe_shop(None, {}), needs)
    return compiler.compile(read_condition(rule), "where"), needs.by_key
