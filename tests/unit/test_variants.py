"""Rules of tests of variants: what a file says of a winner, what a decision is bound to, and who follows it."""

import json
from typing import Any

import msgspec
import pytest
from builders import CART, NEEDS, NOON, a_bundle, an_event

from cartwake.bundles import Bundle
from cartwake.conditions.kinds import Start
from cartwake.journeys import HOLD_OUT, Send, Split, Step, Variant, Wait
from cartwake.messages import Message, MessageState
from cartwake.moves import choose, decide
from cartwake.participants import Participant, count_outcome, enrol, judge
from cartwake.profiles import Profile, State, fold, prepare
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake.runs import Advance, Drawn, End, Rules, Run
from cartwake.segments import View
from cartwake.statements import Channel, Consent
from cartwake.times import DAY, HOUR
from cartwake.variants import VariantTest
from tests.unit.test_rules_compile import SETTINGS, compile_files, journey
from tests.unit.test_rules_steps import find_fault

WAYS = [{"percent": 50, "steps": [{"wait": "1 hour"}]}, {"percent": 50, "steps": [{"wait": "2 hours"}]}]
RULE = {"by": "clicked", "at_least": 500, "within": "1 day", "until": "14 days"}
STEP = {"test": "wait", "split": WAYS, "winner": RULE}


def compile_test(*steps: dict[str, Any], previous: Bundle | None = None, now: int = NOON, **more: Any) -> Bundle:
    """Return the rules with one journey of these steps."""
    file = journey(steps=list(steps or (STEP,)), **({"status": "live"} | more))
    files = {"settings.json": SETTINGS, "journeys/j.json": file}
    raw = {name: read_file(name, json.dumps(it).encode()) for name, it in files.items()}
    linked = link(raw, previous=previous, now=now)
    assert not linked.conflicts, str(linked.conflicts[0].fault)
    return linked.bundle


def the_test(bundle: Bundle) -> VariantTest:
    found = bundle.find_test("j", "wait")
    assert found is not None
    return found


def test_a_test_becomes_what_it_says() -> None:
    """What a marketer writes of a winner arrives in what is decided by, and the split measures."""
    bundle = compile_test()
    test = the_test(bundle)
    assert (test.by, test.sure, test.at_least) == ("clicked", 0.95, 500)
    assert (test.within_ms, test.until_ms, test.since) == (DAY, 14 * DAY, NOON)
    assert test.micros == {"a": 500_000, "b": 500_000}
    (split,) = bundle.journeys["j"].steps
    assert isinstance(split, Split)
    assert (split.digest, split.within_ms) == (test.digest, DAY)
    assert bundle.needs[split.orders].event == "Order Completed"
    dated = the_test(compile_test(STEP | {"winner": RULE | {"until": "2026-12-24T12:00"}}))
    assert (dated.until, dated.until_ms) == (1_798_113_600_000, 0)
    by_hand = the_test(compile_test(STEP | {"winner": "b"}))
    assert (by_hand.winner, by_hand.how, by_hand.by) == ("b", "hand", "")


@pytest.mark.parametrize(
    ("step", "path", "words"),
    [
        ({"split": WAYS, "winner": RULE}, "winner", "Only a test has a winner"),
        (STEP | {"winner": "c"}, "winner", "a, b"),
        (STEP | {"winner": RULE | {"until": "12 hours"}}, "until", "nobody was measured"),
        (STEP | {"winner": RULE | {"within": "10 seconds"}}, "within", "a minute to 90 days"),
        (STEP | {"winner": RULE | {"by": "liked"}}, "by", "clicked"),
        (STEP | {"winner": RULE | {"sure": 20}}, "sure", "80"),
        (STEP | {"winner": {"sure": 90}}, "winner", "by"),
        (STEP | {"split": [{"percent": 100, "steps": []}]}, "winner", "one variant"),
    ],
)
def test_what_cannot_be_decided_is_refused(step: dict[str, Any], path: str, words: str) -> None:
    """Where, and what would be right."""
    fault = find_fault(step)
    assert path in fault.path
    assert words in f"{fault.message} {fault.suggestion} {fault.example}"


def test_splits_of_one_test_are_alike() -> None:
    """A shopper has one place in a test: other variants of its name, or two rules, do not go live."""
    other = [WAYS[0] | {"percent": 40}, WAYS[1] | {"percent": 60}]
    for second, words in (({"split": other}, "other variants"), ({"split": WAYS, "winner": RULE}, "said twice")):
        _, conflicts = compile_files(journeys_j=journey(steps=[STEP, {"test": "wait"} | second]))
        assert [words in each.fault.message for each in conflicts] == [True]


