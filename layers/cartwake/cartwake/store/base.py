"""What every table has in common: settings of the client, packed attributes, shards, and transactions."""

import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import compress, crc32, decompress

from pynamodb.attributes import BinaryAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import PutError, PynamoDBException, TransactWriteError, UpdateError
from pynamodb.expressions.condition import Condition
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from cartwake.errors import TryAgain

SHARDS: Final = 4
"""Partitions of each sparse index: 4,000 writes a second; an idle look at all of them costs 2 read units."""
LAYOUT = 1
"""What a packed row begins with: raised by a release that stores what an older one would lose. Before the first, 0."""
_LAYOUTS: Final = 0x40
"""No more of them: a packed map or list, and what is deflated, begins with a greater byte."""
_ATTEMPTS: Final = 6
_COMPRESS_FROM: Final = 700
_HOPELESS: Final = frozenset({"ValidationException", "ValidationError", "ItemCollectionSizeLimitExceeded"})
"""What no repetition mends, such as an item of more than 400 KB; all else is worth another try."""


class Meta:
    """Client settings that every row's own `Meta` takes over: answers come fast or are retried."""

    read_timeout_seconds = 5
    connect_timeout_seconds = 2
    max_retry_attempts = 3


def packed(**options: Any) -> BinaryAttribute:
    """Return an attribute for bytes."""
    return BinaryAttribute(legacy_encoding=False, **options)


def shard_of(text: str) -> int:
    """Return the index partition of a key."""
    return crc32(text.encode()) % SHARDS


def squeeze(content: bytes) -> bytes:
    """Return what is stored: the layout, and *content*, which is deflated when it is long.

    An event of 1.1 KB then costs one write unit and not two.
    """
    return bytes((LAYOUT,)) + (compress(content, 6) if len(content) >= _COMPRESS_FROM else content)


def unsqueeze(stored: bytes) -> bytes:
    """Return what `squeeze` was given; a deflate stream begins with 0x78, which no packed map does.

    Raises:
        TryAgain: Newer code has written it: during a deployment this process would lose what it does not know.
    """
    layout = stored[0] if stored[:1] < bytes((_LAYOUTS,)) else 0
    if layout > LAYOUT:
        raise TryAgain("a row was written by newer code")
    content = stored[1:] if layout else stored
    return decompress(content) if content[:1] == b"\x78" else content


@dataclass(frozen=True, slots=True)
class Put:
    """Write a whole row."""

    row: Model
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Update:
    """Change some attributes of a row."""

    row: Model
    actions: list[Any]
    condition: Condition | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Demand something of a row that is not written."""

    row: Model
    condition: Condition


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a row."""

    row: Model
    condition: Condition | None = None


type Action = Put | Update | Check | Delete


def commit(actions: Sequence[Action], *, token: str | None = None) -> bool:
    """Do all of *actions* or none; False when a condition does not hold.

    Args:
        actions: At most 100, no two on one row. A single Put is an ordinary write, at half the price.
        token: Makes a repetition within ten minutes the same request.

    Raises:
        TryAgain: DynamoDB was throttled, or others kept writing the same rows.
    """
    for attempt in range(_ATTEMPTS):
        try:
            return (
                _put_one(actions[0]) if len(actions) == 1 and isinstance(actions[0], Put) else _transact(actions, token)
            )
        except TryAgain:
            if attempt == _ATTEMPTS - 1:
                raise
            time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311  jitter, not a secret
    raise AssertionError("unreachable")


def change(row: Model, actions: list[Any], condition: Condition) -> bool:
    """Change some attributes of one row, outside a transaction; False when the condition does not hold."""
    try:
        row.update(actions=actions, condition=condition)
    except UpdateError as error:
        if failed_with(error) == "ConditionalCheckFailedException":
            return False
        raise TryAgain(f"update: {failed_with(error)}") from error
    return True


def failed_with(error: PynamoDBException) -> str:
    """Return the code DynamoDB gave, or what happened to the connection when it gave none."""
    # not `error.cause_response_code`: it fails where a timeout carries no answer
    answer = getattr(error.cause, "response", None)
    return str(answer["Error"]["Code"]) if answer else type(error.cause).__name__


def _put_one(put: Put) -> bool:
    try:
        put.row.save(condition=put.condition)
    except PutError as error:
        if failed_with(error) == "ConditionalCheckFailedException":
            return False
        if failed_with(error) in _HOPELESS:
            raise
        raise TryAgain(f"put: {failed_with(error)}") from error
    return True


def _transact(actions: Sequence[Action], token: str | None) -> bool:
    try:
        with TransactWrite(connection=_connection(), client_request_token=token) as transaction:
            for action in actions:
                _add(transaction, action)
    except TransactWriteError as error:
        codes = [reason.code for reason in error.cancellation_reasons if reason is not None]
        if "ConditionalCheckFailed" in codes:
            return False
        if failed_with(error) in _HOPELESS or _HOPELESS.intersection(codes):
            raise
        raise TryAgain(f"transaction: {failed_with(error)} {' '.join(codes)}") from error
    return True


def _add(transaction: TransactWrite, action: Action) -> None:
    match action:
        case Put(row, condition):
            transaction.save(row, condition=condition)
        case Update(row, changes, condition):
            transaction.update(row, actions=changes, condition=condition)
        case Check(row, condition):
            hash_key, range_key = _key_of(row)
            transaction.condition_check(type(row), hash_key, range_key, condition=condition)
        case Delete(row, condition):
            transaction.delete(row, condition=condition)


def _key_of(row: Model) -> tuple[Any, Any]:
    hash_name, range_name = type(row)._hash_keyname, type(row)._range_keyname  # noqa: SLF001  pynamodb has no other way
    return getattr(row, str(hash_name)), getattr(row, str(range_name)) if range_name else None


def _connection() -> Connection:
    global _shared  # noqa: PLW0603  one client a process, made when first needed
    if _shared is None:
        _shared = Connection(read_timeout_seconds=5, connect_timeout_seconds=2, max_retry_attempts=3)
    return _shared


_shared: Connection | None = None
