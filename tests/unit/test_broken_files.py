"""Broken files: what `cartwake check` says of mistakes that people make, each at its place."""

import json
import os
import re
import shutil
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from typer.testing import CliRunner

from cartwake.rules.places import find_place, find_twice
from cartwake_cli.commands.check import find_faults, show
from cartwake_cli.main import app

STARTER = Path(__file__).parents[2] / "infra" / "starter"
MARK = "▸"
"""Stands where the fault is."""
DID = '"did": "Order Completed"'
ON = '"on": "Order Completed"'
SMS = '"steps": [ { "sms": "cart-sms" } ]'
type Case = tuple[str, str, str, str, str]
"""File, content, path, a part of the sentence, suggestion."""


def segment(where: str, path: str, says: str, suggestion: str = "") -> Case:
    mark = "" if MARK in where else MARK
    return "segments/s.json", f'{{\n  "name": "S",\n  {mark}"where": {where}\n}}\n', path, says, suggestion


def journey(more: str, path: str, says: str, suggestion: str = "") -> Case:
    content = f'{{\n  "name": "J",\n  "trigger": {{ "event": "Product Added" }},\n  {more}\n}}\n'
    return "journeys/j.json", content, path, says, suggestion


def score(more: str, path: str, says: str, suggestion: str = "") -> Case:
    return "scores/s.json", f'{{\n  "name": "S",\n  {more}\n}}\n', path, says, suggestion


def settings(more: str, path: str, says: str, suggestion: str = "") -> Case:
    whole = (STARTER / "settings.json").read_text().rstrip().removesuffix("}").rstrip()
    return "settings.json", f"{whole},\n  {more}\n}}\n", path, says, suggestion


