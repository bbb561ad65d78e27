"""Identity: who is whom, and who may become one person with whom."""

from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_subscription, an_event

from cartwake.events import Arrival, Event, Trust
from cartwake.identity import (
    MOST_BROWSERS,
    MOST_MERGES_A_DAY,
    MOST_SOURCES,
    Ruling,
    choose_survivor,
    find_visitors,
    join,
    judge,
    judge_arrival,
    note_arrival,
    vouch,
    weigh,
)
from cartwake.profiles import Profile, Register, State, merge
from cartwake.statements import Channel, Consent
from cartwake.times import DAY


def _person(who: str, **changes: Any) -> Profile:
    version = changes.pop("version", 1)
    return Profile(who=who, version=version, state=State(**changes))


def _at(email: str) -> dict[Channel, Register]:
    return {Channel.EMAIL: Register(email, NOON, 1)}


@pytest.mark.parametrize(
    ("told", "visitors"),
    [
        ({"user_id": "1", "anonymous_id": "x"}, ["a#x"]),
        ({"user_id": "1", "anonymous_id": "x", "previous_id": "y"}, ["a#x", "a#y"]),
        ({"user_id": "1", "anonymous_id": "x", "previous_id": "x"}, ["a#x"]),
        ({"user_id": "1", "anonymous_id": "1"}, []),
        ({"user_id": "1"}, []),
        ({"anonymous_id": "x"}, []),
        ({"user_id": "1", "anonymous_id": "x", "bot": "curl"}, []),
    ],
)
def test_of_whom_an_event_says_that_they_are_its_user(told: dict[str, Any], visitors: list[str]) -> None:
    """Each once; nobody is their own visitor, and what a robot says of people is not believed."""
    assert find_visitors(an_event(**told)) == visitors


def test_two_known_users_never_become_one() -> None:
    """Whoever says so; a visitor and a user do, and two visitors."""
    assert judge(_person("u#1"), _person("u#2"), NOON, trusted=True) is Ruling.TWO_KNOWN_USERS
    for left, right in (("u#1", "a#x"), ("a#x", "u#1"), ("a#x", "a#y")):
        assert judge(_person(left), _person(right), NOON, trusted=True) is Ruling.JOIN


def _arrival(visitor: str = "a#x", *, at: int = NOON, message: str = "m", **more: Any) -> Event:
    return an_event(who=visitor, arrival=Arrival("u#1", message, at), trust=Trust.BROWSER, **more)


def test_who_comes_by_a_link_is_its_reader_once() -> None:
    """For each time that the link is followed one browser, and so many by the links of one message."""
    reader = _person("u#1")
    for number in range(MOST_BROWSERS):
        event = _arrival(f"a#{number}", at=NOON + number)
        assert judge_arrival(reader, _person(event.who), event, NOON) is Ruling.JOIN
        reader = note_arrival(note_arrival(reader, event), event)
        assert judge_arrival(reader, _person("a#x"), _arrival(at=NOON + number), NOON) is Ruling.LINK_USED
    assert judge_arrival(reader, _person("a#x"), _arrival(at=NOON + 9), NOON) is Ruling.LINK_USED
    assert judge_arrival(reader, _person("a#x"), _arrival(message="m2"), NOON) is Ruling.JOIN
    assert len(reader.state.arrivals) == MOST_BROWSERS


def test_arrivals_are_a_join_and_few() -> None:
    """The last fifty of both, in any order; what one of two profiles knows of a click the other one knows then."""
    left = right = State()
    for number in range(80):
        event = _arrival(f"a#{number}", at=NOON + number)
        left = note_arrival(_person("u#1", arrivals=left.arrivals), event).state
        if number % 2:
            right = note_arrival(_person("u#1", arrivals=right.arrivals), event).state
    assert len(left.arrivals) == 50
    assert merge(left, right, {}).arrivals == merge(right, left, {}).arrivals == left.arrivals
    assert min(at for at, _, _ in left.arrivals) == NOON + 30


def _says(name: str, value: Any) -> dict[str, Any]:
    return {"traits": {name: Register(value, NOON, 1)}}


@pytest.mark.parametrize(
    ("known", "told", "event", "ruling"),
    [
        ({}, {}, {}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, {}, {}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, {"contacts": _at("A@example.com")}, {}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, {"contacts": _at("b@example.com")}, {}, Ruling.HEARSAY),
        ({"contacts": _at("a@example.com")}, _says("email", "A@example.com "), {}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, _says("email", "b@example.com"), {}, Ruling.HEARSAY),
        ({}, _says("phone", "+48601777333"), {}, Ruling.HEARSAY),
        (_says("phone", "+48 601 777 333"), _says("phone", "+48601777333"), {}, Ruling.JOIN),
        (_says("email", "a@example.com"), {}, {"traits": {"email": "b@example.com"}}, Ruling.HEARSAY),
        ({}, _says("email", ["no", "text"]), {}, Ruling.HEARSAY),
        ({}, _says("email", ""), {}, Ruling.JOIN),
        ({}, _says("name", "x"), {}, Ruling.JOIN),
        ({}, {"consents": {Channel.EMAIL: Consent(True, NOON, 1)}}, {}, Ruling.HEARSAY),
    ],
)
def test_who_says_that_they_are_another_is(known: Any, told: Any, event: Any, ruling: Ruling) -> None:
    """Whatever an address proves, a visitor who told another one is somebody else."""
    assert judge_arrival(_person("u#1", **known), _person("a#x", **told), _arrival(**event), NOON) is ruling


