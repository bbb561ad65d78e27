"""Enrolments: who is brought into a journey all together, in parts that go on side by side, and how far that is."""

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from cartwake.times import DAY, MINUTE, NEVER, SECOND, Instant

PARTS: Final = 8
STALE_AFTER_MS: Final = 5 * MINUTE
"""A part that has not moved for so long has lost its message."""
TOLD_CLOSELY_MS: Final = 30 * MINUTE
TOLD_MS: Final = 7 * DAY
LATEST_MS: Final = DAY
"""What could not begin within this time after its own does not begin any more: yesterday's news."""
KEEP_MS: Final = 90 * DAY
"""For so long after it last went on it is known how far each part is."""


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whom the rules want to be brought into a journey, and when each of them begins.

    Attributes:
        segment: Its members.
        starts_at: From then on; whoever is a member as it begins is meant, and nobody else.
        is_campaign: The journey is a campaign; else it says "include_existing".
        placed: Whoever is brought in stands where they would be now, had the journey been there when they entered.
        date: Nobody begins before their own clocks show this time; "": all begin by one clock.
        spread_ms: They begin spread over this time.
        first_micros: The share that begins at once, in millionths; the rest begins so much later; 0: all are first.
        rest_after_ms: How much.
    """

    segment: str
    starts_at: Instant
    is_campaign: bool = False
    placed: bool = False
    date: str = ""
    spread_ms: int = 0
    first_micros: int = 0
    rest_after_ms: int = 0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found on the way.

    Attributes:
        read: Rows of any kind.
        members: People who are meant.
        enrolled: Those of them who were brought in.
        refused: By reason, how many were not.
        failed: Rows that no code could look at.
    """

    read: int = 0
    members: int = 0
    enrolled: int = 0
    refused: dict[str, int] = {}
    failed: int = 0


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """How far one part of an enrolment is.

    Attributes:
        aim: As it was when it began: what is changed later moves neither the time nor who is meant.
        bundle: The rules with which it began: its runs follow their steps.
        generation: Of those.
        began_at: When it began; who was a member then is meant.
        cursor: The last key that was looked at; "" at the start.
        stopped: The journey was archived before everybody was looked at.
        next_at: When the next one begins, by the rate at which messages may be sent.
        last_at: When the last of those found until now begins.
        updated_at: When it last went on.
    """

    journey: str
    number: int
    aim: Enrolment
    bundle: str
    generation: int
    began_at: Instant
    cursor: str = ""
    done: bool = False
    stopped: bool = False
    found: Found = Found()
    next_at: Instant = 0
    last_at: Instant = 0
    updated_at: Instant


def begin(journey: str, aim: Enrolment, *, rules: tuple[str, int], now: Instant) -> list[Part]:
    """Return the parts of an enrolment at its beginning.

    Args:
        journey: Its name.
        aim: As the rules say it.
        rules: Their name and generation.
        now: The time.
    """
    bundle, generation = rules
    return [
        Part(
            journey=journey,
            number=number,
            aim=aim,
            bundle=bundle,
            generation=generation,
            began_at=now,
            next_at=now,
            updated_at=now,
        )
        for number in range(PARTS)
    ]


def is_due(aim: Enrolment, now: Instant) -> bool:
    """Say whether an enrolment may begin now, if it has not."""
    return aim.starts_at <= now < aim.starts_at + LATEST_MS


def is_missed(aim: Enrolment, now: Instant) -> bool:
    """Say whether an enrolment of which no part is known was never begun, and is not begun any more."""
    return aim.starts_at + LATEST_MS <= now < aim.starts_at + KEEP_MS


def is_stale(part: Part, now: Instant) -> bool:
    """Say whether nobody seems to be working on a part that is not done."""
    return not part.done and part.updated_at <= now - STALE_AFTER_MS


def is_told(part: Part, now: Instant, *, held: bool = False) -> bool:
    """Say whether it is to be told this minute how far it is: every minute while it is news, then every ten.

    Args:
        part: One of a campaign.
        now: The time.
        held: A pause holds it: it goes nowhere.
    """
    ended_at = max(part.last_at, part.updated_at)
    if not held and (not part.done or now < ended_at + TOLD_CLOSELY_MS):
        return True
    return now < ended_at + TOLD_MS and now // MINUTE % 10 == 0


def pace_ms(per_second: float) -> int:
    """Return how far apart those found by one part begin, so that all parts together keep the rate."""
    return round(PARTS * SECOND / per_second)


def add(left: Found, right: Found) -> Found:
    """Return both together."""
    return Found(
        read=left.read + right.read,
        members=left.members + right.members,
        enrolled=left.enrolled + right.enrolled,
        refused=_join(left.refused, right.refused),
        failed=left.failed + right.failed,
    )


def add_all(parts: Iterable[Part]) -> Found:
    """Return what all parts have found."""
    total = Found()
    for part in parts:
        total = add(total, part.found)
    return total


def group(parts: Iterable[Part]) -> dict[str, list[Part]]:
    """Return the parts of each enrolment, the latest first."""
    found: dict[str, list[Part]] = {}
    for part in parts:
        found.setdefault(part.journey, []).append(part)
    return dict(sorted(found.items(), key=lambda each: (NEVER - each[1][0].began_at, each[0])))


def _join(left: Mapping[str, int], right: Mapping[str, int]) -> dict[str, int]:
    return {name: left.get(name, 0) + right.get(name, 0) for name in sorted({*left, *right})}
