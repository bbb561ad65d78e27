"""Calling: a webhook is decided about, claimed, sent once and recorded; what was not taken is sent again later."""

import random
from typing import Final
from uuid import uuid4

import msgspec

from cartwake import messages as deciding
from cartwake import silence
from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.errors import TryAgain
from cartwake.gateways.queue import LONGEST_DELAY_SECONDS, send_webhooks
from cartwake.gateways.secrets import webhook_secrets
from cartwake.gateways.webhook import Post, post
from cartwake.hours import begin_tomorrow
from cartwake.journeys import Call
from cartwake.live import load_bundle
from cartwake.messages import Message, MessageState, change
from cartwake.paths import walk_paths
from cartwake.reasons import Skip
from cartwake.sending.clearance import clear
from cartwake.sending.letters import Case
from cartwake.store import base, budgets, messages, profiles, runs
from cartwake.telemetry import count, logger, name_who
from cartwake.times import MINUTE, SECOND, Instant, format_instant
from cartwake.webhooks import LARGEST_BODY, Reply, conclude, judge, leave, sign, try_again, write_body

_ATTEMPTS: Final = 4
_AWAY_MS: Final = 15 * MINUTE
"""For so long `wake` leaves a webhook to its queue."""


class Ready(msgspec.Struct, frozen=True):
    """A webhook that may be sent, and what its claim demands."""

    case: Case
    request: Post


def hand_over(message: Message, now: Instant) -> None:
    """Put a webhook that came by the queue of mails into its own, if anything is to be done about it."""
    due = message.retry_at is not None and message.retry_at <= now
    if due and messages.replace_message(message, change(message, retry_at=now + _AWAY_MS)):
        send_webhooks([(message.who, message.id)])


def call(message: Message, now: Instant) -> None:
    """Bring one webhook one state further, whatever state it is in."""
    match message.state:
        case _ if deciding.is_ready(message, now):
            _call(message, now)
        case MessageState.CLAIMED if message.lease_until <= now:
            _keep(message, try_again(message, Reply(fault="LeaseExpired"), now))
        case _:
            logger.info("nothing to be sent", message_id=message.id, state=message.state.value)


def _call(message: Message, now: Instant) -> None:
    """Decide, claim, attempt, record; a claim that somebody's write prevented is decided anew."""
    for _ in range(_ATTEMPTS):
        ready = _prepare(message, now)
        if isinstance(ready, Message):
            _keep(message, ready)
            return
        claimed = _claim(ready, now)
        if claimed is not None:
            _attempt(ready, claimed)
            return
        _refund(ready.case, now)
        current = messages.get_message(message.who, message.id)
        if current is None or not deciding.is_ready(current, now):
            return
        message = current
    raise TryAgain("the claim was prevented too often in a row")


def _attempt(ready: Ready, claimed: Message) -> None:
    reply = post(ready.request)
    answered_at = read_clock()
    silence.note(claimed.template, reply, answered_at)
    _keep(claimed, judge(claimed, reply, answered_at, jitter=random.random()))  # noqa: S311  who comes first is no secret


def _prepare(message: Message, now: Instant) -> Ready | Message:
    """Return the webhook, or the message as it then is: put off, skipped with its reason, or given up."""
    until = silence.find_end(message.template, now)
    left = leave(message, until, now, jitter=random.random()) if until else None  # noqa: S311  as above
    if left is not None:
        return left
    case = clear(message, now)
    if isinstance(case, Message):
        return conclude(message, case, now)
    step = _find_call(case)
    if step is None:
        return deciding.skip(message, Skip.TEMPLATE_GONE, now)
    body = write_body(message, step, case.run, case.profile)
    if len(body) > LARGEST_BODY:
        return deciding.skip(message, Skip.TEMPLATE, now, detail=f"it has more than {LARGEST_BODY} bytes")
    short = _afford(case, now)
    if short is not None:
        return short
    headers = sign(message.id, body, webhook_secrets(step.host), at=now)
    return Ready(case, Post(url=step.url, body=body, hosts=case.rules.settings.webhook_hosts, headers=headers))


