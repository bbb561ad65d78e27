"""`cartwake draw`: a journey as a picture."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.rules.compile import link
from cartwake.rules.faults import Faulty, find_nearest
from cartwake.rules.files import SETTINGS, Content, read_file
from cartwake_cli.charts.cards import make_chart
from cartwake_cli.charts.svg import draw as draw_chart
from cartwake_cli.commands.check import UNUSABLE, find_files
from cartwake_cli.faults import Fault, tell_faults

FOLDER: Final = "journeys"

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def draw(
    journey: Annotated[str, typer.Argument(help="A journey's file, or its name in the folder of rules.")],
    rules: Annotated[Path | None, typer.Option(help="The folder of rules; else that of the file, or this one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file into which it is written; else NAME.svg here. - is standard output.")
    ] = None,
) -> None:
    """Draw a journey as SVG: its start, waits, messages, ways, and what ends it.

    What its conditions and messages name is said in words, where it is in the folder. Exit code 0 drawn, 2 there is
    nothing to draw, or it has faults.

    Example: `cartwake draw my-rules/journeys/abandoned-cart.json --out cart.svg`
    """
    with tell_faults(code=UNUSABLE):
        folder, name = find_journey(journey, rules)
        picture = draw_chart(make_chart(name, read_journey(folder, name)))
    if out == Path("-"):
        typer.echo(picture, nl=False)
        return
    target = out or Path(f"{name}.svg")
    target.write_text(picture, encoding="utf-8")
    typer.echo(str(target))


def find_journey(journey: str, rules: Path | None) -> tuple[Path, str]:
    """Return the folder of rules and the name of the journey that is meant.

    Raises:
        Fault: There is none.
    """
    file = Path(journey)
    if file.suffix == ".json" and file.is_file():
        return rules or file.absolute().parent.parent, file.stem
    folder = rules or Path()
    known = [path.stem for path in sorted((folder / FOLDER).glob("*.json"))]
    if journey not in known:
        nearest = find_nearest(journey, known)
        hint = f'; did you mean "{nearest}"?' if nearest else "; name its file, or the folder of rules with --rules"
        raise Fault(f'there is no journey "{journey}" in {folder}{hint}')
    return folder, journey


def read_journey(folder: Path, name: str) -> Bundle:
    """Return rules that have a journey, and of the rest of a folder what is right.

    Raises:
        Fault: The journey's own file has faults.
    """
    file, contents = f"{FOLDER}/{name}.json", {}
    for each, content in find_files(folder).items():
        try:
            contents[each] = read_file(each, content)
        except Faulty as error:
            if each == file:
                raise Fault(str(error.faults[0])) from None
    linked = link(contents, partial=True, now=read_clock())
    if name not in linked.bundle.journeys:
        linked = link(_without_others(contents, file), partial=True, now=read_clock())
    own = [it.fault for it in linked.conflicts if it.fault.file == file]
    if name not in linked.bundle.journeys:
        raise Fault(str(own[0]) if own else f"{file} cannot be compiled; `cartwake check` says why")
    return linked.bundle


def _without_others(contents: dict[str, Content], file: str) -> dict[str, Content]:
    """Return a file, and what only helps to say what it is: others may be at fault."""
    return {name: it for name, it in contents.items() if name in (file, SETTINGS)}
