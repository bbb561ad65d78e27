"""`cartwake try`: who would be in a segment, who enters and leaves, as publishing it would find; nothing is written."""

import gc
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from builders import NOON, an_event, an_order, publish
from hypothesis import given
from hypothesis import strategies as st
from rulebook import PREDICTIONS, compile_rules, write_rules
from typer.testing import CliRunner

from cartwake.backfill import ReadEvents
from cartwake.bundles import Bundle, encode, name_bundle
from cartwake.events import Event
from cartwake.gateways import bucket
from cartwake.profiles import Kind, Membership, Profile, State
from cartwake.rules.publication import Sources, encode_sources
from cartwake.segments import absorb, adopt, advance, finish, is_member
from cartwake.store import base, events, profiles
from cartwake.sweeps import repair
from cartwake.times import DAY, NEVER
from cartwake_cli.cloud import Cloud
from cartwake_cli.commands import try_
from cartwake_cli.faults import Fault
from cartwake_cli.main import app
from cartwake_cli.scanning import Scan, Throttle
from cartwake_cli.stack import Stack
from cartwake_cli.survey import Survey, conduct
from cartwake_cli.survey_words import say_missing, say_summary
from cartwake_cli.trying import Fate, Finding, Trial, look, prepare_trial

ORDER = "Order Completed"
LIVE: dict[str, Any] = {
    "segments/vip": {"name": "Best", "where": {"did": ORDER, "at_least": 3, "in_last": "90 days"}},
    "segments/other": {"where": {"total_of": "revenue", "on": ORDER, "more_than": 100, "in_last": "30 days"}},
}
DEFINITIONS: list[dict[str, Any]] = [
    {"did": ORDER, "at_least": 2, "in_last": "90 days"},
    {"did": ORDER, "at_least": 4, "in_last": "300 days"},
    {"all": [{"in_segment": "other"}, {"score": "heat", "at_least": 20}]},
    {"none": [{"did": "Page Viewed", "in_last": "20 days"}]},
    {"predicted": "churn_risk", "more_than": 50},
    {"first": ORDER, "in_last": "60 days"},
]
SCORE = {
    "in_last": "60 days",
    "points": [{"did": "Page Viewed", "points": 5}, {"when": {"in_segment": "other"}, "points": 20}],
}


def candidate(where: dict[str, Any], live: Bundle | None = None) -> Bundle:
    files = LIVE | {"segments/vip": {"name": "Best", "where": where}, "scores/heat": SCORE, "predictions": PREDICTIONS}
    return compile_rules(files, previous=live)


def live_rules(**files: Any) -> Bundle:
    return compile_rules(LIVE | files)


def a_profile(who: str, rules: Bundle, *news: Event, now: int = NOON) -> Profile:
    """Return a profile as it is stored when its events were derived one after the other."""
    profile = adopt(Profile(who=who), rules, 0)
    for event in sorted(news, key=lambda each: each.received_at):
        profile, _ = absorb(profile, event, rules)
    return msgspec.structs.replace(finish(advance(profile, rules, now)[0], rules, now), version=1)


def reader(*stored: Event) -> ReadEvents:
    def read(names: Collection[str]) -> Iterable[Event]:
        return [event for event in stored if event.name in names]

    return read


def never(names: Collection[str]) -> Iterable[Event]:
    raise AssertionError(f"no history should be read, of {names}")


class Shelf:
    """Profiles and events that are held in memory."""

    def __init__(self, people: Iterable[Profile], stored: dict[str, list[Event]] | None = None) -> None:
        self._people, self._stored = people, stored or {}

    def read_pages(self, part: int, parts: int) -> Iterator[list[Profile]]:
        for index, profile in enumerate(self._people):
            if index % parts == part:
                yield [profile]

    def read_events(self, profile: Profile) -> ReadEvents:
        return reader(*(event for who in profile.keys for event in self._stored.get(who, [])))


