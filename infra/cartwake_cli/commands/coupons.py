"""`cartwake coupons`: how many codes of a pool are free, given and used, and all of them for a spreadsheet."""

from collections import Counter
from typing import Annotated

import typer

from cartwake.clock import read_clock
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import tell_faults
from cartwake_cli.pools import list_codes, write_csv
from cartwake_cli.stack import read_stack

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def coupons(
    pool: Annotated[str, typer.Argument(help="The name of a pool: of its file in coupons/, without the ending.")],
    as_csv: Annotated[
        bool, typer.Option("--csv", help="Print every code, with who has it, until when, and which order used it.")
    ] = False,
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Say how many codes of a pool are free, given, redeemed and expired. The whole table is read for it.

    Codes that Cartwake makes are listed as they are given, so that the shop can be told of them.

    Example: `cartwake coupons comeback-10 --csv > codes.csv`
    """
    with tell_faults():
        cloud, now = Cloud(), read_clock()
        codes = list_codes(cloud.table(read_stack(cloud, stack).output("CouponsTable")), pool)
    if as_csv:
        typer.echo(write_csv(codes, now), nl=False)
        return
    counts = Counter(code.state(now) for code in codes)
    states = ("free", "given", "redeemed", "expired")
    typer.echo(f"{pool}: {', '.join(f'{counts[state]} {state}' for state in states)}")
