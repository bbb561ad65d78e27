"""Fixtures of the function tests."""

import pytest
from builders import a_bundle, publish
from shoppers import Shop


@pytest.fixture
def shop(tables: None, monkeypatch: pytest.MonkeyPatch, now: int) -> Shop:
    """A shop with rules, at noon."""
    publish(a_bundle())
    return Shop(monkeypatch, now)
