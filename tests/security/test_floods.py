"""Floods: whoever sends without end fills no table without bound, and a replay adds nothing."""

import random
import string
from collections import Counter

import pytest
from builders import CART, a_bundle, publish
from msgspec.structs import replace

from cartwake import seen
from cartwake.capture.bodies import MOST_EVENTS
from cartwake.store import events, profiles
from cartwake.times import HOUR, MINUTE
from functions.capture_events import app as capture_events
from tests.security.front import EMAIL, VICTIM, WHO, Front, fill_cart, recipients, scan

SIGNS = string.ascii_letters + string.digits + " .,;:-_#*+~!()=?@|<>"
STORES = ("events", "profiles", "runs", "slots", "messages", "addresses", "counts", "identities", "quarantine")


def test_a_flood_makes_at_most_a_few_rows_for_each_event(front: Front) -> None:
    """Whatever a public key invents, no event becomes more than five rows, and most of them expire."""
    publish(a_bundle(generation=2, journeys={"cart": replace(CART, again_ms=0)}))
    sent = 20
    for number in range(sent):
        fill_cart(
            front,
            {"userId": f"u-{number % 7}", "anonymousId": f"a-{number}"},
            properties={"product_id": f"P-{number}", "quantity": 1},
        )
    rows = {table: len(scan(table)) for table in STORES}
    assert rows["events"] == sent
    assert sum(rows.values()) <= 5 * sent, rows
    assert rows["addresses"] == rows["identities"] == rows["messages"] == rows["counts"] == 0


def test_a_flood_of_one_shopper_stays_one_small_row(front: Front) -> None:
    """Traits, products, searches and visitors without end: the profile stays far from what an item may hold."""
    chance = random.Random(20)  # what packs well would hide how much there is
    news = [
        {
            "type": "identify",
            "traits": {f"t-{number}-{part}": "".join(chance.choices(SIGNS, k=900)) for part in range(20)},
        }
        for number in range(20)
    ]
    for number in range(50):
        product = {"product_id": f"P-{number}" + "x" * 500, "name": "n" * 2_000, "price": 1e9, "quantity": 9}
        news.append({"type": "track", "event": "Product Added", "properties": product})
        news.append({"type": "track", "event": "Order Completed", "properties": {"revenue": number, "order_id": "o"}})
        news.append({"type": "page", "anonymousId": f"visitor-{number}"})
    front.report("batch", {"batch": [{"userId": VICTIM, "messageId": f"m-{at}"} | it for at, it in enumerate(news)]})
    assert len(events.list_events(WHO)) == len(news)
    (row,) = [item for item in scan("profiles") if item["who"]["S"] == WHO]
    assert sum(len(content) for value in row.values() for content in value.values()) < 200_000
    assert len(profiles.resolve_profile(WHO).keys) <= 21


def test_invented_names_fill_no_table(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of events and traits, which are kept for marketers, are kept up to a number for each process and day."""
    assert seen.MOST_A_DAY <= 500
    monkeypatch.setattr(seen, "MOST_A_DAY", 50)
    for part in range(3):
        batch = [
            {"type": "track", "event": f"Invented {part}-{number}", "userId": VICTIM, "messageId": f"{part}-{number}"}
            for number in range(40)
        ]
        front.report("batch", {"batch": batch})
    assert len(scan("names")) == 50


def test_a_request_has_an_end(front: Front) -> None:
    """More events than a request may have are refused together; refusals of one request are kept up to twenty."""
    call = {"type": "track", "event": "e", "userId": VICTIM}
    assert front.send("batch", {"batch": [call] * (MOST_EVENTS + 1)})["statusCode"] == 413
    front.send("batch", {"batch": [{"type": "track", "userId": f"u-{number}"} for number in range(MOST_EVENTS)]})
    assert len(scan("quarantine")) == capture_events.MOST_QUARANTINED
    assert scan("events") == []


def test_a_repeated_request_adds_nothing(victim: Front) -> None:
    """Replaying what somebody's browser once sent, as often as one likes, changes no row of the victim."""
    call = {"userId": VICTIM, "event": "Product Added", "messageId": "m", "timestamp": "2026-11-22T11:00:00Z"}
    victim.report("track", call | {"properties": {"product_id": "P-1", "quantity": 1}})
    victim.shop.wait(2 * HOUR)
    before = {table: len(scan(table)) for table in STORES}, profiles.resolve_profile(WHO).state.cart
    for _ in range(5):
        victim.report("track", call | {"properties": {"product_id": "P-1", "quantity": 1}})
        victim.shop.wait(MINUTE)
    assert ({table: len(scan(table)) for table in STORES}, profiles.resolve_profile(WHO).state.cart) == before
    assert Counter(recipients(victim)) == {EMAIL: 2}
