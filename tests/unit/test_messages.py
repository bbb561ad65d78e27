"""Messages: whether one may go out, and what becomes of it, as functions of rows and time."""

from typing import Any

import msgspec
import pytest
from builders import CART, NEEDS, NO_ORDER_SINCE_START, NOON, a_bundle, an_order

from cartwake.addresses import Address, Sent, Suppression
from cartwake.conditions.kinds import AnyOf, Start
from cartwake.messages import (
    SETTLE_AFTER_MS,
    Message,
    MessageState,
    change,
    claim,
    derive_message_id,
    may_reach,
    may_send,
    settle,
    settle_unknown,
    skip,
)
from cartwake.profiles import Kind, Profile, State, fold, prepare
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Run
from cartwake.segments import View
from cartwake.sending.outcomes import Accepted, Refused, Throttled, Unknown
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, HOUR, MINUTE, SECOND

MESSAGE = Message(
    who="u#1",
    id="m-1",
    run="cart#r",
    journey="cart",
    path="1",
    channel=Channel.EMAIL,
    kind="marketing",
    template="cart-1",
    planned_at=NOON,
    not_after=NOON + DAY,
)
RUN = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
PROFILE = Profile(who="u#1", version=1, state=prepare(State(), NEEDS, complete_from=0))
SUBSCRIBED = Address(key="k", consent=Consent(subscribed=True, at=NOON, id=1))
CLAIMED = claim(MESSAGE, "a-1", "email#0f", NOON)


def _rules(**changes: Any) -> Any:
    return a_bundle(journeys={"cart": msgspec.structs.replace(CART, **changes)})


def _judge(*, rules: Any = None, run: Run = RUN, profile: Profile = PROFILE, now: int = NOON, **changes: Any) -> Any:
    return may_send(change(MESSAGE, **changes), run, profile, View(profile.state, rules or _rules(), now, RUN.start))


def test_a_message_may_go_out() -> None:
    """While its run goes on or has ended well, its journey is live, and it is still of use."""
    assert _judge() is None
    assert _judge(run=msgspec.structs.replace(RUN, ended=EndReason.COMPLETED)) is None
    assert _judge(now=MESSAGE.not_after) is None


def test_the_reason_for_which_a_message_may_not_go_out() -> None:
    """Each has its own; whoever is erased is told of first."""
    erased = msgspec.structs.replace(PROFILE, kind=Kind.TOMBSTONE)
    ended = {it: msgspec.structs.replace(RUN, ended=it) for it in EndReason}
    others = set(EndReason) - {EndReason.COMPLETED, EndReason.EXITED}
    assert _judge(profile=erased, now=MESSAGE.not_after + 1) is Skip.ERASED
    assert _judge(run=ended[EndReason.EXITED]) is Skip.EXITED
    assert {_judge(run=ended[it]) for it in others} == {Skip.RUN_ENDED}
    assert _judge(rules=a_bundle(journeys={})) is Skip.RUN_ENDED
    assert _judge(rules=_rules(status="paused")) is Skip.PAUSED
    assert _judge(rules=_rules(status="draft")) is Skip.RUN_ENDED
    assert _judge(now=MESSAGE.not_after + 1) is Skip.TOO_LATE


def test_an_exit_and_a_filter_are_looked_at_once_more() -> None:
    """What happened after the last step counts: a purchase ends the run, and a filter must still hold."""
    bought = fold(PROFILE.state, an_order(at=NOON + 1), NEEDS)
    profile = msgspec.structs.replace(PROFILE, state=bought)
    assert _judge(profile=profile, now=NOON + 2) is Skip.EXITED
    assert _judge(profile=profile, rules=_rules(exits=()), now=NOON + 2) is Skip.FILTER


def _reach(address: Address, *, now: int = NOON, cap_ms: int = DAY, **changes: Any) -> Skip | None:
    settings = msgspec.structs.replace(a_bundle().settings, cap_ms={Channel.EMAIL: cap_ms} if cap_ms else {})
    return may_reach(change(MESSAGE, **changes), address, a_bundle(settings=settings), now=now)