ERRORS: list[Case] = [
    # how conditions begin, and what may stand in them
    segment('{ "has_done": "Order Completed" }', "where", "is not what an object here begins with", "did"),
    segment('{ "not": [ ] }', "where", "is not what an object here begins with", "none"),
    segment("{ }", "where", "The object is empty"),
    segment(f'{{ {DID}, ▸"at_leest": 3 }}', "where.at_leest", 'There is no "at_leest" here', "at_least"),
    segment(f'{{ {DID}, ▸"within": "30 days" }}', "where.within", 'There is no "within" here', "in_last"),
    segment('{ "all": [ { "trait": "plan", ▸"equals": "gold" } ] }', "where.all[0].equals", "no", "is"),
    segment(f'{{ {DID}, ▸"in_segment": "vip" }}', "where.in_segment", 'write both into an "all"'),
    segment('{ "did_not": "X", ▸"at_least": 3 }', "where.at_least", 'begin with "did"'),
    segment('{ "all": [ ▸"vip" ] }', "where.all[0]", "Should be an object"),
    # values
    segment(f'{{ {DID}, ▸"at_least": "3" }}', "where.at_least", "a whole number, without quotes"),
    segment(f'{{ {DID}, ▸"at_least": 0 }}', "where.at_least", "Should be 1 or more"),
    segment(f'{{ {DID}, "at_least": 3, ▸"at_most": 2 }}', "where.at_most", "exclude each other"),
    segment('{ "trait": "born", ▸"more_than": "soon" }', "where.more_than", "a date in quotes"),
    segment('{ "trait": "born", ▸"more_than": "0001-01-01" }', "where.more_than", "a date in quotes"),
    segment('{ "trait": "age", ▸"more_than": "18" }', "where.more_than", "without quotes", "18"),
    segment(f'{{ "trait": "age", ▸"more_than": {"9" * 400} }}', "where.more_than", "between -1000000000000 and"),
    segment(f'{{ "trait": "card", "is": [ ▸{"9" * 400} ] }}', "where.is[0]", "at most 18 digits"),
    segment('{ "trait": "plan", ▸"is": [] }', "where.is", "Must not be empty"),
    segment('{ ▸"consent": "mail" }', "where.consent", 'Should be "email", "sms" or "push"', "email"),
    segment('{ ▸"lifecycle": "champion" }', "where.lifecycle", "Should be", "champions"),
    segment('{ ▸"share": 120, "of": "draw" }', "where.share", "100 or less"),
    segment(f'{{ "total_of": "revenue", {ON} }}', "where.more_than", "compared with is missing"),
    segment(f'{{ "total_of": "revenue", {ON}, ▸"at_least": 5, "more_than": 4 }}', "where.at_least", "same side"),
    segment('{ "profile": "device" }', "where.is", "compared with is missing"),
    # times
    segment(f'{{ {DID}, ▸"in_last": "3 months" }}', "where.in_last", "is not a duration", "90 days"),
    segment(f'{{ {DID}, ▸"in_last": "90days" }}', "where.in_last", "is not a duration", "90 days"),
    segment(f'{{ {DID}, "in_last": "9 days", ▸"between": ["9 days", "3 days"] }}', "where.between", "keep one"),
    segment(f'{{ {DID}, ▸"between": ["30 days", "60 days"] }}', "where.between", "longer time comes first"),
    segment(f'{{ {DID}, ▸"between": ["2026-02-01", "30 days"] }}', "where.between", "not one of each"),
    segment(f'{{ {DID}, "after": "2026-02-01", ▸"before": "2026-01-01" }}', "where.before", "Nothing is after"),
    segment(f'{{ {DID}, ▸"after": "30 days" }}', "where.after", 'is "in_last"'),
    segment(f'{{ {DID}, ▸"after": "2026-02-30" }}', "where.after", "Should be a date"),
    segment(f'{{ {DID}, ▸"before": "30 days " }}', "where.before", "is not a duration", "30 days"),
    segment(f'{{ {DID}, ▸"in_last": " 30 days" }}', "where.in_last", "is not a duration", "30 days"),
    segment(f'{{ {DID}, "between": [ ▸" 60 days", "30 days" ] }}', "where.between[0]", "not a duration", "60 days"),
    segment(f'{{ {DID}, ▸"before": "2026-01-31 " }}', "where.before", "Should be a date", "2026-01-31"),
    segment('{ "trait": "born", ▸"before": "2026-01-01" }', "where.before", "This is a date"),
    segment('{ "all": [ { "tag": "x" } ], ▸"any": [ { "tag": "y" } ] }', "where.any", 'into the list of "all"'),
    segment(f'{{ {DID}, ▸"since": "start" }}', "where.since", "a segment has none"),
    segment('{ "first": "Order Completed" }', "where.in_last", "when it was, or where"),
    segment('{ "anniversary_of": "birthday", ▸"in_next": "36 hours" }', "where.in_next", "whole days"),
    segment('{ "predicted": "churn_risk", ▸"in_next": "9 days" }', "where.in_next", "is for next_order"),
    segment(f'{{ {DID}, "then": {{ "did": "X", "within": "1 day" }} }}', "where.in_last", '"in_last" is missing'),
    segment(f'{{ "distinct_of": "sku", {ON}, ▸"before": "9 days" }}', "where.before", "the time must end now"),
    segment('{ "cart": "empty", ▸"value": { "at_least": 5 } }', "where.value", "Of an empty cart"),
    # other files
    segment('{ ▸"in_segment": "vipp" }', "where.in_segment", 'There is no segment "vipp"', "vip"),
    segment('{ ▸"score": "engagment", "at_least": 5 }', "where.score", "There is no score", "engagement"),
    segment('{ "in_segment": "s" }', "where", "refers to itself: s → s"),
    segment('{ "tag": "x" },\n  "then": { "tag": "X" }', "where", "refers to itself: s → s"),
    journey(f'▸"again": "7 days",\n  {SMS}', "again", '"after" and a time', "after 7 days"),
    journey('"steps": [ { ▸"wait": "366 days" }, { "sms": "cart-sms" } ]', "steps[0].wait", "at most 365 days"),
    journey('"steps": [ { ▸"sms": "cart-smss" } ]', "steps[0].sms", "There is no SMS template", "cart-sms"),
    journey('"steps": [ ▸{ "send": "cart-1" } ]', "steps[0]", "begins with", "email"),
    score('"points": [ { "did": "Page Viewed", ▸"points": 0 } ]', "points[0].points", "change nothing"),
    score('"points": [ { ▸"when": { "scor": "s" }, "points": 1 } ]', "points[0].when", "begins with", "score"),
    score(
        '"half_life": "9 days", ▸"in_last": "9 days", "points": [ { "did": "X", "points": 1 } ]', "in_last", "keep one"
    ),
    settings('"lifecycle": { ▸"at_risk_after": "30 days" }', "lifecycle.at_risk_after", "longer than"),
    settings('▸"limit": { "moved_people": 9 }', "limit", 'no "limit"', "limits"),
    ("segments/VIP Club.json", '{ "name": "V" }', "", "lower-case letters", "segments/vip-club.json"),
    # JSON itself
    ("segments/s.json", '{\n  "name": "S"\n  ▸"where": { "did": "X" }\n}\n', "line 3, column 3", "a comma", ""),
    ("segments/s.json", '{\n  "name": "S",\n  "where": { "did": "X" }▸,\n}\n', "line 3, column 26", "must go", ""),
    ("segments/s.json", '{ "name": "S", "where": { "did": "A", ▸"did": "B" } }', "where.did", "stands twice", ""),
    ("segments/s.json", '{ "name": "S", "where": { "trait": "x", "is": ▸NaN } }', "line 1, column 47", "NaN", ""),
]
WARNINGS: list[Case] = [
    segment('{ ▸"did": "Order Complete" }', "where.did", "No event of the name", "Order Completed"),
    segment('{ ▸"trait": "first_nam", "exists": true }', "where.trait", "No trait", "first_name"),
    segment('{ ▸"trait": "adress.city", "is": "Oslo" }', "where.trait", "No trait", "address.city"),
    segment(f'{{ {DID}, ▸"in_last": "500 days" }}', "where.in_last", "Needs 500 days of history"),
    segment(
        f'{{ "all": [ {{ {DID}, "in_last": "9 days" }}, ▸{{ "did_not": "Order Completed" }} ] }}',
        "where.all[1]",
        "all[0]",
    ),
    segment(
        f'{{ "any": [ {{ {DID} }}, ▸{{ "did_not": "Order Completed", "in_last": "9 days" }} ] }}',
        "where.any[1]",
        "Always",
    ),
    segment('{ "trait": "age", "more_than": 30, "less_than": 20 }', "where", "excludes itself"),
    segment('{ "score": "engagement", ▸"at_least": 200 }', "where.at_least", "is at most 100"),
    journey('▸"steps": [ { "wait": "1 day" } ]', "steps", "sends nothing"),
    journey(f'▸"filter": {{ "did_not": "Product Added" }},\n  {SMS}', "filter", "trigger says the opposite"),
    settings('"orders": { ▸"event": "Order Complete" }', "orders.event", "No event", "Order Completed"),
]


