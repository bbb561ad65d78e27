"""Assembly: a template, its layouts and its parts become one text that knows where each of its lines was written."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from cartwake.rules.expressions import Problem, examine
from cartwake.rules.faults import Fault, Faulty, find_nearest
from cartwake.rules.pieces import LAYOUTS, PARTS, Block, Include, Node, Piece, Words, list_blocks
from cartwake.rules.texts import LARGEST, tell_place

DEEPEST: Final = 10


class NotWhole(Faulty):
    """A template cannot be put together.

    Attributes:
        files: Those that have a part in it, and those that would have if they were there.
    """

    def __init__(self, faults: Iterable[Fault], files: Iterable[str]) -> None:
        super().__init__(faults)
        self.files = tuple(files)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text: where it begins, and where it was written."""

    begin: int
    file: str
    at: int


type Place = tuple[str, str]
"""A file, and a line in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the expressions of a text say; of names, where they first stand.

    Attributes:
        always: The dotted names that are shown whatever the data are.
        reads: The first part of each name that it reads.
        scores: The scores that it reads, as it writes them.
        coupon: What it reads of a coupon.
        wants_coupon: What it shows of a coupon whatever the data are.
    """

    faults: list[Fault]
    always: frozenset[str]
    reads: Mapping[str, Place]
    scores: Mapping[str, Place]
    coupon: Mapping[str, Place]
    wants_coupon: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Flat:
    """One text, and where it comes from.

    Attributes:
        file: The template.
        spans: In their order; the first begins at 0.
        sources: The text of each file that has a part in it.
        absent: Files that would have one if they were there: those of a nearer locale.
    """

    file: str
    text: str
    spans: tuple[Span, ...]
    sources: Mapping[str, str]
    absent: tuple[str, ...] = ()

    @classmethod
    def of(cls, file: str, text: str) -> "Flat":
        """Return the text of one file."""
        return cls(file, text, (Span(0, file, 0),), {file: text})

    def fault(self, position: int, message: str, *, suggestion: str = "", example: str = "") -> Fault:
        """Return what is wrong at a position, in the file in which that was written."""
        file, place = self.place(position)
        return Fault(file=file, path=place, message=message, suggestion=suggestion, example=example)

    def place(self, position: int) -> tuple[str, str]:
        """Return the file, and line and column, of a position."""
        span = self.find_span(position, 0)
        return span.file, tell_place(self.sources[span.file], span.at)

    def find_span(self, position: int, begin: int) -> Span:
        """Return the stretch from a position on, as one that begins at *begin*."""
        span = self.spans[bisect_right(self.spans, position, key=lambda it: it.begin) - 1]
        return Span(begin, span.file, span.at + position - span.begin)

    def tell(self, position: int, *, seen_from: int) -> str:
        """Return a place in words, with its file where that is another one."""
        file, place = self.place(position)
        return place if file == self.place(seen_from)[0] else f"{file}, {place}"

    def examine(self) -> "Said":
        """Return what its expressions say, and where."""
        # each stretch begins a line of its own, so that a line tells where it was written
        ends = [span.begin for span in self.spans[1:]] + [len(self.text)]
        parts = [self.text[span.begin : end] for span, end in zip(self.spans, ends, strict=True)]
        found = examine("\n".join(parts))
        begins = [1]
        for part in parts[:-1]:
            begins.append(begins[-1] + part.count("\n") + 1)

        def find(line: int) -> Place:
            index = bisect_right(begins, line) - 1
            span = self.spans[index]
            first = self.sources[span.file].count("\n", 0, span.at) + 1
            return span.file, f"line {first + line - begins[index]}"

        def place(lines: Mapping[str, int]) -> dict[str, Place]:
            return {name: find(line) for name, line in lines.items()}

        return Said(
            faults=[_to_fault(*find(problem.line), problem) for problem in found.problems],
            always=frozenset(found.always),
            reads=place(found.reads),
            scores=place(found.scores),
            coupon=place(found.coupon),
            wants_coupon=place(found.wants_coupon),
        )


def _to_fault(file: str, path: str, problem: Problem) -> Fault:
    return Fault(file=file, path=path, message=problem.message, suggestion=problem.suggestion, example=problem.example)


