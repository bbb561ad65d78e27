"""wake: what is overdue is found, and only that."""

from typing import Any

import pytest
from builders import NOON, a_cart_event, an_order
from shoppers import Shop
from world import lambda_context, read_queue

from cartwake.errors import TryAgain
from cartwake.messages import Message
from cartwake.statements import Channel
from cartwake.store import base, messages, runs, sweeps
from cartwake.sweeps import Aim, SweepKind, Tally, begin, go_on
from cartwake.times import DAY, HOUR, MINUTE, SECOND
from functions.wake import app


def _wake(shop: Shop, at: int) -> None:
    shop.now = at
    app.handler({}, lambda_context())


def test_steps_are_found_three_minutes_late(shop: Shop) -> None:
    """A schedule has three minutes to come; then `wake` asks for the step, wherever the run stands."""
    shop.hear(a_cart_event())
    (run,) = runs.list_runs("u#1")
    _wake(shop, NOON + HOUR + 3 * MINUTE - SECOND)
    assert read_queue("steps") == []
    _wake(shop, NOON + HOUR + 3 * MINUTE)
    assert read_queue("steps") == [{"who": "u#1", "run": run.key}]


def test_profiles_are_found_when_their_answer_expires(shop: Shop) -> None:
    """A membership that ends by time is looked at in the minute in which it ends."""
    for index in range(3):
        shop.hear(an_order(id=f"o{index}", at=NOON - index))
    _wake(shop, NOON - 2 + 90 * DAY - 1)
    assert read_queue("wakes") == []
    _wake(shop, NOON - 2 + 90 * DAY)
    assert read_queue("wakes") == [{"who": "u#1"}]


def test_an_idle_minute_costs_a_dozen_small_queries(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """With nothing due: four shards of three indexes, a look at erasures, journeys, sweeps and enrolments; no queue."""
    app.load_live(shop.now)
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    from cartwake.gateways import clients

    clients.client("sqs").meta.events.register("before-call.sqs", note)
    stores = (app.runs.RunRow, app.messages.MessageRow, app.profiles.ProfileRow, app.sweeps.SweepRow)
    rows = [*stores, app.enrolments.EnrolmentRow]
    for row in rows:
        row._get_connection().connection.client.meta.events.register("before-call.dynamodb", note)
    try:
        app.handler({}, lambda_context())
    finally:
        clients.client("sqs").meta.events.unregister("before-call.sqs", note)
        for row in rows:
            row._get_connection().connection.client.meta.events.unregister("before-call.dynamodb", note)
    assert calls == ["Query"] * (3 * 4 + 2 + 2 + 1 + 1)


def test_overdue_rows_are_counted(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The alarm for overdue rows reads this metric."""
    shop.hear(a_cart_event())
    capsys.readouterr()
    _wake(shop, NOON + HOUR + 3 * MINUTE)
    assert '"OverdueRuns":[1.0]' in capsys.readouterr().out


def test_only_what_is_late_is_stuck(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """What was put off is asked for when it is due; the alarm reads of what is still there three minutes later."""
    waiting = Message(
        who="u#1", id="m", run="r", journey="cart", path="1", channel=Channel.EMAIL, kind="marketing", template="t",
        planned_at=NOON, not_after=NOON + DAY, retry_at=NOON + HOUR,
    )  # fmt: skip
    assert base.commit([messages.write_message(waiting)])
    found = []
    for at in (-1, 0, 3 * MINUTE - 1, 3 * MINUTE):
        capsys.readouterr()
        _wake(shop, NOON + HOUR + at)
        found.append((len(read_queue("messages")), '"StuckMessages":[1.0]' in capsys.readouterr().out))
    assert found == [(0, False), (1, False), (1, False), (1, True)]


def test_before_the_first_rules_nothing_fails(tables: None, caplog: pytest.LogCaptureFixture) -> None:
    """A new stack has no rules and nobody to wake: no minute ends in a failure, and then in a record of one."""
    app.handler({"at": NOON}, lambda_context())
    assert caplog.messages == ["no rules yet"]


def test_rules_that_cannot_be_read_are_a_failure(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once there are any, that they are not found is none of what a new stack has."""
    monkeypatch.setattr("cartwake.gateways.bucket.read", lambda _: None)
    with pytest.raises(TryAgain):
        _wake(shop, NOON)


def test_forgotten_parts_of_a_sweep_are_asked_for(shop: Shop) -> None:
    """A part that is not done and has not moved for five minutes is asked for again, and no other."""
    parts = begin(SweepKind.LIVE, Aim(bundle="b", generation=1, began_at=NOON))
    assert base.commit(sweeps.begin(parts))
    done = go_on(parts[3], cursor="", found=Tally(), now=NOON)
    moved = go_on(parts[5], cursor="u#5", found=Tally(), now=NOON + MINUTE)
    assert sweeps.move(parts[3], done)
    assert sweeps.move(parts[5], moved)
    _wake(shop, NOON + 5 * MINUTE - 1)
    assert read_queue("sweeps") == []
    _wake(shop, NOON + 5 * MINUTE)
    assert [body["part"] for body in read_queue("sweeps")] == [0, 1, 2, 4, 6, 7]
