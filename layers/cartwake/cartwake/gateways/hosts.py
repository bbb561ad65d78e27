"""Hosts: where a name leads, and whether that is the open internet."""

import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final

from cartwake.errors import CartwakeError

PORT: Final = 443
_UNICAST: Final = IPv6Network("2000::/3")
"""All that is given out of IPv6 so far; what carries an address of IPv4 inside stands in none of it that is global."""
_EXAMPLES: Final = IPv6Network("3fff::/20")
"""Of documents, since RFC 9637; Python's own tables are older."""


class NotPublic(CartwakeError):
    """A name leads to where only machines of ours, or of nobody, can be."""


def find_public(host: str) -> list[str]:
    """Return the addresses of a host, all of which are public.

    Who connects has to connect to one of these: asked again, the name may lead elsewhere.

    Raises:
        NotPublic: One of them is not; so is then every other one suspect.
        OSError: It is not known where the name leads.
    """
    found = list(dict.fromkeys(str(it[4][0]) for it in socket.getaddrinfo(host, PORT, type=socket.SOCK_STREAM)))
    if not all(is_public(address) for address in found):
        raise NotPublic(host)
    return found


def is_public(text: str) -> bool:
    """Say whether an address is one that anybody on the internet can reach."""
    try:
        address = ip_address(text)
    except ValueError:
        return False
    match address:
        case IPv4Address():
            return address.is_global and not address.is_multicast
        case IPv6Address():
            is_given_out = address in _UNICAST and address not in _EXAMPLES
            return address.scope_id is None and is_given_out and address.is_global
