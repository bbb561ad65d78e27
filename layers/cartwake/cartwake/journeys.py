"""Journeys: what starts and ends a run, and the steps between, compiled."""

from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from cartwake.conditions.kinds import Condition
from cartwake.events import Event
from cartwake.statements import Channel
from cartwake.times import HOUR, Instant
from cartwake.values import PropertyTest, find_value, passes

HOLD_OUT: Final = "hold-out"
"""The way of those who get none of the variants of a test."""


class Dated(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A date that starts runs: a segment that nobody named, of those for whom it comes just now.

    Attributes:
        when: Which trait it stands in, and what is made of it.
        traits: Names of the traits that can change it.
        events: Names of the events that can change it: none.
        known: What can change it of all that Cartwake itself knows of a shopper: nothing.
        changed_generation: The generation in which its definition last changed.
    """

    when: "UntilDate"
    traits: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    changed_generation: int = 0


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What starts or ends a run: an event that passes the tests, or a segment entered or left.

    Attributes:
        dated: What `entered` stands for, where it is a date that comes.
        tracker: For an exit by event: the tracker that remembers such events.
    """

    event: str = ""
    where: tuple[PropertyTest, ...] = ()
    entered: str = ""
    left: str = ""
    dated: Dated | None = None
    tracker: str = ""

    def fits(self, event: Event) -> bool:
        """Say whether *event* is one of these."""
        return self.event == event.name and all(
            passes(find_value(event.properties, test.path), test.test) for test in self.where
        )


class _Step(msgspec.Struct, frozen=True, kw_only=True, tag_field="step", omit_defaults=True):
    """What all steps have in common.

    Attributes:
        only_if: Judged as a run comes here: where it does not hold, the run passes over the step.
        not_after_ms: The run passes over the step when it comes so much later than was due; 0: never.
    """

    only_if: Condition | None = None
    not_after_ms: int = 0


class Wait(_Step, frozen=True, kw_only=True, tag="wait", omit_defaults=True):
    """Let time pass.

    Attributes:
        for_ms: How long.
        of_quiet: Trackers of the events each of which starts the wait anew.
        at_most_ms: With `of_quiet`: the longest the whole wait can become.
    """

    for_ms: int
    of_quiet: tuple[str, ...] = ()
    at_most_ms: int = 0


class UntilClock(_Step, frozen=True, kw_only=True, tag="clock", omit_defaults=True):
    """Wait until a time of day by the shopper's clock.

    Attributes:
        minute: After midnight.
        days: On which days of the week, Monday is 0; (): on any.
    """

    minute: int
    days: tuple[int, ...] = ()


class UntilDate(_Step, frozen=True, kw_only=True, tag="date", omit_defaults=True):
    """Wait until a date by the shopper's calendar.

    Attributes:
        date: ISO 8601, or a day of the year such as 12-31; "": the one in the trait or property.
        trait: Its name.
        told: Instead, the path to a property of the triggering event.
        shift_ms: So much later; less than 0: before.
        minute: At this time of that day, after midnight; None: at the date's own time.
        every_year: The next anniversary is meant.
        otherwise: Where there is no such date, or it is over, or more than a year ahead.
    """

    date: str = ""
    trait: str = ""
    told: str = ""
    shift_ms: int = 0
    minute: int | None = None
    every_year: bool = False
    otherwise: tuple["Step", ...] = ()


class Happening(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a run waits for: an event that happens, or a condition that comes to hold.

    Attributes:
        tracker: Of the event; "": it is a condition.
        name: What people call it.
    """

    name: str
    tracker: str = ""
    condition: Condition | None = None


class Await(_Step, frozen=True, kw_only=True, tag="await", omit_defaults=True):
    """Wait for something, but not for ever, and go one way or the other.

    Attributes:
        then: When it came.
        otherwise: When the time was over first.
    """

    happening: Happening
    at_most_ms: int
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class Goal(_Step, frozen=True, kw_only=True, tag="goal", omit_defaults=True):
    """Where a run goes on from wherever before it stands, as soon as something comes.

    Attributes:
        or_end: A run that comes here on its way, and of which that is not true, ends.
    """

    happening: Happening
    or_end: bool = False


class Send(_Step, frozen=True, kw_only=True, tag="send", omit_defaults=True):
    """Send an email, an SMS or a push message made from a template.

    Attributes:
        subject: Jinja2 source; overrides the template's own.
        not_after_ms: How long after it was planned the message is still useful.
        held: Under a frequency cap it waits until that is over, instead of being skipped.
        coupon: The pool that it shows a code of; "": none.
    """

    channel: Channel
    template: str
    subject: str = ""
    not_after_ms: int = 24 * HOUR
    held: bool = False
    coupon: str = ""


class Call(_Step, frozen=True, kw_only=True, tag="webhook", omit_defaults=True):
    """Tell another system that a run came here, and what it is to know of the shopper.

    Attributes:
        url: Where; of a host that settings.json lists.
        traits: Names of the traits that are told, dotted where something is told that stands in one.
        properties: Of the event that started the run, likewise.
        body: What is told besides, the same of everybody.
        not_after_ms: For how long it is tried.
    """

    url: str
    traits: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    body: dict[str, Any] = {}
    not_after_ms: int = 24 * HOUR

    @property
    def host(self) -> str:
        """By which the ledger names it: an address may hold what only its owner is to know."""
        return urlsplit(self.url).hostname or ""


class Give(_Step, frozen=True, kw_only=True, tag="give", omit_defaults=True):
    """Give a code without a message: it is the shopper's in every message that shows a coupon of the pool.

    Attributes:
        otherwise: When the pool is empty; without it the run ends.
    """

    pool: str
    otherwise: tuple["Step", ...] = ()


class Tell(_Step, frozen=True, kw_only=True, tag="tell", omit_defaults=True):
    """Say something of the shopper: it becomes an event of our own, as everything does.

    Attributes:
        event: Its name.
    """

    event: str
    properties: dict[str, Any] = {}
    traits: dict[str, Any] = {}


class Branch(_Step, frozen=True, kw_only=True, tag="if", omit_defaults=True):
    """Go one way or the other."""

    condition: Condition
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


class Variant(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One of the ways of a split.

    Attributes:
        micros: The share of shoppers that go it, in millionths.
    """

    name: str
    micros: int
    steps: tuple["Step", ...] = ()


class Split(_Step, frozen=True, kw_only=True, tag="split", omit_defaults=True):
    """Go one of several ways: always the same one for a shopper and a salt.

    Attributes:
        test: Its name, under which the way is kept at the run and its messages; "": it is no test.
        digest: Of the test's definition; "": nobody is measured.
        within_ms: For so long after a shopper came here what they do is measured.
        orders: The tracker of what is an order.
    """

    salt: str
    test: str = ""
    digest: str = ""
    within_ms: int = 0
    orders: str = ""
    variants: tuple[Variant, ...]


class Stop(_Step, frozen=True, kw_only=True, tag="end", omit_defaults=True):
    """End the run here.

    Attributes:
        why: What people call it.
    """

    why: str


Step = Wait | UntilClock | UntilDate | Await | Goal | Send | Call | Give | Tell | Branch | Split | Stop


class Watch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What can move the runs of a journey before they are due.

    Attributes:
        events: Names of events.
        traits: Names of traits, dotted where something is read that stands in one.
        known: Of all that Cartwake itself knows of a shopper.
        since: When the last of it was taken out of the journey; 0: all of it is in use.
    """

    events: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    since: Instant = 0


class Journey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A journey.

    Attributes:
        kind: `marketing`, `transactional` or `confirmation`.
        topic: What its messages are about; "" for nothing that can be refused by itself.
        status: `draft`, `live`, `paused` or `archived`.
        filter: Checked at entry and again before every message.
        key: Path of the property that tells runs apart: one goes on at a time for each of its values; "": one at all.
        again_ms: None: never again; 0: always; else the time from one entry to the next, of one key.
        since: From when on its event starts it: what was received before it was there starts no run; 0: ever.
    """

    title: str
    kind: str = "marketing"
    topic: str = ""
    status: str = "draft"
    trigger: Trigger
    key: str = ""
    filter: Condition | None = None
    exits: tuple[Trigger, ...] = ()
    again_ms: int | None = None
    since: Instant = 0
    steps: tuple[Step, ...] = ()

    @property
    def is_active(self) -> bool:
        """Whether what happens is told to it: of a draft there are no runs yet, and those of the archive end."""
        return self.status in ("live", "paused")
