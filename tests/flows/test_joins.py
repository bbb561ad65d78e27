"""Joins: what two profiles know becomes what one knows, with nothing lost, doubled, or made up."""

from typing import Any

import msgspec
import pytest
from builders import (
    CART,
    NEEDS,
    VIP,
    a_bundle,
    a_cart_event,
    a_subscription,
    an_event,
    an_identify,
    an_order,
    publish,
)
from shoppers import Shop
from world import client, lambda_context, to_image

import functions.derive_segments.app as derive_segments
from cartwake import live
from cartwake.bundles import Segment, Template
from cartwake.conditions.kinds import Did
from cartwake.events import Event, Trust
from cartwake.journeys import Journey, Send, Trigger
from cartwake.reasons import EndReason
from cartwake.statements import Channel
from cartwake.store import addresses, bundles, messages, profiles, quarantine, runs
from cartwake.times import HOUR, MINUTE
from cartwake.trackers import Need
from functions.enter_journeys import app as enter_journeys

RECEIPT = Journey(
    title="Receipt",
    kind="transactional",
    status="live",
    trigger=Trigger(event="Order Completed"),
    again_ms=0,
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="Your order"),),
)
PLAIN = {"welcome": Template(html="<p>Thanks</p>", text="Thanks")}


def _visitor(name: str = "Page Viewed", visitor: str = "x", **changes: Any) -> Event:
    at = changes["at"]
    return an_event(name, who=f"a#{visitor}", anonymous_id=visitor, **({"id": f"{visitor}-{name}-{at}"} | changes))


def _record_of(who: str) -> dict[str, Any]:
    item = client("dynamodb").get_item(TableName="profiles", Key={"who": {"S": who}})["Item"]
    return {"dynamodb": {"Keys": {"who": item["who"]}, "NewImage": to_image(item)}}


def test_a_record_redelivered_after_a_merge_sends_nothing_twice(shop: Shop) -> None:
    """A run that the visitor's key started is found under the user's key too, so its trigger starts none again."""
    publish(a_bundle(generation=2, journeys={"receipt": RECEIPT}, templates=PLAIN))
    shop.hear(_visitor("Identified", type="identify", traits={"email": "ada@example.com"}, at=shop.now))
    shop.derive(_visitor("Order Completed", at=shop.now, properties={"revenue": 5}))
    record = _record_of("a#x")
    enter_journeys.handler({"Records": [record]}, lambda_context())
    shop.drain()
    shop.derive(an_event("Identified", user_id="1", anonymous_id="x", at=shop.now + 2))
    enter_journeys.handler({"Records": [record]}, lambda_context())
    shop.drain()
    assert shop.subjects() == ["Your order"]


def test_the_survivor_learns_the_rules_before_it_is_joined(shop: Shop) -> None:
    """A profile of older rules does not pretend to know what only newer rules remember."""
    shop.derive(an_identify(at=shop.now), an_event("Foo", at=shop.now))
    foo = NEEDS | {"foo": Need(event="Foo")}
    never = Segment(title="n", where=Did(tracker="foo", op="at_most", count=0), events=("Foo",), changed_generation=2)
    publish(a_bundle(generation=2, needs=foo, segments={"never": never}))
    shop.derive(_visitor("Identified", type="identify", traits={"email": "ada@example.com"}, at=shop.now + 5))
    merged = shop.profile("a#x")
    assert merged.who == "u#1"
    assert merged.generation == 2
    assert "never" not in [name for name, it in merged.state.memberships.items() if it.since]


def test_an_older_generation_never_writes_a_joined_profile(shop: Shop) -> None:
    """Rules that are older than those of either row are looked up anew before anything is pruned by them."""
    old = bundles.get_live()
    shop.derive(an_event(at=shop.now))
    publish(a_bundle(generation=2, needs=NEEDS | {"foo": Need(event="Foo")}))
    shop.derive(_visitor("Foo", at=shop.now + 1))
    live.forget()
    live._kept.live, live._kept.looked_at = old, shop.now
    shop.derive(an_event("Identified", user_id="1", anonymous_id="x", at=shop.now + 2))
    assert shop.profile("u#1").state.trackers["foo"].entries


def test_a_visitor_joined_with_a_visitor_still_joins_the_user(shop: Shop) -> None:
    """A key that leads to another visitor leads the user there."""
    told = {"type": "identify", "traits": {"email": "ada@example.com"}}
    shop.derive(_visitor("Identified", "z", at=shop.now, **told))
    shop.derive(_visitor("Identified", "x", at=shop.now + 1, **told))
    shop.derive(an_event("Page Viewed", user_id="1", anonymous_id="x", at=shop.now + 2))
    assert {shop.profile(key).who for key in ("a#x", "a#z", "u#1")} == {"u#1"}
    assert set(shop.profile("u#1").keys) == {"u#1", "a#x", "a#z"}


