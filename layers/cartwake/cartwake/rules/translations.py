"""Translations: templates, layouts and parts whose files name a locale, such as `cart-1.de-AT.mjml`."""

import re
from collections.abc import Mapping
from typing import Final

from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.sending.locales import list_fallbacks

_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|\d{3}))?")

_ENDINGS: Final = (".html", ".mjml", ".txt", ".json")


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


def find_strangers(emails: Mapping[str, str], texts: Mapping[str, str], pushes: Mapping[str, str]) -> list[Conflict]:
    """Return a fault for each translation of what is not there.

    Args:
        emails: Each file that is an email, by its name without folder and ending.
        texts: Each `.txt`, likewise.
        pushes: Each `.json`, likewise.
    """
    found = []
    for stem, file in emails.items():
        name, locale = split_locale(stem)
        if locale and name not in emails:
            found.append(_tell_stranger(file, f"templates/{name}.{file.rpartition('.')[2]}"))
    for stem, file in texts.items():
        name, locale = split_locale(stem)
        if locale and name in emails and stem not in emails:
            what = "the email of which this is the text"
            found.append(_tell_stranger(file, f"templates/{stem}.{emails[name].rpartition('.')[2]}", what))
        elif locale and name not in emails and name not in texts:
            found.append(_tell_stranger(file, f"templates/{name}.txt"))
    for stem, file in pushes.items():
        name, locale = split_locale(stem)
        if locale and name not in pushes:
            found.append(_tell_stranger(file, f"templates/{name}.json"))
    return found


def _tell_stranger(file: str, missing: str, what: str = "the original of this translation") -> Conflict:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    # whether a text belongs to an email depends on what else has its name
    kin = (f"templates/{each}{ending}" for each in (stem, split_locale(stem)[0]) for ending in _ENDINGS)
    return Conflict(Fault(file=file, message=f"There is no {missing}, {what}."), tuple(dict.fromkeys((file, *kin))))
