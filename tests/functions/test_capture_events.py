"""capture_events: what clients send is stored once, and everything else gets a clear answer."""

import gzip
import json
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from hashlib import sha256
from io import StringIO
from logging import StreamHandler
from typing import Any

import pytest
import wire
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models import dynamodb_backends
from world import aws, client, lambda_context

from cartwake.errors import TryAgain
from cartwake.events import Trust
from cartwake.store import events
from cartwake.store import keys as key_store
from cartwake.store.keys import KeyRow
from cartwake.telemetry import logger
from cartwake.times import MINUTE
from cartwake_cli.cloud import Cloud
from cartwake_cli.stack import Stack
from cartwake_cli.tables import Tables
from functions.capture_events import app
from tests.calls import record_calls

BROWSER, SERVER, SHOP_ONLY = "pk_browser", "sk_server", "pk_shop_only"
NOW = 1_795_290_600_000
EMAIL = "ada.lovelace@example.com"


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """One AWS for all tests of the module; starting it takes longer than most of them."""
    with aws():
        yield


@pytest.fixture
def endpoint(started: None) -> None:
    for table in dynamodb_backends["123456789012"]["eu-central-1"].tables.values():
        table.items.clear()
    app.keyring.forget()
    add_key(BROWSER, "browser")
    add_key(SERVER, "server")
    add_key(SHOP_ONLY, "browser", origins=["https://shop.example.com"])


@pytest.fixture
def log() -> Iterator[StringIO]:
    """What the function prints through its logger."""
    written, handler = StringIO(), logger.registered_handler
    assert isinstance(handler, StreamHandler)
    before = handler.setStream(written)
    yield written
    handler.setStream(before)


def add_key(text: str, trust: str, **more: Any) -> None:
    KeyRow(sha256(text.encode()).hexdigest(), trust=trust, created_at=NOW, **more).save()


def send(path: str, data: Any, *, key: str = BROWSER, at: int = NOW, **headers: str) -> dict[str, Any]:
    body = data if isinstance(data, bytes) else json.dumps(data).encode()
    if key:
        headers["authorization"] = "Basic " + b64encode(f"{key}:".encode()).decode()
    return app.handler(wire.to_payload(path, body, headers=headers, at=at), lambda_context())


def post_recorded(recorded: wire.Recorded, *, at: int = NOW) -> dict[str, Any]:
    payload = wire.to_payload(recorded.path, recorded.body, headers=recorded.headers, method=recorded.method, at=at)
    return app.handler(payload, lambda_context())


def scan(table: str) -> list[dict[str, Any]]:
    return client("dynamodb").scan(TableName=table)["Items"]


def stored() -> list[Any]:
    return [events.get_event(item["who"]["S"], item["key"]["S"]) for item in scan("events")]


def track(**more: Any) -> dict[str, Any]:
    return {"type": "track", "event": "Product Added", "userId": "u-1", "messageId": "m-1"} | more


def code_of(answer: dict[str, Any]) -> str:
    body = json.loads(answer["body"])
    assert body["success"] is False
    assert body["message"]
    return body["code"]


@pytest.mark.parametrize("client", wire.CLIENTS)
def test_every_recorded_request_is_answered_as_its_client_wants(endpoint: None, client: str) -> None:
    """200 with exactly the success body for a POST, and a preflight that allows the request; CORS on both."""
    add_key(wire.WRITE_KEY, "browser" if "browser" in client else "server")
    recordings = wire.read_recordings(client)
    assert len(recordings) >= 5
    for recorded in recordings:
        answer = post_recorded(recorded)
        headers = answer["headers"]
        assert headers["access-control-allow-origin"] == recorded.headers.get("origin", "*")
        if recorded.method == "OPTIONS":
            assert answer["statusCode"] == 204
            wanted = recorded.headers["access-control-request-headers"].split(",")
            assert {name.strip() for name in wanted} <= set(headers["access-control-allow-headers"].split(", "))
            assert "POST" in headers["access-control-allow-methods"]
            assert headers["access-control-max-age"] == "7200"
        else:
            assert (answer["statusCode"], answer["body"]) == (200, '{"success":true}')


