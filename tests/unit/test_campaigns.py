"""Campaigns and whom a journey brings in who is there already: what files mean, when it begins, and what is told."""

import re
from pathlib import Path
from typing import Any

import pytest
from builders import NOON
from rulebook import SETTINGS, write_rules
from typer.testing import CliRunner

from cartwake.bundles import Bundle
from cartwake.campaigns import Known, list_counters, read_sent, show_campaigns
from cartwake.enrolments import Enrolment, Found, Part, begin, group, is_due, is_missed, is_stale, is_told, pace_ms
from cartwake.events import COMPLAINED
from cartwake.journeys import Split, Trigger, Wait
from cartwake.profiles import Membership
from cartwake.recipients import was_member
from cartwake.rules.campaign_models import Campaign
from cartwake.rules.compile import Linked, link
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import read_file
from cartwake.rules.publication import choose
from cartwake.rules.schemas import build_schema
from cartwake.times import DAY, HOUR, MINUTE, NEVER, SECOND, parse_instant
from cartwake_cli.commands.check import find_faults
from cartwake_cli.local.places import ROOT
from cartwake_cli.main import app

PAGE = ROOT / "docs" / "campaigns.md"
AT = parse_instant("2026-12-01T08:00:00Z")
MAIL = b"""<mjml><mj-head><mj-title>Hi</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
SHOP = SETTINGS | {"timezone": "Europe/Berlin"}
READERS = {"name": "Readers", "where": {"trait": "reader", "is": True}}
NEWS: dict[str, Any] = {
    "name": "News",
    "status": "live",
    "to": "readers",
    "at": "2026-12-01T09:00",
    "steps": [{"email": "mail"}],
}
TEST = {"test": "subject", "split": [{"percent": 50, "steps": [{"email": "mail"}]}, {"percent": 50, "steps": []}]}


def files(news: dict[str, Any] | None = None, **others: Any) -> dict[str, bytes]:
    told = {"settings": SHOP, "segments/readers": READERS} | others
    told |= {} if news is None else {"campaigns/news": NEWS | news}
    return write_rules(told) | {"templates/mail.mjml": MAIL}


def compile_files(raw: dict[str, bytes], *, previous: Bundle | None = None, now: int = NOON) -> Linked:
    return link({file: read_file(file, it) for file, it in raw.items()}, previous=previous, now=now)


def compile_news(*, previous: Bundle | None = None, now: int = NOON, **news: Any) -> Bundle:
    linked = compile_files(files(news), previous=previous, now=now)
    assert linked.conflicts == []
    return linked.bundle


def refuse(raw: dict[str, bytes], *, previous: Bundle | None = None, now: int = NOON) -> Fault:
    """Return the only fault of files."""
    try:
        conflicts = compile_files(raw, previous=previous, now=now).conflicts
    except Faulty as error:
        (fault,) = error.faults
    else:
        (fault,) = [conflict.fault for conflict in conflicts]
    return fault


# ---- what a file means


def test_a_campaign_is_a_journey_that_nothing_starts() -> None:
    """It is marketing, never begins again by itself, and no event and no segment starts it."""
    bundle = compile_news(topic=None)
    journey = bundle.journeys["news"]
    assert (journey.kind, journey.again_ms, journey.trigger) == ("marketing", None, Trigger())
    assert [trigger.event for trigger in journey.exits] == [COMPLAINED]
    assert bundle.signalled_segments == frozenset()
    assert bundle.enrolments["news"] == Enrolment(segment="readers", starts_at=AT, is_campaign=True)


def test_the_recipients_time_begins_where_the_day_begins_first() -> None:
    """By the recipient's clock it begins when it is that time in the first of all zones."""
    aim = compile_news(timezone="recipient", spread="4 hours").enrolments["news"]
    assert (aim.starts_at, aim.date) == (parse_instant("2026-11-30T19:00:00Z"), "2026-12-01T09:00")
    assert aim.spread_ms == 4 * HOUR


def test_some_begin_first() -> None:
    """The rest wait before the same steps, and meet the same test."""
    first, *steps = (
        compile_news(test_first={"percent": 20, "rest_after": "4 hours"}, steps=[TEST]).journeys["news"].steps
    )
    assert isinstance(first, Split)
    assert [(it.name, it.micros, it.steps) for it in first.variants] == [
        ("first", 200_000, ()),
        ("rest", 800_000, (Wait(for_ms=4 * HOUR),)),
    ]
    assert not first.test
    assert [getattr(step, "test", "") for step in steps] == ["subject"]


