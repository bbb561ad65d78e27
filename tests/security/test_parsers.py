"""Parsers: whatever strangers send is read within bounds, or refused with a reason; nothing else ever happens."""

import importlib
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from world import lambda_context

from cartwake.addresses import normalise
from cartwake.bots import is_bot
from cartwake.capture import client_times, identifiers
from cartwake.capture.bodies import MOST_EVENTS, open_batch, open_single, unpack_body
from cartwake.capture.intake import TYPES, Intake, Source, take_in
from cartwake.capture.requests import read_request
from cartwake.errors import BadInput, TryAgain
from cartwake.events import Event, Trust
from cartwake.feedback.deliveries import Delivery, Ignored
from cartwake.feedback.notices import read_delivery
from cartwake.feedback.tracking import LONGEST_LINK, strip_link
from cartwake.links import Unsubscribe, read_unsubscribe
from cartwake.profiles import Profile, pack, unpack
from cartwake.reasons import Refusal
from cartwake.segments import absorb, adopt
from cartwake.sending.template_data import gather
from cartwake.statements import OF_SHOPPERS, Channel
from cartwake.store.base import squeeze, unsqueeze
from tests.security.budget import cases
from tests.security.front import BROWSER, Front
from tests.security.mutations import NASTY, list_bodies, list_notices, mutated, packed

RULES = a_bundle()
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
ODD = st.lists(st.sampled_from(NASTY), max_size=4).map(lambda parts: b"".join(parts).decode("latin-1"))
TEXTS = st.text(st.characters(), max_size=60) | ODD
DECODED_TEXTS = st.text(max_size=60) | ODD
"""What the decoder of events gives: it refuses half of a surrogate pair."""
DECODED = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | DECODED_TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(DECODED_TEXTS, inner, max_size=3),
    max_leaves=6,
)
hurried = {"database": None, "suppress_health_check": list(HealthCheck)}


def read(body: bytes, *, kind: str, trust: Trust = Trust.BROWSER) -> Intake | BadInput:
    """Do all that is done with a body before anything is stored."""
    try:
        content = unpack_body(b64encode(body).decode(), is_base64=True)
        envelope = open_batch(content) if kind == "batch" else open_single(content)
        return take_in(envelope, Source(trust, NOON, "", AGENT), kind=kind)
    except BadInput as fault:
        return fault


