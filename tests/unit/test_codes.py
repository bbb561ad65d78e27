"""Codes: the file as people and programs write it; a line that is wrong does no harm to the others."""

from zoneinfo import ZoneInfo

import pytest
from builders import NOON
from hypothesis import given
from hypothesis import strategies as st

from cartwake.rules.codes import LARGEST, MOST_TOLD, NO_CODES, CodeFile, read_codes
from cartwake.rules.faults import Faulty
from cartwake.times import HOUR, NEVER

BERLIN = ZoneInfo("Europe/Berlin")


def read(content: str | bytes) -> CodeFile:
    return read_codes("coupons/x.csv", content.encode() if isinstance(content, str) else content, BERLIN)


@pytest.mark.parametrize(
    "content",
    [
        "code\nA-1\nB-2\n",
        "code\r\nA-1\r\nB-2",
        "code\rA-1\rB-2",
        "\ufeffcode\nA-1\nB-2\n",
        "CODE ;note\nA-1;x\nB-2;y\n",
        'note,"code"\n"a, b","A-1"\n"say ""hi""","B-2"\n',
        "note\tCode\nx\tA-1\nx\tB-2\n",
        "\n\ncode,\nA-1,\n,\n  \nB-2,\n\n",
        "code\nA-1\nB-2\n".encode("utf-16"),
        'code;Beschreibung\nA-1;"für 3 €"\nB-2;\n'.encode("latin-1", errors="ignore"),
    ],
)
def test_every_way_to_write_it_is_read(content: str | bytes) -> None:
    """Byte order marks, line ends, separators, quotes, other columns, empty lines, and another encoding elsewhere."""
    found = read(content)
    assert list(found.codes) == ["A-1", "B-2"]
    assert found.refused == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", ""),
        (",2026-12-31", "There is no code"),
        ("two words", "without spaces"),
        ("X" * 65, "at most 64"),
        ("<b>", "without spaces"),
        ("a-1", "further up already"),
        ("C-3,31.12.2026", "2026-12-31"),
        ("C-3,2026-02-30", "2026-12-31"),
        ('"C-3', "A quote is open"),
        ("S\ufffdMMER", "without spaces"),
    ],
)
def test_a_wrong_line_is_told_and_harms_no_other(line: str, says: str) -> None:
    """The line before and the one after are good, and the wrong one is named by its number."""
    found = read(f"code,expires\nA-1\n{line}\nB-2\n")
    assert list(found.codes) == ["A-1", "B-2"]
    assert [(it.line, says in it.message) for it in found.refused] == ([(3, True)] if says else [])
    assert found.refused_count == len(found.refused)


def test_a_code_is_good_to_the_end_of_its_date() -> None:
    """The day is one of the shop's timezone; without a date there is no end."""
    found = read("code;expires\na-1;2026-11-21\nB-2;\nC-3;2026-11-21T10:00\nD-4;9999-12-31")
    assert found.codes["A-1"] == ("a-1", NOON + 11 * HOUR)
    assert found.codes["B-2"] == ("B-2", NEVER)
    assert found.codes["C-3"][1] == NOON + 11 * HOUR
    assert found.codes["D-4"][1] == NEVER


@pytest.mark.parametrize(
    ("content", "says", "suggestion"),
    [
        ("coed\nA\n", 'There is no column "code"', "code"),
        ("A-1\nB-2\n", 'There is no column "code"', ""),
        ("\n\n", "The file is empty", ""),
        (b"x" * (LARGEST + 1), "larger than 32 MB", ""),
    ],
)
def test_a_file_without_the_column_is_a_fault(content: str | bytes, says: str, suggestion: str) -> None:
    """What is no list of codes is told at once, with the nearest right word."""
    with pytest.raises(Faulty, match=says) as told:
        read(content)
    assert told.value.faults[0].suggestion == suggestion


def test_many_wrong_lines_are_counted() -> None:
    """The first are told one by one, all are counted."""
    found = read("code\n" + "two words\n" * (MOST_TOLD + 7))
    assert (len(found.refused), found.refused_count) == (MOST_TOLD, MOST_TOLD + 7)


def test_a_hundred_thousand_codes_are_read() -> None:
    """As many as a pool may well have."""
    assert len(read("code\n" + "\n".join(f"BACK-{n:06}" for n in range(100_000))).codes) == 100_000
    assert read(NO_CODES) == CodeFile()


@given(st.binary(max_size=300))
def test_whatever_is_uploaded_is_read_or_refused(content: bytes) -> None:
    """No file makes the reader fail in a way that nobody foresaw."""
    for whole in (content, b"code,expires\n" + content):
        try:
            found = read(whole)
        except Faulty:
            continue
        assert all(text and " " not in text for text, _ in found.codes.values())
