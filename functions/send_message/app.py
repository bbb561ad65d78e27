"""send_message: the last decision, the claim, and the one attempt; nothing else may call SES or SNS."""

import random
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

import msgspec

from cartwake import calling, optins
from cartwake import messages as deciding
from cartwake.addresses import Address, Sent, derive_key, note_send, release_send
from cartwake.batches import keep_record, process_queue, read_asked
from cartwake.choices import may_track
from cartwake.clock import read_clock
from cartwake.errors import TryAgain
from cartwake.gateways.email import send_email
from cartwake.gateways.push import GONE, send_push
from cartwake.gateways.secrets import SIGNERS_LOOK_MS, address_secret, link_secrets, renew
from cartwake.gateways.sms import send_sms
from cartwake.hours import SPREAD_MS, begin_tomorrow, quiet_until
from cartwake.links import (
    Click,
    Confirm,
    Preferences,
    Unsubscribe,
    click_url,
    confirm_url,
    preferences_url,
    unsubscribe_url,
)
from cartwake.live import load_live
from cartwake.messages import Message, MessageState, change
from cartwake.reasons import Skip
from cartwake.segments import View
from cartwake.sending import letters
from cartwake.sending.coupons import give_coupon
from cartwake.sending.letters import Case, Letter, Links, Unfit
from cartwake.sending.outcomes import Outcome
from cartwake.sending.rewriting import rewrite
from cartwake.settings import find, require
from cartwake.statements import Channel
from cartwake.store import addresses, base, budgets, events, messages, profiles, runs
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import HOUR, MINUTE, Instant, format_instant

_ATTEMPTS: Final = 4
_LOOK_AGAIN_MS: Final = 10 * MINUTE
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
            if message.not_before <= now:
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
        letter = _prepare(message, now)
        if isinstance(letter, Letter):
            letter = _afford(letter, now)
        if isinstance(letter, Message):
            _replace(message, letter)
            return
        claimed = _claim(letter, now)
        if claimed is not None:
            outcome = _attempt(letter)
            _record(letter, claimed, deciding.settle(claimed, outcome, read_clock(), jitter=random.random()))  # noqa: S311
            return
        _refund(letter, now)
        current = messages.get_message(message.who, message.id)
        if current is None or current.state is not MessageState.PLANNED:
            return
        message = current
    raise TryAgain("the claim was prevented too often in a row")


def _prepare(message: Message, now: Instant) -> Letter | Message:
    """Return the letter, or the message as it then is: skipped with its reason, or put off."""
    rules = load_live(now)
    run = runs.get_run(message.who, message.run)
    if run is None:
        return deciding.skip(message, Skip.RUN_ENDED, now)
    profile = profiles.resolve_profile(message.who)
    # what was received after this function looked at its clock is in the state, and counts
    view = View(profile.state, rules, max(now, profile.state.evaluated_at), run.start)
    why = deciding.may_send(message, run, profile, view)
    if why is Skip.PAUSED and now <= message.not_after:
        return deciding.put_off(message, now + _LOOK_AGAIN_MS)
    if why is not None:
        return deciding.skip(message, why, now)
    quiet = quiet_until(message.channel, view)
    if quiet is not None:
        return deciding.put_off(message, quiet)
    return _address(Case(message=message, run=run, profile=profile, rules=rules, now=view.now), now)


def _address(case: Case, now: Instant) -> Letter | Message:
    """Return the letter to an address that may be written to, or the message with the reason why not."""
    message = case.message
    if message.kind == optins.CONFIRMATION:
        return _ask(case, now)
    to = letters.find_address(message.channel, case.profile, address_secret())
    if to is None:
        return deciding.skip(message, Skip.NO_ADDRESS, now)
    if message.channel is Channel.PUSH and not _find_application(to):
        return deciding.skip(message, Skip.NO_APPLICATION, now, detail=to.partition(" ")[0])
    address = addresses.get_address(case.profile.address_keys[message.channel])
    why = deciding.may_reach(message, address, case.rules, now=now)
    if why is Skip.FREQUENCY_CAP and letters.find_live_step(message, case.rules).held:
        free = deciding.capped_until(message, address, case.rules)
        if free <= message.not_after:
            return deciding.put_off(message, free)
    if why is not None:
        return deciding.skip(message, why, now)
    coupon = give_coupon(case, now)
    if isinstance(coupon, Unfit):
        return deciding.skip(message, coupon.why, now, detail=coupon.detail)
    case = msgspec.structs.replace(case, coupon=coupon)
    letter = letters.compose(case, to, address, _make_links(message, address))
    if isinstance(letter, Unfit):
        return deciding.skip(message, letter.why, now, detail=letter.detail)
    return _track(letter, now)


