"""Rules of what goes live: file by file, and so that no fault takes away what worked."""

import json
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cartwake.bundles import Bundle, decode, encode
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.publication import InUse, Publication, choose, decode_sources, encode_sources
from cartwake.rules.status import Standing, write_status
from tests.starter import read_starter

STARTER = Path(__file__).parents[2] / "infra" / "starter"
CART = "journeys/abandoned-cart.json"
VIP = "segments/vip.json"
type Files = dict[str, bytes]


@pytest.fixture
def files() -> Files:
    return read_starter()


@pytest.fixture
def live(files: Files) -> Publication:
    return choose(files)


def with_file(files: Files, key: str, content: dict[str, Any] | bytes) -> Files:
    return files | {key: content if isinstance(content, bytes) else json.dumps(content).encode()}


def edited(files: Files, key: str, **changes: Any) -> Files:
    return with_file(files, key, json.loads(files[key]) | changes)


def after(live: Publication, files: Files) -> Publication:
    return choose(files, live=live.bundle, sources=live.sources)


def bundle_of(found: Publication) -> Bundle:
    assert found.bundle is not None
    return found.bundle


def segment(where: dict[str, Any], name: str = "A name") -> dict[str, Any]:
    return {"name": name, "where": where}


def test_starter_is_good(live: Publication) -> None:
    """The starter files make a bundle, of generation 1, that survives being written and read."""
    bundle = bundle_of(live)
    assert bundle.generation == 1
    assert {status.state for status in live.files.values()} == {"live"}
    assert decode(encode(bundle)) == bundle
    assert decode_sources(encode_sources(live.sources)) == live.sources


def test_same_files_are_no_news(files: Files, live: Publication) -> None:
    """The same files, in any order, with other line ends or a byte order mark, make nothing new."""
    other = {key: b"\xef\xbb\xbf" + files[key].replace(b"\n", b"\r\n") for key in reversed(files)}
    for again in (files, other):
        assert not after(live, again).is_news(live.bundle, live.sources)


def test_every_change_is_news(files: Files, live: Publication) -> None:
    """A changed file, a new one and one that is gone each make a new generation."""
    for changed in (
        edited(files, VIP, name="Other"),
        with_file(files, "segments/more.json", segment({"did": "Page Viewed"})),
        {key: content for key, content in files.items() if key != VIP},
    ):
        found = after(live, changed)
        assert found.is_news(live.bundle, live.sources)
        assert bundle_of(found).generation == 2


def test_bad_file_at_first_is_left_out(files: Files) -> None:
    """A file that never was good is not there; everything else is."""
    found = choose(with_file(files, VIP, b"{"))
    assert "vip" not in bundle_of(found).segments
    assert "lapsed" in bundle_of(found).segments
    assert found.files[VIP].in_use is InUse.NONE


def test_bad_file_keeps_its_last_good_version(files: Files, live: Publication) -> None:
    """A file with a fault keeps its last good version, and other changes go live with it."""
    changed = edited(with_file(files, VIP, segment({"did": "x", "at_leest": 3})), "segments/lapsed.json", name="Gone")
    found = after(live, changed)
    assert bundle_of(found).segments["vip"] == bundle_of(live).segments["vip"]
    assert bundle_of(found).segments["lapsed"].title == "Gone"
    assert found.files[VIP].in_use is InUse.LAST_GOOD
    assert found.files[VIP].faults[0].path == "where.at_leest"
    assert found.files[VIP].faults[0].suggestion == "at_least"


def test_bad_file_alone_is_no_news(files: Files, live: Publication) -> None:
    """A fault alone makes no new generation, however often it is looked at, and stays told."""
    found = after(live, with_file(files, VIP, b"{"))
    assert not found.is_news(live.bundle, live.sources)
    assert found.files[VIP].state == "rejected"


def test_mended_file_goes_live(files: Files) -> None:
    """A file that was left out goes live when it is mended."""
    first = choose(with_file(files, VIP, b"{"))
    found = after(first, files)
    assert "vip" in bundle_of(found).segments
    assert found.files[VIP].state == "live"


