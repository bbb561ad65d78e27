"""The address of the local shop: known before the deploy, it hands requests on to the API once there is one.

The engine answers OPTIONS itself, where AWS calls the function of an OPTIONS route; here the function is called.
"""

import base64
import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault
from cartwake_cli.local.engine import HOST
from cartwake_cli.local.routes import Api, Route

type Json = Any
"""What JSON holds."""

PREFIXES = ("/v1/", "/unsubscribe/")
HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host", "content-length"}
ANSWER_SECONDS = 60
POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests go: the API and the engine that serves it."""

    cloud: Cloud
    api: Api

    @property
    def base(self) -> str:
        """The address under which the engine serves the API."""
        return f"{self.cloud.endpoint}/_aws/execute-api/{self.api.api_id}/$default"


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Json:
        """Read the body as JSON."""
        return json.loads(self.body)


@dataclass(slots=True)
class Gateway:
    """A reverse proxy on a port of its own; `target` is set when the stack is there."""

    server: ThreadingHTTPServer
    target: Target | None = None
    thread: threading.Thread | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """The address to give out as PublicUrl."""
        return f"http://{HOST}:{self.server.server_address[1]}"

    def close(self) -> None:
        """Stop answering and free the port."""
        self.server.shutdown()
        self.server.server_close()


def start(port: int = 0) -> Gateway:
    """Start answering, with 503 until there is a target.

    Raises:
        Fault: the wanted port is taken.
    """
    try:
        server = ThreadingHTTPServer((HOST, port), Forwarder)
    except OSError as error:
        raise Fault(f"port {port} is taken by another program; name another") from error
    gateway = Gateway(server)
    server.gateway = gateway  # type: ignore[attr-defined]
    gateway.thread = threading.Thread(target=server.serve_forever, args=(POLL_SECONDS,), daemon=True)
    gateway.thread.start()
    return gateway


class Forwarder(BaseHTTPRequestHandler):
    """Hands each request on, its body and headers untouched."""

    protocol_version = "HTTP/1.1"
    timeout = ANSWER_SECONDS

    def handle_any(self) -> None:
        """Answer any method."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer = self._answer(body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = handle_any  # noqa: N815 - names of the protocol

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the overridden one
        """Print nothing: addresses and tokens are in the paths."""

    def _answer(self, body: bytes) -> Answer:
        target: Target | None = self.server.gateway.target  # type: ignore[attr-defined]
        if target is None:
            return _refuse(503, "starting", "the stack is not deployed yet")
        if not self.path.startswith(PREFIXES):
            return _refuse(404, "not_found", f"this address serves {' and '.join(PREFIXES)}")
        headers = {name.lower(): value for name, value in self.headers.items()}
        if self.command == "OPTIONS":
            return call_function(target, self.path, headers)
        return forward(target, Request(self.command, self.path, headers, body))


@dataclass(frozen=True, slots=True)
class Request:
    """A request to hand on; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes = b""


def fetch(method: str, url: str, *, body: bytes = b"", headers: Mapping[str, str]) -> Answer:
    """Send one request to an address and return the answer, whatever its status."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=ANSWER_SECONDS)
    try:
        connection.request(method, parts._replace(scheme="", netloc="").geturl(), body=body or None, headers=headers)
        answer = connection.getresponse()
        return Answer(answer.status, dict(answer.getheaders()), answer.read())
    finally:
        connection.close()


def forward(target: Target, request: Request) -> Answer:
    """Send a request to the API and return its answer."""
    kept = {name: value for name, value in request.headers.items() if name not in HOP_BY_HOP}
    try:
        return fetch(request.method, target.base + request.path, body=request.body, headers=kept)
    except (OSError, http.client.HTTPException):
        return _refuse(502, "engine_gone", "the local engine does not answer")


def call_function(target: Target, path: str, headers: Mapping[str, str]) -> Answer:
    """Invoke the function behind an OPTIONS route with the event that AWS would send it."""
    parts = urlsplit(path)
    for route in target.api.routes:
        parameters = route.match("OPTIONS", parts.path)
        if parameters is not None:
            event = make_event(route, path, headers=headers, parameters=parameters)
            answer = target.cloud.client("lambda").invoke(
                FunctionName=target.api.functions[route.function], Payload=json.dumps(event).encode()
            )
            return read_answer(json.load(answer["Payload"]), failed="FunctionError" in answer)
    return _refuse(404, "not_found", "no route")


def make_event(route: Route, path: str, *, headers: Mapping[str, str], parameters: Mapping[str, str]) -> dict[str, Any]:
    """Make the payload 2.0 event of a request without a body."""
    parts = urlsplit(path)
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route.key,
        "rawPath": parts.path,
        "rawQueryString": parts.query,
        "headers": dict(headers),
        "requestContext": {
            "http": {
                "method": "OPTIONS",
                "path": parts.path,
                "protocol": "HTTP/1.1",
                "sourceIp": HOST,
                "userAgent": headers.get("user-agent", ""),
            },
            "requestId": f"local-{time.time_ns()}",
            "routeKey": route.key,
            "stage": "$default",
            "timeEpoch": time.time_ns() // 1_000_000,
        },
        "pathParameters": dict(parameters),
        "isBase64Encoded": False,
    }
    if parts.query:
        event["queryStringParameters"] = dict(parse_qsl(parts.query, keep_blank_values=True))
    return event


def read_answer(result: Mapping[str, Any], *, failed: bool) -> Answer:
    """Turn a function's result into the HTTP answer that the API would make of it."""
    if failed or "statusCode" not in result:
        return _refuse(500, "internal", "Internal Server Error")
    text = result.get("body") or ""
    body = base64.b64decode(text) if result.get("isBase64Encoded") else text.encode()
    return Answer(int(result["statusCode"]), result.get("headers") or {}, body)


def _refuse(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"code": code, "message": message}).encode()
    return Answer(status, {"content-type": "application/json"}, body)
