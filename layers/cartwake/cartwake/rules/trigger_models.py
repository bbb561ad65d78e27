"""Models of what starts and ends a run."""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.rules.base import Rule, choose_kind, complain
from cartwake.rules.value_models import Where
from cartwake.rules.wait_models import Clock
from cartwake.rules.words import Duration, EventName, Name, TraitName
from cartwake.times import DAY, parse_duration

LONGEST_SHIFT: Final = 365 * DAY


class ByEvent(Rule):
    """An event happens."""

    event: EventName = Field(description="The name of the event.", examples=["Product Added"])
    where: Where | None = None


class BySegment(Rule):
    """A shopper enters or leaves a segment."""

    segment: Name = Field(description="The segment's file name without .json.", examples=["lapsed"])
    on: Literal["entered", "left"] = Field("entered", description="Which of the two.", examples=["entered"])


class ByDate(Rule):
    """The date in a trait comes, or some time before or after it, by the shopper's own calendar.

    Whose date is set when that time has passed starts nothing. Of a date that is moved, the new one counts.
    """

    shown = (
        {"date_in": "renews_at", "before": "3 days", "at": "10:00"},
        {"date_in": "birthday", "every_year": True, "at": "09:00"},
    )
    date_in: TraitName = Field(description="The trait that has the date.", examples=["renews_at"])
    before: Duration | None = Field(None, description="So long before it.", examples=["3 days"])
    after: Duration | None = Field(None, description="So long after it.", examples=["7 days"])
    at: Clock | None = Field(
        None, description="At this time of the day; at the date's own time if nothing is said.", examples=["10:00"]
    )
    every_year: bool = Field(
        default=False,
        description="true: its anniversaries are meant; that of 29 February is on the 28th where there is no such day.",
        examples=[True],
    )

    @model_validator(mode="after")
    def _one_side(self) -> "ByDate":
        if self.before and self.after:
            raise complain('Only one of "before" and "after" may stand here.', path="after")
        side = "before" if self.before else "after"
        shift = getattr(self, side)
        if shift and parse_duration(shift) > LONGEST_SHIFT:
            raise complain("At most 365 days lie between.", path=side, example='"30 days"')
        return self


class ByHand(Rule):
    """Somebody puts a shopper on the journey: the shop's server with "Journey Enrolled", or `cartwake enrol`."""

    enrolled: Literal[True] = Field(description="Always true.", examples=[True])


Trigger = Annotated[
    Annotated[ByEvent, Tag("<event>")]
    | Annotated[BySegment, Tag("<segment>")]
    | Annotated[ByDate, Tag("<date_in>")]
    | Annotated[ByHand, Tag("<enrolled>")],
    Discriminator(
        choose_kind(("event", "segment", "date_in", "enrolled")),
        custom_error_type="no_kind",
        custom_error_message="not a trigger",
        custom_error_context={"kinds": "event segment date_in enrolled"},
    ),
]
Exit = Annotated[
    Annotated[ByEvent, Tag("<event>")] | Annotated[BySegment, Tag("<segment>")],
    Discriminator(
        choose_kind(("event", "segment")),
        custom_error_type="no_kind",
        custom_error_message="not an exit",
        custom_error_context={"kinds": "event segment"},
    ),
]
type AnyTrigger = ByEvent | BySegment | ByDate | ByHand
type AnyExit = ByEvent | BySegment
