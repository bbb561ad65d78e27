"""Drawing: what is found, on a terminal."""

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree

from cartwake.conditions.kinds import Answer
from cartwake.times import NEVER, format_instant
from cartwake_cli.reasons_tree import Reason
from cartwake_cli.sections import Section

_MARKS: Final = {
    Answer.HOLDS: "[green]✓[/green]",
    Answer.FAILS: "[red]✗[/red]",
    Answer.UNKNOWN: "[yellow]?[/yellow]",
    None: "[dim]·[/dim]",
}


def draw_reason(reason: Reason) -> Tree:
    """Return a tree of reasons: ✓ holds, ✗ fails, ? is not known."""
    tree = Tree(_say(reason), guide_style="dim")
    _grow(tree, reason)
    return tree


def draw_section(console: Console, section: Section) -> None:
    """Print a section as a table, or that there is nothing in it."""
    if not section.lines:
        console.print(f"\n[bold]{section.title}[/bold]: {escape(section.empty)}", highlight=False)
        return
    table = Table(title=section.title, title_justify="left", box=None, header_style="dim")
    for column in section.columns:
        table.add_column(column, overflow="fold")
    for line in section.lines:
        table.add_row(*map(escape, line))
    console.print()
    console.print(table)


def _grow(tree: Tree, reason: Reason) -> None:
    for part in reason.parts:
        _grow(tree.add(_say(part)), part)


def _say(reason: Reason) -> str:
    note = f": {escape(reason.note)}" if reason.note else ""
    until = f" [dim]until {format_instant(reason.until)}[/dim]" if reason.until < NEVER else ""
    return f"{_MARKS[reason.answer]} {escape(reason.says)}{note}{until}"
