"""Models of segments/*.json and journeys/*.json."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from cartwake.rules.base import File, Rule, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.faults import find_nearest
from cartwake.rules.step_models import Step
from cartwake.rules.trigger_models import ByDate, ByEvent, ByHand, Exit, Trigger
from cartwake.rules.words import Line, Name, Path, TagName, is_list
from cartwake.times import parse_duration


def _check_again(words: str) -> str:
    if words not in ("never", "always"):
        try:
            lasts = parse_duration(words.removeprefix("after ")) > 0
        except ValueError:
            lasts = False
        if not lasts or not words.startswith("after "):
            nearest = find_nearest(words, ("never", "always", "after 7 days"))
            raise complain(
                'Should be "never", "always", or "after" and a time.', suggestion=nearest, example='"after 7 days"'
            )
    return words


Again = Annotated[
    str,
    AfterValidator(_check_again),
    WithJsonSchema({"type": "string", "pattern": r"^(never|always|after \d{1,6} (second|minute|hour|day|week)s?)$"}),
]


class Mark(Rule):
    """What members of a segment get."""

    tag: Annotated[
        Annotated[TagName, Tag("<value>")]
        | Annotated[list[TagName], Field(min_length=1, max_length=20), Tag("<list>")],
        Discriminator(is_list),
    ] = Field(description="A tag, or several; others test it with the condition tag.", examples=["vip"])
    sticky: bool = Field(
        default=False,
        description="true: the tag stays when somebody leaves the segment. Whoever was ever in it has the tag, also "
        "those who had left before this was said.",
        examples=[True],
    )


class Segment(File):
    """segments/<name>.json: shoppers for whom a condition holds."""

    elsewhere = {"all": 'Conditions stand in "where": { "all": [ … ] }.', "any": 'Conditions stand in "where".'}
    name: Line = Field(description="What people call it.", examples=["Loyal customers"])
    where: Condition = Field(
        description="Who belongs to it.",
        examples=[{"did": "Order Completed", "at_least": 3, "in_last": "90 days"}],
    )
    then: Mark | None = Field(
        None, description="What its members get.", examples=[{"tag": "vip"}, {"tag": "vip", "sticky": True}]
    )


class Journey(File):
    """journeys/<name>.json: what happens to a shopper, step by step."""

    later = {
        "budget": "budgets come with a later version",
    }
    name: Line = Field(description="What people call it.", examples=["Abandoned cart"])
    kind: Literal["marketing", "transactional", "confirmation"] = Field(
        "marketing",
        description="Transactional messages (receipts and the like) are not capped, and need no consent. "
        "They are started by what a server says, never by a browser alone. A confirmation asks whoever reads it for "
        'their yes: it starts with "Subscription Requested", whoever says so, and a mailbox gets one in 24 hours.',
        examples=["marketing"],
    )
    topic: Name | None = Field(
        None,
        description="What its messages are about: a name in topics of settings.json. Who refuses the topic gets none.",
        examples=["new-arrivals"],
    )
    status: Literal["draft", "live", "paused", "archived"] = Field(
        "draft",
        description="draft starts nothing; paused holds its runs; archived ends them.",
        examples=["live"],
    )
    trigger: Trigger = Field(
        description="What starts it.", examples=[{"event": "Product Added"}, {"segment": "lapsed"}]
    )
    key: Path | None = Field(
        None,
        description="The property of the triggering event that tells runs apart: one goes on at a time for each of its "
        "values, such as an order. What ends or moves a run then has the same value, where it carries one.",
        examples=["order_id", "product_id"],
    )
    filter: Condition | None = Field(
        None,
        description="Must hold at the start, and again before every message.",
        examples=[{"did_not": "Order Completed", "since": "start"}],
    )
    exit: list[Exit] = Field(
        [], max_length=20, description="What ends it wherever it is.", examples=[[{"event": "Order Completed"}]]
    )
    again: Again = Field(
        "never",
        description="Whether a shopper may start it once more, counted from the last start, of each key by itself. "
        "With a date_in it is always where nothing is said: each date starts it once.",
        examples=["after 7 days"],
    )
    include_existing: Literal[True, False, "from_the_start"] = Field(
        default=False,
        description="Of a journey that a segment starts when it is entered: true also brings in who is in it already, "
        "once, as the journey goes live. Each stands where they would be now, had it been there when they entered: "
        'what is past is not sent, and whoever has nothing ahead of them stays out. "from_the_start": all of them '
        "begin at the first step, spread over at least an hour.",
        examples=[True, "from_the_start"],
    )
    steps: list[Step] = Field(
        min_length=1, description="What happens, in order.", examples=[[{"wait": "1 hour"}, {"email": "cart-1"}]]
    )

    @model_validator(mode="after")
    def _fit_key(self) -> "Journey":
        if self.key and not isinstance(self.trigger, ByEvent | ByHand):
            message = "A key is read from the event that starts a run; this trigger is none."
            raise complain(message, path="key", example='"trigger": {"event": "Order Completed"}')
        return self

    @model_validator(mode="after")
    def _fit_kind(self) -> "Journey":
        if self.kind == "transactional" and isinstance(self.trigger, ByDate):
            message = (
                "What is transactional starts on a server's word; a date comes by itself, and a browser may say it."
            )
            raise complain(message, path="trigger", example='"kind": "marketing"')
        return self

    @property
    def recurs(self) -> str:
        """When a shopper may start it once more, in words; a date comes but once."""
        said = "again" in self.model_fields_set or not isinstance(self.trigger, ByDate)
        return self.again if said else "always"
