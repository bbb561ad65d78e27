"""Logs of the whole way: a shop may use addresses as user ids, and no line may hold one."""

import json
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import wire
from shoppers import Shop
from world import lambda_context

from cartwake.feedback.deliveries import tags_for
from cartwake.gateways.secrets import link_secrets
from cartwake.links import Unsubscribe, unsubscribe_url
from cartwake.messages import Message, MessageState
from cartwake.store import base, events, messages
from cartwake.store.keys import KeyRow
from cartwake.telemetry import logger, name_who
from cartwake.times import HOUR, MINUTE
from functions.capture_events import app as capture_events
from functions.serve_page import app as serve_page
from functions.track_delivery import app as track_delivery

EMAIL = "ada@example.com"
WHO = f"u#{EMAIL}"
SHORT = "vfsvzja64niy"
BOUNCE = Path(__file__).parents[1] / "payloads" / "ses" / "bounce-hard.json"


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What all functions print through the logger."""
    written = StringIO()
    before = logger.registered_handler.setStream(written)
    yield written
    logger.registered_handler.setStream(before)


@pytest.fixture
def front(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop with its HTTP functions at the same clock, and a key for its server."""
    for module in (capture_events, serve_page, track_delivery):
        monkeypatch.setattr(module, "read_clock", lambda: shop.now)
    capture_events.keyring.forget()
    KeyRow(sha256(b"sk").hexdigest(), trust="server", created_at=shop.now).save()
    return shop


def report(shop: Shop, kind: str, *, status: int = 200, **call: Any) -> None:
    """Have the shop's server report a call, and everything follow from it."""
    before = {event.key for event in events.list_events(WHO)}
    body = {"userId": EMAIL, "messageId": f"{kind}-{len(before)}", "writeKey": "sk"} | call
    payload = wire.to_payload(f"/v1/{kind}", json.dumps(body).encode(), headers={}, at=shop.now)
    assert capture_events.handler(payload, lambda_context())["statusCode"] == status
    news = [event for event in events.list_events(WHO) if event.key not in before]
    if news:
        shop.hear(*news)
    shop.now += MINUTE


def unsubscribe(message: Message) -> None:
    """Follow the link of a mail, in vain at first."""
    stop = Unsubscribe(message.who, message.id, message.address_key, message.channel)
    token = unsubscribe_url("https://x", stop, link_secrets()).rpartition("/")[2]
    event = {"requestContext": {"http": {"method": "POST"}}, "pathParameters": {"token": token}}
    with pytest.MonkeyPatch.context() as busy:
        busy.setattr(base, "commit", lambda _: False)
        assert serve_page.handler(event, lambda_context())["statusCode"] == 503
    assert serve_page.handler(event, lambda_context())["statusCode"] == 200


def bounce(message: Message) -> None:
    """Have SES say that a mail bounced, and that one nobody knows of did."""
    told = json.loads(BOUNCE.read_text())
    bodies = []
    for known in (message.id, "unknown"):
        told["mail"]["tags"] |= {name: [value] for name, value in tags_for(message.who, known).items()}
        bodies.append({"messageId": known, "body": json.dumps(told), "eventSource": "aws:sqs"})
    assert track_delivery.handler({"Records": bodies}, lambda_context()) == {"batchItemFailures": []}


def live_through(shop: Shop) -> None:
    """Sign up, leave a cart, get the mails, buy, come back in vain, unsubscribe, and bounce."""
    report(shop, "identify", traits={"email": EMAIL, "first_name": "Ada"})
    report(shop, "track", event="Subscribed", properties={"channel": "email"})
    shop.now += 20 * HOUR
    product = {"product_id": "P-1", "name": "Trail Runner", "price": 129, "quantity": 1}
    report(shop, "track", event="Product Added", properties=product)
    shop.wait(2 * HOUR)
    report(shop, "track", event="Order Completed", properties={"order_id": "o-1", "revenue": 129})
    report(shop, "track", event="Product Added", properties=product)
    report(shop, "track", event="x" * 300, status=400)
    sent = [message for message in messages.list_messages(WHO) if message.state is MessageState.ACCEPTED]
    assert len(sent) == 2
    unsubscribe(sent[-1])
    bounce(sent[-1])


def test_no_address_is_in_a_log(front: Shop, log: StringIO, capsys: pytest.CaptureFixture[str]) -> None:
    """From capture to bounce, lines and metrics name a shopper whose id is an address by twelve characters alone."""
    live_through(front)
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    about = {line["message"] for line in lines if line.get("who") == SHORT}
    assert {line["message"] for line in lines} >= {"events captured", "events refused", "woken"}
    assert about >= {
        "profile derived", "run started", "run ended", "not entered", "step ran", "message settled",
        "unsubscribed", "not unsubscribed yet", "address suppressed", "delivery tracked", "feedback ignored",
    }  # fmt: skip
    printed = log.getvalue() + capsys.readouterr().out
    assert "EventsAccepted" in printed
    assert EMAIL not in printed
    assert EMAIL.partition("@")[0] + "%40" not in printed


def test_the_name_in_logs_stays() -> None:
    """Logs of last month are found by the same characters."""
    assert name_who(WHO) == SHORT
