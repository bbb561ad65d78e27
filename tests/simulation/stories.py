"""The stories: short ones, each of which is run with every fault at every call of AWS that it makes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from cartwake.journeys import Wait
from simulation import cloud
from simulation.readers import read_run
from simulation.receivers import Mood
from simulation.rules import CODES, JOURNEYS, NEWS_AT
from simulation.setting import clock
from simulation.shop import BROWSER, NOON, SERVER, Shop, iso
from simulation.world import Interrupt

BEFORE_CLOCKS_CHANGE = 1_792_666_800_000_000
"""2026-10-22T11:00:00Z, in microseconds: a message of the next evening is held into the night of the 25th."""
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
CART, SECOND_CART, WELCOME = "You left Trail Runner behind", "Still there", "Welcome"
WINBACK, THANKS, RECEIPT = "We miss you", "You are one of our best", "Your order"
ASK, LATE, GOOD, NEWS = "How was it?", "Where is it?", "A good choice", "News"


@dataclass(frozen=True)
class Story:
    """What people do, and which messages must come of it when nothing goes wrong.

    Attributes:
        journeys: Those that are live.
        tell: Does it.
        mails: What is sent, in order, without faults.
        never: What is not sent whatever goes wrong.
        may: What is sent besides when a fault kept back the message with which the rest would have begun.
        swept: It is short enough to be run with every fault at every call.
        files: What marketers have saved, instead of rules that are live already.
        begins: When, in microseconds.
        codes: How many coupons there are.
        answers: What another system answers to webhooks, in order, without faults; "": nothing.
    """

    journeys: tuple[str, ...]
    tell: Callable[[Shop], Any]
    mails: tuple[str, ...]
    never: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    swept: bool = True
    files: dict[str, bytes] = field(default_factory=dict)
    begins: int = NOON
    codes: int = CODES
    answers: tuple[str, ...] = ()


def cart_and_reminder(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(26 * HOUR)


def cart_that_ses_never_tells_of(shop: Shop) -> None:
    shop.world.mailbox.silent = True
    cart_and_reminder(shop)


def cart_during_a_deployment(shop: Shop) -> None:
    shop.know("ada")
    shop.deploy(2 * HOUR)
    shop.add("ada")
    shop.go(HOUR)
    shop.view("ada")
    shop.go(26 * HOUR)


def purchase_in_time(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(30 * MINUTE)
    shop.order("ada")
    shop.go(26 * HOUR)


def purchase_between_claim_and_send(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.world.interrupts.append(Interrupt("SendEmail", lambda: shop.order("ada")))
    shop.go(30 * HOUR)


def unsubscribe_between_claim_and_send(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.world.interrupts.append(Interrupt("SendEmail", lambda: unsubscribe(shop, 0)))
    shop.go(30 * HOUR)


def visitor_identified_during_a_run(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.subscribe("ada", ago=17 * HOUR)
    shop.go(MINUTE)
    shop.add(anonymousId="x", key=BROWSER)
    shop.go(10 * MINUTE)
    shop.tell("identify", "ada", anonymousId="x", traits={}, key=BROWSER)
    shop.go(26 * HOUR)


def visitors_cart_and_users_order(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.subscribe("ada", ago=17 * HOUR)
    shop.go(MINUTE)
    shop.add(anonymousId="x", key=BROWSER)
    shop.go(MINUTE)
    shop.tell("identify", "ada", anonymousId="x", traits={}, key=BROWSER)
    shop.go(70 * MINUTE)
    shop.order("ada")
    shop.go(2 * HOUR)


def rules_changed_during_a_wait(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(10 * MINUTE)
    cart = JOURNEYS["cart"]
    send = msgspec.structs.replace(cart.steps[1], subject="A new text")
    steps = (Wait(for_ms=5 * DAY), send, *cart.steps[2:])
    shop.publish("cart", cart=msgspec.structs.replace(cart, steps=steps))
    shop.go(10 * MINUTE)
    shop.publish("cart", cart=msgspec.structs.replace(cart, steps=steps, status="paused"))
    shop.go(2 * HOUR)
    shop.publish("cart", cart=msgspec.structs.replace(cart, steps=steps))
    shop.go(26 * HOUR)


def change_status(shop: Shop, status: str) -> None:
    """Have marketers pause the carts' journey, archive it, or have it go on."""
    shop.publish("cart", cart=msgspec.structs.replace(JOURNEYS["cart"], status=status))


