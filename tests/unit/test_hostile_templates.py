"""Hostile templates: what would harm readers or the function that sends is refused when it is published."""

import re
from typing import Any, Final

import pytest

from cartwake.bundles import Template
from cartwake.errors import TemplateFailed
from cartwake.rules.expressions import MOST_WORK, examine
from cartwake.rules.faults import Faulty
from cartwake.rules.files import read_file
from cartwake.rules.mjml import TemplateFile
from cartwake.rules.safety import find_wrong_address
from cartwake.sending.templates import LONGEST_HTML, Environment, render
from tests.unit.test_templates import data, fill, mail

PLACE = "line 3, column "


def text(body: str) -> str:
    return mail(f"<mj-text>{body}</mj-text>")


HOSTILE = {
    "script": (text("<script>x</script>"), "script"),
    "script that an if cuts apart": (text("<scr{% if true %}ipt>x</script>{% endif %}"), "does not belong"),
    "script that a comment cuts apart": (text("<scr{# #}ipt>x</script>"), "script"),
    "script by expression": (text("<{{ 'script' }}>x</{{ 'script' }}>"), "name of a tag"),
    "handler": (text("<a onclick='x'>y</a>"), "onclick"),
    "handler after a slash": (text("<img alt='' src='https://a.example/x'/onerror='x' />"), "onerror"),
    "handler that an if cuts apart": (text("<a o{% if true %}nclick='x'{% endif %}>y</a>"), "onclick"),
    "attribute by expression": (text("<a {{ event.x }}>y</a>"), "within the quotes"),
    "iframe": (text("<iframe src='https://a.example'></iframe>"), "iframe"),
    "form": (text("<form action='https://a.example'></form>"), "form"),
    "svg": (text("<svg><a href='x'></a></svg>"), "svg"),
    "srcset": (text("<img alt='' srcset='//a.example/x 2x' />"), "srcset"),
    "refresh": (text("<meta http-equiv='refresh' content='0;url=https://a.example'>"), "meta"),
    "javascript:": (mail("<mj-button href='javascript:x'>y</mj-button>"), "javascript"),
    "javascript: in entities": (mail("<mj-button href='java&#115;cript:x'>y</mj-button>"), '"javascript:" is not'),
    "javascript: with a tab": (mail("<mj-button href='java\tscript:x'>y</mj-button>"), '"javascript:" is not'),
    "javascript: by expression": (text("<a href=\"{{ 'javascript:x' }}\">y</a>"), "javascript"),
    "javascript: in an else": (
        text('<a href="{% if event.a %}https://a.example{% else %}vbscript:x{% endif %}">y</a>'),
        "vbscript",
    ),
    "data:": (mail("<mj-image alt='' src='data:image/png;base64,AA' />"), '"data:" is not'),
    "protocol-relative": (mail("<mj-image alt='' src='//a.example/x.png' />"), "begin with https://"),
    "address without a host": (text("<a href='/cart'>y</a>"), "leads nowhere"),
    "host by data": (text("<a href='https://{{ event.host }}/x'>y</a>"), "leads"),
    "host that data end": (text("<a href='https://shop.example{{ event.x }}'>y</a>"), "leads"),
    "host with a user": (text("<a href='https://shop.example@evil.example/'>y</a>"), "leads"),
    "address by data": (text("<a href='{{ event.note }}'>y</a>"), "begins with https://"),
    "address by default": (text("<a href=\"{{ item.url|default('ftp://x') }}\">y</a>"), '"ftp:" is not'),
    "style by data": (text("<p style='color: {{ event.color }}'>y</p>"), "in styles"),
    "style by data, through MJML": (mail("<mj-text color='{{ event.color }}'>y</mj-text>"), "in styles"),
    "style that calls": (text("<p style='background: url(//a.example/x)'>y</p>"), "begin with https://"),
    "style that imports": (text("<style>@import 'https://a.example/x.css';</style>"), "@import"),
    "quote without end": (text("<a href='https://a.example>y</a>"), "no end"),
    "picture without alt": (mail("<mj-image src='https://a.example/x.png' />"), 'no "alt"'),
    "attribute of Python": (text("{{ cart.__class__ }}"), "__class__"),
    "call": (text("{{ ''.join('a') }}"), "called"),
    "power of ten": (text("{{ 1|round(999999999, 'ceil') }}"), "0 to 6 places"),
    "power of ten by data": (text("{{ 1|round(event.x) }}"), "0 to 6 places"),
    "joins in joins": (text("{{ event.a|join('a')|join('b') }}"), "not a list"),
    "long joins": (text("{{ event.a|join(event.b) }}"), "in quotes"),
    "three loops": (text("{% for a in event.x %}" * 3 + "{% endfor %}" * 3), "2 deep"),
    "much work": (
        text("{% for a in event.x %}{% for b in a %}" + "{{ b|upper }}" * 9 + "{% endfor %}{% endfor %}"),
        "steps",
    ),
    "deep nesting": (text("{{ " + "(" * 5_000 + "1" + ")" * 5_000 + " }}"), "nested too deep"),
    "long number": (text("{{ " + "9" * 5_000 + " }}"), ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_template_is_refused(name: str) -> None:
    """Each is refused when it is published, with a reason, and with the line in which it stands."""
    source, says = HOSTILE[name]
    with pytest.raises(Faulty) as caught:
        read_file("templates/mail.mjml", source.encode())
    fault = next(fault for fault in caught.value.faults if says in fault.message)
    assert fault.message.endswith(".")
    assert fault.path.startswith("line ") or name in ("deep nesting", "long number")


def page(body: str, head: str = "<title>Hello</title>") -> str:
    """Return an email that is HTML, with a line of its own for what matters."""
    return f"<!doctype html>\n<html><head>{head}</head><body>\n{body}\n</body></html>"


WRITTEN: Final = re.compile(r"<mj-text>(.*)</mj-text>", re.DOTALL)
AS_HTML = {
    name: (page(found[1]), says) for name, (source, says) in HOSTILE.items() if (found := WRITTEN.search(source))
}
HOSTILE_HTML = AS_HTML | {
    "link by data behind a comment that is over at once": (
        page("<!--><a href='{{ event.x }}'>y</a><!-- -->"),
        "begins",
    ),
    "link by data behind a comment that ends oddly": (page("<!-- --!><a href='{{ event.x }}'>y</a><!-- -->"), "begins"),
    "link by data for Outlook": (page("<!--[if mso]><a href='{{ event.x }}'>y</a><![endif]-->"), "begins with"),
    "link by data for all but Outlook": (
        page("<!--[if !mso]><!--><a href='{{ event.x }}'>y</a><!--<![endif]-->"),
        "begins",
    ),
    "link by data behind a style": (
        page("<style>a{content:'<!--'}</style><a href='{{ event.x }}'>y</a><!-- -->"),
        'a "<" in <style>',
    ),
    "tag in the title": (page("x", head="<title><a href='https://a.example'></title>"), 'a "<" in <title>'),
    "text in which a tag hides": (page("<xmp><p title=\"</xmp><a href='{{ event.x }}'>y</a>\"></p></xmp>"), "<xmp>"),
    "area for text": (page("<textarea>x</textarea>"), "<textarea>"),
    "attribute without quotes": (page("<p title={{ event.x }}>y</p>"), "within the quotes"),
    "attribute half without quotes": (page("<p title=a{{ event.x }}>y</p>"), "within the quotes"),
    "sheet of styles from elsewhere": (
        page("x", head="<link rel='stylesheet' href='https://a.example/x.css'>"),
        "<link>",
    ),
    "template of the browser": (page("<template><p>x</p></template>"), "<template>"),
    "MJML in HTML": (page("<mj-text>x</mj-text>"), "end in .mjml"),
    "no body": ("<p>x</p>", "whole email"),
    "not closed": (page("<table><tr><td>x</table>"), "stands where"),
    "layout": (page('{% include "products" %}'), "include"),
    "plain attribute of Python": (page("{{ shop.__class__ }}"), "__class__"),
    "picture without alt, in HTML": (page("<img src='https://a.example/x.png'>"), 'no "alt"'),
}


@pytest.mark.parametrize("name", HOSTILE_HTML)
def test_hostile_html_is_refused(name: str) -> None:
    """What is refused in MJML is refused in HTML, and so is what one program reads as a tag and another as text."""
    source, says = HOSTILE_HTML[name]
    with pytest.raises(Faulty) as caught:
        read_file("templates/mail.html", source.encode())
    assert [fault for fault in caught.value.faults if says in fault.message]


def test_a_comment_for_outlook_is_read_in_mjml_too() -> None:
    """What stands in it is checked like everything else."""
    with pytest.raises(Faulty):
        read_file("templates/mail.mjml", text("<!--[if mso]><a href='{{ event.x }}'>y</a><![endif]-->").encode())


def test_good_html_is_an_email() -> None:
    """Subject, preheader and plain text are read from it, and what was written is what is sent."""
    hidden = '<div style="display:none">Come in</div>'
    source = page(
        f"<!-- ours -->{hidden}<p title='{{{{ shop.name }}}}'>Hello, {{{{ profile.first_name|default('you') }}}}<br>"
        "<a href=\"{{ shop.url }}/cart?a={{ event.x|default('') }}\">Your cart</a></p>{# not sent #}",
        head="<title>\n  News from {{ shop.name }}</title><style>p { color: {{ shop.color }}; }</style>",
    )
    read = read_file("templates/mail.html", source.encode())
    assert isinstance(read, TemplateFile)
    assert (read.template.subject, read.has_preheader) == ("News from {{ shop.name }}", True)
    assert read.template.html == source.replace("{# not sent #}", "")
    sent = render(read.template, data())
    assert "Come in" not in sent.text
    assert "Hello" in sent.text
    assert "Your cart: https://" in sent.text
    without = read_file("templates/mail.html", source.replace(hidden, "").encode())
    assert isinstance(without, TemplateFile)
    assert not without.has_preheader


def test_enough_of_them() -> None:
    """A dozen would not do."""
    assert len(HOSTILE) >= 40
    assert len(HOSTILE_HTML) >= 40


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example",
        "https://shop.example/cart?a={{ event.x }}",
        "HTTP://shop.example:8080/x",
        "mailto:help@shop.example",
        "tel:+48123",
        "{{ shop.url }}/cart",
        "{{ item.url }}",
        "{{ event.items[0]['image_url'] }}",
        "{{ event.url|default(shop.url) }}",
        "{{ item.url or shop.url }}",
        "{{ item.url if item.url else 'https://shop.example/x' }}",
        "{{ shop.url ~ '/cart' }}",
        "{% if item.url %}{{ item.url }}{% else %}https://shop.example{% endif %}",
        "{% if event.x %} {% endif %}{{ unsubscribe_url }}",
    ],
)
def test_good_addresses_pass(address: str) -> None:
    """Fixed hosts and values that were cleaned as addresses are fine, whatever follows them."""
    assert find_wrong_address(address) == ""


