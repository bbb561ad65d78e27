"""The newcomer's first command: the whole demo as a program of its own, with its own engine."""

import json
import subprocess
import sys

import pytest

from cartwake_cli.local import places

PROGRAM = "from cartwake_cli.main import app; app()"
TOLD = [
    ("ada", "email", True, ""),
    ("ada", "email", True, ""),
    ("ada", "sms", True, ""),
    ("ada", "email", True, ""),
    ("ben", "email", True, ""),
    ("ben", "email", False, "exited by Order Completed"),
    ("cleo", "email", True, ""),
    ("cleo", "email", False, "unsubscribed"),
]


@pytest.mark.slow
def test_the_demo_ends_as_it_is_told() -> None:
    """`demo --check` ends with 0; its last line lists what was promised: sent once, or not, for its reason."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "demo", "--check"],
        cwd=places.ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = json.loads(done.stdout.splitlines()[-1])
    assert [(line["who"], line["channel"], line["sent"], line["reason"]) for line in lines] == TOLD
    assert all(set(line) == {"story", "who", "channel", "to", "subject", "sent", "reason"} for line in lines)
