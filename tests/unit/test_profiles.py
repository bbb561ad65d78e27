"""The fold is a join: order, duplicates and the way of merging change nothing."""

import random

import msgspec
import pytest
from builders import NEEDS, NOON, a_cart_event, a_subscription, an_event, an_identify, an_order
from hypothesis import given
from hypothesis import strategies as st
from strategies import histories

from cartwake.events import Event, Trust
from cartwake.profiles import State, fold, merge, pack, prepare, trim, unpack
from cartwake.registers import LARGEST_VALUE_BYTES, LONGEST_CONTACT, LONGEST_NAME_BYTES, MOST_TRAITS
from cartwake.statements import Channel
from cartwake.times import DAY
from cartwake.trackers import EMPTY, MOST_ENTRIES, Entry, Need, Tracker, join, lacks, limit


def _fold_all(events: list[Event], *, begin: State | None = None, needs: dict[str, Need] = NEEDS) -> State:
    state = begin or prepare(State(), needs, complete_from=0)
    for event in events:
        state = fold(state, event, needs)
    return state


@given(histories(), st.randoms(use_true_random=False))
def test_order_and_duplicates_change_nothing(events: list[Event], shuffler: random.Random) -> None:
    """Any order, and any event any number of times, gives the same state."""
    doubled = events + [shuffler.choice(events) for _ in range(5) if events]
    shuffler.shuffle(doubled)
    assert trim(_fold_all(doubled), NEEDS, NOON) == trim(_fold_all(events), NEEDS, NOON)


@given(histories(40), st.integers(0, 40), st.integers(0, 40))
def test_merge_is_the_same_join(events: list[Event], begin: int, end: int) -> None:
    """Merging two profiles equals folding the events of both into one, whichever comes first."""
    left, right = events[:end], events[begin:]
    both = trim(_fold_all(left + right), NEEDS, NOON)
    a, b = _fold_all(left), _fold_all(right)
    assert trim(merge(a, b, NEEDS), NEEDS, NOON) == both
    assert trim(merge(b, a, NEEDS), NEEDS, NOON) == both
    assert merge(a, a, NEEDS) == a


@given(histories(), st.randoms(use_true_random=False))
def test_trimming_on_the_way_changes_nothing(events: list[Event], shuffler: random.Random) -> None:
    """When entries are cut does not matter: what is cut early would have been cut late."""
    early = prepare(State(), NEEDS, complete_from=0)
    for event in events:
        early = fold(early, event, NEEDS)
        if shuffler.random() < 0.5:
            early = trim(early, NEEDS, shuffler.choice([NOON - 100 * DAY, NOON]))
    assert trim(early, NEEDS, NOON) == trim(_fold_all(events), NEEDS, NOON)


@given(histories())
def test_a_seen_event_gives_the_very_same_object(events: list[Event]) -> None:
    """What says nothing new is not even a new object, so nothing is written for it."""
    state = _fold_all(events)
    for event in events:
        again = fold(state, event, NEEDS)
        assert again is state or again == state


@given(histories())
def test_packing_loses_nothing(events: list[Event]) -> None:
    """A state comes back from the table as it went in."""
    state = _fold_all(events)
    assert unpack(pack(state)) == state


def test_the_first_version_of_the_state_is_read() -> None:
    """A state that version 1 wrote, byte for byte, is still understood."""
    written = bytes.fromhex(
        "83a674726169747381a46369747993a44f736c6f0507a776657273696f6e01ac6c6173745f7365656e5f617405".replace(" ", "")
    )
    state = unpack(written)
    assert (state.traits["city"].value, state.last_seen_at, state.created_at) == ("Oslo", 5, 0)


def test_only_trusted_sources_make_an_address_mailable() -> None:
    """What a browser says of an e-mail address is a trait; a server's word makes it a contact."""
    told = _fold_all([an_identify(trust=Trust.BROWSER), a_subscription(trust=Trust.BROWSER)])
    assert told.traits["email"].value == "ada@example.com"
    assert not told.contacts
    assert not told.consents
    asserted = _fold_all([an_identify(), a_subscription()])
    assert asserted.contacts[Channel.EMAIL].value == "ada@example.com"
    assert asserted.consents[Channel.EMAIL].subscribed


