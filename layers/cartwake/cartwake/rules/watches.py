"""Watches: what can move the runs of a journey before they are due, also those of older bundles."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from cartwake.bundles import Bundle
from cartwake.journeys import Watch
from cartwake.rules.compiling.desk import Reads
from cartwake.rules.leftovers import KEEP_MS
from cartwake.rules.references import References
from cartwake.times import Instant

_NOTHING: Final = Watch()


def watch(watched: Mapping[str, Reads], references: References, previous: Bundle, now: Instant) -> dict[str, Watch]:
    """Return by journey what its runs wait for, but for time.

    Args:
        watched: What the waits and goals of each journey read.
        references: What the segments and scores among it read.
        previous: What was live until now: runs may still wait for something that no step waits for any more.
        now: The time of the publish.
    """
    found = {}
    for name, reads in sorted(watched.items()):
        whole = references.close_reads(reads)
        own = Watch(
            events=tuple(sorted(whole.events)), traits=tuple(sorted(whole.traits)), known=tuple(sorted(whole.known))
        )
        kept = _keep(own, previous.watches.get(name, _NOTHING), now)
        if kept != _NOTHING:
            found[name] = kept
    return found


def _keep(own: Watch, before: Watch, now: Instant) -> Watch:
    """Return what is watched for with what was until now, for as long as a run can last in a step."""
    if before.since and before.since <= now - KEEP_MS:
        return own
    both = Watch(
        events=tuple(sorted({*own.events, *before.events})),
        traits=tuple(sorted({*own.traits, *before.traits})),
        known=tuple(sorted({*own.known, *before.known})),
    )
    if both == own:
        return own
    # the same rules again change nothing
    return replace(both, since=before.since if before.since and both == replace(before, since=0) else now)
