"""Receivers: the other systems that webhooks tell, at the far end of a connection that may break.

The real client of webhooks says its request over a line of this module. Only the name's addresses and the handshake,
which another machine would answer, are left out.
"""

import json
import random
from collections.abc import Buffer
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from cartwake.gateways import webhook
from simulation import gate
from simulation.faults import Fault
from simulation.loop import Killed
from simulation.setting import clock

if TYPE_CHECKING:
    from simulation.world import World

SECOND = 1_000_000
PATIENCE_SECONDS = 90
"""What a receiver asks for that has too much to do."""


class Mood(StrEnum):
    """How a receiver meets what it is told."""

    TAKES = "takes it"
    FAILS = "fails"
    HANGS = "takes it, and never answers"
    BUSY = "has too much to do"
    GONE = "is gone for good"
    SHUT = "is not there"


MEANT = {Fault.FAILED: Mood.FAILS, Fault.THROTTLED: Mood.BUSY, Fault.REJECTED: Mood.GONE}
"""What a fault of AWS is at a receiver."""
STATUS = {Mood.TAKES: 200, Mood.FAILS: 500, Mood.BUSY: 429, Mood.GONE: 410}


@dataclass(frozen=True)
class Told:
    """One attempt to tell a receiver something, as it left the house.

    Attributes:
        at: When, in microseconds.
        id: Its `webhook-id`.
        head: Its headers, by their names in small letters.
        target: The path.
        body: As it was sent.
        by: Number of the invocation.
    """

    at: int
    id: str
    head: dict[str, str]
    target: str
    body: str
    by: int

    @property
    def data(self) -> dict[str, Any]:
        """What is said of the step and the shopper."""
        data: dict[str, Any] = json.loads(self.body)["data"]
        return data


class Receiver:
    """Another system.

    Attributes:
        moods: The next ones, in order; when they are used up it takes what it is told.
        wild: The share of what it is told that it meets in any mood, while faults are on.
        taken: What it took, by the id, and when for the first time.
        gone: What it answered for good, by the id.
        busy: Of what it said, and when, that it had too much to do.
        answers: What it has answered, in order; "" where it never did.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._chance = random.Random(f"receiver {world.seed}")
        self.moods: list[Mood] = []
        self.wild = 0.0
        self.taken: dict[str, int] = {}
        self.gone: set[str] = set()
        self.busy: list[tuple[str, int]] = []
        self.answers: list[str] = []

    def find_mood(self) -> Mood:
        """Return how it meets what comes now."""
        if self.moods:
            return self.moods.pop(0)
        if self.wild and self._world.plan.on and self._chance.random() < self.wild:
            return self._chance.choice(list(Mood))
        return Mood.TAKES

    def hear(self, told: Told, mood: Mood) -> None:
        """Take what came, or not."""
        if mood in (Mood.TAKES, Mood.HANGS):
            self.taken.setdefault(told.id, clock.micros)
        if mood is Mood.GONE:
            self.gone.add(told.id)
        if mood is Mood.BUSY:
            self.busy.append((told.id, clock.micros))
        self.answers.append("" if mood not in STATUS else str(STATUS[mood]))
        self._world.note(f"told {told.id} {mood}")


class Line:
    """What the client takes for a socket."""

    def __init__(self, host: str) -> None:
        self._host, self._sent, self._answer = host, b"", b""
        self._timeout = 0.0
        self._heard = False

    def settimeout(self, seconds: float) -> None:
        """Bound what comes next."""
        self._timeout = seconds

    def sendall(self, data: bytes) -> None:
        """Take a part of the request."""
        self._sent += data

    def recv_into(self, buffer: Buffer) -> int:
        """Give the next bytes of the answer; before the first ones the request goes to its receiver."""
        if not self._heard:
            self._heard = True
            self._answer = self._tell()
        view = memoryview(buffer)
        some, self._answer = self._answer[: len(view)], self._answer[len(view) :]
        view[: len(some)] = some
        return len(some)

    def close(self) -> None:
        """Hang up."""

    def _tell(self) -> bytes:
        """Bring the request to the receiver, with whatever happens on the way, and return the answer."""
        world = gate._world[0]
        invocation = world.by_course[getcurrent()]
        told = read(self._sent, invocation.number)
        request = SimpleNamespace(body=told.body.encode(), url=f"https://{self._host}{told.target}")
        at = gate.Gate(world, invocation, "webhook", "Post", request)
        fault = at.strike()
        world.note(f"{invocation.function} {invocation.number} webhook.Post {told.id}")
        if world.watch:
            world.watch.on_told(told)
        at._pause(world.latency())
        self._suffer_before(at, told, fault)
        world.before_effect(at)
        if fault in (Fault.LOST, Fault.UNHEARD, Fault.KILLED_AFTER):
            world.receiver.hear(told, Mood.TAKES)
            self._suffer_after(at, fault)
        return self._meet(at, told, (MEANT.get(fault) if fault else None) or world.receiver.find_mood())

    def _suffer_before(self, at: "gate.Gate", told: Told, fault: Fault | None) -> None:
        """Let happen what keeps a request from its receiver, or comes before it."""
        world = at.world
        match fault:
            case Fault.REFUSED:
                raise ConnectionRefusedError
            case Fault.KILLED_BEFORE:
                raise Killed
            case Fault.DOUBLED:
                at.invocation.again()
                at._pause(world.chance.choice((SECOND // 100, SECOND // 10, 3 * SECOND)))
            case Fault.TIMED_OUT:  # it was on its way for longer than anybody waited
                world.loop.after(2 * webhook.DEADLINE_SECONDS * SECOND, lambda: world.receiver.hear(told, Mood.TAKES))
                self._hang(at)

    def _suffer_after(self, at: "gate.Gate", fault: Fault | None) -> None:
        """Let happen what keeps an answer from whoever waits for it."""
        match fault:
            case Fault.LOST:
                self._hang(at)
            case Fault.UNHEARD:
                raise ConnectionResetError
            case Fault.KILLED_AFTER:
                raise Killed

    def _meet(self, at: "gate.Gate", told: Told, mood: Mood) -> bytes:
        if mood is Mood.SHUT:
            raise ConnectionRefusedError
        at.world.receiver.hear(told, mood)
        if mood is Mood.HANGS:
            self._hang(at)
        at._pause(at.world.latency())
        rest = f"Retry-After: {PATIENCE_SECONDS}\r\n" if mood is Mood.BUSY else ""
        return f"HTTP/1.1 {STATUS[mood]} -\r\n{rest}Content-Length: 0\r\nConnection: close\r\n\r\n".encode()

    def _hang(self, at: "gate.Gate") -> None:
        at._pause(int(self._timeout * SECOND))
        raise TimeoutError


def install() -> None:
    """Stand in every connection to a receiver, and give it the world's time."""
    webhook._connect = lambda host, _: Line(host)  # type: ignore[assignment, return-value]
    webhook.time = SimpleNamespace(monotonic=lambda: clock.micros / SECOND)  # type: ignore[attr-defined]


def read(sent: bytes, by: int) -> Told:
    """Return what a request says."""
    head, _, body = sent.decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    named = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Told(clock.micros, named["webhook-id"], named, first.split(" ")[1], body, by)
