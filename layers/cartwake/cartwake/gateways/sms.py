"""SMS: one attempt to hand one text message to SNS."""

import re
from dataclasses import dataclass
from typing import Final

from cartwake.gateways import clients
from cartwake.gateways.attempt import FAILURES, classify_failure
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Unknown

LONGEST_TEXT: Final = 1_600
_NUMBER: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_SENDER: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9]{1,11}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sms:
    """A text message to one person.

    Attributes:
        to: E.164, for example `+48601234567`.
        text: At most 1,600 characters.
        sender_name: Up to 11 letters and digits, shown instead of a number where the country permits; or a number of
            the shop's own, in E.164.
        transactional: Sent for reliability; otherwise for price.
    """

    to: str
    text: str
    sender_name: str = ""
    transactional: bool = False


def send_sms(message: Sms) -> Outcome:
    """Hand *message* to SNS, once; for what a missing permission means see `gateways.email.send_email`."""
    fault = _find_fault(message)
    if fault:
        return Refused(fault)
    client = clients.client("sns", attempts=1)
    try:
        answer = client.publish(
            PhoneNumber=message.to, Message=message.text, MessageAttributes=_build_attributes(message)
        )
    except FAILURES as failure:
        return classify_failure(failure)
    finally:
        client.close()
    return Accepted(answer["MessageId"]) if answer.get("MessageId") else Unknown("NoMessageId")


def _find_fault(message: Sms) -> str:
    """Return what makes the message unfit to be sent, or ""."""
    if not _NUMBER.fullmatch(message.to):
        return "InvalidNumber"
    if not message.text.strip():
        return "EmptyText"
    if len(message.text) > LONGEST_TEXT:
        return "TextTooLong"
    if message.sender_name and not (_SENDER.fullmatch(message.sender_name) or _is_number(message.sender_name)):
        return "InvalidSenderName"
    return ""


def _is_number(sender: str) -> bool:
    return _NUMBER.fullmatch(sender) is not None


def _build_attributes(message: Sms) -> dict[str, dict[str, str]]:
    values = {"AWS.SNS.SMS.SMSType": "Transactional" if message.transactional else "Promotional"}
    if message.sender_name:
        own = "AWS.MM.SMS.OriginationNumber" if _is_number(message.sender_name) else "AWS.SNS.SMS.SenderID"
        values[own] = message.sender_name
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
