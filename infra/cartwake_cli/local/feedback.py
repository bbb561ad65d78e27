"""What became of a mail, told as SES tells it: the documented event JSON, published to the feedback topic.

The engine sends no such events. On AWS nothing of this module runs.
"""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from cartwake_cli.cloud import Cloud
from cartwake_cli.local.inbox import Mail

type Kind = Literal["send", "delivery", "bounce", "complaint", "open", "click", "reject", "delay"]

EVENT_TYPES: dict[Kind, tuple[str, str]] = {
    "send": ("Send", "send"),
    "delivery": ("Delivery", "delivery"),
    "bounce": ("Bounce", "bounce"),
    "complaint": ("Complaint", "complaint"),
    "open": ("Open", "open"),
    "click": ("Click", "click"),
    "reject": ("Reject", "reject"),
    "delay": ("DeliveryDelay", "deliveryDelay"),
}
BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Safari/537.36"


@dataclass(frozen=True, slots=True)
class Sent:
    """The mail that an event is about: SES's id for it, its recipient, and the tags we sent it with."""

    message_id: str
    to: str
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_mail(cls, mail: Mail, tags: Mapping[str, str]) -> "Sent":
        """Take a mail of the engine's record; the engine does not record tags, so give them."""
        return cls(mail.message_id, mail.to, tags)


def publish(cloud: Cloud, topic: str, event: Mapping[str, Any]) -> None:
    """Publish one event to the topic, as SES's event destination does."""
    cloud.client("sns").publish(
        TopicArn=topic, Subject="Amazon SES Email Event Notification", Message=json.dumps(event)
    )


def make_event(kind: Kind, sent: Sent, *, at: int | None = None, **details: object) -> dict[str, Any]:
    """Make the event JSON of one kind; `details` replace the fields of its own object.

    Example: `make_event("bounce", sent, bounceType="Transient", bounceSubType="MailboxFull")`; a click takes `link`.
    """
    instant = _show_time(time.time_ns() // 1_000_000 if at is None else at)
    event_type, own = EVENT_TYPES[kind]
    return {
        "eventType": event_type,
        "mail": _describe_mail(sent, instant),
        own: _describe_outcome(kind, sent, instant) | details,
    }


def _describe_mail(sent: Sent, instant: str) -> dict[str, Any]:
    tags = {"ses:operation": ["SendEmail"], "ses:caller-identity": ["send-message"]}
    return {
        "timestamp": instant,
        "source": "Shop <shop@example.com>",
        "sourceArn": "arn:aws:ses:us-east-1:123456789012:identity/example.com",
        "sendingAccountId": "123456789012",
        "messageId": sent.message_id,
        "destination": [sent.to],
        "headersTruncated": False,
        "headers": [{"name": "To", "value": sent.to}],
        "commonHeaders": {"to": [sent.to], "messageId": sent.message_id},
        "tags": tags | {name: [value] for name, value in sent.tags.items()},
    }


def _describe_outcome(kind: Kind, sent: Sent, instant: str) -> dict[str, Any]:
    match kind:
        case "send":
            return {}
        case "delivery":
            return {
                "timestamp": instant,
                "processingTimeMillis": 546,
                "recipients": [sent.to],
                "smtpResponse": "250 2.6.0 Message received",
                "reportingMTA": "mta.example.com",
            }
        case "bounce":
            failed = {"emailAddress": sent.to, "action": "failed", "status": "5.1.1"}
            return {
                "bounceType": "Permanent",
                "bounceSubType": "General",
                "bouncedRecipients": [failed | {"diagnosticCode": "smtp; 550 5.1.1 user unknown"}],
                "timestamp": instant,
                "feedbackId": f"feedback-{sent.message_id}",
                "reportingMTA": "dsn; mta.example.com",
            }
        case "complaint":
            return {
                "complainedRecipients": [{"emailAddress": sent.to}],
                "timestamp": instant,
                "feedbackId": f"feedback-{sent.message_id}",
                "userAgent": BROWSER,
                "complaintFeedbackType": "abuse",
                "arrivalDate": instant,
            }
        case "open":
            return {"timestamp": instant, "ipAddress": "192.0.2.1", "userAgent": BROWSER}
        case "click":
            link = {"link": "https://shop.example/", "linkTags": None}
            return {"timestamp": instant, "ipAddress": "192.0.2.1", "userAgent": BROWSER} | link
        case "reject":
            return {"reason": "Bad content"}
        case "delay":
            recipient = {"emailAddress": sent.to, "status": "4.4.1", "diagnosticCode": "smtp; 421 try later"}
            return {
                "timestamp": instant,
                "delayType": "TransientCommunicationFailure",
                "delayedRecipients": [recipient],
            }


def _show_time(instant_at: int) -> str:
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(instant_at // 1000))}.{instant_at % 1000:03d}Z"
