"""Tombstones: what is left of a shopper in one transaction, before anything is deleted.

An edge, not a decision: it reads rows, and writes them all at once.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from cartwake.addresses import forget
from cartwake.consents import of_consent
from cartwake.devices import list_addresses
from cartwake.erasure import Erasure
from cartwake.errors import TryAgain, WriteConflict
from cartwake.events import Trust
from cartwake.gateways import queue
from cartwake.handovers import name_owner
from cartwake.profiles import Kind
from cartwake.store import addresses, base, consents, erasures, identities, profiles
from cartwake.telemetry import count, logger, name_who
from cartwake.times import Instant

_ATTEMPTS: Final = 5


def bury(who: str, *, now: Instant) -> None:
    """Turn every key of a shopper into a tombstone, withdraw what their addresses permit, and release those.

    Addresses that were theirs before are withdrawn too: an old list may name them. From then on nothing is folded,
    started or sent; what is stored is deleted by others, of whom one is asked. Doing it again changes nothing.

    Raises:
        WriteConflict: Others kept writing the same rows.
    """
    for _ in range(_ATTEMPTS):
        root = profiles.resolve_profile(who)
        if root.kind is Kind.TOMBSTONE:
            return
        others = [profiles.get_profile(key) for key in dict.fromkeys((*root.state.sources, who)) if key != root.who]
        keys = (root.who, *(row.who for row in others))
        # one that is another's by now is theirs
        had = sorted({*root.address_keys.values(), *root.state.former})
        owners = {key: identities.find_owner(key) for key in had}
        left = {key: owner for key, owner in owners.items() if owner is None or owner in keys}
        devices = {key: identities.find_owner(key) for key in map(name_owner, list_addresses(root.state.devices))}
        erasure = Erasure(who=root.who, keys=keys, addresses=tuple(left), at=now)
        if base.commit([*erasures.begin(erasure, [root, *others]), *_leave(erasure, left), *_release(keys, devices)]):
            count("ProfilesErased")
            logger.info("profile erased", who=name_who(root.who), keys=len(erasure.keys))
            _ask(erasure)
            return
    raise WriteConflict("profile written by others too often in a row")


def _leave(erasure: Erasure, owners: Mapping[str, str | None]) -> Iterator[base.Action]:
    """Yield the writes that withdraw what the shopper's addresses permit, put that on record, and release them."""
    for key, owner in owners.items():
        address = forget(addresses.get_address(key), erasure.at)
        yield addresses.write_address(address)
        if address.consent is not None:
            yield consents.write_statement(of_consent(key, address.consent, source=Trust.OWN.value))
        if owner is not None:
            yield identities.release(key, owner=owner)


def _release(keys: Collection[str], devices: Mapping[str, str | None]) -> Iterator[base.Action]:
    """Yield the writes that release the devices that are still the shopper's."""
    for key, owner in devices.items():
        if owner is not None and owner in keys:
            yield identities.release(key, owner=owner)


def _ask(erasure: Erasure) -> None:
    """Have it done now; where nobody can be asked, `wake` finds the tombstone."""
    try:
        queue.send_erasures([erasure.who])
    except TryAgain as error:
        logger.warning("erasure not asked for", who=name_who(erasure.who), detail=str(error))
