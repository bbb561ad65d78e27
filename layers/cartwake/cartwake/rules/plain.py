"""Plain text of an email, made of its HTML: what is shown stays, links stand beside their words."""

import re
from html.parser import HTMLParser
from typing import Final

from cartwake.sending.templates import LINE, PARAGRAPH

_BLOCKS: Final = frozenset(
    (
        "address",
        "blockquote",
        "div",
        "dl",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "table",
        "tr",
        "ul",
    )
)
_SPACED: Final = frozenset(("h1", "h2", "h3", "p", "table", "ul", "ol"))
_SILENT: Final = frozenset(("head", "style", "script", "title"))
_VOID: Final = frozenset(("area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"))
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)
_DIRECT: Final = re.compile(r"^(?:mailto|tel):", re.IGNORECASE)
_RUN: Final = re.compile(rf"[ \t]*[{LINE}{PARAGRAPH}][{LINE}{PARAGRAPH} \t]*")


def write_plain(html: str) -> str:
    """Return the text of an HTML email; comments, styles and what is hidden from readers are left out.

    It is a template still: which breaks follow each other is only known when it has been filled. So they are
    written as `LINE` and `PARAGRAPH`, and `templates.render` makes one of every run of them.
    """
    writer = _Writer()
    writer.feed(html)
    writer.close()
    text = re.sub(r"[ \t\u00a0]+", " ", "".join(writer.parts))
    return _RUN.sub(lambda run: PARAGRAPH if PARAGRAPH in run[0] else LINE, text).strip(f" {LINE}{PARAGRAPH}")


class _Writer(HTMLParser):
    """Collects text while it reads HTML."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent: list[str] = []
        self._links: list[tuple[str, int]] = []
        self._rows: list[int] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line at a block, and note links and what is hidden."""
        values = dict(attrs)
        if self._silent:
            if tag not in _VOID:
                self._silent.append(tag)
            return
        if tag in _SILENT or _HIDDEN.search(values.get("style") or "") or values.get("aria-hidden") == "true":
            if tag not in _VOID:
                self._silent.append(tag)
            return
        if tag == "br" or tag in _BLOCKS:
            self.parts.append(PARAGRAPH if tag in _SPACED else LINE)
        self._begin(tag, values)

    def _begin(self, tag: str, values: dict[str, str | None]) -> None:
        match tag:
            case "li" | "hr":
                self.parts.append("- " if tag == "li" else f"---{PARAGRAPH}")
            case "tr":
                self._rows.append(len(self.parts))
            case "td":
                self.parts.append(" ")
            case "img":
                self.handle_data(values.get("alt") or "")
            case "a":
                self._links.append((values.get("href") or "", len(self.parts)))

    def handle_endtag(self, tag: str) -> None:
        """End a line at a block, and write a link's address."""
        if self._silent:
            if tag in self._silent:
                while self._silent.pop() != tag:
                    pass
            return
        if tag == "a" and self._links:
            address, begin = self._links.pop()
            words = "".join(self.parts[begin:]).strip()
            if address and not words:
                return
            shown = _DIRECT.sub("", address)
            if shown and shown != words:
                self.parts.append(f": {shown}")
        elif tag == "tr" and self._rows:
            # of a row with several lines the next one stands apart
            begin = self._rows.pop()
            self.parts.append(PARAGRAPH if {LINE, PARAGRAPH} & set(self.parts[begin:]) else LINE)
        elif tag in _BLOCKS:
            self.parts.append(PARAGRAPH if tag in _SPACED else LINE)

    def handle_data(self, data: str) -> None:
        """Write text; its own line breaks are spaces."""
        if not self._silent:
            self.parts.append(re.sub(r"\s+", " ", data))
