"""Visits: when somebody was seen first and last, on which device, and what brought them."""

import itertools
import random
import time
from typing import Any

import pytest
from builders import NOON, an_event
from hypothesis import given
from hypothesis import strategies as st
from reference_person import AGENTS, Known
from strategies import any_event, histories

from cartwake.events import Event, Trust
from cartwake.knowledge import know
from cartwake.profiles import State, fold, merge, pack, unpack
from cartwake.times import DAY
from cartwake.visits import UTM, read_utm

NAMES = ("first_seen", "last_seen", "device", *(f"{visit}_visit.{tag}" for visit in ("first", "last") for tag in UTM))


def fold_all(events: list[Event]) -> State:
    state = State()
    for event in events:
        state = fold(state, event, {})
    return state


def seen(**context: Any) -> Event:
    return an_event(context=context)


@given(histories(12, any_event(bots=st.booleans())), st.randoms(use_true_random=False), st.integers(0, 12))
def test_visits_are_those_of_the_reference(events: list[Event], shuffler: random.Random, split: int) -> None:
    """In any order, any number of times, stored or merged on the way: first and last are what the events say."""
    known = Known(tuple(events))
    shuffled = shuffler.sample(events, len(events))
    left, right = (fold_all([*part, *part[:2]]) for part in (shuffled[:split], shuffled[split:]))
    for state in (merge(left, unpack(pack(right)), {}), merge(right, left, {}), fold_all(events)):
        assert [know(state, name) for name in NAMES] == [known.read(name) for name in NAMES]


@pytest.mark.parametrize(("agent", "device"), AGENTS.items())
def test_the_device_is_told_by_the_user_agent(agent: str, device: str | None) -> None:
    """Phones, tablets and desktops are told apart; whatever else calls is none of them."""
    assert know(fold_all([seen(userAgent=agent)]), "device") == device


@pytest.mark.parametrize(
    ("told", "device"),
    [
        ({"type": "mobile"}, "mobile"),
        ({"type": "Phone"}, "mobile"),
        ({"type": "TABLET"}, "tablet"),
        ({"type": "tv"}, "desktop"),
        ({"type": 7}, "desktop"),
        ({"type": None}, "desktop"),
        ({"type": ["mobile"]}, "desktop"),
        ("mobile", "desktop"),
        (None, "desktop"),
    ],
)
def test_what_the_client_says_of_its_device_comes_first(told: Any, device: str) -> None:
    """A kind that we know counts more than the user agent; nothing else does any harm."""
    assert know(fold_all([seen(device=told, userAgent="Mozilla/5.0 (X11; Linux x86_64)")]), "device") == device


def test_a_device_stays_until_another_is_used() -> None:
    """An event that says nothing of a device, or comes late, changes none."""
    phone, laptop = {"device": {"type": "mobile"}}, {"device": {"type": "desktop"}}
    events = [an_event(at=NOON, context=phone), an_event(at=NOON + 1), an_event(at=NOON - 1, context=laptop)]
    assert know(fold_all(events), "device") == "mobile"
    assert know(fold_all([*events, an_event(at=NOON + 2, context=laptop)]), "device") == "desktop"


@pytest.mark.parametrize("agent", ["Android " * 4_000 + "Mobile", "iPad" * 8_000, "Mozilla/5.0 " + "(" * 30_000, ""])
def test_a_long_user_agent_costs_no_time(agent: str) -> None:
    """However long and odd it is, it is read in a moment."""
    began = time.process_time()
    for _ in range(20):
        fold_all([seen(userAgent=agent)])
    assert time.process_time() - began < 0.1


SHOP = "https://shop.example.com/p"


@pytest.mark.parametrize(
    ("event", "tags"),
    [
        (seen(campaign={"source": "news", "medium": "email", "name": "may", "term": "a", "content": "b"}),
         {"utm_source": "news", "utm_medium": "email", "utm_campaign": "may", "utm_term": "a", "utm_content": "b"}),
        (seen(page={"url": f"{SHOP}?utm_source=google&utm_campaign=s%20%C4%87&x=1#top"}),
         {"utm_source": "google", "utm_campaign": "s ć"}),
        (an_event(properties={"url": f"{SHOP}?utm_source=google&utm_source=bing"}), {"utm_source": "bing"}),
        (an_event(properties={"url": f"{SHOP}?utm_source=&utm_medium="}), {}),
        (seen(campaign={}, page={"url": f"{SHOP}?utm_source=google"}), {"utm_source": "google"}),
        (seen(campaign={"source": "a"}, page={"url": f"{SHOP}?utm_source=b&utm_term=c"}), {"utm_source": "a"}),
        (seen(campaign={"source": 7, "medium": None, "name": ""}), {}),
        (seen(campaign={"source": "x" * 500}), {"utm_source": "x" * 200}),
        (seen(page={"url": "https://[half/?utm_source=google"}), {}),
        (seen(page=[f"{SHOP}?utm_source=google"]), {}),
        (an_event(properties={"url": [f"{SHOP}?utm_source=google"]}), {}),
        (an_event(properties={"url": f"{SHOP}?source=google"}), {}),
    ],
)  # fmt: skip
def test_the_utm_tags_of_an_event(event: Event, tags: dict[str, str]) -> None:
    """The campaign that the client tells, else the address of the page; what is no text is none."""
    assert read_utm(event) == tags


def test_the_first_and_the_last_visit_that_came_with_tags() -> None:
    """A visit without tags is neither; a tag that a visit did not have is not taken from another."""
    events = [
        an_event(at=NOON),
        an_event(at=NOON + 1, properties={"url": f"{SHOP}?utm_source=google&utm_term=a"}),
        an_event(at=NOON + 2, properties={"url": f"{SHOP}?utm_source=news"}),
        an_event(at=NOON + 3),
    ]
    state = fold_all(events)
    told = [know(state, f"{visit}_visit.{tag}") for visit in ("first", "last") for tag in ("utm_source", "utm_term")]
    assert told == ["google", "a", "news", None]


def test_of_two_at_one_instant_one_is_always_the_last() -> None:
    """Ties are broken by the event, not by which of them came in first."""
    events = [
        an_event(id=name, context={"device": {"type": device}, "campaign": {"source": name}, "locale": name})
        for name, device in (("a", "mobile"), ("b", "tablet"), ("c", "desktop"))
    ]
    states = [fold_all(list(order)) for order in itertools.permutations(events)]
    for name in (*NAMES, "locale"):
        assert len({know(state, name) for state in states}) == 1


def test_our_own_events_are_no_visits() -> None:
    """What we assert ourselves says nothing of a device, and is not seen."""
    own = an_event(trust=Trust.OWN, at=NOON + DAY, context={"device": {"type": "mobile"}, "campaign": {"source": "a"}})
    assert fold_all([an_event(), own]).last_seen_at == NOON
    assert know(fold_all([own]), "device") is None
    assert know(fold_all([own]), "first_seen") is None
    assert know(fold_all([own]), "last_seen") is None
    assert know(fold_all([own]), "last_visit.utm_source") is None
