"""Laws of runs by key: whether something happened to the very order, decided from a profile's state."""

import msgspec
import pytest
from builders import NOON, an_event
from hypothesis import given
from hypothesis import strategies as st

from cartwake import bundles, trackers
from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Start
from cartwake.events import Event, Trust
from cartwake.journeys import Journey, Trigger
from cartwake.profiles import State
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake.rules.leftovers import await_event, carry
from cartwake.rules.needs import derive_tracker_key
from cartwake.run_keys import read_key, stand_for
from cartwake.runs import Run, find_exit
from cartwake.segments import View
from cartwake.times import DAY, HOUR
from cartwake.trackers import EMPTY, Tracker

NEED = await_event("Order Cancelled", (), "order_id")
JOURNEY = Journey(title="J", status="live", trigger=Trigger(event="Order Completed"), key="order_id",
                  exits=(Trigger(event="Order Cancelled", tracker="t"),))  # fmt: skip
RULES = Bundle(settings=bundles.Settings(shop=bundles.Shop(name="N"), sender=bundles.Sender(email="a@b.c")))


def event(name: str, key: object, at: int, ident: str = "") -> Event:
    told = {} if key is None else {"order_id": key}
    return an_event(name, at=at, id=ident or f"{name}-{key}-{at}", properties=told)


def run_of(started: Event, about: str) -> Run:
    return Run(
        who="u#1", journey="j", id="r", about=about, due_at=NOON, entered_at=started.received_at,
        start=Start(started.occurred_at, started.short_id), trigger=started, bundle="b",
    )  # fmt: skip


def remember(events: list[Event]) -> Tracker:
    tracker = EMPTY
    for each in events:
        tracker = trackers.remember(tracker, each, NEED)
    return tracker


def has_ended(tracker: Tracker, started: Event, now: int) -> bool:
    run = run_of(started, read_key(started.properties, "order_id"))
    view = View(State(trackers={"t": tracker}), RULES, now, run.start)
    return find_exit(JOURNEY, run, view) is not None


KEYS = st.sampled_from(["a", "b", "c", None])
TIMES = st.integers(0, 20).map(lambda steps: NOON + steps * HOUR)
EXITS = st.lists(st.tuples(KEYS, TIMES), max_size=40).map(
    lambda told: [event("Order Cancelled", key, at, f"m{place}") for place, (key, at) in enumerate(told)]
)


@given(EXITS, st.sampled_from(["a", "b", "c"]), TIMES, st.randoms(use_true_random=False))
def test_an_exit_of_a_key_is_decided_as_from_all_events(exits: list[Event], key: str, at: int, chance: object) -> None:
    """Whatever the order, the doubles, and the halves that are joined: the state says what all events say."""
    started = event("Order Completed", key, at)
    truth = any(it.occurred_at >= at and it.properties.get("order_id") in (key, None) for it in exits)
    now = NOON + 2 * DAY
    shuffled = exits * 2
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    whole = remember(shuffled)
    assert has_ended(whole, started, now) == truth
    assert remember(exits) == whole
    half = len(shuffled) // 2
    joined = trackers.join(remember(shuffled[:half]), remember(shuffled[half:]), NEED)
    assert joined == whole
    assert trackers.join(joined, whole, NEED) == whole
    assert has_ended(trackers.cut(whole, NEED, now), started, now) == truth


@given(EXITS)
def test_of_each_key_no_more_is_kept_than_its_last(exits: list[Event]) -> None:
    """The state holds as many entries as there are keys, however often something happens to each."""
    entries = remember(exits).entries
    assert {it.micros for it in entries} == {stand_for(read_key(it.properties, "order_id")) for it in exits}
    assert all(it.at == max(other.at for other in entries if other.micros == it.micros) for it in entries)


def test_the_event_that_starts_a_run_does_not_end_it() -> None:
    """Where one event is trigger and exit, its double of the same instant ends the run, and it itself does not."""
    need = await_event("Order Completed", (), "order_id")
    journey = msgspec.structs.replace(JOURNEY, exits=(Trigger(event="Order Completed", tracker="t"),))
    first, other = (event("Order Completed", "a", NOON, ident) for ident in ("m1", "m2"))
    for told, ended in (([first], False), ([first, other], True), ([other, first], True)):
        tracker = trackers.remember_all(EMPTY, told, need)
        run = run_of(first, "a")
        view = View(State(trackers={"t": tracker}), RULES, NOON, run.start)
        assert (find_exit(journey, run, view) is not None) is ended


