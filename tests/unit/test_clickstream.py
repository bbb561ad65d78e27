"""Half a year of clicks, with mail on top, through the pure core gives the members that SQL finds."""

from collections import Counter
from functools import cache
from itertools import pairwise

import pytest
from clickstream import ENDS_AT, Fact, read_facts
from clickstream_sql import MEMBERS, select_members
from following import follow, publish_starter

from cartwake.addresses import name_address
from cartwake.events import Event, Trust
from cartwake.times import DAY, HOUR, MINUTE, Instant, format_instant


def find_refilled() -> Instant:
    """A minute after somebody put one more thing into a cart that had been left alone for days."""
    found = []
    for facts in read_facts().values():
        cart = [it for it in facts if it.name in ("Product Added", "Order Completed")]
        for before, after in pairwise(cart):
            if before.name == after.name == "Product Added" and after.at - before.at > 2 * DAY:
                found.append(after.at)
    return max(found) + MINUTE


def find_edge() -> Instant:
    """The millisecond at which it has become 30 days that somebody was seen."""
    last = (max(it.at for it in facts if it.by != "own") for facts in read_facts().values())
    return max(at for at in last if at < ENDS_AT - 20 * DAY) + 30 * DAY


INSTANTS = sorted(
    (
        ENDS_AT - 100 * DAY - 17,
        ENDS_AT - 61 * DAY + 9 * HOUR + 123_456,
        ENDS_AT - 30 * DAY,
        find_refilled(),
        ENDS_AT,
        find_edge(),
        ENDS_AT + 40 * DAY,
    )
)
CLICKS, USERS = 31_106, 600


def tell(fact: Fact) -> Event:
    """The event that a fact is, received when it happened."""
    properties = fact.properties
    if fact.name == "Email Bounced":
        properties = properties | {"address_id": name_address(f"{fact.user}@example.com")}
    return Event(
        who=f"u#{fact.user}",
        id=fact.id,
        name=fact.name,
        type="identify" if fact.traits else "track",
        sent_time=format_instant(fact.at),
        occurred_at=fact.at,
        received_at=fact.at,
        trust=Trust(fact.by),
        properties=properties,
        traits=fact.traits,
        context=fact.context,
        bot=fact.bot,
    )


@cache
def find_members() -> dict[tuple[str, Instant], frozenset[str]]:
    """Who is in each segment at each instant: every user followed event by event."""
    rules = publish_starter((*MEMBERS, "hold-out"))
    found: dict[tuple[str, Instant], set[str]] = {(name, at): set() for name in rules.segments for at in INSTANTS}
    for user, facts in read_facts().items():
        lives = follow(f"u#{user}", [tell(fact) for fact in facts], rules, INSTANTS)
        for at, names in lives.items():
            for name in names:
                found[name, at].add(user)
    return {key: frozenset(users) for key, users in found.items()}


def test_the_data_are_whole() -> None:
    """31,106 clicks of 600 users, and what was made up on top is always the same."""
    facts = [fact for facts in read_facts().values() for fact in facts]
    counts = Counter(fact.name for fact in facts)
    assert sum(fact.id.startswith("click-") for fact in facts) == CLICKS
    assert len(read_facts()) == USERS
    assert (counts["Order Completed"], counts["Product Added"]) == (470, 1_346)
    assert {"Email Sent", "Email Opened", "Email Link Clicked", "Email Bounced", "Unsubscribed"} <= counts.keys()


@pytest.mark.slow
@pytest.mark.parametrize("segment", MEMBERS)
def test_the_core_finds_the_members_that_sql_finds(segment: str) -> None:
    """At seven instants, with and without anything new happening in between, the same users are members."""
    for at in INSTANTS:
        assert find_members()[segment, at] == select_members(segment, at), format_instant(at)


@pytest.mark.parametrize("segment", MEMBERS)
def test_some_are_members_and_some_are_not(segment: str) -> None:
    """Each segment tells users apart: at some instant there are both, and later others are in it."""
    members = [find_members()[segment, at] for at in INSTANTS]
    assert any(3 <= len(users) <= USERS - 3 for users in members)
    assert len(set(members)) > 1


def test_a_tenth_is_a_tenth_and_stays_the_same() -> None:
    """About a tenth of all users are held out: always the same ones, whatever they do."""
    first, *others = (find_members()["hold-out", at] for at in INSTANTS[-3:])
    assert 0.07 * USERS < len(first) < 0.13 * USERS
    assert all(users >= first for users in others)
