"""Webhooks: what another system is told of a shopper, how that is signed, and when it is told again.

    planned(retry_at) -> claimed(attempt, lease) -> accepted
                                                 -> planned, later
                                                 -> refused
    planned -> planned, later, while its host is silent

Signed as https://www.standardwebhooks.com says. Unlike a mail, a webhook whose answer was lost is sent once
more: its id stays the same, and by that its receiver knows it again.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from datetime import UTC
from email.utils import parsedate_to_datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from cartwake.events import Event
from cartwake.journeys import Call
from cartwake.messages import Message, MessageState, change
from cartwake.profiles import Profile, State
from cartwake.reasons import Skip
from cartwake.runs import Run
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR, MINUTE, SECOND, Instant, format_instant, to_instant
from cartwake.values import find_value

TYPE: Final = "journey.step"
LARGEST_BODY: Final = 64_000
WAITS: Final = (
    5 * SECOND, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR
)  # fmt: skip
"""After each attempt that failed; the last one again and again."""
LONGEST_REST: Final = DAY
"""A receiver that asks for more patience than that is asked again all the same."""
LEFT: Final = (MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 12 * MINUTE)
"""For so long it is left, each time that its host is found silent; a queue can wait for all of them."""
LAST_MS: Final = 30 * SECOND
"""So long before it is too late it comes back for the last time: queues take their time."""
_JITTER: Final = 0.1
_GONE: Final = 410
_SILENT: Final = ("TimeoutError", "gaierror")
_NOT_ASKED: Final = "HostSilent"
_SHOPPER: Final = {"u": "user_id", "a": "anonymous_id"}


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one attempt.

    Attributes:
        status: Of HTTP; 0: there was no answer.
        fault: Why there was none.
        retry_after: When the receiver wants to be asked again, as its header says.
        barred: Nothing was sent, because of where the host leads.
    """

    status: int = 0
    fault: str = ""
    retry_after: str = ""
    barred: bool = False

    @property
    def detail(self) -> str:
        """What the ledger keeps of it."""
        return str(self.status) if self.status else self.fault

    @property
    def is_silence(self) -> bool:
        """Whether time was spent on waiting, for an answer or for where the name leads."""
        return self.fault in _SILENT


def write_body(message: Message, call: Call, run: Run, profile: Profile) -> bytes:
    """Return what is told: of the shopper their key, and of traits and properties those that the step names.

    Args:
        message: Its time is that of the step, however late it is sent.
        call: The step.
        run: Its trigger may have been told by a browser, and says so.
        profile: Fresh; who was a visitor as the run began may be a user by now.
    """
    kind, _, key = profile.who.partition("#")
    state = profile.state
    traits = {name: register.value for name, register in state.traits.items()} | _read_contacts(state)
    data: dict[str, Any] = {
        "journey": message.journey,
        "step": message.path,
        "run": run.id,
        _SHOPPER[kind]: key,
        "traits": _pick(traits, call.traits),
        "body": call.body,
    }
    if run.trigger is not None:
        data["event"] = _show_event(run.trigger, call)
    told = {"type": TYPE, "timestamp": format_instant(message.planned_at), "data": data}
    return msgspec.json.encode(told)