@given(
    st.lists(st.tuples(st.sampled_from([ORDER, "Page Viewed"]), st.integers(0, 350)), max_size=10),
    st.sampled_from(DEFINITIONS),
    st.booleans(),
)
def test_a_trial_finds_what_publishing_finds(news: list[tuple[str, int]], where: dict[str, Any], stored: bool) -> None:
    """Law: of all rules only those that the segment reads are tried, and the answer is that of all of them."""
    told = [
        an_event(name, at=NOON - days * DAY, id=f"m{index}", properties={"revenue": 60})
        for index, (name, days) in enumerate(news)
    ]
    live = live_rules()
    whole = candidate(where, live)
    profile, read = a_profile("u#1", live, *told), reader(*(told if stored else []))
    found = look(profile, prepare_trial("vip", whole, live), read, NOON)
    before = repair(profile, live, read, now=NOON)
    assert found is not None
    assert before is not None
    after = repair(before.profile, whole, read, now=NOON)
    assert after is not None
    assert found.was_member == is_member(before.profile.state.memberships.get("vip"))
    assert found.is_member == is_member(after.profile.state.memberships.get("vip"))


@pytest.mark.parametrize(
    ("orders", "fate"),
    [([1, 2], Fate.ENTERS), ([1, 2, 3], Fate.STAYS), ([1], Fate.OUT), ([], Fate.OUT)],
)
def test_who_enters_and_who_stays(orders: list[int], fate: Fate) -> None:
    """Two orders are enough where there had to be three."""
    live = live_rules()
    trial = prepare_trial("vip", candidate({"did": ORDER, "at_least": 2, "in_last": "90 days"}, live), live)
    told = [an_order(at=NOON - days * DAY, id=f"o{days}") for days in orders]
    found = look(a_profile("u#1", live, *told), trial, reader(*told), NOON)
    assert found is not None
    assert found.fate is fate


def test_who_leaves() -> None:
    """More is asked for than there is: the member would leave, and history that is stored is looked for first."""
    live = live_rules()
    trial = prepare_trial("vip", candidate({"did": ORDER, "at_least": 4, "in_last": "90 days"}, live), live)
    told = [an_order(at=NOON - days * DAY, id=f"o{days}") for days in (1, 2, 3)]
    found = look(a_profile("u#1", live, *told), trial, reader(*told), NOON)
    assert found is not None
    assert (found.fate, found.known) == (Fate.LEAVES, True)


def test_no_history_is_read_for_rules_that_the_segment_does_not_read() -> None:
    """Another segment that is new, and needs much of the past, costs nothing."""
    live = live_rules()
    files = LIVE | {
        "segments/vip": {"name": "Best", "where": {"did": ORDER, "at_least": 2, "in_last": "90 days"}},
        "segments/new": {"where": {"did": "Page Viewed", "at_least": 9, "in_last": "300 days"}},
    }
    told = [an_order(at=NOON - days * DAY, id=f"o{days}") for days in (1, 2)]
    trial = prepare_trial("vip", compile_rules(files, previous=live), live)
    found = look(a_profile("u#1", live, *told), trial, never, NOON)
    assert found is not None
    assert (found.fate, found.backfilled) == (Fate.ENTERS, False)


def test_no_history_is_read_for_what_another_live_rule_remembers() -> None:
    """The segment may ask for something new to it that profiles keep for another one."""
    live = live_rules()
    where = {"total_of": "revenue", "on": ORDER, "more_than": 100, "in_last": "20 days"}
    profile = a_profile("u#1", live, an_order(101, at=NOON - DAY))
    found = look(profile, prepare_trial("vip", candidate(where, live), live), never, NOON)
    assert found is not None
    assert (found.fate, found.backfilled) == (Fate.ENTERS, False)


