"""Publishes what marketers saved: one immutable bundle, and a status that says what is live and what is wrong."""

from typing import Any

import msgspec

from cartwake.bundles import Bundle, decode, encode, name_bundle
from cartwake.clock import read_clock
from cartwake.errors import TryAgain, WriteConflict
from cartwake.gateways import bucket
from cartwake.rules.files import FOLDERS, SETTINGS
from cartwake.rules.publication import Publication, Sources, choose, decode_sources, encode_sources
from cartwake.rules.schemas import build_schemas
from cartwake.rules.status import write_status
from cartwake.store.bundles import Live, get_live, put_live
from cartwake.telemetry import count, logger, metrics

MOST_ROUNDS = 8


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: object) -> None:
    """Bring what is live up to date with the bucket.

    What the notifications say is not looked at: they come late, doubled and in any order. Each of them only means
    that something changed, and the whole bucket is read as it is now.

    Raises:
        TryAgain: Others kept changing the files or the pointer; Lambda invokes once more.
    """
    for _ in range(MOST_ROUNDS):
        if publish(now=read_clock()):
            return
    raise WriteConflict("the rules kept changing while they were published")


def publish(*, now: int) -> bool:
    """Publish what is in the bucket; False when something changed meanwhile, and it must be done again."""
    # The pointer first, then the files: whoever published that pointer had read files no newer than these.
    pointer = get_live()
    files = read_files()
    live, sources = read_live(pointer)
    found = choose(files, live=live, sources=sources, now=now)
    if found.is_news(live, sources):
        pointer = put_bundle(found, replaces=pointer.generation if pointer else 0)
        if pointer is None:
            return False
    generation, name = (pointer.generation, pointer.hash) if pointer else (0, "")
    bucket.write("_status/status.json", write_status(found, generation=generation, name=name, now=now))
    put_schemas()
    # A slower invocation may have written an older status over a newer one: whoever ends last has seen the last state.
    if get_live() != pointer or read_files() != files:
        return False
    tell(found, pointer)
    return True


def read_files() -> dict[str, bytes]:
    """Return every file that can be a rule."""
    keys = [key for prefix in (SETTINGS, *(f"{folder}/" for folder in FOLDERS)) for key in bucket.list_keys(prefix)]
    contents = {key: bucket.read(key) for key in keys}
    return {key: content for key, content in contents.items() if content is not None}


def read_live(pointer: Live | None) -> tuple[Bundle | None, Sources]:
    """Return the live bundle and its sources.

    Raises:
        TryAgain: The pointer names what is not in the bucket.
    """
    if pointer is None:
        return None, Sources()
    bundle, sources = (bucket.read(f"bundles/{pointer.hash}{ending}") for ending in (".json", ".sources.json"))
    if bundle is None or sources is None:
        raise TryAgain(f"bundle {pointer.hash[:12]} is not in the bucket")
    return decode(bundle), decode_sources(sources)


def put_bundle(found: Publication, *, replaces: int) -> Live | None:
    """Write the new bundle and make it live; None when somebody else was faster."""
    if found.bundle is None:
        raise AssertionError("nothing to publish")
    bundle = msgspec.structs.replace(found.bundle, generation=replaces + 1)
    content = encode(bundle)
    name = name_bundle(content)
    # Both before the pointer: what it names is always complete.
    bucket.write(f"bundles/{name}.sources.json", encode_sources(found.sources))
    bucket.write(f"bundles/{name}.json", content)
    pointer = Live(name, replaces + 1)
    if not put_live(pointer, replaces=replaces):
        return None
    count("BundlesPublished")
    logger.info("bundle published", bundle=name, generation=pointer.generation)
    return pointer


def put_schemas() -> None:
    """Write the schemas next to the files, where they differ."""
    for key, content in build_schemas().items():
        if bucket.read(key) != content:
            bucket.write(key, content)


def tell(found: Publication, pointer: Live | None) -> None:
    """Log and count what came of it; the faults themselves are in the status, for they quote the files."""
    rejected = [file for file, status in found.files.items() if status.state != "live"]
    count("FilesRejected", len(rejected))
    logger.info(
        "rules looked at",
        generation=pointer.generation if pointer else 0,
        files=len(found.files),
        rejected=len(rejected),
    )
