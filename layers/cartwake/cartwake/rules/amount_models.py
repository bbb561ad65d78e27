"""Models of conditions on amounts: totals, averages, the largest; and how many different ones."""

from typing import Final

from pydantic import Field, model_validator

from cartwake.rules.base import complain
from cartwake.rules.behaviour_models import Counted
from cartwake.rules.value_models import Bounds, Where, need_bound
from cartwake.rules.window_models import RunWindow
from cartwake.rules.words import EventName, Path, is_duration

_ON: Final = "The name of the event whose property it is."
_WITH_LAST: Final = 'A time that ends before now needs "in_last" too, or write "between".'
_EXAMPLE: Final = '"between": ["60 days", "30 days"]'


class Amount(Bounds, RunWindow):
    """An amount over the events of a time, against a bound."""

    on: EventName = Field(description=_ON, examples=["Order Completed"])
    where: Where | None = None

    @model_validator(mode="after")
    def _need_bound(self) -> "Amount":
        need_bound(self, "the amount")
        if self.before and is_duration(self.before) and not self.in_last:
            raise complain(_WITH_LAST, path="before", example=_EXAMPLE)
        return self


class TotalOf(Amount):
    """The sum of an amount over the events of a time; of none it is 0.

    An event without a number there does not count.
    """

    begins = "total_of"
    shown = (
        {"total_of": "revenue", "on": "Order Completed", "more_than": 200, "in_last": "90 days"},
        {"total_of": "revenue", "on": "Order Completed", "at_least": 100, "less_than": 500},
        {"total_of": "products.quantity", "on": "Order Completed", "at_least": 10, "in_last": "365 days"},
    )
    total_of: Path = Field(description="The property that is added up.", examples=["revenue"])


class AverageOf(Amount):
    """The average of an amount over the events of a time; of none there is no average.

    An event without a number there does not count: it does not make the average less.
    """

    begins = "average_of"
    shown = ({"average_of": "revenue", "on": "Order Completed", "at_least": 80, "in_last": "365 days"},)
    average_of: Path = Field(description="The property of which the average is taken.", examples=["revenue"])


class LargestOf(Amount):
    """The largest of an amount over the events of a time; of none there is no largest.

    An event without a number there does not count.
    """

    begins = "largest_of"
    shown = ({"largest_of": "revenue", "on": "Order Completed", "more_than": 150, "after": "2026-01-01"},)
    largest_of: Path = Field(description="The property of which the largest is taken.", examples=["revenue"])


class DistinctOf(Counted):
    """How many different values a property had: in how many categories somebody bought."""

    begins = "distinct_of"
    shown = ({"distinct_of": "products.category", "on": "Order Completed", "at_least": 3, "in_last": "365 days"},)
    distinct_of: Path = Field(
        description="The property whose different values are counted; of a list each counts. Upper and lower case are "
        'one, and so are 1, 1.0 and "1".',
        examples=["products.category"],
    )
    on: EventName = Field(description=_ON, examples=["Order Completed"])
    where: Where | None = None

    @model_validator(mode="after")
    def _end_now(self) -> "DistinctOf":
        relative = (self.before and is_duration(self.before)) or (self.between and is_duration(self.between[0]))
        if relative:
            message = "Of each value it is remembered when it was last there: the time must end now, or be two dates."
            path = "before" if self.before else "between"
            raise complain(message, path=path, example='"in_last": "365 days"')
        return self
