"""Codes: coupons/*.csv as spreadsheets and shops write them; a line that is wrong does no harm to the others."""

import csv
import re
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from cartwake.coupons import LONGEST_CODE, normalise_code
from cartwake.rules.faults import Fault, Faulty, find_nearest, name_all
from cartwake.times import NEVER, Instant, to_instant

LARGEST: Final = 32 * 1024 * 1024
MOST_CODES: Final = 500_000
MOST_TOLD: Final = 50
"""How many of the wrong lines are told one by one."""
NO_CODES: Final = b"code\n"
"""A file without codes: it says that there is one, where its codes make no difference."""
_CODE: Final = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ufffd<>\"'`&,;]+")
_LAST_YEAR: Final = 9000


@dataclass(frozen=True, slots=True)
class Refused:
    """A line that is passed over, and why."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class CodeFile:
    """What a file says.

    Attributes:
        codes: By their normalised spelling, how each is written and until when it is good.
        refused: The lines that are passed over; the first of them.
        refused_count: How many they are.
    """

    codes: dict[str, tuple[str, Instant]] = field(default_factory=dict)
    refused: list[Refused] = field(default_factory=list)
    refused_count: int = 0


def read_codes(file: str, content: bytes, zone: tzinfo) -> CodeFile:
    """Return the codes of a file.

    Args:
        file: Its path.
        content: UTF-8 or what a spreadsheet calls Unicode text; commas, semicolons or tabs; quotes or none.
        zone: Whose days end when a date is over.

    Raises:
        Faulty: It is too large, or has no column `code`.
    """
    if len(content) > LARGEST:
        raise Faulty([Fault(file=file, message=f"The file is larger than {LARGEST // 1024**2} MB.")])
    lines = _decode(content).splitlines()
    heading = next((number for number, line in enumerate(lines) if line.strip(" \t,;")), None)
    if heading is None:
        raise Faulty([Fault(file=file, message="The file is empty.", example="code\nSPRING-7HK2\nSPRING-9QX4")])
    reader = _Reader(file, lines[heading], zone, line=heading + 1)
    for number, line in enumerate(lines[heading + 1 :], heading + 2):
        reader.read(number, line)
    return reader.found()


class _Reader:
    """Reads one line after the other."""

    def __init__(self, file: str, heading: str, zone: tzinfo, *, line: int) -> None:
        self._zone = zone
        self._split = max(",;\t", key=heading.count)
        names = [name.strip().lower() for name in self._cells(heading) or [heading]]
        if "code" not in names:
            message = f'There is no column "code"; the first line names {name_all(names)}.'
            nearest = "code" if find_nearest("code", names) else ""
            example = f"code{self._split}expires"
            raise Faulty([Fault(file=file, path=f"line {line}", message=message, suggestion=nearest, example=example)])
        self._code = names.index("code")
        self._expires = names.index("expires") if "expires" in names else None
        self._codes: dict[str, tuple[str, Instant]] = {}
        self._refused: list[Refused] = []
        self._count = 0

    def read(self, number: int, line: str) -> None:
        """Take the code of a line, or note why not."""
        if not line.strip(" \t,;"):
            return
        cells = self._cells(line)
        if cells is None:
            self._refuse(number, "A quote is open at the end of the line; a code and what belongs to it take one line.")
            return
        text = cells[self._code].strip() if self._code < len(cells) else ""
        key = normalise_code(text)
        until = self._read_end(cells)
        if not text:
            self._refuse(number, "There is no code in it.")
        elif len(text) > LONGEST_CODE or not _CODE.fullmatch(text):
            self._refuse(number, f"A code has at most {LONGEST_CODE} characters, without spaces, quotes, & and < >.")
        elif key in self._codes:
            self._refuse(number, "The code stands further up already; large and small letters are the same.")
        elif until is None:
            self._refuse(number, "A date is written as in 2026-12-31.")
        elif len(self._codes) >= MOST_CODES:
            self._refuse(number, f"At most {MOST_CODES:,} codes are taken from a file.")
        else:
            self._codes[key] = (text, until)

    def found(self) -> CodeFile:
        return CodeFile(self._codes, self._refused, self._count)

    def _cells(self, line: str) -> list[str] | None:
        """Return the cells of a line; None when a quote is not closed in it."""
        if line.count('"') % 2:
            return None
        return next(csv.reader([line], delimiter=self._split), [])

    def _read_end(self, cells: list[str]) -> Instant | None:
        """Return until when a code is good: to the end of its date; None when there is something else."""
        text = cells[self._expires].strip() if self._expires is not None and self._expires < len(cells) else ""
        if not text:
            return NEVER
        try:
            day = date.fromisoformat(text[:10])
            if len(text) > len("2026-12-31"):
                datetime.fromisoformat(text)
        except ValueError:
            return None
        if day.year > _LAST_YEAR:
            return NEVER
        return to_instant(datetime.combine(day + timedelta(days=1), time(), self._zone))

    def _refuse(self, number: int, message: str) -> None:
        self._count += 1
        if len(self._refused) < MOST_TOLD:
            self._refused.append(Refused(number, message))


def _decode(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    # a letter that is no UTF-8 spoils its own line alone
    return content.decode("utf-8-sig", errors="replace")
