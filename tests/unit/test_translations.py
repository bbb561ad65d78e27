"""Rules of translations: who gets which, what they must have, and how amounts and dates read in them."""

import json
import subprocess
import sys
from typing import Any

import msgspec
import pytest

from cartwake.bundles import Bundle, Template, decode, encode
from cartwake.profiles import Register
from cartwake.rules.compile import link
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import read_file
from cartwake.rules.publication import choose
from cartwake.sending.filters import format_money
from cartwake.sending.locales import list_fallbacks, translate
from cartwake.sending.templates import render
from tests.builders import a_bundle
from tests.unit.test_templates import data

LAYOUT = """\
<mjml><mj-head><mj-title>{% block title %}{% endblock %}</mj-title><mj-preview>p</mj-preview></mj-head>
<mj-body><mj-section><mj-column><mj-text>{% block body %}{% endblock %} {% include "foot" %}</mj-text>
</mj-column></mj-section></mj-body></mjml>
"""
FOOT = '<a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ shop.postal_address }}'
MAIL = '{% extends "shop" %}{% block title %}Hello{% endblock %}{% block body %}{{ cart.total|money }}{% endblock %}'
FILES = {
    "settings.json": json.dumps(
        {
            "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
            "sender": {"email": "shop@n.example"},
        }
    ),
    "templates/layouts/shop.mjml": LAYOUT,
    "templates/parts/foot.mjml": FOOT,
    "templates/parts/foot.de.mjml": FOOT.replace("Unsubscribe", "Abmelden"),
    "templates/mail.mjml": MAIL,
    "templates/mail.de.mjml": MAIL.replace("Hello", "Hallo"),
    "templates/mail.de-AT.mjml": MAIL.replace("Hello", "Servus"),
    "templates/sms.txt": "Hello {{ cart.total|money }}",
    "templates/sms.pl.txt": "Witaj {{ cart.total|money }}",
    "journeys/j.json": json.dumps(
        {"name": "J", "trigger": {"event": "Product Added"}, "steps": [{"email": "mail"}, {"sms": "sms"}]}
    ),
}
HELLO = Template(
    subject="Hello",
    html="x",
    translations={
        "de": Template(subject="Hallo"),
        "de-AT": Template(subject="Servus"),
        "pl": Template(subject="Witaj"),
    },
)


def find_faults(**changes: str | None) -> list[Fault]:
    texts = {file: text for file, text in (FILES | changes).items() if text is not None}
    try:
        contents = {file: read_file(file, text.encode()) for file, text in texts.items()}
    except Faulty as error:
        return list(error.faults)
    return [conflict.fault for conflict in link(contents).conflicts] or find_doubts(contents)


def compile_all() -> Bundle:
    return link({file: read_file(file, text.encode()) for file, text in FILES.items()}).bundle


def registers(**traits: Any) -> dict[str, Register]:
    return {name: Register(value, 1, 1) for name, value in traits.items()}


@pytest.mark.parametrize(
    ("traits", "shop", "subject", "language"),
    [
        ({}, "en", "Hello", "en"),
        ({"locale": "de-AT"}, "en", "Servus", "de-AT"),
        ({"locale": "de_at.UTF-8"}, "en", "Servus", "de-AT"),
        ({"locale": "de-CH"}, "en", "Hallo", "de-CH"),
        ({"locale": "PL"}, "en", "Witaj", "pl"),
        ({"locale": "fr-FR"}, "en", "Hello", "en"),
        ({"locale": "fr-FR"}, "pl-PL", "Witaj", "pl-PL"),
        ({"locale": "en-GB"}, "en", "Hello", "en"),
        ({"language": "pl", "locale": "de-AT"}, "en", "Witaj", "pl"),
        ({"language": "de", "locale": "de-AT"}, "en", "Servus", "de-AT"),
        ({"locale": "german"}, "en", "Hello", "en"),
        ({"locale": 7, "language": ["de"]}, "en", "Hello", "en"),
        ({"locale": "../de"}, "en", "Hello", "en"),
    ],
)
def test_who_gets_which_translation(traits: dict[str, Any], shop: str, subject: str, language: str) -> None:
    """The shopper's locale, then their language, then the shop's language, then the one without a locale."""
    found, chosen = translate(HELLO, registers(**traits), shop)
    assert (found.subject, chosen) == (subject, language)


def test_fallbacks() -> None:
    """A locale falls back to its script, then to its language."""
    assert list_fallbacks("zh_hant_tw") == ["zh-Hant-TW", "zh-Hant", "zh"]
    assert list_fallbacks("x") == []


def test_translations_are_of_one_template() -> None:
    """Files with a locale are in the template of their name; the parts of a translation are in its language."""
    templates = compile_all().templates
    assert set(templates) == {"mail", "sms"}
    assert {locale: it.subject for locale, it in templates["mail"].translations.items()} == {
        "de": "Hallo",
        "de-AT": "Servus",
    }
    assert "Abmelden" in templates["mail"].translations["de-AT"].html
    assert "Unsubscribe" in templates["mail"].html
    assert list(templates["sms"].translations) == ["pl"]


