"""Models of settings.json: what holds for the whole shop."""

import re
from contextlib import suppress
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from cartwake.domains import encode_domain, encode_url
from cartwake.rules.base import File, Rule, complain
from cartwake.rules.faults import find_nearest
from cartwake.rules.group_models import EngagementSettings, KnownNames, LifecycleSettings, Limits, Orders
from cartwake.rules.words import Line, Name
from cartwake.times import parse_duration

_SMS_SENDER: Final = re.compile(r"(?=.{1,11}$)[0-9]*[A-Za-z][A-Za-z0-9]*|\+[1-9][0-9]{6,14}")
_HOST_PATTERN: Final = r"^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]$"
_HOST: Final = re.compile(_HOST_PATTERN)
_TIME: Final = re.compile(r"([01]\d|2[0-4]):([0-5]\d)")


def _check_email(address: str) -> str:
    """Return the address in ASCII, as SES takes it: a domain beyond that is encoded."""
    try:
        valid = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise complain(f"This is not an email address: {error}", example='"shop@example.com"') from None
    if valid.ascii_email is None:
        raise complain(
            f'SES takes ASCII letters, digits and signs alone before the @, and "{valid.local_part}" has others.',
            example='"shop@example.com"',
        )
    return valid.ascii_email


def _check_url(url: str) -> str:
    """Return the address with its host in ASCII, as browsers tell those of the pages that they are on."""
    try:
        encoded = encode_url(url)
        parts = urlsplit(encoded)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname or re.search(r"[\s\"<>\\]", url):
        raise complain("Should be an address that begins with https://.", example='"https://www.nordlicht.example"')
    return encoded


def _check_host(host: str) -> str:
    if not _HOST.fullmatch(host):
        nearest = host.strip().lower().rpartition("//")[2].partition("/")[0]
        with suppress(ValueError):
            nearest = encode_domain(nearest)
        raise complain(
            "Should be the name of a host alone, in small letters, as browsers show it before the first slash.",
            suggestion=nearest if _HOST.fullmatch(nearest) else "",
            example='"checkout.nordlicht.example"',
        )
    return host


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


def _check_cap(words: str) -> str:
    if words != "none":
        try:
            parse_duration(words)
        except ValueError as error:
            raise complain(f'{error}, or "none" for no limit.', example='"16 hours"') from None
    return words


def _check_sms_sender(sender: str) -> str:
    if sender and not _SMS_SENDER.fullmatch(sender):
        raise complain(
            "Should be a name of at most 11 letters and digits with a letter in it, one of your numbers with its +, "
            "or empty.",
            example='{"US": "+18335550100"}',
        )
    return sender


