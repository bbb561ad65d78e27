"""VS Code's own JSON engine: what it offers, explains and marks in a file."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cartwake_cli.local.places import STARTER

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".tools" / "editor"


@dataclass(frozen=True)
class Problem:
    """A mark under *text*; lines and columns count from 1."""

    message: str
    line: int
    column: int
    text: str


@dataclass(frozen=True)
class Sight:
    """What somebody sees with the cursor at one place of a file: offers by their label."""

    problems: list[Problem]
    offers: dict[str, dict[str, str]]
    hover: str


@dataclass
class Editor:
    process: subprocess.Popen[str]

    def look(self, file: str, text: str) -> Sight:
        """Open a file of a shop that says *text*, with the cursor at `|` or at its beginning."""
        offset = text.find("|")
        question = {
            "uri": (STARTER / file).as_uri(),
            "text": text.replace("|", "", 1) if offset >= 0 else text,
            "offset": max(0, offset),
        }
        return self._ask(question)

    def check(self, file: str, text: str) -> list[Problem]:
        """Return the marks in a file that says *text*."""
        return self._ask({"uri": (STARTER / file).as_uri(), "text": text, "offset": 0}).problems

    def _ask(self, question: dict[str, Any]) -> Sight:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the JSON engine has ended; what it said last stands above")
        told = json.loads(line)
        return Sight(
            [Problem(**problem) for problem in told["problems"]],
            {offer["label"]: offer for offer in told["offers"]},
            told["hover"],
        )


@contextmanager
def open_editor() -> Iterator[Editor]:
    """Start the engine, and end it."""
    if not (PLACE / "node").exists():
        raise RuntimeError("VS Code's JSON engine is not installed; run infra/install editor")
    with subprocess.Popen(
        [PLACE / "node", Path(__file__).with_suffix(".cjs")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"NODE_PATH": str(PLACE / "node_modules")},
    ) as process:
        yield Editor(process)
