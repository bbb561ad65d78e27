"""A story has the same messages, times and reasons as the real handlers, driven without `cartwake story`."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from builders import a_cart_event, a_subscription, an_event, an_identify, an_order, publish
from shoppers import Shop
from typer.testing import CliRunner
from world import aws, client, lambda_context

from cartwake.bundles import Bundle
from cartwake.events import Event, Trust
from cartwake.rules.publication import choose
from cartwake.store import messages, runs
from cartwake.times import DAY, HOUR, MINUTE, SECOND, to_instant
from cartwake_cli.main import app
from cartwake_cli.reference import STARTER
from functions.run_step import app as run_step

TEN = to_instant(datetime(2026, 6, 1, 8, tzinfo=UTC))
"""The first of June 2026, 10:00 in Berlin, where the shop of the starter files is."""
PHONE = "+4915112340001"
KNOWN = "Ada is subscribed to email.\n"

type Row = tuple[str, str, str, str]
"""What happened, to which journey or template, when in UTC, and why."""


class Street(Shop):
    """A shop whose schedules fire on time."""

    def go(self, until: int) -> None:
        """Let time pass, and perform each step when its schedule says so."""
        scheduler = client("scheduler")
        while True:
            names = [it["Name"] for it in scheduler.list_schedules(GroupName="cartwake")["Schedules"]]
            found = [scheduler.get_schedule(Name=name, GroupName="cartwake") for name in names]
            due = sorted((_read_time(it["ScheduleExpression"]), it["Name"], it["Target"]["Input"]) for it in found)
            if not due or due[0][0] > until:
                break
            self.now = due[0][0]
            scheduler.delete_schedule(Name=due[0][1], GroupName="cartwake")
            run_step.handler(json.loads(due[0][2]), lambda_context())
            self.drain()
        self.now = until

    def tell(self, at: int, event: Event) -> None:
        """Have something happen at an instant."""
        self.go(at)
        self.hear(event)

    def remember(self, *, sms: bool = False) -> None:
        """Know Ada, who agreed a year before, by an import."""
        at, then = TEN - MINUTE, TEN - MINUTE - 365 * DAY
        known: dict[str, Any] = {
            "who": "u#ada", "user_id": "ada", "received_at": at, "occurred_at": then, "backfill": True,
        }  # fmt: skip
        self.now = at
        self.hear(an_identify(traits={"email": "ada@example.com"}, **known), a_subscription(**known))
        if sms:
            self.hear(
                an_identify(traits={"phone": PHONE}, **known, id="phone"), a_subscription("sms", **known, id="sms")
            )

    def list_rows(self, *keys: str) -> list[Row]:
        """Return what came of it."""
        found: list[Row] = []
        for key in keys:
            for run in runs.list_runs(key):
                found.append(("entered", run.journey, _show(run.entered_at), ""))
                found.append(("left", run.journey, _show(run.ended_at), f"{run.ended} {run.ended_by}".strip()))
            for message in messages.list_messages(key):
                at = message.accepted_at or message.settled_at
                found.append((message.state.value, message.template, _show(at), message.reason))
        return sorted(found)


def _read_time(expression: str) -> int:
    return to_instant(datetime.fromisoformat(expression.removeprefix("at(").removesuffix(")")).replace(tzinfo=UTC))


def _show(at: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at)).isoformat(timespec="seconds")


def ada(make: Callable[..., Event], at: int, **more: Any) -> Event:
    return make(who="u#ada", user_id="ada", at=at, **more)


def cart(at: int, **more: Any) -> Event:
    return ada(a_cart_event, at, trust=Trust.BROWSER, **more)


def leaves_a_cart(street: Street) -> None:
    street.remember()
    street.tell(TEN, cart(TEN))


def buys_half_way(street: Street) -> None:
    street.remember()
    street.tell(TEN, cart(TEN))
    street.tell(TEN + 3 * HOUR, ada(an_order, TEN + 3 * HOUR))


def was_written_to(street: Street) -> None:
    street.tell(TEN, ada(an_identify, TEN))
    street.tell(TEN + SECOND, ada(a_subscription, TEN + SECOND))
    street.tell(TEN + 10 * MINUTE, cart(TEN + 10 * MINUTE))


def comes_at_night(street: Street) -> None:
    street.remember(sms=True)
    street.tell(TEN + 11 * HOUR, cart(TEN + 11 * HOUR))


def unsubscribes(street: Street) -> None:
    street.remember()
    street.tell(TEN, cart(TEN))
    at = TEN + 2 * HOUR
    street.tell(at, ada(an_event, at, name="Unsubscribed", properties={"channel": "email"}))


def logs_in(street: Street) -> None:
    street.remember()
    visitor: dict[str, Any] = {"trust": Trust.BROWSER, "anonymous_id": "visitor"}
    street.tell(TEN, a_cart_event(who="a#visitor", at=TEN, **visitor))
    at = TEN + 10 * MINUTE
    street.tell(at, cart(at, product="P-2"))
    at += 10 * MINUTE
    street.tell(at, ada(an_event, at, name="Identified", type="identify", **visitor))


STORIES = {
    "leaves a cart": (leaves_a_cart, 'Ada adds "Trail Runner" for 129.'),
    "buys half-way": (buys_half_way, 'Ada adds "Trail Runner" for 129.\nafter 3 hours, Ada orders.'),
    "was written to": (
        was_written_to,
        'Ada gives email "ada@example.com".\nAda subscribes to email.\nafter 10 minutes, Ada adds "Trail Runner".',
    ),
    "comes at night": (
        comes_at_night,
        'Ada is subscribed to sms.\nafter 11 hours, Ada adds "Trail Runner" for 129.',
    ),
    "unsubscribes": (
        unsubscribes,
        'Ada adds "Trail Runner" for 129.\nafter 2 hours, Ada unsubscribes from email.',
    ),
    "logs in": (
        logs_in,
        'the visitor adds "A".\nafter 10 minutes, Ada adds "X".\nafter 10 minutes, the visitor logs in as Ada',
    ),
}


@pytest.fixture(scope="module")
def starter() -> Bundle:
    found = choose({it.relative_to(STARTER).as_posix(): it.read_bytes() for it in STARTER.rglob("*") if it.is_file()})
    assert found.bundle is not None
    return msgspec.structs.replace(found.bundle, generation=1)


@pytest.mark.parametrize("name", STORIES)
def test_a_story_is_what_the_handlers_do(
    name: str, starter: Bundle, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same runs, messages, instants to the second, and reasons."""
    play, text = STORIES[name]
    with monkeypatch.context() as patches, aws():
        publish(starter)
        street = Street(patches, TEN)
        play(street)
        street.go(street.now + 3 * DAY)
        expected = street.list_rows("u#ada", "a#visitor")
    file = tmp_path / "a.story"
    file.write_text(text if name == "was written to" else KNOWN + text)
    told = json.loads(CliRunner().invoke(app, ["story", str(file), "--rules", str(STARTER), "--json"]).output)[
        "stories"
    ][0]
    assert _read_told(told["happenings"]) == expected
    assert any(row[0] == "accepted" for row in expected)


def _read_told(happenings: list[dict[str, Any]]) -> list[Row]:
    states = {"sent": "accepted", "skipped": "skipped", "entered": "entered", "left": "left"}
    return sorted(
        (
            states[it["what"]],
            it.get("template", it["journey"]),
            datetime.fromisoformat(it["at"]).astimezone(UTC).isoformat(timespec="seconds"),
            f"{it.get('reason', '')} {it.get('by', '') if it['what'] == 'left' else ''}".strip(),
        )
        for it in happenings
        if it["what"] in states
    )