@pytest.mark.parametrize(
    ("news", "path", "says", "nearest"),
    [
        ({"to": "reader"}, "to", 'There is no segment "reader"', "readers"),
        ({"steps": [{"email": "mial"}]}, "steps[0].email", 'There is no email template "mial"', "mail"),
        ({"at": "2026-11-21T12:59"}, "at", "The time is over", ""),
        ({"at": "tomorrow"}, "at", "a day and a time of day", ""),
        ({"at": "2026-12-01 09:00"}, "at", "a day and a time of day", "2026-12-01T09:00"),
        ({"timezone": "recipients"}, "timezone", 'Should be "shop" or "recipient"', "recipient"),
        ({"spread": "4h"}, "spread", "4h", ""),
        ({"test_first": {"percent": 20, "rest_after": "1 hour"}}, "test_first", "no test among the steps", ""),
        ({"test_first": {"percent": 100, "rest_after": "1 hour"}, "steps": [TEST]}, "test_first.percent", "less", ""),
        ({"trigger": {"event": "X"}}, "trigger", "Nothing triggers a campaign", ""),
        ({"email": "mail"}, "email", "Messages stand in the steps", ""),
        ({"topic": "arrivals"}, "topic", 'no topic "arrivals"', ""),
        ({"steps": [{"email": "mail", "subject": "{{ oops"}]}, "steps[0].subject", "", ""),
        ({"spraed": "1 hour"}, "spraed", 'There is no "spraed"', "spread"),
        ({"steps": [{"wait": "1 second"}, {"email": "mail"}]}, "steps[0].wait", "at least a minute", ""),
        ({"filter": {"did_not": "Order Completed", "since": "strat"}}, "filter.since", "", ""),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(news: dict[str, Any], path: str, says: str, nearest: str) -> None:
    """Every fault of a campaign names its file, the place, and the nearest right thing."""
    fault = refuse(files(news))
    assert (fault.file, fault.path) == ("campaigns/news.json", path)
    assert says in fault.message
    assert fault.suggestion == nearest or not nearest


def test_a_campaign_and_a_journey_have_names_of_their_own() -> None:
    """Runs, slots and counts go by the name, so the two must differ."""
    journey = {"trigger": {"event": "Order Completed"}, "steps": [{"email": "mail"}]}
    fault = refuse(files({}, **{"journeys/news": journey}))
    assert "There is a journey of the name" in fault.message


# ---- when it begins, over several publishes


def test_a_time_that_is_over_is_never_sent_for() -> None:
    """A draft may have any time; whoever makes it live after that is refused, and so is who resumes it too late."""
    draft = compile_news(status="draft", at="2026-11-20T09:00")
    assert refuse(files({"at": "2026-11-20T09:00"}), previous=draft).path == "at"
    paused = compile_news(status="paused")
    assert refuse(files({}), previous=paused, now=AT + MINUTE).path == "at"


def test_once_begun_neither_time_nor_recipients_move() -> None:
    """What came while it was live stays: a file that says another time or segment changes nothing of it."""
    live = compile_news()
    later = compile_news(previous=live, now=AT + HOUR, at="2027-01-01T09:00", timezone="recipient")
    assert later.enrolments == live.enrolments
    assert later.launched == {"news": AT}
    paused = compile_news(previous=later, now=AT + 2 * HOUR, status="paused")
    resumed = compile_news(previous=paused, now=AT + 3 * HOUR)
    assert resumed.enrolments == live.enrolments
    moved = compile_news(previous=live, now=NOON + HOUR, at="2026-12-02T09:00")
    assert moved.enrolments["news"].starts_at == AT + DAY


def test_a_name_that_was_sent_is_used_up() -> None:
    """Who deletes a campaign that has begun, and writes another one of its name, is told so."""
    gone = compile_files(files(), previous=compile_news(), now=AT + HOUR).bundle
    assert (gone.enrolments, gone.launched) == ({}, {"news": AT})
    fault = refuse(files({"at": "2027-01-01T09:00"}), previous=gone, now=AT + DAY)
    assert "A campaign of this name began on 2026-12-01" in fault.message


def test_who_publishes_it_under_way_has_it_begin_at_once() -> None:
    """By recipients' clocks it may have begun further east: it begins then, and not as if it were a day late."""
    late = AT - HOUR
    assert compile_news(timezone="recipient", now=late).enrolments["news"].starts_at == late


def test_publishing_again_changes_nothing() -> None:
    """The same files again give what is live, but for noting once that the campaign has begun."""
    first = choose(files({"timezone": "recipient"}), now=AT - HOUR)
    assert first.bundle is not None
    again = choose(files({"timezone": "recipient"}), live=first.bundle, sources=first.sources, now=AT - HOUR)
    assert again.bundle is not None
    assert again.bundle.launched == {"news": AT - HOUR}
    once_more = choose(files({"timezone": "recipient"}), live=again.bundle, sources=again.sources, now=AT)
    assert not once_more.is_news(again.bundle, again.sources)


def test_a_sent_campaign_stays_a_good_file() -> None:
    """Long after its time its file has no fault, in the bucket or in a folder that is checked."""
    first = choose(files({}), now=NOON)
    later = choose(files({}), live=first.bundle, sources=first.sources, now=AT + 30 * DAY)
    assert later.files["campaigns/news.json"].state == "live"
    assert [fault for fault in find_faults(files({"at": "2020-01-01T09:00"})) if fault.severity == "error"] == []


def test_a_campaign_of_the_past_is_warned_of_in_a_folder() -> None:
    """Nobody knows there whether it has begun: if not, publishing refuses it; a draft and one to come are fine."""

    def doubt(**news: str) -> list[Fault]:
        return [fault for fault in find_faults(files(news)) if fault.path == "at"]

    (found,) = doubt(at="2020-01-01T09:00")
    assert (found.file, found.severity) == ("campaigns/news.json", "warning")
    assert "publishing refuses it" in found.message
    assert doubt(at="2020-01-01T09:00", status="draft") == []
    assert doubt(at="2126-01-01T09:00") == []


# ---- who is in a segment already


def hello(**changes: Any) -> dict[str, Any]:
    return {"status": "live", "trigger": {"segment": "readers"}, "steps": [{"email": "mail"}]} | changes


def compile_hello(*, previous: Bundle | None = None, now: int = NOON, **changes: Any) -> Bundle:
    linked = compile_files(files(**{"journeys/hello": hello(**changes)}), previous=previous, now=now)
    assert linked.conflicts == []
    return linked.bundle


def test_existing_members_come_in_when_the_journey_goes_live_with_it() -> None:
    """That moment counts, and stays through later publishes."""
    assert compile_hello().enrolments == {}
    assert compile_hello(include_existing=True, status="draft").enrolments == {}
    live = compile_hello(include_existing=True)
    assert live.enrolments == {"hello": Enrolment(segment="readers", starts_at=NOON, placed=True)}
    later = compile_hello(previous=live, now=NOON + DAY, include_existing=True)
    assert later.enrolments == live.enrolments
    paused = compile_hello(previous=live, now=NOON + DAY, include_existing=True, status="paused")
    assert paused.enrolments == live.enrolments
    fresh = compile_hello(include_existing="from_the_start")
    assert not fresh.enrolments["hello"].placed
    assert live.launched == later.launched == {}


@pytest.mark.parametrize("trigger", [{"event": "Order Completed"}, {"segment": "readers", "on": "left"}])
def test_existing_members_need_a_segment_that_is_entered(trigger: dict[str, Any]) -> None:
    """Who has left, or once did something, is no member now."""
    fault = refuse(files(**{"journeys/hello": hello(trigger=trigger, include_existing=True)}))
    assert (fault.file, fault.path) == ("journeys/hello.json", "include_existing")


# ---- parts, memberships, times


def test_was_a_member_at_an_instant() -> None:
    """Members since then or before, who have left since, or came back; not who came in after, or had left."""
    cases = [
        (Membership(AT, entered_at=AT), True),
        (Membership(AT + 1, entered_at=AT + 1), False),
        (Membership(0, entered_at=AT, left_at=AT + 1), True),
        (Membership(0, entered_at=AT - 2, left_at=AT), False),
        (Membership(0, entered_at=AT + 1, left_at=AT + 2), False),
        (Membership(AT + 2, entered_at=AT + 2, left_at=AT + 1), True),
        (Membership(AT + 2, entered_at=AT + 2, left_at=AT - 1), False),
        (Membership(0, NEVER), False),
    ]
    assert [was_member(membership, AT) for membership, _ in cases] == [expected for _, expected in cases]


def test_when_something_is_due() -> None:
    """It may begin for a day; a part is forgotten after five minutes; the status is written while it is news."""
    aim = Enrolment(segment="s", starts_at=AT, is_campaign=True)
    assert [is_due(aim, at) for at in (AT - 1, AT, AT + DAY - 1, AT + DAY)] == [False, True, True, False]
    part, *_ = parts = begin("news", aim, rules=("b", 1), now=AT)
    assert len(parts) == 8
    assert [is_stale(part, at) for at in (AT + 5 * MINUTE - 1, AT + 5 * MINUTE)] == [False, True]
    done = Part(**{name: getattr(part, name) for name in part.__struct_fields__} | {"done": True, "last_at": AT})
    assert [is_told(done, AT + it * MINUTE) for it in (29, 31, 40, 7 * 24 * 60)] == [True, False, True, False]
    held = [is_told(part, AT + it * MINUTE, held=True) for it in (1, 10, 7 * 24 * 60)]
    assert (held, is_told(part, AT + 8 * DAY)) == ([False, True, False], True)
    assert [is_missed(aim, at) for at in (AT + DAY - 1, AT + DAY, AT + 90 * DAY)] == [False, True, False]
    assert pace_ms(12) * 12 == pytest.approx(8 * SECOND, rel=0.01)
    assert list(group([part, part])) == ["news"]


# ---- what is told


def test_messages_are_counted_for_every_way_to_them() -> None:
    """Inside a variant there is one way; behind a test there are all of its variants, and none where it was passed."""
    steps = [TEST, {"email": "mail"}]
    bundle = compile_news(test_first={"percent": 20, "rest_after": "4 hours"}, steps=steps)
    assert list_counters("news", bundle.journeys["news"]) == [
        "news#1.a.0#subject=a",
        "news#2#",
        "news#2#subject=a",
        "news#2#subject=b",
    ]


def test_progress_in_words() -> None:
    """It says how many recipients there are, how far that is, who was left out and why, and what was sent."""
    bundle = compile_news()
    found = Found(read=50, members=12, enrolled=10, refused={"filter": 2})
    parts = [
        Part(
            **{name: getattr(part, name) for name in part.__struct_fields__}
            | {"found": found if not number else Found()}
        )
        for number, part in enumerate(begin("news", bundle.enrolments["news"], rules=("b", 1), now=AT))
    ]
    told = show_campaigns(bundle, parts, Known({"news": {"accepted": 3}}, 200, AT + MINUTE))["campaigns"]["news"]
    assert told["message"] == "10 recipients until now; 25 % of all profiles were looked at. 3 messages were sent."
    assert (told["percent_looked_at"], told["left_out"], told["all_have_begun"]) == (25, {"filter": 2}, False)
    waiting = show_campaigns(bundle, [], Known({}, 200, NOON))["campaigns"]["news"]
    assert waiting == {"message": "It begins at 2026-12-01T08:00:00.000Z.", "status": "live"}


@pytest.mark.parametrize("content", [None, b"", b"no json", b"[]", b"{}", b'{"campaigns": {"news": {"messages": 5}}}'])
def test_what_was_told_and_is_no_status_is_added_up_anew(content: bytes | None) -> None:
    """A file that is not there, or that somebody else wrote, says nothing of any campaign."""
    assert read_sent(content) == {}
    assert read_sent(b'{"campaigns": {"a": {"messages": {"accepted": 3}}, "b": {}}}') == {"a": {"accepted": 3}}


def test_the_page_can_be_copied() -> None:
    """Each campaign that docs/campaigns.md shows is read without a fault."""
    shown = re.findall(r"^```json(?: campaign)?\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for text in shown:
        assert isinstance(read_file("campaigns/shown.json", text.encode()), Campaign)


def test_a_story_tells_a_campaign(tmp_path: Path) -> None:
    """`cartwake story` has it begin when its time comes: members get it by their own clocks, and others do not."""
    for name, content in files({"timezone": "recipient"}).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    story = tmp_path / "stories" / "news.story"
    story.parent.mkdir()
    story.write_text(STORY)
    told = CliRunner().invoke(app, ["story", str(story)])
    assert told.exit_code == 0, told.output


STORY = """
today is 2026-11-30.
Ada is subscribed to email.
Ada has {"reader": true, "timezone": "Europe/Berlin"}.
Bob is subscribed to email.
after 2 days, Ada views "Trail Runner".
expect Ada gets email mail on 2026-12-01 at 09:00.
expect Bob gets nothing.
"""


def test_schema_offers_what_the_model_reads() -> None:
    """Editors complete and explain a campaign."""
    schema = build_schema(Campaign)
    assert set(schema["required"]) == {"name", "to", "at", "steps"}
    assert {"spread", "test_first", "timezone"} <= set(schema["properties"])
