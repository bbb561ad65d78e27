"""`cartwake explain`: the profile of one shopper, and every reason for what was and was not sent."""

import json
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from cartwake.clock import read_clock
from cartwake_cli import explanation
from cartwake_cli.cloud import Cloud
from cartwake_cli.drawing import draw_reason, draw_section
from cartwake_cli.explanation import Explanation
from cartwake_cli.explanation_segment import SegmentExplanation, explain_membership
from cartwake_cli.faults import tell_faults
from cartwake_cli.stack import Stack, read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def explain(
    who: Annotated[str, typer.Argument(help="An e-mail address, a phone number, a user id, or an anonymous id.")],
    segment: Annotated[
        str, typer.Option("--segment", help="Say instead why the shopper is in this segment, or is not.")
    ] = "",
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Say all that is known of a shopper: segments, tags, scores, journeys, messages, and why something was not sent.

    Example: `cartwake explain ada@example.com --segment vip --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        deployed = read_stack(cloud, stack)
        found = explain_in_segment(cloud, deployed, who, segment) if segment else explain_shopper(cloud, deployed, who)
    if as_json:
        typer.echo(json.dumps(found.as_data(), indent=2))
    elif isinstance(found, SegmentExplanation):
        _show_segment(found)
    else:
        _show(found)


def explain_shopper(cloud: Cloud, stack: Stack, who: str) -> Explanation:
    """Return the explanation of the shopper whom *who* names."""
    tables = Tables(cloud, stack)
    facts = tables.read_facts(tables.find_key(who))
    return explanation.explain(facts, tables.read_live(), tables.read_addresses(facts.profile), now=read_clock())


def explain_in_segment(cloud: Cloud, stack: Stack, who: str, segment: str) -> SegmentExplanation:
    """Return why the shopper whom *who* names is in a segment, or is not.

    Raises:
        Fault: There is nobody of this name, or no such segment.
    """
    tables = Tables(cloud, stack)
    profile = tables.read_profile(tables.find_key(who))
    return explain_membership(profile, tables.read_live(), segment, now=read_clock())


def _show(found: Explanation) -> None:
    console = Console()
    _show_names(console, found.names_in_logs)
    for section in found.sections:
        draw_section(console, section)


def _show_segment(found: SegmentExplanation) -> None:
    console = Console(highlight=False)
    _show_names(console, found.names_in_logs)
    console.print(f"\n{escape(found.summary)}")
    console.print(draw_reason(found.reason))


def _show_names(console: Console, names: dict[str, str]) -> None:
    for key, name in names.items():
        console.print(f"[bold]{escape(key)}[/bold]  in logs: {name}", highlight=False)
