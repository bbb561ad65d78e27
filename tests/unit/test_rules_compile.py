"""Rules of compiling: what conditions mean, what must be remembered for them, and what does not fit together."""

import json
import time
from typing import Any

import pytest

from cartwake.bundles import Bundle
from cartwake.conditions.evaluate import evaluate
from cartwake.conditions.kinds import AllOf, Amount, Answer, Did, Trait
from cartwake.gateways.email import format_sender
from cartwake.journeys import Branch, Send, Wait
from cartwake.rules.compile import link
from cartwake.rules.condition_models import MODELS
from cartwake.rules.conflicts import Conflict
from cartwake.rules.files import read_file
from cartwake.rules.publication import choose
from cartwake.statements import Channel
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.trackers import Tracker
from cartwake.values import AnyItem, Compared, passes

SETTINGS = {
    "shop": {"name": "N", "url": "https://n.example/", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
}
MAIL = """<mjml><mj-head><mj-title>Hi</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{ shop.postal_address }} <a href="{{ unsubscribe_url }}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
RECEIPT = MAIL.replace('<a href="{{ unsubscribe_url }}">stop</a>', "")
ORDER = "Order Completed"


def compile_files(**files: Any) -> tuple[Bundle, list[Conflict]]:
    """Compile files given as `segments_vip={...}`, with settings, emails `mail` and `receipt`, and one SMS `text`."""
    contents: dict[str, Any] = {"settings.json": SETTINGS, "templates/mail.mjml": MAIL, "templates/text.txt": "Hello"}
    contents["templates/receipt.mjml"] = RECEIPT
    for name, content in files.items():
        folder, _, stem = name.partition("_")
        contents[f"{folder}/{stem.replace('_', '-')}.json" if stem else "settings.json"] = content
    raw = {file: it.encode() if isinstance(it, str) else json.dumps(it).encode() for file, it in contents.items()}
    linked = link({file: read_file(file, content) for file, content in raw.items()})
    return linked.bundle, linked.conflicts


def segment(where: dict[str, Any]) -> dict[str, Any]:
    return {"name": "S", "where": where}


def journey(**changes: Any) -> dict[str, Any]:
    return {"name": "J", "trigger": {"event": "Product Added"}, "steps": [{"email": "mail"}]} | changes


def compile_where(where: dict[str, Any]) -> tuple[Any, Bundle]:
    bundle, conflicts = compile_files(segments_s=segment(where))
    assert not conflicts
    return bundle.segments["s"].where, bundle


def refuse(**files: Any) -> str:
    _, conflicts = compile_files(**files)
    return str(conflicts[0].fault)


@pytest.mark.parametrize(
    ("where", "op", "count", "latest"),
    [
        ({"did": ORDER}, "at_least", 1, 1),
        ({"did": ORDER, "at_least": 3}, "at_least", 3, 3),
        ({"did": ORDER, "at_most": 3}, "at_most", 3, 4),
        ({"did": ORDER, "exactly": 3}, "exactly", 3, 4),
        ({"did_not": ORDER}, "at_most", 0, 1),
    ],
)
def test_count_and_how_much_is_kept(where: Any, op: str, count: int, latest: int) -> None:
    """A count of "at least n" keeps the n latest, "at most" and "exactly" one more."""
    found, bundle = compile_where(where)
    assert isinstance(found, Did)
    assert (found.op, found.count) == (op, count)
    assert bundle.needs[found.tracker].latest == latest


def test_since_start_keeps_one_more() -> None:
    """Since the start, the starting event itself may be among the latest: one more is kept."""
    bundle, _ = compile_files(journeys_j=journey(filter={"did": ORDER, "at_least": 2, "since": "start"}))
    condition = bundle.journeys["j"].filter
    assert isinstance(condition, Did)
    assert condition.since_start
    assert bundle.needs[condition.tracker].latest == 3


def test_trackers_are_shared_and_as_deep_as_the_deepest() -> None:
    """Conditions on the same events share a tracker, kept for the one that needs most; other tests are another one."""
    where = {
        "all": [
            {"did": ORDER, "at_least": 3, "in_last": "90 days"},
            {"did": ORDER, "at_least": 7},
            {"did": ORDER, "at_least": 2},
            {"did": ORDER, "where": {"b": 1, "a": 2}},
            {"did": ORDER, "where": {"a": 2, "b": {"is": 1}}},
        ]
    }
    found, bundle = compile_where(where)
    assert isinstance(found, AllOf)
    first, second, shallow, third, fourth = (each.tracker for each in found.of if isinstance(each, Did))
    assert first == second == shallow
    assert third == fourth != first
    assert bundle.needs[first].latest == 7


def test_total_is_kept_for_its_window() -> None:
    """A sum keeps every entry of its longest window, with the amount."""
    where = {
        "any": [
            {"total_of": "revenue", "on": ORDER, "more_than": 200, "in_last": "90 days"},
            {"total_of": "revenue", "on": ORDER, "at_most": 5, "in_last": "30 days"},
        ]
    }
    found, bundle = compile_where(where)
    totals = [each for each in found.of if isinstance(each, Amount)]
    assert [(each.op, each.bound, each.within_ms) for each in totals] == [
        ("more_than", 200, 90 * DAY),
        ("at_most", 5, 30 * DAY),
    ]
    (need,) = bundle.needs.values()
    assert (need.amount, need.within_ms) == ("revenue", 90 * DAY)


DAY_BEGINS, DAY_ENDS = "2026-01-30T23:00:00Z", "2026-01-31T22:59:59.999Z"  # of 31 January, in Berlin


@pytest.mark.parametrize(
    ("op", "passing", "failing"),
    [
        (
            "at_least",
            [DAY_BEGINS, "2026-01-31", "2026-01-31T00:30:00+01:00"],
            ["2026-01-30T22:59:59.999Z", "2026-01-30"],
        ),
        ("at_most", [DAY_ENDS, "2026-01-31", "2026-01-31T15:00:00"], ["2026-01-31T23:00:00Z", "2026-02-01"]),
        ("more_than", ["2026-01-31T23:00:00Z", "2026-02-01"], [DAY_ENDS, "2026-01-31", "2026-01-31T15:00:00"]),
        ("less_than", ["2026-01-30T22:59:59.999Z", "2026-01-30"], [DAY_BEGINS, "2026-01-31"]),
    ],
)
def test_a_day_as_a_bound_is_the_whole_day_of_the_shop(op: str, passing: list[str], failing: list[str]) -> None:
    """A date in a test is a day by the shop's clocks: of traits, of properties, and of entries of lists."""
    tests = {op: "2026-01-31"}
    bundle, conflicts = compile_files(
        settings=SETTINGS | {"timezone": "Europe/Berlin"},
        segments_trait=segment({"trait": "d"} | tests),
        segments_where=segment({"did": ORDER, "where": {"d": tests}}),
        segments_item=segment({"did": ORDER, "where": {"p": {"any_item": {"d": tests}}}}),
    )
    assert not conflicts
    trait = bundle.segments["trait"].where
    assert isinstance(trait, Trait)
    found = [trait.test]
    for name in ("where", "item"):
        did = bundle.segments[name].where
        assert isinstance(did, Did)
        found.append(bundle.needs[did.tracker].where[0].test)
    for test in found:
        inside = (lambda it: [{"d": it}]) if isinstance(test, AnyItem) else (lambda it: it)
        assert [value for value in passing if not passes(inside(value), test)] == []
        assert [value for value in failing if passes(inside(value), test)] == []


def test_an_exact_time_as_a_bound_is_that_time() -> None:
    """A time without a zone is one by the shop's clocks; one with a zone stays what it is."""
    bundle, _ = compile_files(
        settings=SETTINGS | {"timezone": "Europe/Berlin"},
        segments_local=segment({"trait": "d", "at_most": "2026-07-31T18:00"}),
        segments_exact=segment({"trait": "d", "at_most": "2026-07-31T18:00:00Z"}),
    )
    bounds = [each.where.test for each in bundle.segments.values() if isinstance(each.where, Trait)]
    assert bounds == [
        Compared("at_most", "2026-07-31T18:00:00+00:00"),
        Compared("at_most", "2026-07-31T18:00:00+02:00"),
    ]


def test_a_day_begins_when_there_is_no_midnight() -> None:
    """Where clocks are put forward at midnight, a day has a beginning none the less, and a date is that day."""
    bundle, _ = compile_files(
        settings=SETTINGS | {"timezone": "America/Santiago"},
        segments_s=segment({"trait": "d", "at_least": "2026-09-06"}),
    )
    where = bundle.segments["s"].where
    assert isinstance(where, Trait)
    found = [passes(value, where.test) for value in ("2026-09-06", "2026-09-06T04:00:00Z", "2026-09-06T03:59:59Z")]
    assert found == [True, True, False]


def test_several_tests_on_a_trait_must_all_pass() -> None:
    """Two tests in one trait condition are an "all"."""
    found, _ = compile_where({"trait": "age", "at_least": 18, "less_than": 65})

    class Facts:
        def __init__(self, age: object) -> None:
            self.age = age

        def tracker(self, key: str) -> Tracker | None:
            raise NotImplementedError(key)

        def trait(self, name: str) -> object:
            return self.age if name == "age" else None

        def segment(self, name: str, now: int) -> Any:
            raise NotImplementedError

    answers = [evaluate(found, Facts(age), 0).answer for age in (17, 18, "64", 65, None)]
    assert answers == [Answer.FAILS, Answer.HOLDS, Answer.HOLDS, Answer.FAILS, Answer.FAILS]


def test_journey_as_designed() -> None:
    """Every part of a journey's file arrives in what is run."""
    bundle, conflicts = compile_files(
        segments_vip=segment({"did": ORDER}),
        journeys_j=journey(
            kind="transactional",
            status="live",
            trigger={"event": "Product Added", "where": {"category": "shoes"}},
            filter={"in_segment": "vip"},
            exit=[{"event": ORDER}, {"segment": "vip", "on": "left"}],
            again="after 7 days",
            steps=[
                {"wait": "1 hour", "of_quiet": ["Page Viewed"], "at_most": "6 hours"},
                {"email": "receipt", "subject": "S", "not_after": "2 hours"},
                {"if": {"trait": "phone", "exists": True}, "then": [{"sms": "text"}], "else": [{"wait": "2 days"}]},
            ],
        ),
    )
    assert not conflicts
    found = bundle.journeys["j"]
    assert (found.kind, found.status, found.again_ms) == ("transactional", "live", 7 * DAY)
    assert found.trigger.event == "Product Added"
    assert bundle.needs[found.trigger.tracker].latest == 5
    assert bundle.needs[found.exits[0].tracker].latest == 2
    assert found.exits[1].left == "vip"
    wait, send, branch = found.steps
    assert isinstance(wait, Wait)
    assert (wait.for_ms, wait.at_most_ms) == (HOUR, 6 * HOUR)
    assert bundle.needs[wait.of_quiet[0]].event == "Page Viewed"
    assert isinstance(send, Send)
    assert (send.channel, send.subject, send.not_after_ms) == (Channel.EMAIL, "S", 2 * HOUR)
    assert isinstance(branch, Branch)
    assert isinstance(branch.then[0], Send)
    assert isinstance(branch.otherwise[0], Wait)


@pytest.mark.parametrize(("words", "again_ms"), [("never", None), ("always", 0), ("after 30 minutes", 30 * MINUTE)])
def test_again(words: str, again_ms: int | None) -> None:
    """never, always, and after a time are what they say."""
    bundle, _ = compile_files(journeys_j=journey(again=words))
    assert bundle.journeys["j"].again_ms == again_ms


def test_segment_reads_what_those_it_refers_to_read() -> None:
    """An event that can change a segment can change every segment that refers to it."""
    bundle, conflicts = compile_files(
        segments_a=segment({"all": [{"in_segment": "b"}, {"did": "A"}]}),
        segments_b=segment({"any": [{"in_segment": "c"}, {"trait": "plan.name", "is": "gold"}]}),
        segments_c=segment({"did_not": "C", "in_last": "1 day"}),
    )
    assert not conflicts
    assert (bundle.segments["a"].events, bundle.segments["a"].traits) == (("A", "C"), ("plan.name",))
    assert bundle.segments["c"].events == ("C",)


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"segments_a": segment({"in_segment": "a"})}, "a → a"),
        (
            {"segments_a": segment({"none": [{"in_segment": "b"}]}), "segments_b": segment({"in_segment": "a"})},
            "a → b → a",
        ),
        ({"segments_vip": segment({"did": "A"}), "segments_x": segment({"in_segment": "vipp"})}, 'mean "vip"'),
        ({"segments_a": segment({"did": "A", "since": "start"})}, "a segment has none"),
        ({"journeys_j": journey(trigger={"segment": "nobody"})}, "trigger.segment"),
        ({"journeys_j": journey(steps=[{"email": "mial"}])}, 'mean "mail"'),
        ({"journeys_j": journey(steps=[{"email": "text"}])}, "is an SMS"),
        ({"journeys_j": journey(steps=[{"sms": "mail"}])}, "plain text of an email"),
        ({"journeys_j": journey(steps=[{"wait": "59 seconds"}])}, "at least a minute"),
        ({"journeys_j": journey(steps=[{"wait": "366 days"}])}, "365 days"),
        ({"journeys_j": journey(steps=[{"wait": "1 hour", "at_most": "2 hours"}])}, "of_quiet"),
        ({"journeys_j": journey(steps=[{"wait": "2 hours", "of_quiet": ["A"], "at_most": "1 hour"}])}, "shorter"),
        ({"journeys_j": journey(steps=[{"wait": "1 hour"}] * 101)}, "at most 100"),
        ({"journeys_j": journey(topic="news")}, 'no topic "news"'),
        (
            {"settings": SETTINGS | {"topics": {"news": {"name": "N"}}}, "journeys_j": journey(topic="newz")},
            "topic",
        ),
        (
            {
                "settings": SETTINGS | {"topics": {"news": {"name": "N"}}},
                "journeys_j": journey(topic="news", kind="transactional"),
            },
            "Only marketing has a topic",
        ),
    ],
)
def test_what_does_not_fit_is_told(files: Any, says: str) -> None:
    """What is wrong only together with other files is told like any fault."""
    assert says in refuse(**files)


