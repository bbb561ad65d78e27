"""Models of a journey's steps: the first key says what each does."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from cartwake.journeys import HOLD_OUT
from cartwake.rules.base import Rule, choose_kind, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.faults import find_nearest
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep, StepRule
from cartwake.rules.outward_models import GiveStep, WebhookStep
from cartwake.rules.wait_models import GoalStep, UntilDateStep, UntilStep, WaitForStep, WaitStep
from cartwake.rules.winner_models import Winner, WinnerRule
from cartwake.rules.words import (
    Line,
    Name,
    Number,
    Scalar,
    TagName,
    TraitName,
)

MOST_VARIANTS: Final = 10
_FEWEST_RIVALS: Final = 2
_ALL: Final = 100
_NEAR: Final = 1e-6
_KINDS: Final = (
    "wait", "wait_until", "wait_until_date_in", "wait_for", "email", "sms", "push", "webhook", "give", "if",
    "choose", "split", "set", "tag", "untag", "score", "goal", "end",
)  # fmt: skip
_ADDRESSES: Final = ("email", "phone", "country")


def _check_set(traits: dict[str, Any]) -> dict[str, Any]:
    told = next((name for name in traits if name in _ADDRESSES), "")
    if told:
        raise complain(f'"{told}" comes from the shop: a journey that wrote it could write to anybody.', path=told)
    return traits


class SetStep(StepRule):
    """Set traits of the shopper, by an event of our own: Traits Set."""

    shown = ({"set": {"stage": "offered", "offers": 1}},)
    set: Annotated[dict[TraitName, Scalar], Field(min_length=1, max_length=20), AfterValidator(_check_set)] = Field(
        description="Traits and their values; the addresses of a shopper are the shop's to say.",
        examples=[{"stage": "offered", "offers": 1}],
    )


class TagStep(StepRule):
    """Put a tag on the shopper, or put them on a list, which is the same: Tag Added."""

    shown = ({"tag": "spring-list"},)
    tag: TagName = Field(
        description="The tag. It is apart from those that a segment gives, and stays until it is taken away.",
        examples=["spring-list"],
    )


class UntagStep(StepRule):
    """Take a tag away again, or take the shopper off a list: Tag Removed."""

    shown = ({"untag": "spring-list"},)
    untag: TagName = Field(
        description="The tag. What a segment gives its members stays with them.", examples=["spring-list"]
    )


class ScoreStep(StepRule):
    """Give the shopper points, or take some, by an event of our own: Points Given."""

    shown = ({"score": "engagement", "points": 10},)
    score: Name = Field(description="The score's file name without .json.", examples=["engagement"])
    points: Number = Field(
        description="How many; less than 0 takes away. They fade as the score says, and count for as long as a journey "
        "gives so many.",
        examples=[10, -5],
    )


class EndStep(StepRule):
    """End the run here; what was planned before is sent."""

    shown = ({"end": "has bought already"},)
    end: Line = Field(description="Why, for those who read it later.", examples=["has bought already"])


class IfStep(StepRule):
    """Go one way or the other."""

    shown = ({"if": {"trait": "phone", "exists": True}, "then": [{"sms": "cart-sms"}], "else": [{"email": "cart-2"}]},)
    if_: Condition = Field(alias="if", description="What decides.", examples=[{"trait": "phone", "exists": True}])
    then: "list[Step]" = Field(min_length=1, description="Steps when it holds.", examples=[[{"sms": "cart-sms"}]])
    else_: "list[Step] | None" = Field(
        None,
        alias="else",
        min_length=1,
        description="Steps when it does not, or is not known.",
        examples=[[{"email": "cart-2"}]],
    )


class Choice(Rule):
    """One of several ways, and what has to hold for it."""

    if_: Condition = Field(alias="if", description="What has to hold.", examples=[{"in_segment": "vip"}])
    then: "list[Step]" = Field(min_length=1, description="Steps when it does.", examples=[[{"email": "cart-2"}]])


class ChooseStep(StepRule):
    """Go the first of several ways whose condition holds: as an `if` in the `else` of another, without the depth."""

    shown = (
        {
            "choose": [
                {"if": {"in_segment": "vip"}, "then": [{"email": "cart-2"}]},
                {"if": {"trait": "phone", "exists": True}, "then": [{"sms": "cart-sms"}]},
            ],
            "else": [{"email": "cart-1"}],
        },
    )
    choose: Annotated[list[Choice], Field(min_length=1, max_length=MOST_VARIANTS)] = Field(
        description="The ways, in the order in which they are asked.",
        examples=[[{"if": {"in_segment": "vip"}, "then": [{"email": "cart-2"}]}]],
    )
    else_: "list[Step] | None" = Field(
        None,
        alias="else",
        min_length=1,
        description="Steps when none of them holds, or is known.",
        examples=[[{"email": "cart-1"}]],
    )


class Way(Rule):
    """One of several ways."""

    percent: Number = Field(description="How many of a hundred shoppers go it.", examples=[50])
    name: Name | None = Field(
        None, description="What explanations and reports call it; a, b, c … if nothing is said.", examples=["short"]
    )
    steps: "list[Step]" = Field(description="Its steps; none: it leads on at once.", examples=[[{"email": "cart-2"}]])


class SplitStep(StepRule):
    """Go one of several ways, by chance: always the same one for a shopper. With a name it is a test of variants.

    Of a test, the run and its messages keep which variant it was.
    """

    shown = (
        {"split": [{"percent": 30, "steps": [{"email": "cart-2"}]}, {"percent": 70, "steps": []}]},
        {
            "test": "second-mail",
            "split": [{"percent": 45, "steps": [{"email": "cart-2"}]}, {"percent": 45, "name": "none", "steps": []}],
            "hold_out": 10,
            "winner": {"by": "ordered", "sure": 95, "at_least": 500, "within": "7 days", "until": "30 days"},
        },
    )
    test: Name | None = Field(
        None,
        description="What the test is called. Tests of one name, in whatever journeys, give a shopper the same place.",
        examples=["subject"],
    )
    split: Annotated[list[Way], Field(min_length=1, max_length=MOST_VARIANTS)] = Field(
        description="The ways, or the variants of the test; with hold_out they are 100 percent.",
        examples=[[{"percent": 50, "steps": [{"email": "cart-2"}]}, {"percent": 50, "steps": [{"sms": "cart-sms"}]}]],
    )
    hold_out: Number | None = Field(
        None,
        description="Of a test: how many of a hundred shoppers get none of the variants, to compare with; they go on "
        "behind.",
        examples=[10],
    )
    winner: Winner | None = Field(
        None,
        description="Of a test: when it is decided, and by what; from then on everybody who comes to it gets the best "
        "variant. Or the name of the variant that everybody gets, chosen by hand.",
        examples=[{"by": "clicked", "at_least": 500, "until": "14 days"}, "b"],
    )

    @model_validator(mode="after")
    def _decidable(self) -> "SplitStep":
        if self.winner is None:
            return self
        names = [name_way(way, place) for place, way in enumerate(self.split)]
        if not self.test:
            raise complain(
                'Only a test has a winner: "test" says its name.', path="winner", example='"test": "subject"'
            )
        if isinstance(self.winner, WinnerRule) and len(names) < _FEWEST_RIVALS:
            raise complain("There is one variant only, so there is nothing to be decided.", path="winner")
        if isinstance(self.winner, str) and self.winner not in names:
            message = f'There is no variant "{self.winner}"; there are {", ".join(names)}.'
            raise complain(message, path="winner", suggestion=find_nearest(self.winner, names))
        return self

    @model_validator(mode="after")
    def _whole(self) -> "SplitStep":
        if self.hold_out is not None and not self.test:
            raise complain('Who is held out is compared with a test: "test" says its name.', path="hold_out")
        if self.hold_out is not None and not 0 < self.hold_out < _ALL:
            raise complain("Should be more than 0 and less than 100.", path="hold_out", example='"hold_out": 10')
        _check_ways(self.split, self.hold_out or 0)
        return self


def name_way(way: Way, place: int) -> str:
    """Return the name of one of the ways of a split."""
    return way.name or chr(ord("a") + place)


def _check_ways(ways: list[Way], hold_out: float) -> None:
    names = [name_way(way, place) for place, way in enumerate(ways)]
    doubled = next((name for name in names if names.count(name) > 1 or name == HOLD_OUT), "")
    if doubled:
        what = "is the name of those held out" if doubled == HOLD_OUT else "is the name of two of them"
        raise complain(f'"{doubled}" {what}.', path="split", example='"name": "short"')
    if any(not 0 < way.percent <= _ALL for way in ways):
        raise complain("Each has more than 0 percent and at most 100.", path="split", example='"percent": 50')
    total = sum(way.percent for way in ways) + hold_out
    if abs(total - _ALL) > _NEAR:
        what = "with hold_out they are" if hold_out else "they are"
        raise complain(f"All together {what} {total:g} percent; it should be 100.", path="split")


Step = Annotated[
    Annotated[WaitStep, Tag("<wait>")]
    | Annotated[UntilStep, Tag("<wait_until>")]
    | Annotated[UntilDateStep, Tag("<wait_until_date_in>")]
    | Annotated[WaitForStep, Tag("<wait_for>")]
    | Annotated[EmailStep, Tag("<email>")]
    | Annotated[SmsStep, Tag("<sms>")]
    | Annotated[PushStep, Tag("<push>")]
    | Annotated[WebhookStep, Tag("<webhook>")]
    | Annotated[GiveStep, Tag("<give>")]
    | Annotated[IfStep, Tag("<if>")]
    | Annotated[ChooseStep, Tag("<choose>")]
    | Annotated[SplitStep, Tag("<split>")]
    | Annotated[SetStep, Tag("<set>")]
    | Annotated[TagStep, Tag("<tag>")]
    | Annotated[UntagStep, Tag("<untag>")]
    | Annotated[ScoreStep, Tag("<score>")]
    | Annotated[GoalStep, Tag("<goal>")]
    | Annotated[EndStep, Tag("<end>")],
    Discriminator(
        choose_kind(_KINDS),
        custom_error_type="no_kind",
        custom_error_message="not a step",
        custom_error_context={"kinds": " ".join(_KINDS)},
    ),
]
type AnyStep = (
    WaitStep
    | UntilStep
    | UntilDateStep
    | WaitForStep
    | EmailStep
    | SmsStep
    | PushStep
    | WebhookStep
    | GiveStep
    | IfStep
    | ChooseStep
    | SplitStep
    | SetStep
    | TagStep
    | UntagStep
    | ScoreStep
    | GoalStep
    | EndStep
)
STEPS: Final[dict[str, type[StepRule]]] = {
    "wait": WaitStep, "wait_until": UntilStep, "wait_until_date_in": UntilDateStep, "wait_for": WaitForStep,
    "email": EmailStep, "sms": SmsStep, "push": PushStep, "webhook": WebhookStep, "give": GiveStep,
    "if": IfStep, "choose": ChooseStep, "split": SplitStep, "set": SetStep,
    "tag": TagStep, "untag": UntagStep, "score": ScoreStep, "goal": GoalStep, "end": EndStep,
}  # fmt: skip
"""Every kind, by the key that it begins with, in the order of the reference."""

for _model in (GiveStep, IfStep, Choice, ChooseStep, Way, SplitStep, UntilStep, UntilDateStep, WaitForStep):
    _model.model_rebuild(_types_namespace={"Step": Step})


def list_sides(step: AnyStep) -> list[tuple[str, list[AnyStep]]]:
    """Return the lists of steps inside of a step, by the path from it."""
    match step:
        case IfStep() | WaitForStep():
            return [("then", step.then or []), ("else", step.else_ or [])]
        case ChooseStep():
            ways = [(f"choose[{place}].then", choice.then) for place, choice in enumerate(step.choose)]
            return [*ways, ("else", step.else_ or [])]
        case UntilStep() | UntilDateStep() | GiveStep():
            return [("else", step.else_ or [])]
        case SplitStep():
            return [(f"split[{place}].steps", way.steps) for place, way in enumerate(step.split)]
        case _:
            return []


def list_conditions(step: AnyStep) -> list[tuple[str, Any]]:
    """Return the conditions of a step itself, by the path from it."""
    found: list[tuple[str, Any]] = [("only_if", step.only_if)]
    match step:
        case IfStep():
            found.append(("if", step.if_))
        case ChooseStep():
            found += [(f"choose[{place}].if", choice.if_) for place, choice in enumerate(step.choose)]
        case WaitForStep():
            found.append(("wait_for", step.wait_for))
        case GoalStep():
            found.append(("goal", step.goal))
        case _:
            pass
    return [(path, it) for path, it in found if it is not None and not isinstance(it, str)]
