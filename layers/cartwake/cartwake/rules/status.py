"""The status that marketers read: what is live, and what is wrong where."""

import json
from typing import Any

import msgspec

from cartwake.rules.faults import Fault
from cartwake.rules.publication import FileStatus, Publication
from cartwake.times import Instant, format_instant


def write_status(found: Publication, *, generation: int, name: str, now: Instant) -> bytes:
    """Return `_status/status.json`.

    Args:
        found: What became of the files.
        generation: Of what is live after it; 0 when nothing is.
        name: The hash of that.
        now: When it was looked at.
    """
    status = {
        "good": found.bundle is not None and all(each.state == "live" for each in found.files.values()),
        "looked_at": format_instant(now),
        "live": {"generation": generation, "hash": name} if generation else None,
        "message": _summarise(found, is_live=generation > 0),
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
    }


def _summarise(found: Publication, *, is_live: bool) -> str:
    rejected = sum(each.state != "live" for each in found.files.values())
    if not is_live:
        return "Nothing is live: settings.json is missing or has faults, or no file is right yet."
    if found.bundle is None:
        return "What was live stays as it is: the files do not make a whole."
    if rejected:
        return f"{rejected} of {len(found.files)} files are not taken over; their last good versions stay in use."
    return "Everything is live."
