"""Acts: what functions do beyond a shopper's life, each in a shop of its own."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
import shoppers
from builders import CART, CONFIRM, NEEDS, NOON, WELCOME, a_bundle, an_order, publish
from msgspec.structs import replace
from shoppers import Shop, queue_event
from world import client, lambda_context, read_queue

import functions.derive_segments.app as derive_segments
import functions.erase_profiles.app as erase_profiles
import functions.export_profiles.app as export_profiles
import functions.publish_rules.app as publish_rules
import functions.sweep_profiles.app as sweep_profiles
import functions.track_delivery.app as track_delivery
from cartwake import calling
from cartwake.bundles import Pool, Segment, Template
from cartwake.conditions.kinds import Trait
from cartwake.devices import BOUNCED
from cartwake.enrolments import Enrolment
from cartwake.erasure import REST_MS, name_export
from cartwake.gateways import bucket
from cartwake.journeys import Call, Give, Send, Split, Trigger, Variant
from cartwake.live import load_live
from cartwake.messages import MessageState
from cartwake.reasons import Refusal
from cartwake.statements import Channel
from cartwake.store import base, coupons, events, messages, participants, quarantine, runs, sweeps
from cartwake.sweeps import Aim, SweepKind, begin
from cartwake.times import DAY, HOUR, MINUTE, NEVER
from cartwake.trackers import Need
from cartwake.values import Exists
from cartwake.variants import VariantTest
from cartwake.webhooks import Reply
from tests.security.front import SERVER, Front, empty, fill_cart

WHO: Final = {"userId": "1"}
RULES: Final[dict[str, Any]] = {
    "settings.json": {
        "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
        "sender": {"email": "shop@example.com"},
        "limits": {"moved_people": 100},
    },
    "segments/buyers.json": {"name": "Buyers", "where": {"did": "Order Completed", "at_least": 2}},
}


@contextmanager
def open_front() -> Iterator[Front]:
    """Open a shop with rules and no shopper, in the AWS that runs."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        empty()
        publish(a_bundle())
        shop = Shop(monkeypatch, NOON)
        monkeypatch.setattr(publish_rules, "read_clock", lambda: shop.now)
        yield Front(shop, monkeypatch)


