"""The demo's copy of the starter files: waits in seconds, shortened caps, no quiet hours, and visibly so."""

import json
import shutil
from pathlib import Path
from typing import Any, Final

from cartwake.times import DAY, MINUTE, parse_duration

WAIT: Final = "8 seconds"
LONG_WAIT: Final = "20 seconds"
"""For what takes a day or more: so no two mails to one shopper come within the cap."""
AT_MOST: Final = "30 seconds"
AGAIN: Final = "after 10 seconds"
CAP: Final = "1 second"
WAIT_SECONDS: Final = parse_duration(WAIT) // 1000


def copy_rules(source: Path, target: Path, *, url: str) -> Path:
    """Copy the starter files and change what a demo needs changed; `url` is the demo shop's address."""
    shutil.copytree(source, target, dirs_exist_ok=True)
    _rewrite(target / "settings.json", lambda settings: shorten_settings(settings, url=url))
    for journey in sorted((target / "journeys").glob("*.json")):
        _rewrite(journey, shorten_journey)
    return target


def shorten_settings(settings: dict[str, Any], *, url: str) -> dict[str, Any]:
    """Return the settings of the demo: `"demo": true` is what permits waits under a minute."""
    return settings | {
        "demo": True,
        "caps": {"email": CAP, "sms": CAP},
        "sending_hours": {"email": None, "sms": None},
        "shop": settings["shop"] | {"url": url},
    }


def shorten_journey(journey: dict[str, Any]) -> dict[str, Any]:
    """Return a journey with every wait in seconds; everything else is the starter's."""
    again = journey.get("again", "never")
    changes = {"again": AGAIN} if again.startswith("after ") else {}
    return journey | changes | {"steps": [_shorten_step(step) for step in journey["steps"]]}


def _shorten_step(step: dict[str, Any]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if "wait" in step and (wait_ms := parse_duration(step["wait"])) >= MINUTE:
        changes["wait"] = LONG_WAIT if wait_ms >= DAY else WAIT
    if "at_most" in step:
        changes["at_most"] = AT_MOST
    for side in ("then", "else"):
        if side in step:
            changes[side] = [_shorten_step(inner) for inner in step[side]]
    return step | changes


def _rewrite(path: Path, change: Any) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text())), indent=2, ensure_ascii=False) + "\n")
