"""`cartwake try`: who would be in a segment, before it is published."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cartwake.clock import read_clock
from cartwake.rules.faults import find_nearest
from cartwake.rules.places import find_place
from cartwake.telemetry import name_who
from cartwake_cli.candidates import Candidate, build_candidate
from cartwake_cli.cloud import Cloud
from cartwake_cli.commands.check import FAULTS, UNUSABLE, find_files, print_json, show, tell, tell_unusable
from cartwake_cli.drawing import draw_reason
from cartwake_cli.faults import Fault, tell_faults
from cartwake_cli.scanning import Scan, Throttle
from cartwake_cli.stack import read_stack
from cartwake_cli.survey import SHOWN, Survey, conduct
from cartwake_cli.survey_words import TITLES, find_why, say_missing, say_summary, show_survey
from cartwake_cli.tables import Tables
from cartwake_cli.trying import Trial, prepare_trial

app = typer.Typer(rich_markup_mode="markdown")


@app.command("try")
def try_segment(
    segment: Annotated[str, typer.Argument(help="The segment's file name without .json.")],
    rules: Annotated[
        Path, typer.Option(help="The folder of rules. Without a settings.json in it, all else is as it is live.")
    ] = Path(),
    stack: Annotated[str, typer.Option("--stack", help="The name of the CloudFormation stack.")] = "cartwake",
    sample: Annotated[
        int, typer.Option(min=0, max=1_000, help="How many who enter, leave and stay are shown, each with reasons.")
    ] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    read_units: Annotated[
        int, typer.Option(min=1, help="How many read units a second may be used; a million profiles are some 400,000.")
    ] = 1_000,
) -> None:
    """Say who would be in a segment if the rules of a folder were live, who enters and who leaves. Nothing is written.

    All stored profiles are read, and for what they do not remember, the stored events. Exit code 0 good, 1 faults in
    the files, 2 there is nothing to try.

    Example: `cartwake try vip --rules my-rules --stack my-shop`
    """
    files = find_files(rules) if rules.is_dir() else {}
    if not files:
        tell_unusable(rules, as_json=as_json)
        raise typer.Exit(UNUSABLE)
    with tell_faults(code=UNUSABLE):
        cloud = Cloud()
        deployed = read_stack(cloud, stack)
        tables = Tables(cloud, deployed)
        live = tables.read_live()
        candidate = build_candidate(files, live=live, sources=tables.read_sources(), now=read_clock())
        if candidate.faults:
            _tell_faults(candidate, as_json=as_json)
            raise typer.Exit(FAULTS)
        _demand(segment, candidate)
        trial = prepare_trial(segment, candidate.rules, live)
        survey = _survey(Scan(cloud, deployed, Throttle(read_units)), trial, sample)
    if as_json:
        print_json(show_survey(survey))
    else:
        _show(survey)


def _demand(segment: str, candidate: Candidate) -> None:
    if segment not in candidate.rules.segments:
        nearest = find_nearest(segment, candidate.rules.segments)
        suggestion = f'; did you mean "{nearest}"?' if nearest else ""
        raise Fault(f'there is no segment "{segment}" (segments/{segment}.json){suggestion}')


def _survey(scan: Scan, trial: Trial, most: int) -> Survey:
    """Look at everybody, with a bar that says how far that is."""
    columns = (TextColumn("Reading profiles"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=scan.count_rows() or None)
        return conduct(trial, scan, most=most, now=read_clock(), report=lambda read: progress.advance(task, read))


def _tell_faults(candidate: Candidate, *, as_json: bool) -> None:
    texts = {
        file: content.decode("utf-8-sig", errors="replace").replace("\r\n", "\n")
        for file, content in candidate.files.items()
    }
    placed = [(fault, find_place(texts.get(fault.file, ""), fault.path)) for fault in candidate.faults]
    if as_json:
        print_json({"good": False, "files": sorted(candidate.files), "faults": [show(*each) for each in placed]})
    else:
        tell(placed, len(candidate.files))


def _show(survey: Survey) -> None:
    console = Console(highlight=False)
    for line in say_summary(survey):
        console.print(escape(line))
    missing = say_missing(survey)
    if missing:
        console.print("\n[bold]not known[/bold]")
    for line in missing:
        console.print(f"  {escape(line)}")
    for fate in SHOWN:
        found = survey.list_sample(fate)
        if found:
            console.print(f"\n[bold]{TITLES[fate]}[/bold]: {len(found):,} of {survey.fates[fate]:,}")
        for each in found:
            keys = "  ".join(f"[bold]{escape(key)}[/bold]  in logs: {name_who(key)}" for key in each.profile.keys)
            console.print(keys)
            console.print(draw_reason(find_why(each, survey)))
