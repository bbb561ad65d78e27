"""Push messages, from the device that is told to what is handed over, or the reason why not."""

import json
from io import StringIO
from typing import Any

import msgspec
import pytest
from builders import a_bundle, a_cart_event, a_subscription, an_event, publish
from moto.sns.models import sns_backends
from shoppers import Shop
from world import client

import functions.send_message.app as send_message
from cartwake.addresses import derive_key
from cartwake.bundles import Bundle, Template
from cartwake.copies import Copy, encode
from cartwake.devices import BOUNCED, MOST, TAPPED
from cartwake.events import Event
from cartwake.feedback.deliveries import Delivery, Kind, make_event
from cartwake.gateways.secrets import address_secret, link_secrets
from cartwake.handovers import name_owner
from cartwake.journeys import Journey, Send, Trigger
from cartwake.links import read_click
from cartwake.messages import SETTLE_AFTER_MS, Message, MessageState
from cartwake.reasons import Skip
from cartwake.sending.outcomes import Outcome, Refused, Throttled, Unknown
from cartwake.statements import Channel
from cartwake.store import addresses, events, identities, messages, profiles
from cartwake.telemetry import logger
from cartwake.times import HOUR, MINUTE

PHONE, TABLET = "token-of-adas-phone", "token-of-adas-tablet"
DEVICES = {PHONE: "d-phone", TABLET: "d-tablet"}
CART = Journey(
    title="Cart",
    status="live",
    trigger=Trigger(event="Product Added"),
    again_ms=0,
    steps=(Send(channel=Channel.PUSH, template="cart-push"),),
)
PUSH = Template(
    subject="Still there?", text="{{ cart.items[0].name }}", push=True, link="{{ shop.url }}/cart", image=""
)


def rules(**changes: Any) -> Bundle:
    """Return rules of one journey that pushes at once, without a cap."""
    made = a_bundle(journeys={"cart": CART}, templates={"cart-push": PUSH}, **changes)
    settings = msgspec.structs.replace(made.settings, cap_ms={}, tracking="always")
    return msgspec.structs.replace(made, settings=settings)


def a_device(shop: Shop, token: str = PHONE, *, who: str = "u#1", type: str = "android", **changes: Any) -> Event:  # noqa: A002
    told = {"device": {"id": DEVICES[token], "type": type, "token": token}}
    return an_event("Application Opened", **{"who": who, "at": shop.now, "context": told} | changes)


