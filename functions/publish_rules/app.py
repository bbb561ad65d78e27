"""Publishes what marketers saved: one immutable bundle, and a status that says what is live and what is wrong."""

from typing import Any

import msgspec

from cartwake.bundles import Bundle, decode, encode, name_bundle
from cartwake.clock import read_clock
from cartwake.errors import TryAgain, WriteConflict
from cartwake.gateways import bucket, queue
from cartwake.importing import import_codes
from cartwake.progress import FILES, show_progress
from cartwake.progress import encode as encode_progress
from cartwake.rules.codes import NO_CODES
from cartwake.rules.doubts.names import Seen
from cartwake.rules.files import FOLDERS, SINGLE
from cartwake.rules.holding import Before, Change, find_change
from cartwake.rules.publication import Publication, Sources, choose, decode_sources, encode_sources
from cartwake.rules.schemas import build_schemas
from cartwake.rules.status import Standing, write_status
from cartwake.settings import require_int
from cartwake.store import base, names, sweeps
from cartwake.store.bundles import Live, get_live, put_live
from cartwake.store.names import Named
from cartwake.sweeps import Aim, Part, SweepKind, begin
from cartwake.telemetry import count, logger, metrics
from cartwake.times import SECOND
from cartwake.trials import name_confirmation, name_result, needs_sweep, read_result
from cartwake.variants import VariantTest
from cartwake.winners import apply, decode_decision, name_decision

MOST_ROUNDS = 8
PREFIXES = (*SINGLE, *(f"{folder}/" for folder in FOLDERS))
SPARE_MS = 15 * SECOND


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> None:
    """Bring what is live up to date with the bucket.

    What the notifications say is not looked at: they come late, doubled and in any order. Each of them only means
    that something changed, and the whole bucket is read as it is now.

    Raises:
        TryAgain: Others kept changing the files or the pointer, or there was no time for all codes; Lambda invokes once
            more.
    """
    for _ in range(MOST_ROUNDS):
        try:
            if publish(now=read_clock()):
                break
        except TryAgain:
            raise
        except Exception as error:
            tell_failed(error, now=read_clock())
            raise
    else:
        raise WriteConflict("the rules kept changing while they were published")
    # after it: whatever becomes of the codes, the rules are live
    live, _ = read_live(get_live())
    if live is not None:
        import_codes(live, read_clock(), has_time=lambda: context.get_remaining_time_in_millis() > SPARE_MS)


def publish(*, now: int) -> bool:
    """Publish what is in the bucket; False when something changed meanwhile, and it must be done again."""
    # The pointer first, then the files: whoever published that pointer had read files no newer than these.
    pointer = get_live()
    live, sources = read_live(pointer)
    tags = list_files()
    files = read_files(tags, sources)
    seen = read_seen(now)
    found = choose(files, live=live, sources=sources, now=now, seen=seen)
    change = None
    if pointer is not None and live is not None:  # of the first rules nobody is asked: they move nobody
        change = hold(find_change(files, found, Before(rules=live, sources=sources, seen=seen), now), pointer, now)
    found = settle_tests(found if change is None else change.rest)
    if found.is_news(live, sources):
        pointer = put_bundle(found, pointer, live=live, now=now)
        if pointer is None:
            return False
    standing = Standing(
        generation=pointer.generation if pointer else 0,
        name=pointer.hash if pointer else "",
        change=change,
        sweeping=bool(sweeps.list_parts(SweepKind.LIVE)),
    )
    bucket.write("_status/status.json", write_status(found, standing, now))
    put_schemas()
    # A slower invocation may have written an older status over a newer one: whoever ends last has seen the last state.
    if get_live() != pointer or list_files() != tags or (change is not None and look_up(change, now) != change):
        return False
    tell(found, pointer)
    return True


def settle_tests(found: Publication) -> Publication:
    """Return the publication with the winners of its tests, where it is decided who has won."""
    if found.bundle is None or not found.bundle.tests:
        return found

    def settle(journey: str, name: str, test: VariantTest) -> VariantTest:
        kept = bucket.read(name_decision(journey, name, test)) if test.is_open else None
        return apply(test, decode_decision(kept))

    tests = {
        journey: {name: settle(journey, name, test) for name, test in own.items()}
        for journey, own in found.bundle.tests.items()
    }
    return msgspec.structs.replace(found, bundle=msgspec.structs.replace(found.bundle, tests=tests))


def hold(change: Change | None, pointer: Live, now: int) -> Change | None:
    """Return the change when it must wait: to be counted, which begins now, or to be confirmed."""
    waiting = None if change is None else look_up(change, now)
    if waiting is not None and waiting.result is None:
        start_trial(waiting, pointer, now)
    return waiting


def look_up(change: Change, now: int) -> Change | None:
    """Return the change with whom it would move, if that is known; None when it may go live."""
    result = read_result(bucket.read(name_result(change.candidate)))
    if result is None or not result.holds(change.basis, now):
        return change
    counted = msgspec.structs.replace(change, result=result)
    return None if counted.is_small or is_confirmed(counted.candidate) else counted


def is_confirmed(candidate: str) -> bool:
    """Say whether somebody who could see the count has confirmed the change."""
    confirmed_at = bucket.find_written_at(name_confirmation(candidate))
    counted_at = bucket.find_written_at(name_result(candidate))
    return confirmed_at is not None and counted_at is not None and confirmed_at >= counted_at


