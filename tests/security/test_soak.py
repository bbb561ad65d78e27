"""The soak: several real clients for minutes, workers killed in between; nothing lost, nothing doubled, memory flat.

`make soak MINUTES=2` runs it for two minutes; without a number, and in `make prove`, it lasts ten. The figures are
written to docs/soak.md.
"""

import json
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

import pytest
import wire

from cartwake.events import EVENT_NAMES, Event
from cartwake.messages import MessageState
from cartwake.profiles import Profile
from cartwake.reasons import Skip
from cartwake_cli.local.world import World, open_world
from cartwake_cli.tables import Tables
from tests.security.soak.clients import Client, Shoppers
from tests.security.soak.figures import write
from tests.security.soak.watch import Watch

ROOT = Path(__file__).parents[2]
MINUTES = float(os.environ.get("MINUTES") or 10)
SETTLE_SECONDS = 600
MOST_GROWTH = 5.0
"""Megabytes by which a worker may have grown between its first and its last third: what Python frees late."""
MAIL = """<mjml><mj-head><mj-title>Hello</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
SETTINGS = {
    "demo": True,
    "shop": {"name": "Nordlicht", "url": "https://www.nordlicht.example", "postal_address": "Street 1, Town"},
    "sender": {"email": "shop@example.com"},
    "caps": {"email": "1 second"},
    "sending_hours": {"email": None},
}
JOURNEYS = {
    "welcome": {"trigger": {"event": "Subscribed"}, "steps": [{"email": "hello", "subject": "Welcome"}]},
    "cart": {
        "trigger": {"event": "Product Added"},
        "filter": {"did_not": "Order Completed", "since": "start"},
        "steps": [{"wait": "5 seconds"}, {"email": "hello", "subject": "Your cart"}],
    },
}

pytestmark = [pytest.mark.prove, pytest.mark.slow]


@dataclass(frozen=True, slots=True)
class Soaked:
    """What a soak leaves to be judged."""

    world: World
    clients: list[Client]
    shoppers: Shoppers
    watch: Watch
    settled_seconds: float
    missing: list[Event]

    @property
    def accepted(self) -> dict[tuple[str, str], Event]:
        return {key: event for client in self.clients for key, event in client.report.accepted.items()}


def list_names() -> list[str]:
    """List the names of the events that the recordings hold, as they are stored."""
    names = set()
    for client in wire.CLIENTS:
        for recorded in wire.read_recordings(client):
            if recorded.method == "POST":
                for call in recorded.data.get("batch", [recorded.data]):
                    kind = call.get("type") or recorded.path.rpartition("/")[2]
                    names.add(call.get("event") or EVENT_NAMES.get(kind, ""))
    return sorted(names - {""} | {"Subscribed"})


def write_rules(folder: Path) -> Path:
    """Write rules under which every event of the recordings is remembered, and two journeys send."""
    files: dict[str, Any] = {"settings.json": SETTINGS, "templates/hello.mjml": MAIL}
    for number, name in enumerate(list_names()):
        where = {"did": name, "at_least": 60, "in_last": "30 days"}
        files[f"segments/often-{number}.json"] = {"name": f"Often: {name}", "where": where}
    for name, journey in JOURNEYS.items():
        files[f"journeys/{name}.json"] = {"name": name, "status": "live"} | journey
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Everything sent, and everything that follows from it done."""
    with open_world(auth=True, parameters={"ScheduleAfterSeconds": "2"}) as world:
        status = world.publish(write_rules(tmp_path_factory.mktemp("rules")))
        assert {each["state"] for each in status["files"].values()} == {"live"}, status
        for trust in ("browser", "server"):
            world.add_key(f"{wire.WRITE_KEY}_{trust}", trust)  # type: ignore[arg-type]
        stop = Flag()
        clients = [Client(world, name, pause_seconds=0.4, stop=stop) for name in wire.CLIENTS]
        shoppers = Shoppers(world, pause_seconds=1.5, stop=stop)
        watch = Watch(world, stop, seconds=MINUTES * 60)
        for thread in (*clients, shoppers, watch):
            thread.start()
        ended = wait(world, MINUTES * 60)
        stop.set()
        for thread in (*clients, shoppers, watch):
            thread.join(60)
        assert ended is None, f"the engine ended by itself with {ended}; see {world.engine.log}"
        began = time.monotonic()
        missing = settle(world, [*clients, shoppers])
        result = Soaked(world, [*clients, shoppers], shoppers, watch, time.monotonic() - began, missing)
        text = write(result.clients, watch, world.inbox(), minutes=MINUTES, settled_seconds=result.settled_seconds)
        print("\n" + text)
        if MINUTES >= 10:
            (ROOT / "docs" / "soak.md").write_text(text)
        yield result


