"""Rules of pictures: nothing overlaps, every text fits, all is said and escaped, the same gives the same."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree as ET

import msgspec
import pytest
from browser import open_page
from builders import CART, NEEDS, a_bundle
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from cartwake.conditions.kinds import AllOf, Did, NoneOf, Trait
from cartwake.enrolments import Enrolment
from cartwake.journeys import (
    Await,
    Branch,
    Call,
    Give,
    Goal,
    Happening,
    Journey,
    Send,
    Split,
    Step,
    Stop,
    Tell,
    Trigger,
    UntilClock,
    UntilDate,
    Variant,
    Wait,
)
from cartwake.statements import OF_SHOPPERS, Channel
from cartwake.times import DAY, HOUR, MINUTE
from cartwake.values import Exists, Is
from cartwake_cli.charts import svg
from cartwake_cli.charts.cards import Card, Look, make_chart
from cartwake_cli.charts.layout import Box, Plan, Words, lay_out
from cartwake_cli.charts.starter import draw_all
from cartwake_cli.charts.svg import draw
from cartwake_cli.charts.texts import measure, wrap
from cartwake_cli.main import app
from cartwake_cli.reference import STARTER

ATTRIBUTES = {
    "width", "height", "viewBox", "role", "aria-labelledby", "id", "class", "x", "y", "rx", "d", "fill", "fill-rule",
    "transform", "style",
}  # fmt: skip
NAMES = st.one_of(
    st.sampled_from(["cart-1", "zażółć-gęślą-jaźń-" * 4, "Konstantynopolitańczykowianeczka" * 3, "靴" * 40, "W" * 70]),
    st.text(min_size=1, max_size=90),
)
CONDITIONS = st.recursive(
    st.one_of(
        NAMES.map(lambda name: Trait(name=name, test=Exists())),
        st.just(Did(tracker="orders", op="at_most", count=0, since_start=True)),
    ),
    lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda of: AllOf(of=tuple(of))),
    max_leaves=5,
)
STEPS = st.recursive(
    st.lists(
        st.one_of(
            st.integers(MINUTE, 365 * DAY).map(lambda ms: Wait(for_ms=ms)),
            st.builds(Send, channel=st.sampled_from(OF_SHOPPERS), template=NAMES, subject=NAMES, held=st.booleans()),
            st.builds(Tell, event=st.just("Traits Set"), traits=st.dictionaries(NAMES, NAMES, max_size=3)),
            st.builds(Call, url=st.just("https://crm.example.com/x"), traits=st.lists(NAMES, max_size=3).map(tuple)),
            st.builds(Stop, why=NAMES, only_if=CONDITIONS),
            st.builds(Goal, happening=st.builds(Happening, name=NAMES, condition=CONDITIONS), or_end=st.booleans()),
        ),
        max_size=3,
    ),
    lambda inner: st.lists(
        st.one_of(
            st.builds(Branch, condition=CONDITIONS, then=inner.map(tuple), otherwise=inner.map(tuple)),
            st.builds(UntilDate, trait=NAMES, otherwise=inner.map(tuple)),
            st.builds(Give, pool=NAMES, otherwise=inner.map(tuple)),
            st.builds(
                Split,
                salt=st.just("x"),
                test=NAMES,
                variants=st.lists(
                    st.builds(Variant, name=NAMES, micros=st.integers(1, 10**6), steps=inner.map(tuple)),
                    min_size=2,
                    max_size=4,
                ).map(tuple),
            ),
        ),
        min_size=1,
        max_size=2,
    ),
    max_leaves=6,
)


def a_journey(*steps: Step, **changes: Any) -> Journey:
    return Journey(**{"title": "J", "trigger": Trigger(event="Product Added"), "steps": steps} | changes)


def plan_of(journey: Journey) -> Plan:
    return lay_out(make_chart("j", a_bundle(journeys={"j": journey})))


def picture_of(journey: Journey) -> str:
    return draw(make_chart("j", a_bundle(journeys={"j": journey})))


@given(STEPS, NAMES, CONDITIONS)
def test_nothing_overlaps_and_every_text_fits(steps: list[Step], title: str, filter_: Any) -> None:
    """Whatever is nested in whatever: cards stand apart, inside the picture, and no line is wider than its card."""
    plan = plan_of(a_journey(*steps, title=title, filter=filter_))
    for box in plan.boxes:
        assert box.x >= 0
        assert box.y >= 0
        assert box.x + box.width <= plan.width
        assert box.y + box.height <= plan.height
    for one, other in combinations(plan.boxes, 2):
        apart = (
            one.x + one.width <= other.x
            or other.x + other.width <= one.x
            or one.y + one.height <= other.y
            or other.y + other.height <= one.y
        )
        assert apart, (one, other)
    for words in plan.words:
        _check_fits(words, plan)
    for label in plan.labels:
        assert not any(_holds(box, label.x, label.y) for box in plan.boxes)


def _check_fits(words: Words, plan: Plan) -> None:
    size, bold = {"head": (24, True), "title": (15, True), "subtitle": (14, False)}.get(words.kind, (13, False))
    if words.kind == "pill":
        return
    right = words.x + measure(words.text, size=size, bold=bold)
    holder = next((box for box in plan.boxes if _holds(box, words.x, words.y)), None)
    edge = plan.width if holder is None else holder.x + holder.width
    assert right <= edge or len(words.text) == 1


def _holds(box: Box, x: float, y: float) -> bool:
    return box.x <= x <= box.x + box.width and box.y <= y <= box.y + box.height


@given(STEPS, NAMES, NAMES)
def test_a_picture_is_good_xml_and_always_the_same(steps: list[Step], title: str, event: str) -> None:
    """Whatever marketers write is text, never markup; nothing is loaded from elsewhere, and nothing is run."""
    journey = a_journey(*steps, title=title, trigger=Trigger(event=event))
    picture = picture_of(journey)
    assert picture == picture_of(journey)
    found = {element.tag.partition("}")[2] for element in ET.fromstring(picture).iter()}  # noqa: S314
    assert found <= {"svg", "title", "style", "rect", "path", "text"}
    names = {name for element in ET.fromstring(picture).iter() for name in element.attrib}  # noqa: S314
    assert names <= ATTRIBUTES
    style = picture.partition("</style>")[0].partition("<style>")[2]
    assert not any(word in style for word in ("url(", "@import", "@font-face"))


def test_markup_is_escaped() -> None:
    """What looks like markup in a name is shown as it was written."""
    evil = '</text><script>alert(1)</script><text x="'
    picture = picture_of(a_journey(Send(channel=Channel.EMAIL, template=evil, subject=evil), title=evil))
    assert "<script" not in picture
    said = "".join(ET.fromstring(picture).itertext())  # noqa: S314
    assert "<script>alert(1)</script>" in said.replace("\n", "")


def test_everything_is_said() -> None:
    """Trigger, filter, exits, re-entry, waits, messages with their subjects, conditions with their parts, both ways."""
    words = [it.text for it in plan_of(msgspec.structs.replace(CART, topic="shoes")).words]
    said = " ".join(words)
    for part in (
        "Abandoned cart", "j · marketing · live · topic shoes", "Starts when", '"Product Added"',
        '"Order Completed" did not happen since the start of the journey', "Ends at once when", '"Order Completed"',
        "7 days after the last start", "Wait 1 hour", "at most 6 hours in all", "Email cart-1",
        "“You left «cart.items[0].name» behind”", 'the trait "phone" has a value', "SMS cart-sms", "Email cart-2",
    ):  # fmt: skip
        assert part in said, part
    assert "secret" not in said
    assert [it.text for it in plan_of(CART).labels] == ["yes", "no"]


def test_every_kind_of_step_is_said() -> None:
    """Waits until and for something, what is told, splits, goals and ends; and a step's own condition."""
    rich = Trait(name="plan", test=Is(("gold",)))
    ways = (Variant(name="a", micros=455_000), Variant(name="b", micros=545_000))
    bought = Happening(name="Order Completed", tracker="orders")
    steps = (
        UntilClock(minute=545, days=(0, 4), only_if=rich),
        UntilDate(date="2026-12-31T10:00"),
        UntilDate(trait="renews_at", shift_ms=-3 * DAY, minute=600, every_year=True, otherwise=(Stop(why="no date"),)),
        Await(happening=bought, at_most_ms=DAY, then=(Tell(event="Tag Added", properties={"tag": "spring"}),)),
        Tell(event="Tag Removed", properties={"tag": "winter"}),
        Tell(event="Points Given", properties={"score": "engagement", "points": 10}, not_after_ms=HOUR),
        Tell(event="Traits Set", traits={"stage": "offered"}),
        Call(url="https://crm.example.com/secret", traits=("stage",), body={"list": "x"}, not_after_ms=3 * DAY),
        Give(pool="birthday-10", otherwise=(Stop(why="none left"),)),
        Give(pool="spring"),
        Goal(happening=Happening(name="trait", condition=rich), or_end=True),
        Split(salt="x", test="subject", variants=ways),
        Stop(why="done"),
    )
    plan = plan_of(a_journey(*steps))
    said = " ".join(it.text for it in [*plan.words, *plan.labels])
    for part in (
        "Wait until 09:05", "on Monday or Friday", 'only if the trait "plan" is "gold"', "Wait until 2026-12-31 10:00",
        "Wait until 3 days before renews_at", "at 10:00", "of every year", "no such date", "End: no date", "Wait for",
        '"Order Completed"', "at most 1 day", "it came", "it did not", "Tag spring", "Untag winter",
        "+10 points for engagement", "passed over when 1 hour late", "stage: offered", "Goal",
        "who comes here without it ends", "Test subject", "a, 45.5 %", "b, 54.5 %", "End: done",
        "Webhook crm.example.com", "with stage, list", "tried for 3 days", "Give a coupon of birthday-10",
        "no code left", "End: none left", "Give a coupon of spring", "ends where no code is left",
    ):  # fmt: skip
        assert part in said, part


