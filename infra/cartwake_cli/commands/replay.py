"""`cartwake replay`: a year of real orders through the tracking endpoint of a deployed stack."""

from collections.abc import Iterator, Sequence
from itertools import batched
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from urllib3 import PoolManager, Retry
from urllib3.exceptions import HTTPError
from urllib3.util import make_headers

from cartwake.clock import read_clock
from cartwake.times import Instant, format_instant, parse_instant
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.households import LAST_AT, Journey, make_calls
from cartwake_cli.stack import read_stack

app = typer.Typer(rich_markup_mode="markdown")
A_REQUEST = 100
_RETRY = Retry(
    total=8,
    backoff_factor=0.5,
    backoff_jitter=0.5,
    backoff_max=30,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods={"POST"},
)

type Calls = Sequence[dict[str, Any]]


@app.command()
def replay(
    key: Annotated[str, typer.Option(envvar="CARTWAKE_SERVER_KEY", help="A server's write key: cartwake keys make.")],
    stack: Annotated[str, typer.Option(help="The name of the CloudFormation stack.")] = "cartwake",
    url: Annotated[str, typer.Option(help="The tracking endpoint, if it is not the stack's own.")] = "",
    households: Annotated[int | None, typer.Option(min=1, help="Only so many households, of 2,469.")] = None,
    weeks: Annotated[int | None, typer.Option(min=1, help="Only the last so many weeks, of 53.")] = None,
    until_now: Annotated[
        bool, typer.Option("--until-now/--as-recorded", help="Move the last record, of 1 January 2018, to now.")
    ] = True,
    until: Annotated[str, typer.Option(help="Move it to this time; the same time again resumes a replay.")] = "",
) -> None:
    """Replay the orders of real households (the Complete Journey data) as imported history: it starts no journey.

    Example: `cartwake replay --households 100 --weeks 13 --key sk_... --stack my-shop`
    """
    console = Console(stderr=True)
    with tell_faults():
        address = (url or read_stack(Cloud(), stack).api_url).rstrip("/")
        end_at = _choose_end(until, until_now=until_now)
        with console.status("Reading the orders"):
            journey = Journey()
            baskets = journey.read_baskets(households=households, weeks=weeks)
            calls = list(make_calls(journey, baskets, shift_ms=end_at - LAST_AT))
        people = len({call["userId"] for call in calls})
        console.print(f"{len(baskets):,} orders of {people:,} households, until {format_instant(end_at)}")
        try:
            _show_progress(post_calls(address, key, calls), len(calls), console)
        except Fault as fault:
            raise Fault(f"{fault}; the same command with --until {format_instant(end_at)} resumes it") from fault


def post_calls(url: str, key: str, calls: Calls) -> Iterator[int]:
    """Post *calls* in batches, each until it is answered with success; yield how many each batch had.

    Raises:
        Fault: The endpoint does not answer, or refuses.
    """
    pool = PoolManager(retries=_RETRY, timeout=30)
    headers = make_headers(basic_auth=f"{key}:") | {"content-type": "application/json"}
    for batch in batched(calls, A_REQUEST, strict=False):
        try:
            answer = pool.request(
                "POST", f"{url}/v1/batch", body=msgspec.json.encode({"batch": batch}), headers=headers
            )
        except HTTPError as error:
            raise Fault(f"{url} does not answer ({type(error).__name__})") from error
        if answer.status != 200:
            raise Fault(f"{url} answers {answer.status}: {answer.data.decode(errors='replace')[:300]}")
        yield len(batch)


def _choose_end(until: str, *, until_now: bool) -> Instant:
    if not until:
        return read_clock() if until_now else LAST_AT
    try:
        return parse_instant(until)
    except ValueError as error:
        raise Fault(f'--until "{until}" is no time; write for example 2026-11-21T12:00:00Z') from error


def _show_progress(batches: Iterator[int], total: int, console: Console) -> None:
    columns = (TextColumn("Replaying"), BarColumn(), MofNCompleteColumn(), TextColumn("events"), TimeRemainingColumn())
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=total)
        for done in batches:
            progress.advance(task, done)