@pytest.mark.parametrize("client", wire.CLIENTS)
def test_rows_are_the_distinct_message_ids_also_when_all_is_sent_again(endpoint: None, client: str) -> None:
    """A retry, with another `sentAt` and received at another time, changes the number of rows by nothing."""
    add_key(wire.WRITE_KEY, "server")
    recordings = [recorded for recorded in wire.read_recordings(client) if recorded.method == "POST"]
    message_ids = {message_id for recorded in recordings for message_id in recorded.message_ids}
    for again, recorded in ((again, recorded) for again in (0, 1) for recorded in recordings):
        sent = recorded.sent_later(3_600) if again else recorded
        assert post_recorded(sent, at=NOW + again * 7_200_000)["statusCode"] == 200
    found = stored()
    assert {event.id for event in found} == message_ids
    assert len(found) == len(message_ids)


def test_the_recordings_hold_compressed_bodies(endpoint: None) -> None:
    """The gzip that two clients send is among what the tests above store, arriving as base64."""
    compressed = [each for client in wire.CLIENTS for each in wire.read_recordings(client) if each.is_gzip]
    assert {each.client for each in compressed} == {"rudder-sdk-python", "segment-analytics-python"}
    assert all(wire.to_payload(each.path, each.body)["isBase64Encoded"] for each in compressed)


@pytest.mark.parametrize("path", ["/v1/t", "/v1/track", "/v1/b", "/v1/batch"])
def test_long_and_short_routes(endpoint: None, path: str) -> None:
    """One-letter routes are the same as the long ones."""
    data = {"batch": [track()]} if path.endswith(("b", "batch")) else track()
    assert send(path, data)["statusCode"] == 200
    assert [event.name for event in stored()] == ["Product Added"]


@pytest.mark.parametrize(
    ("headers", "query", "inside"),
    [
        ({"authorization": "Basic " + b64encode(b"pk_browser:").decode()}, "", {}),
        ({"authorization": "basic " + b64encode(b"pk_browser:secret").decode()}, "", {}),
        ({"x-write-key": "pk_browser:secret"}, "", {}),
        ({"X-Write-Key": "pk_browser"}, "", {}),
        ({}, "?writeKey=pk_browser", {}),
        ({}, "", {"writeKey": "pk_browser"}),
        ({"authorization": "Basic !"}, "", {"writeKey": "pk_browser"}),
    ],
)
def test_where_a_write_key_may_stand(endpoint: None, headers: dict[str, str], query: str, inside: Any) -> None:
    """In Basic authentication, a header, the address, or the body."""
    payload = wire.to_payload(f"/v1/track{query}", json.dumps(track() | inside).encode(), headers=headers, at=NOW)
    assert app.handler(payload, lambda_context())["statusCode"] == 200


@pytest.mark.parametrize("key", ["", "pk_wrong", "\ud800"])
def test_an_unknown_key_is_refused(endpoint: None, key: str) -> None:
    """401, as JSON with a code, readable by the page's own script."""
    payload = wire.to_payload("/v1/track", json.dumps(track(writeKey=key)).encode(), headers={"origin": "https://a"})
    answer = app.handler(payload, lambda_context())
    assert answer["statusCode"] == 401
    assert code_of(answer) == "unknown_key"
    assert answer["headers"]["access-control-allow-origin"] == "https://a"
    assert stored() == []


