"""Rights: note that somebody wants a copy of their data, or to be erased; others see to it."""

from cartwake.events import ERASURE_REQUESTED, EXPORT_REQUESTED, derive_id, own_event
from cartwake.links import Erase, Export
from cartwake.store import events
from cartwake.telemetry import logger, name_who


def request(link: Export) -> None:
    """Store the event, once for each link, however often its button is pressed.

    Raises:
        TryAgain: It is not written.
    """
    erases = isinstance(link, Erase)
    name = ERASURE_REQUESTED if erases else EXPORT_REQUESTED
    ident = derive_id(name, link.who, link.address_key, str(link.at))
    told = {"channel": link.channel.value, "message": link.message, "address": link.address_key, "method": "page"}
    # The instant at which the link was made: that of the press would make another event of each.
    events.put_events([own_event(link.who, name, id=ident, at=link.at, properties=told)])
    logger.info("request noted", who=name_who(link.who), message_id=link.message, kind=name)
