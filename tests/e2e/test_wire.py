"""Stock clients against the deployed stack: what they were recorded sending is answered and stored."""

import json
from typing import Any

import pytest
import wire
from httpx import Client

from cartwake_cli.local.world import World


@pytest.fixture(scope="module")
def endpoint(stack: World) -> World:
    """The stack with the write key that all clients were recorded with."""
    stack.add_key(wire.WRITE_KEY, "server")
    return stack


def post(endpoint: World, recorded: wire.Recorded) -> Any:
    headers = {name: value for name, value in recorded.headers.items() if name not in ("host", "content-length")}
    return endpoint.request(recorded.method, recorded.path, body=recorded.body, headers=headers)


def read_stored(endpoint: World) -> list[str]:
    """The message ids in the events table, once for each row."""
    return [item["key"].split("#", 1)[1].rsplit("#", 1)[0] for item in endpoint.scan("events")]


@pytest.mark.parametrize("client", wire.CLIENTS)
def test_every_recorded_request_is_answered_and_stored_once(endpoint: World, client: str) -> None:
    """Twice over, the second time sent and received later: rows are the distinct message ids.

    The local engine reads compressed JSON as text; that gets the error which says so, and nothing of it is stored.
    """
    wanted: set[str] = set()
    for recorded in wire.read_recordings(client):
        answer = post(endpoint, recorded)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        assert headers["access-control-allow-origin"] == recorded.headers.get("origin", "*")
        if recorded.method == "OPTIONS":
            assert answer.status in (200, 204)
            asked = {name.strip() for name in recorded.headers["access-control-request-headers"].split(",")}
            assert asked <= {name.strip().lower() for name in headers["access-control-allow-headers"].split(",")}
        elif recorded.is_gzip:
            assert (answer.status, answer.json()["code"]) == (400, "damaged_gzip")
        else:
            assert (answer.status, answer.body) == (200, b'{"success":true}')
            assert post(endpoint, recorded.sent_later(3_600)).status == 200
            wanted.update(recorded.message_ids)
    stored = [message_id for message_id in read_stored(endpoint) if message_id in wanted]
    assert len(wanted) > 25
    assert sorted(stored) == sorted(wanted)


def test_the_stock_python_client_delivers(stack: World) -> None:
    """Today's client from the package index, as a shop would use it, not a recording of it."""
    from segment.analytics.client import Client as SegmentClient

    failures: list[Any] = []
    client = SegmentClient(stack.server_key, host=stack.url, on_error=lambda error, _: failures.append(error))
    for number in range(3):
        client.track("wire-stock-client", "Product Viewed", {"product_id": f"p-{number}", "price": "19,90"})
    client.shutdown()
    assert failures == []
    assert len(stack.query("events", who="u#wire-stock-client")) == 3


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("/v1/batch", b"{", 400, "invalid_json"),
        ("/v1/track", json.dumps({"event": "e", "userId": "null"}).encode(), 400, "placeholder_id"),
        ("/v1/track", json.dumps({"event": "e", "userId": "u", "properties": {"x": "y" * 40_000}}).encode(), 400, None),
        ("/v1/nowhere", b"{}", 404, "unknown_route"),
    ],
)
def test_a_clear_error_reaches_the_page(stack: World, path: str, body: bytes, status: int, code: str | None) -> None:
    """With its code and message, and readable by the script that sent it."""
    with Client(base_url=stack.url, auth=(stack.browser_key, "")) as client:
        answer = client.post(
            path, content=body, headers={"content-type": "text/plain", "origin": "https://shop.example"}
        )
    assert answer.status_code == status
    assert answer.json()["code"] == (code or "event_too_large")
    assert answer.json()["message"]
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"


def test_an_unknown_key_is_refused(stack: World) -> None:
    """401, with the same headers."""
    answer = stack.post("/v1/track", {"event": "e", "userId": "wire-unknown"}, key="pk_unknown")
    assert (answer.status, answer.json()["code"]) == (401, "unknown_key")
    assert stack.query("events", who="u#wire-unknown") == []
