"""The coupons table: one code for one shopper, whoever asks at the same time and whatever was imported."""

import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from typing import Any

import pytest
from botocore.client import BaseClient
from builders import NOON, a_bundle, an_order
from ledger import a_message, a_run
from moto.dynamodb.models.table import Table
from msgspec.structs import replace

from cartwake import giving
from cartwake.bundles import Pool
from cartwake.coupons import Given, Taken, tell_given
from cartwake.errors import TryAgain
from cartwake.journeys import Send
from cartwake.profiles import Profile, State
from cartwake.reasons import Skip
from cartwake.sending.coupons import give_coupon
from cartwake.sending.letters import Case, Unfit
from cartwake.statements import Channel
from cartwake.store import base, coupons, events
from cartwake.times import DAY, NEVER

pytestmark = pytest.mark.usefixtures("tables")

STEP = Send(channel=Channel.EMAIL, template="cart-1", coupon="back")


def case(who: str = "u#1", *, pool: Pool | None = None, path: str = "0", sources: tuple[str, ...] = ()) -> Case:
    """Return a message of a step that gives a coupon."""
    rules = a_bundle(pools={"back": pool or Pool()})
    journey = replace(rules.journeys["cart"], steps=(STEP, STEP))
    return Case(
        message=a_message(who=who, journey="cart", path=path, template="cart-1", coupon="back"),
        run=a_run(who=who),
        profile=Profile(who=who, state=State(sources=sources)),
        rules=replace(rules, journeys={"cart": journey}),
        now=NOON,
    )


def give(asked: Case, now: int = NOON) -> Given:
    found = give_coupon(asked, now)
    assert isinstance(found, Given), found
    return found


def stock(*codes: str, until: int = NEVER) -> None:
    coupons.put_free("back", dict.fromkeys(codes, until))


def left() -> set[str]:
    return set(coupons.list_free("back"))


def test_a_code_leaves_the_free_ones_for_good() -> None:
    """It is the shopper's, it is told of, and importing the same file again does not give it to anybody else."""
    stock("A-1")
    given = give(case())
    assert (given.code, given.who, given.until) == ("A-1", "u#1", NEVER)
    assert left() == set()
    assert [event.properties["coupon"] for event in events.list_events("u#1")] == ["A-1"]
    stock("a-1")  # an old file, put back by hand
    assert give_coupon(case("u#2"), NOON) == Unfit(Skip.NO_COUPON, 'the pool "back" is empty')
    assert left() == set()


def test_a_code_that_was_taken_out_meanwhile_is_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the draw and the taking a marketer may delete its line: then another one is drawn."""
    stock("A-1", "B-2")
    real, gone = coupons.draw, []

    def draw(pool: str, now: int) -> Any:
        drawn = real(pool, now)
        if not gone and drawn is not None:
            gone.append(drawn[0])
            coupons.delete_free("back", gone)
        return drawn

    monkeypatch.setattr(coupons, "draw", draw)
    assert give(case()).code not in gone


def test_the_same_code_until_it_is_over() -> None:
    """Asked again, a shopper has the same code for this step; another one for another step, and after its end."""
    stock("A-1", "B-2", "C-3")
    first = give(case(pool=Pool(valid_for_ms=DAY)))
    assert give(case(pool=Pool(valid_for_ms=DAY)), NOON + DAY - 1) == first
    other = give(case(path="1"))
    later = give(case(pool=Pool(valid_for_ms=DAY)), NOON + DAY)
    assert len({first.code, other.code, later.code}) == 3
    assert (later.round, later.until) == (1, NOON + 2 * DAY)
    assert [it.code for it in coupons.list_given("u#1", "cart#0#")] == [first.code, later.code]


def test_a_merged_profile_keeps_its_code() -> None:
    """What was given under one key is found under every key of the profile that it was merged into."""
    stock("A-1", "B-2")
    before = give(case("a#visitor"))
    assert give(case("u#1", sources=("a#visitor",))) == before
    assert len(left()) == 1


def test_codes_that_are_over_are_not_given() -> None:
    """A code with a date is given only before its end."""
    stock("A-1", until=NOON)
    assert isinstance(give_coupon(case(), NOON), Unfit)
    assert give(case(), NOON - 1).until == NOON


def test_generated_codes_never_run_out_and_never_meet() -> None:
    """Each shopper has another one, the same again; one that somebody has by chance is not given twice."""
    pool = Pool(prefix="X-", length=6)
    codes = [give(case(f"u#{number}", pool=pool)).code for number in range(20)]
    assert len(set(codes)) == 20
    assert [give(case(f"u#{number}", pool=pool)).code for number in range(20)] == codes


def test_a_generated_code_that_somebody_has_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shoppers for whom the same code would be made get two."""
    pool = Pool(prefix="X-", length=6)
    made = iter(["X-SAME", "X-SAME", "X-OTHER"])
    monkeypatch.setattr(giving, "derive_code", lambda *_: next(made))
    assert [give(case(who, pool=pool)).code for who in ("u#1", "u#2")] == ["X-SAME", "X-OTHER"]


def test_a_pool_that_is_gone_skips() -> None:
    """A message that was planned before its pool was deleted says so."""
    asked = case()
    found = give_coupon(replace(asked, rules=replace(asked.rules, pools={})), NOON)
    assert found == Unfit(Skip.NO_COUPON, 'there is no pool "back"')


def test_a_step_that_is_gone_gives_what_was_planned() -> None:
    """A journey that changed around a planned message takes its coupon from nobody."""
    stock("A-1")
    asked = case()
    other = replace(asked.rules.journeys["cart"], steps=(replace(STEP, template="other", coupon=""),))
    assert give(replace(asked, rules=replace(asked.rules, journeys={"cart": other}))).code == "A-1"