def test_what_time_has_ended_is_no_membership_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new definition cannot answer, the membership stays as the live rules have it now, not as stored."""
    monkeypatch.setattr("cartwake.backfill.find_kept_from", lambda now: now)
    live = live_rules()
    orders = [an_order(at=NOON - days * DAY, id=f"o{days}") for days in (1, 2, 3)]
    profile = a_profile("u#1", live, *orders)
    trial = prepare_trial("vip", candidate({"did": "Quiz Finished", "in_last": "300 days"}, live), live)
    found = look(profile, trial, reader(), NOON + 100 * DAY)
    assert found is not None
    assert (found.fate, found.known) == (Fate.OUT, False)


def test_history_that_profiles_lack_is_read_in_memory() -> None:
    """A rule that nobody kept anything for is answered from the stored events, and the profile is as it was."""
    live = live_rules()
    trial = prepare_trial("vip", candidate({"did": "Page Viewed", "at_least": 2, "in_last": "60 days"}, live), live)
    told = [an_event(at=NOON - days * DAY, id=f"v{days}") for days in (10, 20)]
    profile = a_profile("u#1", live, *told)
    found = look(profile, trial, reader(*told), NOON)
    assert found is not None
    assert (found.fate, found.backfilled, found.known) == (Fate.ENTERS, True, True)
    assert profile.state.memberships == {}


def test_a_segment_that_is_new_has_no_live_members() -> None:
    """Whoever would be in it enters it; without any live rules too."""
    live = live_rules()
    whole = compile_rules(LIVE | {"segments/new": {"where": {"did": ORDER}}}, previous=live)
    told = an_order(at=NOON - DAY)
    for trial in (prepare_trial("new", whole, live), prepare_trial("new", whole, None)):
        found = look(a_profile("u#1", live, told), trial, reader(told), NOON)
        assert found is not None
        assert found.fate is Fate.ENTERS


def test_pointers_and_tombstones_are_nobody() -> None:
    """They are rows, and no people."""
    live = live_rules()
    trial = prepare_trial("vip", live, live)
    for kind in (Kind.POINTER, Kind.TOMBSTONE):
        assert look(Profile(who="u#1", kind=kind, version=2), trial, never, NOON) is None


OLD = State(created_at=1, evaluated_at=NOON - 120 * DAY, memberships={"vip": Membership(1, NEVER, 1)})


def a_crowd(live: Bundle) -> list[Profile]:
    """Return twenty who would enter, ten who stay, five who leave, four of whom too little is known, and a pointer."""
    many = [
        a_profile(
            f"u#{kind}{number}", live, *(an_order(at=NOON - (day + 1) * DAY, id=f"o{day}") for day in range(count))
        )
        for kind, size, count in (("enter", 20, 2), ("stay", 10, 5), ("out", 7, 1))
        for number in range(size)
    ]
    stored = {"vip": Membership(1, NEVER, 1)}
    gone = [
        msgspec.structs.replace(
            each, who=f"u#leave{number}", state=msgspec.structs.replace(each.state, memberships=stored)
        )
        for number in range(5)
        for each in [a_profile("u#x", live, an_order(at=NOON - DAY))]
    ]
    old = [
        Profile(who=f"u#old{number}", version=1, state=msgspec.structs.replace(OLD, evaluated_at=NOON - days * DAY))
        for number, days in enumerate((12, 40, 100, 119))
    ]
    return [*many, *gone, *old, Profile(who="u#gone", kind=Kind.POINTER, target="u#stay1", version=2)]


class NoHistory(Shelf):
    """Stored events reach back no further than the profiles."""

    def read_events(self, profile: Profile) -> ReadEvents:  # noqa: ARG002  whoever it is
        return reader()


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> tuple[Trial, list[Profile]]:
    """A trial of a weaker definition, and people of all kinds."""
    live = live_rules()
    monkeypatch.setattr("cartwake.backfill.find_kept_from", lambda now: now)
    trial = prepare_trial("vip", candidate({"did": ORDER, "at_least": 2, "in_last": "90 days"}, live), live)
    return trial, a_crowd(live)


def test_a_survey_counts_everybody_once(crowd: tuple[Trial, list[Profile]]) -> None:
    """How many would be in it, how many are, who moves; of whom too little is known stays where they are."""
    trial, people = crowd
    told: list[int] = []
    found = conduct(trial, NoHistory(people), most=3, now=NOON, report=told.append)
    assert (found.read, found.people, sum(told)) == (47, 46, 47)
    assert found.fates == {Fate.ENTERS: 20, Fate.LEAVES: 5, Fate.STAYS: 10 + 2, Fate.OUT: 7 + 2}
    assert (found.members, found.members_live, found.unknown) == (32, 17, 2)


def test_what_is_not_known_is_told_with_its_extent(crowd: tuple[Trial, list[Profile]]) -> None:
    """One line for all who lack the same, with the least and the most that is there of it."""
    trial, people = crowd
    found = conduct(trial, NoHistory(people), most=3, now=NOON)
    words = f'"{ORDER}" happened at least twice in the last 90 days: needs 90 days of "{ORDER}"'
    assert say_missing(found) == [f"{words}, 12 days to 40 days are there (2 people)"]


def test_the_sample_is_the_same_in_any_order(crowd: tuple[Trial, list[Profile]]) -> None:
    """It is drawn by the keys: whoever asks again sees the same people, however the table was read."""
    trial, people = crowd
    one = conduct(trial, NoHistory(people), most=3, now=NOON)
    other = conduct(trial, NoHistory(people[::-1]), most=3, now=NOON)
    whos = [each.profile.who for each in one.list_sample(Fate.ENTERS)]
    assert len(whos) == 3
    assert whos == [each.profile.who for each in other.list_sample(Fate.ENTERS)]
    assert conduct(trial, NoHistory(people), most=0, now=NOON).list_sample(Fate.ENTERS) == []


def test_nobody_is_kept_but_the_sample() -> None:
    """However many there are, what is held is what is shown: memory stays flat for a million."""
    live = live_rules()
    trial = prepare_trial("vip", candidate({"did": ORDER}, live), live)
    base_profile = a_profile("u#0", live, an_order(at=NOON - DAY))
    people = (msgspec.structs.replace(base_profile, who=f"u#{number}") for number in range(400))

    def count_held() -> int:
        return sum(isinstance(each, Finding) for each in gc.get_objects())

    before = count_held()

    class Stream(Shelf):
        def read_pages(self, part: int, parts: int) -> Iterator[list[Profile]]:
            for profile in people if part == parts - 1 else ():
                yield [profile]
                if profile.who.endswith("99"):
                    assert count_held() - before <= 2 * 3 + 2

    found = conduct(trial, Stream([]), most=2, now=NOON)
    assert found.people == 400


def test_a_fault_of_one_part_ends_all() -> None:
    """A table that cannot be read is told, and the other parts do not go on for long."""
    live = live_rules()
    trial = prepare_trial("vip", live, live)
    read: list[int] = []

    class Broken(Shelf):
        def read_pages(self, part: int, parts: int) -> Iterator[list[Profile]]:
            if part == parts - 3:
                raise Fault("cannot be read")
            for number in range(100_000):
                read.append(number)
                yield []

    with pytest.raises(Fault, match="cannot be read"):
        conduct(trial, Broken([]), most=1, now=NOON)
    assert len(read) < 300_000


def test_the_words_of_a_survey() -> None:
    """Sentences with the counts; a new segment, history that was read, and what is not known are told."""
    live = live_rules()
    trial = prepare_trial("vip", candidate({"did": ORDER}, live), live)
    fates = {Fate.ENTERS: 20, Fate.LEAVES: 5, Fate.STAYS: 1_010, Fate.OUT: 3}
    found = Survey(trial, 0, read=1, people=2_000, unknown=1, backfilled=7, fates=fates)
    assert say_summary(found) == [
        '"vip" (Best): 1,030 of 2,000 people would be in it.',
        "In the live version now: 1,015, of whom 1,010 would stay; 20 would enter, 5 would leave.",
        "For 7 people, history was read from the stored events.",
        "For 1 person, it is not known: their membership would stay as it is.",
    ]
    new = prepare_trial("vip", candidate({"did": ORDER}), None)
    assert "no such segment yet" in say_summary(Survey(new, 0))[1]


def test_a_throttle_spreads_what_is_used() -> None:
    """After much was used at once, the next waits as long as that takes at the rate; time that has passed counts."""
    at, slept = [0.0], list[float]()
    throttle = Throttle(100, clock=lambda: at[0], sleep=slept.append)
    throttle.pay(50)
    throttle.pay(25)
    assert slept == [0.5]
    at[0] = 0.75
    throttle.pay(10)
    assert slept == [0.5]
    at[0] = 60
    throttle.pay(10)
    assert slept == [0.5]


# --- over tables ---


STACK = Stack.from_outputs(
    "shop",
    {f"{name.title()}Table": name for name in ("events", "profiles", "bundles", "runs", "slots", "messages")}
    | {"BucketName": "rules-bucket", "SecretArn": "cartwake-secret"},
)


def store(*people: Profile) -> None:
    for profile in people:
        assert base.commit([profiles.put_profile(msgspec.structs.replace(profile, version=0))])


def publish_live(files: dict[str, Any]) -> Bundle:
    bundle = compile_rules(files)
    publish(bundle)
    texts = {file: content.decode() for file, content in write_rules(files).items()}
    bucket.write(f"bundles/{name_bundle(encode(bundle))}.sources.json", encode_sources(Sources(files=texts)))
    return bundle


def write_folder(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def dump(table: str) -> list[Any]:
    items = boto3.client("dynamodb").scan(TableName=table)["Items"]
    return sorted(items, key=repr)


@pytest.fixture
def shop(tables: None, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """Three people: one of two orders, one of three, one who has only looked; and the live rules."""
    live = publish_live(LIVE)
    monkeypatch.setattr(try_, "read_stack", lambda *_: STACK)
    monkeypatch.setattr(try_, "read_clock", lambda: NOON)
    monkeypatch.setenv("COLUMNS", "200")
    told = {
        "u#two": [an_order(at=NOON - days * DAY, id=f"o{days}", who="u#two") for days in (1, 2)],
        "u#three": [an_order(at=NOON - days * DAY, id=f"o{days}", who="u#three") for days in (1, 2, 3)],
        "u#look": [an_event(at=NOON - DAY, who="u#look")],
    }
    for who, news in told.items():
        events.put_events(news)
        store(a_profile(who, live, *news))
    return live


def run(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["try", *arguments])


def try_json(*arguments: str) -> dict[str, Any]:
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    return found


WEAKER = LIVE | {"segments/vip": {"name": "Best", "where": {"did": ORDER, "at_least": 2, "in_last": "90 days"}}}


def test_try_tells_who_enters_and_why(shop: Bundle, tmp_path: Path) -> None:
    """The counts, and of each who moves the key, its name in logs, and the definition part by part."""
    done = run("vip", "--rules", str(write_folder(tmp_path, write_rules(WEAKER))))
    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert lines[0] == '"vip" (Best): 2 of 3 people would be in it.'
    assert lines[1] == "In the live version now: 1, of whom 1 would stay; 1 would enter, 0 would leave."
    assert "would enter: 1 of 1" in lines
    at = next(index for index, line in enumerate(lines) if line.startswith("u#two  in logs: "))
    assert lines[at + 1].startswith('✓ is in the segment "vip" (Best)')
    assert f'"{ORDER}" happened at least twice in the last 90 days: twice, last on 20 November 2026' in lines[at + 2]


def test_try_writes_nothing(shop: Bundle, tmp_path: Path) -> None:
    """Profiles, events and rules are byte by byte as they were, history that had to be read notwithstanding."""
    before = [dump(table) for table in ("profiles", "events", "bundles")]
    files = LIVE | {"segments/vip": {"where": {"did": "Page Viewed", "at_least": 1, "in_last": "60 days"}}}
    found = try_json("vip", "--rules", str(write_folder(tmp_path, write_rules(files))))
    assert (found["enter"], found["leave"], found["backfilled"]) == (1, 1, 3)
    assert [dump(table) for table in ("profiles", "events", "bundles")] == before


def test_try_as_data(shop: Bundle, tmp_path: Path) -> None:
    """Programs get the same counts and samples."""
    found = try_json("vip", "--rules", str(write_folder(tmp_path, write_rules(WEAKER))))
    assert {name: found[name] for name in ("segment", "people", "members", "members_live", "in_both", "unknown")} == {
        "segment": "vip",
        "people": 3,
        "members": 2,
        "members_live": 1,
        "in_both": 1,
        "unknown": 0,
    }
    (entering,) = found["samples"]["enter"]
    assert entering["who"] == "u#two"
    assert entering["reason"]["answer"] == "holds"
    none = try_json("vip", "--rules", str(tmp_path), "--sample", "0")["samples"]
    assert none == {"enter": [], "leave": [], "stay": []}


def test_a_part_of_the_files_is_laid_over_what_is_live(shop: Bundle, tmp_path: Path) -> None:
    """With one segment in a folder, the segments that it reads are the live ones."""
    where = {"all": [{"in_segment": "other"}, {"did": ORDER, "at_least": 2}]}
    file = {"segments/vip.json": json.dumps({"name": "Best", "where": where}).encode()}
    found = try_json("vip", "--rules", str(write_folder(tmp_path, file)))
    assert (found["members"], found["enter"], found["leave"]) == (2, 1, 0)


def test_faults_in_files_end_with_1(shop: Bundle, tmp_path: Path) -> None:
    """A folder that would not go live is not tried: its faults are told with their places, as check tells them."""
    files = write_rules(LIVE)
    files["segments/vip.json"] = b'{"name": "Best",\n "where": {"did": "Order Completed", "at_leest": 2}}'
    folder = str(write_folder(tmp_path, files))
    done = run("vip", "--rules", folder)
    assert done.exit_code == 1
    assert "segments/vip.json:2" in done.output
    assert "at_least" in done.output
    done = run("vip", "--rules", folder, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["faults"][0]["file"] == "segments/vip.json"


def test_what_cannot_be_tried_ends_with_2(shop: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No folder, no such segment, no such stack: a message, and another code than faults have."""
    assert run("vip", "--rules", str(tmp_path / "none")).exit_code == 2
    done = run("vipp", "--rules", str(write_folder(tmp_path, write_rules(WEAKER))))
    assert done.exit_code == 2
    assert 'there is no segment "vipp" (segments/vipp.json); did you mean "vip"?' in " ".join(done.output.split())

    def refuse(cloud: Cloud, name: str) -> Stack:
        raise Fault(f"the stack {name} cannot be read")

    monkeypatch.setattr(try_, "read_stack", refuse)
    assert run("vip", "--rules", str(tmp_path)).exit_code == 2