def _ask(case: Case, now: Instant) -> Letter | Message:
    """Return the letter that asks for a yes, or the message with the reason why nobody may be asked."""
    message, request, secret = case.message, case.run.trigger, address_secret()
    to = letters.find_asked(request, case.profile, secret) if request is not None else None
    if request is None or to is None:
        return deciding.skip(message, Skip.NO_ADDRESS, now)
    keys = [derive_key(Channel.EMAIL, it, secret) for it in (to, optins.find_mailbox(to))]
    address = addresses.get_address(keys[0])
    mailbox = None if keys[0] == keys[1] else addresses.get_address(keys[1])
    why = optins.refuse(message.id, request, address, mailbox or address, now=now)
    if why is not None:
        return deciding.skip(message, why, now)
    link = Confirm(request.who, address.key, Channel.EMAIL, now, request.key)
    links = Links(confirm=confirm_url(require("PUBLIC_URL"), link, link_secrets()))
    letter = letters.compose(case, to, address, links)
    if isinstance(letter, Unfit):
        return deciding.skip(message, letter.why, now, detail=letter.detail)
    return msgspec.structs.replace(letter, mailbox=mailbox)


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
    # who is asked for a yes need not be the shopper yet
    channel = None if before.kind == optins.CONFIRMATION else before.channel
    writes = [
        messages.write_message(claimed),
        *_note(letter, now),
        runs.demand_going_on(letter.case.run),
        profiles.demand_profile(letter.case.profile, channel=channel),
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


def _attempt(letter: Letter) -> Outcome:
    """Hand the message over, once."""
    match letter.case.message.channel:
        case Channel.SMS:
            return send_sms(letters.to_sms(letter))
        case Channel.PUSH:
            return send_push(letters.to_push(letter, _find_application(letter.to)))
        case _:
            return send_email(letters.to_mail(letter, require("CONFIGURATION_SET")))


def _find_application(to: str) -> str:
    """Return the platform application of a device, "" where the stack has none."""
    return find("PUSH_APPLE" if to.startswith("ios ") else "PUSH_ANDROID")


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


def _track(letter: Letter, now: Instant) -> Letter:
    """Return the letter so that it is seen what its reader does, where that may be: never of a transactional one."""
    message, html, link = letter.case.message, letter.content.html, letter.content.link
    rule = letter.case.rules.settings.tracking
    if message.kind != "marketing" or not (html or link) or not may_track(letter.address.choices, rule):
        return letter
    base_url, secrets = require("PUBLIC_URL"), link_secrets()
    home = letter.case.rules.settings.shop.url

    def make(number: int, to: str) -> str:
        to = to if number else home
        click = Click(message.who, message.id, number, to, now, message.journey, letter.address.key)
        return click_url(base_url, click, secrets)

    if link:
        content = replace(letter.content, link=make(1, link) or link)
    else:
        content = replace(letter.content, html=rewrite(html, make, own=base_url))
    return msgspec.structs.replace(letter, content=content, tracked=True)


def _make_links(message: Message, address: Address) -> Links:
    """Return the shopper's own links: what is not marketing has none that unsubscribes."""
    base_url, secrets = require("PUBLIC_URL"), link_secrets()
    target = (message.who, message.id, address.key, message.channel)
    preferences = preferences_url(base_url, Preferences(*target), secrets)
    if message.kind == "transactional":
        return Links(preferences=preferences)
    return Links(preferences=preferences, unsubscribe=unsubscribe_url(base_url, Unsubscribe(*target), secrets))
