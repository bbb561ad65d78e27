"""Measure the hot paths against bare writes to the same endpoint, in one run: `make bench`."""

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from statistics import median
from types import SimpleNamespace
from typing import Any

from endpoint import run_endpoint
from rich.console import Console
from rich.table import Table
from samples import KEY, make_call, make_image, make_payload, make_people, to_item

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "bench.md"
TABLES = ("EVENTS", "PROFILES", "ADDRESSES", "IDENTITIES", "BUNDLES", "KEYS", "QUARANTINE", "NAMES", "SWEEPS")
SWEPT = 50
"""Profiles of a page; each did HISTORY things that its rules did not ask for."""
HISTORY = 20
CONTEXT = SimpleNamespace(
    function_name="bench", memory_limit_in_mb=1024, invoked_function_arn="arn", aws_request_id="request"
)


@dataclass(frozen=True, slots=True)
class Case:
    """Something to measure.

    Attributes:
        share: How many events one call of it handles.
        against: The case that it is compared with.
    """

    name: str
    call: Callable[[], object]
    share: int = 1
    against: str = ""


def main() -> None:
    """Measure, print the table and write it to docs/bench.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="interleaved rounds; the median counts")
    parser.add_argument("--milliseconds", type=int, default=150, help="how long each case runs in a round")
    options = parser.parse_args()
    console = Console()
    key = {"key_hash": {"S": sha256(KEY.encode()).hexdigest()}, "trust": {"S": "server"}, "created_at": {"N": "1"}}
    set_environment()
    rules = load_starter()
    people, history = make_people(rules, people=SWEPT, history=HISTORY)
    with run_endpoint({"keys": key, "profiles": people, "events": history}) as url:
        os.environ["AWS_ENDPOINT_URL"] = url
        with silence():
            cases = list(make_cases(rules))
            found = measure(cases, rounds=options.rounds, round_ms=options.milliseconds)
    rows = [describe(case, found) for case in cases]
    table = Table("what", "µs an event", "against", "ratio", box=None)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    PAGE.write_text(write_page(rows, options.rounds))
    console.print(f"written to {PAGE.relative_to(ROOT)}", style="dim")


def set_environment() -> None:
    """Name every table, as the functions' environment would."""
    os.environ |= {f"{name}_TABLE": name.lower() for name in TABLES}
    os.environ |= {
        "AWS_REGION": "eu-central-1",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "POWERTOOLS_SERVICE_NAME": "bench",
        "POWERTOOLS_METRICS_NAMESPACE": "Cartwake",
    }
    sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "cartwake")]


@contextmanager
def silence() -> Iterator[None]:
    """Let what the functions print go nowhere; printing it is measured all the same."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def load_starter() -> Any:
    """Return the starter files' segments, compiled."""
    from cartwake.rules.publication import choose  # noqa: PLC0415  only now that the environment names the tables

    starter = ROOT / "infra" / "starter"
    names = ["settings.json", *(f"segments/{path.name}" for path in (starter / "segments").glob("*.json"))]
    names += [f"scores/{path.name}" for path in (starter / "scores").glob("*.json")]
    rules = choose({name: (starter / name).read_bytes() for name in names}).bundle
    if rules is None:
        raise SystemExit("the starter files do not compile: cartwake check infra/starter")
    return rules


def make_cases(rules: Any) -> Iterator[Case]:
    """Yield what is measured, each bare write before what is compared with it."""
    import boto3  # noqa: PLC0415  only now that the environment says where

    from functions.capture_events import app as capture  # noqa: PLC0415

    dynamodb = boto3.client("dynamodb")
    single, batch = (
        make_payload("track", make_call(0)),
        make_payload("batch", {"batch": [make_call(n) for n in range(100)]}),
    )
    images = [make_image(number) for number in range(100)]
    stored = [to_item(image) for image in images]
    writes = [[{"PutRequest": {"Item": item}} for item in stored[start : start + 25]] for start in range(0, 100, 25)]
    yield Case("bare PutItem", lambda: dynamodb.put_item(TableName="events", Item=stored[0]))
    yield Case("capture_events, one event", lambda: capture.handler(single, CONTEXT), against="bare PutItem")
    yield Case(
        "bare BatchWriteItem, 100 events",
        lambda: [dynamodb.batch_write_item(RequestItems={"events": part}) for part in writes],
        share=100,
    )
    yield Case(
        "capture_events, 100 events",
        lambda: capture.handler(batch, CONTEXT),
        share=100,
        against="bare BatchWriteItem, 100 events",
    )
    yield from make_derive_cases(images, rules)
    yield from make_sweep_cases(rules)


