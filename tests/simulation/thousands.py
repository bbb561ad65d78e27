"""A campaign to thousands whose workers are killed all along: `python -m simulation.thousands 5000`."""

import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from greenlet import getcurrent

from simulation import setting
from simulation.faults import Call, Fault, Plan

if TYPE_CHECKING:
    from simulation.shop import Shop

EVERY = 1_499
"""After so many calls of AWS whoever makes the next one is killed, right before or right after it."""
BATCH = 40
WITHDRAWN_EVERY = 10


@dataclass
class Killing(Plan):
    """Workers are killed, whatever they are at.

    But for who has claimed a message and waits for what SES says: that one is in doubt, and is not sent again, as other
    stories tell.

    Attributes:
        killed: How many of each function.
        workers: Who is at work.
        due: Somebody is to be killed.
    """

    killed: Counter[str] = field(default_factory=Counter)
    workers: dict[Any, Any] = field(default_factory=dict)
    due: bool = False

    def strike(self, call: Call) -> Fault | None:
        """Return what happens to a call."""
        self.due = self.due or not call.number % EVERY
        if not self.on or not self.due:
            return None
        function = self.workers[getcurrent()].function
        if function == "send_message" and call.operation in ("TransactWriteItems", "SendEmail"):
            return None
        self.due = False
        fault = Fault.KILLED_AFTER if call.number % 2 else Fault.KILLED_BEFORE
        self.fired[fault] += 1
        self.killed[function] += 1
        return fault


def live_through(recipients: int) -> dict[str, Any]:
    """Have them all be there, and the campaign begin; return what came of it."""
    from cartwake.times import DAY, MINUTE
    from simulation.judge import judge_campaign
    from simulation.play import finish, listen
    from simulation.rules import NEWS_AT, make_bundle
    from simulation.shop import build
    from simulation.watch import Watch

    plan = Killing(on=False)
    watch = Watch(plan)
    shown: list[tuple[int, int]] = []
    with listen() as log:
        shop = build("thousands", plan, watch=watch, rules=make_bundle("news"))
        people = -(-recipients * WITHDRAWN_EVERY // (WITHDRAWN_EVERY - 1))
        for first in range(0, people, BATCH):
            tell_of(shop, range(first, min(first + BATCH, people)))
            shop.go(MINUTE)
        shop.go(NEWS_AT - setting.clock.now - MINUTE)
        plan.on, plan.workers = True, shop.world.by_course
        shop.world.plan_tick(NEWS_AT * 1_000)
        while setting.clock.now < NEWS_AT + DAY and (not shown or shown[-1][0] < recipients):
            shop.world.asked_to_wake = True
            shop.world.plan_tick(setting.clock.micros)
            shop.go(MINUTE)
            shown += read_progress()
        judge_campaign(shop, watch)
        result = finish(shop, watch, log)
    sent = Counter(it.to for it in shop.world.mailbox.sent)
    return {
        "violations": result.violations,
        "mails": len(sent),
        "most": max(sent.values()),
        "withdrawn": sum(sent[name(number)] for number in range(0, people, WITHDRAWN_EVERY)),
        "killed": plan.killed,
        "shown": shown,
        "calls": result.calls,
    }


def tell_of(shop: "Shop", numbers: range) -> None:
    """Tell of people who bought once, and of whom some have unsubscribed."""
    events: list[dict[str, Any]] = []
    for number in numbers:
        user = f"r{number}"
        told: list[dict[str, Any]] = [
            {"type": "identify", "traits": {"email": name(number), "first_name": user}},
            {"type": "track", "event": "Subscribed", "properties": {"channel": "email"}},
            {"type": "track", "event": "Order Completed", "properties": {"order_id": user, "revenue": 10.0}},
        ]
        if number % WITHDRAWN_EVERY == 0:
            told.append({"type": "track", "event": "Unsubscribed", "properties": {"channel": "email"}})
        events += [it | {"userId": user, "messageId": f"{user}-{at}"} for at, it in enumerate(told)]
    shop.tell_all(events)


def name(number: int) -> str:
    """Return somebody's address."""
    return f"r{number}@example.com"


def read_progress() -> list[tuple[int, int]]:
    """Return what marketers are shown: how many have got the mail, and how many recipients there are."""
    from cartwake.gateways import bucket

    content = bucket.read("_status/campaigns.json")
    told = json.loads(content)["campaigns"].get("news") if content else None
    return [(told["messages"].get("accepted", 0), told["recipients"])] if told else []


def main() -> None:
    """Print what came of a campaign to so many."""
    setting.prepare()
    from simulation import gate, receivers, shortcut

    gate.install()
    receivers.install()
    shortcut.install()
    setting.scale_down()
    print(json.dumps(live_through(int(sys.argv[1]))))


if __name__ == "__main__":
    main()
