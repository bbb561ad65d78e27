"""Models of what starts and ends a run."""

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from cartwake.rules.base import Rule, choose_kind
from cartwake.rules.value_models import Where
from cartwake.rules.words import EventName, Name


class ByEvent(Rule):
    """An event happens."""

    event: EventName = Field(description="The name of the event.", examples=["Product Added"])
    where: Where | None = None


class BySegment(Rule):
    """A shopper enters or leaves a segment."""

    segment: Name = Field(description="The segment's file name without .json.", examples=["lapsed"])
    on: Literal["entered", "left"] = Field("entered", description="Which of the two.", examples=["entered"])


Trigger = Annotated[
    Annotated[ByEvent, Tag("<event>")] | Annotated[BySegment, Tag("<segment>")],
    Discriminator(
        choose_kind(("event", "segment")),
        custom_error_type="no_kind",
        custom_error_message="not a trigger",
        custom_error_context={"kinds": "event segment"},
    ),
]
type AnyTrigger = ByEvent | BySegment