def test_of_two_statements_at_one_instant_the_withdrawal_wins() -> None:
    """A tie between consent and withdrawal is a withdrawal, in any order."""
    yes, no = a_subscription(id="z"), an_event("Unsubscribed", properties={"channel": "email"})
    for events in ([yes, no], [no, yes]):
        assert not _fold_all(events).consents[Channel.EMAIL].subscribed


def test_later_statement_wins() -> None:
    """Consent follows the latest explicit statement, not the latest to arrive."""
    no, yes = an_event("Unsubscribed", at=NOON), a_subscription(at=NOON + 1)
    for events in ([no, yes], [yes, no]):
        assert _fold_all(events).consents[Channel.EMAIL].subscribed


def test_bots_fold_nowhere() -> None:
    """An event that a crawler caused changes no profile."""
    assert _fold_all([an_order(bot=True)]) == _fold_all([])


def test_own_events_are_no_visits() -> None:
    """Our own feedback moves no first or last visit."""
    state = _fold_all([an_event(trust=Trust.OWN), an_event(at=NOON - DAY)])
    assert state.last_seen_at == NOON - DAY


def test_an_order_empties_the_cart() -> None:
    """The cart is what changed since the last order, also when the order arrives first."""
    before, after = a_cart_event("P-1", at=NOON), a_cart_event("P-2", at=NOON + 2)
    order = an_order(at=NOON + 1)
    for events in ([before, order, after], [order, after, before]):
        assert [change.product for change in _fold_all(events).cart.changes] == ["P-2"]


def test_trackers_are_bounded_and_say_so() -> None:
    """No tracker grows without end; what was cut raises the instant from which it is complete."""
    needs = {"all": Need(event="Order Completed", latest=1, within_ms=400 * DAY)}
    events = [an_order(at=NOON - 300 * DAY + index) for index in range(MOST_ENTRIES + 5)]
    tracker = _fold_all(events, needs=needs).trackers["all"]
    assert len(tracker.entries) == MOST_ENTRIES
    assert tracker.complete_from == events[4].occurred_at + 1


def test_what_happened_at_once_is_kept_together() -> None:
    """Of orders that were imported with one time, the latest that a count needs are known: no history is looked for."""
    needs = {"orders": Need(event="Order Completed", latest=2)}
    state = _fold_all([an_order(id=name, at=NOON) for name in "abcd"], needs=needs)
    assert len(state.trackers["orders"].entries) == 4
    assert not lacks(state.trackers["orders"], needs["orders"], NOON + DAY)


def test_an_entry_stays_for_its_whole_window() -> None:
    """To the last millisecond in which it counts, and no longer: what is cut is not known any more."""
    needs = {"orders": Need(event="Order Completed", latest=0, within_ms=DAY)}
    state = _fold_all([an_order(at=NOON)], needs=needs)
    assert trim(state, needs, NOON + DAY - 1) is state
    assert not trim(state, needs, NOON + DAY).trackers["orders"].entries


def test_traits_are_bounded() -> None:
    """A client that invents trait after trait cannot grow a profile without end: the latest stay."""
    state = State()
    for index in range(MOST_TRAITS + 10):
        state = fold(state, an_event("Identified", traits={f"t{index}": 1}, at=NOON + index), {})
    assert len(state.traits) == MOST_TRAITS
    assert "t9" not in state.traits


