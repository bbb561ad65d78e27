"""Push messages as marketers write them: what goes live, what is refused, and what a phone then shows."""

import json
from typing import Any

import pytest

from cartwake.bundles import Template
from cartwake.errors import TemplateFailed
from cartwake.journeys import Send
from cartwake.rules.compile import link
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Faulty
from cartwake.rules.files import read_file
from cartwake.sending.locales import translate
from cartwake.sending.templates import LONGEST_BODY, LONGEST_TITLE, render
from cartwake.statements import Channel
from tests.unit.test_layouts import FILES

TEXT = {"title": "Still there, {{ profile.first_name|default('you') }}?", "body": "{{ cart.items[0].name }} waits."}
FILE = "templates/cart-push.json"
DATA: dict[str, Any] = {
    "shop": {"url": "https://shop.example.com"},
    "profile": {},
    "cart": {"items": [{"name": "Trail Runner"}]},
}


def linked(*, text: dict[str, Any] = TEXT, steps: Any = None, **more: Any) -> Any:
    journey = {"name": "J", "trigger": {"event": "Product Added"}, "steps": steps or [{"push": "cart-push"}]}
    files = {"settings.json": FILES["settings.json"], "journeys/j.json": json.dumps(journey), FILE: json.dumps(text)}
    return link({file: read_file(file, it.encode()) for file, it in (files | more).items()})


def test_a_push_step_and_its_template_go_live() -> None:
    """The step has what all messages have; the template leads to the shop where it says nothing else."""
    made = linked(steps=[{"push": "cart-push", "held": True, "not_after": "1 hour"}])
    assert made.conflicts == []
    (step,) = made.bundle.journeys["j"].steps
    assert step == Send(channel=Channel.PUSH, template="cart-push", held=True, not_after_ms=3_600_000)
    shown = render(made.bundle.templates["cart-push"], DATA)
    assert (shown.subject, shown.text, shown.link, shown.image, shown.html) == (
        "Still there, you?", "Trail Runner waits.", "https://shop.example.com", "", "",
    )  # fmt: skip


def test_a_shopper_reads_it_in_their_language() -> None:
    """A translation is a file of its own; one of what is not there is refused."""
    german = {"templates/cart-push.de.json": json.dumps(TEXT | {"title": "Noch da?"})}
    made = linked(**german)
    template, _ = translate(made.bundle.templates["cart-push"], {}, "de")
    assert template.subject == "Noch da?"
    found = linked(**{"templates/other.de.json": json.dumps(TEXT)}).conflicts
    assert [it.fault.message for it in found] == ["There is no templates/other.json, the original of this translation."]


@pytest.mark.parametrize(
    ("changes", "where", "what"),
    [
        ({"title": "{{ profil.name }}"}, "title, line 1", "profil"),
        ({"body": "a\n{{ cart.itms }}"}, "body, line 2", "itms"),
        ({"link": "shop.example.com"}, "link", "https://"),
        ({"link": "https://{{ event.host }}/a"}, "link", "no data choose"),
        ({"link": "https://a@b.example/"}, "link", "https://"),
        ({"image": "javascript:x"}, "image", "https://"),
        ({"title": ""}, "title", "empty"),
        ({"subject": "x"}, "subject", "title"),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(changes: dict[str, str], where: str, what: str) -> None:
    """A wrong text never goes live; the fault names the field."""
    with pytest.raises(Faulty) as raised:
        read_file(FILE, json.dumps(TEXT | changes).encode())
    assert [it.path for it in raised.value.faults] == [where]
    assert what in str(raised.value.faults[0])


def test_a_step_and_its_template_are_of_one_kind() -> None:
    """A push step needs a push template, an SMS step a text; two files of one name are none."""
    sms = {"templates/cart-sms.txt": "Hello"}
    (found,) = linked(steps=[{"push": "cart-sms"}], **sms).conflicts
    assert "There is no push template" in found.fault.message
    assert "an SMS" in found.fault.message
    (found,) = linked(steps=[{"sms": "cart-push"}]).conflicts
    assert "the one there is a push message" in found.fault.message
    (found, *_) = linked(**{"templates/cart-push.txt": "Hello"}).conflicts
    assert "keep one of the two" in found.fault.message


def test_what_will_be_cut_is_warned_of() -> None:
    """What no data can make shorter is told when it is published."""
    files = {FILE: read_file(FILE, json.dumps({"title": "x" * 66 + "{{ shop.name }}", "body": "y" * 240}).encode())}
    assert [(it.path, it.severity) for it in find_doubts(files)] == [("title", "warning")]


def test_what_is_too_long_is_cut_and_what_leads_nowhere_is_not_sent() -> None:
    """A phone shows the beginning; a picture that is none is left out, a link that is none fails."""
    whole = Template(subject="x" * 100, text="y" * 300, push=True, link="https://shop.example.com/a", image="data:x")
    shown = render(whole, {})
    assert (len(shown.subject), len(shown.text), shown.image) == (LONGEST_TITLE, LONGEST_BODY, "")
    assert shown.subject.endswith("…")
    for bad in ("", "javascript:x", "https://a b"):
        with pytest.raises(TemplateFailed):
            render(Template(subject="x", text="y", push=True, link=bad), {})


def test_a_coupon_is_asked_for_as_of_other_messages() -> None:
    """A push message that always shows a coupon is not sent without one."""
    (found,) = linked(text=TEXT | {"body": "{{ coupon.code }}"}).conflicts
    assert (found.fault.file, found.fault.path) == (FILE, "body, line 1")
