"""Texts: how wide words are, and how they are wrapped; the widths are those of Helvetica, which Arial shares."""

import unicodedata
from functools import lru_cache
from typing import Final

SIZE: Final = 13
_WIDTHS: Final = {
    " .,:;!/\\|[]tfI": 278,
    "ijl'": 240,
    "r()-`“”°": 340,
    '"*': 390,
    "kscvxyzJ": 500,
    "abdeghnopqu0123456789$_#?L€¢«»": 556,
    "+<>=~^": 590,
    "TFZ": 611,
    "ABEKPSVXY&": 667,
    "CDHNRUw": 722,
    "GOQ": 780,
    "mM%—": 890,
    "W@…": 1000,
}
_BY_LETTER: Final = {letter: width for letters, width in _WIDTHS.items() for letter in letters}
_OTHER: Final = 620
_WIDE: Final = 1_000
_ALLOWANCE: Final = 1.2
"""Where Helvetica and its likes are missing, what stands in for them, such as DejaVu Sans, is so much wider."""
_BOLD: Final = 1.1


def measure(text: str, *, size: float = SIZE, bold: bool = False) -> float:
    """Return about how wide a text is, never too little."""
    return sum(map(_measure, text)) / 1_000 * size * _ALLOWANCE * (_BOLD if bold else 1)


def wrap(text: str, width: float, *, size: float = SIZE, bold: bool = False) -> list[str]:
    """Return the lines of a text; a word that is too long for any is broken."""
    lines: list[str] = []
    line = ""
    for word in text.split():
        joined = f"{line} {word}".strip()
        if measure(joined, size=size, bold=bold) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while measure(line, size=size, bold=bold) > width:
            cut = _cut(line, width, size=size, bold=bold)
            lines.append(line[:cut])
            line = line[cut:]
    return [*lines, line] if line else lines


def _cut(word: str, width: float, *, size: float, bold: bool) -> int:
    """Return how many letters of a word fit, at least one."""
    fits = 1
    while fits < len(word) and measure(word[: fits + 1], size=size, bold=bold) <= width:
        fits += 1
    # a name breaks after one of its hyphens, where there is one in the latter half of the line
    hyphen = word.rfind("-", fits // 2, fits)
    return hyphen + 1 if hyphen > 0 else fits


@lru_cache(maxsize=4_096)
def _measure(letter: str) -> int:
    plain = unicodedata.normalize("NFD", letter)[0]
    if unicodedata.combining(letter):
        return 0
    if unicodedata.east_asian_width(letter) in "WF":
        return _WIDE
    return _BY_LETTER.get(plain, _OTHER)
