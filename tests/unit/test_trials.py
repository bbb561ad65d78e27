"""Trials: what is changed by new rules, and what everybody must be looked at for."""

from typing import Any

import msgspec
from builders import NEEDS, NOON, VIP, a_bundle

from cartwake.bundles import Bundle, Segment
from cartwake.sweeps import Aim, Moved, Part, SweepKind, Tally
from cartwake.times import DAY
from cartwake.trackers import Need
from cartwake.trials import (
    GOOD_FOR_MS,
    Result,
    find_changed,
    name_basis,
    name_candidate,
    needs_sweep,
    read_result,
    show_result,
)

LIVE = a_bundle(generation=5)


def _segment(generation: int) -> Segment:
    return Segment(title="S", where=VIP, events=(), changed_generation=generation)


def _change(**changes: Any) -> Bundle:
    return a_bundle(generation=6, **changes)


def test_which_segments_new_rules_define_otherwise() -> None:
    """Those that changed after the live ones, and those that are no more."""
    rules = _change(segments={"same": _segment(5), "new": _segment(6)})
    assert find_changed(rules, LIVE) == ("new", "vip")
    assert find_changed(_change(), LIVE) == ()


def test_when_everybody_must_be_looked_at() -> None:
    """A definition changed, or more is needed of the past; never before the first rules, for there is nobody."""
    assert not needs_sweep(_change(segments={"new": _segment(6)}), None)
    assert needs_sweep(_change(segments={"new": _segment(6)}), LIVE)
    assert not needs_sweep(_change(segments={"same": _segment(5)}), LIVE)
    assert not needs_sweep(_change(), LIVE)


def test_more_of_the_past() -> None:
    """An event of which nothing was kept, more entries of it, a longer time, the oldest, or all."""
    before = Need(event="A", latest=2, within_ms=DAY, oldest=1)
    live = a_bundle(generation=5, needs={"a": before})
    deeper: list[dict[str, Any]] = [{"latest": 3}, {"within_ms": DAY + 1}, {"oldest": 2}, {"whole": True}]
    for changes in deeper:
        after = msgspec.structs.replace(before, **changes)
        assert needs_sweep(_change(needs={"a": after}), live)
        assert not needs_sweep(_change(needs={"a": before}), a_bundle(generation=5, needs={"a": after}))
    assert needs_sweep(_change(needs={"a": before, "b": before}), live)
    assert not needs_sweep(_change(needs={}), live)


def test_a_change_is_named_by_what_it_says_and_means() -> None:
    """The same files that mean the same have one name in any order; any other text or meaning has another."""
    names = [
        name_candidate({"a": "1", "b": None}, LIVE),
        name_candidate({"a": "1", "b": ""}, LIVE),
        name_candidate({"a": "2", "b": None}, LIVE),
        name_candidate({"a": "1", "b": None}, _change(segments={})),
    ]
    assert len(set(names)) == 4
    assert name_candidate({"b": None, "a": "1"}, LIVE) == names[0]
    assert name_candidate({"a": "1", "b": None}, _change(needs=dict(reversed(NEEDS.items())))) == names[0]
    assert name_basis(LIVE) != name_basis(_change(segments={}))
    assert name_basis(LIVE) == name_basis(_change(journeys={}))


def test_the_result_of_a_trial_reads_back() -> None:
    """As it is kept in the bucket."""
    aim = Aim(bundle="b", generation=5, candidate="c", basis="d", began_at=NOON)
    tally = Tally(read=9, people=3, moved={"vip": Moved(entered=2, left=1)})
    shown = show_result([Part(kind=SweepKind.TRIAL, number=0, aim=aim, tally=tally, updated_at=NOON)])
    result = read_result(msgspec.json.encode(shown))
    assert result is not None
    assert (result.candidate, result.basis, result.people) == ("c", "d", 3)
    assert result.segments == {"vip": {"entered": 2, "left": 1}}
    assert read_result(None) is None


def test_how_long_a_count_holds() -> None:
    """For a week, and for the definitions that it was made with."""
    result = Result(candidate="c", basis="d", people=3, counted_at=NOON)
    assert result.holds("d", NOON + GOOD_FOR_MS - 1)
    assert not result.holds("d", NOON + GOOD_FOR_MS)
    assert not result.holds("e", NOON)
