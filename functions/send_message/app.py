"""send_message: the last decision, the claim, and the one attempt; nothing else may call SES or SNS."""

import random
from dataclasses import dataclass
from typing import Any, Final

from cartwake import messages as deciding
from cartwake.addresses import Address, Sent, derive_key, normalise, note_send, release_send
from cartwake.batches import process_queue
from cartwake.bundles import Bundle, Send
from cartwake.clock import read_clock
from cartwake.deliveries import tags_for
from cartwake.errors import TemplateFailed, TryAgain
from cartwake.events import derive_id
from cartwake.gateways.email import Mail, format_sender, send_email
from cartwake.gateways.secrets import address_secret, link_secrets
from cartwake.gateways.sms import Sms, send_sms
from cartwake.links import Unsubscribe, unsubscribe_url
from cartwake.live import load_live
from cartwake.messages import LEASE_MS, SETTLE_AFTER_MS, Message, MessageState, change
from cartwake.outcomes import Accepted, Outcome, Refused, Throttled, Unknown
from cartwake.profiles import Channel, Profile
from cartwake.reasons import Refusal, Skip
from cartwake.runs import Run, find_step, quiet_until
from cartwake.settings import require
from cartwake.store import addresses, base, messages, profiles, quarantine, runs
from cartwake.telemetry import count, logger, metrics
from cartwake.template_data import gather
from cartwake.templates import Rendered, render
from cartwake.times import MINUTE, Instant, format_instant

_ATTEMPTS: Final = 4
_CHANNEL_PAUSE_MS: Final = 5 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """Everything that the claim and the attempt need."""

    message: Message
    run: Run
    profile: Profile
    address: Address
    to: str
    content: Rendered
    link: str
    rules: Bundle


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of `{"who", "message"}` from the queue.

    Args:
        event: `Records` of SQS.
        context: Lambda's; with less than ten seconds left no new attempt is begun.
    """

    def process(body: dict[str, Any]) -> None:
        if context.get_remaining_time_in_millis() < 10_000:
            raise TryAgain("no time left for another attempt")
        handle(body["who"], body["message"], read_clock())

    def set_aside(record: dict[str, Any], error: Exception) -> None:
        body = record["body"].encode()
        quarantine.put(
            "", record["messageId"], reason=Refusal.POISON, at=read_clock(), where=type(error).__name__, body=body
        )

    return process_queue(event, process, set_aside=set_aside)


def handle(who: str, message_id: str, now: Instant) -> None:
    """Bring one message one state further, whatever state it is in."""
    message = messages.get_message(who, message_id)
    if message is None:
        logger.warning("no such message", message_id=message_id)
        return
    match message.state:
        case MessageState.PLANNED:
            if message.not_before <= now:
                _send(message, now)
        case MessageState.CLAIMED:
            if message.lease_until <= now:
                _doubt(message, "LeaseExpired")
        case MessageState.UNKNOWN:
            if message.retry_at is not None and message.retry_at <= now:
                _replace(message, deciding.settle_unknown(message, now))
        case MessageState.ACCEPTED | MessageState.REFUSED | MessageState.SKIPPED:
            logger.info("already settled", message_id=message.id)


def _send(message: Message, now: Instant) -> None:
    """Decide, claim, attempt, record; a claim that somebody's write prevented is decided anew."""
    for _ in range(_ATTEMPTS):
        ready = _prepare(message, now)
        if isinstance(ready, Message):
            _replace(message, ready)
            return
        claimed = _claim(ready, now)
        if claimed is not None:
            _record(ready, claimed, _attempt(ready, claimed), now=read_clock())
            return
        current = messages.get_message(message.who, message.id)
        if current is None or current.state is not MessageState.PLANNED:
            return
        message = current
    raise TryAgain("the claim was prevented too often in a row")