def test_a_nested_condition_is_set_in() -> None:
    """Each part of a condition stands below it, further in."""
    condition = AllOf(of=(Trait(name="city", test=Is(("Gdańsk",))), NoneOf(of=(Trait(name="x", test=Exists()),))))
    (card,) = [
        it for it in make_chart("j", a_bundle(journeys={"j": a_journey(Branch(condition=condition))})).cards if it.ways
    ]
    assert isinstance(card, Card)
    assert [(it.depth, it.words) for it in card.texts] == [
        (0, "all of these hold:"),
        (1, 'the trait "city" is "Gdańsk"'),
        (1, "none of these holds:"),
        (2, 'the trait "x" has a value'),
    ]


def test_long_words_are_broken() -> None:
    """No line is wider than it may be; a name breaks after a hyphen where it has one."""
    assert wrap("przypomnienie-o-porzuconym-koszyku", 150) == ["przypomnienie-o-", "porzuconym-koszyku"]
    assert all(measure(line) <= 100 for line in wrap("a" * 100 + " b " + "Ż" * 50, 100))
    assert wrap("", 100) == []


def test_pictures_of_the_starter_journeys_are_current() -> None:
    """docs/journeys.md and docs/campaigns.md show each, as `python -m cartwake_cli.charts.starter` writes it."""
    for path, picture in draw_all().items():
        folder = path.parent.name
        assert path.read_text() == picture, path.name
        assert f"](images/{folder}/{path.name})" in (path.parents[2] / f"{folder}.md").read_text()


