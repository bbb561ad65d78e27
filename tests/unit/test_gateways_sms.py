"""The one attempt to send a text message."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qs

import pytest
from endpoint import Endpoint, serve

from cartwake.gateways import clients
from cartwake.gateways.sms import Sms, send_sms
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown

SMS: Final = Sms(to="+48601234567", text="Twój koszyk czeka", sender_name="Fern")
ANSWER: Final = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>s-1</MessageId>'
    "</PublishResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></PublishResponse>"
)
ERROR: Final = (
    '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><Error><Type>Sender</Type><Code>{code}</Code>'
    "<Message>{text}</Message></Error><RequestId>r</RequestId></ErrorResponse>"
)


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with serve() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
        clients.forget()
        endpoint.body, endpoint.headers = ANSWER, {"Content-Type": "text/xml"}
        yield endpoint
        clients.forget()


@pytest.mark.parametrize(("transactional", "kind"), [(False, "Promotional"), (True, "Transactional")])
def test_a_text_is_handed_over_whole(sns: Endpoint, transactional: bool, kind: str) -> None:
    """Number, text, sender and kind reach SNS."""
    assert send_sms(replace(SMS, transactional=transactional)) == Accepted("s-1")
    sent = {name: values[0] for name, values in parse_qs(sns.requests[0].decode()).items()}
    assert (sent["PhoneNumber"], sent["Message"]) == ("+48601234567", "Twój koszyk czeka")
    attributes = {
        sent[f"MessageAttributes.entry.{at}.Name"]: sent[f"MessageAttributes.entry.{at}.Value.StringValue"]
        for at in (1, 2)
    }
    assert attributes == {"AWS.SNS.SMS.SMSType": kind, "AWS.SNS.SMS.SenderID": "Fern"}


def test_a_number_of_the_shops_own_is_the_origin(sns: Endpoint) -> None:
    """Some countries know no names; there the sender is a number."""
    assert send_sms(replace(SMS, sender_name="+18335550100")) == Accepted("s-1")
    sent = {name: values[0] for name, values in parse_qs(sns.requests[0].decode()).items()}
    assert sent["MessageAttributes.entry.2.Name"] == "AWS.MM.SMS.OriginationNumber"
    assert sent["MessageAttributes.entry.2.Value.StringValue"] == "+18335550100"


@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_lost_answer_is_one_attempt(sns: Endpoint, status: int) -> None:
    """A text whose answer was lost may be on its way; asking again would send a second one."""
    sns.status = status
    assert isinstance(send_sms(SMS), Unknown)
    assert len(sns.requests) == 1


@pytest.mark.parametrize(
    ("status", "code", "outcome"),
    [
        (400, "InvalidParameter", Refused("InvalidParameter")),
        (400, "Throttling", Throttled("Throttling")),
        (429, "Throttled", Throttled("Throttled")),
        (403, "AuthorizationError", Throttled("AuthorizationError", whole_channel=True)),
        (500, "InternalError", Unknown("InternalError")),
    ],
)
def test_what_sns_says_decides(sns: Endpoint, status: int, code: str, outcome: Outcome) -> None:
    """Patience for limits, the whole channel stops for what an operator must mend, the rest is final."""
    sns.status, sns.body = status, ERROR.format(code=code, text="")
    assert send_sms(SMS) == outcome
    assert len(sns.requests) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"to": "601234567"},
        {"to": "+0123456789"},
        {"to": "arn:aws:sns:eu-central-1:123456789012:topic"},
        {"text": ""},
        {"text": " \n"},
        {"text": "a" * 1_601},
        {"sender_name": "A name too long"},
        {"sender_name": "12345"},
    ],
)
def test_what_cannot_be_sent_is_not_tried(sns: Endpoint, changes: dict[str, Any]) -> None:
    """A text that SNS would refuse, or cut, or send to something else than a phone, is refused before."""
    assert isinstance(send_sms(replace(SMS, **changes)), Refused)
    assert sns.requests == []


def test_the_longest_text_is_sent(sns: Endpoint) -> None:
    """1,600 characters are allowed."""
    assert send_sms(replace(SMS, text="a" * 1_600)) == Accepted("s-1")
