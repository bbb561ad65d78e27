"""Models of the files that marketers write: settings.json, segments/*.json and journeys/*.json."""

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator

from cartwake.rules.base import Rule, choose_kind, complain
from cartwake.rules.condition_models import Condition
from cartwake.rules.faults import find_nearest
from cartwake.rules.words import Duration, EventName, Name, Where
from cartwake.times import parse_duration

_TIME: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


def _check_email(address: str) -> str:
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise complain(f"This is not an email address: {error}", example='"shop@example.com"') from None
    return address


def _check_url(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or re.search(r"[\s\"<>\\]", url):
        raise complain("Should be an address that begins with https://.", example='"https://www.nordlicht.example"')
    return url


def _check_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        nearest = find_nearest(name, available_timezones())
        raise complain(f'There is no timezone "{name}".', suggestion=nearest, example='"Europe/Berlin"') from None
    return name


def _check_time(text: str) -> str:
    if not _TIME.fullmatch(text) or text > "24:00":
        raise complain("Should be a time of day from 00:00 to 24:00.", example='"09:00"')
    return text


def _check_again(words: str) -> str:
    if words not in ("never", "always"):
        head, _, rest = words.partition(" ")
        try:
            if head != "after" or parse_duration(rest) <= 0:
                raise ValueError
        except ValueError:
            nearest = find_nearest(words, ("never", "always", "after 7 days"))
            raise complain(
                'Should be "never", "always", or "after" and a time.', suggestion=nearest, example='"after 7 days"'
            ) from None
    return words


def _check_cap(words: str) -> str:
    if words != "none":
        try:
            parse_duration(words)
        except ValueError as error:
            raise complain(f'{error}, or "none" for no limit.', example='"16 hours"') from None
    return words


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Line = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]
Email = Annotated[str, AfterValidator(_check_email), WithJsonSchema({"type": "string", "format": "email"})]
Url = Annotated[str, AfterValidator(_check_url), WithJsonSchema({"type": "string", "format": "uri"})]
Timezone = Annotated[str, AfterValidator(_check_timezone)]
TimeOfDay = Annotated[str, AfterValidator(_check_time), _text(r"^([01]\d|2[0-4]):[0-5]\d$", "09:00", "20:00")]
Again = Annotated[
    str, AfterValidator(_check_again), _text(r"^(never|always|after \d{1,6} (second|minute|hour|day|week)s?)$", "never", "always", "after 7 days")
]
Cap = Annotated[str, AfterValidator(_check_cap), _text(r"^(none|\d{1,6} (second|minute|hour|day|week)s?)$", "16 hours", "none")]


class File(Rule):
    """What every file may have."""

    schema_: str | None = Field(
        None, alias="$schema", description="Tells editors which keys there are.", examples=["../schemas/segment.json"]
    )


class Shop(Rule):
    """What messages say about the shop."""

    name: Line = Field(description="Its name.", examples=["Nordlicht Shoes"])
    url: Url = Field(
        description="Its address. Links in messages lead to it, or to a page below its domain.",
        examples=["https://www.nordlicht.example"],
    )
    postal_address: Line = Field(
        description="Where it can be reached by post; must stand in every marketing email.",
        examples=["Nordlicht Shoes GmbH, Hafenstrasse 12, 20457 Hamburg, Germany"],
    )
    logo_url: Url | None = Field(None, description="A picture for the head of emails.", examples=["https://www.nordlicht.example/logo.png"])
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        "#1f2937", description="Colour of buttons, as #rrggbb.", examples=["#0f4c5c"]
    )


class Sender(Rule):
    """Who messages come from."""

    email: Email = Field(description="An address that SES may send from.", examples=["shop@example.com"])
    name: Line | None = Field(None, description="The name beside it; the shop's name if nothing is said.", examples=["Nordlicht Shoes"])
    reply_to: Email | None = Field(None, description="Where answers go.", examples=["hello@example.com"])
    sms_name: Annotated[str, Field(max_length=11, pattern=r"^[0-9]*[A-Za-z][A-Za-z0-9]*$")] | None = Field(
        None, description="What phones show as the sender: at most 11 letters and digits.", examples=["Nordlicht"]
    )


class Caps(Rule):
    """At most one marketing message to an address in this time, by channel."""

    email: Cap = Field("16 hours", description='By email; "none" for no limit.', examples=["16 hours"])
    sms: Cap = Field("24 hours", description='By SMS; "none" for no limit.', examples=["24 hours"])


