"""Statements: what a server says of a shopper, in whatever shape it says so."""

import random

import pytest
from builders import NOON, a_subscription, an_event, an_identify
from hypothesis import given
from hypothesis import strategies as st
from reference_person import Known
from strategies import any_event, histories

from cartwake.addresses import name_address
from cartwake.events import Event, Trust, own_event
from cartwake.knowledge import know
from cartwake.profiles import State, fold, merge, pack, unpack
from cartwake.registers import MOST_TRAITS
from cartwake.statements import MOST_FORMER, OF_SHOPPERS, Channel, hush, join_former, list_tags, read_channels
from cartwake.times import DAY

CONSENTS = [f"consent.{channel}{part}" for channel in OF_SHOPPERS for part in ("", ".at")]
NAMES = [*CONSENTS, "reachable.email", "reachable.sms", "country", "language", "locale", "timezone"]


def fold_all(events: list[Event]) -> State:
    state = State()
    for event in events:
        state = fold(state, event, {})
    return state


STATED = any_event(
    st.sampled_from([NOON, NOON + 1, NOON + DAY]),
    st.sampled_from(["Subscribed", "Unsubscribed", "Identified", "Tag Added", "Tag Removed", "Email Bounced"]),
    bots=st.integers(0, 9).map(lambda it: it == 9),
)


CONSENTED = any_event(st.sampled_from([NOON, NOON + 1]), st.sampled_from(["Subscribed", "Unsubscribed"]))


@given(
    histories(14, st.one_of(CONSENTED, STATED, any_event(bots=st.booleans()))),
    st.randoms(use_true_random=False),
    st.integers(0, 14),
)
def test_what_is_known_is_what_was_stated_last(events: list[Event], shuffler: random.Random, split: int) -> None:
    """In any order, any number of times, stored or merged on the way: the latest statements count."""
    known = Known(tuple(events))
    shuffled = shuffler.sample(events, len(events))
    left, right = (fold_all([*part, *part[:2]]) for part in (shuffled[:split], shuffled[split:]))
    for state in (merge(left, unpack(pack(right)), {}), merge(right, left, {}), fold_all(events)):
        assert [know(state, name) for name in NAMES] == [known.read(name) for name in NAMES]
        assert list_tags(state.tags) == sorted(known.read("tags"))
        for channel in OF_SHOPPERS:
            assert (know(state, f"consent.{channel}.method") or None) == known.read(f"consent.{channel}.method")


@pytest.mark.parametrize(
    ("told", "method"), [("form", "form"), (None, ""), (7, ""), ({"a": 1}, ""), ("x" * 300, "x" * 100), ("", "")]
)
def test_how_consent_was_given(told: object, method: str) -> None:
    """The method is a text, and not too long; whatever is none is as if nothing was said."""
    state = fold_all([an_event("Subscribed", properties={"channel": "email", "method": told})])
    assert know(state, "consent.email.method") == method
    assert know(state, "consent.sms.method") is None
    assert know(state, "consent.sms") == "never_asked"


def test_who_can_be_reached() -> None:
    """There is an address of a trusted source and a yes, and nothing came back from that address for good."""
    told = [an_identify("Ada@Example.com", at=NOON), a_subscription(at=NOON)]

    def bounce(address: str, kind: str, at: int) -> Event:
        properties = {"address_id": name_address(address), "bounce": kind}
        return own_event("u#1", "Email Bounced", id=f"b{at}", at=at, properties=properties)

    def is_reached(*more: Event) -> object:
        return know(fold_all([*told, *more]), "reachable.email")

    withdrawal = an_event("Unsubscribed", properties={"channel": "email"}, at=NOON + 9)
    assert is_reached()
    assert not is_reached(withdrawal)
    assert not is_reached(bounce("ada@example.com", "permanent", NOON + 1))
    assert is_reached(bounce("ada@example.com", "transient", NOON + 1))
    assert is_reached(bounce("old@example.com", "permanent", NOON + 1))
    assert is_reached(bounce("ada@example.com", "permanent", NOON + 1), an_identify("new@example.com", at=NOON + 2))
    assert not is_reached(an_identify("no address", at=NOON + 2))
    assert not know(fold_all(told[1:]), "reachable.email")
    assert not know(fold_all(told), "reachable.sms")


