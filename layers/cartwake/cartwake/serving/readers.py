"""Readers: in which language somebody who follows a link is spoken to."""

from cartwake.errors import TryAgain
from cartwake.links import Confirm, Export, Unsubscribe
from cartwake.store import addresses, profiles
from cartwake.telemetry import logger

type Personal = Unsubscribe | Confirm | Export
"""A link that says whose it is, and which address it went to."""


def find_languages(link: Personal) -> list[str]:
    """Return the tags that are known of the reader, the best first: what they chose, then what was told of them.

    Nobody is kept from leaving because this cannot be read.
    """
    try:
        chosen = addresses.get_address(link.address_key).choices.language
        traits = profiles.resolve_profile(link.who).state.traits
    except TryAgain as error:
        logger.warning("page in the shop's language", error=type(error).__name__)
        return []
    told = [str(traits[name].value) for name in ("language", "locale") if name in traits]
    return [tag for tag in (chosen, *told) if tag]
