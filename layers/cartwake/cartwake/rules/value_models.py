"""Models of tests on values: of a trait, of a property of an event, of what lies in a cart."""

from typing import Annotated, Any, Final

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.conditions.kinds import BoundOp
from cartwake.rules.base import Rule, complain
from cartwake.rules.words import Bound, Glob, Number, OneOrSome, Path, Scalar, is_list

BOUNDS: Final[tuple[BoundOp, ...]] = ("more_than", "less_than", "at_least", "at_most")
_LOWER: Final = ("more_than", "at_least")
_UPPER: Final = ("less_than", "at_most")


class ValueTests(Rule):
    """Tests on one value; it must pass all of them."""

    is_: OneOrSome | None = Field(
        None,
        alias="is",
        description="Equal to this, or to one of these; upper and lower case are one, and so are the ways to write an "
        "address: with ń or %C5%84.",
        examples=["gold", ["gold", "silver"]],
    )
    is_not: OneOrSome | None = Field(
        None, description="Not equal to this, nor to one of these; something absent passes.", examples=["bronze"]
    )
    contains: str | None = Field(
        None,
        min_length=1,
        description="This text occurs in it, or stands in the list that it is; upper and lower case are one.",
        examples=["shoe"],
    )
    matches: Glob | None = Field(
        None,
        description="A pattern in which * stands for anything and ? for one character, never a regular expression. "
        "With * at its beginning it is matched against the whole text, with / from the path of an address on, "
        "otherwise from the beginning of any word (in a long text: of those in its first 2,000 characters).",
        examples=["*shoes*", "hiszp*", "/collections/*"],
    )
    more_than: Bound | None = Field(
        None,
        description="Greater than this number, or later than this date: a day is all of it, in the shop's timezone.",
        examples=[200],
    )
    less_than: Bound | None = Field(
        None,
        description="Less than this number, or earlier than this date: before the day begins, in the shop's timezone.",
        examples=[200],
    )
    at_least: Bound | None = Field(
        None, description="This number or more, this date or later: from the beginning of the day on.", examples=[200]
    )
    at_most: Bound | None = Field(
        None, description="This number or less, this date or earlier: until the end of the day.", examples=[200]
    )
    exists: bool | None = Field(
        None,
        description="true: there is a value that is neither null nor empty. false: there is none.",
        examples=[True],
    )
    any_item: "Where | None" = Field(
        None,
        description="Of a list of objects, such as the products of an order: one of them passes all of these tests.",
        examples=[{"category": "shoes", "price": {"at_least": 100}}],
    )

    @property
    def is_tested(self) -> bool:
        """Whether any test is said."""
        return any(getattr(self, name) is not None for name in ValueTests.model_fields)


class ValueTestObject(ValueTests):
    """Tests on one property: it must pass all of them."""

    shown = ({"matches": "*shoes*"}, {"any_item": {"category": "shoes", "price": {"at_least": 100}}})

    @model_validator(mode="after")
    def _need_one(self) -> "ValueTestObject":
        if not self.is_tested:
            raise complain("The object is empty; it says how the value is tested.", example='{"is": "gold"}')
        return self


def _is_tests(value: Any) -> str:
    return "<tests>" if isinstance(value, (dict, Rule)) else is_list(value)


WhereValue = Annotated[
    Annotated[Scalar, Tag("<value>")]
    | Annotated[list[Scalar], Field(min_length=1, max_length=500), Tag("<list>")]
    | Annotated[ValueTestObject, Tag("<tests>")],
    Discriminator(_is_tests),
]
Where = Annotated[
    dict[Path, WhereValue],
    Field(
        min_length=1,
        max_length=20,
        description="Properties of the event and what they must be: a value, a list of values of which one fits, or "
        "an object of tests. Inner properties are reached with dots, through lists too: of products.category any "
        "may fit.",
        examples=[{"category": "shoes"}, {"url": {"matches": "*shoes*"}}, {"products.category": "shoes"}],
    ),
]

ValueTests.model_rebuild()
ValueTestObject.model_rebuild()


class Bounds(Rule):
    """A number against a bound, or between two."""

    more_than: Number | None = Field(None, description="Greater than this.", examples=[200])
    less_than: Number | None = Field(None, description="Less than this.", examples=[200])
    at_least: Number | None = Field(None, description="This or more.", examples=[200])
    at_most: Number | None = Field(None, description="This or less.", examples=[200])

    @model_validator(mode="after")
    def _fit(self) -> "Bounds":
        check_bounds(self)
        return self


class NumberTests(Bounds):
    """A number: not below the one bound and not above the other; one of the two is enough."""

    shown = ({"at_least": 50, "less_than": 200},)

    @model_validator(mode="after")
    def _need_one(self) -> "NumberTests":
        need_bound(self, "the number")
        return self


def list_bounds(rule: Rule) -> dict[str, Any]:
    """Return the bounds that are said, by their names."""
    return {name: getattr(rule, name) for name in BOUNDS if getattr(rule, name, None) is not None}


def check_bounds(rule: Rule) -> None:
    """Refuse two bounds on the same side."""
    said = list_bounds(rule)
    for side in (_LOWER, _UPPER):
        if all(name in said for name in side):
            raise complain(f'"{side[0]}" and "{side[1]}" bound the same side; keep one of them.', path=side[1])


def need_bound(rule: Rule, what: str) -> None:
    """Refuse a comparison without a bound."""
    if not list_bounds(rule):
        raise complain(f"What {what} is compared with is missing.", example='"more_than": 200', path="more_than")