def test_a_test_goes_on_while_its_variants_are_the_same() -> None:
    """How it is decided, the rest of the journey, its texts and a pause begin nothing anew; other variants do."""
    first = compile_test()
    begun, later = the_test(first), NOON + 5 * DAY
    for steps, more in (
        ([STEP | {"winner": RULE | {"sure": 99, "at_least": 50}}], {}),
        ([STEP, {"wait": "3 hours"}], {}),
        ([STEP], {"status": "paused"}),
        ([STEP], {"name": "Other"}),
    ):
        test = the_test(compile_test(*steps, previous=first, now=later, **more))
        assert (test.digest, test.since) == (begun.digest, NOON)
    for changed in (
        {"split": [WAYS[0] | {"name": "short"}, WAYS[1]]},
        {"split": [WAYS[0], WAYS[1] | {"steps": [{"wait": "3 hours"}]}]},
        {"split": [WAYS[0] | {"percent": 40}, WAYS[1] | {"percent": 60}]},
        {"winner": RULE | {"within": "2 days"}},
    ):
        test = the_test(compile_test(STEP | changed, previous=first, now=later))
        assert test.digest != begun.digest
        assert test.since == later


def test_a_test_begins_when_its_journey_goes_live() -> None:
    """A draft lies as long as it likes: the time until the end counts from the publish that made it live."""
    draft = compile_test(status="draft")
    assert the_test(draft).since == 0
    assert the_test(compile_test(previous=draft, now=NOON + DAY)).since == NOON + DAY


def test_the_same_files_again_are_no_news() -> None:
    """What is live is what the same files make later."""
    first = compile_test()
    again = compile_test(previous=first, now=NOON + DAY)
    assert msgspec.structs.replace(again, generation=first.generation) == first


# ---- moves -----------------------------------------------------------------------------------------------------------

MAIL = Send(channel=Channel.EMAIL, template="cart-1")
SPLIT = Split(
    salt="test t",
    test="t",
    digest="d",
    within_ms=DAY,
    orders="orders",
    variants=tuple(Variant(name=name, micros=500_000, steps=(MAIL, Wait(for_ms=HOUR))) for name in "ab"),
)
HELD = Split(
    salt="test t",
    test="t",
    digest="d",
    within_ms=DAY,
    variants=(
        Variant(name=HOLD_OUT, micros=500_000),
        Variant(name="a", micros=250_000),
        Variant(name="b", micros=250_000),
    ),
)
WON = VariantTest(digest="d", micros={"a": 500_000, "b": 500_000}, winner="b", how="numbers")


def rules(*steps: Step, test: VariantTest | None = None) -> Rules:
    cart = msgspec.structs.replace(CART, steps=steps, filter=None, exits=())
    bundle = a_bundle(journeys={"cart": cart}, tests={"cart": {"t": test}} if test else {})
    return Rules(bundle, bundle)


def a_run(**changes: Any) -> Run:
    run = Run(who="u#1", journey="cart", id="r", due_at=NOON, entered_at=NOON, start=Start(NOON), bundle="b")
    return msgspec.structs.replace(run, **changes)


def a_profile(lot: int = 7) -> Profile:
    return Profile(who="u#1", version=1, state=prepare(State(lot=lot), NEEDS, complete_from=0))


def draw_for(split: Split, lot: int) -> str:
    return choose(split, View(a_profile(lot).state, a_bundle(), NOON), "u#1").name


def lot_of(split: Split, name: str) -> int:
    return next(lot for lot in range(1000) if draw_for(split, lot) == name)


def test_what_chance_gives_is_noted_to_be_measured() -> None:
    """Until it is decided a shopper gets the variant of their number, and the move says that it is measured."""
    move = decide(
        a_run(), a_profile(lot_of(SPLIT, "a")), rules(SPLIT, test=msgspec.structs.replace(WON, winner="", how="")), NOON
    )
    assert isinstance(move, Advance)
    assert move.variants == {"t": "a"}
    assert move.drawn == (Drawn(test="t", digest="d", variant="a", within_ms=DAY, orders="orders"),)


def test_who_comes_after_the_decision_goes_the_winners_way() -> None:
    """Whatever number was drawn for them; and they are not measured, for it was not chance."""
    for name in "ab":
        move = decide(a_run(), a_profile(lot_of(SPLIT, name)), rules(SPLIT, test=WON), NOON)
        assert isinstance(move, Advance)
        assert (move.variants, move.drawn) == ({"t": "b"}, ())


def test_who_has_a_variant_keeps_it() -> None:
    """A decision moves nobody who was given a variant before, also at a later split of the test."""
    move = decide(a_run(variants={"t": "a"}), a_profile(), rules(SPLIT, test=WON), NOON)
    assert isinstance(move, Advance)
    assert (move.variants, move.path) == ({"t": "a"}, "0.a.1")
    assert move.drawn == ()