def test_demo_alone_permits_short_waits() -> None:
    """Waits under a minute need "demo": true."""
    steps = [{"wait": "1 second"}, {"email": "mail"}]
    assert compile_files(journeys_j=journey(steps=steps))[1]
    assert not compile_files(settings=SETTINGS | {"demo": True}, journeys_j=journey(steps=steps))[1]


@pytest.mark.parametrize("hidden", ["{{ unsubscribe_url }}", "{{ shop.postal_address }}"])
@pytest.mark.parametrize(
    "aside", ["", "{% if profile.x %}HERE{% endif %}", "{% for item in cart.items %}HERE{% endfor %}"]
)
def test_marketing_email_always_shows_way_out_and_address(hidden: str, aside: str) -> None:
    """A marketing email that does not always show the link to unsubscribe and the postal address is refused."""
    plain = MAIL.replace('<a href="{{ unsubscribe_url }}">stop</a>', "{{ unsubscribe_url }}")
    mail = plain.replace(hidden, aside.replace("HERE", hidden))
    files = {
        "settings.json": json.dumps(SETTINGS),
        "templates/mail.mjml": mail,
        "journeys/j.json": json.dumps(journey()),
        "templates/receipt.mjml": RECEIPT,
        "journeys/receipt.json": json.dumps(journey(kind="transactional", steps=[{"email": "receipt"}])),
    }
    linked = link({file: read_file(file, text.encode()) for file, text in files.items()})
    assert [conflict.files for conflict in linked.conflicts] == [("templates/mail.mjml", "journeys/j.json")]
    assert hidden in linked.conflicts[0].fault.message


