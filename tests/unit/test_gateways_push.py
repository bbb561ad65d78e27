"""The one attempt to send a push message."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import ANY, Stubber

from cartwake.gateways import clients
from cartwake.gateways.push import LARGEST_BYTES, Push, send_push, write_payload
from cartwake.sending.outcomes import Accepted, Outcome, Refused, Throttled, Unknown
from cartwake.times import HOUR

APP: Final = "arn:aws:sns:eu-central-1:123456789012:app/GCM/shop"
ENDPOINT: Final = "arn:aws:sns:eu-central-1:123456789012:endpoint/GCM/shop/6f0f"
TOKEN: Final = "a-token-that-nobody-may-read"
PUSH: Final = Push(
    application=APP,
    platform="android",
    token=TOKEN,
    title="Twój koszyk",
    body='"Buty" czekają',
    link="https://shop.example.com/cart",
    message="m-1",
    useful_ms=HOUR,
)
MADE: Final = {"EndpointArn": ENDPOINT}


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """SNS that answers what it is told to, in this order, and nothing else."""
    client = boto3.client("sns", region_name="eu-central-1")
    monkeypatch.setattr(clients, "client", lambda _service, **_: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def fail(sns: Stubber, method: str, code: str, message: str = "", status: int = 400) -> None:
    sns.add_client_error(method, code, message, http_status_code=status)


def test_a_message_is_handed_over_whole(sns: Stubber) -> None:
    """Title, body and link reach the platform of the device, for as long as they are useful."""
    sns.add_response("create_platform_endpoint", MADE, {"PlatformApplicationArn": APP, "Token": TOKEN})
    told = {
        "TargetArn": ENDPOINT,
        "MessageStructure": "json",
        "Message": ANY,
        "MessageAttributes": {"AWS.SNS.MOBILE.FCM.TTL": {"DataType": "String", "StringValue": "3600"}},
    }
    sns.add_response("publish", {"MessageId": "p-1"}, told)
    assert send_push(PUSH) == Accepted("p-1")


def test_each_platform_is_spoken_to_as_it_wants() -> None:
    """FCM takes the form of its API v1, APNs its own; both have what an app needs to open and to count it."""
    with_image = replace(PUSH, image="https://shop.example.com/a.png")
    fcm = json.loads(write_payload(with_image, "GCM")["GCM"])["fcmV1Message"]["message"]
    alert = {"title": PUSH.title, "body": PUSH.body}
    told = {"link": PUSH.link, "message": "m-1", "image": with_image.image}
    assert fcm == {"notification": alert | {"image": with_image.image}, "data": told}
    for service in ("APNS", "APNS_SANDBOX"):
        payload = write_payload(PUSH, service)
        assert payload.keys() == {"default", service}
        assert json.loads(payload[service]) == {"aps": {"alert": alert}, "link": PUSH.link, "message": "m-1"}
    assert json.loads(write_payload(with_image, "APNS")["APNS"])["aps"]["mutable-content"] == 1


def test_what_is_too_large_is_not_tried(sns: Stubber) -> None:
    """The platforms take 4 KB, counted in bytes as they are sent."""
    assert send_push(replace(PUSH, link="https://x.example/" + "ł" * (LARGEST_BYTES // 2))) == Refused(
        "PayloadTooLarge"
    )


@pytest.mark.parametrize("again", [False, True])
def test_an_endpoint_that_is_there_is_used(sns: Stubber, again: bool) -> None:
    """SNS names it where its attributes differ; switched on again it is only for a device that was seen since."""
    there = f"Endpoint {ENDPOINT} already exists with the same Token, but different attributes."
    fail(sns, "create_platform_endpoint", "InvalidParameter", f"Invalid parameter: Token Reason: {there}")
    if again:
        told = {"EndpointArn": ENDPOINT, "Attributes": {"Enabled": "true", "Token": TOKEN}}
        sns.add_response("set_endpoint_attributes", {}, told)
    sns.add_response("publish", {"MessageId": "p-1"})
    assert send_push(replace(PUSH, again=again)) == Accepted("p-1")


@pytest.mark.parametrize(
    ("code", "message", "status", "outcome"),
    [
        ("InvalidParameter", "Invalid parameter: Token Reason: must be hexadecimal", 400, Refused("InvalidToken")),
        ("InvalidParameter", "PlatformApplicationArn", 400, Throttled("InvalidParameter", whole_channel=True)),
        ("NotFound", "PlatformApplication does not exist", 404, Throttled("NotFound", whole_channel=True)),
        ("AuthorizationError", "", 403, Throttled("AuthorizationError", whole_channel=True)),
        ("Throttled", "", 429, Throttled("Throttled")),
        ("InternalError", "", 500, Throttled("InternalError")),
    ],
)  # fmt: skip
def test_without_an_endpoint_nothing_is_sent(
    sns: Stubber, code: str, message: str, status: int, outcome: Outcome
) -> None:
    """A token that is none is final; whatever else stands in the way is tried later, for nothing was sent."""
    fail(sns, "create_platform_endpoint", code, message, status)
    assert send_push(PUSH) == outcome


@pytest.mark.parametrize(
    ("code", "status", "outcome"),
    [
        ("EndpointDisabled", 400, Refused("EndpointDisabled")),
        ("InvalidParameter", 400, Refused("InvalidParameter")),
        ("PlatformApplicationDisabled", 400, Throttled("PlatformApplicationDisabled", whole_channel=True)),
        ("Throttled", 429, Throttled("Throttled")),
        ("InternalError", 500, Unknown("InternalError")),
    ],
)
def test_what_sns_says_decides(sns: Stubber, code: str, status: int, outcome: Outcome) -> None:
    """A device that is off is final, what an operator must mend stops the channel, a lost answer is unknown."""
    sns.add_response("create_platform_endpoint", MADE)
    fail(sns, "publish", code, "", status)
    assert send_push(PUSH) == outcome


def test_a_lost_answer_is_one_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message whose answer was lost may be on its way; asking again would show it twice."""
    calls = []

    class Lost:
        def create_platform_endpoint(self, **_: Any) -> dict[str, str]:
            return MADE

        def publish(self, **_: Any) -> None:
            calls.append(1)
            raise ReadTimeoutError(endpoint_url="x")

        def close(self) -> None: ...

    made = []
    monkeypatch.setattr(clients, "client", lambda _service, *, attempts=4, **_: made.append(attempts) or Lost())
    assert send_push(PUSH) == Unknown("ReadTimeoutError")
    assert (calls, made) == ([1], [2, 1])


def test_an_application_that_is_none_stops_the_channel() -> None:
    """A wrong parameter of the stack loses nothing."""
    assert send_push(replace(PUSH, application="APNS/shop")) == Throttled("NoPlatformApplication", whole_channel=True)
