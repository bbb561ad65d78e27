"""Tracked links: what may be remembered of an address that somebody clicked."""

import re
from typing import Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

LONGEST_LINK: Final = 500
_TRACKING: Final = re.compile(
    r"utm_.*|mtm_.*|pk_.*|mc_.*|_(hs|ke|kx|openstat|branch).*|[a-z]*clid|gad_.*|gbraid|wbraid|srsltid|ref_src"
)
_SECRET: Final = re.compile(
    r".*(token|secret|signature|password|e-?mail|phone|auth|session|hash).*|sig|key|code|jwt|otp"
)
_LONGEST_VALUE: Final = 100


def strip_link(link: str) -> str:
    """Return *link* without what tracks or identifies a person: login, fragment, such parameters, tokens in its path.

    What is not the address of a web page becomes "".
    """
    try:
        link.encode()  # half of a surrogate pair is no part of an address
        parts = urlsplit(link)
        host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not host:
        return ""
    kept = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if _may_keep(name, value)]
    path = "/".join("-" if _is_token(segment) else segment for segment in parts.path.split("/"))
    stripped = urlunsplit((parts.scheme, f"{host}{port}", quote(path, safe="/%:@!$&'()*+,;=~"), urlencode(kept), ""))
    return stripped[:LONGEST_LINK]


def _may_keep(name: str, value: str) -> bool:
    lower = name.lower()
    known = _TRACKING.fullmatch(lower) or _SECRET.fullmatch(lower)
    return not known and "@" not in value and not _is_token(value)


def _is_token(text: str) -> bool:
    """Nothing that a shop writes into an address by hand is as long as this."""
    return len(unquote(text)) > _LONGEST_VALUE or "@" in unquote(text)
