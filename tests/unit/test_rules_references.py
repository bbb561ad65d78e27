"""References: segments, scores and tags that read each other, and what a change of one means for the others."""

import json
import time
from typing import Any

import pytest

from cartwake.bundles import Bundle, decode, encode
from cartwake.conditions.kinds import AnyOf, EverIn, InSegment, Known
from cartwake.knowledge import KNOWN
from cartwake.rules.compile import Linked, link
from cartwake.rules.condition_models import MODELS
from cartwake.rules.files import read_file

ORDER = "Order Completed"
SHOP = {"name": "N", "url": "https://n.example", "postal_address": "Street 1"}
SETTINGS = {"shop": SHOP, "sender": {"email": "shop@example.com"}}
FITTED = {
    "fitted_at": "2026-11-22",
    "customers": 9,
    "buying": {"r": 0.243, "alpha": 30.9, "a": 0.793, "b": 2.426},
    "spending": {"p": 6.25, "q": 3.74, "v": 15.44},
}
POINTS = [{"did": "Page Viewed", "points": 1}, {"when": {"trait": "plan", "is": "gold"}, "points": 5}]
FILES: dict[str, Any] = {
    "settings.json": SETTINGS,
    "predictions.json": FITTED,
    "scores/e.json": {"name": "E", "points": POINTS},
    "segments/keen.json": {"name": "Keen", "where": {"score": "e", "at_least": 50}},
    "segments/keener.json": {"name": "Keener", "where": {"all": [{"in_segment": "keen"}, {"cart": "open"}]}},
    "segments/grown.json": {"name": "Grown", "where": {"age_of": "birthday", "at_least": 18}},
    "segments/going.json": {"name": "Going", "where": {"predicted": "churn_risk", "more_than": 70}},
    "segments/plain.json": {"name": "Plain", "where": {"did": ORDER}},
}


def write(changes: dict[str, Any], *, previous: Bundle | None = None, partial: bool = False) -> Linked:
    """Link all files with changes; None takes a file away."""
    files = {file: it for file, it in (FILES | changes).items() if it is not None}
    contents = {file: read_file(file, json.dumps(it).encode()) for file, it in files.items()}
    return link(contents, previous=previous, partial=partial)


def faults(changes: dict[str, Any], **how: bool) -> list[str]:
    return [str(each.fault) for each in write(changes, **how).conflicts]


def segment(where: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "S", "where": where} | more


def test_a_segment_reads_what_its_scores_read() -> None:
    """An event, a trait or a cart that can change a score can change whoever asks for it, through others too."""
    found = write({}).bundle.segments
    assert (found["keen"].events, found["keen"].traits, found["keen"].known) == (("Page Viewed",), ("plan",), ())
    assert (found["keener"].events, found["keener"].known) == (("Page Viewed",), ("cart",))
    assert found["grown"].traits == ("birthday", "timezone")
    assert found["going"].events == (ORDER,)


@pytest.mark.parametrize(
    ("changes", "moved"),
    [
        ({}, set()),
        ({"scores/e.json": {"name": "Another name", "points": POINTS}}, set()),
        ({"scores/e.json": {"name": "E", "cap": 100, "points": POINTS}}, {"keen", "keener"}),
        ({"settings.json": SETTINGS | {"timezone": "Europe/Kyiv"}}, {"grown"}),
        ({"settings.json": SETTINGS | {"currency": "PLN"}}, set()),
        ({"settings.json": SETTINGS | {"orders": {"event": "Sale"}}}, {"going"}),
        ({"predictions.json": FITTED | {"customers": 10}}, {"going"}),
        ({"segments/keen.json": segment({"score": "e", "at_least": 51})}, {"keen", "keener"}),
        ({"segments/plain.json": segment({"did": ORDER}, then={"tag": "x"})}, set()),
    ],
)
def test_what_is_looked_at_anew(changes: dict[str, Any], moved: set[str]) -> None:
    """Whoever reads what has changed is looked at anew, and nobody else."""
    first = decode(encode(write({}).bundle))
    again = write(changes, previous=first).bundle
    assert {name for name, it in again.segments.items() if it.changed_generation == 2} == moved