def test_before_anything_is_live_all_enter(tables: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without live rules a folder is tried for itself."""
    monkeypatch.setattr(try_, "read_stack", lambda *_: STACK)
    found = try_json("vip", "--rules", str(write_folder(tmp_path, write_rules(WEAKER))))
    assert (found["people"], found["members"], found["members_live"]) == (0, 0, 0)


def test_the_help_shows_an_example() -> None:
    """Whoever asks what the command does sees how it is called."""
    assert "cartwake try vip --rules my-rules --stack my-shop" in run("--help").output


def test_every_row_is_read_once_in_any_number_of_parts(tables: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts are disjoint and together all, page by page."""
    monkeypatch.setattr("cartwake_cli.scanning.A_PAGE", 3)
    store(*(Profile(who=f"u#{number}", state=State(created_at=1)) for number in range(20)))
    scan = Scan(Cloud(), STACK, Throttle(1_000))
    pages = [page for part in range(4) for page in scan.read_pages(part, 4)]
    assert sorted(each.who for page in pages for each in page) == sorted(f"u#{number}" for number in range(20))
    assert all(len(page) <= 3 for page in pages)
    assert scan.count_rows() == 20


def test_events_are_read_under_all_keys_of_a_shopper(tables: None) -> None:
    """Those of merged profiles are among them; of other names, and of other people, none."""
    mine = [an_order(at=NOON, who="u#1"), an_order(at=NOON - 1, who="a#1"), an_event(at=NOON, who="u#1")]
    events.put_events([*mine, an_order(at=NOON, who="u#2")])
    profile = Profile(who="u#1", state=State(sources=("a#1",)))
    read = Scan(Cloud(), STACK, Throttle(1_000)).read_events(profile)
    assert {(event.who, event.name) for event in read({ORDER})} == {("u#1", ORDER), ("a#1", ORDER)}
    many = {ORDER, *(f"Event {number}" for number in range(150))}
    assert {event.name for event in read(many)} == {ORDER}
