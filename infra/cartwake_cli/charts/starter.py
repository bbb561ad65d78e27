"""Pictures of the starter journeys and campaigns: `python -m cartwake_cli.charts.starter` writes them anew."""

from pathlib import Path
from typing import Final

from cartwake.rules.files import name_of
from cartwake_cli.charts.cards import make_chart
from cartwake_cli.charts.svg import draw
from cartwake_cli.commands.draw import FOLDERS, read_journey
from cartwake_cli.local.places import ROOT, STARTER

PICTURES: Final = ROOT / "docs" / "images"


def draw_all() -> dict[Path, str]:
    """Return the picture of each starter journey and campaign, by its file."""
    files = [f"{folder}/{path.stem}" for folder in FOLDERS for path in sorted((STARTER / folder).glob("*.json"))]
    return {PICTURES / f"{file}.svg": _draw(f"{file}.json") for file in files}


def _draw(file: str) -> str:
    return draw(make_chart(name_of(file), read_journey(STARTER, file)))


if __name__ == "__main__":
    for path, picture in draw_all().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
