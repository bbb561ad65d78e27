"""`cartwake deploy-local`: the whole stack on this machine, until Ctrl-C."""

import signal
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cartwake_cli.faults import tell_faults
from cartwake_cli.local import places
from cartwake_cli.local.world import World, open_world

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def deploy_local(
    port: Annotated[int, typer.Option(help="The port of the public address; 0 takes any free one.")] = 0,
    auth: Annotated[bool, typer.Option("--auth", help="Enforce the rights of every role, as AWS does.")] = False,
    starter: Annotated[bool, typer.Option(help="Upload the starter files.")] = True,
) -> None:
    """Build and deploy the same stack to a local engine, and keep it up until Ctrl-C.

    Example: `cartwake deploy-local --port 8080 --auth`
    """
    console = Console(stderr=True)
    with tell_faults(), console.status("") as status, open_world(port=port, auth=auth, tell=status.update) as world:
        if starter:
            status.update("Uploading the starter files")
            world.upload_rules(places.STARTER)
        status.stop()
        console.print(describe(world))
        _await_interrupt()
        console.print("Ending.")


def describe(world: World) -> Table:
    """Tabulate what a person needs to use the local stack."""
    table = Table(show_header=False, box=None)
    table.add_row("tracking endpoint", f"{world.url}/v1/batch")
    table.add_row("browser key", world.browser_key)
    table.add_row("server key", world.server_key)
    table.add_row("bucket", world.stack.bucket)
    table.add_row("sent mail", f"{world.engine.url}/_ministack/ses/messages")
    table.add_row("sent SMS", f"{world.engine.url}/_ministack/sns/sms-messages")
    table.add_row("log", str(world.engine.log))
    table.add_row("AWS tools", f"AWS_ENDPOINT_URL={world.engine.url} AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test")
    table.add_row("", f"AWS_DEFAULT_REGION={world.cloud.region} cartwake keys list --stack {world.stack.name}")
    table.add_row("", "Ctrl-C ends it; nothing is kept.")
    return table


def _await_interrupt() -> None:
    try:
        signal.sigwait({signal.SIGINT, signal.SIGTERM})
    except KeyboardInterrupt:
        return
