"""`cartwake explain`: the profile of one shopper, and every reason for what was and was not sent."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cartwake_cli import explanation
from cartwake_cli.cloud import Cloud
from cartwake_cli.explanation import Explanation
from cartwake_cli.faults import tell_faults
from cartwake_cli.stack import Stack, read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def explain(
    who: Annotated[str, typer.Argument(help="An e-mail address, a phone number, a user id, or an anonymous id.")],
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say all that is known of a shopper: segments, journeys, messages, and why something was not sent.

    Example: `cartwake explain ada@example.com --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        found = explain_shopper(cloud, read_stack(cloud, stack), who)
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2))
    else:
        _show(found)


def explain_shopper(cloud: Cloud, stack: Stack, who: str) -> Explanation:
    """Return the explanation of the shopper whom *who* names."""
    tables = Tables(cloud, stack)
    facts = tables.read_facts(tables.find_key(who))
    return explanation.explain(facts, tables.read_live(), tables.read_addresses(facts.profile))


def _show(found: Explanation) -> None:
    console = Console()
    for key, name in found.names_in_logs.items():
        console.print(f"[bold]{escape(key)}[/bold]  in logs: {name}", highlight=False)
    for section in found.sections:
        if not section.lines:
            console.print(f"\n[bold]{section.title}[/bold]: {section.empty}")
            continue
        table = Table(title=section.title, title_justify="left", box=None, header_style="dim")
        for column in section.columns:
            table.add_column(column, overflow="fold")
        for line in section.lines:
            table.add_row(*line)
        console.print()
        console.print(table)
