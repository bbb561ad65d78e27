"""Runs by key: one shopper on one journey several times at once, through the real handlers."""

from typing import Any

import pytest
from builders import an_event
from marketer import list_ends, list_runs, save
from shoppers import Shop

import functions.enter_journeys.app as enter_journeys
import functions.run_step.app as run_step
from cartwake import run_keys
from cartwake.events import Event, Trust
from cartwake.live import load_live
from cartwake.messages import MessageState
from cartwake.reasons import NotEntered, Skip
from cartwake.runs import Run
from cartwake.store import messages, slots
from cartwake.times import DAY, HOUR, MINUTE

ORDERED: dict[str, Any] = {"trigger": {"event": "Order Completed"}, "key": "order_id"}
CANCELLED = {"exit": [{"event": "Order Cancelled"}]}
DELIVERED = {
    "wait_for": "Order Delivered",
    "at_most": "14 days",
    "then": [{"email": "one"}],
    "else": [{"email": "two"}],
}


def ordered(order: Any, shop: Shop, name: str = "Order Completed", **changes: Any) -> Event:
    """An event of an order of user 1, now."""
    properties = {} if order is None else {"order_id": order}
    return an_event(
        name, **{"at": shop.now, "id": f"{name}-{str(order)[:9]}-{shop.now}", "properties": properties} | changes
    )


def buy(shop: Shop, *orders: Any) -> None:
    """Order several times, a minute apart."""
    for order in orders:
        shop.hear(ordered(order, shop))
        shop.now += MINUTE


def refusal(about: str = "") -> NotEntered | None:
    return slots.get_slot("u#1", "j", about).refused


def sent(shop: Shop) -> list[str]:
    return [subject for subject in shop.subjects() if subject != "Welcome"]


def test_each_key_has_a_run_of_its_own(shop: Shop) -> None:
    """Two orders are two runs at once, each with its own steps and messages."""
    shop.known()
    save(**ORDERED)
    buy(shop, "o-1", "o-2")
    assert list_ends() == {"o-1": "goes on", "o-2": "goes on"}
    shop.wait(DAY + HOUR)
    assert sent(shop) == ["one", "one"]
    assert list_ends() == {"o-1": "completed", "o-2": "completed"}


def test_a_key_has_one_run_at_a_time(shop: Shop) -> None:
    """The same order told once more starts nothing while its run goes on, as a number or as text."""
    shop.known()
    save(**ORDERED)
    buy(shop, 17, "17")
    assert list_ends() == {"17": "goes on"}
    assert refusal("17") is NotEntered.ALREADY_ACTIVE


def test_an_event_without_the_key_starts_nothing(shop: Shop) -> None:
    """Where the triggering event carries no key, or something that is none, there is a reason."""
    shop.known()
    save(**ORDERED)
    for unusable in (None, "", "  ", ["o-1", "o-2"], {"id": "o-1"}, True):
        shop.hear(ordered(unusable, shop, id=f"m-{unusable}"))
        assert refusal() is NotEntered.NO_KEY
    assert list_runs() == []


def test_again_is_counted_per_key(shop: Shop) -> None:
    """A product may come again after seven days; another one is not kept waiting by it."""
    shop.known()
    save(trigger={"event": "Product Viewed"}, key="product_id", again="after 7 days", steps=[{"email": "one"}])

    def view(product: str) -> None:
        shop.hear(
            an_event("Product Viewed", at=shop.now, id=f"{product}{shop.now}", properties={"product_id": product})
        )
        shop.now += MINUTE

    view("a")
    view("b")
    view("a")
    assert list_ends() == {"a": "completed", "b": "completed"}
    assert (refusal("a"), refusal("b")) == (NotEntered.ENTERED_BEFORE, None)
    shop.now += 7 * DAY
    view("a")
    assert [run.about for run in list_runs()] == ["a", "b", "a"]


