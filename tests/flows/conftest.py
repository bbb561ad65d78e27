"""Fixtures of the flow tests."""

from collections.abc import Iterator

import pytest
from builders import a_bundle, publish
from rights import find_ungranted, recording
from shoppers import Shop


@pytest.fixture(autouse=True)
def rights() -> Iterator[None]:
    """Whatever a function asks of AWS in any of these tests, its role grants it."""
    with recording() as used:
        yield
    assert find_ungranted(used) == []


@pytest.fixture
def shop(tables: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Shop:
    """A shop with rules, at noon."""
    publish(a_bundle())
    return Shop(monkeypatch, now)
