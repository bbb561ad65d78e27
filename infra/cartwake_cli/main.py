"""The `cartwake` command: finds the modules of `commands/` and imports the one that is asked for."""

import importlib
import pkgutil
from typing import TYPE_CHECKING

import typer
from typer.core import TyperGroup

from cartwake_cli import commands

if TYPE_CHECKING:
    from typer._click import Command, Context


class LazyCommands(TyperGroup):
    """A group whose commands are the modules of `commands/`, each imported when it is used."""

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002 - the group's interface
        """Name every command; the file `deploy_local.py` is the command `deploy-local`."""
        modules = pkgutil.iter_modules(commands.__path__)
        return sorted(module.name.replace("_", "-") for module in modules if not module.name.startswith("_"))

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Import the module of one command and take its `app`."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{commands.__name__}.{cmd_name.replace('-', '_')}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=LazyCommands, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def describe() -> None:
    """Marketing automation for one shop, in its own AWS account.

    Example: `cartwake keys make --trust browser --stack my-shop`
    """
