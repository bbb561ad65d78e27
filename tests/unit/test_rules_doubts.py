"""Warnings: what is allowed and hardly meant is told, keeps nothing from going live, and is never a false alarm."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.conditions.kinds import Answer
from cartwake.profiles import Profile
from cartwake.rules.compile import link
from cartwake.rules.doubts.names import Seen
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.files import Content, read_file
from cartwake.rules.publication import choose
from cartwake.segments import View, absorb, adopt, check
from cartwake.times import DAY
from tests.builders import NOON, an_event

ORDER = "Order Completed"
SHOP = {"name": "N", "url": "https://n.example", "postal_address": "Street 1"}
SETTINGS = {"shop": SHOP, "sender": {"email": "shop@example.com"}}


def read(**files: Any) -> dict[str, Content]:
    """Read files given as `segments_vip={...}`."""
    found = {}
    for name, content in {"settings": SETTINGS, **files}.items():
        folder, _, stem = name.partition("_")
        file = f"{folder}/{stem}.json" if stem else f"{folder}.json"
        found[file] = read_file(file, json.dumps(content).encode())
    return found


def doubts(where: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    found = find_doubts(read(segments_s={"name": "S", "where": where}, **more), now=NOON)
    return [(fault.path, fault.message) for fault in found]


def doubts_of_journey(*steps: dict[str, Any], **more: Any) -> list[tuple[str, str]]:
    journey = {"name": "J", "trigger": {"event": "Product Added"}, "steps": list(steps)} | more
    return [(fault.path, fault.message) for fault in find_doubts(read(journeys_j=journey))]


TAGGED = {"tag": "a"}
NEVER = [
    ({"all": [{"did": ORDER, "in_last": "30 days"}, {"did_not": ORDER, "in_last": "90 days"}]}, "where.all[1]"),
    ({"all": [{"did": ORDER, "at_least": 3, "where": {"a": 1}}, {"did": ORDER, "at_most": 2}]}, "where.all[1]"),
    ({"all": [{"did": ORDER, "after": "2026-05-01"}, {"did_not": ORDER, "after": "2026-01-01"}]}, "where.all[1]"),
    (
        {"all": [{"did": ORDER, "between": ["9 days", "3 days"]}, {"did_not": ORDER, "in_last": "9 days"}]},
        "where.all[1]",
    ),
    ({"all": [{"did": ORDER}, {"all": [{"did_not": ORDER}]}]}, "where.all[1].all[0]"),
    ({"all": [{"did": ORDER}, {"none": [{"did": ORDER, "at_least": 1}]}]}, "where.all[1].none[0]"),
    ({"none": [{"did": ORDER}, {"did_not": ORDER}]}, "where.none[1]"),
    ({"all": [TAGGED, {"none": [TAGGED]}]}, "where.all[1].none[0]"),
    ({"all": [{"in_segment": "s"}, {"none": [{"any": [TAGGED, {"in_segment": "s"}]}]}]}, "where.all[1].none[0]"),
    ({"all": [{"trait": "age", "at_least": 30}, {"trait": "age", "less_than": 30}]}, "where.all[1]"),
    ({"all": [{"trait": "phone", "exists": False}, {"trait": "phone", "matches": "+48*"}]}, "where.all[1]"),
    ({"all": [{"age_of": "birthday", "more_than": 30}, {"age_of": "birthday", "at_most": 30}]}, "where.all[1]"),
    ({"all": [{"profile": "device", "is": "mobile"}, {"profile": "device", "is": "desktop"}]}, "where.all[1]"),
    ({"all": [{"consent": "email"}, {"consent": "email", "is": "never_asked"}]}, "where.all[1]"),
    ({"all": [{"cart": "open", "value": {"at_least": 5}}, {"cart": "empty"}]}, "where.all[1]"),
    ({"all": [{"lifecycle": "new"}, {"lifecycle": ["lost", "at_risk"]}]}, "where.all[1]"),
    ({"all": [{"engagement": "active"}, {"engagement": "inactive"}]}, "where.all[1]"),
    ({"all": [{"score": "e", "at_least": 50}, {"score": "e", "less_than": 20}]}, "where.all[1]"),
    ({"total_of": "revenue", "on": ORDER, "at_least": 50, "less_than": 20}, "where"),
    ({"score": "e", "more_than": 100}, "where.more_than"),
]
ALWAYS = [
    ({"any": [{"did": ORDER, "in_last": "90 days"}, {"did_not": ORDER, "in_last": "30 days"}]}, "where.any[1]"),
    ({"any": [TAGGED, {"none": [TAGGED]}]}, "where.any[1]"),
    ({"any": [{"score": "e", "at_least": 5}, {"score": "e", "less_than": 9}]}, "where.any[1]"),
    ({"any": [{"total_of": "revenue", "on": ORDER, "at_least": 0}, TAGGED]}, "where.any[0].at_least"),
    ({"share": 100, "of": "all"}, "where.share"),
]
FINE: list[dict[str, Any]] = [
    {"all": [{"did": ORDER, "in_last": "90 days"}, {"did_not": ORDER, "in_last": "30 days"}]},
    {"all": [{"did": ORDER, "at_least": 3}, {"did": ORDER, "at_most": 2, "where": {"a": 1}}]},
    {"all": [{"did": ORDER, "before": "30 days"}, {"did_not": ORDER, "in_last": "30 days"}]},
    {"all": [{"did": ORDER, "after": "2026-01-01"}, {"did_not": ORDER, "after": "2026-05-01"}]},
    {"any": [{"did": ORDER, "in_last": "30 days"}, {"did_not": ORDER, "in_last": "90 days"}]},
    {"none": [{"did": ORDER}, {"tag": "a"}]},
    {"all": [{"trait": "age", "at_least": 30}, {"trait": "age", "at_most": 30}]},
    {"all": [{"trait": "plan", "is": "a"}, {"trait": "plan", "is": "b"}]},
    {"all": [{"trait": "phone", "exists": False}, {"trait": "phone", "is_not": "1"}]},
    {"all": [{"consent": "email"}, {"consent": "sms", "is": "never_asked"}]},
    {"all": [{"lifecycle": ["new", "loyal"]}, {"lifecycle": ["loyal", "lost"]}]},
    {"all": [{"in_segment": "s"}, {"none": [{"all": [TAGGED, {"in_segment": "s"}]}]}]},
    {"all": [{"average_of": "x", "on": ORDER, "more_than": 5}, {"average_of": "y", "on": ORDER, "less_than": 5}]},
    {"score": "e", "at_least": 100},
    {"did": ORDER, "in_last": "400 days"},
]
SCORE = {"name": "E", "cap": 100, "in_last": "90 days", "points": [{"did": ORDER, "points": 20}]}


@pytest.mark.parametrize(("where", "path"), NEVER, ids=json.dumps)
def test_what_never_holds_is_doubted(where: dict[str, Any], path: str) -> None:
    """What excludes itself is told at the later place, once."""
    ((at, message),) = doubts(where, scores_e=SCORE)
    assert at == path
    assert "never hold" in message


@pytest.mark.parametrize(("where", "path"), ALWAYS, ids=json.dumps)
def test_what_always_holds_is_doubted(where: dict[str, Any], path: str) -> None:
    """What is true of everybody is told."""
    ((at, message),) = doubts(where, scores_e=SCORE)
    assert at == path
    assert "Always holds" in message or "Everybody" in message


@pytest.mark.parametrize("where", FINE, ids=json.dumps)
def test_what_may_hold_is_not_doubted(where: dict[str, Any]) -> None:
    """What somebody can be in, and somebody else not, gives no warning."""
    assert not doubts(where, scores_e=SCORE)


WINDOWS = st.sampled_from(
    [
        {},
        {"in_last": "9 days"},
        {"in_last": "30 days"},
        {"before": "9 days"},
        {"between": ["30 days", "9 days"]},
        {"after": "2026-11-01"},
        {"before": "2026-11-10"},
        {"between": ["2026-11-01", "2026-11-10"]},
    ]
)
COUNTS = st.sampled_from([{}, {"at_least": 2}, {"at_most": 1}, {"exactly": 1}, {"at_least": 1, "at_most": 2}])
WHERES = st.sampled_from([{}, {"where": {"a": 1}}, {"where": {"a": 1, "b": 2}}])
OPS = st.sampled_from(["at_least", "less_than"])
LEAVES = st.one_of(
    st.builds(lambda *parts: {"did": ORDER} | parts[0] | parts[1] | parts[2], WINDOWS, COUNTS, WHERES),
    st.builds(lambda *parts: {"did_not": ORDER} | parts[0] | parts[1], WINDOWS, WHERES),
    st.builds(lambda op, bound: {"total_of": "a", "on": ORDER, op: bound}, OPS, st.integers(1, 4)),
    st.builds(lambda op, bound: {"trait": "age", op: bound}, OPS, st.integers(1, 4)),
    st.builds(lambda *names: {"lifecycle": list(names)}, st.sampled_from(["new", "lost"]), st.just("loyal")),
    st.sampled_from([TAGGED, {"consent": "email"}, {"consent": "email", "is": "never_asked"}, {"cart": "empty"}]),
)
CONDITIONS = st.recursive(
    LEAVES,
    lambda inner: st.builds(
        lambda kind, of: {kind: of}, st.sampled_from(["all", "any", "none"]), st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=5,
)
HISTORIES = st.lists(
    st.one_of(
        st.builds(
            lambda days, a, b: an_event(ORDER, at=NOON - days * DAY, properties={"a": a, "b": b}),
            st.integers(0, 40),
            st.integers(0, 3),
            st.integers(1, 2),
        ),
        st.builds(lambda age: an_event("Identified", type="identify", traits={"age": age}), st.integers(0, 5)),
        st.just(an_event("Tag Added", properties={"tag": "a"})),
        st.just(an_event("Subscribed", properties={"channel": "email"})),
    ),
    max_size=5,
)


PAIRS = st.builds(
    lambda kind, of: {kind: of}, st.sampled_from(["all", "any"]), st.lists(LEAVES, min_size=2, max_size=4)
)


@given(PAIRS | CONDITIONS, st.lists(HISTORIES, min_size=1, max_size=4))
def test_a_doubt_is_never_wrong(where: dict[str, Any], histories: list[list[Any]]) -> None:
    """Nobody is in what "never" holds, and everybody in what "always" does: in the whole, or in the group of it."""
    files = read(segments_s={"name": "S", "where": where})
    told = {fault.path: fault.message for fault in find_doubts(files)}
    whole = {path for path in told if path.count("[") <= 1 and not path.startswith("where.none")}
    for history in histories:
        rules = link(files).bundle
        profile = adopt(Profile(who="u#1"), rules, 0)
        for event in sorted(history, key=lambda event: event.received_at):
            profile, _ = absorb(profile, event, rules)
        answer = check(rules.segments["s"].where, View(profile.state, rules, NOON)).answer
        for path in whole:
            if "Can never hold together" in told[path] and path.startswith("where.all"):
                assert answer is Answer.FAILS
            if "Always holds" in told[path] and path.startswith("where.any"):
                assert answer is Answer.HOLDS


def test_names_are_known_from_many_places() -> None:
    """A name that editors offer, that settings list, or that was seen gives no warning; any other does."""
    done = {"did": "Quiz Done", "then": {"did_not": "Quiz Won", "within": "1 day"}, "in_last": "9 days"}
    files = read(
        segments_s={"name": "S", "where": {"all": [done, {"trait": "shoe.size", "exists": True}]}},
        scores_e={"name": "E", "points": [{"did": "Quiz Done", "points": 1}]},
        journeys_j={
            "name": "J",
            "trigger": {"event": "Quiz Done"},
            "exit": [{"event": "Quiz Lost"}],
            "steps": [{"wait": "1 day", "of_quiet": ["Quiz Won"]}, {"sms": "x"}],
        },
    )
    told = [(fault.file.partition("/")[0], fault.path) for fault in find_doubts(files)]
    assert told == [
        ("journeys", "trigger.event"),
        ("journeys", "exit[0].event"),
        ("journeys", "steps[0].of_quiet[0]"),
        ("scores", "points[0].did"),
        ("segments", "where.all[0].did"),
        ("segments", "where.all[0].then.did_not"),
        ("segments", "where.all[1].trait"),
    ]
    assert not find_doubts(files, seen=Seen({"Quiz Done", "Quiz Won", "Quiz Lost"}, {"shoe"}))
    listed = {"events": ["Quiz Done", "Quiz Won", "Quiz Lost"], "traits": ["shoe.size"]}
    files["settings.json"] = read(settings=SETTINGS | {"known": listed})["settings.json"]
    assert not find_doubts(files)


def test_a_property_of_the_event_is_no_trait() -> None:
    """A wait for a date of the event is not asked for a trait of that name; one of the shopper is."""
    wait = {"wait_until_date_in": "launch_at"}
    assert [path for path, _ in doubts_of_journey(wait, {"sms": "x"})] == ["steps[0].wait_until_date_in"]
    assert doubts_of_journey(wait | {"of": "event"}, {"sms": "x"}) == []


@pytest.mark.parametrize(
    ("where", "days"),
    [
        ({"did": ORDER, "in_last": "401 days"}, "401"),
        ({"did": ORDER, "before": "500 days"}, "500"),
        ({"did": ORDER, "between": ["500 days", "30 days"]}, "500"),
        ({"last": ORDER, "after": "2025-10-01"}, "416"),
        ({"total_of": "revenue", "on": ORDER, "more_than": 1, "in_last": "3650 days"}, "3650"),
    ],
)
def test_windows_longer_than_history_are_told(where: dict[str, Any], days: str) -> None:
    """What reaches further back than events are kept says so plainly: needed, and kept."""
    ((_, message),) = doubts(where)
    assert f"Needs {days} days of history; events are kept for 400" in message


@pytest.mark.parametrize(
    ("until", "status", "doubted"),
    [
        ("2026-11-21", "live", True),
        ("2026-11-21T12:00", "paused", True),
        ("2026-11-21T12:01", "live", False),
        ("2026-11-21", "archived", False),
        ("14 days", "live", False),
        (None, "live", False),
    ],
)
def test_a_test_whose_time_is_over_is_told(until: str | None, status: str, doubted: bool) -> None:
    """An end that is past as it is published decides a test at once; the archive decides nothing."""
    ways = [{"percent": 50, "steps": [{"tag": "a"}]}, {"percent": 50, "steps": [{"tag": "b"}]}]
    step = {"test": "t", "split": ways, "winner": {"by": "ordered"} | ({"until": until} if until else {})}
    journey = {"name": "J", "status": status, "trigger": {"event": "Product Added"}, "steps": [step]}
    found = [(it.path, "time is over" in it.message) for it in find_doubts(read(journeys_j=journey), now=NOON)]
    assert found == ([("steps[0].winner.until", True)] if doubted else [])


def test_journeys_that_send_nothing_are_told() -> None:
    """Without a message, or with none that a run can come to, a journey does nothing."""
    never = {"all": [{"did": ORDER}, {"did_not": ORDER}]}
    sms = {"sms": "x"}
    assert "sends nothing" in doubts_of_journey({"wait": "1 day"})[0][1]
    assert doubts_of_journey({"wait": "1 day"}, {"tag": "patient"}) == []
    assert ("steps", "The journey sends nothing: no run ever comes to its messages.") in doubts_of_journey(
        {"if": never, "then": [sms]}
    )
    found = doubts_of_journey({"if": never, "then": [sms], "else": [{"if": TAGGED, "then": [sms]}]})
    assert ("steps[0].then[0]", "Never sent: no run ever comes here.") in found
    assert len(found) == 2
    assert not doubts_of_journey({"if": TAGGED, "then": [sms]})


def test_a_filter_against_its_own_trigger_is_told() -> None:
    """Who just did something has done it; "since start" does not count that very event."""
    sms = {"sms": "x"}
    assert doubts_of_journey(sms, filter={"did_not": "Product Added", "in_last": "1 hour"})
    assert not doubts_of_journey(sms, filter={"did_not": "Product Added", "since": "start"})
    assert not doubts_of_journey(sms, filter={"did_not": "Product Added", "before": "1 hour"})
    assert not doubts_of_journey(sms, filter={"did_not": "Product Added", "where": {"price": 5}})


def test_a_warning_keeps_nothing_from_going_live() -> None:
    """A file with a warning is live, and the warning stands in its status; one that was seen is none."""
    files = {
        "settings.json": json.dumps(SETTINGS).encode(),
        "segments/s.json": json.dumps({"name": "S", "where": {"did": "Quiz Done"}}).encode(),
    }
    found = choose(files)
    assert found.bundle is not None
    assert found.files["segments/s.json"].state == "live"
    assert not found.files["segments/s.json"].faults
    (warning,) = found.files["segments/s.json"].warnings
    assert (warning.path, warning.severity) == ("where.did", "warning")
    assert not choose(files, seen=Seen({"Quiz Done"})).files["segments/s.json"].warnings
    assert not choose(files, live=found.bundle, sources=found.sources).is_news(found.bundle, found.sources)


def doubts_of_text(text: str, *more: str) -> list[tuple[str, str]]:
    files = {name: read_file(name, text.encode()) for name in ("templates/t.txt", *more)}
    return [(fault.path, fault.message) for fault in find_doubts(files)]


def test_what_makes_an_sms_dear_is_told() -> None:
    """A dash of a word processor halves what a part holds: told with its line; letters of a language are no mistake."""
    ((path, message),) = doubts_of_text("Hello\nyour cart \u2013 it waits")
    assert path == "line 2"
    assert "\u2013" in message
    assert doubts_of_text("Zażółć gęślą jaźń \u2013 teraz") == []
    assert doubts_of_text("Your cart waits: {{ event.name|default('\u2013') }}") == []
    ((_, message),) = doubts_of_text("x" * 460)
    assert "4 messages" in message
    assert doubts_of_text("x" * 459) == []


def test_the_plain_text_of_an_email_is_no_sms() -> None:
    """It may be as long as it likes."""
    column = "<mj-column><mj-text>Hello \u2013 {{ shop.name }}</mj-text></mj-column>"
    text = f"<mjml><mj-body><mj-section>{column}</mj-section></mj-body></mjml>"
    mail = {"templates/t.mjml": read_file("templates/t.mjml", text.encode())}
    assert find_doubts(mail | {"templates/t.txt": read_file("templates/t.txt", "\u2013".encode() * 900)}) == []


@pytest.mark.parametrize(
    ("key", "doubted"), [("products.product_id", True), ("revenue", True), ("order_id", False), ("order.id", False)]
)
def test_a_key_that_names_no_one_thing_is_doubted(key: str, doubted: bool) -> None:
    """Of a list of products there is no one id, and an amount is no thing: no run, or the wrong one, would start."""
    assert [path for path, _ in doubts_of_journey({"email": "a"}, key=key)] == ["key"] * doubted
