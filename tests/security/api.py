"""The HTTP API of the template, in this process: what the API would hand to the function behind each route."""

import importlib
import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import yaml
from world import lambda_context

from tests.template.stack import ROOT, list_functions

DESCRIPTION = ROOT / "docs" / "openapi.yaml"
TEXT = re.compile(r"text/.*|application/(.*\+)?(json|xml|javascript).*")
"""The bodies that the API hands over as text; all else comes as base64."""

type Environ = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Route:
    """A route of the template and the folder of the function that answers."""

    method: str
    path: str
    function: str

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Match a request; return its path parameters, decoded, or None."""
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path))
        found = re.fullmatch(pattern, path) if method == self.method else None
        return {name: unquote(text, errors="replace") for name, text in found.groupdict().items()} if found else None


@cache
def list_routes() -> tuple[Route, ...]:
    """List the routes of the template."""
    return tuple(
        Route(event["Properties"]["Method"], event["Properties"]["Path"], function.name)
        for function in list_functions()
        for event in function.events
        if event["Type"] == "HttpApi"
    )


@cache
def describe() -> dict[str, Any]:
    """Read the description of the API."""
    description: dict[str, Any] = yaml.safe_load(DESCRIPTION.read_text())
    return description


class Api:
    """A WSGI application: the routes and the real handlers; it remembers every answer."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []

    def __call__(self, environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request."""
        answer = self.answer(environ)
        self.answers.append(answer)
        body = answer.get("body") or ""
        content = b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        status = HTTPStatus(answer["statusCode"])
        start(f"{status.value} {status.phrase}", list(answer.get("headers", {}).items()))
        return [content]

    @staticmethod
    def answer(environ: Environ) -> dict[str, Any]:
        """Hand a request to the function behind its route, as payload 2.0."""
        method, path = environ["REQUEST_METHOD"], environ.get("REQUEST_URI", environ["PATH_INFO"]).partition("?")[0]
        for route in list_routes():
            parameters = route.match(method, path)
            if parameters is not None:
                handler = importlib.import_module(f"functions.{route.function}.app").handler
                return dict(handler(make_payload(environ, path, parameters), lambda_context()))
        return {"statusCode": 404, "headers": {"content-type": "application/json"}, "body": '{"message":"Not Found"}'}


def make_payload(environ: Environ, path: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Make the payload 2.0 of a request."""
    headers = {
        name.removeprefix("HTTP_").replace("_", "-").lower(): value
        for name, value in environ.items()
        if name.startswith("HTTP_") or name in ("CONTENT_TYPE", "CONTENT_LENGTH")
    }
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length) if length else b""
    text = TEXT.fullmatch(headers.get("content-type", "")) is not None
    return {
        "version": "2.0",
        "rawPath": path,
        "headers": headers,
        "queryStringParameters": read_query(environ.get("QUERY_STRING", "")),
        "pathParameters": dict(parameters),
        "requestContext": {"http": {"method": environ["REQUEST_METHOD"], "path": path}},
        "body": body.decode(errors="replace") if text else b64encode(body).decode(),
        "isBase64Encoded": not text,
    }


def read_query(text: str) -> dict[str, str]:
    """Read a query as the API does: decoded, values of one name joined by commas."""
    found: dict[str, list[str]] = {}
    for pair in filter(None, text.split("&")):
        name, _, value = pair.partition("=")
        found.setdefault(unquote(name, errors="replace"), []).append(unquote(value, errors="replace"))
    return {name: ",".join(values) for name, values in found.items()}
