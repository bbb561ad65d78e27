"""Devices: where push messages go, told in any order."""

import random
from typing import Any

import pytest
from builders import NOON, an_event, an_identify
from hypothesis import given
from hypothesis import strategies as st

from cartwake import devices
from cartwake.addresses import mask, normalise
from cartwake.capture.intake import _keep_context
from cartwake.events import Event, Trust, own_event
from cartwake.identity import weigh
from cartwake.knowledge import know
from cartwake.profiles import Profile, State, fold, merge, pack, unpack
from cartwake.registers import Register
from cartwake.statements import Channel

TOKENS = [f"token-of-device-{number}" for number in range(8)]


def a_device(token: str | None = TOKENS[0], *, device: Any = "d-0", **changes: Any) -> Event:
    """Return an event of the shopper's server that tells of a device; None: of one that is gone."""
    at, name = changes.get("at", NOON), changes.pop("name", "Application Opened")
    told = {"id": device, "type": "ios", "token": token or ""}
    return an_event(name, **{"id": f"m-{device}-{token}-{at}", "context": {"device": told}} | changes)


def a_bounce(device: str = "d-0", *, at: int = NOON) -> Event:
    told = {"device": device, "address_id": "x", "bounce": "permanent"}
    return own_event("u#1", devices.BOUNCED, id=f"b-{device}-{at}", at=at, properties=told)


def fold_all(events: list[Event]) -> State:
    state = State()
    for event in events:
        state = fold(state, event, {})
    return state


SAID = st.one_of(
    st.builds(
        lambda token, device, at, name, trust: a_device(token, device=f"d-{device}", at=at, name=name, trust=trust),
        st.sampled_from([*TOKENS, None]),
        st.integers(0, 7),
        st.integers(NOON, NOON + 5),
        st.sampled_from(["Application Opened", "Application Opened", devices.UNINSTALLED]),
        st.sampled_from([Trust.SERVER, Trust.SERVER, Trust.BROWSER]),
    ),
    st.builds(lambda device, at: a_bounce(f"d-{device}", at=at), st.integers(0, 7), st.integers(NOON, NOON + 5)),
)


@given(
    st.lists(SAID, max_size=20, unique_by=lambda event: event.key),
    st.randoms(use_true_random=False),
    st.integers(0, 20),
)
def test_the_devices_that_were_told_last_are_kept(told: list[Event], shuffler: random.Random, split: int) -> None:
    """In any order, doubled, stored or merged on the way: of each device what was said last, of all the last five."""
    last: dict[str, Register] = {}
    for event in sorted(told, key=lambda it: (it.occurred_at, it.short_id)):
        key = event.properties.get("device") or event.context["device"]["id"]
        token = event.context["device"]["token"] if "device" in event.context else ""
        gone = event.name == devices.UNINSTALLED or not token
        if event.trust is not Trust.BROWSER:
            last[key] = Register("" if gone else f"ios {token}", event.occurred_at, event.short_id)
    kept = dict(sorted(last.items(), key=lambda it: (it[1].at, it[1].id))[-devices.MOST :])
    live = [it for it in sorted(kept.values(), key=lambda it: (it.at, it.id)) if it.value]
    shuffled = shuffler.sample(told, len(told))
    left, right = (fold_all([*part, *part[:2]]) for part in (shuffled[:split], shuffled[split:]))
    for state in (merge(left, unpack(pack(right)), {}), merge(right, left, {}), fold_all(told)):
        assert state.devices == kept
        assert state.contacts.get(Channel.PUSH) == (live[-1] if live else None)


