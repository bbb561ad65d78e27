"""CDNOW: 18 months of orders of everybody who first bought at a music shop in early 1997, as `lifetimes` ships them.

The papers on models of buying take a tenth of the customers, and learn from the first 39 weeks.
"""

import csv
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from cartwake.events import ORDER_COMPLETED, Event, Trust
from cartwake.times import DAY, Instant, parse_instant
from cartwake.trackers import EMPTY, Tracker, remember_all
from cartwake_cli.orders import NEED

ROWS, CUSTOMERS, MICROS = 69_659, 23_570, 2_500_315_630_000
WEEK = 7 * DAY
LEARNED_UNTIL: Instant = parse_instant("1997-09-30")
"""The end of week 39."""
LAST_AT: Instant = parse_instant("1998-06-30")
"""The end of week 78."""


def find_folder() -> Path:
    """The package's data, found without importing it: what it needs is not installed."""
    found = find_spec("lifetimes")
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent / "datasets"


def find_file() -> Path:
    """All orders: customer, date, number of discs, dollars."""
    return find_folder() / "CDNOW_master.txt"


@cache
def read_events() -> dict[str, list[Event]]:
    """Every order as an event, by customer."""
    events: dict[str, list[Event]] = {}
    lines = find_file().read_text().splitlines()[1:]
    for number, line in enumerate(lines):
        customer, date, _, dollars = line.split()
        at = parse_instant(date)
        event = Event(
            who=f"u#{customer}",
            id=f"row-{number}",
            name=ORDER_COMPLETED,
            occurred_at=at,
            received_at=at,
            trust=Trust.SERVER,
            properties={"revenue": float(dollars)},
        )
        events.setdefault(customer, []).append(event)
    return events


@cache
def read_trackers() -> dict[str, Tracker]:
    """What a profile would remember of every customer's orders."""
    return {customer: remember_all(EMPTY, events, NEED) for customer, events in read_events().items()}


@cache
def read_sample() -> dict[str, str]:
    """The tenth of the customers: the number that each has among all, by the number in the sample."""
    lines = (find_folder() / "CDNOW_sample.txt").read_text().splitlines()
    return {sampled: customer for customer, sampled, *_ in (line.split() for line in lines)}


def read_summary() -> list[dict[str, float]]:
    """The published summary of the sample's 39 weeks: x, t_x, T in weeks, and the mean repeat purchase in dollars."""
    with (find_folder() / "cdnow_customers_summary_with_transactions.csv").open() as lines:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(lines)]
