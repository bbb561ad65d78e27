"""Builders of runs and messages: valid by default, overridden by keyword."""

from typing import Any

from builders import NOON, a_cart_event

from cartwake.conditions.kinds import Start
from cartwake.messages import Message
from cartwake.runs import Run
from cartwake.statements import Channel


def a_run(**changes: Any) -> Run:
    trigger = a_cart_event()
    defaults: dict[str, Any] = {
        "who": "u#ben", "journey": "cart", "id": "r", "due_at": NOON, "entered_at": NOON,
        "start": Start(trigger.occurred_at, trigger.short_id), "trigger": trigger, "bundle": "b",
    }  # fmt: skip
    return Run(**defaults | changes)


def a_message(**changes: Any) -> Message:
    defaults: dict[str, Any] = {
        "who": "u#ben", "id": "m", "run": "cart#r", "journey": "cart", "path": "1", "channel": Channel.EMAIL,
        "kind": "marketing", "template": "cart-1", "planned_at": NOON, "not_after": NOON,
    }  # fmt: skip
    return Message(**defaults | changes)
