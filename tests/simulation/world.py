"""The world: the functions, what invokes them, and everything that is seen of what they do."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from greenlet import getcurrent, greenlet

from simulation import cloud, gate
from simulation.faults import MINUTE, Call, Fault, Mishap, Plan
from simulation.index import SHARD_OF, Index
from simulation.loop import Loop
from simulation.mailbox import Mailbox
from simulation.processes import LAYOUT, NEWER, TIMEOUTS, Invocation, Process, load
from simulation.receivers import Receiver
from simulation.setting import SHARDS, clock, reseed
from simulation.sources import Queue, Shared, Stream, Timer

SECOND = 1_000_000
WATCHED = ("events", "profiles", "runs", "slots", "messages", "addresses", "counts", "participants")
CONSUMERS = {
    "steps": "run_step",
    "messages": "send_message",
    "webhooks": "send_message",
    "wakes": "derive_segments",
    "sweeps": "sweep_profiles",
    "erasures": "erase_profiles",
    "exports": "export_profiles",
    "feedback": "track_delivery",
}
OVERDUE = 3 * MINUTE


@dataclass(frozen=True)
class Interrupt:
    """Something that happens right before a function's call takes effect.

    Attributes:
        operation: Of AWS.
        holds: What its request holds.
        invoked_by: What the payload of the invocation holds.
    """

    operation: str
    act: Callable[[], None]
    holds: str = ""
    invoked_by: str = ""

    def fits(self, at: "gate.Gate") -> bool:
        """Say whether this is the call."""
        body = at.request.body if isinstance(at.request.body, bytes) else b""
        return (
            at.operation == self.operation
            and self.holds.encode() in body
            and self.invoked_by in json.dumps(at.invocation.payload)
        )


class World:
    """Everything there is.

    Attributes:
        seed: What its chance follows from.
        plan: What goes wrong.
        watch: Is shown every change, mail and answer.
        sites: Where in the code each call was made, when that is asked for.
    """

    def __init__(self, seed: str, plan: Plan, *, begins: int, watch: Any = None) -> None:
        self.seed, self.plan, self.watch = seed, plan, watch
        self.chance = random.Random(f"world {seed}")
        reseed(seed)
        clock.micros, clock.skew_micros = begins, 0
        self.loop = Loop()
        self.by_course: dict[greenlet, Invocation] = {}
        self.calls = 0
        self.sites: list[str] | None = None
        self.lines: list[str] | None = None
        self._digest = sha256()
        self._made = 0
        self._processes: dict[str, list[Process]] = {}
        self.interrupts: list[Interrupt] = []
        shared = Shared(self.loop, plan, random.Random(f"sources {seed}"), self.invoke)
        self.shared = shared
        self.streams = {
            "events": Stream(shared, "derive_segments", 3),
            "profiles": Stream(shared, "enter_journeys", 2),
        }
        self.queues = {name: Queue(shared, name, function) for name, function in CONSUMERS.items()}
        self.timer = Timer(shared, cloud.delete_schedule)
        self.index = Index(plan, random.Random(f"index {seed}"))
        self.mailbox = Mailbox(self)
        self.receiver = Receiver(self)
        self.dues: dict[tuple[str, str], int] = {}
        self._next_tick = 0
        self.held: set[str] = set()
        self.asked_to_wake = False
        gate.enter(self)

    def close(self) -> str:
        """End whatever runs, and return the hash of the history."""
        self.loop.end()
        return self._digest.hexdigest()

    def note(self, line: str) -> None:
        """Write a line of history."""
        text = f"{clock.micros} {line}"
        self._digest.update(text.encode())
        if self.lines is not None:
            self.lines.append(text)

    def latency(self) -> int:
        """Return how long half of a call takes."""
        return self.chance.randrange(500, 8_000)

    def go(self, duration: int) -> None:
        """Let time pass, in microseconds."""
        self.loop.run(clock.micros + duration)

    def strike(self, at: "gate.Gate") -> Fault | None:
        """Return what happens to a call."""
        self.calls += 1
        if self.sites is not None and self.plan.on:
            body = at.request.body if isinstance(at.request.body, bytes) else b""
            self.sites.append(f"{at.invocation.function} {gate.name_site(at.operation, body)}")
        fault = self.plan.strike(Call(self.calls, at.service, at.operation, clock.micros))
        if fault is not None:
            self.note(f"{fault} {at.invocation.function} {at.invocation.number} {at.service}.{at.operation}")
        return fault

    def before_effect(self, at: "gate.Gate") -> None:
        """Do what a story wants done right before a call takes effect, and let it take its course."""
        for each in list(self.interrupts):
            if each.fits(at):
                self.interrupts.remove(each)
                # what a story does itself is no call of the function that it interrupts, and nothing befalls it
                course = getcurrent()
                del self.by_course[course]
                each.act()
                self.by_course[course] = at.invocation
                at._pause(6 * SECOND)

    def invoke(self, function: str, payload: dict[str, Any], done: Callable[[Any, BaseException | None], None]) -> None:
        """Have a function called: in a process that is free, or in a new one."""
        load(function)
        process = self._find_process(function)
        self._made += 1
        text = json.dumps(payload)

        def again() -> None:
            self.loop.after(0, lambda: self.invoke(function, json.loads(text), lambda _, __: None))

        end = clock.micros + TIMEOUTS[function] * SECOND
        invocation = Invocation(self._made, process, payload, end, again)
        process.busy = True
        self.note(f"invoke {function} {self._made} {text}")

        def finish(answer: Any, error: BaseException | None) -> None:
            process.busy = False
            if error is not None and not isinstance(error, Exception):
                self._processes[function].remove(process)
            self.note(f"ended {function} {invocation.number} {type(error).__name__ if error else json.dumps(answer)}")
            if self.watch:
                self.watch.on_end(invocation, error)
            done(answer, error)

        def work() -> Any:
            self.by_course[getcurrent()] = invocation
            try:
                return invocation.run()
            finally:
                self.by_course.pop(getcurrent(), None)

        def prepare(task: Any) -> None:
            invocation.task = task
            task.on_resume = process.step_in

        self.loop.spawn(work, finish, prepare)

    def _find_process(self, function: str) -> Process:
        found = self._processes.setdefault(function, [])
        if self.plan.deployment and clock.micros >= self.plan.deployment[1]:
            found[:] = [it for it in found if it.busy or it.layout == NEWER]
        free = [it for it in found if not it.busy]
        stays = 0.9
        if self.plan.is_deploying(clock.micros):
            self.chance.shuffle(free)
            stays = 0.6  # there is a process of the newer release soon
        if free and self.chance.random() < stays:
            return free[0]
        skew = self.chance.randrange(-120 * SECOND, 120 * SECOND) if self.plan.happens(Mishap.SKEW) else 0
        found.append(Process(function, skew, self.find_layout()))
        return found[-1]

    def find_layout(self) -> int:
        """Return which layout of rows the newest code knows."""
        return NEWER if self.plan.deployment and clock.micros >= self.plan.deployment[0] else LAYOUT

    def see(self, service: str, operation: str, body: bytes, answer: cloud.Answer, by: Invocation | None) -> None:
        """Follow what a call has changed."""
        if service == "dynamodb":
            self._see_changes()
        elif operation == "SendMessageBatch" and answer[0] < 300:
            for name in CONSUMERS:
                for text, delay in cloud.take_queued(name):
                    self.queues[name].put(text, delay)
        elif operation == "CreateSchedule" and answer[0] < 300:
            for schedule in cloud.take_schedules():
                self.timer.create(schedule)
        elif operation in ("SendEmail", "Publish") and answer[0] < 300:
            self.mailbox.take(operation, body, answer, by)

    def see_file(self, url: str) -> None:
        """Have S3 tell of a file that a function has written, where its notifications name it."""
        if "/_status/decisions/" in url:
            self.loop.after(SECOND, lambda: self.timer.invoke("publish_rules", {}))

    def _see_changes(self) -> None:
        changes = cloud.take_changes()
        for table, record in changes:
            images = record["dynamodb"]
            old, new = images.pop("OldImage", None), images.get("NewImage")
            self.index.note(table, old, new)
            self._note_due(table, images["Keys"], new)
            record["old"] = old
            record["eventSourceARN"] = f"arn:aws:dynamodb:eu-central-1:000000000000:table/{table}/stream/1"
        if self.watch and changes:
            self.watch.on_changes(changes)
        for table, record in changes:
            record.pop("old")
            new = record["dynamodb"].get("NewImage") or {}
            if (table == "events" and record["eventName"] == "INSERT") or (table == "profiles" and "signals" in new):
                self.streams[table].feed(record)

    def _note_due(self, table: str, keys: dict[str, Any], new: dict[str, Any] | None) -> None:
        shard = SHARD_OF.get(table)
        if shard is None:
            return
        name = {"runs": "due_at", "messages": "retry_at", "profiles": "wake_at", "participants": "due_at"}[table]
        key = (table, "|".join(it["S"] for it in keys.values()))
        held = bool(new) and table == "runs" and int((new or {}).get(shard, {"N": 0})["N"]) >= SHARDS
        (self.held.add if held else self.held.discard)(key[1]) if table == "runs" else None
        if not new or shard not in new or held:
            self.dues.pop(key, None)
            return
        self.dues[key] = int(new[name]["N"]) * 1_000 + (OVERDUE if table == "runs" else 0)
        self.plan_tick(self.dues[key])

    def plan_tick(self, due: int) -> None:
        """Have `wake` run at the first full minute at which it finds something: before, it would find nothing."""
        at = max(-(-due // MINUTE), clock.micros // MINUTE + 1) * MINUTE
        if self._next_tick and clock.micros < self._next_tick <= at:
            return
        self._next_tick = at
        self.loop.at(at, lambda: self._tick(at))

    def _tick(self, at: int) -> None:
        if self._next_tick != at:
            return
        self._next_tick = 0
        due = self.held or self.asked_to_wake or any(it <= at for it in self.dues.values())
        # what would find nothing is left out, but for a few
        if (due or self.chance.random() < 0.02) and not self.plan.happens(Mishap.WAKE_LOST):
            self.timer.invoke("wake", {})
        self.asked_to_wake = False
        if self.dues:
            self.plan_tick(min(self.dues.values()))
