"""The demo's copy of the starter files: what is shortened, and that the rest is the starter's own."""

import json
from pathlib import Path
from typing import Any

from cartwake_cli.demo import overlay
from cartwake_cli.local import places

URL = "http://127.0.0.1:8787"


def copy(tmp_path: Path) -> Path:
    return overlay.copy_rules(places.STARTER, tmp_path / "rules", url=URL)


def list_waits(steps: list[dict[str, Any]]) -> list[str]:
    inner = [list_waits(step.get("then", []) + step.get("else", [])) for step in steps]
    return [step["wait"] for step in steps if "wait" in step] + [wait for waits in inner for wait in waits]


def test_the_settings_say_that_this_is_a_demo(tmp_path: Path) -> None:
    """Short caps, no quiet hours, links to the demo's page; name, sender and all else are the starter's."""
    starter = json.loads((places.STARTER / "settings.json").read_text())
    settings = json.loads((copy(tmp_path) / "settings.json").read_text())
    assert settings["demo"] is True
    assert settings["caps"] == {"email": "1 second", "sms": "1 second"}
    assert settings["sending_hours"] == {"email": None, "sms": None}
    assert settings["shop"] == starter["shop"] | {"url": URL}
    assert settings["sender"] == starter["sender"]


def test_every_wait_takes_seconds(tmp_path: Path) -> None:
    """No wait of the copy is longer than the longest of the demo, at whatever depth it stands."""
    found: list[str] = []
    for path in (copy(tmp_path) / "journeys").glob("*.json"):
        waits = list_waits(json.loads(path.read_text())["steps"])
        assert set(waits) <= {overlay.WAIT, overlay.LONG_WAIT}
        found += waits
    assert len(found) >= 3


def test_status_trigger_and_exits_are_the_starters(tmp_path: Path) -> None:
    """A journey that is paused in the starter files is paused in the demo: its check must then fail."""
    folder = copy(tmp_path)
    for path in (places.STARTER / "journeys").glob("*.json"):
        before, after = json.loads(path.read_text()), json.loads((folder / "journeys" / path.name).read_text())
        kept = set(before) - {"steps", "again"}
        assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    paused = overlay.shorten_journey({"status": "paused", "steps": [{"wait": "1 hour"}]})
    assert paused["status"] == "paused"


def test_steps_inside_branches_are_shortened_too() -> None:
    """A wait in a branch is a wait; what is short already stays."""
    step = {
        "if": {},
        "then": [{"wait": "2 days"}],
        "else": [{"wait": "30 minutes", "at_most": "1 hour"}, {"wait": "5 seconds"}],
    }
    assert overlay.shorten_journey({"steps": [step]})["steps"] == [
        {
            "if": {},
            "then": [{"wait": overlay.LONG_WAIT}],
            "else": [{"wait": overlay.WAIT, "at_most": overlay.AT_MOST}, {"wait": "5 seconds"}],
        }
    ]


def test_other_files_are_copied_as_they_are(tmp_path: Path) -> None:
    """Segments and templates are the starter's, byte for byte."""
    folder = copy(tmp_path)
    for kind in ("segments", "templates"):
        for path in (places.STARTER / kind).rglob("*.*"):
            assert (folder / path.relative_to(places.STARTER)).read_bytes() == path.read_bytes()