def test_a_later_split_of_a_test_follows_its_winner() -> None:
    """A share gets the variants first, the rest waits, and then gets what has won meanwhile."""
    steps = (Wait(for_ms=HOUR), SPLIT)
    waits = decide(a_run(), a_profile(lot_of(SPLIT, "a")), rules(*steps), NOON)
    assert isinstance(waits, Advance)
    behind = a_run(path=waits.path, due_at=waits.due_at, wait_from=waits.wait_from)
    move = decide(behind, a_profile(lot_of(SPLIT, "a")), rules(*steps, test=WON), NOON + HOUR)
    assert isinstance(move, Advance)
    assert move.variants == {"t": "b"}


def test_who_is_held_out_stays_so() -> None:
    """A winner does not end the comparison with nothing; who is not held out gets it."""
    for name, chosen in ((HOLD_OUT, HOLD_OUT), ("a", "b"), ("b", "b")):
        move = decide(a_run(), a_profile(lot_of(HELD, name)), rules(HELD, test=WON), NOON)
        assert isinstance(move, End)
        assert move.variants == {"t": chosen}


@pytest.mark.parametrize("changes", [{"digest": "other"}, {"winner": "c"}, {"winner": ""}])
def test_a_decision_about_something_else_is_not_followed(changes: dict[str, str]) -> None:
    """Of older variants, of one that is no more, or of nothing: chance goes on."""
    move = decide(
        a_run(), a_profile(lot_of(SPLIT, "a")), rules(SPLIT, test=msgspec.structs.replace(WON, **changes)), NOON
    )
    assert isinstance(move, Advance)
    assert move.variants == {"t": "a"}


# ---- participants ----------------------------------------------------------------------------------------------------


def a_participant(**changes: Any) -> Participant:
    drawn = Drawn(test="t", digest="d", variant="a", within_ms=DAY, orders="orders")
    return msgspec.structs.replace(enrol(a_run(), drawn, NOON), **changes)


def a_message(**changes: Any) -> Message:
    told: dict[str, Any] = {
        "who": "u#1", "id": "m", "run": "cart#r", "journey": "cart", "path": "0.a.0", "channel": Channel.EMAIL,
        "kind": "marketing", "template": "cart-1", "state": MessageState.ACCEPTED, "variant": "t=a",
        "planned_at": NOON, "not_after": NOON + DAY,
    }  # fmt: skip
    return Message(**told | changes)


def judged(*messages: Message, profile: Profile | None = None) -> dict[str, int]:
    return count_outcome(judge(a_participant(), profile or a_profile(), messages, NOON + DAY))


def test_a_participant_counts_once_however_many_messages_there_are() -> None:
    """Two messages clicked are one shopper who clicked."""
    happened = {"clicked": NOON + HOUR, "opened": NOON + HOUR}
    assert judged(a_message(happened=happened), a_message(id="n", happened=happened)) == {
        "judged": 1,
        "opened": 1,
        "clicked": 1,
    }


def test_what_happens_outside_of_the_time_is_not_measured() -> None:
    """From the split on, up to the end of the time, which is no more in it; the same for everybody."""
    for at, counts in ((NOON - 1, 0), (NOON, 1), (NOON + DAY - 1, 1), (NOON + DAY, 0)):
        assert judged(a_message(happened={"clicked": at})).get("clicked", 0) == counts


def test_messages_of_other_variants_tests_and_journeys_do_not_count() -> None:
    """A test is about its own messages; a run may carry several."""
    happened = {"clicked": NOON + HOUR}
    for changes, counts in (
        ({"variant": "t=b"}, 0),
        ({"variant": "tt=a"}, 0),
        ({"journey": "other"}, 0),
        ({"variant": "s=b&t=a"}, 1),
    ):
        assert judged(a_message(happened=happened, **changes)).get("clicked", 0) == counts


def test_orders_and_unsubscribes_are_read_from_the_profile() -> None:
    """An order counts whether a message led to it or not: so does that of somebody who is held out."""
    state = a_profile().state
    for at, counts in ((NOON - 1, 0), (NOON + HOUR, 1), (NOON + DAY, 0)):
        bought = fold(state, an_event("Order Completed", at=at), NEEDS)
        assert judged(profile=Profile(who="u#1", state=bought)).get("ordered", 0) == counts
    left = msgspec.structs.replace(state, consents={Channel.EMAIL: Consent(subscribed=False, at=NOON + 1, id=1)})
    assert judged(profile=Profile(who="u#1", state=left)) == {"judged": 1, "unsubscribed": 1}


def test_of_whom_nothing_can_be_told_nothing_is_counted() -> None:
    """Erased, or orders known only since later: they are no shoppers who did nothing."""
    unknown = Profile(who="u#1", state=prepare(State(), NEEDS, complete_from=NOON + 1))
    assert judged(profile=unknown) == {}
    assert judged(profile=Profile(who="u#1", kind="tombstone")) == {}
