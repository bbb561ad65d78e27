"""Hostile templates: what would harm readers or the function that sends is refused when it is published."""

from typing import Any

import pytest

from cartwake.bundles import Template
from cartwake.errors import TemplateFailed
from cartwake.rules.expressions import MOST_WORK, examine
from cartwake.rules.faults import Faulty
from cartwake.rules.files import read_file
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


def test_enough_of_them() -> None:
    """A dozen would not do."""
    assert len(HOSTILE) >= 40


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