def test_a_revoked_key_is_refused_within_a_minute(endpoint: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process remembers keys, and what is no key, for a minute and no longer, and looks up once."""
    looked_up = []
    monkeypatch.setattr(
        app.keyring, "find", lambda key_hash: looked_up.append(key_hash) or key_store.find_key(key_hash)
    )
    assert send("/v1/track", track())["statusCode"] == 200
    add_key(BROWSER, "browser", revoked_at=NOW)
    assert send("/v1/track", track(), at=NOW + MINUTE - 1)["statusCode"] == 200
    assert len(looked_up) == 1
    assert send("/v1/track", track(), at=NOW + MINUTE)["statusCode"] == 401
    assert send("/v1/track", track(), key="pk_new", at=NOW)["statusCode"] == 401
    add_key("pk_new", "browser")
    assert send("/v1/track", track(), key="pk_new", at=NOW + 1)["statusCode"] == 401
    assert send("/v1/track", track(), key="pk_new", at=NOW + MINUTE)["statusCode"] == 200


def test_a_key_with_origins_serves_no_other_page(endpoint: None) -> None:
    """A request from another page's origin is refused; the preflight, which carries no key, is not."""
    assert send("/v1/track", track(), key=SHOP_ONLY, origin="https://shop.example.com")["statusCode"] == 200
    answer = send("/v1/track", track(), key=SHOP_ONLY, origin="https://thief.example")
    assert (answer["statusCode"], code_of(answer)) == (403, "origin_not_allowed")
    assert answer["headers"]["access-control-allow-origin"] == "https://thief.example"


def test_trust_is_the_keys(endpoint: None) -> None:
    """A browser cannot say that it is a server, nor import history, nor overwrite what a server said."""
    data = track(timestamp="2026-11-21T19:00:00Z", trust="server", context={"backfill": True})
    send("/v1/track", data | {"properties": {"price": 1}}, key=SERVER)
    send("/v1/track", data | {"properties": {"price": 2}})
    found = {event.trust: event for event in stored()}
    assert found[Trust.SERVER].backfill
    assert found[Trust.SERVER].properties == {"price": 1}
    assert not found[Trust.BROWSER].backfill


def nest(depth: int) -> str:
    return "[" * depth + "]" * depth


BAD_EVENTS = {
    "40 KB": (json.dumps(track(properties={"note": "x" * 40_000})), "event_too_large"),
    "NaN": ('{"type":"track","event":"e","userId":"u","properties":{"price":NaN}}', "invalid_number"),
    "infinity": ('{"type":"track","event":"e","userId":"u","properties":{"price":-Infinity}}', "invalid_number"),
    "1e999": ('{"type":"track","event":"e","userId":"u","properties":{"price":1e999}}', "invalid_number"),
    "huge int": (f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{"9" * 30}}}}}', "invalid_number"),
    "5,000 digits": (
        f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{"9" * 5000}}}}}',
        "invalid_number",
    ),
    "64 bits": (json.dumps(track(properties={"n": 2**63})), "invalid_number"),
    "depth 13": (f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{nest(11)}}}}}', "too_deep"),
    "depth 1,000": (f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{nest(1_000)}}}}}', "too_deep"),
    "depth 100,000": (f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{nest(100_000)}}}}}', "too_deep"),
    "lone surrogate": ('{"type":"track","event":"e\\ud800","userId":"u"}', "invalid_text"),
    "lone low surrogate": ('{"type":"track","event":"e","userId":"u","properties":{"\\uDC00":1}}', "invalid_text"),
    "NUL": ('{"type":"track","event":"e","userId":"u\\u0000"}', "invalid_text"),
    "a year ahead": (json.dumps(track(timestamp="2027-11-21T19:00:00Z")), "clock_off"),
    "long ago": (json.dumps(track(timestamp="1970-01-01T00:00:00Z")), "clock_off"),
    "no time": (json.dumps(track(timestamp="yesterday")), "invalid_time"),
    "nobody": ('{"type":"track","event":"e"}', "no_identity"),
    "null": (json.dumps(track(userId="null", anonymousId=None)), "placeholder_id"),
    "long id": (json.dumps(track(userId="ł" * 91)), "id_too_long"),
    "no name": (json.dumps(track(event="")), "invalid_event"),
    "list": ('["track"]', "invalid_event"),
    "properties": (json.dumps(track(properties=[1])), "invalid_event"),
    "user id": (json.dumps(track(userId={"id": 1})), "invalid_event"),
}


