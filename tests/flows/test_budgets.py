"""Budgets: a day's marketing has a bound, and what is above it waits for tomorrow."""

from typing import Any

import msgspec
import pytest
from builders import CART, NOON, WELCOME, a_bundle, a_cart_event, a_subscription, an_identify, publish
from shoppers import Shop

import functions.send_message.app as send_message
from cartwake.hours import SPREAD_MS
from cartwake.journeys import Send, Trigger
from cartwake.messages import Message, MessageState
from cartwake.reasons import Skip
from cartwake.sending.outcomes import Accepted, Refused, Throttled
from cartwake.statements import Channel
from cartwake.store import budgets, messages
from cartwake.times import DAY, HOUR, MINUTE

EMAIL = Channel.EMAIL
SMS = Send(channel=Channel.SMS, template="cart-sms")


DAY_OF = "2026-11-21"


@pytest.fixture
def leases(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Have a table that only knows how much of a budget was leased; return what was asked of it."""
    asked: list[int] = []
    leased = 0

    def lease(_: Channel, __: str, amount: int, *, limit: int) -> bool:
        nonlocal leased
        asked.append(amount)
        granted = leased + amount <= limit
        leased += amount if granted else 0
        return granted

    monkeypatch.setattr(budgets, "_lease", lease)
    budgets.forget()
    return asked


def test_no_process_takes_more_than_is_there(tables: None) -> None:
    """Processes come and go; what one of them leased and did not spend is lost to the day, and no more is taken."""
    taken = 0
    for _ in range(12):
        budgets.forget()
        taken += sum(budgets.take(EMAIL, DAY_OF, 3, limit=500) for _ in range(20))
    assert 3 * taken <= 500
    assert 3 * taken >= 500 - 12 * 10


def test_many_processes_that_send_little_spend_the_whole_budget(leases: list[int]) -> None:
    """What a process has not sent yet, it does not lease for later: most are gone before they would need it."""
    taken = 0
    for _ in range(501):
        budgets.forget()
        taken += budgets.take(EMAIL, DAY_OF, 1, limit=500)
    assert taken == 500


@pytest.mark.parametrize("mails", [2, 3, 7, 40])
def test_a_process_loses_no_more_than_it_has_sent(leases: list[int], mails: int) -> None:
    """However processes come and go, half of a budget goes out at least, and never more than all of it."""
    taken = 0
    for _ in range(500):
        budgets.forget()
        taken += sum(budgets.take(EMAIL, DAY_OF, 1, limit=1_000) for _ in range(mails))
    assert 500 <= taken <= 1_000


def test_a_busy_process_asks_seldom(leases: list[int]) -> None:
    """Slices double until they are a fiftieth of the budget; the last of it goes in smaller ones, to the last one."""
    assert all(budgets.take(EMAIL, DAY_OF, 1, limit=50_000) for _ in range(49_000))
    assert leases[:12] == [1, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_000]
    assert len(leases) == 11 + 48
    assert all(budgets.take(EMAIL, DAY_OF, 1, limit=50_000) for _ in range(1_000))
    assert len(leases) < 2 * (11 + 48)


def test_nothing_is_asked_twice_for_a_message_once_the_budget_is_spent(leases: list[int]) -> None:
    """Each of those that wait for tomorrow costs one question."""
    assert all(budgets.take(EMAIL, DAY_OF, 1, limit=500) for _ in range(500))
    leases.clear()
    assert not any(budgets.take(EMAIL, DAY_OF, 1, limit=500) for _ in range(10))
    assert len(leases) <= 11


def test_what_was_given_back_is_leased_no_second_time(leases: list[int]) -> None:
    """And counts as nothing sent: it makes slices no larger."""
    for _ in range(20):
        assert budgets.take(EMAIL, DAY_OF, 1, limit=500)
        budgets.give_back(EMAIL, DAY_OF, 1)
    assert leases == [1]
    assert [budgets.take(EMAIL, DAY_OF, 1, limit=500) for _ in range(2)] == [True, True]
    assert leases == [1, 1]


def test_one_process_takes_all_that_is_there(tables: None) -> None:
    """To the last one; the next day begins anew, and channels have budgets of their own."""
    assert [budgets.take(EMAIL, "2026-11-21", 1, limit=7) for _ in range(9)] == [True] * 7 + [False] * 2
    assert budgets.take(Channel.SMS, "2026-11-21", 7, limit=7)
    assert not budgets.take(EMAIL, "2026-11-22", 8, limit=7)
    assert budgets.take(EMAIL, "2026-11-22", 7, limit=7)
    budgets.give_back(EMAIL, "2026-11-22", 2)
    assert budgets.take(EMAIL, "2026-11-22", 2, limit=7)


def _open(shop: Shop, *, limit: int, **journeys: Any) -> None:
    settings = msgspec.structs.replace(a_bundle().settings, budgets={EMAIL: limit}, timezone="Europe/Berlin")
    publish(a_bundle(generation=2, settings=settings, journeys={"welcome": WELCOME} | journeys))


def _greet(shop: Shop, *numbers: int) -> None:
    for number in numbers:
        who = f"u#{number}"
        shop.hear(an_identify(f"{number}@example.com", who=who, at=shop.now), a_subscription(who=who, at=shop.now))


def _message(number: int) -> Message:
    (found,) = messages.list_messages(f"u#{number}")
    return found


def test_what_is_above_the_budget_waits_for_tomorrow(shop: Shop) -> None:
    """The shop's own midnight, spread like everything that was held; nobody is mailed twice."""
    _open(shop, limit=2)
    _greet(shop, 1, 2, 3)
    assert len(shop.mails()) == 2
    held, midnight = _message(3), NOON + 11 * HOUR
    assert held.state is MessageState.PLANNED
    assert held.retry_at is not None
    assert midnight <= held.retry_at < midnight + SPREAD_MS
    shop.wait(midnight - shop.now - 1)
    assert len(shop.mails()) == 2
    shop.wait(SPREAD_MS + MINUTE)
    assert len(shop.mails()) == 3
    shop.wait(DAY)
    assert len(shop.mails()) == 3


def test_what_waited_for_tomorrow_is_not_stuck(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """It comes back by `wake`, minute by minute, and no alarm rings for it."""
    _open(shop, limit=1)
    _greet(shop, 1, 2)
    shop.wait(NOON + 11 * HOUR - shop.now - 1)
    capsys.readouterr()
    for _ in range(SPREAD_MS // MINUTE + 1):
        shop.wait(MINUTE)
    assert len(shop.mails()) == 2
    assert '"StuckMessages":[1.0]' not in capsys.readouterr().out


def test_what_is_too_late_tomorrow_is_skipped(shop: Shop) -> None:
    """With the budget as its reason."""
    send = msgspec.structs.replace(WELCOME.steps[0], not_after_ms=2 * HOUR)
    _open(shop, limit=1, welcome=msgspec.structs.replace(WELCOME, steps=(send,)))
    _greet(shop, 1, 2)
    assert (_message(2).state, _message(2).reason) == (MessageState.SKIPPED, Skip.BUDGET)


def test_a_receipt_needs_no_budget(shop: Shop) -> None:
    """What is transactional is neither bounded nor counted."""
    _open(shop, limit=1, cart=msgspec.structs.replace(CART, kind="transactional"))
    _greet(shop, 1)
    shop.hear(a_cart_event(at=shop.now))
    shop.wait(HOUR + 4 * MINUTE)
    assert len(shop.mails()) == 2


@pytest.mark.parametrize("outcome", [Refused("MessageRejected"), Throttled("TooManyRequestsException")])
def test_what_was_not_sent_is_given_back(shop: Shop, monkeypatch: pytest.MonkeyPatch, outcome: Any) -> None:
    """A refusal costs nothing."""
    _open(shop, limit=1)
    answers = [outcome]
    monkeypatch.setattr(send_message, "send_email", lambda _: answers.pop() if answers else Accepted("p"))
    _greet(shop, 1, 2)
    assert _message(2).state is MessageState.ACCEPTED


def test_an_sms_costs_its_parts(shop: Shop) -> None:
    """A long text takes as much from the budget as it is paid for."""
    send = msgspec.structs.replace(WELCOME.steps[0], channel=Channel.SMS, template="long")
    long = msgspec.structs.replace(a_bundle().templates["cart-sms"], text="x" * 161)
    settings = msgspec.structs.replace(a_bundle().settings, budgets={Channel.SMS: 3})
    trigger = msgspec.structs.replace(WELCOME.trigger, where=())
    journey = msgspec.structs.replace(WELCOME, trigger=trigger, steps=(send,))
    publish(a_bundle(generation=2, settings=settings, journeys={"w": journey}, templates={"long": long}))
    for number in (1, 2):
        who, phone = f"u#{number}", {"phone": f"+4851234567{number}"}
        shop.hear(an_identify(who=who, at=shop.now, traits=phone), a_subscription("sms", who=who, at=shop.now))
    assert [_message(1).state, _message(2).state] == [MessageState.ACCEPTED, MessageState.PLANNED]
    assert _message(1).parts == 2


@pytest.mark.parametrize(
    ("phone", "sender"), [("+48512345671", "Nord"), ("+18335550111", "+18335550100"), ("+33612345678", "")]
)
def test_an_sms_comes_from_the_sender_of_its_country(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, phone: str, sender: str
) -> None:
    """A name where names are known, a number of the shop's own, or whatever the network chooses."""
    sent: list[Any] = []
    monkeypatch.setattr(send_message, "send_sms", lambda sms: sent.append(sms) or Accepted("p"))
    before = a_bundle().settings
    by_country = {"US": "+18335550100", "FR": ""}
    who_from = msgspec.structs.replace(before.sender, sms_name="Nord", sms_by_country=by_country)
    journey = msgspec.structs.replace(WELCOME, trigger=Trigger(event="Subscribed"), steps=(SMS,))
    settings = msgspec.structs.replace(before, sender=who_from)
    publish(a_bundle(generation=2, settings=settings, journeys={"w": journey}))
    shop.hear(an_identify(at=shop.now, traits={"phone": phone}), a_subscription("sms", at=shop.now))
    assert [(it.to, it.sender_name) for it in sent] == [(phone, sender)]
