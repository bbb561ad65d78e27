"""A year of real orders, household by household, gives the members of every order-based starter segment."""

from functools import cache

import pytest
from following import follow, publish_starter
from orders_sql import MEMBERS, select_members

from cartwake.events import Event, Trust
from cartwake.times import DAY, HOUR, Instant, format_instant
from cartwake_cli.households import LAST_AT, Basket, Journey, describe, name_user

HOUSEHOLDS = 160
"""Those with the lowest numbers: 10,000 orders."""
INSTANTS = (
    LAST_AT - 330 * DAY,
    LAST_AT - 280 * DAY + 7 * HOUR + 1,
    LAST_AT - 45 * DAY - 12_345,
    LAST_AT,
    LAST_AT + 60 * DAY,
    LAST_AT + 364 * DAY,
)


def take(journey: Journey, basket: Basket) -> Event:
    """The event of a basket, received when it happened."""
    return Event(
        who=f"u#{name_user(basket.household)}",
        id=f"basket-{basket.id}",
        name="Order Completed",
        occurred_at=basket.at,
        received_at=basket.at,
        trust=Trust.SERVER,
        properties=describe(journey, basket),
    )


@cache
def read_households() -> dict[int, list[Event]]:
    journey = Journey()
    found: dict[int, list[Event]] = {}
    for basket in journey.read_baskets(households=HOUSEHOLDS):
        found.setdefault(basket.household, []).append(take(journey, basket))
    return found


@cache
def find_members() -> dict[tuple[str, Instant], frozenset[int]]:
    """Who is in each segment at each instant: every household followed order by order."""
    rules = publish_starter(MEMBERS)
    found: dict[tuple[str, Instant], set[int]] = {(name, at): set() for name in MEMBERS for at in INSTANTS}
    for household, events in read_households().items():
        for at, names in follow(f"u#{name_user(household)}", events, rules, INSTANTS).items():
            for name in names:
                found[name, at].add(household)
    return {key: frozenset(households) for key, households in found.items()}


@pytest.mark.parametrize("segment", MEMBERS)
def test_the_core_finds_the_members_that_sql_finds(segment: str) -> None:
    """At six instants, the last two long after the last order, the same households are members."""
    for at in INSTANTS:
        expected = select_members(at, segment) & read_households().keys()
        assert find_members()[segment, at] == expected, format_instant(at)


@pytest.mark.parametrize("segment", MEMBERS)
def test_some_are_members_and_some_are_not(segment: str) -> None:
    """Each segment tells households apart, and time moves them."""
    members = [find_members()[segment, at] for at in INSTANTS]
    assert any(0 < len(households) < HOUSEHOLDS for households in members)
    assert len(set(members)) > 1
