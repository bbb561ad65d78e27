"""A campaign on the deployed stack: each recipient gets one mail, though workers are killed twice half-way."""

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from builders import a_subscription, an_event, an_identify
from e2e.crowd import find_workers, put_rows, read_live, read_status, write
from msgspec.structs import replace

from cartwake.addresses import Address, derive_key, state_consent
from cartwake.gateways.secrets import derive_secret
from cartwake.profiles import Profile
from cartwake.reasons import Skip
from cartwake.segments import absorb, adopt, finish
from cartwake.statements import Channel
from cartwake.store import addresses, messages, profiles
from cartwake.store.base import unsqueeze
from cartwake.times import DAY, MINUTE, SECOND
from cartwake_cli.local.world import FunctionFailed, World, open_world, wait_for

MAIL = """<mjml><mj-head><mj-title>News</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
FILES: dict[str, Any] = {
    "settings.json": {
        "shop": {"name": "Nordlicht", "url": "https://www.nordlicht.example", "postal_address": "Street 1, Town"},
        "sender": {"email": "shop@example.com"},
        "timezone": "UTC",
    },
    "templates/news.mjml": MAIL,
    "segments/readers.json": {"name": "Readers", "where": {"trait": "reader", "is": True}},
}
WITHDRAWN_EVERY, STRANGER_EVERY = 10, 7
"""So often a reader has unsubscribed, and so often somebody is none."""
BEGUN_WITHIN_SECONDS = 30
"""So that there is a half-way, however fast the machine is."""
STILL_LOOKS = 3
"""After so many looks at which nothing has moved, `wake` looks for what has lost its worker."""


@pytest.fixture
def world() -> Iterator[World]:
    """A stack of its own: nobody else should wait for thousands, nor be counted among them.

    Steps that are due soon come by the queue, in tens, as they do in AWS: the engine makes a process of each schedule
    that fires, and a hundred at once take so long that sending is ended by its time limit between claim and SES.
    """
    with open_world(auth=True, parameters={"SweepAfterSeconds": "0"}) as world:
        yield world


class People:
    """Readers, some of whom have unsubscribed, and strangers among them.

    Attributes:
        meant: Who gets the mail, by their addresses.
        withdrawn: Readers who do not.
    """

    def __init__(self, world: World, recipients: int) -> None:
        self._rules, self._secret = read_live(world), read_address_secret(world)
        self._told_at = int(time.time() * 1_000) - 2 * DAY
        self.meant: set[str] = set()
        self.withdrawn: set[str] = set()
        rows: list[tuple[str, dict[str, Any]]] = []
        for number in count():
            if len(self.meant) == recipients:
                break
            rows += self._make(number)
        self.all = len([table for table, _ in rows if table == "profiles"])
        put_rows(world, rows)

    def _make(self, number: int) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the rows of somebody, as derive_segments would have left them."""
        user, at = f"c{number}", self._told_at
        email, who = f"{user}@example.com", f"u#{user}"
        reader, withdrawn = number % STRANGER_EVERY > 0, number % WITHDRAWN_EVERY == 1
        told = [
            an_identify(who=who, user_id=user, at=at, traits={"email": email, "reader": reader}),
            a_subscription(who=who, user_id=user, at=at + 1),
        ]
        if withdrawn:
            told.append(an_event("Unsubscribed", who=who, user_id=user, at=at + 2, properties={"channel": "email"}))
        profile = adopt(Profile(who=who), self._rules, at)
        for event in told:
            profile, _ = absorb(profile, event, self._rules)
        key = derive_key(Channel.EMAIL, email, self._secret)
        profile = finish(replace(profile, address_keys={Channel.EMAIL: key}), self._rules, at + 2)
        address = state_consent(Address(key=key), profile.state.consents[Channel.EMAIL])
        yield "profiles", profiles._to_row(profile, ()).serialize()
        yield "addresses", addresses.write_address(address).row.serialize()
        if reader:
            (self.withdrawn if withdrawn else self.meant).add(email)


def read_address_secret(world: World) -> bytes:
    found = world.cloud.client("secretsmanager").get_secret_value(SecretId=world.stack.output("SecretArn"))
    return derive_secret(json.loads(found["SecretString"])["root"], "addresses")


def begin_next_minute(name: str) -> tuple[dict[str, Any], float]:
    """Return a campaign's file, and when it begins: there must be time to publish it."""
    at = (time.time() + 30) // 60 * 60 + 60
    local = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M")
    steps = [{"email": "news", "subject": name}]
    return {
        f"campaigns/{name}.json": {"name": name, "status": "live", "to": "readers", "at": local, "steps": steps}
    }, at


