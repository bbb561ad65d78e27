"""Doubts about the texts of SMS and push messages: what makes them dearer than they look, or is cut."""

import re
from collections.abc import Iterator
from typing import Final

from cartwake.bundles import Template
from cartwake.rules.doubts.logic import Doubt
from cartwake.sending.parts import count_parts
from cartwake.sending.templates import LONGEST_BODY, LONGEST_TITLE

MANY_PARTS: Final = 3
_EXPRESSION: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PLAIN: Final = str.maketrans({
    "\u2013": "-", "\u2014": "-", "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'",
    "\u2026": "...", "\u00a0": " ",
})  # fmt: skip
"""What word processors make of signs that every phone has."""


def doubt_text(text: str) -> Iterator[Doubt]:
    """Yield what makes an SMS dear: signs that have a plain twin, and length; what expressions show is not counted."""
    said = _EXPRESSION.sub("", text)
    told, plain = count_parts(said), count_parts(said.translate(_PLAIN))
    if told.costly and not plain.costly:
        signs = " ".join(told.costly.replace("\u00a0", "(no-break space)"))
        yield Doubt(
            _find_line(text, told.costly),
            f"Because of {signs} a part of this SMS holds 70 characters instead of 160; write - \" ' ... instead.",
        )
    if told.parts > MANY_PARTS:
        yield Doubt("", f"This SMS is sent, and paid for, as {told.parts} messages or more.")


def doubt_push(template: Template) -> Iterator[Doubt]:
    """Yield what of a push message is cut whatever the data are; what expressions show is not counted."""
    for name, text, longest in (("title", template.subject, LONGEST_TITLE), ("body", template.text, LONGEST_BODY)):
        length = len(_EXPRESSION.sub("", text).strip())
        if length > longest:
            yield Doubt(name, f"It has {length} characters or more; what is more than {longest} is cut.")


def _find_line(text: str, signs: str) -> str:
    first = min(at for sign in signs if (at := text.find(sign)) >= 0)
    return f"line {text.count('\n', 0, first) + 1}"