def test_nothing_goes_live_without_settings(files: Files) -> None:
    """Without settings, or with settings that never were good, nothing goes live."""
    missing = choose({key: content for key, content in files.items() if key != "settings.json"})
    bad = choose(edited(files, "settings.json", timezon="Europe/Berlin"))
    for found in (missing, bad):
        assert found.bundle is None
        assert found.files["settings.json"].faults
    assert bad.files["settings.json"].faults[0].suggestion == "timezone"


def test_names_are_not_doubted_while_settings_are_broken(files: Files, live: Publication) -> None:
    """What a settings.json with a fault lists may be what the other files name: that is said once, at that file."""
    quiz = with_file(files, "segments/quiz.json", segment({"did": "Quiz Done"}))
    doubted = after(live, quiz).files["segments/quiz.json"].warnings
    assert ["Quiz Done" in it.message for it in doubted] == [True]
    found = after(live, edited(quiz, "settings.json", known={"events": ["Quiz Done"]}, timezon="UTC"))
    warned = [(file, it.message) for file, status in found.files.items() for it in status.warnings]
    assert [(file, "no name" in message) for file, message in warned] == [("settings.json", True)]
    gone = after(live, {key: content for key, content in quiz.items() if key != "settings.json"})
    assert gone.files["segments/quiz.json"].warnings == doubted


def test_deleted_file_goes_away_unless_it_is_needed(files: Files, live: Publication) -> None:
    """What nobody needs goes away; what a file needs stays, and it is said who needs it."""
    found = after(live, {key: content for key, content in files.items() if key != VIP})
    assert "vip" not in bundle_of(found).segments
    found = after(live, {key: content for key, content in files.items() if not key.startswith("templates/cart-1.")})
    assert bundle_of(found).templates["cart-1"].html == bundle_of(live).templates["cart-1"].html
    status = found.files["templates/cart-1.mjml"]
    assert (status.state, status.in_use) == ("rejected", InUse.LAST_GOOD)
    assert CART in status.faults[0].message


def test_deleted_settings_stay(files: Files, live: Publication) -> None:
    """Deleting settings.json takes nothing away."""
    found = after(live, {key: content for key, content in files.items() if key != "settings.json"})
    assert not found.is_news(live.bundle, live.sources)
    assert found.files["settings.json"].state == "rejected"


def test_emptied_bucket_leaves_the_settings(live: Publication) -> None:
    """When everything is deleted the rules go, and the settings stay: runs can still be ended under them."""
    found = after(live, {})
    assert bundle_of(found).journeys == {}
    assert bundle_of(found).settings == bundle_of(live).settings
    assert found.files["settings.json"].state == "rejected"


def test_fault_between_files_is_charged_to_the_one_that_refers(files: Files, live: Publication) -> None:
    """A journey that names an unknown segment falls back, and the nearest name is told."""
    found = after(live, edited(files, CART, filter={"in_segment": "vipp"}))
    fault = found.files[CART].faults[0]
    assert (fault.path, fault.suggestion) == ("filter.in_segment", "vip")
    assert bundle_of(found).journeys["abandoned-cart"] == bundle_of(live).journeys["abandoned-cart"]


def test_new_files_that_need_a_bad_one_wait_for_it(files: Files) -> None:
    """A journey whose template has a fault is left out with it; the rest goes live."""
    found = choose(with_file(files, "templates/welcome-1.mjml", b"<mjml>"))
    assert set(bundle_of(choose(files)).journeys) - set(bundle_of(found).journeys) == {"welcome"}
    assert found.files["journeys/welcome.json"].faults[0].path == "steps[0].email"


