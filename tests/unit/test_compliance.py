"""Compliance: every promise of docs/compliance.md names a test, and every test that it names exists."""

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "compliance.md").read_text()
NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def test_every_promise_names_a_test() -> None:
    """A row without a test would be no more than words."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| promise")]
    assert len(rows) >= 15
    assert [row for row in rows if not NAMED.search(row)] == []


def test_every_named_test_exists() -> None:
    """A test that was renamed or removed takes its promise with it."""
    for path, test in NAMED.findall(PAGE):
        code = (ROOT / path).read_text()
        assert re.search(rf"^def {test}\(" if test else r"^def test_", code, re.MULTILINE), (path, test)
