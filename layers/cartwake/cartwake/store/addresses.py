"""The addresses table: suppression, consent and last sends of each address; it outlives the profile."""

from typing import Final

import msgspec
from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import GetError
from pynamodb.models import Model

from cartwake.addresses import Address
from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base


class AddressRow(Model):
    """One address, by the keyed hash of it."""

    class Meta(base.Meta):
        table_name = require("ADDRESSES_TABLE")

    address = UnicodeAttribute(hash_key=True)
    body = base.packed()
    version = NumberAttribute()


def get_address(key: str) -> Address:
    """Return the row of an address, read consistently; version 0 when there is none."""
    try:
        row = AddressRow.get(key, consistent_read=True)
    except AddressRow.DoesNotExist:
        return Address(key=key)
    except GetError as error:
        raise TryAgain(f"addresses: {base.failed_with(error)}") from error
    return msgspec.structs.replace(_decoder.decode(base.unsqueeze(row.body)), version=int(row.version))


def put_address(address: Address) -> bool:
    """Write *address* over the version it was read in; False when somebody else wrote: read and decide again."""
    return base.commit([write_address(address)])


def write_address(address: Address) -> base.Put:
    """Return the write of *address*, for a transaction."""
    condition = AddressRow.address.does_not_exist() if address.version == 0 else AddressRow.version == address.version
    row = AddressRow(address.key, body=base.squeeze(_encoder.encode(address)), version=address.version + 1)
    return base.Put(row, condition)


def demand_unchanged(address: Address) -> base.Check:
    """Return the demand that nobody has written *address* since it was read."""
    condition = AddressRow.address.does_not_exist() if address.version == 0 else AddressRow.version == address.version
    return base.Check(AddressRow(address.key), condition)


_encoder: Final = msgspec.msgpack.Encoder()
_decoder: Final = msgspec.msgpack.Decoder(Address)