class Course:
    """A campaign that is under way.

    Attributes:
        shown: How many messages its status told of, in order.
        killed: Of which function how many workers were killed.
        half_way: How much of what each does was done then.
    """

    def __init__(self, world: World, name: str, recipients: int) -> None:
        self.world, self.name, self.recipients = world, name, recipients
        self.shown: list[int] = []
        self.killed: dict[str, int] = {}
        self.half_way: dict[str, int] = {}
        self._began = time.monotonic()

    def tell(self, words: str) -> None:
        print(f"{time.monotonic() - self._began:6.1f} s  {words}", flush=True)

    def got(self) -> Counter[str]:
        """Return how many mails each address has got, by the engine's own record."""
        return Counter(mail.to for mail in self.world.inbox())

    def look(self, *, ahead_ms: int = 0) -> dict[str, Any]:
        """Return how far it is after a look of `wake`; minutes ahead, it finds what has lost its worker."""
        try:
            self.world.invoke("wake", {"at": int(time.time() * 1_000) + ahead_ms})
        except FunctionFailed as error:  # an engine that is busy replacing dead workers; it is called again
            self.tell(str(error))
        told: dict[str, Any] = read_status(self.world, "campaigns").get("campaigns", {}).get(self.name, {})
        if told:
            self.shown.append(told["messages"].get("accepted", 0))
            self.tell(told["message"])
        return told

    def kill(self, function: str, done: int) -> None:
        """Kill the workers of a function in the middle of what they do, once a third of it is done."""
        if function in self.killed or done < self.recipients / 3:
            return
        found = find_workers(self.world, function)
        for pid in found:
            os.kill(pid, signal.SIGKILL)
        self.killed[function], self.half_way[function] = len(found), done
        self.tell(f"{done} done; {len(found)} workers of {function} are killed")
        self.look(ahead_ms=6 * MINUTE)

    def tell_left(self) -> str:
        """Return what still waits, and until when: what one wants to know when it goes no further."""
        now = int(time.time() * 1_000)
        waiting = [
            f"{row['who']} {table}: {row.get('state', 'under way')}, looked at in {(int(at) - now) / SECOND:.0f} s"
            for table in ("runs", "messages")
            for row in self.world.scan(table)
            if (at := row.get("due_at") or row.get("retry_at"))
        ]
        return "; ".join(waiting) or "nothing waits"

    def follow(self, seconds: float) -> dict[str, Any]:
        """Return its last status, once every recipient has got a mail and it says so."""
        deadline, last, still = time.monotonic() + seconds, 0, 0
        while (done := self.got().total()) < self.recipients:
            assert time.monotonic() < deadline, (
                f"{done} of {self.recipients} mails in {seconds:.0f} s; {self.tell_left()}"
            )
            if "sweep_profiles" not in self.killed:
                self.kill("sweep_profiles", len(self.world.scan("runs")))
            self.kill("run_step", done)
            last, still = done, still + 1 if done == last else 0
            self.look(ahead_ms=6 * MINUTE if still >= STILL_LOOKS else 0)
            time.sleep(2 + self.recipients / 500)
        return wait_for(lambda: (it := self.look())["messages"].get("accepted") == done and it, 60, what="the end")


def list_skipped(world: World) -> list[str]:
    """Return the reasons of all messages that were not sent."""
    ledger = [messages._decoder.decode(unsqueeze(bytes(row["body"].value))) for row in world.scan("messages")]
    return [it.reason for it in ledger if it.reason]


def go_through(world: World, folder: Path, *, name: str, recipients: int, seconds: float) -> None:
    """Live through a campaign, and demand what it promises."""
    course = Course(world, name, recipients)
    files = FILES | {"settings.json": FILES["settings.json"] | {"send_rate": recipients / BEGUN_WITHIN_SECONDS}}
    assert world.publish(write(folder / "before", files))["good"]
    people = People(world, recipients)
    course.tell(f"{people.all} profiles are stored; {recipients} of them are meant")
    campaign, at = begin_next_minute(name)
    status = world.publish(write(folder / "after", files | campaign))
    assert status["good"], status
    wait_for(lambda: time.time() > at, 120, what="the time of the campaign")
    told = course.follow(seconds)

    assert len(course.killed) == 2, course.killed
    assert all(course.killed.values()), course.killed
    assert all(done < recipients for done in course.half_way.values()), course.half_way
    assert course.shown == sorted(course.shown)
    assert course.shown[0] < recipients
    members = recipients + len(people.withdrawn)
    assert (told["recipients"], told["percent_looked_at"], told["everybody_found"]) == (members, 100, True)
    wait_for(lambda: len(list_skipped(world)) >= len(people.withdrawn), 60, what="those who have unsubscribed")
    assert list_skipped(world) == [Skip.UNSUBSCRIBED] * len(people.withdrawn)
    assert world.scan("quarantine") == []
    course.look(ahead_ms=20 * MINUTE)
    time.sleep(10)
    assert course.got() == Counter(people.meant)


@pytest.mark.prove
@pytest.mark.slow
def test_a_campaign_of_hundreds(world: World, tmp_path: Path) -> None:
    """Who subscribed gets it once, who unsubscribed never, and its status tells of both on the way and at the end."""
    go_through(world, tmp_path, name="hundreds", recipients=int(os.environ.get("RECIPIENTS") or 300), seconds=420)


@pytest.mark.prove
@pytest.mark.slow
def test_a_campaign_of_thousands(world: World, tmp_path: Path) -> None:
    """The same for 5,000."""
    go_through(world, tmp_path, name="thousands", recipients=5_000, seconds=3_600)