def test_tags_are_bounded() -> None:
    """Of too many tags those that were told last stay, in any order."""
    events = [an_event("Tag Added", at=NOON + n, properties={"tag": f"t{n}"}) for n in range(MOST_TRAITS + 20)]
    state = fold_all(events)
    assert len(state.tags) == MOST_TRAITS
    assert "t19" not in list_tags(state.tags)
    assert fold_all(events[::-1]).tags == state.tags
    assert not fold_all([an_event("Tag Added", properties={"tag": tag}) for tag in ("", "x" * 101, 7, None)]).tags


@pytest.mark.parametrize(
    "channel",
    [["email"], ["email", "sms"], "email", "Email", "EMAIL", " email ", ["Email"], [None, "eMail"], None, "", []],
)
def test_a_withdrawal_is_understood(channel: object) -> None:
    """A channel may be told as a list, in any case, or as nothing at all: no withdrawal is lost for that."""
    state = fold(State(), an_event("Unsubscribed", properties={"channel": channel}), {})
    assert not state.consents[Channel.EMAIL].subscribed
    assert (Channel.SMS in state.consents) is (channel == ["email", "sms"])


@pytest.mark.parametrize("channel", [{"email": True}, 7, [None], ["post"], "post"])
def test_what_is_no_channel_of_ours_states_nothing(channel: object) -> None:
    """And raises nothing."""
    assert not fold(State(), an_event("Unsubscribed", properties={"channel": channel}), {}).consents


@pytest.mark.parametrize(
    ("channel", "told"), [(None, []), ("", []), ([], []), ("Email", ["email"]), (["SMS ", None], ["sms"])]
)
def test_a_yes_is_for_what_it_names(channel: object, told: list[str]) -> None:
    """In any case; one that names nothing is none, for nobody agrees by leaving a field empty."""
    event = an_event("Subscribed", properties={"channel": channel})
    assert list(fold(State(), event, {}).consents) == told
    assert not hush(event).properties["channel"]
    assert read_channels(hush(event)) == []


FORMER = st.dictionaries(st.sampled_from([f"email#{n}" for n in range(14)]), st.integers(0, 3), max_size=MOST_FORMER)


@given(FORMER, FORMER, FORMER)
def test_addresses_of_before_are_joined(one: dict[str, int], two: dict[str, int], three: dict[str, int]) -> None:
    """In any order, any number of times; of too many those that were told last stay."""
    joined = join_former(join_former(one, two), three)
    assert joined == join_former(one, join_former(three, two)) == join_former(joined, two)
    told = {key: max(it.get(key, -1) for it in (one, two, three)) for key in {*one, *two, *three}}
    assert joined == dict(sorted(told.items(), key=lambda it: it[::-1])[-MOST_FORMER:])
    assert merge(State(former=one), State(former=two), {}).former == join_former(one, two)


def test_tags_are_one_whatever_their_case() -> None:
    """What was added as VIP is taken away as vip; what is shown is the latest spelling."""
    state = fold(State(), an_event("Tag Added", properties={"tag": "VIP"}, at=NOON), {})
    assert list_tags(state.tags) == ["VIP"]
    assert list_tags(fold(state, an_event("Tag Removed", properties={"tag": "vip"}, at=NOON + 1), {}).tags) == []
    assert list_tags(fold(state, an_event("Tag Added", properties={"tag": "Vip"}, at=NOON + 1), {}).tags) == ["Vip"]


def test_a_browser_tags_nobody() -> None:
    """A public key sets no tags."""
    assert not fold(State(), an_event("Tag Added", properties={"tag": "vip"}, trust=Trust.BROWSER), {}).tags
