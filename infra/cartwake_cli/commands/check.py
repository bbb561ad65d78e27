"""`cartwake check`: say what is wrong with a folder of rules, before it is uploaded."""

import json
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer
from rich.console import Console

from cartwake.rules.compile import link
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import Content, is_rule, read_file

app = typer.Typer(rich_markup_mode="markdown")

FAULTS: Final = 1
UNUSABLE: Final = 2


@app.command()
def check(
    folder: Annotated[
        Path, typer.Argument(help="A folder with settings.json, segments/, journeys/, templates/, or some of them.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Check a folder of rules as publishing would: exit code 0 good, 1 faults, 2 nothing there to be checked.

    A part of the files is fine: what stands in a folder that is not there is not missed.

    Example: `cartwake check infra/starter`
    """
    files = find_files(folder) if folder.is_dir() else {}
    if not files:
        tell_unusable(folder, as_json=as_json)
        raise typer.Exit(UNUSABLE)
    faults = find_faults(files)
    if as_json:
        print_json(
            {"good": not faults, "files": sorted(files), "faults": [msgspec.to_builtins(fault) for fault in faults]}
        )
    else:
        tell(faults, len(files))
    if faults:
        raise typer.Exit(FAULTS)


def find_files(folder: Path) -> dict[str, bytes]:
    """Return the rules in a folder by their path."""
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {name: path.read_bytes() for path in paths if is_rule(name := path.relative_to(folder).as_posix())}


def find_faults(files: dict[str, bytes]) -> list[Fault]:
    """Return every fault of the files, and those between files that are right by themselves."""
    contents: dict[str, Content] = {}
    faults: list[Fault] = []
    for file, content in files.items():
        try:
            contents[file] = read_file(file, content)
        except Faulty as error:
            faults += error.faults
    told = {fault.file for fault in faults}
    linked = link(contents, partial=True)
    # A file that cannot be read is told once, and not again by each file that needs it.
    return faults + [each.fault for each in linked.conflicts if not told & set(each.files)]


def tell(faults: list[Fault], count: int) -> None:
    """Print the faults for people."""
    console = Console(highlight=False, soft_wrap=True)
    for fault in faults:
        place = f"{fault.file}: {fault.path}" if fault.path else fault.file
        console.print(place, style="bold red", markup=False)
        console.print(f"  {fault.message}", markup=False)
        if fault.suggestion:
            console.print(f"  Did you mean: {fault.suggestion}", markup=False)
        if fault.example:
            console.print(f"  Example: {fault.example}", markup=False)
    files = f"{count} file{'s' if count != 1 else ''}"
    console.print(f"{files}: {len(faults)} fault{'s' if len(faults) != 1 else ''}" if faults else f"{files}: all good")


def tell_unusable(folder: Path, *, as_json: bool) -> None:
    """Say that there is nothing to check."""
    what = "has no settings.json, segments/, journeys/ or templates/ in it" if folder.is_dir() else "is not a folder"
    message = f"{folder} {what}."
    if as_json:
        print_json({"good": False, "files": [], "faults": [], "message": message})
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"cartwake: {message}", style="red", markup=False)


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
