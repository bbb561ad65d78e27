"""Rewriting: the links of a mail lead to the shop by way of our own endpoint, which sees that they are followed."""

import re
from collections.abc import Callable
from html import escape, unescape
from typing import Final

MOST_LINKS: Final = 50
_ANCHOR: Final = re.compile(r"""(<a\b[^>]*?\shref=)("[^"]*"|'[^']*')([^>]*>)""", re.IGNORECASE)
_WEB: Final = ("https://", "http://")
_UNTRACKED: Final = re.compile(r"\bses:no-track\b", re.IGNORECASE)


def rewrite(html: str, make: Callable[[int, str], str], *, own: str) -> str:
    """Return *html* with other addresses in its links, and one more link that nobody sees.

    Left alone is what is marked `ses:no-track`, leads to our own pages, or is no address of a page.

    Args:
        html: As rendered.
        make: Called with the number of a link, from 1 on, and where it leads; returns its new address, "" for none.
        own: Where our own pages begin.
    """
    number = 0

    def replace(found: re.Match[str]) -> str:
        nonlocal number
        to = unescape(found[2][1:-1]).strip()
        if not to.startswith(_WEB) or to.startswith(own) or _UNTRACKED.search(found[0]) or number >= MOST_LINKS:
            return found[0]
        number += 1
        url = make(number, to)
        return f'{found[1]}"{escape(url)}" ses:no-track{found[3]}' if url else found[0]

    rewritten = _ANCHOR.sub(replace, html)
    return _hide(rewritten, make(0, own)) if number else html


def _hide(html: str, url: str) -> str:
    """Add what only a scanner follows: no reader sees, hears or reaches it."""
    link = f'<a href="{escape(url)}" ses:no-track style="display:none" aria-hidden="true" tabindex="-1"></a>'
    before, body, after = html.rpartition("</body>")
    return f"{before}{link}{body}{after}" if body else html + link