def check(folder: Path) -> tuple[int, list[dict[str, Any]]]:
    found = CliRunner().invoke(app, ["check", str(folder), "--json"])
    faults: list[dict[str, Any]] = json.loads(found.output)["faults"]
    return found.exit_code, faults


def locate(content: str) -> tuple[int, int] | tuple[None, None]:
    """Return line and column of the mark."""
    before, mark, _ = content.partition(MARK)
    return (before.count("\n") + 1, len(before) - before.rfind("\n")) if mark else (None, None)


@pytest.mark.parametrize(
    ("case", "severity"),
    [(case, "error") for case in ERRORS] + [(case, "warning") for case in WARNINGS],
    ids=lambda it: it if isinstance(it, str) else f"{it[2]}-{it[3]}",
)
def test_fault_is_named_at_its_place(case: Case, severity: str, tmp_path: Path) -> None:
    """Each mistake is told once, where it stands, in words, with what was probably meant."""
    file, content, path, says, suggestion = case
    shutil.copytree(STARTER, tmp_path, dirs_exist_ok=True)
    (tmp_path / file).write_text(content.replace(MARK, ""))
    code, faults = check(tmp_path)
    if file == "settings.json" and severity == "error":
        assert "no name of an event or a trait is doubted" in faults.pop()["message"]
    assert [(each["file"], each["path"]) for each in faults] == [(file, path)]
    (fault,) = faults
    assert fault["severity"] == severity
    assert says in fault["message"]
    assert (fault["suggestion"], fault["line"], fault["column"]) == (suggestion, *locate(content))
    assert code == (1 if severity == "error" else 0)


