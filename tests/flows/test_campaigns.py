"""Campaigns through the real functions: everybody who is meant gets one mail, whatever is killed or doubled."""

import json
from collections import Counter
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_subscription, an_event, an_identify, publish
from shoppers import Shop, queue_event
from world import client, lambda_context, read_queue

from cartwake import enrolling
from cartwake import sweeps as sweeping
from cartwake.bundles import Bundle, Segment
from cartwake.conditions.kinds import Did, Trait
from cartwake.enrolments import PARTS, Enrolment, Found, Part, add_all
from cartwake.errors import TryAgain
from cartwake.journeys import Journey, Send, Split, Trigger, Variant, Wait
from cartwake.profiles import Kind
from cartwake.reasons import EndReason
from cartwake.statements import Channel
from cartwake.store import base, enrolments, profiles, runs, slots, sweeps
from cartwake.sweeps import Aim, SweepKind, Tally
from cartwake.times import DAY, HOUR, MINUTE, SECOND, Instant
from cartwake.trackers import Need
from cartwake.values import Is
from functions.sweep_profiles import app as sweep_profiles
from functions.wake import app as wake

AT = NOON + 2 * DAY
NEWS = Journey(
    title="News",
    status="live",
    trigger=Trigger(),
    steps=(Send(channel=Channel.EMAIL, template="welcome", subject="News"),),
)
READERS = Segment(title="R", where=Trait(name="reader", test=Is((True,))), traits=("reader",), changed_generation=1)
PEOPLE = [f"u#p{number}" for number in range(12)]


def rules(journey: Journey = NEWS, *, generation: int = 1, segment: Segment = READERS, **aim: Any) -> Bundle:
    """Return rules with the campaign `news`, for readers, two days from noon."""
    name, rate = aim.pop("name", "news"), aim.pop("send_rate", 1000.0)
    told = Enrolment(**{"segment": aim.pop("segment_name", "readers"), "starts_at": AT, "is_campaign": True} | aim)
    settings = msgspec.structs.replace(a_bundle().settings, send_rate=rate)
    return a_bundle(
        generation=generation,
        segments={"readers": segment},
        journeys={name: journey},
        enrolments={name: told},
        settings=settings,
    )


def join(shop: Shop, *whos: str, reader: bool = True, silent: bool = False, **traits: Any) -> None:
    """Make known who people are, whether they are readers, and that they subscribed."""
    for who in whos:
        told = an_identify(f"{who[2:]}@example.com", who=who, user_id=who[2:], id=f"i-{who}-{shop.now}", at=shop.now)
        told = msgspec.structs.replace(told, traits=told.traits | {"reader": reader} | traits)
        yes = a_subscription(who=who, user_id=who[2:], id=f"s-{who}-{shop.now}", at=shop.now)
        shop.derive(told, *([] if silent else [yes]))


def open_shop(shop: Shop, journey: Journey = NEWS, *, readers: tuple[str, ...] = (), **aim: Any) -> None:
    """Publish a campaign in two days, for readers from whom nobody asks for a mail to be seen."""
    publish(rules(journey, generation=2, **aim))
    join(shop, *readers, silent=True)
    shop.now = AT


def wake_up(shop: Shop) -> list[dict[str, Any]]:
    """Have `wake` look, and return what it asks of the queue of sweeps."""
    wake.handler({}, lambda_context())
    return read_queue("sweeps")


def enrol(*bodies: dict[str, Any], remaining_ms: int = 120_000) -> dict[str, Any]:
    answer: dict[str, Any] = sweep_profiles.handler(queue_event(*bodies), lambda_context(remaining_ms=remaining_ms))
    return answer


def begin(shop: Shop) -> None:
    """Have the campaign begin, and everybody looked at."""
    assert enrol(*wake_up(shop)) == GOOD


def started(who: str) -> list[Any]:
    return runs.list_runs(who, journey="news")


def due(*whos: str) -> list[Instant]:
    """Return how long after the campaign's time each begins."""
    return [run.due_at - AT for who in whos for run in started(who)]


