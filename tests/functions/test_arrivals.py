"""capture_events, where the address of a page says who comes from a message."""

import json
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from logging import StreamHandler
from typing import Any

import pytest
import wire
from builders import NOON
from itsdangerous import Signer
from world import client, lambda_context

from cartwake import links
from cartwake.events import Arrival, Event
from cartwake.gateways import clients, secrets
from cartwake.links import VISIT_WITHIN_MS, Unsubscribe, Visit, unsubscribe_url, visit_token
from cartwake.store import events
from cartwake.store.keys import KeyRow
from cartwake.telemetry import logger
from cartwake.times import MINUTE
from cartwake_cli import keys
from functions.capture_events import app

KEY, SERVER = "pk_browser", "sk_server"
VISIT = Visit("u#ewa", "m2k4x7w5q3vztjhy6bnsad4e2i", NOON)
SHOP = "https://shop.example.com/a"
BROWSER = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
KEYS = [secrets.derive_secret("a-test-root", "links")]
PLACES = ("properties.url", "properties.search", "context.page.url", "context.page.search", "context.page.tab_url")


@pytest.fixture(autouse=True)
def endpoint(tables: None) -> None:
    app.keyring.forget()
    for text, trust in ((KEY, "browser"), (SERVER, "server")):
        KeyRow(sha256(text.encode()).hexdigest(), trust=trust, created_at=NOON).save()
    secrets._looked[0] = NOON


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls for the secret, each with what its client was made with."""
    found: list[Any] = []
    make = clients.client

    def client(service: str, **limits: Any) -> Any:
        if service == "secretsmanager":
            found.append(limits)
        return make(service, **limits)

    monkeypatch.setattr(clients, "client", client)
    return found


def token(visit: Visit = VISIT) -> str:
    return visit_token(visit, secrets.link_secrets())


def page(address: str = SHOP, **more: Any) -> dict[str, Any]:
    told = {"type": "page", "anonymousId": "v-1", "messageId": "p-1", "timestamp": "2026-11-21T11:00:00Z"}
    return told | {"properties": {"url": address}} | more


def send(data: Any, *, kind: str = "page", at: int = NOON, key: str = KEY, **headers: str) -> Event:
    """Post a call, and return the event that is stored of it."""
    headers = {"x-write-key": key, "user-agent": BROWSER} | headers
    payload = wire.to_payload(f"/v1/{kind}", json.dumps(data).encode(), headers=headers, at=at)
    assert app.handler(payload, lambda_context())["statusCode"] == 200
    (event,) = stored()
    return event


def stored() -> list[Event]:
    rows = client("dynamodb").scan(TableName="events")["Items"]
    found = [events.get_event(row["who"]["S"], row["key"]["S"]) for row in rows]
    return [event for event in found if event is not None]


def put(place: str, text: str) -> dict[str, Any]:
    """Return a page call with a text in one place."""
    data: dict[str, Any] = page()
    *path, last = place.split(".")
    inner = data
    for name in path:
        inner = inner.setdefault(name, {})
    inner[last] = text
    return data


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["page", "batch"])
def test_who_comes_from_a_message_is_noted_with_the_event(place: str, kind: str) -> None:
    """Wherever the client tells its address; the event stays the visitor's own, and a browser's word."""
    data = put(place, f"?a=1&cw={token()}" if place.endswith("search") else f"{SHOP}?a=1&cw={token()}#f")
    event = send({"batch": [data]} if kind == "batch" else data, kind=kind)
    assert event.arrival == Arrival(VISIT.who, VISIT.message, VISIT.at)
    assert (event.who, event.user_id, event.trust) == ("a#v-1", "", "browser")


def test_what_a_batch_says_of_all_its_events_counts(asked: list[Any]) -> None:
    """The address of the page may stand in the context of the whole batch, where it is left out too."""
    context = {"page": {"url": f"{SHOP}?cw={token()}", "title": "a"}}
    event = send({"batch": [page()], "context": context}, kind="batch")
    assert event.arrival is not None
    assert event.context == {"page": {"url": SHOP, "title": "a"}}


@pytest.mark.parametrize("good", [True, False])
def test_no_address_is_stored_with_a_token(good: bool) -> None:
    """Good or bad, in whatever property, trait or part of the page it stands, and whoever says so."""
    text = f"{SHOP}?cw={token() if good else 'tampered.with'}&b=2"
    everywhere = {
        "url": text,
        "referrer": text,
        "canonical": text,
        "search": f"?cw={text[-40:]}",
        "list": [{"x": text}],
    }
    data = page(properties=everywhere, context={"page": everywhere | {"path": text}}, name=text, category=text)
    payload = wire.to_payload(
        "/v1/batch",
        json.dumps({"batch": [data, *more_calls(everywhere)]}).encode(),
        headers={"x-write-key": SERVER},
        at=NOON,
    )
    assert app.handler(payload, lambda_context())["statusCode"] == 200
    found = stored()
    assert len(found) == 5
    assert [event for event in found if "cw=" in str(event)] == []
    (seen,) = [event for event in found if event.type == "page"]
    assert seen.properties["canonical"] == seen.context["page"]["url"] == f"{SHOP}?b=2"


def more_calls(everywhere: dict[str, Any]) -> Iterator[dict[str, Any]]:
    who = {"userId": "u-1"}
    yield who | {"type": "identify", "traits": everywhere, "messageId": "1"}
    yield who | {"type": "track", "event": f"Seen {everywhere['url']}", "properties": everywhere, "messageId": "2"}
    yield who | {"type": "group", "groupId": "g", "traits": everywhere, "messageId": "3"}
    yield who | {"type": "screen", "name": everywhere["url"], "properties": everywhere, "messageId": "4"}


def test_a_long_address_is_kept_without_its_token() -> None:
    """What is left counts, not what came: a token makes no address too long to be kept."""
    address = f"{SHOP}?q={'x' * 900}"
    event = send(page(context={"page": {"url": f"{address}&cw={token()}"}}))
    assert event.context["page"]["url"] == address


def test_what_hides_behind_escapes_is_found() -> None:
    """JSON may write every character as its number."""
    body = json.dumps(page(f"{SHOP}?cw={token()}")).replace("cw=", "\\u0063\\u0077\\u003d").encode()
    headers = {"x-write-key": KEY, "user-agent": BROWSER}
    assert (
        app.handler(wire.to_payload("/v1/page", body, headers=headers, at=NOON), lambda_context())["statusCode"] == 200
    )
    (event,) = stored()
    assert event.arrival is not None
    assert event.properties["url"] == SHOP


@pytest.mark.parametrize(
    "other",
    [
        {"userId": "u-2"},
        {"context": {"userAgent": "Googlebot/2.1 (+http://www.google.com/bot.html)"}},
        {"context": {"backfill": True}},
    ],
    ids=["named", "bot", "backfill"],
)
def test_whoever_is_named_a_robot_or_imported_arrives_from_nowhere(other: Any, asked: list[Any]) -> None:
    """Then a token says nothing, and nobody asks for the keys; it is stored in no address all the same."""
    signed = token()
    asked.clear()
    event = send(page(f"{SHOP}?cw={signed}", **other), key=SERVER)
    assert event.arrival is None
    assert event.properties["url"] == SHOP
    assert asked == []


def bad_tokens() -> dict[str, str]:
    signed = token()
    payload, _, signature = signed.rpartition(".")
    key = secrets.link_secrets()[0]
    link = Unsubscribe(VISIT.who, VISIT.message, "email#" + "0f" * 20, links.Channel.EMAIL)
    return {
        "tampered": ("A" if payload[0] != "A" else "B") + payload[1:] + "." + signature,
        "cut": signed[:-1],
        "other purpose": unsubscribe_url("", link, [key]).rpartition("/")[2],
        "other salt": Signer([key], salt="cartwake.click").sign(payload).decode(),
        "other shop": visit_token(VISIT, [secrets.derive_secret("root of another shop", "links")]),
        "too long": visit_token(Visit("u#" + "x" * 180, "m" * 40, NOON), [key]) * 9,
        "none": "12",
        "expired": token(Visit(VISIT.who, VISIT.message, NOON - VISIT_WITHIN_MS)),
    }


@pytest.mark.parametrize("case", [
    "tampered", "cut", "other purpose", "other salt", "other shop", "too long", "none", "expired",
])  # fmt: skip
def test_a_bad_token_says_nothing_and_costs_nothing(case: str) -> None:
    """The event is stored as if its address had none."""
    event = send(page(f"{SHOP}?cw={bad_tokens()[case]}"))
    assert event.arrival is None
    assert event.properties["url"] == SHOP


def test_a_token_is_good_for_a_quarter_of_an_hour() -> None:
    """By the endpoint's own clock, whatever a client says the time is."""
    assert VISIT_WITHIN_MS == 15 * MINUTE
    late = page(f"{SHOP}?cw={token()}", timestamp="2026-11-21T12:00:00Z")
    assert send(late, at=NOON + VISIT_WITHIN_MS - 1).arrival is not None
    assert send(late, at=NOON + VISIT_WITHIN_MS).arrival is None


