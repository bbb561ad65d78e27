"""Small requests that would cost much: each is built, handled up to the tables, and measured in a process of its own.

Run as `python bombs.py NAME`; prints one line of JSON: seconds of a processor, megabytes at the peak, and the outcome.
"""

import gzip
import json
import resource
import sys
import time
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any, Final

FULL: Final = 10 * 1024 * 1024 - 1_000
CALL: Final = b'{"type":"%s","userId":"u","event":"e"}'


def fill(head: bytes, part: bytes, tail: bytes = b"}]}", *, size: int = FULL) -> bytes:
    """Repeat a part until a body is as large as one may be."""
    return head + part * ((size - len(head) - len(tail)) // len(part)) + tail


def each(members: bytes, *, size: int = FULL, most: int = 1_000) -> bytes:
    """Make a batch of events with these members, as many as fit."""
    call = b'{"type":"track","userId":"u","event":"e",' + members + b"}"
    return b'{"batch":[' + b",".join([call] * min(most, size // (len(call) + 1))) + b"]}"


def thousand(head: bytes) -> bytes:
    """Make a batch of a thousand small events, about all of which something is said."""
    return head + b'"batch":[' + b",".join([CALL % b"identify"] * 1_000) + b"]}"


def name_keys(number: int) -> bytes:
    """Make that many members."""
    return b",".join(b'"k%d":1' % at for at in range(number))


def make_agents() -> bytes:
    """Make a batch in which every event has a user agent of its own."""
    agents = [b'"context":{"userAgent":"%s"}' % (b"Mozilla/5.0 " + b"x %d " % at * 90)[:490] for at in range(1_000)]
    return b'{"batch":[' + b",".join(b'{"type":"track","userId":"u","event":"e",%s}' % it for it in agents) + b"]}"


def make_gzip() -> bytes:
    """Make a megabyte that inflates to a gigabyte."""
    squeezer = zlib.compressobj(9, wbits=31)
    zeros = bytes(16 * 1024 * 1024)
    return b"".join([*(squeezer.compress(zeros) for _ in range(64)), squeezer.flush()])


BOMBS: Final[dict[str, Callable[[], bytes]]] = {
    "a context of a million members": lambda: thousand(b'{"context":{%s},' % name_keys(750_000)),
    "traits of a million members": lambda: thousand(b'{"context":{"traits":{%s}},' % name_keys(750_000)),
    "a context as large as it may be": lambda: thousand(b'{"context":{"traits":{%s}},' % name_keys(3_000)),
    "a long sentAt": lambda: thousand(b'{"sentAt":"%s",' % (b"2" * (FULL - 50_000))),
    "a user agent for each event": make_agents,
    "long types": lambda: each(b'"type":"%s"' % (b"trakc" * 6_000)),
    "long times": lambda: each(b'"timestamp":"%s"' % (b"2" * 32_000)),
    "long ids": lambda: each(b'"userId":"%s"' % (b"x" * 32_000)),
    "lists of numbers": lambda: each(b'"properties":{"a":[%s1]}' % (b"1," * 16_000)),
    "lists of maps": lambda: each(b'"properties":{"a":[%s{}]}' % (b"{}," * 10_000)),
    "maps of many members": lambda: each(b'"properties":{%s}' % name_keys(3_000)),
    "a number of many digits": lambda: fill(b'{"batch":[{"n":', b"9"),
    "numbers of many digits": lambda: each(b'"properties":{"n":%s}' % (b"9" * 4_200)),
    "brackets": lambda: fill(b'{"batch":[', b"[", b""),
    "nested to the end": lambda: b'{"batch":[' + b"[" * 5_000_000 + b"]" * 5_000_000 + b"]}",
    "members after NaN": lambda: fill(b'{"batch":[{"a":NaN,', b'"a":1,', b'"b":1}]}', size=1_700_000),
    "surrogates": lambda: fill(b'{"batch":[{"a":"', b"\\ud800", b'"}]}'),
    "backslashes": lambda: fill(b'{"batch":[{"a":"', b"\\", b""),
    "numbers instead of events": lambda: fill(b'{"batch":[', b"1,", b"1]}"),
    "one event as large as a body": lambda: fill(b'{"batch":[{"userId":"u","a":"', b"x", b'"}]}'),
    "a gigabyte in a megabyte": make_gzip,
}


def measure(name: str) -> dict[str, Any]:
    """Handle a bomb as the endpoint would, up to the tables."""
    from cartwake.capture.bodies import MOST_SENT_BYTES, open_batch, unpack_body
    from cartwake.capture.intake import Source, take_in
    from cartwake.errors import BadInput
    from cartwake.events import Trust

    body = BOMBS[name]()
    # one that is larger than may be sent comes packed
    text = b64encode(gzip.compress(body, 1) if len(body) > MOST_SENT_BYTES else body).decode()
    began = time.process_time()
    try:
        envelope = open_batch(unpack_body(text, is_base64=True))
        intake = take_in(envelope, Source(Trust.BROWSER, 1_795_262_400_000), kind="batch")
        outcome = f"{len(intake.accepted)} accepted, {len(intake.refused)} refused"
    except BadInput as fault:
        outcome = str(fault.code)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return {"seconds": round(seconds, 2), "megabytes": peak, "kilobytes sent": len(text) // 1024, "outcome": outcome}


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30))
    print(json.dumps(measure(sys.argv[1])))