def test_decoration_needs_no_words() -> None:
    """An empty alt is an answer; an alt may be an expression."""
    for alt in ("", "{{ shop.name }}"):
        read_file("templates/mail.mjml", mail(f'<mj-image alt="{alt}" src="https://a.example/x.png" />').encode())


def test_most_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may be published looks up no more than was reckoned, with all lists full; so no time limit is needed."""
    looked_up = 0
    real = Environment.getitem

    def count(self: Environment, obj: Any, argument: Any) -> Any:
        nonlocal looked_up
        looked_up += 1
        return real(self, obj, argument)

    def nest(times: int) -> str:
        return "{% for a in event.x %}{% for b in a %}" + "{% if b.c %}{% endif %}" * times + "{% endfor %}{% endfor %}"

    most = next(times for times in range(1, 999) if examine(nest(times)).problems) - 1
    full = {"x": [[{"c": 1}] * 99] * 99}
    monkeypatch.setattr(Environment, "getitem", count)
    monkeypatch.setattr(Environment, "getattr", count)
    assert fill(nest(most), event=full) == ""
    assert 50 * 50 * most <= looked_up <= MOST_WORK


def test_most_output_is_bounded() -> None:
    """A template that says as much as it may is ended at 200,000 characters, not when it has said everything."""
    source = "{% for a in event.x %}{% for b in a %}{{ b }}{{ b }}{{ b }}{{ b }}{% endfor %}{% endfor %}"
    assert not examine(source).problems
    said = 0

    class Telling(str):
        __slots__ = ()

        def __html__(self) -> str:
            nonlocal said
            said += len(self)
            return str(self)

    seen = data() | {"event": {"x": [[Telling("y" * 500)] * 50] * 50}}
    with pytest.raises(TemplateFailed) as caught:
        render(Template(subject="s", html=source), seen)
    assert "longer than 200000" in caught.value.detail
    assert said <= LONGEST_HTML + 500


@pytest.mark.parametrize(
    ("source", "event"),
    [
        ("{% for a in event.x %}{{ a }}{% endfor %}", {"x": "a text has no entries"}),
        ("{{ event.x|join }}", {"x": "a text has no entries"}),
        ("{{ event.x|join(', ') }}", {"x": ["y" * 500] * 50}),
        ("{{ 'abcdef'|truncate(1) }}", {}),
        ("{{ 1|round(event.x, 'ceil') }}", {"x": 10**9}),
        ("{{ event.x|first|upper }}", {"x": {}}),
        ("{{ (event.x|last).y.z }}", {"x": [[]]}),
        ("{{ event.at|date }}", {"at": 10**30}),
    ],
)
def test_what_slips_through_is_a_skip(source: str, event: dict[str, Any]) -> None:
    """Whatever a published template does with data that it was not made for, it is not sent, and nothing breaks."""
    with pytest.raises(TemplateFailed):
        fill(source, event=event)
