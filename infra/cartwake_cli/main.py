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
        """Name every command; the file `deploy_local.py` is the command `deploy-local`, and `try_.py` is `try`."""
        return sorted(_find_modules())

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":  # noqa: ARG002 - likewise
        """Import the module of one command and take its `app`."""
        modules = _find_modules()
        if cmd_name not in modules:
            return None
        module = importlib.import_module(f"{commands.__name__}.{modules[cmd_name]}")
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command


def _find_modules() -> dict[str, str]:
    """Return the module of each command."""
    names = (module.name for module in pkgutil.iter_modules(commands.__path__))
    return {name.strip("_").replace("_", "-"): name for name in names if not name.startswith("_")}


app = typer.Typer(cls=LazyCommands, no_args_is_help=True, add_completion=False, rich_markup_mode="markdown")


@app.callback()
def describe() -> None:
    """Marketing automation for one shop, in its own AWS account.

    Example: `cartwake keys make --trust browser --stack my-shop`
    """
