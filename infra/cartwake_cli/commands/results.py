"""`cartwake results`: what tests of variants have come to, and which are decided."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import tell_faults
from cartwake_cli.results import draw_results, read_results
from cartwake_cli.stack import read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def results(
    name: Annotated[str, typer.Argument(help="A journey or a test; all there are if nothing is said.")] = "",
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say of each variant how many shoppers had it and what they did, with intervals of 95 %, and who has won.

    Example: `cartwake results welcome --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        deployed = read_stack(cloud, stack)
        found = read_results(Tables(cloud, deployed).read_live(), cloud.table(deployed.output("CountsTable")), name)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    console = Console(highlight=False)
    for journey, tests in found.items():
        for test, told in tests.items():
            console.print(f"[bold]{escape(test)}[/bold] in {escape(journey)}: {escape(told['message'])}")
            console.print(draw_results(told))
    if not found:
        console.print("No live journey has a test.")
