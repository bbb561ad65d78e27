"""The house: what the functions find around them in this process: tables, clock, bucket, queues, providers."""

import copy
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any, Final
from unittest.mock import patch

import pynamodb.connection.base
from botocore.session import get_session
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID

from cartwake_cli.local.places import ROOT
from cartwake_cli.stories.services import SERVICES, Services

REGION: Final = "eu-central-1"
PUBLIC_URL: Final = "https://shop.example.com/c"
ROWS: Final = {
    "events": "EventRow",
    "profiles": "ProfileRow",
    "runs": "RunRow",
    "slots": "SlotRow",
    "messages": "MessageRow",
    "addresses": "AddressRow",
    "consents": "ConsentRow",
    "counts": "CountRow",
    "coupons": "CouponRow",
    "identities": "IdentityRow",
    "bundles": "BundleRow",
    "keys": "KeyRow",
    "quarantine": "QuarantineRow",
    "sweeps": "SweepRow",
    "names": "NameRow",
    "participants": "ParticipantRow",
}
"""By the module of `cartwake.store`."""
_QUEUES: Final = ("steps", "messages", "webhooks", "wakes", "sweeps", "erasures", "exports", "feedback")
_ENVIRONMENT: Final = {
    "AWS_DEFAULT_REGION": REGION,
    "AWS_REGION": REGION,
    "AWS_ACCESS_KEY_ID": "story",
    "AWS_SECRET_ACCESS_KEY": "story",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "BUCKET": "rules-bucket",
    **{f"{name.upper()}_QUEUE_URL": f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}" for name in _QUEUES},
    "SWEEP_AFTER_SECONDS": "0",
    "SCHEDULE_GROUP": "cartwake",
    "SCHEDULE_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
    "RUN_STEP_ARN": f"arn:aws:lambda:{REGION}:123456789012:function:run-step",
    "SCHEDULE_DEAD_LETTER_ARN": f"arn:aws:sqs:{REGION}:123456789012:failures",
    "SCHEDULE_AFTER_SECONDS": "120",
    "SECRET_ARN": "cartwake-secret",
    "CONFIGURATION_SET": "cartwake",
    "PUSH_ANDROID": f"arn:aws:sns:{REGION}:123456789012:app/GCM/story",
    "PUBLIC_URL": PUBLIC_URL,
    "POWERTOOLS_SERVICE_NAME": "story",
    "POWERTOOLS_METRICS_NAMESPACE": "Cartwake",
    "POWERTOOLS_METRICS_DISABLED": "true",
}
_TABLES: Final = {f"{name.upper()}_TABLE": name for name in ROWS}
_FOREIGN: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL")


class Changes:
    """What was written to a table since this was last asked; it stands where moto has a table's stream.

    moto copies it with its table when a transaction begins, and puts the copy back when the transaction fails.
    """

    def __init__(self) -> None:
        self.items: list[tuple[Any, Any]] = []

    def add(self, old: Any, new: Any) -> None:
        """Take one change of a row."""
        self.items.append((old, new))


class House:
    """Everything that the functions reach.

    Attributes:
        now: The only clock, in milliseconds.
        services: The providers, queues and files.
    """

    def __init__(self) -> None:
        self.now = 0
        self.services = Services()
        self._kept: Any = None

    def keep(self) -> None:
        """Remember what is in the tables and the bucket."""
        self._kept = copy.deepcopy((_tables(), self.services.files))

    def restore(self) -> None:
        """Have tables and bucket as they were when they were kept, and processes that remember nothing."""
        tables, files = copy.deepcopy(self._kept)
        _tables().clear()
        _tables().update(tables)
        self.services.clear(files)
        _forget()

    def take_changes(self) -> Iterator[tuple[str, str, dict[str, Any], dict[str, Any]]]:
        """Yield what was written since this was last asked: table, kind of change, keys, and the row as it then was."""
        for name, table in _tables().items():
            changes, table.stream_shard.items = table.stream_shard.items, []
            for old, new in changes:
                kind = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
                image = (new or old).to_json()["Attributes"]
                keys = {it: image[it] for it in (table.hash_key_attr, table.range_key_attr) if it}
                yield name, kind, keys, image


@contextmanager
def open_house() -> Iterator[House]:
    """Make a house, and have the functions live in it until it is closed."""
    house = House()
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, _TABLES | _ENVIRONMENT))
        for name in _FOREIGN:
            os.environ.pop(name, None)
        stack.enter_context(mock_aws())
        _move_in(stack, house)
        yield house
        _forget()


def load_handler(function: str) -> Callable[..., Any]:
    """Return the handler of a function."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    handler: Callable[..., Any] = importlib.import_module(f"functions.{function}.app").handler
    return handler


def _move_in(stack: ExitStack, house: House) -> None:
    """Put the house in the place of what AWS gives; only here, after the environment, is what reads it imported."""
    from cartwake import calling, clock, telemetry  # noqa: PLC0415
    from cartwake.gateways import clients  # noqa: PLC0415
    from cartwake.store import base  # noqa: PLC0415

    def make_client(service: str, **_: Any) -> Any:
        return getattr(house.services, SERVICES[service])

    make_client.cache_clear = lambda: None  # type: ignore[attr-defined]
    session = get_session()
    clockwork = SimpleNamespace(time_ns=lambda: house.now * 1_000_000)
    for where, name, value in (
        (clock, "time", clockwork),
        (clients, "client", make_client),
        (calling, "post", house.services.receivers.post),
        # looking at the empty partitions of sparse indexes is most of what `wake` does
        (base, "SHARDS", 1),
        # each table has a client of its own; what they are made of is read once for all of them
        (pynamodb.connection.base, "get_session", lambda: session),
    ):
        stack.enter_context(patch.object(where, name, value))
    level = telemetry.logger.log_level
    stack.callback(telemetry.logger.setLevel, level)
    stack.callback(telemetry.metrics.clear_metrics)
    telemetry.logger.setLevel(logging.CRITICAL)
    for module, row in ROWS.items():
        getattr(importlib.import_module(f"cartwake.store.{module}"), row).create_table(
            billing_mode="PAY_PER_REQUEST", wait=False
        )
    for table in _tables().values():
        table.stream_shard = Changes()
    _forget()


def _tables() -> Any:
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415

    return dynamodb_backends[DEFAULT_ACCOUNT_ID][REGION].tables


def _forget() -> None:
    """Drop what processes remember between invocations."""
    from cartwake import live, seen  # noqa: PLC0415
    from cartwake.gateways import secrets  # noqa: PLC0415
    from cartwake.store import budgets  # noqa: PLC0415

    for each in (live, seen, secrets, budgets):
        each.forget()
    app: Any = sys.modules.get("functions.capture_events.app")
    if app is not None:
        app.keyring = type(app.keyring)(app.find_key)
