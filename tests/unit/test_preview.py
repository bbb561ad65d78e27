"""`cartwake preview`: what it writes, for whom, and what it says when it cannot."""

import json
import shutil
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import NOON, a_bundle, a_cart_event, an_identify
from typer.testing import CliRunner

from cartwake.bundles import Template
from cartwake.profiles import Profile, State
from cartwake.registers import Register
from cartwake.segments import absorb, adopt
from cartwake_cli import previewing
from cartwake_cli.commands import preview
from cartwake_cli.main import app
from cartwake_cli.tables import Facts

STARTER = Path(__file__).parents[2] / "infra" / "starter"


def run(*arguments: str, rules: Path = STARTER) -> Any:
    return CliRunner().invoke(app, ["preview", *arguments, "--rules", str(rules)])


@pytest.fixture
def no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "BROWSERS", ())


def test_sample_is_written_with_a_picture(tmp_path: Path) -> None:
    """HTML, plain text and a picture as high as the mail, of sample data, without a stack."""
    found = run("cart-1", "--locale", "de", "--out", str(tmp_path))
    assert found.exit_code == 0, found.output
    assert "Subject (de): Trail Runner wartet noch auf dich" in found.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cart-1.de.html", "cart-1.de.png", "cart-1.de.txt"]
    assert "89,90" not in (tmp_path / "cart-1.de.txt").read_text()
    assert "179,80\u00a0€" in (tmp_path / "cart-1.de.txt").read_text()
    content = (tmp_path / "cart-1.de.png").read_bytes()
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    assert width == previewing.WIDTH
    assert 500 < height < 1_500


def test_without_a_browser_it_says_so(tmp_path: Path, no_browser: None) -> None:
    """Without a browser there is no picture, and it is said; all else is written."""
    found = run("welcome-1", "--out", str(tmp_path))
    assert found.exit_code == 0
    assert "No picture" in found.output
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".html", ".txt"]


