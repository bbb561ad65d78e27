"""sweep_profiles: everybody is looked at, once and for all, whatever is doubled, lost or killed on the way."""

import json
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

import msgspec
import pytest
from builders import NEEDS, NOON, VIP_THANKS, a_bundle, an_event, an_order, publish
from shoppers import Shop, queue_event
from world import client, lambda_context, read_queue

from cartwake import live
from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Did
from cartwake.errors import TryAgain
from cartwake.journeys import Journey, Trigger
from cartwake.profiles import Kind
from cartwake.segments import is_member
from cartwake.store import base, events, profiles, quarantine, sweeps
from cartwake.sweeps import PARTS, Aim, Part, SweepKind, Tally, add_all, begin, go_on
from cartwake.times import DAY, MINUTE, SECOND
from cartwake.trackers import Need
from functions.sweep_profiles import app

BUYERS = Segment(title="B", where=Did(tracker="bought", count=2), events=("Order Completed",), changed_generation=2)
NEEDED = NEEDS | {"bought": Need(event="Order Completed", where=(), latest=2)}
HELLO = Journey(title="H", status="live", trigger=Trigger(entered="buyers"), steps=VIP_THANKS.steps)
WHOS = [f"u#{index}" for index in range(12)]


def bare() -> Bundle:
    """Return rules under which nobody's orders are remembered."""
    return a_bundle(needs={}, segments={}, journeys={})


def buyers() -> Bundle:
    """Return rules with a segment that needs history, and a journey that waits for it."""
    return a_bundle(generation=2, needs=NEEDED, segments={"buyers": BUYERS}, journeys={"hello": HELLO})