@pytest.mark.parametrize(
    "told",
    [
        None,
        "ios",
        {},
        {"type": "ios"},
        {"type": "ios", "token": "short"},
        {"type": "ios", "token": "with spaces in the token"},
        {"type": "windows", "token": TOKENS[0]},
        {"type": "ios", "token": "x" * 1_001},
        {"type": "ios", "token": ["a list that is long enough"]},
        {"type": None, "token": TOKENS[0]},
        {"token": ""},
    ],
)
def test_what_is_no_device_is_passed_over(told: Any) -> None:
    """An event with it counts as any other."""
    state = fold_all([an_event(context={"device": told})])
    assert (state.devices, Channel.PUSH in state.contacts) == ({}, False)


def test_a_new_token_takes_the_place_of_the_old_one() -> None:
    """A device is one by its own id; without an id its token is it."""
    state = fold_all([a_device(TOKENS[0]), a_device(TOKENS[1], at=NOON + 1)])
    assert [it.value for it in state.devices.values()] == [f"ios {TOKENS[1]}"]
    assert len(fold_all([a_device(it, device=None) for it in TOKENS[:2]]).devices) == 2


def test_a_browsers_word_makes_no_device() -> None:
    """A public key is in every app: nobody is sent a shopper's messages by saying that a device is theirs."""
    assert fold_all([a_device(trust=Trust.BROWSER), a_device(at=NOON + 1, bot=True)]).devices == {}
    hearsay = a_device(who="a#1", anonymous_id="1", user_id="1")
    profile = Profile(who="u#1", state=State(sources=("a#1",)))
    assert fold(profile.state, weigh(profile, hearsay), {}).devices == {}


def test_a_token_is_stored_of_servers_alone() -> None:
    """Of a browser's device the type is kept, of a server's what reaches it, or that nothing does any more."""
    told = {"device": {"id": "d-0", "type": "ios", "token": TOKENS[0], "name": "Ada's phone"}}
    assert _keep_context(told, trusted=False) == {"device": {"type": "ios"}}
    assert _keep_context(told, trusted=True) == {"device": {"id": "d-0", "type": "ios", "token": TOKENS[0]}}
    gone = {"device": {"id": "d-0", "token": None}}
    assert _keep_context(gone, trusted=True) == {"device": {"id": "d-0", "token": ""}}
    assert _keep_context({"device": {"name": "x"}}, trusted=True) == {}


def test_who_is_reachable_by_push() -> None:
    """There is a device and a yes; a device that bounced is none until it is told again."""
    yes = an_event("Subscribed", properties={"channel": ["email", "push"]}, at=NOON + 1)
    events = [an_identify(), a_device(), yes]
    assert know(fold_all(events), "reachable.push") is True
    assert know(fold_all([an_identify(), yes]), "reachable.push") is False
    assert know(fold_all([an_identify(), a_device()]), "reachable.push") is False
    dropped = [*events, a_bounce(at=NOON + 2)]
    assert know(fold_all(dropped), "reachable.push") is False
    assert know(fold_all([*dropped, a_device(at=NOON + 3)]), "reachable.push") is True


def test_who_was_on_a_device_later_has_it() -> None:
    """From whoever was there before it goes, and their earlier words bring it back to nobody."""
    state = fold_all([a_device(at=NOON), a_device(TOKENS[1], device="d-1", at=NOON - 1)])
    left = devices.hand_over(state.devices, f"ios {TOKENS[0]}", Register("", NOON + 5, 1))
    assert list(devices.list_addresses(left)) == [f"ios {TOKENS[1]}"]
    again = devices.join(left, devices.read(a_device(at=NOON + 4)))
    assert list(devices.list_addresses(again)) == [f"ios {TOKENS[1]}"]
    assert devices.find_last(devices.join(left, devices.read(a_device(at=NOON + 6)))).value == f"ios {TOKENS[0]}"


def test_a_token_is_shown_to_nobody() -> None:
    """Its owner is shown what kind of device it is."""
    assert [mask(Channel.PUSH, f"{it} {TOKENS[0]}") for it in devices.PLATFORMS] == ["iOS", "Android"]
    assert normalise(Channel.PUSH, f" IOS {TOKENS[0]}") == f"ios {TOKENS[0]}"