def test_a_key_is_known_for_as_long_as_a_run_can_wait() -> None:
    """A year of other keys hides none, until a thousand of them: then the oldest are not known, and end nothing."""
    exits = [event("Order Cancelled", f"o-{number}", NOON + number) for number in range(trackers.MOST_ENTRIES + 5)]
    tracker = remember(exits)
    now = NOON + 300 * DAY
    assert has_ended(trackers.cut(tracker, NEED, now), event("Order Completed", "o-5", NOON), now)
    assert not has_ended(trackers.cut(tracker, NEED, now), event("Order Completed", "o-1", NOON), now)


@pytest.mark.parametrize(
    ("told", "key"),
    [
        ({"order_id": "A-1"}, "A-1"), ({"order_id": " A-1 "}, "A-1"), ({"order_id": 7}, "7"), ({"order_id": 7.0}, "7"),
        ({"order_id": "7"}, "7"), ({"order_id": 0}, "0"), ({"order_id": ""}, ""), ({"order_id": None}, ""), ({}, ""),
        ({"order_id": True}, ""), ({"order_id": ["a"]}, ""), ({"order_id": {"id": "a"}}, ""),
    ],
)  # fmt: skip
def test_a_key_is_one_text_or_number(told: dict[str, object], key: str) -> None:
    """What is no such thing is no key: there is nothing to tell runs apart by."""
    assert read_key(told, "order_id") == key


def test_a_key_may_stand_inside_and_not_in_a_list() -> None:
    """A dotted path leads into objects; through a list of products it leads to several, which are none."""
    assert read_key({"order": {"id": "a"}}, "order.id") == "a"
    assert read_key({"products": [{"product_id": "a"}]}, "products.product_id") == ""


@given(st.text(max_size=300), st.text(max_size=300))
def test_keys_are_short_and_apart(one: str, other: str) -> None:
    """Whatever comes from outside fits into the name of a row, and two keys stay two."""
    keys = [read_key({"k": it}, "k") for it in (one, other)]
    assert all(len(key.encode()) <= 100 for key in keys)
    assert (keys[0] == keys[1]) == (one.strip() == other.strip())
    assert all((stand_for(key) == 0) == (key == "") for key in keys)


def test_a_journey_without_a_key_is_stored_as_before() -> None:
    """Neither the names of its trackers nor what they hold are others: nothing is read anew at an upgrade."""
    need = await_event("Order Cancelled", (), "")
    assert (need.latest, need.within_ms, need.key) == (2, 0, "")
    assert derive_tracker_key(need) == derive_tracker_key(trackers.Need(event="Order Cancelled", latest=2))
    assert derive_tracker_key(need) != derive_tracker_key(NEED)
    assert trackers.remember(EMPTY, event("Order Cancelled", "a", NOON), need).entries[0].micros == 0


def compile_journey(**changes: object) -> Bundle:
    journey = {"name": "J", "status": "live", "trigger": {"event": "Order Completed"}, "key": "order_id"} | changes
    files = {"journeys/j.json": msgspec.json.encode(journey)}
    linked = link({file: read_file(file, content) for file, content in files.items()}, partial=True)
    assert not linked.conflicts, linked.conflicts
    return linked.bundle


def test_a_wait_that_is_no_more_keeps_its_keys() -> None:
    """Who waits in a step that a publish took away is still known, by key, as deep as before."""
    before = compile_journey(steps=[{"wait_for": "Order Delivered", "at_most": "9 days"}])
    left = carry(leftovers_of(Bundle(settings=before.settings)), previous=before, now=NOON)
    (kept,) = left.values()
    assert (kept.need.key, kept.need.within_ms) == ("order_id", 365 * DAY)


def leftovers_of(rules: Bundle) -> "object":
    from cartwake.rules.leftovers import Stock

    return Stock(rules.journeys, rules.needs, rules.scores)


def test_complaints_end_runs_of_all_keys() -> None:
    """Who calls marketing spam means all of it: that exit has no key."""
    rules = compile_journey(exit=[{"event": "Order Cancelled"}], steps=[{"wait": "1 day"}])
    needs = {it.event: rules.needs[it.tracker].key for it in rules.journeys["j"].exits}
    assert needs == {"Order Cancelled": "order_id", "Email Marked as Spam": ""}
    assert Trust.OWN