def _find_call(case: Case) -> Call | None:
    """Return the step as it is live now, or as the run began with it where another one stands in its place by now.

    It is another one if it leads elsewhere, or if it stood at another place of the journey as the run began.
    """
    path, began = case.message.path, load_bundle(case.run.bundle)
    live, own = (_list_calls(case.message, rules) for rules in (case.rules, began))
    found, before = live.get(path), own.get(path)
    if found is None or before is None:
        return found or before
    moved = found.url != before.url or found in [step for place, step in own.items() if place != path]
    return before if moved else found


def _list_calls(message: Message, rules: Bundle) -> dict[str, Call]:
    """Return the steps of a webhook's journey that tell its host, by their paths."""
    journey = rules.journeys.get(message.journey)
    steps = walk_paths(journey.steps) if journey else ()
    return {path: step for path, step in steps if isinstance(step, Call) and step.host == message.template}


def _afford(case: Case, now: Instant) -> Message | None:
    """Take a first attempt from the day's budget; without it, it waits for tomorrow, or is skipped if that is late."""
    message, settings = case.message, case.rules.settings
    limit = settings.budgets.get(message.channel)
    if limit is None or message.attempts or message.kind == "transactional":
        return None
    day, tomorrow = begin_tomorrow(now, settings.timezone)
    if budgets.take(message.channel, day, 1, limit=limit):
        return None
    count("BudgetsSpent")
    late = tomorrow > message.not_after
    return deciding.skip(message, Skip.BUDGET, now) if late else deciding.put_off(message, tomorrow)


def _refund(case: Case, taken_at: Instant) -> None:
    """Put back into the day's budget what was taken for an attempt that was not made."""
    message, settings = case.message, case.rules.settings
    if message.channel in settings.budgets and not message.attempts and message.kind != "transactional":
        budgets.give_back(message.channel, begin_tomorrow(taken_at, settings.timezone)[0], 1)


def _claim(ready: Ready, now: Instant) -> Message | None:
    """Claim the webhook in one transaction with what permits it; None when any of that has changed."""
    before, attempt = ready.case.message, uuid4().hex
    claimed = deciding.claim(before, attempt, "", now)
    writes: list[base.Action] = [
        messages.write_message(claimed),
        runs.demand_going_on(ready.case.run),
        profiles.demand_unchanged(ready.case.profile),
    ]
    if base.commit(writes, token=attempt):
        return change(claimed, version=before.version + 1)
    # a claim whose answer was lost looks like somebody else's: it is ours if it carries our attempt
    current = messages.get_message(before.who, before.id)
    ours = current is not None and current.attempt == attempt and current.state is MessageState.CLAIMED
    return current if ours else None


def _keep(before: Message, after: Message) -> None:
    """Write what came of it, count it, and ask for the next attempt where that is soon."""
    accepted = after.state is MessageState.ACCEPTED
    counter = deciding.name_counter(after) if accepted else ""
    day, amounts = format_instant(after.accepted_at)[:10], {"accepted": 1} if accepted else {}
    written = messages.replace_message(before, after, counter=counter, day=day, amounts=amounts)
    who, state = name_who(after.who), after.state.value
    logger.info("webhook moved", who=who, message_id=after.id, state=state, reason=after.reason, code=after.detail)
    if not written:
        return
    match after.state:
        case MessageState.ACCEPTED:
            count("WebhooksAccepted")
        case MessageState.REFUSED:
            count("WebhooksRefused")
        case MessageState.SKIPPED:
            count("MessagesSkipped")
        case _:
            _announce(after)


def _announce(message: Message) -> None:
    """Ask for the next attempt where a queue can wait for it; a later one, and what fails here, `wake` finds."""
    delay_seconds = -(-(message.not_before - read_clock()) // SECOND)
    if not 0 <= delay_seconds <= LONGEST_DELAY_SECONDS:
        return
    try:
        send_webhooks([(message.who, message.id)], delay_seconds=delay_seconds)
    except TryAgain:
        logger.warning("message not announced", message_id=message.id)
