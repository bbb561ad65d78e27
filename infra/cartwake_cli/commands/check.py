"""`cartwake check`: say what is wrong with a folder of rules, before it is uploaded."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from cartwake.clock import read_clock
from cartwake.rules.compile import link
from cartwake.rules.doubts.ends import doubt_campaigns
from cartwake.rules.doubts.report import find_doubts
from cartwake.rules.faults import Fault, Faulty, find_nearest
from cartwake.rules.files import FOLDERS, SINGLE, Content, is_rule, read_file
from cartwake.rules.places import Place, find_place

app = typer.Typer(rich_markup_mode="markdown")

FAULTS: Final = 1
UNUSABLE: Final = 2
STORIES: Final = "stories/"
"""What stands there is read by `cartwake story` alone."""
_ALIKE: Final = 0.7
_STYLES: Final = {"error": "bold red", "warning": "yellow"}


@app.command()
def check(
    folder: Annotated[
        Path,
        typer.Argument(help="A folder with settings.json, segments/, scores/, journeys/, templates/, or some of them."),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
) -> None:
    """Check a folder of rules as publishing would: exit code 0 good, 1 faults, 2 nothing there to be checked.

    A part of the files is fine: what stands in a folder that is not there is not missed. Warnings alone are good.

    Example: `cartwake check infra/starter`
    """
    files = find_files(folder) if folder.is_dir() else {}
    if not files:
        tell_unusable(folder, as_json=as_json)
        raise typer.Exit(UNUSABLE)
    faults = [*find_faults(files), *find_strays(folder)]
    good = all(fault.severity == "warning" for fault in faults)
    placed = [(fault, find_place(_read(files[fault.file]), fault.path)) for fault in faults if fault.file in files]
    placed += [(fault, Place()) for fault in faults if fault.file not in files]
    if as_json:
        print_json({"good": good, "files": sorted(files), "faults": [show(*each) for each in placed]})
    else:
        tell(placed, len(files))
    if not good:
        raise typer.Exit(FAULTS)


def find_files(folder: Path) -> dict[str, bytes]:
    """Return the rules in a folder by their path."""
    return {name: path.read_bytes() for name, path in _list(folder) if is_rule(name)}


def find_faults(files: dict[str, bytes]) -> list[Fault]:
    """Return every fault of the files, those between files that are right by themselves, and what is doubtful."""
    contents: dict[str, Content] = {}
    faults: list[Fault] = []
    for file, content in files.items():
        try:
            contents[file] = read_file(file, content)
        except Faulty as error:
            faults += error.faults
    told = {fault.file for fault in faults}
    now = read_clock()
    linked = link(contents, partial=True, now=now)
    # A file that cannot be read is told once, and not again by each file that needs it.
    faults += [each.fault for each in linked.conflicts if not told & set(each.files)]
    return [*faults, *linked.borne, *doubt_campaigns(contents, now), *find_doubts(contents, broken=told, now=now)]


def find_strays(folder: Path) -> list[Fault]:
    """Return a warning for every file that is not read, though its name is nearly that of one that is."""
    found = []
    for name, _ in _list(folder):
        if name.startswith(STORIES):
            continue
        first, slash, rest = name.partition("/")
        nearest = find_nearest(first, FOLDERS if slash else SINGLE, likeness=_ALIKE)
        if nearest and nearest != first and not is_rule(name):
            suggestion = f"{nearest}{slash}{rest}"
            message = "The file is not read: it has not the name, or is not in the folder, of a rule."
            found.append(Fault(file=name, message=message, suggestion=suggestion, severity="warning"))
    return found


def show(fault: Fault, place: Place) -> dict[str, Any]:
    """Return a fault as JSON data; line and column are null where they are not known."""
    return {
        "file": fault.file,
        "path": fault.path,
        "line": place.line or None,
        "column": place.column or None,
        "severity": fault.severity,
        "message": fault.message,
        "suggestion": fault.suggestion,
        "example": fault.example,
    }


def tell(placed: Iterable[tuple[Fault, Place]], count: int) -> None:
    """Print the faults for people."""
    console = Console(highlight=False, soft_wrap=True)
    counts = {"error": 0, "warning": 0}
    for fault, place in placed:
        counts[fault.severity] += 1
        where = f"{fault.file}:{place.line}:{place.column}" if place.line else fault.file
        path = f" {fault.path}" if fault.path and not fault.path.startswith("line ") else ""
        console.print(f"{where}{path}", style=_STYLES[fault.severity], markup=False)
        console.print(f"  {'Warning: ' if fault.severity == 'warning' else ''}{fault.message}", markup=False)
        if fault.suggestion:
            console.print(f"  Did you mean: {fault.suggestion}", style="cyan", markup=False)
        if fault.example:
            console.print(f"  Example: {fault.example}", style="dim", markup=False)
    told = [_count(counts["error"], "fault"), _count(counts["warning"], "warning")]
    console.print(f"{_count(count, 'file')}: {', '.join(filter(None, told)) or 'all good'}")


def tell_unusable(folder: Path, *, as_json: bool) -> None:
    """Say that there is nothing to check."""
    what = "has no settings.json, segments/, scores/, journeys/ or templates/ in it"
    message = f"{folder} {what if folder.is_dir() else 'is not a folder'}."
    if as_json:
        print_json({"good": False, "files": [], "faults": [], "message": message})
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"cartwake: {message}", style="red", markup=False)


def print_json(data: dict[str, Any]) -> None:
    """Print one JSON object."""
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))


def _list(folder: Path) -> list[tuple[str, Path]]:
    """Return all files by their path, as text that can be printed: not every name of a file is."""
    found = [(path.relative_to(folder).as_posix(), path) for path in sorted(folder.rglob("*")) if path.is_file()]
    return [(name.encode(errors="replace").decode(), path) for name, path in found]


def _read(content: bytes) -> str:
    """Return a file's text with the lines and columns that faults count."""
    return content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}" if number else ""