def subscribe(front: Front) -> None:
    """Have a shopper say yes."""
    front.report("identify", WHO | {"traits": {"email": "ada@example.com", "first_name": "Ada"}}, key=SERVER)
    front.report("track", WHO | {"event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)


def order(front: Front, number: int) -> None:
    """Have a shopper buy something."""
    told = {"event": "Order Completed", "properties": {"order_id": f"o-{number}", "revenue": 100}}
    front.report("track", WHO | told, key=SERVER)


def tell_two_at_once(front: Front) -> None:
    """Two events of a batch are stored together."""
    calls = [WHO | {"type": "track", "event": name} for name in ("One", "Two")]
    front.report("batch", {"batch": calls}, key=SERVER)


def change_the_address(front: Front) -> None:
    """An address that is nobody's any more is let go."""
    subscribe(front)
    front.report("identify", WHO | {"traits": {"email": "ada.lovelace@example.com"}}, key=SERVER)


def write_a_receipt(front: Front) -> None:
    """A transactional message leaves the address's last sends alone, and only looks at it."""
    publish(a_bundle(generation=2, journeys={"receipt": replace(WELCOME, kind="transactional")}))
    subscribe(front)
    assert len(front.shop.mails()) == 1


def confirm_a_subscription(front: Front) -> None:
    """A visitor asks, and whoever reads the mail says yes: nobody else may have the address meanwhile."""
    publish(a_bundle(generation=2, journeys={"confirm": CONFIRM}))
    asked = {"event": "Subscription Requested", "properties": {"email": "ada+shop@example.com"}}
    front.report("track", {"anonymousId": "visitor"} | asked)
    (link,) = set(re.findall(r"/confirm/[\w.-]+", str(front.shop.mails()[-1].body)))
    assert front.visit("POST", link)["statusCode"] == 200


def leave_a_journey(front: Front) -> None:
    """Whoever buys is not asked about the cart."""
    fill_cart(front, WHO)
    order(front, 1)


def become_a_user(front: Front) -> None:
    """When two become one, and rules ask for what neither profile remembers, their stored events are read."""
    order(front, 1)
    fill_cart(front, {"anonymousId": "visitor"})
    publish(a_bundle(generation=2, needs=NEEDS | {"bought": Need(event="Order Completed", latest=2)}))
    front.report("page", WHO | {"anonymousId": "visitor"}, key=SERVER)


def forget_and_wake(front: Front) -> None:
    """What the queues lost is asked for again: a message, a membership that ends, a part of a sweep."""
    for number in range(3):
        order(front, number)
    queues = {name: handler for name, handler in shoppers._QUEUES.items() if name != "messages"}
    with pytest.MonkeyPatch.context() as losing:
        losing.setattr(shoppers, "_QUEUES", queues)
        subscribe(front)
    assert read_queue("messages")
    assert base.commit(sweeps.begin(begin(SweepKind.LIVE, Aim(bundle="b", generation=1, began_at=front.shop.now))))
    front.shop.wait(100 * DAY)


def send_campaigns(front: Front) -> None:
    """A shopper with two profiles comes into two campaigns: into one at once, into the other later in the day."""
    subscribe(front)
    fill_cart(front, {"anonymousId": "visitor"})
    front.report("page", WHO | {"anonymousId": "visitor"}, key=SERVER)
    known = Segment(title="K", where=Trait(name="first_name", test=Exists()), changed_generation=2)
    aims = {"news": 0, "sale": DAY}
    aim = Enrolment(segment="known", starts_at=front.shop.now, is_campaign=True)
    campaign = replace(WELCOME, trigger=Trigger())
    publish(
        a_bundle(
            generation=2,
            segments={"known": known},
            journeys=dict.fromkeys(aims, campaign),
            enrolments={name: replace(aim, spread_ms=spread_ms) for name, spread_ms in aims.items()},
        )
    )
    front.shop.wait(0)
    front.shop.wait(5 * MINUTE)
    assert [runs.list_runs("u#1", journey=name)[0].ended is None for name in aims] == [False, True]


def change_the_rules(front: Front) -> None:
    """A changed segment is tried on everybody, goes live, and everybody is looked at; one row cannot be read."""
    empty()
    save(RULES)
    front.shop.derive(*[an_order(id=f"o-{number}", at=NOON - number) for number in range(5)])
    front.shop.now += MINUTE
    save({"segments/buyers.json": {"name": "Buyers", "where": {"did": "Order Completed", "at_least": 5}}})
    front.shop.follow()
    save({})
    client("dynamodb").put_item(TableName="profiles", Item={"who": {"S": "u#odd"}, "kind": {"S": "odd"}})
    front.shop.now += MINUTE
    part = queue_event({"sweep": "live", "part": 0})
    sweep_profiles.handler(part, lambda_context(remaining_ms=1))
    write_first(front)
    front.shop.follow()


def save(files: dict[str, Any]) -> None:
    """Save files as a marketer does, and do what the bucket's notification starts."""
    for key, content in files.items():
        client("s3").put_object(Bucket="rules-bucket", Key=key, Body=json.dumps(content))
    publish_rules.handler({}, lambda_context())


def write_first(front: Front) -> None:
    """Have somebody else write a profile just before a sweep does, once."""
    plain = sweep_profiles._write

    def write(*_: Any) -> bool:
        front.monkeypatch.setattr(sweep_profiles, "_write", plain)
        return False

    front.monkeypatch.setattr(sweep_profiles, "_write", write)


def give_a_coupon(front: Front) -> None:
    """Codes are imported from a file, counted, given with a message, and used by an order; one is nobody's any more."""
    rules = a_bundle()
    step = Send(channel=Channel.EMAIL, template="welcome", subject="Hi", coupon="hello")
    publish(
        replace(rules, generation=2, pools={"hello": Pool()}, journeys={"welcome": replace(WELCOME, steps=(step,))})
    )
    save_text("coupons/hello.csv", "code\nHELLO-1\nHELLO-2\n")
    import_hello()
    save_text("coupons/hello.csv", "code\nHELLO-1\n")
    import_hello()
    coupons.put_free("hello", {"HELLO-3": NEVER})
    front.shop.wait(-front.shop.now % (10 * MINUTE))
    coupons.delete_free("hello", ["HELLO-3"])
    subscribe(front)
    assert len(front.shop.mails()) == 1
    told = {"event": "Order Completed", "properties": {"order_id": "o-1", "revenue": 1, "coupon": "HELLO-1"}}
    front.report("track", WHO | told, key=SERVER)
    assert coupons.list_redeemed("u#1") == ["HELLO-1"]
    coupons.put_free("hello", {"HELLO-1": NEVER})  # an old file
    front.report("identify", {"userId": "2", "traits": {"email": "ben@example.com"}}, key=SERVER)
    front.report("track", {"userId": "2", "event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    assert coupons.list_free("hello") == {}


def give_and_tell(front: Front) -> None:
    """Codes are given without a message, one of them nobody's any more; another system is told, and takes it late."""
    call = Call(url="https://crm.example.com/x", traits=("email",))
    steps = (Give(pool="made"), Give(pool="hello"), call)
    settings = replace(a_bundle().settings, webhook_hosts=("crm.example.com",))
    pools = {"hello": Pool(), "made": Pool(prefix="M-", length=8)}
    journeys = {"welcome": replace(WELCOME, steps=steps)}
    publish(replace(a_bundle(), generation=2, pools=pools, journeys=journeys, settings=settings))
    front.monkeypatch.setattr(calling, "post", lambda _: Reply(status=503))
    coupons.put_free("hello", {"HELLO-1": NEVER})
    subscribe(front)
    coupons.put_free("hello", {"HELLO-1": NEVER})  # an old file
    front.report("identify", {"userId": "2", "traits": {"email": "ben@example.com"}}, key=SERVER)
    front.report("track", {"userId": "2", "event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    assert coupons.list_free("hello") == {}
    assert len(coupons.list_given("u#1")) == 2


def save_text(key: str, text: str) -> None:
    """Save a file as it is."""
    client("s3").put_object(Bucket="rules-bucket", Key=key, Body=text)


def import_hello() -> None:
    """Do what the bucket's notification starts; the rules of this act stay as they are."""
    with pytest.MonkeyPatch.context() as as_they_are:
        as_they_are.setattr(publish_rules, "publish", lambda **_: True)
        as_they_are.setattr(publish_rules, "read_live", lambda _: (load_live(0), None))
        publish_rules.handler({}, lambda_context())


def copy_somebody(front: Front) -> None:
    """A shopper with a coupon and an order asks for a copy; one request cannot be read."""
    give_a_coupon(front)
    front.report("track", WHO | {"event": "Export Requested"}, key=SERVER)
    assert any(key.startswith("exports/") for key in bucket.list_etags(""))
    export_profiles.handler(queue_event({"who": "u#1"}), lambda_context())


def erase_somebody(front: Front) -> None:
    """A shopper with a coupon and an order is erased; what came late goes too, then the keys; a record comes late."""
    give_a_coupon(front)
    bucket.write(name_export("u#1"), b"{}")
    quarantine.put("", "q", reason=Refusal.POISON, at=front.shop.now, body=b'"ada@example.com"')
    with pytest.MonkeyPatch.context() as few:
        few.setattr(erase_profiles, "MOST_A_CALL", 5)
        front.report("track", WHO | {"event": "Erasure Requested"}, key=SERVER)
    front.report("page", WHO, key=SERVER)
    with pytest.MonkeyPatch.context() as failing:
        failing.setattr(erase_profiles.removal, "delete_rows", None)
        front.shop.wait(26 * HOUR)
    front.shop.wait(HOUR)
    front.shop.wait(15 * DAY)
    late = an_order(at=front.shop.now)
    events.put_events([late])
    record = front.shop.record(late)
    for _ in range(3):
        front.shop.wait(REST_MS)
    derive_segments.handler({"Records": [record]}, lambda_context())
    assert front.shop.profile("u#1").version == 0


def take_part_in_a_test(front: Front) -> None:
    """A shopper gets a variant and is counted, its time is over; a row cannot be read; then they are erased."""
    ways = tuple(Variant(name=name, micros=500_000) for name in "ab")
    split = Split(salt="test t", test="t", digest="d", within_ms=DAY, orders="orders", variants=ways)
    test = VariantTest(
        digest="d", micros={"a": 500_000, "b": 500_000}, by="ordered", until_ms=DAY, since=NOON, at_least=10
    )
    cart = replace(CART, steps=(split,))
    publish(a_bundle(generation=2, journeys={"cart": cart}, tests={"cart": {"t": test}}))
    fill_cart(front, WHO)
    front.shop.wait(DAY + HOUR)
    front.shop.now += -front.shop.now % (10 * MINUTE)
    front.shop.wait(0)
    assert bucket.list_etags("_status/decisions/")
    row = participants.ParticipantRow("u#1", "cart#t#e", body=b"\xc1", due_shard=0, due_at=NOON, expires_at=2**40)
    row.save()
    front.shop.wait(MINUTE)
    front.report("track", WHO | {"event": "Erasure Requested"}, key=SERVER)
    front.shop.wait(26 * HOUR)


def stop_by_sms(front: Front) -> None:
    """A number of which nobody is known says STOP."""
    del front
    told = {"inboundMessageId": "i-1", "originationNumber": "+48512345678", "messageBody": "STOP"}
    body = json.dumps({"Type": "Notification", "Message": json.dumps(told), "Timestamp": "2026-11-21T12:00:00.000Z"})
    track_delivery.handler({"Records": [{"messageId": "1", "body": body}]}, lambda_context())


def push_to_devices(front: Front) -> None:
    """A message goes to a phone of each kind; one takes nothing for a while, and is then seen again."""
    push = Send(channel=Channel.PUSH, template="push")
    text = Template(subject="Hi", text="There", push=True, link="{{ shop.url }}")
    cart = replace(CART, filter=None, exits=(), again_ms=0, steps=(push,))
    made = a_bundle(generation=2, journeys={"cart": cart}, templates={"push": text})
    publish(replace(made, settings=replace(made.settings, cap_ms={})))
    front.report("track", WHO | {"event": "Subscribed", "properties": {"channel": "push"}}, key=SERVER)
    sns = client("sns")
    for platform, type_ in (("APNS", "ios"), ("GCM", "android")):
        app = sns.create_platform_application(Name="shop", Platform=platform, Attributes={})["PlatformApplicationArn"]
        token = f"token-of-a-phone-{type_}"
        endpoint = sns.create_platform_endpoint(PlatformApplicationArn=app, Token=token)["EndpointArn"]
        sns.set_endpoint_attributes(EndpointArn=endpoint, Attributes={"Enabled": "false"})
        for number in range(2):
            told = {"event": "Product Added", "context": {"device": {"id": type_, "type": type_, "token": token}}}
            front.report("track", WHO | told | {"messageId": f"{type_}-{number}"}, key=SERVER)
            front.shop.now += MINUTE
            front.shop.hear(*[it for it in events.list_events("u#1") if it.name == BOUNCED])
    assert len([it for it in messages.list_messages("u#1") if it.state is MessageState.ACCEPTED]) == 2


ACTS: Final[tuple[Callable[[Front], None], ...]] = (
    tell_two_at_once,
    change_the_address,
    write_a_receipt,
    confirm_a_subscription,
    leave_a_journey,
    become_a_user,
    forget_and_wake,
    send_campaigns,
    change_the_rules,
    give_a_coupon,
    give_and_tell,
    copy_somebody,
    erase_somebody,
    take_part_in_a_test,
    stop_by_sms,
    push_to_devices,
)
