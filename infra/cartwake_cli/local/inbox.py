"""What was really sent, from the engine's own records of mails and SMS, never from our tables."""

import json
import urllib.request
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as SES accepted it; `sent_at` in milliseconds since 1970 UTC."""

    message_id: str
    sender: str
    to: str
    subject: str
    text: str
    html: str
    sent_at: int


@dataclass(frozen=True, slots=True)
class Text:
    """An SMS as SNS accepted it (the engine records no time)."""

    message_id: str
    to: str
    text: str


def read_mails(engine_url: str) -> list[Mail]:
    """Read every mail, in the order of sending."""
    by_account: dict[str, list[dict[str, Any]]] = _read(f"{engine_url}/_ministack/ses/messages")["messages"]
    mails = [_read_mail(record) for records in by_account.values() for record in records]
    return sorted(mails, key=lambda mail: mail.sent_at)


def read_texts(engine_url: str) -> list[Text]:
    """Read every SMS, those to one number in the order of sending."""
    by_phone: dict[str, list[dict[str, Any]]] = _read(f"{engine_url}/_ministack/sns/sms-messages")["sms_messages"]
    return [
        Text(record["MessageId"], phone, record["Message"]) for phone, records in by_phone.items() for record in records
    ]


def _read_mail(record: dict[str, Any]) -> Mail:
    return Mail(
        message_id=record["MessageId"],
        sender=record["Source"],
        to=", ".join(record["To"]),
        subject=record["Subject"],
        text=record["BodyText"] or "",
        html=record["BodyHtml"] or "",
        sent_at=round(record["Timestamp"] * 1000),
    )


def _read(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        read: dict[str, Any] = json.load(answer)
    return read
