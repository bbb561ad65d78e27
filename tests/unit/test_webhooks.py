"""Webhooks: what is told, how it is signed, and when it is told again."""

import json
from typing import Any

import pytest
from builders import NOON, a_cart_event
from ledger import a_message, a_run
from standardwebhooks import Webhook, WebhookVerificationError

from cartwake import silence
from cartwake.events import Trust
from cartwake.journeys import Call
from cartwake.messages import Message, MessageState, claim, skip
from cartwake.profiles import Profile, State
from cartwake.reasons import Skip
from cartwake.registers import Register
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR, MINUTE, SECOND
from cartwake.webhooks import (
    LAST_MS,
    LEFT,
    Reply,
    conclude,
    judge,
    leave,
    read_rest,
    show_secret,
    sign,
    try_again,
    write_body,
)

CALL = Call(
    url="https://crm.example.com/hooks?shop=1",
    traits=("email", "stage", "sizes.shoe", "nowhere"),
    properties=("price", "nothing"),
    body={"list": "win-back"},
)
STATE = State(
    traits={
        "stage": Register("offered", NOON, 1),
        "secret": Register("x", NOON, 1),
        "sizes": Register({"shoe": 41}, NOON, 1),
    },
    contacts={Channel.EMAIL: Register("ada@example.com", NOON, 1)},
)


def a_webhook(**changes: Any) -> Message:
    return a_message(**{"channel": Channel.WEBHOOK, "template": CALL.host, "not_after": NOON + DAY} | changes)


def told(who: str = "u#42", **changes: Any) -> dict[str, Any]:
    run = a_run(**{"trigger": a_cart_event(trust=Trust.BROWSER)} | changes)
    body: dict[str, Any] = json.loads(write_body(a_webhook(), CALL, run, Profile(who=who, state=STATE)))
    return body


def claimed(attempts: int = 1, **changes: Any) -> Message:
    return claim(a_webhook(attempts=attempts - 1, **changes), "a", "", NOON)


def test_nothing_is_told_but_what_the_step_names() -> None:
    """Traits and properties by name, the shopper's key, the event's name and who said it; no more."""
    assert told() == {
        "type": "journey.step",
        "timestamp": "2026-11-21T12:00:00.000Z",
        "data": {
            "journey": "cart",
            "step": "1",
            "run": "r",
            "user_id": "42",
            "traits": {"email": "ada@example.com", "stage": "offered", "sizes.shoe": 41},
            "body": {"list": "win-back"},
            "event": {
                "event": "Product Added",
                "id": a_cart_event().id,
                "told_by": "browser",
                "timestamp": "2026-11-21T12:00:00.000Z",
                "properties": {"price": 129.0},
            },
        },
    }


def test_a_visitor_is_told_as_one_and_a_segment_has_no_event() -> None:
    """Whoever reads it tells users from visitors; a run that a segment started has no event to tell of."""
    data = told("a#b-1", trigger=None)["data"]
    assert data["anonymous_id"] == "b-1"
    assert "user_id" not in data
    assert "event" not in data


def test_an_address_that_a_browser_called_so_is_none() -> None:
    """A trait of that name is not the address: only what the shop's server vouched for is told as one."""
    state = State(traits={"email": Register("mallory@example.com", NOON, 1)})
    body = json.loads(write_body(a_webhook(), CALL, a_run(), Profile(who="u#42", state=state)))
    assert "email" not in body["data"]["traits"]


