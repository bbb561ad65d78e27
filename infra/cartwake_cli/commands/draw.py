"""`cartwake draw`: a journey or a campaign as a picture."""

from pathlib import Path
from typing import Annotated, Final

import typer

from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.rules.compile import link
from cartwake.rules.faults import Faulty, find_nearest
from cartwake.rules.files import SETTINGS, Content, name_of, read_file
from cartwake_cli.charts.cards import make_chart
from cartwake_cli.charts.svg import draw as draw_chart
from cartwake_cli.commands.check import UNUSABLE, find_files
from cartwake_cli.faults import Fault, tell_faults

FOLDERS: Final = ("journeys", "campaigns")

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def draw(
    journey: Annotated[
        str, typer.Argument(help="The file of a journey or campaign, or its name in the folder of rules.")
    ],
    rules: Annotated[Path | None, typer.Option(help="The folder of rules; else that of the file, or this one.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="The file into which it is written; else NAME.svg here. - is standard output.")
    ] = None,
) -> None:
    """Draw a journey or a campaign as SVG: its start, waits, messages, ways, and what ends it.

    What its conditions and messages name is said in words, where it is in the folder. Exit code 0 drawn, 2 there is
    nothing to draw, or it has faults.

    Example: `cartwake draw my-rules/journeys/abandoned-cart.json --out cart.svg`
    """
    with tell_faults(code=UNUSABLE):
        folder, file = find_journey(journey, rules)
        name = name_of(file)
        picture = draw_chart(make_chart(name, read_journey(folder, file)))
    if out == Path("-"):
        typer.echo(picture, nl=False)
        return
    target = out or Path(f"{name}.svg")
    target.write_text(picture, encoding="utf-8")
    typer.echo(str(target))


def find_journey(journey: str, rules: Path | None) -> tuple[Path, str]:
    """Return the folder of rules and the file of the journey or campaign that is meant.

    Raises:
        Fault: There is none.
    """
    path = Path(journey)
    if path.suffix == ".json" and path.is_file():
        folder = path.absolute().parent
        return rules or folder.parent, f"{folder.name if folder.name in FOLDERS else FOLDERS[0]}/{path.name}"
    root = rules or Path()
    known = {
        each.stem: f"{folder}/{each.name}" for folder in FOLDERS for each in sorted((root / folder).glob("*.json"))
    }
    if journey not in known:
        nearest = find_nearest(journey, known)
        hint = f'; did you mean "{nearest}"?' if nearest else "; name its file, or the folder of rules with --rules"
        raise Fault(f'there is no journey or campaign "{journey}" in {root}{hint}')
    return root, known[journey]


def read_journey(folder: Path, file: str) -> Bundle:
    """Return rules that have a journey or campaign, and of the rest of a folder what is right.

    Raises:
        Fault: Its own file has faults.
    """
    name, contents = name_of(file), {}
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
