"""Fixtures of the security tests: a shop with everything that it runs, as its clients and attackers see it."""

from collections.abc import Iterator

import pytest
from builders import a_bundle, publish
from shoppers import Shop
from world import aws

from cartwake.times import DAY
from tests.security.front import EMAIL, SERVER, VICTIM, Front, empty, recipients


@pytest.fixture(scope="module")
def started() -> Iterator[None]:
    """One AWS for all tests of a file; starting it takes longer than most of them."""
    with aws():
        yield


@pytest.fixture
def emptied(started: None) -> None:
    """Every table, queue and mailbox empty, and nothing kept of the rules."""
    empty()


@pytest.fixture
def front(emptied: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Front:
    """A shop with rules and two write keys, at noon."""
    publish(a_bundle())
    return Front(Shop(monkeypatch, now), monkeypatch)


@pytest.fixture
def victim(front: Front) -> Front:
    """A shopper whom the shop's server vouches for, who said yes and was welcomed, a day before now."""
    front.report("identify", {"userId": VICTIM, "traits": {"email": EMAIL, "first_name": "Vera"}}, key=SERVER)
    front.report("track", {"userId": VICTIM, "event": "Subscribed", "properties": {"channel": "email"}}, key=SERVER)
    assert recipients(front) == [EMAIL]
    front.shop.now += DAY
    return front
