"""The words of which rules are made: names, durations, event names, values and the tests on them."""

import re
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from cartwake.rules.base import Rule, complain
from cartwake.times import DAY, parse_duration, parse_instant

NAME: Final = r"^[a-z0-9][a-z0-9-]{0,62}$"
LONGEST_WINDOW: Final = 3_650 * DAY
_DURATION_PATTERN: Final = r"^\d{1,6} (second|minute|hour|day|week)s?$"
_TOO_MANY_STARS: Final = 12

EVENTS: Final = (
    "Page Viewed", "Product Viewed", "Product List Viewed", "Products Searched", "Product Added", "Product Removed",
    "Cart Viewed", "Checkout Started", "Order Completed", "Order Refunded", "Order Cancelled", "Coupon Applied",
    "Product Reviewed", "Signed Up", "Signed In", "Identified", "Subscribed", "Unsubscribed", "Email Sent",
    "Email Delivered", "Email Opened", "Email Link Clicked", "Email Bounced", "Email Marked as Spam", "SMS Sent",
)  # fmt: skip
"""Events that editors offer; any other name is as good."""


_DURATIONS: Final = ("30 minutes", "1 hour", "16 hours", "1 day", "7 days", "30 days", "90 days")


def _offer(words: tuple[str, ...], schema: dict[str, Any]) -> WithJsonSchema:
    """Return a schema for which editors offer *words*, and which anything fits that fits *schema*."""
    return WithJsonSchema({"anyOf": [{"enum": list(words)}, schema]})


def _check_duration(words: str) -> str:
    try:
        duration = parse_duration(words)
    except ValueError as error:
        raise complain(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    if not 0 < duration <= LONGEST_WINDOW:
        raise complain("Should be more than nothing and at most 3650 days.")
    return words


def _check_name(name: str) -> str:
    if not re.fullmatch(NAME, name):
        nearest = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:63]
        raise complain("A name has lower-case letters, digits and hyphens, at most 63.", suggestion=nearest)
    return name


def _check_event(name: str) -> str:
    if name != name.strip() or len(name) > 200:
        raise complain("The name of an event has at most 200 characters, and no spaces around it.")
    return name


def _check_scalar(value: Any) -> Any:
    if not isinstance(value, (str, int, float)):
        raise complain("Should be a text, a number, true or false.")
    if isinstance(value, str) and len(value) > 1_000:
        raise complain("Should have at most 1000 characters.")
    return value


def _check_bound(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise complain("Should be a number without quotes, or a date in quotes.", example="200")
    if isinstance(value, str):
        try:
            parse_instant(value)
        except ValueError:
            raise complain("Should be a number without quotes, or a date in quotes.", example='"2026-11-21"') from None
    return value


def _check_glob(glob: str) -> str:
    if glob.count("*") > _TOO_MANY_STARS or len(glob) > 200:
        raise complain(f"Should have at most 200 characters and {_TOO_MANY_STARS} stars.", example='"*shoes*"')
    return glob


Duration = Annotated[
    str,
    AfterValidator(_check_duration),
    _offer(_DURATIONS, {"type": "string", "pattern": _DURATION_PATTERN}),
]
Name = Annotated[
    str, AfterValidator(_check_name), WithJsonSchema({"type": "string", "pattern": NAME, "examples": ["vip"]})
]
EventName = Annotated[
    str,
    Field(min_length=1),
    AfterValidator(_check_event),
    _offer(EVENTS, {"type": "string", "minLength": 1, "maxLength": 200}),
]
Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Path = Annotated[str, Field(min_length=1, max_length=200)]
Scalar = Annotated[Any, AfterValidator(_check_scalar), WithJsonSchema({"type": ["string", "number", "boolean"]})]
Bound = Annotated[Any, AfterValidator(_check_bound), WithJsonSchema({"type": ["number", "string"]})]
Glob = Annotated[str, Field(min_length=1), AfterValidator(_check_glob)]


def _is_list(value: Any) -> str:
    return "<list>" if isinstance(value, list) else "<value>"


OneOrSome = Annotated[
    Annotated[Scalar, Tag("<value>")] | Annotated[list[Scalar], Field(min_length=1, max_length=500), Tag("<list>")],
    Discriminator(_is_list),
]


class ValueTests(Rule):
    """ValueTests on one value; it must pass all of them."""

    is_: OneOrSome | None = Field(
        None, alias="is", description="Equal to this, or to one of these; upper and lower case are one.",
        examples=["gold", ["gold", "silver"]],
    )  # fmt: skip
    is_not: OneOrSome | None = Field(
        None, description="Not equal to this, nor to one of these; something absent passes.", examples=["bronze"]
    )
    contains: str | None = Field(
        None, min_length=1, description="This text occurs in it, or stands in the list that it is.", examples=["shoe"]
    )
    matches: Glob | None = Field(
        None,
        description="A pattern in which * stands for anything and ? for one character, never a regular expression. "
        "With * at its beginning it is matched against the whole text, with / from the path of an address on, "
        "otherwise from the beginning of any word (in a long text: of those in its first 2,000 characters).",
        examples=["*shoes*", "hiszp*", "/collections/*"],
    )
    more_than: Bound | None = Field(
        None, description="Greater than this number, or later than this date.", examples=[200]
    )
    less_than: Bound | None = Field(
        None, description="Less than this number, or earlier than this date.", examples=[200]
    )
    at_least: Bound | None = Field(None, description="This number or more, this date or later.", examples=[200])
    at_most: Bound | None = Field(None, description="This number or less, this date or earlier.", examples=[200])
    exists: bool | None = Field(
        None,
        description="true: there is a value that is neither null nor empty. false: there is none.",
        examples=[True],
    )


class ValueTestObject(ValueTests):
    """ValueTests on one property: it must pass all of them."""

    @model_validator(mode="after")
    def _need_one(self) -> "ValueTestObject":
        if not self.model_fields_set:
            raise complain("The object is empty; it says how the value is tested.", example='{"is": "gold"}')
        return self


def _is_tests(value: Any) -> str:
    return "<tests>" if isinstance(value, (dict, Rule)) else _is_list(value)


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
        "an object of tests. Inner properties are reached with dots.",
        examples=[{"category": "shoes"}, {"url": {"matches": "*shoes*"}}],
    ),
]