def test_an_address_may_be_reached() -> None:
    """Marketing needs consent; a receipt only an address that works."""
    withdrawn = Address(key="k", consent=Consent(subscribed=False, at=NOON, id=1))
    for address, marketing in ((SUBSCRIBED, None), (Address(key="k"), Skip.NO_CONSENT), (withdrawn, Skip.UNSUBSCRIBED)):
        assert _reach(address) is marketing
        assert _reach(address, kind="transactional") is None
    for why, reason in ((Suppression.BOUNCE, Skip.BOUNCED), (Suppression.COMPLAINT, Skip.COMPLAINED)):
        suppressed = msgspec.structs.replace(SUBSCRIBED, suppression=why)
        assert _reach(suppressed) is reason
        assert _reach(suppressed, kind="transactional") is reason


def test_the_frequency_cap_counts_other_messages_alone() -> None:
    """To the millisecond; a message that is claimed again is not in its own way, nor is a receipt capped."""
    address = msgspec.structs.replace(SUBSCRIBED, sends=(Sent(NOON, "other"),))
    assert _reach(address, now=NOON + DAY - 1) is Skip.FREQUENCY_CAP
    assert _reach(address, now=NOON + DAY) is None
    assert _reach(address, now=NOON + 1, cap_ms=0) is None
    assert _reach(address, now=NOON + 1, kind="transactional") is None
    assert _reach(address, now=NOON + 1, id="other") is None


def test_a_claim() -> None:
    """It counts as an attempt, and is looked at again when its two minutes are over."""
    assert (CLAIMED.state, CLAIMED.attempt, CLAIMED.attempts) == (MessageState.CLAIMED, "a-1", 1)
    assert (CLAIMED.claimed_at, CLAIMED.address_key) == (NOON, "email#0f")
    assert CLAIMED.lease_until == CLAIMED.retry_at == NOON + 2 * MINUTE


def test_what_the_provider_said_settles_a_message() -> None:
    """Accepted, refused or skipped: nobody looks at it again."""
    accepted = settle(CLAIMED, Accepted("ses-1"), NOON + 5, jitter=0)
    assert (accepted.state, accepted.provider_id, accepted.retry_at) == (MessageState.ACCEPTED, "ses-1", None)
    assert accepted.accepted_at == accepted.settled_at == NOON + 5
    refused = settle(CLAIMED, Refused("Code"), NOON + 5, jitter=0)
    assert (refused.state, refused.reason, refused.detail) == (MessageState.REFUSED, "refused_by_provider", "Code")
    assert (refused.settled_at, refused.accepted_at, refused.retry_at) == (NOON + 5, 0, None)
    skipped = skip(MESSAGE, Skip.NO_CONSENT, NOON + 5, detail="d")
    assert (skipped.state, skipped.reason, skipped.detail) == (MessageState.SKIPPED, "no_consent", "d")
    assert (skipped.settled_at, skipped.retry_at) == (NOON + 5, None)


