"""`cartwake story`: play a marketer's own stories against their own files, and say whether all is as expected."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from rich.console import Console

from cartwake.rules.faults import Fault
from cartwake.rules.files import SETTINGS
from cartwake_cli import faults
from cartwake_cli.commands.check import FAULTS, UNUSABLE, find_files, print_json, show, tell
from cartwake_cli.commands.preview import read_rules
from cartwake_cli.faults import tell_faults
from cartwake_cli.stories.reading import read_stories
from cartwake_cli.stories.sentences import Story

if TYPE_CHECKING:
    from cartwake_cli.stories.judging import Failure
    from cartwake_cli.stories.playing import Stage, Told

ENDING: Final = ".story"
FOLDER: Final = "stories"

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def story(
    paths: Annotated[
        list[Path], typer.Argument(help="Stories, or folders of them, or of rules with a folder stories/.")
    ],
    rules: Annotated[
        Path | None, typer.Option(help="The folder of rules; else the nearest one above with a settings.json.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")] = False,
    timeline: Annotated[bool, typer.Option("--timeline", help="Tell also of good stories what happened.")] = False,
    write: Annotated[
        bool, typer.Option("--write", help="Add to stories that expect nothing what happened, as expectations.")
    ] = False,
) -> None:
    """Play stories against the rules of a folder, on a clock of their own: who gets what, when, and why not.

    Nothing is sent, and no AWS account is needed: the functions that would run there run here. A story that expects
    nothing tells what happens. Exit code 0 all as expected, 1 not so, or a story has a fault, 2 there is nothing to
    play, or the rules have faults.

    Example: `cartwake story my-rules` or `cartwake story my-rules/stories/cart.story`
    """
    with tell_faults(code=UNUSABLE):
        files = find_stories(paths)
        grouped = group_by_rules(files, rules)
        tellers = [_Teller(folder, as_json=as_json, timeline=timeline, write=write) for folder in grouped]
        for teller, group in zip(tellers, grouped.values(), strict=True):
            teller.play(group)
    good = all(teller.good for teller in tellers)
    if as_json:
        told = [each for teller in tellers for each in teller.shown]
        found = [each for teller in tellers for each in teller.faults]
        print_json({"good": good, "stories": told, "faults": [show(it, _place(it)) for it in found]})
    else:
        count, bad = sum(it.count for it in tellers), sum(it.bad for it in tellers)
        summary = f"{bad} not as expected" if bad else "all as expected" if good else "faults"
        _console().print(f"{count} stor{'y' if count == 1 else 'ies'}: {summary}")
    if not good:
        raise typer.Exit(FAULTS)


def find_stories(paths: Iterable[Path]) -> list[Path]:
    """Return the files of stories that are named, or in folders that are.

    Raises:
        Fault: There is none.
    """
    found: list[Path] = []
    for path in paths:
        inside = path / FOLDER if (path / FOLDER).is_dir() else path
        some = [path] if path.is_file() else sorted(inside.rglob(f"*{ENDING}"))
        if not some:
            what = f"has no stories in it: files that end in {ENDING}" if path.is_dir() else "is not there"
            raise faults.Fault(f"{path} {what}.")
        found += some
    return list(dict.fromkeys(found))


def group_by_rules(files: Iterable[Path], rules: Path | None) -> dict[Path, list[Path]]:
    """Return stories by the folder of rules that each is played against.

    Raises:
        Fault: There is no such folder.
    """
    grouped: dict[Path, list[Path]] = {}
    for file in files:
        above = rules or next((it for it in file.absolute().parents if (it / SETTINGS).is_file()), None)
        if above is None:
            raise faults.Fault(f"there is no {SETTINGS} in a folder above {file}; name the rules with --rules")
        grouped.setdefault(above, []).append(file)
    return grouped


class _Teller:
    """Plays the stories of one folder of rules, and tells of them."""

    def __init__(self, folder: Path, *, as_json: bool, timeline: bool, write: bool) -> None:
        self._folder = folder
        self._as_json, self._timeline, self._write = as_json, timeline, write
        self.faults: list[Fault] = []
        self.shown: list[dict[str, Any]] = []
        self.count = self.bad = 0

    @property
    def good(self) -> bool:
        """Whether all is as expected."""
        return not self.faults and not self.bad

    def play(self, paths: Iterable[Path]) -> None:
        """Play all of them.

        Raises:
            Fault: The rules have faults.
        """
        stories: list[tuple[Path, Story]] = []
        for path in paths:
            read = read_stories(str(path), path.read_text(encoding="utf-8-sig", errors="replace"))
            self._refuse(read.faults)
            stories += [(path, it) for it in read.stories] if not read.faults else []
        files = find_files(self._folder)
        rules = msgspec.structs.replace(read_rules(files, None), generation=1)
        if not stories:
            return
        from cartwake_cli.stories.playing import open_stage  # noqa: PLC0415  takes a second to import

        with open_stage(rules, files) as stage:
            # from the last one of a file to the first: lines that are added move those below
            for path, each in sorted(stories, key=lambda it: (str(it[0]), -it[1].last if self._write else it[1].last)):
                self._play_one(stage, path, each)

    def _play_one(self, stage: "Stage", path: Path, each: Story) -> None:
        from cartwake_cli.stories.judging import has_expectations, judge  # noqa: PLC0415  as above
        from cartwake_cli.stories.playing import Stuck  # noqa: PLC0415  likewise

        self.count += 1
        try:
            told = stage.play(each)
        except Stuck as stuck:
            where = f"line {stuck.line.number}"
            message = f"{stuck.line.text}: {stuck.message}"
            self._refuse([Fault(file=each.file, path=where, message=message, suggestion=stuck.suggestion)])
            return
        failures = judge(told)
        self.bad += bool(failures)
        if self._write and not has_expectations(told):
            _add(path, told)
        self._tell(told, failures, is_told=self._timeline or not has_expectations(told))

    def _tell(self, told: "Told", failures: "list[Failure]", *, is_told: bool) -> None:
        from cartwake_cli.stories import telling  # noqa: PLC0415  as above

        if self._as_json:
            self.shown.append(telling.show(told, failures))
            return
        console = _console()
        mark, style = ("✗", "bold red") if failures else ("✓", "green")
        console.print(f"{mark} {told.story.title}", style=style, markup=False)
        telling.draw_failures(console, told, failures)
        if failures or is_told:
            telling.draw_timeline(console, told)

    def _refuse(self, found: Iterable[Fault]) -> None:
        some = list(found)
        self.faults += some
        if some and not self._as_json:
            tell([(it, _place(it)) for it in some], 1)


def _add(path: Path, told: "Told") -> None:
    """Write what happened below the last line of a story."""
    from cartwake_cli.stories.telling import write_expectations  # noqa: PLC0415  as above

    lines = path.read_text(encoding="utf-8-sig").split("\n")
    lines[told.story.last : told.story.last] = write_expectations(told)
    path.write_text("\n".join(lines), encoding="utf-8")


def _place(fault: Fault) -> Any:
    from cartwake.rules.places import Place  # noqa: PLC0415  only for faults

    number = fault.path.removeprefix("line ")
    return Place(line=int(number), column=1) if number.isdigit() else Place()


def _console() -> Console:
    return Console(highlight=False, soft_wrap=True)
