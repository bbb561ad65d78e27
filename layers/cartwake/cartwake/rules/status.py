"""The status that marketers read: what is live, what is wrong where, and what waits for their word."""

import json
from typing import Any, Final

import msgspec

from cartwake.progress import FILES, say_failed, say_moved
from cartwake.rules.faults import Fault
from cartwake.rules.holding import Change
from cartwake.rules.publication import FileStatus, Publication
from cartwake.sweeps import SweepKind
from cartwake.times import Instant, format_instant
from cartwake.trials import name_confirmation

_MOST_NAMED: Final = 3


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a publish.

    Attributes:
        generation: Of what is live after it; 0 when nothing is.
        name: The hash of that.
        change: What is held, or still counted; None when nothing is.
        sweeping: Everybody is, or was, looked at under the live rules.
    """

    generation: int = 0
    name: str = ""
    change: Change | None = None
    sweeping: bool = False


def write_status(found: Publication, standing: Standing, now: Instant) -> bytes:
    """Return `_status/status.json`.

    Args:
        found: What became of the files.
        standing: What is live, and what waits.
        now: When it was looked at.
    """
    generation = standing.generation
    status = {
        "good": found.bundle is not None
        and not found.problem
        and all(each.state == "live" for each in found.files.values()),
        "looked_at": format_instant(now),
        "live": {"generation": generation, "hash": standing.name} if generation else None,
        "message": _summarise(found, standing),
        **({"problem": found.problem} if found.problem else {}),
        **({"held": _show_change(standing.change)} if standing.change else {}),
        **({"sweep": FILES[SweepKind.LIVE]} if standing.sweeping else {}),
        "files": {file: _show(each) for file, each in found.files.items()},
    }
    return (json.dumps(status, ensure_ascii=False, indent=2) + "\n").encode()


def show_fault(fault: Fault) -> dict[str, str]:
    """Return a fault as JSON data, without its file."""
    shown: dict[str, str] = msgspec.to_builtins(fault)
    return {name: value for name, value in shown.items() if name != "file"}


def _show(status: FileStatus) -> dict[str, Any]:
    return {
        "state": status.state,
        "in_use": str(status.in_use),
        "faults": [show_fault(fault) for fault in status.faults],
        "warnings": [show_fault(fault) for fault in status.warnings],
    }


def _show_change(change: Change) -> dict[str, Any]:
    shown: dict[str, Any] = {"candidate": change.candidate, "limit": change.limit, "changes": list(change.names)}
    if change.result is None:
        return shown | {"counted": False, "progress": FILES[SweepKind.TRIAL]}
    return shown | {
        "counted": True,
        "people": change.result.people,
        "segments": change.result.segments,
        "confirm_by": name_confirmation(change.candidate),
    }


def _summarise(found: Publication, standing: Standing) -> str:
    if found.problem:
        return (
            f"Cartwake itself failed on these files ({found.problem}): what could not be taken over stays as it was. "
            "Nobody foresaw it; please report it."
        )
    rejected = sum(each.state == "rejected" for each in found.files.values())
    if not standing.generation:
        return "Nothing is live: settings.json is missing or has faults, or no file is right yet."
    if found.bundle is None and standing.change is None:
        return "What was live stays as it is: the files do not make a whole."
    waiting = f"{_say_change(standing.change)} " if standing.change else ""
    if rejected:
        return (
            f"{waiting}{rejected} of {len(found.files)} files are not taken over; their last good versions stay in use."
        )
    swept = (
        f" Everybody is looked at under the new rules; {FILES[SweepKind.LIVE]} says how far that is."
        if standing.sweeping
        else ""
    )
    return f"{waiting}Everything{' else' if waiting else ''} is live.{swept}"


def _say_change(change: Change) -> str:
    what = _name_files(list(change.texts))
    if change.result is None:
        return (
            f"{what} not live yet: it is counted how many people would be moved, of whom settings.json allows "
            f"{change.limit}; {FILES[SweepKind.TRIAL]} says how far that is."
        )
    return (
        f"{what} held: {change.result.people} people would be moved ({say_moved(change.result.segments)})"
        f"{say_failed(change.result.failed)}, "
        f"and settings.json allows {change.limit}. To let it go live, upload any file as "
        f"{name_confirmation(change.candidate)}; to give it up, put the old files back."
    )


def _name_files(files: list[str]) -> str:
    if not files:
        return "The new version of Cartwake's rules is"
    more = len(files) - _MOST_NAMED
    named = ", ".join(files[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return f"{named} {'is' if len(files) == 1 else 'are'}"
