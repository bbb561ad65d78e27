"""Rules of the schemas in VS Code's own JSON engine: what it offers, explains and marks while somebody writes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from editor import ROOT, Editor, open_editor

from cartwake.rules.base import Rule, list_keys
from cartwake.rules.condition_models import MODELS
from cartwake.rules.schemas import SCHEMAS
from cartwake.rules.score_models import EventPoints, StatePoints
from cartwake.rules.step_models import STEPS
from cartwake.rules.vocabulary import CONDITIONS, EVENTS, TRAITS
from cartwake_cli.reference import PAGE, STARTER, list_examples

SEGMENT, SCORE, JOURNEY = "segment", "score", "journey"
TEMPLATES = {
    SEGMENT: '{ "$schema": "../schemas/segment.json", "name": "N",\n  "where": %s }',
    SCORE: '{ "$schema": "../schemas/score.json", "name": "N",\n  "points": [ %s ] }',
    JOURNEY: """{ "$schema": "../schemas/journey.json", "name": "N", "trigger": { "event": "Product Added" },
  "steps": [ %s ] }""",
}
CONTENT = sorted(path for path in STARTER.rglob("*.json") if path.parent.name != "schemas")
POINTS: dict[str, type[Rule]] = {"did": EventPoints, "when": StatePoints}
NARROWED = [
    *((SEGMENT, model.begins, model) for model in MODELS),
    *((JOURNEY, lead, model) for lead, model in STEPS.items()),
    *((SCORE, lead, model) for lead, model in POINTS.items()),
]


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    with open_editor() as it:
        yield it


def place(kind: str, content: str) -> tuple[str, str]:
    """A file of a kind that has *content* in it, and all that it says."""
    return f"{kind}s/new.json", TEMPLATES[kind] % content


def show_lead(model: type[Rule], lead: str) -> str:
    """The first key of an object with its first example."""
    field = next(it for name, it in model.model_fields.items() if (it.alias or name) == lead)
    assert field.examples
    return f"{json.dumps(lead)}: {json.dumps(field.examples[0])}"


def plain(markdown: str) -> str:
    return re.sub(r"\\(.)", r"\1", markdown).replace("\\\n", "\n").replace("\\", "")


@pytest.mark.parametrize("path", CONTENT, ids=lambda path: path.relative_to(STARTER).as_posix())
def test_starter_files_have_no_marks(editor: Editor, path: Path) -> None:
    """Nothing is marked in a file that a shop starts with, and every schema is found where the file says."""
    assert editor.check(path.relative_to(STARTER).as_posix(), path.read_text()) == []


@pytest.mark.parametrize(("kind", "lead", "model"), NARROWED)
@pytest.mark.parametrize("written", ["|", '"|"'])
def test_after_the_first_key_just_those_of_its_kind(
    editor: Editor, kind: str, lead: str, model: type[Rule], written: str
) -> None:
    """Who has written the key that says what it is is offered all other keys of that kind, and no other's."""
    sight = editor.look(*place(kind, f"{{ {show_lead(model, lead)}, {written} }}"))
    assert set(sight.offers) == {*list_keys(model)} - {lead}
    assert all(offer["explains"] for offer in sight.offers.values())


@pytest.mark.parametrize(("kind", "leads"), [(SEGMENT, CONDITIONS), (JOURNEY, tuple(STEPS)), (SCORE, tuple(POINTS))])
@pytest.mark.parametrize("written", ["{ | }", '{ "|" }'])
def test_an_object_begins_with_what_it_is(editor: Editor, kind: str, leads: tuple[str, ...], written: str) -> None:
    """In an empty object nothing is offered but the keys that say what it is, each explained."""
    sight = editor.look(*place(kind, written))
    assert set(sight.offers) == set(leads)
    assert all(offer["explains"] for offer in sight.offers.values())


