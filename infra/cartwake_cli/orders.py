"""Orders of all shoppers, from a file or from the events of a deployed stack, as the trackers that profiles keep."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Final

from cartwake.events import ORDER_COMPLETED, Event
from cartwake.profiles import Kind
from cartwake.rules.faults import find_nearest, name_all
from cartwake.times import NEVER, Instant, parse_instant
from cartwake.trackers import EMPTY, Entry, Need, Tracker, remember_all
from cartwake.values import MICROS, parse_number
from cartwake_cli.faults import Fault
from cartwake_cli.tables import Tables

NEED: Final = Need(event=ORDER_COMPLETED, amount="revenue", whole=True)
MOST_TOLD: Final = 10
A_REPORT: Final = 2_000
NAMES: Final = {
    "customer": ("customer", "customer_id", "customerid", "user", "user_id", "userid", "email", "who", "id"),
    "date": ("date", "ordered_at", "order_date", "created_at", "occurred_at", "timestamp", "time", "day"),
    "amount": ("amount", "revenue", "value", "total", "order_value", "dollar_value", "price", "sales"),
}
_FOREIGN: Final = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%Y.%m.%d", "%d-%m-%Y", "%d.%m.%y", "%d %b %Y")

type Trackers = dict[str, Tracker]
type Report = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Layout:
    """Which columns of a file are which, and what separates them: None for white space."""

    separator: str | None
    customer: int
    date: int
    amount: int
    has_header: bool

    @property
    def width(self) -> int:
        """How many columns a row has at least."""
        return max(self.customer, self.date, self.amount) + 1


def read_file(path: Path, report: Report = lambda _: None) -> Trackers:
    """Return the orders in a file, by customer.

    Args:
        path: A line for each order: customer, date and amount, with commas, semicolons, tabs or spaces between them. A
            first line may name the columns; then there may be others, in any order.
        report: Is told now and then how many characters more are read.

    Raises:
        Fault: Something in it is no order; the first ten are told, with their lines.
    """
    entries: dict[str, list[Entry]] = {}
    faults: list[str] = []
    read = 0
    for line, text, cells, layout in _split(path):
        read += len(text)
        if line % A_REPORT == 0:
            report(read)
            read = 0
        try:
            customer, at, micros = _parse(cells, layout)
        except ValueError as error:
            faults.append(f"line {line}: {error}")
        else:
            entries.setdefault(customer, []).append(Entry(at, line, micros))
    report(read)
    if faults:
        raise Fault(_tell(path, faults))
    if not entries:
        raise Fault(f"{path} has no orders in it; each line is one: customer,date,amount")
    return {customer: Tracker(0, tuple(sorted(each))) for customer, each in entries.items()}


def read_stack_orders(tables: Tables, report: Report = lambda _: None) -> Trackers:
    """Return the orders among a stack's events, by shopper; *report* is told how many more were read.

    Whoever ordered before they gave their name is one shopper with who they turned out to be.
    """
    events: dict[str, list[Event]] = {}
    for event in tables.scan_events(ORDER_COMPLETED):
        if not event.bot:
            events.setdefault(event.who, []).append(event)
        report(1)
    joined: dict[str, list[Event]] = {}
    for who, each in events.items():
        profile = tables.read_profile(who) if who.startswith("a#") else None
        if profile is None or profile.kind is not Kind.TOMBSTONE:
            joined.setdefault(profile.who if profile else who, []).extend(each)
    found = {who: remember_all(EMPTY, each, NEED) for who, each in joined.items()}
    if not any(tracker.entries for tracker in found.values()):
        raise Fault(f'the stack has no "{ORDER_COMPLETED}" events with a revenue; import some, or give --orders FILE')
    return {who: tracker for who, tracker in found.items() if tracker.entries}


def find_last(trackers: Iterable[Tracker]) -> Instant:
    """Return when the last order of all was made."""
    return max(tracker.entries[-1].at for tracker in trackers)


def parse_until(text: str) -> Instant:
    """Return the instant until which orders count; a day is its first moment, by UTC.

    Raises:
        Fault: It is neither a day nor a time.
    """
    try:
        return parse_instant(text)
    except ValueError as error:
        raise Fault(f"--until: {_tell_date(text)}") from error


def _split(path: Path) -> Iterator[tuple[int, str, list[str], Layout]]:
    """Yield each row with its line, its text, its cells and the layout."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            yield from _split_lines(lines)
    except UnicodeDecodeError as error:
        raise Fault(f"{path} is not UTF-8 text ({error.reason}); save it as CSV, UTF-8") from error
    except OSError as error:
        raise Fault(f"{path} cannot be read: {error.strerror}") from error


