"""Confirmations: what fits into a journey that asks for a yes, of somebody who may be a stranger to whoever asked."""

from collections.abc import Iterator
from typing import Final

from cartwake.events import SUBSCRIPTION_REQUESTED
from cartwake.optins import CONFIRMATION
from cartwake.rules.compile_templates import Templates
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.files import walk
from cartwake.rules.message_models import EmailStep, PushStep, SmsStep
from cartwake.rules.models import Journey
from cartwake.rules.trigger_models import ByEvent

_TOLD: Final = ("cart", "coupon", "event", "profile")
"""What a template sees of what shoppers, and those who pretend to be some, have told."""
_LINK: Final = '<mj-button href="{{ confirm_url }}">Yes, subscribe me</mj-button>'


def find_unfit(file: str, rule: Journey, made: Templates) -> Iterator[Conflict]:
    """Yield what does not fit into a journey that asks for a yes.

    Args:
        file: The journey's.
        rule: The journey.
        made: The templates there are.
    """
    if rule.kind != CONFIRMATION:
        return
    if not isinstance(rule.trigger, ByEvent) or rule.trigger.event != SUBSCRIPTION_REQUESTED:
        example = f'"trigger": {{"event": "{SUBSCRIPTION_REQUESTED}"}}'
        yield _tell(file, "trigger", "Only who asked for a subscription is asked to confirm it.", example=example)
    for path, step in walk(rule.steps):
        if isinstance(step, SmsStep):
            yield _tell(
                file, path, "A yes is asked for by email: an SMS costs money, and anybody can ask in your name."
            )
        elif isinstance(step, PushStep):
            yield _tell(file, path, "A yes is asked for by email: a push message reaches nobody but who is known.")
        elif isinstance(step, EmailStep):
            yield from _check_email(file, path, step, made)


def _check_email(file: str, path: str, step: EmailStep, made: Templates) -> Iterator[Conflict]:
    if step.coupon:
        yield _tell(file, f"{path}.coupon", "A coupon is for who has said yes: give it in the journey that follows.")
    told = [name for name in _TOLD if name in step.said.reads]
    if told:
        yield _tell(file, f"{path}.subject", _say_told(told[0]), example="Please confirm, {{ shop.name }}")
    for template, content in made.by_name.get(step.email, {}).items():
        for name in _TOLD:
            if name in content.reads:
                source, place = content.reads[name]
                fault = Fault(file=source, path=place, message=f"{_say_told(name)} {file} sends it.")
                yield Conflict(fault, (file, *content.files))
        if "confirm_url" not in content.always:
            message = "A mail that asks for a yes must always show {{ confirm_url }}, outside of any if and for; "
            fault = Fault(file=template, message=f"{message}{file} sends it.", example=_LINK)
            yield Conflict(fault, (file, *content.files))


def _say_told(name: str) -> str:
    return (
        f'There is no "{name}" in a mail that asks for a yes: anybody can have it sent to anybody, so it shows nothing '
        "that whoever asked has told."
    )


def _tell(file: str, path: str, message: str, *, example: str = "") -> Conflict:
    return Conflict(Fault(file=file, path=path, message=message, example=example), (file,))