def test_cycle_takes_one_file_back(files: Files, live: Publication) -> None:
    """Segments that come to refer to each other: enough of them is taken back to end the circle."""
    good = with_file(files, "segments/a.json", segment({"in_segment": "vip"}))
    before = after(live, good)
    found = after(before, with_file(good, VIP, segment({"in_segment": "a"})))
    assert bundle_of(found).segments["vip"] == bundle_of(before).segments["vip"]
    assert "refers to itself" in found.files[VIP].faults[0].message


def test_generation_of_a_segment_is_that_of_its_last_change(files: Files, live: Publication) -> None:
    """A changed segment, and those that refer to it, get the new generation; a new title changes nothing."""
    good = with_file(files, "segments/a.json", segment({"in_segment": "vip"}))
    second = after(live, good)
    assert bundle_of(second).segments["a"].changed_generation == 2
    assert bundle_of(second).segments["vip"].changed_generation == 1
    third = after(second, edited(good, "segments/lapsed.json", name="Other"))
    assert bundle_of(third).segments["lapsed"].changed_generation == 1
    fourth = after(third, with_file(good, VIP, segment({"did": "Order Completed", "at_least": 9})))
    assert bundle_of(fourth).segments["vip"].changed_generation == 4
    assert bundle_of(fourth).segments["a"].changed_generation == 4
    assert bundle_of(fourth).segments["engaged"].changed_generation == 1


