"""The consent record: every statement once, as it was made, and nothing of it ever changes but by an erasure."""

import json
from itertools import permutations
from typing import Any

import pytest
from builders import NOON, a_subscription, an_event, an_identify
from shoppers import Shop
from world import lambda_context

from cartwake.addresses import derive_key
from cartwake.consents import Statement, Told
from cartwake.events import Event, Trust
from cartwake.gateways.secrets import address_secret, link_secrets
from cartwake.links import Unsubscribe, unsubscribe_url
from cartwake.statements import Channel
from cartwake.store import consents, events
from cartwake.times import DAY
from functions.serve_page import app as serve_page
from functions.track_delivery import app as track_delivery
from tests.template.stack import find_references, list_functions, list_of

TEXT = "Yes, write to me about shoes."


def an_unsubscribe(**changes: Any) -> Event:
    """Return an Unsubscribed event."""
    return an_event("Unsubscribed", **{"properties": {"channel": "email"}} | changes)


def a_full_yes(**changes: Any) -> Event:
    """Return a yes with everything that can be told with it."""
    told = {"channel": "email", "method": "checkout", "text": TEXT, "version": "7", "topics": ["shoes"]}
    where = {"ip": "203.0.113.7", "userAgent": "Firefox"}
    return an_event("Subscribed", **{"properties": told, "context": where} | changes)


def read(channel: Channel = Channel.EMAIL, address: str = "ada@example.com") -> list[Statement]:
    """Return the record of an address."""
    return consents.list_statements(derive_key(channel, address, address_secret()))


def test_who_when_how_and_which_text(shop: Shop) -> None:
    """A row says when, how, to which text and topics, and by whose word; under the address's hash."""
    shop.hear(an_identify(), a_full_yes(at=NOON + 1))
    (statement,) = read()
    assert (statement.subscribed, statement.at, statement.source) == (True, NOON + 1, "server")
    assert statement.told == Told(
        method="checkout", text=TEXT, version="7", topics=("shoes",), ip="203.0.113.7", user_agent="Firefox"
    )


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_repeated_and_reordered_statements_give_one_row_each(shop: Shop, order: tuple[int, ...]) -> None:
    """Whatever comes first or again: three statements are three rows, and the oldest is no less on record."""
    said = [a_full_yes(at=NOON), an_unsubscribe(at=NOON + 1), a_subscription(at=NOON + 2)]
    shop.hear(an_identify())
    for number in (*order, *order):
        shop.derive(said[number])
    assert [(it.at, it.subscribed) for it in read()] == [(NOON, True), (NOON + 1, False), (NOON + 2, True)]


def test_nothing_that_is_on_record_is_changed(shop: Shop) -> None:
    """A statement of the same instant and id is the one that is there, whatever it says now."""
    shop.hear(an_identify(), a_full_yes())
    (before,) = read()
    assert not consents.put_statement(Statement(address=before.address, subscribed=False, at=before.at, id=before.id))
    assert read() == [before]


def test_what_was_stated_before_the_address_was_known_is_on_its_record(shop: Shop) -> None:
    """A yes comes before the address, and goes with the shopper to the next one: each has its own row of it."""
    shop.hear(a_full_yes())
    shop.hear(an_identify(at=NOON + 1))
    shop.hear(an_identify("new@example.com", at=NOON + 2))
    assert [(it.at, it.told.method) for it in read()] == [(NOON, "checkout")]
    assert [(it.at, it.told.method) for it in read(address="new@example.com")] == [(NOON, "checkout")]


@pytest.mark.parametrize("changes", [{"trust": Trust.BROWSER}, {"bot": True}])
def test_a_browser_states_nothing(shop: Shop, changes: dict[str, Any]) -> None:
    """What a public key says is no statement, and is not on record."""
    shop.hear(an_identify())
    shop.hear(a_full_yes(at=NOON + 1, **changes))
    assert read() == []


