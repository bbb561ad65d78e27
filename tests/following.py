"""Shoppers followed through their lives by the core alone, event by event, as the deployed functions would."""

from collections.abc import Collection, Sequence

from cartwake.bundles import Bundle
from cartwake.events import Event
from cartwake.profiles import Profile
from cartwake.rules.publication import choose
from cartwake.segments import absorb, adopt, advance, finish, is_member
from cartwake.times import Instant
from cartwake_cli.local.places import STARTER


def list_segments() -> list[str]:
    """The names of the starter segments."""
    return sorted(path.stem for path in (STARTER / "segments").glob("*.json"))


def publish_starter(names: Collection[str]) -> Bundle:
    """Return rules that have the named segments of the starter files, and no journeys."""
    wanted = [STARTER / "settings.json", *STARTER.glob("*.json"), *STARTER.glob("scores/*.json")]
    wanted += [STARTER / "segments" / f"{name}.json" for name in names]
    found = choose({path.relative_to(STARTER).as_posix(): path.read_bytes() for path in wanted})
    assert found.bundle is not None
    assert set(found.bundle.segments) == set(names), found.files
    return found.bundle


def follow(
    who: str, events: Sequence[Event], rules: Bundle, instants: Sequence[Instant]
) -> dict[Instant, frozenset[str]]:
    """Return the segments that a shopper is in at each instant.

    Args:
        who: The profile's key.
        events: Theirs, in the order in which they are received.
        rules: What they are looked at under.
        instants: In order of time; what is received at one counts.
    """
    found: dict[Instant, frozenset[str]] = {}
    profile: Profile | None = None
    waiting = iter(events)
    event = next(waiting, None)
    for instant in instants:
        while event is not None and event.received_at <= instant:
            profile, _ = absorb(profile or adopt(Profile(who=who), rules, event.received_at), event, rules)
            profile = finish(profile, rules, event.received_at)
            event = next(waiting, None)
        if profile is not None:
            profile, _ = advance(profile, rules, instant)
        memberships = profile.state.memberships if profile is not None else {}
        found[instant] = frozenset(name for name, membership in memberships.items() if is_member(membership))
    return found
