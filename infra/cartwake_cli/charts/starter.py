"""Pictures of the starter journeys: `python -m cartwake_cli.charts.starter` writes them anew."""

from pathlib import Path
from typing import Final

from cartwake_cli.charts.cards import make_chart
from cartwake_cli.charts.svg import draw
from cartwake_cli.commands.draw import FOLDER, read_journey
from cartwake_cli.local.places import ROOT, STARTER

PICTURES: Final = ROOT / "docs" / "images" / "journeys"


def draw_all() -> dict[Path, str]:
    """Return the picture of each starter journey, by its file."""
    names = sorted(path.stem for path in (STARTER / FOLDER).glob("*.json"))
    return {PICTURES / f"{name}.svg": draw(make_chart(name, read_journey(STARTER, name))) for name in names}


if __name__ == "__main__":
    for path, picture in draw_all().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(picture, encoding="utf-8")
