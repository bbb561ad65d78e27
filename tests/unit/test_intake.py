"""The intake: what becomes of an event on its way from bytes to the table."""

import gzip
import json
import time
import tracemalloc
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cartwake.bots import is_bot
from cartwake.capture import bodies, client_times, identifiers, requests
from cartwake.capture.intake import Intake, Source, take_in
from cartwake.errors import BadInput
from cartwake.events import Event, Trust
from cartwake.times import DAY, HOUR, SECOND, format_instant, parse_instant

NOW = parse_instant("2026-11-21T19:50:00Z")
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"
)
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0 Safari/537.36"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def take_batch(*calls: dict[str, Any], trust: Trust = Trust.SERVER, at: int = NOW, **wrapper: Any) -> Intake:
    source = Source(trust, at, user_agent=wrapper.pop("request_agent", ""))
    envelope = bodies.open_batch(json.dumps(wrapper | {"batch": calls}).encode())
    return take_in(envelope, source, kind="batch")


def take_one(trust: Trust = Trust.SERVER, at: int = NOW, **call: Any) -> Event:
    taken = take_batch({"type": "track", "event": "e", "userId": "u-1"} | call, trust=trust, at=at)
    assert taken.refused == ()
    return taken.accepted[0]


def refuse_one(**call: Any) -> tuple[str, str, str]:
    taken = take_batch({"type": "track", "event": "e", "userId": "u-1"} | call)
    assert taken.accepted == ()
    (refused,) = taken.refused
    return refused.reason, refused.where, refused.message


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("identify", "Identified"),
        ("page", "Page Viewed"),
        ("screen", "Screen Viewed"),
        ("group", "Group Joined"),
        ("alias", "Alias Set"),
        ("track", "e"),
    ],
)
def test_calls_become_events_under_their_names(type_: str, name: str) -> None:
    """Every call but `track` has a fixed name; a track call's is its own."""
    event = take_one(type=type_, groupId="g", previousId="p")
    assert (event.type, event.name) == (type_, name)


def test_events_belong_to_the_user_else_to_the_visitor() -> None:
    """Both identifiers are kept, so that the two can be merged; numbers are identifiers too."""
    both = take_one(userId=1001, anonymousId=7.0)
    assert (both.who, both.user_id, both.anonymous_id) == ("u#1001", "1001", "7")
    assert take_one(userId=None, anonymousId="a-1").who == "a#a-1"


@pytest.mark.parametrize(
    "placeholder", ["null", "Undefined", " guest ", "0", 0, -1, "", "[object Object]", True, "NaN"]
)
def test_placeholders_are_nobody(placeholder: Any) -> None:
    """Alone they are refused; beside a good identifier they are passed over."""
    assert refuse_one(userId=placeholder)[:2] == ("placeholder_id", "batch[0].userId")
    assert refuse_one(userId=None, anonymousId=placeholder)[:2] == ("placeholder_id", "batch[0].anonymousId")
    assert take_one(userId=placeholder, anonymousId="a-1").who == "a#a-1"
    assert take_one(anonymousId=placeholder).anonymous_id == ""


def test_identifiers_have_180_bytes_at_most() -> None:
    """Counted in UTF-8, because keys and tags are made of them; one that is too long is never passed over."""
    assert take_one(userId="ł" * 90).user_id == "ł" * 90
    for name in ("userId", "anonymousId", "messageId"):
        assert refuse_one(**{name: "ł" * 91})[:2] == ("id_too_long", f"batch[0].{name}")


def test_a_retry_has_the_same_key() -> None:
    """Sent again later, with another `sentAt`, the event is the same row, and so is one without a message id."""
    for call in ({"messageId": "m"}, {}):
        timed = call | {"timestamp": "2026-11-21T19:41:15.328+00:00"}
        first = take_batch({"type": "page", "userId": "u"} | timed, sentAt="2026-11-21T19:41:16Z")
        again = take_batch({"type": "page", "userId": "u"} | timed, sentAt="2026-11-21T20:41:16Z", at=NOW + HOUR)
        assert first.accepted[0].key == again.accepted[0].key
        assert first.accepted[0].key.startswith("2026-11-21T19:41:15.328Z#")


def test_without_id_and_time_every_call_is_an_event_of_its_own() -> None:
    """Nothing tells a repetition from a retry then, and a visit lost is worse than one counted twice."""
    call = {"type": "page", "userId": "u"}
    assert len(take_batch(call, call).accepted) == 2
    assert take_batch(call, at=NOW).accepted[0].key != take_batch(call, at=NOW + 1).accepted[0].key


