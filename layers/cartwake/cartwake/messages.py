"""Messages: the ledger's row, its states, and the last decision before anything leaves the house.

    planned(retry_at) -> claimed(attempt, lease) -> accepted | refused | unknown
    planned -> skipped(reason)
    planned, after an attempt in doubt -> unknown

An expired lease is unknown, and is never claimed again. A webhook is: see `webhooks`.
"""

from enum import StrEnum
from typing import Any, Final

import msgspec

from cartwake import choices
from cartwake.addresses import Address, suppression_of
from cartwake.bundles import Bundle
from cartwake.events import derive_id
from cartwake.journeys import Call, Send
from cartwake.paths import find_step
from cartwake.profiles import Kind, Profile
from cartwake.reasons import EndReason, Skip
from cartwake.runs import Run, admits, find_exit, refuse_filter
from cartwake.segments import View
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown
from cartwake.statements import OF_SHOPPERS, Channel
from cartwake.times import HOUR, MINUTE, SECOND, Instant

LEASE_MS: Final = 2 * MINUTE
STUCK_AFTER_MS: Final = 3 * MINUTE
SETTLE_AFTER_MS: Final = 15 * MINUTE
MOST_ATTEMPTS: Final = 2
_FIRST_BACKOFF: Final = 5 * SECOND
_LONGEST_BACKOFF: Final = 1 * HOUR
_CHANNEL_PAUSE: Final = 5 * MINUTE


class MessageState(StrEnum):
    """Where a message stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the messages table.

    Attributes:
        who: The run's own key.
        id: A function of run and step, so that doubles collide.
        template: Of a webhook the host that it goes to.
        run: The run's sort key.
        variant: The variants of tests that led here, for example `subject=a`; "": none.
        attempt: Id of the attempt that holds the claim.
        attempts: How many claims there were.
        retry_at: When to look at it again; None when it is settled.
        not_before: Set when the provider asked for patience, or the hours are quiet.
        reason: Why it was skipped or refused.
        provider_id: What SES or SNS call it.
        happened: When it was first delivered, opened, clicked, bounced, complained about, unsubscribed from.
        parts: Of an SMS: how many messages the shop pays for.
        touched: By number, when each of its links was last followed, by whomever.
        version: Raised by every write; 0 means that there is no row yet.
    """

    who: str
    id: str
    run: str
    journey: str
    path: str
    channel: Channel
    kind: str
    template: str
    subject: str = ""
    coupon: str = ""
    variant: str = ""
    state: MessageState = MessageState.PLANNED
    planned_at: Instant
    not_after: Instant
    retry_at: Instant | None = None
    attempt: str = ""
    attempts: int = 0
    throttles: int = 0
    not_before: Instant = 0
    lease_until: Instant = 0
    claimed_at: Instant = 0
    accepted_at: Instant = 0
    settled_at: Instant = 0
    address_key: str = ""
    reason: str = ""
    detail: str = ""
    provider_id: str = ""
    happened: dict[str, Instant] = {}
    touched: dict[str, Instant] = {}
    parts: int = 0
    version: int = 0


def derive_message_id(run: Run, path: str) -> str:
    """Return the id of the message that a step of a run plans."""
    return derive_id("message", run.who, run.key, path)


def name_content(step: Send | Call) -> str:
    """Return by what a message's row names what is sent: a template, or the host that a webhook goes to."""
    return step.host if isinstance(step, Call) else step.template


def name_counter(message: Message) -> str:
    """Return under what a message is counted: `<journey>#<step>#<variant>`."""
    return f"{message.journey}#{message.path}#{message.variant}"


def may_send(message: Message, run: Run, profile: Profile, view: View) -> Skip | None:
    """Return why *message* may not go out as far as run, journey and profile say, or None."""
    if profile.kind is not Kind.PROFILE:
        return Skip.ERASED
    if run.ended not in (None, EndReason.COMPLETED):
        return Skip.EXITED if run.ended is EndReason.EXITED else Skip.RUN_ENDED
    journey = view.rules.journeys.get(message.journey)
    if journey is None or journey.status != "live":
        return Skip.PAUSED if journey is not None and journey.status == "paused" else Skip.RUN_ENDED
    if view.now > message.not_after:
        return Skip.TOO_LATE
    if find_exit(journey, run, view) is not None:
        return Skip.EXITED
    step = find_step(journey.steps, message.path)
    if isinstance(step, Send | Call) and name_content(step) == message.template and not admits(step, view):
        return Skip.CONDITION
    refused = refuse_filter(journey, view)
    return {False: None, True: Skip.FILTER, None: Skip.FILTER_UNKNOWN}[refused]


