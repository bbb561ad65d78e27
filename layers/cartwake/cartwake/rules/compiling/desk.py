"""The desk of a compiler: what it knows of the shop, and what it notes down as it reads conditions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from cartwake.rules.group_models import EngagementSettings, LifecycleSettings, Orders
from cartwake.rules.needs import Needs
from cartwake.rules.settings_models import Settings
from cartwake.trackers import Need

type Place = tuple[str, str]
"""A name, and the path at which it stands."""


@dataclass(slots=True)
class Reads:
    """What the conditions of one file read.

    Attributes:
        known: First parts of the names of what Cartwake itself knows of a shopper.
        segments: Names of segments.
        scores: Names of scores.
        fitted: Predictions that need a fitted model.
        since_start: Paths at which "since: start" stands.
    """

    events: set[str] = field(default_factory=set)
    traits: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    segments: list[Place] = field(default_factory=list)
    scores: list[Place] = field(default_factory=list)
    fitted: list[Place] = field(default_factory=list)
    since_start: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Shop:
    """What conditions mean in this shop.

    Attributes:
        zone: Where its days begin.
        tags: By tag in lower case, the segments that set it, and whether it stays.
    """

    zone: ZoneInfo
    orders: Orders
    lifecycle: LifecycleSettings
    engagement: EngagementSettings
    tags: Mapping[str, list[tuple[str, bool]]]


def describe_shop(settings: Settings | None, tags: Mapping[str, list[tuple[str, bool]]]) -> Shop:
    """Return what conditions mean by these settings; by the defaults where there are none."""
    if settings is None:
        return Shop(ZoneInfo("UTC"), Orders(), LifecycleSettings(), EngagementSettings(), tags)
    return Shop(ZoneInfo(settings.timezone), settings.orders, settings.lifecycle, settings.engagement, tags)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where the compilers of all kinds of conditions work."""

    shop: Shop
    needs: Needs
    reads: Reads = field(default_factory=Reads)

    def track(self, need: Need) -> str:
        """Return the key of the tracker that remembers what is needed."""
        self.reads.events.add(need.event)
        return self.needs.add(need)
