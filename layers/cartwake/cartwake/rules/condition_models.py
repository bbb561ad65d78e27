"""Models of conditions as marketers write them: the first key says what a condition is."""

from typing import Annotated, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.rules.base import Rule, choose_kind, complain
from cartwake.rules.words import Duration, EventName, Name, Path, ValueTests, Where

KINDS: Final = ("did", "did_not", "total_of", "trait", "in_segment", "all", "any", "none")
MOST_COUNTED: Final = 500
_COUNTS: Final = ("at_least", "at_most", "exactly")
_BOUNDS: Final = ("more_than", "less_than", "at_least", "at_most")
_IN_LAST: Final = "Only what happened in the time before now, to the millisecond: a number and a unit."
_SINCE: Final = 'Only what happened since the run began: "start". In journeys alone.'
_LATER: Final = dict.fromkeys(("before", "after", "between", "then", "in_order"), "sequences come with a later version")


class Counted(Rule):
    """What `did` and `did_not` have in common."""

    later = _LATER
    in_last: Duration | None = Field(None, description=_IN_LAST, examples=["90 days"])
    since: Literal["start"] | None = Field(None, description=_SINCE, examples=["start"])
    where: Where | None = None

    @model_validator(mode="after")
    def _one_window(self) -> "Counted":
        if self.in_last and self.since:
            raise complain('"in_last" and "since" exclude each other; keep one of them.', path="since")
        return self


class Did(Counted):
    """Something happened: at least once, or as often as said."""

    did: EventName = Field(description="The name of an event.", examples=["Order Completed"])
    at_least: int | None = Field(
        None, ge=1, le=MOST_COUNTED, description="This often or more; 1 if nothing is said.", examples=[3]
    )
    at_most: int | None = Field(None, ge=0, le=MOST_COUNTED, description="This often or less, or never.", examples=[2])
    exactly: int | None = Field(None, ge=0, le=MOST_COUNTED, description="Exactly this often.", examples=[1])

    @model_validator(mode="after")
    def _one_count(self) -> "Did":
        _refuse_two(self, _COUNTS)
        return self


class DidNot(Counted):
    """Something did not happen."""

    did_not: EventName = Field(description="The name of an event.", examples=["Order Completed"])


class TotalOf(Rule):
    """The sum of an amount over the events of a time."""

    later = _LATER | {"since": "totals since the start come with a later version"}
    total_of: Path = Field(description="The property that is added up.", examples=["revenue"])
    on: EventName = Field(description="The name of the event whose property it is.", examples=["Order Completed"])
    more_than: float | None = Field(None, description="The sum is greater than this.", examples=[200])
    less_than: float | None = Field(None, description="The sum is less than this.", examples=[200])
    at_least: float | None = Field(None, description="The sum is this or more.", examples=[200])
    at_most: float | None = Field(None, description="The sum is this or less.", examples=[200])
    in_last: Duration = Field(description=_IN_LAST, examples=["90 days"])
    where: Where | None = None

    @model_validator(mode="after")
    def _one_bound(self) -> "TotalOf":
        _refuse_two(self, _BOUNDS)
        if not any(getattr(self, name) is not None for name in _BOUNDS):
            raise complain("What the sum is compared with is missing.", example='"more_than": 200', path="more_than")
        return self


class Trait(ValueTests):
    """A trait of the shopper passes all of the tests."""

    trait: Path = Field(description="The name of the trait; inner ones with dots.", examples=["phone"])

    @model_validator(mode="after")
    def _need_one(self) -> "Trait":
        if self.model_fields_set <= {"trait"}:
            raise complain("What the trait is compared with is missing.", example='"exists": true', path="exists")
        return self


class InSegment(Rule):
    """The shopper is in a segment."""

    in_segment: Name = Field(description="The segment's file name without .json.", examples=["vip"])


class AllOf(Rule):
    """Every one of the conditions holds."""

    all: "list[Condition]" = Field(
        min_length=1, max_length=50, description="Conditions that must all hold.", examples=[[{"in_segment": "vip"}]]
    )


class AnyOf(Rule):
    """At least one of the conditions holds."""

    any: "list[Condition]" = Field(
        min_length=1,
        max_length=50,
        description="Conditions of which one must hold.",
        examples=[[{"in_segment": "vip"}]],
    )


class NoneOf(Rule):
    """None of the conditions holds."""

    none: "list[Condition]" = Field(
        min_length=1,
        max_length=50,
        description="Conditions of which none may hold.",
        examples=[[{"in_segment": "vip"}]],
    )


Condition = Annotated[
    Annotated[Did, Tag("<did>")]
    | Annotated[DidNot, Tag("<did_not>")]
    | Annotated[TotalOf, Tag("<total_of>")]
    | Annotated[Trait, Tag("<trait>")]
    | Annotated[InSegment, Tag("<in_segment>")]
    | Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[NoneOf, Tag("<none>")],
    Discriminator(
        choose_kind(KINDS),
        custom_error_type="no_kind",
        custom_error_message="not a condition",
        custom_error_context={"kinds": " ".join(KINDS)},
    ),
]
type AnyCondition = Did | DidNot | TotalOf | Trait | InSegment | AllOf | AnyOf | NoneOf

for _model in (AllOf, AnyOf, NoneOf):
    _model.model_rebuild()


def _refuse_two(rule: Rule, names: tuple[str, ...]) -> None:
    said = [name for name in names if getattr(rule, name) is not None]
    if len(said) > 1:
        message = f'"{said[0]}" and "{said[1]}" exclude each other; for a range, write two conditions in an "all".'
        raise complain(message, path=said[1])
