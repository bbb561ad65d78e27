"""Declarations: a yes or no that somebody says to us, written to the address and to its record at once.

An edge, not a decision: it reads the row of the address, has it decided what is said, and writes that.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from cartwake.addresses import Address
from cartwake.consents import Said, read_statements
from cartwake.errors import WriteConflict
from cartwake.events import Event
from cartwake.statements import Channel
from cartwake.store import addresses, base, consents

ATTEMPTS: Final = 8

type Decide = Callable[[Address], Said | None]


def declare(key: str, decide: Decide, *, demand: Callable[[], Iterable[base.Check]] = tuple) -> Event | None:
    """Write what is said of an address, and return the event that tells it, which is still to be put.

    Args:
        key: The address.
        decide: Returns what is said of its row; None, and then nothing is written: it may not be said.
        demand: Returns, after `decide`, what else must hold in the same transaction.

    Raises:
        WriteConflict: Others kept writing the same rows.
    """
    for _ in range(ATTEMPTS):
        before = addresses.get_address(key)
        said = decide(before)
        if said is None:
            return None
        if said.row is before:
            for statement in read_statements(said.told, {Channel(key.partition("#")[0]): key}):
                consents.put_statement(statement)
            return said.told
        if base.commit([*write(said), *demand()]):
            return said.told
    raise WriteConflict("address written by others too often in a row")


def write(said: Said) -> Iterator[base.Action]:
    """Yield the writes of what is said anew: its row, and its statement on the record."""
    key = said.row.key
    yield addresses.write_address(said.row)
    for statement in read_statements(said.told, {Channel(key.partition("#")[0]): key}):
        yield consents.write_statement(statement)