def test_an_exit_with_another_key_ends_nothing(shop: Shop) -> None:
    """A cancelled order ends the run of that order and no other."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    buy(shop, "o-1", "o-2", "o-3")
    shop.hear(ordered("o-2", shop, "Order Cancelled"))
    assert list_ends() == {"o-1": "goes on", "o-2": "exited", "o-3": "goes on"}
    shop.hear(ordered("o-9", shop, "Order Cancelled", at=shop.now + 1))
    assert list_ends()["o-1"] == "goes on"
    shop.wait(DAY + HOUR)
    assert sent(shop) == ["one", "one"]


def test_an_exit_without_a_key_ends_all_runs(shop: Shop) -> None:
    """An exit event that does not say of which order it is ends the runs of all."""
    shop.known()
    save(**ORDERED, exit=[{"event": "Signed Out"}])
    buy(shop, "o-1", "o-2")
    shop.hear(an_event("Signed Out", at=shop.now))
    assert list_ends() == {"o-1": "exited", "o-2": "exited"}


def test_an_exit_by_segment_ends_all_runs(shop: Shop) -> None:
    """Who enters a segment does so with all orders."""
    shop.known()
    segments = {"quiet": {"trait": "quiet", "is": True}}
    save(**ORDERED, exit=[{"segment": "quiet"}], segments=segments)
    buy(shop, "o-1", "o-2")
    shop.hear(an_event("Identified", at=shop.now, type="identify", traits={"quiet": True}))
    assert list_ends() == {"o-1": "exited", "o-2": "exited"}


def test_exits_of_a_key_are_read_from_the_state(shop: Shop) -> None:
    """Before a step and before a send the state is asked, whether or not the signal was followed by then."""
    shop.known()
    save(**ORDERED, **CANCELLED, steps=[{"wait": "1 day"}, {"email": "one"}, {"wait": "1 day"}, {"email": "two"}])
    buy(shop, "o-1", "o-2")
    shop.derive(ordered("o-1", shop, "Order Cancelled"))
    assert list_ends() == {"o-1": "goes on", "o-2": "goes on"}
    shop.now += DAY
    for run in list_runs():
        run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, shop.now)
    assert list_ends() == {"o-1": "exited", "o-2": "goes on"}
    shop.derive(ordered("o-2", shop, "Order Cancelled"))
    shop.drain()
    (message,) = [it for it in messages.list_messages("u#1") if it.journey == "j"]
    assert (message.state, message.reason) == (MessageState.SKIPPED, Skip.EXITED)


def test_many_exits_of_other_keys_hide_none(shop: Shop) -> None:
    """However many other orders were cancelled since, the state still knows of this one."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    buy(shop, "o-1")
    news = [ordered(f"x-{number}", shop, "Order Cancelled", at=shop.now + number) for number in range(30)]
    shop.derive(ordered("o-1", shop, "Order Cancelled"), *news)
    (run,) = list_runs()
    run_step.step({"who": run.who, "run": run.key, "seq": run.seq}, shop.now)
    assert list_ends() == {"o-1": "exited"}


def test_an_exit_from_before_the_start_ends_nothing(shop: Shop) -> None:
    """An order that is told of late, after it was cancelled, is on its way: only what happens after it ends its run."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    shop.hear(ordered("o-1", shop, "Order Cancelled", at=shop.now - HOUR))
    buy(shop, "o-1")
    assert list_ends() == {"o-1": "goes on"}


def test_doubled_events_with_a_key_change_nothing(shop: Shop) -> None:
    """Streams deliver again, in any order: there is one run for each key, ended once."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    one, two, gone = (
        ordered("o-1", shop),
        ordered("o-2", shop),
        ordered("o-1", shop, "Order Cancelled", at=shop.now + 1),
    )
    shop.hear(one, two, gone)
    before = list_runs()
    shop.hear(gone, two, one)
    shop.follow()
    assert list_runs() == before
    assert {it.about: it.active for it in slots.list_slots("u#1") if it.journey == "j" and it.run} == {
        "o-1": False,
        "o-2": True,
    }


def test_a_wait_for_an_event_is_of_the_same_key(shop: Shop) -> None:
    """The parcel of this order is waited for, and not that of another one."""
    shop.known()
    save(**ORDERED, steps=[DELIVERED])
    buy(shop, "o-1", "o-2")
    shop.hear(ordered("o-2", shop, "Order Delivered"))
    assert (sent(shop), list_ends()) == (["one"], {"o-1": "goes on", "o-2": "completed"})
    shop.wait(14 * DAY + 4 * MINUTE)
    assert sent(shop) == ["one", "two"]


def test_a_wait_for_an_event_without_a_key_ends_in_all_runs(shop: Shop) -> None:
    """A delivery that does not say of which order is taken for that of each."""
    shop.known()
    save(**ORDERED, steps=[DELIVERED])
    buy(shop, "o-1", "o-2")
    shop.hear(ordered(None, shop, "Order Delivered"))
    assert sent(shop) == ["one", "one"]