def test_a_step_without_a_coupon_asks_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most messages read no coupon at all."""
    monkeypatch.setattr(coupons.CouponRow, "query", lambda *_, **__: pytest.fail("the table was read"))
    asked = case()
    plain = replace(asked.rules.journeys["cart"], steps=(replace(STEP, coupon=""),))
    assert give_coupon(replace(asked, rules=replace(asked.rules, journeys={"cart": plain})), NOON) is None


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB does each call at once or not at all; moto, whose tables threads share, must be held to that."""
    plain, lock = BaseClient._make_api_call, threading.Lock()

    def call(client: BaseClient, name: str, asked: dict[str, Any]) -> Any:
        with lock:
            return plain(client, name, asked)

    def copy_table(table: Table, _: Any) -> Table:
        copied = copy(table)
        copied.items = defaultdict(dict, {key: dict(rows) for key, rows in table.items.items()})
        return copied

    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    # for each action of a transaction moto copies every row; no row is changed in place here
    monkeypatch.setattr(Table, "__deepcopy__", copy_table, raising=False)


def test_a_lost_answer_gives_no_second_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the transaction went through and its answer did not arrive, the shopper has that code, and no other."""
    stock("A-1", "B-2")
    real = base.commit
    lost = []

    def commit(writes: Any, **options: Any) -> bool:
        done = real(writes, **options)
        if not lost:
            lost.append(done)
            raise TryAgain("the answer was lost")
        return done

    monkeypatch.setattr(base, "commit", commit)
    with pytest.raises(TryAgain):
        give_coupon(case(), NOON)
    assert lost == [True]
    (held,) = coupons.list_given("u#1")
    assert give(case()) == held
    assert len(left()) == 1


def test_who_loses_too_often_tries_again_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Attempts are bounded, and the message goes back to the queue."""
    stock(*(f"C-{number}" for number in range(30)))
    monkeypatch.setattr(coupons, "take", lambda *_, **__: False)
    with pytest.raises(TryAgain):
        give_coupon(case(), NOON)


@pytest.mark.usefixtures("one_by_one")
def test_a_hundred_codes_under_two_hundred_at_once() -> None:
    """All begin at the same moment: a hundred have a code each, a hundred are told that there is none left."""
    stock(*(f"C-{number:03}" for number in range(100)))
    asked = [case(f"u#{number}") for number in range(200)]
    start, drawn_at_once = threading.Barrier(200), Counter[str]()
    real = coupons.take

    def take(given: Given, **options: Any) -> bool:
        drawn_at_once[given.code] += 1
        return real(given, **options)

    def claim(one: Case) -> Given | Unfit | None:
        start.wait(20)
        while True:
            try:
                return give_coupon(one, NOON)
            except TryAgain:
                continue  # as the queue would

    with pytest.MonkeyPatch.context() as patched, ThreadPoolExecutor(200) as pool:
        patched.setattr(coupons, "take", take)
        found = list(pool.map(claim, asked))
    codes = [it.code for it in found if isinstance(it, Given)]
    assert len(codes) == len(set(codes)) == 100
    assert [it.why for it in found if isinstance(it, Unfit)] == [Skip.NO_COUPON] * 100
    assert left() == set()
    assert max(drawn_at_once.values()) > 1, "nobody drew what another one drew: it was no race"


@pytest.mark.usefixtures("one_by_one")
def test_twins_have_one_code() -> None:
    """Twenty deliveries of one message at once give one code, and take one."""
    stock(*(f"C-{number:03}" for number in range(30)))
    start = threading.Barrier(20)

    def claim(_: int) -> str:
        start.wait(20)
        while True:
            try:
                return give(case()).code
            except TryAgain:
                continue

    with ThreadPoolExecutor(20) as pool:
        assert len(set(pool.map(claim, range(20)))) == 1
    assert len(left()) == 29


def test_counting_stops_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pool is counted as far as it must be, in rows that are read too; what is over does not count."""
    stock(*(f"C-{number:03}" for number in range(40)))
    stock("OLD-1", until=NOON)
    read: list[int] = []
    call = coupons.CouponRow._get_connection().connection._make_api_call

    def note(name: str, asked: Any, *rest: Any) -> Any:
        answer = call(name, asked, *rest)
        read.append(int(answer["ScannedCount"]))
        return answer

    monkeypatch.setattr(coupons.CouponRow._get_connection().connection, "_make_api_call", note)
    assert coupons.count_free("back", NOON, most=100) == 40
    read.clear()
    assert coupons.count_free("back", NOON, most=5) == 5
    assert sum(read) <= 6
    assert coupons.count_free("none", NOON, most=5) == 0


def test_an_order_uses_a_code_once() -> None:
    """The first order counts; who used it is found under their key, and the event is told of it."""
    stock("A-1")
    given = give(case())
    first = Taken(given=given, redeemed_at=NOON + 1, redeemed_by="u#2", order="o-1")
    event = events.write_event(an_order(id="told", who="u#2"))
    assert coupons.redeem(first, event=event)
    assert not coupons.redeem(replace(first, order="o-2"), event=events.write_event(tell_given(given)))
    assert coupons.get_taken("a-1") == first
    assert coupons.list_redeemed("u#2") == ["A-1"]
    assert [it.code for it in coupons.list_given("u#2")] == []


def test_a_code_that_was_never_given_is_not_used() -> None:
    """What the shop made without us is nobody's business here."""
    unknown = Taken(given=Given(who="u#1", pool="p", code="Z", journey="j", path="0", given_at=NOON), redeemed_at=NOON)
    assert coupons.get_taken("Z") is None
    assert not coupons.redeem(unknown, event=events.write_event(an_order()))
