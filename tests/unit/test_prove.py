"""The long tier: what is run again, and how many cases are told."""

from pathlib import Path

import prove
import pytest

SAID = """
tests/unit/test_x.py::test_a:

  - during reuse phase (0.01 seconds):
    - 2 passing, 0 failing, and 1 invalid test cases

  - during generate phase (0.17 seconds):
    - 9998 passing, 0 failing, and 3 invalid test cases

  - Stopped because settings.max_examples=10000

tests/unit/test_x.py::test_b[{"did": "a"}]:
    - 20 passing, 0 failing, and 0 invalid test cases
tests/unit/test_x.py::test_b[c]:
    - 30 passing, 0 failing, and 0 invalid test cases
tests/unit/test_y.py::test_c:
    - 40 passing, 0 failing, and 0 invalid test cases
"""
LAW, OTHER = "tests/unit/test_x.py", "tests/security/test_y.py"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(prove, "ROOT", tmp_path)
    monkeypatch.setattr(prove, "TESTS", tmp_path / "tests")
    for name in (
        LAW,
        OTHER,
        "layers/a.py",
        "tests/small.py",
        "tests/world.py",
        "tests/security/front.py",
        "tests/payloads/a.json",
    ):
        write(tmp_path, name, "from hypothesis import given")
    write(tmp_path, LAW, "from hypothesis import given\nfrom strategies import LIVES")
    write(tmp_path, OTHER, "from hypothesis import given\nfrom tests.security.front import Front")
    write(tmp_path, "tests/strategies.py", "import small")
    write(tmp_path, "tests/conftest.py", "def pause() -> None:\n    from world import aws")
    return tmp_path


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


@pytest.mark.parametrize(
    ("changed", "law_again", "other_again"),
    [
        ("docs/prove.md", False, False),
        ("layers/cartwake/__pycache__/a.pyc", False, False),
        ("tests/unit/test_new.py", False, False),
        ("tests/simulation/world.py", False, False),
        (LAW, True, False),
        (OTHER, False, True),
        ("tests/security/front.py", False, True),
        ("layers/a.py", True, True),
        ("functions/new/app.py", True, True),
        ("infra/cartwake_cli/main.py", True, True),
        ("tests/strategies.py", True, False),
        ("tests/small.py", True, False),
        ("tests/spoken.py", False, False),
        ("tests/conftest.py", True, True),
        ("tests/world.py", True, True),
        ("tests/payloads/a.json", True, True),
        ("template.yaml", True, True),
    ],
)
def test_what_has_changed_is_proved_again(root: Path, changed: str, law_again: bool, other_again: bool) -> None:
    """A module is run again when it has changed, or what it tests, or what it imports; and for nothing else."""
    before = {name: prove.compute_hash(name) for name in (LAW, OTHER)}
    write(root, changed, "other")
    assert (prove.compute_hash(LAW) != before[LAW], prove.compute_hash(OTHER) != before[OTHER]) == (
        law_again,
        other_again,
    )


def test_cases_are_counted() -> None:
    """All that passed counts, over all phases and parameters of a law; those of other modules do not."""
    assert prove.read_laws(SAID, LAW) == {"test_a": 10_000, "test_b": 50}


def test_the_page_tells_what_had_fewer_cases() -> None:
    """How many laws, how many cases in all, and each law that had fewer than it should."""
    page = prove.write_page({LAW: {"laws": {"test_a": 10_000, "test_b": 50}, "seconds": 7}})
    assert "2 laws held, over 10,050\ngenerated cases in all; 1 of them" in page
    assert f"| `{LAW}` | 2 | 10,050 | 7 |" in page
    assert f"- `{LAW}::test_b`: 50" in page
    assert "test_a`" not in page


def test_what_fails_or_skips_is_not_proved(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All modules run though one fails, and those that did not pass once more; the page is written when all have."""
    monkeypatch.setattr(prove, "DONE", root / ".build" / "prove.json")
    monkeypatch.setattr(prove, "PAGE", root / "docs" / "prove.md")
    monkeypatch.setattr(prove.signal, "signal", lambda *_: None)
    (root / "docs").mkdir()
    for name, body in ((LAW, "assert 1 == 2"), (OTHER, "pytest.skip()"), ("tests/unit/test_z.py", "pass")):
        write(root, name, f"import pytest\n@pytest.mark.prove\ndef test_a():\n    {body}\n")
    assert prove.main() == 1
    assert not prove.PAGE.exists()
    said = capsys.readouterr().out
    assert "assert 1 == 2" in said
    assert "Hypothesis Statistics" not in said
    assert sorted(said.splitlines()[-1].removeprefix("broken: ").split(", ")) == [OTHER, LAW]
    for name in (LAW, OTHER):
        write(root, name, "import pytest\n@pytest.mark.prove\ndef test_a(): pass\n")
    assert prove.main() == 0
    assert capsys.readouterr().out.startswith("1 of 3 modules are proved")
    assert "| `tests/unit/test_z.py` | 0 | 0 |" in prove.PAGE.read_text()
