"""Models of segments/*.json and journeys/*.json."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema

from cartwake.rules.base import File, Rule, choose_kind, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.faults import find_nearest
from cartwake.rules.value_models import Where
from cartwake.rules.words import Duration, EventName, Line, Name, TagName, is_list
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


class ByEvent(Rule):
    """An event happens."""

    event: EventName = Field(description="The name of the event.", examples=["Product Added"])
    where: Where | None = None


class BySegment(Rule):
    """A shopper enters or leaves a segment."""

    segment: Name = Field(description="The segment's file name without .json.", examples=["lapsed"])
    on: Literal["entered", "left"] = Field("entered", description="Which of the two.", examples=["entered"])


Trigger = Annotated[
    Annotated[ByEvent, Tag("<event>")] | Annotated[BySegment, Tag("<segment>")],
    Discriminator(
        choose_kind(("event", "segment")),
        custom_error_type="no_kind",
        custom_error_message="not a trigger",
        custom_error_context={"kinds": "event segment"},
    ),
]


class WaitStep(Rule):
    """Let time pass."""

    later = {"until": "waiting for a time of day comes with a later version"}
    wait: Duration = Field(description="How long: elapsed time, 1 day is 24 hours.", examples=["1 hour"])
    of_quiet: Annotated[list[EventName], Field(min_length=1, max_length=20)] | None = Field(
        None, description="Each of these events starts the wait anew.", examples=[["Product Added", "Page Viewed"]]
    )
    at_most: Duration | None = Field(
        None, description="With of_quiet: the longest it can become.", examples=["6 hours"]
    )


class MessageStep(Rule):
    """What messages have in common."""

    later = {
        "variant": "tests come with a later version",
    }
    not_after: Duration = Field(
        "24 hours",
        description="How long after it was due the message is still useful; later it is skipped.",
        examples=["24 hours"],
    )
    held: bool = Field(
        default=False,
        description="true: where the frequency cap stands against it the message waits until it may go out, if that is "
        "within not_after; else it is skipped.",
        examples=[True],
    )
    coupon: Name | None = Field(
        None,
        description="A pool, the name of a file in coupons/ without its ending: the message shows one of its codes "
        "as {{ coupon.code }}. A shopper gets one code for a step, and the same again until it is over.",
        examples=["comeback-10"],
    )


class EmailStep(MessageStep):
    """Send an email."""

    email: Name = Field(description="The template's file name without .mjml or .html.", examples=["cart-1"])
    subject: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\r\n]*$")] | None = Field(
        None,
        description="The subject; what the template's mj-title says if nothing is said here.",
        examples=["You left {{ cart.items[0].name }} behind"],
    )


class SmsStep(MessageStep):
    """Send an SMS."""

    sms: Name = Field(description="The template's file name without .txt.", examples=["cart-sms"])


class IfStep(Rule):
    """Go one way or the other."""

    if_: Condition = Field(alias="if", description="What decides.", examples=[{"trait": "phone", "exists": True}])
    then: "list[Step]" = Field(min_length=1, description="Steps when it holds.", examples=[[{"sms": "cart-sms"}]])
    else_: "list[Step] | None" = Field(
        None,
        alias="else",
        min_length=1,
        description="Steps when it does not, or is not known.",
        examples=[[{"email": "cart-2"}]],
    )


Step = Annotated[
    Annotated[WaitStep, Tag("<wait>")]
    | Annotated[EmailStep, Tag("<email>")]
    | Annotated[SmsStep, Tag("<sms>")]
    | Annotated[IfStep, Tag("<if>")],
    Discriminator(
        choose_kind(("wait", "email", "sms", "if")),
        custom_error_type="no_kind",
        custom_error_message="not a step",
        custom_error_context={"kinds": "wait email sms if", "later": "split test webhook set"},
    ),
]
type AnyStep = WaitStep | EmailStep | SmsStep | IfStep
type AnyTrigger = ByEvent | BySegment


class Journey(File):
    """journeys/<name>.json: what happens to a shopper, step by step."""

    later = {
        "key": "runs by key (an order, a product) come with a later version",
        "include_existing": "starting a journey for those who are in a segment already comes with a later version",
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
    filter: Condition | None = Field(
        None,
        description="Must hold at the start, and again before every message.",
        examples=[{"did_not": "Order Completed", "since": "start"}],
    )
    exit: list[Trigger] = Field(
        [], max_length=20, description="What ends it wherever it is.", examples=[[{"event": "Order Completed"}]]
    )
    again: Again = Field(
        "never",
        description="Whether a shopper may start it once more, counted from the last start.",
        examples=["after 7 days"],
    )
    steps: list[Step] = Field(
        min_length=1, description="What happens, in order.", examples=[[{"wait": "1 hour"}, {"email": "cart-1"}]]
    )


IfStep.model_rebuild()
