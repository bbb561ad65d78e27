"""The threat model: every claim of docs/security.md names a test, and every test that it names exists."""

import re
import tomllib
from pathlib import Path
from typing import Final

from tests.security.budget import REQUESTS

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs" / "security.md").read_text()
NAMED: Final = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def list_claims() -> list[str]:
    """List the rows of the table of what stops an attack."""
    table = PAGE.partition("## What stops them")[2].partition("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("| ") and not line.startswith("| claim")]


def test_every_claim_names_a_test() -> None:
    """A row without a test would be a promise."""
    assert len(list_claims()) >= 25
    assert [claim for claim in list_claims() if not NAMED.search(claim)] == []


def test_every_named_test_exists() -> None:
    """A test that was renamed or removed takes its claim with it."""
    named = NAMED.findall(PAGE)
    for path, test in named:
        code = (ROOT / path).read_text()
        assert re.search(rf"^def {test}\(" if test else r"^def test_", code, re.MULTILINE), (path, test)
    assert len(set(named)) > 30


def test_every_file_of_these_tests_is_behind_a_claim() -> None:
    """What is tested here is said there."""
    named = {path for path, _ in NAMED.findall(PAGE)}
    own = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert own - named <= {f"tests/security/{Path(__file__).name}"}


def test_as_much_is_tried_as_the_page_says() -> None:
    """The numbers of the fuzz are those of the tests, summed up."""
    parsers = (ROOT / "tests" / "security" / "test_parsers.py").read_text()
    inputs = sum(int(number) for number in re.findall(r"cases\(\d+, ([\d_]+)\)", parsers))
    assert inputs >= 100_000
    assert f"{inputs:,} inputs" in PAGE
    found = re.search(r"([\d,]+) requests over HTTP", PAGE)
    assert found is not None
    assert int(found[1].replace(",", "")) >= REQUESTS >= 2_000


def test_every_folder_of_code_is_gone_through() -> None:
    """`make check` runs bandit over all that is shipped and all that runs at the shop's side."""
    make = (ROOT / "Makefile").read_text()
    assert re.search(r"^check:.*\n(?:.*\n)*?.*\bcheck-code\b", make, re.MULTILINE)
    recipe = make.partition("\ncheck-code:\n")[2].partition("\n\n")[0]
    gone_through = {
        folder
        for line in re.findall(r"bandit .*", recipe)
        for folder in line.split()
        if "/" in folder or folder in ("functions", "infra")
    }
    assert gone_through == {"functions", "layers/cartwake/cartwake", "infra"}
    assert "S" in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["select"]


def test_links_lead_somewhere() -> None:
    """Each document that the page points to is there."""
    for name in re.findall(r"\]\(([\w.-]+)\)", PAGE):
        assert (ROOT / "docs" / name).is_file(), name