def _split_lines(lines: Iterator[str]) -> Iterator[tuple[int, str, list[str], Layout]]:
    layout: Layout | None = None
    for line, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        if layout is None:
            layout = _find_layout(text)
            if layout.has_header:
                continue
        yield line, text, _cut(text, layout.separator), layout


def _cut(text: str, separator: str | None) -> list[str]:
    if separator is None:
        return text.split()
    return [cell.strip() for cell in next(csv.reader([text], delimiter=separator), [])]


def _find_layout(first: str) -> Layout:
    separator = next((each for each in "\t;," if each in first), None)
    cells = [cell.casefold() for cell in _cut(first, separator)]
    known = set(chain.from_iterable(NAMES.values()))
    if not known & set(cells) or any(_is_date(cell) for cell in cells):
        return Layout(separator, 0, 1, max(2, len(cells) - 1), has_header=False)
    places = {what: _find_column(cells, what) for what in NAMES}
    return Layout(separator, places["customer"], places["date"], places["amount"], has_header=True)


def _find_column(cells: Sequence[str], what: str) -> int:
    for name in NAMES[what]:
        if name in cells:
            return cells.index(name)
    nearest = find_nearest(what, cells)
    meant = f'; is it "{nearest}"? Then call it "{what}"' if nearest else f'; call one "{what}"'
    raise Fault(f"line 1: no column is the {what}: there are {name_all(cells)}{meant}")


def _parse(cells: Sequence[str], layout: Layout) -> tuple[str, Instant, int]:
    """Return the customer, the time and the amount in a row.

    Raises:
        ValueError: It is no order; the text says why.
    """
    if len(cells) < layout.width:
        raise ValueError(f"{len(cells)} columns, and there should be {layout.width}: customer, date and amount")
    customer, date, amount = cells[layout.customer], cells[layout.date], cells[layout.amount]
    if not customer:
        raise ValueError("no customer is named")
    number = parse_number(amount)
    if number is None:
        raise ValueError(_tell_amount(amount))
    try:
        return customer, parse_instant(date), round(number * MICROS)
    except ValueError:
        raise ValueError(_tell_date(date)) from None


def _tell_date(text: str) -> str:
    meant = dict.fromkeys(found for form in _FOREIGN if (found := _read_foreign(text, form)))
    return f'"{text}" is not a date; write {" or ".join(meant) or "for example 2026-11-22"}'


def _read_foreign(text: str, form: str) -> str:
    try:
        return datetime.strptime(text.strip(), form).replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return ""


def _tell_amount(text: str) -> str:
    found = re.search(r"-?\d[\d., ]*", text)
    number = parse_number(found[0].rstrip("., ")) if found else None
    return f'"{text}" is not an amount; write {"for example 19.90" if number is None else f"{number}"}'


def _is_date(text: str) -> bool:
    try:
        return 0 <= parse_instant(text) < NEVER
    except ValueError:
        return False


def _tell(path: Path, faults: Sequence[str]) -> str:
    told = "\n  ".join(faults[:MOST_TOLD])
    more = f"\n  … and {len(faults) - MOST_TOLD:,} more lines" if len(faults) > MOST_TOLD else ""
    return f"{len(faults):,} line{'s' if len(faults) != 1 else ''} of {path} cannot be read:\n  {told}{more}"
