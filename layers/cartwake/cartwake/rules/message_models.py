"""Models of the steps that send something, and of what all steps have in common."""

from functools import cached_property
from typing import Annotated, Final

from pydantic import Field

from cartwake.rules.absences import Needed, find_needed
from cartwake.rules.base import Rule
from cartwake.rules.condition_models import Condition
from cartwake.rules.expressions import Findings, examine
from cartwake.rules.words import Duration, Name

_CONDITION: Final = "Its own condition: where it does not hold as a run comes here, the run passes over the step."


class StepRule(Rule):
    """What all steps may have."""

    only_if: Condition | None = Field(None, description=_CONDITION, examples=[{"trait": "phone", "exists": True}])
    not_after: Duration | None = Field(
        None,
        description="A run that comes here so much later than was due, because the journey was paused, passes over "
        "the step.",
        examples=["24 hours"],
    )


class MessageStep(StepRule):
    """What messages have in common."""

    elsewhere = {"variant": 'Variants are steps of a test: {"test": "subject", "split": [ … ]}.'}
    only_if: Condition | None = Field(
        None,
        description="Its own condition: where it does not hold, the message is skipped with the reason step_condition.",
        examples=[{"trait": "phone", "exists": True}],
    )
    not_after: Duration = Field(
        "24 hours",
        description="How long after it was due the message is still useful; later it is skipped. The time in which "
        "sending_hours, the cap or a budget hold it counts; where the hours open only after that, it is skipped at "
        "once.",
        examples=["24 hours"],
    )
    held: bool = Field(
        default=False,
        description="true: where the frequency cap stands against it the message waits until it may go out, if that is "
        "within not_after; else it is skipped.",
        examples=[True],
    )
    coupon: Name | None = Field(
        None,
        description="A pool, the name of a file in coupons/ without its ending: the message shows one of its codes "
        "as {{ coupon.code }}. A shopper gets one code for a step, and the same again until it is over or used.",
        examples=["comeback-10"],
    )


class EmailStep(MessageStep):
    """Send an email."""

    shown = ({"email": "cart-1", "subject": "You left {{ cart.items[0].name }} behind", "coupon": "comeback-10"},)
    email: Name = Field(description="The template's file name without .mjml or .html.", examples=["cart-1"])
    subject: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\r\n]*$")] | None = Field(
        None,
        description="The subject; what the template's mj-title says if nothing is said here.",
        examples=["You left {{ cart.items[0].name }} behind"],
    )

    @cached_property
    def said(self) -> Findings:
        """What the subject says; it is parsed once, however often files are linked while it is chosen among them."""
        return examine(self.subject or "")

    @cached_property
    def needed(self) -> Needed:
        """What must be there for the subject to be filled; likewise."""
        return find_needed(self.subject or "")


class PushStep(MessageStep):
    """Send a push message to the shopper's app: to the device on which it was seen last."""

    shown = ({"push": "cart-push", "only_if": {"reachable_by": "push"}, "not_after": "6 hours"},)
    push: Name = Field(description="The template's file name without .json.", examples=["cart-push"])


class SmsStep(MessageStep):
    """Send an SMS."""

    shown = ({"sms": "cart-sms", "only_if": {"trait": "phone", "exists": True}, "not_after": "6 hours"},)
    sms: Name = Field(description="The template's file name without .txt.", examples=["cart-sms"])
