"""MJML templates: compiled to HTML, with a plain text made of it, and every expression carried over untouched."""

import re
from dataclasses import replace
from typing import Any, Final

import mrml
from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

from cartwake.bundles import Template
from cartwake.rules.expressions import Findings, examine
from cartwake.rules.faults import Fault, Faulty, find_nearest
from cartwake.rules.plain import write_plain
from cartwake.rules.texts import tell_place

TAGS: Final = frozenset({
    "mjml", "mj-head", "mj-body", "mj-attributes", "mj-all", "mj-class", "mj-breakpoint", "mj-font", "mj-preview",
    "mj-style", "mj-title", "mj-accordion", "mj-accordion-element", "mj-accordion-text", "mj-accordion-title",
    "mj-button", "mj-carousel", "mj-carousel-image", "mj-column", "mj-divider", "mj-group", "mj-hero", "mj-image",
    "mj-navbar", "mj-navbar-link", "mj-raw", "mj-section", "mj-social", "mj-social-element", "mj-spacer", "mj-table",
    "mj-text", "mj-wrapper",
})  # fmt: skip
_EMPTY: Final = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_TAG: Final = re.compile(
    r"<!--.*?-->|<(?P<close>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>",
    re.DOTALL,
)
_ACTIVE: Final = re.compile(
    r"<\s*(script|iframe|object|embed|form|input|base)\b|\son[a-z]+\s*=|javascript\s*:", re.IGNORECASE
)
_PLAIN_JINJA: Final = Environment(autoescape=False)  # nosec B701  # noqa: S701  it only finds where expressions begin and end
_MARK: Final = re.compile(r"cwx\d{5}x")


def compile_mjml(file: str, source: str) -> tuple[Template, Findings]:
    """Return the compiled template of an email and what its expressions say.

    Raises:
        Faulty: It is not MJML, uses what is not there, or would do more than show.
    """
    marked, expressions = _mark(file, source)
    _check_tags(file, marked)
    findings = examine(source)
    faults = [to_fault(file, problem) for problem in findings.problems]
    try:
        output = mrml.to_html(marked)
    except OSError as error:
        raise Faulty([Fault(file=file, message=f"This is not MJML: {error}.")]) from None
    faults += _find_dropped(file, source, output.content, expressions)
    if faults:
        raise Faulty(faults)
    html = _unmark(output.content, expressions)
    template = Template(
        subject=_unmark((output.title or "").strip(), expressions),
        html=html,
        text=_unmark(write_plain(output.content), expressions),
    )
    # what is always shown is what the HTML shows; where something stands is told by the lines of the file
    shown = replace(findings, problems=[], always=examine(html).always)
    return template, shown


def compile_text(file: str, source: str) -> tuple[Template, Findings]:
    """Return the compiled template of an SMS, or of the plain text of an email.

    Raises:
        Faulty: It uses what is not there.
    """
    findings = examine(source)
    if findings.problems:
        raise Faulty(to_fault(file, problem) for problem in findings.problems)
    return Template(text=source.strip()), findings


def to_fault(file: str, problem: Any, *, path: str = "") -> Fault:
    """Return a problem of an expression as a fault of a file."""
    place = path or f"line {problem.line}"
    return Fault(file=file, path=place, message=problem.message, suggestion=problem.suggestion, example=problem.example)


def _mark(file: str, source: str) -> tuple[str, list[tuple[str, int]]]:
    """Replace every expression by a mark that MJML leaves alone; return the expressions and where they stand."""
    expressions: list[tuple[str, int]] = []
    marked: list[str] = []
    position, inside = 0, ""
    try:
        for line, kind, value in _PLAIN_JINJA.lex(source):
            if kind.startswith("raw"):
                raise Faulty(
                    [Fault(file=file, path=f"line {line}", message="{% raw %} is not available in templates.")]
                )
            inside += value if inside or kind.endswith("_begin") else ""
            if not inside:
                marked.append(value)
            elif kind.endswith("_end"):
                start = max(source.find(inside, position), position)
                position = start + len(inside)
                if not inside.startswith("{#"):
                    marked.append(f"cwx{len(expressions):05}x")
                    expressions.append((inside, start))
                inside = ""
    except TemplateSyntaxError as error:
        message = f"This is not a template expression: {error.message.rstrip('.') if error.message else 'unknown'}."
        raise Faulty([Fault(file=file, path=f"line {error.lineno}", message=message)]) from None
    return "".join(marked), expressions


def _unmark(text: str, expressions: list[tuple[str, int]]) -> str:
    return _MARK.sub(lambda mark: expressions[int(mark[0][3:8])][0], text)


def _check_tags(file: str, source: str) -> None:
    """Refuse tags that MJML does not know, tags that are not closed, and whatever would run in a mail program."""
    active = _ACTIVE.search(source)
    if active:
        word = active[0].strip(" <=\n")
        raise Faulty(
            [
                Fault(
                    file=file, path=tell_place(source, active.start()), message=f'"{word}" does not belong in an email.'
                )
            ]
        )
    is_open: list[tuple[str, int]] = []
    for tag in _TAG.finditer(source):
        name = (tag["name"] or "").lower()
        if name.startswith("mj") and name not in TAGS:
            place = tell_place(source, tag.start())
            message = f"There is no <{name}> in MJML, or not in this version."
            raise Faulty([Fault(file=file, path=place, message=message, suggestion=find_nearest(name, TAGS))])
        if not name or name in _EMPTY or tag["empty"]:
            continue
        if not tag["close"]:
            is_open.append((name, tag.start()))
        elif is_open and is_open[-1][0] == name:
            is_open.pop()
        else:
            raise Faulty([_tell_unbalanced(file, source, tag, is_open)])
    if is_open:
        name, start = is_open[-1]
        raise Faulty(
            [Fault(file=file, path=tell_place(source, start), message=f"<{name}> is opened here and never closed.")]
        )


def _tell_unbalanced(file: str, source: str, tag: re.Match[str], is_open: list[tuple[str, int]]) -> Fault:
    place = tell_place(source, tag.start())
    if not is_open:
        return Fault(file=file, path=place, message=f"</{tag['name']}> closes what was never opened.")
    name, start = is_open[-1]
    return Fault(
        file=file, path=place, message=f"</{tag['name']}> stands where <{name}> of {tell_place(source, start)} is open."
    )


def _find_dropped(file: str, source: str, html: str, expressions: list[tuple[str, int]]) -> list[Fault]:
    """Tell the expressions that MJML left out, because of where they stand."""
    return [
        Fault(
            file=file,
            path=tell_place(source, position),
            message=f"MJML leaves this out: {expression}. An attribute must be one that MJML knows; what stands "
            "between blocks goes into <mj-raw>.",
            example="<mj-raw>{% if profile.phone %}</mj-raw>",
        )
        for number, (expression, position) in enumerate(expressions)
        if f"cwx{number:05}x" not in html
    ]
