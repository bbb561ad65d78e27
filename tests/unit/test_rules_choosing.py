"""Rules of choosing what goes live: how much work that is at most, and what an earlier version let pass."""

import json
from typing import Any

import jinja2
import pytest

from cartwake.rules import choosing, compile_templates
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.publication import InUse, Publication, choose
from cartwake_cli.candidates import build_candidate
from tests.starter import read_starter

type Files = dict[str, bytes]
LAYOUT = "templates/layouts/shop.mjml"
VIP = "segments/vip.json"
_PAGE = """<html><head><title>Hello</title></head><body><p><a href="{{ unsubscribe_url }}">Off</a></p>
<p>{{ shop.postal_address }} {{ shop.logo_url }} {{ event.name }}</p></body></html>"""


def after(live: Publication, files: Files) -> Publication:
    return choose(files, live=live.bundle, sources=live.sources)


def count(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[Any]:
    """Return the list in which each call is noted from now on."""
    calls: list[Any] = []
    real = getattr(where, name)

    def note(*args: Any, **named: Any) -> Any:
        calls.append(args)
        return real(*args, **named)

    monkeypatch.setattr(where, name, note)
    return calls


def refused(found: Publication) -> set[str]:
    return {file for file, status in found.files.items() if status.state != "live"}


def test_what_is_read_is_parsed_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting the files together again parses no template and no subject, of however many journeys."""
    files = read_starter(whole=True)
    steps = [{"email": "welcome-1", "subject": f"{number} {{{{ shop.name }}}}"} for number in range(60)]
    journey = {"name": "A journey", "kind": "marketing", "trigger": {"event": "Product Added"}, "steps": steps}
    files |= {f"journeys/many-{number}.json": json.dumps(journey).encode() for number in range(10)}
    live = choose(files)
    assert not refused(live)
    parsed = [count(monkeypatch, jinja2.Environment, name) for name in ("parse", "lex")]
    assert not after(live, files).is_news(live.bundle, live.sources)
    assert parsed == [[], []]


def test_each_file_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many files there are, and however often they are put together, each of them is read once."""
    rule = {"name": "A name", "where": {"did": "Page Viewed"}}
    many = {f"segments/many-{number}.json": json.dumps(rule).encode() for number in range(700)}
    bad = {"segments/bad.json": json.dumps({"name": "Bad", "where": {"in_segment": "nope"}}).encode()}
    files = {"settings.json": read_starter()["settings.json"]} | many | bad
    read, linked = count(monkeypatch, choosing, "read_file"), count(monkeypatch, choosing, "link")
    assert refused(choose(files)) == set(bad)
    assert (len(linked), len(read)) == (2, len(files))


def test_a_template_that_cannot_be_compiled_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also what fails is remembered: a wrong name in a layout is not looked for anew, mail by mail, in each try."""
    files = read_starter()
    live = choose(files)
    broken = files[LAYOUT].replace(b"{{ shop.postal_address }}", b"{{ shop.postal_adress }}")
    changed = files | {LAYOUT: broken, VIP: json.dumps({"name": "Bad", "where": {"in_segment": "nope"}}).encode()}
    compiled, tries = count(monkeypatch, compile_templates, "compile_mjml"), count(monkeypatch, choosing, "link")
    assert refused(after(live, changed)) == {LAYOUT, VIP}
    assert len(tries) > 2
    texts = [(flat.file, flat.text) for (flat,) in compiled]
    assert len(texts) == len(set(texts)) > 0


def test_a_broken_layout_at_first_needs_few_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hangs on a layout waits with it, and is told why; everything else goes live, after few tries."""
    files = {file: it for file, it in read_starter(whole=True).items() if not file.startswith(("schemas", "stories"))}
    files[LAYOUT] = files[LAYOUT].replace(b"{{ shop.postal_address }}", b"")
    tries = count(monkeypatch, choosing, "link")
    found = choose(files)
    assert len(tries) <= 70
    assert {file.partition("/")[0] for file in refused(found)} == {"journeys", "campaigns"}
    assert all("postal_address" in str(found.files[file].faults) for file in refused(found))
    assert len(refused(found)) == 36


def blame_nobody(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    """Have a fault between files name none that is to blame for it, as long as *text* is in some file."""
    real = choosing.link

    def link(files: Any, **named: Any) -> Any:
        linked = real(files, **named)
        if any(text.decode() in str(it) for it in files.values()):
            linked.conflicts.append(Conflict(Fault(file=VIP, message="Something does not fit."), (VIP,)))
        return linked

    monkeypatch.setattr(choosing, "link", link)


@pytest.mark.parametrize("most", [0, 1, 5, 12])
def test_retaking_ends(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """After so many tries what was not taken over stays as it was, and is told so; what was, is live."""
    files = read_starter()
    live = choose(files)
    rule = {"name": "Good", "where": {"did": "Page Viewed"}}
    good = {f"segments/good-{number}.json": json.dumps(rule).encode() for number in range(20)}
    bad = {f"segments/bad-{number}.json": json.dumps(rule | {"name": "Crash"}).encode() for number in range(20)}
    blame_nobody(monkeypatch, b"Crash")
    monkeypatch.setattr(choosing, "MOST_RETAKING", most)
    tries = count(monkeypatch, choosing, "link")
    found = after(live, files | good | bad)
    assert len(tries) == 2 + most
    assert set(bad) <= refused(found) <= {*good, *bad}
    assert all(found.files[file].faults and found.files[file].in_use is InUse.NONE for file in refused(found))
    assert found.bundle is not None
    assert {f"segments/{name}.json" for name in found.bundle.segments} == set(found.sources.files) & {
        file for file in {**files, **good} if file.startswith("segments/")
    }


def test_settling_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many tries everything that is to blame is given back at once, and then everything that changed."""
    files = read_starter()
    live = choose(files)
    chain = {
        f"segments/c-{number}.json": json.dumps({"name": "Chain", "where": {"in_segment": f"c-{number + 1}"}}).encode()
        for number in range(8)
    }
    wide = {f"segments/w-{number}.json": chain["segments/c-7.json"] for number in range(20)}
    monkeypatch.setattr(choosing, "MOST_SINGLE", 2)
    tries = count(monkeypatch, choosing, "link")
    found = after(live, files | wide)
    assert refused(found) == set(wide)
    assert len(tries) == 6
    monkeypatch.setattr(choosing, "MOST_SETTLING", 4)
    changed = files | chain | {VIP: files[VIP].replace(b'"name": "', b'"name": "A ')}
    assert refused(after(live, changed)) == set(chain)
    del tries[:]
    monkeypatch.setattr(choosing, "MOST_RETAKING", 0)
    found = after(live, changed)
    assert (refused(found), len(tries)) == ({*chain, VIP}, 5)
    assert found.bundle is not None
    assert all(found.files[file].faults for file in refused(found))


def read_lacking(kind: str) -> Files:
    """Return files of which a mail can be sent to nobody: of a date there is no event, and there is no logo."""
    settings = json.loads(read_starter()["settings.json"])
    assert "logo_url" not in settings["shop"]
    journey = {"name": "A journey", "kind": "marketing", "status": "live", "trigger": {"date_in": "birthday"}}
    sms = journey | {"trigger": {"event": "Order Completed"}, "steps": [{"sms": "short"}]}
    rules = {
        "settings.json": settings,
        "journeys/lacking.json": journey | {"status": kind, "steps": [{"email": "page"}]},
        "journeys/other.json": sms,
    }
    texts = {file: json.dumps(rule) for file, rule in rules.items()}
    texts |= {"templates/page.html": _PAGE, "templates/short.txt": "Thanks"}
    return {file: text.encode() for file, text in texts.items()}


def publish_before(monkeypatch: pytest.MonkeyPatch, files: Files) -> Publication:
    """Return what a version of Cartwake published that did not yet ask whether anybody can get a mail."""
    with monkeypatch.context() as earlier:
        earlier.setattr("cartwake.rules.compile.find_lacking", lambda *_: ())
        live = choose(files)
    assert not refused(live)
    return live


def edit(files: Files, file: str, **changes: Any) -> Files:
    return files | {file: json.dumps(json.loads(files[file]) | changes).encode()}


@pytest.mark.parametrize("kind", ["draft", "live", "paused", "archived"])
def test_what_was_live_keeps_nothing_from_going_live(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """What a newer version would refuse stays, with a warning, and any other journey can be paused."""
    files = read_lacking(kind)
    live = publish_before(monkeypatch, files)
    paused = edit(files, "journeys/other.json", status="paused")
    paused = edit(paused, "settings.json", timezone="Europe/Warsaw")
    found = after(live, paused)
    assert found.bundle is not None
    assert {name: it.status for name, it in found.bundle.journeys.items()} == {"lacking": kind, "other": "paused"}
    assert (found.bundle.settings.timezone, refused(found), found.problem) == ("Europe/Warsaw", set(), "")
    told = [it.message for it in found.files["templates/page.html"].warnings if it.severity == "warning"]
    assert [any(says in it for it in told) for says in ("no logo_url", "nor has a journey that a date")] == [True, True]
    again = after(found, paused)
    assert not again.is_news(found.bundle, found.sources)


@pytest.mark.parametrize("status", ["paused", "archived"])
def test_a_journey_that_nobody_could_get_can_be_stopped(monkeypatch: pytest.MonkeyPatch, status: str) -> None:
    """No fault of its mails keeps a journey from being stopped; only as it is mended it goes on."""
    files = read_lacking("live")
    live = publish_before(monkeypatch, files)
    stopped = after(live, edit(files, "journeys/lacking.json", status=status))
    assert stopped.bundle is not None
    assert (stopped.bundle.journeys["lacking"].status, refused(stopped)) == (status, set())
    assert refused(after(stopped, files)) == {"journeys/lacking.json"}
    mended = files | {"templates/page.html": _PAGE.replace("{{ event.name }}", "").encode()}
    mended["templates/page.html"] = mended["templates/page.html"].replace(b"{{ shop.logo_url }}", b"")
    assert not refused(after(stopped, mended))


def test_a_change_that_leaves_a_mail_to_nobody_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was live may stay; a mail that is changed must be right, and a logo that is shown cannot be taken away."""
    files = read_lacking("live")
    live = publish_before(monkeypatch, files)
    changed = files | {"templates/page.html": _PAGE.replace("Hello", "Hi").encode()}
    assert refused(after(live, changed)) == {"templates/page.html"}
    shop = json.loads(files["settings.json"])["shop"]
    logo = edit(files, "settings.json", shop=shop | {"logo_url": "https://shop.example/logo.png"})
    with_logo = publish_before(monkeypatch, logo)
    assert refused(after(with_logo, files)) == {"settings.json"}


def test_what_another_file_brings_is_waited_for() -> None:
    """The settings bring the logo that a mail shows; both wait for what does not fit, and then both go live."""

    def page(text: str) -> bytes:
        return f"<html><head><title>Hello</title></head><body><p>{text}</p></body></html>".encode()

    def journey(**changes: Any) -> bytes:
        rule = {"name": "A journey", "kind": "marketing", "status": "live", "trigger": {"event": "Order Completed"}}
        return json.dumps(rule | changes).encode()

    off = '<a href="{{ unsubscribe_url }}">Off</a> {{ shop.postal_address }}'
    settings = json.loads(read_starter()["settings.json"])
    files = {
        "settings.json": json.dumps(settings | {"topics": {"old": {"name": "Old"}}}).encode(),
        "journeys/news.json": journey(steps=[{"email": "news"}]),
        "journeys/receipt.json": journey(topic="old", steps=[{"email": "news"}]),
        "templates/news.html": page(off),
    }
    live = choose(files)
    assert not refused(live)
    shop = settings["shop"] | {"logo_url": "https://shop.example/logo.png"}
    changed = edit(files, "settings.json", topics={"new": {"name": "New"}}, shop=shop) | {
        "templates/news.html": page(f'<img src="{{{{ shop.logo_url }}}}" alt=""> {off}'),
        "templates/thanks.html": page("Thanks"),
        "journeys/receipt.json": journey(kind="transactional", steps=[{"email": "thanks"}]),
        "journeys/a-first.json": journey(steps=[{"email": "thanks"}]),
        "journeys/b-second.json": journey(topic="old", steps=[{"email": "thanks"}]),
    }
    found = after(live, changed)
    assert refused(found) == {"journeys/a-first.json", "journeys/b-second.json"}
    assert not after(found, changed).is_news(found.bundle, found.sources)


def test_a_trial_bears_what_publishing_bears(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `cartwake try` would make live is what publishing would, of a whole folder and of one file."""
    files = read_lacking("live")
    live = publish_before(monkeypatch, files)
    vip = {VIP: json.dumps({"name": "Best", "where": {"did": "Order Completed"}}).encode()}
    page = {"templates/page.html": _PAGE.replace("Hello", "Hi").encode()}
    for folder, faulty in ((files | vip, set()), (vip, set()), (files | page, set(page)), (page, set(page))):
        candidate = build_candidate(folder, live=live.bundle, sources=live.sources, now=0)
        assert {fault.file for fault in candidate.faults} == faulty
