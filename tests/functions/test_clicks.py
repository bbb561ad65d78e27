"""A click in a mail, from the press to the ledger: serve_page leads on, track_delivery tells who pressed."""

import json
import re
from html import unescape
from typing import Any

import pytest
from builders import CART, a_bundle, a_cart_event, an_identify, publish
from moto.sqs.models import sqs_backends
from msgspec.structs import replace
from shoppers import Shop
from world import client, lambda_context

from cartwake.addresses import Address
from cartwake.bundles import Template
from cartwake.choices import Choices
from cartwake.errors import TryAgain
from cartwake.gateways.secrets import link_secrets
from cartwake.links import Preferences, Visit, preferences_url, read_visit
from cartwake.messages import Message
from cartwake.sending.outcomes import Accepted
from cartwake.serving import clicks
from cartwake.statements import Channel
from cartwake.store import addresses, events, messages
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.tombstones import bury
from functions.send_message import app as send_message
from functions.serve_page import app
from functions.track_delivery import app as track_delivery

HTML = """<body><a href="{{ shop.url }}/a">a</a> <a href="{{ shop.url }}/b?x=1&amp;y=2">b</a>
<a href="https://other.example/c">c</a> <a href='{{ unsubscribe_url }}' ses:no-track>stop</a></body>"""
BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
TABLES = ("events", "profiles", "runs", "slots", "messages", "addresses", "counts", "identities", "quarantine")