@pytest.mark.parametrize("case", BAD_EVENTS)
def test_a_bad_event_alone_is_refused_inside_a_batch(
    endpoint: None, case: str, capsys: pytest.CaptureFixture[str], log: StringIO
) -> None:
    """Its neighbours are stored, the batch is answered 200, and why is kept, without what it said."""
    bad, code = BAD_EVENTS[case]
    good = [json.dumps(track(messageId=f"good-{side}", properties={"email": EMAIL})) for side in ("left", "right")]
    answer = send("/v1/batch", f'{{"batch":[{good[0]},{bad},{good[1]}]}}'.encode())
    assert (answer["statusCode"], answer["body"]) == (200, '{"success":true}')
    assert {event.id for event in stored()} == {"good-left", "good-right"}
    (kept,) = scan("quarantine")
    assert kept["reason"]["S"] == code
    assert kept["where"]["S"].startswith("batch[1]")
    assert "body" not in kept
    assert '"EventsRefused":[1.0]' in capsys.readouterr().out
    assert f'"reasons":{{"{code}":1}}' in log.getvalue()
    assert EMAIL not in log.getvalue()


@pytest.mark.parametrize("case", [case for case in BAD_EVENTS if case != "list"])
def test_a_bad_event_on_its_own_route_gets_the_reason(endpoint: None, case: str) -> None:
    """400 with the code, and a message that says where and what."""
    bad, code = BAD_EVENTS[case]
    answer = send("/v1/track", bad.encode())
    assert answer["statusCode"] == 400
    assert code_of(answer) == code
    assert answer["headers"]["access-control-allow-origin"] == "*"
    assert stored() == []


UNREADABLE = {
    "NaN": b'"userId":"u-9","properties":{"n":NaN}',
    "too large": b'"userId":"u-9","properties":{"t":"' + b"x" * 33_000 + b'"}',
    "too deep": b'"userId":"u-9","properties":{"t":' + b"[" * 30 + b"]" * 30 + b"}",
    "far too deep": b'"userId":"u-9","properties":{"t":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "surrogate": b'"userId":"u-9","properties":{"t":"\\ud800"}',
    "no UTF-8": b'"userId":"u-9","properties":{"t":"\xff"}',
    "user id of a number": b'"userId":9007199254740993,"properties":{"n":NaN}',
    "visitor": b'"anonymousId":"v-9","properties":{"n":NaN}',
    "user before visitor": b'"anonymousId":"v-8","userId":"u-9","properties":{"n":NaN}',
    "bad user id": b'"userId":{"id":1},"anonymousId":"v-9","properties":{"n":1}',
    "too long a user id": b'"userId":"' + b"x" * 181 + b'","anonymousId":"v-9"',
    "user id with NUL": b'"userId":"\\u0000","anonymousId":"v-9"',
    "placeholder": b'"userId":"null","anonymousId":"v-9","properties":{"n":NaN}',
}


@pytest.mark.parametrize("case", UNREADABLE)
@pytest.mark.parametrize("batch", [True, False])
def test_a_refusal_is_shown_to_whom_the_event_names(endpoint: None, case: str, batch: bool) -> None:
    """Whatever else of an event cannot be read: whom it plainly names learns from `cartwake explain` why it is not."""
    event = b'{"type":"track","event":"e",' + UNREADABLE[case] + b"}"
    send("/v1/batch" if batch else "/v1/track", b'{"batch":[' + event + b"]}" if batch else event)
    assert stored() == []
    text = "9007199254740993" if "of a number" in case else "u-9" if b'"u-9"' in event else "v-9"
    names = ("events", "profiles", "runs", "slots", "messages", "quarantine", "coupons", "participants")
    outputs = {f"{name.title()}Table": name for name in names}
    stack = Stack.from_outputs("shop", outputs | {"SecretArn": "cartwake-secret", "BucketName": "rules-bucket"})
    tables = Tables(Cloud(region="eu-central-1"), stack)
    key = tables.find_key(text)
    assert key == f"{'a' if text == 'v-9' else 'u'}#{text}"
    (refused,) = tables.read_facts(key).refused
    assert refused[0] in {
        "invalid_number",
        "event_too_large",
        "too_deep",
        "invalid_text",
        "invalid_event",
        "id_too_long",
    }