def test_traits_stay_bounded_when_profiles_are_merged() -> None:
    """A merged profile has no more traits than any other, and the same ones as if it had always been one."""
    left, right = (
        [an_event("Identified", id=f"{name}{i}", traits={f"{name}{i}": 1}, at=NOON + i) for i in range(MOST_TRAITS)]
        for name in "ab"
    )
    merged = merge(_fold_all(left), _fold_all(right), NEEDS)
    assert merged.traits == _fold_all([*left, *right]).traits
    assert len(merged.traits) == MOST_TRAITS


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("n" * LONGEST_NAME_BYTES, 1, True),
        ("n" * (LONGEST_NAME_BYTES + 1), 1, False),
        ("ń" * LONGEST_NAME_BYTES, 1, False),
        ("t", "x" * (LARGEST_VALUE_BYTES - 3), True),
        ("t", "x" * LARGEST_VALUE_BYTES, False),
        ("t", {"city": "x" * LARGEST_VALUE_BYTES}, False),
        ("t", ["x" * 10] * 80, True),
    ],
    ids=lambda it: f"{len(str(it))}" if len(str(it)) > 9 else str(it),
)
def test_a_trait_that_is_too_large_is_as_if_it_was_never_told(name: str, value: object, kept: bool) -> None:
    """Names and values have a largest size; a value beyond it does not even replace an older one."""
    before = fold(State(), an_event("Identified", traits={"t": "old"}), {})
    after = fold(before, an_event("Identified", traits={name: value}, at=NOON + 1), {})
    assert (after.traits.get(name) is not None and after.traits[name].value == value) is kept
    assert after.traits["t"].value == (value if kept and name == "t" else "old")


def test_an_address_has_a_largest_size() -> None:
    """What is longer than any address can be is none."""
    address = "a" * (LONGEST_CONTACT - len("@example.com")) + "@example.com"
    assert _fold_all([an_identify(address)]).contacts[Channel.EMAIL].value == address
    assert not _fold_all([an_identify(f"a{address}")]).contacts


@given(
    st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20), st.integers(0, 3)), max_size=30),
    st.integers(0, 30),
    st.integers(0, 8),
)
def test_what_is_too_much_in_all_is_dropped_in_any_order(told: list[tuple[str, int, int]], at: int, most: int) -> None:
    """Over all trackers the oldest entries go, those that counts need last, whatever came first; and it shows."""
    needs = {"a": Need(event="a", latest=1, within_ms=DAY), "b": Need(event="b", latest=2, within_ms=DAY)}

    def keep(some: list[tuple[str, int, int]], begin: dict[str, Tracker]) -> dict[str, Tracker]:
        added = {key: Tracker(0, tuple(sorted({Entry(t, i) for name, t, i in some if name == key}))) for key in needs}
        return limit({key: join(begin[key], added[key], needs[key]) for key in needs}, needs, most=most)

    nothing = dict.fromkeys(needs, EMPTY)
    whole = keep(told, nothing)
    assert keep(told[at:], keep(told[:at], nothing)) == whole
    spare = {key: len(tracker.entries) - needs[key].latest for key, tracker in whole.items()}
    assert sum(max(0, each) for each in spare.values()) <= most
    all_told = {key: {(t, i) for name, t, i in told if name == key} for key in needs}
    assert all(len(whole[key].entries) >= min(len(all_told[key]), needs[key].latest) for key in needs)
    for name, t, i in told:
        assert Entry(t, i) in whole[name].entries or t < whole[name].complete_from


def test_a_new_need_is_complete_from_now_only() -> None:
    """A tracker that is new to an old profile does not pretend to know the past."""
    state = prepare(
        State(trackers={"old": msgspec.convert([0, []], type=type(_fold_all([]).trackers["orders"]))}),
        NEEDS,
        complete_from=NOON,
    )
    assert state.trackers["orders"].complete_from == NOON
    assert "old" not in state.trackers


def test_many_deep_counts_stay_small() -> None:
    """Sixty rules that each count to 400 fit into a row: of who did so much, the oldest is not known any more."""
    needs = {f"n{index}": Need(event="Page Viewed", where=(), latest=400) for index in range(60)}
    entries = tuple(Entry(NOON + index, 2**62 + index) for index in range(400))
    state = trim(State(trackers=dict.fromkeys(needs, Tracker(0, entries))), needs, NOON + DAY)
    assert len(pack(state)) < 160_000
    assert all(it.complete_from > 0 or len(it.entries) == 400 for it in state.trackers.values())
