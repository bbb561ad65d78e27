"""Arrivals: the token by which a page's address says who came from a message, read once and stored nowhere."""

import re
from typing import Any, Final

PARAMETER: Final = "cw"
_ADDRESSES: Final = ("url", "tab_url", "search")
"""Where clients tell the address of the page that they are on; a referrer may be anybody's."""
_TOKEN: Final = re.compile(rf"(?:^|[?&]){PARAMETER}=([A-Za-z0-9_.-]+)(?=[&#]|$)")
_EQUALS: Final = r"(?:=|%(?:25)*3[dD])"


def _compile(begin: str, join: str, value: str) -> re.Pattern[str]:
    """Return what finds the parameter, once or more in a row, with what stands before and after it."""
    part = rf"{PARAMETER}{_EQUALS}(?:{value})*+"
    return re.compile(rf"(?P<before>{begin}|{join}){part}(?:(?:{join}){part})*+(?P<after>{join})?")


_QUERY: Final = _compile(r"^|[?#]", r"&amp;|[&;]", r"[^&;#\s\"'<>]")
# An address may stand inside another one, encoded as often as it was passed on.
_INSIDE: Final = _compile(r"%(?:25)*(?:3[fF]|23)", r"%(?:25)*26", r"(?!%(?:25)*2[36])[^&;#\s\"'<>]")
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
            stripped = _QUERY.sub(_leave_out, _INSIDE.sub(_leave_out, value)) if PARAMETER in value else value
        case dict():
            stripped = {strip(name): strip(child) for name, child in value.items()}
        case list():
            stripped = [strip(child) for child in value]
    return stripped  # type: ignore[no-any-return]


def _leave_out(found: re.Match[str]) -> str:
    """Keep what begins the query where there is more of it."""
    return found["before"] if found["after"] else ""