@pytest.mark.parametrize(
    ("told", "sent", "occurred"),
    [
        ("2026-11-21T19:40:00Z", None, "2026-11-21T19:40:00Z"),
        ("2026-11-21T19:40:00Z", "2026-11-21T19:45:00Z", "2026-11-21T19:45:00Z"),
        ("2025-11-21T19:40:00Z", "2025-11-21T19:45:00Z", "2026-11-21T19:45:00Z"),
        ("1970-01-01T00:01:00Z", "1970-01-01T00:02:00Z", "2026-11-21T19:49:00Z"),
        ("2027-11-21T19:40:00Z", "2027-11-21T19:45:00Z", "2026-11-21T19:45:00Z"),
        ("2026-11-21T19:40:00", "no time", "2026-11-21T19:40:00Z"),
        ("2026-11-21T20:40:00+01:00", None, "2026-11-21T19:40:00Z"),
        ("2026-11-21T19:50:03Z", None, "2026-11-21T19:50:00Z"),
        ("2026-11-22T19:50:00Z", None, "2026-11-21T19:50:00Z"),
        (None, "2025-11-21T19:45:00Z", "2026-11-21T19:50:00Z"),
        ("2015-03-01", None, "2015-03-01T00:00:00Z"),
    ],
)
def test_times_are_corrected_by_the_clock_that_sent_them(told: str | None, sent: str | None, occurred: str) -> None:
    """`sentAt` shows how wrong a clock is; nothing happens after its receipt; without a time it is the receipt's."""
    (event,) = take_batch({"type": "page", "userId": "u", "timestamp": told}, sentAt=sent).accepted
    assert event.occurred_at == parse_instant(occurred)
    assert event.sent_time == ("" if told is None else format_instant(parse_instant(told)))


