"""The cart: what its changes add up to, and how many of them are kept."""

import random

import msgspec
import pytest
from builders import NOON, a_bundle, a_cart_event, an_event, an_order
from hypothesis import given
from hypothesis import strategies as st
from reference_person import Known
from strategies import any_event, histories

from cartwake.carts import MOST_BYTES, MOST_CHANGES, Cart, fold, join, list_items
from cartwake.events import Event
from cartwake.knowledge import know
from cartwake.profiles import Profile, State
from cartwake.segments import absorb, adopt


def _fold_all(events: list[Event]) -> Cart:
    cart = Cart()
    for event in events:
        cart = fold(cart, event)
    return cart


def _removal(quantity: object) -> Event:
    return an_event("Product Removed", at=NOON + 2, properties={"product_id": "P-1", "quantity": quantity})


@pytest.mark.parametrize(
    ("quantity", "left"),
    [(1, 2), (2, 1), ("2", 1), (-1, 2), (-2.9, 1), (0.5, 2), (9, 0), (None, 0), (0, 0), ("all", 0)],
)
def test_what_is_removed(quantity: object, left: int) -> None:
    """Removing takes out, whatever sign the client writes, and at least one; without a quantity, all."""
    added = a_cart_event(properties={"product_id": "P-1", "quantity": 3})
    assert sum(item.quantity for item in list_items(_fold_all([added, _removal(quantity)]))) == left


def _many(size: int) -> list[Event]:
    return [
        a_cart_event(at=NOON + index, properties={"product_id": f"P-{index}", "name": "n" * 900, "url": "u" * size})
        for index in range(MOST_CHANGES + 30)
    ]


@pytest.mark.parametrize("size", [1, 900])
def test_a_cart_is_bounded(size: int) -> None:
    """Of too many changes, or of too large ones, the latest stay."""
    cart = _fold_all(_many(size))
    assert cart.changes[-1].product == f"P-{MOST_CHANGES + 29}"
    assert len(cart.changes) <= MOST_CHANGES
    assert sum(len(text) for change in cart.changes for text in change.shown.values()) <= MOST_BYTES
    assert len(cart.changes) == (MOST_CHANGES if size == 1 else 25)


CHANGES = st.lists(
    st.builds(
        lambda at, size, made: made(at=NOON + at, properties={"product_id": f"P-{at}", "url": "u" * size}),
        st.integers(0, 300),
        st.sampled_from([1, 400, 1_000]),
        st.sampled_from([a_cart_event, a_cart_event, a_cart_event, an_order]),
    ),
    max_size=90,
    unique_by=lambda event: event.key,
)


@given(CHANGES, st.integers(0, 90), st.randoms(use_true_random=False))
def test_what_is_dropped_does_not_depend_on_order(events: list[Event], at: int, shuffler: random.Random) -> None:
    """However many and large the changes are, any order and any way of merging gives the same cart."""
    whole = _fold_all(events)
    left, right = _fold_all(events[:at]), _fold_all(events[at:])
    assert join(left, right) == join(right, left) == whole
    shuffler.shuffle(events)
    assert _fold_all(events) == whole


BOUGHT = any_event(
    st.integers(NOON, NOON + 3),
    st.sampled_from(["Product Added", "Product Added", "Product Removed", "Order Completed"]),
)


@given(histories(10, BOUGHT), st.randoms(use_true_random=False), st.integers(0, 10))
def test_the_cart_is_that_of_the_reference(events: list[Event], shuffler: random.Random, at: int) -> None:
    """In any order, merged on the way: what was put in and not taken out since the last order, also of one instant."""
    known, shuffled = Known(tuple(events)), shuffler.sample(events, len(events))
    for cart in (_fold_all(shuffled), join(_fold_all(shuffled[:at]), _fold_all(shuffled[at:]))):
        for name in ("cart.quantity", "cart.value", "cart.changed"):
            assert know(State(cart=cart), name) == known.read(name)


def test_what_was_too_much_stays_out() -> None:
    """A small change that is older than one that was dropped as too large is not let in later."""
    large = a_cart_event(at=NOON + 1, properties={"product_id": "large", "name": "n" * 300, "url": "u" * 1_000})
    small = a_cart_event(at=NOON, properties={"product_id": "small"})
    rest = _many(900)[2:]
    assert _fold_all([large, small, *rest]) == _fold_all([*rest, large, small]) == _fold_all([large, *rest, small])


def test_two_changes_with_one_id() -> None:
    """Of two visitors' changes with one id and time, joining keeps the same one in either direction."""
    left, right = (_fold_all([a_cart_event(product)]) for product in ("P-1", "P-2"))
    assert join(left, right) == join(right, left)


@pytest.mark.parametrize(("size", "shown"), [(900, 900), (1_001, 0)])
def test_a_link_is_whole_or_not_there(size: int, shown: int) -> None:
    """A long name is cut; a link that was cut would lead nowhere, so one that is too long is left out."""
    event = a_cart_event(properties={"product_id": "P-1", "name": "n" * size, "url": "u" * size})
    (item,) = list_items(_fold_all([event]))
    assert (len(item.name), len(item.url)) == (300, shown)


def test_an_order_by_another_name_empties_the_cart() -> None:
    """What settings.json calls an order, and the usual name beside it; what either left is joined as ever."""
    bought = an_event("Purchase", at=NOON + 1)
    settings = msgspec.structs.replace(a_bundle().settings, order_event="Purchase")
    usual, other = a_bundle(), a_bundle(settings=settings)
    for rules, order, left in ((usual, bought, 1), (other, bought, 0), (other, an_order(at=NOON + 1), 0)):
        for events in ((a_cart_event(), order), (order, a_cart_event())):
            profile = adopt(Profile(who="u#1"), rules, NOON)
            for event in events:
                profile, _ = absorb(profile, event, rules)
            assert len(list_items(profile.state.cart)) == left
