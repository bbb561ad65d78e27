"""What the cards of some steps say, in words."""

from collections.abc import Iterator
from typing import Final

from cartwake.journeys import Tell, UntilDate
from cartwake.statements import POINTS_GIVEN, TAG_ADDED, TAG_REMOVED
from cartwake_cli.value_words import say_duration

_LONGEST: Final = 16
"""Of the name of a way: it stands on the line."""


def say_date(step: UntilDate) -> str:
    """Return until when it is waited."""
    if step.date:
        return f"Wait until {step.date.replace('T', ' ')}"
    shift = f"{say_duration(abs(step.shift_ms))} {'before' if step.shift_ms < 0 else 'after'} " if step.shift_ms else ""
    return f"Wait until {shift}{step.trait or f'{step.told} of the event'}"


def say_day(step: UntilDate) -> Iterator[str]:
    """Yield what is said of that day."""
    if step.minute is not None:
        yield f"at {say_minute(step.minute)}"
    if step.every_year:
        yield "of every year"


def say_telling(step: Tell) -> tuple[str, tuple[str, ...]]:
    """Return what is said of a shopper: in short, and in lines."""
    match step.event:
        case name if name == TAG_ADDED:
            return f"Tag {step.properties['tag']}", ()
        case name if name == TAG_REMOVED:
            return f"Untag {step.properties['tag']}", ()
        case name if name == POINTS_GIVEN:
            return f"{step.properties['points']:+g} points for {step.properties['score']}", ()
        case _:
            return "Set", tuple(f"{name}: {value}" for name, value in step.traits.items())


def say_way(name: str, micros: int) -> str:
    """Return the name and share of a way."""
    short = name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"
    return f"{short}, {micros / 10_000:g} %"


def say_minute(minute: int) -> str:
    """Return a time of day."""
    return f"{minute // 60:02}:{minute % 60:02}"
