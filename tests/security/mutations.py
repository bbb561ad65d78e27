"""Requests gone wrong: real ones, cut, spliced, doubled and filled with what breaks parsers."""

import gzip
import json
import re
from functools import cache
from pathlib import Path

import wire
from hypothesis import strategies as st

PAYLOADS = Path(__file__).parents[1] / "payloads"
NASTY = (
    *(b"NaN", b"-Infinity", b"1e999", b"-0.0", b"9" * 400, b"null", b"true", b"[]", b"{}", b'""', b"0"),
    *(b"[" * 60, b"]" * 60, b'{"a":' * 60, b"}" * 60, b'"', b"\\", b"\\u0000", b"\\ud800", b"\\udc00\\ud800", b"\\u"),
    *(b"\x00", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xef\xbb\xbf", b"\x1f\x8b", b"\r\n", b"\xe2\x80\xae"),
    *(b'"userId":null,', b'"userId":{"$ne":1},', b'"userId":"' + b"x" * 200 + b'",', b'"anonymousId":"a#u#1",'),
    *(b'"__proto__":{},', b'"timestamp":"2026-02-30T25:61:61Z",', b'"timestamp":1e18,', b'"sentAt":"0001-01-01",'),
    *(b'"timestamp":"9999-12-31T23:59:59.999Z",', b'"timestamp":"2026-11-21T19:41:15+99:99",', b'"type":"own",'),
    *(b'"event":"Subscribed",', b'"trust":"own",', b'"context":{"backfill":true},', b'"context":[],', b"' OR 1=1 --"),
    *(
        b"{{7*7}}",
        b"${jndi:ldap://x}",
        b"../../etc/passwd",
        b"<script>",
        b"%00",
        b"=cmd|' /C calc'!A0",
        b"\xe2\x84\xaa",
    ),
)
MEMBERS = tuple(each for each in NASTY if each.endswith(b","))
VALUES = (
    *(b"NaN", b"1e999", b"9" * 400, b"null", b"true", b"[]", b"{}", b'""', b'"null"', b'"guest"', b"1.5", b'"\\u0000"'),
    *(b'"\\ud800"', b'"' + b"x" * 250 + b'"', b'"' + b"x" * 33_000 + b'"', b"[" * 20 + b"]" * 20, b'"2050-01-01"'),
    *(b'"1950-01-01T00:00:00Z"', b'"yesterday"', b"-1", b'"own"', b"9223372036854775808", b'"=1+1"', b'{"a":{"b":[]}}'),
)
WORDS = (
    *(b"track", b"identify", b"page", b"screen", b"group", b"alias", b"batch", b"userId", b"anonymousId", b"messageId"),
    *(
        b"properties",
        b"traits",
        b"context",
        b"timestamp",
        b"sentAt",
        b"event",
        b"type",
        b"email",
        b"products",
        b"price",
    ),
)


@cache
def list_bodies() -> tuple[bytes, ...]:
    """List what real clients sent, shortest first, each shape once."""
    bodies = {each.body for client in wire.CLIENTS for each in wire.read_recordings(client) if each.body}
    plain = {body for body in bodies if len(body) < 6_000}
    return (*sorted(plain, key=lambda body: (len(body), body))[::7], b'{"batch":[]}', b"{}", b"")


@cache
def list_notices() -> tuple[bytes, ...]:
    """List what SES tells, bare and in the envelope of SNS."""
    told = [path.read_bytes() for path in sorted((PAYLOADS / "ses").glob("*.json"))]
    return (*told, *[json.dumps({"Type": "Notification", "Message": each.decode()}).encode() for each in told])


@st.composite
def mutated(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Draw bytes that were good before up to six things happened to them."""
    body = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 6))):
        body = draw(st.sampled_from((_fill, _replace_value, _replace_value, _rename, _cut, _splice)))(draw, body, seeds)
    return body


def _fill(draw: st.DrawFn, body: bytes, _: tuple[bytes, ...]) -> bytes:
    """Say one thing more in an object."""
    places = [found.end() for found in re.finditer(rb"\{", body)] or [0]
    at = draw(st.sampled_from(places))
    return body[:at] + draw(st.sampled_from(MEMBERS)) + body[at:]


def _replace_value(draw: st.DrawFn, body: bytes, _: tuple[bytes, ...]) -> bytes:
    """Say something else."""
    places = [found.span(1) for found in re.finditer(rb':\s*("[^"]*"|[-0-9.]+|null|true|false)', body)] or [(0, 0)]
    start, end = draw(st.sampled_from(places))
    return body[:start] + draw(st.sampled_from(VALUES)) + body[end:]


def _rename(draw: st.DrawFn, body: bytes, _: tuple[bytes, ...]) -> bytes:
    """Call one thing another."""
    old, new = draw(st.sampled_from(WORDS)), draw(st.sampled_from((*WORDS, *NASTY)))
    return body.replace(old, new, draw(st.integers(1, 3)))


def _cut(draw: st.DrawFn, body: bytes, _: tuple[bytes, ...]) -> bytes:
    """Leave out, double, or write anything over a part."""
    at = draw(st.integers(0, len(body)))
    until = min(len(body), at + draw(st.sampled_from((0, 1, 2, 8, 64, 4_096))))
    between = draw(st.sampled_from((b"", body[at:until] * 3, *NASTY)) | st.binary(max_size=4))
    return body[:at] + between + body[until:]


def _splice(draw: st.DrawFn, body: bytes, seeds: tuple[bytes, ...]) -> bytes:
    """Go on as another."""
    other = draw(st.sampled_from(seeds))
    return body[: draw(st.integers(0, len(body)))] + other[draw(st.integers(0, len(other))) :]


def packed(bodies: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Bodies as they are, compressed, and compressed and damaged."""
    squeezed = bodies.map(lambda body: gzip.compress(body, 1))
    cut = st.tuples(squeezed, st.integers(0, 60)).map(lambda it: it[0][: -it[1] or None])
    bad = squeezed.map(lambda body: body + b"x")
    return st.integers(0, 7).flatmap(lambda chance: {0: squeezed, 1: cut, 2: bad}.get(chance, bodies))