def _text(pattern: str, *examples: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": pattern, "examples": list(examples)})


Email = Annotated[str, AfterValidator(_check_email), WithJsonSchema({"type": "string", "format": "email"})]
Url = Annotated[str, AfterValidator(_check_url), WithJsonSchema({"type": "string", "format": "uri"})]
Host = Annotated[str, AfterValidator(_check_host), _text(_HOST_PATTERN, "checkout.nordlicht.example")]
Timezone = Annotated[str, AfterValidator(_check_timezone)]
Language = Annotated[str, Field(pattern=r"^[a-z]{2}$")]
TimeOfDay = Annotated[str, AfterValidator(_check_time), _text(r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$", "09:00", "20:00")]
Cap = Annotated[
    str, AfterValidator(_check_cap), _text(r"^(none|\d{1,6} (second|minute|hour|day|week)s?)$", "16 hours", "none")
]


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
SmsSender = Annotated[
    str,
    AfterValidator(_check_sms_sender),
    _text(r"^([A-Za-z0-9]{1,11}|\+[1-9][0-9]{6,14})?$", "+18335550100", "Nordlicht", ""),
]


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
    logo_url: Url | None = Field(
        None, description="A picture for the head of emails.", examples=["https://www.nordlicht.example/logo.png"]
    )
    hosts: list[Host] = Field(
        default=[],
        max_length=20,
        description="More hosts of yours. Who follows a link of a message to one of them, or to that of the address "
        "above, is recognised there; name none on which others write pages.",
        examples=[["checkout.nordlicht.example", "nordlicht.de"]],
    )
    color: Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")] = Field(
        "#1f2937", description="Colour of buttons, as #rrggbb.", examples=["#0f4c5c"]
    )


class Sender(Rule):
    """Who messages come from."""

    email: Email = Field(
        description="An address that SES may send from; before the @ in ASCII.", examples=["shop@example.com"]
    )
    name: Line | None = Field(
        None, description="The name beside it; the shop's name if nothing is said.", examples=["Nordlicht Shoes"]
    )
    reply_to: Email | None = Field(None, description="Where answers go.", examples=["hello@example.com"])
    sms_by_country: dict[Country, SmsSender] = Field(
        {},
        max_length=100,
        description="Who SMS come from in countries that want another sender, by their two letters: a name, or one of "
        "your own numbers with its +. An empty text leaves the choice to the network.",
        examples=[{"US": "+18335550100", "FR": ""}],
    )
    sms_name: Annotated[str, Field(max_length=11, pattern=r"^[0-9]*[A-Za-z][A-Za-z0-9]*$")] | None = Field(
        None, description="What phones show as the sender: at most 11 letters and digits.", examples=["Nordlicht"]
    )


class Caps(Rule):
    """At most one marketing message to an address in this time, by channel."""

    email: Cap = Field(default="16 hours", description='By email; "none" for no limit.', examples=["16 hours"])
    sms: Cap = Field(default="24 hours", description='By SMS; "none" for no limit.', examples=["24 hours"])
    push: Cap = Field(
        default="24 hours",
        description='By push message, to all devices of a shopper together; "none" for no limit.',
        examples=["24 hours"],
    )


class Budgets(Rule):
    """The most that marketing may send in a day of the shop, by channel; what is transactional is not counted."""

    email: Annotated[int, Field(ge=1)] | None = Field(None, description="Emails a day.", examples=[20000])
    sms: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Parts of SMS a day, which is what is paid for: a part holds 160 characters, of longer texts 153, "
        "and less than half where a character is not in GSM-7.",
        examples=[500],
    )
    push: Annotated[int, Field(ge=1)] | None = Field(None, description="Push messages a day.", examples=[20000])
    webhook: Annotated[int, Field(ge=1)] | None = Field(
        None,
        description="Webhooks a day: what a browser says can start journeys, so this bounds what a stranger can have "
        "your other systems told. The same one tried again is not counted.",
        examples=[5000],
    )


class Webhooks(Rule):
    """Other systems that journeys may tell something of shoppers."""

    hosts: list[Host] = Field(
        default=[],
        max_length=50,
        description="Their hosts; nothing is sent to any other.",
        examples=[["crm.nordlicht.example"]],
    )


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
    """When messages may go out; outside of these hours they are held, while they are useful. `null` means at any hour.

    They are hours of the shopper's own timezone, which browsers tell. Where it is not known, an SMS or a push message
    goes out while it is one of these hours everywhere in the shopper's country. In winter that is from 14:00 to 20:00
    in New York: at 14:00 there it is 09:00 on Hawaii. The country is that of the number; for a push message the one
    that was told, else the number's. Where all clocks of a country share less than an hour of these, an hour of 09:00
    to 20:00 that they share is taken. Where the country is not known either, and for emails, the shop's timezone
    stands in.
    """

    email: Hours | None = Field(
        default=None, description="Emails; at any hour if nothing is said.", examples=[{"from": "07:00", "to": "22:00"}]
    )
    sms: Hours | None = Field(
        default=Hours(**{"from": "09:00", "to": "20:00"}),
        description="SMS; from 09:00 to 20:00 if nothing is said, null for any hour.",
        examples=[{"from": "09:00", "to": "20:00"}],
    )
    push: Hours | None = Field(
        default=Hours(**{"from": "09:00", "to": "20:00"}),
        description="Push messages; from 09:00 to 20:00 if nothing is said, null for any hour.",
        examples=[{"from": "09:00", "to": "20:00"}],
    )


class TopicWords(Rule):
    """What the preference page says of a topic, in one language."""

    name: Line = Field(description="What it is called.", examples=["New arrivals"])
    text: Line | None = Field(None, description="A sentence about it.", examples=["Once a week, what is new."])


class Utm(Rule):
    """Tags that links to the shop get when they are followed in a message, unless they have them already."""

    source: Line = Field("cartwake", description="utm_source.", examples=["cartwake"])
    medium: Line | None = Field(None, description="utm_medium; the channel if nothing is said.", examples=["crm"])
    campaign: Line | None = Field(
        None, description="utm_campaign; the journey if nothing is said.", examples=["lifecycle"]
    )


class Topic(TopicWords):
    """Something that shoppers can refuse to hear of, on the preference page."""

    translations: dict[Language, TopicWords] = Field(
        default={},
        max_length=50,
        description="The same in other languages, by two letters.",
        examples=[{"de": {"name": "Neuheiten", "text": "Einmal in der Woche, was neu ist."}}],
    )


class Settings(File):
    """settings.json: what holds for the whole shop."""

    later = {
        "retention": "events are kept for 400 days and ended runs for 30; other times come with a later version",
    }
    shop: Shop = Field(
        description="What messages say about the shop.",
        examples=[
            {
                "name": "Nordlicht Shoes",
                "url": "https://www.nordlicht.example",
                "postal_address": "Hafenstrasse 12, 20457 Hamburg, Germany",
            }
        ],
    )
    sender: Sender = Field(description="Who messages come from.", examples=[{"email": "shop@example.com"}])
    timezone: Timezone = Field(
        "UTC",
        description="Of shoppers whose own is not known; for sending_hours of SMS and push if their country is not "
        "either.",
        examples=["Europe/Berlin"],
    )
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")] = Field(
        "EUR", description="Three letters.", examples=["EUR"]
    )
    language: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = Field(
        "en", description="Of numbers and dates in messages.", examples=["en", "de", "pl"]
    )
    caps: Caps = Field(
        Caps(),
        description="At most one marketing message to an address in this time, by channel.",
        examples=[{"email": "16 hours", "sms": "24 hours"}],
    )
    sending_hours: SendingHours = Field(
        SendingHours(),
        description="When messages may go out, by channel, in the shopper's own time. Outside, they are held.",
        examples=[{"sms": {"from": "09:00", "to": "20:00"}}, {"sms": None}],
    )
    budgets: Budgets = Field(
        Budgets(),
        description="The most that marketing may send in a day, by channel. What is above it waits for the next day, "
        "if it is still useful then.",
        examples=[{"email": 20000, "sms": 500}],
    )
    webhooks: Webhooks = Field(
        Webhooks(),
        description="Other systems that journeys may tell something of shoppers; none if nothing is said.",
        examples=[{"hosts": ["crm.nordlicht.example"]}],
    )
    tracking: Literal["always", "consented", "never"] = Field(
        "consented",
        description="Whose clicks in emails are seen, and whose opens where the stack was deployed to see them: of "
        "those who allowed it on the preference page, of all who did not refuse it there, or nobody's. Who is seen is "
        "also recognised in the shop when they come by a link. Parts of the EU ask for each reader's consent.",
        examples=["consented"],
    )
    utm: Utm = Field(
        Utm(),
        description="Tags that links to the shop get when they are followed in a message.",
        examples=[{"source": "newsletter"}],
    )
    topics: dict[Name, Topic] = Field(
        default={},
        max_length=20,
        description="What shoppers can refuse to hear of on the preference page, by the name that journeys give as "
        "their topic. A journey without one is refused with the channel alone.",
        examples=[{"new-arrivals": {"name": "New arrivals", "text": "Once a week, what is new."}}],
    )
    orders: Orders = Field(
        Orders(), description="Which event is an order.", examples=[{"event": "Order Completed", "amount": "revenue"}]
    )
    lifecycle: LifecycleSettings = Field(
        LifecycleSettings(),
        description="Where the groups of the condition lifecycle end.",
        examples=[{"needs_attention_after": "30 days", "champion_orders": 5, "champion_value": 80}],
    )
    engagement: EngagementSettings = Field(
        EngagementSettings(),
        description="Where the groups of the condition engagement end.",
        examples=[{"clicker_for": "60 days", "active_for": "120 days"}],
    )
    known: KnownNames = Field(
        KnownNames(),
        description="Names of your own events and traits, so that nobody is warned of them.",
        examples=[{"events": ["Quiz Finished"], "traits": ["shoe_size"]}],
    )
    limits: Limits = Field(
        Limits(), description="Limits on what a change of the rules may do at once.", examples=[{"moved_people": 1000}]
    )
    send_rate: Annotated[float, Field(ge=0.1, le=1000)] = Field(
        12,
        description="How many recipients of a campaign begin a second. A new SES account may send 14 mails a second; "
        "what is left is for everything else.",
        examples=[12],
    )
    demo: bool = Field(
        default=False, description="true permits waits under a minute; for demonstrations alone.", examples=[False]
    )