def test_a_merge_keeps_since_when_and_enters_nothing_again(shop: Shop) -> None:
    """Who was a member stays one since then, and no journey hears of it a second time."""
    thanks = msgspec.structs.replace(RECEIPT, trigger=Trigger(entered="vip"))
    vip = Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1)
    publish(a_bundle(generation=2, journeys={"thanks": thanks}, segments={"vip": vip}, templates=PLAIN))
    shop.hear(*[_visitor("Order Completed", id=f"o{i}", at=shop.now - i, properties={"revenue": 99}) for i in range(3)])
    since = shop.profile("a#x").state.memberships["vip"].since
    shop.hear(an_event("Page Viewed", user_id="1", anonymous_id="x", at=shop.now + MINUTE))
    assert shop.profile("u#1").state.memberships["vip"].since == since
    assert len(runs.list_runs("a#x") + runs.list_runs("u#1")) == 1


def test_backfill_that_joins_starts_nothing(shop: Shop) -> None:
    """Imported history may show that two were one shopper; what that makes true starts nothing."""
    vip = Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1)
    thanks = msgspec.structs.replace(RECEIPT, trigger=Trigger(entered="vip"))
    publish(a_bundle(generation=2, journeys={"thanks": thanks}, segments={"vip": vip}, templates=PLAIN))
    shop.hear(an_identify(at=shop.now), an_order(at=shop.now, id="a"), an_order(at=shop.now, id="b"))
    shop.hear(_visitor("Order Completed", at=shop.now, properties={"revenue": 99}))
    told = {"email": "ada@example.com"}
    shop.hear(_visitor("Identified", type="identify", traits=told, at=shop.now + 1, backfill=True))
    assert shop.profile("u#1").state.memberships["vip"].since
    assert runs.list_runs("u#1") == []


def test_batches_do_not_matter(shop: Shop) -> None:
    """What one batch gives, one event at a time gives too: the same profile, the same memberships."""
    news = [
        *[_visitor("Order Completed", id=f"o{i}", at=shop.now + i, properties={"revenue": 99}) for i in range(2)],
        an_order(user_id="1", anonymous_id="x", at=shop.now + 3),
    ]
    shop.derive(*news)
    together = shop.profile("u#1").state
    again = [msgspec.structs.replace(event, who=event.who.replace("x", "y").replace("1", "2")) for event in news]
    again = [msgspec.structs.replace(it, anonymous_id="y", user_id=it.user_id and "2") for it in again]
    for event in again:
        shop.derive(event)
    apart = shop.profile("u#2").state
    assert together.memberships == apart.memberships
    assert [len(it.entries) for it in together.trackers.values()] == [len(it.entries) for it in apart.trackers.values()]


def test_a_browsers_country_does_not_choose_whom_we_text(shop: Shop) -> None:
    """Which number a national number is was said by the server, and stays so whatever a browser says."""
    told = {"phone": "601 234 567", "country": "PL"}
    shop.hear(an_identify(traits=told, at=shop.now), a_subscription("sms", at=shop.now))
    key = shop.profile("u#1").address_keys[Channel.SMS]
    for country in ("DE", ["PL"], 7):
        shop.hear(an_identify(traits={"country": country}, trust=Trust.BROWSER, at=shop.now + 1, id=str(country)))
        shop.hear(a_subscription("sms", at=shop.now + 2, id=f"again-{country}"))
    assert shop.profile("u#1").address_keys[Channel.SMS] == key
    assert quarantine.list_refusals("u#1") == []


def test_country_after_phone(shop: Shop) -> None:
    """The order in which a server tells number and country does not matter."""
    shop.hear(an_identify(traits={"phone": "601 234 567"}, at=shop.now))
    assert Channel.SMS not in shop.profile("u#1").address_keys
    shop.hear(an_identify(traits={"country": "PL"}, at=shop.now + 1))
    assert Channel.SMS in shop.profile("u#1").address_keys


def test_an_unsubscribed_address_stays_so_when_it_comes_to_another_profile(shop: Shop) -> None:
    """A yes that was said with another address does not lift the no that was said with this one."""
    shop.hear(an_identify("b@example.com", who="u#2", id="i2", at=shop.now), a_subscription(who="u#2", at=shop.now))
    key = profiles.get_profile("u#2").address_keys[Channel.EMAIL]
    shop.hear(an_event("Unsubscribed", who="u#2", id="no", at=shop.now + 1, properties={"channel": "email"}))
    shop.hear(an_identify("a@example.com", at=shop.now + 2), a_subscription(at=shop.now + 3))
    shop.hear(an_identify("b@example.com", id="later", at=shop.now + 4))
    consent = addresses.get_address(key).consent
    assert consent is not None
    assert not consent.subscribed