def test_a_goal_is_of_the_same_key(shop: Shop) -> None:
    """A run goes forward to a goal when its own order comes to it."""
    shop.known()
    steps = [{"wait": "1 day"}, {"email": "one"}, {"goal": "Order Delivered", "unmet": "end"}, {"email": "two"}]
    save(**ORDERED, steps=steps)
    buy(shop, "o-1", "o-2")
    shop.hear(ordered("o-1", shop, "Order Delivered"))
    assert sent(shop) == ["two"]
    shop.wait(DAY + HOUR)
    assert sent(shop) == ["two", "one"]
    assert {run.about: run.ended_by for run in list_runs()} == {"o-1": "", "o-2": "goal"}


def test_conditions_in_a_run_with_a_key_see_the_whole_shopper(shop: Shop) -> None:
    """What is asked "since": "start" is asked of all orders; exits, goals and waits alone go by the key."""
    shop.known()
    save(**ORDERED, filter={"did_not": "Order Cancelled", "since": "start"})
    buy(shop, "o-1")
    shop.hear(ordered("o-2", shop, "Order Cancelled"))
    shop.wait(DAY + HOUR)
    assert sent(shop) == []


def test_merged_shoppers_have_one_run_of_each_key(shop: Shop) -> None:
    """Of two runs of one key the earlier stays; runs of other keys go on, and a foreign key is not started again."""
    shop.known()
    save(trigger={"event": "Product Viewed"}, key="product_id")
    told = {"anonymous_id": "x", "trust": Trust.BROWSER}

    def view(product: str, **who: Any) -> None:
        shop.now += MINUTE
        shop.hear(an_event("Product Viewed", at=shop.now, properties={"product_id": product}, **who))

    view("a", who="a#x", **told)
    view("b", who="a#x", **told)
    view("a")
    view("c")
    shop.now += MINUTE
    shop.hear(an_event("Identified", at=shop.now, type="identify", user_id="1", anonymous_id="x", trust=Trust.SERVER))
    view("b")
    assert slots.get_slot("u#1", "j").refused is NotEntered.ALREADY_ACTIVE
    shop.wait(DAY + HOUR)
    assert list_ends("j", "a#x") == {"a": "completed", "b": "completed"}
    assert list_ends("j", "u#1") == {"a": "merged_with_earlier_run", "c": "completed"}
    assert sent(shop) == ["one"] * 3


def test_an_exit_after_a_merge_ends_the_visitors_run(shop: Shop) -> None:
    """A run that a visitor began ends by what the user does, of the same key."""
    shop.known()
    save(trigger={"event": "Product Viewed"}, key="product_id", exit=[{"event": "Product Added"}])
    for product in ("a", "b"):
        shop.now += MINUTE
        told = {"who": "a#x", "anonymous_id": "x", "trust": Trust.BROWSER}
        shop.hear(an_event("Product Viewed", at=shop.now, properties={"product_id": product}, **told))
    shop.hear(an_event("Identified", at=shop.now, type="identify", user_id="1", anonymous_id="x"))
    shop.hear(an_event("Product Added", at=shop.now + 1, properties={"product_id": "b"}))
    assert list_ends("j", "a#x") == {"a": "goes on", "b": "exited"}


def test_a_shopper_has_so_many_runs_of_a_journey_at_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser with a public key fills no table: beyond the limit there is a reason, and no row for each key."""
    for module in (run_keys, slots):
        monkeypatch.setattr(module, "MOST_ACTIVE", 3)
    monkeypatch.setattr("cartwake.entries.MOST_ACTIVE", 3)
    shop.known()
    save(**ORDERED, **CANCELLED)
    buy(shop, *(f"o-{number}" for number in range(6)))
    assert len(list_runs()) == 3
    assert refusal() is NotEntered.TOO_MANY_RUNS
    assert len([it for it in slots.list_slots("u#1") if it.journey == "j"]) == 4
    shop.hear(ordered("o-1", shop, "Order Cancelled"))
    assert slots.get_slot("u#1", "j").running == 2
    buy(shop, "o-7")
    assert list_ends()["o-7"] == "goes on"
    shop.wait(DAY + HOUR)
    assert slots.get_slot("u#1", "j").running == 0


def test_a_long_or_strange_key_is_a_key(shop: Shop) -> None:
    """Keys come from outside: a long one is stood for by a hash, one with # in it is itself."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    strange, long = "j#o#1 ", "ż" * 3_000
    buy(shop, strange, long, "j")
    assert [run.about for run in list_runs()][::2] == ["j#o#1", "j"]
    assert len(list_runs()[1].about) < 100
    assert {it.about for it in slots.list_slots("u#1") if it.journey == "j" and it.active} == set(list_ends())
    for order in (strange, long):
        shop.hear(ordered(order, shop, "Order Cancelled", id=f"c{len(order)}"))
    assert list(list_ends().values()) == ["exited", "exited", "goes on"]


