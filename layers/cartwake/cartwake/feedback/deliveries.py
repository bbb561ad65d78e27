"""Deliveries: what became of a message, and what that makes of its row, its address and our events.

A delivery is matched by the tags that every mail carries, never by its list of addresses: a complaint may name
everybody of a domain. Whatever SES tells of a message proves that SES took it, so it also settles a lost answer.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from cartwake.addresses import Address, Suppression, note_delivery, note_soft_bounce, suppress
from cartwake.devices import TAPPED
from cartwake.events import COMPLAINED, Event, derive_id, own_event
from cartwake.messages import Message, MessageState, change
from cartwake.reasons import Skip
from cartwake.statements import Channel
from cartwake.times import Instant, format_instant

COUNTED: Final = frozenset({"delivered", "opened", "clicked", "bounced", "complained"})
"""What reports count, by its name in `Message.happened`; acceptance is counted too, by `accepted_at`."""


class Kind(StrEnum):
    """What happened to a message."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"
    DELAYED = "delayed"
    FAILED = "failed"


class IgnoreReason(StrEnum):
    """Why feedback changes nothing."""

    NOTICE = "notice"
    NOT_FOLLOWED = "not_followed"
    NOT_OURS = "not_ours"
    NO_COMPLAINT = "no_complaint"
    JUDGED_LATER = "judged_later"
    NO_SUCH_MESSAGE = "no_such_message"
    NO_NUMBER = "no_number"


@dataclass(frozen=True, slots=True)
class Ignored:
    """Feedback that changes nothing."""

    reason: IgnoreReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One thing that happened to one message.

    Attributes:
        at: When, by SES's clock.
        sent_at: When SES took the message.
        who: With `message`, the key of its row.
        provider_id: SES's id of the message.
        permanent: Of a bounce: the address does not work, and never will.
        bot: No person opened or clicked.
        link: Of a click: without what identifies a person.
        link_id: Of a click: the id that the template gave the link (`ses:tags="id:..."`).
        detail: SES's own words for kind and cause, such as `Permanent/NoEmail`.
        address_id: What stands for the address it went to.
    """

    kind: Kind
    at: Instant
    sent_at: Instant
    who: str
    message: str
    provider_id: str
    permanent: bool = False
    bot: bool = False
    link: str = ""
    link_id: str = ""
    detail: str = ""
    address_id: str = ""

    @property
    def mark(self) -> str:
        """The name under which a message remembers when this first happened; "" for what `accepted_at` tells."""
        if self.kind is Kind.SENT:
            return ""
        if self.kind is Kind.BOUNCED and not self.permanent:
            return "soft_bounced"
        return f"machine_{self.kind}" if self.bot else self.kind.value


def tags_for(who: str, message: str) -> dict[str, str]:
    """Return the tags that bring a message's feedback home."""
    return {"message": message, "who": urlsafe_b64encode(who.encode()).decode().rstrip("=")}


def read_tags(tags: Mapping[str, list[str]]) -> tuple[str, str] | None:
    """Return `who` and message id from the tags as SES gives them back, or None when they are not ours."""
    message, packed = ((tags.get(name) or [""])[0] for name in ("message", "who"))
    try:
        who = urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except ValueError:
        return None
    # base64 readers skip what they do not know, so look whether it reads back
    ours = who and message and tags_for(who, message)["who"] == packed
    return (who, message) if ours else None


def accept(message: Message, delivery: Delivery) -> Message:
    """Return the row settled by what SES tells: accepted, whatever we knew; refused, if SES then threw it away."""
    if delivery.kind in (Kind.REJECTED, Kind.FAILED):
        state, reason = MessageState.REFUSED, str(Skip.REFUSED_BY_PROVIDER)
    else:
        state, reason = MessageState.ACCEPTED, ""
    if message.state is state or message.happened.keys() & {Kind.REJECTED, Kind.FAILED}:
        return message
    return change(
        message,
        state=state,
        reason=reason,
        detail=delivery.detail if reason else "",
        provider_id=delivery.provider_id,
        accepted_at=message.accepted_at or delivery.sent_at,
        settled_at=delivery.at,
        retry_at=None,
        lease_until=0,
    )


