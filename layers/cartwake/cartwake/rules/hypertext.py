"""HTML templates: emails that stand in the file as they are sent, but for their expressions."""

import re
from typing import Final

from cartwake.bundles import Template
from cartwake.rules.absences import find_needed_of
from cartwake.rules.assembly import Flat
from cartwake.rules.faults import Fault, Faulty, find_nearest
from cartwake.rules.mjml import TemplateFile, check_balance, mark, unmark
from cartwake.rules.plain import write_plain
from cartwake.rules.safety import TAG, find_unsafe

TAGS: Final = frozenset({
    "html", "head", "title", "meta", "style", "body", "table", "caption", "colgroup", "col", "thead", "tbody", "tfoot",
    "tr", "td", "th", "div", "span", "p", "a", "img", "br", "hr", "wbr", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol",
    "li", "dl", "dt", "dd", "b", "strong", "i", "em", "u", "s", "small", "big", "sub", "sup", "font", "center",
    "blockquote", "pre", "code", "abbr", "address", "section", "article", "header", "footer", "main", "figure",
    "figcaption", "del", "ins", "mark", "time",
})  # fmt: skip
"""What all mail programs read alike: of others it cannot be told what is a tag in them, and what is text."""
_TITLE: Final = re.compile(r"<title\b[^>]*>(?P<title>.*?)</title\s*>", re.DOTALL | re.IGNORECASE)
_RAW: Final = re.compile(r"<(?P<name>title|style)\b[^>]*>(?P<text>.*?)</(?P=name)\s*>", re.DOTALL | re.IGNORECASE)
_UNQUOTED: Final = re.compile(r"=\s*[^\s\"'>]*cwx\d{5}x")
_PREHEADER: Final = re.compile(
    r"<body\b[^>]*>(?:\s|<!--(?:(?!-->).)*+-->)*+<(?P<tag>div|span|p)\b[^>]*\bdisplay\s*:\s*none[^>]*>\s*[^<\s]",
    re.DOTALL | re.IGNORECASE,
)


def compile_html(source: Flat) -> TemplateFile:
    """Return the template of an email and what its expressions say.

    Raises:
        Faulty: It is no email, uses what is not there, or would do more than show.
    """
    marked, bare, expressions = mark(source)
    unsafe = list(dict.fromkeys((*find_unsafe(marked, bare, expressions), *_find_ambiguous(marked))))
    if unsafe:
        raise Faulty(unsafe)
    check_balance(marked)
    said = source.examine()
    if said.faults:
        raise Faulty(said.faults)
    title = _TITLE.search(marked.text)
    template = Template(
        subject=" ".join(unmark(title["title"], expressions).split()) if title else "",
        html=unmark(marked.text, expressions).strip(),
        text=unmark(write_plain(marked.text), expressions),
    )
    return TemplateFile(
        template,
        said.always,
        said.reads,
        said.scores,
        said.coupon,
        said.wants_coupon,
        tuple(source.sources),
        has_preheader=_PREHEADER.search(marked.text) is not None,
        needed=find_needed_of(template),
    )


def _find_ambiguous(marked: Flat) -> list[Fault]:
    """Return the places that one program could read as a tag, and another as text."""
    found = [
        marked.fault(raw.start("text"), f'There is a "<" in <{raw["name"].lower()}>, which is text.')
        for raw in _RAW.finditer(marked.text)
        if "<" in raw["text"]
    ]
    for tag in TAG.finditer(marked.text):
        name = (tag["name"] or "").lower()
        if name and name not in TAGS:
            message = f"<{name}> does not belong in an email." + (
                " MJML stands in files that end in .mjml." if name.startswith("mj") else ""
            )
            found.append(marked.fault(tag.start(), message, suggestion=find_nearest(name, TAGS)))
        elif name and (loose := _UNQUOTED.search(re.sub(r"\"[^\"]*\"|'[^']*'", _blank, tag["rest"]))):
            message = "An expression stands in a tag within the quotes of an attribute."
            found.append(marked.fault(tag.start("rest") + loose.start(), message, example='title="{{ shop.name }}"'))
    if not re.search(r"<body\b", marked.text, re.IGNORECASE):
        found.append(marked.fault(0, "There is no <body>: an .html file is a whole email.", example=_EXAMPLE))
    return found


def _blank(quoted: re.Match[str]) -> str:
    return quoted[0][0] + " " * (len(quoted[0]) - 2) + quoted[0][0]


_EXAMPLE: Final = "<html><head><title>Subject</title></head><body>…</body></html>"
