"""MJML templates: compiled to HTML, with a plain text made of it, and every expression carried over untouched."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import mrml
from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

from cartwake.bundles import Template
from cartwake.rules.absences import Needed, find_needed_of
from cartwake.rules.assembly import Flat, Place, Span
from cartwake.rules.expressions import examine
from cartwake.rules.faults import Fault, Faulty, find_nearest
from cartwake.rules.plain import write_plain
from cartwake.rules.safety import MARK, TAG, find_unsafe

TAGS: Final = frozenset({
    "mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font", "mj-preview",
    "mj-style", "mj-title", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title",
    "mj-button", "mj-carousel", "mj-carousel-image", "mj-column", "mj-divider", "mj-group", "mj-hero", "mj-image",
    "mj-navbar", "mj-navbar-link", "mj-raw", "mj-section", "mj-social", "mj-social-element", "mj-spacer", "mj-table",
    "mj-text", "mj-wrapper",
})  # fmt: skip
_EMPTY: Final = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_PREHEADER: Final = re.compile(r"<mj-preview>\s*[^<\s]")
_PLAIN_JINJA: Final = Environment(autoescape=False)  # nosec B701  # noqa: S701  it only finds where expressions begin and end


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template: MJML and HTML are emails; a text is an SMS, or the plain text of the email of the same name.

    Attributes:
        always: The dotted names that it shows whatever the data are.
        reads: The first part of each name that it reads, and file and line where it first does.
        scores: The scores that it reads, as it writes them, and file and line where it first does.
        coupon: The same of a coupon's fields.
        wants_coupon: And of those that it shows whatever the data are.
        files: The files that it is made of, and those that would have a part in it if they were there.
        has_preheader: It says what inboxes show beside the subject.
        needed: What must be there for it to be filled.
    """

    template: Template
    always: frozenset[str] = frozenset()
    reads: Mapping[str, Place] = field(default_factory=dict)
    scores: Mapping[str, Place] = field(default_factory=dict)
    coupon: Mapping[str, Place] = field(default_factory=dict)
    wants_coupon: Mapping[str, Place] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    has_preheader: bool = False
    needed: Needed = field(default_factory=Needed)


def compile_mjml(source: Flat) -> TemplateFile:
    """Return the compiled template of an email and what its expressions say.

    Raises:
        Faulty: It is not MJML, uses what is not there, or would do more than show.
    """
    marked, bare, expressions = mark(source)
    unsafe = list(dict.fromkeys(find_unsafe(marked, bare, expressions)))
    if unsafe:
        raise Faulty(unsafe)
    _check_tags(marked)
    said = source.examine()
    faults = said.faults
    try:
        output = mrml.to_html(marked.text)
    except OSError as error:
        raise Faulty([Fault(file=source.file, message=f"This is not MJML: {error}.")]) from None
    faults += _find_dropped(source, output.content, expressions)
    if faults:
        raise Faulty(faults)
    html = unmark(output.content, expressions)
    template = Template(
        subject=unmark((output.title or "").strip(), expressions),
        html=html,
        text=unmark(write_plain(output.content), expressions),
    )
    # what is always shown is what the HTML shows; where something stands is told by the lines of the file
    always, preheader = frozenset(examine(html).always), _PREHEADER.search(marked.text) is not None
    return TemplateFile(
        template,
        always,
        said.reads,
        said.scores,
        said.coupon,
        said.wants_coupon,
        tuple(source.sources),
        has_preheader=preheader,
        needed=find_needed_of(template),
    )


def compile_text(file: str, source: str) -> TemplateFile:
    """Return the compiled template of an SMS, or of the plain text of an email.

    Raises:
        Faulty: It uses what is not there.
    """
    said = Flat.of(file, source).examine()
    if said.faults:
        raise Faulty(said.faults)
    template = Template(text=source.strip())
    return TemplateFile(
        template,
        said.always,
        said.reads,
        said.scores,
        said.coupon,
        said.wants_coupon,
        (file,),
        needed=find_needed_of(template),
    )


def to_fault(file: str, problem: Any, *, path: str = "") -> Fault:
    """Return a problem of an expression as a fault of a file."""
    place = path or f"line {problem.line}"
    return Fault(file=file, path=place, message=problem.message, suggestion=problem.suggestion, example=problem.example)


