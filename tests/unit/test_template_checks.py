"""Rules of what is known of a template when it is published: what could never be sent, and what is hardly meant."""

import json
from typing import Any

import pytest

from cartwake.bundles import Sender, Settings, Shop, Template
from cartwake.errors import TemplateFailed
from cartwake.profiles import State
from cartwake.rules.compile import link
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import read_file
from cartwake.sending.template_data import SEEN, gather
from cartwake.sending.templates import render
from cartwake_cli.commands.check import find_faults
from tests.unit.test_layouts import FILES, edited

RECEIPT = {"name": "J", "kind": "transactional", "trigger": {"event": "Order Completed"}}


def find(texts: dict[str, str]) -> list[Fault]:
    contents = {file: read_file(file, text.encode()) for file, text in texts.items()}
    return [conflict.fault for conflict in link(contents).conflicts] or find_doubts(contents)


def say(steps: list[Any], **more: Any) -> dict[str, str]:
    return {"journeys/j.json": json.dumps({**RECEIPT, "steps": steps, **more})}


def test_transactional_mail_has_no_way_out() -> None:
    """A transactional mail or SMS that always shows the link to unsubscribe could never be sent: it is refused."""
    steps = [{"email": "mail", "subject": "Hi"}, {"sms": "sms"}]
    texts = FILES | {"templates/sms.txt": "Stop: {{ unsubscribe_url }}"} | say(steps)
    assert [(it.file, it.severity) for it in find(texts)] == [
        ("templates/mail.mjml", "error"),
        ("templates/sms.txt", "error"),
    ]
    asked = "{% if unsubscribe_url %}{{ unsubscribe_url }}{% endif %}"
    texts |= {"templates/sms.txt": asked, "templates/parts/foot.mjml": "Bye"}
    assert all(it.severity == "warning" for it in find(texts))


def test_marketing_without_preheader_is_warned_of() -> None:
    """Marketing says what inboxes show beside the subject; what is transactional may leave it out."""
    (found,) = find(FILES)
    assert (found.file, found.severity) == ("templates/mail.mjml", "warning")
    assert "mj-preview" in found.example
    there = edited("templates/layouts/shop.mjml", "</mj-title>", "</mj-title><mj-preview>{{ shop.name }}</mj-preview>")
    assert find(there) == []
    empty = edited("templates/layouts/shop.mjml", "</mj-title>", "</mj-title><mj-preview> </mj-preview>")
    assert len(find(empty)) == 1
    receipt = FILES | {"templates/parts/foot.mjml": "Bye"} | say([{"email": "mail", "subject": "Hi"}])
    assert find(receipt) == []


def test_trait_without_default_is_warned_of() -> None:
    """Who lacks a trait that is always shown would be sent nothing: it is said before, with what to write."""
    texts = edited("templates/mail.mjml", "One", "{{ profile.first_name }} {{ profile.email }}")
    found = [it for it in find(texts) if "first_name" in it.message]
    assert [it.example for it in found] == ["{{ profile.first_name|default('\u2026') }}"]
    for shown in ("{{ profile.city|default('x') }}", "{% if profile.city %}{{ profile.city }}{% endif %}"):
        assert not [it for it in find(edited("templates/mail.mjml", "One", shown)) if "city" in it.message]
    assert not [it for it in find(texts) if "profile.email" in it.message]


CONFIRM = {"name": "C", "kind": "confirmation", "trigger": {"event": "Subscription Requested"}}
ASKING = '<mjml><mj-head><mj-title>Please confirm</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>{{ shop.name }} <a href="{{ confirm_url }}">Yes</a> HERE</mj-text></mj-column></mj-section></mj-body></mjml>'  # noqa: E501
TOPIC = {"topics": {"news": {"name": "News"}}}


def ask(*, shown: str = "", steps: Any = None, settings: Any = None, **more: Any) -> list[str]:
    """Return what is wrong with a journey that asks for a yes."""
    texts = {
        "settings.json": json.dumps(json.loads(FILES["settings.json"]) | (settings or {})),
        "templates/ask.mjml": ASKING.replace("HERE", shown),
        "templates/bare.mjml": ASKING.replace("{{ confirm_url }}", "{{ shop.url }}").replace("HERE", ""),
        "templates/text.txt": "Hello",
        "journeys/c.json": json.dumps({**CONFIRM, "steps": steps or [{"email": "ask"}]} | more),
    }
    return [found.message for found in find(texts) if found.severity == "error"]