def test_what_broken_settings_list_is_doubted_nowhere(tmp_path: Path) -> None:
    """Names that nobody can look up are no warnings by the dozen: it is said once."""
    (tmp_path / "segments").mkdir()
    for name in ("Quiz Done", "Quiz Won"):
        where = {"name": name, "where": {"did": name}}
        (tmp_path / "segments" / f"{name[5:].lower()}.json").write_text(json.dumps(where))
    for known, told in ((["Quiz Done"], ["segments/won.json"]), ("Quiz Done", ["settings.json"] * 2)):
        settings = json.loads((STARTER / "settings.json").read_text()) | {"known": {"events": known}}
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        assert [it["file"] for it in check(tmp_path)[1]] == told


def test_enough_files_are_broken() -> None:
    """Of the mistakes that people make, more than thirty are here."""
    assert len(ERRORS) + len(WARNINGS) > 30


def test_what_lies_beside_is_told(tmp_path: Path) -> None:
    """A file that is in no folder of rules, but nearly, is not passed over in silence."""
    (tmp_path / "segment").mkdir()
    (tmp_path / "segment" / "vip.json").write_text("{}")
    (tmp_path / "setings.json").write_text("{}")
    (tmp_path / "notes.md").write_text("x")
    shutil.copytree(STARTER / "scores", tmp_path / "scores")
    code, faults = check(tmp_path)
    assert code == 0
    assert [(each["file"], each["suggestion"]) for each in faults] == [
        ("segment/vip.json", "segments/vip.json"),
        ("setings.json", "settings.json"),
    ]


@pytest.mark.parametrize("ending", ["html", "mjml"])
def test_an_email_with_a_fault_is_told_once(ending: str) -> None:
    """Whether it is HTML or MJML: of an email that cannot be read it is not said besides that it is not there."""
    steps = [{"email": "broken", "subject": "Hello"}]
    rule = {"name": "J", "trigger": {"event": "Product Added"}, "steps": steps}
    faults = find_faults({f"templates/broken.{ending}": b"<p>", "journeys/a.json": json.dumps(rule).encode()})
    assert {fault.file for fault in faults if fault.severity == "error"} == {f"templates/broken.{ending}"}


def test_people_are_told_in_lines(tmp_path: Path) -> None:
    """Without --json each fault is a line that editors can follow, a sentence and an example; no colours in a pipe."""
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / "a.json").write_text('{\n  "name": "A",\n  "where": { "did": "Order Complete" }\n}\n')
    (tmp_path / "segments" / "b.json").write_text('{\n  "name": "B",\n  "wher": { "did": "Order Completed" }\n}\n')
    found = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert found.exit_code == 1
    assert "\x1b" not in found.output
    lines = found.output.splitlines()
    assert "segments/b.json:3:3 wher" in lines
    assert "  Did you mean: where" in lines
    assert "segments/a.json:3:14 where.did" in lines
    assert "  Warning: No event of the name" in found.output
    assert lines[-1].startswith("2 files: 2 faults, 1 warning")


