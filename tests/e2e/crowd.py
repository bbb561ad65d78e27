"""Crowds: thousands of people as they stand in the tables, and the workers of one function, to be killed."""

import json
from collections.abc import Iterable
from itertools import batched
from pathlib import Path
from typing import Any

from cartwake.bundles import Bundle, decode
from cartwake_cli.local.world import World


def write(folder: Path, files: dict[str, Any]) -> Path:
    """Write what marketers save into a folder: text as it is, else JSON."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return folder


def put_rows(world: World, rows: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Put items into tables, each with the plain name of its own."""
    client = world.cloud.client("dynamodb")
    for some in batched(rows, 25, strict=False):
        requests: dict[str, list[Any]] = {}
        for table, item in some:
            requests.setdefault(world.stack.tables[table], []).append({"PutRequest": {"Item": item}})
        assert not client.batch_write_item(RequestItems=requests)["UnprocessedItems"]


def read_live(world: World) -> Bundle:
    """Return the rules that are live."""
    (row,) = world.scan("bundles")
    key = f"bundles/{row['hash']}.json"
    return decode(world.cloud.client("s3").get_object(Bucket=world.stack.bucket, Key=key)["Body"].read())


def read_status(world: World, name: str) -> dict[str, Any]:
    """Return a file for people, or nothing where it is not written yet."""
    s3, key = world.cloud.client("s3"), f"_status/{name}.json"
    if not s3.list_objects_v2(Bucket=world.stack.bucket, Prefix=key).get("KeyCount"):
        return {}
    told: dict[str, Any] = json.load(s3.get_object(Bucket=world.stack.bucket, Key=key)["Body"])
    return told


def find_workers(world: World, function: str) -> list[int]:
    """Return the processes in which the engine runs a function."""
    port, name = f":{world.engine.port}".encode(), f"POWERTOOLS_SERVICE_NAME={function}".encode()
    pids = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                environment = (folder / "environ").read_bytes()
            except OSError:
                continue
            if name in environment and port in environment:
                pids.append(int(folder.name))
    return pids
