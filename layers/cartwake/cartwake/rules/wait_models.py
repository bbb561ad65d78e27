"""Models of the steps that take time: what a run waits for, and the goals that it goes forward to."""

import re
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from cartwake.rules.base import Rule, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.message_models import StepRule
from cartwake.rules.value_models import Where
from cartwake.rules.words import DATE, Duration, EventName, TraitName, check_date, is_list

if TYPE_CHECKING:
    from cartwake.rules.step_models import Step

CLOCK: Final = r"^([01]\d|2[0-3]):[0-5]\d$"
YEARLY: Final = r"^(?P<day>(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01]))(T([01]\d|2[0-3]):[0-5]\d)?$"
DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
DayName = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


def _check_clock(words: str) -> str:
    if re.fullmatch(CLOCK, words):
        return words
    found = re.fullmatch(r"\s*(\d{1,2})(?:[:.](\d{2}))?\s*(?:h|Uhr)?\s*", words)
    nearest = f"{int(found[1]):02d}:{found[2] or '00'}" if found else ""
    suggestion = nearest if re.fullmatch(CLOCK, nearest) else ""
    raise complain("Should be a time of day, from 00:00 to 23:59.", suggestion=suggestion, example='"09:00"')


def _check_moment(words: str) -> str:
    yearly = re.fullmatch(YEARLY, words)
    if yearly and yearly["day"] in ("02-30", "02-31", "04-31", "06-31", "09-31", "11-31"):
        raise complain("There is no such day.", example='"12-31T10:00"')
    if yearly:
        return words
    return check_date(words) if words.strip()[4:5] == "-" else _check_clock(words)


def _tell_condition(value: Any) -> str:
    return "<tests>" if isinstance(value, dict | Rule) else "<value>"


_DAY_OF_YEAR: Final = {"type": "string", "pattern": YEARLY.replace("?P<day>", "")}
Clock = Annotated[str, AfterValidator(_check_clock), WithJsonSchema({"type": "string", "pattern": CLOCK})]
Moment = Annotated[
    str,
    AfterValidator(_check_moment),
    WithJsonSchema(
        {"anyOf": [{"type": "string", "pattern": CLOCK}, {"type": "string", "pattern": DATE}, _DAY_OF_YEAR]}
    ),
]
Sought = Annotated[
    Annotated[EventName, Tag("<value>")] | Annotated[Condition, Tag("<tests>")], Discriminator(_tell_condition)
]


class WaitStep(StepRule):
    """Let time pass."""

    shown = ({"wait": "1 hour", "of_quiet": ["Product Added", "Page Viewed"], "at_most": "6 hours"},)
    elsewhere = {
        "until": 'Until a time of day or a date begins with "wait_until".',
        "for": 'It begins with "wait_for".',
    }
    wait: Duration = Field(description="How long: elapsed time, 1 day is 24 hours.", examples=["1 hour"])
    of_quiet: Annotated[list[EventName], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Each of these events starts the wait anew.", examples=[["Product Added", "Page Viewed"]]
    )
    at_most: Duration | None = Field(
        None, description="With of_quiet: the longest it can become.", examples=["6 hours"]
    )


_ELSE_OF_DATES: Final = "Steps where there is no such date, or it is over, or more than a year ahead."


class UntilStep(StepRule):
    """Wait until a time of day or a date, by the shopper's own clock; the shop's where theirs is not known."""

    shown = (
        {"wait_until": "09:00"},
        {"wait_until": "10:30", "on": ["saturday", "sunday"]},
        {"wait_until": "2026-12-31T10:00", "else": [{"end": "too late"}]},
        {"wait_until": "12-31T10:00"},
    )
    wait_until: Moment = Field(
        description="A time of day: the next time that it is so late. Or a date, with a time or without; without "
        "the year it is the next such day.",
        examples=["09:00", "2026-12-31T10:00", "12-31T10:00"],
    )
    on: (
        Annotated[
            Annotated[DayName, Tag("<value>")]
            | Annotated[list[DayName], Field(min_length=1, max_length=7), Tag("<list>")],
            Discriminator(is_list),
        ]
        | None
    ) = Field(None, description="Of a time of day: on this day of the week, or on one of these.", examples=["monday"])
    else_: "list[Step] | None" = Field(
        None, alias="else", min_length=1, description=f"Of a date: {_ELSE_OF_DATES}", examples=[[{"end": "too late"}]]
    )

    @model_validator(mode="after")
    def _fit(self) -> "UntilStep":
        if self.on and not self.is_clock:
            raise complain("A date is on one day alone.", path="on", example='"wait_until": "09:00", "on": "monday"')
        if self.else_ and self.is_clock:
            raise complain("A time of day always comes; it needs no other way.", path="else")
        if self.else_ and self.is_yearly:
            raise complain("Such a day comes every year; it needs no other way.", path="else")
        return self

    @property
    def is_clock(self) -> bool:
        """Whether it is a time of day, and not a date."""
        return "-" not in self.wait_until

    @property
    def is_yearly(self) -> bool:
        """Whether it is a day of any year."""
        return re.fullmatch(YEARLY, self.wait_until) is not None


