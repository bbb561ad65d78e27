"""send_message: what is handed to SES and SNS, and when nothing is."""

from io import StringIO
from typing import Any

import msgspec
import pytest
from builders import CART, WELCOME, a_bundle, a_cart_event, publish
from shoppers import Shop, queue_event
from world import lambda_context

from cartwake.bundles import Template
from cartwake.feedback.deliveries import read_tags
from cartwake.gateways.secrets import link_secrets
from cartwake.journeys import Send
from cartwake.links import read_unsubscribe
from cartwake.messages import MessageState
from cartwake.sending.outcomes import Accepted
from cartwake.statements import Channel
from cartwake.store import addresses, counts, messages, quarantine
from cartwake.telemetry import logger
from cartwake.times import HOUR, MINUTE
from functions.send_message import app


def _cart_mail(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Any:
    handed: list[Any] = []

    def send(mail: Any) -> Accepted:
        handed.append(mail)
        return Accepted("ses-1")

    shop.known()
    monkeypatch.setattr(app, "send_email", send)
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    (mail,) = handed
    return mail


def _read(mail: Any) -> tuple[str, str]:
    """Return who and which message SES will say that its events are about."""
    found = read_tags({name: [value] for name, value in mail.tags.items()})
    assert found is not None
    return found


def test_marketing_mail_carries_one_click_headers_and_tags(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8058 headers, a link that names the message and no address, plain text beside HTML, and our tags."""
    mail = _cart_mail(shop, monkeypatch)
    link = mail.headers["List-Unsubscribe"].strip("<>")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link.startswith("https://shop.example.com/c/unsubscribe/")
    stop = read_unsubscribe(link.rpartition("/")[2], link_secrets())
    message = next(m for m in messages.list_messages("u#1") if m.journey == "cart")
    assert stop is not None
    assert (stop.who, stop.message, stop.address_key) == ("u#1", message.id, message.address_key)
    assert _read(mail) == ("u#1", message.id)
    assert link in mail.html
    assert mail.text.strip() == "Trail Runner"
    assert mail.sender == "Nordlicht <shop@example.com>"
    assert "ada" not in link


def test_letter_is_in_the_language_of_the_shopper(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The browser's locale chooses the translation, and how its amounts read; the other shoppers get the original."""
    handed: list[Any] = []
    monkeypatch.setattr(app, "send_email", lambda mail: handed.append(mail) or Accepted("ses-1"))
    german = Template(subject="Hallo", html="{{ cart.total|money }} {{ unsubscribe_url }}", text="x")
    mail = Template(subject="Hello", html="{{ cart.total|money }} {{ unsubscribe_url }}", text="x")
    steps = (Send(channel=Channel.EMAIL, template="mail"),)
    cart = msgspec.structs.replace(CART, steps=steps)
    templates = {"mail": msgspec.structs.replace(mail, translations={"de": german}), "welcome": mail}
    publish(a_bundle(generation=2, journeys={"cart": cart, "welcome": WELCOME}, templates=templates))
    shop.known()
    shop.hear(a_cart_event(at=shop.now, context={"locale": "de-AT"}))
    assert [mail.subject for mail in handed] == ["Welcome", "Hallo"]
    assert handed[1].html.startswith("\u20ac\u00a0129,00")


def test_nothing_fails_once_a_message_is_claimed(shop: Shop) -> None:
    """A mail that cannot be written claims nothing, counts for no cap and no budget, and goes out when it can be."""
    shop.known()
    rules = a_bundle(generation=2, journeys={"cart": CART})
    settings = msgspec.structs.replace(rules.settings, budgets={Channel.EMAIL: 1})
    sender = msgspec.structs.replace(settings.sender, email="shop@żółw.example")
    publish(msgspec.structs.replace(rules, settings=msgspec.structs.replace(settings, sender=sender)))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    message = next(m for m in messages.list_messages("u#1") if m.journey == "cart")
    assert (message.state, message.attempt) == (MessageState.PLANNED, "")
    assert messages.list_due(shop.now + HOUR - 1, limit=9) == []
    assert messages.list_due(shop.now + HOUR, limit=9) == [("u#1", message.id)]
    (cause,) = quarantine.list_refusals("?")
    assert cause.reason == "poison"
    key = Shop.profile("u#1").address_keys[Channel.EMAIL]
    assert message.id not in {it.message for it in addresses.get_address(key).sends}
    publish(msgspec.structs.replace(rules, generation=3, settings=settings))
    shop.wait(HOUR + 4 * MINUTE)
    message = next(m for m in messages.list_messages("u#1") if m.journey == "cart")
    assert message.state is MessageState.ACCEPTED


def test_what_was_accepted_is_counted_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The count is bumped in the transaction that records the acceptance."""
    _cart_mail(shop, monkeypatch)
    rows = [row for row in counts.CountRow.scan() if row.counter.startswith("cart#1#")]
    assert [row.accepted for row in rows] == [1]


def test_no_new_attempt_without_time(shop: Shop) -> None:
    """A function that is about to be killed begins no attempt: the message stays in the queue."""
    event = queue_event({"who": "u#1", "message": "m"})
    answer = app.handler(event, lambda_context(remaining_ms=9_000))
    assert answer == {"batchItemFailures": [{"itemIdentifier": "q-0"}]}


def test_poison_is_set_aside(shop: Shop) -> None:
    """A body that nobody can read is kept, not delivered for ever."""
    assert app.handler(queue_event({"nonsense": 1}), lambda_context()) == {"batchItemFailures": []}
    assert [it.reason for it in quarantine.list_refusals("?")] == ["poison"]


def test_an_unknown_message_is_no_error(shop: Shop) -> None:
    """A key that leads nowhere ends there."""
    assert app.handler(queue_event({"who": "u#1", "message": "none"}), lambda_context()) == {"batchItemFailures": []}


def test_logs_name_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line that any function writes holds an address, a name, a token or a body."""
    lines = StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", lines)
    mail = _cart_mail(shop, monkeypatch)
    written = lines.getvalue()
    assert '"message":"message settled"' in written
    token = mail.headers["List-Unsubscribe"].rpartition("/")[2].strip(">")
    for secret in ("ada@example.com", "Ada", "Trail Runner", token, "unsubscribe/"):
        assert secret not in written


def test_feedback_before_our_own_answer_stands(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When SES's event settles the message before its answer is recorded, the message is accepted all the same."""
    shop.known()

    def send(mail: Any) -> Accepted:
        _, message_id = _read(mail)
        message = messages.get_message("u#1", message_id)
        assert message is not None
        settled = app.change(message, state=MessageState.ACCEPTED, retry_at=None, provider_id="ses-1")
        assert messages.replace_message(message, settled)
        return Accepted("ses-1")

    monkeypatch.setattr(app, "send_email", send)
    publish(a_bundle(generation=2, journeys={"cart": CART}))
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    message = next(m for m in messages.list_messages("u#1") if m.journey == "cart")
    assert (message.state, message.provider_id, message.retry_at) == (MessageState.ACCEPTED, "ses-1", None)
