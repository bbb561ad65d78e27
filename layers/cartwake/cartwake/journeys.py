"""Journeys: what starts and ends a run, and the steps between, compiled."""

import msgspec

from cartwake.conditions.kinds import Condition
from cartwake.events import Event
from cartwake.statements import Channel
from cartwake.times import HOUR
from cartwake.values import PropertyTest, find_value, passes


class Trigger(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What starts or ends a run: an event that passes the tests, or a segment entered or left.

    Attributes:
        tracker: For an exit by event: the tracker that remembers such events.
    """

    event: str = ""
    where: tuple[PropertyTest, ...] = ()
    entered: str = ""
    left: str = ""
    tracker: str = ""

    def fits(self, event: Event) -> bool:
        """Say whether *event* is one of these."""
        return self.event == event.name and all(
            passes(find_value(event.properties, test.path), test.test) for test in self.where
        )


class Wait(msgspec.Struct, frozen=True, kw_only=True, tag_field="step", tag="wait", omit_defaults=True):
    """Let time pass.

    Attributes:
        for_ms: How long.
        of_quiet: Trackers of the events each of which starts the wait anew.
        at_most_ms: With `of_quiet`: the longest the whole wait can become.
    """

    for_ms: int
    of_quiet: tuple[str, ...] = ()
    at_most_ms: int = 0


class Send(msgspec.Struct, frozen=True, kw_only=True, tag_field="step", tag="send", omit_defaults=True):
    """Send an email or an SMS made from a template.

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


class Branch(msgspec.Struct, frozen=True, kw_only=True, tag_field="step", tag="if", omit_defaults=True):
    """Go one way or the other."""

    condition: Condition
    then: tuple["Step", ...] = ()
    otherwise: tuple["Step", ...] = ()


Step = Wait | Send | Branch


class Journey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A journey.

    Attributes:
        kind: `marketing` or `transactional`.
        topic: What its messages are about; "" for nothing that can be refused by itself.
        status: `draft`, `live`, `paused` or `archived`.
        filter: Checked at entry and again before every message.
        again_ms: None: never again; 0: always; else the time from one entry to the next.
    """

    title: str
    kind: str = "marketing"
    topic: str = ""
    status: str = "draft"
    trigger: Trigger
    filter: Condition | None = None
    exits: tuple[Trigger, ...] = ()
    again_ms: int | None = None
    steps: tuple[Step, ...] = ()
