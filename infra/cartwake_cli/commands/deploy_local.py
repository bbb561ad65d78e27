"""`cartwake deploy-local`: the whole stack on this machine, until Ctrl-C."""

import signal
import threading
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Console

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
    console = Console(stderr=True, highlight=False)
    with tell_faults(), console.status("") as status, open_world(port=port, auth=auth, tell=status.update) as world:
        if starter:
            status.update("Uploading the starter files")
            world.upload_rules(places.STARTER)
        status.stop()
        for name, told in describe(world):
            console.print(f"{name:>18}  {told}", soft_wrap=True, markup=False)
        console.print("\nCtrl-C ends it; nothing is kept.")
        await_interrupt()
        console.print("Ending.")


def describe(world: World) -> Iterator[tuple[str, str]]:
    """Tell what a person needs to use the local stack, by name."""
    yield "tracking endpoint", f"{world.url}/v1/batch"
    yield "browser key", world.browser_key
    yield "server key", world.server_key
    yield "bucket", world.stack.bucket
    yield "sent mail", f"{world.engine.url}/_ministack/ses/messages"
    yield "sent SMS", f"{world.engine.url}/_ministack/sns/sms-messages"
    yield "log", str(world.engine.log)
    yield "for AWS tools", f"export AWS_ENDPOINT_URL={world.engine.url} AWS_DEFAULT_REGION={world.cloud.region}"
    yield "", f"export AWS_ACCESS_KEY_ID={world.cloud.access_key} AWS_SECRET_ACCESS_KEY={world.cloud.secret_key}"


def await_interrupt() -> None:
    """Wait for Ctrl-C, or for the signal that ends services."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    ended.wait()
