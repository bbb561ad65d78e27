"""Models of what settings.json says about orders, lifecycle, engagement, names and limits."""

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from cartwake.rules.base import Rule, complain
from cartwake.rules.words import Duration, EventName, Number, Path
from cartwake.times import parse_duration


class Orders(Rule):
    """Which event is an order: for lifecycle, predictions, coupons, tests of variants, and the cart that it empties."""

    event: EventName = Field(
        default="Order Completed",
        description='The event\'s name. The cart is emptied by "Order Completed" too, whatever stands here.',
        examples=["Order Completed"],
    )
    amount: Path = Field(
        default="revenue",
        description="The property with the order's value. For predictions, an order without a number there does not "
        "count.",
        examples=["revenue", "total"],
    )


class LifecycleSettings(Rule):
    """Where the groups of the condition lifecycle end."""

    needs_attention_after: Duration = Field(
        default="40 days", description="Until so long after an order a customer is new, loyal or a champion.",
        examples=["40 days"],
    )  # fmt: skip
    at_risk_after: Duration = Field(
        default="90 days", description="Then promising or in need of attention, until so long after an order.",
        examples=["90 days"],
    )  # fmt: skip
    about_to_lose_after: Duration = Field(
        default="180 days", description="Then at risk, until so long after an order.", examples=["180 days"]
    )
    lost_after: Duration = Field(
        default="365 days", description="Then about to be lost; and lost from so long after an order on.",
        examples=["365 days"],
    )  # fmt: skip
    period: Duration = Field(
        default="365 days", description="Over this time orders are counted and their value averaged.",
        examples=["365 days"],
    )  # fmt: skip
    champion_orders: int = Field(
        default=4, ge=2, le=500, description="So many orders in the period make a champion.", examples=[4]
    )
    champion_value: Annotated[Number, Field(gt=0)] | None = Field(
        default=None,
        description="And so much on average in an order, in the shop's currency; if nothing is said, any will do.",
        examples=[80],
    )

    @model_validator(mode="after")
    def _in_order(self) -> "LifecycleSettings":
        names = ("needs_attention_after", "at_risk_after", "about_to_lose_after", "lost_after")
        for earlier, later in pairwise(names):
            if parse_duration(getattr(self, earlier)) >= parse_duration(getattr(self, later)):
                message = f'Should be longer than "{earlier}", which is {getattr(self, earlier)}.'
                raise complain(message, path=later, example='"40 days", "90 days", "180 days", "365 days"')
        return self


class EngagementSettings(Rule):
    """Where the groups of the condition engagement end."""

    clicker_for: Duration = Field(
        default="90 days", description="Who clicked in a message in this time is a clicker.", examples=["90 days"]
    )
    active_for: Duration = Field(
        default="90 days", description="Who did anything else of it in this time is active.", examples=["90 days"]
    )
    clicks: list[EventName] = Field(
        default=["Email Link Clicked"], min_length=1, max_length=10, description="The events that are clicks.",
        examples=[["Email Link Clicked"]],
    )  # fmt: skip
    signs: list[EventName] = Field(
        default=["Email Opened", "Page Viewed", "Product Viewed", "Product Added", "Order Completed"],
        min_length=1,
        max_length=20,
        description="The events that are signs of activity.",
        examples=[["Email Opened", "Page Viewed", "Order Completed"]],
    )


class KnownNames(Rule):
    """Names of your own, so that nobody is warned of them."""

    events: list[EventName] = Field(
        default=[], max_length=1_000, description="Names of events.", examples=[["Quiz Finished"]]
    )
    traits: list[Path] = Field(default=[], max_length=1_000, description="Names of traits.", examples=[["shoe_size"]])


class Limits(Rule):
    """Limits on what a change of the rules may do at once."""

    moved_people: int | None = Field(
        default=None,
        ge=0,
        description="A change that would move more people into or out of segments waits until it is confirmed; "
        "_status/status.json says how.",
        examples=[1000],
    )
