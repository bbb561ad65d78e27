"""Rules of layouts and parts: what they make is one template, and a fault is told where it was written."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cartwake.bundles import Bundle
from cartwake.rules.compile import link
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import Content, read_file
from cartwake.rules.publication import InUse, Publication, choose
from cartwake_cli.main import app

FOOT = '<a href="{{ unsubscribe_url }}">Unsubscribe</a> {{ shop.postal_address }}'
LAYOUT = """\
<mjml>
  <mj-head><mj-title>{% block title %}News{% endblock %}</mj-title></mj-head>
  <mj-body><mj-section><mj-column>
    {% block body %}
    <mj-text>Nothing yet</mj-text>
    {% endblock %}
    <mj-text>{% include "foot" %}</mj-text>
  </mj-column></mj-section></mj-body>
</mjml>
"""
MAIL = """\
{% extends "shop" %}
{# what it is about #}
{% block title %}Hello {{ profile.first_name|default('you') }}{% endblock %}
{% block body %}
<mj-text>One</mj-text>
{% endblock %}
"""
FILES = {
    "templates/layouts/shop.mjml": LAYOUT,
    "templates/parts/foot.mjml": FOOT,
    "templates/mail.mjml": MAIL,
    "journeys/j.json": json.dumps(
        {"name": "J", "trigger": {"event": "Product Added"}, "steps": [{"email": "mail", "subject": "Hi"}]}
    ),
    "settings.json": json.dumps(
        {
            "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
            "sender": {"email": "shop@n.example"},
        }
    ),
}
type Texts = dict[str, str]


def compile_all(**changes: str) -> Bundle:
    linked = link(read(FILES | changes))
    assert not linked.conflicts
    return linked.bundle


def read(texts: Texts) -> dict[str, Content]:
    return {file: read_file(file, text.encode()) for file, text in texts.items()}


def find_faults(texts: Texts) -> list[Fault]:
    try:
        return [conflict.fault for conflict in link(read(texts)).conflicts]
    except Faulty as error:
        return list(error.faults)


def edited(file: str, old: str, new: str) -> Texts:
    assert old in FILES[file]
    return FILES | {file: FILES[file].replace(old, new)}


def publish(texts: Texts, before: Publication | None = None) -> Publication:
    files = {file: text.encode() for file, text in texts.items()}
    return choose(files, live=before.bundle, sources=before.sources) if before else choose(files)


def test_layout_blocks_and_parts_make_one_template() -> None:
    """What a template says stands in the blocks of its layout; parts stand where they are named."""
    bundle = compile_all()
    assert set(bundle.templates) == {"mail"}
    mail = bundle.templates["mail"]
    assert mail.subject == "Hello {{ profile.first_name|default('you') }}"
    assert "One" in mail.html
    assert "Nothing yet" not in mail.html
    assert FOOT in mail.html
    assert "{%" not in mail.html


def test_layouts_stand_on_layouts() -> None:
    """A layout may have a layout; the template's own block stands before the nearer layout's, and that before its."""
    changes = {
        "templates/layouts/sale.mjml": '{% extends "shop" %}{% block title %}Sale{% endblock %}'
        "{% block body %}<mj-text>{% block what %}Shoes{% endblock %}</mj-text>{% endblock %}",
        "templates/mail.mjml": '{% extends "sale" %}{% block what %}Boots{% endblock %}',
    }
    mail = compile_all(**changes).templates["mail"]
    assert mail.subject == "Sale"
    assert "Boots" in mail.html
    assert "Shoes" not in mail.html


def test_tags_leave_no_lines() -> None:
    """A tag alone on its line leaves none; with a hyphen it takes the white space beside it too."""
    title = "<mj-title>\n    {% block title %}\n    {% endblock %}\n</mj-title>"
    layout = LAYOUT.replace("<mj-title>{% block title %}News{% endblock %}</mj-title>", title)
    mail = MAIL.replace("{% block title %}Hello", "{% block title -%}  Hello")
    changes = {"templates/layouts/shop.mjml": layout, "templates/mail.mjml": mail}
    assert compile_all(**changes).templates["mail"].subject.startswith("Hello")


def test_demands_hold_for_the_whole() -> None:
    """What a marketing mail must show may stand in its layout or in a part; taken away there, the mail is wrong."""
    faults = find_faults(FILES | {"templates/parts/foot.mjml": "Bye"})
    assert {fault.file for fault in faults} == {"templates/mail.mjml"}
    assert len(faults) == 2


@pytest.mark.parametrize(
    ("texts", "file", "path", "says", "suggestion"),
    [
        (
            edited("templates/mail.mjml", '"shop"', '"shpo"'),
            "templates/mail.mjml",
            "line 1, column 1",
            "no layout",
            "shop",
        ),
        (
            edited("templates/mail.mjml", "block body", "block boddy"),
            "templates/mail.mjml",
            "line 4",
            "no block",
            "body",
        ),
        (
            edited("templates/layouts/shop.mjml", '"foot"', '"food"'),
            "templates/layouts/shop.mjml",
            "line 7, column 14",
            "no part",
            "foot",
        ),
        (
            edited("templates/layouts/shop.mjml", "<mjml>", '{% extends "shop" %}{% block x %}<mjml>')
            | {"templates/layouts/shop.mjml": '{% extends "shop" %}'},
            "templates/layouts/shop.mjml",
            "line 1, column 1",
            "circle: templates/layouts/shop.mjml → templates/layouts/shop.mjml",
            "",
        ),
        (
            FILES
            | {"templates/parts/foot.mjml": 'a\n{% include "a" %}', "templates/parts/a.mjml": '{% include "foot" %}'},
            "templates/parts/a.mjml",
            "line 1, column 1",
            "circle: templates/parts/foot.mjml → templates/parts/a.mjml → templates/parts/foot.mjml",
            "",
        ),
        (
            edited("templates/parts/foot.mjml", "shop.postal", "\nshop.postl"),
            "templates/parts/foot.mjml",
            "line 2",
            "postl_address",
            "postal_address",
        ),
        (
            edited("templates/layouts/shop.mjml", "News", "{{ shop.nam }}")
            | {"templates/mail.mjml": '{% extends "shop" %}'},
            "templates/layouts/shop.mjml",
            "line 2",
            '"nam"',
            "name",
        ),
        (
            edited("templates/mail.mjml", "<mj-text>One", "\n<mj-txt>One"),
            "templates/mail.mjml",
            "line 6, column 1",
            "<mj-txt>",
            "mj-text",
        ),
        (
            edited("templates/mail.mjml", "One</mj-text>", "One"),
            "templates/layouts/shop.mjml",
            "line 8, column 3",
            "where <mj-text> of templates/mail.mjml, line 5, column 1 is open",
            "",
        ),
        (
            edited("templates/parts/foot.mjml", "Unsub", '<b title="{{ shop.name }}" onclick="x">Unsub'),
            "templates/parts/foot.mjml",
            "line 1, column ",
            "onclick",
            "",
        ),
        (edited("templates/mail.mjml", "{#", "Hello {#"), "templates/mail.mjml", "line 2, column 1", "outside", ""),
        (edited("templates/mail.mjml", '"shop"', "shop"), "templates/mail.mjml", "line 1, column 1", "in quotes", ""),
        (
            edited("templates/mail.mjml", "{% extends", "\nx {% extends"),
            "templates/mail.mjml",
            "line 2, column 3",
            "before everything else",
            "",
        ),
        (
            edited("templates/mail.mjml", "One", "{% block title %}{% endblock %}"),
            "templates/mail.mjml",
            "line 3",
            "there twice",
            "",
        ),
        (
            edited("templates/parts/foot.mjml", "Uns", "{% block x %}{% endblock %}Uns"),
            "templates/parts/foot.mjml",
            "line 1",
            "no blocks",
            "",
        ),
        (
            edited("templates/parts/foot.mjml", "<a", '{% extends "shop" %}<a'),
            "templates/parts/foot.mjml",
            "line 1",
            "no layout",
            "",
        ),
        (edited("templates/mail.mjml", "One", "{{ super() }}"), "templates/mail.mjml", "line 5", "called", ""),
        (edited("templates/mail.mjml", "One", "{% if %}"), "templates/mail.mjml", "line 5", "expression", ""),
        (
            FILES
            | {f"templates/parts/p{n}.mjml": f'{{% include "p{n + 1}" %}}' * 9 for n in range(7)}
            | {"templates/parts/p7.mjml": "{# #}", "templates/parts/foot.mjml": '{% include "p0" %}'},
            "templates/parts/",
            "line 1",
            "larger than 256 KB",
            "",
        ),
    ],
)
def test_fault_is_told_where_it_was_written(texts: Texts, file: str, path: str, says: str, suggestion: str) -> None:
    """Each fault has the file and line in which a marketer wrote it, and the nearest right name."""
    faults = find_faults(texts)
    found = next(fault for fault in faults if says in fault.message)
    assert found.file.startswith(file)
    assert found.path.startswith(path)
    assert found.suggestion == suggestion


def test_changed_layout_changes_its_templates() -> None:
    """A change of a layout, or of a part, is news, and is in every template that uses it."""
    before = publish(FILES)
    found = publish(edited("templates/layouts/shop.mjml", "<mj-body>", "<mj-body background-color='#123456'>"), before)
    assert found.is_news(before.bundle, before.sources)
    assert found.bundle is not None
    assert "#123456" in found.bundle.templates["mail"].html
    found = publish(edited("templates/parts/foot.mjml", "Unsubscribe", "No more"), before)
    assert found.bundle is not None
    assert "No more" in found.bundle.templates["mail"].html


@pytest.mark.parametrize(
    "broken",
    [
        edited("templates/layouts/shop.mjml", "</mj-column>", ""),
        edited("templates/layouts/shop.mjml", "News", "{% if %}"),
        edited("templates/layouts/shop.mjml", "block body", "block bdy"),
        {file: text for file, text in FILES.items() if file != "templates/layouts/shop.mjml"},
    ],
)
def test_broken_layout_leaves_the_last_good_one(broken: Texts) -> None:
    """A layout with a fault, or that is gone, is not taken over: its last good version and its templates stay."""
    before = publish(FILES)
    found = publish(broken, before)
    assert found.bundle is not None
    assert before.bundle is not None
    assert found.bundle.templates == before.bundle.templates
    status = found.files["templates/layouts/shop.mjml"]
    assert (status.state, status.in_use) == ("rejected", InUse.LAST_GOOD)
    assert status.faults
    assert found.files["templates/mail.mjml"].in_use == InUse.CURRENT


def test_broken_part_stays_back_alone() -> None:
    """Of a part with a fault and a template that changed with it, only the part is not taken over."""
    before = FILES | {
        "templates/parts/extra.mjml": "<b>Extra</b>",
        "templates/mail.mjml": MAIL.replace("One", 'One {% include "extra" %}'),
    }
    texts = before | {
        "templates/parts/extra.mjml": "<b>New</a>",
        "templates/mail.mjml": before["templates/mail.mjml"].replace("One", "Two"),
    }
    found = publish(texts, publish(before))
    assert found.bundle is not None
    assert "Two <b>Extra</b>" in found.bundle.templates["mail"].html
    assert found.files["templates/parts/extra.mjml"].state == "rejected"


def test_new_block_and_its_use_go_live_together() -> None:
    """A layout and a template that fit only each other's new versions are taken over at once."""
    changed = edited("templates/layouts/shop.mjml", "block body", "block main")
    changed |= {"templates/mail.mjml": MAIL.replace("block body", "block main")}
    found = publish(changed, publish(FILES))
    assert all(status.state == "live" for status in found.files.values())


def test_layouts_and_parts_are_not_sent() -> None:
    """No step can name a layout or a part."""
    journey = FILES["journeys/j.json"].replace('"mail"', '"shop"')
    assert find_faults(FILES | {"journeys/j.json": journey})[0].path == "steps[0].email"


def test_check_tells_the_line_of_a_layout_once(tmp_path: Path) -> None:
    """`cartwake check` names file, line and column of a layout's fault, once, however many templates use it."""
    texts = edited("templates/layouts/shop.mjml", "<mj-section>", "<mj-sektion>")
    for file, text in (texts | {"templates/two.mjml": MAIL}).items():
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text(text)
    found = CliRunner().invoke(app, ["check", str(tmp_path)])
    assert found.exit_code == 1
    assert found.output.count("templates/layouts/shop.mjml:3:12") == 1
    assert "Did you mean: mj-section" in found.output