def test_a_confirmation_is_accepted() -> None:
    """What the tests below see refused is fine without what they add."""
    assert ask() == []
    assert ask(shown="{% if unsubscribe_url %}{{ unsubscribe_url }}{% endif %} {{ language }}") == []


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"shown": "{{ profile.first_name|default('you') }}"}, 'no "profile"'),
        ({"shown": "{% for item in cart.items %}{{ item.name }}{% endfor %}"}, 'no "cart"'),
        ({"shown": "{% if event.note %}x{% endif %}"}, 'no "event"'),
        ({"shown": "{{ coupon.code|default('') }}"}, 'no "coupon"'),
        ({"shown": "{{ unsubscribe_url }}"}, "has no {{ unsubscribe_url }}"),
        ({"shown": "{{ preferences_url }}"}, "has no {{ preferences_url }}"),
        ({"steps": [{"email": "bare"}]}, "must always show {{ confirm_url }}"),
        ({"steps": [{"email": "ask", "subject": "{{ profile.first_name }}, please"}]}, 'no "profile"'),
        ({"steps": [{"email": "ask", "coupon": "ten"}]}, "who has said yes"),
        ({"steps": [{"sms": "text"}]}, "by email"),
        ({"steps": [{"if": {"cart": "open"}, "then": [{"sms": "text"}]}]}, "by email"),
        ({"trigger": {"event": "Signed Up"}}, "Only who asked"),
        ({"trigger": {"segment": "vip"}}, "Only who asked"),
        ({"topic": "news", "settings": TOPIC}, "Only marketing has a topic"),
        ({"kind": "transactional"}, "has no {{ confirm_url }}"),
        ({"kind": "marketing"}, "has no {{ confirm_url }}"),
    ],
)
def test_what_does_not_fit_into_a_confirmation_is_refused(changes: dict[str, Any], says: str) -> None:
    """It goes to whom anybody has named: it shows nothing that they told, costs nothing, and gives nothing away."""
    assert [message for message in ask(**changes) if says in message]


HTML = (
    "<html><head><title>Hi</title></head><body><div style='display:none'>Look</div>Hello "
    '<a href="{{ unsubscribe_url }}">stop</a> {{ shop.postal_address }}</body></html>'
)


def in_html(html: str = HTML, **more: str) -> list[Fault]:
    journey = {"name": "J", "trigger": {"event": "Order Completed"}, "steps": [{"email": "page"}]}
    return find(
        {"settings.json": FILES["settings.json"], "templates/page.html": html, **more}
        | {"journeys/j.json": json.dumps(journey)}
    )


def test_html_is_asked_for_what_mjml_is_asked_for() -> None:
    """The way out, the postal address, a subject, a preheader; with a text beside it, and translations of its own."""
    texts = {"templates/page.txt": "Hello {{ unsubscribe_url }}", "templates/page.de.html": HTML}
    assert in_html(**texts) == []
    for hidden in ("{{ unsubscribe_url }}", "{{ shop.postal_address }}"):
        (found,) = in_html(HTML.replace(hidden, "{{ shop.url }}"))
        assert (found.file, found.severity) == ("templates/page.html", "error")
        assert hidden in found.message
        (found,) = in_html(**{"templates/page.de.html": HTML.replace(hidden, "{{ shop.url }}")})
        assert (found.file, found.severity) == ("templates/page.de.html", "error")
    assert "<title>" in in_html(HTML.replace("<title>Hi</title>", ""))[0].message
    (found,) = in_html(HTML.replace("display:none", "display:block"))
    assert (found.severity, found.example) == ("warning", '<body><div style="display:none">What it is about</div>')
    assert [it.severity for it in in_html(HTML.replace("Hello", "{{ profile.city }}"))] == ["warning"]


def test_an_email_is_html_or_mjml() -> None:
    """Both under one name are refused: which of them is sent, nobody could tell."""
    found = in_html(**{"templates/page.mjml": ASKING.replace("HERE", "")})
    assert [it for it in found if it.file == "templates/page.html" and "keep one of the two" in it.message]


def test_a_row_of_comments_takes_no_time() -> None:
    """What stands before a preheader is passed over once: a thousand comments neither hide one nor stop a publish."""
    row = "<!-- a -->" * 1_000
    assert in_html(HTML.replace("<body>", f"<body>{row}")) == []
    (found,) = in_html(HTML.replace("<body>", f"<body>{row}").replace("display:none", "display:block"))
    assert "preheader" in found.message or "preview" in found.message