def test_a_key_is_forgotten_long_after_its_run(shop: Shop) -> None:
    """The slot of a key goes 400 days after its run has ended, and never while it goes on."""
    shop.known()
    save(**ORDERED, **CANCELLED)

    def expires() -> int | None:
        row = slots.SlotRow.get("u#1", "j#o-1")
        return int(row.expires_at) if row.expires_at is not None else None

    buy(shop, "o-1")
    assert expires() is None
    shop.hear(ordered("o-1", shop, "Order Cancelled"))
    assert expires() == (shop.now + 400 * DAY) // 1_000
    shop.now += MINUTE
    buy(shop, "o-1")
    assert expires() is None


def test_a_journey_that_gets_a_key_loses_no_run(shop: Shop) -> None:
    """A run from before there was a key ends by its order's exit, and stands in no other order's way."""
    shop.known()
    steps = {"steps": [{"wait": "1 day"}, {"email": "one"}]}
    save(trigger={"event": "Order Completed"}, **CANCELLED, **steps)
    buy(shop, "o-1")
    save(**ORDERED, **CANCELLED, **steps)
    buy(shop, "o-2")
    assert list_ends() == {"": "goes on", "o-2": "goes on"}
    shop.hear(ordered("o-2", shop, "Order Cancelled"))
    assert list_ends() == {"": "goes on", "o-2": "exited"}
    shop.hear(ordered("o-1", shop, "Order Cancelled", at=shop.now + 1))
    assert list_ends() == {"": "exited", "o-2": "exited"}


def test_a_journey_that_loses_its_key_loses_no_run(shop: Shop) -> None:
    """A run with a key ends by any exit once the journey has none, and its slot is free."""
    shop.known()
    save(**ORDERED, **CANCELLED)
    buy(shop, "o-1")
    save(trigger={"event": "Order Completed"}, **CANCELLED)
    shop.hear(ordered("o-5", shop, "Order Cancelled"))
    assert list_ends() == {"o-1": "exited"}
    assert slots.get_slot("u#1", "j").running == 0


def test_pausing_holds_all_runs_of_a_journey_with_keys(shop: Shop) -> None:
    """A pause holds each run, and each goes on after it."""
    shop.known()
    save(**ORDERED)
    buy(shop, "o-1", "o-2")
    save(**ORDERED, status="paused")
    shop.wait(DAY + HOUR)
    assert [run.held for run in list_runs()] == [True, True]
    save(**ORDERED)
    shop.wait(HOUR)
    assert sent(shop) == ["one", "one"]


def test_a_start_and_its_slot_are_one_transaction(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two triggers of one key that are followed at the same moment start one run, and it is counted once."""
    shop.known()
    save(**ORDERED)
    real, raced = enter_journeys.base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            shop.hear(ordered("o-1", shop, at=shop.now + 1))
        return bool(real(writes, **options))

    monkeypatch.setattr(enter_journeys.base, "commit", commit)
    shop.hear(ordered("o-1", shop))
    assert len(list_runs()) == 1
    assert slots.get_slot("u#1", "j").running == 1


def test_a_reminder_shows_what_its_run_is_about(shop: Shop) -> None:
    """A run keeps its own triggering event, which templates see."""
    shop.known()
    save(**ORDERED, steps=[{"email": "one", "subject": "Order {{ event.order_id }}"}])
    buy(shop, "o-1", "o-2")
    assert sorted(sent(shop)) == ["Order o-1", "Order o-2"]


def test_a_bundle_with_a_key_is_kept(shop: Shop) -> None:
    """The key goes with the journey into the bundle and back."""
    save(**ORDERED)
    assert load_live(shop.now).journeys["j"].key == "order_id"
    assert Run.__struct_fields__.index("about")