def test_a_word_by_sms_is_on_record_though_nobody_is_known(shop: Shop) -> None:
    """A STOP counts for the number, and is on its record at once."""
    del shop
    told = {"inboundMessageId": "i-1", "originationNumber": "+48512345678", "messageBody": "STOP"}
    body = json.dumps({"Type": "Notification", "Message": json.dumps(told), "Timestamp": "2026-11-21T12:00:00.000Z"})
    for _ in range(2):
        track_delivery.handler({"Records": [{"messageId": "1", "body": body}]}, lambda_context())
    (statement,) = read(Channel.SMS, "+48512345678")
    assert (statement.subscribed, statement.told.method, statement.at) == (False, "reply", NOON)


@pytest.mark.parametrize("body", ["List-Unsubscribe=One-Click", ""])
def test_a_withdrawal_by_page_is_on_the_record_of_the_links_address(shop: Shop, body: str) -> None:
    """By the answer it is there, once, under the address that the mail went to, whoever has that by now."""
    shop.hear(an_identify(), a_full_yes(at=NOON + 1))
    old = shop.profile("u#1").address_keys[Channel.EMAIL]
    shop.hear(an_identify("new@example.com", at=NOON + 2))
    url = unsubscribe_url("", Unsubscribe("u#1", "m-1", old, Channel.EMAIL), link_secrets())
    event = {"rawPath": url, "requestContext": {"http": {"method": "POST"}}, "body": body}
    for _ in range(2):
        answer = serve_page.handler(event | {"pathParameters": {"token": url.rpartition("/")[2]}}, lambda_context())
        assert answer["statusCode"] == 200
        said = [(it.subscribed, it.source, it.told.method) for it in read()]
        assert said == [(True, "server", "checkout"), (False, "own", "one-click" if body else "page")]
    shop.hear(*[event for event in events.list_events("u#1") if event.name == "Unsubscribed"])
    assert len(read()) == 2


def test_it_outlives_events(shop: Shop) -> None:
    """Rows of the record have no end, while events do."""
    shop.hear(an_identify(), a_full_yes(at=NOON + 1))
    assert not hasattr(consents.ConsentRow, "expires_at")
    assert hasattr(events.EventRow, "expires_at")
    shop.wait(401 * DAY)
    assert len(read()) == 1


def test_an_erasure_takes_away_what_names_somebody_and_adds_a_withdrawal(shop: Shop) -> None:
    """What a server wrote freely goes; that there was a yes, when, and that it ended stays under the hash."""
    shop.hear(an_identify(), a_full_yes(at=NOON + 1))
    shop.now += DAY
    shop.hear(an_event("Erasure Requested", at=shop.now))
    assert [(it.subscribed, it.at, it.source, it.told) for it in read()] == [
        (True, NOON + 1, "server", Told()),
        (False, shop.now, "own", Told()),
    ]


def test_a_later_erasure_pass_leaves_the_record_of_who_began_anew(shop: Shop) -> None:
    """Somebody signs up again with the same address: what they say is on record as they said it."""
    shop.hear(an_identify(), a_full_yes(at=NOON + 1))
    shop.now += DAY
    shop.hear(an_event("Erasure Requested", at=shop.now))
    again = {"who": "u#2", "at": shop.now + 1}
    shop.hear(an_identify(**again), a_full_yes(**again))
    shop.wait(2 * DAY)
    assert [it.told.text for it in read()] == ["", "", TEXT]


def test_only_the_eraser_may_change_the_record() -> None:
    """By role: who states consent may add rows, one may take away what names somebody, and nobody deletes."""
    rights = {
        (function.name, action.removeprefix("dynamodb:"))
        for function in list_functions()
        for statement in function.statements
        if "ConsentsTable" in find_references(statement["Resource"])
        for action in list_of(statement["Action"])
    }
    assert rights == {
        ("derive_segments", "PutItem"),
        ("track_delivery", "PutItem"),
        ("serve_page", "PutItem"),
        ("export_profiles", "Query"),
        ("erase_profiles", "Query"),
        ("erase_profiles", "UpdateItem"),
    }
