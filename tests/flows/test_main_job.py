"""The main job through the real handlers: a cart is left, and the right message goes out, or none."""

import msgspec
from builders import (
    CART,
    NOON,
    VIP_THANKS,
    a_bundle,
    a_cart_event,
    a_subscription,
    an_event,
    an_identify,
    an_order,
    publish,
)
from shoppers import Shop

from cartwake.conditions.kinds import Did
from cartwake.events import Trust
from cartwake.journeys import Wait
from cartwake.messages import MessageState
from cartwake.reasons import EndReason
from cartwake.segments import is_member
from cartwake.store import messages, runs
from cartwake.times import DAY, HOUR, MINUTE

HOUR_AND_A_BIT = HOUR + 4 * MINUTE


def test_reminder_goes_out_once(shop: Shop) -> None:
    """Who leaves a cart gets the welcome mail and, an hour later, exactly one reminder."""
    shop.hear(an_identify(), a_subscription())
    assert shop.subjects() == ["Welcome"]
    shop.now += DAY
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR_AND_A_BIT)
    shop.wait(MINUTE)
    shop.wait(10 * MINUTE)
    assert shop.subjects() == ["Welcome", "You left Trail Runner behind"]


def test_second_reminder_is_an_sms_for_who_has_a_phone(shop: Shop) -> None:
    """A day later the branch is taken: an SMS for whoever has a number and said yes to SMS."""
    shop.hear(an_identify(traits={"email": "ada@example.com", "first_name": "Ada", "phone": "+491701234567"}))
    shop.hear(a_subscription(), a_subscription("sms", id="s2"))
    shop.now += DAY
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR_AND_A_BIT)
    shop.wait(23 * HOUR + 4 * MINUTE)
    assert [text[1] for text in shop.texts()] == ["Your cart waits"]
    (run,) = runs.list_runs("u#1", journey="cart")
    assert run.ended is EndReason.COMPLETED


def test_order_in_time(shop: Shop) -> None:
    """An order ends the run at once, and no reminder goes out."""
    shop.hear(a_cart_event())
    shop.now += MINUTE
    shop.hear(an_order(at=shop.now))
    (run,) = runs.list_runs("u#1", journey="cart")
    assert (run.ended, run.ended_by) == (EndReason.EXITED, "Order Completed")
    shop.wait(HOUR_AND_A_BIT)
    assert shop.subjects() == []


def test_lost_exit_signal_is_found_in_the_state(shop: Shop) -> None:
    """Exits are read from the profile at each step, so a signal that never came harms nothing."""
    shop.hear(an_identify(), a_subscription(at=NOON - DAY), a_cart_event())
    shop.derive(an_order(at=shop.now + MINUTE))
    shop.wait(HOUR_AND_A_BIT)
    (run,) = runs.list_runs("u#1", journey="cart")
    assert run.ended is EndReason.EXITED
    assert "You left Trail Runner behind" not in shop.subjects()


def test_activity_starts_the_wait_anew(shop: Shop) -> None:
    """While the shopper is still busy the reminder waits; no schedule is touched, the early step plans anew."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    started = shop.now
    for minutes in (40, 80):
        shop.now = started + minutes * MINUTE
        shop.hear(a_cart_event("P-2", at=shop.now))
    shop.now = started
    shop.wait(HOUR_AND_A_BIT)
    assert "You left Trail Runner behind" not in shop.subjects()
    (run,) = runs.list_runs("u#1", journey="cart")
    assert run.due_at == started + 80 * MINUTE + HOUR
    shop.wait(80 * MINUTE)
    assert "You left Trail Runner behind" in shop.subjects()


def test_a_wait_of_quiet_has_a_maximum(shop: Shop) -> None:
    """Somebody who never rests is reminded after six hours all the same."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    started = shop.now
    for half_hours in range(1, 13):
        shop.now = started + half_hours * 30 * MINUTE
        shop.hear(a_cart_event("P-2", at=shop.now))
    shop.wait(4 * MINUTE)
    assert "You left Trail Runner behind" in shop.subjects()


