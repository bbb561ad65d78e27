"""Safety of emails: where links lead, what may stand in tags and styles, and that pictures are described."""

import html
import re
from collections.abc import Iterator, Sequence
from typing import Final

from jinja2 import Environment, nodes

from cartwake.rules.assembly import Flat
from cartwake.rules.faults import Fault
from cartwake.sending.template_data import is_link_name

TAG: Final = re.compile(
    r"<!--(?:-?>|.*?--!?>)|<(?P<close>/?)(?P<name>[a-zA-Z][\w-]*)(?P<rest>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/?)>",
    re.DOTALL,
)
MARK: Final = re.compile(r"cwx(\d{5})x")
_ACTIVE: Final = re.compile(
    r"<\s*(?:script|iframe|frame|frameset|object|embed|applet|form|input|button|base|svg|math|video|audio)\b"
    r"|<\s*meta\b[^>]*http-equiv\s*=\s*[\"']?\s*refresh|[\s/\"'](?:on[a-z]+|srcdoc|srcset)\s*=|(?:java|vb)script\s*:"
    r"|@import\b|\bexpression\s*\(",
    re.IGNORECASE,
)
_ATTRIBUTE: Final = re.compile(r"(?P<name>[\w:.-]+)\s*=\s*(?:\"(?P<a>[^\"]*)\"|'(?P<b>[^']*)'|(?P<c>[^\s\"'>]+))")
_LINKS: Final = re.compile(r"(?:.*(?:href|src|url)|background|action|formaction|poster|cite)", re.IGNORECASE)
_WORDS: Final = re.compile(r"alt|title|name|id|lang|dir|css-class|class|align|aria-.*|width|height", re.IGNORECASE)
_STYLE_URL: Final = re.compile(r"\burl\(\s*[\"']?(?P<address>[^)\"']*)", re.IGNORECASE)
_STYLE: Final = re.compile(r"<(?:mj-)?style\b[^>]*>(?P<css>.*?)</", re.DOTALL | re.IGNORECASE)
_SHOPS: Final = re.compile(r"\{\{-?\s*(?:shop|loop)\.\w+\s*-?\}\}|\{%.*%\}", re.DOTALL)
_HOST: Final = re.compile(r"https?://(?P<host>[^/?#\s]*)(?P<end>[/?#]?)", re.IGNORECASE)
_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_UNSEEN: Final = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202f\ufeff]+")
_PICTURES: Final = frozenset({"img", "mj-image", "mj-carousel-image"})
_LINK: Final = '<a href="{{ shop.url }}/cart">'
_READER: Final = Environment(autoescape=False)  # nosec B701  # noqa: S701  it reads, and never renders

type Expressions = list[tuple[str, int]]


def find_unsafe(marked: Flat, bare: Flat, expressions: Expressions) -> Iterator[Fault]:
    """Yield what a template may not do to those who read it.

    Args:
        marked: The template with a mark for each expression.
        bare: The same without any that shows nothing: what an `if` cuts apart is whole in it.
        expressions: What the marks stand for.
    """
    for text in (marked, bare):
        for active in _ACTIVE.finditer(text.text):
            word = active[0].strip(" \t\n\"'<=/")
            yield text.fault(active.start(), f'"{word}" does not belong in an email.')
    yield from _find_broken(marked)
    for tag in _list_tags(marked.text):
        if not tag["close"]:
            yield from _check_tag(marked, tag, expressions)
    for style in _STYLE.finditer(marked.text):
        yield from _check_style(marked, style.start("css"), style["css"], expressions)
    for found in _STYLE_URL.finditer(marked.text):
        message = find_wrong_address(_unmark(found["address"], expressions))
        if message:
            yield marked.fault(found.start(), message, example="background-image: url('https://cdn.example.com/a.png')")


def _list_tags(text: str) -> Iterator[re.Match[str]]:
    """Yield every tag, those too in comments that some mail programs read."""
    for tag in TAG.finditer(text):
        if tag["name"]:
            yield tag
        elif tag[0].startswith("<!--["):
            yield from (it for it in TAG.finditer(text, tag.start() + 4, tag.end() - 3) if it["name"])


def find_wrong_address(source: str) -> str:
    """Return what is wrong with where a link leads, whatever the data are; "" when nothing is."""
    body = _READER.parse(source).body
    if not source.strip():
        return "The address is empty: a link has one, with https://."
    return next((message for message in _judge_body(_flatten(body)) if message), "")


def _find_broken(marked: Flat) -> Iterator[Fault]:
    """Yield tags that mail programs could end elsewhere than we do, and those that an expression names."""
    named = re.search(r"<\s*/?[\w-]*cwx\d{5}x", marked.text)
    if named:
        yield marked.fault(named.start(), "An expression cannot be the name of a tag, or a part of it.")
    outside = TAG.sub(lambda tag: " " * len(tag[0]), marked.text)
    broken = re.search(r"<[/a-zA-Z]", outside)
    if broken and not named:
        yield marked.fault(broken.start(), "This tag has no end: a quote or a > is missing.")


