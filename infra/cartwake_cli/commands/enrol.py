"""`cartwake enrol`: put a shopper on a journey by hand."""

from typing import Annotated

import typer

from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.events import JOURNEY_ENROLLED
from cartwake.rules.faults import find_nearest
from cartwake_cli.cloud import Cloud
from cartwake_cli.commands.erase import find_living
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.requests import store_request
from cartwake_cli.stack import read_stack
from cartwake_cli.tables import Tables

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def enrol(
    journey: Annotated[str, typer.Argument(help="The journey's file name without .json.")],
    who: Annotated[str, typer.Argument(help="An e-mail address, a phone number, a user id, or an anonymous id.")],
    told: Annotated[
        list[str],
        typer.Option("--property", help="A property of the event, such as `order_id=50314`; a key needs one."),
    ] = [],  # noqa: B006  typer copies it
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Put a shopper on a journey whose trigger is `{"enrolled": true}`.

    Its filter, `again` and everything that stands between a step and a mailbox hold as for anybody: `cartwake explain`
    tells what became of it.

    Example: `cartwake enrol vip-care ada@example.com --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        deployed = read_stack(cloud, stack)
        properties = read_properties(told)
        check_journey(Tables(cloud, deployed).read_live(), journey, properties)
        key = find_living(cloud, deployed, who)
        table = cloud.table(deployed.output("EventsTable"))
        asked = {"journey": journey} | properties
        store_request(table, key, JOURNEY_ENROLLED, now=read_clock(), properties=asked)
    typer.echo(f"asked for; within a minute cartwake explain {key} tells what became of it")


def read_properties(told: list[str]) -> dict[str, str]:
    """Return what stands in texts such as `order_id=50314`.

    Raises:
        Fault: One of them is none.
    """
    found = {}
    for text in told:
        name, equals, value = text.partition("=")
        if not equals or not name or name == "journey":
            raise Fault(f'"{text}" is no property; write it as order_id=50314')
        found[name] = value
    return found


def check_journey(rules: Bundle | None, journey: str, properties: dict[str, str]) -> None:
    """Make sure that somebody can be put on a journey.

    Raises:
        Fault: There is none of that name, it is not live, or something else starts it.
    """
    journeys = rules.journeys if rules is not None else {}
    if journey not in journeys:
        nearest = find_nearest(journey, journeys)
        raise Fault(
            f"there is no journey {journey} among what is live" + (f"; did you mean {nearest}?" if nearest else "")
        )
    found = journeys[journey]
    if found.trigger.event != JOURNEY_ENROLLED:
        raise Fault(f'nobody is put on {journey} by hand: its trigger is another one than {{"enrolled": true}}')
    if found.status != "live":
        raise Fault(f"{journey} is not live: its status is {found.status}")
    if found.key and found.key not in properties:
        raise Fault(f"{journey} has a run for each {found.key}: say which with --property {found.key}=…")