def note(message: Message, delivery: Delivery) -> Message:
    """Return the row with the time at which this happened, if it is the first time."""
    if not delivery.mark or delivery.mark in message.happened:
        return message
    return change(message, happened=message.happened | {delivery.mark: delivery.at})


def count_changes(before: Message, after: Message) -> tuple[str, dict[str, int]]:
    """Return the day (UTC) and the amounts that a change of a row adds to the counts: for what was set just now.

    A row is changed by `accept` and by `note` in turn, as the two may belong to different days.
    """
    firsts = {mark: at for mark, at in after.happened.items() if mark in COUNTED and mark not in before.happened}
    if after.accepted_at and not before.accepted_at:
        firsts["accepted"] = after.accepted_at
    day = max((format_instant(at)[:10] for at in firsts.values()), default="")
    return day, dict.fromkeys(firsts, 1)


def concerns_address(delivery: Delivery) -> bool:
    """Say whether the row of the address has to know."""
    return delivery.kind in (Kind.COMPLAINED, Kind.BOUNCED, Kind.DELIVERED)


def protect(address: Address, delivery: Delivery) -> Address:
    """Return the row of the message's address after this: suppressed for good, or nearer to it, or farther from it."""
    match delivery.kind:
        case Kind.COMPLAINED:
            return suppress(address, Suppression.COMPLAINT, delivery.at)
        case Kind.BOUNCED if delivery.permanent:
            return suppress(address, Suppression.BOUNCE, delivery.at)
        case Kind.BOUNCED:
            return note_soft_bounce(address, delivery.message, delivery.at)
        case Kind.DELIVERED:
            return note_delivery(address, delivery.at)
        case _:
            return address


def make_event(message: Message, delivery: Delivery, address: Address | None = None) -> Event | None:
    """Return the event that the delivery is, or None for what only the ledger keeps; told twice it is the same.

    Args:
        message: Its row.
        delivery: What happened.
        address: The row of its address after that, where it had to know.
    """
    last = address is not None and address.suppression is not None and address.suppressed_at == delivery.at
    name = TAPPED if (message.channel, delivery.kind) == _TAP else _EVENT_NAMES.get(delivery.kind)
    if name is None:
        return None
    told = {
        "message": message.id,
        "journey": message.journey,
        "step": message.path,
        "template": message.template,
        "channel": message.channel.value,
        "link": delivery.link,
        "link_id": delivery.link_id,
        "bounce": {True: "permanent", False: "transient"}[delivery.permanent] if delivery.kind is Kind.BOUNCED else "",
        "suppressed": last and delivery.kind is Kind.BOUNCED and not delivery.permanent,
        "bot": delivery.bot,
        "address_id": delivery.address_id if delivery.kind in (Kind.BOUNCED, Kind.COMPLAINED) else "",
    }
    properties = {name: value for name, value in told.items() if value not in ("", False)}
    ident = derive_id(
        "delivery", delivery.provider_id, delivery.kind, str(delivery.at), delivery.link, *_BOT[: delivery.bot]
    )
    event = own_event(message.who, name, id=ident, at=delivery.at, properties=properties)
    return msgspec.structs.replace(event, bot=delivery.bot)


_TAP: Final = (Channel.PUSH, Kind.CLICKED)
_BOT: Final = ("bot",)
"""A scanner and a person may follow a link at one time: that is two events."""
_EVENT_NAMES: Final = {
    Kind.SENT: "Email Sent",
    Kind.DELIVERED: "Email Delivered",
    Kind.OPENED: "Email Opened",
    Kind.CLICKED: "Email Link Clicked",
    Kind.BOUNCED: "Email Bounced",
    Kind.COMPLAINED: COMPLAINED,
}