@pytest.mark.parametrize(
    ("text", "path", "place"),
    [
        ('{"a.b": {"c": 1}, "a": {"b": 2}}', "a.b.c", (1, 10)),
        ('{"a": {"b": 2}}', "a.b", (1, 8)),
        ('[1, [2, {"x": [3, 4]}]]', "[1][1].x[1]", (1, 19)),
        ('{"a": "}{[\\"", "b": 1}', "b", (1, 16)),
        ('{\n "a": 1}', "a.missing[3].more", (2, 2)),
        ('{"a": 1', "a", (0, 0)),
        ("", "a", (0, 0)),
        ('{"a": 1}', "line 7", (7, 1)),
        ('{"line 7": 1}', "line 7", (7, 1)),
        ('{"a": 1}', "", (0, 0)),
    ],
)
def test_places(text: str, path: str, place: tuple[int, int]) -> None:
    """A path leads to its key, or as far as there is one; keys may have dots in them."""
    assert find_place(text, path) == place


def test_keys_that_stand_twice_are_found() -> None:
    """The path of the second one is told, however deep it stands."""
    assert find_twice('{"a": [1, {"b": {"c": 1, "c": 2}}], "d": 1}') == "a[1].b.c"
    assert not find_twice('{"a": {"a": {"a": 1}}}')


WORDS = [
    *("null", "true", "[]", "{}", '""', "1e308", "-1", "0.1", "9" * 20, '"\\u0000"', '"\\ud800"', "\ufeff", "\u202e"),
    *('"0 days"', '"9999999 days"', '"0001-01-01"', '"9999-12-31"', '"24:00"', '"a/../UTC"', '"Factory"', '"all"'),
    *(
        "{{ x",
        "{% for a in b %}",
        '{% include "x" %}',
        '<mj-include path="/etc/passwd"/>',
        "&bogus;",
        "<!DOCTYPE x [ ]>",
    ),
]
TOKEN = re.compile(rb'"[^"\n]{0,40}"|[0-9]+|[\[\]{}:,]|[a-z]+')


@cache
def starter() -> dict[str, bytes]:
    """Return one small file of each kind, and what those refer to."""
    names = ("settings.json", "predictions.json", "segments/vip.json", "scores/engagement.json")
    sends = ("journeys/abandoned-cart.json", "templates/cart-1.mjml", "templates/cart-2.mjml", "templates/cart-sms.txt")
    return {name: (STARTER / name).read_bytes() for name in (*names, *sends)}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a starter file in which some words are others, of its own or such as break readers, or bytes are."""
    name, content = draw(st.sampled_from([*starter().items()]))
    for _ in range(draw(st.integers(1, 3))):
        tokens = [token.span() for token in TOKEN.finditer(content)] or [(0, 0)]
        start, end = draw(st.sampled_from(tokens))
        words = [content[slice(*span)] for span in tokens]
        new = draw(st.sampled_from(words) | st.sampled_from([word.encode() for word in WORDS]) | st.binary(max_size=4))
        content = content[: start if draw(st.booleans()) else end] + new + content[end:]
    return name, content


@settings_of(max_examples=300, deadline=None)
@given(file=damaged())
def test_no_content_ends_check_with_a_traceback(file: tuple[str, bytes]) -> None:
    """Whatever is in a file, `check` has an answer that can be printed, each fault with a place, none unforeseen."""
    files = starter() | dict([file])
    for fault in find_faults(files):
        assert "cannot be understood" not in fault.message
        assert "could not be found out" not in fault.message
        place = find_place(files.get(fault.file, b"").decode(errors="replace"), fault.path)
        json.dumps(show(fault, place), ensure_ascii=False).encode()


def test_a_file_name_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A name with bytes that are no letters is a fault like others."""
    (tmp_path / "segments").mkdir()
    (tmp_path / os.fsdecode(b"segments/caf\xe9.json")).write_text("{}")
    code, faults = check(tmp_path)
    assert (code, faults[0]["file"]) == (1, "segments/caf?.json")
