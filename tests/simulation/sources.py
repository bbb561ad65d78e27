"""What invokes functions: streams, queues and schedules, each as AWS documents it."""

import json
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from simulation.faults import HOUR, MINUTE, Mishap, Plan
from simulation.loop import Loop
from simulation.setting import clock

SECOND = 1_000_000
DAY = 24 * HOUR
MOST_RECEIVES = 5
VISIBILITY = 3 * MINUTE
MAX_AGE = 20 * HOUR

type Invoke = Callable[[str, dict[str, Any], Callable[[Any, BaseException | None], None]], None]


@dataclass
class Shared:
    """What all sources go by."""

    loop: Loop
    plan: Plan
    chance: random.Random
    invoke: Invoke
    failures: list[tuple[str, str]] = field(default_factory=list)
    """What was given up: function, and the event that it had."""


@dataclass
class Shard:
    """Records in order; one batch at a time."""

    waiting: deque[tuple[int, str]] = field(default_factory=deque)
    busy: bool = False
    most: int = 100
    failed: int = 0


class Stream:
    """A table's stream and its event source mapping: ordered per item, at least once, bisected when it fails."""

    def __init__(self, shared: Shared, function: str, shards: int) -> None:
        self._shared, self._function = shared, function
        self._shards = [Shard() for _ in range(shards)]
        self._held_until = 0

    def feed(self, record: dict[str, Any]) -> None:
        """Take a change of the table."""
        who = record["dynamodb"]["Keys"]["who"]["S"]
        shard = self._shards[crc32(who.encode()) % len(self._shards)]
        shard.waiting.append((clock.micros, json.dumps(record)))
        self._shared.loop.after(self._shared.chance.randrange(100_000, SECOND), lambda: self._pump(shard))

    def hold(self, duration: int) -> None:
        """Deliver nothing for so long."""
        self._held_until = clock.micros + duration
        for shard in self._shards:
            self._shared.loop.after(duration, lambda it=shard: self._pump(it))

    @property
    def waiting(self) -> int:
        """How many records wait."""
        return sum(len(shard.waiting) for shard in self._shards)

    def _pump(self, shard: Shard) -> None:
        while shard.waiting and clock.micros - shard.waiting[0][0] > MAX_AGE:
            self._shared.failures.append((self._function, shard.waiting.popleft()[1]))
        if shard.busy or not shard.waiting or clock.micros < self._held_until:
            return
        shard.busy = True
        batch = [text for _, text in list(shard.waiting)[: shard.most]]
        self._deliver(batch, lambda _, error: self._settle(shard, batch, error))

    def _settle(self, shard: Shard, batch: list[str], error: BaseException | None) -> None:
        shard.busy = False
        if error is None:
            shard.most, shard.failed = 100, 0
            for _ in batch:
                shard.waiting.popleft()
            self._deliver_again(batch)
            self._shared.loop.after(10_000, lambda: self._pump(shard))
            return
        shard.most = max(1, len(batch) // 2)
        shard.failed += 1
        pause = min(MINUTE, SECOND * 2 ** min(shard.failed, 6))
        self._shared.loop.after(pause, lambda: self._pump(shard))

    def _deliver_again(self, batch: list[str]) -> None:
        plan, chance = self._shared.plan, self._shared.chance
        if plan.happens(Mishap.REDELIVERED):
            self._shared.loop.after(10_000, lambda: self._deliver(batch, _ignore))
        if plan.happens(Mishap.REDELIVERED_LATE):
            self._shared.loop.after(chance.randrange(HOUR, 20 * HOUR), lambda: self._deliver(batch, _ignore))
        if plan.happens(Mishap.SHUFFLED):
            mixed = chance.sample(batch, len(batch))
            self._shared.loop.after(chance.randrange(SECOND, HOUR), lambda: self._deliver(mixed, _ignore))

    def _deliver(self, batch: list[str], done: Callable[[Any, BaseException | None], None]) -> None:
        self._shared.invoke(self._function, {"Records": [json.loads(text) for text in batch]}, done)


@dataclass(eq=False)
class Message:
    """One in a queue."""

    id: str
    body: str
    receives: int = 0


class Queue:
    """A standard queue and its event source mapping: no order, at least once, dead letters after five receives."""

    def __init__(self, shared: Shared, name: str, function: str) -> None:
        self._shared, self.name, self._function = shared, name, function
        self._made = 0
        self.visible: list[Message] = []
        self.hidden: set[Message] = set()
        self.dead: list[Message] = []

    def put(self, body: str, delay_seconds: int = 0) -> None:
        """Take a message."""
        self._made += 1
        message = Message(f"{self.name}-{self._made}", body)
        self._show(message, delay_seconds * SECOND)

    @property
    def waiting(self) -> int:
        """How many messages there are, dead ones apart."""
        return len(self.visible) + len(self.hidden)

    def redrive(self) -> None:
        """Put the dead letters back."""
        dead, self.dead = self.dead, []
        for message in dead:
            message.receives = 0
            self._show(message, 0)

    def _show(self, message: Message, delay: int) -> None:
        self.hidden.add(message)

        def show() -> None:
            self.hidden.discard(message)
            if message.receives >= MOST_RECEIVES:
                self.dead.append(message)
                return
            self.visible.append(message)
            self._shared.loop.after(self._shared.chance.randrange(10_000, 300_000), self._pump)

        self._shared.loop.after(delay, show)

    def _pump(self) -> None:
        if not self.visible:
            return
        batch, self.visible = self.visible[:10], self.visible[10:]
        for message in batch:
            message.receives += 1
            self.hidden.add(message)
        self._deliver(batch, lambda answer, error: self._settle(batch, answer, error))
        if self.visible:
            self._shared.loop.after(10_000, self._pump)

    def _settle(self, batch: list[Message], answer: Any, error: BaseException | None) -> None:
        failed = {it["itemIdentifier"] for it in (answer or {}).get("batchItemFailures", ())}
        for message in batch:
            self.hidden.discard(message)
            if error is not None or message.id in failed:
                self._show(message, VISIBILITY)
        plan, chance = self._shared.plan, self._shared.chance
        if plan.happens(Mishap.REDELIVERED):
            self._shared.loop.after(10_000, lambda: self._deliver(batch, _ignore))
        if plan.happens(Mishap.REDELIVERED_LATE):
            self._shared.loop.after(chance.randrange(HOUR, 20 * HOUR), lambda: self._deliver(batch, _ignore))

    def _deliver(self, batch: list[Message], done: Callable[[Any, BaseException | None], None]) -> None:
        records = [{"messageId": it.id, "eventSource": "aws:sqs", "body": it.body} for it in batch]
        self._shared.invoke(self._function, {"Records": records}, done)


class Timer:
    """EventBridge Scheduler and the asynchronous queue before the function: late by up to a minute, at least once."""

    def __init__(self, shared: Shared, forget: Callable[[dict[str, Any]], None]) -> None:
        self._shared, self._forget = shared, forget
        self.waiting = 0

    def create(self, schedule: dict[str, Any]) -> None:
        """Take a one-time schedule."""
        plan, chance, loop = self._shared.plan, self._shared.chance, self._shared.loop
        due = read_at(schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"])
        late = chance.randrange(0, MINUTE)
        if plan.happens(Mishap.SCHEDULE_LOST):
            return
        if plan.happens(Mishap.SCHEDULE_LATE):
            late = chance.randrange(MINUTE, DAY)
        asked = json.loads(schedule["Target"]["Input"])
        loop.at(due + late, lambda: self._forget(schedule))
        loop.at(due + late, lambda: self.invoke("run_step", asked))
        if plan.happens(Mishap.SCHEDULE_DOUBLED):
            loop.at(due + late + chance.choice((0, SECOND, 2 * HOUR)), lambda: self.invoke("run_step", asked))

    def invoke(self, function: str, asked: dict[str, Any], attempt: int = 0) -> None:
        """Invoke asynchronously: at most three times, a minute and then two apart."""
        self.waiting += 1

        def done(_: Any, error: BaseException | None) -> None:
            self.waiting -= 1
            if error is None:
                return
            if attempt < (1 if function == "wake" else 2):
                self._shared.loop.after((attempt + 1) * MINUTE, lambda: self.invoke(function, asked, attempt + 1))
            else:
                self._shared.failures.append((function, json.dumps(asked)))

        self._shared.invoke(function, dict(asked), done)


def read_at(expression: str, zone: str) -> int:
    """Return the instant that `at(...)` means in a zone."""
    local = datetime.fromisoformat(expression.removeprefix("at(").removesuffix(")"))
    return int(local.replace(tzinfo=ZoneInfo(zone)).timestamp() * 1e6)


def _ignore(_: Any, __: BaseException | None) -> None:
    """What a second delivery comes to, AWS does not ask."""
