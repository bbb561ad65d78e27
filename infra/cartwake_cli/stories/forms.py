"""Forms: every sentence that a story may have, each with an example; what is read and documented follows from them."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cached_property
from typing import Any, Final, Literal

from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.rules.faults import find_nearest
from cartwake.statements import Channel
from cartwake.times import parse_duration
from cartwake_cli.stories.sentences import (
    After,
    Answer,
    At,
    Belongs,
    Bounce,
    Consent,
    Enters,
    EntersNot,
    Gets,
    GetsNo,
    GetsNothing,
    Identify,
    Leaves,
    LogIn,
    React,
    Sentence,
    SetStatus,
    Stock,
    Today,
    Track,
    Visit,
    When,
    Why,
)

REASONS: Final = tuple(dict.fromkeys(str(it) for it in (*Skip, *EndReason, *NotEntered)))
STATUSES: Final = ("draft", "live", "paused", "archived")
_TEXT: Final = r'"(?:[^"\\]|\\.)*"'
_TIME: Final = r"\d{1,2}:\d{2}"
_DATE: Final = r"\d{4}-\d{2}-\d{2}"
_DURATION: Final = r"\d+ (?:second|minute|hour|day|week)s?"
_WHO: Final = r"(?:[Tt]he )?[^\W\d_][\w.-]*"
_WHEN: Final = (
    rf" after {_DURATION}"
    rf"| on {_DATE} at {_TIME}(?: their time)?"
    rf"| on {_DATE}"
    rf"| at {_TIME}(?: their time)?"
    rf"|(?: on {_DATE})? between {_TIME} and {_TIME}(?: their time)?"
)
_SLOTS: Final = {
    "who": _WHO,
    "other": _WHO,
    "text": _TEXT,
    "subject": _TEXT,
    "number": r"-?\d+(?:\.\d+)?",
    "count": r"\d+",
    "time": _TIME,
    "date": _DATE,
    "duration": _DURATION,
    "object": r"\{.*\}",
    "known": rf"\{{.*\}}|[\w.-]+ (?:{_TEXT}|-?\d+(?:\.\d+)?|true|false|\[.*\])",
    "channel": r"email|sms|push",
    "channels": r"(?:email|sms|push)(?: and (?:email|sms|push))*",
    "name": r"[\w-]+",
    "topic": r"[\w-]+",
    "days": r"30|90",
    "status": r"\w+",
    "when": _WHEN,
    "again": r"again",
    "why": r"\w+(?: \([^)]*\))?",
}


type Told = dict[str, str]
type Make = Callable[[Told], Sentence]
type Read = Callable[[Told], dict[str, Any]]


class Unfit(Exception):
    """A word of a sentence that has a right form is no right one; `nearest` is what it may have meant."""

    def __init__(self, message: str, nearest: str = "") -> None:
        super().__init__(message)
        self.nearest = nearest


@dataclass(frozen=True)
class Form:
    """A form.

    Attributes:
        shape: Words, slots in braces, and in brackets what may be left out.
        example: A whole sentence.
        says: What it does.
        make: Makes the sentence of what stands in the slots; what was left out is "".
    """

    shape: str
    example: str
    says: str
    make: Make

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What it matches."""
        parts = re.split(r"(\{\w+\}|\[|\])", self.shape)
        return re.compile("".join(map(_compile, parts)))

    @property
    def shown(self) -> str:
        """The shape for people: `WHO adds [COUNT ]TEXT[ for NUMBER]`."""
        return re.sub(r"\{(\w+)\}", lambda it: "again" if it[1] == "again" else it[1].upper(), self.shape)

    @cached_property
    def shortest(self) -> str:
        """The example without what may be left out."""
        found = self.pattern.fullmatch(self.example)
        said = found.groupdict() if found else {}
        bare = re.sub(r"\[[^\]]*\]", "", self.shape)
        return re.sub(r"\{(\w+)\}", lambda it: said.get(it[1]) or "", bare)

    def read(self, text: str) -> Sentence | None:
        """Return the sentence that *text* is, or None.

        Raises:
            Unfit: A word in it is none that is known.
        """
        found = self.pattern.fullmatch(text)
        return None if found is None else self.make({name: it or "" for name, it in found.groupdict().items()})


