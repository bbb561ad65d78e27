"""Registers: of two statements the later one counts, in whatever order they come."""

import pytest
from builders import NOON, an_event

from cartwake.registers import (
    LARGEST_VALUE_BYTES,
    LONGEST_NAME_BYTES,
    MOST_TRAITS,
    Register,
    is_later,
    join,
    join_traits,
    read_traits,
)


@pytest.mark.parametrize(
    "later",
    [Register("a", NOON + 1, 0), Register("a", NOON, 2), Register("b", NOON, 1)],
)
def test_which_of_two_statements_is_the_later_one(later: Register) -> None:
    """By time, then by id; should one id say two things, by what it says: there is always one."""
    earlier = Register("a", NOON, 1)
    assert is_later(later, earlier)
    assert not is_later(earlier, later)
    assert not is_later(earlier, earlier)
    assert join({"n": earlier}, {"n": later}) == join({"n": later}, {"n": earlier}) == {"n": later}


def test_what_says_nothing_new_changes_nothing() -> None:
    """The very same object comes back: nobody has to write it."""
    known = {"n": Register("a", NOON, 1)}
    assert join(known, dict(known)) is known
    assert join_traits(known, dict(known)) is known
    assert join_traits(known, {}) is known


def test_of_too_many_traits_those_told_last_are_kept() -> None:
    """By when they were told, then by name."""
    told = {f"t{index:03}": Register("a", NOON + (index >= 2), 1) for index in range(MOST_TRAITS + 1)}
    assert sorted(join_traits(told, {})) == sorted(told)[1:]
    assert len(join_traits(dict(list(told.items())[:-1]), {})) == MOST_TRAITS


def test_what_an_event_says_of_a_shopper() -> None:
    """Its traits; locale and timezone too, where the traits do not say them; nothing that is too large."""
    context = {"locale": "pl-PL", "timezone": "Europe/Warsaw", "ip": "1.2.3.4"}
    traits = {"timezone": "Europe/Berlin", "n" * LONGEST_NAME_BYTES: 1, "n" * (LONGEST_NAME_BYTES + 1): 1}
    traits |= {"fits": "x" * (LARGEST_VALUE_BYTES - 3), "large": "x" * (LARGEST_VALUE_BYTES - 2)}
    read = read_traits(an_event(context=context, traits=traits, occurred_at=NOON - 5))
    assert sorted(read) == ["fits", "locale", "n" * LONGEST_NAME_BYTES, "timezone"]
    assert (read["timezone"].value, read["locale"].value) == ("Europe/Berlin", "pl-PL")
    assert read["locale"].at == NOON - 5
    assert read_traits(an_event(context={"locale": 5})) == {}
