"""Pools: what a journey, its templates and coupons/ must say alike is told where it is wrong, before it is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from cartwake.bundles import Bundle, Pool
from cartwake.journeys import Send
from cartwake.rules.faults import Fault
from cartwake.rules.publication import choose
from cartwake.times import DAY
from cartwake_cli.commands.check import find_faults

STARTER = Path(__file__).parents[2] / "infra" / "starter"
SETTINGS = {"settings.json": (STARTER / "settings.json").read_bytes()}
SHOWS = "<mj-text>{{ coupon.code }} {{ coupon.expires_at|default('') }}</mj-text>"


def mail(body: str) -> bytes:
    footer = "<mj-text>{{ shop.postal_address }} <a href='{{ unsubscribe_url }}'>no</a></mj-text>"
    head = "<mj-head><mj-title>Hi</mj-title><mj-preview>Hello</mj-preview></mj-head>"
    whole = f"<mjml>{head}<mj-body><mj-section><mj-column>{body}{footer}</mj-column></mj-section></mj-body></mjml>"
    return whole.encode()


def journey(**step: Any) -> bytes:
    steps = [{"email": "m"} | step]
    return json.dumps({"name": "J", "trigger": {"event": "Product Added"}, "steps": steps}).encode()


def pool(**changes: Any) -> bytes:
    return json.dumps({"name": "P"} | changes).encode()


FILES = {
    **SETTINGS,
    "journeys/j.json": journey(coupon="back"),
    "templates/m.mjml": mail(SHOWS),
    "coupons/back.csv": b"code\nA-1\n",
}


def tell(**changes: bytes | None) -> list[Fault]:
    """Return what `cartwake check` says of the files with some of them changed; keys are paths with __ for the dot."""
    files = FILES | {name.replace("__", ".").replace("_", "/", 1): it for name, it in changes.items() if it is not None}
    for name, it in changes.items():
        if it is None:
            files.pop(name.replace("__", ".").replace("_", "/", 1))
    return find_faults({file: it for file, it in files.items() if it is not None})


def live(files: dict[str, bytes]) -> Bundle:
    found = choose(files).bundle
    assert found is not None
    return found


def test_a_pool_is_a_file_of_codes_or_one_of_settings() -> None:
    """A CSV alone is a pool; a JSON beside it says how long codes are good, or one alone that codes are made."""
    files = FILES | {
        "coupons/a.csv": b"code\nA\n",
        "coupons/a.json": pool(valid_for="14 days", low_at=5),
        "coupons/b.json": pool(generate={"prefix": "BACK-"}),
    }
    assert live(files).pools == {
        "a": Pool(valid_for_ms=14 * DAY, low_at=5),
        "b": Pool(prefix="BACK-", length=8),
        "back": Pool(),
    }
    (step,) = live(files).journeys["j"].steps
    assert isinstance(step, Send)
    assert step.coupon == "back"


def test_what_is_right_is_not_complained_of() -> None:
    """A step with a coupon, a template that shows it, a file of codes."""
    assert tell() == []


@pytest.mark.parametrize(
    ("changes", "file", "path", "says", "suggestion"),
    [
        ({"journeys_j__json": journey(coupon="bcak")}, "journeys/j.json", "steps[0].coupon", "no pool", "back"),
        ({"journeys_j__json": journey()}, "templates/m.mjml", "line 1", "sends it without one", ""),
        (
            {"journeys_j__json": journey(subject="{{ coupon.code }}"), "templates_m__mjml": mail("")},
            "journeys/j.json",
            "steps[0].subject",
            "The subject shows a coupon",
            "",
        ),
        (
            {"coupons_back__json": pool(generate={"prefix": "X-"})},
            "coupons/back.json",
            "generate",
            "keep one of the two",
            "",
        ),
        (
            {"coupons_back__json": pool(generate={"prefix": "x "})},
            "coupons/back.json",
            "generate.prefix",
            "written",
            "",
        ),
        ({"coupons_back__json": pool(valid_for="2 months")}, "coupons/back.json", "valid_for", "duration", "60 days"),
        ({"coupons_back__json": pool(low=3)}, "coupons/back.json", "low", 'no "low"', "low_at"),
        ({"coupons_back__csv": b"codes\nX\n"}, "coupons/back.csv", "line 1", "no column", "code"),
        ({"templates_m__mjml": mail("{{ coupon.kode }}")}, "templates/m.mjml", "line 1", 'no "kode"', "code"),
    ],
)
def test_what_does_not_fit_is_a_fault(
    changes: dict[str, bytes], file: str, path: str, says: str, suggestion: str
) -> None:
    """Where, what, and the nearest right thing."""
    (fault,) = [it for it in tell(**changes) if it.severity == "error"]
    assert (fault.file, fault.path, fault.suggestion) == (file, path, suggestion)
    assert says in fault.message


def test_a_plain_text_beside_the_mail_counts_too() -> None:
    """It goes out with the mail, so it needs the coupon as much, and may be where it is shown."""
    text = b"Your code: {{ coupon.code }}"
    (fault,) = tell(journeys_j__json=journey(), templates_m__mjml=mail(""), templates_m__txt=text)
    assert fault.file == "templates/m.txt"
    assert tell(templates_m__mjml=mail(""), templates_m__txt=text) == []


@pytest.mark.parametrize(
    "body",
    [
        "<mj-text>{% if coupon.code %}{{ coupon.code }}{% endif %}</mj-text>",
        "<mj-text>{{ coupon.code|default('WELCOME') }}</mj-text>",
    ],
)
def test_a_template_may_do_without(body: str) -> None:
    """What asks first, or says what stands instead, can be sent with a coupon and without."""
    assert tell(journeys_j__json=journey(), templates_m__mjml=mail(body)) == []
    assert tell(templates_m__mjml=mail(body)) == []


def test_a_code_without_an_end_has_no_last_day() -> None:
    """Generated codes that are always good cannot be shown with a date: each such message would be skipped."""
    body = mail("<mj-text>{{ coupon.code }} {{ coupon.expires_at|date }}</mj-text>")
    made = {"coupons_back__csv": None, "templates_m__mjml": body}
    (fault,) = tell(**made, coupons_back__json=pool(generate={}))
    assert (fault.file, fault.path, fault.example) == ("templates/m.mjml", "line 1", '"valid_for": "14 days"')
    assert tell(**made, coupons_back__json=pool(generate={}, valid_for="14 days")) == []


def test_a_code_that_nobody_sees_is_a_warning() -> None:
    """The step would take a code of the pool for each shopper, and show none."""
    (doubt,) = tell(templates_m__mjml=mail("{{ coupon.expires_at }}"))
    assert (doubt.severity, doubt.file, doubt.path) == ("warning", "journeys/j.json", "steps[0].coupon")
    assert 'template "m" does not show it' in doubt.message
    assert tell(templates_m__mjml=mail(""), journeys_j__json=journey(coupon="back", subject="{{ coupon.code }}")) == []


def test_wrong_lines_are_warnings() -> None:
    """`cartwake check` tells the line; the file is taken over all the same."""
    (doubt,) = tell(coupons_back__csv=b"code\nA-1\ntwo words\n")
    assert (doubt.severity, doubt.file, doubt.path) == ("warning", "coupons/back.csv", "line 3")
    assert [it.message for it in tell(coupons_back__csv=b"code\n")] == ["There are no codes in it."]


def test_a_pool_that_may_be_empty_is_no_warning() -> None:
    """Who wants no alarm when no code is left is not told that there is none; of any other pool it is told."""
    assert tell(coupons_back__csv=b"code\n", coupons_back__json=pool(low_at=0)) == []
    assert len(tell(coupons_back__csv=b"code\n", coupons_back__json=pool(low_at=1))) == 1


def test_a_folder_without_coupons_is_a_part() -> None:
    """Of what is checked in parts nothing is missed: codes seldom lie beside the rules."""
    assert tell(coupons_back__csv=None) == []


def test_a_pool_without_codes_does_not_go_live() -> None:
    """In the bucket the whole counts: settings alone, that make no codes, are no pool."""
    found = choose(FILES | {"coupons/x.json": pool()})
    assert "no coupons/x.csv" in found.files["coupons/x.json"].faults[0].message
    assert set(live(FILES).pools) == {"back"}


def test_a_pool_that_a_step_names_cannot_go() -> None:
    """As with every file that others need: it is told, and what was live stays."""
    first = choose(FILES)
    later = choose(
        {file: it for file, it in FILES.items() if file != "coupons/back.csv"}, live=first.bundle, sources=first.sources
    )
    assert later.bundle is not None
    assert set(later.bundle.pools) == {"back"}
    assert "cannot go" in later.files["coupons/back.csv"].faults[0].message
