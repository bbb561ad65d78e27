"""Translations: templates, layouts and parts whose files name a locale, such as `cart-1.de-AT.mjml`."""

import re
from collections.abc import Mapping
from typing import Final

from cartwake.bundles import Template
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.sending.locales import list_fallbacks

_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")


def split_locale(stem: str) -> tuple[str, str]:
    """Return name and locale of a file's name without its ending: `cart-1` and `de-AT` of `cart-1.de-AT`."""
    name, _, locale = stem.partition(".")
    return name, locale


def read_locale(file: str) -> str:
    """Return the locale that the path of a file names, or ""."""
    return split_locale(file.rpartition("/")[2].rpartition(".")[0])[1]


def mend_locale(locale: str) -> str:
    """Return a locale as it is written in names of files, or "" when nothing like one is meant."""
    return next(iter(list_fallbacks(locale)), "")


def is_locale(locale: str) -> bool:
    """Say whether a locale is written as in names of files: `de`, `de-AT`, `zh-Hant-TW`."""
    return _LOCALE.fullmatch(locale) is not None


def find_strangers(
    emails: Mapping[str, Template], texts: Mapping[str, Template], pushes: Mapping[str, Template]
) -> list[Conflict]:
    """Return a fault for each translation of what is not there.

    Args:
        emails: What each `.mjml` says, by the name of its file without folder and ending.
        texts: What each `.txt` says, likewise.
        pushes: What each `.json` says, likewise.
    """
    found = []
    for stems, ending in ((emails, "mjml"), (texts, "txt")):
        for stem in stems:
            name, locale = split_locale(stem)
            wanted = stem if ending == "txt" and name in emails else name
            there = emails if ending == "mjml" or name in emails else texts
            if locale and wanted not in there:
                original = f"templates/{wanted}.{'mjml' if there is emails else 'txt'}"
                what = "the email of which this is the text" if wanted == stem else "the original of this translation"
                file = f"templates/{stem}.{ending}"
                found.append(Conflict(Fault(file=file, message=f"There is no {original}, {what}."), (file, original)))
    for stem in pushes:
        name, locale = split_locale(stem)
        if locale and name not in pushes:
            file, original = f"templates/{stem}.json", f"templates/{name}.json"
            message = f"There is no {original}, the original of this translation."
            found.append(Conflict(Fault(file=file, message=message), (file, original)))
    return found