def test_email_needs_a_subject() -> None:
    """A subject comes from the step or from mj-title; without either it is told."""
    files = {
        "settings.json": json.dumps(SETTINGS),
        "templates/mail.mjml": MAIL.replace("<mj-title>Hi</mj-title>", ""),
        "journeys/j.json": json.dumps(journey()),
    }
    linked = link({file: read_file(file, text.encode()) for file, text in files.items()})
    assert linked.conflicts[0].fault.path == "steps[0].subject"


def test_text_beside_an_email_is_its_plain_text() -> None:
    """<name>.txt beside <name>.mjml is that email's plain text; alone it is an SMS."""
    files = {"templates/mail.mjml": MAIL, "templates/mail.txt": "By hand", "templates/sms.txt": "Hello"}
    bundle = link({file: read_file(file, text.encode()) for file, text in files.items()}, partial=True).bundle
    assert bundle.templates["mail"].html
    assert bundle.templates["mail"].text == "By hand"
    assert (bundle.templates["sms"].html, bundle.templates["sms"].text) == ("", "Hello")


def test_settings_arrive() -> None:
    """Caps, hours and the shop arrive as functions read them."""
    settings = SETTINGS | {
        "caps": {"email": "none"},
        "sending_hours": {"sms": None, "email": {"from": "07:30", "to": "24:00"}},
        "shop": SETTINGS["shop"] | {"hosts": ["pay.example"]},
    }
    found = compile_files(settings=settings)[0].settings
    assert found.cap_ms == {Channel.EMAIL: 0, Channel.SMS: 24 * HOUR, Channel.PUSH: 24 * HOUR}
    assert set(found.hours) == {Channel.EMAIL, Channel.PUSH}
    assert (found.hours[Channel.EMAIL].opens_minute, found.hours[Channel.EMAIL].closes_minute) == (450, 1440)
    assert (found.shop.url, found.sender.name) == ("https://n.example", "N")
    assert found.shop.hosts == ("pay.example",)


