"""The oracle: what the rules of the shop mean, worked out in no way that the product works it out."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from simulation.rules import HOPED, LAPSE, VIP_TOTAL, VIP_WINDOW

ORDER = "Order Completed"


class Oracle:
    """Everything that was stored once, and what follows from it.

    Events are what was first stored under a key: `who`, `key`, `name`, `occurred_at`, `received_at`, `trust`,
    `user_id`, `anonymous_id`, `properties`, `traits`.
    """

    def __init__(self) -> None:
        self.events: dict[tuple[str, str], Any] = {}
        self._parents: dict[str, str] = {}

    def store(self, event: Any) -> None:
        """Take an event; of a repeated one the first counts."""
        if (event.who, event.key) in self.events:
            return
        self.events[event.who, event.key] = event
        self._root(event.who)
        if event.user_id and event.anonymous_id:
            self._parents[self._root(f"a#{event.anonymous_id}")] = self._root(f"u#{event.user_id}")

    def families(self) -> dict[str, list[Any]]:
        """Return the events of each person, in order of their time, by one of the person's keys."""
        found: dict[str, list[Any]] = defaultdict(list)
        for event in self.events.values():
            if not event.bot:
                found[self._root(event.who)].append(event)
        return {key: sorted(events, key=lambda it: (it.occurred_at, it.key)) for key, events in found.items()}

    def family_of(self, who: str) -> str:
        """Return the key under which `families` has a person."""
        return self._root(who)

    def _root(self, key: str) -> str:
        self._parents.setdefault(key, key)
        while self._parents[key] != key:
            key = self._parents[key]
        return key


def orders(events: Iterable[Any]) -> list[tuple[int, float]]:
    """Return when each order was, and what it came to."""
    return [(it.occurred_at, float(it.properties.get("revenue", 0))) for it in events if it.name == ORDER]


def members(events: list[Any], now: int) -> dict[str, bool]:
    """Say of each segment whether the person belongs to it at an instant."""
    all_orders = orders(events)
    recent = [revenue for at, revenue in all_orders if at > now - VIP_WINDOW]
    return {
        "vip": len(recent) >= 3 and sum(recent) > VIP_TOTAL,
        "lapsed": bool(all_orders) and not any(at > now - LAPSE for at, _ in all_orders),
    }


def consent(events: Iterable[Any], channel: str) -> bool | None:
    """Return the latest explicit statement that a trusted source made, a withdrawal before a yes; None: never any."""
    told = [
        (it.occurred_at, it.name == "Unsubscribed")
        for it in events
        if it.trust != "browser"
        and it.name in ("Subscribed", "Unsubscribed")
        and it.properties.get("channel", "email") == channel
    ]
    return not max(told)[1] if told else None


def order_of(run: Any) -> str:
    """Return the order that a run is about; "" where its journey has a run for each shopper, not for each order."""
    return str(run.trigger.properties["order_id"]) if run.journey == "review" else ""


def happened_to(events: Iterable[Any], name: str, key: str, at: int) -> bool:
    """Say whether something happened to an order, or to nobody says which, at or after an instant."""
    return any(
        it.name == name and it.occurred_at >= at and it.properties.get("order_id") in (key, None) for it in events
    )


def ordered_since(events: Iterable[Any], at: int) -> bool:
    """Say whether there was an order after an instant."""
    return any(when > at for when, _ in orders(events))


def has_come(events: Iterable[Any], run: Any) -> bool:
    """Say whether what the runs of a journey wait for has happened since a run began."""
    name, count = {"parcel": ("Order Delivered", 1), "hope": (ORDER, HOPED)}[run.journey]
    since = [it for it in events if it.name == name and (it.occurred_at, it.short_id) > (run.start.at, run.start.id)]
    return len(since) >= count
