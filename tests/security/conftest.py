"""Fixtures of the security tests: a shop with everything that it runs, as its clients and attackers see it."""

from collections.abc import Iterator

import pytest
from builders import a_bundle, publish
from moto.dynamodb.models import dynamodb_backends
from moto.ses.models import ses_backends
from shoppers import Shop
from world import aws, read_queue

from cartwake import live, seen
from tests.security.front import Front


@pytest.fixture(scope="package")
def started() -> Iterator[None]:
    """One AWS for all tests of the folder; starting it takes longer than most of them."""
    with aws():
        yield


@pytest.fixture
def emptied(started: None) -> None:
    """Every table, queue and mailbox empty, and nothing kept of the rules."""
    for table in dynamodb_backends["123456789012"]["eu-central-1"].tables.values():
        table.items.clear()
    for queue in ("steps", "messages", "wakes"):
        read_queue(queue)
    ses_backends["123456789012"]["eu-central-1"].sent_messages.clear()
    live.forget()
    seen.forget()


@pytest.fixture
def front(emptied: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Front:
    """A shop with rules and two write keys, at noon."""
    publish(a_bundle())
    return Front(Shop(monkeypatch, now), monkeypatch)