def test_segments_that_a_changed_tag_moves() -> None:
    """A segment that sets a tag, or no longer, or for ever, changes who has the tag."""
    reader = {"segments/reader.json": segment({"tag": "Gold"})}
    setter = segment({"did": ORDER}, then={"tag": ["gold", "new"]})
    first = write(reader).bundle
    assert isinstance(first.segments["reader"].where, Known)
    second = write(reader | {"segments/plain.json": setter}, previous=first).bundle
    assert second.segments["reader"].changed_generation == 2
    assert second.segments["plain"].tags == ("gold", "new")
    assert second.segments["plain"].changed_generation == 1
    found = second.segments["reader"].where
    assert isinstance(found, AnyOf)
    assert found.of[1] == InSegment(segment="plain")
    assert second.segments["reader"].events == (ORDER,)
    assert second.segments["reader"].known == ("tags",)
    sticky = setter | {"then": {"tag": "gold", "sticky": True}}
    third = write(reader | {"segments/plain.json": sticky}, previous=second).bundle.segments["reader"].where
    assert isinstance(third, AnyOf)
    assert third.of[1] == EverIn(segment="plain")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {"scores/e.json": {"name": "E", "points": [{"when": {"in_segment": "keener"}, "points": 1}]}},
            "keen → score e",
        ),
        ({"scores/e.json": {"name": "E", "points": [{"when": {"score": "e", "at_least": 1}, "points": 1}]}}, "e → e"),
        ({"segments/plain.json": segment({"tag": "a"}, then={"tag": "A"})}, "plain → plain"),
        (
            {
                "segments/plain.json": segment({"tag": "a"}, then={"tag": "b"}),
                "segments/grown.json": segment({"none": [{"tag": "b"}]}, then={"tag": "a", "sticky": True}),
            },
            "grown → plain → grown",
        ),
    ],
)
def test_cycles_are_refused(changes: dict[str, Any], says: str) -> None:
    """What refers to itself, through segments, scores or tags, is refused and the way is told, whoever reads it."""
    branch = {"if": {"score": "e", "at_least": 1}, "then": [{"sms": "x"}]}
    reader = {"name": "J", "trigger": {"event": ORDER}, "steps": [branch]}
    assert any(says in fault for fault in faults(changes | {"journeys/j.json": reader}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"segments/plain.json": segment({"score": "f", "at_least": 1})}, 'no score "f" (scores/f.json)'),
        ({"scores/e.json": None}, 'segments/keen.json: where.score: There is no score "e"'),
        ({"predictions.json": None}, "Example: cartwake fit"),
        (
            {"scores/e.json": {"name": "E", "points": [{"when": {"did": "X", "since": "start"}, "points": 1}]}},
            "a score has none",
        ),
    ],
)
def test_what_is_not_there_is_told(changes: dict[str, Any], says: str) -> None:
    """A score that is not there, or a model that was never fitted, is told where it is asked for."""
    (told,) = [fault for fault in faults(changes | {"segments/keener.json": None}) if says in fault]
    assert told


def test_simple_predictions_need_no_model() -> None:
    """A rhythm and what was spent are the shopper's own: nothing has to be fitted for them."""
    changes = {
        "predictions.json": None,
        "segments/going.json": segment({"predicted": "next_order", "in_next": "7 days"}),
    }
    assert not faults(changes)


def chain(length: int, where: dict[str, Any]) -> dict[str, Any]:
    """Return segments of which each but the first refers to the one before it."""
    segments = {f"segments/c{index}.json": segment({"in_segment": f"c{index - 1}"}) for index in range(1, length)}
    return segments | {"segments/c0.json": segment(where)}


