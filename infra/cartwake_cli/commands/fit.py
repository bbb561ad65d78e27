"""`cartwake fit`: learn from the orders of all shoppers what predictions are made with."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cartwake.conditions.buying import YEAR_DAYS, Parameters, expect_order_value, expect_orders
from cartwake.conditions.histories import History, read_history
from cartwake.rules.base import check, dump
from cartwake.rules.prediction_models import Predictions, compile_predictions
from cartwake.times import Instant, format_instant
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.orders import Trackers, find_last, parse_until, read_file, read_stack_orders
from cartwake_cli.stack import read_stack
from cartwake_cli.tables import Tables

if TYPE_CHECKING:
    from cartwake_cli.fitting import Fitted

app = typer.Typer(rich_markup_mode="markdown")
FILE = "predictions.json"
STARTS = 12


@app.command()
def fit(
    orders: Annotated[
        Path | None, typer.Option(help="A file with a line for each order: customer,date,amount.", dir_okay=False)
    ] = None,
    stack: Annotated[str, typer.Option(help="Or a stack: take the orders among its events.")] = "",
    out: Annotated[Path, typer.Option(help="The file to write, or the folder of rules to put it in.")] = Path(FILE),
    until: Annotated[str, typer.Option(help="Orders after this day or time do not count. Else: the last order.")] = "",
) -> None:
    """Fit the models of buying to the orders of all shoppers, and write predictions.json.

    Churn risk, expected orders and expected value come from it. Upload it with the other rules, and do it again every
    few months. At least 100 customers must have bought on more than one day.

    Example: `cartwake fit --orders orders.csv --out rules/predictions.json`
    """
    console = Console(stderr=True, highlight=False)
    target = out / FILE if out.is_dir() else out
    with tell_faults():
        if not target.parent.is_dir():
            raise Fault(f"{target.parent} is not a folder; make it, or name another one with --out")
        trackers = _read(orders, stack, console)
        until_at = parse_until(until) if until else find_last(trackers.values())
        histories = [found for it in trackers.values() if (found := read_history(it, until_at)) is not None]
        fitted = _fit(histories, until_at, console)
        rule = make_rule(fitted, customers=len(histories), until=until_at)
    target.write_text(json.dumps(dump(rule), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _show(fitted, histories, compile_predictions(rule), until_at)
    console.print(f"Written: {target}")


def make_rule(fitted: "Fitted", *, customers: int, until: Instant) -> Predictions:
    """Return predictions.json, its numbers with seven digits."""

    def shorten(parameters: dict[str, float]) -> dict[str, float]:
        return {name: float(f"{value:.7g}") for name, value in parameters.items()}

    data = {
        "$schema": "schemas/predictions.json",
        "fitted_at": format_instant(until)[:10],
        "customers": customers,
        "buying": shorten(fitted.buying.parameters),
        "spending": shorten(fitted.spending.parameters),
    }
    rule = check(Predictions, data, FILE)
    if isinstance(rule, list):
        raise Fault("\n".join(str(fault) for fault in rule))
    return rule


def _read(orders: Path | None, stack: str, console: Console) -> Trackers:
    if (orders is None) == (not stack):
        raise Fault("say where the orders are: either --orders FILE or --stack NAME")
    if orders is not None:
        if not orders.is_file():
            raise Fault(f"there is no file {orders}")
        with _progress("Reading", orders.stat().st_size, console) as advance:
            return read_file(orders, advance)
    cloud = Cloud()
    with _progress("Reading orders", None, console) as advance:
        return read_stack_orders(Tables(cloud, read_stack(cloud, stack)), advance)


def _fit(histories: Sequence[History], until: Instant, console: Console) -> "Fitted":
    # NumPy and SciPy: not before they are needed, for they take longer to load than other commands to run.
    from cartwake_cli.fitting import fit_all, gather  # noqa: PLC0415

    sample = gather(histories, until)
    with _progress("Fitting", STARTS, console) as advance:
        return fit_all(sample, lambda: advance(1))


@contextmanager
def _progress(what: str, total: int | None, console: Console) -> Iterator[Callable[[int], None]]:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=total)
        yield lambda step: progress.advance(task, step)


def _show(fitted: "Fitted", histories: Sequence[History], parameters: Parameters, until: Instant) -> None:
    orders = sum(it.orders for it in histories)
    again = sum(it.repeats > 0 for it in histories)
    expected = [expect_orders(parameters, it, until) for it in histories]
    value = sum(count * expect_order_value(parameters, it) for count, it in zip(expected, histories, strict=True))
    first, last = (format_instant(at)[:10] for at in (min(it.first_at for it in histories), until))
    table = Table(box=None, show_header=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    for row in (
        ("orders", f"{orders:,} of {len(histories):,} customers, from {first} until {last}"),
        ("bought again", f"{again:,} customers ({again / len(histories):.0%}), on another day"),
        ("buying", _describe(fitted.buying.parameters, fitted.buying.likelihood)),
        ("", f"on average every {parameters.alpha / parameters.r:,.0f} days while they are there"),
        ("", f"after a purchase {parameters.a / (parameters.a + parameters.b):.0%} leave for good"),
        ("spending", _describe(fitted.spending.parameters, fitted.spending.likelihood)),
        ("", f"on average {parameters.p * parameters.v / (parameters.q - 1):,.2f} a purchase"),
        ("", f"goes along with the number of purchases by {fitted.correlation:+.2f} (0: not at all, as it should)"),
        (
            "expected",
            f"{sum(expected):,.0f} purchases of these customers in the next {YEAR_DAYS} days, for {value:,.0f}",
        ),
    ):
        table.add_row(*row)
    Console().print(table)
    for name in (*fitted.buying.at_bound, *fitted.spending.at_bound):
        text = f"Caution: {name} lies at its bound, so the model fits these orders badly. Are all of them in the file?"
        Console(stderr=True).print(text, style="yellow")


def _describe(parameters: dict[str, float], likelihood: float) -> str:
    told = ", ".join(f"{name} {value:.4g}" for name, value in parameters.items())
    return f"{told}; log-likelihood {likelihood:,.1f}"
