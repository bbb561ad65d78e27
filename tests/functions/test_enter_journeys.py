"""enter_journeys: one run for one trigger, whatever is delivered twice, lost, or raced."""

from typing import Any

import msgspec
import pytest
from builders import CART, NOON, a_bundle, a_cart_event, an_order, publish
from shoppers import Shop
from world import client, lambda_context, read_queue

from cartwake.entries import Occasion, propose
from cartwake.errors import TryAgain
from cartwake.segments import Signal, SignalKind
from cartwake.store import base, quarantine, runs, slots
from cartwake.times import HOUR, MINUTE, format_instant
from functions.enter_journeys import app


def _record(who: str, *signals: Signal) -> dict[str, Any]:
    from base64 import b64encode

    packed = b64encode(msgspec.msgpack.encode(list(signals))).decode()
    image = {"who": {"S": who}, "generation": {"N": "1"}, "signals": {"B": packed}}
    return {"eventID": "e", "dynamodb": {"Keys": {"who": {"S": who}}, "NewImage": image}}


def _happened(shop: Shop) -> Signal:
    event = a_cart_event(at=shop.now)
    shop.derive(event)
    return Signal(SignalKind.HAPPENED, event.name, event.received_at, event.who, event.key)


def _schedules() -> list[dict[str, Any]]:
    scheduler = client("scheduler")
    return [
        scheduler.get_schedule(Name=it["Name"], GroupName="cartwake")
        for it in scheduler.list_schedules(GroupName="cartwake")["Schedules"]
    ]


def test_a_trigger_starts_a_run_in_its_first_wait(shop: Shop) -> None:
    """The new run stands in its wait already, and one schedule brings the next step on time, in UTC."""
    app.handler({"Records": [_record("u#1", _happened(shop))]}, lambda_context())
    (run,) = runs.list_runs("u#1")
    assert (run.path, run.seq, run.due_at) == ("0", 0, NOON + HOUR)
    (schedule,) = _schedules()
    assert schedule["ScheduleExpression"] == f"at({format_instant(NOON + HOUR)[:19]})"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["ActionAfterCompletion"] == "DELETE"
    assert len(schedule["Name"]) <= 64
    assert slots.get_slot("u#1", "cart").active


def test_a_doubled_record_starts_nothing_more(shop: Shop) -> None:
    """The run's id is a function of its trigger: the second delivery finds it, and keeps one schedule."""
    record = _record("u#1", _happened(shop))
    app.handler({"Records": [record, record]}, lambda_context())
    app.handler({"Records": [record]}, lambda_context())
    assert len(runs.list_runs("u#1")) == 1
    assert len(_schedules()) == 1
    assert slots.get_slot("u#1", "cart").refused is None


def test_two_triggers_at_once_start_one_run(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two carts that are followed at the same moment: the slot goes to one, the other keeps the reason."""
    first = _happened(shop)
    shop.now += 1
    second = _happened(shop)
    real, raced = base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            app.handler({"Records": [_record("u#1", second)]}, lambda_context())
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    app.handler({"Records": [_record("u#1", first)]}, lambda_context())
    assert len(runs.list_runs("u#1", journey="cart")) == 1
    assert slots.get_slot("u#1", "cart").refused == "already_active"


def test_the_slots_of_merged_keys_are_demanded(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that starts under the visitor's key at the same moment prevents the one under the user's key."""
    from builders import an_event

    shop.derive(an_event(user_id="1", anonymous_id="x"))
    signal = _happened(shop)
    foreign = slots.get_slot("a#x", "cart")
    real, raced = base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            occasion = Occasion(signal=signal, cause=None, rules=a_bundle(), bundle="b", now=NOON)
            other = propose(shop.profile("a#x"), "cart", occasion)
            other = msgspec.structs.replace(other, who="a#x", id="other")
            assert real([runs.start(other), *slots.take(foreign, other)])
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    app.handler({"Records": [_record("u#1", signal)]}, lambda_context())
    assert runs.list_runs("u#1", journey="cart") == []
    assert slots.get_slot("u#1", "cart").refused == "already_active"


def test_a_failed_schedule_is_no_failure(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row is the truth: when no schedule can be made the run is there all the same, and `wake` finds it."""
    from cartwake.gateways import scheduler

    def refuse(*_: Any) -> None:
        raise TryAgain("no")

    monkeypatch.setattr(scheduler, "_create", refuse)
    app.handler({"Records": [_record("u#1", _happened(shop))]}, lambda_context())
    assert runs.list_due(NOON + HOUR, limit=5) == [("u#1", runs.list_runs("u#1")[0].key)]


def test_what_is_due_soon_goes_to_the_queue(shop: Shop) -> None:
    """A step within two minutes is asked for at once: schedules are only precise to a minute."""
    from cartwake.journeys import Wait

    publish(
        a_bundle(
            generation=2, journeys={"cart": msgspec.structs.replace(CART, steps=(Wait(for_ms=MINUTE), *CART.steps))}
        )
    )
    app.handler({"Records": [_record("u#1", _happened(shop))]}, lambda_context())
    from moto.sqs.models import sqs_backends

    (message,) = sqs_backends["123456789012"]["eu-central-1"].queues["steps"]._messages
    assert message.delayed
    assert _schedules() == []
    assert read_queue("steps") == []


def test_poison_is_set_aside(shop: Shop) -> None:
    """A record that cannot be read blocks nobody."""
    broken = {
        "eventID": "e",
        "dynamodb": {"Keys": {"who": {"S": "u#9"}}, "NewImage": {"who": {"S": "u#9"}, "signals": {"B": "eHg="}}},
    }
    app.handler({"Records": [broken, _record("u#1", _happened(shop))]}, lambda_context())
    assert len(runs.list_runs("u#1")) == 1
    assert [it.reason for it in quarantine.list_refusals("u#9")] == ["poison"]


def test_a_signal_whose_event_is_gone_is_set_aside_alone(shop: Shop) -> None:
    """It never will be there, and trying again would stand before all others; what was signalled with it goes on."""
    signal = _happened(shop)
    gone = msgspec.structs.replace(signal, source=f"{signal.source}-gone")
    app.handler({"Records": [_record("u#1", gone, signal)]}, lambda_context())
    assert len(runs.list_runs("u#1")) == 1
    assert [(it.reason, it.where) for it in quarantine.list_refusals("u#1")] == [("poison", "LookupError")]


def test_an_exit_signal_ends_at_once(shop: Shop) -> None:
    """An order ends the run when it is heard of, not at the next step, and frees the slot."""
    shop.hear(a_cart_event())
    shop.hear(an_order(at=NOON + 1))
    assert not slots.get_slot("u#1", "cart").active
    assert runs.list_due(NOON + HOUR, limit=5) == []
