"""`cartwake erase`: erase a shopper, everywhere."""

from typing import Annotated

import typer

from cartwake.clock import read_clock
from cartwake.events import ERASURE_REQUESTED
from cartwake.profiles import Kind
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.requests import store_request
from cartwake_cli.stack import Stack, read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def erase(
    who: Annotated[str, typer.Argument(help="An e-mail address, a phone number, a user id, or an anonymous id.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Erase everything that is stored of a shopper; that their addresses get no marketing is all that stays.

    It cannot be undone. `cartwake export` makes a copy before, and `cartwake explain` tells how far it is.

    Example: `cartwake erase ada@example.com --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        deployed = read_stack(cloud, stack)
        key = find_living(cloud, deployed, who)
        if not yes:
            typer.confirm(f"Erase {key}, and everything that is stored of them? It cannot be undone", abort=True)
        store_request(cloud.table(deployed.output("EventsTable")), key, ERASURE_REQUESTED, now=read_clock())
    typer.echo(f"asked for; within a minute cartwake explain {key} tells how far it is")


def find_living(cloud: Cloud, stack: Stack, who: str) -> str:
    """Return the key of the shopper whom *who* names.

    Raises:
        Fault: There is nobody, or they are erased already.
    """
    tables = Tables(cloud, stack)
    key = tables.find_key(who)
    profile = tables.read_profile(key)
    if profile.kind is Kind.TOMBSTONE:
        raise Fault(f"{key} is erased already; cartwake explain {key} tells how far it is")
    return profile.who
