"""The identities table: which profile an e-mail address or a phone number belongs to."""

from pynamodb.attributes import UnicodeAttribute
from pynamodb.exceptions import GetError
from pynamodb.models import Model

from cartwake.errors import TryAgain
from cartwake.settings import require
from cartwake.store import base


class IdentityRow(Model):
    """The owner of an identifier: `email#<hash>`, `sms#<hash>`, the same keys as the addresses have."""

    class Meta(base.Meta):
        table_name = require("IDENTITIES_TABLE")

    identifier = UnicodeAttribute(hash_key=True)
    who = UnicodeAttribute()


def find_owner(identifier: str) -> str | None:
    """Return the profile that owns an identifier, read consistently."""
    try:
        return IdentityRow.get(identifier, consistent_read=True).who
    except IdentityRow.DoesNotExist:
        return None
    except GetError as error:
        raise TryAgain(f"identities: {base.failed_with(error)}") from error


def claim(identifier: str, who: str, *, owner: str | None) -> base.Put:
    """Return the write that makes *who* the owner, if the owner is still the one that was read."""
    condition = IdentityRow.identifier.does_not_exist() if owner is None else IdentityRow.who == owner
    return base.Put(IdentityRow(identifier, who=who), condition)


def demand_owner(identifier: str, owner: str | None) -> base.Check:
    """Return the demand that the owner is still the one that was read; None: nobody."""
    condition = IdentityRow.identifier.does_not_exist() if owner is None else IdentityRow.who == owner
    return base.Check(IdentityRow(identifier), condition)


def release(identifier: str, *, owner: str) -> base.Delete:
    """Return the write that frees an identifier which *owner* no longer has."""
    return base.Delete(IdentityRow(identifier), IdentityRow.who == owner)