def test_anonymous_cart_then_identified(shop: Shop) -> None:
    """A cart filled before anybody knew who it was belongs to the shopper who is then identified."""
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(who="a#x", anonymous_id="x", trust=Trust.BROWSER))
    shop.now += MINUTE
    shop.hear(an_identify(user_id="1", anonymous_id="x", at=shop.now), a_subscription(at=shop.now - 17 * HOUR))
    shop.wait(HOUR_AND_A_BIT)
    assert "You left Trail Runner behind" in shop.subjects()


def test_order_under_another_identity_of_the_same_person(shop: Shop) -> None:
    """The order that the server reports for the user stops the reminder of the run that the visitor started."""
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(who="a#x", anonymous_id="x", trust=Trust.BROWSER))
    shop.now += MINUTE
    shop.hear(an_identify(user_id="1", anonymous_id="x", at=shop.now), a_subscription(at=shop.now - 17 * HOUR))
    shop.derive(an_order(user_id="1", at=shop.now + MINUTE))
    shop.wait(HOUR_AND_A_BIT)
    (run,) = runs.list_runs("a#x", journey="cart")
    assert run.ended is EndReason.EXITED
    assert "You left Trail Runner behind" not in shop.subjects()


def test_order_of_the_visitor_stops_the_run_of_the_user(shop: Shop) -> None:
    """The other way round: the run is the user's, the order comes from the same browser without the user's id."""
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(an_identify(user_id="1", anonymous_id="x"), a_subscription(at=NOON - 17 * HOUR))
    shop.hear(a_cart_event(user_id="1", at=shop.now))
    shop.now += MINUTE
    shop.hear(an_order(who="a#x", anonymous_id="x", at=shop.now))
    shop.wait(HOUR_AND_A_BIT)
    assert "You left Trail Runner behind" not in shop.subjects()


def test_two_profiles_of_one_address_are_joined_when_a_server_says_so(shop: Shop) -> None:
    """A guest who gives the address of a known customer is that customer; a browser's word joins nobody."""
    shop.known()
    shop.hear(a_cart_event(who="a#guest", anonymous_id="guest", at=shop.now))
    shop.hear(an_identify(who="a#guest", anonymous_id="guest", trust=Trust.BROWSER, at=shop.now))
    assert shop.profile("a#guest").who == "a#guest"
    shop.hear(an_identify(who="a#guest", anonymous_id="guest", at=shop.now + 1))
    assert shop.profile("a#guest").who == "u#1"
    assert shop.profile("u#1").keys == ("u#1", "a#guest")


def test_two_known_users_never_merge(shop: Shop) -> None:
    """Two customers of one household share an address and stay two."""
    shop.known()
    shop.hear(an_identify(user_id="2", at=shop.now))
    assert shop.profile("u#2").who == "u#2"
    assert shop.profile("u#1").keys == ("u#1",)


def test_both_runs_of_one_person_send_one_reminder(shop: Shop) -> None:
    """Of two runs that turn out to be one person's, the earlier stays and the later ends with the reason."""
    shop.known()
    shop.hear(a_cart_event(user_id="1", at=shop.now))
    shop.hear(a_cart_event(who="a#x", anonymous_id="x", at=shop.now + 1))
    shop.hear(an_event("Page Viewed", user_id="1", anonymous_id="x", at=shop.now + 2))
    shop.wait(HOUR_AND_A_BIT)
    assert shop.subjects().count("You left Trail Runner behind") == 1
    (later,) = runs.list_runs("a#x", journey="cart")
    assert later.ended is EndReason.MERGED


def test_redelivery_changes_nothing(shop: Shop) -> None:
    """The same stream records again, hours later, start nothing, send nothing, write nothing."""
    news = [an_identify(), a_subscription(), a_cart_event()]
    shop.hear(*news)
    shop.wait(HOUR_AND_A_BIT)
    version = shop.profile("u#1").version
    shop.hear(*news)
    shop.hear(*reversed(news))
    shop.wait(MINUTE)
    assert shop.profile("u#1").version == version
    assert len(shop.mails()) == len([m for m in messages.list_messages("u#1") if m.state is MessageState.ACCEPTED])
    assert len(runs.list_runs("u#1")) == 2