def test_only_visitors_come_by_links() -> None:
    """Who is known already stays who they are, also where the mail went to a visitor."""
    for reader in ("u#1", "a#reader"):
        assert judge_arrival(_person(reader), _person("u#2"), _arrival("a#x"), NOON) is Ruling.TWO_KNOWN_USERS
        assert judge_arrival(_person(reader), _person("a#x"), an_event(who="a#x"), NOON) is Ruling.HEARSAY
    assert note_arrival(_person("u#1"), an_event()) == _person("u#1")


def test_too_many_are_not_joined() -> None:
    """Neither in a day, counting both, nor in all: a shared machine is not one person."""
    merges = tuple((NOON - DAY + 1 + index, f"a#{index}") for index in range(MOST_MERGES_A_DAY))
    visitor = _person("a#x", merges=merges[:1])
    assert judge(_person("u#1", merges=merges[1:]), visitor, NOON, trusted=True) is Ruling.TOO_MANY
    assert judge(_person("u#1", merges=merges[1:]), visitor, NOON + 1, trusted=True) is Ruling.JOIN
    for count, ruling in ((MOST_SOURCES - 2, Ruling.JOIN), (MOST_SOURCES - 1, Ruling.TOO_MANY)):
        person = _person("u#1", sources=tuple(f"a#{index}" for index in range(count)))
        assert judge(person, _person("a#x"), NOON, trusted=True) is ruling


@pytest.mark.parametrize(
    ("known", "told", "ruling"),
    [
        ({}, {}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, {"contacts": _at("A@example.com")}, Ruling.JOIN),
        ({"contacts": _at("a@example.com")}, {"contacts": _at("b@example.com")}, Ruling.HEARSAY),
        ({}, {"contacts": _at("b@example.com")}, Ruling.HEARSAY),
        ({}, {"contacts": _at("no address")}, Ruling.HEARSAY),
        ({"contacts": _at("no address")}, {"contacts": _at("no address")}, Ruling.HEARSAY),
    ],
)
def test_a_browser_joins_no_address_that_is_not_the_users(known: Any, told: Any, ruling: Ruling) -> None:
    """Whoever has a public key would direct somebody's messages elsewhere; a trusted source may."""
    assert judge(_person("u#1", **known), _person("a#x", **told), NOON, trusted=False) is ruling
    assert judge(_person("u#1", **known), _person("a#x", **told), NOON, trusted=True) is Ruling.JOIN


def test_who_stays() -> None:
    """The user, else whoever has a row, else whoever was seen first, else the smaller name: in any order of asking."""
    ranked = [
        _person("u#1", first_seen_at=9, version=0),
        _person("a#y", first_seen_at=5),
        _person("a#b", first_seen_at=6),
        _person("a#c", first_seen_at=6),
        _person("a#a", first_seen_at=1, version=0),
    ]
    for place, left in enumerate(ranked):
        for right in ranked[place + 1 :]:
            assert choose_survivor(left, right) == choose_survivor(right, left) == (left, right)


def test_a_join_remembers_whom_it_joined() -> None:
    """Under which keys, and when, for a day: that is what the limits count."""
    old, new = (NOON - DAY, "a#old"), (NOON - DAY + 1, "a#new")
    joined = join(_person("u#1", merges=(old, new)), _person("a#x", sources=("a#z",)), a_bundle(), now=NOON)
    assert joined.state.merges == (new, (NOON, "a#x"))
    assert joined.state.sources == ("a#x", "a#z")
    assert joined.who == "u#1"
    assert msgspec.structs.replace(joined, state=State()).version == 1


def test_what_is_told_of_a_user_by_hearsay_states_no_yes() -> None:
    """A server that names only the visitor speaks of whoever a browser said they are: no address, no subscription."""
    user = _person("u#1", sources=("a#x",))
    told = a_subscription(who="a#x", properties={"channel": "email", "list": "a"}, traits={"email": "b@example.com"})
    heard = weigh(user, told)
    assert heard.properties == {"channel": "", "list": "a"}
    assert "email" not in heard.traits
    assert weigh(vouch(user, ["a#x"]), told) is told
    own = msgspec.structs.replace(told, who="u#1")
    assert weigh(user, own) is own
    assert weigh(_person("a#x"), told) is told
    assert weigh(_person("a#reader", sources=("a#x",)), told).properties["channel"] == ""
    assert weigh(user, an_event(who="a#x", properties={"channel": "email"})).properties == {"channel": "email"}
    assert vouch(user, ["a#unknown"]) is user