def go_to(shop: Shop, at: Instant) -> None:
    """Let time pass up to an instant, a minute at a step."""
    while shop.now < at:
        shop.wait(min(MINUTE, at - shop.now))


def got(shop: Shop) -> Counter[str]:
    """Return how many mails each got."""
    return Counter(mail.destinations["ToAddresses"][0].partition("@")[0] for mail in shop.mails())


def tally() -> Found:
    return add_all(enrolments.list_parts())


def told() -> dict[str, Any]:
    body = client("s3").get_object(Bucket="rules-bucket", Key="_status/campaigns.json")["Body"].read()
    shown: dict[str, Any] = json.loads(body)["campaigns"]["news"]
    return shown


GOOD: dict[str, Any] = {"batchItemFailures": []}
ASKED = [{"enrol": "news", "part": number} for number in range(PARTS)]


class Killed(BaseException):
    """The process is no more."""


# ---- each one mail


@pytest.fixture
def ready(shop: Shop) -> Shop:
    """A shop with a campaign in two days, and a dozen people, every third of whom is no reader."""
    publish(rules(generation=2))
    for index, who in enumerate(PEOPLE):
        join(shop, who, reader=index % 3 > 0)
    return shop


MEANT = Counter(who[2:] for index, who in enumerate(PEOPLE) if index % 3)


def test_everybody_who_is_meant_gets_one_mail(ready: Shop) -> None:
    """Nothing before the time; then each member one mail, and the progress says so."""
    ready.now = AT - 1
    ready.wait(0)
    assert enrolments.list_parts() == []
    ready.wait(1)
    go_to(ready, AT + 5 * MINUTE)
    assert got(ready) == MEANT
    assert (tally().members, tally().enrolled, tally().read) == (8, 8, 12)
    shown = told()
    assert (shown["recipients"], shown["everybody_found"], shown["messages"]["accepted"]) == (8, True, 8)
    assert (shown["message"], shown["all_have_begun"]) == ("8 recipients. 8 messages were sent.", True)
    ready.now = AT + 3 * DAY
    ready.wait(MINUTE)
    assert got(ready) == MEANT