def test_domains_beyond_ascii_arrive_encoded() -> None:
    """SES takes such a domain in ASCII alone, and browsers tell the pages that they are on so."""
    settings = SETTINGS | {
        "sender": {"email": "Sklep@Żółw.example", "reply_to": "info@büro.example"},
        "shop": SETTINGS["shop"]
        | {"url": "https://www.żółw.example:8443/pl/", "logo_url": "https://żółw.example/półka.png"},
    }
    found = compile_files(settings=settings)[0].settings
    assert (found.sender.email, found.sender.reply_to) == ("Sklep@xn--w-uga1v8h.example", "info@xn--bro-hoa.example")
    assert found.shop.url == "https://www.xn--w-uga1v8h.example:8443/pl"
    assert found.shop.logo_url == "https://xn--w-uga1v8h.example/półka.png"
    assert format_sender(found.sender.name, found.sender.email).isascii()


def test_a_hundred_segments_are_published_in_less_than_a_second() -> None:
    """Marketers do not wait: reading, compiling and doubting a hundred segments takes a fraction of a second."""
    parts = [example for model in MODELS for example in model.shown if "predicted" not in example]
    wheres = [{"all": [parts[(9 * number + at) % len(parts)] for at in range(8)]} for number in range(100)]
    contents: dict[str, Any] = {"settings.json": SETTINGS, "segments/vip.json": segment({"did": ORDER})}
    contents["scores/engagement.json"] = {"name": "E", "points": [{"did": ORDER, "points": 1}]}
    contents |= {f"segments/s{number}.json": segment(where) for number, where in enumerate(wheres)}
    began = time.process_time()
    found = choose({file: json.dumps(content).encode() for file, content in contents.items()})
    assert time.process_time() - began < 1
    assert found.bundle is not None
    assert len(found.bundle.segments) == 101


