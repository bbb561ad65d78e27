"""The local public address: what it hands on and what it answers itself."""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.local import gateway
from cartwake_cli.local.routes import Api, Route

ROUTE = Route("OPTIONS", "/v1/{kind}", "Capture")


class Echo(BaseHTTPRequestHandler):
    """Stands for the engine: answers with what it was sent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = {"path": self.path, "headers": dict(self.headers), "body": base64.b64encode(body).decode()}
        self.send_response(202)
        self.send_header("X-Told", "yes")
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def engine_url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def public() -> Iterator[gateway.Gateway]:
    started = gateway.start()
    yield started
    started.close()


def test_before_the_deploy_the_answer_is_503(public: gateway.Gateway) -> None:
    """The address exists before the stack does, and says so."""
    assert gateway.fetch("POST", f"{public.url}/v1/batch", body=b"{}", headers={}).status == 503


def test_a_request_arrives_byte_for_byte(public: gateway.Gateway, engine_url: str) -> None:
    """Body, query and headers reach the API as they were sent, and its answer comes back whole."""
    public.target = gateway.Target(Cloud(engine_url), Api("a1b2", (ROUTE,), {}))
    body = bytes(range(256))
    sent = {"Content-Type": "application/octet-stream", "Authorization": "Basic d2s6"}
    answer = gateway.fetch("POST", f"{public.url}/v1/batch?a=%20b", body=body, headers=sent)
    told = answer.json()
    assert (answer.status, answer.headers["X-Told"]) == (202, "yes")
    assert told["path"] == "/_aws/execute-api/a1b2/$default/v1/batch?a=%20b"
    assert base64.b64decode(told["body"]) == body
    assert {name.title(): told["headers"][name] for name in told["headers"]}.items() >= sent.items()


def test_only_the_shops_paths_are_served(public: gateway.Gateway, engine_url: str) -> None:
    """The engine's other services are not reachable through the public address."""
    public.target = gateway.Target(Cloud(engine_url), Api("a1b2", (ROUTE,), {}))
    assert gateway.fetch("POST", f"{public.url}/_ministack/reset", body=b"x", headers={}).status == 404


def test_an_engine_that_is_gone_is_a_502(public: gateway.Gateway) -> None:
    """When nothing listens behind it, the address says so instead of hanging."""
    public.target = gateway.Target(Cloud("http://127.0.0.1:9"), Api("a1b2", (ROUTE,), {}))
    assert gateway.fetch("POST", f"{public.url}/v1/batch", body=b"x", headers={}).status == 502


def test_a_taken_port_is_named(public: gateway.Gateway) -> None:
    """A port in use is reported with its number and what to do."""
    port = int(public.url.rsplit(":", 1)[1])
    with pytest.raises(Fault, match=f"port {port} is taken"):
        gateway.start(port)


def test_a_preflight_is_an_event_of_payload_2() -> None:
    """The function gets what AWS would send it for OPTIONS."""
    event = gateway.make_event(ROUTE, "/v1/batch?a=1", headers={"origin": "https://s.test"}, parameters={"kind": "x"})
    assert event["version"] == "2.0"
    assert event["requestContext"]["http"]["method"] == "OPTIONS"
    assert (event["rawPath"], event["rawQueryString"]) == ("/v1/batch", "a=1")
    assert event["queryStringParameters"] == {"a": "1"}
    assert "body" not in event


@pytest.mark.parametrize(
    ("result", "failed", "status", "body"),
    [
        ({"statusCode": 204, "headers": {"a": "b"}}, False, 204, b""),
        ({"statusCode": 200, "body": "eA==", "isBase64Encoded": True}, False, 200, b"x"),
        ({"errorMessage": "no"}, True, 500, None),
        ({"body": "no status"}, False, 500, None),
    ],
)
def test_a_functions_result_becomes_the_answer(
    result: dict[str, object], failed: bool, status: int, body: bytes | None
) -> None:
    """Status, headers and body are the function's; its failure is a 500 that tells nothing of it."""
    answer = gateway.read_answer(result, failed=failed)
    assert answer.status == status
    assert body is None or answer.body == body
    assert b"no" not in answer.body
