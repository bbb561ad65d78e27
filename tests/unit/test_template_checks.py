"""Rules of what is known of a template when it is published: what could never be sent, and what is hardly meant."""

import json
from typing import Any

from cartwake.rules.compile import link
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault
from cartwake.rules.files import read_file
from tests.unit.test_layouts import FILES, edited

RECEIPT = {"name": "J", "kind": "transactional", "trigger": {"event": "Order Completed"}}


def find(texts: dict[str, str]) -> list[Fault]:
    contents = {file: read_file(file, text.encode()) for file, text in texts.items()}
    return [conflict.fault for conflict in link(contents).conflicts] or find_doubts(contents)


def say(steps: list[Any], **more: Any) -> dict[str, str]:
    return {"journeys/j.json": json.dumps({**RECEIPT, "steps": steps, **more})}


def test_transactional_mail_has_no_way_out() -> None:
    """A transactional mail or SMS that always shows the link to unsubscribe could never be sent: it is refused."""
    steps = [{"email": "mail", "subject": "Hi"}, {"sms": "sms"}]
    texts = FILES | {"templates/sms.txt": "Stop: {{ unsubscribe_url }}"} | say(steps)
    assert [(it.file, it.severity) for it in find(texts)] == [
        ("templates/mail.mjml", "error"),
        ("templates/sms.txt", "error"),
    ]
    asked = "{% if unsubscribe_url %}{{ unsubscribe_url }}{% endif %}"
    texts |= {"templates/sms.txt": asked, "templates/parts/foot.mjml": "Bye"}
    assert all(it.severity == "warning" for it in find(texts))


def test_marketing_without_preheader_is_warned_of() -> None:
    """Marketing says what inboxes show beside the subject; what is transactional may leave it out."""
    (found,) = find(FILES)
    assert (found.file, found.severity) == ("templates/mail.mjml", "warning")
    assert "mj-preview" in found.example
    there = edited("templates/layouts/shop.mjml", "</mj-title>", "</mj-title><mj-preview>{{ shop.name }}</mj-preview>")
    assert find(there) == []
    empty = edited("templates/layouts/shop.mjml", "</mj-title>", "</mj-title><mj-preview> </mj-preview>")
    assert len(find(empty)) == 1
    receipt = FILES | {"templates/parts/foot.mjml": "Bye"} | say([{"email": "mail", "subject": "Hi"}])
    assert find(receipt) == []


def test_trait_without_default_is_warned_of() -> None:
    """Who lacks a trait that is always shown would be sent nothing: it is said before, with what to write."""
    texts = edited("templates/mail.mjml", "One", "{{ profile.first_name }} {{ profile.email }}")
    found = [it for it in find(texts) if "first_name" in it.message]
    assert [it.example for it in found] == ["{{ profile.first_name|default('\u2026') }}"]
    for shown in ("{{ profile.city|default('x') }}", "{% if profile.city %}{{ profile.city }}{% endif %}"):
        assert not [it for it in find(edited("templates/mail.mjml", "One", shown)) if "city" in it.message]
    assert not [it for it in find(texts) if "profile.email" in it.message]