@pytest.mark.parametrize(
    "who", ['"userId":"\\u0000"', '"userId":"guest"', '"userId":[1]', '"userId":1e999', '"userId":"\xff"']
)
def test_a_refusal_of_nobody_is_nobodys(endpoint: None, who: str) -> None:
    """Where an event names nobody plainly, its refusal is counted and kept under no shopper's key."""
    send("/v1/batch", f'{{"batch":[{{"type":"track","event":"e",{who},"n":NaN}}]}}'.encode("latin-1"))
    assert scan("quarantine")[0]["who"]["S"] == "?"


def test_raw_bytes_that_are_no_text_cost_only_their_event(endpoint: None) -> None:
    """A surrogate, or any byte that is not UTF-8, in one event of a batch leaves the others as they are."""
    bad = b'{"type":"track","event":"\xed\xa0\x80","userId":"u"}'
    good = json.dumps(track()).encode()
    assert send("/v1/batch", b'{"batch":[' + bad + b"," + good + b"]}")["statusCode"] == 200
    assert [event.id for event in stored()] == ["m-1"]
    assert scan("quarantine")[0]["reason"]["S"] == "invalid_text"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/track", b"", 400, "invalid_json"),
        ("/v1/track", b"{", 400, "invalid_json"),
        ("/v1/track", b'"track"', 400, "invalid_event"),
        ("/v1/batch", b"[]", 400, "invalid_event"),
        ("/v1/batch", b'{"batch": 5}', 400, "invalid_event"),
        ("/v1/batch", b"{}", 400, "invalid_event"),
        ("/v1/batch", b'{"batch": [{"a": tru}]}', 400, "invalid_json"),
        ("/v1/batch", b'{"batch": [' + b"[" * 200_000, 400, "invalid_json"),
        ("/v1/batch", b'{"batch": [' + b"[" * 700_000, 400, "invalid_json"),
        ("/v1/batch", b'{"context": {"traits": {"n": 1e30}}, "batch": [{}]}', 400, "invalid_number"),
        ("/v1/batch", b'{"batch": [' + b",".join([b"{}"] * 1_001) + b"]}", 413, "body_too_large"),
        ("/v1/batch", b" " * (4 * 1024 * 1024), 400, "invalid_json"),
        ("/v1/batch", b" " * (4 * 1024 * 1024 + 1), 413, "body_too_large"),
        ("/v1/batch", gzip.compress(b" " * (10 * 1024 * 1024)), 400, "invalid_json"),
        ("/v1/batch", gzip.compress(b" " * (10 * 1024 * 1024 + 1)), 413, "body_too_large"),
        ("/v1/batch", gzip.compress(b'{"batch": []}')[:-9], 400, "damaged_gzip"),
        ("/v1/batch", gzip.compress(b'{"batch": []}') + b"more", 400, "damaged_gzip"),
        ("/v1/batch", gzip.compress(b'{"batch": []}').decode(errors="replace").encode(), 400, "damaged_gzip"),
        ("/v1/import", b"{}", 404, "unknown_route"),
    ],
)
def test_a_body_that_is_no_use_gets_a_clear_answer(
    endpoint: None, path: str, body: bytes, status: int, code: str
) -> None:
    """A code and a message, never a redirect, 408 or 410, and nothing stored."""
    answer = send(path, body)
    assert (answer["statusCode"], code_of(answer)) == (status, code)
    assert stored() == []


def test_gzip_is_recognised_whatever_the_headers_say(endpoint: None) -> None:
    """The first two bytes tell; some clients label it as a form, others do not label it at all."""
    body = gzip.compress(json.dumps({"batch": [track()]}).encode())
    assert send("/v1/batch", body, **{"content-type": "application/x-www-form-urlencoded"})["statusCode"] == 200
    assert len(stored()) == 1


