"""Times: whole milliseconds, and the words for them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cartwake.times import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    format_duration,
    format_instant,
    parse_duration,
    parse_instant,
    to_datetime,
    to_instant,
)


@pytest.mark.parametrize(
    ("words", "meant"), [("1 hour", HOUR), ("90 days", 90 * DAY), ("2 weeks", 14 * DAY), ("30 minutes", 30 * MINUTE)]
)
def test_durations(words: str, meant: int) -> None:
    """A number and a unit, singular or plural."""
    assert parse_duration(words) == meant


@pytest.mark.parametrize(
    "words",
    ["", "hour", "1hour", "-1 day", "1.5 days", "1 month", "P1D", "1 hour 30 minutes", "1 day ", " 1 day", "1 day\n"],
)
def test_other_words_are_refused(words: str) -> None:
    """What is no duration is refused with an example."""
    with pytest.raises(ValueError, match="write for example"):
        parse_duration(words)


@given(st.integers(1, 10**6).map(lambda seconds: seconds * 1_000))
def test_words_come_back(duration: int) -> None:
    """What a duration is called is a way to write it."""
    if len(format_duration(duration).split()[0]) <= 6:
        assert parse_duration(format_duration(duration)) == duration


@given(st.integers(0, 4 * 10**12))
def test_instants_come_back(instant: int) -> None:
    """An instant survives the way through a datetime and through text, to the millisecond."""
    assert to_instant(to_datetime(instant)) == instant
    assert parse_instant(format_instant(instant)) == instant


def test_naive_times_are_utc() -> None:
    """A client that names no zone means UTC; microseconds are cut."""
    assert parse_instant("2026-11-21T12:00:00.123999") == to_instant(datetime(2026, 11, 21, 12, 0, 0, 123_000, UTC))


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [
        (SECOND, "1 second"),
        (2 * SECOND, "2 seconds"),
        (MINUTE, "1 minute"),
        (90 * SECOND, "90 seconds"),
        (DAY, "1 day"),
    ],
)
def test_one_is_told_otherwise_than_two(duration_ms: int, words: str) -> None:
    """In the largest unit of which it is a whole number."""
    assert format_duration(duration_ms) == words