CAMPAIGN = {"name": "C", "status": "live", "to": "all", "at": "2030-12-03T09:00"}
ALL = '{"name": "All", "where": {"trait": "email", "exists": true}}'


def in_campaign(shown: str, *, subject: str = "", **settings: Any) -> list[Fault]:
    """Return what is said of a campaign that shows something."""
    step = {"email": "page", **({"subject": subject} if subject else {})}
    shop = json.loads(FILES["settings.json"])
    return find(
        {
            "settings.json": json.dumps({**shop, "shop": {**shop["shop"], **settings}}),
            "templates/page.html": HTML.replace("Hello", shown),
            "segments/all.json": ALL,
            "campaigns/c.json": json.dumps({**CAMPAIGN, "steps": [step]}),
        }
    )


@pytest.mark.parametrize(
    ("shown", "says"),
    [
        ("{{ event.starts_at|date('%d.%m.%Y') }}", '"date" is told nothing in parentheses, not 1.'),
        ("{{ cart.total|money('USD', 2) }}", '"money" is told 1 at most'),
        ("{{ profile.tags|join(', ', 'name') }}", '"join" is told 1 at most'),
        ("{{ profile.first_name|upper(1) }}", '"upper" is told nothing'),
        ("{{ profile.first_name|default('a', true, 'b') }}", '"default" is told 2 at most'),
    ],
)
def test_a_filter_that_is_told_too_much_is_refused(shown: str, says: str) -> None:
    """It would be an error for everybody, also for those who have the value."""
    with pytest.raises(Faulty) as caught:
        in_html(HTML.replace("Hello", shown))
    assert [it for it in caught.value.faults if says in it.message]


def test_every_filter_takes_what_it_may_be_told() -> None:
    """As many as it takes are fine, and `default` takes the second argument of Jinja2."""
    for shown in ("default('x', true)", "money('USD')", "join(', ')", "truncate(9, true, '-', 0)", "round(1, 'floor')"):
        assert [it for it in in_html(HTML.replace("Hello", f"{{{{ cart.items|{shown} }}}}")) if it.path] == []


def test_what_a_campaign_never_has_is_refused() -> None:
    """It has no event, nor has what a date starts, and without a logo in settings.json nobody has one."""
    for shown in ("{{ event.name }}", "{{ event.name|upper|default('x') }}", "{% if event.tags|length %}x{% endif %}"):
        assert [(it.file, it.severity) for it in in_campaign(shown)] == [("templates/page.html", "error")]
    (found,) = in_campaign("Hello", subject="{{ event.name }}")
    assert (found.file, found.path, found.severity) == ("campaigns/c.json", "steps[0].subject", "error")
    assert in_campaign("{{ event.name|default('x') }} {% if event.name %}{{ event.name }}{% endif %}") == []
    assert in_campaign("{{ event.name == 'x' }} {{ event.price > 3 }} {{ event.name or 'x' }}") == []
    (found,) = in_campaign("{{ shop.logo_url }}")
    assert "no logo_url" in found.message
    assert in_campaign("{% if shop.logo_url %}{{ shop.logo_url }}{% endif %}") == []
    assert in_campaign("{{ shop.logo_url }}", logo_url="https://shop.example/logo.png") == []


def test_what_starts_a_journey_says_whether_there_is_an_event() -> None:
    """A date has none; a segment may have been entered by what somebody did, so what is shown of it is a warning."""
    texts = {"templates/page.html": HTML.replace("Hello", "{{ event.name }}"), "segments/all.json": ALL}
    for trigger, severity in (
        ({"date_in": "birthday"}, "error"),
        ({"segment": "all"}, "warning"),
        ({"enrolled": True}, "warning"),
        ({"event": "Order Completed"}, "warning"),
    ):
        journey = {"name": "J", "trigger": trigger, "steps": [{"email": "page"}]}
        found = find({"settings.json": FILES["settings.json"], **texts, "journeys/j.json": json.dumps(journey)})
        assert [it.severity for it in found] == [severity]