def may_reach(message: Message, address: Address, rules: Bundle, *, now: Instant) -> Skip | None:
    """Return why *message* may not go to *address*, or None: suppression, consent, choices, frequency cap."""
    suppressed = suppression_of(address)
    if suppressed is not None:
        return suppressed
    if message.kind == "transactional":
        return None
    if address.consent is None:
        return Skip.NO_CONSENT
    if not address.consent.subscribed:
        return Skip.UNSUBSCRIBED
    journey = rules.journeys.get(message.journey)
    refused = choices.refuse(address.choices, journey.topic if journey else "", now)
    if refused is not None:
        return refused
    return Skip.FREQUENCY_CAP if capped_until(message, address, rules) > now else None


def capped_until(message: Message, address: Address, rules: Bundle) -> Instant:
    """Return when the cap of an address, the shop's or the shopper's, lets *message* through; 0: it does by now."""
    last = max((sent.at for sent in address.sends if sent.message != message.id), default=None)
    cap_ms = max(rules.settings.cap_ms.get(message.channel, 0), address.choices.rest_ms)
    return 0 if last is None else last + cap_ms


def is_ready(message: Message, now: Instant) -> bool:
    """Say whether a message is planned, and nothing has it wait."""
    return message.state is MessageState.PLANNED and message.not_before <= now


def put_off(message: Message, until: Instant) -> Message:
    """Return the message as one that is looked at again later."""
    return change(message, not_before=until, retry_at=until)


def skip(message: Message, why: Skip, now: Instant, *, detail: str = "") -> Message:
    """Return the message as one that is not sent, with the reason; if it was attempted before, it may have been."""
    if message.attempts and message.channel in OF_SHOPPERS:
        return give_up(message, why.value, now)
    return change(message, state=MessageState.SKIPPED, reason=why.value, detail=detail, settled_at=now, retry_at=None)


def claim(message: Message, attempt: str, address_key: str, now: Instant) -> Message:
    """Return the message as claimed by an attempt."""
    return change(
        message,
        state=MessageState.CLAIMED,
        attempt=attempt,
        attempts=message.attempts + 1,
        lease_until=now + LEASE_MS,
        retry_at=now + LEASE_MS,
        claimed_at=now,
        address_key=address_key,
    )


def settle(claimed: Message, outcome: Outcome, now: Instant, *, jitter: float) -> Message:
    """Return a claimed message after its attempt.

    Args:
        claimed: As claimed.
        outcome: What the provider said.
        now: The time of the answer.
        jitter: A share between 0 and 1 by which those that were throttled together come back apart.
    """
    match outcome:
        case Accepted(provider_id):
            return change(
                claimed,
                state=MessageState.ACCEPTED,
                provider_id=provider_id,
                accepted_at=now,
                settled_at=now,
                retry_at=None,
            )
        case Refused(code):
            # those that were throttled are not counted: what came before may have gone out
            if claimed.attempts > 1:
                return give_up(claimed, code, now)
            return change(
                claimed,
                state=MessageState.REFUSED,
                reason=Skip.REFUSED_BY_PROVIDER.value,
                detail=code,
                settled_at=now,
                retry_at=None,
            )
        case Throttled(code, whole_channel):
            return _put_off(claimed, code, _back_off(claimed, now, whole_channel=whole_channel, jitter=jitter))
        case Unknown(detail):
            return doubt(claimed, detail)


def doubt(message: Message, detail: str) -> Message:
    """Return a message that may or may not have gone out: SES's events have 15 minutes from the claim to tell."""
    return change(message, state=MessageState.UNKNOWN, detail=detail, retry_at=message.claimed_at + SETTLE_AFTER_MS)


def settle_unknown(message: Message, now: Instant) -> Message:
    """Return an unknown message that no feedback has settled: given up, or, if transactional, tried once more."""
    if message.kind == "transactional" and message.attempts < MOST_ATTEMPTS and now <= message.not_after:
        return msgspec.structs.replace(message, state=MessageState.PLANNED, retry_at=now, attempt="", lease_until=0)
    return give_up(message, message.detail, now)


def give_up(message: Message, detail: str, now: Instant) -> Message:
    """Return a message that was sent or not, and is attempted no more; SES may still tell."""
    return change(
        message,
        state=MessageState.UNKNOWN,
        reason=Skip.OUTCOME_UNKNOWN.value,
        detail=detail,
        settled_at=now,
        retry_at=None,
    )


def change(message: Message, **changes: Any) -> Message:
    """Return *message* with some of its fields changed."""
    return msgspec.structs.replace(message, **changes)


def _put_off(claimed: Message, code: str, until: Instant) -> Message:
    """Nothing was sent: the message is planned again, and the attempt does not count."""
    return change(
        claimed,
        state=MessageState.PLANNED,
        throttles=claimed.throttles + 1,
        attempts=claimed.attempts - 1,
        attempt="",
        lease_until=0,
        not_before=until,
        retry_at=until,
        detail=code,
    )


def _back_off(message: Message, now: Instant, *, whole_channel: bool, jitter: float) -> Instant:
    wait = min(_LONGEST_BACKOFF, _FIRST_BACKOFF * 2**message.throttles)
    return now + max(int(wait * (0.5 + jitter / 2)), _CHANNEL_PAUSE if whole_channel else 0)