def assemble(piece: Piece, others: Mapping[str, Piece], *, locales: Sequence[str] = ()) -> Flat:
    """Return a template or layout as one text.

    Args:
        piece: The template.
        others: Layouts and parts by their files.
        locales: Those in which they are wanted, best first; the last resort is the file without one.

    Raises:
        NotWhole: A layout, part or block is not there, they go round in a circle, or the whole is too large.
    """
    assembly = _Assembly(others, locales)
    try:
        return assembly.build(piece)
    except Faulty as error:
        raise NotWhole(error.faults, (*assembly.sources, *assembly.missing)) from None


@dataclass
class _Assembly:
    others: Mapping[str, Piece]
    locales: Sequence[str]
    chosen: dict[str, tuple[Piece, Block]] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    sources: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    length: int = 0

    def build(self, piece: Piece) -> Flat:
        chain = self._climb(piece)
        for index, each in enumerate(chain):
            self._check_blocks(each, [block.name for it in chain[index + 1 :] for block in list_blocks(it.nodes)])
            for block in list_blocks(each.nodes):
                self.chosen.setdefault(block.name, (each, block))
        self._write(chain[-1], chain[-1].nodes, ())
        spans = tuple(self.spans) or (Span(0, piece.file, 0),)
        return Flat(piece.file, "".join(self.parts), spans, self.sources, tuple(self.missing))

    def _climb(self, piece: Piece) -> list[Piece]:
        """Return the piece, its layout, the layout of that, and so on."""
        chain = [piece]
        self.sources[piece.file] = piece.text
        while (layout := chain[-1].extends) is not None:
            found = self._find(chain[-1], layout, LAYOUTS, "layout")
            if found in chain:
                raise Faulty([self._tell_circle(chain[-1], layout, [*chain, found])])
            chain.append(found)
            if len(chain) > DEEPEST:
                message = f"There are more than {DEEPEST} layouts, one upon the other."
                raise Faulty([chain[-2].fault(layout.position, message)])
        return chain

    def _find(self, piece: Piece, wanted: Include, folder: str, kind: str) -> Piece:
        files = [f"{folder}{wanted.name}{f'.{locale}' if locale else ''}.mjml" for locale in (*self.locales, "")]
        found = next((self.others[file] for file in files if file in self.others), None)
        self.missing += files if found is None else files[: files.index(found.file)]
        if found is not None:
            self.sources[found.file] = found.text
            return found
        names = {file.removeprefix(folder).partition(".")[0] for file in self.others if file.startswith(folder)}
        message = f'There is no {kind} "{wanted.name}" ({files[-1]}).'
        nearest = find_nearest(wanted.name, sorted(names))
        raise Faulty([piece.fault(wanted.position, message, suggestion=nearest)])

    def _tell_circle(self, piece: Piece, at: Include, way: Iterable[Piece]) -> Fault:
        files = " → ".join(it.file for it in way)
        return piece.fault(at.position, f"The files need each other, in a circle: {files}.")

    def _check_blocks(self, piece: Piece, known: list[str]) -> None:
        if piece.extends is None:
            return
        faults = []
        for block in piece.nodes:
            if isinstance(block, Block) and block.name not in known:
                message = f'The layout "{piece.extends.name}" has no block "{block.name}", so nobody would see this.'
                nearest = find_nearest(block.name, known)
                faults.append(piece.fault(block.position, message, suggestion=nearest))
        if faults:
            raise Faulty(faults)

    def _write(self, piece: Piece, nodes: tuple[Node, ...], way: tuple[Piece, ...]) -> None:
        for node in nodes:
            match node:
                case Words():
                    self._add(piece, node)
                case Block():
                    owner, block = self.chosen[node.name]
                    self._write(owner, block.nodes, way)
                case Include():
                    part = self._find(piece, node, PARTS, "part")
                    if part in way:
                        raise Faulty([self._tell_circle(piece, node, [*way[way.index(part) :], part])])
                    if len(way) == DEEPEST:
                        message = f"Parts stand at most {DEEPEST} deep in each other."
                        raise Faulty([piece.fault(node.position, message)])
                    self._write(part, part.nodes, (*way, part))

    def _add(self, piece: Piece, words: Words) -> None:
        self.spans.append(Span(self.length, piece.file, words.begin))
        self.parts.append(piece.text[words.begin : words.end])
        self.length += words.end - words.begin
        if self.length > LARGEST:
            message = f"With its layout and parts the template is larger than {LARGEST // 1024} KB."
            raise Faulty([piece.fault(words.begin, message)])
