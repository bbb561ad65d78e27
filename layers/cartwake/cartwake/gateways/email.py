"""E-mail: one attempt to hand one mail to SES."""

import re
from dataclasses import dataclass, field
from email.utils import formataddr, parseaddr
from typing import Any, Final

from botocore.exceptions import ClientError

from cartwake.domains import encode_domain
from cartwake.gateways import clients
from cartwake.gateways.attempt import FAILURES, classify_failure
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown

_BREAKS: Final = re.compile(r"[\r\n\0]")
_HEADER_NAME: Final = re.compile(r"[!-9;-@A-~]{1,126}")
_HEADER_VALUE: Final = re.compile(r"[ -~]{1,995}")
_TAG: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_UNTRACKED: Final = {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}}
"""Stands above what the account, its dashboard and the configuration set say: no picture, and links as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A mail to one person.

    Attributes:
        sender: As `format_sender` makes it: `Name <address>`, a name beyond ASCII as an encoded word.
        headers: More headers, such as List-Unsubscribe; printable ASCII.
        tags: Come back with everything SES tells about the mail; letters, digits, `_` and `-`.
        tracked: SES may see that it is opened and which links are followed, as far as the stack lets it at all.
    """

    sender: str
    to: str
    subject: str
    html: str
    text: str
    reply_to: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    configuration_set: str = ""
    tracked: bool = False


def format_sender(name: str, address: str) -> str:
    """Return `Name <address>` as a mail header wants it, quoted and encoded where needed."""
    return formataddr((" ".join(name.split()), address), charset="utf-8")


def send_email(mail: Mail) -> Outcome:
    """Hand *mail* to SES, once.

    A missing permission (AccessDenied) is the operator's fault and not the message's: it is `Throttled` for the
    whole channel, so that nothing goes out, messages wait up to their `not_after`, and an alarm rings. The same goes
    for a sender that is not verified; a recipient that is not (the sandbox) is refused.
    """
    fault = _find_fault(mail)
    if fault:
        return Refused(fault)
    client = clients.client("sesv2", attempts=1)
    try:
        answer = client.send_email(**_build_request(mail))
    except ClientError as failure:
        return _name_unverified_sender(mail, failure) or classify_failure(failure)
    except FAILURES as failure:
        return classify_failure(failure)
    finally:
        # A connection kept while the function sleeps may be dead when it wakes: its answer would be lost.
        client.close()
    return Accepted(answer["MessageId"]) if answer.get("MessageId") else Unknown("NoMessageId")


def _find_fault(mail: Mail) -> str:
    """Return what makes the mail unfit to be sent, or ""."""
    one_line = (mail.sender, mail.to, mail.subject, mail.reply_to)
    if any(_BREAKS.search(text) for text in one_line):
        return "LineBreakInHeader"
    if not _encode(mail.to) or not mail.sender.isascii():
        return "InvalidAddress"
    if not all(_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value) for name, value in mail.headers.items()):
        return "InvalidHeader"
    if not all(_TAG.fullmatch(name) and _TAG.fullmatch(value) for name, value in mail.tags.items()):
        return "InvalidTag"
    return ""


def _build_request(mail: Mail) -> dict[str, Any]:
    request: dict[str, Any] = {
        "FromEmailAddress": mail.sender,
        "Destination": {"ToAddresses": [_encode(mail.to)]},
        "Content": {
            "Simple": {
                "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": mail.text, "Charset": "UTF-8"},
                    "Html": {"Data": mail.html, "Charset": "UTF-8"},
                },
                "Headers": [{"Name": name, "Value": value} for name, value in mail.headers.items()],
            }
        },
        "EmailTags": [{"Name": name, "Value": value} for name, value in mail.tags.items()],
    }
    if not mail.tracked:
        request["ConfigurationOverrides"] = _UNTRACKED
    if mail.configuration_set:
        request["ConfigurationSetName"] = mail.configuration_set
    if mail.reply_to:
        request["ReplyToAddresses"] = [mail.reply_to]
    return request


def _encode(address: str) -> str:
    """Return an address as SES takes it, or "": a domain beyond ASCII encoded, and before it ASCII alone."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    try:
        return f"{local}@{encode_domain(domain)}" if local.isascii() else ""
    except ValueError:
        return ""


def _name_unverified_sender(mail: Mail, failure: ClientError) -> Throttled | None:
    """SES says "not verified" of our sender and, in the sandbox, of recipients: only the first is ours to mend."""
    error = failure.response.get("Error", {})
    text = (error.get("Message") or "").lower()
    address = parseaddr(mail.sender)[1].lower()
    if "not verified" in text and address in text:
        return Throttled(error.get("Code", ""), whole_channel=True)
    return None
