"""Keys: write keys are made here, shown once and kept only as a hash; link keys are drawn and never shown."""

import json
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

from cartwake.gateways.secrets import derive_webhook_secrets
from cartwake.webhooks import show_secret
from cartwake_cli.cloud import Client
from cartwake_cli.faults import Fault

type Trust = Literal["browser", "server"]

SHORTEST_HASH = 6
"""Characters of a hash that name a key."""

MOST_LINK_KEYS = 50
"""Of signed links; the secret may hold 64 KB, and every link is tried against each of them."""

MOST_WEBHOOK_KEYS = 2
"""Beside the root: as many sign as `cartwake.gateways.secrets.SIGNING_AT_ONCE` says, and older ones are of no use."""

PREFIXES: dict[Trust, str] = {"browser": "pk_", "server": "sk_"}


@dataclass(frozen=True, slots=True)
class StoredKey:
    """What the table knows of a key; instants are milliseconds since 1970 UTC."""

    key_hash: str
    trust: str
    created_at: int
    note: str = ""
    origins: tuple[str, ...] = ()
    revoked_at: int | None = None


def make_text(trust: Trust) -> str:
    """Draw a new key: `pk_` for browsers, `sk_` for servers, and 22 URL-safe characters."""
    return PREFIXES[trust] + secrets.token_urlsafe(16)


def hash_key(key: str) -> str:
    """Hash a key as the tracking endpoint does before it looks it up."""
    return sha256(key.encode()).hexdigest()


def store_key(table: Client, key: str, *, trust: Trust, note: str = "", origins: Sequence[str] = ()) -> StoredKey:
    """Write the hash of a key, so that the endpoint accepts it from now on."""
    stored = StoredKey(hash_key(key), trust, _now(), note, tuple(origins))
    item: dict[str, Any] = {
        "key_hash": stored.key_hash,
        "trust": stored.trust,
        "created_at": stored.created_at,
        "note": note,
    }
    if stored.origins:
        item["origins"] = list(stored.origins)
    table.put_item(Item=item)
    return stored


def list_keys(table: Client) -> list[StoredKey]:
    """Read every key, oldest first."""
    items: list[dict[str, Any]] = []
    page = table.scan()
    items += page["Items"]
    while "LastEvaluatedKey" in page:
        page = table.scan(ExclusiveStartKey=page["LastEvaluatedKey"])
        items += page["Items"]
    return sorted((_read_item(item) for item in items), key=lambda stored: stored.created_at)


def revoke_key(table: Client, named: str) -> StoredKey:
    """Mark a key as revoked, named by itself or by the first characters of its hash.

    Raises:
        Fault: no key, or more than one, goes by that name.
    """
    matches = [stored for stored in list_keys(table) if _is_named(stored, named)]
    if len(matches) != 1:
        found = "no key" if not matches else f"{len(matches)} keys"
        raise Fault(f"{found} named {named[:12]}; give the whole key or more of its hash: see cartwake keys list")
    table.update_item(
        Key={"key_hash": matches[0].key_hash},
        UpdateExpression="SET revoked_at = if_not_exists(revoked_at, :now)",
        ExpressionAttributeValues={":now": _now()},
    )
    return matches[0]


def rotate_links(manager: Client, arn: str) -> int:
    """Put a newly drawn key before those that sign links, and return how many there are; all go on to verify.

    Raises:
        Fault: there are too many, or the secret is not one of ours.
    """
    secret = _read_secret(manager, arn)
    older = secret.get("links", [])
    if len(older) >= MOST_LINK_KEYS:
        raise Fault(f"there are {len(older)} link keys; take old ones out of the secret first: their links end")
    secret["links"] = [secrets.token_urlsafe(48), *older]
    manager.put_secret_value(SecretId=arn, SecretString=json.dumps(secret))
    return len(secret["links"]) + 1


def rotate_webhooks(manager: Client, arn: str) -> None:
    """Put a newly drawn key before those that sign webhooks; the one before it signs too, until this is done again.

    Raises:
        Fault: the secret is not one of ours.
    """
    secret = _read_secret(manager, arn)
    secret["webhooks"] = [secrets.token_urlsafe(48), *secret.get("webhooks", [])][:MOST_WEBHOOK_KEYS]
    manager.put_secret_value(SecretId=arn, SecretString=json.dumps(secret))


def show_webhook_secrets(manager: Client, arn: str, host: str) -> list[str]:
    """Return the secrets that sign what a host is told, as it is given them, the newest first.

    Raises:
        Fault: the secret is not one of ours.
    """
    return [show_secret(it) for it in derive_webhook_secrets(_read_secret(manager, arn), host)]


def _read_secret(manager: Client, arn: str) -> dict[str, Any]:
    secret = json.loads(manager.get_secret_value(SecretId=arn)["SecretString"])
    if not isinstance(secret, dict) or not secret.get("root"):
        raise Fault("the secret holds no root; is it the one that the stack's output SecretArn names?")
    return secret


def _is_named(stored: StoredKey, named: str) -> bool:
    by_hash = len(named) >= SHORTEST_HASH and stored.key_hash.startswith(named)
    return by_hash or stored.key_hash == hash_key(named)


def _read_item(item: dict[str, Any]) -> StoredKey:
    revoked_at = item.get("revoked_at")
    return StoredKey(
        key_hash=str(item["key_hash"]),
        trust=str(item["trust"]),
        created_at=int(item["created_at"]),
        note=str(item.get("note", "")),
        origins=tuple(str(origin) for origin in item.get("origins", ())),
        revoked_at=None if revoked_at is None else int(revoked_at),
    )


def _now() -> int:
    return time.time_ns() // 1_000_000
