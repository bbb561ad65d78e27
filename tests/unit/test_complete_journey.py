"""A year of real orders through the pure core gives the members that SQL counts."""

from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Any

import msgspec
import pytest
from orders_sql import select_members

from cartwake.bundles import Bundle
from cartwake.capture import bodies
from cartwake.capture.intake import Source, take_in
from cartwake.events import Event, Trust
from cartwake.profiles import Profile, fold
from cartwake.rules.publication import choose
from cartwake.segments import absorb, adopt, advance, finish, is_member, reevaluate
from cartwake.times import DAY
from cartwake_cli.households import LAST_AT, Basket, Journey, make_calls, name_user
from cartwake_cli.local.places import STARTER

ORDERS, HOUSEHOLDS, MEMBERS = 155_848, 2_469, 1_463


@cache
def vip_rules() -> Bundle:
    """The starter files' vip: at least three orders, and more than 200 in all, in the last 90 days."""
    files = ("settings.json", "segments/vip.json")
    bundle = choose({file: (STARTER / file).read_bytes() for file in files}).bundle
    assert bundle is not None
    return bundle


@cache
def read_baskets() -> list[Basket]:
    return Journey().read_baskets()


def take(basket: Basket) -> Event:
    """The event of a basket as the intake makes it, received when it happened."""
    return Event(
        who=f"u#{name_user(basket.household)}",
        id=f"basket-{basket.id}",
        name="Order Completed",
        occurred_at=basket.at,
        received_at=basket.at,
        trust=Trust.SERVER,
        properties={"order_id": str(basket.id), "revenue": basket.cents / 100},
    )


def test_the_data_are_whole() -> None:
    """155,848 orders of 2,469 households; the last one at the time at which the members are counted."""
    baskets = read_baskets()
    assert len(baskets) == ORDERS
    assert len({basket.household for basket in baskets}) == HOUSEHOLDS
    assert max(basket.at for basket in baskets) == baskets[-1].at == LAST_AT


def test_the_core_counts_the_members_that_sql_counts() -> None:
    """All orders folded, and vip evaluated at the time of the last record: 1,463, the same households as by SQL."""
    rules = vip_rules()
    needs = rules.needs_by_event["Order Completed"]
    profiles: dict[int, Profile] = {}
    for basket in read_baskets():
        profile = profiles.get(basket.household) or start(basket)
        profiles[basket.household] = msgspec.structs.replace(profile, state=fold(profile.state, take(basket), needs))
    members = {each for each, profile in profiles.items() if is_vip(reevaluate(profile, rules, LAST_AT)[0])}
    assert len(profiles) == HOUSEHOLDS
    assert len(members) == MEMBERS
    assert members == select_members(LAST_AT)


def test_event_by_event_the_same_are_members() -> None:
    """Every eighth household as it happened: evaluated and trimmed after each order, then only time passes."""
    rules = vip_rules()
    profiles: dict[int, Profile] = {}
    for basket in read_baskets():
        if basket.household % 8 == 0:
            profile, _ = absorb(profiles.get(basket.household) or start(basket), take(basket), rules)
            profiles[basket.household] = finish(profile, rules, basket.at)
    members = {each for each, profile in profiles.items() if is_vip(advance(profile, rules, LAST_AT)[0])}
    assert members == {household for household in select_members(LAST_AT) if household % 8 == 0}
    assert 100 < len(members) < len(profiles)


def start(basket: Basket) -> Profile:
    return adopt(Profile(who=f"u#{name_user(basket.household)}"), vip_rules(), basket.at)


def is_vip(profile: Profile) -> bool:
    return is_member(profile.state.memberships.get("vip"))


def make_events(calls: Iterator[dict[str, Any]]) -> list[Event]:
    body = msgspec.json.encode({"batch": list(calls)})
    taken = take_in(bodies.open_batch(body), Source(Trust.SERVER, LAST_AT + 1_000), kind="batch")
    assert taken.refused == ()
    return list(taken.accepted)


def test_replayed_calls_are_accepted_as_history() -> None:
    """Every call becomes an event that starts nothing, at the time of its order, and twice the same is the same."""
    journey = Journey()
    baskets = journey.read_baskets(households=5, weeks=20)
    events = make_events(make_calls(journey, baskets))
    assert len(events) == len(baskets) + 5
    assert all(event.backfill for event in events)
    orders = [event for event in events if event.name == "Order Completed"]
    assert [(event.occurred_at, event.properties["revenue"]) for event in orders] == [
        (basket.at, basket.cents / 100) for basket in baskets
    ]
    assert [event.key for event in make_events(make_calls(journey, baskets))] == [event.key for event in events]


def test_shifting_moves_all_by_the_same_time() -> None:
    """The last record lands where it is wanted; windows see the same."""
    journey = Journey()
    baskets = journey.read_baskets(households=2, weeks=2)
    moved = make_events(islice(make_calls(journey, baskets, shift_ms=-DAY), 10))
    plain = make_events(islice(make_calls(journey, baskets), 10))
    assert [event.occurred_at + DAY for event in moved] == [event.occurred_at for event in plain]


@pytest.mark.parametrize(("households", "weeks"), [(3, None), (None, 1), (4, 3)])
def test_a_part_is_a_part_of_the_whole(households: int | None, weeks: int | None) -> None:
    """Fewer households or weeks leave the baskets that are in them as they are."""
    part = Journey().read_baskets(households=households, weeks=weeks)
    assert set(part) < set(read_baskets())
    assert households is None or len({basket.household for basket in part}) == households
    assert weeks is None or min(basket.at for basket in part) > LAST_AT - weeks * 7 * DAY