def test_the_published_example_is_signed_alike() -> None:
    """The vector of the convention's own documentation."""
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    body = b'{"test": 2432232314}'
    by_them = Webhook(secret)._whsecret
    headers = sign("msg_p5jXN8AQM9LWM0D4loKWxJek", body, [by_them], at=1_614_265_330_000)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_reference_library_takes_what_we_sign(monkeypatch: pytest.MonkeyPatch) -> None:
    """With either of two keys while they rotate; with another key, id, time or body it does not."""
    import time

    now = time.time_ns() // 1_000_000
    body = write_body(a_webhook(), CALL, a_run(), Profile(who="u#1", state=STATE))
    headers = sign("m-1", body, [b"n" * 32, b"o" * 32], at=now)
    for secret in (b"n" * 32, b"o" * 32):
        assert Webhook(show_secret(secret)).verify(body, headers)["type"] == "journey.step"
    for secret, changes, said in (
        (b"x" * 32, {}, body),
        (b"n" * 32, {"webhook-id": "m-2"}, body),
        (b"n" * 32, {"webhook-timestamp": str(now // 1000 + 1)}, body),
        (b"n" * 32, {}, body + b" "),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(show_secret(secret)).verify(said, headers | changes)


@pytest.mark.parametrize(
    ("attempt", "later"),
    [(1, 5 * SECOND), (2, 5 * MINUTE), (3, 30 * MINUTE), (4, 2 * HOUR), (5, 5 * HOUR), (6, 10 * HOUR), (12, 24 * HOUR)],
)
def test_it_is_tried_again_after_the_published_times(attempt: int, later: int) -> None:
    """A little later each time by chance, and never sooner."""
    before = claimed(attempt, not_after=NOON + 30 * DAY)
    for status in (301, 400, 404, 429, 500, 503):
        after = judge(before, Reply(status=status), NOON, jitter=0)
        assert (after.state, after.retry_at, after.not_before) == (MessageState.PLANNED, NOON + later, NOON + later)
        assert (after.attempts, after.detail, after.reason) == (attempt, str(status), "")
    spread = judge(before, Reply(fault="TimeoutError"), NOON, jitter=1).retry_at
    assert spread == NOON + int(later * 1.1)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_what_was_taken_is_settled(status: int) -> None:
    """Whatever 2xx says so."""
    after = judge(claimed(2, detail="503"), Reply(status=status), NOON + 1, jitter=0)
    assert (after.state, after.accepted_at, after.retry_at) == (MessageState.ACCEPTED, NOON + 1, None)
    assert (after.provider_id, after.detail) == (str(status), "")


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(status=410), Skip.REFUSED_BY_PROVIDER),
        (Reply(barred=True, fault="PrivateAddress"), Skip.HOST_REFUSED),
    ],
)
def test_some_are_never_tried_again(reply: Reply, why: Skip) -> None:
    """Who says Gone wants nothing more; where a host leads inside, nothing is sent."""
    after = judge(claimed(), reply, NOON, jitter=0)
    assert (after.state, after.reason, after.retry_at) == (MessageState.REFUSED, why, None)


def test_it_ends_with_its_last_useful_moment() -> None:
    """Nothing is planned beyond not_after: then it was not taken, and the last answer is kept."""
    last = claimed(not_after=NOON + 5 * SECOND)
    assert judge(last, Reply(status=500), NOON, jitter=0).state is MessageState.PLANNED
    after = judge(last, Reply(status=500), NOON + 1, jitter=0)
    assert (after.state, after.reason, after.detail) == (MessageState.REFUSED, Skip.NOT_TAKEN, "500")


def test_it_is_left_while_its_host_is_silent() -> None:
    """For longer each time, unattempted, and never beyond its last useful moment without one attempt."""
    waiting = a_webhook(not_after=NOON + HOUR)
    for wait in LEFT + LEFT[-1:]:
        after = leave(waiting, NOON + SECOND, NOON, jitter=0)
        assert after is not None
        assert (after.state, after.attempts, after.retry_at, after.not_before) == (
            MessageState.PLANNED, 0, NOON + wait, NOON + wait,
        )  # fmt: skip
        waiting = after
    assert waiting.throttles == len(LEFT) + 1
    late, end = NOON + HOUR - MINUTE, NOON + HOUR - LAST_MS
    last = leave(waiting, late, late, jitter=0)
    assert last is not None
    assert last.retry_at == end
    assert leave(waiting, end + 1, late, jitter=0) is None
    tried = a_webhook(not_after=NOON + HOUR, attempts=1, detail="500")
    given_up = leave(tried, NOON + HOUR + 1, late, jitter=0)
    assert given_up is not None
    assert (given_up.state, given_up.reason, given_up.detail) == (MessageState.REFUSED, Skip.NOT_TAKEN, "500")


@pytest.mark.parametrize(
    ("changes", "why", "after"),
    [
        ({}, Skip.TOO_LATE, (MessageState.SKIPPED, Skip.TOO_LATE)),
        ({"attempts": 1}, Skip.TOO_LATE, (MessageState.REFUSED, Skip.NOT_TAKEN)),
        ({"throttles": 1}, Skip.TOO_LATE, (MessageState.REFUSED, Skip.NOT_TAKEN)),
        ({"attempts": 1}, Skip.EXITED, (MessageState.SKIPPED, Skip.EXITED)),
    ],
)
def test_what_was_tried_is_not_merely_late(changes: Any, why: Skip, after: tuple[MessageState, Skip]) -> None:
    """Whoever reads the ledger learns that a receiver did not take it; all other reasons stay what they are."""
    before = a_webhook(**changes)
    found = conclude(before, skip(before, why, NOON), NOON)
    assert (found.state, found.reason) == after


def test_a_host_is_silent_that_lets_wait_for_nothing() -> None:
    """Remembered for a minute, until it answers; who refuses at once takes nobody's time."""
    for fault, silent in (("TimeoutError", True), ("gaierror", True), ("ConnectionRefusedError", False), ("", False)):
        silence.forget()
        silence.note("a", Reply(fault=fault), NOON)
        assert silence.find_end("a", NOON) == (NOON + MINUTE if silent else 0)
        assert silence.find_end("b", NOON) == silence.find_end("a", NOON + MINUTE) == 0
    silence.note("a", Reply(fault="TimeoutError"), NOON)
    silence.note("a", Reply(status=500), NOON + 1)
    assert silence.find_end("a", NOON + 1) == 0


def test_a_lost_answer_is_tried_again_with_the_same_id() -> None:
    """A lease that ran out leaves unknown whether it arrived: it is sent once more, and known again by its id."""
    before = claimed()
    after = try_again(before, Reply(fault="LeaseExpired"), NOON)
    assert (after.state, after.id, after.attempt, after.lease_until) == (MessageState.PLANNED, before.id, "", 0)


@pytest.mark.parametrize(
    ("said", "rest"),
    [
        ("120", 2 * MINUTE),
        ("Sat, 21 Nov 2026 13:00:00 GMT", HOUR),
        ("Sat, 21 Nov 2026 11:00:00 GMT", 0),
        ("", 0),
        ("soon", 0),
        ("-5", 0),
        ("٣", 0),
        ("9" * 400, (10**9 - 1) * SECOND),
        ("Sat, 21 Nov 99999 11:00:00 GMT", 0),
        ("Sat, 21 Nov 2026 13:00:00 +9999999999999999999999", 0),
    ],
)
def test_patience_is_asked_for_in_two_ways(said: str, rest: int) -> None:
    """`Retry-After` is in seconds, or a date; what is neither asks for nothing."""
    assert read_rest(said, NOON) == rest


def test_patience_is_had_for_a_day_at_most() -> None:
    """A receiver that asks for more than the next attempt gives gets it, up to a day."""
    before = claimed(not_after=NOON + 30 * DAY)
    assert judge(before, Reply(status=503, retry_after="600"), NOON, jitter=0).retry_at == NOON + 10 * MINUTE
    assert judge(before, Reply(status=503, retry_after="1"), NOON, jitter=0).retry_at == NOON + 5 * SECOND
    assert judge(before, Reply(status=429, retry_after="9" * 9), NOON, jitter=0).retry_at == NOON + DAY


def test_the_host_names_it() -> None:
    """The ledger, logs and copies hold no more of an address than its host."""
    assert CALL.host == "crm.example.com"