def _compile(part: str) -> str:
    if part in ("[", "]"):
        return "(?:" if part == "[" else ")?"
    if part.startswith("{"):
        name = part.strip("{}")
        return f"(?P<{name}>{_SLOTS[name]})"
    return re.escape(part)


def name_person(text: str) -> str:
    """Return a person's name without its article: `the visitor` is `visitor`."""
    return re.sub(r"^[Tt]he ", "", text)


def read_text(text: str) -> str:
    """Return what stands in quotes.

    Raises:
        Unfit: It is no JSON text.
    """
    return str(_read_json(text))


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise Unfit(f"{text} is not JSON: names and texts stand in double quotes.") from None


def _read_time(text: str) -> time:
    try:
        return time.fromisoformat(text.zfill(5))
    except ValueError:
        raise Unfit(f'"{text}" is no time of day.', "09:30") from None


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Unfit(f'"{text}" is no date.', "2026-06-01") from None


def _read_when(text: str) -> When | None:
    if not text:
        return None
    theirs = text.endswith(" their time")
    if text.startswith(" after "):
        return When(after_ms=parse_duration(text.removeprefix(" after ")))
    times = [_read_time(it) for it in re.findall(_TIME, text)]
    days = [_read_date(it) for it in re.findall(_DATE, text)]
    return When(
        day=days[0] if days else None,
        begin=times[0] if times else None,
        end=times[1] if len(times) > 1 else None,
        theirs=theirs,
    )


def _read_why(text: str) -> Why | None:
    if not text:
        return None
    reason, _, by = text.partition(" (")
    if reason not in REASONS:
        raise Unfit(f'"{reason}" is no reason. There are: {", ".join(REASONS)}.', find_nearest(reason, REASONS))
    return Why(reason, by.removesuffix(")"))


def _read_status(text: str) -> str:
    if text not in STATUSES:
        raise Unfit(f'"{text}" is no status of a journey.', find_nearest(text, STATUSES))
    return text


def _read_channels(text: str) -> tuple[Channel, ...]:
    return tuple(Channel(it) for it in text.split(" and "))


def _slug(name: str) -> str:
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")


def _product(told: Told, **more: Any) -> dict[str, Any]:
    name = read_text(told["text"])
    price = {"price": float(told["number"])} if told.get("number") else {}
    return {"product_id": _slug(name), "name": name, **price, **more}


def _track(event: str, read: Read, *, browser: bool = True) -> Make:
    return lambda told: Track(name_person(told["who"]), event, read(told), browser)


def _read_count(told: Told) -> dict[str, int]:
    return {"quantity": int(told["count"] or 1)}


def _identify(*, known: bool) -> Make:
    def make(told: Told) -> Sentence:
        name, _, value = told["known"].partition(" ")
        traits = _read_json(told["known"]) if name.startswith("{") else {name: _read_json(value)}
        return Identify(name_person(told["who"]), traits, known)

    return make


def _consent(*, subscribed: bool, known: bool) -> Make:
    return lambda told: Consent(name_person(told["who"]), _read_channels(told["channels"]), subscribed, known)


def _react(how: Literal["opens", "clicks", "unsubscribes", "confirms", "complains"]) -> Make:
    return lambda told: React(
        name_person(told["who"]), how, told["name"], link=read_text(told["text"]) if told.get("text") else ""
    )


def _prefer(form: str) -> Make:
    return lambda told: React(name_person(told["who"]), "prefers", told["name"], f"save=1&{form.format(**told)}")


def _read_gets(told: Told) -> Sentence:
    return Gets(
        name_person(told["who"]),
        Channel(told["channel"]),
        told["name"],
        _read_when(told["when"]),
        read_text(told["subject"]) if told["subject"] else None,
        read_text(told["text"]) if told["text"] else None,
    )