def test_the_same_deep_down(editor: Editor) -> None:
    """Groups in groups, what follows, and the item of a list of products offer what belongs there."""

    def offer(content: str) -> set[str]:
        return set(editor.look(*place(SEGMENT, content)).offers)

    assert offer('{ "all": [ { "did": "Order Completed" }, { "none": [ { | } ] } ] }') == set(CONDITIONS)
    assert offer('{ "any": [ { "cart": "open", | } ] }') == {"value", "quantity", "item", "untouched_for"}
    assert offer('{ "did": "Product Viewed", "in_last": "3 days", "then": { | } }') == {"did", "did_not"}
    assert offer('{ "did": "A", "in_last": "3 days", "then": { "did_not": "B", | } }') == {"within", "where"}
    tests = offer('{ "did": "A", "where": { "products": { "any_item": { "price": { | } } } } }')
    assert {"is", "more_than", "exists", "any_item"} <= tests
    assert not tests & set(CONDITIONS)


@pytest.mark.parametrize(
    ("content", "offered"),
    [
        ('{ "did": "|" }', EVENTS),
        ('{ "did": | }', EVENTS),
        ('{ "total_of": "revenue", "on": "|" }', EVENTS),
        ('{ "trait": "|" }', TRAITS),
        ('{ "did": "A", "in_last": "|" }', ("30 days", "90 days", "1 hour")),
        ('{ "lifecycle": "|" }', ("champions", "at_risk", "lost")),
        ('{ "consent": "email", "is": "|" }', ("subscribed", "unsubscribed", "never_asked")),
        ('{ "profile": "|" }', ("language", "device", "first_visit.utm_source")),
        ('{ "predicted": "|" }', ("next_order", "churn_risk")),
    ],
)
def test_values_are_offered(editor: Editor, content: str, offered: tuple[str, ...]) -> None:
    """Names of events and traits, times and the words of closed lists are completed."""
    offers = editor.look(*place(SEGMENT, content)).offers
    assert {json.dumps(word) for word in offered} <= set(offers)


@pytest.mark.parametrize(("kind", "lead", "model"), NARROWED)
def test_hovering_explains(editor: Editor, kind: str, lead: str, model: type[Rule]) -> None:
    """Over the first key an editor says what the whole is, and then what the key is."""
    first = show_lead(model, lead).replace('"', '"|', 1)
    hover = plain(editor.look(*place(kind, f"{{ {first} }}")).hover)
    assert hover.startswith((model.__doc__ or "").partition("\n")[0])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{ "did": "A", "in_|last": "3 days" }', "In the time before now"),
        ('{ "did": "A", "wh|ere": { "url": "x" } }', "Properties of the event"),
        ('{ "al|l": [ { "did": "A" } ] }', "Every one of the conditions holds."),
    ],
)
def test_hovering_explains_other_keys(editor: Editor, content: str, told: str) -> None:
    """Every key says in its own words what it is."""
    assert plain(editor.look(*place(SEGMENT, content)).hover).startswith(told)


def test_hovering_over_where_says_what_where_is(editor: Editor) -> None:
    """A key whose value is a whole condition is explained by its own words, not by those of the condition."""
    hover = editor.look(
        "segments/new.json", (TEMPLATES[SEGMENT] % '{ "did": "A" }').replace('"where"', '"wh|ere"')
    ).hover
    assert plain(hover) == "Who belongs to it."


@pytest.mark.parametrize(
    ("kind", "content", "marked"),
    [
        (SEGMENT, '{ "did": "A", "at_leest": 3 }', '"at_leest"'),
        (SEGMENT, '{ "dit": "A" }', '"dit"'),
        (SEGMENT, '{ "all": [\n    { "did": "A" },\n    { "did": "B", "in_lst": "3 days" } ] }', '"in_lst"'),
        (SEGMENT, '{ "total_of": "revenue", "on": "A", "more_then": 3 }', '"more_then"'),
        (SEGMENT, '{ "did": "A", "where": { "products": { "any_itm": { "price": 3 } } } }', '"any_itm"'),
        (SEGMENT, '{ "did": "A", "in_last": "3 days", "then": { "did_not": "B", "wthin": "1 day" } }', '"wthin"'),
        (SEGMENT, '{ "did": "A", "in_last": "3 fortnights" }', '"3 fortnights"'),
        (SEGMENT, '{ "did": "A", "at_least": "3" }', '"3"'),
        (SEGMENT, '{ "lifecycle": "champion" }', '"champion"'),
        (SEGMENT, '{ "trait": "x", "did": "A" }', '"did"'),
        (SEGMENT, '{ "cart": "open", "item": { "product_name": "x" } }', '"product_name"'),
        (SCORE, '{ "did": "A", "pionts": 3 }', '"pionts"'),
        (JOURNEY, '{ "wait": "1 hour" }, { "email": "x", "subjct": "y" }', '"subjct"'),
        (JOURNEY, '{ "if": { "trait": "x", "exist": true }, "then": [ { "wait": "1 hour" } ] }', '"exist"'),
    ],
)
def test_a_mistake_is_marked_at_its_place(editor: Editor, kind: str, content: str, marked: str) -> None:
    """A wrong key, or a value that cannot be, is underlined: just that, in its line and at its column."""
    file, text = place(kind, content)
    at = text.rindex(marked)
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    assert (line, column, marked) in [(it.line, it.column, it.text) for it in editor.check(file, text)]
    assert line > 1


