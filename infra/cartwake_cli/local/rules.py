"""The marketers' files: from a folder into the bucket, and what became of them there."""

import json
import mimetypes
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cartwake_cli.cloud import Client

STATUS = "_status/status.json"
TYPES = {
    ".mjml": "text/plain",
    ".html": "text/plain",
    ".txt": "text/plain",
    ".json": "application/json",
    ".csv": "text/csv",
}


def upload(s3: Client, bucket: str, folder: Path) -> list[str]:
    """Put every file of a folder under its path, start a publication, and return the keys."""
    keys = place(s3, bucket, folder)
    announce(s3, bucket, folder)
    return keys


def place(s3: Client, bucket: str, folder: Path) -> list[str]:
    """Put every file of a folder under its path, and return the keys; nobody is told yet.

    Publishing reads all files whenever any has changed. A dozen notifications at once would start as many processes
    on one machine, for nothing.
    """
    keys = _list_keys(folder)
    with hold_notifications(s3, bucket):
        for key in keys:
            _put(s3, bucket, key, folder=folder)
    return keys


def announce(s3: Client, bucket: str, folder: Path) -> None:
    """Put one of the files of a folder once more, so that what is in the bucket is published."""
    for key in _list_keys(folder)[-1:]:
        _put(s3, bucket, key, folder=folder)


@contextmanager
def hold_notifications(s3: Client, bucket: str) -> Iterator[None]:
    """Let nobody be told of what changes in the bucket meanwhile."""
    told = s3.get_bucket_notification_configuration(Bucket=bucket)
    told.pop("ResponseMetadata")
    s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={})
    try:
        yield
    finally:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration=told)


def read_status(s3: Client, bucket: str) -> tuple[str, dict[str, Any]]:
    """Read what publishing says of the files, and the version of that statement; "" before the first."""
    if not s3.list_objects_v2(Bucket=bucket, Prefix=STATUS).get("KeyCount"):
        return "", {}
    found = s3.get_object(Bucket=bucket, Key=STATUS)
    status: dict[str, Any] = json.load(found["Body"])
    return found["VersionId"], status


def _list_keys(folder: Path) -> list[str]:
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return sorted((path.relative_to(folder).as_posix() for path in paths), key=_rank)


def _put(s3: Client, bucket: str, key: str, *, folder: Path) -> None:
    kind = TYPES.get(Path(key).suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
    s3.put_object(Bucket=bucket, Key=key, Body=(folder / key).read_bytes(), ContentType=kind)


def _rank(key: str) -> tuple[bool, bool, str]:
    """Order keys so that the last is one whose change is published."""
    return key == "settings.json", not key.startswith("schemas/"), key