class UntilDateStep(StepRule):
    """Wait until the date in a trait, or in the triggering event, or some time before or after.

    It goes by the shopper's own calendar.
    """

    shown = (
        {"wait_until_date_in": "renews_at", "before": "3 days", "at": "10:00", "else": [{"end": "no date"}]},
        {"wait_until_date_in": "birthday", "every_year": True, "at": "08:00"},
        {"wait_until_date_in": "available_at", "of": "event", "at": "10:00", "else": [{"end": "no date"}]},
    )
    wait_until_date_in: TraitName = Field(
        description="The trait that has the date, or the property.", examples=["renews_at"]
    )
    of: Literal["shopper", "event"] = Field(
        "shopper",
        description="event: it is a property of the event that started the journey, not a trait of the shopper.",
        examples=["event"],
    )
    before: Duration | None = Field(None, description="So long before it.", examples=["3 days"])
    after: Duration | None = Field(None, description="So long after it.", examples=["7 days"])
    at: Clock | None = Field(
        None, description="At this time of the day; at the date's own time if nothing is said.", examples=["10:00"]
    )
    every_year: bool = Field(
        default=False,
        description="true: its next anniversary is meant; that of 29 February is on the 28th where there is no such "
        "day.",
        examples=[True],
    )
    else_: "list[Step] | None" = Field(
        None, alias="else", min_length=1, description=_ELSE_OF_DATES, examples=[[{"end": "no date"}]]
    )

    @model_validator(mode="after")
    def _one_side(self) -> "UntilDateStep":
        if self.before and self.after:
            raise complain('Only one of "before" and "after" may stand here.', path="after")
        return self


class WaitForStep(StepRule):
    """Wait until something happens or holds, but not for ever; the run goes on at once when it does."""

    shown = (
        {
            "wait_for": "Order Delivered",
            "at_most": "14 days",
            "then": [{"email": "review"}],
            "else": [{"end": "no parcel"}],
        },
        {"wait_for": {"trait": "phone", "exists": True}, "at_most": "3 days"},
    )
    wait_for: Sought = Field(
        description="The name of an event that happens from now on, or a condition that comes to hold.",
        examples=["Order Delivered", {"trait": "phone", "exists": True}],
    )
    where: Where | None = None
    at_most: Duration = Field(description="How long at most.", examples=["14 days"])
    then: "list[Step] | None" = Field(
        None, min_length=1, description="Steps when it came.", examples=[[{"email": "review"}]]
    )
    else_: "list[Step] | None" = Field(
        None, alias="else", min_length=1, description="Steps when the time is over.", examples=[[{"end": "no answer"}]]
    )

    @model_validator(mode="after")
    def _fit(self) -> "WaitForStep":
        _refuse_where(self.wait_for, self.where)
        return self


class GoalStep(StepRule):
    """Go on from here as soon as something happens or holds, wherever before it the run is.

    It stands in the journey's own list of steps, and a run only ever goes forward to it.
    """

    shown = (
        {"goal": "Order Completed", "where": {"revenue": {"at_least": 50}}},
        {"goal": {"in_segment": "vip"}, "unmet": "end"},
    )
    goal: Sought = Field(
        description="The name of an event that happens after the start, or a condition that comes to hold.",
        examples=["Order Completed", {"in_segment": "vip"}],
    )
    where: Where | None = None
    unmet: Literal["go_on", "end"] = Field(
        "go_on", description="What a run does that comes here without it.", examples=["end"]
    )

    @model_validator(mode="after")
    def _fit(self) -> "GoalStep":
        _refuse_where(self.goal, self.where)
        return self


def _refuse_where(sought: Any, where: Any) -> None:
    if where and not isinstance(sought, str):
        raise complain('"where" tests an event; a condition has its own.', path="where")
