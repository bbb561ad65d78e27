"""Feedback: SES's event JSON, as it comes through SNS and a queue, read into deliveries."""

from email.utils import parseaddr
from typing import Any, Final

import msgspec

from cartwake.addresses import name_address, normalise
from cartwake.bots import is_bot
from cartwake.errors import BadInput
from cartwake.feedback.deliveries import Delivery, Ignored, IgnoreReason, Kind, read_tags
from cartwake.feedback.tracking import strip_link
from cartwake.reasons import Refusal
from cartwake.statements import Channel
from cartwake.times import parse_instant

_NOTICE: Final = "Successfully validated SNS topic"
_NO_COMPLAINT: Final = frozenset({"not-spam", "auth-failure"})


def read_delivery(body: str) -> Delivery | Ignored:
    """Return what a body of the feedback queue tells: SES's JSON, bare or in the envelope that SNS puts around it.

    Raises:
        BadInput: It is neither.
    """
    if body.startswith(_NOTICE):
        return Ignored(IgnoreReason.NOTICE)
    try:
        envelope = _envelopes.decode(body)
        if envelope.Message is not None:
            return read_delivery(envelope.Message)
        told = _feedback.decode(body)
        return _to_delivery(told)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadInput(Refusal.INVALID_JSON, "not an event of SES") from error


class _Envelope(msgspec.Struct):
    Message: str | None = None


class _Mail(msgspec.Struct, rename="camel"):
    message_id: str
    timestamp: str
    tags: dict[str, list[str]] = {}
    destination: list[str] = []


class _Outcome(msgspec.Struct, rename="camel"):
    """The fields of SES's own objects that matter, whichever of them it is."""

    timestamp: str = ""
    bounce_type: str = ""
    bounce_sub_type: str = ""
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None
    delay_type: str = ""
    reason: str = ""
    error_message: str = ""
    user_agent: str | None = None
    link: str = ""
    link_tags: dict[str, list[str]] | None = None


class _Feedback(msgspec.Struct, rename="camel"):
    mail: _Mail
    event_type: str = ""
    notification_type: str = ""
    send: _Outcome | None = None
    delivery: _Outcome | None = None
    open: _Outcome | None = None
    click: _Outcome | None = None
    bounce: _Outcome | None = None
    complaint: _Outcome | None = None
    reject: _Outcome | None = None
    delivery_delay: _Outcome | None = None
    failure: _Outcome | None = None


def _to_delivery(told: _Feedback) -> Delivery | Ignored:
    known = _KINDS.get(told.event_type or told.notification_type)
    if known is None:
        return Ignored(IgnoreReason.NOT_FOLLOWED)
    tags = read_tags(told.mail.tags)
    if tags is None:
        return Ignored(IgnoreReason.NOT_OURS)
    kind, field = known
    outcome: _Outcome = getattr(told, field) or _Outcome()
    if kind is Kind.COMPLAINED and outcome.complaint_feedback_type in _NO_COMPLAINT:
        return Ignored(IgnoreReason.NO_COMPLAINT)
    return Delivery(
        kind=kind,
        at=parse_instant(outcome.timestamp or told.mail.timestamp),
        sent_at=parse_instant(told.mail.timestamp),
        who=tags[0],
        message=tags[1],
        provider_id=told.mail.message_id,
        address_id=_name_address(told.mail.destination),
        **_describe(kind, outcome),
    )


def _name_address(destination: list[str]) -> str:
    """Return what stands for the only address that a message went to."""
    if len(destination) != 1:
        return ""
    address = normalise(Channel.EMAIL, parseaddr(destination[0])[1])
    return name_address(address) if address else ""


def _describe(kind: Kind, outcome: _Outcome) -> dict[str, Any]:
    """Return what only some kinds have."""
    match kind:
        case Kind.OPENED:
            return {"bot": _is_machine(outcome)}
        case Kind.CLICKED:
            ids = (outcome.link_tags or {}).get("id") or [""]
            return {"bot": _is_machine(outcome), "link": strip_link(outcome.link), "link_id": ids[0][:100]}
        case Kind.BOUNCED:
            detail = f"{outcome.bounce_type}/{outcome.bounce_sub_type}"
            return {"permanent": outcome.bounce_type == "Permanent", "detail": detail}
        case Kind.COMPLAINED:
            return {"detail": outcome.complaint_sub_type or outcome.complaint_feedback_type or ""}
        case _:
            return {"detail": (outcome.reason or outcome.error_message or outcome.delay_type)[:200]}


def _is_machine(outcome: _Outcome) -> bool:
    """Apple's mail proxy calls itself a bare `Mozilla/5.0`, and no browser says nothing."""
    user_agent = (outcome.user_agent or "").strip()
    return user_agent in ("", "Mozilla/5.0") or is_bot(user_agent)


_KINDS: Final = {
    "Send": (Kind.SENT, "send"),
    "Delivery": (Kind.DELIVERED, "delivery"),
    "Open": (Kind.OPENED, "open"),
    "Click": (Kind.CLICKED, "click"),
    "Bounce": (Kind.BOUNCED, "bounce"),
    "Complaint": (Kind.COMPLAINED, "complaint"),
    "Reject": (Kind.REJECTED, "reject"),
    "DeliveryDelay": (Kind.DELAYED, "delivery_delay"),
    "Rendering Failure": (Kind.FAILED, "failure"),
}
_envelopes: Final = msgspec.json.Decoder(_Envelope)
_feedback: Final = msgspec.json.Decoder(_Feedback)
