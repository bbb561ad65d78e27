"""send_message: the last decision, the claim, and the one attempt; nothing else may call SES or SNS."""

import random
from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import uuid4

from cartwake import calling, optins
from cartwake import messages as deciding
from cartwake.addresses import Sent, note_send, release_send
from cartwake.batches import keep_record, process_queue, read_asked
from cartwake.clock import read_clock
from cartwake.errors import TryAgain
from cartwake.gateways.email import send_email
from cartwake.gateways.push import GONE, send_push
from cartwake.gateways.secrets import SIGNERS_LOOK_MS, renew
from cartwake.gateways.sms import send_sms
from cartwake.hours import SPREAD_MS, begin_tomorrow
from cartwake.messages import Message, MessageState, change
from cartwake.reasons import Skip
from cartwake.sending import letters
from cartwake.sending.drafts import draft, find_application
from cartwake.sending.letters import Letter
from cartwake.sending.outcomes import Outcome, Throttled
from cartwake.settings import require
from cartwake.statements import Channel
from cartwake.store import addresses, base, budgets, events, messages, profiles, runs
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import HOUR, Instant, format_instant

_ATTEMPTS: Final = 4
_COUNTED: Final = {MessageState.SKIPPED: "MessagesSkipped", MessageState.UNKNOWN: "MessagesUnknown"}


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of `{"who", "message"}`, or of `{"who", "webhook"}` from the queue of webhooks.

    Args:
        event: `Records` of SQS.
        context: Lambda's; with less than ten seconds left no new attempt is begun.
    """
    renew(read_clock(), after_ms=SIGNERS_LOOK_MS)

    def process(body: dict[str, Any]) -> None:
        if context.get_remaining_time_in_millis() < 10_000:
            raise TryAgain("no time left for another attempt")
        if "webhook" in body:
            call(body["who"], body["webhook"], read_clock())
        else:
            handle(body["who"], body["message"], read_clock())

    return process_queue(event, process, set_aside=_set_aside)


def _set_aside(record: dict[str, Any], error: Exception) -> None:
    """Keep what nobody can send, and look at the message again in an hour: it must not stand before others."""
    now, asked = read_clock(), read_asked(record)
    keep_record(record, error, now)
    named = asked.get("message") or asked.get("webhook")
    if "who" in asked and named:
        messages.postpone(asked["who"], named, now + HOUR)


def call(who: str, message_id: str, now: Instant) -> None:
    """Bring one webhook one state further."""
    message = messages.get_message(who, message_id)
    if message is None:
        logger.warning("no such message", message_id=message_id)
        return
    calling.call(message, now)


def handle(who: str, message_id: str, now: Instant) -> None:
    """Bring one message one state further, whatever state it is in."""
    message = messages.get_message(who, message_id)
    if message is None:
        logger.warning("no such message", message_id=message_id)
        return
    if message.channel is Channel.WEBHOOK:
        calling.hand_over(message, now)
        return
    match message.state:
        case MessageState.PLANNED:
            if deciding.is_ready(message, now):
                _send(message, now)
        case MessageState.CLAIMED:
            if message.lease_until <= now:
                _replace(message, deciding.doubt(message, "LeaseExpired"))
        case MessageState.UNKNOWN:
            if message.retry_at is not None and message.retry_at <= now:
                _replace(message, deciding.settle_unknown(message, now))
        case MessageState.ACCEPTED | MessageState.REFUSED | MessageState.SKIPPED:
            logger.info("already settled", message_id=message.id)


def _send(message: Message, now: Instant) -> None:
    """Decide, claim, attempt, record; a claim that somebody's write prevented is decided anew."""
    for _ in range(_ATTEMPTS):
        letter = draft(message, now)
        if isinstance(letter, Letter):
            attempt = _prepare(letter)  # what fails in it has taken no budget and claimed nothing
            letter = _afford(letter, now)
        if isinstance(letter, Message):
            _replace(message, letter)
            return
        claimed = _claim(letter, now)
        if claimed is not None:
            outcome = attempt()
            if isinstance(outcome, Throttled) and outcome.whole_channel:
                count("SendingPaused")
            _record(letter, claimed, deciding.settle(claimed, outcome, read_clock(), jitter=random.random()))  # noqa: S311
            return
        _refund(letter, now)
        current = messages.get_message(message.who, message.id)
        if current is None or not deciding.is_ready(current, now):
            return
        message = current
    raise TryAgain("the claim was prevented too often in a row")