def mark(source: Flat) -> tuple[Flat, Flat, list[tuple[str, int]]]:
    """Replace every expression by a mark that MJML leaves alone; return the expressions and where they stand.

    The second text has marks only for what is shown, and not for `if`, `for` and their ends.
    """
    expressions: list[tuple[str, int]] = []
    marked, bare = _Copy(source), _Copy(source)
    position, inside = 0, ""
    try:
        for _, kind, value in _PLAIN_JINJA.lex(source.text):
            if kind.startswith("raw"):
                raise Faulty([source.fault(position, "{% raw %} is not available in templates.")])
            inside += value if inside or kind.endswith("_begin") else ""
            if not inside:
                position = max(source.text.find(value, position), position)
                for copy in (marked, bare):
                    copy.add(value, position)
                position += len(value)
            elif kind.endswith("_end"):
                start = max(source.text.find(inside, position), position)
                position = start + len(inside)
                if not inside.startswith("{#"):
                    for copy in (marked, bare) if inside.startswith("{{") else (marked,):
                        copy.add(f"cwx{len(expressions):05}x", start)
                    expressions.append((inside, start))
                inside = ""
    except TemplateSyntaxError as error:
        message = f"This is not a template expression: {error.message.rstrip('.') if error.message else 'unknown'}."
        raise Faulty([Fault(file=source.file, path=f"line {error.lineno}", message=message)]) from None
    return marked.flat, bare.flat, expressions


class _Copy:
    """A text that is written anew, of which each stretch is known by where it was before."""

    def __init__(self, source: Flat) -> None:
        self._source = source
        self._parts: list[str] = []
        self._moved: list[tuple[int, int]] = []
        self._length = 0

    def add(self, text: str, position: int) -> None:
        self._moved.append((self._length, position))
        self._parts.append(text)
        self._length += len(text)

    @property
    def flat(self) -> Flat:
        spans = []
        ends = [begin for begin, _ in self._moved[1:]] + [self._length]
        for (begin, position), end in zip(self._moved, ends, strict=True):
            spans.append(self._source.find_span(position, begin))
            spans += [
                Span(begin + span.begin - position, span.file, span.at)
                for span in self._source.spans
                if position < span.begin < position + end - begin
            ]
        return Flat(self._source.file, "".join(self._parts), tuple(spans), self._source.sources)


def unmark(text: str, expressions: list[tuple[str, int]]) -> str:
    """Put the expressions back where their marks stand."""
    return MARK.sub(lambda found: expressions[int(found[0][3:8])][0], text)


def _check_tags(source: Flat) -> None:
    """Refuse tags that MJML does not know, and tags that are not closed."""
    for tag in TAG.finditer(source.text):
        name = (tag["name"] or "").lower()
        if name.startswith("mj") and name not in TAGS:
            message = f"There is no <{name}> in MJML, or not in this version."
            raise Faulty([source.fault(tag.start(), message, suggestion=find_nearest(name, TAGS))])
    check_balance(source)


def check_balance(source: Flat) -> None:
    """Refuse tags that are not closed."""
    is_open: list[tuple[str, int]] = []
    for tag in TAG.finditer(source.text):
        name = (tag["name"] or "").lower()
        if not name or name in _EMPTY or tag["empty"]:
            continue
        if not tag["close"]:
            is_open.append((name, tag.start()))
        elif is_open and is_open[-1][0] == name:
            is_open.pop()
        else:
            raise Faulty([_tell_unbalanced(source, tag, is_open)])
    if is_open:
        name, start = is_open[-1]
        raise Faulty([source.fault(start, f"<{name}> is opened here and never closed.")])


def _tell_unbalanced(source: Flat, tag: re.Match[str], is_open: list[tuple[str, int]]) -> Fault:
    if not is_open:
        return source.fault(tag.start(), f"</{tag['name']}> closes what was never opened.")
    name, start = is_open[-1]
    place = source.tell(start, seen_from=tag.start())
    return source.fault(tag.start(), f"</{tag['name']}> stands where <{name}> of {place} is open.")


def _find_dropped(source: Flat, html: str, expressions: list[tuple[str, int]]) -> list[Fault]:
    """Tell the expressions that MJML left out, because of where they stand."""
    return [
        source.fault(
            position,
            f"MJML leaves this out: {expression}. An attribute must be one that MJML knows; what stands "
            "between blocks goes into <mj-raw>.",
            example="<mj-raw>{% if profile.phone %}</mj-raw>",
        )
        for number, (expression, position) in enumerate(expressions)
        if f"cwx{number:05}x" not in html
    ]