def test_workers_that_are_killed_leave_nobody_out_and_nobody_twice(
    ready: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a worker was doing when it ended, others do the rest, and each gets one mail."""
    monkeypatch.setattr(sweep_profiles, "PAGE", 2)
    places = [(enrolling, "plan_step"), (enrolments, "move"), (base, "commit")]
    deaths = [(module, name, at) for module, name in places for at in (1, 2)]

    def kill(module: Any, name: str, at: int) -> bool:
        """Have workers go through the parts, one of whom ends; say whether one did."""
        real, calls = getattr(module, name), []

        def call(*args: Any, **options: Any) -> Any:
            done = real(*args, **options)
            calls.append(name)
            if len(calls) == at:
                raise Killed
            return done

        with monkeypatch.context() as patched:
            patched.setattr(module, name, call)
            for body in ASKED:
                try:
                    enrol(body)
                except Killed:
                    return True
        return False

    ready.now = AT
    assert wake_up(ready) == ASKED
    assert [kill(*death) for death in deaths].count(True) >= 4
    read_queue("steps")
    ready.wait(5 * MINUTE)
    go_to(ready, AT + 12 * MINUTE)
    assert got(ready) == MEANT
    assert all(part.done for part in enrolments.list_parts())
    assert (tally().enrolled, tally().read) == (8, 12)


def test_doubled_messages_bring_in_nobody_twice(shop: Shop) -> None:
    """Parts that are asked for twice, at once or later, look at everybody once."""
    open_shop(shop, readers=("u#a", "u#b", "u#c"))
    asked = wake_up(shop)
    assert enrol(*asked, *asked) == GOOD
    assert enrol(*asked) == GOOD
    assert wake_up(shop) == []
    assert [len(started(who)) for who in ("u#a", "u#b", "u#c")] == [1, 1, 1]
    assert tally().read == 3


def test_a_part_is_handed_on_when_the_time_is_up(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """An invocation ends in time and asks for another; a part that has lost its message is asked for again."""
    monkeypatch.setattr(sweep_profiles, "PAGE", 1)
    open_shop(shop, readers=("u#a", "u#b"))
    asked = wake_up(shop)
    assert enrol(asked[0], remaining_ms=sweep_profiles.RESERVE_MS - 1) == GOOD
    assert read_queue("sweeps") == asked[:1]
    shop.now = AT + 5 * MINUTE - 1
    assert wake_up(shop) == []
    shop.now += 1
    assert wake_up(shop) == asked


# ---- who is meant


def test_recipients_are_those_who_are_members_as_it_begins(shop: Shop) -> None:
    """Who has left since gets it, who came back too; who has only entered since does not, nor who left before."""
    open_shop(shop)
    shop.now = NOON
    join(shop, "u#leaves", "u#returns", "u#stays", "u#left", silent=True)
    join(shop, "u#late", reader=False, silent=True)
    shop.now = AT - HOUR
    join(shop, "u#left", reader=False, silent=True)
    shop.now = AT
    asked = wake_up(shop)
    for later, who, reader in ((1, "u#leaves", False), (1, "u#returns", False), (2, "u#returns", True)):
        shop.now = AT + later * SECOND
        join(shop, who, reader=reader, silent=True)
    join(shop, "u#late", "u#new", silent=True)
    shop.now = AT + MINUTE
    assert enrol(*asked) == GOOD
    found = {who: len(started(f"u#{who}")) for who in ("leaves", "returns", "stays", "left", "late", "new")}
    assert found == {"leaves": 1, "returns": 1, "stays": 1, "left": 0, "late": 0, "new": 0}


def test_a_membership_that_time_ends_is_stepped_through(shop: Shop) -> None:
    """Of whom nobody has looked at since their membership expired, it is found out before they count as members."""
    recent = Segment(title="R", where=Did(tracker="viewed", within_ms=2 * DAY), events=("Page Viewed",))
    needs = a_bundle().needs | {"viewed": Need(event="Page Viewed", latest=2, within_ms=2 * DAY)}
    publish(msgspec.structs.replace(rules(generation=2, segment=recent), needs=needs))
    shop.derive(an_event(who="u#over", id="v1", at=AT - 2 * DAY), an_event(who="u#fresh", id="v2", at=AT - 2 * DAY + 1))
    shop.now = AT
    begin(shop)
    assert (len(started("u#over")), len(started("u#fresh"))) == (0, 1)


def test_two_profiles_of_one_shopper_are_one_recipient(shop: Shop) -> None:
    """Who is joined while it goes on is brought in once, whichever of the rows was looked at before."""
    open_shop(shop, readers=("u#b",))
    shop.now = NOON
    shop.derive(an_event("Identified", who="a#1", id="x", traits={"reader": True}, type="identify", at=NOON))
    join(shop, "u#c", reader=False, silent=True)
    shop.derive(an_event("Identified", who="a#2", id="y", traits={"reader": True}, type="identify", at=NOON))
    shop.now = AT
    asked = wake_up(shop)
    parts = {part.number: part for part in enrolments.list_parts()}
    rows = {row.who: number for number in parts for row in profiles.scan_page(number, PARTS, after="", limit=50).rows}
    first = [{"enrol": "news", "part": number} for who, number in rows.items() if who in ("u#b", "u#c")]
    assert enrol(*first) == GOOD
    shop.now = AT + SECOND
    for user, visitor in (("b", "a#1"), ("c", "a#2")):
        who = f"u#{user}"
        shop.derive(an_event(who=who, user_id=user, anonymous_id=visitor[2:], id=f"m-{user}", at=AT + SECOND))
    assert profiles.get_profile("a#1").kind is Kind.POINTER
    assert enrol(*asked) == GOOD
    everywhere = [started(who) for who in ("u#b", "a#1", "u#c", "a#2")]
    assert sum(map(len, everywhere[:2])) == 1
    assert sum(map(len, everywhere[2:])) == (0 if rows["a#2"] == rows["u#c"] else 1)


def test_who_was_erased_is_not_brought_in(shop: Shop) -> None:
    """Of a tombstone nothing is made, and it is not counted."""
    open_shop(shop, readers=("u#a",))
    profiles.ProfileRow("u#a", kind=Kind.TOMBSTONE.value, version=9).save()
    begin(shop)
    assert started("u#a") == []
    assert tally().members == 0


def test_filter_and_reasons_are_told(shop: Shop) -> None:
    """Who does not pass the filter as their turn comes gets nothing, and the progress says how many and why."""
    journey = msgspec.structs.replace(NEWS, filter=Trait(name="country", test=Is(("DE",))))
    open_shop(shop, journey)
    join(shop, "u#de", silent=True, country="DE")
    join(shop, "u#pl", silent=True, country="PL")
    begin(shop)
    wake_up(shop)
    assert (len(started("u#de")), len(started("u#pl"))) == (1, 0)
    assert (told()["left_out"], told()["recipients"]) == ({"filter": 1}, 1)


# ---- when


def test_recipients_own_clocks(shop: Shop) -> None:
    """By the recipient's clock each begins when it shows the time there; where that is over, at once."""
    zones = {"u#nz": "Pacific/Auckland", "u#de": "Europe/Berlin", "u#us": "America/New_York"}
    open_shop(shop, date="2026-11-23T22:00", send_rate=1000)
    for who, zone in zones.items():
        join(shop, who, silent=True, timezone=zone)
    begin(shop)
    assert [round(it / HOUR) for it in due(*zones)] == [0, 9, 15]


def test_a_rate_and_a_spread(shop: Shop) -> None:
    """No more begin a second than the rate says, whichever part finds them; a spread comes on top, by chance."""
    whos = [f"u#{number}" for number in range(12)]
    open_shop(shop, readers=tuple(whos), send_rate=2.0)
    begin(shop)
    by_part = [part.found.enrolled for part in enrolments.list_parts()]
    assert Counter(due(*whos)) == Counter(4 * SECOND * place for many in by_part for place in range(many))
    publish(rules(generation=3, spread_ms=4 * HOUR, name="other"))
    begin(shop)
    apart = [run.due_at - AT for who in whos for run in runs.list_runs(who, journey="other")]
    assert len(set(apart)) == 12
    assert HOUR < max(apart) < 4 * HOUR + MINUTE


def test_some_are_first(shop: Shop) -> None:
    """The first share goes on at once; the rest wait as long as is said, each from when their own turn came."""
    share = Split(
        salt="first news",
        variants=(
            Variant(name="first", micros=500_000),
            Variant(name="rest", micros=500_000, steps=(Wait(for_ms=HOUR),)),
        ),
    )
    whos = [f"u#{number}" for number in range(8)]
    open_shop(shop, msgspec.structs.replace(NEWS, steps=(share, *NEWS.steps)), readers=tuple(whos), spread_ms=2 * HOUR)
    begin(shop)
    began = dict(zip(whos, due(*whos), strict=True))
    go_to(shop, AT + 4 * MINUTE)
    shop.now = AT + 2 * HOUR + 4 * MINUTE
    shop.wait(0)
    waited = {who: run.due_at - AT - began[who] for who in whos for run in started(who) if run.ended is None}
    assert len(waited) >= 1
    assert set(waited.values()) == {HOUR}


def test_what_could_not_begin_for_a_day_does_not_begin(shop: Shop) -> None:
    """After an outage of a day yesterday's news stays unsent; of a shorter one it is sent late."""
    open_shop(shop, readers=("u#a",))
    shop.now = AT + DAY
    assert wake_up(shop) == []
    shop.now = AT + DAY - 1
    assert wake_up(shop) == ASKED


def test_a_campaign_that_was_missed_says_so(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """In the status and by an alarm, until its file is put away; what may still begin is not missed."""

    def look(at: Instant) -> bool:
        shop.now = at
        capsys.readouterr()
        assert wake_up(shop) == []
        return '"CampaignsMissed":[1.0]' in capsys.readouterr().out

    open_shop(shop, readers=("u#a",))
    assert look(AT + DAY)
    assert told()["message"].startswith("It did not begin within a day of 2026-11-23T12:00:00.000Z")
    assert not look(AT + DAY + MINUTE)
    publish(rules(msgspec.structs.replace(NEWS, status="paused"), generation=3))
    assert not look(AT + DAY + 10 * MINUTE)
    publish(rules(generation=4))
    assert look(AT + DAY + 20 * MINUTE)
    publish(rules(msgspec.structs.replace(NEWS, status="archived"), generation=5))
    assert not look(AT + DAY + 30 * MINUTE)


def test_what_has_begun_was_not_missed(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """However long ago it was, also when nothing is left of it but its name."""
    open_shop(shop, readers=("u#a",))
    begin(shop)
    shop.now = AT + 2 * DAY
    wake_up(shop)
    for part in enrolments.list_parts():
        enrolments.EnrolmentRow("enrolments", f"news#{part.number:02d}").delete()
    shop.now = AT + 90 * DAY
    wake_up(shop)
    assert "CampaignsMissed" not in capsys.readouterr().out


def test_it_waits_until_everybody_was_looked_at_under_new_rules(shop: Shop) -> None:
    """While a change of segments is still worked in, who is a member is not settled: nothing begins."""
    open_shop(shop, readers=("u#a",))
    parts = sweeping.begin(SweepKind.LIVE, Aim(bundle="b", generation=2, began_at=AT, opens_at=AT))
    assert base.commit(sweeps.begin(parts))
    assert wake_up(shop) == []
    for part in parts:
        assert sweeps.move(part, sweeping.go_on(part, cursor="", found=Tally(), now=AT))
    assert wake_up(shop) == ASKED


# ---- what becomes of it


def test_a_pause_holds_it_and_an_archive_ends_it(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it is paused nobody is brought in, and nobody is lost; once archived, nobody else gets it."""
    monkeypatch.setattr(sweep_profiles, "PAGE", 1)
    open_shop(shop, readers=("u#a", "u#b"))
    asked = wake_up(shop)
    publish(rules(msgspec.structs.replace(NEWS, status="paused"), generation=3))
    assert enrol(*asked) == GOOD
    assert (tally().read, started("u#a")) == (0, [])
    shop.now = AT + 10 * MINUTE
    assert wake_up(shop) == []
    publish(rules(generation=4))
    assert wake_up(shop) == asked
    (part,) = [it for it in enrolments.list_parts() if any(row.who == "u#a" for row in scan(it))][:1]
    assert enrol({"enrol": "news", "part": part.number}) == GOOD
    assert len(started("u#a")) == 1
    publish(rules(msgspec.structs.replace(NEWS, status="archived"), generation=5))
    assert enrol(*asked) == GOOD
    assert all(it.done for it in enrolments.list_parts())
    go_to(shop, AT + 16 * MINUTE)
    assert [run.ended for run in started("u#a")] == [EndReason.ARCHIVED]
    assert told()["status"] == "archived"


def scan(part: Part) -> tuple[Any, ...]:
    return profiles.scan_page(part.number, PARTS, after="", limit=50).rows


def test_only_what_is_news_is_added_up(ready: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one campaign is told each minute, of an older one it is said what was known of it."""
    ready.now = AT
    ready.wait(0)
    go_to(ready, AT + 5 * MINUTE)
    first = rules(generation=3)
    more = Enrolment(segment="readers", starts_at=AT + 8 * DAY, is_campaign=True)
    both = {"journeys": {"news": NEWS, "more": NEWS}, "enrolments": first.enrolments | {"more": more}}
    publish(msgspec.structs.replace(first, **both))
    counted: list[str] = []
    add_up = wake.counts.add_up_messages

    def note(counters: list[str]) -> dict[str, int]:
        counted.extend(counters)
        return add_up(counters)

    monkeypatch.setattr(wake.counts, "add_up_messages", note)
    ready.now = AT + 8 * DAY
    wake_up(ready)
    assert {it.partition("#")[0] for it in counted} == {"more"}
    assert (told()["message"], told()["messages"]["accepted"]) == ("8 recipients. 8 messages were sent.", 8)


def test_what_is_paused_is_told_every_ten_minutes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more after a week: it goes nowhere, and reading it each minute costs."""
    open_shop(shop, readers=("u#a",))
    wake_up(shop)
    publish(rules(msgspec.structs.replace(NEWS, status="paused"), generation=3))
    written: list[str] = []
    monkeypatch.setattr(wake.bucket, "write", lambda key, _: written.append(key))
    for minutes, times in ((1, 0), (9, 0), (10, 1), (11, 1), (20, 2), (7 * 24 * 60, 2)):
        shop.now = AT + minutes * MINUTE
        wake_up(shop)
        assert written == ["_status/campaigns.json"] * times


def test_telling_holds_up_nobody(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that is due is in its queue before anything is told, so that telling may take long, or fail."""
    open_shop(shop, readers=("u#a",))
    asked = []
    for name in ("send_steps", "send_messages", "send_wakes", "send_erasures", "send_sweeps", "send_judgements"):
        monkeypatch.setattr(wake.queue, name, lambda _, name=name: asked.append(name))

    def fail() -> int:
        raise TryAgain("throttled")

    monkeypatch.setattr(wake.profiles, "count_rows", fail)
    with pytest.raises(TryAgain):
        wake_up(shop)
    assert set(asked) == {
        "send_steps",
        "send_messages",
        "send_wakes",
        "send_erasures",
        "send_sweeps",
        "send_judgements",
    }
    assert read_queue("sweeps") == ASKED


def test_a_file_that_changes_after_the_start_moves_nothing(shop: Shop) -> None:
    """Neither another segment nor another time counts once it has begun; another text does."""
    open_shop(shop, readers=("u#a",))
    asked = wake_up(shop)
    other = msgspec.structs.replace(NEWS, steps=(Send(channel=Channel.EMAIL, template="welcome", subject="Newer"),))
    publish(rules(other, generation=3, segment_name="nobody", starts_at=AT + 5 * DAY))
    assert enrol(*asked) == GOOD
    assert due("u#a") == [0]


def test_a_name_that_was_sent_never_begins_again(shop: Shop) -> None:
    """Though nothing of it is left but its name, and whatever the rules say."""
    open_shop(shop, readers=("u#a",))
    begin(shop)
    for part in enrolments.list_parts():
        enrolments.EnrolmentRow("enrolments", f"news#{part.number:02d}").delete()
    join(shop, "u#b", silent=True)
    shop.now = AT + HOUR
    assert wake_up(shop) == []
    assert started("u#b") == []


def test_poison_among_recipients_stops_nobody(shop: Shop) -> None:
    """A row that no code can read is set aside and counted; the others are brought in."""
    open_shop(shop, readers=("u#a", "u#b"))
    profiles.ProfileRow("u#b").update(actions=[profiles.ProfileRow.state.set(b"\x01nonsense")])
    begin(shop)
    assert len(started("u#a")) == 1
    assert tally().failed == 1


def test_what_cannot_be_done_now_is_done_again(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """When DynamoDB is throttled the page is left undone, and SQS delivers the message again."""
    open_shop(shop, readers=("u#a",))
    asked = wake_up(shop)
    (number,) = [part.number for part in enrolments.list_parts() if scan(part)]

    def refuse(*_: Any, **__: Any) -> bool:
        raise TryAgain("throttled")

    with monkeypatch.context() as patched:
        patched.setattr(slots, "get_slot", refuse)
        assert len(enrol(*asked)["batchItemFailures"]) == 1
    part = enrolments.get_part("news", number)
    assert part is not None
    assert not part.done
    assert enrol(*asked) == GOOD
    assert len(started("u#a")) == 1