def start_trial(change: Change, pointer: Live, now: int) -> None:
    """Have it counted whom a change would move, unless that is going on: a result that is lost or old is made anew."""
    parts = sweeps.list_parts(SweepKind.TRIAL)
    aim = parts[0].aim if parts else None
    if aim is not None and (aim.candidate, aim.basis) == (change.candidate, change.basis):
        if not all(part.done for part in parts):
            return
        if not any(part.told for part in parts):
            # the last worker ended before it could write the result; whoever finds a part done does
            queue.send_sweeps([(SweepKind.TRIAL.value, 0)])
            return
    tried = store_bundle(change.whole, pointer.generation + 1)
    begun = begin(SweepKind.TRIAL, change.aim(bundle=tried.hash, generation=tried.generation, now=now))
    if base.commit(sweeps.begin(begun)):
        announce(begun, now=now)
        logger.info("trial started", candidate=change.candidate)


def announce(parts: list[Part], *, now: int, delay_seconds: int = 0) -> None:
    """Say that a sweep begins, and ask for its parts; what is not asked for now, `wake` asks for."""
    kind = parts[0].kind
    bucket.write(FILES[kind], encode_progress(show_progress(parts, profiles=0, now=now)))
    queue.send_sweeps([(kind.value, part.number) for part in parts], delay_seconds=delay_seconds)


def list_files() -> dict[str, str]:
    """Return every file that can be a rule, with what tells its content from any other."""
    found = {key: tag for prefix in PREFIXES for key, tag in bucket.list_etags(prefix).items()}
    # codes make no difference to the rules: of their files it counts that they are there
    return {key: "" if key.endswith(".csv") else tag for key, tag in found.items()}


def read_files(tags: dict[str, str], live: Sources) -> dict[str, bytes]:
    """Return what the files say; those that are as they are live are at hand, and need not be read one by one.

    A file that is saved right now may be read newer than its tag says: then the tags differ when they are listed again.
    """

    def read(key: str, tag: str) -> bytes | None:
        known = live.files.get(key, "").encode()
        return known if bucket.has_etag(known, tag) else bucket.read(key)

    contents = {key: read(key, tag) if tag else NO_CODES for key, tag in tags.items()}
    return {key: content for key, content in contents.items() if content is not None}


def read_seen(now: int) -> Seen:
    """Return the names of events and traits that came in lately: whoever writes another one is warned."""
    return Seen(*(frozenset(names.list_names(kind, now)) for kind in Named))


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


def put_bundle(found: Publication, replaces: Live | None, *, live: Bundle | None, now: int) -> Live | None:
    """Write the new bundle and make it live; None when somebody else was faster.

    If everybody must be looked at under it, that begins with it, or not at all.
    """
    generation = replaces.generation if replaces else 0
    pointer = store_bundle(found, generation + 1)
    sweeping = found.bundle is not None and needs_sweep(found.bundle, live)
    # not before every function has the new rules: whoever is new meanwhile would be founded under the old ones
    after_seconds = require_int("SWEEP_AFTER_SECONDS")
    opens_at = read_clock() + after_seconds * SECOND
    aim = Aim(bundle=pointer.hash, generation=pointer.generation, began_at=now, opens_at=opens_at)
    begun = begin(SweepKind.LIVE, aim) if sweeping else []
    if not put_live(pointer, replaces=generation, also=sweeps.begin(begun)):
        return None
    count("BundlesPublished")
    logger.info("bundle published", bundle=pointer.hash, generation=pointer.generation, sweeping=sweeping)
    if begun:
        announce(begun, now=now, delay_seconds=after_seconds)
    return pointer


def store_bundle(found: Publication, generation: int) -> Live:
    """Write a bundle and what it was made of, and return what a pointer to it would be."""
    if found.bundle is None:
        raise AssertionError("nothing to publish")
    content = encode(msgspec.structs.replace(found.bundle, generation=generation))
    name = name_bundle(content)
    # Both before the pointer: what it names is always complete.
    bucket.write(f"bundles/{name}.sources.json", encode_sources(found.sources))
    bucket.write(f"bundles/{name}.json", content)
    return Live(name, generation)


def put_schemas() -> None:
    """Write the schemas next to the files, where they differ."""
    tags = bucket.list_etags("schemas/")
    for key, content in build_schemas().items():
        if not bucket.has_etag(content, tags.get(key, "")) and bucket.read(key) != content:
            bucket.write(key, content)


def tell_failed(error: Exception, *, now: int) -> None:
    """Say that publishing failed as nobody foresaw: what is live stays, and the status must not praise it."""
    count("RulesProblems")
    pointer = get_live()
    problem = f"{type(error).__name__}: {str(error)[:200]}"
    failed = Publication(bundle=None, sources=Sources(), files={}, problem=problem)
    standing = Standing(generation=pointer.generation if pointer else 0, name=pointer.hash if pointer else "")
    bucket.write("_status/status.json", write_status(failed, standing, now))


def tell(found: Publication, pointer: Live | None) -> None:
    """Log and count what came of it; the faults themselves are in the status, for they quote the files."""
    rejected = [file for file, status in found.files.items() if status.state != "live"]
    count("FilesRejected", len(rejected))
    if found.problem:
        count("RulesProblems")
        logger.error("rules failed", error=found.problem.partition(":")[0])
    logger.info(
        "rules looked at",
        generation=pointer.generation if pointer else 0,
        files=len(found.files),
        rejected=len(rejected),
    )
