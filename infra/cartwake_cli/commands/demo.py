"""`cartwake demo`: the main job, live on this machine."""

import json
import os
import signal
import threading
import webbrowser
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from cartwake_cli.demo.check import Verdict
from cartwake_cli.demo.play import perform
from cartwake_cli.demo.steps import Steps
from cartwake_cli.faults import tell_faults

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def demo(
    check: Annotated[bool, typer.Option("--check", help="Only the scripted part; the last line is JSON.")] = False,
    port: Annotated[int, typer.Option(help="The port of the page; another free one is taken if nobody asked.")] = 0,
) -> None:
    """Deploy the stack to a local engine, play three stories, and show them on a page until Ctrl-C.

    With `--check` it ends after the stories: exit code 0 only if exactly the promised messages were sent.

    Example: `cartwake demo --check`
    """
    for ending in (signal.SIGINT, signal.SIGTERM):  # SIGINT too: a shell's background job ignores it
        signal.signal(ending, signal.default_int_handler)
    console = Console(stderr=True, highlight=False)
    with tell_faults(), Steps.open(console) as steps:
        try:
            with perform(steps, port=port, settle=check) as (verdict, url):
                console.print(tabulate(verdict))
                report(console, verdict)
                if not check:
                    show_page(console, url)
        except KeyboardInterrupt:
            console.print("Ended; nothing is left running.")
            raise typer.Exit(130 if check else 0) from None
    if check:
        typer.echo(json.dumps([line.as_json() for line in verdict.lines], ensure_ascii=False))
    raise typer.Exit(1 if verdict.faults else 0)


def show_page(console: Console, url: str) -> None:
    """Name the page, open it where there is a screen, and wait for Ctrl-C."""
    console.print(f"\n  The shop, the inbox and the reasons: [bold cyan]{url}[/]\n  [dim]Ctrl-C ends everything.[/]\n")
    if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or os.name == "nt":
        webbrowser.open(url)
    threading.Event().wait()


def tabulate(verdict: Verdict) -> Table:
    """Show what was sent and what was not."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    for column in ("who", "story", "channel", "", "subject or reason"):
        table.add_column(column)
    for line in verdict.lines:
        sent = "[green]sent[/]" if line.sent else "[yellow]not sent[/]"
        table.add_row(line.who, line.story, line.channel, sent, line.subject or line.reason or line.to)
    return table


def report(console: Console, verdict: Verdict) -> None:
    """Say whether all was as told."""
    for fault in verdict.faults:
        console.print(f"[red]✗[/] {fault}", soft_wrap=True)
    if not verdict.faults:
        console.print("[green]✓[/] Everything was sent once, and nothing else.")
