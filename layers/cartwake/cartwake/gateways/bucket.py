"""The rules bucket: what marketers save, and the bundles made from it."""

import hashlib
from typing import Any

from botocore.exceptions import ClientError

from cartwake.gateways import clients
from cartwake.settings import require
from cartwake.times import Instant, to_instant

forget = clients.forget


def read(key: str) -> bytes | None:
    """Return the content of an object, or None when there is none."""
    with clients.transient("bucket"):
        try:
            answer = _s3().get_object(Bucket=require("BUCKET"), Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
        content: bytes = answer["Body"].read()
    return content


def write(key: str, content: bytes, *, content_type: str = "application/json") -> None:
    """Write an object."""
    with clients.transient("bucket"):
        _s3().put_object(Bucket=require("BUCKET"), Key=key, Body=content, ContentType=content_type)


def write_once(key: str, content: bytes) -> bool:
    """Write an object that is not there yet; False when it is."""
    with clients.transient("bucket"):
        try:
            _s3().put_object(
                Bucket=require("BUCKET"), Key=key, Body=content, ContentType="application/json", IfNoneMatch="*"
            )
        except ClientError as error:
            if error.response["Error"]["Code"] in ("PreconditionFailed", "412"):
                return False
            raise
    return True


def find_written_at(key: str) -> Instant | None:
    """Return when an object was written, to the second; None when there is none."""
    with clients.transient("bucket"):
        try:
            answer = _s3().head_object(Bucket=require("BUCKET"), Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
                return None
            raise
    return to_instant(answer["LastModified"])


def delete_all(key: str, *, most: int) -> int:
    """Delete up to *most* versions of an object, and return how many."""
    with clients.transient("bucket"):
        found = _s3().list_object_versions(Bucket=require("BUCKET"), Prefix=key)
        versions = [it for kind in ("Versions", "DeleteMarkers") for it in found.get(kind, ()) if it["Key"] == key]
        for version in versions[:most]:
            _s3().delete_object(Bucket=require("BUCKET"), Key=key, VersionId=version["VersionId"])
    return len(versions[:most])


def list_etags(prefix: str, *, ending: str = "") -> dict[str, str]:
    """Return what tells the contents of the objects under *prefix* apart, by their keys, of those that end so."""
    with clients.transient("bucket"):
        pages = _s3().get_paginator("list_objects_v2").paginate(Bucket=require("BUCKET"), Prefix=prefix)
        found = {item["Key"]: str(item["ETag"]).strip('"') for page in pages for item in page.get("Contents", ())}
    return {key: etag for key, etag in sorted(found.items()) if key.endswith(ending)}


def has_etag(content: bytes, etag: str) -> bool:
    """Say whether an object with that tag has this content, as far as its tag tells.

    The tag is the MD5 of what was put in one go, unless a key of KMS encrypts it: then the answer is no, and whoever
    asks reads the object.
    """
    return hashlib.md5(content, usedforsecurity=False).hexdigest() == etag


def _s3() -> Any:
    return clients.client("s3")