@pytest.mark.parametrize(
    ("throttles", "whole_channel", "jitter", "wait"),
    [
        (0, False, 1.0, 5 * SECOND),
        (0, False, 0.0, 2_500),
        (3, False, 1.0, 40 * SECOND),
        (30, False, 1.0, HOUR),
        (30, False, 0.0, HOUR // 2),
        (0, True, 1.0, 5 * MINUTE),
        (30, True, 1.0, HOUR),
    ],
)
def test_a_throttled_message_is_planned_again(throttles: int, whole_channel: bool, jitter: float, wait: int) -> None:
    """Nothing was sent, so the attempt does not count; each time it waits longer, up to an hour."""
    claimed = change(CLAIMED, throttles=throttles)
    message = settle(claimed, Throttled("Slow", whole_channel), NOON + 5, jitter=jitter)
    assert (message.state, message.attempts, message.attempt) == (MessageState.PLANNED, 0, "")
    assert (message.throttles, message.detail, message.lease_until) == (throttles + 1, "Slow", 0)
    assert message.not_before == message.retry_at == NOON + 5 + wait


def test_an_unknown_message_is_looked_at_after_fifteen_minutes() -> None:
    """They count from the claim; a marketing message is given up then, for it may have gone out."""
    unknown = settle(CLAIMED, Unknown("timeout"), NOON + 5, jitter=0)
    assert (unknown.state, unknown.detail) == (MessageState.UNKNOWN, "timeout")
    assert unknown.retry_at == NOON + SETTLE_AFTER_MS
    given_up = settle_unknown(unknown, NOON + HOUR)
    assert (given_up.state, given_up.reason) == (MessageState.UNKNOWN, "outcome_unknown")
    assert (given_up.settled_at, given_up.retry_at, given_up.attempts) == (NOON + HOUR, None, 1)


def test_a_receipt_is_tried_once_more() -> None:
    """Once, and only while it is of use; what was sent a second time is given up likewise."""
    unknown = settle(change(CLAIMED, kind="transactional"), Unknown("timeout"), NOON + 5, jitter=0)
    again = settle_unknown(unknown, NOON + HOUR)
    assert (again.state, again.retry_at, again.attempt) == (MessageState.PLANNED, NOON + HOUR, "")
    assert (again.lease_until, again.reason, again.attempts) == (0, "", 1)
    assert settle_unknown(unknown, unknown.not_after).state is MessageState.PLANNED
    for message, now in ((unknown, unknown.not_after + 1), (change(unknown, attempts=2), NOON + HOUR)):
        assert settle_unknown(message, now).reason == "outcome_unknown"


def test_what_may_have_gone_out_is_never_said_to_be_unsent() -> None:
    """A receipt whose first attempt is in doubt stays so, though the second one is refused or would be too late."""
    unknown = settle(change(CLAIMED, kind="transactional"), Unknown("timeout"), NOON + 5, jitter=0)
    again = settle_unknown(unknown, NOON + HOUR)
    late = skip(again, Skip.TOO_LATE, NOON + HOUR)
    refused = settle(claim(again, "a-2", "email#0f", NOON + HOUR), Refused("Code"), NOON + HOUR, jitter=0)
    for message, detail in ((late, "too_late"), (refused, "Code")):
        assert (message.state, message.reason) == (MessageState.UNKNOWN, "outcome_unknown")
        assert (message.detail, message.settled_at, message.retry_at) == (detail, NOON + HOUR, None)
    throttled = settle(CLAIMED, Throttled("Slow", whole_channel=False), NOON + 5, jitter=0)
    assert skip(throttled, Skip.TOO_LATE, NOON + HOUR).state is MessageState.SKIPPED


def test_the_id_of_a_message_stays_the_same_for_ever() -> None:
    """It is a function of run and step: what has it once is the same message, whatever code plans it."""
    assert derive_message_id(RUN, "1") == "t7xlgcdtys3hzrqqaajikloq2q"
    assert (
        len(
            {
                derive_message_id(RUN, "1"),
                derive_message_id(RUN, "2"),
                derive_message_id(msgspec.structs.replace(RUN, id="r2"), "1"),
            }
        )
        == 3
    )


def test_a_filter_with_an_or_counts_since_the_start_of_its_run_too() -> None:
    """What stands in a group of conditions is asked as it would be alone."""
    filtered = _rules(filter=AnyOf(of=(NO_ORDER_SINCE_START, NO_ORDER_SINCE_START)), exits=())
    bought_before = fold(PROFILE.state, an_order(at=NOON - 1), NEEDS)
    bought_after = fold(PROFILE.state, an_order(at=NOON + 1), NEEDS)
    for state, refused in ((bought_before, None), (bought_after, Skip.FILTER)):
        assert _judge(profile=msgspec.structs.replace(PROFILE, state=state), rules=filtered, now=NOON + 2) is refused
