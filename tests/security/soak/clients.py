"""Clients of the soak: recorded ones, again and again as new people, and shoppers who are to be written to."""

import json
import random
import time
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from threading import Event as Flag
from threading import Thread
from typing import Any
from uuid import UUID

import wire

from cartwake.capture.bodies import open_batch, open_single
from cartwake.capture.intake import KINDS, Source, take_in
from cartwake.events import Event, Trust
from cartwake_cli.local.world import World

TIMES = ("timestamp", "originalTimestamp", "sentAt")
ROBOT, PERSON = "HeadlessChrome", "Chrome"
"""The browser was recorded without a person before it; what it sends must count here."""
OFTEN = 20
"""Attempts before a client gives up: the endpoint is never away for so long."""


@dataclass
class Report:
    """What a client was told is stored, and how often it had to ask."""

    accepted: dict[tuple[str, str], Event] = field(default_factory=dict)
    requests: int = 0
    retries: int = 0
    again: int = 0
    given_up: list[str] = field(default_factory=list)


class Client(Thread):
    """Sends requests at a pace until told to stop; sends again what was not answered, and some of what was."""

    def __init__(self, world: World, name: str, *, pause_seconds: float, stop: Flag) -> None:
        super().__init__(name=name, daemon=True)
        self.world, self.pause_seconds, self.stop_flag = world, pause_seconds, stop
        self.trust = Trust.BROWSER if "browser" in name else Trust.SERVER
        self.key = wire.WRITE_KEY + f"_{self.trust}"
        self.chance = random.Random(name)
        self.report = Report()

    def run(self) -> None:
        """Send until there is an end."""
        round_ = 0
        while not self.stop_flag.is_set():
            round_ += 1
            for path, data, headers in self.make_requests(round_):
                if self.stop_flag.is_set():
                    return
                self.send(path, data, headers)
                self.stop_flag.wait(self.pause_seconds)

    def make_requests(self, round_: int) -> Iterator[tuple[str, Any, dict[str, str]]]:
        """Yield the requests of one recorded session, of a person who has not been here before."""
        for recorded in wire.read_recordings(self.name):
            if recorded.method == "POST":
                data = self.renew(recorded.data, round_)
                kept = ("content-type", "origin", "user-agent", "referer")
                headers = {name: recorded.headers[name] for name in kept if name in recorded.headers}
                yield recorded.path, data, {name: text.replace(ROBOT, PERSON) for name, text in headers.items()}

    def renew(self, data: Any, round_: int) -> Any:
        """Return what was recorded as somebody else would send it now."""
        data = json.loads(json.dumps(data).replace(ROBOT, PERSON))
        data.pop("writeKey", None)
        now = datetime.now(UTC).isoformat()
        for holder in (data, *data.get("batch", ())):
            for name in TIMES:
                if name in holder:
                    holder[name] = now
            for name in ("userId", "anonymousId", "previousId"):
                if holder.get(name):
                    holder[name] = f"{self.name}-{round_}-{holder[name]}"
            if "messageId" in holder:
                holder["messageId"] = str(UUID(int=self.chance.getrandbits(128)))
        return data

    def send(self, path: str, data: Any, headers: dict[str, str]) -> None:
        """Send until it is answered with success, and every tenth request once more."""
        body = json.dumps(data).encode()
        for attempt in range(OFTEN):
            self.report.requests += 1
            self.report.retries += attempt > 0
            if self._post(path, body, headers):
                for event in self.expect(path, body):
                    self.report.accepted[event.who, event.key] = event
                if self.chance.random() < 0.1:
                    self.report.again += 1
                    self._post(path, body, headers)
                return
            time.sleep(0.5)
        self.report.given_up.append(path)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> bool:
        key = {"authorization": "Basic " + b64encode(f"{self.key}:".encode()).decode()}
        try:
            answer = self.world.request("POST", path, body=body, headers=headers | key)
        except (OSError, HTTPException):
            return False
        assert answer.status < 400 or answer.status >= 500, (path, answer.status, answer.body[:300])
        return answer.status == 200

    def expect(self, path: str, body: bytes) -> tuple[Event, ...]:
        """Return the events that a request holds, by the endpoint's own reading of it."""
        kind = KINDS.get(path.rpartition("/")[2], path.rpartition("/")[2])
        envelope = open_batch(body) if kind == "batch" else open_single(body)
        intake = take_in(envelope, Source(self.trust, round(time.time() * 1000)), kind=kind)
        assert intake.refused == ()
        return intake.accepted


class Shoppers(Client):
    """People whom the shop's server vouches for, who say yes, and leave a cart."""

    def __init__(self, world: World, *, pause_seconds: float, stop: Flag) -> None:
        super().__init__(world, "shoppers", pause_seconds=pause_seconds, stop=stop)
        self.addresses: list[str] = []

    def make_requests(self, round_: int) -> Iterator[tuple[str, Any, dict[str, str]]]:
        """Yield the calls of one shopper."""
        who = f"shopper-{round_}"
        address = f"{who}@example.com"
        calls = [
            ("identify", {"traits": {"email": address, "first_name": "Sam"}}),
            ("track", {"event": "Subscribed", "properties": {"channel": "email"}}),
            ("track", {"event": "Product Added", "properties": {"product_id": "P-1", "name": "Boot", "quantity": 1}}),
        ]
        for kind, call in calls:
            told = {"userId": who, "messageId": str(UUID(int=self.chance.getrandbits(128)))}
            told["timestamp"] = datetime.now(UTC).isoformat()
            yield f"/v1/{kind}", told | call, {"content-type": "application/json"}
        self.addresses.append(address)
