"""The `cartwake` command itself."""

import pytest
from typer.core import TyperGroup
from typer.main import get_command
from typer.testing import CliRunner

from cartwake_cli import commands
from cartwake_cli.main import LazyCommands, app

ROOT = get_command(app)


def list_commands() -> list[str]:
    """Name every command and every command of a command."""
    assert isinstance(ROOT, LazyCommands)
    context = ROOT.make_context("cartwake", ["--help"], resilient_parsing=True)
    found = []
    for name in ROOT.list_commands(context):
        command = ROOT.get_command(context, name)
        found += [f"{name} {inner}" for inner in command.commands] if isinstance(command, TyperGroup) else [name]
    return found


def test_every_file_is_a_command() -> None:
    """What lies in commands/ is listed, a dash for each underscore."""
    assert {
        "deploy-local",
        "keys make",
        "keys list",
        "keys revoke",
        "keys rotate-links",
        "keys webhook",
        "keys rotate-webhooks",
    } <= set(list_commands())
    assert commands.__doc__ is not None


@pytest.mark.parametrize("command", list_commands())
def test_every_command_helps_with_an_example(command: str) -> None:
    """`--help` of each command ends well and shows how it is used."""
    told = CliRunner().invoke(app, [*command.split(), "--help"])
    assert told.exit_code == 0, told.output
    assert "Example" in told.output


def test_an_unknown_command_is_refused() -> None:
    """A command that does not exist is an error of use, exit code 2."""
    assert CliRunner().invoke(app, ["no-such"]).exit_code == 2
