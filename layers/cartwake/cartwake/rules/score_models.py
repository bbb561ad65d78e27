"""Models of scores/*.json: points for what somebody does and is."""

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.rules.base import File, Rule, choose_kind, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.value_models import Where
from cartwake.rules.words import Duration, EventName, Line, Number

_POINTS: Final = "How many; less than 0 takes away."


def _check_points(points: float) -> None:
    if points == 0:
        raise complain("0 points change nothing.", path="points", example='"points": 5')


class EventPoints(Rule):
    """Points for each event of a name."""

    elsewhere = {
        "in_last": 'How far back events count is said once for the score: "in_last" or "half_life".',
        "at_least": 'Each event counts; what happened so often stands in "when": {"when": {"did": …, "at_least": 3}}.',
    }
    shown = ({"did": "Page Viewed", "where": {"url": {"matches": "*shoes*"}}, "points": 1, "most": 20},)
    did: EventName = Field(description="The name of an event.", examples=["Page Viewed"])
    where: Where | None = None
    points: Number = Field(description=f"For each of them. {_POINTS}", examples=[1, -20])
    most: Number | None = Field(None, gt=0, description="All of them together bring no more than this.", examples=[20])

    @model_validator(mode="after")
    def _some(self) -> "EventPoints":
        _check_points(self.points)
        return self


class StatePoints(Rule):
    """Points while a condition holds."""

    elsewhere = {"most": '"most" is for events; a condition brings its points once.'}
    shown = ({"when": {"did": "Order Completed", "at_least": 3}, "points": 25},)
    when: Condition = Field(description="A condition.", examples=[{"in_segment": "vip"}])
    points: Number = Field(description=_POINTS, examples=[25])

    @model_validator(mode="after")
    def _some(self) -> "StatePoints":
        _check_points(self.points)
        return self


Points = Annotated[
    Annotated[EventPoints, Tag("<did>")] | Annotated[StatePoints, Tag("<when>")],
    Discriminator(
        choose_kind(("did", "when")),
        custom_error_type="no_kind",
        custom_error_message="not a source",
        custom_error_context={"kinds": "did when"},
    ),
]
AnyPoints = EventPoints | StatePoints


class Score(File):
    """scores/<name>.json: points for what somebody does and is, added up; conditions ask for it with score."""

    shown = (
        {
            "name": "Engagement",
            "half_life": "30 days",
            "cap": 100,
            "points": [
                {"did": "Page Viewed", "points": 1, "most": 20},
                {"did": "Email Link Clicked", "points": 5},
                {"when": {"consent": "email", "is": "subscribed"}, "points": 25},
            ],
        },
    )
    name: Line = Field(description="What people call it.", examples=["Engagement"])
    half_life: Duration | None = Field(
        None,
        description="The points of an event halve in this time, and again in the next; after twenty times they are "
        "nothing.",
        examples=["30 days"],
    )
    in_last: Duration | None = Field(
        None, description="Instead: only events of this time before now count, each in full.", examples=["90 days"]
    )
    cap: Number | None = Field(None, description="It is never more.", examples=[100])
    floor: Number = Field(0, description="It is never less.", examples=[0])
    points: list[Points] = Field(
        min_length=1, max_length=50, description="What brings points.", examples=[[{"did": "Page Viewed", "points": 1}]]
    )

    @model_validator(mode="after")
    def _fit(self) -> "Score":
        if self.half_life and self.in_last:
            raise complain('"half_life" and "in_last" exclude each other; keep one of them.', path="in_last")
        if self.cap is not None and self.cap <= self.floor:
            raise complain(f"The cap must be more than the floor, which is {self.floor:g}.", path="cap")
        return self
