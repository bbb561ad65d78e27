"""Calls: a request to one of our pages, as the HTTP API hands it over."""

from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs

LARGEST_BODY: Final = 20_000
_MOST_FIELDS: Final = 200
_ONE_CLICK: Final = (b"List-Unsubscribe", b"One-Click")
_FIRST: Final = "unsubscribe"


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        route: The part of the path before the token.
        body: Decoded; what is too large for any form of ours is cut.
    """

    method: str
    route: str
    token: str
    body: bytes = b""
    user_agent: str = ""
    form: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def pressed_by(self) -> str:
        """Who pressed the button, the mail program or the shopper on our page; both forms of body name it alike."""
        return "one-click" if all(part in self.body for part in _ONE_CLICK) else "page"


def read_call(event: dict[str, Any]) -> Call:
    """Return the request that an event of payload 2.0 is."""
    parts = [part for part in str(event.get("rawPath", "")).split("/") if part]
    body = _read_body(event)
    return Call(
        method=event["requestContext"]["http"]["method"],
        route=parts[-2] if len(parts) > 1 else _FIRST,
        token=(event.get("pathParameters") or {}).get("token", ""),
        body=body,
        user_agent=str((event.get("headers") or {}).get("user-agent", "")),
        form=_read_form(body),
    )


def _read_body(event: dict[str, Any]) -> bytes:
    body = event.get("body") or ""
    try:
        content = b64decode(body) if event.get("isBase64Encoded") else body.encode(errors="replace")
    except ValueError:
        return b""
    return content[:LARGEST_BODY]


def _read_form(body: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(body.decode(errors="replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
