"""The marketers' files: from a folder into the bucket."""

import mimetypes
from pathlib import Path

from cartwake_cli.cloud import Client

TYPES = {".mjml": "text/plain", ".txt": "text/plain", ".json": "application/json", ".csv": "text/csv"}


def upload(s3: Client, bucket: str, folder: Path) -> list[str]:
    """Put every file of a folder under its path, the settings first and the journeys last; return the keys."""
    paths = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    keys = sorted((path.relative_to(folder).as_posix() for path in paths), key=_rank)
    for key in keys:
        kind = TYPES.get(Path(key).suffix) or mimetypes.guess_type(key)[0] or "application/octet-stream"
        s3.put_object(Bucket=bucket, Key=key, Body=(folder / key).read_bytes(), ContentType=kind)
    return keys


def _rank(key: str) -> tuple[int, str]:
    """Order files so that what others name is there first."""
    order = ("settings.json", "templates/", "segments/")
    return next((place for place, start in enumerate(order) if key.startswith(start)), len(order)), key
