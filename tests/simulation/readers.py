"""Readers: the rows of tables as they are now, unpacked."""

from base64 import b64decode
from typing import Any

from cartwake.messages import Message
from cartwake.profiles import Profile
from cartwake.runs import Run
from cartwake.store import messages, profiles, runs
from cartwake.store.base import unsqueeze
from simulation import cloud


def find(table: str, **key: str) -> dict[str, Any] | None:
    """Return a row as it is now."""
    by_hash = cloud.dynamodb._tables[table]["items"]
    first, *rest = key.values()
    found = by_hash.get(first, {})
    return found.get(rest[0] if rest else next(iter(found), None)) if found else None


def list_keys() -> list[str]:
    """Return the keys of all profiles."""
    return [row["who"]["S"] for row in cloud.rows("profiles")]


def read_run(row: dict[str, Any] | None) -> Run | None:
    """Return a run's row."""
    return runs._decoder.decode(unsqueeze(b64decode(row["body"]["B"]))) if row else None


def read_message(row: dict[str, Any] | None) -> Message | None:
    """Return a message's row."""
    return messages._decoder.decode(unsqueeze(b64decode(row["body"]["B"]))) if row else None


def read_profile(row: dict[str, Any]) -> Profile:
    """Return a profile's row."""
    flat = {name: next(iter(it.values())) for name, it in row.items()}
    state = profiles.unpack(unsqueeze(b64decode(flat["state"]))) if flat.get("state") else None
    return Profile(
        who=flat["who"],
        kind=profiles.Kind(flat["kind"]),
        target=flat.get("target") or "",
        **({"state": state} if state else {}),
        version=int(flat["version"]),
        generation=int(flat.get("generation", 0)),
    )


def resolve(who: str) -> Profile | None:
    """Return the profile that a key leads to as it is now."""
    for _ in range(20):
        row = find("profiles", who=who)
        if row is None:
            return None
        profile = read_profile(row)
        if profile.kind != "pointer":
            return profile
        who = profile.target
    return None