MOMENTS: Final[Sequence[Form]] = (
    Form(
        "today is {date}",
        "today is 2026-06-01",
        "the day on which the story begins; else it is Monday, 1 June 2026. It begins at 10:00.",
        lambda told: Today(_read_date(told["date"])),
    ),
    Form(
        "at {time}",
        "at 14:30",
        "the next time that the shop's clocks show this.",
        lambda told: At(_read_time(told["time"])),
    ),
    Form(
        "the next day at {time}",
        "the next day at 09:00",
        "a time of tomorrow.",
        lambda told: At(_read_time(told["time"]), days=1),
    ),
    Form(
        "on {date} at {time}",
        "on 2026-06-05 at 18:00",
        "a time of a day to come.",
        lambda told: At(_read_time(told["time"]), day=_read_date(told["date"])),
    ),
    Form(
        "after {duration}",
        "after 30 hours",
        "so much time passes.",
        lambda told: After(parse_duration(told["duration"])),
    ),
)
PEOPLE: Final[Sequence[Form]] = (
    Form(
        "{who} is subscribed to {channels}",
        "Ada is subscribed to email and sms",
        "a customer who agreed long ago, with an address of their own. It starts nothing.",
        _consent(subscribed=True, known=True),
    ),
    Form(
        "{who} is unsubscribed from {channels}",
        "Ben is unsubscribed from email",
        "a customer who said no long ago. It starts nothing.",
        _consent(subscribed=False, known=True),
    ),
    Form(
        "{who} has {known}",
        'Ada has first_name "Ada"',
        "what is known of somebody: a trait and its value, or several in braces. It starts nothing.",
        _identify(known=True),
    ),
    Form(
        "mail to {who} bounces",
        "mail to Ada bounces",
        "from now on no mail reaches them.",
        lambda told: Bounce(name_person(told["who"])),
    ),
    Form(
        "journey {name} is {status}",
        "journey abandoned-cart is live",
        "changes the status of a journey, from here on: draft, live, paused or archived.",
        lambda told: SetStatus(told["name"], _read_status(told["status"])),
    ),
    Form(
        "pool {name} has {count} codes",
        "pool comeback-10 has 5 codes",
        "the codes of a pool, instead of those in its file: COMEBACK-10-1 and so on.",
        lambda told: Stock(told["name"], int(told["count"])),
    ),
)
ACTS: Final[Sequence[Form]] = (
    Form(
        "{who} visits {text}",
        'Ada visits "/sale/shoes"',
        "the event Page Viewed, with the address of the page.",
        lambda told: Visit(name_person(told["who"]), read_text(told["text"])),
    ),
    Form(
        "{who} views {text}",
        'Ada views "Trail Runner"',
        "the event Product Viewed.",
        _track("Product Viewed", _product),
    ),
    Form(
        "{who} adds [{count} ]{text}[ for {number}]",
        'Ada adds 2 "Trail Runner" for 129',
        "the event Product Added: into the cart, with the price of one.",
        _track("Product Added", lambda told: _product(told, **_read_count(told))),
    ),
    Form(
        "{who} removes [{count} ]{text}",
        'Ada removes "Trail Runner"',
        "the event Product Removed.",
        _track("Product Removed", lambda told: _product(told, **_read_count(told))),
    ),
    Form(
        "{who} starts the checkout",
        "Ada starts the checkout",
        "the event Checkout Started.",
        _track("Checkout Started", lambda _: {}),
    ),
    Form(
        "{who} orders[ for {number}]",
        "Ada orders for 129",
        "the event Order Completed, with what was in the cart; without a sum, with what that costs.",
        _track(
            "Order Completed", lambda told: {"revenue": float(told["number"])} if told["number"] else {}, browser=False
        ),
    ),
    Form(
        "{who} does {text}[ {object}]",
        'Ada does "Order Shipped" {"order_id": "o-1", "carrier": "DHL"}',
        "any event, with any properties.",
        lambda told: Track(
            name_person(told["who"]), read_text(told["text"]), _read_json(told["object"]) if told["object"] else {}
        ),
    ),
    Form(
        "{who} gives {known}",
        'Ada gives phone "+4915112345678"',
        "the event Identified: tells something of themselves.",
        _identify(known=False),
    ),
    Form(
        "{who} subscribes to {channels}",
        "Ada subscribes to email",
        "the event Subscribed.",
        _consent(subscribed=True, known=False),
    ),
    Form(
        "{who} unsubscribes from {channels}",
        "Ada unsubscribes from email",
        "the event Unsubscribed.",
        _consent(subscribed=False, known=False),
    ),
    Form(
        "{who} logs in as {other}",
        "the visitor logs in as Ada",
        "a visitor, so far without a name, turns out to be somebody: the two become one.",
        lambda told: LogIn(name_person(told["who"]), name_person(told["other"])),
    ),
    Form("{who} opens {name}", "Ada opens cart-1", "the latest mail from this template is opened.", _react("opens")),
    Form(
        "{who} clicks [{text} in ]{name}",
        'Ada clicks "/survey?rating=2" in survey-1',
        "a link of it is followed: the first one with this in its address, else the first one into the shop.",
        _react("clicks"),
    ),
    Form(
        "{who} unsubscribes in {name}",
        "Ada unsubscribes in cart-1",
        "the button behind its link to unsubscribe is pressed.",
        _react("unsubscribes"),
    ),
    Form(
        "{who} confirms in {name}",
        "Ada confirms in confirm-1",
        "the button behind its link to confirm is pressed.",
        _react("confirms"),
    ),
    Form(
        "{who} agrees to tracking in {name}",
        "Ada agrees to tracking in welcome-1",
        "the box on the page behind its link to preferences is ticked: clicks on later mails may be seen.",
        _prefer("tracked_shown=1&tracked=1"),
    ),
    Form(
        "{who} refuses the topic {topic} in {name}",
        "Ada refuses the topic new-arrivals in welcome-1",
        "on the same page: nothing of this topic any more.",
        _prefer("topic_shown={topic}"),
    ),
    Form(
        "{who} takes a pause of {days} days in {name}",
        "Ada takes a pause of 30 days in welcome-1",
        "on the same page: 30 or 90 days without marketing.",
        _prefer("pause={days}"),
    ),
    Form(
        "{who} answers {text}",
        'Ada answers "STOP"',
        "an SMS from their number comes in.",
        lambda told: Answer(name_person(told["who"]), read_text(told["text"])),
    ),
    Form(
        "{who} marks {name} as spam", "Ada marks cart-1 as spam", "a complaint about it comes in.", _react("complains")
    ),
)
EXPECTATIONS: Final[Sequence[Form]] = (
    Form(
        "expect {who} gets {channel} {name}[{when}][, subject {subject}][, text {text}]",
        'expect Ada gets email cart-1 after 1 hour, subject "You left Trail Runner behind", text "129"',
        "a message of this template goes out; `subject` (of a push its title) and `text` are parts of it.",
        _read_gets,
    ),
    Form(
        "expect {who} gets no {name}[: {why}]",
        "expect Ada gets no cart-2: exited (Order Completed)",
        "none of this template, or of this channel, goes out, and why.",
        lambda told: GetsNo(name_person(told["who"]), told["name"], _read_why(told["why"])),
    ),
    Form(
        "expect {who} gets nothing[ else]",
        "expect Ada gets nothing else",
        "nothing goes out that no other sentence expects.",
        lambda told: GetsNothing(name_person(told["who"])),
    ),
    Form(
        "expect {who} enters {name}[{when}]",
        "expect Ada enters abandoned-cart at 10:00",
        "the journey begins.",
        lambda told: Enters(name_person(told["who"]), told["name"], _read_when(told["when"])),
    ),
    Form(
        "expect {who} does not enter {name}[ {again}][: {why}]",
        "expect Ada does not enter abandoned-cart again: entered_before",
        "the journey never begins, or with `again` only once, and why.",
        lambda told: EntersNot(name_person(told["who"]), told["name"], bool(told["again"]), _read_why(told["why"])),
    ),
    Form(
        "expect {who} leaves {name}[{when}][: {why}]",
        "expect Ada leaves abandoned-cart after 2 hours: exited (Order Completed)",
        "the journey ends, and why.",
        lambda told: Leaves(name_person(told["who"]), told["name"], _read_why(told["why"]), _read_when(told["when"])),
    ),
    Form(
        "expect {who} is in segment {name}",
        "expect Ada is in segment vip",
        "looked at where the sentence stands.",
        lambda told: Belongs(name_person(told["who"]), told["name"], inside=True),
    ),
    Form(
        "expect {who} is not in segment {name}",
        "expect Ada is not in segment vip",
        "looked at where the sentence stands.",
        lambda told: Belongs(name_person(told["who"]), told["name"], inside=False),
    ),
)
GROUPS: Final = {"Time": MOMENTS, "People": PEOPLE, "What they do": ACTS, "What is expected": EXPECTATIONS}
FORMS: Final[tuple[Form, ...]] = tuple(form for forms in GROUPS.values() for form in forms)
