"""What tests of variants have come to, read from the deployed tables."""

from typing import Any

from rich.table import Table

from cartwake.bundles import Bundle
from cartwake.participants import BEGAN, JUDGED
from cartwake.store.base import SHARDS
from cartwake.times import NEVER
from cartwake.variants import GUARD, MEASURES
from cartwake.winners import list_measured, show_test
from cartwake_cli.cloud import Client
from cartwake_cli.faults import Fault

type Results = dict[str, dict[str, dict[str, Any]]]
"""By journey and test, as `show_test` tells it."""


def read_results(rules: Bundle | None, table: Client, name: str) -> Results:
    """Return the results of the tests of a journey, or of the tests of a name; "" for all there are.

    Raises:
        Fault: There is no such journey or test.
    """
    found: Results = {}
    measured = list_measured(rules) if rules else []
    for each in measured:
        if name in ("", each.journey, each.name):
            counts = {variant: _add_up(table, counter) for variant, counter in each.counters.items()}
            found.setdefault(each.journey, {})[each.name] = show_test(each.test, counts)
    if found or (not name and rules):
        return found
    there = ", ".join(f"{it.name} ({it.journey})" for it in measured)
    raise Fault(f"no live journey has a test {name}; there {'are ' + there if there else 'is none'}")


def draw_results(told: dict[str, Any]) -> Table:
    """Return the table of one test: a row for each variant and measure."""
    table = Table(box=None, header_style="bold")
    for title in ("variant", "shoppers", "measure", "number", "percent", "between", "lift", "between"):
        table.add_column(title, justify="left" if title in ("variant", "measure") else "right")
    for name, variant in told["variants"].items():
        for place, measure in enumerate((*MEASURES, GUARD)):
            seen = variant[measure]
            first = [name, str(variant["shoppers"])] if place == 0 else ["", ""]
            lift = [f"{seen['lift']:+.2f}", _say_between(seen["lift_between"])] if "lift" in seen else ["", ""]
            style = "bold" if measure == told["by"] else None
            row = [measure, str(seen["number"]), f"{seen['percent']:.2f}", _say_between(seen["between"]), *lift]
            table.add_row(*first, *row, style=style)
    return table


def _say_between(pair: list[float]) -> str:
    return f"{pair[0]:.2f} … {pair[1]:.2f}"


def _add_up(table: Client, counter: str) -> dict[str, int]:
    """Return what was counted on all days, in all shards."""
    found: dict[str, int] = {}
    for shard in range(SHARDS):
        asked = {"KeyConditionExpression": "#key = :key", "ExpressionAttributeNames": {"#key": "counter"}}
        page = table.query(**asked, ExpressionAttributeValues={":key": f"{counter}#{shard}"})
        for row in page["Items"]:
            for name in (JUDGED, *MEASURES, GUARD):
                found[name] = found.get(name, 0) + int(row.get(name, 0))
            if BEGAN in row:
                found[BEGAN] = min(found.get(BEGAN, NEVER), int(row[BEGAN]))
    return found
