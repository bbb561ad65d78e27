"""track_delivery: settle the ledger with what SES tells, hear what shoppers answer, and put it back in as events."""

from collections.abc import Callable
from typing import Any

from cartwake.addresses import Address, derive_key, normalise
from cartwake.batches import process_each
from cartwake.clock import read_clock
from cartwake.consents import Said, hear, say
from cartwake.declarations import declare
from cartwake.errors import BadInput, WriteConflict
from cartwake.events import Event
from cartwake.feedback.clicks import Touch, judge, note_touch, read_touch
from cartwake.feedback.deliveries import (
    Delivery,
    Ignored,
    IgnoreReason,
    accept,
    concerns_address,
    count_changes,
    make_event,
    note,
    protect,
)
from cartwake.feedback.notices import read_delivery
from cartwake.feedback.replies import Reply, Word, read_reply
from cartwake.feedback.replies import make_event as make_reply_event
from cartwake.gateways.secrets import address_secret
from cartwake.messages import Message, change, name_counter
from cartwake.reasons import Refusal
from cartwake.statements import Channel, Consent
from cartwake.store import addresses, events, messages, quarantine
from cartwake.store.identities import find_owner
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import Instant

_ATTEMPTS = 5

type Step = Callable[[Message, Delivery], Message]


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take a batch of the feedback queue.

    Args:
        event: `Records` of SQS; each body is SES's event JSON, bare or in SNS's envelope, or a reply in that envelope.
        context: Lambda's.
    """
    now = read_clock()
    again = process_each(event["Records"], lambda record: track(record["body"]), set_aside=_keep_record(now))
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in again]}


def track(body: str) -> None:
    """Do everything that one piece of feedback asks for: first what protects the shopper, last what only informs.

    Each part may be done again, so a failure on the way is mended by repeating the whole.

    Raises:
        TryAgain: Not all could be written.
        BadInput: It is not an event of SES.
    """
    reply = read_reply(body)
    if reply is not None:
        answer(reply)
        return
    touch = read_touch(body)
    delivery = _hear(touch) if touch is not None else read_delivery(body)
    if isinstance(delivery, Ignored):
        logger.info("feedback ignored", reason=delivery.reason)
        return
    message = messages.get_message(delivery.who, delivery.message)
    if message is None:
        reason = IgnoreReason.NO_SUCH_MESSAGE
        logger.warning("feedback ignored", reason=reason, who=name_who(delivery.who), message_id=delivery.message)
        return
    address = _protect(message, delivery)
    for step in (accept, note):
        message = _write(message, delivery, step)
    event = make_event(message, delivery, address)
    if event is not None:
        events.put_events([event])
    count("DeliveriesTracked")
    who = name_who(message.who)
    logger.info("delivery tracked", who=who, message_id=message.id, kind=delivery.kind, state=message.state)


def _hear(touch: Touch) -> Delivery | Ignored:
    """Note that a link was followed, or say what that was."""
    message = messages.get_message(touch.who, touch.message)
    if message is None:
        return Ignored(IgnoreReason.NO_SUCH_MESSAGE)
    for _ in range(_ATTEMPTS):
        after = note_touch(message, touch)
        if after is message or messages.replace_message(message, after):
            return judge(after, touch) if touch.final else Ignored(IgnoreReason.JUDGED_LATER)
        message = messages.get_message(touch.who, touch.message) or message
    raise WriteConflict("message written by others too often in a row")


def answer(reply: Reply) -> None:
    """Do what a reply asks for: the number's consent first, then the event for the shopper whose number it is.

    Raises:
        TryAgain: Not all could be written.
    """
    number = normalise(Channel.SMS, reply.number)
    if number is None:
        logger.warning("feedback ignored", reason=IgnoreReason.NO_NUMBER)
        return
    key = derive_key(Channel.SMS, number, address_secret())
    at = _declare(reply, key) if reply.word in (Word.STOP, Word.START) else reply.at
    owner = find_owner(key)
    if owner is not None:
        events.put_events([make_reply_event(reply, owner, at=at)])
    count("RepliesTracked")
    logger.info("reply tracked", who=name_who(owner or ""), word=reply.word, known=owner is not None)


def _declare(reply: Reply, key: str) -> Instant:
    """Write what the number's owner states to its row and its record, and return the instant for which that counts."""
    draft = Consent(subscribed=reply.word is Word.START, at=reply.at, id=0, method="reply")

    def decide(row: Address) -> Said:
        # a stop must not lose to a yes just before it, nor a start that comes late win over a stop
        return (say if reply.word is Word.STOP else hear)(row, draft, tell)

    def tell(consent: Consent) -> Event:
        return make_reply_event(reply, "", at=consent.at)

    told = declare(key, decide)
    return told.occurred_at if told else reply.at


def _protect(message: Message, delivery: Delivery) -> Address | None:
    """Stop the address that the message was claimed for, whatever the shopper's address is by now; return its row."""
    if not message.address_key or not concerns_address(delivery):
        return None
    for _ in range(_ATTEMPTS):
        before = addresses.get_address(message.address_key)
        after = protect(before, delivery)
        if after is before:
            return before
        if addresses.put_address(after):
            if after.suppression is not before.suppression:
                count("AddressesSuppressed")
                who, why = name_who(message.who), after.suppression
                logger.info("address suppressed", who=who, message_id=message.id, reason=why)
            return after
    raise WriteConflict("address written by others too often in a row")


def _write(message: Message, delivery: Delivery, step: Step) -> Message:
    """Return the message as it stands after a step, counted in the transaction that sets a time first."""
    for _ in range(_ATTEMPTS):
        after = step(message, delivery)
        if after is message:
            return message
        day, amounts = count_changes(message, after)
        if messages.replace_message(message, after, counter=name_counter(message), day=day, amounts=amounts):
            return change(after, version=message.version + 1)
        message = messages.get_message(message.who, message.id) or message
    raise WriteConflict("message written by others too often in a row")


def _keep_record(now: Instant) -> Callable[[dict[str, Any], Exception], None]:
    def keep(record: dict[str, Any], error: Exception) -> None:
        reason = error.code if isinstance(error, BadInput) else Refusal.POISON
        body = str(record.get("body", "")).encode(errors="replace")
        quarantine.put("", str(record["messageId"]), reason=reason, at=now, where="track_delivery", body=body)

    return keep