def test_a_message_that_is_damaged_gzip_says_what_to_do(endpoint: None) -> None:
    """Whoever reads the answer learns how to send it so that it arrives."""
    answer = send("/v1/batch", gzip.compress(b"{}").decode(errors="replace").encode())
    assert "turn gzip off" in json.loads(answer["body"])["message"]


def test_one_batch_with_doubles_is_written_once(endpoint: None) -> None:
    """DynamoDB refuses a batch that names a key twice; of the doubles the last one stays."""
    doubles = [track(properties={"n": number}, timestamp="2026-11-21T19:00:00Z") for number in range(3)]
    assert send("/v1/batch", {"batch": doubles})["statusCode"] == 200
    assert [event.properties for event in stored()] == [{"n": 2}]


def test_large_batches_are_taken_whole(endpoint: None) -> None:
    """101 events in 3 MB, as one client sends them, are stored."""
    batch = [track(messageId=f"m-{number}", properties={"note": "x" * 30_000}) for number in range(101)]
    assert send("/v1/batch", {"batch": batch})["statusCode"] == 200
    assert len(stored()) == 101


def test_at_most_twenty_refusals_of_a_request_are_kept(endpoint: None, capsys: pytest.CaptureFixture[str]) -> None:
    """A flood of nonsense costs twenty rows, and all of it is counted."""
    send("/v1/batch", {"batch": [{"type": "track", "userId": f"u-{number}"} for number in range(30)]})
    assert len(scan("quarantine")) == 20
    assert '"EventsRefused":[30.0]' in capsys.readouterr().out


