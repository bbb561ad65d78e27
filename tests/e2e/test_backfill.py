"""A backfill of ten thousand profiles: it survives the loss of its workers, and live events go on meanwhile."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import Any

import pytest
from builders import an_event
from e2e.crowd import find_workers, put_rows, read_live, read_status, write

from cartwake.bundles import Bundle
from cartwake.events import Event
from cartwake.profiles import Profile
from cartwake.segments import absorb, adopt, finish, is_member
from cartwake.store import events, profiles
from cartwake.times import DAY, MINUTE, SECOND
from cartwake_cli.local.world import World, open_world, wait_for
from cartwake_cli.tables import decode_profile

PEOPLE = 10_000
QUIZ = "Quiz Finished"
MAIL = """<mjml><mj-head><mj-title>Hello</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
SETTINGS = {
    "shop": {"name": "Nordlicht", "url": "https://www.nordlicht.example", "postal_address": "Street 1, Town"},
    "sender": {"email": "shop@example.com"},
}


def segment(at_least: int) -> dict[str, Any]:
    return {"name": "Fans", "where": {"did": QUIZ, "at_least": at_least, "in_last": "365 days"}}


BEFORE: dict[str, Any] = {"settings.json": SETTINGS, "templates/hello.mjml": MAIL}
AFTER: dict[str, Any] = BEFORE | {
    "segments/fans.json": segment(2),
    "segments/keen.json": segment(3),
    "journeys/hello.json": {
        "name": "Hello",
        "status": "live",
        "trigger": {"segment": "fans"},
        "steps": [{"email": "hello"}],
    },
}


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """A stack of its own: nobody else should wait for ten thousand people, nor be counted among them."""
    with open_world(auth=True, parameters={"SweepAfterSeconds": "0", "ScheduleAfterSeconds": "2"}) as world:
        yield world


# ---- ten thousand people, some of whom did something that no rule has asked for yet


def history_of(number: int, now: int) -> list[Event]:
    """One page view each, and for every second person two quizzes, for every fourth one."""
    who, at = f"u#p{number}", now - 30 * DAY - number * SECOND
    quizzes = {0: 2, 1: 0, 2: 2, 3: 1}[number % 4]
    return [
        an_event("Page Viewed", who=who, id=f"p{number}", at=at),
        *(an_event(QUIZ, who=who, id=f"q{number}-{index}", at=at + index * MINUTE) for index in range(1, quizzes + 1)),
    ]


def found(number: int, history: list[Event], rules: Bundle) -> Profile:
    """Return the profile as derive_segments would have left it."""
    profile = adopt(Profile(who=f"u#p{number}"), rules, history[0].received_at)
    for event in history:
        profile, _ = absorb(profile, event, rules)
    return finish(profile, rules, history[-1].received_at)


def load_people(world: World, now: int) -> None:
    """Write events and profiles as they stand in the tables, past the stream."""
    rules = read_live(world)
    with past_the_stream(world):
        rows: list[Any] = []
        for number in range(PEOPLE):
            history = history_of(number, now)
            rows += [("events", events._to_row(event).serialize()) for event in history]
            rows.append(("profiles", profiles._to_row(found(number, history, rules), ()).serialize()))
        put_rows(world, rows)


@contextmanager
def past_the_stream(world: World) -> Iterator[None]:
    """Have the stream of events tell nothing for a while: this is history, which was derived long ago."""
    client = world.cloud.client("lambda")
    name = world.stack.functions["derive_segments"]
    mappings = client.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    (mapping,) = (each for each in mappings if "dynamodb" in each["EventSourceArn"])

    def tell_only(event: str) -> None:
        criteria = {"Filters": [{"Pattern": json.dumps({"eventName": [event]})}]}
        client.update_event_source_mapping(UUID=mapping["UUID"], FilterCriteria=criteria)

    tell_only("NONE")
    yield
    time.sleep(2)
    tell_only("INSERT")


def test_ten_thousand_profiles_are_backfilled_though_workers_are_killed(world: World, tmp_path: Path) -> None:
    """All memberships are right, progress ends at 100 %, every live event counts once, and no journey starts."""
    began = time.monotonic()

    def tell(words: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {words}", flush=True)

    assert world.publish(write(tmp_path / "before", BEFORE))["good"]
    now = int(time.time() * 1000)
    load_people(world, now)
    tell(f"{PEOPLE} profiles and their history are stored")
    status = world.publish(write(tmp_path / "after", AFTER))
    assert status["good"], status
    swept_from = time.monotonic()

    def is_half_way() -> bool:
        return 40 <= read_status(world, "sweep").get("percent", 0) < 100

    wait_for(is_half_way, 240, what="half of the profiles")
    killed = find_workers(world, "sweep_profiles")
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    tell(f"{read_status(world, 'sweep')['message']} {len(killed)} workers are killed")
    assert killed

    # meanwhile: the first hundred fans finish a third quiz, and a hundred people look at a page
    keen = [f"p{number}" for number in range(0, 200, 2)]
    batch = [
        *({"type": "track", "event": QUIZ, "userId": who, "messageId": f"live-{who}"} for who in keen),
        *({"type": "page", "userId": f"p{9_000 + number}", "messageId": f"page-{number}"} for number in range(100)),
    ]
    for some in batched(batch, 20, strict=False):
        assert world.post("/v1/batch", {"batch": list(some)}, key=world.server_key).status == 200
    # five minutes later, as if: `wake` finds the parts that nobody works on
    world.invoke("wake", {"at": int(time.time() * 1000) + 6 * MINUTE})
    tell("live events have come, and wake has asked for the parts that stood still")

    told: list[int] = []

    def is_done() -> bool:
        progress = read_status(world, "sweep")
        if not told or progress["percent"] >= told[-1] + 10:
            told.append(progress["percent"])
            tell(progress["message"])
        return bool(progress["done"])

    wait_for(is_done, 300, what="the end of the sweep")
    seconds = time.monotonic() - swept_from
    tell(f"swept in {seconds:.0f} s: {PEOPLE / seconds:.0f} profiles a second, through an engine on one machine")

    def members() -> dict[str, set[str]]:
        people = [decode_profile(row) for row in world.scan("profiles")]
        return {
            name: {it.who for it in people if is_member(it.state.memberships.get(name))} for name in ("fans", "keen")
        }

    wanted = {"fans": {f"u#p{number}" for number in range(0, PEOPLE, 2)}, "keen": {f"u#{who}" for who in keen}}
    wait_for(lambda: members()["keen"] == wanted["keen"], 60, what="the live events in the profiles")
    assert members() == wanted
    assert world.scan("runs") == []
    assert world.inbox() == []
    assert world.scan("quarantine") == []
    progress = read_status(world, "sweep")
    assert (progress["percent"], progress["profiles"]["read"]) == (100, PEOPLE)
    tell(progress["message"])