def _check_tag(marked: Flat, tag: re.Match[str], expressions: Expressions) -> Iterator[Fault]:
    begin = tag.start("rest")
    rest = MARK.sub(lambda it: it[0] if _shows(it, expressions) else " " * len(it[0]), tag["rest"])
    loose = MARK.search(_ATTRIBUTE.sub(lambda it: " " * len(it[0]), rest))
    if loose:
        message = "An expression stands in a tag within the quotes of an attribute."
        yield marked.fault(begin + loose.start(), message, example=_LINK)
    names = set()
    for found in _ATTRIBUTE.finditer(tag["rest"]):
        name = MARK.sub("", found["name"]).lower()
        names.add(name)
        value = next(it for it in (found["a"], found["b"], found["c"]) if it is not None)
        place = begin + found.start()
        if name == "style":
            yield from _check_style(marked, place, value, expressions)
        elif _LINKS.fullmatch(name):
            message = find_wrong_address(_unmark(value, expressions))
            if message:
                yield marked.fault(place, message, example=_LINK)
        elif tag["name"].lower().startswith("mj-") and not _WORDS.fullmatch(name):
            yield from _check_style(marked, place, value, expressions)  # MJML makes styles of them
    if tag["name"].lower() in _PICTURES and "alt" not in names:
        message = f'<{tag["name"]}> has no "alt": say what the picture shows, or alt="" for decoration.'
        yield marked.fault(tag.start(), message, example=f'<{tag["name"]} src="…" alt="The new boots" />')


def _check_style(marked: Flat, place: int, css: str, expressions: Expressions) -> Iterator[Fault]:
    """Yield the expressions in a style that show what others have said: it could call for pictures, or hide things."""
    for mark in MARK.finditer(css):
        source = expressions[int(mark[1])][0]
        if not _SHOPS.fullmatch(source):
            message = f"Only what the shop says stands in styles, not {source}."
            yield marked.fault(place, message, example="{{ shop.color }}")


def _shows(mark: re.Match[str], expressions: Expressions) -> bool:
    return expressions[int(mark[1])][0].startswith("{{")


def _unmark(text: str, expressions: Expressions) -> str:
    return MARK.sub(lambda mark: expressions[int(mark[1])][0], text)


def _flatten(body: list[nodes.Node]) -> list[nodes.Node]:
    return [it for node in body for it in (node.nodes if isinstance(node, nodes.Output) else [node])]


def _judge_body(body: list[nodes.Node]) -> Iterator[str]:
    """Yield what is wrong with each way in which an address can begin."""
    for index, node in enumerate(body):
        match node:
            case nodes.TemplateData() if not node.data.strip():
                continue
            case nodes.If():
                ways = [node.body, *[it.body for it in node.elif_], node.else_]
                for way in ways:
                    yield from _judge_body([*_flatten(way), *body[index + 1 :]])
            case nodes.TemplateData():
                yield _judge_text(node.data, is_all=index + 1 == len(body))
            case _:
                yield _judge_value(node, is_all=index + 1 == len(body))
        return
    yield "The address may be empty: a link has one, with https://."


def _judge_value(node: nodes.Node, *, is_all: bool) -> str:
    """Return what is wrong with an expression with which an address begins."""
    match node:
        case nodes.Const(value=str(text)):
            return _judge_text(text, is_all=is_all)
        case nodes.Name(name=name) | nodes.Getattr(attr=name) if is_link_name(name):
            return ""
        case nodes.Getitem(arg=nodes.Const(value=str(name))) if is_link_name(name):
            return ""
        case nodes.Filter(name="default"):
            parts: Sequence[nodes.Expr | None] = [node.node, *node.args]
        case nodes.CondExpr():
            parts = [node.expr1, node.expr2]
        case nodes.Or():
            parts = [node.left, node.right]
        case nodes.Concat():
            parts, is_all = node.nodes[:1], False
        case _:
            return "An address begins with https://, or with a value that is one: shop.url, item.url or event.url."
    return next((message for it in parts if it and (message := _judge_value(it, is_all=is_all))), "")


def _judge_text(text: str, *, is_all: bool) -> str:
    """Return what is wrong with the text with which an address begins; what follows it may be anything."""
    address = _UNSEEN.sub("", html.unescape(text))
    host = _HOST.match(address)
    if host:
        whole = re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?", host["host"])
        if not whole or not (host["end"] or is_all):
            return f'The shop\'s own words must say where "{address[:60]}" leads: a host, and then a slash.'
        return ""
    if re.match(r"(?:mailto|tel):", address, re.IGNORECASE):
        return ""
    if address.startswith("//"):
        return f'"{address[:60]}" does not say how it is called for: begin with https://.'
    scheme = _SCHEME.match(address)
    if scheme:
        return f'"{scheme[0]}" is not an address that a mail may have: http, https, mailto and tel are.'
    return f'"{address[:60]}" leads nowhere from a mail, which has no site of its own: begin with https:// or shop.url.'
