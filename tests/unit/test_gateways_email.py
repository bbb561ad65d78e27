"""The one attempt to send a mail."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_string, policy
from typing import Any, Final

import pytest
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
    SSLError,
)
from endpoint import Endpoint, serve

from cartwake.gateways import clients
from cartwake.gateways.attempt import classify_failure
from cartwake.gateways.email import Mail, format_sender, send_email
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown

MAIL: Final = Mail(
    sender="Fern <shop@example.com>",
    to="ewa@example.com",
    subject="Twój koszyk czeka",
    html="<p>Cześć</p>",
    text="Cześć",
    reply_to="help@example.com",
    headers={
        "List-Unsubscribe": "<https://shop.example.com/unsubscribe/x>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    },
    tags={"message": "m1", "who": "dSNld2E"},
    configuration_set="cartwake",
)


@pytest.fixture
def ses(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    with serve() as endpoint:
        monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint.url)
        monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
        clients.forget()
        endpoint.body = '{"MessageId": "0107-1"}'
        yield endpoint
        clients.forget()


def refuse(ses: Endpoint, status: int, code: str, text: str = "") -> Outcome:
    ses.status, ses.headers, ses.body = status, {"x-amzn-ErrorType": code}, json.dumps({"message": text})
    return send_email(MAIL)


def test_a_mail_is_handed_over_whole(ses: Endpoint) -> None:
    """Both bodies, the unsubscribe headers, our tags and the configuration set reach SES."""
    assert send_email(MAIL) == Accepted("0107-1")
    sent = json.loads(ses.requests[0])
    assert sent["FromEmailAddress"] == "Fern <shop@example.com>"
    assert sent["Destination"] == {"ToAddresses": ["ewa@example.com"]}
    assert sent["ReplyToAddresses"] == ["help@example.com"]
    assert sent["ConfigurationSetName"] == "cartwake"
    assert sent["EmailTags"] == [{"Name": "message", "Value": "m1"}, {"Name": "who", "Value": "dSNld2E"}]
    simple = sent["Content"]["Simple"]
    assert simple["Subject"] == {"Data": "Twój koszyk czeka", "Charset": "UTF-8"}
    assert simple["Body"]["Text"]["Data"] == "Cześć"
    assert simple["Body"]["Html"]["Data"] == "<p>Cześć</p>"
    assert simple["Headers"][1] == {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"}


@pytest.mark.parametrize("tracked", [True, False])
def test_who_may_not_be_seen_is_not(ses: Endpoint, tracked: bool) -> None:
    """SES is told so for each mail, above whatever account and stack say: no picture is added, no link is changed."""
    assert send_email(replace(MAIL, tracked=tracked)) == Accepted("0107-1")
    overrides = json.loads(ses.requests[0]).get("ConfigurationOverrides")
    none = {"Tracking": {"OpenTrackingEnabled": "DISABLED", "ClickTrackingEnabled": "DISABLED"}}
    assert overrides == (None if tracked else none)
    assert not MAIL.tracked


def test_a_lost_answer_is_one_attempt(ses: Endpoint) -> None:
    """When SES took the mail and the answer is lost, nobody asks again: SES would send a second one."""
    ses.status = 0
    assert send_email(MAIL) == Unknown("ConnectionClosedError")
    assert len(ses.requests) == 1


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_is_one_attempt_too(ses: Endpoint, status: int) -> None:
    """An error of the server says nothing of whether the mail goes out."""
    assert isinstance(refuse(ses, status, "InternalFailure"), Unknown)
    assert len(ses.requests) == 1


@pytest.mark.parametrize("body", ["<html>", "", "{}", '{"MessageId": null}', '{"MessageId"'])
def test_an_answer_that_says_nothing_is_unknown(ses: Endpoint, body: str) -> None:
    """A broken answer came from somebody: the mail may be on its way."""
    ses.body = body
    assert isinstance(send_email(MAIL), Unknown)


@pytest.mark.parametrize(
    ("status", "code", "text", "outcome"),
    [
        (429, "TooManyRequestsException", "Maximum sending rate exceeded.", Throttled("TooManyRequestsException")),
        (400, "ThrottlingException", "Maximum sending rate exceeded.", Throttled("ThrottlingException")),
        (400, "LimitExceededException", "", Throttled("LimitExceededException")),
        (429, "SomethingNew", "", Throttled("SomethingNew")),
        (
            429,
            "TooManyRequestsException",
            "Daily message quota exceeded.",
            Throttled("TooManyRequestsException", whole_channel=True),
        ),
        (400, "SendingPausedException", "", Throttled("SendingPausedException", whole_channel=True)),
        (400, "AccountSuspendedException", "", Throttled("AccountSuspendedException", whole_channel=True)),
        (
            400,
            "MailFromDomainNotVerifiedException",
            "",
            Throttled("MailFromDomainNotVerifiedException", whole_channel=True),
        ),
        (404, "NotFoundException", "Configuration set x", Throttled("NotFoundException", whole_channel=True)),
        (403, "AccessDeniedException", "not authorized", Throttled("AccessDeniedException", whole_channel=True)),
        (403, "ExpiredTokenException", "", Throttled("ExpiredTokenException", whole_channel=True)),
        (400, "MessageRejected", "Address blacklisted.", Refused("MessageRejected")),
        (400, "BadRequestException", "Illegal address", Refused("BadRequestException")),
        (
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region X: shop@example.com",
            Throttled("MessageRejected", whole_channel=True),
        ),
        (
            400,
            "MessageRejected",
            "Email address is not verified. The following identities failed the check in region X: ewa@example.com",
            Refused("MessageRejected"),
        ),
    ],
)
def test_what_ses_says_decides(ses: Endpoint, status: int, code: str, text: str, outcome: Outcome) -> None:
    """Patience for limits, the whole channel stops for what an operator must mend, the rest is final."""
    assert refuse(ses, status, code, text) == outcome
    assert len(ses.requests) == 1


@pytest.mark.parametrize(
    ("failure", "outcome"),
    [
        (EndpointConnectionError(endpoint_url="x"), Throttled("EndpointConnectionError")),
        (ConnectTimeoutError(endpoint_url="x"), Throttled("ConnectTimeoutError")),
        (NoCredentialsError(), Throttled("NoCredentialsError", whole_channel=True)),
        (ReadTimeoutError(endpoint_url="x"), Unknown("ReadTimeoutError")),
        (ConnectionClosedError(endpoint_url="x"), Unknown("ConnectionClosedError")),
        (SSLError(endpoint_url="x", error="x"), Unknown("SSLError")),
    ],
)
def test_only_what_never_left_may_be_repeated(failure: Exception, outcome: Outcome) -> None:
    """A connection that was never made sent nothing; one that broke may have."""
    assert classify_failure(failure) == outcome


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint that refuses connections has sent nothing."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    clients.forget()
    assert send_email(MAIL) == Throttled("EndpointConnectionError")
    clients.forget()


def test_every_mail_has_its_own_connection(ses: Endpoint) -> None:
    """A connection that died while the function slept would lose an answer, so none is kept."""
    assert send_email(MAIL) == send_email(MAIL) == Accepted("0107-1")
    assert ses.connections == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "Hi\r\nBcc: everybody@example.com"},
        {"subject": "Hi\0"},
        {"to": "ewa@example.com\nBcc: x@example.com"},
        {"to": ""},
        {"sender": "Fern\r\nX: y <shop@example.com>"},
        {"sender": "Żółw <shop@example.com>"},
        {"reply_to": "help@example.com\n"},
        {"headers": {"List-Unsubscribe": "<https://x>\r\nBcc: x@example.com"}},
        {"headers": {"List Unsubscribe": "x"}},
        {"headers": {"X-A": "ż"}},
        {"headers": {"X-A": "a" * 996}},
        {"tags": {"who": "a b"}},
        {"tags": {"who": ""}},
    ],
)
def test_headers_cannot_be_forged(ses: Endpoint, changes: dict[str, Any]) -> None:
    """A line break in what a shopper may have typed never reaches SES."""
    assert isinstance(send_email(replace(MAIL, **changes)), Refused)
    assert ses.requests == []


@pytest.mark.parametrize("name", ["Fern", "Fern & Co., Ltd.", 'The "Lamp" Shop', "Żółw i Spółka", "Дім", "a\r\n b", ""])
def test_senders_are_written_as_headers_want_them(name: str) -> None:
    """A shop's name arrives as it is, whatever its alphabet, and stays one line of ASCII on the way."""
    sender = format_sender(name, "shop@example.com")
    assert sender.isascii()
    assert "\n" not in sender
    read = message_from_string(f"From: {sender}\n\n", policy=policy.default)["From"].addresses[0]
    assert (read.display_name, read.addr_spec) == (" ".join(name.split()), "shop@example.com")


def test_domains_beyond_ascii_are_encoded(ses: Endpoint) -> None:
    """SES takes such a domain in its encoded form only."""
    send_email(replace(MAIL, to="ewa@żółw.example"))
    assert json.loads(ses.requests[0])["Destination"]["ToAddresses"] == ["ewa@xn--w-uga1v8h.example"]


@pytest.mark.parametrize("to", ["büro@example.com", "ewa@żółw-.example", "ewa@" + "ż" * 70 + ".example"])
def test_who_ses_cannot_write_to_is_refused(ses: Endpoint, to: str) -> None:
    """What is beyond ASCII before the @, or a domain that cannot be encoded, is refused and no error."""
    assert send_email(replace(MAIL, to=to)) == Refused("InvalidAddress")
    assert ses.requests == []
