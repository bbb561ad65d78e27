"""The single attempt: what its failures mean.

A provider without idempotency tokens sends twice when a client repeats a call whose answer was lost. So messages are
sent by clients that make one attempt, and whatever is not certainly unsent is `Unknown`.
"""

from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
)
from botocore.parsers import ResponseParserError

from cartwake.sending.outcomes import Outcome, Refused, Throttled, Unknown

FAILURES: Final = (BotoCoreError, ClientError, ResponseParserError)
"""Everything that a call can raise."""

_NEVER_LEFT: Final = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
_NO_CREDENTIALS: Final = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError)
_THROTTLED: Final = frozenset(
    {
        "Throttling",
        "Throttled",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
        "LimitExceededException",
        "RequestLimitExceeded",
    }
)
_CHANNEL_STOPPED: Final = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "NotFoundException",
        "OptInRequired",
        "RequestExpired",
        "RequestTimeTooSkewed",
    }
)


def classify_failure(failure: Exception) -> Outcome:
    """Return what the failure of one attempt means.

    What the operator has to put right (a missing permission, bad credentials, a configuration set or sender that
    does not exist, a paused account) stops the whole channel: messages wait, up to their
    `not_after`, and an alarm rings.

    Args:
        failure: One of `FAILURES`.
    """
    if isinstance(failure, ClientError):
        return _classify_answer(failure)
    name = type(failure).__name__
    if isinstance(failure, ParamValidationError):
        return Refused(name)
    if isinstance(failure, _NEVER_LEFT):
        return Throttled(name)
    if isinstance(failure, _NO_CREDENTIALS):
        return Throttled(name, whole_channel=True)
    return Unknown(name)


def _classify_answer(failure: ClientError) -> Outcome:
    error = failure.response.get("Error", {})
    code, text = error.get("Code") or "", (error.get("Message") or "").lower()  # SNS may say nothing at all
    status = failure.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code in _THROTTLED or status == 429:
        return Throttled(code, whole_channel="daily" in text)
    if code in _CHANNEL_STOPPED or status in (401, 403, 404):
        return Throttled(code, whole_channel=True)
    if 400 <= status < 500 and status != 408:
        return Refused(code)
    return Unknown(code or str(status))
