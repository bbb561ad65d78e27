"""Doubts about journeys: messages that are never sent."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Final

from cartwake.rules.doubts.claims import Claim, Reach
from cartwake.rules.doubts.logic import Always, Doubt, Judge, Placing
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.models import Journey
from cartwake.rules.needs import compile_where
from cartwake.rules.outward_models import GiveStep, WebhookStep
from cartwake.rules.step_models import AnyStep, IfStep, ScoreStep, SetStep, TagStep, UntagStep, list_sides
from cartwake.rules.trigger_models import AnyTrigger, ByEvent

_LISTS: Final = ("products", "items")
"""Properties of the usual events that are lists."""
_UNFIT: Final = frozenset({"products", "items", "revenue", "total", "value", "price", "quantity", "currency"})
_KEYS: Final = 'A key names one thing, such as "order_id" of an order or "product_id" of a product that was viewed.'


def doubt_journey(rule: Journey, judge: Judge) -> Iterator[Doubt]:
    """Yield what is doubtful about a journey: its filter, its branches, and whether it sends anything."""
    if rule.filter is not None:
        judge.judge(rule.filter, "filter", beside=_claim_trigger(rule.trigger, judge.zone))
    yield from _doubt_key(rule)
    steps = list(_list_steps(rule.steps, "steps", judge, never=False))
    sent = EmailStep | SmsStep | PushStep | WebhookStep
    messages = [(path, never) for path, step, never in steps if isinstance(step, sent)]
    if not messages:
        if not any(isinstance(step, SetStep | TagStep | UntagStep | ScoreStep | GiveStep) for _, step, _ in steps):
            yield Doubt("steps", "The journey sends nothing: there is no email, sms or push in its steps.")
    elif all(never for _, never in messages):
        yield Doubt("steps", "The journey sends nothing: no run ever comes to its messages.")
    else:
        yield from (Doubt(path, "Never sent: no run ever comes here.") for path, never in messages if never)


def _doubt_key(rule: Journey) -> Iterator[Doubt]:
    """Yield it where a key is looked for where there are several, or is that of every shopper or every event."""
    if rule.key is None:
        return
    first = rule.key.partition(".")[0]
    if first in _LISTS and "." in rule.key:
        message = f'"{first}" is a list: an event with several has no one key, and starts nothing. {_KEYS}'
        yield Doubt("key", message)
    elif rule.key in _UNFIT:
        yield Doubt("key", f'"{rule.key}" is no name of a thing. {_KEYS}')


def _claim_trigger(trigger: AnyTrigger, zone: tzinfo) -> Placing | None:
    """Return what is true at the start: the event has just happened."""
    if not isinstance(trigger, ByEvent):
        return None
    where = frozenset(compile_where(trigger.where, zone))
    return Placing("trigger", [Claim(("count", trigger.event, ""), where=where, reach=Reach(within_ms=1), low=1)])


def _list_steps(steps: list[AnyStep], path: str, judge: Judge, *, never: bool) -> Iterator[tuple[str, AnyStep, bool]]:
    """Yield every step with its path, and whether no run ever comes to it."""
    for index, step in enumerate(steps):
        here = f"{path}[{index}]"
        yield here, step, never
        found: Always | None = judge.judge(step.if_, f"{here}.if") if isinstance(step, IfStep) else None
        barred = {"then": "never", "else": "always"}
        for side, inner in list_sides(step):
            shut = found is not None and found == barred[side]
            yield from _list_steps(inner, f"{here}.{side}", judge, never=never or shut)