@pytest.mark.parametrize("colors", [svg._LIGHT, svg._DARK], ids=["light", "dark"])
def test_texts_can_be_read_in_the_light_and_in_the_dark(colors: dict[str, str]) -> None:
    """Every text has a contrast of at least 4.5 to what it stands on, every border of a card at least 3."""
    for ground in ("ground", "card"):
        for text in ("text", "faint"):
            assert _contrast(colors[text], colors[ground]) >= 4.5
        for look in get_args(Look.__value__):
            assert _contrast(colors[look], colors[ground]) >= 3


def _contrast(one: str, other: str) -> float:
    lights = sorted((_luminance(one), _luminance(other)))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_texts_fit_in_a_browser(tmp_path: Path) -> None:
    """In a real browser, with whatever font it has, no line of a deep journey with long names leaves its card."""
    names = ["Zażółć-gęślą-jaźń-" * 3, "Wędrówki górskie dla niezdecydowanych miłośników", "MMMMWWWW" * 6]
    sends = [
        Send(channel=Channel.EMAIL, template=name, subject=f"{{{{ profile.first_name }}}}, {name}") for name in names
    ]
    deep: tuple[Step, ...] = tuple(sends)
    for name in names:
        deep = (
            Branch(condition=Trait(name=name, test=Is((name,))), then=deep, otherwise=(sends[0],)),
            Wait(for_ms=HOUR),
        )
    path = tmp_path / "deep.svg"
    path.write_text(picture_of(a_journey(*deep, title=" ".join(names))))
    look = """(() => {
        const boxes = [...document.querySelectorAll('rect')].slice(1).map(it => it.getBBox());
        const holds = (b, x, y) => b.x <= x && x <= b.x + b.width && b.y <= y && y <= b.y + b.height;
        return [...document.querySelectorAll('text')].map(it => it.getBBox()).filter(t => {
            const box = boxes.find(b => holds(b, t.x + 1, t.y + t.height / 2));
            return box && t.x + t.width > box.x + box.width;
        }).length + document.querySelectorAll('text').length * 1000;
    })()"""
    with open_page() as page:
        page.open(path.as_uri())
        found = page.evaluate(look)
    assert found % 1000 == 0
    assert found > 20_000


