"""Rules of docs/journeys.md and docs/experiments.md: what they show can be copied."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from cartwake.rules.base import check
from cartwake.rules.models import Journey
from cartwake.rules.step_models import STEPS
from cartwake_cli.local.places import ROOT

PAGE = (ROOT / "docs" / "journeys.md").read_text()


def list_steps() -> Iterator[dict[str, Any]]:
    """Every step that the page shows, one a line."""
    for block in re.findall(r"^```json steps\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL):
        yield from map(json.loads, block.splitlines())


def list_tests() -> Iterator[dict[str, Any]]:
    """Every step that the page of tests shows, one a block."""
    page = (ROOT / "docs" / "experiments.md").read_text()
    yield from map(json.loads, re.findall(r"^```json steps\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))


def list_journeys() -> Iterator[dict[str, Any]]:
    """Every journey that the page shows, and one for each trigger in its table."""
    yield from map(json.loads, re.findall(r"^```json\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
    for trigger in re.findall(r"^\| `(\{.*?\})` \|", PAGE, re.MULTILINE):
        yield {"name": "J", "trigger": json.loads(trigger), "steps": [{"email": "a"}]}


@pytest.mark.parametrize("step", [*list_steps(), *list_tests()], ids=json.dumps)
def test_every_step_is_one(step: dict[str, Any]) -> None:
    """Each example of a step is read without a fault."""
    read = check(Journey, {"name": "J", "trigger": {"event": "A"}, "steps": [step]}, "j.json")
    assert isinstance(read, Journey), read


@pytest.mark.parametrize("journey", [*list_journeys()], ids=lambda it: json.dumps(it["trigger"]))
def test_every_journey_is_one(journey: dict[str, Any]) -> None:
    """Each example of a journey or a trigger is read without a fault."""
    read = check(Journey, journey, "j.json")
    assert isinstance(read, Journey), read


def test_every_kind_of_step_and_trigger_is_shown() -> None:
    """The page has an example of each."""
    shown = {key for step in list_steps() for key in step}
    assert set(STEPS) <= shown
    triggers = [journey["trigger"] for journey in list_journeys()]
    assert {key for trigger in triggers for key in trigger} == {
        "event", "where", "segment", "on", "date_in", "before", "at", "every_year", "enrolled",
    }  # fmt: skip
