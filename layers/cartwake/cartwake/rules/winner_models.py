"""Models of how a test of variants is decided."""

from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.rules.base import Rule, complain
from cartwake.rules.words import DateOrDuration, Duration, Name, Number, is_duration
from cartwake.times import DAY, MINUTE, parse_duration

LONGEST_MEASURED: Final = 90 * DAY
_FEWEST: Final = 10


class WinnerRule(Rule):
    """When the test is decided, and by what: from then on everybody who comes to it gets the best variant."""

    by: Literal["opened", "clicked", "ordered"] = Field(
        description="What a shopper does with a good variant: opens or clicks one of its messages, or orders, whether "
        "with its help or not.",
        examples=["clicked", "ordered"],
    )
    sure: Annotated[Number, Field(ge=80, le=99.9)] = Field(
        95,
        description="How sure it must be, in percent: of a hundred tests whose variants are alike at most five have a "
        "winner at 95.",
        examples=[95, 99],
    )
    at_least: Annotated[int, Field(ge=_FEWEST, le=1_000_000)] = Field(
        200, description="So many shoppers must have been measured of each variant before.", examples=[500]
    )
    within: Duration = Field(
        "3 days",
        description="For so long after a shopper came to the split what they do is measured; before that is over they "
        "do not count.",
        examples=["1 day", "7 days"],
    )
    until: DateOrDuration | None = Field(
        None,
        description="When the best so far is taken, though numbers do not decide it: so long after the first shopper "
        "came to it, or a date. Without it the test goes on.",
        examples=["30 days", "2026-12-24T12:00"],
    )

    @model_validator(mode="after")
    def _measurable(self) -> "WinnerRule":
        within_ms = parse_duration(self.within)
        if not MINUTE <= within_ms <= LONGEST_MEASURED:
            raise complain("Is from a minute to 90 days.", path="within", example='"3 days"')
        if self.until and is_duration(self.until) and parse_duration(self.until) <= within_ms:
            message = f'Until then nobody was measured: that takes "{self.within}" from the split on.'
            raise complain(message, path="until", example='"14 days"')
        return self


def _tell_rule(value: Any) -> str:
    return "<tests>" if isinstance(value, dict | Rule) else "<value>"


Winner = Annotated[Annotated[Name, Tag("<value>")] | Annotated[WinnerRule, Tag("<tests>")], Discriminator(_tell_rule)]
"""A rule, or the name of a variant that was chosen by hand."""