@pytest.mark.parametrize("named", ["abandoned-cart", "journeys/abandoned-cart.json"])
def test_a_journey_is_drawn_by_name_or_by_file(named: str, tmp_path: Path) -> None:
    """Both write the same picture."""
    out = tmp_path / "cart.svg"
    path = str(STARTER / named) if named.endswith(".json") else named
    rules = [] if named.endswith(".json") else ["--rules", str(STARTER)]
    assert CliRunner().invoke(app, ["draw", path, *rules, "--out", str(out)]).exit_code == 0
    assert out.read_text() in draw_all().values()


def test_a_campaign_says_to_whom_and_when() -> None:
    """Nothing triggers it: its picture says which segment, the time and by whose clock, the share that is first."""
    waiting = Split(
        salt="first news",
        variants=(
            Variant(name="first", micros=200_000),
            Variant(name="rest", micros=800_000, steps=(Wait(for_ms=4 * HOUR),)),
        ),
    )
    journey = a_journey(waiting, Send(channel=Channel.EMAIL, template="news"), trigger=Trigger())
    for date, said in (("", "2026-12-03 09:00 by the shop's clock"), ("2026-12-03T09:00", "by their own clocks")):
        aim = Enrolment(
            segment="engaged", starts_at=1_796_284_800_000, is_campaign=True, date=date, spread_ms=30 * MINUTE
        )
        settings = msgspec.structs.replace(a_bundle().settings, timezone="Europe/Warsaw")
        rules = a_bundle(settings=settings, journeys={"news": journey}, enrolments={"news": aim})
        words = " ".join(it.text for it in lay_out(make_chart("news", rules)).words)
        for part in ("news · campaign", "Goes to", "engaged", said, "spread over 30 minutes", "Wait 4 hours", "never"):
            assert part in words, part


def test_who_is_in_the_segment_already_is_said() -> None:
    """A journey that brings in existing members says so, and where they come in."""
    journey = a_journey(Wait(for_ms=HOUR), trigger=Trigger(entered="lapsed"))
    for placed in (True, False):
        aim = Enrolment(segment="lapsed", starts_at=0, placed=placed)
        rules = a_bundle(journeys={"j": journey}, enrolments={"j": aim})
        words = " ".join(it.text for it in lay_out(make_chart("j", rules)).words)
        assert "for who is in it already" in words
        assert ("where they would be by now" in words) == placed


def test_what_cannot_be_drawn_is_told(tmp_path: Path) -> None:
    """Exit code 2: with the nearest name, or the fault of the file; a fault elsewhere does not matter."""
    missing = CliRunner().invoke(app, ["draw", "abandoned-card", "--rules", str(STARTER)])
    assert missing.exit_code == 2
    assert 'did you mean "abandoned-cart"?' in " ".join(missing.stderr.split())
    folder = tmp_path / "journeys"
    folder.mkdir()
    (folder / "a.json").write_text('{"name": "A"}')
    (folder / "b.json").write_text(json.dumps(
        {"name": "B", "trigger": {"segment": "gone"}, "steps": [{"email": "nowhere"}, {"wait": "1 hour"}]}
    ))  # fmt: skip
    broken = CliRunner().invoke(app, ["draw", str(folder / "a.json")])
    assert broken.exit_code == 2
    assert "journeys/a.json" in " ".join(broken.stderr.split())
    alone = CliRunner().invoke(app, ["draw", str(folder / "b.json"), "--out", "-"])
    assert alone.exit_code == 0, alone.output
    assert "Email nowhere" in alone.output


def test_needs_are_named() -> None:
    """What starts a quiet wait anew is named by its events."""
    plan = plan_of(a_journey(Wait(for_ms=HOUR, of_quiet=("added", "removed"))))
    said = " ".join(it.text for it in plan.words)
    assert f'begins anew with "{NEEDS["added"].event}" or "{NEEDS["removed"].event}"' in said
