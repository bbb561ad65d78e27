"""Sections: headings with lines, as commands show what they found."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading and its lines; each line has cells for the columns."""

    title: str
    columns: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    empty: str

    def as_data(self) -> list[dict[str, str]]:
        """Return plain data: each line by the names of the columns."""
        return [dict(zip(self.columns, line, strict=True)) for line in self.lines]