def journey_paused_with_a_message_on_its_way(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.world.mailbox.paused = True
    shop.go(64 * MINUTE)
    change_status(shop, "paused")
    shop.world.mailbox.paused = False
    shop.go(40 * MINUTE)
    change_status(shop, "live")
    shop.go(20 * MINUTE)


def journey_archived_before_a_claim(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    archive = Interrupt("TransactWriteItems", lambda: change_status(shop, "archived"), '"messages"', invoked_by='"seq"')
    shop.world.interrupts.append(archive)
    shop.go(90 * MINUTE)
    if archive in shop.world.interrupts:  # the step took effect when its process was gone
        change_status(shop, "archived")
    else:
        mails = shop.world.mailbox.subjects()
        shop.world.watch.must("what must not go out does not", CART not in mails, mails)


def journey_archived_between_claim_and_send(shop: Shop) -> None:
    shop.know("ada")
    shop.know("bob")
    shop.add("ada")
    shop.go(20 * MINUTE)
    shop.add("bob")
    shop.world.interrupts.append(Interrupt("SendEmail", lambda: change_status(shop, "archived")))
    shop.go(25 * HOUR)


def webhook_that_is_taken(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.go(MINUTE)
    shop.order("ada")
    shop.go(10 * MINUTE)


def webhook_that_is_not_taken_at_first(shop: Shop) -> None:
    shop.world.receiver.moods = [Mood.BUSY, Mood.FAILS, Mood.HANGS, Mood.SHUT]
    webhook_that_is_taken(shop)
    shop.go(3 * HOUR)


def webhook_that_is_never_taken(shop: Shop) -> None:
    shop.world.receiver.moods = [Mood.HANGS] * 20
    webhook_that_is_taken(shop)
    shop.go(7 * HOUR)


def receiver_that_is_gone(shop: Shop) -> None:
    shop.world.receiver.moods = [Mood.GONE]
    webhook_that_is_taken(shop)


def erased_while_a_receiver_is_told(shop: Shop) -> None:
    shop.world.receiver.moods = [Mood.FAILS]
    shop.world.interrupts.append(Interrupt("Post", lambda: shop.erase("ada")))
    webhook_that_is_taken(shop)


def hard_bounce_then_a_second_journey(shop: Shop) -> None:
    email = shop.know("ada")
    shop.world.mailbox.bouncing.add(email)
    shop.add("ada")
    shop.go(2 * HOUR)
    shop.order("ada")
    shop.go(HOUR)


def winback_by_time_passing(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(5 * DAY + 2 * HOUR)
    shop.order("ada")
    shop.go(HOUR)


def same_batch_from_a_retrying_client(shop: Shop) -> None:
    shop.know("ada")
    batch = [
        {
            "type": "track",
            "event": name,
            "messageId": f"b{index}",
            "userId": "ada",
            "timestamp": iso(clock.now - 10_000 + index * 1_000),
            "properties": told,
        }
        for index, (name, told) in enumerate(
            (
                ("Product Added", {"product_id": "P-1", "name": "Trail Runner", "price": 10, "quantity": 1}),
                ("Order Completed", {"order_id": "o-1", "revenue": 90}),
                ("Order Completed", {"order_id": "o-2", "revenue": 90}),
                ("Order Completed", {"order_id": "o-3", "revenue": 90}),
            )
        )
    ]
    for delay in (0, 1, 2 * HOUR, 3 * HOUR):
        shop.go(delay)
        shop.tell_all(batch, key=SERVER)
    shop.go(4 * HOUR)


def poison_among_good_ones(shop: Shop) -> None:
    shop.know("ada")
    shop.poison("bob")
    shop.add("ada")
    shop.add("bob")
    shop.go(3 * HOUR)


def two_journeys_under_one_cap(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.subscribe("ada")
    shop.add("ada")
    shop.go(26 * HOUR)


def purchase_while_a_wait_begins_anew(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(30 * MINUTE)
    shop.add("ada", "P-2")
    shop.world.interrupts.append(Interrupt("PutItem", lambda: shop.order("ada"), holds='"runs"'))
    shop.go(3 * HOUR)


def order_while_time_passes(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.world.interrupts.append(
        Interrupt("PutItem", lambda: shop.order("ada"), holds='"profiles"', invoked_by="aws:sqs")
    )
    shop.go(5 * DAY + HOUR)


def visitors_and_users_carts(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.subscribe("ada", ago=17 * HOUR)
    shop.add(anonymousId="x", key=BROWSER)
    shop.go(MINUTE)
    shop.tell("identify", "ada", anonymousId="x", traits={}, key=BROWSER)
    shop.go(MINUTE)
    shop.add("ada")
    shop.go(3 * HOUR)


def sms_in_the_evening(shop: Shop) -> None:
    shop.know("ada", phone="+491701234567")
    shop.go(7 * HOUR + 25 * MINUTE)
    shop.add("ada")
    shop.go(40 * HOUR)


def quota_used_up(shop: Shop) -> None:
    shop.know("ada")
    shop.world.mailbox.closed = True
    shop.add("ada")
    shop.go(27 * HOUR)
    shop.world.mailbox.closed = False
    shop.go(3 * HOUR)


def account_paused(shop: Shop) -> None:
    shop.know("ada")
    shop.world.mailbox.paused = True
    shop.add("ada")
    shop.go(2 * HOUR)
    shop.world.mailbox.paused = False
    shop.go(25 * HOUR)


def consent_withdrawn_during_a_hold(shop: Shop) -> None:
    shop.know("ada", phone="+491701234567")
    shop.go(7 * HOUR + 25 * MINUTE)
    shop.add("ada")
    shop.go(26 * HOUR)
    shop.tell("track", "ada", event="Unsubscribed", properties={"channel": "sms"})
    shop.go(14 * HOUR)


def night_in_which_clocks_change(shop: Shop) -> None:
    shop.know("ada", phone="+491701234567")
    shop.go(9 * HOUR)
    shop.add("ada")
    shop.go(40 * HOUR)


def two_for_the_last_coupon(shop: Shop) -> None:
    for user in ("ada", "bob"):
        shop.identify(user, f"{user}@example.com")
        shop.subscribe(user)
    shop.go(DAY)
    for user in ("ada", "bob"):
        shop.order(user)
    shop.world.interrupts.append(Interrupt("TransactWriteItems", lambda: hand_out(shop), holds='"coupons"'))
    shop.go(5 * DAY + HOUR)


def coupon_and_two_orders_with_it(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(5 * DAY + HOUR)
    codes = [it.code for it in shop.world.mailbox.sent if it.code]
    for user in ("ada", "bob") if codes else ():
        shop.order(user, coupon=codes[0])
        shop.go(MINUTE)


def thanks_that_waits_for_the_cap(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.subscribe("ada")
    shop.go(MINUTE)
    for _ in range(3):
        shop.order("ada")
    shop.go(18 * HOUR)


def budget_used_up(shop: Shop) -> None:
    for number, user in enumerate(("ada", "bob", "cid")):
        shop.identify(user, f"{user}@example.com", more={"phone": f"+49170123456{number}"})
        shop.subscribe(user, "sms")
    shop.go(4 * HOUR)
    for user in ("ada", "bob", "cid"):
        shop.add(user)
    shop.go(46 * HOUR)


def erased_during_a_send(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.world.interrupts.append(Interrupt("SendEmail", lambda: shop.erase("ada")))
    shop.go(26 * HOUR)


def erased_under_another_address(shop: Shop) -> None:
    shop.know("ada")
    shop.tell("identify", anonymousId="x", traits={"email": "guest@example.com"})
    shop.tell("track", anonymousId="x", event="Subscribed", properties={"channel": "email"})
    shop.go(HOUR)
    shop.identify("ada", "ada.new@example.com")
    shop.go(HOUR)
    shop.view("ada", anonymousId="x")
    shop.go(HOUR)
    shop.erase("ada")
    shop.go(HOUR)
    for user, email in (("eve", "ada"), ("fay", "ada.new"), ("gus", "guest")):
        shop.identify(user, f"{email}@example.com")
        shop.add(user)
    shop.go(26 * HOUR)


def erased_before_a_claim(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    claim = Interrupt("TransactWriteItems", lambda: shop.erase("ada"), holds='"addresses"', invoked_by="aws:sqs")
    shop.world.interrupts.append(claim)
    shop.go(17 * DAY)
    shop.view("ada")
    shop.go(MINUTE)


def erased_and_told_of_late(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.erase("ada")
    shop.go(15 * DAY - 3 * HOUR)
    shop.world.streams["events"].hold(18 * HOUR * 1_000)
    shop.add("ada")
    shop.go(19 * HOUR)


def parcel_that_comes(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(5 * HOUR)
    shop.deliver("ada")
    shop.go(HOUR)


def parcel_that_comes_as_the_wait_begins(shop: Shop) -> None:
    shop.know("ada")
    shop.world.interrupts.append(Interrupt("TransactWriteItems", lambda: shop.deliver("ada"), holds='"slots"'))
    shop.order("ada")
    shop.go(3 * HOUR)


def parcel_that_comes_as_the_wait_ends(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(2 * HOUR)
    shop.world.interrupts.append(Interrupt("TransactWriteItems", lambda: shop.deliver("ada"), holds='"runs"'))
    shop.go(2 * DAY)


def parcel_that_comes_in_the_very_millisecond(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(HOUR)
    shop.go(
        max((due for run in map(read_run, cloud.rows("runs")) if run and (due := run.due_at)), default=0) - clock.now
    )
    for ago in (0, 1):
        shop.deliver("ada", ago=ago)
    shop.go(HOUR)


def parcel_of_which_is_told_too_late(shop: Shop) -> None:
    shop.know("ada")
    shop.order("ada")
    shop.go(2 * DAY + HOUR)
    for _ in range(2):
        shop.deliver("ada", ago=2 * HOUR, id="late")
    shop.go(HOUR)


def hope_that_is_met(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.add("ada")
    shop.go(HOUR)
    for _ in range(2):
        shop.order("ada")
    shop.go(HOUR)


def hope_that_is_met_as_it_ends(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.add("ada")
    shop.go(HOUR)
    shop.order("ada")
    shop.go(DAY + HOUR)  # a run that waits for a condition is looked at every day
    shop.world.interrupts.append(Interrupt("TransactWriteItems", lambda: shop.order("ada"), holds='"runs"'))
    shop.go(DAY)


def orders_that_come_as_the_goal_is_missed(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(2 * HOUR)

    def order() -> None:
        shop.order("ada")
        shop.order("ada")

    shop.world.interrupts.append(Interrupt("TransactWriteItems", order, holds='"runs"'))
    shop.go(25 * HOUR)


def goal_reached_during_a_wait(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(2 * HOUR)
    shop.order("ada")
    shop.go(20 * HOUR)


def order_that_comes_with_a_message(shop: Shop) -> None:
    shop.know("ada")
    shop.add("ada")
    shop.go(30 * MINUTE)
    shop.world.interrupts.append(Interrupt("TransactWriteItems", lambda: shop.order("ada"), holds='"runs"'))
    shop.go(20 * HOUR)


def browser_that_says_yes(shop: Shop) -> None:
    shop.identify("ada", "ada@example.com")
    shop.go(MINUTE)
    shop.subscribe("ada", key=BROWSER)
    shop.add("ada", key=BROWSER)
    shop.go(3 * HOUR)


def orders_of_which_one_is_cancelled(shop: Shop) -> None:
    shop.know("ada")

    def say(name: str, order: str, **who: Any) -> None:
        told = {"order_id": order, "revenue": 90}
        shop.tell("track", who.pop("user", "ada"), event=name, properties=told, **who)
        shop.go(5 * MINUTE)

    say("Order Completed", "o-1")
    say("Order Completed", "o-2")
    say("Order Completed", "o-3", user="", anonymousId="x", key=BROWSER)
    shop.tell("identify", "ada", anonymousId="x", traits={}, key=BROWSER)
    shop.go(MINUTE)
    say("Order Cancelled", "o-2")
    shop.go(8 * HOUR)
    say("Order Delivered", "o-3")
    shop.go(18 * HOUR)
    say("Order Delivered", "o-2")
    say("Order Delivered", "o-1")
    shop.go(2 * HOUR)


def campaign_with_crashes(shop: Shop) -> None:
    for user in ("ada", "eve"):
        shop.know(user)
        shop.order(user)
    shop.know("bob")
    shop.go(6 * DAY - MINUTE)
    shop.world.asked_to_wake = True
    shop.world.plan_tick(NEWS_AT * 1_000)
    shop.go(20 * MINUTE)


def hand_out(shop: Shop) -> None:
    """Have everything that is planned be sent by somebody else at the same time."""
    for row in list(cloud.rows("messages")):
        shop.world.queues["messages"].put(json.dumps({name: row[name]["S"] for name in ("who", "message")}))


def unsubscribe(shop: Shop, index: int) -> None:
    """Press the button of the mail that somebody got."""
    sent = [it for it in shop.world.mailbox.sent if it.link]
    if len(sent) > index:
        mail = sent[index]
        shop.unsubscribe(mail.link, lambda: shop.world.watch.on_unsubscribed(mail.to))


def write_files(*, wait: str, subject: str, orders: int, status: str = "live") -> dict[str, bytes]:
    """Return what marketers save."""
    shop = {"name": "Nordlicht", "url": "https://shop.example.com/", "postal_address": "Street 1, Town"}
    journey = {
        "name": "Abandoned cart",
        "status": status,
        "trigger": {"event": "Product Added"},
        "exit": [{"event": "Order Completed"}],
        "again": "after 7 days",
        "steps": [{"wait": wait}, {"email": "cart-1", "subject": subject}],
    }
    segment = {"name": "Buyers", "where": {"did": "Order Completed", "at_least": orders}}
    mail = (
        "<mjml><mj-head><mj-title>x</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>"
        '{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>'
        "</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    return {
        "settings.json": json.dumps({"shop": shop, "sender": {"email": "shop@example.com"}}).encode(),
        "templates/cart-1.mjml": mail.encode(),
        "segments/buyers.json": json.dumps(segment).encode(),
        "journeys/cart.json": json.dumps(journey).encode(),
    }


def files_saved_while_a_run_waits(shop: Shop) -> None:
    shop.go(2 * MINUTE)
    shop.know("ada")
    shop.order("ada")
    shop.go(MINUTE)
    shop.add("ada")
    shop.go(10 * MINUTE)
    later = write_files(wait="5 days", subject="A new text", orders=1)
    shop.save({name: later[name] for name in ("segments/buyers.json", "journeys/cart.json")})
    shop.go(3 * HOUR)


def files_saved_that_pause_and_archive(shop: Shop) -> None:
    shop.go(2 * MINUTE)
    for user in ("ada", "bob"):
        shop.know(user)
    shop.order("ada")
    shop.go(MINUTE)
    shop.add("ada")

    def save(status: str) -> None:
        files = write_files(wait="1 hour", subject="A new text", orders=1, status=status)
        shop.save({"journeys/cart.json": files["journeys/cart.json"]})

    for minutes, status in ((10, "paused"), (110, "live"), (30, "archived")):
        shop.go(minutes * MINUTE)
        if status == "archived":
            shop.add("bob")
            shop.go(10 * MINUTE)
        save(status)
        shop.go(2 * MINUTE)
        shop.world.asked_to_wake = True
        shop.world.plan_tick(clock.micros)
    shop.go(2 * HOUR)


def write_test() -> dict[str, bytes]:
    """Return what marketers save who test two waits, to be decided two days after the first shopper."""
    ways = [{"percent": 50, "steps": [{"wait": wait}]} for wait in ("1 hour", "2 hours")]
    winner = {"by": "ordered", "at_least": 10, "within": "1 day", "until": "2 days"}
    journey = {
        "name": "Rivals",
        "status": "live",
        "trigger": {"event": "Order Delivered"},
        "again": "always",
        "steps": [{"test": "rivals", "split": ways, "winner": winner}],
    }
    files = write_files(wait="1 hour", subject="A new text", orders=1)
    return files | {"journeys/rivals.json": json.dumps(journey).encode()}


def look_at_tests(shop: Shop) -> None:
    """Have `wake` run in the minute of ten in which it looks at tests: worlds leave out what finds nothing."""
    shop.go(-clock.now % (10 * MINUTE) + 2_000)
    shop.world.timer.invoke("wake", {})
    shop.go(3 * MINUTE)


def variants_that_time_decides(shop: Shop) -> None:
    shop.go(2 * MINUTE)
    for user in ("ada", "bob", "cid", "dan"):
        shop.deliver(user)
    shop.go(HOUR)
    shop.order("ada")
    shop.deliver("ada")
    shop.go(2 * DAY + 2 * HOUR)
    look_at_tests(shop)
    for user in ("eve", "fay", "gus"):
        shop.deliver(user)
    shop.go(DAY + 3 * HOUR)


STORIES = {
    "variants under faults": Story(
        (), variants_that_time_decides, (), may=("A new text",), swept=False, files=write_test()
    ),
    "cart and reminder": Story(("cart", "welcome"), cart_and_reminder, (WELCOME, CART, SECOND_CART)),
    "a cart and a reminder of which SES never tells": Story(
        ("cart", "welcome"), cart_that_ses_never_tells_of, (WELCOME, CART, SECOND_CART)
    ),
    "two releases side by side": Story(("cart", "welcome"), cart_during_a_deployment, (WELCOME, CART, SECOND_CART)),
    "purchase in time": Story(("cart",), purchase_in_time, (), (CART, SECOND_CART)),
    "purchase between claim and send": Story(("cart",), purchase_between_claim_and_send, (CART,), may=(SECOND_CART,)),
    "unsubscribe between claim and send": Story(
        ("cart", "welcome"), unsubscribe_between_claim_and_send, (WELCOME, CART), may=(SECOND_CART,)
    ),
    "anonymous visitor identified during a run": Story(("cart",), visitor_identified_during_a_run, (CART, SECOND_CART)),
    "a visitor's cart, and the user's order": Story(("cart",), visitors_cart_and_users_order, (CART,), (SECOND_CART,)),
    "orders of which one is cancelled": Story(
        ("review",),
        orders_of_which_one_is_cancelled,
        ("How was o-3?", "How was o-1?"),
        ("How was o-2?",),
    ),
    "rules changed during a wait": Story(("cart",), rules_changed_during_a_wait, ("A new text", SECOND_CART), (CART,)),
    "a journey paused with a message on its way": Story(("cart",), journey_paused_with_a_message_on_its_way, (CART,)),
    "a journey archived before a claim": Story(
        ("cart",), journey_archived_before_a_claim, (), (SECOND_CART,), may=(CART,)
    ),
    "a journey archived between claim and send": Story(
        ("cart",), journey_archived_between_claim_and_send, (CART,), (SECOND_CART,)
    ),
    "a webhook that is taken": Story(("crm",), webhook_that_is_taken, (), answers=("200",)),
    "a webhook that is not taken at first": Story(
        ("crm",), webhook_that_is_not_taken_at_first, (), answers=("429", "500", "", "200")
    ),
    "a webhook that is never taken": Story(("crm",), webhook_that_is_never_taken, (), answers=("",) * 5),
    "a receiver that is gone": Story(("crm",), receiver_that_is_gone, (), answers=("410",)),
    "erased while a receiver is told": Story(("crm",), erased_while_a_receiver_is_told, (), answers=("500",)),
    "a hope that is met": Story(("hope",), hope_that_is_met, (), answers=("200",)),
    "a hope that is met as it ends": Story(("hope",), hope_that_is_met_as_it_ends, (), answers=("200",)),
    "hard bounce, then a second journey": Story(
        ("cart", "receipt"), hard_bounce_then_a_second_journey, (CART,), (SECOND_CART,), may=(RECEIPT,)
    ),
    "win-back by time passing": Story(("winback",), winback_by_time_passing, (WINBACK,)),
    "the same batch from a retrying client": Story(
        ("cart", "thanks", "receipt"),
        same_batch_from_a_retrying_client,
        (RECEIPT, THANKS),
        (CART,),
    ),
    "a poison event among good ones": Story(("cart",), poison_among_good_ones, (CART,)),
    "a purchase while a wait begins anew": Story(("cart",), purchase_while_a_wait_begins_anew, (), may=(CART,)),
    "an order while time passes": Story(("winback",), order_while_time_passes, (), may=(WINBACK,)),
    "carts of a visitor and of the user": Story(("cart",), visitors_and_users_carts, (CART,)),
    "an SMS in the evening": Story(("cart",), sms_in_the_evening, (CART, "Your cart waits")),
    "an account paused by SES, and resumed": Story(("cart",), account_paused, (CART, SECOND_CART)),
    "consent withdrawn during a hold": Story(("cart",), consent_withdrawn_during_a_hold, (CART,), ("Your cart waits",)),
    "quiet hours in the night in which clocks change": Story(
        ("cart",), night_in_which_clocks_change, (CART, "Your cart waits"), begins=BEFORE_CLOCKS_CHANGE
    ),
    "two shoppers, and the last coupon": Story(
        ("winback",), two_for_the_last_coupon, (WINBACK,), may=(WINBACK,), codes=1
    ),
    "a coupon, and two orders that name it": Story(("winback",), coupon_and_two_orders_with_it, (WINBACK,)),
    "thanks that wait for the cap": Story(("welcome", "thanks"), thanks_that_waits_for_the_cap, (WELCOME, THANKS)),
    "a day's budget used up": Story(("cart",), budget_used_up, ("Your cart waits",) * 3),
    "erased during a send": Story(("cart",), erased_during_a_send, (CART,), may=(SECOND_CART,)),
    "erased before a claim": Story(("cart",), erased_before_a_claim, (), (SECOND_CART,), may=(CART,)),
    "erased, and told of late": Story(("cart",), erased_and_told_of_late, (), (CART, SECOND_CART)),
    "erased under another address": Story(
        ("cart",), erased_under_another_address, (), (CART, SECOND_CART), swept=False
    ),
    "a parcel that comes": Story(("parcel",), parcel_that_comes, (ASK,)),
    "a parcel that comes as the wait begins": Story(("parcel",), parcel_that_comes_as_the_wait_begins, (ASK,)),
    "a parcel that comes as the wait ends": Story(("parcel",), parcel_that_comes_as_the_wait_ends, (ASK,), may=(LATE,)),
    "a parcel that comes in the very millisecond": Story(
        ("parcel",), parcel_that_comes_in_the_very_millisecond, (ASK,), may=(LATE,)
    ),
    "a parcel of which is told too late": Story(("parcel",), parcel_of_which_is_told_too_late, (LATE,), (ASK,)),
    "orders that come as the goal is missed": Story(
        ("offer",), orders_that_come_as_the_goal_is_missed, (SECOND_CART, GOOD)
    ),
    "a goal reached during a wait": Story(("offer",), goal_reached_during_a_wait, (SECOND_CART,), may=(GOOD,)),
    "an order that comes with a message": Story(
        ("offer",), order_that_comes_with_a_message, (GOOD,), may=(SECOND_CART,)
    ),
    "the sending quota used up": Story(("cart",), quota_used_up, (SECOND_CART,), (CART,), swept=False),
    "files saved while a run waits": Story(
        (),
        files_saved_while_a_run_waits,
        ("A new text",),
        swept=False,
        files=write_files(wait="1 hour", subject=CART, orders=3),
    ),
    "files saved that pause and archive": Story(
        (),
        files_saved_that_pause_and_archive,
        ("A new text",),
        swept=False,
        files=write_files(wait="1 hour", subject="A new text", orders=1),
    ),
    "a browser that says yes": Story(("cart", "welcome"), browser_that_says_yes, (), (WELCOME, CART)),
    "a campaign with crashes": Story(("news",), campaign_with_crashes, (NEWS, NEWS)),
    "two journeys under one frequency cap": Story(
        ("cart", "welcome"), two_journeys_under_one_cap, (WELCOME, SECOND_CART), may=(CART,)
    ),
}
