"""The AWS that function tests run against: moto with every table, queue, bucket and secret the template has."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

import boto3
import quicker
from moto import mock_aws

quicker.install()


@contextmanager
def aws() -> Iterator[None]:
    """Start moto, make everything, and forget what processes keep between invocations."""
    with mock_aws():
        _make_tables()
        client("s3").create_bucket(
            Bucket="rules-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
        )
        queues = client("sqs")
        for name in ("steps", "messages", "webhooks", "wakes", "sweeps", "feedback", "erasures", "exports", "failures"):
            queues.create_queue(QueueName=name)
        client("scheduler").create_schedule_group(Name="cartwake")
        client("secretsmanager").create_secret(Name="cartwake-secret", SecretString='{"root": "a-test-root"}')
        client("sesv2").create_email_identity(EmailIdentity="shop@example.com")
        _forget()
        yield
        _forget()


@cache
def client(service: str) -> Any:
    """Return the one client of a service: making it takes longer than most of what a test does with it."""
    return boto3.client(service)


def lambda_context(*, remaining_ms: int = 30_000) -> Any:
    """Return what Lambda passes as the context."""
    return SimpleNamespace(
        function_name="test",
        memory_limit_in_mb=256,
        invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:test",
        aws_request_id="request-1",
        get_remaining_time_in_millis=lambda: remaining_ms,
    )


def read_queue(name: str) -> list[dict[str, Any]]:
    """Return what is in a queue, and empty it; what is delayed is lost, as it may be: `wake` has to find it."""
    from moto.sqs.models import sqs_backends

    queue = sqs_backends["123456789012"]["eu-central-1"].queues[name]
    found = [json.loads(message.body) for message in queue._messages if not message.delayed]
    queue._messages.clear()
    return found


def stream_records(table: str, *, names: tuple[str, ...] = ("INSERT", "MODIFY")) -> list[dict[str, Any]]:
    """Return a table's rows as the stream records that their last write would give."""
    scan = client("dynamodb").scan(TableName=table)
    return [{"eventName": names[0], "dynamodb": {"NewImage": to_image(item)}} for item in scan["Items"]]


def to_image(item: dict[str, Any]) -> dict[str, Any]:
    """Return a low-level item as Lambda delivers it: binary values are base64 text."""
    from base64 import b64encode

    return {name: {"B": b64encode(value["B"]).decode()} if "B" in value else value for name, value in item.items()}


def _make_tables() -> None:
    """Make every table: the first time as AWS does, later as they were then, which takes a tenth of the time."""
    from moto.dynamodb.models import dynamodb_backends

    backend = dynamodb_backends["123456789012"]["eu-central-1"]
    if _made:
        backend.tables = copy.deepcopy(_made)
        return
    for row in _rows():
        row.create_table(billing_mode="PAY_PER_REQUEST", wait=False)
    _made.update(copy.deepcopy(backend.tables))


_made: dict[str, Any] = {}


def _rows() -> list[Any]:
    from cartwake.store import (
        addresses,
        bundles,
        consents,
        counts,
        coupons,
        events,
        identities,
        keys,
        messages,
        names,
        participants,
        profiles,
        quarantine,
        runs,
        slots,
        sweeps,
    )

    return [
        events.EventRow,
        profiles.ProfileRow,
        runs.RunRow,
        slots.SlotRow,
        messages.MessageRow,
        addresses.AddressRow,
        consents.ConsentRow,
        counts.CountRow,
        coupons.CouponRow,
        identities.IdentityRow,
        bundles.BundleRow,
        keys.KeyRow,
        quarantine.QuarantineRow,
        sweeps.SweepRow,
        names.NameRow,
        participants.ParticipantRow,
    ]


def _forget() -> None:
    """Drop what processes remember of the world; clients are kept, for making them takes most of the time."""
    from cartwake import live, seen, silence
    from cartwake.gateways import secrets
    from cartwake.store import budgets

    live.forget()
    seen.forget()
    silence.forget()
    budgets.forget()
    secrets._secret.cache_clear()
    secrets._missed[0] = 0