def outcome_of(call: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
    """Return what a call gives, or the reason with which it refuses: one of the list."""
    try:
        return call(*arguments, **more)
    except BadInput as fault:
        return Refusal(fault.code)


@settings(max_examples=cases(400, 30_000), **hurried)
@given(packed(mutated(list_bodies())), st.sampled_from((*TYPES, "batch", "batch")), st.sampled_from(Trust))
def test_bodies(body: bytes, kind: str, trust: Trust) -> None:
    """A body gives events and reasons, as many as it holds, or one reason; each is one of the list."""
    outcome = read(body, kind=kind, trust=trust)
    if isinstance(outcome, BadInput):
        assert Refusal(outcome.code)
        assert outcome.message
        return
    assert len(outcome.accepted) + len(outcome.refused) <= MOST_EVENTS
    for refused in outcome.refused:
        assert Refusal(refused.reason)
        assert len(refused.id.encode()) <= identifiers.LONGEST_ID_BYTES
    for event in outcome.accepted:
        check_storable(event, trust)


def check_storable(event: Event, trust: Trust) -> None:
    """An accepted event fits its row, reads back as it was, and says no more than its key may."""
    assert event.trust is trust
    assert event.who[:2] in ("u#", "a#")
    assert len(event.who.encode()) <= 2_048
    assert len(event.key.encode()) <= 1_024
    assert event.occurred_at <= event.received_at
    assert not (event.backfill and trust is Trust.BROWSER)
    content = squeeze(msgspec.msgpack.encode(event))
    assert len(content) < 300_000
    assert msgspec.msgpack.decode(unsqueeze(content), type=Event) == event


@settings(max_examples=cases(200, 12_000), **hurried)
@given(st.lists(mutated(list_bodies()), max_size=4), st.sampled_from((Trust.SERVER, Trust.BROWSER)))
def test_what_is_accepted_is_never_poison(bodies: list[bytes], trust: Trust) -> None:
    """No event that the endpoint takes breaks what comes after it: folding, evaluating, packing, showing in a mail."""
    profile = adopt(Profile(who="u#1"), RULES, NOON)
    for body in bodies:
        outcome = read(body, kind="batch" if b'"batch"' in body else "track", trust=trust)
        for event in () if isinstance(outcome, BadInput) else outcome.accepted:
            profile, _ = absorb(profile, event, RULES)
            assert unpack(pack(profile.state)) == profile.state
            gather(profile.state, event=event, settings=RULES.settings)


@settings(max_examples=cases(300, 15_000), **hurried)
@given(mutated(list_notices()))
def test_notices(body: bytes) -> None:
    """What SES tells is a delivery, nothing for us, or no event of SES."""
    told = outcome_of(read_delivery, body.decode(errors="replace"))
    assert isinstance(told, Delivery | Ignored) or told is Refusal.INVALID_JSON
    if isinstance(told, Delivery):
        assert told.who
        assert told.message
        assert len(told.link) <= LONGEST_LINK


@settings(max_examples=cases(300, 15_000), **hurried)
@given(DECODED, DECODED, DECODED, TEXTS)
def test_identifiers_and_times(first: Any, second: Any, third: Any, text: str) -> None:
    """Whatever stands where an id or a time belongs: a short text, an instant of this era, or a reason."""
    data = {"userId": first, "anonymousId": second, "timestamp": third, "messageId": text}
    person = outcome_of(identifiers.read_person, data)
    if isinstance(person, tuple):
        assert 2 < len(identifiers.name_who(*person).encode()) <= 2 + identifiers.LONGEST_ID_BYTES
    at = outcome_of(client_times.read_time, data)
    if isinstance(at, int):
        assert outcome_of(client_times.place, at, sent_at=None, received_at=at) in (at, Refusal.CLOCK_OFF)
    for sent in (data, data | {"userId": text}):
        assert identifiers.find_who(json.dumps(sent).encode())[:2] in ("", "u#", "a#")
    sent_at = client_times.read_sent_at(third, text, first)
    assert sent_at is None or client_times._FIRST_AT <= sent_at <= client_times._LAST_AT


@settings(max_examples=cases(300, 13_000), **hurried)
@given(TEXTS, st.sampled_from(("", "https://", "http://[", "HTTPS://a.b@c:99999/", "mailto:", "//", "https://é.pl/?")))
def test_links_and_addresses(text: str, scheme: str) -> None:
    """A token that we did not sign stands for nothing; a link that is kept is one, short, and names nobody."""
    assert read_unsubscribe(text, [b"a secret of the shop"]) is None
    kept = strip_link(scheme + text)
    assert len(kept) <= LONGEST_LINK
    assert kept == "" or kept.startswith(("http://", "https://"))
    assert "@" not in kept.partition("://")[2].partition("/")[0]
    assert is_bot(text) in (True, False)
    for channel in OF_SHOPPERS:
        for address in (text, f"{text}@example.com", f"+48{text}"):
            found = normalise(channel, address, country="PL")
            assert found is None or found.isprintable()


HEADERS = st.dictionaries(
    st.sampled_from(("origin", "Origin", "authorization", "x-write-key", "sentat", "user-agent", "content-type", "é")),
    TEXTS | TEXTS.map(lambda text: "Basic " + b64encode(text.encode(errors="replace")).decode()),
)
REQUESTS = st.fixed_dictionaries(
    {},
    optional={
        "headers": HEADERS | st.none(),
        "queryStringParameters": st.dictionaries(st.sampled_from(("writeKey", "x")), TEXTS) | st.none(),
        "pathParameters": st.fixed_dictionaries({}, optional={"kind": TEXTS | st.just("batch"), "token": TEXTS})
        | st.none(),
        "requestContext": st.fixed_dictionaries(
            {"http": st.fixed_dictionaries({"method": st.sampled_from(("POST", "GET", "OPTIONS", "HEAD", "É"))})},
            optional={"timeEpoch": st.sampled_from((0, NOON))},
        ),
        "body": TEXTS | st.none() | mutated(list_bodies()).map(lambda body: body.decode("latin-1")),
        "isBase64Encoded": st.booleans(),
    },
)


@settings(max_examples=cases(300, 13_000), **hurried)
@given(REQUESTS)
def test_requests(payload: dict[str, Any]) -> None:
    """Any headers, address, method and body that the API could hand over make a request, and its body bytes or no."""
    request = read_request(payload, now=NOON)
    assert request.received_at == NOON
    assert isinstance(request.sent_at, str)
    assert isinstance(outcome_of(request.unpack), bytes | Refusal)


@settings(max_examples=cases(100, 2_000), **hurried)
@given(REQUESTS, st.booleans())
def test_handlers(front: Front, payload: dict[str, Any], known: bool) -> None:
    """The functions behind the API answer anything with a status below 500 and headers of one line of ASCII."""
    context = {"http": {"method": "POST"}, "timeEpoch": NOON}
    payload = {"requestContext": context} | payload
    if known:
        payload["headers"] = (payload.get("headers") or {}) | {"x-write-key": BROWSER, "authorization": ""}
    for folder in ("capture_events", "serve_page"):
        answer = importlib.import_module(f"functions.{folder}.app").handler(payload, lambda_context())
        assert 200 <= answer["statusCode"] < 500
        for name, value in answer["headers"].items():
            assert value.isascii(), name
            assert value.isprintable(), name


@pytest.mark.parametrize("digits", [19, 20, 308, 309, 310, 1_000, 4_299, 4_300, 4_301, 5_000])
def test_a_number_of_any_length_is_a_reason(digits: int) -> None:
    """Whole numbers that no float can hold are refused like those that no parser takes."""
    for number in (f"{'9' * digits}", f"-{'9' * digits}"):
        call = f'{{"type":"track","event":"e","userId":"u","properties":{{"n":{number}}}}}'
        outcome = read(f'{{"batch":[{call}]}}'.encode(), kind="batch")
        assert isinstance(outcome, Intake)
        assert [refused.reason for refused in outcome.refused] == [Refusal.INVALID_NUMBER]


@pytest.mark.parametrize(
    "broken", [b'"\xff"', b'"\xed\xa0\x80"', b"[" * 5_000 + b"]" * 5_000, b'{"a":' * 5_000 + b"1" + b"}" * 5_000]
)
@pytest.mark.parametrize("member", [b"writeKey", b"sentAt", b"context", b"userId", b"properties"])
def test_what_no_parser_takes_is_a_reason(member: bytes, broken: bytes) -> None:
    """Text that is not UTF-8, and brackets without end, wherever they stand, are refused, and nothing else happens."""
    call = b'{"type":"track","event":"e","userId":"u"}'
    said = b'"%s":%s' % (member, broken)
    for kind, body in (("batch", b'{"batch":[%s],%s}' % (call, said)), ("track", call[:-1] + b",%s}" % said)):
        outcome = read(body, kind=kind)
        assert isinstance(outcome, BadInput | Intake)
        assert kind == "batch" or isinstance(outcome, BadInput) or outcome.refused


@pytest.mark.parametrize("origin", ["https://a.example\r\nSet-Cookie: a=b", "https://łódź.example", "\x00", "a" * 400])
def test_an_origin_that_is_none_is_not_repeated(front: Front, origin: str) -> None:
    """What an answer repeats in a header is one line of printable ASCII, short; anything else is any origin."""
    answer = front.send("track", {"userId": "u", "event": "e"}, origin=origin)
    assert answer["headers"]["access-control-allow-origin"] == "*"


def test_a_page_without_its_secret_asks_for_patience(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no link can be verified just now, mail programs and people are asked to come again, not turned away."""

    def fail() -> list[bytes]:
        raise TryAgain("throttled")

    monkeypatch.setattr(importlib.import_module("functions.serve_page.app"), "link_secrets", fail)
    for method in ("GET", "POST"):
        answer = front.ask(method, "any")
        assert (answer["statusCode"], answer["headers"]["Retry-After"]) == (503, "30")


def test_the_mutations_reach_deep() -> None:
    """What is tried is neither all good nor all refused at the first byte: most reasons for a refusal come up."""
    seen: set[str] = set()

    @settings(max_examples=600, derandomize=True, **hurried)
    @given(packed(mutated(list_bodies())), st.sampled_from((*TYPES, "batch")))
    def look(body: bytes, kind: str) -> None:
        outcome = read(body, kind=kind)
        if isinstance(outcome, BadInput):
            seen.add(outcome.code)
        else:
            seen.update(refused.reason for refused in outcome.refused)
            seen.update("accepted" for _ in outcome.accepted)

    look()
    assert len(seen) >= 9, seen
    assert "accepted" in seen


def test_a_real_token_is_read() -> None:
    """The law about tokens would not notice a reader that refuses everything."""
    from cartwake.links import unsubscribe_url

    link = Unsubscribe("u#1", "m", "email#0", Channel.EMAIL)
    token = unsubscribe_url("https://x", link, [b"k"]).rpartition("/")[2]
    assert read_unsubscribe(token, [b"k"]) == link