def _prepare(message: Message, now: Instant) -> Ready | Message:
    """Return what an attempt needs, or the message as it then is: skipped with its reason, or put off."""
    rules = load_live(now)
    run = runs.get_run(message.who, message.run)
    if run is None:
        return _skip(message, Skip.RUN_ENDED, now)
    profile = profiles.resolve_profile(message.who)
    skip = deciding.may_send(message, run=run, profile=profile, rules=rules, now=now)
    if skip is not None:
        return _skip(message, skip, now)
    step = _live_step(message, rules)
    quiet = quiet_until(rules.settings, step, profile.state, now)
    if quiet is not None:
        return change(message, not_before=quiet, retry_at=quiet)
    to = _find_address(message.channel, profile)
    if to is None:
        return _skip(message, Skip.NO_ADDRESS, now)
    address = addresses.get_address(profile.address_keys[message.channel])
    skip = deciding.may_reach(message, address, rules, now=now)
    if skip is not None:
        return _skip(message, skip, now)
    return _fill(message, step, run=run, profile=profile, address=address, to=to, rules=rules, now=now)


def _fill(
    message: Message, step: Send, *, run: Run, profile: Profile, address: Address, to: str, rules: Bundle, now: Instant
) -> Ready | Message:
    """Render the live template; what cannot be rendered is not sent."""
    template = rules.templates.get(step.template)
    if template is None:
        return _skip(message, Skip.TEMPLATE_GONE, now)
    link = ""
    if message.channel is Channel.EMAIL and message.kind != "transactional":
        stop = Unsubscribe(message.who, message.id, address.key, message.channel)
        link = unsubscribe_url(require("PUBLIC_URL"), stop, link_secrets())
    if step.subject:
        template = type(template)(subject=step.subject, html=template.html, text=template.text)
    try:
        data = gather(profile.state, event=run.trigger, settings=rules.settings, unsubscribe_url=link)
        content = render(template, data, name=step.template)
    except TemplateFailed as error:
        return _skip(message, Skip.TEMPLATE, now, detail=error.detail)
    return Ready(
        message=message, run=run, profile=profile, address=address, to=to, content=content, link=link, rules=rules
    )


def _claim(ready: Ready, now: Instant) -> Message | None:
    """Claim the message in one transaction with everything that permits it; None when any of that has changed."""
    before = ready.message
    attempt = derive_id("attempt", before.id, str(before.attempts), str(now), str(random.getrandbits(64)))  # noqa: S311
    lease_until = now + LEASE_MS
    claimed = change(
        before,
        state=MessageState.CLAIMED,
        attempt=attempt,
        attempts=before.attempts + 1,
        lease_until=lease_until,
        retry_at=lease_until,
        claimed_at=now,
        address_key=ready.address.key,
    )
    marketing = before.kind != "transactional"
    counted = note_send(ready.address, Sent(now, before.id))
    writes = [
        messages.write_message(claimed),
        addresses.write_address(counted) if marketing else addresses.demand_unchanged(ready.address),
        runs.demand_going_on(ready.run),
        profiles.demand_profile(ready.profile, channel=before.channel),
    ]
    if base.commit(writes, token=attempt):
        return change(claimed, version=before.version + 1)
    # a claim whose answer was lost looks like somebody else's: it is ours if it carries our attempt
    current = messages.get_message(before.who, before.id)
    ours = current is not None and current.attempt == attempt and current.state is MessageState.CLAIMED
    return current if ours else None


def _attempt(ready: Ready, message: Message) -> Outcome:
    """Hand the message over, once."""
    sender = ready.rules.settings.sender
    if message.channel is Channel.SMS:
        transactional = message.kind == "transactional"
        return send_sms(
            Sms(to=ready.to, text=ready.content.text, sender_name=sender.sms_name, transactional=transactional)
        )
    headers = {}
    if ready.link:
        headers = {"List-Unsubscribe": f"<{ready.link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    mail = Mail(
        sender=format_sender(sender.name, sender.email),
        to=ready.to,
        subject=ready.content.subject,
        html=ready.content.html,
        text=ready.content.text,
        reply_to=sender.reply_to,
        headers=headers,
        tags=tags_for(message.who, message.id),
        configuration_set=require("CONFIGURATION_SET"),
    )
    return send_email(mail)


