"""The steps of journeys through the real handlers, from the file that a marketer writes to the mail that goes out."""

import json
from typing import Any

import pytest
from builders import NOON, a_cart_event, a_subscription, an_event, an_order, publish
from shoppers import Shop
from world import client

import functions.enter_journeys.app as enter_journeys
import functions.run_step.app as run_step
from cartwake.bundles import Bundle
from cartwake.events import Event, Trust
from cartwake.live import find_live
from cartwake.marks import list_tags, name_tags, reckon_scores
from cartwake.messages import Message, MessageState
from cartwake.reasons import EndReason
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake.runs import Run
from cartwake.store import events, messages, runs
from cartwake.store.counts import CountRow
from cartwake.times import DAY, HOUR, MINUTE

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "caps": {"email": "none"},
    "timezone": "Europe/Berlin",
}
MAIL = """<mjml><mj-head><mj-title>{subject}</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{{{ shop.postal_address }}}} <a href="{{{{ unsubscribe_url }}}}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""


def live(
    *steps: dict[str, Any],
    segments: Any = None,
    scores: Any = None,
    settings: Any = None,
    coupons: Any = None,
    **changes: Any,
) -> Bundle:
    """Publish a journey of such steps that a cart starts, and what else is said."""
    files: dict[str, Any] = {"settings.json": SETTINGS | (settings or {})}
    files |= {f"coupons/{name}": it for name, it in (coupons or {}).items()}
    files |= {f"templates/{name}.mjml": MAIL.format(subject=name) for name in ("one", "two", "three")}
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "again": "always"}
    files["journeys/j.json"] = journey | {"steps": list(steps)} | changes
    files |= {f"segments/{name}.json": {"name": name, "where": where} for name, where in (segments or {}).items()}
    files |= {f"scores/{name}.json": {"name": name} | rule for name, rule in (scores or {}).items()}
    raw = {file: it.encode() if isinstance(it, str) else json.dumps(it).encode() for file, it in files.items()}
    linked = link({file: read_file(file, content) for file, content in raw.items()}, previous=find_live(NOON)[1])
    assert not linked.conflicts, [str(each.fault) for each in linked.conflicts]
    publish(linked.bundle)
    return linked.bundle


def the_run() -> Run:
    """The latest run of user 1."""
    return max(runs.list_runs("u#1", journey="j"), key=lambda run: run.entered_at)


def sent(shop: Shop) -> list[str]:
    """The subjects of all mails but the welcome."""
    return [subject for subject in shop.subjects() if subject != "Welcome"]


def the_messages() -> list[Message]:
    return sorted((it for it in messages.list_messages("u#1") if it.journey == "j"), key=lambda it: it.planned_at)


WAIT_FOR = {"wait_for": "Order Delivered", "at_most": "14 days", "then": [{"email": "one"}], "else": [{"email": "two"}]}


def test_a_wait_for_an_event_ends_at_once(shop: Shop) -> None:
    """The event is noticed as it comes, and not when the time is over; the other way is not gone besides."""
    shop.known()
    live(WAIT_FOR)
    shop.hear(a_cart_event(at=shop.now))
    assert the_run().due_at == shop.now + 14 * DAY
    shop.now += 3 * DAY
    shop.hear(an_event("Order Delivered", at=shop.now))
    assert sent(shop) == ["one"]
    shop.wait(12 * DAY)
    assert sent(shop) == ["one"]


def test_a_wait_for_an_event_has_a_limit(shop: Shop) -> None:
    """When the time is over the run goes the other way, and an event that comes then changes nothing."""
    shop.known()
    live(WAIT_FOR)
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(14 * DAY + 4 * MINUTE)
    shop.hear(an_event("Order Delivered", at=shop.now))
    assert sent(shop) == ["two"]


def test_an_event_looks_at_its_properties(shop: Shop) -> None:
    """Only an event that passes the tests ends the wait."""
    shop.known()
    live(WAIT_FOR | {"where": {"carrier": "dhl"}})
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Order Delivered", at=shop.now + 1, properties={"carrier": "gls"}))
    assert sent(shop) == []
    shop.hear(an_event("Order Delivered", at=shop.now + 2, properties={"carrier": "DHL"}))
    assert sent(shop) == ["one"]


@pytest.mark.parametrize("where", [{"trait": "size", "is": "42"}, {"in_segment": "big"}])
def test_a_wait_for_a_condition_ends_as_soon_as_it_holds(shop: Shop, where: dict[str, Any]) -> None:
    """Whatever the condition reads, be it through a segment, moves the run at once when it changes."""
    shop.known()
    segments = {"big": {"any": [{"trait": "size", "is": "42"}, {"trait": "size", "is": "43"}]}}
    live({"wait_for": where, "at_most": "14 days"}, {"email": "one"}, segments=segments)
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Identified", at=shop.now + 1, type="identify", traits={"size": "41"}))
    assert sent(shop) == []
    shop.hear(an_event("Identified", at=shop.now + 2, type="identify", traits={"size": "42"}))
    assert sent(shop) == ["one"]


@pytest.mark.parametrize(
    ("waits", "who"),
    [
        ({"none": [{"reachable_by": "push"}]}, "u#1"),
        ({"in_segment": "no-app"}, "u#1"),
        ({"reachable_by": "push"}, "u#2"),
    ],
)
def test_who_waits_for_it_goes_on_as_a_phone_is_handed_over(shop: Shop, waits: dict[str, Any], who: str) -> None:
    """No event of Ada's says that her phone is Ben's now; a run that waits until she has none goes on all the same."""

    def is_on_it(who: str) -> Event:
        device = {"id": "d", "type": "android", "token": "token-of-the-phone"}
        return an_event("Application Opened", who=who, at=shop.now, context={"device": device})

    live(
        {"wait_for": waits, "at_most": "14 days"},
        segments={"no-app": {"none": [{"reachable_by": "push"}]}},
    )
    shop.hear(is_on_it("u#1"), *(a_subscription("push", who=it, at=shop.now) for it in ("u#1", "u#2")))
    shop.hear(a_cart_event(who=who, at=shop.now))
    shop.now += MINUTE
    assert runs.list_runs(who, journey="j")[0].ended is None
    shop.hear(is_on_it("u#2"))
    assert runs.list_runs(who, journey="j")[0].ended is EndReason.COMPLETED


def test_a_wait_for_a_condition_that_time_brings_about(shop: Shop) -> None:
    """A window runs out with no event at all: the run comes back by itself."""
    shop.known()
    live({"wait_for": {"did_not": "Page Viewed", "in_last": "6 hours"}, "at_most": "3 days"}, {"email": "one"})
    shop.hear(an_event("Page Viewed", at=shop.now - HOUR))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(4 * HOUR)
    assert sent(shop) == []
    shop.wait(HOUR + 4 * MINUTE)
    assert sent(shop) == ["one"]


@pytest.mark.parametrize("function", ["enter_journeys", "run_step"])
def test_an_event_that_comes_as_the_wait_begins_is_not_missed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    """What is folded between the look at the profile and the row that says the run waits has told nobody: it is seen.

    Here its signal finds no run that waits yet, as if it had been read a moment before.
    """
    shop.known()
    before = [{"wait": "1 hour"}] if function == "run_step" else []
    live(*before, WAIT_FOR)
    app: Any = run_step if function == "run_step" else enter_journeys
    real, raced = app.base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        row = next((write.row for write in writes if write.row.Meta.table_name == "runs"), None)
        if row is not None and not raced:
            raced.append(True)
            shop.derive(an_event("Order Delivered", at=shop.now + 1))
        return bool(real(writes, **options))

    if before:
        shop.hear(a_cart_event(at=shop.now))
        shop.now += HOUR
    monkeypatch.setattr(app.base, "commit", commit)
    if before:
        run = the_run()
        run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, shop.now)
    else:
        # the signal of the cart alone is followed; the other one came too early
        shop.derive(a_cart_event(at=shop.now))
        record = _image(shop)
        enter_journeys.handler({"Records": [record]}, _context())
    monkeypatch.undo()
    for module in (enter_journeys, run_step):
        monkeypatch.setattr(module, "read_clock", lambda: shop.now)
    for name in ("send_message", "derive_segments", "erase_profiles", "export_profiles", "sweep_profiles", "wake"):
        monkeypatch.setattr(f"functions.{name}.app.read_clock", lambda: shop.now)
    shop.drain()
    assert raced
    assert sent(shop) == ["one"]


def _image(shop: Shop) -> dict[str, Any]:
    from world import to_image

    item = client("dynamodb").get_item(TableName="profiles", Key={"who": {"S": "u#1"}})["Item"]
    return {"dynamodb": {"Keys": {"who": item["who"]}, "NewImage": to_image(item)}}


def _context() -> Any:
    from world import lambda_context

    return lambda_context()


def test_a_doubled_signal_moves_a_run_once(shop: Shop) -> None:
    """Streams deliver at least once: the second look finds the run elsewhere."""
    shop.known()
    live(WAIT_FOR, {"wait": "1 day"}, {"email": "three"})
    shop.hear(a_cart_event(at=shop.now))
    shop.hear(an_event("Order Delivered", at=shop.now + 1))
    before = the_run()
    shop.follow()
    shop.follow()
    assert the_run() == before
    assert sent(shop) == ["one"]


def test_a_run_of_older_rules_is_woken_still(shop: Shop) -> None:
    """Publishing loses no run: who waits for what no step waits for any more is moved at once when it comes."""
    shop.known()
    live(WAIT_FOR)
    shop.hear(a_cart_event(at=shop.now))
    live({"wait": "1 day"}, {"email": "three"})
    live({"wait": "2 days"}, {"email": "three"})
    shop.hear(an_event("Order Delivered", at=shop.now + 1))
    assert sent(shop) == ["one"]


def test_a_goal_ends_a_wait_at_once(shop: Shop) -> None:
    """A run before a goal goes on behind it as soon as the event comes; what lies between is not sent."""
    shop.known()
    steps = [{"wait": "1 day"}, {"email": "one"}, {"goal": "Order Completed"}, {"wait": "1 day"}, {"email": "two"}]
    live(*steps)
    shop.hear(a_cart_event(at=shop.now))
    shop.now += HOUR
    shop.hear(an_order(at=shop.now))
    assert (the_run().path, the_run().due_at) == ("3", shop.now + DAY)
    shop.wait(DAY + 4 * MINUTE)
    assert sent(shop) == ["two"]


def test_a_wait_until_a_time_of_day(shop: Shop) -> None:
    """A run comes back at the time by the shopper's own clock."""
    shop.known()
    shop.hear(an_event("Identified", at=shop.now, type="identify", traits={"timezone": "America/New_York"}))
    live({"wait_until": "09:00", "on": ["monday", "tuesday"]}, {"email": "one"})
    shop.hear(a_cart_event(at=shop.now))
    # Sunday 22 November at noon UTC; Monday at 9 in New York
    assert the_run().due_at - NOON == 2 * DAY + 2 * HOUR


