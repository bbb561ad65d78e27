"""export_profiles: write everything that is known of whoever asked for it into one file, and tell that it is there."""

from typing import Any, Final

from cartwake.batches import keep_record, process_queue
from cartwake.clock import read_clock
from cartwake.copies import Copy, encode
from cartwake.coupons import Taken
from cartwake.erasure import name_export
from cartwake.events import EXPORT_READY, derive_id, own_event
from cartwake.gateways import bucket
from cartwake.identity import is_erased
from cartwake.profiles import Profile
from cartwake.store import addresses, consents, coupons, events, messages, participants, profiles, quarantine, runs
from cartwake.telemetry import count, logger, metrics, name_who
from cartwake.times import DAY, Instant, format_instant

KEEP_MS: Final = 7 * DAY
"""As the bucket's lifecycle has it."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Take requests for copies.

    Args:
        event: `Records` of SQS with bodies `{"who", "request": key of the event, "at": instant of its receipt}`.
        context: Lambda's.
    """
    return process_queue(
        event,
        lambda body: export(body["who"], request=body["request"], at=int(body["at"])),
        set_aside=lambda record, error: keep_record(record, error, read_clock()),
    )


def export(who: str, *, request: str, at: Instant) -> None:
    """Write the file, then the event; asked again the file is written anew, and the event is the same one.

    Raises:
        TryAgain: Not both are written.
    """
    profile, now = profiles.resolve_profile(who), read_clock()
    if is_erased(profile):
        logger.info("nobody to export", who=name_who(who))
        return
    file = name_export(profile.who)
    bucket.write(file, encode(read_copy(profile), now))
    told = {"file": file, "until": format_instant(at + KEEP_MS)}
    ready = own_event(profile.who, EXPORT_READY, id=derive_id(EXPORT_READY, who, request), at=at, properties=told)
    events.put_events([ready])
    count("ProfilesExported")
    logger.info("profile exported", who=name_who(profile.who), file=file)


def read_copy(profile: Profile) -> Copy:
    """Return all that is stored under the keys of a profile."""
    return Copy(
        profile=profile,
        addresses=tuple(addresses.get_address(key) for _, key in sorted(profile.address_keys.items())),
        consents=tuple(it for _, key in sorted(profile.address_keys.items()) for it in consents.list_statements(key)),
        events=tuple(events.read_history(profile.keys)),
        runs=tuple(run for key in profile.keys for run in runs.list_runs(key)),
        messages=tuple(message for key in profile.keys for message in messages.list_messages(key)),
        coupons=_read_coupons(profile),
        participants=tuple(it for key in profile.keys for it in participants.list_participants(key)),
        refused=tuple((it.reason, it.where, it.at) for key in profile.keys for it in quarantine.list_refusals(key)),
    )


def _read_coupons(profile: Profile) -> tuple[Taken, ...]:
    """Return the codes that the shopper was given, or has used."""
    given = [it.code for key in profile.keys for it in coupons.list_given(key)]
    used = [code for key in profile.keys for code in coupons.list_redeemed(key)]
    found = (coupons.get_taken(code) for code in dict.fromkeys((*given, *used)))
    return tuple(taken for taken in found if taken is not None)
