"""Models of conditions on behaviour: what somebody did, how often, when, and what came after it."""

from typing import Annotated, Final

from pydantic import Discriminator, Field, Tag, model_validator

from cartwake.rules.base import Rule, choose_kind, complain
from cartwake.rules.value_models import Where
from cartwake.rules.window_models import RunWindow, Window
from cartwake.rules.words import Duration, EventName, is_duration

MOST_COUNTED: Final = 500
_IN_NONE: Final = 'A sequence begins with "did"; to ask for those without it, put it into a "none".'


class Counted(RunWindow):
    """A count of events."""

    at_least: int | None = Field(
        None, ge=1, le=MOST_COUNTED, description="This often or more; once if nothing is said.", examples=[3]
    )
    at_most: int | None = Field(None, ge=0, le=MOST_COUNTED, description="This often or less, or never.", examples=[2])
    exactly: int | None = Field(None, ge=0, le=MOST_COUNTED, description="Exactly this often.", examples=[1])

    @model_validator(mode="after")
    def _one_count(self) -> "Counted":
        if self.exactly is not None and (self.at_least is not None or self.at_most is not None):
            other = "at_least" if self.at_least is not None else "at_most"
            raise complain(f'"exactly" and "{other}" exclude each other; keep one of them.', path=other)
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            message = f"Nothing is at least {self.at_least} and at most {self.at_most}: they exclude each other."
            raise complain(message, path="at_most")
        return self


class ThenDid(Rule):
    """What followed."""

    did: EventName = Field(description="What happened then.", examples=["Order Completed"])
    within: Duration = Field(description="In this time after what came before it.", examples=["3 days"])
    where: Where | None = None
    then: "Then | None" = Field(
        None, description="What followed that.", examples=[{"did": "Product Reviewed", "within": "30 days"}]
    )


class ThenDidNot(Rule):
    """What did not follow."""

    elsewhere = {"then": "Nothing follows what did not happen; leave it away, or begin with something that did."}
    did_not: EventName = Field(description="What did not happen then.", examples=["Order Completed"])
    within: Duration = Field(description="In this time after what came before it.", examples=["3 days"])
    where: Where | None = None


Then = Annotated[
    Annotated[ThenDid, Tag("<did>")] | Annotated[ThenDidNot, Tag("<did_not>")],
    Discriminator(
        choose_kind(("did", "did_not")),
        custom_error_type="no_kind",
        custom_error_message="not a sequel",
        custom_error_context={"kinds": "did did_not"},
    ),
]

ThenDid.model_rebuild()


class Did(Counted):
    """Something happened: at least once, or as often as said; and something followed it, or did not."""

    begins = "did"
    shown = (
        {"did": "Order Completed", "at_least": 3, "in_last": "90 days"},
        {"did": "Page Viewed", "where": {"url": {"matches": "hiszp*"}}},
        {
            "did": "Order Completed",
            "where": {"products": {"any_item": {"category": "shoes", "price": {"at_least": 50}}}},
        },
        {"did": "Order Completed", "exactly": 1, "between": ["60 days", "30 days"]},
        {"did": "Email Opened", "at_most": 2, "after": "2026-01-01"},
        {"did": "Order Completed", "before": "180 days"},
        {
            "did": "Product Viewed",
            "in_last": "30 days",
            "then": {"did_not": "Order Completed", "within": "3 days"},
        },
    )
    did: EventName = Field(description="The name of an event.", examples=["Order Completed"])
    where: Where | None = None
    then: Then | None = Field(
        None,
        description="What followed each of them, or did not. It needs a window: in_last, since, after, or two dates "
        "in between.",
        examples=[{"did_not": "Order Completed", "within": "3 days"}],
    )

    @model_validator(mode="after")
    def _bound_sequence(self) -> "Did":
        if self.then is None:
            return self
        if not self.has_beginning:
            message = 'A sequence needs a time in which it began: "in_last" is missing.'
            raise complain(message, path="in_last", example='"in_last": "30 days"')
        if (self.in_last and self.before) or (self.between and is_duration(self.between[0])):
            message = 'A sequence takes "in_last", "after", "since", or dates; not a time that ends before now.'
            raise complain(message, path="between" if self.between else "before", example='"in_last": "30 days"')
        return self


class DidNot(RunWindow):
    """Something did not happen."""

    begins = "did_not"
    shown = (
        {"did_not": "Order Completed", "in_last": "90 days"},
        {"did_not": "Email Opened", "between": ["2026-01-01", "2026-01-31"]},
    )
    elsewhere = {
        "then": _IN_NONE,
        "at_least": 'To say how often, begin with "did" and "at_most".',
        "at_most": 'To say how often, begin with "did".',
        "exactly": 'To say how often, begin with "did".',
    }
    did_not: EventName = Field(description="The name of an event.", examples=["Order Completed"])
    where: Where | None = None


class Edge(Window):
    """The first or the last event of its name."""

    where: Where | None = Field(
        None,
        description="What the properties of that very event must be; written as in did.",
        examples=[{"coupon": {"exists": True}}],
    )

    @model_validator(mode="after")
    def _say_something(self) -> "Edge":
        if self.where is None and not self.has_beginning and not self.before:
            message = "What is said of it is missing: when it was, or where."
            raise complain(message, path="in_last", example='"in_last": "30 days"')
        return self


class First(Edge):
    """The first time that something happened was then, and was so."""

    begins = "first"
    elsewhere = {"since": 'What is new since the start of a run says "did".', "then": _IN_NONE}
    shown = (
        {"first": "Order Completed", "in_last": "30 days"},
        {"first": "Order Completed", "where": {"coupon": {"exists": True}}},
        {"first": "Order Completed", "after": "2026-01-01"},
    )
    first: EventName = Field(description="The name of an event.", examples=["Order Completed"])


class Last(Edge):
    """The last time that something happened was then, and was so."""

    begins = "last"
    elsewhere = {"since": 'What is new since the start of a run says "did".', "then": _IN_NONE}
    shown = (
        {"last": "Page Viewed", "before": "30 days"},
        {"last": "Order Completed", "where": {"revenue": {"more_than": 100}}, "in_last": "365 days"},
        {"last": "Order Completed", "between": ["2026-01-01", "2026-06-30"]},
    )
    last: EventName = Field(description="The name of an event.", examples=["Page Viewed"])