def _record(ready: Ready, claimed: Message, outcome: Outcome, *, now: Instant) -> None:
    """Write what came of the attempt."""
    match outcome:
        case Accepted(provider_id):
            after = change(
                claimed, state=MessageState.ACCEPTED, provider_id=provider_id, accepted_at=now, settled_at=now, retry_at=None
            )
            counter, day = f"{claimed.journey}#{claimed.path}", format_instant(now)[:10]
            if _replace(claimed, after, counter=counter, day=day, amounts={"accepted": 1}):
                count("MessagesAccepted")
        case Refused(code):
            after = change(
                claimed, state=MessageState.REFUSED, reason=Skip.REFUSED_BY_PROVIDER, detail=code, settled_at=now, retry_at=None
            )
            _give_back(ready, claimed, after)
        case Throttled(code, whole_channel):
            wait_until = deciding.back_off(claimed, now, jitter=random.random())  # noqa: S311  jitter, not a secret
            if whole_channel:
                wait_until = max(wait_until, now + _CHANNEL_PAUSE_MS)
            after = change(
                claimed,
                state=MessageState.PLANNED,
                throttles=claimed.throttles + 1,
                attempts=claimed.attempts - 1,
                attempt="",
                lease_until=0,
                not_before=wait_until,
                retry_at=wait_until,
                detail=code,
            )
            _give_back(ready, claimed, after)
        case Unknown(detail):
            _doubt(claimed, detail)


def _give_back(ready: Ready, before: Message, after: Message) -> None:
    """Record that nothing was sent, and take it off the cap of the address, in one transaction."""
    for _ in range(_ATTEMPTS):
        address = addresses.get_address(ready.address.key)
        released = release_send(address, before.id)
        writes: list[base.Action] = [messages.write_message(change(after, version=before.version))]
        if released != address:
            writes.append(addresses.write_address(released))
        if base.commit(writes):
            logger.info("not sent", message_id=before.id, state=after.state.value, reason=after.reason, code=after.detail)
            return
        current = messages.get_message(before.who, before.id)
        if current is None or current.version != before.version:
            return
    logger.warning("outcome not recorded; the lease will expire", message_id=before.id)


def _doubt(message: Message, detail: str) -> None:
    """The message may or may not have gone out: wait for what SES tells, 15 minutes from the claim at most."""
    settle_at = message.claimed_at + SETTLE_AFTER_MS
    if _replace(message, change(message, state=MessageState.UNKNOWN, detail=detail, retry_at=settle_at)):
        count("MessagesUnknown")


def _replace(before: Message, after: Message, **counted: Any) -> bool:
    """Write *after*; when somebody else wrote meanwhile (SES may be faster than its own answer), theirs stands."""
    replaced = messages.replace_message(before, after, **counted)
    if replaced and after.state is MessageState.SKIPPED:
        count("MessagesSkipped")
    phrase = "message settled" if after.retry_at is None else "message moved"
    logger.info(phrase, message_id=before.id, state=after.state.value, reason=after.reason, written=replaced)
    return replaced


def _skip(message: Message, why: Skip, now: Instant, *, detail: str = "") -> Message:
    return change(message, state=MessageState.SKIPPED, reason=why.value, detail=detail, settled_at=now, retry_at=None)


def _find_address(channel: Channel, profile: Profile) -> str | None:
    """Return the address to write to: the one whose key the claim will demand to be unchanged."""
    register = profile.state.contacts.get(channel)
    if register is None or channel not in profile.address_keys:
        return None
    country = profile.state.traits.get("country")
    to = normalise(channel, register.value, country=country.value if country else None)
    return to if to and derive_key(channel, to, address_secret()) == profile.address_keys[channel] else None


def _live_step(message: Message, rules: Bundle) -> Send:
    """Return the step as it is live now, texts and all; as it was planned when the journey has changed around it."""
    planned = Send(channel=message.channel, template=message.template, subject=message.subject)
    live = find_step(rules.journeys[message.journey].steps, message.path)
    same = isinstance(live, Send) and (live.channel, live.template) == (planned.channel, planned.template)
    return live if same and isinstance(live, Send) else planned