class Hours(Rule):
    """Hours of the day, the shopper's own time."""

    from_: TimeOfDay = Field(alias="from", description="Messages go out from this time on.", examples=["09:00"])
    to: TimeOfDay = Field(description="And before this time.", examples=["20:00"])

    @model_validator(mode="after")
    def _in_order(self) -> "Hours":
        if self.from_ >= self.to:
            raise complain('"from" must come before "to", on the same day.', example='{"from": "09:00", "to": "20:00"}')
        return self


class SendingHours(Rule):
    """When messages may go out; outside of these hours they are held. `null` means at any hour."""

    email: Hours | None = Field(None, description="Emails; at any hour if nothing is said.", examples=[{"from": "07:00", "to": "22:00"}])
    sms: Hours | None = Field(
        Hours(**{"from": "09:00", "to": "20:00"}),
        description="SMS; from 09:00 to 20:00 if nothing is said, null for any hour.",
        examples=[{"from": "09:00", "to": "20:00"}],
    )


class Retention(Rule):
    """How long things are kept."""

    events: Duration = Field("400 days", description="Events, from their receipt.", examples=["400 days"])
    ended_runs: Duration = Field("30 days", description="Runs of journeys, from their end.", examples=["30 days"])


class Settings(File):
    """settings.json: what holds for the whole shop."""

    later = {
        "budgets": "budgets come with a later version",
        "limits": "limits on how many people a change may move come with a later version",
    }
    shop: Shop = Field(description="What messages say about the shop.")
    sender: Sender = Field(description="Who messages come from.")
    timezone: Timezone = Field("UTC", description="Of shoppers whose own is not known.", examples=["Europe/Berlin"])
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field("EUR", description="Three letters.", examples=["EUR"])
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = Field(
        "en", description="Of numbers and dates in messages.", examples=["en", "de", "pl"]
    )
    caps: Caps = Field(Caps(), description="At most one marketing message to an address in this time, by channel.", examples=[{"email": "16 hours", "sms": "24 hours"}])
    sending_hours: SendingHours = Field(
        SendingHours(),
        description="When messages may go out, by channel, in the shopper's own time. Outside, they are held.",
        examples=[{"sms": {"from": "09:00", "to": "20:00"}}, {"sms": None}],
    )
    retention: Retention = Field(Retention(), description="How long things are kept.", examples=[{"events": "400 days"}])
    demo: bool = Field(False, description="true permits waits under a minute; for demonstrations alone.", examples=[False])


class Segment(File):
    """segments/<name>.json: shoppers for whom a condition holds."""

    name: Line = Field(description="What people call it.", examples=["Loyal customers"])
    where: Condition = Field(
        description="Who belongs to it.",
        examples=[{"did": "Order Completed", "at_least": 3, "in_last": "90 days"}],
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
    at_most: Duration | None = Field(None, description="With of_quiet: the longest it can become.", examples=["6 hours"])


class MessageStep(Rule):
    """What messages have in common."""

    later = {
        "coupon": "coupons come with a later version",
        "held": "holding a capped message comes with a later version",
        "variant": "tests come with a later version",
    }
    not_after: Duration = Field(
        "24 hours", description="How long after it was due the message is still useful; later it is skipped.", examples=["24 hours"]
    )


class EmailStep(MessageStep):
    """Send an email."""

    email: Name = Field(description="The template's file name without .mjml.", examples=["cart-1"])
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
        None, alias="else", min_length=1, description="Steps when it does not, or is not known.", examples=[[{"email": "cart-2"}]]
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
    kind: Literal["marketing", "transactional"] = Field(
        "marketing",
        description="Transactional messages (receipts and the like) are not capped, and need no consent.",
        examples=["marketing"],
    )
    status: Literal["draft", "live", "paused", "archived"] = Field(
        "draft",
        description="draft starts nothing; paused holds its runs; archived ends them.",
        examples=["live"],
    )
    trigger: Trigger = Field(description="What starts it.", examples=[{"event": "Product Added"}, {"segment": "lapsed"}])
    filter: Condition | None = Field(
        None,
        description="Must hold at the start, and again before every message.",
        examples=[{"did_not": "Order Completed", "since": "start"}],
    )
    exit: list[Trigger] = Field(
        [], max_length=20, description="What ends it wherever it is.", examples=[[{"event": "Order Completed"}]]
    )
    again: Again = Field(
        "never", description="Whether a shopper may start it once more, counted from the last start.", examples=["after 7 days"]
    )
    steps: list[Step] = Field(min_length=1, description="What happens, in order.", examples=[[{"wait": "1 hour"}, {"email": "cart-1"}]])


IfStep.model_rebuild()