def test_when_a_definition_last_changed_is_noted() -> None:
    """A definition that changes, or goes, is noted with its generation; what moves nobody is not."""
    vip, fans = (segment({"did": "X", "at_least": count}) for count in (2, 3))
    found: list[int] = []
    bundle = None
    for segments in ({"a": vip}, {"a": vip, "b": fans}, {"a": vip, "b": fans}, {"a": vip}, {"a": vip}, {"a": fans}):
        files = {f"segments/{name}.json": json.dumps(it).encode() for name, it in segments.items()}
        contents = {name: read_file(name, content) for name, content in files.items()}
        bundle = link(contents, previous=bundle, partial=True).bundle
        found.append(bundle.defined_generation)
    assert found == [1, 2, 2, 4, 4, 6]


def test_from_when_on_an_event_starts_a_journey() -> None:
    """From when on it is active and waits for that event; pauses and other changes move nothing."""
    live = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "steps": [{"end": "Done"}]}
    found, bundle = [], None
    for now, journey in enumerate(
        (
            live,
            live | {"status": "paused"},
            live | {"key": "product_id"},
            live | {"trigger": {"event": "Order Completed"}},
            live | {"status": "draft"},
            live,
            live | {"trigger": {"event": "Product Added", "where": {"price": {"more_than": 1}}}},
            None,
            live,
        )
    ):
        files = {"settings.json": SETTINGS} | ({"journeys/j.json": journey} if journey else {})
        contents = {name: read_file(name, json.dumps(it).encode()) for name, it in files.items()}
        bundle = link(contents, previous=bundle, partial=True, now=DAY + now).bundle
        found.append(bundle.journeys["j"].since if journey else None)
    assert found == [0, 0, 0, DAY + 3, 0, DAY + 5, DAY + 5, None, DAY + 8]


def test_topics_are_compiled() -> None:
    """With their texts, in every language, in the order of settings.json; and a journey keeps its own."""
    told = {"sale": {"name": "Sale", "text": "Less.", "translations": {"de": {"name": "Angebote"}}}, "a": {"name": "A"}}
    linked, conflicts = compile_files(settings=SETTINGS | {"topics": told}, journeys_j=journey(topic="sale"))
    assert conflicts == []
    assert linked.journeys["j"].topic == "sale"
    assert list(linked.settings.topics) == ["sale", "a"]
    sale = linked.settings.topics["sale"]
    assert (sale.name, sale.text, sale.translations["de"].name) == ("Sale", "Less.", "Angebote")