def test_a_changed_wait_does_not_move_those_already_waiting(shop: Shop) -> None:
    """A run keeps the bundle it started with for its waits."""
    shop.known()
    live({"wait_until": "09:00"}, {"email": "one"})
    shop.hear(a_cart_event(at=shop.now))
    before = the_run().due_at
    live({"wait_until": "18:00"}, {"email": "one"})
    shop.wait(before - shop.now + 4 * MINUTE)
    assert sent(shop) == ["one"]


def test_what_a_journey_says_of_a_shopper_becomes_events(shop: Shop) -> None:
    """Traits, tags and points are events of our own, written with the step; they move segments and journeys."""
    bundle = live(
        {"set": {"stage": "late", "offers": 2}},
        {"tag": "spring-list"},
        {"score": "engagement", "points": 10},
        {"score": "engagement", "points": -3},
        {"wait_for": {"tag": "spring-list"}, "at_most": "1 day", "then": [{"email": "one"}]},
        {"untag": "spring-list"},
        {"end": "so be it"},
        {"email": "two"},
        scores={"engagement": {"points": [{"did": "Page Viewed", "points": 1}]}},
    )
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    told = [event for event in events.list_events("u#1") if event.trust is Trust.OWN]
    assert sorted(event.name for event in told) == ["Points Given", "Points Given", "Tag Added", "Traits Set"]
    assert {event.properties["journey"] for event in told} == {"j"}
    shop.hear(*told)
    state = shop.profile("u#1").state
    assert (state.traits["stage"].value, state.traits["offers"].value) == ("late", 2)
    assert name_tags(list_tags(state, bundle, shop.now)) == ["spring-list"]
    assert reckon_scores(state, bundle, shop.now + MINUTE) == {"engagement": 7.0}
    assert sent(shop) == ["one"]
    run = the_run()
    assert (run.ended, run.ended_by) == (EndReason.COMPLETED, "so be it")
    shop.hear(*(event for event in events.list_events("u#1") if event.name == "Tag Removed"))
    assert list_tags(shop.profile("u#1").state, bundle, shop.now) == []


