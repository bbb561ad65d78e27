"""The page about events says what the endpoint does."""

from cartwake.capture.intake import TYPES
from cartwake.events import EVENT_NAMES
from cartwake.reasons import Refusal
from cartwake_cli import events_reference


def test_the_page_is_what_the_code_says() -> None:
    """docs/events.md is generated: run `python -m cartwake_cli.events_reference`."""
    assert events_reference.PAGE.read_text() == events_reference.write_page()


def test_every_reason_and_every_call_is_explained() -> None:
    """Each code that a client can meet has its line, and each call its own."""
    explained = [*events_reference.OF_REQUESTS, *events_reference.OF_EVENTS, *events_reference.LATER]
    assert sorted(explained) == sorted(Refusal)
    assert set(events_reference.STORED) == set(TYPES) == {*EVENT_NAMES, "track"}