@pytest.fixture
def swept(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop with twelve shoppers, every second one of whom has ordered twice, about which no rule asked."""
    monkeypatch.setattr(app, "read_clock", lambda: shop.now)
    app._reported.clear()
    publish(bare_after_first())
    for index, who in enumerate(WHOS):
        orders = [an_order(who=who, id=f"o{number}", at=NOON - number) for number in range(1 + index % 2)]
        shop.derive(*orders)
    shop.now = NOON + MINUTE
    return shop


def bare_after_first() -> Bundle:
    return msgspec.structs.replace(bare(), generation=2)


def start(rules: Bundle, **aim: Any) -> None:
    """Begin a sweep under rules, which go live with it; or, of a candidate, a trial."""
    kind = SweepKind.TRIAL if "candidate" in aim else SweepKind.LIVE
    told = {"generation": rules.generation, "began_at": NOON + MINUTE}
    told |= {} if "bundle" in aim else {"bundle": publish(rules)}
    assert base.commit(sweeps.begin(begin(kind, Aim(**told | aim))))


def deepened(generation: int = 3) -> Bundle:
    changed = {"buyers": msgspec.structs.replace(BUYERS, changed_generation=generation)}
    return msgspec.structs.replace(buyers(), generation=generation, segments=changed)


def run(*bodies: dict[str, Any], remaining_ms: int = 300_000) -> dict[str, Any]:
    answer: dict[str, Any] = app.handler(queue_event(*bodies), lambda_context(remaining_ms=remaining_ms))
    return answer


def run_all(kind: str = "live") -> None:
    for part in range(PARTS):
        assert run({"sweep": kind, "part": part}) == {"batchItemFailures": []}


def members(name: str = "buyers") -> list[str]:
    return [who for who in WHOS if is_member(profiles.get_profile(who).state.memberships.get(name))]


def read_json(key: str) -> Any:
    return json.loads(client("s3").get_object(Bucket="rules-bucket", Key=key)["Body"].read())


def signalled() -> list[str]:
    rows = client("dynamodb").scan(TableName="profiles")["Items"]
    return [row["who"]["S"] for row in rows if "signals" in row]


TWICE = WHOS[1::2]


def test_everybody_is_looked_at_and_nothing_starts(swept: Shop) -> None:
    """After the last part all members are right, the progress says so, and no journey has heard of it."""
    start(deepened())
    run_all()
    assert members() == TWICE
    assert signalled() == []
    told = read_json("_status/sweep.json")
    assert (told["done"], told["percent"], told["what"], told["generation"]) == (True, 100, "live", 3)
    assert told["profiles"] == {"read": 12, "written": 12, "backfilled": 12, "moved": 6}
    assert told["segments"] == {"buyers": {"entered": 6, "left": 0}}
    assert told["message"] == (
        "Everybody was looked at under the new rules: 12 profiles, of whom 6 moved (buyers: 6 entered)."
    )


def test_a_part_is_handed_on_when_the_time_is_up(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invocation ends in time and asks for another one, which goes on where it ended."""
    monkeypatch.setattr(app, "PAGE", 1)
    start(deepened())
    rows = {part.number: part.tally.read for part in sweeps.list_parts(SweepKind.LIVE)}
    assert run({"sweep": "live", "part": 0}, remaining_ms=app.RESERVE_MS - 1) == {"batchItemFailures": []}
    assert read_queue("sweeps") == [{"sweep": "live", "part": 0}]
    assert rows == {part.number: part.tally.read for part in sweeps.list_parts(SweepKind.LIVE)}
    left = iter([app.RESERVE_MS, app.RESERVE_MS, 0, *[app.RESERVE_MS] * 99])
    context = lambda_context()
    context.get_remaining_time_in_millis = lambda: next(left)
    app.sweep(SweepKind.LIVE, 0, context)
    part = sweeps.get_part(SweepKind.LIVE, 0)
    assert part is not None
    if not part.done:
        assert part.tally.read == 2
        assert read_queue("sweeps") == [{"sweep": "live", "part": 0}]
    run_all()
    assert members() == TWICE
    assert add_all(sweeps.list_parts(SweepKind.LIVE)).read == 12


def test_doubled_messages_change_nothing(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds a part moved by another lets the other go on; each page counts once."""
    monkeypatch.setattr(app, "PAGE", 2)
    start(deepened())
    real, doubled = sweeps.move, []

    def move(before: Part, after: Part) -> bool:
        if not doubled and before.cursor:
            doubled.append(before.number)
            app.sweep(SweepKind.LIVE, before.number, lambda_context(remaining_ms=300_000))
        return real(before, after)

    monkeypatch.setattr(app.sweeps, "move", move)
    run_all()
    run_all()
    assert doubled
    tally = add_all(sweeps.list_parts(SweepKind.LIVE))
    assert (tally.read, members()) == (12, TWICE)


def test_a_part_is_moved_once_from_where_it_stands(swept: Shop) -> None:
    """Of two who have done the same page only one moves the part on; the other one is told to stop."""
    start(deepened())
    (part, *_) = sweeps.list_parts(SweepKind.LIVE)
    one, other = (go_on(part, cursor=cursor, found=Tally(), now=NOON) for cursor in ("u#1", "u#2"))
    assert sweeps.move(part, one)
    assert not sweeps.move(part, other)
    assert sweeps.get_part(SweepKind.LIVE, 0) == one


class Killed(BaseException):
    """The process ends here."""


def places(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Callable[[], None]]]:
    """Yield where a worker can be killed, and how: before or after each of its calls."""
    calls = {
        "scan": (app.profiles, "scan_page"),
        "rules": (app, "load_live"),
        "history": (app.events, "read_history"),
        "write": (app.base, "commit"),
        "advance": (app.sweeps, "move"),
        "list": (app.sweeps, "list_parts"),
        "status": (app.bucket, "write"),
        "hand on": (app.queue, "send_sweeps"),
    }
    for name, (module, attribute) in calls.items():
        for late in (False, True):

            def kill(module: Any = module, attribute: str = attribute, late: bool = late) -> None:
                real, left = getattr(module, attribute), [2]

                def die(*args: Any, **kwargs: Any) -> Any:
                    left[0] -= 1
                    if left[0] == 0 and not late:
                        raise Killed
                    answer = real(*args, **kwargs)
                    if left[0] == 0:
                        raise Killed
                    return answer

                monkeypatch.setattr(module, attribute, die)

            yield f"{name} {late}", kill


def work(context: Any) -> None:
    """Work on all parts until somebody ends it."""
    while True:
        for part in range(PARTS):
            app.sweep(SweepKind.LIVE, part, context)


@pytest.mark.parametrize("place", range(16))
def test_a_worker_killed_anywhere_is_no_harm(swept: Shop, monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """Wherever the process ends, the same messages again bring the same end: all members, no signal, all counted."""
    monkeypatch.setattr(app, "PAGE", 3)
    start(deepened())
    with monkeypatch.context() as patched:
        name, kill = list(places(patched))[place]
        kill()
        left = cycle([300_000, 300_000, 0])
        context = lambda_context()
        context.get_remaining_time_in_millis = lambda: next(left)
        with pytest.raises(Killed):
            work(context)
    run_all()
    assert members() == TWICE, name
    assert signalled() == []
    assert add_all(sweeps.list_parts(SweepKind.LIVE)).read == 12
    assert read_json("_status/sweep.json")["percent"] == 100


def test_a_newer_sweep_ends_an_older_one(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that finds the row belongs to a newer sweep stops, and leaves it alone."""
    monkeypatch.setattr(app, "PAGE", 1)
    start(deepened())
    real, once = sweeps.move, []

    def move(before: Part, after: Part) -> bool:
        if not once:
            once.append(True)
            start(deepened(4), began_at=NOON + 2 * MINUTE)
        return real(before, after)

    monkeypatch.setattr(app.sweeps, "move", move)
    app.sweep(SweepKind.LIVE, next(iter(_busy_parts())), lambda_context(remaining_ms=300_000))
    assert {part.aim.generation for part in sweeps.list_parts(SweepKind.LIVE)} == {4}
    assert add_all(sweeps.list_parts(SweepKind.LIVE)).read == 0
    monkeypatch.setattr(app.sweeps, "move", real)
    run_all()
    assert members() == TWICE
    assert add_all(sweeps.list_parts(SweepKind.LIVE)).read == 12


def _busy_parts() -> list[int]:
    return [part for part in range(PARTS) if profiles.scan_page(part, PARTS, after="", limit=1).rows]


def test_a_live_event_that_comes_meanwhile_is_neither_lost_nor_doubled(
    swept: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A profile that is written between reading and writing is looked at anew, with what is in it now."""
    start(deepened())
    real, raced = app.base.commit, []
    third = an_order(who="u#1", id="live", at=NOON + MINUTE)

    def commit(writes: Any, **options: Any) -> bool:
        if not raced and isinstance(writes[0].row, profiles.ProfileRow) and writes[0].row.who == "u#1":
            raced.append(True)
            swept.derive(third)
        return real(writes, **options)

    monkeypatch.setattr(app.base, "commit", commit)
    run_all()
    assert raced
    for _ in range(2):
        entries = profiles.get_profile("u#1").state.trackers["orders"].entries
        assert [entry.at for entry in entries] == [NOON - 1, NOON, NOON + MINUTE]
        swept.derive(third)
    assert members() == TWICE


def test_an_event_still_in_the_stream_enters_with_a_signal(swept: Shop) -> None:
    """What is stored and not yet derived when everybody is looked at, still starts its journey afterwards."""
    start(deepened())
    second = an_order(who="u#0", id="second", at=NOON + MINUTE)
    events.put_events([second])
    run_all()
    assert members() == TWICE
    swept.derive(second)
    assert signalled() == ["u#0"]
    assert "u#0" in members()


def test_poison_is_set_aside_and_the_others_are_looked_at(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that no code can look at is noted, and holds up nobody."""
    real = app.repair

    def repair(profile: Any, *rest: Any, **named: Any) -> Any:
        if profile.who == "u#1":
            raise ZeroDivisionError
        return real(profile, *rest, **named)

    monkeypatch.setattr(app, "repair", repair)
    broken = profiles.ProfileRow("u#broken", kind=Kind.PROFILE.value, version=1, state=b"\xc1")
    assert base.commit([base.Put(broken)])
    start(deepened())
    run_all()
    assert members() == TWICE[1:]
    assert [it.where for it in quarantine.list_refusals("u#broken")] == ["DecodeError"]
    assert [(it.reason, it.where) for it in quarantine.list_refusals("u#1")] == [("poison", "ZeroDivisionError")]
    told = read_json("_status/sweep.json")
    assert (told["done"], told["profiles"]["failed"]) == (True, 2)


def test_what_is_throttled_is_done_again(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A transient failure is tried again at once; if it lasts, the message comes back, and the page with it."""
    real, failing = app.events.read_history, [2]

    def read_history(*args: Any) -> Any:
        failing[0] -= 1
        if failing[0] >= 0:
            raise TryAgain("throttled")
        return real(*args)

    monkeypatch.setattr(app.events, "read_history", read_history)
    start(deepened())
    run_all()
    assert members() == TWICE
    failing[0] = 99
    start(deepened(4), began_at=NOON + 3 * MINUTE)
    for who in WHOS:  # as if nobody had been looked at
        profile = profiles.get_profile(who)
        state = msgspec.structs.replace(profile.state, trackers={}, memberships={})
        assert base.commit([profiles.put_profile(msgspec.structs.replace(profile, state=state))])
    answers = [run({"sweep": "live", "part": part}) for part in _busy_parts()]
    assert all(answer["batchItemFailures"] for answer in answers)
    failing[0] = 0
    run_all()
    assert members() == TWICE


def test_time_is_signalled_as_after_a_wake(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What time alone has changed since is written with its signals."""
    recent = Segment(
        title="R", where=Did(tracker="orders", within_ms=DAY), events=("Order Completed",), changed_generation=3
    )
    told = {"hello": Journey(title="H", status="live", trigger=Trigger(left="recent"), steps=VIP_THANKS.steps)}
    start(a_bundle(generation=3, segments={"recent": recent}, journeys=told))
    run_all()
    assert members("recent") == WHOS
    swept.now += 2 * DAY
    start(a_bundle(generation=4, segments={"recent": recent}, journeys=told, needs=NEEDED), began_at=NOON + 2 * DAY)
    run_all()
    assert members("recent") == []
    assert sorted(signalled()) == sorted(WHOS)


def test_pointers_and_the_erased_are_counted_and_left_alone(swept: Shop) -> None:
    """Rows that are nobody are read past."""
    before = profiles.get_profile("u#0")
    assert base.commit([profiles.point_to(before, "u#1")])
    assert base.commit([base.Put(profiles.ProfileRow("u#2", kind=Kind.TOMBSTONE.value, version=9))])
    start(deepened())
    run_all()
    assert profiles.get_profile("u#0").kind is Kind.POINTER
    assert profiles.get_profile("u#2").version == 9
    assert read_json("_status/sweep.json")["profiles"]["read"] == 12


@pytest.mark.usefixtures("swept")
def test_a_message_for_no_sweep_is_let_go() -> None:
    """Rows expire; a message that outlives them is done."""
    assert run({"sweep": "live", "part": 3}) == {"batchItemFailures": []}


def test_a_message_that_is_none_is_set_aside(swept: Shop) -> None:
    """What cannot be read blocks no queue."""
    assert run({"sweep": "never", "part": 0}) == {"batchItemFailures": []}
    assert [it.reason for it in quarantine.list_refusals("?")] == ["poison"]


def test_an_older_report_is_not_the_last_word(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When all parts end while a report is written, it is written again: the file ends at 100 %."""
    start(deepened())
    real, once = app.bucket.write, []

    def write(key: str, content: bytes, **options: Any) -> None:
        if not once:
            once.append(True)
            run_all()
        real(key, content, **options)

    monkeypatch.setattr(app.bucket, "write", write)
    app.conclude(sweeps.list_parts(SweepKind.LIVE)[0])
    assert read_json("_status/sweep.json")["percent"] == 100


def test_progress_is_told_on_the_way(swept: Shop) -> None:
    """A sweep that goes on says how far it is, of about how many, and when it may end."""
    start(deepened())
    app.sweep(SweepKind.LIVE, _busy_parts()[0], lambda_context(remaining_ms=300_000))
    told = read_json("_status/sweep.json")
    assert 0 < told["percent"] < 100
    assert not told["done"]
    assert "% done" in told["message"]


# ---- trials


def try_out(candidate: Bundle, names: tuple[str, ...]) -> dict[str, Any]:
    from cartwake.bundles import encode, name_bundle
    from cartwake.gateways import bucket

    content = encode(candidate)
    name = name_bundle(content)
    bucket.write(f"bundles/{name}.json", content)
    start(candidate, bundle=name, candidate="c1", basis="b1", names=names)
    run_all("trial")
    result: dict[str, Any] = read_json("trials/c1.json")
    return result


def test_a_trial_counts_and_writes_nothing(swept: Shop) -> None:
    """Who would enter and who would leave is counted with all history, and no profile is touched."""
    publish(deepened())
    start(deepened(4), began_at=NOON + MINUTE)
    run_all()
    before = [profiles.get_profile(who) for who in WHOS]
    once = msgspec.structs.replace(BUYERS, where=Did(tracker="bought", op="at_most", count=1), changed_generation=5)
    result = try_out(msgspec.structs.replace(deepened(5), segments={"buyers": once}), ("buyers",))
    assert result == {
        "candidate": "c1",
        "basis": "b1",
        "people": 12,
        "segments": {"buyers": {"entered": 6, "left": 6}},
        "counted_at": NOON + MINUTE,
    }
    assert [profiles.get_profile(who) for who in WHOS] == before
    assert read_json("_status/trial.json")["message"].startswith("The change was tried: 12 profiles, of whom 12 moved")


def test_a_trial_reads_history(swept: Shop) -> None:
    """What profiles do not hold is read for the count."""
    result = try_out(deepened(), ("buyers",))
    assert result["segments"] == {"buyers": {"entered": 6, "left": 0}}
    assert members() == []


def test_a_removed_segment_is_left_by_all(swept: Shop) -> None:
    """Of a segment that is taken away, everybody in it leaves."""
    start(deepened())
    run_all()
    result = try_out(msgspec.structs.replace(bare(), generation=4), ("buyers",))
    assert result["segments"] == {"buyers": {"entered": 0, "left": 6}}


def test_the_result_is_written_when_its_worker_was_killed(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that ends between the last page and the result is called again, and writes it."""

    def die(*_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(app, "show_result", die)
        with pytest.raises(Killed):
            try_out(deepened(), ("buyers",))
    run({"sweep": "trial", "part": 5})
    assert read_json("trials/c1.json")["people"] == 6


def test_a_result_is_written_once(swept: Shop) -> None:
    """A message that comes late or doubled makes no newer result of the old one: a confirmation would be void."""
    try_out(deepened(), ("buyers",))
    client("s3").put_object(Bucket="rules-bucket", Key="trials/c1.json", Body=b'"as it was"')
    run_all("trial")
    assert read_json("trials/c1.json") == "as it was"


def test_a_trial_compares_with_what_was_live_when_it_began(swept: Shop) -> None:
    """A worker that still has older rules in memory looks for newer ones before it counts."""
    publish(deepened())
    app.load_live(swept.now)
    old = (live._kept.looked_at, live._kept.live)
    once = msgspec.structs.replace(BUYERS, where=Did(tracker="bought", count=1), changed_generation=4)
    publish(msgspec.structs.replace(deepened(4), segments={"buyers": once}))
    live._kept.looked_at, live._kept.live = old
    thrice = msgspec.structs.replace(BUYERS, where=Did(tracker="bought", count=3), changed_generation=5)
    result = try_out(msgspec.structs.replace(deepened(5), segments={"buyers": thrice}), ("buyers",))
    assert result["segments"] == {"buyers": {"entered": 0, "left": 12}}


def test_whom_a_candidate_fails_on_counts_as_moved(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change that no code can count is not a small one; the profile itself is not to blame."""
    publish(deepened())
    real = app.repair

    def repair(profile: Any, rules: Bundle, *rest: Any, **named: Any) -> Any:
        if rules.generation > 3 and profile.who in ("u#1", "u#2"):
            raise ZeroDivisionError
        return real(profile, rules, *rest, **named)

    monkeypatch.setattr(app, "repair", repair)
    result = try_out(msgspec.structs.replace(bare(), generation=4), ("buyers",))
    assert (result["people"], result["failed"]) == (2 + len(TWICE) - 1, 2)
    assert quarantine.list_refusals("u#1") == []
    assert read_json("_status/trial.json")["message"].endswith(
        "; 2 could not be looked at, see the log of sweep_profiles."
    )


def test_rules_that_cannot_be_read_are_nobody_s_fault(swept: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No profile is set aside, and no part is done, because of a bundle that the code does not understand."""
    start(deepened())
    with monkeypatch.context() as patched:

        def load_live(_: int) -> Bundle:
            raise msgspec.DecodeError

        patched.setattr(app, "load_live", load_live)
        run_all()
    assert not any(sweeps.list_parts(SweepKind.LIVE)[part].done for part in _busy_parts())
    assert [who for who in WHOS if quarantine.list_refusals(who)] == []
    run_all()
    assert members() == TWICE


def test_a_message_of_an_older_sweep_does_not_begin_a_newer_one(swept: Shop) -> None:
    """Nobody is looked at before every function has the new rules, whichever message asks for it."""
    start(deepened(), opens_at=swept.now + 30 * SECOND)
    run_all()
    assert add_all(sweeps.list_parts(SweepKind.LIVE)).read == 0
    swept.now += 30 * SECOND
    run_all()
    assert members() == TWICE


# ---- shoppers who turn out to be one while everybody is looked at


def test_who_is_joined_meanwhile_has_the_history_of_both(swept: Shop) -> None:
    """A visitor who was not looked at yet becomes a user who was: the history of both is there, and starts nothing."""
    swept.derive(an_order(who="a#v", anonymous_id="v", id="visited", at=NOON))
    start(deepened())
    run_all()
    # as if the sweep had not come to the visitor, whose key it meets after the join is a pointer's
    visitor = profiles.get_profile("a#v")
    bare_state = msgspec.structs.replace(visitor.state, trackers={}, memberships={})
    stale = msgspec.structs.replace(visitor, state=bare_state, generation=2)
    assert base.commit([profiles.put_profile(stale)])
    swept.derive(an_event(user_id="0", anonymous_id="v", id="named", at=NOON + MINUTE))
    joined = profiles.resolve_profile("a#v")
    assert joined.who == "u#0"
    assert len(joined.state.trackers["bought"].entries) == 2
    assert {entry.at for entry in joined.state.trackers["orders"].entries} == {NOON}
    assert len(joined.state.trackers["orders"].entries) == 2
    assert "u#0" in members()
