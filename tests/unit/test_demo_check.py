"""What the demo's check accepts: the whole of what was promised, each once, and not one message more."""

from typing import Any

import pytest

from cartwake.messages import MessageState
from cartwake.profiles import Profile
from cartwake.reasons import EndReason, NotEntered, Skip
from cartwake.runs import Slot
from cartwake_cli.demo.check import Expected, Verdict, compare, find_reason
from cartwake_cli.demo.state import Sent
from cartwake_cli.tables import Facts
from tests.builders import NOON
from tests.ledger import a_message, a_run

WELCOME = Expected("leaves", "ada", "email", "ada@example.com", "welcome", "Welcome to .+", mentions=("Ada",))
REMINDER = Expected(
    "leaves", "ada", "email", "ada@example.com", "cart", "You left .+ behind", mentions=("Trail Runner",)
)
TEXT = Expected("leaves", "ada", "sms", "+14155550142", "cart", mentions=("Trail Runner",))
NONE_FOR_BEN = Expected(
    "buys", "ben", "email", "ben@example.com", "cart", sent=False, reason="exited by Order Completed"
)
PROMISED = (WELCOME, REMINDER, TEXT, NONE_FOR_BEN)


def a_mail(subject: str = "You left Trail Runner behind", to: str = "ada@example.com", **changes: Any) -> Sent:
    text = {"Welcome to Nordlicht": "Hello Ada"}.get(subject, "Trail Runner waits")
    defaults: dict[str, Any] = {"id": subject, "channel": "email", "sender": "shop@example.com", "html": "", "at": NOON}
    return Sent(**{**defaults, "to": to, "subject": subject, "text": text, **changes})


SENT = (
    a_mail("Welcome to Nordlicht"),
    a_mail(),
    a_mail("", "+14155550142", channel="sms", text="Trail Runner is still in your cart"),
)


def facts(**changes: Any) -> Facts:
    return Facts(Profile(who="u#ben", version=1), **changes)


BOUGHT = facts(runs=(a_run(ended=EndReason.EXITED, ended_by="Order Completed"),))


def judge(*sent: Sent, ben: Facts = BOUGHT) -> Verdict:
    return compare(PROMISED, sent, {"ada": facts(), "ben": ben})


def test_what_was_promised_and_nothing_else_passes() -> None:
    """Every promise kept once: no fault, one line for each promise, with the subject that was really sent."""
    verdict = judge(*SENT)
    assert verdict.faults == ()
    assert [(line.who, line.sent, line.subject or line.reason) for line in verdict.lines] == [
        ("ada", True, "Welcome to Nordlicht"),
        ("ada", True, "You left Trail Runner behind"),
        ("ada", True, ""),
        ("ben", False, "exited by Order Completed"),
    ]


@pytest.mark.parametrize("doubled", range(3))
def test_a_doubled_message_fails(doubled: int) -> None:
    """The same mail or SMS twice is one too many."""
    verdict = judge(*SENT, SENT[doubled])
    assert len(verdict.faults) == 1
    assert verdict.lines[-1].reason == "not part of the story"


@pytest.mark.parametrize("missing", range(3))
def test_a_missing_message_fails(missing: int) -> None:
    """A promised message that was not sent is a fault, even if another one came twice instead."""
    rest = [each for index, each in enumerate(SENT) if index != missing]
    assert len(judge(*rest).faults) == 1
    assert len(judge(*rest, rest[0]).faults) == 2


def test_a_message_to_somebody_else_fails() -> None:
    """A message to an address that no story knows is a fault, and belongs to nobody."""
    verdict = judge(*SENT, a_mail(to="eve@example.com"))
    assert [line.who for line in verdict.lines if line.reason == "not part of the story"] == ["nobody"]
    assert len(verdict.faults) == 1


def test_a_message_to_one_who_was_promised_none_fails() -> None:
    """Ben bought in time: a reminder to him is a fault."""
    assert len(judge(*SENT, a_mail(to="ben@example.com")).faults) == 1


@pytest.mark.parametrize(
    ("ben", "reason"),
    [
        (facts(), "the journey never began"),
        (facts(runs=(a_run(),)), "still waiting"),
        (facts(runs=(a_run(ended=EndReason.COMPLETED),)), "completed"),
        (facts(slots=(Slot(who="u#ben", journey="cart", refused=NotEntered.PAUSED),)), "journey_paused"),
        (facts(messages=(a_message(state=MessageState.SKIPPED, reason=Skip.UNSUBSCRIBED),)), "unsubscribed"),
        (facts(messages=(a_message(state=MessageState.PLANNED),)), "planned"),
        (facts(runs=(a_run(ended=EndReason.EXITED, ended_by="Unsubscribed"),)), "exited by Unsubscribed"),
    ],
)
def test_the_wrong_reason_fails(ben: Facts, reason: str) -> None:
    """Not sent is not enough: it must be for the reason that the story tells."""
    assert find_reason(ben, "cart", "email") == reason
    verdict = judge(*SENT, ben=ben)
    assert len(verdict.faults) == 1
    assert reason in verdict.faults[0]


def test_the_outcome_of_a_merged_run_is_that_of_the_run_that_went_on() -> None:
    """Of two runs that a merge brought together, the one that went on tells the reason."""
    merged = a_run(id="r2", ended=EndReason.MERGED)
    assert find_reason(facts(runs=(merged, *BOUGHT.runs)), "cart", "email") == "exited by Order Completed"


def test_the_order_of_sending_does_not_matter() -> None:
    """Promises find their messages in any order."""
    assert judge(*reversed(SENT)).faults == ()
