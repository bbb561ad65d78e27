"""Clearance: what must hold before anything leaves, read and decided on once more, by whichever channel it goes."""

from typing import Final

from cartwake import messages as deciding
from cartwake.live import load_live
from cartwake.messages import Message
from cartwake.reasons import Skip
from cartwake.sending.letters import Case
from cartwake.store import profiles, runs
from cartwake.times import MINUTE, Instant

_LOOK_AGAIN_MS: Final = 10 * MINUTE


def clear(message: Message, now: Instant) -> Case | Message:
    """Return what is known of a message that may leave, or the message as it then is: skipped, or put off."""
    rules = load_live(now)
    run = runs.get_run(message.who, message.run)
    if run is None:
        return deciding.skip(message, Skip.RUN_ENDED, now)
    profile = profiles.resolve_profile(message.who)
    # what was received after this function looked at its clock is in the state, and counts
    seen_at = max(now, profile.state.evaluated_at)
    case = Case(message=message, run=run, profile=profile, rules=rules, now=seen_at)
    why = deciding.may_send(message, run, profile, case.view)
    if why is None:
        return case
    if why is Skip.PAUSED and now <= message.not_after:
        return deciding.put_off(message, now + _LOOK_AGAIN_MS)
    return deciding.skip(message, why, now)
