"""boto3 clients: one of each a process, made when first needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from cartwake.errors import TryAgain


@cache
def client(service: str, *, attempts: int = 4, read_timeout_seconds: int = 10) -> Any:
    """Return the client of a service.

    Args:
        service: Its name in boto3.
        attempts: How often a call is made at most. Never more than 1 where a repetition would be seen by a shopper.
        read_timeout_seconds: How long to wait for an answer.
    """
    config = Config(
        connect_timeout=2,
        read_timeout=read_timeout_seconds,
        retries={"total_max_attempts": attempts, "mode": "standard"},
    )
    make: Any = boto3.client
    return make(service, config=config)


@contextmanager
def transient(what: str) -> Iterator[None]:
    """Turn a failure of AWS into TryAgain: even of a missing right the record in hand is not to blame."""
    try:
        yield
    except ClientError as error:
        raise TryAgain(f"{what}: {error.response.get('Error', {}).get('Code', '')}") from error
    except BotoCoreError as error:
        raise TryAgain(f"{what}: {type(error).__name__}") from error


def forget() -> None:
    """Make clients anew when next needed; for tests."""
    client.cache_clear()
