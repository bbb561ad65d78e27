"""Services: the few calls of AWS that the functions make besides those of tables, answered in this process."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from typing import Any, Final

from botocore.exceptions import ClientError

from cartwake.gateways.webhook import Post
from cartwake.webhooks import Reply

SERVICES: Final = {
    "sqs": "queues",
    "scheduler": "schedules",
    "sesv2": "mail",
    "sns": "mail",
    "secretsmanager": "secrets",
    "s3": "bucket",
}
SECRET: Final = json.dumps({"root": "a story"})


@dataclass(frozen=True, slots=True)
class Letter:
    """What a provider was handed.

    Attributes:
        id: What the provider calls it.
        subject: "" for an SMS.
        html: "" for an SMS, and for a push message, whose title is the subject.
        link: Of a push message.
        tags: With which SES tells of it.
    """

    id: str
    to: str
    text: str
    subject: str = ""
    html: str = ""
    link: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class Services:
    """All of them.

    Attributes:
        queued: Is told of what is put into a queue: its name, the body, the delay in seconds.
        scheduled: Is told of a one-time schedule: its time as `at()` has it, and the input.
        sent: Is told of each letter.
        letters: By their id.
        told: What other systems were told, by the id of the webhook.
        files: What is in the bucket.
    """

    def __init__(self) -> None:
        self.queued: Callable[[str, str, int], None] = lambda _name, _body, _delay: None
        self.scheduled: Callable[[str, str], None] = lambda _time, _input: None
        self.sent: Callable[[Letter], None] = lambda _letter: None
        self.letters: dict[str, Letter] = {}
        self.told: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        self.queues, self.schedules, self.mail = Queues(self), Schedules(self), Mail(self)
        self.secrets, self.bucket, self.receivers = Secrets(), Bucket(self), Receivers(self)

    def clear(self, files: dict[str, bytes]) -> None:
        """Forget all letters, and have these files."""
        self.letters, self.told, self.files = {}, {}, files


@dataclass(frozen=True, slots=True)
class Queues:
    """SQS."""

    services: Services

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Take messages."""
        for entry in Entries:
            self.services.queued(QueueUrl.rpartition("/")[2], entry["MessageBody"], entry["DelaySeconds"])
        return {}


@dataclass(frozen=True, slots=True)
class Schedules:
    """EventBridge Scheduler."""

    services: Services

    def create_schedule(self, *, ScheduleExpression: str, Target: dict[str, Any], **_: Any) -> None:  # noqa: N803
        """Take a one-time schedule."""
        self.services.scheduled(ScheduleExpression.removeprefix("at(").removesuffix(")"), Target["Input"])


@dataclass(frozen=True, slots=True)
class Mail:
    """SES and SNS."""

    services: Services

    def send_email(self, **request: Any) -> dict[str, str]:
        """Take a mail."""
        simple = request["Content"]["Simple"]
        return self._take(
            to=request["Destination"]["ToAddresses"][0],
            text=simple["Body"]["Text"]["Data"],
            subject=simple["Subject"]["Data"],
            html=simple["Body"]["Html"]["Data"],
            tags={it["Name"]: it["Value"] for it in request["EmailTags"]},
        )

    def publish(self, *, Message: str, PhoneNumber: str = "", TargetArn: str = "", **_: Any) -> dict[str, str]:  # noqa: N803
        """Take an SMS, or a push message."""
        if not TargetArn:
            return self._take(to=PhoneNumber, text=Message)
        whole = json.loads(json.loads(Message)["GCM"])["fcmV1Message"]["message"]
        told = whole["notification"]
        to = TargetArn.rpartition("/")[2]
        return self._take(to=to, text=told["body"], subject=told["title"], link=whole["data"]["link"])

    def create_platform_endpoint(self, *, PlatformApplicationArn: str, Token: str, **_: Any) -> dict[str, str]:  # noqa: N803
        """Know a device."""
        return {"EndpointArn": f"{PlatformApplicationArn.replace(':app/', ':endpoint/')}/{Token}"}

    def set_endpoint_attributes(self, **_: Any) -> None:
        """Switch a device on again."""

    def close(self) -> None:
        """There is no connection."""

    def _take(self, **told: Any) -> dict[str, str]:
        letter = Letter(f"letter-{len(self.services.letters) + 1}", **told)
        self.services.letters[letter.id] = letter
        self.services.sent(letter)
        return {"MessageId": letter.id}


@dataclass(frozen=True, slots=True)
class Receivers:
    """The other systems that webhooks go to: they take all of them."""

    services: Services

    def post(self, request: Post) -> Reply:
        """Take a webhook."""
        self.services.told[request.headers["webhook-id"]] = request.body.decode()
        return Reply(status=200)


@dataclass(frozen=True, slots=True)
class Secrets:
    """Secrets Manager."""

    def get_secret_value(self, **_: Any) -> dict[str, str]:
        """Return the stack's secret."""
        return {"SecretString": SECRET}


@dataclass(frozen=True, slots=True)
class Bucket:
    """S3."""

    services: Services

    def get_object(self, *, Key: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Read a file."""
        if Key not in self.services.files:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        return {"Body": BytesIO(self.services.files[Key]), "LastModified": datetime.now(UTC)}

    head_object = get_object

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        """Write a file."""
        self.services.files[Key] = Body

    def list_object_versions(self, **_: Any) -> dict[str, Any]:
        """Return the versions of a copy that an erasure deletes: nobody in a story was given one."""
        return {}

    def get_paginator(self, _: str) -> "Bucket":
        """List files."""
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> list[dict[str, Any]]:  # noqa: N803
        """Return the only page."""
        found = {
            key: sha256(it).hexdigest() for key, it in sorted(self.services.files.items()) if key.startswith(Prefix)
        }
        return [{"Contents": [{"Key": key, "ETag": etag} for key, etag in found.items()]}]