def test_what_cannot_be_stored_now_is_asked_for_again(endpoint: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 with Retry-After, which pages can read: every client sends the same again, and the rows are the same."""
    with monkeypatch.context() as broken:
        broken.setattr(app.events, "put_events", raise_try_again)
        answer = send("/v1/track", track(), origin="https://shop.example.com")
    assert answer["statusCode"] == 503
    assert int(answer["headers"]["retry-after"]) > 0
    assert answer["headers"]["access-control-expose-headers"] == "Retry-After"
    assert code_of(answer) == "try_again"
    assert send("/v1/track", track(), at=NOW + 2_000)["statusCode"] == 200
    assert len(stored()) == 1


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "AccessDeniedException", "ThrottlingException"])
def test_a_table_that_fails_is_an_answer_and_no_error(
    endpoint: None, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    """Whatever DynamoDB says, clients get 503 and nothing is raised: Lambda counts no error, so the API is watched."""
    plain = BaseClient._make_api_call

    def call(client: Any, name: str, asked: dict[str, Any]) -> Any:
        if name in {"PutItem", "BatchWriteItem"}:
            raise ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, name)
        return plain(client, name, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert send("/v1/track", track())["statusCode"] == 503
    assert (
        send("/v1/batch", {"batch": [track() | {"type": "track", "messageId": n} for n in "ab"]})["statusCode"] == 503
    )


def raise_try_again(*args: Any) -> None:
    raise TryAgain("throttled")


def test_one_event_costs_one_call_and_one_write_unit(endpoint: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event of up to 1.6 KB, as browsers send it, is one PutItem of at most 1 KB; 25 are one BatchWriteItem."""
    recordings = wire.read_recordings("segment-analytics-next-browser")
    samples = [each.body for each in recordings if len(each.body) > 1_100 and "batch" not in each.data]
    assert len(samples) > 30
    send("/v1/track", track())
    calls = record_calls(monkeypatch)
    for sample in samples:
        assert send(f"/v1/{json.loads(sample)['type']}", sample)["statusCode"] == 200
    assert [name for name, _ in calls] == ["PutItem"] * len(samples)
    assert max(measure_item(parameters["Item"]) for _, parameters in calls) <= 1_024
    calls.clear()
    send("/v1/batch", {"batch": [track(messageId=f"m-{number}") for number in range(25)]})
    assert [name for name, _ in calls] == ["BatchWriteItem"]


def measure_item(item: dict[str, Any]) -> int:
    """The size of an item as DynamoDB counts it: names and values, numbers at most 21 bytes."""
    size = 0
    for name, value in item.items():
        ((kind, content),) = value.items()
        size += len(name) + (21 if kind == "N" else len(content.encode() if isinstance(content, str) else content))
    return size


def test_nothing_that_identifies_a_person_is_printed(
    endpoint: None, capsys: pytest.CaptureFixture[str], log: StringIO
) -> None:
    """Neither addresses nor ids nor keys nor names of properties: good events, refused ones and broken bodies alike."""
    secret = "zaphod"
    person = {"userId": f"{secret}-user", "anonymousId": f"{secret}-anonymous", "messageId": f"{secret}-message"}
    send("/v1/identify", person | {"traits": {"email": f"{secret}@example.com"}})
    send("/v1/track", person | {"event": f"{secret} event", "properties": {f"{secret}@example.com": 1e300}})
    send("/v1/track", person | {"event": "e", "timestamp": secret})
    send("/v1/batch", {"batch": [person | {"type": secret}]})
    send("/v1/track", f'{{"{secret}": {secret}}}'.encode(), key=f"{secret}-key")
    send("/v1/track", f'{{"{secret}": {secret}}}'.encode())
    printed = capsys.readouterr()
    assert "events captured" in log.getvalue()
    assert secret not in (printed.out + printed.err + log.getvalue()).lower()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    (
        *("type", "event", "userId", "anonymousId", "previousId", "groupId", "messageId", "timestamp"),
        *("originalTimestamp", "sentAt", "properties", "traits", "context", "name", "writeKey", "integrations"),
    )
)
CALLS = st.dictionaries(FIELDS, JSON | st.sampled_from(["track", "identify", "page", "group", "alias", "screen"]))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(odd=st.lists(CALLS | JSON, max_size=3), wrapper=st.dictionaries(st.sampled_from(["sentAt", "context"]), JSON))
def test_nothing_that_is_sent_breaks_the_handler(endpoint: None, odd: list[Any], wrapper: dict[str, Any]) -> None:
    """Wrong types everywhere give an answer below 500, and what is stored can be read; good neighbours are stored."""
    good = track(messageId="good", timestamp="2026-11-21T19:00:00Z")
    for event in odd:
        assert send("/v1/track", event)["statusCode"] in (200, 400)
    answer = send("/v1/batch", {"batch": [*odd, good]})
    assert (answer["statusCode"], answer["body"]) == (200, '{"success":true}')
    assert send("/v1/batch", wrapper | {"batch": odd})["statusCode"] in (200, 400)
    assert "good" in {event.id for event in stored()}


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=200), at=st.integers(0, 200))
def test_no_bytes_break_the_handler(endpoint: None, body: bytes, at: int) -> None:
    """Any bytes, alone or in the middle of a good batch, give an answer below 500."""
    good = json.dumps({"batch": [track()]}).encode()
    for sent in (body, good[:at] + body + good[at:], b"\x1f\x8b" + body, gzip.compress(body)):
        assert send("/v1/batch", sent)["statusCode"] in (200, 400)


def test_a_cold_start_imports_nothing_that_it_can_do_without() -> None:
    """No pydantic, HTTP resolver, Tracer, template engine, crawler list or boto3 resource on this path."""
    program = "import functions.capture_events.app, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environment()
    )
    modules = set(done.stdout.split())
    assert "cartwake.store.events" in modules
    for unwanted in (
        "pydantic", "aws_lambda_powertools.event_handler", "aws_xray_sdk", "jinja2", "crawlerdetect",
        "mrml", "nh3", "phonenumbers", "email_validator", "boto3",
    ):  # fmt: skip
        assert unwanted not in modules


def environment() -> dict[str, str]:
    import os

    return os.environ | {"PYTHONPATH": ":".join(path for path in sys.path if path)}