def make_derive_cases(images: list[dict[str, Any]], rules: Any) -> Iterator[Case]:
    """Yield the fold with the starter files' segments: alone, and as the function does it with reads and writes."""
    from cartwake.profiles import Profile  # noqa: PLC0415
    from cartwake.segments import absorb, adopt, finish  # noqa: PLC0415
    from cartwake.store import events  # noqa: PLC0415
    from functions.derive_segments import app as derive  # noqa: PLC0415

    news = events.decode_image(images[-1])
    profile = adopt(Profile(who="u#1"), rules, news.received_at)
    for image in images[:20]:
        profile, _ = absorb(profile, events.decode_image(image), rules)
    # Which rules are live is looked up every 30 seconds at most: no part of handling an event.
    derive.load_live = lambda now: rules  # noqa: ARG005  type: ignore[assignment]
    records = [{"eventName": "INSERT", "dynamodb": {"NewImage": image}} for image in images]
    yield Case(
        f"fold and {len(rules.segments)} segments, pure",
        lambda: finish(absorb(profile, news, rules)[0], rules, news.received_at),
        against="bare PutItem",
    )
    yield Case(
        "derive_segments, 100 shoppers",
        lambda: derive.handler({"Records": records}, CONTEXT),
        share=100,
        against="bare PutItem",
    )


def make_sweep_cases(rules: Any) -> Iterator[Case]:
    """Yield a sweep of a page of profiles whose trackers all lack history, with its scan, queries and writes."""
    import msgspec  # noqa: PLC0415

    from cartwake.sweeps import Aim, SweepKind, begin  # noqa: PLC0415
    from functions.sweep_profiles import app as sweep  # noqa: PLC0415

    segments = {
        name: msgspec.structs.replace(segment, changed_generation=2) for name, segment in rules.segments.items()
    }
    newer = msgspec.structs.replace(rules, generation=2, segments=segments)
    sweep.load_live = lambda now: newer  # noqa: ARG005  type: ignore[assignment]
    (part, *_) = begin(SweepKind.LIVE, Aim(bundle="b", generation=2, began_at=0))

    def look() -> None:
        after = sweep.look_at_page(part, now=1_795_290_500_000)
        if after.tally.backfilled != SWEPT:
            raise SystemExit("not every profile of the page was backfilled: this would measure something else")

    yield Case(
        f"sweep_profiles, {SWEPT} shoppers with {HISTORY} events each",
        look,
        share=SWEPT,
        against="bare PutItem",
    )


def measure(cases: list[Case], *, rounds: int, round_ms: int) -> dict[str, float]:
    """Return, for each case, the median over interleaved rounds of the microseconds that an event takes."""
    found: dict[str, list[float]] = {case.name: [] for case in cases}
    for case in cases:
        case.call()
    for _ in range(rounds):
        for case in cases:
            found[case.name].append(time_case(case, round_ms))
    return {name: median(values) for name, values in found.items()}


def time_case(case: Case, round_ms: int) -> float:
    """Return the microseconds an event takes, over as many calls as fit."""
    calls, started = 0, time.perf_counter()
    while (passed := time.perf_counter() - started) * 1_000 < round_ms:
        case.call()
        calls += 1
    return passed * 1_000_000 / calls / case.share


def describe(case: Case, found: dict[str, float]) -> tuple[str, str, str, str]:
    """Return a row of the table."""
    ratio = f"{found[case.name] / found[case.against]:.2f}" if case.against else ""
    return case.name, f"{found[case.name]:.0f}", case.against, ratio


def write_page(rows: list[tuple[str, str, str, str]], rounds: int) -> str:
    """Return docs/bench.md."""
    day, machine = (
        time.strftime("%Y-%m-%d", time.gmtime()),
        f"Python {platform.python_version()}, {os.cpu_count()} processors",
    )
    lines = [
        "# Bench",
        "",
        f"`make bench` wrote this on {day}: {machine}, medians of {rounds} interleaved rounds, against an endpoint",
        "that answers at once. Times are this machine's; the ratios are what to compare.",
        "",
        "| what | µs an event | against | ratio |",
        "|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
