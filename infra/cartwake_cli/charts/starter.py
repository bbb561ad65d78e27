"""Pictures of the starter journeys and campaigns: `python -m cartwake_cli.charts.starter` writes them anew."""

from pathlib import Path
from typing import Final

from cartwake.clock import read_clock
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake_cli.charts.cards import make_chart
from cartwake_cli.charts.svg import draw
from cartwake_cli.commands.check import find_files
from cartwake_cli.commands.draw import FOLDERS
from cartwake_cli.local.places import ROOT, STARTER

PICTURES: Final = ROOT / "docs" / "images"


def draw_all() -> dict[Path, str]:
    """Return the picture of each starter journey and campaign, by its file."""
    contents = {file: read_file(file, content) for file, content in find_files(STARTER).items()}
    rules = link(contents, partial=True, now=read_clock()).bundle
    files = [f"{folder}/{path.stem}" for folder in FOLDERS for path in sorted((STARTER / folder).glob("*.json"))]
    return {PICTURES / f"{file}.svg": draw(make_chart(Path(file).name, rules)) for file in files}


if __name__ == "__main__":
    for path, picture in draw_all().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
