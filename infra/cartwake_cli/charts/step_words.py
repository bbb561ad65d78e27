"""What the cards of some steps say, in words."""

from collections.abc import Iterator
from typing import Final

from cartwake.journeys import Call, Tell, UntilDate
from cartwake.statements import POINTS_GIVEN, TAG_ADDED, TAG_REMOVED
from cartwake.times import DAY
from cartwake_cli.value_words import say_duration

_LONGEST: Final = 16
"""Of the name of a way: it stands on the line."""


def say_date(step: UntilDate) -> str:
    """Return until when it is waited."""
    if step.date:
        return f"Wait until {step.date.replace('T', ' ')}"
    return f"Wait until {say_shifted(step)}"


def say_shifted(step: UntilDate) -> str:
    """Return the trait that has a date, and how much before or after it."""
    shift = f"{say_duration(abs(step.shift_ms))} {'before' if step.shift_ms < 0 else 'after'} " if step.shift_ms else ""
    return f"{shift}{step.trait or f'{step.told} of the event'}"


def say_day(step: UntilDate) -> Iterator[str]:
    """Yield what is said of that day."""
    if step.minute is not None:
        yield f"at {say_minute(step.minute)}"
    if step.every_year:
        yield "of every year"


def say_call(step: Call) -> Iterator[str]:
    """Yield what another system is told, and for how long that is tried."""
    told = ", ".join((*step.traits, *step.properties, *step.body))
    if told:
        yield f"with {told}"
    if step.not_after_ms != DAY:
        yield f"tried for {say_duration(step.not_after_ms)}"


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
