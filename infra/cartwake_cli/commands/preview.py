"""`cartwake preview`: a template as somebody would get it, as HTML, text and a picture."""

from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from cartwake.bundles import Bundle
from cartwake.clock import read_clock
from cartwake.rules.compile import link
from cartwake.rules.faults import Faulty
from cartwake.rules.files import read_file
from cartwake.sending.templates import Rendered
from cartwake_cli.cloud import Cloud
from cartwake_cli.commands.check import UNUSABLE, find_files
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.previewing import Reader, fill, find_browser, make_sample, photograph
from cartwake_cli.stack import read_stack
from cartwake_cli.tables import Tables

SAMPLE: Final = "sample"

app = typer.Typer(rich_markup_mode="markdown")


@app.command()
def preview(
    template: Annotated[str, typer.Argument(help="The template's file name without its ending, such as cart-1.")],
    who: Annotated[
        str, typer.Option("--as", help="An e-mail address, phone number, user id or anonymous id; or sample.")
    ] = SAMPLE,
    locale: Annotated[str, typer.Option(help="The locale of a translation, such as de; else the shopper's own.")] = "",
    out: Annotated[Path, typer.Option(help="The folder into which it is written.")] = Path("preview"),
    rules: Annotated[
        Path, typer.Option(help="The folder of rules. Where there are none in it: what is live.")
    ] = Path(),
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
) -> None:
    """Write a message as somebody would get it now: HTML, plain text, and a picture where there is a browser.

    Nothing is sent, and nothing is read from the stack for `--as sample` and a folder of rules. Exit code 0 good, 1 it
    would not be sent, 2 there is nothing to show.

    Example: `cartwake preview cart-1 --as ada@example.com --locale de --rules my-rules`
    """
    now = read_clock()
    files = find_files(rules) if rules.is_dir() else {}
    with tell_faults(code=UNUSABLE):
        tables = None if files and who == SAMPLE else _open(stack)
        bundle = read_rules(files, tables)
        reader = make_sample(now) if tables is None or who == SAMPLE else read_reader(tables, who)
    with tell_faults():
        rendered, language = fill(template, bundle, reader, locale=locale, now=now)
        _tell(rendered, language, write(rendered, out, f"{template}.{language}"))


def read_rules(files: dict[str, bytes], tables: Tables | None) -> Bundle:
    """Return what the files make; without any, what is live.

    They make the same on every day: a campaign whose time is over has begun, and is no fault.

    Raises:
        Fault: They have faults, or nothing is live.
    """
    if files:
        try:
            linked = link({file: read_file(file, content) for file, content in files.items()})
        except Faulty as error:
            raise Fault(f"the rules have faults; `cartwake check` tells all of them. {error.faults[0]}") from None
        if linked.conflicts:
            raise Fault(f"the rules have faults; `cartwake check` tells all of them. {linked.conflicts[0].fault}")
        return linked.bundle
    live = tables.read_live() if tables else None
    if live is None:
        raise Fault("there are no rules in the folder, and none are live; name a folder with --rules")
    return live


def read_reader(tables: Tables, who: str) -> Reader:
    """Return the shopper whom *who* names, with the event that started their latest journey."""
    facts = tables.read_facts(tables.find_key(who))
    runs = sorted(facts.runs, key=lambda run: run.entered_at)
    return Reader(facts.profile.state, runs[-1].trigger if runs else None)


def write(rendered: Rendered, out: Path, name: str) -> list[Path]:
    """Write what would be sent, and return the files; the last one is a picture, where there is a browser."""
    out.mkdir(parents=True, exist_ok=True)
    files = [out / f"{name}.txt"]
    lines = (rendered.subject, rendered.text, rendered.link, rendered.image) if rendered.link else (rendered.text,)
    files[0].write_text("\n".join(filter(None, lines)) + "\n")
    if rendered.html:
        files.insert(0, out / f"{name}.html")
        files[0].write_text(rendered.html)
        browser = find_browser()
        if browser:
            picture = out / f"{name}.png"
            photograph(browser, rendered.html, picture)
            files.append(picture)
    return files


def _open(stack: str) -> Tables:
    cloud = Cloud()
    return Tables(cloud, read_stack(cloud, stack))


def _tell(rendered: Rendered, language: str, files: list[Path]) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if rendered.link:
        for what, text in (("Title", rendered.subject), ("Body", rendered.text), ("Link", rendered.link)):
            console.print(f"{what} ({language}): {text}", markup=False)
    if rendered.html:
        console.print(f"Subject ({language}): {rendered.subject}", markup=False)
    for file in files:
        console.print(str(file), markup=False)
    if rendered.html and files[-1].suffix != ".png":
        console.print("No picture: there is no Chromium or Chrome here (apt-get install chromium).", style="yellow")
