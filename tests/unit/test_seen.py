"""The names of events and traits that came in are kept, a few a day, and never hold anything up."""

import pytest
from builders import NOON, an_event, an_identify

from cartwake import seen
from cartwake.errors import TryAgain
from cartwake.store import names
from cartwake.store.names import Named
from cartwake.times import DAY


def test_names_are_kept_for_thirty_days(tables: None) -> None:
    """What was seen is known for 30 days, and no longer."""
    seen.note_names([an_event("Size Guide Opened"), an_identify()], NOON)
    assert names.list_names(Named.EVENT, NOON + 29 * DAY) == ["Identified", "Size Guide Opened"]
    assert names.list_names(Named.TRAIT, NOON) == ["email", "first_name"]
    assert names.list_names(Named.EVENT, NOON + 31 * DAY) == []


def test_a_name_is_written_once_a_day(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The names of a million events of one day cost one write each."""
    written: list[tuple[str, str]] = []
    monkeypatch.setattr(names, "put_names", lambda kind, told, _: written.extend((kind, name) for name in told))
    for at in (NOON, NOON + 1, NOON + DAY):
        seen.note_names([an_event("A"), an_event("A"), an_event("B")], at)
    assert written == [("event", "A"), ("event", "B")] * 2


def test_invented_names_fill_no_table(tables: None) -> None:
    """Of a flood of names a process keeps 500 a day."""
    seen.note_names([an_event(f"Name {index}") for index in range(700)], NOON)
    seen.note_names([an_event(f"Other {index}") for index in range(700)], NOON)
    assert len(names.list_names(Named.EVENT, NOON)) == seen.MOST_A_DAY


def test_names_hold_nothing_up(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where they cannot be kept now, they are kept with the next event."""

    def throttle(*_: object) -> None:
        raise TryAgain("throttled")

    with monkeypatch.context() as while_throttled:
        while_throttled.setattr(names, "put_names", throttle)
        seen.note_names([an_event("A")], NOON)
    seen.note_names([an_event("A")], NOON)
    assert names.list_names(Named.EVENT, NOON) == ["A"]
