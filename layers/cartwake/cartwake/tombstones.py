"""Tombstones: what is left of a shopper in one transaction, before anything is deleted.

An edge, not a decision: it reads rows, and writes them all at once.
"""

from typing import Final

from cartwake.addresses import forget
from cartwake.consents import of_consent
from cartwake.erasure import Erasure
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import Trust
from cartwake.gateways import queue
from cartwake.profiles import Kind
from cartwake.store import addresses, base, consents, erasures, identities, profiles
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

_ATTEMPTS: Final = 5


def bury(who: str, *, now: Instant) -> None:
    """Turn every key of a shopper into a tombstone, withdraw what their addresses permit, and release those.

    From then on nothing is folded, started or sent; what is stored is deleted by others, of whom one is asked. Doing it
    again changes nothing.

    Raises:
        WriteConflict: Others kept writing the same rows.
    """
    for _ in range(_ATTEMPTS):
        root = profiles.resolve_profile(who)
        if root.kind is Kind.TOMBSTONE:
            return
        others = [profiles.get_profile(key) for key in dict.fromkeys((*root.state.sources, who)) if key != root.who]
        erasure = Erasure(
            who=root.who,
            keys=(root.who, *(row.who for row in others)),
            addresses=tuple(sorted(root.address_keys.values())),
            at=now,
        )
        if base.commit([*erasures.begin(erasure, [root, *others]), *_leave(erasure)]):
            count("ProfilesErased")
            logger.info("profile erased", who=name_who(root.who), keys=len(erasure.keys))
            _ask(erasure)
            return
    raise WriteConflict("profile written by others too often in a row")


def _leave(erasure: Erasure) -> list[base.Action]:
    """Return the writes that withdraw and release the shopper's addresses; one that is another's by now stays so."""
    writes: list[base.Action] = []
    for key in erasure.addresses:
        owner = identities.find_owner(key)
        if owner is not None and owner not in erasure.keys:
            continue
        address = forget(addresses.get_address(key), erasure.at)
        writes.append(addresses.write_address(address))
        if address.consent is not None:
            writes.append(consents.write_statement(of_consent(key, address.consent, source=Trust.OWN.value)))
        if owner is not None:
            writes.append(identities.release(key, owner=owner))
    return writes


def _ask(erasure: Erasure) -> None:
    """Have it done now; where nobody can be asked, `wake` finds the tombstone."""
    try:
        queue.send_erasures([erasure.who])
    except TryAgain as error:
        logger.warning("erasure not asked for", who=name_who(erasure.who), detail=str(error))
