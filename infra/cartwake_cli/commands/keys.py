"""`cartwake keys`: make, list and revoke write keys of a deployed stack; the keys of its links and webhooks."""

import time
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cartwake_cli import keys
from cartwake_cli.cloud import Client, Cloud
from cartwake_cli.faults import tell_faults
from cartwake_cli.stack import read_stack

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="Make, list and revoke write keys.\n\nExample: `cartwake keys make --trust server --note backend`",
)

StackName = Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")]


class Trust(StrEnum):
    """Who holds the key: anybody who reads the shop's pages, or the shop's own server."""

    browser = "browser"
    server = "server"


@app.command()
def make(
    trust: Annotated[Trust, typer.Option(help="browser: public, may move a journey; server: secret, may set consent.")],
    stack: StackName = "cartwake",
    note: Annotated[str, typer.Option(help="What it is for, to find it again.")] = "",
    origin: Annotated[list[str] | None, typer.Option(help="Only this web origin (may be repeated).")] = None,
    key: Annotated[str | None, typer.Option(help="Use this text instead of drawing a key (for tests).")] = None,
) -> None:
    """Make a write key and show it, this once.

    Example: `cartwake keys make --trust browser --origin https://shop.example --note website`
    """
    with tell_faults():
        table = _open_table(stack)
        text = key or keys.make_text(trust.value)
        keys.store_key(table, text, trust=trust.value, note=note, origins=origin or ())
    Console(stderr=True).print(f"A {trust.value} key for {stack}. It is kept only as a hash: copy it now.")
    typer.echo(text)


@app.command(name="list")
def list_all(stack: StackName = "cartwake") -> None:
    """List the keys: the beginning of the hash, the trust, and when each was made or revoked.

    Example: `cartwake keys list --stack my-shop`
    """
    with tell_faults():
        found = keys.list_keys(_open_table(stack))
    table = Table(box=None)
    for heading in ("hash", "trust", "made (UTC)", "revoked (UTC)"):
        table.add_column(heading, no_wrap=True)
    table.add_column("origins")
    table.add_column("note")
    for each in found:
        revoked = _show_time(each.revoked_at) if each.revoked_at is not None else ""
        table.add_row(
            each.key_hash[:12], each.trust, _show_time(each.created_at), revoked, " ".join(each.origins), each.note
        )
    Console().print(table if found else "No keys yet: cartwake keys make --trust browser")


@app.command()
def revoke(
    key: Annotated[str, typer.Argument(help="The key itself, or the beginning of its hash.")],
    stack: StackName = "cartwake",
) -> None:
    """Revoke a key: the endpoint refuses it from then on.

    Example: `cartwake keys revoke 3f9a1c --stack my-shop`
    """
    with tell_faults():
        revoked = keys.revoke_key(_open_table(stack), key)
    typer.echo(f"revoked {revoked.key_hash[:12]} ({revoked.trust}{', ' + revoked.note if revoked.note else ''})")


@app.command(name="rotate-links")
def rotate_links(stack: StackName = "cartwake") -> None:
    """Sign links with a new key from now on; links in messages that were sent before stay good.

    Example: `cartwake keys rotate-links --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        number = keys.rotate_links(cloud.client("secretsmanager"), read_stack(cloud, stack).output("SecretArn"))
    typer.echo(f"a new key signs links within ten minutes; {number} keys verify them")


@app.command()
def webhook(
    host: Annotated[str, typer.Argument(help="As settings.json lists it, for example crm.nordlicht.example.")],
    stack: StackName = "cartwake",
) -> None:
    """Show the secret by which a host knows what comes from us; while keys rotate, the one before it too.

    Example: `cartwake keys webhook crm.nordlicht.example --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        arn = read_stack(cloud, stack).output("SecretArn")
        found = keys.show_webhook_secrets(cloud.client("secretsmanager"), arn, host)
    for each in found:
        typer.echo(each)


@app.command(name="rotate-webhooks")
def rotate_webhooks(stack: StackName = "cartwake") -> None:
    """Sign webhooks with a new key beside the one before it, until this is done again.

    Example: `cartwake keys rotate-webhooks --stack my-shop`
    """
    with tell_faults():
        cloud = Cloud()
        keys.rotate_webhooks(cloud.client("secretsmanager"), read_stack(cloud, stack).output("SecretArn"))
    typer.echo(
        "a new key signs webhooks within ten minutes: give every receiver its new secret (cartwake keys webhook)"
    )


def _open_table(stack: str) -> Client:
    cloud = Cloud()
    return cloud.table(read_stack(cloud, stack).output("KeysTable"))


def _show_time(instant_at: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.gmtime(instant_at / 1000))