def _afford(letter: Letter, now: Instant) -> Letter | Message:
    """Take the message from the day's budget; without it, it waits for tomorrow, or is skipped if that is too late."""
    message, settings = letter.case.message, letter.case.rules.settings
    limit = settings.budgets.get(message.channel)
    if limit is None or message.kind == "transactional":
        return letter
    day, tomorrow = begin_tomorrow(now, settings.timezone)
    if budgets.take(message.channel, day, letter.parts or 1, limit=limit):
        return letter
    count("BudgetsSpent")
    until = tomorrow + letter.case.profile.state.lot % SPREAD_MS
    return deciding.put_off(message, until) if until <= message.not_after else deciding.skip(message, Skip.BUDGET, now)


def _refund(letter: Letter, taken_at: Instant) -> None:
    """Put back into the day's budget what did not go out."""
    message, settings = letter.case.message, letter.case.rules.settings
    if message.channel in settings.budgets and message.kind != "transactional":
        budgets.give_back(message.channel, begin_tomorrow(taken_at, settings.timezone)[0], letter.parts or 1)


def _claim(letter: Letter, now: Instant) -> Message | None:
    """Claim the message in one transaction with everything that permits it; None when any of that has changed."""
    before, address = letter.case.message, letter.address
    attempt = uuid4().hex
    claimed = change(deciding.claim(before, attempt, address.key, now), parts=letter.parts)
    writes = [
        messages.write_message(claimed),
        *_note(letter, now),
        runs.demand_going_on(letter.case.run),
        profiles.demand_unchanged(letter.case.profile),
    ]
    if base.commit(writes, token=attempt):
        return change(claimed, version=before.version + 1)
    # a claim whose answer was lost looks like somebody else's: it is ours if it carries our attempt
    current = messages.get_message(before.who, before.id)
    ours = current is not None and current.attempt == attempt and current.state is MessageState.CLAIMED
    return current if ours else None


def _note(letter: Letter, now: Instant) -> list[base.Action]:
    """Return what the claim demands of the address, and what it notes: it counts marketing, and who is asked."""
    sent = Sent(now, letter.case.message.id)
    match letter.case.message.kind:
        case "marketing":
            return [addresses.write_address(note_send(letter.address, sent))]
        case optins.CONFIRMATION:
            unchanged = [addresses.demand_unchanged(letter.address)] if letter.mailbox else []
            return [addresses.write_address(optins.note(letter.counted, sent)), *unchanged]
        case _:
            return [addresses.demand_unchanged(letter.address)]


def _prepare(letter: Letter) -> Callable[[], Outcome]:
    """Return the one attempt, which hands over what is already written as its service wants it."""
    match letter.case.message.channel:
        case Channel.SMS:
            return partial(send_sms, letters.to_sms(letter))
        case Channel.PUSH:
            return partial(send_push, letters.to_push(letter, find_application(letter.to)))
        case _:
            return partial(send_email, letters.to_mail(letter, require("CONFIGURATION_SET")))


def _record(letter: Letter, claimed: Message, after: Message) -> None:
    """Write what came of the attempt."""
    match after.state:
        case MessageState.ACCEPTED:
            day = format_instant(after.accepted_at)[:10]
            if _replace(claimed, after, counter=deciding.name_counter(claimed), day=day, amounts={"accepted": 1}):
                count("MessagesAccepted")
        case MessageState.UNKNOWN:
            _replace(claimed, after)
        case _:
            _give_back(letter, claimed, after)


def _give_back(letter: Letter, before: Message, after: Message) -> None:
    """Record that nothing was sent, and take it off what the address counts, in one transaction."""
    _refund(letter, before.claimed_at)
    channel, code = before.channel, after.detail
    # not tried again until it is seen again
    gone = [letters.tell_gone(letter, code, before.claimed_at)] if channel is Channel.PUSH and code in GONE else []
    for _ in range(_ATTEMPTS):
        address = addresses.get_address(letter.counted.key)
        released = release_send(address, before.id)
        writes: list[base.Action] = [messages.write_message(change(after, version=before.version))]
        writes += map(events.write_event, gone)
        if released != address:
            writes.append(addresses.write_address(released))
        if base.commit(writes):
            who, state = name_who(before.who), after.state.value
            logger.info("not sent", who=who, message_id=before.id, state=state, code=after.detail)
            return
        current = messages.get_message(before.who, before.id)
        if current is None or current.version != before.version:
            return
    logger.warning("outcome not recorded; the lease will expire", message_id=before.id)


def _replace(before: Message, after: Message, **counted: Any) -> bool:
    """Write *after*; when somebody else wrote meanwhile (SES may be faster than its own answer), theirs stands."""
    replaced = messages.replace_message(before, after, **counted)
    if replaced and after.state in _COUNTED:
        count(_COUNTED[after.state])
    phrase = "message settled" if after.retry_at is None else "message moved"
    who, state = name_who(before.who), after.state.value
    logger.info(phrase, who=who, message_id=before.id, state=state, reason=after.reason, written=replaced)
    return replaced