@pytest.mark.parametrize(
    ("told", "sent", "reason"),
    [
        ("2026-11-22T19:50:00.001Z", None, "clock_off"),
        ("2027-11-21T19:40:00Z", "2026-11-21T19:45:00Z", "clock_off"),
        ("1999-12-31T23:59:59Z", None, "clock_off"),
        ("0001-01-01T00:00:00+14:00", None, "invalid_time"),
        ("9999-12-31T23:59:59-14:00", None, "invalid_time"),
        ("1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "clock_off"),
        ("9999-12-31T23:59:59Z", "1900-01-01T00:00:00Z", "clock_off"),
        ("21.11.2026", None, "invalid_time"),
        (1_795_290_600, None, "invalid_time"),
        ("", None, "invalid_time"),
    ],
)
def test_impossible_times_are_refused(told: Any, sent: str | None, reason: str) -> None:
    """More than a day ahead, before the year 2000, or no time at all."""
    (refused,) = take_batch({"type": "page", "userId": "u", "timestamp": told}, sentAt=sent).refused
    assert (refused.reason, refused.where) == (reason, "batch[0].timestamp")


INSTANTS = st.integers(0, NOW + 400 * DAY)


@given(client_at=INSTANTS, sent_at=st.none() | INSTANTS, lag=st.integers(0, HOUR))
def test_no_event_is_later_than_its_receipt(client_at: int, sent_at: int | None, lag: int) -> None:
    """And a clock that is wrong by a constant changes nothing where it also tells when it sent."""
    with suppress(BadInput):
        assert client_times.EARLIEST_AT <= client_times.place(client_at, sent_at=sent_at, received_at=NOW) <= NOW
    assert client_times.place(client_at, sent_at=client_at + lag, received_at=NOW) == NOW - lag


def test_the_nearest_sent_at_counts() -> None:
    """The event's own, else the batch's, else the header's."""
    call = {"type": "page", "userId": "u", "timestamp": "2026-11-21T10:00:00Z"}
    (own,) = take_batch(call | {"sentAt": "2026-11-21T10:00:01Z"}, sentAt="2026-11-21T11:00:00Z").accepted
    assert own.occurred_at == NOW - SECOND
    envelope = bodies.open_batch(json.dumps({"batch": [call]}).encode())
    (by_header,) = take_in(envelope, Source(Trust.BROWSER, NOW, "2026-11-21T10:00:02Z"), kind="batch").accepted
    assert by_header.occurred_at == NOW - 2 * SECOND


def test_rudder_encodes_the_header_in_base64() -> None:
    """`SentAt` is read either way, and nonsense in it is nothing."""
    for told in ("MjAyNi0xMS0yMVQxMDowMDowMlo=", "2026-11-21T10:00:02Z"):
        assert requests.read_request({"headers": {"SentAt": told}}, now=NOW).sent_at == "2026-11-21T10:00:02Z"
    assert requests.read_request({"headers": {"SentAt": "€"}}, now=NOW).sent_at == ""


def test_original_timestamp_stands_in() -> None:
    """Rudder's browser client calls the time so."""
    assert take_one(originalTimestamp="2026-11-21T19:00:00Z").sent_time == "2026-11-21T19:00:00.000Z"


def test_traits_of_identify_may_be_in_the_context() -> None:
    """Rudder puts them only there; the call's own come first, and other calls have none."""
    event = take_one(type="identify", context={"traits": {"email": "a@b.c", "city": "Łódź"}}, traits={"city": "Kraków"})
    assert event.traits == {"email": "a@b.c", "city": "Kraków"}
    assert take_one(context={"traits": {"email": "a@b.c"}}).traits == {}
    assert "traits" not in take_one(context={"traits": {"email": "a@b.c"}}).context


def test_a_groups_traits_are_not_the_shoppers() -> None:
    """They become properties, with the group's id."""
    event = take_one(type="group", groupId=9, traits={"plan": "b2b"})
    assert (event.traits, event.properties) == ({}, {"plan": "b2b", "groupId": "9"})
    assert refuse_one(type="group")[:2] == ("invalid_event", "batch[0].groupId")


def test_a_pages_address_is_a_property() -> None:
    """From the context where the properties do not say it; so are its name and category."""
    page = {"url": "https://shop/x?y", "path": "/x", "title": "X", "referrer": "", "search": "?y"}
    event = take_one(type="page", name="Shoes", category="C", context={"page": page}, properties={"title": "Mine"})
    assert event.properties == {
        "url": "https://shop/x?y",
        "path": "/x",
        "title": "Mine",
        "name": "Shoes",
        "category": "C",
    }


def test_of_the_context_only_what_is_used_is_kept() -> None:
    """No address of the shopper's computer, no list of browser brands, nothing of the wrong type or size."""
    event = take_one(
        context={
            "ip": "203.0.113.9",
            "locale": "pl-PL",
            "timezone": 5,
            "userAgent": "x" * 2_000,
            "userAgentData": {"brands": []},
            "campaign": {"source": "newsletter", "id": 5},
            "device": {"type": "ios", "id": "d-1", "token": "a-token-of-sixteen", "name": "Ada's"},
            "page": "no object",
        }
    )
    device = {"type": "ios", "id": "d-1", "token": "a-token-of-sixteen"}
    assert event.context == {"locale": "pl-PL", "campaign": {"source": "newsletter"}, "device": device}


def test_a_batchs_context_holds_for_its_events() -> None:
    """An event's own context comes first."""
    calls = ({"type": "page", "userId": "u"}, {"type": "page", "userId": "u", "context": {"locale": "de"}})
    taken = take_batch(*calls, context={"locale": "pl", "backfill": True})
    assert [event.context["locale"] for event in taken.accepted] == ["pl", "de"]
    assert all(event.backfill for event in taken.accepted)


def test_only_servers_import_history() -> None:
    """`context.backfill` is honoured from a server's key alone, and only when it is true."""
    assert take_one(context={"backfill": True}).backfill
    assert not take_one(context={"backfill": "true"}).backfill
    assert not take_one(trust=Trust.BROWSER, context={"backfill": True}).backfill


def test_an_alias_names_whom_it_joins() -> None:
    """It is stored under its user; one that names itself, as a client does by mistake, joins nobody."""
    event = take_one(type="alias", userId="u-2", previousId="a-1")
    assert (event.who, event.previous_id) == ("u#u-2", "a-1")
    assert take_one(type="alias", userId="u-2", previousId="u-2").previous_id == ""
    assert refuse_one(type="alias", previousId="null")[0] == "placeholder_id"
    assert refuse_one(type="alias")[:2] == ("invalid_event", "batch[0].previousId")
    assert refuse_one(type="alias", userId=None, anonymousId="a", previousId="p")[1] == "batch[0].userId"


def test_crawlers_are_flagged() -> None:
    """By the agent that the event tells, else, from a browser, by the request's; a server's own says nothing."""
    assert take_one(context={"userAgent": GOOGLEBOT}).bot
    assert not take_one(context={"userAgent": CHROME}).bot
    by_request = {"type": "page", "userId": "u"}
    assert take_batch(by_request, trust=Trust.BROWSER, request_agent=GOOGLEBOT).accepted[0].bot
    assert not take_batch(by_request, trust=Trust.SERVER, request_agent="python-requests/2.32").accepted[0].bot
    assert not is_bot("")


@pytest.mark.parametrize(
    ("agent", "bot"),
    [
        ("okhttp/4.12.0", False),
        ("Dart/3.3 (dart:io)", False),
        ("axios/1.6", False),
        ("curl/8.5.0", False),
        (HEADLESS, True),
        ("AdsBot-Google (+http://www.google.com/adsbot.html)", True),
    ],
)
def test_an_apps_library_is_no_crawler(agent: str, bot: bool) -> None:
    """Of a request that tells no agent its own counts only where a browser or a crawler names itself there."""
    call = {"type": "track", "event": "Product Added", "anonymousId": "a"}
    assert take_batch(call, trust=Trust.BROWSER, request_agent=agent).accepted[0].bot is bot
    assert take_one(context={"userAgent": "okhttp/4.12.0"}).bot


@pytest.mark.parametrize(
    ("call", "where", "hint"),
    [
        ({"type": "trak"}, "batch[0].type", "did you mean track?"),
        ({"type": None}, "batch[0].type", "must be one of"),
        ({"event": 5}, "batch[0].event", "Order Completed"),
        ({"event": "x" * 201}, "batch[0].event", "at most 200"),
        ({"properties": "x"}, "batch[0].properties", "must be an object"),
        ({"properties": {"a": [{"b": "\x00"}]}}, "batch[0].properties.a[0].b", "NUL"),
        ({"properties": {"a": [0, 1e300]}}, "batch[0].properties.a[1]", "as text"),
    ],
)
def test_a_refusal_says_where_and_what(call: dict[str, Any], where: str, hint: str) -> None:
    """With the nearest right thing, and never what was sent there."""
    _, found, message = refuse_one(**call)
    assert found == where
    assert message.startswith(f"{where}: ")
    assert hint in message


def test_a_bomb_is_inflated_no_further_than_the_limit() -> None:
    """A body that would take 300 MB takes little more than the 10 MB that are allowed."""
    bomb = gzip.compress(b" " * 1_000_000) * 300
    single = gzip.compress(b"\x00" * 60_000_000, 1)
    tracemalloc.start()
    for body in (bomb[: len(bomb) // 300], single):
        with pytest.raises(BadInput):
            bodies.open_batch(bodies.unpack_body(_base64(body), is_base64=True))
    assert tracemalloc.get_traced_memory()[1] < 3 * bodies.MOST_BYTES
    tracemalloc.stop()


def _base64(body: bytes) -> str:
    from base64 import b64encode

    return b64encode(body).decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
@example(["\\", '"', "\\\\ud800", "NaN", "[{", "\U0001f600", "Infinity"])
def test_softening_changes_nothing_in_valid_json(value: Any) -> None:
    """Whatever the texts look like, and however their characters are escaped."""
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps(value, indent=1)):
        assert bodies.soften(text.encode()) == text.encode()


@given(depth=st.integers(1, 300), pad=st.sampled_from(["", '"]"', "1,"]))
def test_softening_cuts_only_what_is_too_deep(depth: int, pad: str) -> None:
    """What is left parses, and is still deeper than what is accepted."""
    body = f'{{"batch":[{"[" * depth}{pad.rstrip(",")}{"]" * depth},{{"a":1}}]}}'.encode()
    left = msgspec.json.decode(bodies.soften(body))
    assert left["batch"][1] == {"a": 1}
    assert (left == msgspec.json.decode(body)) == (depth <= 38)


@pytest.mark.parametrize("noise", [b'\\"', b'"\\', b'"', b'"",', b"NaN,", b"[", b"\\ud800", b"\\", b"[],", b"\\u"])
def test_a_broken_body_takes_time_in_proportion_to_its_size(noise: bytes) -> None:
    """No pattern of bytes makes the search for what is broken quadratic: 10 MB would take hours then."""
    for start in (b'{"batch":[', b'{"batch":["'):
        for times in (60_000, bodies.MOST_BYTES // len(noise)):
            started = time.process_time()
            with pytest.raises(BadInput):
                bodies.open_batch((start + noise * times)[: bodies.MOST_BYTES])
            assert time.process_time() - started < 5


def test_identifiers_are_read_the_same_everywhere() -> None:
    """Text stays as it is, whole numbers become text, anything else is refused."""
    assert identifiers.read_id({"userId": " Ünï "}, "userId") == " Ünï "
    for odd in (1.5, [], {}):
        with pytest.raises(BadInput):
            identifiers.read_id({"userId": odd}, "userId")


@given(st.binary(), st.sampled_from([b"", b'{"userId":', b'{"userId":"u","x":']))
@example(b"[" * 100_000, b'{"userId":')
@example(b"9" * 5_000 + b"}", b'{"userId":')
@example(b'"\xff"}', b'{"userId":')
def test_whom_a_broken_event_names_is_looked_for_in_vain(rest: bytes, begin: bytes) -> None:
    """Whatever the bytes are, looking for whom they name finds a key or nobody, and never fails."""
    assert identifiers.find_who(begin + rest)[:2] in {"", "u#", "a#"}
