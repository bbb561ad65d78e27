"""Parts: how a phone network counts a text message, which is what the shop pays for."""

from typing import Final

import msgspec

_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED: Final = frozenset("^{}\\[~]|€\f")
"""Each of these takes the place of two."""
_GSM: Final = (160, 153)
_UCS2: Final = (70, 67)
"""What one message holds alone, and what each part of a longer one does."""


class Parts(msgspec.Struct, frozen=True, kw_only=True):
    """How a text is sent.

    Attributes:
        encoding: `GSM-7`, or `UCS-2` where a single character needs it: then a part holds less than half.
        units: How many places the text takes in its encoding.
        parts: How many messages the shop pays for.
        costly: The characters that GSM-7 does not have, each once.
    """

    encoding: str
    units: int
    parts: int
    costly: str = ""


def count_parts(text: str) -> Parts:
    """Return how *text* is sent; a character is never divided between two parts."""
    costly = "".join(dict.fromkeys(it for it in text if it not in _BASIC and it not in _EXTENDED))
    encoding, (alone, each) = ("UCS-2", _UCS2) if costly else ("GSM-7", _GSM)
    sizes = [_measure(it, is_wide=bool(costly)) for it in text]
    units = sum(sizes)
    return Parts(encoding=encoding, units=units, parts=1 if units <= alone else _divide(sizes, each), costly=costly)


def _measure(character: str, *, is_wide: bool) -> int:
    if is_wide:
        return 2 if ord(character) > 0xFFFF else 1
    return 2 if character in _EXTENDED else 1


def _divide(sizes: list[int], each: int) -> int:
    parts, left = 1, each
    for size in sizes:
        if size > left:
            parts, left = parts + 1, each
        left -= size
    return parts