def test_what_is_told_is_one_transaction_with_the_step(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that another has done meanwhile tells nothing."""
    shop.known()
    live({"wait": "1 hour"}, {"tag": "vip"}, {"wait": "1 hour"})
    shop.hear(a_cart_event(at=shop.now))
    run = the_run()
    shop.now += HOUR
    asked = {"who": run.who, "run": run.key, "seq": run.seq}
    real, raced = run_step.base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            run_step.step(asked, shop.now + MINUTE)
        return bool(real(writes, **options))

    monkeypatch.setattr(run_step.base, "commit", commit)
    with pytest.raises(run_step.TryAgain):
        run_step.step(asked, shop.now)
    assert [event.name for event in events.list_events("u#1")].count("Tag Added") == 1


def test_a_variant_is_seen_at_the_message_and_in_the_counts(shop: Shop) -> None:
    """The variant is recorded on the run and its messages, and they are counted under it."""
    shop.known()
    ways = [{"percent": 100, "name": "short", "steps": [{"email": "one"}]}]
    live({"test": "subject", "split": ways}, {"wait": "1 hour"}, {"email": "two"})
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert the_run().variants == {"subject": "short"}
    assert [(it.path, it.variant, it.state) for it in the_messages()] == [
        ("0.short.0", "subject=short", MessageState.ACCEPTED),
        ("2", "subject=short", MessageState.ACCEPTED),
    ]
    counted = {str(row.counter).rpartition("#")[0] for row in CountRow.scan() if str(row.counter).startswith("j#")}
    assert counted == {"j#0.short.0#subject=short", "j#2#subject=short"}


def test_a_condition_of_a_step_is_checked_again_before_sending(shop: Shop) -> None:
    """A message that was planned while its step's condition held is skipped when that holds no more."""
    shop.known()
    live({"email": "one", "only_if": {"trait": "stage", "exists": False}})
    shop.derive(a_cart_event(at=shop.now))
    enter_journeys.handler({"Records": [_image(shop)]}, _context())
    run = the_run()
    run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, shop.now)
    assert [it.state for it in the_messages()] == [MessageState.PLANNED]
    shop.derive(an_event("Identified", at=shop.now, type="identify", traits={"stage": "late"}))
    shop.drain()
    assert sent(shop) == []
    assert [(it.state, it.reason) for it in the_messages()] == [(MessageState.SKIPPED, "step_condition")]


def test_pausing_holds_a_run_that_waits_for_something(shop: Shop) -> None:
    """While a journey is paused an event moves nothing; when it goes on, what came meanwhile counts."""
    shop.known()
    live(WAIT_FOR)
    shop.hear(a_cart_event(at=shop.now))
    live(WAIT_FOR, status="paused")
    shop.hear(an_event("Order Delivered", at=shop.now + 1))
    assert sent(shop) == []
    assert the_run().held
    live(WAIT_FOR)
    shop.wait(MINUTE)
    assert sent(shop) == ["one"]
