"""Swarms: random worlds, in which people do what they like and a random choice of things goes wrong.

What came later than the rest draws from a chance of its own, so that the worlds without it stay as they were.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import msgspec

from simulation import cloud
from simulation.faults import Mishap, Swarm, draw_swarm
from simulation.play import Result, finish, listen
from simulation.report import LEAST_EVENTS
from simulation.rules import EVERYDAY, JOURNEYS, SOMETIMES, make_bundle
from simulation.setting import clock
from simulation.shop import BROWSER, Shop, build
from simulation.watch import Watch

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
BEGINNINGS = (
    "2026-11-21T12:00:00",
    "2026-03-20T06:00:00",  # Berlin's clocks go forward on the 29th
    "2026-10-16T20:00:00",  # and back on the 25th
    "2026-03-01T09:00:00",  # New York's go forward on the 8th
    "2028-02-20T23:00:00",  # a leap day
    "2026-12-25T18:00:00",
)
LARGE_EVERY = 100
NEWS_AFTER = 9 * DAY
SHARE = 0.25
"""Of the worlds, so many have one of the journeys that are not in all of them."""


@dataclass
class Person:
    """A shopper, as the shop knows them."""

    user: str
    email: str
    phone: str = ""
    visitor: str = ""
    subscribed: bool = False
    known: bool = False
    traits: dict[str, str] = field(default_factory=dict)


class Crowd:
    """The people of one world, and what they do."""

    def __init__(self, shop: Shop, seed: int, *, large: bool, small: bool) -> None:
        self.shop = shop
        self.chance = random.Random(f"crowd {seed}")
        self.days = 60 if large else 14
        self.people = [self._make(number) for number in range(200 if large else self.chance.randrange(10, 15))]
        self.most = 900 if large else 20 if small else 70
        self.paused = False
        self.changed: dict[str, Any] = {}
        self.planned = 0

    def _make(self, number: int) -> Person:
        email = f"p{number}@example.com" if number < 3 or self.chance.random() < 0.97 else "p1@example.com"
        phone = f"+4917012345{number:02d}" if self.chance.random() < 0.3 else ""
        visitor = f"v{number}" if self.chance.random() < 0.5 else ""
        return Person(f"p{number}", email, phone, visitor)

    def plan(self) -> None:
        """Have everybody sign up, mostly, and then come by now and then."""
        for person in self.people:
            if self.chance.random() < 0.75:
                self._at(self.chance.randrange(0, 3 * DAY), lambda it=person: self.sign_up(it))
            if self.chance.random() < 0.08:
                self.shop.world.mailbox.bouncing.add(person.email)
            elif self.chance.random() < 0.05:
                self.shop.world.mailbox.complaining.add(person.email)
        self.shop.world.mailbox.opening = 0.15
        while self.planned < self.most:
            self._visit(self.chance.choice(self.people), self.chance.randrange(0, self.days * DAY))
        for _ in range(self.chance.randrange(0, 4)):
            self._at(self.chance.randrange(DAY, self.days * DAY), self.change_rules)
        if self.chance.random() < 0.3:
            self._at(
                self.chance.randrange(DAY, self.days * DAY),
                lambda: self.shop.erase(self.chance.choice(self.people).user),
            )
        if self.chance.random() < 0.3:
            self._at(self.chance.randrange(DAY, self.days * DAY), self.poison)

    def plan_more(self, seed: int) -> None:
        """Have happen what the journeys of some worlds are about."""
        chance, names = random.Random(f"more {seed}"), self.shop.names
        self.shop.world.receiver.wild = chance.choice((0.0, 0.2, 0.6))
        for name in ("Order Cancelled", "Order Delivered") if "review" in names else ():
            for _ in range(8):
                self._at(chance.randrange(2 * DAY, self.days * DAY), lambda it=name: self.follow_up(it, chance))
        if "review" in names or "crm" in names:
            for _ in range(4):
                person = chance.choice(self.people)
                self._at(chance.randrange(DAY, self.days * DAY), lambda it=person: self.shop.order(it.user))
        if "hope" in names:
            for _ in range(6):
                person, at = chance.choice(self.people), chance.randrange(DAY, (self.days - 3) * DAY)
                self._at(at, lambda it=person: self.shop.add(it.user))
                for _ in range(2):
                    late = chance.choice((HOUR, 2 * DAY - chance.randrange(2_000), 2 * DAY + chance.randrange(MINUTE)))
                    self._at(at + late, lambda it=person: self.shop.order(it.user))
        if "news" in names:
            self._at(NEWS_AFTER - 1_000, self.look_at_campaign)
        rests = random.Random(f"rests {seed}")
        if rests.random() < SHARE:
            at = rests.randrange(2 * DAY, (self.days - 2) * DAY)
            self._at(at, lambda: self.set_status("paused"))
            self._at(at + rests.randrange(HOUR, 30 * HOUR), lambda: self.set_status("live"))

    def set_status(self, status: str) -> None:
        """Have journeys rest in which somebody mostly waits, or go on."""
        resting = [name for name in ("offer", "hope", "crm") if name in self.shop.names]
        self.changed |= {name: msgspec.structs.replace(JOURNEYS[name], status=status) for name in resting}
        self.shop.publish(**self.changed)

    def follow_up(self, name: str, chance: random.Random) -> None:
        """Tell what became of one of the orders that somebody has told of."""
        orders = [it for it in self.shop.told.values() if it.get("event") == "Order Completed" and "userId" in it]
        if orders:
            order = chance.choice(orders)
            told = {"order_id": order["properties"]["order_id"]}
            self.shop.tell("track", order["userId"], event=name, properties=told)

    def look_at_campaign(self) -> None:
        """Have `wake` look for as long as a campaign has not come to its end: worlds leave out what finds nothing."""
        parts = [it for it in cloud.rows("sweeps") if it["sweep"]["S"] == "enrolments"]
        if parts and all(it["done"]["BOOL"] for it in parts):
            return
        self.shop.world.asked_to_wake = True
        self.shop.world.plan_tick(clock.micros)
        self._at(6 * MINUTE if parts else 20 * MINUTE, self.look_at_campaign)

    def _visit(self, person: Person, at: int) -> None:
        """A few things in a row, a moment or an hour apart."""
        for _ in range(self.chance.randrange(1, 6)):
            self.planned += 1
            self._at(at, lambda: self.act(person))
            at += self.chance.choice((1, 1_000, MINUTE, 20 * MINUTE, HOUR))

    def _at(self, delay: int, action: object) -> None:
        assert callable(action)
        self.shop.world.loop.after(delay * 1_000, action)

    def act(self, person: Person) -> None:
        """Do one thing."""
        kind = self.chance.choices(
            ("view", "add", "order", "identify", "leave", "leave by server", "return", "move", "pretend"),
            (22, 28, 28, 8, 6, 2, 4, 3, 3),
        )[0]
        match kind:
            case "view":
                self.shop.view(**self._as(person))
            case "add":
                self.shop.add(product=self.chance.choice(("P-1", "P-2")), **self._as(person))
                self._meet_reminder(person)
            case "order":
                self._buy(person)
            case "identify" if person.visitor:
                self.shop.tell("identify", person.user, anonymousId=person.visitor, traits={}, key=BROWSER)
            case "leave":
                self.leave(person)
            case "leave by server" if person.known:
                self.shop.tell("track", person.user, event="Unsubscribed", properties={"channel": "email"})
            case "return" if person.known:
                self.shop.subscribe(person.user)
            case "pretend":
                name = self.chance.choice(("Subscribed", "Unsubscribed"))
                self.shop.tell("track", person.user, event=name, properties={"channel": "email"}, key=BROWSER)
            case "move" if person.known:
                person.email = f"{person.user}.{self.chance.randrange(9)}@example.com"
                self.shop.identify(person.user, person.email)
            case _:
                self.shop.view(**self._as(person))

    def _meet_reminder(self, person: Person) -> None:
        """Sometimes buy, leave, come back or be looked up at the very moment at which the reminder is due."""
        if self.chance.random() < 0.3:
            at = self.chance.choice((HOUR, HOUR + 30_000, 24 * HOUR)) + self.chance.randrange(-5_000, 40_000)
            acts = (lambda: self.shop.order(person.user), lambda: self.leave(person), lambda: self.sign_up(person))
            self._at(at, self.chance.choice(acts))

    def _buy(self, person: Person) -> None:
        """Order, or get what was ordered."""
        if self.chance.random() < 0.25:
            self.shop.deliver(person.user)
        else:
            revenue = self.chance.choice((40.0, 90.0, 120.0))
            self.shop.order(person.user, revenue, coupon=self._pick_code(person))

    def _pick_code(self, person: Person) -> str:
        """Mostly the code of the last mail, if there was one; sometimes what somebody else got."""
        own = [it.code for it in self.shop.world.mailbox.sent if it.code and it.to == person.email]
        others = [it.code for it in self.shop.world.mailbox.sent if it.code]
        codes = own if self.chance.random() < 0.8 else others
        return codes[-1] if codes else ""

    def _as(self, person: Person) -> dict[str, str]:
        """Say who somebody is as their browser does: by name, or not."""
        if person.visitor and self.chance.random() < 0.5:
            return {"anonymousId": person.visitor, "key": BROWSER}
        return {"user": person.user, "key": BROWSER}

    def sign_up(self, person: Person) -> None:
        """Give an address and agree."""
        person.known = True
        self.shop.identify(person.user, person.email, more={"phone": person.phone} if person.phone else {})
        if self.chance.random() < 0.9:
            self.shop.subscribe(person.user)
        if person.phone:
            self.shop.subscribe(person.user, "sms")

    def leave(self, person: Person) -> None:
        """Press the button of the last mail."""
        mails = [it for it in self.shop.world.mailbox.sent if it.link and it.to == person.email]
        if mails:
            mail = mails[-1]
            self.shop.unsubscribe(mail.link, lambda: self.shop.world.watch.on_unsubscribed(mail.to))

    def poison(self) -> None:
        """Have something in the way that nobody can read."""
        self.shop.world.plan.fired[Mishap.POISON] += 1
        self.shop.poison(self.chance.choice(self.people).user)

    def change_rules(self) -> None:
        """Change a text, and pause the carts' journey or have it go on."""
        self.paused = not self.paused
        cart = JOURNEYS["cart"]
        send = msgspec.structs.replace(cart.steps[1], subject=f"Text {self.shop.generation}")
        status = "paused" if self.paused else "live"
        steps = (cart.steps[0], send, *cart.steps[2:])
        self.changed["cart"] = msgspec.structs.replace(cart, steps=steps, status=status)
        self.shop.publish(**self.changed)