def test_a_chain_has_an_end() -> None:
    """Forty segments may refer to each other in a row; of more, the first one too many is told, and the way."""
    assert not faults(chain(40, {"did": ORDER}))
    (told,) = faults(chain(60, {"did": ORDER}))
    assert "segments/c40.json: where: At most 40 refer to each other in a row: c40 → c39 → " in told
    assert told.endswith(" → c1 → c0.")
    (told,) = faults(chain(40, {"score": "e", "at_least": 1}))
    assert told.endswith("c0 → score e.")


def test_many_ways_are_walked_once() -> None:
    """However many ways lead from one segment to another, looking for cycles takes no longer for that."""
    ways = {
        f"segments/w{index}.json": segment({"all": [{"in_segment": f"w{index - 1}"}, {"in_segment": f"w{index - 2}"}]})
        for index in range(2, 40)
    }
    start = chain(2, {"did": ORDER})
    ways |= {"segments/w0.json": start["segments/c0.json"], "segments/w1.json": segment({"in_segment": "w0"})}
    began = time.perf_counter()
    assert not faults(ways)
    closed = ways | {"segments/w0.json": segment({"in_segment": "w39"})}
    assert len([each for each in faults(closed) if "refers to itself" in each]) == 40
    assert time.perf_counter() - began < 5


def test_a_part_of_the_files_is_not_missed() -> None:
    """While a part of the files is checked, what stands in folders that are not there is not asked for."""
    assert not faults({"settings.json": None, "predictions.json": None, "scores/e.json": None}, partial=True)
    assert faults({"predictions.json": None}, partial=True)


def test_scores_as_they_are_reckoned() -> None:
    """Half-life, cap, floor and points arrive; events are remembered for as long as they bring points."""
    rule = {
        "name": "E",
        "half_life": "30 days",
        "cap": 100,
        "floor": -10,
        "points": [{"did": "Page Viewed", "points": 0.5, "most": 20}, {"did": ORDER, "points": -3}],
    }
    bundle = write({"scores/e.json": rule}).bundle
    found = bundle.scores["e"]
    assert (found.title, found.cap, found.floor, found.reach_ms) == ("E", 100, -10, 20 * found.half_life_ms)
    assert [(each.points, each.most) for each in found.points] == [(0.5, 20), (-3, None)]
    for each in found.points:
        need = bundle.needs[each.tracker]
        assert (need.within_ms, need.summed, need.whole) == (found.reach_ms, True, False)
    for words, whole in (({"in_last": "90 days"}, False), ({}, True)):
        bundle = write({"scores/e.json": {"name": "E", "points": POINTS} | words}).bundle
        need = bundle.needs[bundle.scores["e"].points[0].tracker]
        assert (need.whole, need.within_ms) == (whole, bundle.scores["e"].within_ms)
    slow = write({"scores/e.json": {"name": "E", "half_life": "365 days", "points": POINTS}}).bundle.scores["e"]
    assert slow.reach_ms == 3_650 * 86_400_000


def test_limit_on_moved_people_arrives() -> None:
    """The limit of settings.json is what a publish is held against; without one there is none."""
    assert write({}).bundle.settings.limit_moved is None
    limited = {"settings.json": SETTINGS | {"limits": {"moved_people": 0}}}
    assert write(limited).bundle.settings.limit_moved == 0


@pytest.mark.parametrize("example", [it for model in MODELS for it in model.shown], ids=json.dumps)
def test_what_is_read_of_a_shopper_is_known(example: dict[str, Any]) -> None:
    """Every group of facts that a segment says it reads is one whose changes are noticed."""
    changes = {"segments/plain.json": segment(example), "segments/vip.json": segment({"did": ORDER})}
    changes["scores/engagement.json"] = FILES["scores/e.json"]
    linked = write(changes)
    assert not linked.conflicts
    assert set(linked.bundle.segments["plain"].known) <= set(KNOWN)
