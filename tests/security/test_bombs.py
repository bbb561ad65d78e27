"""Bombs: requests that are cheap to send cost no function its time or its memory."""

import json
import os
import subprocess
import sys
import tracemalloc
import zlib
from base64 import b64encode
from pathlib import Path

import pytest

from cartwake.capture.bodies import MOST_BYTES, unpack_body
from cartwake.errors import BadInput
from cartwake.reasons import Refusal
from tests.security.bombs import BOMBS

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