def test_segment_entered_starts_a_journey(shop: Shop) -> None:
    """The third order makes a VIP, and that alone thanks them."""
    publish(a_bundle(generation=2, journeys={"thanks": VIP_THANKS}))
    shop.known()
    for index in range(3):
        shop.hear(an_order(at=shop.now - index, id=f"o{index}"))
    assert "You are one of our best" in shop.subjects()


def test_time_alone_ends_a_membership(shop: Shop) -> None:
    """Ninety days after an order the VIP is none, with no event and no nightly job."""
    for index in range(3):
        shop.hear(an_order(at=NOON + index, id=f"o{index}"))
    assert shop.profile("u#1").state.memberships["vip"].since == NOON + 2
    shop.wait(90 * DAY + MINUTE)
    assert not is_member(shop.profile("u#1").state.memberships["vip"])


def test_a_changed_definition_starts_nothing(shop: Shop) -> None:
    """Publishing a changed segment makes members silently: neither then nor at their next event do journeys start."""
    vip = a_bundle().segments["vip"]
    wide = msgspec.structs.replace(vip, where=Did(tracker="orders"), changed_generation=2)
    shop.known()
    shop.hear(an_order(at=shop.now))
    publish(a_bundle(generation=2, segments={"vip": wide}, journeys={"thanks": VIP_THANKS}))
    shop.hear(an_event("Page Viewed", at=shop.now + 1), an_order(at=shop.now + 2, id="another"))
    assert is_member(shop.profile("u#1").state.memberships["vip"])
    assert runs.list_runs("u#1", journey="thanks") == []


def test_paused_journey_holds_and_goes_on(shop: Shop) -> None:
    """A pause holds the runs that become due; when the journey is live again they go on."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, status="paused")}))
    shop.wait(HOUR_AND_A_BIT)
    assert "You left Trail Runner behind" not in shop.subjects()
    assert runs.list_due(shop.now, limit=10) == []
    publish(a_bundle(generation=3, journeys={"cart": CART}))
    shop.wait(MINUTE)
    assert "You left Trail Runner behind" in shop.subjects()


def test_archived_journey_ends_its_runs(shop: Shop) -> None:
    """Archiving a journey ends everybody who is in it, with the reason."""
    shop.hear(a_cart_event())
    publish(a_bundle(generation=2, journeys={}))
    shop.wait(HOUR_AND_A_BIT)
    assert runs.list_runs("u#1")[0].ended is EndReason.ARCHIVED


def test_held_runs_of_a_deleted_journey_end(shop: Shop) -> None:
    """A journey that is paused and then deleted leaves no run behind that nobody would ever look at."""
    shop.known()
    publish(a_bundle(generation=2, journeys={"cart": msgspec.structs.replace(CART, status="paused")}))
    publish(a_bundle(generation=3, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    publish(a_bundle(generation=4, journeys={"cart": msgspec.structs.replace(CART, status="paused")}))
    shop.wait(HOUR_AND_A_BIT)
    publish(a_bundle(generation=5, journeys={}, retired=("cart",)))
    shop.wait(MINUTE)
    assert runs.list_runs("u#1", journey="cart")[0].ended is EndReason.ARCHIVED


def test_a_changed_wait_does_not_move_who_waits_already(shop: Shop) -> None:
    """A run keeps the steps it started with, and gets the texts that are live when it sends."""
    shop.known()
    shop.hear(a_cart_event(at=shop.now))
    send = msgspec.structs.replace(CART.steps[1], subject="A new text")
    later = msgspec.structs.replace(CART, steps=(Wait(for_ms=5 * DAY), send, *CART.steps[2:]))
    publish(a_bundle(generation=2, journeys={"cart": later}))
    shop.wait(HOUR_AND_A_BIT)
    assert shop.subjects()[-1] == "A new text"