@pytest.mark.parametrize(
    ("status", "severity"), [("draft", "error"), ("live", "error"), ("paused", "warning"), ("archived", "warning")]
)
def test_of_a_journey_that_rests_it_is_a_warning(status: str, severity: str) -> None:
    """Who stops a journey whose mail nobody could get is not refused; a mail without its links is the same."""
    page = HTML.replace("Hello", "{{ shop.logo_url }} {{ confirm_url }}")
    journey = {"name": "J", "kind": "marketing", "status": status, "trigger": {"event": "E"}}
    journey["steps"] = [{"email": "page"}]
    texts = {
        "settings.json": FILES["settings.json"],
        "journeys/j.json": json.dumps(journey),
        "templates/page.html": page,
    }
    found = find_faults({file: text.encode() for file, text in texts.items()})
    told = [
        (it.file, it.severity) for it in found if "nothing is sent" in it.message or "nothing would be" in it.message
    ]
    assert told == [("templates/page.html", severity)] * 2


NEEDED = [
    ("{{ event.order_id }}", "event.order_id"),
    ("{{ event.products[0].name }}", "event.products"),
    ("{% for item in cart.items %}{{ item.variant }}{% endfor %}", "item.variant"),
    ("{% if cart.items %}{% for it in cart.items[:3] %}{{ it.sku }}{% endfor %}{% endif %}", "it.sku"),
    ("{{ cart.items[0].brand }}", "cart.items[0].brand"),
    ("{{ profile.city|upper|default('x') }}", "profile.city"),
    ("{{ profile.city ~ '!' }}", "profile.city"),
    ("{{ profile.city and 'x' }}", "profile.city"),
    ("{% if profile.interests|length > 2 %}x{% endif %}", "profile.interests"),
    ("{% if profile.plan in 'gold silver' %}x{% endif %}", "profile.plan"),
    ("{% for it in profile.interests %}{{ it }}{% endfor %}", "profile.interests"),
    ("{{ profile.city or 'there' }}", ""),
    ("{{ profile.city or profile.town }}", ""),
    ("{{ profile.city|default(profile.town, true)|default('x') }}", ""),
    ("{{ 'x' if profile.points > 3 else 'y' }}", ""),
    ("{% if profile.interests and profile.interests|length > 2 %}x{% endif %}", ""),
    ("{% if profile.plan in ['gold', 'silver'] and 'a' not in profile.interests %}x{% endif %}", ""),
    ("{% for item in cart.items %}{{ item.name }}{{ item.variant|default('') }}{% endfor %}", ""),
    ("{% for item in cart.items %}{% if item.sku %}{{ item.sku }}{% endif %}{% endfor %}", ""),
]
"""What is shown, and what of it is told: nothing, where it is sent to whoever lacks it too."""


@pytest.mark.parametrize(("shown", "named"), NEEDED)
def test_what_may_be_absent_is_warned_of_where_nothing_would_be_sent(shown: str, named: str) -> None:
    """Exactly what fails for whoever lacks it is told, and what is written for such people is not."""
    found = [it.message for it in in_html(HTML.replace("Hello", shown))]
    assert found == ([f"{{{{ {named} }}}} is needed: who has none is sent nothing (template_error)."] if named else [])


@pytest.mark.parametrize(("shown", "named"), [each for each in NEEDED if "cart" not in each[0]])
def test_what_is_told_of_the_absent_is_so(shown: str, named: str) -> None:
    """Who has nothing is sent what is not warned of, and is not sent what is."""
    nobody = gather(State(), event=None, settings=Settings(shop=Shop(name="Shop"), sender=Sender(email="a@b.example")))
    if not named:
        if " or profile.town" not in shown:  # of two it is enough to have one
            assert render(Template(subject="S", html=shown), nobody).subject == "S"
        return
    with pytest.raises(TemplateFailed):
        render(Template(subject="S", html=shown), nobody)


def test_subjects_are_looked_at_too() -> None:
    """What the subject of a step needs is told with its place."""
    (found,) = in_campaign("Hello", subject="Hi {{ profile.first_name }}")
    assert (found.file, found.path, found.severity) == ("campaigns/c.json", "steps[0].subject", "warning")


def test_what_is_documented_as_absent_is_warned_of() -> None:
    """Every name of a list's entry of which the documentation says that it may be absent is known to the warning."""
    lackable = [name for name, text in SEEN.items() if "ay be absent" in text and name.startswith("cart.items[].")]
    assert len(lackable) > 5
    for name in lackable:
        shown = f"{{% for it in cart.items %}}{{{{ it.{name.rpartition('.')[2]} }}}}{{% endfor %}}"
        assert len(in_html(HTML.replace("Hello", shown))) == 1, name
