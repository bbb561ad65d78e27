"""`cartwake results`: how tests of variants stand, for people and for programs."""

import json
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from builders import CART, NOON, a_bundle
from typer.testing import CliRunner

from cartwake.bundles import Bundle
from cartwake.store import base, counts
from cartwake.variants import VariantTest
from cartwake_cli.commands import results as command
from cartwake_cli.faults import Fault
from cartwake_cli.main import app
from cartwake_cli.results import read_results

pytestmark = pytest.mark.usefixtures("tables")

TEST = VariantTest(digest="d", micros={"a": 500_000, "b": 500_000}, by="clicked", until_ms=1000, since=NOON)
RULES = a_bundle(journeys={"cart": CART}, tests={"cart": {"t": TEST}})


def count(variant: str, shard: int, day: str, **amounts: int) -> None:
    assert base.commit([counts.add(f"cart#t#d={variant}#{shard}", day, amounts, began_at=NOON + shard)])


def a_table() -> Any:
    count("a", 0, "2026-11-20", judged=60, clicked=5)
    count("a", 3, "2026-11-21", judged=40, clicked=5)
    count("b", 1, "2026-11-21", judged=100, clicked=20, unsubscribed=1)
    return boto3.resource("dynamodb").Table("counts")


def test_counts_of_all_days_and_shards_are_added_up() -> None:
    """What the functions count in many rows is one number, for the tool as for the function that decides."""
    table = a_table()
    told = read_results(RULES, table, "cart")["cart"]["t"]
    assert (told["variants"]["a"]["shoppers"], told["variants"]["a"]["clicked"]["number"]) == (100, 10)
    assert told["variants"]["a"]["clicked"]["between"] == [5.52, 17.44]
    assert told["variants"]["b"]["clicked"]["lift"] == 10.0
    assert told["ends_at"] == "2026-11-21T12:00:01.000Z"
    assert told["message"] == "Not decided: the smallest variant has 100 of 200 shoppers."
    assert counts.add_up("cart#t#d=a") == {"judged": 100, "clicked": 10, "began_at": NOON}


def test_a_name_that_is_none_says_what_there_is() -> None:
    """Journeys and tests can be named; of others it is said which there are."""
    table = a_table()
    assert read_results(RULES, table, "t") == read_results(RULES, table, "")
    with pytest.raises(Fault, match=r"there are t \(cart\)"):
        read_results(RULES, table, "subject")


def test_the_command_prints_a_table_or_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row for each variant and measure, below the sentence that says how far it is."""
    a_table()

    class Tables:
        def __init__(self, *_: Any) -> None:
            pass

        def read_live(self) -> Bundle:
            return RULES

    monkeypatch.setattr(command, "read_stack", lambda *_: SimpleNamespace(output=lambda _: "counts"))
    monkeypatch.setattr(command, "Tables", Tables)
    told = CliRunner().invoke(app, ["results"], env={"COLUMNS": "140"})
    assert "t in cart: Not decided" in told.output
    assert "5.52 … 17.44" in told.output
    assert "+10.00" in told.output
    listed = json.loads(CliRunner().invoke(app, ["results", "t", "--json"]).output)
    assert listed["cart"]["t"]["variants"]["b"]["unsubscribed"]["number"] == 1
