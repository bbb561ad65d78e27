"""A shopper's life with everything that can go well and wrong, through the real functions."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from io import StringIO
from pathlib import Path
from typing import Any, Final

import pytest
from builders import CART, NOON, WELCOME, a_bundle, publish
from msgspec.structs import replace
from shoppers import Shop
from world import lambda_context

from cartwake import links
from cartwake.errors import TryAgain
from cartwake.feedback.deliveries import tags_for
from cartwake.gateways.secrets import link_secrets
from cartwake.journeys import Tell, Wait
from cartwake.messages import MessageState
from cartwake.statements import Channel
from cartwake.store import events, messages
from cartwake.telemetry import logger
from cartwake.times import DAY, HOUR, MINUTE, format_instant
from functions.derive_segments import app as derive_segments
from functions.enter_journeys import app as enter_journeys
from functions.run_step import app as run_step
from functions.send_message import app as send_message
from functions.track_delivery import app as track_delivery
from tests.security.front import BROWSER, SERVER, Front, empty

SES: Final = Path(__file__).parents[1] / "payloads" / "ses"
USER: Final = "zaphod.user@example.com"
VISITOR: Final = "visitor-zaphod-4711"
EMAIL: Final = "zaphod.beeblebrox@example.com"
PHONE: Final = "+48601777333"
AGENT: Final = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
_TAG: Final = Tell(event="Tag Added", properties={"tag": "quick"})
QUICK: Final = replace(
    CART, title="Quick", filter=None, exits=(), steps=(Wait(for_ms=MINUTE), _TAG, Wait(for_ms=MINUTE))
)
"""A journey that sends nothing, says something of the shopper, and whose next step is always near."""


class Life:
    """A shopper's life with everything that can go well and wrong; it remembers what was answered."""

    def __init__(self, front: Front) -> None:
        self.front = front
        self.answers: list[dict[str, Any]] = []
        self.tokens: set[str] = set()
        self.log, self.metrics = StringIO(), StringIO()

    def tell(self, kind: str, body: Any, *, key: str = SERVER) -> None:
        self.answers.append(self.front.report(kind, body, key=key))

    def live(self) -> None:
        """Visit, sign up, leave a cart, be written to, be refused, unsubscribe, bounce and complain."""
        self.tell("page", {"anonymousId": VISITOR, "context": {"userAgent": "zaphod typed this"}}, key=BROWSER)
        traits = {"email": EMAIL, "phone": PHONE, "first_name": "Zaphodina", "country": "PL"}
        self.tell("identify", {"userId": USER, "anonymousId": VISITOR, "traits": traits})
        for channel in ("email", "sms"):
            self.tell("track", {"userId": USER, "event": "Subscribed", "properties": {"channel": channel}})
        self.front.shop.now += DAY
        product = {"product_id": "P-1", "name": "Heartofgold", "price": 42, "quantity": 1}
        self.tell("track", {"userId": USER, "event": "Product Added", "properties": product}, key=BROWSER)
        self.front.shop.wait(4 * MINUTE)
        self.front.shop.wait(2 * HOUR)
        self.front.shop.wait(DAY)
        self.refuse()
        self.open_pages()
        self.follow_links()
        self.hear_back()

    def refuse(self) -> None:
        """Be refused in every way, and have answers that are none."""
        who = {"userId": USER, "messageId": "zaphod-message"}
        for body in (
            who | {"event": "zaphod typed this" * 20},
            who | {"event": "e", "timestamp": "zaphod typed this"},
            who | {"event": "e", "properties": {"text": "zaphod typed this", "n": 1e300}},
            who | {"event": "e", "properties": ["zaphod typed this"]},
            {"userId": [EMAIL], "event": "e"},
            f'{{"userId":"{USER}","event":"e","properties":{{"n":NaN,"t":"zaphod typed this"}}}}'.encode(),
            f'{{"userId":"{USER}" "zaphod typed this"}}'.encode(),
            f'{{"userId":"{USER}","event":"zaphod typed this\\ud800"}}'.encode(),
            b"\x1f\x8bzaphod typed this",
        ):
            self.tell("track", body)
            self.tell("batch", {"batch": [body]} if isinstance(body, dict) else b'{"batch":[' + body + b"]}")
        self.tell("batch", {"batch": [who | {"type": "zaphod typed this"}]})
        self.tell("track", who | {"event": "e"}, key="sk_zaphod_wrong")
        self.tell("zaphod typed this", who)

    def follow_links(self) -> None:
        """Open the links of all mails, changed and whole, and unsubscribe."""
        for mail in self.front.shop.mails():
            self.tokens |= set(re.findall(r"/unsubscribe/([A-Za-z0-9_.-]+)", mail.body))
        assert self.tokens
        for token in sorted(self.tokens):
            for method, path in (("GET", token), ("POST", token[:-1]), ("PUT", token), ("POST", token)):
                self.answers.append(self.front.ask(method, path, body="List-Unsubscribe=One-Click&zaphod typed this"))

    def open_pages(self) -> None:
        """Choose, confirm, and ask for a copy and for erasure, each on its page; of links some are changed."""
        sent = next(it for it in messages.list_messages(f"u#{USER}") if it.channel is Channel.EMAIL and it.address_key)
        target, now, keys = (sent.who, sent.id, sent.address_key, sent.channel), self.front.shop.now, link_secrets()
        pages = (
            (
                links.preferences_url("", links.Preferences(*target), keys),
                "save=1&shown=sms&shown=email&want=email&pause=30&tracked_shown=1&tracked=1",
            ),
            (links.confirm_url("", links.Confirm(sent.who, sent.address_key, sent.channel, now), keys), ""),
            (links.export_url("", links.Export(*target, now), keys), ""),
            (links.erase_url("", links.Erase(*target, now), keys), ""),
        )
        for path, body in pages:
            self.tokens.add(path.rpartition("/")[2])
            for method, changed in (("GET", path), ("POST", path[:-1]), ("POST", path)):
                self.answers.append(self.front.visit(method, changed, body=body))
            self.front.shop.now += MINUTE
        to = "https://shop.example.com/a"
        link = links.Click(sent.who, sent.id, 1, to, now, address_key=sent.address_key)
        click = links.click_url("", link, keys)
        self.tokens.add(click.rpartition("/")[2])
        for method, path in (("HEAD", click), ("GET", click[:-1]), ("GET", click)):
            self.answers.append(self.front.visit(method, path, **{"user-agent": AGENT}))
        self.arrive(self.answers[-1]["headers"]["Location"])

    def arrive(self, address: str) -> None:
        """Tell of the page to which a link led, as a browser that nobody knows."""
        token = address.rpartition("cw=")[2]
        self.tokens.add(token)
        for url in (address, address[:-1]):
            page = {"anonymousId": f"{VISITOR}-phone", "context": {"page": {"url": url}, "userAgent": AGENT}}
            self.tell("page", page, key=BROWSER)

    def hear_back(self) -> None:
        """Have SES tell everything that it can, of a mail that we know and of one that we do not."""
        (sent, *_) = [it for it in messages.list_messages(f"u#{USER}") if it.state is MessageState.ACCEPTED]
        for path in sorted(SES.glob("*.json")):
            told = json.loads(path.read_text().replace("recipient@example.com", EMAIL))
            for known in (sent.id, "unknown"):
                told["mail"]["tags"] = {name: [value] for name, value in tags_for(sent.who, known).items()}
                told["mail"]["destination"] = [EMAIL]
                record = {"messageId": f"{path.stem}-{known}", "body": json.dumps(told), "eventSource": "aws:sqs"}
                track_delivery.handler({"Records": [record]}, lambda_context())
        for number, text in enumerate(("zaphod typed this", "STOP")):
            answer = {"originationNumber": PHONE, "inboundMessageId": f"r{number}", "messageBody": text}
            body = json.dumps({"Message": json.dumps(answer), "Timestamp": format_instant(self.front.shop.now)})
            record = {"messageId": f"reply-{number}", "body": body, "eventSource": "aws:sqs"}
            track_delivery.handler({"Records": [record]}, lambda_context())


