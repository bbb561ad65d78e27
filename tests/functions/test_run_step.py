"""run_step: a step is a compare-and-advance, so late, doubled and outdated requests do nothing."""

from typing import Any

import pytest
from builders import NOON, a_cart_event
from shoppers import Shop, queue_event
from world import lambda_context, read_queue

from cartwake.errors import TryAgain
from cartwake.messages import MessageState
from cartwake.runs import Run
from cartwake.store import base, messages, quarantine, runs
from cartwake.times import HOUR, MINUTE
from functions.run_step import app


def _start(shop: Shop) -> Run:
    shop.hear(a_cart_event())
    (run,) = runs.list_runs("u#1", journey="cart")
    return run


def _ask(run: Run, **changes: Any) -> dict[str, Any]:
    return {"who": run.who, "run": run.key, "seq": run.seq} | changes


def test_a_schedule_moves_the_run_and_plans_the_message(shop: Shop) -> None:
    """At the end of the wait the message is planned and the next wait begins, in one transaction."""
    run = _start(shop)
    shop.now = NOON + HOUR
    app.handler(_ask(run), lambda_context())
    (moved,) = runs.list_runs("u#1")
    assert (moved.path, moved.seq, moved.due_at) == ("2", 1, shop.now + 23 * HOUR)
    (message,) = messages.list_messages("u#1")
    assert (message.state, message.path) == (MessageState.PLANNED, "1")
    assert read_queue("messages") == [{"who": "u#1", "message": message.id}]


def test_a_doubled_schedule_does_nothing(shop: Shop) -> None:
    """Scheduler delivers at least once; the second finds the run elsewhere."""
    run = _start(shop)
    shop.now = NOON + HOUR
    app.handler(_ask(run), lambda_context())
    app.handler(_ask(run), lambda_context())
    assert len(messages.list_messages("u#1")) == 1
    assert runs.list_runs("u#1")[0].seq == 1


def test_too_early_does_nothing(shop: Shop) -> None:
    """A step that is asked for before its time stays where it is."""
    run = _start(shop)
    shop.now = NOON + MINUTE
    app.handler(_ask(run), lambda_context())
    assert runs.list_runs("u#1") == [run]


def test_without_a_position_it_goes_on_from_where_it_stands(shop: Shop) -> None:
    """What `wake` asks for has no position: the row says where the run is."""
    run = _start(shop)
    shop.now = NOON + HOUR
    answer = app.handler(queue_event({"who": run.who, "run": run.key}), lambda_context())
    assert answer == {"batchItemFailures": []}
    assert runs.list_runs("u#1")[0].seq == 1


def test_two_at_once_plan_one_message(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two functions that move one run only one does; the other asks again and finds it moved."""
    run = _start(shop)
    shop.now = NOON + HOUR
    real, raced = base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            app.step(_ask(run), shop.now)
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    with pytest.raises(TryAgain):
        app.step(_ask(run), shop.now)
    app.step(_ask(run), shop.now)
    assert len(messages.list_messages("u#1")) == 1


def test_one_step_is_one_transaction(shop: Shop) -> None:
    """The advance and the message that it plans are one transaction: three reads, one write."""
    from cartwake.store.base import _connection

    run = _start(shop)
    shop.now = NOON + HOUR
    app.load_live(shop.now)
    calls: list[str] = []

    def note(model: Any, **_: Any) -> None:
        calls.append(model.name)

    clients = [_connection().client, runs.RunRow._get_connection().connection.client]
    clients.append(app.profiles.ProfileRow._get_connection().connection.client)
    for client in clients:
        client.meta.events.register("before-call.dynamodb", note)
    try:
        app.step(_ask(run), shop.now)
    finally:
        for client in clients:
            client.meta.events.unregister("before-call.dynamodb", note)
    assert calls == ["GetItem", "GetItem", "TransactWriteItems"]


def test_an_unknown_run_is_no_error(shop: Shop) -> None:
    """A schedule whose run is gone ends there."""
    app.handler({"who": "u#9", "run": "cart#none", "seq": 0}, lambda_context())


def test_poison_is_set_aside(shop: Shop) -> None:
    """A body that nobody can read is kept, and its neighbours are done."""
    run = _start(shop)
    shop.now = NOON + HOUR
    event = queue_event({"nonsense": 1}, _ask(run))
    assert app.handler(event, lambda_context()) == {"batchItemFailures": []}
    assert runs.list_runs("u#1")[0].seq == 1
    assert [it.reason for it in quarantine.list_refusals("?")] == ["poison"]
