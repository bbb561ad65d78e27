"""The bundle: everything marketers wrote, compiled, immutable, and named by the hash of its content."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from hashlib import sha256
from typing import Final

import msgspec

from cartwake.conditions.kinds import Condition, ScoreRule
from cartwake.conditions.predictions import Parameters
from cartwake.enrolments import Enrolment
from cartwake.events import ORDER_COMPLETED
from cartwake.indexes import Index
from cartwake.journeys import Dated, Journey, Trigger, Watch
from cartwake.statements import Channel
from cartwake.times import HOUR, Instant
from cartwake.trackers import Need
from cartwake.variants import VariantTest

BUNDLE_VERSION: Final = 1
MOST_RETIRED: Final = 20
HIDDEN: Final = "@"
"""How the names of memberships begin that are no segment's."""


class Shop(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What templates and pages may say about the shop.

    Attributes:
        hosts: Those that are the shop's own beside the one of its address.
    """

    name: str
    url: str = ""
    postal_address: str = ""
    logo_url: str = ""
    color: str = "#1f2937"
    hosts: tuple[str, ...] = ()


class Sender(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who messages come from."""

    email: str
    name: str = ""
    reply_to: str = ""
    sms_name: str = ""
    sms_by_country: dict[str, str] = {}


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """Local hours within which messages may go out; minutes after midnight."""

    opens_minute: int
    closes_minute: int


class TopicWords(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the preference centre says of a topic, in one language."""

    name: str
    text: str = ""


class Topic(TopicWords, frozen=True, kw_only=True, omit_defaults=True):
    """Something that shoppers can refuse to hear of.

    Attributes:
        translations: By language, two letters.
    """

    translations: dict[str, TopicWords] = {}


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The shop's settings.

    Attributes:
        cap_ms: By channel, the window in which an address gets at most one marketing message.
        hours: By channel, the local hours in which messages may go out; absent: any hour.
        budgets: By channel, the most that marketing may send in a day of the shop; of SMS, parts. Absent: any number.
        demo: Permits waits under a minute.
        tracking: Whose opens and clicks may be seen: `always`, `consented` or `never`.
        utm: By name, the tags that followed links get, where they differ from the usual ones.
        topics: By name, what shoppers can refuse to hear of, in the order in which they are shown.
        limit_moved: A change that would move more people into or out of segments waits for a confirmation; None: none.
        order_event: The name of the event that is an order.
        send_rate: How many runs a second begin of those who are brought into a journey all together.
        webhook_hosts: Those that journeys may tell something.
    """

    shop: Shop
    sender: Sender
    timezone: str = "UTC"
    currency: str = "EUR"
    language: str = "en"
    cap_ms: dict[Channel, int] = msgspec.field(
        default_factory=lambda: {Channel.EMAIL: 16 * HOUR, Channel.SMS: 24 * HOUR, Channel.PUSH: 24 * HOUR}
    )
    hours: dict[Channel, QuietHours] = msgspec.field(
        default_factory=lambda: dict.fromkeys(
            (Channel.SMS, Channel.PUSH), QuietHours(opens_minute=9 * 60, closes_minute=20 * 60)
        )
    )
    budgets: dict[Channel, int] = {}
    demo: bool = False
    limit_moved: int | None = None
    order_event: str = ORDER_COMPLETED
    topics: dict[str, Topic] = {}
    tracking: str = "consented"
    utm: dict[str, str] = {}
    send_rate: float = 12.0
    webhook_hosts: tuple[str, ...] = ()


class Template(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A compiled template: Jinja2 source for each part; an SMS has only `text`.

    Attributes:
        subject: Of a push message its title.
        push: It is a push message: what follows is of these alone.
        link: Where it leads.
        image: The address of a picture.
        translations: By locale, such as `de` or `de-AT`; they have none themselves.
    """

    subject: str = ""
    html: str = ""
    text: str = ""
    push: bool = False
    link: str = ""
    image: str = ""
    translations: "dict[str, Template]" = {}


class Pool(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pool of coupons.

    Attributes:
        valid_for_ms: How long after it was given a code is good; 0: as long as it says itself.
        low_at: With fewer free codes than this an alarm is raised.
        prefix: How codes begin that Cartwake makes.
        length: How many letters follow; 0: codes are imported.
    """

    valid_for_ms: int = 0
    low_at: int = 100
    prefix: str = ""
    length: int = 0


class Segment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A segment.

    Attributes:
        where: Its definition.
        events: Names of the events that can change it.
        traits: Names of the traits that can change it, dotted where it reads what stands in one.
        known: What can change it of all that Cartwake itself knows of a shopper, such as `consent` or `cart`.
        changed_generation: The generation in which its definition last changed.
        tags: What its members are tagged with.
        sticky: Those tags stay when a member leaves.
    """

    title: str
    where: Condition
    events: tuple[str, ...] = ()
    traits: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    changed_generation: int = 0
    tags: tuple[str, ...] = ()
    sticky: bool = False


def name_dated(journey: str) -> str:
    """Return under which name the date of a journey is among the memberships: no segment can have it."""
    return f"{HIDDEN}{journey}"


class Leftover(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What only steps that are no more need: runs may still wait in them.

    Attributes:
        since: The instant of the publish that took the steps away.
    """

    need: Need
    since: Instant


class Bundle(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """All rules at one moment.

    Attributes:
        generation: Raised by one with every publish.
        needs: What profiles must remember, by tracker key; the leftovers are among it.
        leftovers: By tracker key, what runs of older bundles need besides.
        defined_generation: The generation in which the definition of some segment last changed, or was removed.
        predictions: What `cartwake fit` found in the shop's orders; None: it was never run.
        watches: By journey, what can move its runs before they are due; not of those that wait for time alone.
        tests: By journey and name, the tests of variants, with who has won.
        retired: Journeys that were deleted: `wake` ends what a pause still holds of them.
        enrolments: By journey, who is brought into it all together.
        launched: By name, when each campaign began that ever did: none begins twice.
    """

    version: int = BUNDLE_VERSION
    generation: int = 0
    defined_generation: int = 0
    settings: Settings
    needs: dict[str, Need] = {}
    leftovers: dict[str, Leftover] = {}
    segments: dict[str, Segment] = {}
    scores: dict[str, ScoreRule] = {}
    predictions: Parameters | None = None
    journeys: dict[str, Journey] = {}
    watches: dict[str, Watch] = {}
    tests: dict[str, dict[str, VariantTest]] = {}
    templates: dict[str, Template] = {}
    pools: dict[str, Pool] = {}
    retired: tuple[str, ...] = ()
    enrolments: dict[str, Enrolment] = {}
    launched: dict[str, Instant] = {}

    @cached_property
    def needs_by_event(self) -> dict[str, dict[str, Need]]:
        """The needs, by the event they remember."""
        found: dict[str, dict[str, Need]] = {}
        for key, need in self.needs.items():
            found.setdefault(need.event, {})[key] = need
        return found

    @cached_property
    def dates(self) -> dict[str, Dated]:
        """The dates that start runs, by the name of the membership."""
        triggers = {name_dated(name): it.trigger for name, it in self.journeys.items() if self._is_active(name)}
        return {name: trigger.dated for name, trigger in triggers.items() if trigger.dated is not None}

    @cached_property
    def memberships(self) -> Mapping[str, Segment | Dated]:
        """All that somebody is in or not, by its name: segments, and the dates that start runs."""
        return {**self.segments, **self.dates} if self.dates else self.segments

    @cached_property
    def segment_index(self) -> Index:
        """Which segments an event can change."""
        return Index.of(self.memberships)

    @cached_property
    def watch_index(self) -> Index:
        """Of which journeys an event can move runs that wait for something."""
        return Index.of({name: it for name, it in self.watches.items() if self._is_active(name)})

    @cached_property
    def signalled_events(self) -> frozenset[str]:
        """Names of the events that start or end runs of some journey."""
        return frozenset(trigger.event for trigger in self._triggers if trigger.event)

    @cached_property
    def signalled_segments(self) -> frozenset[str]:
        """Names of the segments whose entering or leaving starts or ends runs of some journey."""
        return frozenset(
            segment for trigger in self._triggers for segment in (trigger.entered, trigger.left) if segment
        )

    @property
    def _triggers(self) -> Iterator[Trigger]:
        """What starts or ends runs: of a draft there are none yet, and those of the archive end by themselves."""
        for name, journey in self.journeys.items():
            if self._is_active(name):
                yield from (journey.trigger, *journey.exits)

    def find_test(self, journey: str, name: str) -> VariantTest | None:
        """Return a test of variants; None where there is none."""
        return self.tests.get(journey, {}).get(name)

    def _is_active(self, name: str) -> bool:
        return name in self.journeys and self.journeys[name].is_active


def encode(bundle: Bundle) -> bytes:
    """Return the bundle as JSON bytes; equal bundles give equal bytes."""
    return msgspec.json.encode(bundle, order="deterministic")


def decode(content: bytes) -> Bundle:
    """Return the bundle that `encode` wrote, of this version or an older one."""
    return msgspec.json.decode(content, type=Bundle)


def name_bundle(content: bytes) -> str:
    """Return the name of a bundle: the SHA-256 of its content."""
    return sha256(content).hexdigest()