@pytest.fixture
def site(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose mail has three links, and a subscriber."""
    publish(
        a_bundle(
            generation=2,
            journeys={"cart": replace(CART, steps=CART.steps[:2])},
            templates={"cart-1": Template(subject="x", html=HTML, text="x {{ shop.url }}/a")},
        )
    )
    for module in (app, track_delivery):
        monkeypatch.setattr(module, "read_clock", lambda: shop.now)
    shop.known()
    return shop


def row() -> Address:
    return addresses.get_address(Shop.profile("u#1").address_keys[Channel.EMAIL])


def allow(*, tracked: bool | None = True) -> None:
    assert addresses.put_address(replace(row(), choices=Choices(tracked=tracked, at=1)))


def mail(site: Shop) -> str:
    """Have the cart's mail sent, and return its HTML."""
    site.hear(a_cart_event(at=site.now))
    site.wait(HOUR + 3 * MINUTE)
    body = site.mails()[-1].body
    return str(body if isinstance(body, str) else body["Html"]["Data"])


def list_links(html: str) -> list[str]:
    return [unescape(url) for url in re.findall(r'href="([^"]*/r/[^"]*)"', html)]


def press(url: str, method: str = "GET", agent: str = BROWSER) -> dict[str, Any]:
    path = "/r/" + url.rpartition("/")[2]
    event = {"rawPath": path, "requestContext": {"http": {"method": method}}, "headers": {"user-agent": agent}}
    return app.handler(event | {"pathParameters": {"token": path.rpartition("/")[2]}}, lambda_context())


def hear() -> None:
    """Work off the feedback queue, what waits in it too, in the order in which it would come."""
    queue = sqs_backends["123456789012"]["eu-central-1"].queues["feedback"]
    found = sorted(queue._messages, key=lambda it: json.loads(it.body)["touch"]["final"])
    queue._messages.clear()
    records = [{"messageId": f"q{at}", "body": it.body, "eventSource": "aws:sqs"} for at, it in enumerate(found)]
    for _ in range(2):
        assert track_delivery.handler({"Records": records}, lambda_context()) == {"batchItemFailures": []}


def sent() -> Message:
    (message,) = messages.list_messages("u#1")
    return message


def told() -> list[Any]:
    return [event for event in events.list_events("u#1") if event.name == "Email Link Clicked"]


def everything() -> list[Any]:
    return [client("dynamodb").scan(TableName=name)["Items"] for name in TABLES]


def test_nobody_is_seen_who_did_not_allow_it(site: Shop) -> None:
    """Where settings.json says nothing, the links of a mail lead straight to the shop."""
    html = mail(site)
    assert list_links(html) == []
    assert 'href="https://shop.example.com/a"' in html


def test_who_allows_it_on_the_page_is_seen(site: Shop) -> None:
    """By the box on the preference page, which can be unticked there again."""
    key = row().key
    page = preferences_url("", Preferences("u#1", "m", key, Channel.EMAIL), link_secrets())
    for body, tracked in (("save=1&tracked_shown=1&tracked=1", True), ("save=1&tracked_shown=1", False)):
        site.now += MINUTE
        event = {"rawPath": page, "requestContext": {"http": {"method": "POST"}}, "body": body}
        token = {"pathParameters": {"token": page.rpartition("/")[2]}}
        assert app.handler(event | token, lambda_context())["statusCode"] == 200
        assert row().choices.tracked is tracked


@pytest.mark.parametrize(
    ("rule", "chosen", "kind", "seen"),
    [
        ("consented", True, "marketing", True),
        ("consented", None, "marketing", False),
        ("consented", False, "marketing", False),
        ("always", None, "marketing", True),
        ("always", False, "marketing", False),
        ("never", True, "marketing", False),
        ("always", True, "transactional", False),
    ],
)
def test_whose_opens_are_seen(
    site: Shop, monkeypatch: pytest.MonkeyPatch, rule: str, chosen: bool | None, kind: str, seen: bool
) -> None:
    """As with clicks, mail by mail: SES is told to add no picture for whom it may not be seen, ever for a receipt."""
    handed: list[Any] = []
    monkeypatch.setattr(send_message, "send_email", lambda mail: handed.append(mail) or Accepted("ses-1"))
    cart = replace(CART, steps=CART.steps[:2], kind=kind)
    html = HTML if kind == "marketing" else '<a href="{{ shop.url }}/a">a</a>'
    publish(
        a_bundle(
            generation=3,
            settings=replace(a_bundle().settings, tracking=rule),
            journeys={"cart": cart},
            templates={"cart-1": Template(subject="x", html=html, text="x")},
        )
    )
    allow(tracked=chosen)
    site.hear(a_cart_event(at=site.now))
    site.wait(HOUR + 3 * MINUTE)
    assert [(it.tracked, "/r/" in it.html) for it in handed] == [(seen, seen)]


def test_a_click_leads_to_the_shop_and_is_told(site: Shop) -> None:
    """A press changes no table; the ledger, the counts and an event follow by the queue, and once."""
    allow()
    html = mail(site)
    one, two, three, hidden = list_links(html)
    assert "unsubscribe" in html
    before = everything()
    answer = press(two)
    assert (answer["statusCode"], answer["body"]) == (302, "")
    location, _, token = answer["headers"]["Location"].partition("&cw=")
    assert location == "https://shop.example.com/b?x=1&y=2&utm_source=cartwake&utm_medium=email&utm_campaign=cart"
    assert read_visit(token, link_secrets(), now=site.now) == Visit("u#1", sent().id, site.now)
    assert answer["headers"]["Cache-Control"] == "no-store"
    assert everything() == before
    hear()
    (event,) = told()
    assert (event.properties["link"], event.properties["message"]) == (
        "https://shop.example.com/b?x=1&y=2", sent().id,
    )  # fmt: skip
    assert "clicked" in sent().happened
    for _ in range(3):
        press(two)
    hear()
    assert len(told()) == 1
    assert press(three)["headers"]["Location"] == "https://other.example/c"
    assert len({one, two, three, hidden}) == 4


@pytest.mark.parametrize("kind", ["HEAD", "crawler", "hidden", "all"])
def test_what_no_person_does_counts_for_nothing(site: Shop, kind: str) -> None:
    """It is kept and flagged: the ledger says that a machine clicked, and the event moves nobody; no page is told."""
    allow()
    links = list_links(mail(site))
    if kind == "all":
        for link in links[:3]:
            press(link)
    else:
        link = links[-1] if kind == "hidden" else links[0]
        agent = "Googlebot/2.1" if kind == "crawler" else BROWSER
        answer = press(link, "HEAD" if kind == "HEAD" else "GET", agent)
        assert "cw=" not in answer["headers"]["Location"]
    hear()
    assert "clicked" not in sent().happened
    assert "machine_clicked" in sent().happened
    assert {event.bot for event in told()} == {True}
    site.now += HOUR
    press(links[0])
    hear()
    assert "clicked" in sent().happened


def test_a_person_counts_beside_a_scanner(site: Shop) -> None:
    """Of one link in one minute, what the machine and what the person did are two events."""
    allow()
    link = list_links(mail(site))[0]
    press(link, "HEAD")
    press(link)
    hear()
    assert sorted(event.bot for event in told()) == [False, True]


def test_nobody_waits_for_a_queue(site: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the click cannot be told, the shopper gets to the shop all the same."""
    allow()
    link = list_links(mail(site))[0]

    def fail(*_: Any, **__: Any) -> None:
        raise TryAgain("throttled")

    monkeypatch.setattr(clicks, "send_feedback", fail)
    assert press(link)["statusCode"] == 302


def refuse(site: Shop) -> None:
    allow(tracked=False)


def forget_to_choose(site: Shop) -> None:
    allow(tracked=None)


def move(site: Shop) -> None:
    """Have another address, so that the mail lies in somebody's old mailbox."""
    site.hear(an_identify(at=site.now + 1, traits={"email": "new@example.com"}, id="moved"))


def be_erased(site: Shop) -> None:
    bury("u#1", now=site.now)


def lose_the_rows(site: Shop) -> None:
    raise TryAgain("throttled")


@pytest.mark.parametrize("change", [refuse, forget_to_choose, move, be_erased, lose_the_rows])
def test_who_may_not_be_seen_any_more_is_not(site: Shop, change: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What held when the mail was sent is asked again: else the link leads on, no page is told, and no queue."""
    allow()
    link = list_links(mail(site))[0]
    assert "cw=" in press(link)["headers"]["Location"]
    hear()
    if change is lose_the_rows:
        monkeypatch.setattr(clicks.addresses, "get_address", lambda _: lose_the_rows(site))
    else:
        change(site)
    site.now += HOUR
    answer = press(link)
    assert (answer["statusCode"], "cw=" in answer["headers"]["Location"]) == (302, False)
    assert sqs_backends["123456789012"]["eu-central-1"].queues["feedback"]._messages == []


def test_who_comes_is_told_to_the_shop_alone(site: Shop) -> None:
    """A link to somebody else's page is left as it is."""
    allow()
    assert press(list_links(mail(site))[2])["headers"]["Location"] == "https://other.example/c"


def test_nobody_is_led_elsewhere(site: Shop) -> None:
    """The address is part of what is signed; no other token leads anywhere, and a POST does not."""
    allow()
    html = mail(site)
    link = list_links(html)[0]
    stop = unescape(re.findall(r"href='([^']*/unsubscribe/[^']*)'", html)[0])
    for url, method in ((link[:-1], "GET"), (stop, "GET"), (link, "POST"), ("x", "HEAD")):
        answer = press(url, method)
        assert (answer["statusCode"], "Location" in answer["headers"]) == (404, False)


def test_a_link_leads_on_for_ever(site: Shop) -> None:
    """A mail may be read years later."""
    allow()
    link = list_links(mail(site))[0]
    site.now += 3_000 * DAY
    assert press(link)["statusCode"] == 302
