"""Models of time: when something must have happened to count."""

from typing import Annotated, Final, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from cartwake.rules.base import Rule, complain
from cartwake.rules.words import Date, DateOrDuration, Duration, is_duration
from cartwake.times import parse_duration, parse_instant

_EXAMPLE: Final = '["60 days", "30 days"] or ["2026-01-01", "2026-01-31"]'


def _check_between(pair: list[str]) -> list[str]:
    if len(pair) != 2:
        raise complain("Should be a list of two: from when, and until when.", example=_EXAMPLE)
    first, second = pair
    if is_duration(first) != is_duration(second):
        raise complain("Should be two dates, or two times before now; not one of each.", example=_EXAMPLE)
    if is_duration(first):
        in_order = parse_duration(first) > parse_duration(second)
        message = "The longer time comes first: from 60 days ago until 30 days ago."
    else:
        days = len(first) == len(second) == len("2026-01-01")
        in_order = parse_instant(first) < parse_instant(second) or (days and first == second)
        message = "The earlier date comes first."
    if not in_order:
        raise complain(message, example=f'["{second}", "{first}"]' if first != second else _EXAMPLE)
    return pair


Between = Annotated[
    list[DateOrDuration],
    AfterValidator(_check_between),
    WithJsonSchema({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}),
]


class Window(Rule):
    """When something must have happened to count; with none of these keys: ever."""

    elsewhere = {"in_next": 'What happened lies in the past: "in_last". "in_next" is for dates in traits.'}
    in_last: Duration | None = Field(
        None,
        description="In the time before now, to the millisecond: a number and a unit.",
        examples=["90 days"],
    )
    before: DateOrDuration | None = Field(
        None,
        description="Longer ago than this time; or before this date, in the shop's timezone. Beside in_last, or after, "
        "it is where that time ends.",
        examples=["30 days", "2026-01-31"],
    )
    after: Date | None = Field(
        None, description="From the beginning of this day on, in the shop's timezone.", examples=["2026-01-01"]
    )
    between: Between | None = Field(
        None,
        description="Two times before now, the longer one first; or two dates, of which the second day counts too.",
        examples=[["60 days", "30 days"], ["2026-01-01", "2026-01-31"]],
    )

    @model_validator(mode="after")
    def _fit(self) -> "Window":
        _check_window(self)
        return self

    @property
    def has_beginning(self) -> bool:
        """Whether it reaches back to some time, and no further."""
        return any((self.in_last, self.after, self.between, getattr(self, "since", None)))


class RunWindow(Window):
    """The same, and in journeys since the run began."""

    since: Literal["start"] | None = Field(
        None, description='Since the run began: "start". In journeys alone.', examples=["start"]
    )


def _check_window(rule: Window) -> None:
    said = [name for name in ("in_last", "after", "between", "before", "since") if getattr(rule, name, None)]
    if said == ["in_last", "before"]:
        _check_last_before(str(rule.in_last), str(rule.before))
    elif said == ["after", "before"]:
        _check_after_before(str(rule.after), str(rule.before))
    elif len(said) > 1:
        message = f'"{said[0]}" and "{said[1]}" exclude each other; keep one of them.'
        raise complain(message, path=said[1], example=f'"between": {_EXAMPLE}' if "before" in said else "")


def _check_last_before(in_last: str, before: str) -> None:
    if not is_duration(before):
        raise complain('With "in_last", "before" is a time too, or write two dates: "between".', path="before")
    if parse_duration(in_last) <= parse_duration(before):
        message = f"What happened in the last {in_last} is not longer ago than {before}: no time is left."
        raise complain(message, path="before", example='"in_last": "60 days", "before": "30 days"')


def _check_after_before(after: str, before: str) -> None:
    if is_duration(before):
        raise complain('With "after", "before" is a date too.', path="before", example='"before": "2026-01-31"')
    if parse_instant(after) >= parse_instant(before):
        raise complain(f"Nothing is after {after} and before {before}.", path="before")
