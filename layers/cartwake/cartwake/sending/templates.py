"""Templates: compiled Jinja2 sources become a subject, HTML and plain text, or fail without having sent anything.

A template was checked when it was published (`rules.expressions`); what stands here holds even if that had missed
something: plain data only, no calls, no Python attributes, a short list of filters, and bounded output.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import jinja2
from jinja2 import nodes
from jinja2.exceptions import TemplateError
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from cartwake.bundles import Template
from cartwake.errors import TemplateFailed
from cartwake.sending.filters import FILTERS, list_entries
from cartwake.sending.hearsay import BREAK, mend, restore

TESTS: Final = ("defined", "undefined", "odd", "even")
LOOP: Final = ("index", "index0", "first", "last", "length", "revindex")
LONGEST_HTML: Final = 200_000
LONGEST_TEXT: Final = 100_000
LONGEST_SMS: Final = 1_600
LONGEST_SUBJECT: Final = 250
LONGEST_TITLE: Final = 65
LONGEST_BODY: Final = 240
"""Of a push message; phones show little more, and all of it together has 4 KB."""
LONGEST_LINK: Final = 1_000
_ENTRIES: Final = "_entries"
_SAID: Final = "_said"
LINE: Final = "\v"
"""A new line, in plain text that was made of HTML: one of a run of them counts."""
PARAGRAPH: Final = "\f"
"""A blank line, likewise."""
_AMISS: Final = (TypeError, ValueError, ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError)
"""What filters raise of values that they are not made for."""
_BREAKS: Final = re.compile(r"[ \t]*[\n\v\f][\n\v\f \t]*")
_NARROW: Final = re.compile(f"[\u00a0\u2009\u202f{BREAK}]")
"""Spaces in amounts, and what breaks links: one in an SMS makes two of it, for it cannot be written in 7 bits."""
_ADDRESS: Final = re.compile(rf"https?://[^\s\"<>\\]{{1,{LONGEST_LINK}}}")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")


@dataclass(frozen=True, slots=True)
class Rendered:
    """What goes out: an SMS has only `text`; a push message has `link` and, where there is one, `image` too."""

    subject: str
    html: str
    text: str
    link: str = ""
    image: str = ""


class Absent(Undefined):
    """Something that is not there: false in an `if`, however it is compared, and an error where it would be shown."""

    __slots__ = ()
    __str__ = __iter__ = __len__ = Undefined._fail_with_undefined_error  # noqa: SLF001  as StrictUndefined does

    def _deny(self, other: object) -> bool:  # noqa: ARG002  it is neither less nor more than anything, and holds nothing
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _deny  # type: ignore[assignment]


class Environment(ImmutableSandboxedEnvironment):
    """Jinja2 over plain data: `a.b` is a key of a map, never an attribute of a Python object."""

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(autoescape=autoescape, undefined=Absent, trim_blocks=True, lstrip_blocks=True)
        self.globals.clear()
        self.filters = {**FILTERS, _ENTRIES: list_entries, _SAID: restore}
        self.tests = {name: test for name, test in self.tests.items() if name in TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Return what is under a name."""
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Return what is under a name or at a position; null counts as absent."""
        if isinstance(obj, Undefined):
            return obj
        found = None
        if isinstance(obj, Mapping):
            found = obj.get(argument)
        elif isinstance(obj, (list, tuple)) and isinstance(argument, (int, slice)):
            found = obj[argument] if isinstance(argument, slice) or -len(obj) <= argument < len(obj) else None
        elif isinstance(obj, LoopContext) and argument in LOOP:
            found = getattr(obj, argument)
        return self.undefined(hint=_tell_absent(argument)) if found is None else found

    def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002  nothing may be called
        """Refuse every call."""
        return False


def render(template: Template, data: Mapping[str, Any], *, name: str = "") -> Rendered:
    """Return *template* filled with *data* (`template_data.gather`).

    Raises:
        TemplateFailed: Something shown is absent, or the output is too long. No value of the profile is in it.
    """
    try:
        subject = _UNFIT.sub(" ", _fill(template.subject, data, longest=LONGEST_TEXT)).strip()
        html = mend(_fill(template.html, data, longest=LONGEST_HTML, autoescape=True))
        text = mend(_fill(template.text, data, longest=LONGEST_TEXT if template.html else LONGEST_SMS))
        link, image = (mend(_fill(it, data, longest=LONGEST_TEXT)).strip() for it in (template.link, template.image))
    except TemplateError as error:
        raise TemplateFailed(name, error.message or type(error).__name__) from error
    except _AMISS as error:
        raise TemplateFailed(name, f"a value is not what the template takes it for ({type(error).__name__})") from None
    if template.html and not subject:
        raise TemplateFailed(name, "the subject is empty")
    if not template.html and not text.strip():
        raise TemplateFailed(name, "the text is empty")
    text = _break_lines(text)
    if template.push:
        return _fit(Rendered(subject, "", _NARROW.sub(" ", text), link, image), name)
    return Rendered(_shorten(subject), html, text if template.html else _NARROW.sub(" ", text))


def environment(*, autoescape: bool) -> Environment:
    """Return the environment in which HTML (*autoescape*) or text is filled."""
    return _HTML if autoescape else _TEXT


def _fill(source: str, data: Mapping[str, Any], *, longest: int, autoescape: bool = False) -> str:
    return "".join(_bound(_load(source, autoescape).generate(data), longest)) if source else ""


def _bound(parts: Iterator[str], longest: int) -> Iterator[str]:
    length = 0
    for part in parts:
        length += len(part)
        if length > longest:
            raise jinja2.TemplateRuntimeError(f"the output is longer than {longest} characters")
        yield part


def _break_lines(text: str) -> str:
    """Make of every run of breaks a new line, or at most one blank line."""

    def join(run: re.Match[str]) -> str:
        return "\n\n" if PARAGRAPH in run[0] or run[0].count("\n") > 1 else "\n"

    return _BREAKS.sub(join, text).strip()


def _fit(push: Rendered, name: str) -> Rendered:
    """Return a push message as phones show it: cut where it is too long, without a picture that is none."""
    if not push.subject:
        raise TemplateFailed(name, "the title is empty")
    if not _ADDRESS.fullmatch(push.link):
        raise TemplateFailed(name, "the link is not an address that begins with https://")
    return Rendered(
        _shorten(push.subject, LONGEST_TITLE),
        "",
        _shorten(push.text, LONGEST_BODY),
        push.link,
        push.image if _ADDRESS.fullmatch(push.image) else "",
    )


def _shorten(text: str, longest: int = LONGEST_SUBJECT) -> str:
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def _tell_absent(argument: object) -> str:
    return f"\"{argument}\" is absent; write for example |default('…') to say what stands instead"


@lru_cache(maxsize=256)
def _load(source: str, autoescape: bool) -> jinja2.Template:  # noqa: FBT001  lru_cache tells keywords and positions apart
    """Compile a source; its loops go through lists alone, of bounded length: of a text each letter would be a turn.

    What it compares is what was said, not how that is shown.
    """
    around = environment(autoescape=autoescape)
    tree = around.parse(source)
    for loop in tree.find_all(nodes.For):
        loop.iter = _pass(loop.iter, _ENTRIES)
    for comparison in tree.find_all(nodes.Compare):
        comparison.expr = _pass(comparison.expr, _SAID)
        for operand in comparison.ops:
            operand.expr = _pass(operand.expr, _SAID)
    return jinja2.Template.from_code(around, around.compile(tree), {})


def _pass(expression: nodes.Node, by: str) -> nodes.Filter:
    return nodes.Filter(expression, by, [], [], None, None, lineno=expression.lineno)


_HTML: Final = Environment(autoescape=True)
_TEXT: Final = Environment(autoescape=False)
