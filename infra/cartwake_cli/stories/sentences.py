"""Sentences: what a line of a story says, once it is understood."""

from dataclasses import dataclass, field
from datetime import date, time
from typing import Any, Literal

from cartwake.statements import Channel


@dataclass(frozen=True, slots=True)
class Today:
    """The day on which the story begins."""

    day: date


@dataclass(frozen=True, slots=True)
class After:
    """Time passes."""

    duration_ms: int


@dataclass(frozen=True, slots=True)
class At:
    """It becomes a time of the shop's clock: the next one, or one of a later day.

    Attributes:
        days: So many days ahead; 0: as soon as it is that time.
        day: On that date, and no other.
    """

    time: time
    days: int = 0
    day: date | None = None


@dataclass(frozen=True, slots=True)
class Track:
    """An event happens.

    Attributes:
        browser: The storefront's script says so, and nobody else.
    """

    who: str
    event: str
    properties: dict[str, Any] = field(default_factory=dict)
    browser: bool = False


@dataclass(frozen=True, slots=True)
class Visit:
    """A page is looked at."""

    who: str
    url: str


@dataclass(frozen=True, slots=True)
class Identify:
    """Something is told of a shopper.

    Attributes:
        known: It was so before: it starts nothing.
    """

    who: str
    traits: dict[str, Any]
    known: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """A shopper says yes or no to channels.

    Attributes:
        known: It was so before: it starts nothing.
    """

    who: str
    channels: tuple[Channel, ...]
    subscribed: bool
    known: bool = False


@dataclass(frozen=True, slots=True)
class LogIn:
    """A visitor turns out to be somebody."""

    visitor: str
    who: str


@dataclass(frozen=True, slots=True)
class React:
    """Somebody does something with the latest mail that they got from a template.

    Attributes:
        form: What is sent from the page of preferences behind it.
        link: Of a click: a part of the address; "": the first link will do.
    """

    who: str
    how: Literal["opens", "clicks", "unsubscribes", "confirms", "complains", "prefers"]
    template: str
    form: str = ""
    link: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """Somebody answers an SMS."""

    who: str
    text: str


@dataclass(frozen=True, slots=True)
class Bounce:
    """No mail reaches somebody from now on."""

    who: str


@dataclass(frozen=True, slots=True)
class SetStatus:
    """The shop changes the status of a journey."""

    journey: str
    status: str


@dataclass(frozen=True, slots=True)
class Stock:
    """There are codes in a pool of coupons."""

    pool: str
    count: int


@dataclass(frozen=True, slots=True)
class When:
    """When something is expected.

    Attributes:
        after_ms: So long after the journey began.
        day: On that date.
        begin: At that time of day, to the minute.
        end: Not at `begin` alone: up to this time of day.
        theirs: By the shopper's own clock; else by the shop's.
    """

    after_ms: int | None = None
    day: date | None = None
    begin: time | None = None
    end: time | None = None
    theirs: bool = False


@dataclass(frozen=True, slots=True)
class Why:
    """A reason of `reasons.py`, and what ended the journey where that is said."""

    reason: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class Gets:
    """Somebody gets a message."""

    who: str
    channel: Channel
    template: str
    when: When | None = None
    subject: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class GetsNo:
    """Somebody gets no message of a template, or of a channel."""

    who: str
    what: str
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class GetsNothing:
    """Somebody gets nothing that no other sentence of the story expects."""

    who: str


@dataclass(frozen=True, slots=True)
class Enters:
    """Somebody starts a journey."""

    who: str
    journey: str
    when: When | None = None


@dataclass(frozen=True, slots=True)
class EntersNot:
    """Somebody does not start a journey, or not more than once."""

    who: str
    journey: str
    again: bool = False
    why: Why | None = None


@dataclass(frozen=True, slots=True)
class Leaves:
    """A journey ends for somebody."""

    who: str
    journey: str
    why: Why | None = None
    when: When | None = None


@dataclass(frozen=True, slots=True)
class Belongs:
    """Somebody is in a segment, or not, where the sentence stands."""

    who: str
    segment: str
    inside: bool


type Moment = Today | After | At
type Act = Track | Visit | Identify | Consent | LogIn | React | Answer | Bounce | SetStatus | Stock
type Expectation = Gets | GetsNo | GetsNothing | Enters | EntersNot | Leaves | Belongs
type Sentence = Moment | Act | Expectation


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence and where it stands.

    Attributes:
        text: As it was written.
        ago_ms: It happened so long before: it starts nothing.
        browser: Only a browser says so, whoever usually does.
    """

    number: int
    text: str
    sentence: Sentence
    ago_ms: int = 0
    browser: bool = False


@dataclass(frozen=True, slots=True)
class Story:
    """A story.

    Attributes:
        last: The number of its last line.
    """

    file: str
    title: str
    number: int
    last: int
    lines: tuple[Line, ...]
