"""derive_segments: poison blocks nobody, conflicts are retried, and one event costs one write."""

from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_cart_event, an_event, an_identify, an_order, publish
from world import client, lambda_context

from cartwake.errors import TryAgain
from cartwake.events import Event, Trust
from cartwake.journeys import Journey, Trigger
from cartwake.profiles import Kind, Profile
from cartwake.segments import Signal
from cartwake.store import base, events, profiles, quarantine
from cartwake.store.base import unsqueeze
from cartwake.times import DAY, NEVER
from cartwake.trackers import Need
from functions.derive_segments import app


@pytest.fixture(autouse=True)
def rules(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules are live, and it is noon."""
    publish(a_bundle())
    monkeypatch.setattr(app, "read_clock", lambda: NOON)


def _record(event: Event) -> dict[str, Any]:
    from base64 import b64encode

    row = events._to_row(event)
    image = {"who": {"S": event.who}, "key": {"S": event.key}, "body": {"B": b64encode(row.body).decode()}}
    return {
        "eventID": event.id,
        "eventName": "INSERT",
        "dynamodb": {"Keys": {"who": {"S": event.who}}, "NewImage": image},
    }


def _derive(*news: Event) -> None:
    events.put_events(news)
    app.handler({"Records": [_record(event) for event in news]}, lambda_context())


def _signals(who: str) -> list[Signal]:
    item = client("dynamodb").get_item(TableName="profiles", Key={"who": {"S": who}})["Item"]
    return msgspec.msgpack.decode(unsqueeze(item["signals"]["B"]), type=list[Signal]) if "signals" in item else []


def test_poison_among_good_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poison event is set aside whole, and every good one of the same shopper and of others is folded."""
    real = app.absorb

    def absorb(profile: Profile, event: Event, *rest: Any) -> Any:
        if event.id == "poison":
            raise ZeroDivisionError
        return real(profile, event, *rest)

    monkeypatch.setattr(app, "absorb", absorb)
    good = [an_order(id="before", at=NOON - 2), an_order(id="after", at=NOON - 1), an_order(id="x", who="u#2")]
    _derive(good[0], an_event(id="poison"), good[1], good[2])
    assert len(profiles.get_profile("u#1").state.trackers["orders"].entries) == 2
    assert profiles.get_profile("u#2").version == 1
    (kept,) = quarantine.list_refusals("u#1")
    assert (kept.reason, kept.where) == ("poison", "ZeroDivisionError")


def test_unreadable_record_is_set_aside() -> None:
    """A record that is no event at all blocks nobody."""
    broken = {"eventID": "e1", "dynamodb": {"Keys": {"who": {"S": "u#9"}}, "NewImage": {"body": {"B": "eHg="}}}}
    app.handler({"Records": [broken, _record(an_order())]}, lambda_context())
    assert profiles.get_profile("u#1").version == 1
    assert [it.reason for it in quarantine.list_refusals("u#9")] == ["poison"]


def test_transient_failure_raises_after_the_others_were_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """What can be processed is; then the batch is raised, and doing it again is harmless."""
    real = base.commit

    def commit(writes: Any, **options: Any) -> bool:
        if writes[0].row.who == "u#1":
            raise TryAgain("throttled")
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    with pytest.raises(TryAgain):
        _derive(an_order(), an_order(who="u#2"))
    assert profiles.get_profile("u#2").version == 1
    monkeypatch.setattr(app.base, "commit", real)
    _derive(an_order(), an_order(who="u#2"))
    assert profiles.get_profile("u#1").version == 1
    assert profiles.get_profile("u#2").version == 1


def test_a_write_that_lost_is_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two functions on one profile: the second reads again, and both events are in it."""
    real, raced = base.commit, []

    def commit(writes: Any, **options: Any) -> bool:
        if not raced:
            raced.append(True)
            app.derive("u#1", [an_order(id="other")], now=NOON)
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    _derive(an_order(id="one"))
    assert len(profiles.get_profile("u#1").state.trackers["orders"].entries) == 2


def test_one_batch_of_one_shopper_is_one_read_and_one_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred events of one shopper cost one read and one ordinary write, not a transaction."""
    app.load_live(NOON)
    calls: list[str] = []
    session = profiles.ProfileRow._get_connection().connection.client
    session.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
    _derive(*[an_order(id=f"o{index}", at=NOON - index) for index in range(100)])
    assert calls == ["GetItem", "PutItem"]


def test_signals_are_of_this_write_only() -> None:
    """Each write replaces the signals: the next one does not say the old ones again."""
    _derive(a_cart_event())
    assert [signal.name for signal in _signals("u#1")] == ["Product Added"]
    _derive(an_event("Page Viewed", at=NOON + 1))
    assert _signals("u#1") == []


def test_every_event_is_evaluated_not_every_batch() -> None:
    """Entering and leaving within one batch are both signalled, however the batch is cut."""
    orders = [an_order(id=f"o{index}", at=NOON - 3 + index) for index in range(3)]
    _derive(*orders)
    assert profiles.get_profile("u#1").state.memberships["vip"].since == NOON - 1


def test_a_trigger_that_leaves_no_trace_is_signalled_however_the_batch_is_cut() -> None:
    """Older than all that the profile keeps, it changes nothing there, and is written for its signal alone."""
    back = Journey(
        title="Back", status="live", trigger=Trigger(event="Back In Stock", tracker="back"), key="product_id"
    )
    needs = a_bundle().needs | {"back": Need(event="Back In Stock", latest=5)}
    publish(a_bundle(generation=2, needs=needs, journeys={"back": back}))
    told = [
        an_event("Back In Stock", id=f"p{index}", occurred_at=NOON - index, received_at=NOON) for index in range(10)
    ]
    _derive(an_identify(at=NOON - DAY))
    _derive(*told[:6])
    kept, heard = profiles.get_profile("u#1"), {it.source for it in _signals("u#1")}
    _derive(*told[6:])
    after = profiles.get_profile("u#1")
    assert (after.state, after.version) == (kept.state, kept.version + 1)
    assert heard | {it.source for it in _signals("u#1")} == {it.key for it in told}
    _derive(told[0])
    assert profiles.get_profile("u#1").version == after.version


def test_bots_leave_no_profile() -> None:
    """A crawler's page views found no profile."""
    _derive(an_event(bot=True, who="a#bot"))
    assert profiles.get_profile("a#bot").version == 0


def test_erased_stays_erased() -> None:
    """Events of a shopper who was erased are refused with the reason, and nothing is folded."""
    row = profiles.ProfileRow("u#1", kind=Kind.TOMBSTONE.value, version=3)
    assert base.commit([base.Put(row)])
    _derive(an_order())
    assert profiles.get_profile("u#1").kind is Kind.TOMBSTONE
    assert [it.reason for it in quarantine.list_refusals("u#1")] == ["erased"]


def test_late_events_of_a_merged_visitor_find_their_profile() -> None:
    """After a visitor was named, what their browser still sends is folded into the named profile."""
    _derive(an_event(user_id="1", anonymous_id="x"))
    assert profiles.get_profile("a#x").kind is Kind.POINTER
    _derive(an_order(who="a#x", anonymous_id="x"))
    assert len(profiles.get_profile("u#1").state.trackers["orders"].entries) == 1


def test_a_shared_browser_merges_nobody_else() -> None:
    """A browser that two users have used belongs to the first; the second stays apart."""
    _derive(an_event(user_id="1", anonymous_id="x"))
    _derive(an_event(user_id="2", anonymous_id="x", id="other"))
    assert profiles.resolve_profile("a#x").who == "u#1"
    assert profiles.get_profile("u#2").keys == ("u#2",)


def test_more_than_twenty_merges_a_day_are_refused() -> None:
    """A client that names one user with browser after browser is stopped, with a reason."""
    for index in range(22):
        anonymous = f"x{index}"
        _derive(an_event(who=f"a#{anonymous}", anonymous_id=anonymous, id=f"a{index}"))
        _derive(an_event(user_id="1", anonymous_id=anonymous, id=f"b{index}", at=NOON + index))
    assert len(profiles.get_profile("u#1").state.sources) == 20
    assert {it.reason for it in quarantine.list_refusals("u#1")} == {"too_many_merges"}


def test_an_older_generation_never_writes() -> None:
    """A function that still has older rules looks for the newer ones before it touches a profile."""
    publish(a_bundle(generation=2))
    _derive(an_order())
    assert profiles.get_profile("u#1").generation == 2
    from cartwake import live

    live._kept.live = app.load_live.__globals__["bundles"].Live("stale", 1)
    live._kept.whole = "stale", a_bundle()
    live._kept.looked_at = NOON
    _derive(an_order(id="next"))
    assert profiles.get_profile("u#1").generation == 2


def test_wake_re_evaluates_and_arms_exactly() -> None:
    """A wake moves the profile's index to the next expiry, later or never."""
    _derive(*[an_order(id=f"o{index}", at=NOON - index) for index in range(3)])
    due = profiles.get_profile("u#1").wake_at
    assert due < NEVER
    app.derive("u#1", (), now=due)
    assert profiles.get_profile("u#1").wake_at == NEVER


def test_browsers_claim_no_identity() -> None:
    """An address that a browser asserts joins no profiles and is no address."""
    _derive(an_identify(trust=Trust.BROWSER))
    assert profiles.get_profile("u#1").address_keys == {}


def test_a_secret_that_cannot_be_read_is_no_poison(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of another service is tried again; no event is set aside for it."""
    from cartwake.gateways import secrets

    monkeypatch.setenv("SECRET_ARN", "missing")
    secrets._secret.cache_clear()
    with pytest.raises(TryAgain):
        _derive(an_identify())
    assert quarantine.list_refusals("u#1") == []
