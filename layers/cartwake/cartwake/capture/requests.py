"""Requests to the tracking endpoint and its answers: the part of HTTP that clients rely on."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from cartwake.capture.bodies import unpack_body
from cartwake.capture.intake import KINDS, TYPES
from cartwake.errors import BadInput
from cartwake.reasons import Refusal
from cartwake.times import Instant

type Answer = dict[str, Any]
"""What the API turns into an HTTP answer: `statusCode`, `headers`, `body`."""

STATUSES: Final[dict[str, int]] = {
    Refusal.UNKNOWN_KEY: 401,
    Refusal.ORIGIN_NOT_ALLOWED: 403,
    Refusal.UNKNOWN_ROUTE: 404,
    Refusal.BODY_TOO_LARGE: 413,
}
"""Of refusals that are not answered with 400."""
RETRY_AFTER_SECONDS: Final = 2
ALLOWED_HEADERS: Final = (
    "authorization, content-type, anonymousid, sentat, x-write-key, "
    "x-retry-count, rsa-retry-attempt, rsa-retry-reason, rsa-since-first-attempt, rsa-since-last-attempt"
)
"""The last five are sent only on retries: without them one 503 would lose the event for good."""
_ORIGIN: Final = re.compile(r"[!-~]{1,300}")
"""What may be repeated in a header."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the HTTP API hands it over (payload 2.0); header names in lower case.

    Attributes:
        kind: The route's long name, as in `/v1/{kind}`; `t` is `track`.
        write_key: From the headers or the address; "" when only the body can hold it.
        text: The body, still packed.
    """

    method: str
    kind: str
    headers: Mapping[str, str]
    write_key: str
    received_at: Instant
    text: str
    is_base64: bool

    @property
    def origin(self) -> str:
        """The web page's origin; "" when no browser says one."""
        return self.headers.get("origin", "")

    @property
    def sent_at(self) -> str:
        """The time in the `SentAt` header, which some clients encode in base64."""
        told = self.headers.get("sentat", "")
        return told if "-" in told or not told else _decode_base64(told)

    def unpack(self) -> bytes:
        """Return the body's bytes, inflated.

        Raises:
            BadInput: It is too large or damaged.
        """
        return unpack_body(self.text, is_base64=self.is_base64)


def read_request(payload: Mapping[str, Any], *, now: Instant) -> Request:
    """Return the request in the API's payload; *now* counts where the payload does not say when it came."""
    told = payload.get("requestContext") or {}
    headers = {name.lower(): value for name, value in (payload.get("headers") or {}).items()}
    query = payload.get("queryStringParameters") or {}
    kind = (payload.get("pathParameters") or {}).get("kind", "")
    return Request(
        method=(told.get("http") or {}).get("method", ""),
        kind=KINDS.get(kind, kind),
        headers=headers,
        write_key=_read_basic(headers) or headers.get("x-write-key", "").partition(":")[0] or query.get("writeKey", ""),
        received_at=told.get("timeEpoch") or now,
        text=payload.get("body") or "",
        is_base64=payload.get("isBase64Encoded") is True,
    )


def check_route(request: Request) -> None:
    """Refuse a route that does not exist, whatever the API lets through: what a link can do changes nothing.

    Raises:
        BadInput: It is not one of ours.
    """
    if request.method != "POST" or request.kind not in (*TYPES, "batch"):
        routes = ", ".join(("batch", *TYPES))
        raise BadInput(Refusal.UNKNOWN_ROUTE, f"there is no such route; post to /v1/ and one of {routes}")


def answer_ok(origin: str) -> Answer:
    """Return the one answer that every client takes for success."""
    return _answer(200, origin, b'{"success":true}')


def answer_fault(origin: str, fault: BadInput) -> Answer:
    """Return the answer to a request that cannot be accepted; clients give up on it."""
    return _answer(STATUSES.get(fault.code, 400), origin, _encode_fault(fault.code, fault.message))


def answer_later(origin: str) -> Answer:
    """Return the answer that makes clients send the same again, which changes nothing twice."""
    answer = _answer(503, origin, _encode_fault("try_again", "the events could not be stored now; send them again"))
    answer["headers"]["retry-after"] = str(RETRY_AFTER_SECONDS)
    return answer


def answer_preflight(origin: str) -> Answer:
    """Return the answer to OPTIONS; which origins a key allows is seen when the request itself comes."""
    answer = _answer(204, origin, b"")
    answer["headers"] |= {
        "access-control-allow-methods": "POST, OPTIONS",
        "access-control-allow-headers": ALLOWED_HEADERS,
        "access-control-max-age": "7200",
    }
    return answer


def _answer(status: int, origin: str, body: bytes) -> Answer:
    headers = {
        "content-type": "application/json",
        "access-control-allow-origin": origin if _ORIGIN.fullmatch(origin) else "*",
        "access-control-expose-headers": "Retry-After",
        "vary": "Origin",
    }
    return {"statusCode": status, "headers": headers, "body": body.decode()}


def _encode_fault(code: str, message: str) -> bytes:
    return msgspec.json.encode({"success": False, "code": code, "message": message})


def _read_basic(headers: Mapping[str, str]) -> str:
    """Return the user of Basic authentication, where clients put the write key; a password is not looked at."""
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return _decode_base64(credentials).partition(":")[0] if scheme.lower() == "basic" else ""


def _decode_base64(text: str) -> str:
    try:
        return b64decode(text).decode()
    except ValueError:
        return ""