def sign(id: str, body: bytes, secrets: Sequence[bytes], *, at: Instant) -> dict[str, str]:  # noqa: A002  the convention's word
    """Return the headers that prove who sends a body: a signature by each of the keys."""
    timestamp = str(at // SECOND)
    signed = b".".join((id.encode(), timestamp.encode(), body))
    signatures = [b64encode(hmac.new(secret, signed, sha256).digest()).decode() for secret in secrets]
    return {
        "webhook-id": id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{it}" for it in signatures),
    }


def show_secret(secret: bytes) -> str:
    """Return a key as its receiver is given it."""
    return f"whsec_{b64encode(secret).decode()}"


def judge(claimed: Message, reply: Reply, now: Instant, *, jitter: float) -> Message:
    """Return a claimed webhook after its attempt.

    Args:
        claimed: As claimed.
        reply: What came of it.
        now: The time of the answer.
        jitter: A share between 0 and 1 by which those that failed together come back apart.
    """
    if 200 <= reply.status < 300:
        return change(
            claimed,
            state=MessageState.ACCEPTED,
            provider_id=reply.detail,
            detail="",
            accepted_at=now,
            settled_at=now,
            retry_at=None,
        )
    if reply.barred:
        return _refuse(claimed, Skip.HOST_REFUSED, reply.detail, now)
    if reply.status == _GONE:
        return _refuse(claimed, Skip.REFUSED_BY_PROVIDER, reply.detail, now)
    return try_again(claimed, reply, now, jitter=jitter)


def try_again(claimed: Message, reply: Reply, now: Instant, *, jitter: float = 0) -> Message:
    """Return a webhook that was not taken, as far as is known: planned for later, unless that is too late."""
    wait = WAITS[min(claimed.attempts, len(WAITS)) - 1]
    rest = min(read_rest(reply.retry_after, now), LONGEST_REST)
    later = now + max(int(wait * (1 + _JITTER * jitter)), rest)
    if later > claimed.not_after:
        return _refuse(claimed, Skip.NOT_TAKEN, reply.detail, now)
    return change(
        claimed,
        state=MessageState.PLANNED,
        attempt="",
        lease_until=0,
        not_before=later,
        retry_at=later,
        detail=reply.detail,
    )


def leave(message: Message, until: Instant, now: Instant, *, jitter: float) -> Message | None:
    """Return a planned webhook as it is left while its host is silent; None where it is attempted all the same.

    No attempt is counted. It is left for longer each time, or those that wait for one host would still stand before all
    others. Whichever was never attempted is, before it is too late.

    Args:
        message: As it was read.
        until: When the host may be asked again.
        now: The time.
        jitter: A share between 0 and 1 by which those that were left together come back apart.
    """
    wait = int(LEFT[min(message.throttles, len(LEFT) - 1)] * (1 + _JITTER * jitter))
    last = message.not_after - LAST_MS
    later = max(until, min(now + wait, last))
    detail = message.detail or _NOT_ASKED
    if later > last:
        return _refuse(message, Skip.NOT_TAKEN, detail, now) if message.attempts else None
    return change(message, throttles=message.throttles + 1, not_before=later, retry_at=later, detail=detail)


def conclude(before: Message, after: Message, now: Instant) -> Message:
    """Return a webhook that may not be sent any more: one whose receiver was tried was not taken, and not just late."""
    if after.reason == Skip.TOO_LATE and (before.attempts or before.throttles):
        return _refuse(before, Skip.NOT_TAKEN, before.detail, now)
    return after


def read_rest(told: str, now: Instant) -> int:
    """Return for how long a receiver wants to be left alone: `Retry-After` is in seconds, or a date."""
    if told.isascii() and told.isdigit():
        return int(told[:9]) * SECOND
    try:
        at = parsedate_to_datetime(told)
    except (ValueError, OverflowError):
        return 0
    return max(0, to_instant(at if at.tzinfo else at.replace(tzinfo=UTC)) - now)


def _refuse(message: Message, why: Skip, detail: str, now: Instant) -> Message:
    return change(message, state=MessageState.REFUSED, reason=why.value, detail=detail, settled_at=now, retry_at=None)


def _read_contacts(state: State) -> dict[str, Any]:
    """Return the addresses and the country that a trusted source has told; what a browser calls so is none."""
    named = {"email": state.contacts.get(Channel.EMAIL), "phone": state.contacts.get(Channel.SMS)}
    return {name: it.value if it else None for name, it in (named | {"country": state.country}).items()}


def _show_event(event: Event, call: Call) -> dict[str, Any]:
    return {
        "event": event.name,
        "id": event.id,
        "told_by": event.trust.value,
        "timestamp": format_instant(event.occurred_at),
        "properties": _pick(event.properties, call.properties),
    }


def _pick(data: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return what is there under each name, dotted where it stands in something else."""
    found = {name: find_value(data, name) for name in names}
    return {name: value for name, value in found.items() if value is not None}
