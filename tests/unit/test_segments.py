"""Segments: what an event can change is looked at again, and journeys hear what is theirs to hear."""

from typing import Any

import msgspec
import pytest
from builders import CART, NEEDS, NOON, VIP_THANKS, a_bundle, a_subscription, an_event

import cartwake.events
from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Condition, Did, Trait
from cartwake.events import Event, Trust, short_id
from cartwake.journeys import Journey, Trigger
from cartwake.profiles import Profile
from cartwake.segments import Signal, SignalKind, absorb, adopt, is_member
from cartwake.trackers import Need
from cartwake.values import Exists, Is

IN_OSLO = Trait(name="address.city", test=Is(("Oslo",)))


def _rules(where: Condition = IN_OSLO, **changes: Any) -> Bundle:
    segment = Segment(title="Here", where=where, traits=("address.city",), changed_generation=1)
    hello = Journey(title="Hello", status="live", trigger=Trigger(entered="here"))
    return a_bundle(**{"segments": {"here": segment}, "journeys": {"hello": hello}} | changes)


def _told(events: list[Event], rules: Bundle) -> tuple[Profile, list[Signal]]:
    profile, signals = adopt(Profile(who="u#1"), rules, NOON), []
    for event in events:
        profile, told = absorb(profile, event, rules)
        signals += told
    return profile, signals


def _is_here(*told: dict[str, Any], rules: Bundle | None = None) -> bool:
    events = [an_event("Identified", traits=traits, at=NOON + index) for index, traits in enumerate(told)]
    profile, _ = _told(events, rules or _rules())
    return is_member(profile.state.memberships.get("here"))


def test_who_is_in_a_segment_stays_while_that_is_not_known() -> None:
    """A rule that needs history which is not there yet says nothing: whoever was in stays in, and nobody enters."""
    profile, _ = _told([an_event("Identified", traits={"address": {"city": "Oslo"}})], _rules())
    stranger, _ = _told([an_event("Identified", traits={"address": {"city": "Kyiv"}})], _rules())
    needs = NEEDS | {"new": Need(event="Page Viewed", latest=3)}
    for op, count in (("at_least", 1), ("at_most", 0)):
        where = msgspec.convert({"kind": "did", "tracker": "new", "op": op, "count": count}, Did)
        later = Segment(title="Here", where=where, events=("Page Viewed",), changed_generation=2)
        rules = _rules(segments={"here": later}, needs=needs, generation=2)
        for before, is_in in ((profile, True), (stranger, False)):
            after = adopt(msgspec.structs.replace(before, version=1), rules, NOON + 1)
            assert is_member(after.state.memberships.get("here")) is is_in


def test_a_dotted_trait_is_found_inside_another() -> None:
    """`address.city` is the city in the object `address`; a trait of that full name comes first."""
    assert _is_here({"address": {"city": "Oslo"}})
    assert _is_here({"address.city": "Oslo"})
    assert _is_here({"address": {"city": "Kyiv"}, "address.city": "Oslo"})
    assert not _is_here({"address": {"city": "Oslo"}, "address.city": "Kyiv"})
    assert not _is_here({"address": "Oslo"})
    assert not _is_here({"city": "Oslo"})
    deep = Trait(name="address.home.city", test=Exists())
    assert _is_here({"address": {"home": {"city": "Oslo"}}}, rules=_rules(deep))


@pytest.mark.parametrize("name", ["address.city", "address"])
def test_a_change_around_a_dotted_trait_is_noticed(name: str) -> None:
    """When an object changes, or the trait of the full name, what reads inside of it is looked at again."""

    def city(value: str) -> dict[str, Any]:
        return {name: value if "." in name else {"city": value}}

    assert _is_here(city("Kyiv"), city("Oslo"))
    assert not _is_here(city("Oslo"), city("Kyiv"))


@pytest.mark.parametrize("name", ["Subscribed", "Unsubscribed"])
def test_a_browsers_word_on_consent_moves_nothing(name: str) -> None:
    """A browser's key is public: what it says of consent is stored, and starts, ends and counts nothing."""
    heard = Journey(title="Heard", status="live", trigger=Trigger(event=name, tracker="heard"))
    needs = NEEDS | {"heard": Need(event=name, latest=5)}
    segment = Segment(title="Here", where=Did(tracker="heard"), events=(name,), changed_generation=1)
    rules = a_bundle(needs=needs, segments={"here": segment}, journeys={"heard": heard})
    for trust, moves in ((Trust.BROWSER, False), (Trust.SERVER, True), (Trust.OWN, True)):
        profile, signals = _told([an_event(name, properties={"channel": "email"}, trust=trust)], rules)
        assert [signal.name for signal in signals] == ([name] if moves else [])
        assert is_member(profile.state.memberships.get("here")) is moves


@pytest.mark.parametrize(("status", "heard"), [("live", True), ("paused", True), ("draft", False), ("archived", False)])
def test_only_journeys_that_can_have_runs_are_told(status: str, heard: bool) -> None:
    """Drafts and archived journeys cost no signal, neither of events nor of segments."""
    cart = Journey(title="Cart", status=status, trigger=Trigger(event="Page Viewed"), exits=(Trigger(left="vip"),))
    rules = a_bundle(journeys={"cart": cart})
    assert ("Page Viewed" in rules.signalled_events) is heard
    assert ("vip" in rules.signalled_segments) is heard
    assert [signal.kind for signal in _told([an_event()], rules)[1]] == ([SignalKind.HAPPENED] if heard else [])
    assert a_bundle(journeys={"cart": CART, "thanks": VIP_THANKS}).signalled_events == {
        "Product Added",
        "Order Completed",
    }


def test_an_event_is_hashed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The short id of an event is a function of its key, worked out once however often it is asked for."""
    asked: list[str] = []
    monkeypatch.setattr(cartwake.events, "short_id", lambda text: asked.append(text) or short_id(text))
    event = a_subscription()
    _told([event, event], a_bundle())
    assert asked == [event.key]
    assert event.short_id == short_id(event.key)
    assert a_subscription() == event