def test_demo_taken_away_keeps_the_demo(files: Files, live: Publication) -> None:
    """Short waits need "demo": true; taking it away while they are there is refused, adding them without it too."""
    short = edited(files, CART, steps=[{"wait": "3 seconds"}, {"email": "cart-1"}])
    refused = after(live, short)
    assert refused.files[CART].faults[0].path == "steps[0].wait"
    demo = after(live, edited(short, "settings.json", demo=True))
    assert bundle_of(demo).settings.demo
    back = after(demo, short)
    assert bundle_of(back).settings.demo
    assert back.files["settings.json"].state == "rejected"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"nonsense", "not JSON"),
        (b"\xff\xfe\x00", "UTF-8"),
        (b'{"name": "a", "name": "b"}', '"name" stands twice'),
        (b'{"name": "a", "where": {"trait": "x", "more_than": NaN}}', "NaN"),
        (b'{"name": "a", "where": {"trait": "x", "more_than": -Infinity}}', "Infinity"),
        (b'{"name": "a", "where": {"trait": "x", "more_than": 1e999}}', "1e999"),
        (b'{"name": "a", "where": {"trait": "x", "more_than": ' + b"9" * 5000 + b"}}", "too many digits"),
        (b'{"name": "a\\ud800", "where": {"did": "x"}}', "surrogate"),
        (b'{"name": "a\x00"}', "U+0000"),
        (b"[" * 100_000, "deep"),
        (b'{"all":' * 1_000 + b"1" + b"}" * 1_000, "deep"),
        (b" " * 5_000_000, "KB"),
        (b'{"name": "a", "where": {"did": "x", "before": "30 days "}}', "is not a duration"),
        (b'{"name": "a", "where": {"trait": "x", "at_least": ' + b"9" * 400 + b"}}", "between"),
        (b"[1, 2]", "object"),
        (b"null", "object"),
        (b'{"name": "a", "where": {"did": "x"},}', "comma before }"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_unreadable_file_is_refused_alone(files: Files, content: bytes, says: str) -> None:
    """Whatever a file is made of, it is refused with a sentence, and everything else goes live."""
    found = choose(with_file(files, VIP, content))
    assert says in found.files[VIP].faults[0].message
    assert "engaged" in bundle_of(found).segments


@pytest.mark.parametrize("at", ["files.read_json", "compile_conditions.compile_behaviour", "doubts.report._doubt_file"])
def test_what_nobody_foresaw_is_a_fault_of_its_file(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    """Where reading or linking a file breaks, that file is told and not taken over; everybody else's go live."""
    module, _, name = f"cartwake.rules.{at}".rpartition(".")
    whole = getattr(import_module(module), name)

    def break_at(*args: Any, **more: Any) -> Any:
        if f"break {at}" in str(args):
            raise ZeroDivisionError("by zero")
        return whole(*args, **more)

    monkeypatch.setattr(f"{module}.{name}", break_at)
    broken = with_file(files, VIP, segment({"did": f"break {at}"}))
    found = after(live, with_file(broken, "segments/more.json", segment({"did": "Page Viewed"})))
    assert "more" in bundle_of(found).segments
    if "doubts" in at:
        assert any("ZeroDivisionError" in each.message for each in found.files[VIP].warnings)
        return
    assert found.files[VIP].in_use is InUse.LAST_GOOD
    assert "ZeroDivisionError: by zero" in found.files[VIP].faults[0].message
    assert bundle_of(found).segments["vip"] == bundle_of(live).segments["vip"]


def test_files_of_others_are_left_alone(files: Files) -> None:
    """Pictures, notes and folders of later versions are nobody's fault; a rule with a wrong name is told."""
    more = {"images/logo.png": b"\x89PNG", "forms/newsletter.json": b"{", "segments/": b"", "segments/.DS_Store": b"x"}
    found = choose(files | more | {"segments/VIP Club.json": files[VIP], "journeys/note.txt": b"x"})
    assert not more.keys() & found.files.keys()
    assert found.files["segments/VIP Club.json"].faults[0].suggestion == "segments/vip-club.json"
    assert found.files["journeys/note.txt"].faults[0].suggestion == "journeys/note.json"


FANS = {"name": "Fans", "where": {"did": "Page Viewed", "at_least": 9}}


def break_when(monkeypatch: pytest.MonkeyPatch, where: str, *texts: str, gone: str = "") -> None:
    """Have a step over all files fail when each of *texts* is in some file, or when a segment is not there."""
    linker = import_module("cartwake.rules.compile")._Linker
    real = getattr(linker, where)

    def fail(self: Any, *args: Any, **named: Any) -> Any:
        told = " ".join(str(content) for content in self._files.values())
        if (texts and all(text in told for text in texts)) or (gone and gone not in self._files):
            raise KeyError("tracker")
        return real(self, *args, **named)

    monkeypatch.setattr(linker, where, fail)


@pytest.mark.parametrize("where", ["_carry", "_finish_segments", "_find_unknown_shown", "_collect_tags", "_retire"])
def test_a_failure_over_all_files_is_the_fault_of_one(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """What fails though nobody foresaw it is told, with the file it comes from; all others go live."""
    changed = with_file(with_file(files, "segments/a.json", FANS), "segments/b.json", FANS | {"name": "Crash"})
    break_when(monkeypatch, where, "Crash")
    found = after(live, edited(changed, VIP, name="Other"))
    assert bundle_of(found).segments.keys() - bundle_of(live).segments.keys() == {"a"}
    assert bundle_of(found).segments["vip"].title == "Other"
    assert found.problem == "KeyError: 'tracker'"
    assert {file for file, status in found.files.items() if status.state != "live"} == {"segments/b.json"}
    assert "KeyError" in found.files["segments/b.json"].faults[0].message
    told = json.loads(write_status(found, Standing(generation=2, name="x"), 0))
    assert (told["good"], told["problem"]) == (False, found.problem)
    assert "Cartwake itself failed on these files (KeyError: 'tracker')" in told["message"]


def test_a_failure_of_several_files_together_keeps_what_was_live(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no file alone is to blame, nothing is taken over, and each changed one is told of."""
    both = with_file(with_file(files, "segments/a.json", FANS | {"name": "Crash"}), VIP, FANS | {"name": "Boom"})
    break_when(monkeypatch, "_carry", "name='Crash'")
    break_when(monkeypatch, "_retire", "name='Boom'")
    found = after(live, both)
    assert not found.is_news(live.bundle, live.sources)
    assert {file for file, status in found.files.items() if status.state != "live"} == {"segments/a.json", VIP}
    assert found.problem


def test_a_failure_because_a_file_is_gone_brings_it_back(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file whose absence fails stays, in the version that was good."""
    break_when(monkeypatch, "_finish_segments", gone=VIP)
    found = after(live, {file: content for file, content in files.items() if file != VIP})
    assert not found.is_news(live.bundle, live.sources)
    assert (found.files[VIP].state, found.files[VIP].in_use) == ("rejected", InUse.LAST_GOOD)
    assert found.problem


def test_a_failure_of_what_is_live_leaves_it_live(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the last good files fail too, nothing goes live, and the status says so."""
    break_when(monkeypatch, "_finish_segments", "name=")
    found = after(live, edited(files, VIP, name="Other"))
    assert found.bundle is None
    assert found.problem
    assert json.loads(write_status(found, Standing(generation=1, name="x"), 0))["live"]["generation"] == 1


def blame_nobody(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have a fault between files name none that is to blame for it, as long as *text* is in some file."""
    linker = import_module("cartwake.rules.compile")._Linker
    real = linker._find_unknown_shown

    def find(self: Any, *args: Any) -> Any:
        said = any(text in str(content) for content in self._files.values())
        conflict = Conflict(Fault(file=VIP, message="Something does not fit."), (VIP, "segments/absent.json"))
        return [*real(self, *args), *([conflict] if said else [])]

    monkeypatch.setattr(linker, "_find_unknown_shown", find)


@pytest.mark.parametrize("guilty", ["segments/b.json", "templates/b.txt", "journeys/z.json"])
def test_a_fault_that_names_nobody_keeps_back_no_more_than_needed(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch, guilty: str
) -> None:
    """Where no changed file is named, whatever fits without the others is live, and the problem is told."""
    bad = b"Crash" if guilty.endswith(".txt") else json.dumps(FANS | {"name": "Crash"}).encode()
    if guilty.startswith("journeys/"):
        bad = edited(files, CART, name="Crash")[CART]
    changed = edited(with_file(files, guilty, bad), CART, status="paused", filter={"in_segment": "fans"})
    changed = with_file(with_file(changed, "segments/a.json", FANS), "segments/fans.json", FANS)
    blame_nobody(monkeypatch, "Crash")
    found = after(live, changed)
    assert {file for file, status in found.files.items() if status.state != "live"} == {guilty}
    assert "Something does not fit." in found.files[guilty].faults[0].message
    assert bundle_of(found).journeys["abandoned-cart"].status == "paused"
    assert found.problem.startswith("No changed file is to blame: ")
    told = json.loads(write_status(found, Standing(generation=2, name="x"), 0))
    assert (told["good"], told["problem"]) == (False, found.problem)


def test_what_cannot_go_live_because_of_others_is_told_so(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where even what was live does not fit any more, no file is refused without a reason."""
    blame_nobody(monkeypatch, "Settings(")
    found = after(live, with_file(files, "segments/a.json", FANS))
    assert found.bundle is None
    refused = {file for file, status in found.files.items() if status.state != "live"}
    assert {"segments/a.json", VIP} == refused
    assert all(found.files[file].faults for file in refused)
    first = choose({file: content for file, content in files.items() if file != "settings.json"})
    assert {status.state for status in first.files.values()} == {"rejected"}
    assert "The file waits" in first.files[VIP].faults[0].message


@pytest.mark.parametrize("doubter", ["doubt_names", "doubt_history", "describe_shop"])
def test_a_doubt_that_fails_stops_nobody(
    files: Files, live: Publication, monkeypatch: pytest.MonkeyPatch, doubter: str
) -> None:
    """What is doubtful in one file and cannot be found out is a warning there."""
    report = import_module("cartwake.rules.doubts.report")
    real = getattr(report, doubter)

    def fail(some: Any, *rest: Any) -> Any:
        if not isinstance(some, dict) or VIP in some:
            raise ZeroDivisionError
        return real(some, *rest)

    monkeypatch.setattr(report, doubter, fail)
    found = after(live, edited(files, VIP, name="Other"))
    assert bundle_of(found).segments["vip"].title == "Other"
    (warning,) = found.files[VIP].warnings
    assert "could not be found out (ZeroDivisionError)" in warning.message


_LAYOUT = """<mjml><mj-head><mj-title>{% block title %}Hello{% endblock %}</mj-title></mj-head>
<mj-body><mj-section><mj-column><mj-text>{% block body %}Text{% endblock %}</mj-text>
{% include "foot" %}{% include "sign" %}</mj-column></mj-section>
</mj-body></mjml>"""
_FOOT = '<mj-text><a href="{{ unsubscribe_url }}">Off</a> {{ shop.postal_address }}</mj-text>'
_MAIL = '{% extends "shop" %}{% block body %}Dear {{ profile.first_name|default("you") }}{% endblock %}'
_HTML = """<html><head><title>Hello</title></head><body><p><a href="{{ unsubscribe_url }}">Off</a></p>
<p>{{ shop.postal_address }}</p></body></html>"""
_ASKING = _HTML.replace("{{ unsubscribe_url }}", "{{ confirm_url }}")
_PUSH = json.dumps({"title": "News", "body": "Of {{ shop.name }}"})
_HARMS = [
    (re.escape("{{ unsubscribe_url }}"), "https://shop.example"),
    (re.escape("{{ shop.postal_address }}"), "Street 1"),
    (re.escape("{{ confirm_url }}"), "https://shop.example"),
    (r"<(mj-)?title>.*</(mj-)?title>", ""),
    ("block body", "block corpus"),
    ("Dear", '{% include "idle" %}'),
    ('"(shop|foot|sign)"', '"other"'),
    (r"</p></body>|</mj-text>$|Text|Dear|News|x\b", r"{{ coupon.code }}\g<0>"),
    (r"</p></body>|</mj-text>$|Text|Dear|News|x\b", r"{{ confirm_url }}\g<0>"),
    (r"</p></body>|</mj-text>$|Text|Dear|News|x\b", r"{{ profile.scores.nope }}\g<0>"),
]


def read_rich() -> Files:
    """Return a small set of good files with everything that can be in the way of something else."""
    whole = json.loads(read_starter()["settings.json"])
    steps: list[dict[str, Any]] = [
        {"email": "laid"},
        {"email": "plain"},
        {"email": "page"},
        {"sms": "short", "coupon": "codes"},
        {"push": "bell"},
        {"webhook": "https://crm.example/a"},
        {"give": "made"},
        {"score": "fans", "points": 2},
    ]
    journey = {"name": "A journey", "kind": "marketing", "status": "live", "trigger": {"event": "Product Added"}}
    asked = journey | {"kind": "confirmation", "trigger": {"event": "Subscription Requested"}}
    rules: dict[str, Any] = {
        "settings.json": whole | {"topics": {"news": {"name": "News"}}, "webhooks": {"hosts": ["crm.example"]}},
        "segments/buyers.json": segment({"did": "Order Completed"}),
        "segments/fans.json": segment({"all": [{"in_segment": "buyers"}, {"score": "fans", "at_least": 3}]}),
        "scores/fans.json": {"name": "Fans", "points": [{"did": "Page Viewed", "points": 1}]},
        "coupons/made.json": {"name": "Made", "generate": {}},
        "coupons/codes.json": {"name": "Codes"},
        "journeys/all.json": journey | {"topic": "news", "filter": {"in_segment": "fans"}, "steps": steps},
        "journeys/receipt.json": journey | {"kind": "transactional", "steps": [{"email": "receipt"}]},
        "journeys/asking.json": asked | {"steps": [{"email": "asking"}]},
        "journeys/entering.json": journey | {"trigger": {"segment": "buyers"}, "steps": [{"email": "laid"}]},
        "campaigns/mailing.json": {"name": "A campaign", "status": "draft", "to": "fans", "at": "2030-01-01T09:00"}
        | {"topic": "news", "steps": [{"email": "plain"}]},
    }
    templates = {
        "layouts/shop.mjml": _LAYOUT,
        "layouts/shop.de.mjml": _LAYOUT.replace('{% include "foot" %}', "").replace(
            "Text", "{% block more %}Text{% endblock %}"
        ),
        **{f"parts/{name}.mjml": _FOOT for name in ("foot", "sign.de")},
        "parts/sign.mjml": "<mj-text>Text</mj-text>",
        "parts/idle.mjml": "<mj-text>{{ profile.scores.nope }}</mj-text>",
        "laid.mjml": _MAIL,
        "laid.de.mjml": _MAIL + "{% block more %}Dear{% endblock %}",
        "plain.mjml": re.sub("{%.*?%}", "", _LAYOUT.replace('{% include "foot" %}', _FOOT)),
        **{f"{name}.html": _HTML for name in ("page", "page.de")},
        "receipt.html": "<html><head><title>Thanks</title></head><body><p>{{ profile.scores.fans }}</p></body></html>",
        **{f"{name}.html": _ASKING for name in ("asking", "asking.de")},
        **{f"{name}.txt": "x {{ unsubscribe_url }} {{ shop.postal_address }}" for name in ("page", "page.de")},
        **{f"{name}.txt": "x {{ coupon.code }}" for name in ("short", "short.de")},
        **{f"{name}.json": _PUSH for name in ("bell", "bell.de")},
    }
    texts = {file: json.dumps(rule) for file, rule in rules.items()} | {"coupons/codes.csv": "code\nA1B2C3D4\n"}
    return {
        file: text.encode() for file, text in (texts | {f"templates/{it}": templates[it] for it in templates}).items()
    }


def harm(files: Files) -> Iterator[tuple[str, str, bytes | None]]:
    """Yield changes of one file each, with what is done: None is a file that is gone. Most take what others need."""
    for file, content in files.items():
        yield "gone", file, None
        if file.endswith(".json"):
            said = json.loads(content)
            for key in said:
                yield f"without {key}", file, json.dumps({it: said[it] for it in said if it != key}).encode()
        for old, new in _HARMS if file.startswith("templates/") else []:
            text = re.sub(old, new, content.decode(), flags=re.DOTALL | re.MULTILINE).encode()
            if text != content:
                yield f"{old} → {new}", file, text
    stems = {file.partition(".")[0] for file in files if file.startswith("templates/") and file.count("/") == 1}
    news = {".html": _HTML, ".mjml": _LAYOUT, ".txt": "x", ".json": _PUSH}
    for stem in sorted(stems):
        for ending, text in ((f"{locale}{each}", text) for each, text in news.items() for locale in ("", ".de", ".fr")):
            if f"{stem}{ending}" not in files:
                yield "new", f"{stem}{ending}", text.encode()


def test_no_harm_to_a_file_keeps_a_pause_from_going_live() -> None:
    """Whatever becomes of one file, every other journey can be paused, and Cartwake knows which file is to blame."""
    files = read_rich()
    before = choose(files)
    assert {status.state for status in before.files.values()} == {"live"}
    tried, refused = 0, set()
    for what, file, content in harm(files):
        paused = {each for each in files if each.startswith("journeys/") and each != file}
        changed = dict(files)
        for each in paused:
            changed[each] = files[each].replace(b'"live"', b'"paused"')
        changed.pop(file, None)
        if content is not None:
            changed[file] = content
        found = after(before, changed)
        statuses = {f"journeys/{name}.json": it.status for name, it in bundle_of(found).journeys.items()}
        rejected = {name for name, status in found.files.items() if status.state != "live"}
        assert {statuses[each] for each in paused} == {"paused"}, (what, file)
        assert rejected <= {file}, (what, file, rejected)
        assert not found.problem, (what, file)
        assert all(found.files[it].faults for it in rejected), (what, file)
        tried, refused = tried + 1, refused | rejected
    assert tried > 200
    assert {file for file in files if file.startswith("templates/")} - refused == {"templates/parts/idle.mjml"}