def test_what_is_right_is_not_marked(editor: Editor) -> None:
    """One wrong condition of three leaves the others without a mark."""
    content = (
        '{ "all": [ { "did": "A", "at_least": 3 }, { "did": "B", "exactli": 1 }, { "trait": "x", "exists": true } ] }'
    )
    assert [it.text for it in editor.check(*place(SEGMENT, content)) if "exactli" in it.text or it.line != 2] == [
        '"exactli"'
    ]


def name_file(kind: str) -> str:
    """A file of a kind that is the only one, or a new one."""
    return f"{kind}.json" if kind in ("settings", "predictions") else f"{kind}s/new.json"


def list_shown() -> Iterator[tuple[str, str]]:
    """Each example of docs/rules.md and README.md: the heading that it stands under, and what it says."""
    for page in (PAGE, ROOT / "README.md"):
        heading = ""
        for part in re.findall(r"^#+ [^\n]*$|^```json\n.*?^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            if part.startswith("#"):
                heading = part.lstrip("# ")
            else:
                block = part.removeprefix("```json\n").removesuffix("```")
                yield from ((heading, it) for it in ([block] if "$schema" in block else block.splitlines()))


def embed(heading: str, example: str) -> tuple[str, str]:
    """A file that says *example* where it belongs."""
    if "$schema" in example:
        return name_file(json.loads(example)["$schema"].rpartition("/")[2].removesuffix(".json")), example
    if heading.startswith("A step"):
        return place(JOURNEY, example)
    if heading.startswith("A trigger"):
        told = f'"trigger": {example}, "steps": [{{ "wait": "1 hour" }}]'
        return f"{JOURNEY}s/new.json", f'{{ "$schema": "../schemas/journey.json", "name": "N", {told} }}'
    if heading.startswith("Points"):
        return place(SCORE, example)
    if heading == "An object of tests, in `where`":
        return place(SEGMENT, f'{{ "did": "A", "where": {{ "x": {example} }} }}')
    if heading == "An object of bounds, in `cart`":
        return place(SEGMENT, f'{{ "cart": "open", "value": {example} }}')
    return place(SEGMENT, example)


@pytest.mark.parametrize(("heading", "example"), list(list_shown()))
def test_every_example_of_the_reference_has_no_marks(editor: Editor, heading: str, example: str) -> None:
    """What the reference shows can be copied: nothing in it is marked."""
    assert editor.check(*embed(heading, example)) == []


def test_every_kind_has_an_example() -> None:
    """The reference shows each kind of condition as somebody would write it."""
    headings = {heading for heading, _ in list_shown()}
    assert {f"`{model.begins}`" for model in MODELS} <= headings
    assert all(list_examples(model) for model in MODELS)


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_file_begins_with_its_schema(editor: Editor, name: str) -> None:
    """An empty file that names its schema is offered every key of its kind."""
    file = name_file(name)
    sight = editor.look(file, f'{{ "$schema": "{"../" * file.count("/")}schemas/{name}.json", | }}')
    keys: Any = SCHEMAS[name]
    assert set(sight.offers) == {*list_keys(keys)} - {"$schema"}
