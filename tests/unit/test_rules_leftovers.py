"""Leftovers: a publish takes nothing away from the runs that go on under the rules from before."""

import json
from typing import Any

import pytest

from cartwake.bundles import Bundle, decode, encode
from cartwake.events import COMPLAINED
from cartwake.rules.leftovers import KEEP_MS
from cartwake.rules.publication import Publication, choose
from cartwake.times import DAY
from cartwake.trackers import Need

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
NOTHING: list[dict[str, Any]] = [{"wait": "1 day"}]


def branch(condition: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"wait": "30 days"}, {"if": {"none": [{"any": [condition]}]}, "then": [{"wait": "1 day"}]}]


def write(steps: list[dict[str, Any]], **changes: Any) -> dict[str, bytes]:
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "steps": steps} | changes
    return {"settings.json": json.dumps(SETTINGS).encode(), "journeys/j.json": json.dumps(journey).encode()}


def publish_all(*files: tuple[int, dict[str, bytes]]) -> Publication:
    found: Publication | None = None
    for now, each in files:
        found = choose(each, live=found.bundle, sources=found.sources, now=now) if found else choose(each, now=now)
        assert found.bundle is not None, found.files
    assert found is not None
    return found


def bundle_of(found: Publication) -> Bundle:
    assert found.bundle is not None
    return found.bundle


def kept(bundle: Bundle, event: str = "Foo") -> list[tuple[int, int]]:
    return [(need.latest, need.within_ms) for need in bundle.needs.values() if need.event == event]


@pytest.mark.parametrize(
    ("steps", "depth"),
    [
        (branch({"did": "Foo"}), (1, 0)),
        (branch({"did": "Foo", "at_least": 3, "in_last": "9 days"}), (3, 0)),
        (branch({"did": "Foo", "at_most": 3}), (4, 0)),
        (branch({"did": "Foo", "at_least": 3, "since": "start"}), (4, 0)),
        (branch({"total_of": "revenue", "on": "Foo", "more_than": 1, "in_last": "9 days"}), (1, 9 * DAY)),
        ([{"wait": "1 day", "of_quiet": ["Foo"], "at_most": "2 days"}], (1, 0)),
        ([{"if": {"trait": "a", "exists": True}, "then": NOTHING, "else": branch({"did": "Foo"})}], (1, 0)),
    ],
)
def test_what_steps_needed_is_kept_for_a_year(steps: list[dict[str, Any]], depth: tuple[int, int]) -> None:
    """What waits and branches read is remembered, as deep as they read it, until no run can be in them any more."""
    gone = publish_all((0, write(steps)), (1_000, write(NOTHING)))
    assert kept(bundle_of(gone)) == [depth]
    assert decode(encode(bundle_of(gone))) == bundle_of(gone)
    for now, there in ((1_000 + KEEP_MS - 1, [depth]), (1_000 + KEEP_MS, [])):
        later = choose(write(NOTHING, name="K"), live=gone.bundle, sources=gone.sources, now=now)
        assert kept(bundle_of(later)) == there


def test_same_files_make_nothing_new_of_leftovers() -> None:
    """However often the same files are looked at, what is left over stays as it is."""
    gone = publish_all((0, write(branch({"did": "Foo"}))), (1_000, write(NOTHING)))
    again = choose(write(NOTHING), live=gone.bundle, sources=gone.sources, now=2_000)
    assert not again.is_news(gone.bundle, gone.sources)


def test_a_shallower_step_leaves_the_depth() -> None:
    """A count that becomes smaller is no reason to forget what the larger one still counts."""
    files = (write(branch({"did": "Foo", "at_least": 9})), write(branch({"did": "Foo", "at_least": 2})))
    found = bundle_of(publish_all((0, files[0]), (1_000, files[1])))
    assert kept(found) == [(9, 0)]
    assert kept(bundle_of(publish_all((0, files[1]), (1_000, files[0])))) == [(9, 0)]
    assert not bundle_of(publish_all((0, files[1]), (1_000, files[0]))).leftovers


def test_a_leftover_outlives_rules_that_need_it_too() -> None:
    """That a segment reads the same for a while makes no difference to the runs that wait."""
    reader = {"segments/s.json": json.dumps({"name": "S", "where": {"did": "Foo"}}).encode()}
    found = publish_all(
        (0, write(branch({"did": "Foo"}))),
        (1_000, write(NOTHING) | reader),
        (2_000, write(NOTHING)),
    )
    assert kept(bundle_of(found)) == [(1, 0)]
    assert [leftover.since for leftover in bundle_of(found).leftovers.values()] == [1_000]


def test_steps_taken_away_once_more_begin_a_new_year() -> None:
    """Runs of the second time wait as long as those of the first."""
    steps = write(branch({"did": "Foo"}))
    found = publish_all((0, steps), (1_000, write(NOTHING)), (DAY, steps), (2 * DAY, write(NOTHING)))
    assert [leftover.since for leftover in bundle_of(found).leftovers.values()] == [2 * DAY]


def test_segments_filters_and_exits_leave_nothing() -> None:
    """What is always read from the live rules is forgotten with them."""
    reader = {"segments/s.json": json.dumps({"name": "S", "where": {"did": "Foo"}}).encode()}
    full = write(NOTHING, filter={"did_not": "Foo", "since": "start"}, exit=[{"event": "Foo"}]) | reader
    found = bundle_of(publish_all((0, full), (1_000, write(NOTHING))))
    assert not found.leftovers
    assert {need.event for need in found.needs.values()} == {"Product Added", COMPLAINED}
    assert Need(event="Product Added", latest=5) in found.needs.values()