@pytest.fixture
def shop(tables: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Shop:
    """A shop at noon with both apps; Ada said yes on her phone."""
    sns = client("sns")
    for platform in ("APNS", "GCM"):
        sns.create_platform_application(Name="shop", Platform=platform, Attributes={})
    publish(rules())
    shop = Shop(monkeypatch, now)
    shop.hear(a_device(shop), a_subscription("push", at=shop.now))
    shop.now += MINUTE
    return shop


def fill(shop: Shop, who: str = "u#1") -> Message:
    """Have somebody fill a cart, and return the message that came of it."""
    known = {it.id for it in messages.list_messages(who)}
    shop.hear(a_cart_event(who=who, at=shop.now))
    shop.now += MINUTE
    (message,) = [it for it in messages.list_messages(who) if it.id not in known]
    return message


def pushed() -> list[tuple[str, Any]]:
    """Return the device, and what it was sent, of all that SNS took, in order."""
    found = []
    for endpoint in sns_backends["123456789012"]["eu-central-1"].platform_endpoints.values():
        found += [(endpoint.token, json.loads(it)) for it in endpoint.messages.values()]
    return found


def answers(monkeypatch: pytest.MonkeyPatch, *outcomes: Outcome) -> list[Any]:
    """Have SNS give these answers, one after another; return what it was handed."""
    handed: list[Any] = []
    monkeypatch.setattr(
        send_message, "send_push", lambda it: handed.append(it) or outcomes[min(len(handed), len(outcomes)) - 1]
    )
    return handed


def owner(token: str, kind: str = "android") -> str | None:
    return identities.find_owner(name_owner(f"{kind} {token}"))


def test_a_cart_is_pushed_once_to_the_device_that_was_seen_last(shop: Shop) -> None:
    """What SNS took is recorded, counted against the cap of the shopper, and never sent again."""
    shop.hear(a_device(shop, TABLET, type="ios"))
    shop.now += MINUTE
    message = fill(shop)
    assert (message.state, message.channel) == (MessageState.ACCEPTED, Channel.PUSH)
    shop.wait(HOUR)
    ((token, told),) = pushed()
    payload = json.loads(told["APNS"])
    assert (token, payload["aps"]["alert"]) == (TABLET, {"title": "Still there?", "body": "Trail Runner"})
    row = addresses.get_address(derive_key(Channel.PUSH, "u#1", address_secret()))
    assert [it.message for it in row.sends] == [message.id]


def test_its_link_is_seen_being_followed(shop: Shop) -> None:
    """As in mails: it leads by our own endpoint, and a tap is an event of its own name."""
    message = fill(shop)
    link = json.loads(pushed()[0][1]["GCM"])["fcmV1Message"]["message"]["data"]["link"]
    click = read_click(link.rpartition("/")[2], link_secrets())
    assert click is not None
    assert (click.to, click.message, click.number) == ("https://shop.example.com/cart", message.id, 1)
    assert click.address_key == message.address_key
    told = Delivery(
        kind=Kind.CLICKED, at=shop.now, sent_at=shop.now, who="u#1", message=message.id, provider_id="p", link="x"
    )
    event = make_event(message, told)
    assert event is not None
    assert event.name == TAPPED


@pytest.mark.parametrize(
    ("told", "why"),
    [
        (an_event("Unsubscribed", properties={"channel": "push"}, at=2_000_000_000_000), Skip.UNSUBSCRIBED),
        (
            an_event("Application Uninstalled", context={"device": {"id": DEVICES[PHONE], "token": ""}}),
            Skip.NO_ADDRESS,
        ),
        (
            an_event("Application Uninstalled", context={"device": {"id": DEVICES[PHONE], "type": "ios"}}),
            Skip.NO_ADDRESS,
        ),
    ],
)
def test_who_said_no_or_is_on_no_device_is_sent_nothing(shop: Shop, told: Event, why: Skip) -> None:
    """Consent, and a device, as for every other channel."""
    shop.hear(msgspec.structs.replace(told, occurred_at=shop.now, received_at=shop.now))
    shop.now += MINUTE
    assert (fill(shop).reason, pushed()) == (why, [])


def test_a_device_alone_is_no_consent(shop: Shop) -> None:
    """That a phone permits notifications is not a yes to marketing."""
    shop.hear(a_device(shop, TABLET, who="u#2"))
    shop.now += MINUTE
    assert fill(shop, "u#2").reason == Skip.NO_CONSENT


def test_without_an_application_nothing_is_sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a stack has none for a kind of device, that is the reason."""
    monkeypatch.setenv("PUSH_ANDROID", "")
    message = fill(shop)
    assert (message.reason, message.detail) == (Skip.NO_APPLICATION, "android")


def test_a_device_that_takes_nothing_is_dropped_until_it_is_seen_again(shop: Shop) -> None:
    """The next message goes to another one; one that is seen again is switched on again."""
    shop.hear(a_device(shop, TABLET))
    shop.now += MINUTE
    sns = client("sns")
    app = "arn:aws:sns:eu-central-1:123456789012:app/GCM/shop"
    arn = sns.create_platform_endpoint(PlatformApplicationArn=app, Token=TABLET)["EndpointArn"]
    sns.set_endpoint_attributes(EndpointArn=arn, Attributes={"Enabled": "false"})
    message = fill(shop)
    assert (message.state, message.detail) == (MessageState.REFUSED, "EndpointDisabled")
    (gone,) = [it for it in events.list_events("u#1") if it.name == BOUNCED]
    assert TABLET not in str(gone)
    shop.hear(gone)
    fill(shop)
    assert [token for token, _ in pushed()] == [PHONE]
    assert owner(TABLET) is None
    shop.hear(a_device(shop, TABLET))
    shop.now += MINUTE
    fill(shop)
    assert sorted(token for token, _ in pushed()) == [PHONE, TABLET]


def test_what_else_is_refused_costs_no_device(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that cannot be sent says nothing of the device; a limit is waited for."""
    handed = answers(monkeypatch, Refused("PayloadTooLarge"), Throttled("Throttled"), Refused("x"))
    assert fill(shop).state is MessageState.REFUSED
    assert fill(shop).state is MessageState.PLANNED
    shop.wait(HOUR)
    assert len(handed) == 3
    assert not [it for it in events.list_events("u#1") if it.name == BOUNCED]
    row = addresses.get_address(derive_key(Channel.PUSH, "u#1", address_secret()))
    assert row.sends == ()


def test_a_lost_answer_is_never_sent_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be on the phone already; marketing is given up."""
    handed = answers(monkeypatch, Unknown("ReadTimeoutError"))
    assert fill(shop).state is MessageState.UNKNOWN
    shop.wait(SETTLE_AFTER_MS + 5 * MINUTE)
    (message,) = messages.list_messages("u#1")
    assert (message.reason, len(handed)) == (Skip.OUTCOME_UNKNOWN, 1)


def test_a_phone_is_whose_who_was_on_it_last(shop: Shop) -> None:
    """Ada logs out and Ben logs in: nothing of hers is shown there, and her yes is not his."""
    shop.hear(a_device(shop, who="u#2"))
    shop.now += MINUTE
    assert owner(PHONE) == "u#2"
    assert fill(shop).reason == Skip.NO_ADDRESS
    assert fill(shop, "u#2").reason == Skip.NO_CONSENT
    shop.hear(a_subscription("push", who="u#2", at=shop.now))
    shop.now += MINUTE
    assert fill(shop, "u#2").state is MessageState.ACCEPTED
    shop.hear(a_device(shop, at=shop.now - 30 * MINUTE, received_at=shop.now, id="late"))
    assert (owner(PHONE), Channel.PUSH in shop.profile("u#1").state.contacts) == ("u#2", False)
    shop.hear(a_device(shop, id="back"))
    assert (owner(PHONE), Channel.PUSH in shop.profile("u#2").state.contacts) == ("u#1", False)
    shop.now += MINUTE
    assert fill(shop).state is MessageState.ACCEPTED


@pytest.mark.parametrize("other", [False, True])
def test_a_device_that_goes_between_decision_and_claim_is_sent_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, other: bool
) -> None:
    """The claim demands of the profile that it is still this device; where there is another one, it goes there."""
    if other:
        shop.hear(a_device(shop, TABLET, at=shop.now - HOUR, received_at=shop.now))
    claim = send_message._claim
    asked: list[Any] = []

    def first(letter: Any, now: int) -> Any:
        if not asked:
            asked.append(letter)
            shop.derive(a_device(shop, who="u#2"))
        return claim(letter, now)

    monkeypatch.setattr(send_message, "_claim", first)
    message = fill(shop)
    assert ([token for token, _ in pushed()], len(asked)) == ([TABLET] if other else [], 1)
    assert message.reason == ("" if other else Skip.NO_ADDRESS)


def test_what_is_known_does_not_read_more_with_each_event(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An app tells its device with every event; only a new one is looked up."""
    looked: list[str] = []
    for module, name in ((identities, "find_owner"), (addresses, "get_address")):
        find = getattr(module, name)
        monkeypatch.setattr(module, name, lambda key, find=find: looked.append(key) or find(key))
    before = shop.profile("u#1").state.contacts[Channel.PUSH].at
    shop.hear(a_device(shop, id="again"))
    assert shop.profile("u#1").state.contacts[Channel.PUSH].at > before
    assert looked == []


def test_no_token_is_in_a_log(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither when it is told, sent to, handed over or dropped; who owns it is kept by a keyed hash."""
    log = StringIO()
    stream = logger.registered_handler.setStream(log)
    shop.hear(a_device(shop, TABLET))
    shop.now += MINUTE
    fill(shop)
    shop.hear(a_device(shop, TABLET, who="u#2"))
    logger.registered_handler.setStream(stream)
    printed = log.getvalue() + str(capsys.readouterr())
    assert "profile derived" in printed
    assert not [it for it in (PHONE, TABLET) if it in printed]
    rows = [str(it) for it in client("dynamodb").scan(TableName="identities")["Items"]]
    assert not [it for it in rows for token in (PHONE, TABLET) if token in it]


def test_who_is_erased_has_no_device_and_a_copy_tells_them(shop: Shop) -> None:
    """A copy is the shopper's own and whole; after an erasure nothing leads from a token to anybody."""
    copy = encode(Copy(profile=shop.profile("u#1")), shop.now).decode()
    assert PHONE in copy
    shop.hear(an_event("Erasure Requested", at=shop.now))
    assert owner(PHONE) is None
    assert not profiles.get_profile("u#1").state.devices


def test_a_yes_to_push_goes_with_an_erasure_also_without_a_device(shop: Shop) -> None:
    """Whose phone is somebody else's by now has said yes once: that does not come back with their id."""
    shop.hear(a_device(shop, who="u#2"))
    assert Channel.PUSH not in shop.profile("u#1").state.contacts
    shop.hear(an_event("Erasure Requested", at=shop.now))
    row = addresses.get_address(derive_key(Channel.PUSH, "u#1", address_secret()))
    assert row.consent is not None
    assert not row.consent.subscribed


def test_what_a_visitor_had_goes_with_the_user_they_became(shop: Shop) -> None:
    """Of two who are joined more devices than five are dropped, and released; the visitor's yes is erased too."""
    seen = [f"token-of-a-visitors-phone-{number}" for number in range(MOST)]
    visitor = {"who": "a#x", "anonymous_id": "x", "at": shop.now - HOUR, "received_at": shop.now}
    for token in seen:
        device = {"device": {"id": token, "type": "android", "token": token}}
        shop.hear(an_event("Application Opened", id=token, context=device, **visitor))
    shop.hear(a_subscription("push", **visitor))
    assert {owner(token) for token in seen} == {"a#x"}
    shop.hear(an_event(user_id="1", anonymous_id="x", at=shop.now))
    kept = {str(it.value) for it in shop.profile("u#1").state.devices.values()}
    assert len(kept) == MOST
    for token in (PHONE, *seen):
        assert owner(token) in (("u#1", "a#x") if f"android {token}" in kept else (None,))
    key = derive_key(Channel.PUSH, "a#x", address_secret())
    known = addresses.get_address(key).consent
    assert known is not None
    assert known.subscribed
    shop.hear(an_event("Erasure Requested", at=shop.now))
    assert [token for token in (PHONE, *seen) if owner(token)] == []
    row = addresses.get_address(key)
    assert row.consent is not None
    assert not row.consent.subscribed