def run_seed(seed: int, *, small: bool = False, lines: bool = False) -> Result:
    """Live through the world of a seed; in a small one people come by no more often than they must."""
    large = seed % LARGE_EVERY == LARGE_EVERY - 1
    chance = random.Random(f"beginning {seed}")
    begins = int(datetime.fromisoformat(chance.choice(BEGINNINGS)).replace(tzinfo=UTC).timestamp() * 1e6)
    days = 60 if large else 14
    plan = draw_swarm(str(seed), begins=begins, ends=begins + days * DAY * 1_000)
    watch = Watch(plan)
    with listen() as log:
        rules = make_bundle(*EVERYDAY, *draw_journeys(seed), news_at=begins // 1_000 + NEWS_AFTER)
        shop = build(f"seed {seed}", plan, begins=begins, watch=watch, rules=rules)
        shop.world.lines = [] if lines else None
        crowd = Crowd(shop, seed, large=large, small=small)
        crowd.plan()
        crowd.plan_more(seed)
        shop.go(days * DAY)
        while len(watch.oracle.events) < LEAST_EVENTS:
            crowd.act(crowd.chance.choice(crowd.people))
            shop.go(HOUR)
        rest(shop, crowd, plan)
        result = finish(shop, watch, log)
    result.premises["events"] = len(watch.oracle.events)
    result.premises["people"] = len(crowd.people)
    result.premises["days"] = days
    return result


def draw_journeys(seed: int) -> list[str]:
    """Return the journeys that a world has besides those of every day."""
    chance = random.Random(f"journeys {seed}")
    return [name for name in SOMETIMES if chance.random() < SHARE]


def rest(shop: Shop, crowd: Crowd, plan: Swarm) -> None:
    """End what people do, and, in some worlds, leave the dead letters for a week."""
    if crowd.paused:
        crowd.change_rules()
    if Mishap.REDRIVE in plan.rates:
        plan.on = False
        shop.go(7 * DAY)
        plan.fired[Mishap.REDRIVE] += sum(len(it.dead) for it in shop.world.queues.values()) or 0


def now() -> int:
    """Return the virtual time."""
    return clock.now