def break_everything(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each function behind a stream or a queue fail as nobody foresaw, with the shopper's data in the error."""

    def fail(*_: Any, **__: Any) -> None:
        raise ValueError(f"could not convert {EMAIL} of {USER}: zaphod typed this, Zaphodina {PHONE} Heartofgold")

    queued = {
        "eventSource": "aws:sqs",
        "messageId": "q",
        "body": json.dumps({"who": f"u#{USER}", "run": "r", "message": "m"}),
    }
    event = next(event for event in events.list_events(f"u#{USER}") if event.name == "Product Added")
    cases: list[tuple[Any, str, dict[str, Any]]] = [
        (derive_segments, "derive", front.shop.record(event)),
        (derive_segments, "derive", queued),
        (enter_journeys, "_read", {"dynamodb": {"NewImage": {"who": {"S": f"u#{USER}"}}}}),
        (run_step, "step", queued),
        (send_message, "handle", queued),
        (track_delivery, "track", queued),
    ]
    for module, name, record in cases:
        for failure in (fail, lambda *_, **__: (_ for _ in ()).throw(TryAgain("throttled"))):
            with monkeypatch.context() as broken:
                broken.setattr(module, name, failure)
                with suppress(TryAgain):
                    module.handler({"Records": [record]}, lambda_context())


@contextmanager
def live_once() -> Iterator[Life]:
    """Live once, in the AWS that runs, and keep what was printed."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        empty()
        publish(a_bundle(journeys={"cart": replace(CART, again_ms=0), "welcome": WELCOME, "quick": QUICK}))
        lived = Life(Front(Shop(monkeypatch, NOON), monkeypatch))
        before = logger.registered_handler.setStream(lived.log)
        try:
            with redirect_stdout(lived.metrics):
                lived.live()
                break_everything(lived.front, monkeypatch)
        finally:
            logger.registered_handler.setStream(before)
        yield lived