def test_bundles_without_translations_are_read() -> None:
    """Translations survive being stored, and what was stored before there were any is read."""
    bundle = compile_all()
    assert decode(encode(bundle)) == bundle
    older = a_bundle()
    assert b"translations" not in encode(older)
    assert decode(encode(older)).templates["cart-1"].translations == {}


def test_amounts_and_dates_are_in_the_language_of_the_message() -> None:
    """Money and dates follow the chosen translation's locale, and the shop's where none fits; an SMS keeps 7 bits."""
    mail = Template(subject="s", html="{{ language }} {{ 1299.5|money('EUR') }} {{ '2026-11-21'|date }}")
    written = {
        language: render(mail, data() | {"language": language}).html for language in ("en", "de-DE", "de-AT", "pl")
    }
    assert written == {
        "en": "en €1,299.50 November 21, 2026",
        "de-DE": "de-DE 1.299,50\u00a0€ 21. November 2026",
        "de-AT": "de-AT €\u00a01.299,50 21. November 2026",
        "pl": "pl 1\u00a0299,50\u00a0€ 21 listopada 2026",
    }
    assert render(mail, data()).html.startswith("en €1,299.50")
    sms = Template(text="{{ 1299.5|money('EUR') }}")
    assert render(sms, data() | {"language": "fr"}).text == "1 299,50 €"
    assert "\u202f" in format_money(msgspec.convert("1299.5", type=__import__("decimal").Decimal), "EUR", language="fr")


@pytest.mark.parametrize(
    ("changes", "file", "says", "suggestion"),
    [
        (
            {"templates/mail.fr.mjml": MAIL.replace("{% block title %}Hello{% endblock %}", "")},
            "mail.fr",
            "subject",
            "",
        ),
        ({"templates/mail.mjml": None, "journeys/j.json": None}, "mail.de", "no templates/mail.mjml", ""),
        ({"templates/sms.txt": None, "journeys/j.json": None}, "sms.pl", "no templates/sms.txt", ""),
        ({"templates/mail.fr.txt": "Salut"}, "mail.fr.txt", "no templates/mail.fr.mjml", ""),
        ({"templates/sms.de.mjml": MAIL}, "sms.de.mjml", "no templates/sms.mjml", ""),
        ({"templates/mail.de-at.mjml": MAIL}, "mail.de-at", "not a locale", "templates/mail.de-AT.mjml"),
        ({"templates/mail.pl_PL.mjml": MAIL}, "mail.pl_PL", "not a locale", "templates/mail.pl-PL.mjml"),
        ({"templates/parts/foot.de.mjml": "Tschuss {{ shop.postal_address }}"}, "mail.de", "unsubscribe_url", ""),
    ],
)
def test_wrong_translation_is_refused(changes: dict[str, Any], file: str, says: str, suggestion: str) -> None:
    """A translation has an original, a locale, a subject, and in marketing the way out, as the original has."""
    found = next(fault for fault in find_faults(**changes) if says in fault.message)
    assert found.file.startswith(f"templates/{file}")
    assert (found.suggestion, found.severity) == (suggestion, "error")


@pytest.mark.parametrize(
    ("changes", "file", "path", "says"),
    [
        ({"templates/mail.de.mjml": MAIL.partition("{% block body")[0]}, "templates/mail.de.mjml", "", 'block "body"'),
        (
            {"templates/mail.de.mjml": MAIL.replace("cart.total|money", "cart.count")},
            "templates/mail.de.mjml",
            "",
            '"cart.total"',
        ),
        (
            {"journeys/j.json": FILES["journeys/j.json"].replace('"mail"', '"mail", "subject": "Hi"')},
            "journeys/j.json",
            "steps[0].subject",
            "(de, de-AT)",
        ),
    ],
)
def test_poor_translation_is_warned_of(changes: dict[str, str], file: str, path: str, says: str) -> None:
    """A translation that lacks a block or a value of its original, or whose subject no one sees, is a warning."""
    found = next(fault for fault in find_faults(**changes) if says in fault.message)
    assert (found.file, found.path, found.severity) == (file, path, "warning")


def test_good_translations_are_not_warned_of() -> None:
    """Nothing is said of translations that have what their originals have."""
    assert find_faults() == []


def test_broken_translation_leaves_the_last_good_one() -> None:
    """A translation with a fault stays as it was; the others go live."""
    before = choose({file: text.encode() for file, text in FILES.items()})
    changed = FILES | {"templates/mail.de.mjml": "{% extends 'shop' %}{% block bdy %}{% endblock %}"}
    found = choose({f: text.encode() for f, text in changed.items()}, live=before.bundle, sources=before.sources)
    assert found.bundle is not None
    assert before.bundle is not None
    assert found.bundle.templates == before.bundle.templates
    assert found.files["templates/mail.de.mjml"].state == "rejected"


def test_locales_are_loaded_late() -> None:
    """Importing what fills templates imports no data of locales: nine of ten functions never need it."""
    code = "import cartwake.sending.letters, cartwake.rules.publication, sys; assert 'babel' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, env={"AWS_DEFAULT_REGION": "eu-central-1"})
