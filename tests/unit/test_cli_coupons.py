"""`cartwake coupons` and `explain`: which codes there are, who has them, and what became of them."""

import csv
from io import StringIO
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from builders import NOON, an_event
from typer.testing import CliRunner

from cartwake.coupons import Given, Taken
from cartwake.profiles import Profile, State
from cartwake.store import coupons, events
from cartwake.times import DAY, NEVER
from cartwake_cli.commands import coupons as command
from cartwake_cli.explanation import explain
from cartwake_cli.main import app
from cartwake_cli.pools import Code, list_codes, list_of_shopper, write_csv
from cartwake_cli.tables import Facts

pytestmark = pytest.mark.usefixtures("tables")


def _give(code: str, who: str, *, until: int = NEVER) -> Given:
    given = Given(who=who, pool="back", code=code, journey="cart", path="0", given_at=NOON, until=until)
    assert coupons.take(given, drawn=True, event=events.write_event(an_event(id=code)))
    return given


def _table() -> Any:
    coupons.put_free("back", dict.fromkeys(("A-1", "B-2", "=C3"), NEVER) | {"D-4": NOON})
    coupons.put_free("other", {"X-1": NEVER})
    _give("A-1", "u#1", until=NOON + DAY)
    taken = Taken(given=_give("B-2", "u#2"), redeemed_at=NOON + 5, redeemed_by="u#1", order="o-7")
    assert coupons.redeem(taken, event=events.write_event(an_event(id="used")))
    return boto3.resource("dynamodb").Table("coupons")


def test_every_code_is_listed_with_what_became_of_it() -> None:
    """Free, given, redeemed and expired codes of the one pool; a spreadsheet runs none of them as a formula."""
    rows = list(csv.DictReader(StringIO(write_csv(list_codes(_table(), "back"), NOON))))
    assert {row["code"]: row["state"] for row in rows} == {
        "A-1": "given",
        "B-2": "redeemed",
        "'=C3": "free",
        "D-4": "expired",
    }
    (used,) = [row for row in rows if row["code"] == "B-2"]
    assert (used["who"], used["order"], used["redeemed_at"]) == ("u#2", "o-7", "2026-11-21T12:00:00.005Z")
    (given,) = [row for row in rows if row["code"] == "A-1"]
    assert (given["given_at"], given["expires_at"]) == ("2026-11-21T12:00:00.000Z", "2026-11-22T12:00:00.000Z")


def test_the_command_counts_and_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line for people, or every code for a spreadsheet."""
    _table()
    monkeypatch.setattr(command, "read_stack", lambda *_: SimpleNamespace(output=lambda _: "coupons"))
    monkeypatch.setattr(command, "read_clock", lambda: NOON)
    told = CliRunner().invoke(app, ["coupons", "back"])
    assert told.output == "back: 1 free, 1 given, 1 redeemed, 1 expired\n"
    listed = CliRunner().invoke(app, ["coupons", "back", "--csv"])
    assert listed.output.splitlines()[0] == "code,state,who,journey,given_at,expires_at,redeemed_at,order"
    assert len(listed.output.splitlines()) == 5


def test_explain_shows_what_somebody_was_given_and_has_used() -> None:
    """Their own codes, and those of others that they used, with the order."""
    found = tuple(list_of_shopper(_table(), "u#1"))
    facts = Facts(profile=Profile(who="u#1", version=1, state=State(first_seen_at=NOON)), coupons=found)
    own, other = explain(facts, None, {}, now=NOON).as_data()["coupons"]
    assert own == {
        "pool": "back",
        "code": "A-1",
        "journey": "cart",
        "given": "2026-11-21T12:00:00.000Z",
        "good until": "2026-11-22T12:00:00.000Z",
        "state": "given",
        "redeemed": "no",
    }
    assert (other["code"], other["given"], other["state"]) == ("B-2", "to somebody else", "redeemed")
    assert other["redeemed"] == "2026-11-21T12:00:00.005Z, order o-7"


def test_a_code_that_is_over_says_so() -> None:
    """At its last instant it is no longer good."""
    code = Code(code="A", until=NOON, given_at=1)
    assert (code.state(NOON - 1), code.state(NOON)) == ("given", "expired")