def wait(world: World, seconds: float) -> int | None:
    """Wait, as long as the engine lives; return with what it ended if it did."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and world.engine.process.poll() is None:
        time.sleep(1)
    return world.engine.process.poll()


def settle(world: World, clients: list[Client]) -> list[Event]:
    """Wait until every accepted event is folded and every message has an end; return the events that never were.

    What a robot does, and what a browser says of consent, is stored and moves nothing.
    """
    told = [event for client in clients for event in client.report.accepted.values()]
    open_events = [event for event in told if not (event.bot or event.is_hearsay)]
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        world.invoke("wake", {})
        profiles: dict[str, Profile] = {}
        open_events = [event for event in open_events if not is_folded(world, event, profiles)]
        waiting = [row for row in world.scan("messages") if "retry_at" in row]
        runs = [row for row in world.scan("runs") if "due_at" in row]
        if not (open_events or waiting or runs) or time.monotonic() > deadline:
            return open_events
        time.sleep(5)


def is_folded(world: World, event: Event, profiles: dict[str, Profile]) -> bool:
    """Say whether an event is in the profile that its key leads to, once; profiles are read once a look."""
    tables = Tables(world.cloud, world.stack)
    if event.who not in profiles:
        profiles[event.who] = tables.read_profile(event.who)
    trackers = profiles[event.who].state.trackers.values()
    counts = [sum(entry.id == event.short_id for entry in tracker.entries) for tracker in trackers]
    assert max(counts, default=0) <= 1
    return 1 in counts


def test_no_client_had_to_give_up(soaked: Soaked) -> None:
    """Whatever was killed, the endpoint took everything in the end, after a few more attempts."""
    for client in soaked.clients:
        assert client.report.given_up == []
        assert len(client.report.accepted) > 10


def test_nothing_is_lost_and_nothing_doubled(soaked: Soaked) -> None:
    """Every event that was answered 200 is a row, and is in its profile once; there are no other rows."""
    rows = Counter((row["who"], row["key"]) for row in soaked.world.scan("events") if not row["key"].endswith("#own"))
    assert set(soaked.accepted) <= set(rows)
    assert set(rows) <= set(soaked.accepted)
    assert soaked.missing == []


def test_nobody_is_written_to_twice(soaked: Soaked) -> None:
    """Each shopper got each mail at most once, and who did not get one has a row that says why."""
    sent = Counter((mail.to, mail.subject) for mail in soaked.world.inbox())
    assert [key for key, times in sent.items() if times > 1] == []
    ledger = soaked.world.scan("messages")
    assert {row["state"] for row in ledger} <= {"accepted", "unknown", "skipped"}
    who_read = Tables(soaked.world.cloud, soaked.world.stack).read_facts
    own = [who_read(who).messages for who in {row["who"] for row in ledger if row["who"].startswith("u#shopper-")}]
    accepted = sum(message.state is MessageState.ACCEPTED for each in own for message in each)
    assert 0 < accepted <= sum(sent.values()) <= sum(map(len, own))
    for each in own:
        # what a killed worker held comes with what follows it, and two within a second are one too many
        assert {it.reason for it in each if it.state is MessageState.SKIPPED} <= {Skip.FREQUENCY_CAP}
        assert any(it.state in (MessageState.ACCEPTED, MessageState.UNKNOWN) for it in each)


def test_nothing_was_set_aside(soaked: Soaked) -> None:
    """No record was poison, none was given up, and none waits for somebody."""
    assert soaked.world.scan("quarantine") == []
    queues = soaked.world.cloud.client("sqs")
    for name in ("DeadLettersQueue", "FailuresQueue"):
        told = queues.get_queue_attributes(
            QueueUrl=soaked.world.stack.output(name), AttributeNames=["ApproximateNumberOfMessages"]
        )
        assert told["Attributes"]["ApproximateNumberOfMessages"] == "0", name


def test_workers_were_killed(soaked: Soaked) -> None:
    """The test above would hold for want of faults."""
    assert sum(soaked.watch.killed.values()) >= MINUTES * 3
    assert len(soaked.watch.killed) >= 4
    assert sum(client.report.again for client in soaked.clients) >= 5


def test_memory_is_flat(soaked: Soaked) -> None:
    """No function's workers grow with what they have done: the last third of a long life is like the first."""
    growth = soaked.watch.measure_growth()
    assert MINUTES < 5 or {"capture_events", "derive_segments", "enter_journeys"} <= growth.keys()
    assert {function: it for function, it in growth.items() if it.last - it.first > MOST_GROWTH} == {}