def test_the_order_that_makes_a_member_does_not_end_the_run_that_it_starts(shop: Shop) -> None:
    """A run that a segment's entering started counts from there, and its own cause is not what it waits for."""
    vip = Segment(title="VIP", where=VIP, events=("Order Completed",), changed_generation=1)
    thanks = msgspec.structs.replace(CART, trigger=Trigger(entered="vip"))
    publish(a_bundle(generation=2, journeys={"thanks": thanks}, segments={"vip": vip}))
    shop.hear(*[an_order(id=f"o{i}", at=shop.now - i) for i in range(3)])
    (run,) = runs.list_runs("u#1")
    assert run.ended is None


def test_the_first_cart_after_a_publish_is_not_refused(shop: Shop) -> None:
    """A tracker that a publish adds knows everything since the profile was last looked at, latency or not."""
    shop.hear(an_event(at=shop.now))
    did_foo = Did(tracker="foo", op="at_most", count=0, since_start=True)
    journey = msgspec.structs.replace(CART, filter=did_foo, exits=())
    publish(a_bundle(generation=2, needs=NEEDS | {"foo": Need(event="Foo", latest=2)}, journeys={"cart": journey}))
    shop.now += HOUR
    shop.hear(a_cart_event(occurred_at=shop.now - 800, received_at=shop.now - 500))
    assert len(runs.list_runs("u#1")) == 1


def test_what_the_user_did_before_the_join_ends_the_visitors_run(shop: Shop) -> None:
    """An exit that came before anybody knew that the two are one ends the run as they are joined, not a day later."""
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(who="a#x", anonymous_id="x", at=shop.now))
    shop.hear(an_order(at=shop.now + MINUTE))
    (run,) = runs.list_runs("a#x")
    assert run.ended is None
    shop.hear(an_identify(user_id="1", anonymous_id="x", at=shop.now + 2 * MINUTE))
    (run,) = runs.list_runs("a#x")
    assert run.ended is EndReason.EXITED
    assert run.ended_at < run.due_at


def test_a_new_browser_wakes_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A visitor who has done nothing yet brings nothing that could end a run: no run is looked at for it."""
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    woken: list[Any] = []
    monkeypatch.setattr(enter_journeys, "send_steps", woken.extend)
    shop.hear(an_identify(user_id="1", anonymous_id="new", at=shop.now + MINUTE))
    assert "a#new" in profiles.resolve_profile("u#1").keys
    assert woken == []


def test_signals_of_newer_rules_meet_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that still has older rules looks for those under which the profile was written."""
    publish(a_bundle(generation=2, journeys={}))
    stale = bundles.get_live()
    publish(a_bundle(generation=3, journeys={"cart": CART}))
    shop.derive(a_cart_event(at=shop.now))
    live.forget()
    live._kept.live, live._kept.looked_at = stale, shop.now
    shop.follow()
    assert len(runs.list_runs("u#1")) == 1
    assert monkeypatch


def test_a_day_late_reminder_is_skipped(shop: Shop) -> None:
    """A message is useful for a day from when it was due, not from when somebody came round to planning it."""
    shop.known()
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(4 * 24 * HOUR)
    reasons = {m.reason for m in messages.list_messages("u#1") if m.journey == "cart"}
    assert "too_late" in reasons
    assert "You left Trail Runner behind" not in shop.subjects()


def test_an_order_in_the_state_counts_whatever_the_clock_says(shop: Shop) -> None:
    """An order that was received after this function looked at its clock still stops the reminder."""
    shop.known()
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    shop.derive(an_order(at=shop.now + HOUR + 4 * MINUTE + 500))
    shop.wait(HOUR + 4 * MINUTE)
    assert "You left Trail Runner behind" not in shop.subjects()


def test_what_fails_for_good_on_times_path_steps_aside(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that nobody can evaluate is kept once an hour, and does not stand before those behind it."""
    hot = Segment(title="h", where=Did(tracker="viewed", within_ms=HOUR), events=("Page Viewed",), changed_generation=2)
    publish(a_bundle(generation=2, segments={"hot": hot}, journeys={}))
    shop.hear(an_event(at=shop.now))
    real = derive_segments.advance

    def fail(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(derive_segments, "advance", fail)
    shop.wait(HOUR)
    for _ in range(5):
        shop.wait(MINUTE)
    assert len(quarantine.list_refusals("?")) == 1
    monkeypatch.setattr(derive_segments, "advance", real)
    shop.wait(HOUR)
    assert not shop.profile("u#1").state.memberships["hot"].since