def test_sms_is_a_text(tmp_path: Path, no_browser: None) -> None:
    """Of an SMS there is the text alone, and nothing is said of pictures."""
    found = run("cart-sms", "--out", str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["cart-sms.en.txt"]
    assert "picture" not in found.output


def test_push_is_told_as_a_phone_shows_it(tmp_path: Path, no_browser: None) -> None:
    """Of a push message there are title, body and link."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "settings.json").write_text((STARTER / "settings.json").read_text())
    text = '{"title": "Hi {{ profile.first_name }}", "body": "{{ cart.items[0].name }} waits."}'
    (tmp_path / "templates" / "cart-push.json").write_text(text)
    found = run("cart-push", "--out", str(tmp_path / "out"), rules=tmp_path)
    assert found.exit_code == 0, found.output
    assert "Title (en): Hi Anna" in found.output
    assert "Body (en): Trail Runner waits." in found.output
    (written,) = (tmp_path / "out").iterdir()
    assert written.read_text().splitlines()[:2] == ["Hi Anna", "Trail Runner waits."]


def test_a_day_is_one_of_the_readers_calendar() -> None:
    """A preview names the day that the message would name: by the reader's own clock, else by the shop's."""
    sms = Template(text="{{ event.at|date }}")
    rules = a_bundle(journeys={}, templates={"sms": sms})
    event = msgspec.structs.replace(a_cart_event(at=NOON), properties={"at": "2026-11-21T20:00:00-05:00"})
    for zone, day in ({"timezone": "America/New_York"}, "November 21, 2026"), ({}, "November 22, 2026"):
        traits = {name: Register(value, NOON, 1) for name, value in zone.items()}
        shown, _ = previewing.fill("sms", rules, previewing.Reader(State(traits=traits), event), now=NOON)
        assert shown.text == day


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("cart-3", "SAMPLE-7HK2QX"),
        ("order-shipped", "JD0001"),
        ("review-1", "Rain Jacket"),
        ("viewed-1", "Trail Runner"),
    ],
)
def test_sample_has_what_a_mail_shows(name: str, says: str, tmp_path: Path, no_browser: None) -> None:
    """A code that is nobody's where the step gives one, an order and a product: no mail needs more than the rules."""
    found = run(name, "--out", str(tmp_path))
    assert found.exit_code == 0, found.output
    assert says in (tmp_path / f"{name}.en.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [(["cart-11"], 1, 'did you mean "cart-1"?'), (["shop"], 1, 'no template "shop"')],
)
def test_what_cannot_be_shown_is_told(arguments: list[str], code: int, says: str, tmp_path: Path) -> None:
    """A template that is not there is told with the nearest one; a layout is none."""
    found = run(*arguments, "--out", str(tmp_path))
    assert (found.exit_code, list(tmp_path.iterdir())) == (code, [])
    assert says in found.output


def test_faults_are_told(tmp_path: Path) -> None:
    """Rules with faults show nothing."""
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.mjml").write_text("<mjml>")
    found = run("a", rules=tmp_path)
    assert found.exit_code == 2
    assert "templates/a.mjml" in found.output


def test_stored_shopper_is_shown_as_stored(tmp_path: Path, no_browser: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--as` somebody shows their name, cart and language; who lacks what is shown is told so."""
    rules = a_bundle()
    profile = adopt(Profile(who="u#1"), rules, 0)
    for event in (an_identify(at=NOON, context={"locale": "pl-PL"}), a_cart_event(at=NOON + 1)):
        profile, _ = absorb(profile, event, rules)

    class Stored:
        known = msgspec.structs.replace(profile, version=1)

        def find_key(self, who: str) -> str:
            assert who == "ada@example.com"
            return "u#1"

        def read_facts(self, key: str) -> Facts:
            assert key == "u#1"
            return Facts(profile=self.known)

        def read_live(self) -> None:
            raise AssertionError("there is a folder of rules")

    monkeypatch.setattr(preview, "_open", lambda _: Stored())
    found = run("cart-2", "--as", "ada@example.com", "--out", str(tmp_path))
    assert "Subject (pl-PL): Ada, Twój koszyk wciąż czeka" in found.output
    assert "Trail Runner" in (tmp_path / "cart-2.pl-PL.txt").read_text()
    Stored.known = msgspec.structs.replace(
        profile, state=msgspec.structs.replace(profile.state, cart=type(profile.state.cart)())
    )
    found = run("cart-1", "--as", "ada@example.com", "--out", str(tmp_path))
    assert found.exit_code == 1
    assert "would not be sent (template_error)" in found.output


def copy_starter(tmp_path: Path, shown: str) -> Path:
    """Return the starter files with the newsletter sent long ago, which shows something more in a text."""
    rules = tmp_path / "rules"
    shutil.copytree(STARTER, rules)
    campaign = rules / "campaigns" / "newsletter.json"
    told = json.loads(campaign.read_text()) | {"status": "live", "at": "2025-12-03T09:00", "steps": [{"sms": "sent"}]}
    campaign.write_text(json.dumps(told))
    (rules / "templates" / "sent.txt").write_text(shown)
    return rules


def test_a_campaign_whose_time_is_over_is_no_fault(tmp_path: Path, no_browser: None) -> None:
    """Every template is still shown on the day after, for the file of a sent campaign stays as it is."""
    found = run("cart-sms", "--out", str(tmp_path / "out"), rules=copy_starter(tmp_path, "Hello"))
    assert found.exit_code == 0, found.output


def test_the_sample_of_a_campaign_has_no_event(tmp_path: Path, no_browser: None) -> None:
    """What nobody's message will show is not shown: a campaign has no event, of which the sample else has one."""
    rules = copy_starter(tmp_path, "Hello {{ event.name|default('there') }}")
    found = run("sent", "--out", str(tmp_path / "out"), rules=rules)
    assert found.exit_code == 0, found.output
    assert (tmp_path / "out" / "sent.en.txt").read_text().strip() == "Hello there"
