"""Arrivals: the token by which a page's address says who came from a message, read once and stored nowhere."""

import re
from typing import Any, Final

PARAMETER: Final = "cw"
_ADDRESSES: Final = ("url", "tab_url", "search")
"""Where clients tell the address of the page that they are on; a referrer may be anybody's."""
_TOKEN: Final = re.compile(rf"(?:^|[?&]){PARAMETER}=([A-Za-z0-9_.-]+)(?=[&#]|$)")
# An address may stand inside another one, encoded as often as it was passed on.
_EQUALS: Final = r"(?:=|%(?:25)*3[dD])"
_AND: Final = r"(?:&amp;|[&;]|%(?:25)*26)"
_VALUE: Final = r"(?:(?!%(?:25)*2[36])[^&;#\s\"'<>])*+"
_PART: Final = rf"{PARAMETER}{_EQUALS}{_VALUE}"
_PARTS: Final = re.compile(
    rf"(?P<before>^|{_AND}|[?#]|%(?:25)*(?:3[fF]|23)){_PART}(?:{_AND}{_PART})*+(?P<after>{_AND})?"
)
_PLAIN: Final = PARAMETER.encode()


def may_hold(raw: bytes) -> bool:
    """Say whether JSON may have a token in it: most has none, and need not be gone through."""
    return _PLAIN in raw or b"\\u" in raw


def find_token(told: dict[str, Any], properties: object) -> str:
    """Return the token in the address of an event's page, or "" where there is none.

    Args:
        told: The event's context.
        properties: Its properties, whatever they are.
    """
    for group in (told.get("page"), properties):
        if isinstance(group, dict):
            for name in _ADDRESSES:
                address = group.get(name)
                found = _TOKEN.search(address.partition("#")[0]) if isinstance(address, str) else None
                if found:
                    return found[1]
    return ""


def strip[Value](value: Value) -> Value:
    """Return what an event says without any token in it, good or bad, in whichever address it stands."""
    stripped: Any = value
    match value:
        case str():
            stripped = _PARTS.sub(_leave_out, value) if PARAMETER in value else value
        case dict():
            stripped = {strip(name): strip(child) for name, child in value.items()}
        case list():
            stripped = [strip(child) for child in value]
    return stripped  # type: ignore[no-any-return]


def _leave_out(found: re.Match[str]) -> str:
    """Keep what begins the query where there is more of it."""
    return found["before"] if found["after"] else ""
