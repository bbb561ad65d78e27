"""A marketer: saves the files of a shop, which go live as they are."""

import json
from typing import Any

from builders import NOON, publish

from cartwake.bundles import Bundle
from cartwake.live import find_live
from cartwake.rules.compile import link
from cartwake.rules.files import read_file
from cartwake.runs import Run
from cartwake.store import runs

SETTINGS: dict[str, Any] = {
    "shop": {"name": "N", "url": "https://n.example", "postal_address": "Street 1"},
    "sender": {"email": "shop@example.com"},
    "caps": {"email": "none"},
    "timezone": "Europe/Berlin",
}
MAIL = """<mjml><mj-head><mj-title>{subject}</mj-title></mj-head><mj-body><mj-section><mj-column><mj-text>
{{{{ shop.postal_address }}}} <a href="{{{{ unsubscribe_url }}}}">stop</a>
</mj-text></mj-column></mj-section></mj-body></mjml>"""
WAIT_AND_MAIL: list[dict[str, Any]] = [{"wait": "1 day"}, {"email": "one"}]


def save(*, segments: Any = None, **changes: Any) -> Bundle:
    """Have the journey j go live, started by a cart, which waits a day and sends the mail "one", or otherwise."""
    journey = {"name": "J", "status": "live", "trigger": {"event": "Product Added"}, "again": "always"}
    return save_all({"j": journey | {"steps": WAIT_AND_MAIL} | changes}, segments=segments)


def save_all(journeys: dict[str, Any], *, segments: Any = None) -> Bundle:
    """Have journeys go live, and segments by what stands in their "where"."""
    files: dict[str, Any] = {"settings.json": SETTINGS}
    files |= {f"templates/{name}.mjml": MAIL.format(subject=name) for name in ("one", "two", "three")}
    named = {f"journeys/{name}.json": {"name": name, "status": "live"} | it for name, it in journeys.items()}
    named |= {f"segments/{name}.json": {"name": name, "where": where} for name, where in (segments or {}).items()}
    raw = {
        file: it.encode() if isinstance(it, str) else json.dumps(it).encode() for file, it in (files | named).items()
    }
    linked = link({file: read_file(file, content) for file, content in raw.items()}, previous=find_live(NOON)[1])
    assert not linked.conflicts, [str(each.fault) for each in linked.conflicts]
    publish(linked.bundle)
    return linked.bundle


def list_runs(journey: str = "j", *whos: str) -> list[Run]:
    """Return the runs of a journey, of user 1 if nobody is named, the earliest first."""
    found = [run for who in whos or ("u#1",) for run in runs.list_runs(who, journey=journey)]
    return sorted(found, key=lambda run: (run.entered_at, run.about))


def list_ends(journey: str = "j", *whos: str) -> dict[str, str]:
    """Return how each run of a journey stands, by its key: why it ended, or that it goes on."""
    return {run.about: run.ended.value if run.ended else "goes on" for run in list_runs(journey, *whos)}
