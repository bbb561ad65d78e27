"""Models of conditions as marketers write them: the first key says what a condition is."""

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag

from cartwake.rules import profile_models as who
from cartwake.rules import state_models as state
from cartwake.rules.amount_models import AverageOf, DistinctOf, LargestOf, TotalOf
from cartwake.rules.base import Rule, choose_kind
from cartwake.rules.behaviour_models import Did, DidNot, First, Last
from cartwake.rules.vocabulary import CONDITIONS
from cartwake.rules.words import Name

_VIP: Final = {"in_segment": "vip"}


class InSegment(Rule):
    """The shopper is in a segment."""

    begins = "in_segment"
    shown = ({"in_segment": "vip"},)
    in_segment: Name = Field(
        description="The segment's file name without .json. At most 40 may refer to each other in a row.",
        examples=["vip"],
    )


class AllOf(Rule):
    """Every one of the conditions holds."""

    begins = "all"
    shown = ({"all": [{"did": "Order Completed"}, {"did_not": "Order Completed", "in_last": "90 days"}]},)
    all: "list[Condition]" = Field(
        min_length=1, max_length=50, description="Conditions that must all hold.", examples=[[_VIP]]
    )


class AnyOf(Rule):
    """At least one of the conditions holds."""

    begins = "any"
    shown = ({"any": [{"did": "Order Completed", "in_last": "30 days"}, {"cart": "open"}]},)
    any: "list[Condition]" = Field(
        min_length=1, max_length=50, description="Conditions of which one must hold.", examples=[[_VIP]]
    )


class NoneOf(Rule):
    """None of the conditions holds."""

    begins = "none"
    shown = ({"none": [{"tag": "wholesale"}, {"did": "Order Completed", "in_last": "30 days"}]},)
    none: "list[Condition]" = Field(
        min_length=1, max_length=50, description="Conditions of which none may hold.", examples=[[_VIP]]
    )


Condition = Annotated[
    Annotated[Did, Tag("<did>")]
    | Annotated[DidNot, Tag("<did_not>")]
    | Annotated[First, Tag("<first>")]
    | Annotated[Last, Tag("<last>")]
    | Annotated[TotalOf, Tag("<total_of>")]
    | Annotated[AverageOf, Tag("<average_of>")]
    | Annotated[LargestOf, Tag("<largest_of>")]
    | Annotated[DistinctOf, Tag("<distinct_of>")]
    | Annotated[who.Trait, Tag("<trait>")]
    | Annotated[who.AgeOf, Tag("<age_of>")]
    | Annotated[who.AnniversaryOf, Tag("<anniversary_of>")]
    | Annotated[who.Profile, Tag("<profile>")]
    | Annotated[who.Consent, Tag("<consent>")]
    | Annotated[who.ReachableBy, Tag("<reachable_by>")]
    | Annotated[who.Tag, Tag("<tag>")]
    | Annotated[who.Score, Tag("<score>")]
    | Annotated[who.Share, Tag("<share>")]
    | Annotated[state.Cart, Tag("<cart>")]
    | Annotated[state.Lifecycle, Tag("<lifecycle>")]
    | Annotated[state.Engagement, Tag("<engagement>")]
    | Annotated[state.Predicted, Tag("<predicted>")]
    | Annotated[InSegment, Tag("<in_segment>")]
    | Annotated[AllOf, Tag("<all>")]
    | Annotated[AnyOf, Tag("<any>")]
    | Annotated[NoneOf, Tag("<none>")],
    Discriminator(
        choose_kind(CONDITIONS),
        custom_error_type="no_kind",
        custom_error_message="not a condition",
        custom_error_context={"kinds": " ".join(CONDITIONS)},
    ),
]
type AnyCondition = (
    Did
    | DidNot
    | First
    | Last
    | TotalOf
    | AverageOf
    | LargestOf
    | DistinctOf
    | who.Trait
    | who.AgeOf
    | who.AnniversaryOf
    | who.Profile
    | who.Consent
    | who.ReachableBy
    | who.Tag
    | who.Score
    | who.Share
    | state.Cart
    | state.Lifecycle
    | state.Engagement
    | state.Predicted
    | InSegment
    | AllOf
    | AnyOf
    | NoneOf
)
MODELS: Final[tuple[type[Rule], ...]] = (
    Did, DidNot, First, Last, TotalOf, AverageOf, LargestOf, DistinctOf, who.Trait, who.AgeOf, who.AnniversaryOf,
    who.Profile, who.Consent, who.ReachableBy, who.Tag, who.Score, who.Share, state.Cart, state.Lifecycle,
    state.Engagement, state.Predicted, InSegment, AllOf, AnyOf, NoneOf,
)  # fmt: skip
"""Every kind, in the order of the reference."""

for _model in (AllOf, AnyOf, NoneOf):
    _model.model_rebuild()
