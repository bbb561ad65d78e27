"""Locales: in which language a message is written, and how its money and dates then read."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from cartwake.bundles import Template
from cartwake.registers import Register

if TYPE_CHECKING:
    from babel import Locale

_TAG: Final = re.compile(
    r"(?P<language>[a-z]{2,3})(?:[-_](?P<script>[a-z]{4}))?(?:[-_](?P<region>[a-z]{2}|\d{3}))?(?![a-z0-9])",
    re.IGNORECASE,
)


def list_fallbacks(tag: str) -> list[str]:
    """Return a locale as files name it and what comes next to it: `de-AT`, `de`; nothing for what is no locale."""
    found = _TAG.match(tag)
    if found is None:
        return []
    language, script, region = found["language"].lower(), found["script"], found["region"]
    parts = ([script.title()] if script else []) + ([region.upper()] if region else [])
    return ["-".join((language, *parts[:length])) for length in range(len(parts), -1, -1)]


def read_locale(traits: Mapping[str, Register]) -> str:
    """Return a shopper's locale: that of their language, where they named one, else that of their browser."""
    language, locale = (_read(traits, name) for name in ("language", "locale"))
    same = bool(language and locale) and list_fallbacks(language)[-1:] == list_fallbacks(locale)[-1:]
    return locale if same or not language else language


def translate(template: Template, traits: Mapping[str, Register], language: str) -> tuple[Template, str]:
    """Return the translation for a shopper, and the locale of its numbers and dates.

    Args:
        template: The one without a locale; it is in the shop's language.
        traits: The shopper's.
        language: The shop's.
    """
    own = list_fallbacks(read_locale(traits))
    for locale in own:
        if locale in template.translations:
            return template.translations[locale], own[0]
    for locale in list_fallbacks(language):
        if locale in template.translations:
            return template.translations[locale], language
    return template, language


@lru_cache(maxsize=64)
def find_locale(tag: str) -> "Locale":
    """Return what is known of a locale, of its language where it is not known, and else of English."""
    from babel import Locale, UnknownLocaleError  # noqa: PLC0415  of all functions only one fills templates

    for name in list_fallbacks(tag):
        try:
            return Locale.parse(name, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


def _read(traits: Mapping[str, Register], name: str) -> str:
    register = traits.get(name)
    return register.value if register and isinstance(register.value, str) else ""
