"""Faults: what goes wrong, where, and how often it did."""

import random
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum

MINUTE = 60_000_000
HOUR = 60 * MINUTE


class Fault(StrEnum):
    """What can happen to one call of AWS, or of a system that a webhook tells."""

    REFUSED = "refused before effect"
    FAILED = "server error before effect"
    LOST = "answer lost after effect, once"
    UNHEARD = "every answer lost after effect"
    THROTTLED = "throttled"
    CONFLICT = "transaction conflict"
    PARTIAL = "only a part of a batch taken"
    REJECTED = "refused for good"
    KILLED_BEFORE = "process killed right before"
    KILLED_AFTER = "process killed right after"
    DOUBLED = "invocation delivered twice"
    TIMED_OUT = "timed out, and took effect later"


class Mishap(StrEnum):
    """What can happen between the functions, and to the people."""

    REDELIVERED = "delivered again at once"
    REDELIVERED_LATE = "delivered again hours later"
    SHUFFLED = "delivered again in another order"
    SCHEDULE_LATE = "schedule up to a day late"
    SCHEDULE_LOST = "schedule lost"
    SCHEDULE_DOUBLED = "schedule fired twice"
    WAKE_LOST = "wake lost"
    INDEX_LAG = "index read stale"
    SKEW = "a process's clock is off"
    FEEDBACK_EARLY = "SES told before it answered"
    FEEDBACK_DOUBLED = "SES told twice"
    FEEDBACK_LOST = "SES never told"
    FEEDBACK_LATE = "SES told hours later"
    POISON = "poison record"
    STORM = "throttling storm"
    QUOTA = "daily sending quota used up"
    OUTAGE = "an hour's outage of one service"
    MIXED = "two versions of the code at once"
    REDRIVE = "dead letters of a week redriven"
    CLIENT_DOUBLED = "client sent it twice"
    CLIENT_LATE = "client sent it hours later"


SWEPT = (
    Fault.REFUSED, Fault.LOST, Fault.UNHEARD, Fault.THROTTLED, Fault.KILLED_BEFORE, Fault.KILLED_AFTER, Fault.DOUBLED,
    Fault.TIMED_OUT,
)  # fmt: skip
WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems")
BATCHES = ("BatchWriteItem", "SendMessageBatch")


def applies(fault: Fault, operation: str) -> bool:
    """Say whether AWS can answer an operation like that."""
    if fault is Fault.CONFLICT:
        return operation in WRITES
    if fault is Fault.REJECTED:
        return operation in ("SendEmail", "Post")
    return fault is not Fault.PARTIAL or operation in BATCHES


@dataclass(frozen=True)
class Call:
    """A call of AWS: the *number*th of its world."""

    number: int
    service: str
    operation: str
    now: int


@dataclass
class Plan:
    """No faults at all."""

    fired: Counter[str] = field(default_factory=Counter)
    on: bool = True
    deployment: tuple[int, int] | None = None
    """From when to when processes of this release and of the next one work side by side."""

    def strike(self, _: Call) -> Fault | None:
        """Return what happens to a call of AWS."""
        return None

    def happens(self, _: Mishap) -> bool:
        """Say whether something goes wrong here."""
        return False

    def is_deploying(self, now: int) -> bool:
        """Say whether processes of two releases work at that time."""
        return self.deployment is not None and self.deployment[0] <= now < self.deployment[1]


@dataclass
class One(Plan):
    """One fault, at one call."""

    at: int = 0
    fault: Fault = Fault.REFUSED

    def strike(self, call: Call) -> Fault | None:
        """Return the fault if this is the call."""
        if call.number != self.at or not self.on or not applies(self.fault, call.operation):
            return None
        self.fired[self.fault] += 1
        return self.fault


@dataclass
class Swarm(Plan):
    """A random subset of all that can go wrong, each at a rate of its own."""

    chance: random.Random = field(default_factory=random.Random)
    rates: dict[str, float] = field(default_factory=dict)
    bad_times: tuple[tuple[int, int, str, float, Mishap], ...] = ()
    """From, to, service ("" for all), share of calls that fail, and what that is called."""

    def strike(self, call: Call) -> Fault | None:
        """Return what happens to a call: first what times are bad, then what chance brings."""
        if not self.on:
            return None
        for begins, ends, hit, share, name in self.bad_times:
            if begins <= call.now < ends and hit in ("", call.service) and self.chance.random() < share:
                self.fired[name] += 1
                return Fault.FAILED if name is Mishap.OUTAGE else Fault.THROTTLED
        for fault in Fault:
            rate = self.rates.get(fault, 0)
            if rate and self.chance.random() < rate and applies(fault, call.operation):
                self.fired[fault] += 1
                return fault
        return None

    def happens(self, mishap: Mishap) -> bool:
        """Say whether something goes wrong here, and count it."""
        rate = self.rates.get(mishap, 0)
        if not self.on or not rate or self.chance.random() >= rate:
            return False
        self.fired[mishap] += 1
        return True

    def is_deploying(self, now: int) -> bool:
        """Say whether processes of two releases work at that time, and count it."""
        self.fired[Mishap.MIXED] += super().is_deploying(now)
        return super().is_deploying(now)


def draw_swarm(seed: str, *, begins: int, ends: int) -> Swarm:
    """Return the swarm of a seed: few kinds find more than all of them at once."""
    chance = random.Random(f"swarm {seed}")
    kinds: list[str] = [
        *Fault,
        *(it for it in Mishap if it not in (Mishap.STORM, Mishap.QUOTA, Mishap.OUTAGE, Mishap.POISON, Mishap.MIXED)),
    ]
    chosen = [it for it in kinds if chance.random() < 0.4]
    calls = set(Fault)
    rates = {
        it: chance.choice((0.002, 0.006, 0.02)) if it in calls else chance.choice((0.05, 0.2, 0.5)) for it in chosen
    }
    if Mishap.SKEW in rates:
        rates[Mishap.SKEW] = 0.5
    times = []
    if chance.random() < 0.3:
        at = chance.randrange(begins, ends)
        times.append((at, at + chance.randrange(30, 300) * MINUTE, "", 0.7, Mishap.STORM))
    if Mishap.REDRIVE in rates:  # dead letters come of outages
        at = chance.randrange(begins, ends)
        times.append((at, at + 4 * HOUR, "dynamodb", 1.0, Mishap.OUTAGE))
    if chance.random() < 0.3:
        at = chance.randrange(begins, ends)
        hit = chance.choice(("dynamodb", "sqs", "s3", "scheduler", "sesv2", "sns", "secrets-manager"))
        times.append((at, at + HOUR, hit, 1.0, Mishap.OUTAGE))
    if chance.random() < 0.1:
        at = chance.randrange(begins, ends)
        times.append((at, at + 30 * HOUR, "sesv2", 1.0, Mishap.QUOTA))
    deployment = None
    if chance.random() < 0.3:
        at = chance.randrange(begins, ends)
        deployment = (at, at + chance.choice((5, 60, 600)) * MINUTE)
    return Swarm(chance=chance, rates=rates, bad_times=tuple(times), deployment=deployment)
