"""`cartwake export`: everything that is stored of a shopper, as one JSON."""

from typing import Annotated

import typer

from cartwake import copies
from cartwake.clock import read_clock
from cartwake.copies import Copy
from cartwake.coupons import Given, Taken
from cartwake.profiles import Kind
from cartwake_cli.cloud import Cloud
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.pools import Code
from cartwake_cli.stack import Stack, read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def export(
    who: Annotated[str, typer.Argument(help="An e-mail address, a phone number, a user id, or an anonymous id.")],
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Print everything that is stored of a shopper, for themselves; nothing is written anywhere.

    Example: `cartwake export ada@example.com --stack my-shop > ada.json`
    """
    with tell_faults():
        cloud = Cloud()
        copy = read_copy(cloud, read_stack(cloud, stack), who)
    typer.echo(copies.encode(copy, read_clock()).decode())


def read_copy(cloud: Cloud, stack: Stack, who: str) -> Copy:
    """Return all that is stored of the shopper whom *who* names.

    Raises:
        Fault: There is nobody, or they are erased.
    """
    tables = Tables(cloud, stack)
    facts = tables.read_facts(tables.find_key(who))
    if facts.profile.kind is Kind.TOMBSTONE:
        raise Fault(f"{who} is erased; cartwake explain {who} tells how far that is")
    return Copy(
        profile=facts.profile,
        addresses=tuple(it for _, it in sorted(tables.read_addresses(facts.profile).items())),
        consents=facts.consents,
        events=facts.events,
        runs=facts.runs,
        messages=facts.messages,
        coupons=tuple(_to_taken(code) for code in dict.fromkeys(facts.coupons)),
        participants=facts.participants,
        refused=facts.refused,
    )


def _to_taken(code: Code) -> Taken:
    given = Given(
        who=code.who,
        pool=code.pool,
        code=code.code,
        journey=code.journey,
        path="",
        given_at=code.given_at,
        until=code.until,
    )
    return Taken(given=given, redeemed_at=code.redeemed_at, order=code.order)
