"""Bombs: requests that are cheap to send cost no function its time or its memory."""

import json
import os
import subprocess
import sys
import tracemalloc
import zlib
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from builders import NOON

from cartwake.capture.bodies import MOST_BYTES, MOST_EVENTS, Envelope, unpack_body
from cartwake.capture.intake import MOST_AGENTS, Intake, Source, take_in
from cartwake.capture.vetting import LARGEST_EVENT_BYTES
from cartwake.errors import BadInput
from cartwake.events import Trust
from cartwake.reasons import Refusal
from tests.security.bombs import BOMBS
from tests.security.test_parsers import AGENT, read

MOST_SECONDS = 4
"""Of a processor here: the function has about half of one, and ten seconds."""
MOST_MEGABYTES = 800
"""Of the 1,024 that the function has."""


def test_what_is_inflated_is_bounded() -> None:
    """A body that would inflate to a hundred times what a body may have is given up at what it may have."""
    squeezer = zlib.compressobj(1, wbits=31)
    zeros = bytes(MOST_BYTES)
    packed = b"".join([*(squeezer.compress(zeros) for _ in range(20)), squeezer.flush()])
    text = b64encode(packed).decode()
    tracemalloc.start()
    try:
        with pytest.raises(BadInput) as fault:
            unpack_body(text, is_base64=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert fault.value.code == Refusal.BODY_TOO_LARGE
    assert peak < 4 * MOST_BYTES


def test_what_is_said_of_all_events_is_bounded() -> None:
    """A context as large as a whole body, taken over by each of a thousand events, would fill the memory."""
    events = b",".join(b'{"type":"identify","userId":"u"}' for _ in range(MOST_EVENTS))
    context = b'{"traits":{' + b",".join(b'"t%d":1' % number for number in range(5_000)) + b"}}"
    assert len(context) > LARGEST_EVENT_BYTES
    outcome = read(b'{"context":' + context + b',"batch":[' + events + b"]}", kind="batch")
    assert isinstance(outcome, BadInput)
    assert (outcome.code, outcome.where) == (Refusal.EVENT_TOO_LARGE, "context")


def test_a_time_is_read_from_no_more_than_a_time_has() -> None:
    """A text of any length where a batch tells when it was sent is not gone through for each event."""

    class Endless(str):
        __slots__ = ()

        def strip(self, *_: Any) -> str:
            raise AssertionError("gone through")

    envelope = Envelope(events=[b'{"type":"track","event":"e","userId":"u"}'], batch=True, sent_at=Endless("2" * 1_000))
    intake = take_in(envelope, Source(Trust.BROWSER, NOON), kind="batch")
    assert [event.occurred_at for event in intake.accepted] == [NOON]


@pytest.mark.parametrize(("trust", "looked_at"), [(Trust.BROWSER, MOST_AGENTS), (Trust.SERVER, 100)])
def test_a_browser_has_few_user_agents(monkeypatch: pytest.MonkeyPatch, trust: Trust, looked_at: int) -> None:
    """Looking at one takes milliseconds: beyond twenty in a browser's request, whoever they are is no shopper."""
    from cartwake.capture import intake

    asked: list[str] = []
    monkeypatch.setattr(intake, "is_bot", lambda agent: asked.append(agent) or False)
    call = {"type": "track", "event": "e", "userId": "u"}
    batch = [call | {"messageId": f"m-{at}", "context": {"userAgent": f"{AGENT} {at}"}} for at in range(100)]
    outcome = read(json.dumps({"batch": batch}).encode(), kind="batch", trust=trust)
    assert isinstance(outcome, Intake)
    assert len(asked) == looked_at
    assert sum(event.bot for event in outcome.accepted) == 100 - looked_at


@pytest.mark.parametrize("trust", [Trust.BROWSER, Trust.SERVER])
def test_one_user_agent_for_all_is_no_crowd(trust: Trust) -> None:
    """However long a batch is, its events are a shopper's if they have one user agent."""
    call = {"type": "track", "event": "e", "userId": "u"}
    batch = [call | {"messageId": f"m-{at}"} for at in range(100)]
    outcome = read(json.dumps({"batch": batch}).encode(), kind="batch", trust=trust)
    assert isinstance(outcome, Intake)
    assert not any(event.bot for event in outcome.accepted)


@pytest.mark.prove
@pytest.mark.parametrize("name", BOMBS)
def test_bomb(name: str) -> None:
    """Each is handled within the time and the memory that the function has."""
    script = Path(__file__).with_name("bombs.py")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, script, name], capture_output=True, text=True, check=True, env=environment)
    told = json.loads(done.stdout)
    print(name, told)
    assert told["seconds"] <= MOST_SECONDS
    assert told["megabytes"] <= MOST_MEGABYTES
