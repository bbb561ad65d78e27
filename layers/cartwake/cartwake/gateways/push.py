"""Push: one attempt to hand one message to SNS for one device.

SNS knows a device as an endpoint of a platform application. To make one is harmless however often it is done, so a lost
answer of that says only that nothing was sent; publishing is attempted once.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from cartwake.gateways import clients
from cartwake.gateways.attempt import FAILURES, classify_failure
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown
from cartwake.times import DAY, SECOND

LARGEST_BYTES: Final = 4_096
"""Of what one platform is handed, as APNs and FCM have it."""
GONE: Final = frozenset({"EndpointDisabled", "InvalidToken"})
"""Codes of refusals that every message to the device would meet."""
_LONGEST_TTL_MS: Final = 28 * DAY
_STOPPED: Final = "PlatformApplicationDisabled"
_THERE: Final = re.compile(r"Endpoint (arn:\S+:endpoint/\S+) already exists", re.IGNORECASE)
_ABOUT_TOKEN: Final = re.compile(r"\btoken\b", re.IGNORECASE)
_APPLICATION: Final = re.compile(r":app/(APNS|APNS_SANDBOX|GCM)/")
_TTL: Final = {"APNS": "APNS", "APNS_SANDBOX": "APNS_SANDBOX", "GCM": "FCM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """A message to one device.

    Attributes:
        application: ARN of the platform application.
        platform: `ios` or `android`.
        token: What the device is reached by; it is in no log and in no outcome.
        link: Where it leads, for the app to open.
        image: The address of a picture, or "".
        message: Our id of it, for the app to tell of it.
        useful_ms: For so long the platform may still deliver it.
        again: The device was refused once, and was seen since: it is switched on again.
    """

    application: str
    platform: str
    token: str
    title: str
    body: str
    link: str
    image: str = ""
    message: str = ""
    useful_ms: int = DAY
    again: bool = False


def send_push(push: Push) -> Outcome:
    """Hand *push* to SNS, once; for what a missing permission means see `gateways.email.send_email`."""
    found = _APPLICATION.search(push.application)
    if found is None:
        return Throttled("NoPlatformApplication", whole_channel=True)
    payload = write_payload(push, found[1])
    if max(len(it.encode()) for it in payload.values()) > LARGEST_BYTES:
        return Refused("PayloadTooLarge")
    endpoint = _find_endpoint(push)
    if not isinstance(endpoint, str):
        return endpoint
    client = clients.client("sns", attempts=1)
    try:
        answer = client.publish(
            TargetArn=endpoint,
            Message=json.dumps(payload),
            MessageStructure="json",
            MessageAttributes=_build_attributes(push, found[1]),
        )
    except FAILURES as failure:
        return _classify(failure)
    finally:
        client.close()
    return Accepted(answer["MessageId"]) if answer.get("MessageId") else Unknown("NoMessageId")


def write_payload(push: Push, service: str) -> dict[str, str]:
    """Return what is published: for the service of the endpoint, and the text that SNS wants besides."""
    told = {name: it for name, it in (("link", push.link), ("message", push.message), ("image", push.image)) if it}
    alert = {"title": push.title, "body": push.body}
    if service == "GCM":
        notification = alert | ({"image": push.image} if push.image else {})
        whole: dict[str, Any] = {"fcmV1Message": {"message": {"notification": notification, "data": told}}}
    else:
        # an app's own extension fetches the picture, if it is asked to look at the message first
        whole = {"aps": {"alert": alert} | ({"mutable-content": 1} if push.image else {}), **told}
    return {"default": push.title, service: json.dumps(whole, ensure_ascii=False, separators=(",", ":"))}


def _find_endpoint(push: Push) -> str | Outcome:
    """Return the device's endpoint, made or found, or what prevented that: then nothing was sent."""
    # the claim runs: what takes long is left, and nothing was sent
    client = clients.client("sns", attempts=2, read_timeout_seconds=3)
    try:
        endpoint = _make_endpoint(client, push)
        if isinstance(endpoint, str) and push.again:
            attributes = {"Enabled": "true", "Token": push.token}
            client.set_endpoint_attributes(EndpointArn=endpoint, Attributes=attributes)
    except FAILURES as failure:
        outcome = _classify(failure)
        return Throttled(outcome.detail) if isinstance(outcome, Unknown) else outcome
    return endpoint


def _make_endpoint(client: Any, push: Push) -> str | Outcome:
    try:
        made = client.create_platform_endpoint(PlatformApplicationArn=push.application, Token=push.token)
    except ClientError as failure:
        error = failure.response.get("Error", {})
        if error.get("Code") != "InvalidParameter":
            raise
        there = _THERE.search(error.get("Message") or "")
        if there is not None:
            return there[1]
        if _ABOUT_TOKEN.search(error.get("Message") or ""):
            return Refused("InvalidToken")
        return Throttled("InvalidParameter", whole_channel=True)
    return str(made["EndpointArn"])


def _classify(failure: Exception) -> Outcome:
    outcome = classify_failure(failure)
    return Throttled(_STOPPED, whole_channel=True) if outcome == Refused(_STOPPED) else outcome


def _build_attributes(push: Push, service: str) -> dict[str, dict[str, str]]:
    seconds = max(1, min(push.useful_ms, _LONGEST_TTL_MS) // SECOND)
    values = {f"AWS.SNS.MOBILE.{_TTL[service]}.TTL": str(seconds)}
    if service != "GCM":
        values["AWS.SNS.MOBILE.APNS.PUSH_TYPE"] = "alert"
    return {name: {"DataType": "String", "StringValue": value} for name, value in values.items()}
