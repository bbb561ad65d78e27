"""Bodies of requests: unpacked within limits, and cut into events so that a broken one does not spoil the others."""

import re
import zlib
from base64 import b64decode
from typing import Any, Final

import msgspec
from msgspec import Raw

from cartwake.arrivals import may_hold
from cartwake.capture.vetting import LARGEST_EVENT_BYTES
from cartwake.errors import BadInput
from cartwake.reasons import Refusal

MOST_SENT_BYTES: Final = 4 * 1024 * 1024
"""Lambda takes an event of 6 MB, in which the body stands escaped, or in base64."""
MOST_BYTES: Final = 10 * 1024 * 1024
"""Of a body when it is inflated."""
MOST_EVENTS: Final = 1_000
MOST_TOKENS: Final = 600_000
"""A broken body with more texts and brackets is refused as a whole: looking for what is broken takes a second then."""
_KEPT_DEPTH: Final = 40


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What a body holds: its events, still as bytes, and what it says about all of them.

    Attributes:
        marked: In what it says of all of them there may be a token of somebody who comes from a message.
    """

    events: list[bytes]
    batch: bool
    write_key: str = ""
    sent_at: Any = None
    context: dict[str, Any] = {}
    marked: bool = False


class _Batch(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    batch: list[Raw]
    write_key: Any = None
    sent_at: Any = None
    context: Raw = Raw(b"{}")


class _Single(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    write_key: Any = None
    sent_at: Any = None


def unpack_body(text: str, *, is_base64: bool) -> bytes:
    """Return the bytes of a body as the API hands it over, inflated if they begin like gzip whatever the headers say.

    Raises:
        BadInput: Too large as it was sent, or when inflated, or gzip that was damaged on its way.
    """
    if not is_base64 and text.startswith("\x1f"):
        raise BadInput(
            Refusal.DAMAGED_GZIP,
            "the gzip body was read as text on its way and cannot be restored; send it as application/octet-stream, "
            "or turn gzip off in the client",
        )
    try:
        body = b64decode(text) if is_base64 else text.encode(errors="surrogatepass")
    except ValueError as error:
        raise BadInput(Refusal.INVALID_JSON, "the body is not the base64 that it is said to be") from error
    if len(body) > MOST_SENT_BYTES:
        raise _too_large()
    if body.startswith(b"\x1f\x8b"):
        body = _inflate(body)
    return body.removeprefix(b"\xef\xbb\xbf")


def open_batch(body: bytes) -> Envelope:
    """Return what the body of `/v1/batch` holds.

    Raises:
        BadInput: Not JSON, not a batch, too many events, or too much said of all of them.
    """
    batch, _ = _decode(_batches, body)
    if len(batch.batch) > MOST_EVENTS:
        raise BadInput(Refusal.BODY_TOO_LARGE, f"at most {MOST_EVENTS} events a request", where="batch")
    return Envelope(
        events=[bytes(event) for event in batch.batch],
        batch=True,
        write_key=batch.write_key if isinstance(batch.write_key, str) else "",
        sent_at=batch.sent_at,
        context=_read_context(batch.context),
        marked=may_hold(bytes(batch.context)),
    )


def open_single(body: bytes) -> Envelope:
    """Return what the body of a route for one event holds.

    Raises:
        BadInput: Not a JSON object.
    """
    single, body = _decode(_singles, body)
    write_key = single.write_key if isinstance(single.write_key, str) else ""
    return Envelope(events=[body], batch=False, write_key=write_key, sent_at=single.sent_at)


def soften(body: bytes) -> bytes:
    """Return *body* with what no JSON parser takes made into what is refused event by event.

    NaN and Infinity become numbers out of range, lone surrogates become NUL, and nesting ends at a depth that is
    refused anyway. Valid JSON stays valid, and says the same down to that depth.
    """
    parts: list[bytes] = []
    depth = copied = 0
    for found in _TOKENS.finditer(body):
        token = found[0]
        if token in b"[{":
            depth += 1
            if depth == _KEPT_DEPTH + 1:
                parts.append(body[copied : found.start()] + b"null")
        elif token in b"]}":
            if depth == _KEPT_DEPTH + 1:
                copied = found.end()
            depth -= 1
        elif depth <= _KEPT_DEPTH:
            parts.append(body[copied : found.start()] + _soften_token(token))
            copied = found.end()
    return b"".join([*parts, body[copied:]] if depth <= _KEPT_DEPTH else parts)


def _read_context(raw: Raw) -> dict[str, Any]:
    """Return what a batch says of all its events: no more than one event may say, for each of them takes it over."""
    if len(raw) > LARGEST_EVENT_BYTES:
        message = f"{len(raw)} bytes; what is said of all events may have {LARGEST_EVENT_BYTES}"
        raise BadInput(Refusal.EVENT_TOO_LARGE, message, where="context")
    try:
        context = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(Refusal.INVALID_JSON, f"context: {_describe(error)}", where="context") from error
    return context if isinstance(context, dict) else {}


def _soften_token(token: bytes) -> bytes:
    if not token.startswith(b'"'):
        return b"1e999"
    return _SURROGATES.sub(_soften_escape, token) if b"\\u" in token else token


def _soften_escape(found: re.Match[bytes]) -> bytes:
    """Keep an escape that is whole, and a pair of surrogates; make a lone one NUL."""
    return b"\\u0000" if found["lone"] else found[0]


def _decode[T](decoder: msgspec.json.Decoder[T], body: bytes) -> tuple[T, bytes]:
    """Decode *body*, or what is left of it without what may be wrong inside single events; return that too."""
    try:
        return decoder.decode(body), body
    except msgspec.ValidationError as error:
        raise _wrong_shape(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        broken = error
    if sum(body.count(mark) for mark in _MARKS) > MOST_TOKENS:
        raise BadInput(Refusal.INVALID_JSON, f"the body is not JSON: {_describe(broken)}; send fewer events at a time")
    softened = soften(body)
    try:
        return decoder.decode(softened), softened
    except msgspec.ValidationError as error:
        raise _wrong_shape(error) from error
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadInput(Refusal.INVALID_JSON, f"the body is not JSON: {_describe(broken)}") from broken


def _wrong_shape(error: msgspec.ValidationError) -> BadInput:
    return BadInput(Refusal.INVALID_EVENT, f'{error}; a batch is {{"batch": [{{"type": "track", ...}}]}}')


def _describe(error: Exception) -> str:
    """Say where the body is broken without quoting it."""
    return str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8, or nested too deep"


def _inflate(body: bytes) -> bytes:
    inflater = zlib.decompressobj(wbits=31)
    try:
        inflated = inflater.decompress(body, MOST_BYTES + 1)
    except zlib.error as error:
        raise BadInput(Refusal.DAMAGED_GZIP, "the gzip body is damaged") from error
    if len(inflated) > MOST_BYTES:
        raise _too_large()
    if not inflater.eof or inflater.unused_data:
        raise BadInput(Refusal.DAMAGED_GZIP, "the gzip body is cut short, or has something after its end")
    return inflated


def _too_large() -> BadInput:
    sent, inflated = MOST_SENT_BYTES // 1024**2, MOST_BYTES // 1024**2
    return BadInput(Refusal.BODY_TOO_LARGE, f"a body may have {sent} MB, and {inflated} MB when inflated")


_batches: Final = msgspec.json.Decoder(_Batch)
_singles: Final = msgspec.json.Decoder(_Single)
# Possessive, and a text may lack its end: so no byte is looked at twice, whatever the body is.
_TOKENS: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|-?Infinity|NaN|[\[\]{}]', re.DOTALL)
_MARKS: Final = (b'"', b"[", b"{", b"NaN", b"Infinity")
_SURROGATES: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})|\\."
)