def test_nobody_asks_for_the_keys_without_a_token(asked: list[Any]) -> None:
    """A function that many events go through reads the secret once, and not before somebody arrives."""
    send(page(f"{SHOP}?a=cw&acw=1"))
    assert asked == []
    for number in range(3):
        send(page(f"{SHOP}?cw={visit_token(VISIT, KEYS)}", messageId="p-1", traits={"n": number}))
    assert asked == [{"attempts": 1, "read_timeout_seconds": 2}]


def test_an_unreadable_secret_loses_nothing(asked: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """The event goes first: it is stored at once, and for a minute nobody asks again."""
    monkeypatch.setenv("SECRET_ARN", "no-such-secret")
    good = page(f"{SHOP}?cw={visit_token(VISIT, KEYS)}")
    assert send(good).arrival is None
    assert send(good, at=NOON + MINUTE - 1).arrival is None
    assert len(asked) == 1
    monkeypatch.setenv("SECRET_ARN", "cartwake-secret")
    assert send(good, at=NOON + MINUTE).arrival is not None


@pytest.mark.parametrize("text", ["", "{}", "[", '{"root": 1}'])
def test_a_broken_secret_loses_nothing(text: str) -> None:
    """Nor does one that is no JSON, or lacks what keys are made from."""
    client("secretsmanager").put_secret_value(SecretId="cartwake-secret", SecretString=text or " ")
    assert send(page(f"{SHOP}?cw={visit_token(VISIT, KEYS)}")).arrival is None


def test_keys_rotate() -> None:
    """The newest signs and all verify; a key that this process does not know is looked for, once a minute."""
    old = token()
    assert send(page(f"{SHOP}?cw={old}")).arrival is not None
    keys.rotate_links(client("secretsmanager"), "cartwake-secret")
    stored_now = client("secretsmanager").get_secret_value(SecretId="cartwake-secret")["SecretString"]
    new = visit_token(VISIT, [secrets.derive_secret(json.loads(stored_now)["links"][0], "links")])
    assert send(page(f"{SHOP}?cw={new}"), at=NOON + MINUTE - 1).arrival is None
    assert send(page(f"{SHOP}?cw={new}"), at=NOON + MINUTE).arrival is not None
    assert send(page(f"{SHOP}?cw={old}"), at=NOON + MINUTE).arrival is not None


def test_no_token_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """Neither a good one nor a bad one, nor a part of it."""
    written, handler = StringIO(), logger.registered_handler
    assert isinstance(handler, StreamHandler)
    before = handler.setStream(written)
    try:
        signed = token()
        for text in (signed, signed[:-1]):
            send(page(f"{SHOP}?cw={text}"))
    finally:
        handler.setStream(before)
    log = written.getvalue() + capsys.readouterr().out
    assert '"recognised":true' in log
    assert '"recognised":false' in log
    assert not any(signed[at : at + 12] in log for at in range(len(signed) - 12))
