"""Hearsay: what anybody may have said, shown so that no mail program and no phone makes a link of it."""

import re
from typing import Any, Final

BREAK: Final = "\u200b"
"""Has no width, and stands after a dot: "shop.example" is then no address. Nothing that was said has one of its own."""
_DOT: Final = re.compile(r"[.\u3002\uff0e\uff61](?=[^\W\d_]{2})")
"""Domains may be written with any of these."""
_ADDRESS: Final = re.compile(rf"https?://[^\s\"'<>\\/?#{BREAK}]+[/?#][^\s\"'<>\\]*")
_BREAKS: Final = re.compile(f"{BREAK}|%E2%80%8B")


def defuse(text: str) -> str:
    """Break what would become a link, visibly to none: "shop.example" in the name of a product."""
    return _DOT.sub(rf"\g<0>{BREAK}", text)


def restore(value: Any) -> Any:
    """Return a value as it was said: templates compare that, and show the other."""
    if isinstance(value, (list, tuple)):
        return [restore(it) for it in value]
    return value.replace(BREAK, "") if isinstance(value, str) else value


def mend(output: str) -> str:
    """Return what was rendered with its addresses whole: what was said may be a part of one, after its host."""
    return _ADDRESS.sub(lambda found: _BREAKS.sub("", found[0]), output)
