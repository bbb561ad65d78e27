"""Templates as marketers write them, with layouts and parts, become templates as they are filled."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from msgspec.structs import replace

from cartwake import bundles
from cartwake.rules.assembly import Flat, Missing, Span, assemble
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Faulty
from cartwake.rules.files import Content, tell_unexpected
from cartwake.rules.mjml import TemplateFile, compile_mjml
from cartwake.rules.pieces import LAYOUTS, PARTS, Piece


@dataclass(frozen=True, slots=True)
class Templates:
    """What the files of templates make together.

    Attributes:
        files: Each template that can be sent, by its file.
        conflicts: Where they do not fit.
    """

    files: dict[str, TemplateFile] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def join(self) -> dict[str, bundles.Template]:
        """Return the templates by their names: an email has its own plain text, a text alone is an SMS."""
        joined: dict[str, bundles.Template] = {}
        for file, content in sorted(self.files.items()):  # .mjml sorts before .txt
            name = _name_of(file)
            email = joined.get(name)
            joined[name] = replace(email, text=content.template.text) if email else content.template
        return joined

    def list_shown(self) -> dict[str, frozenset[str]]:
        """Return the names that each email always shows, whatever the data are."""
        return {_name_of(file): it.always for file, it in self.files.items() if file.endswith(".mjml")}


def compile_templates(files: Mapping[str, Content]) -> Templates:
    """Return the templates that *files* make, each with its layout and parts put in."""
    made = Templates()
    pieces = {file: it for file, it in files.items() if isinstance(it, Piece)}
    for file, content in sorted(files.items()):
        if isinstance(content, TemplateFile):
            made.files[file] = content
        elif isinstance(content, Piece) and not file.startswith(PARTS):
            compiled = _compile(content, pieces)
            if isinstance(compiled, TemplateFile):
                if not file.startswith(LAYOUTS):
                    made.files[file] = compiled
            else:
                # a fault of a layout is told once, and not again by each template that needs it
                known = {each.fault for each in made.conflicts}
                made.conflicts.extend(each for each in compiled if each.fault not in known)
    return made


def _compile(piece: Piece, pieces: Mapping[str, Piece]) -> TemplateFile | list[Conflict]:
    try:
        flat = assemble(piece, pieces)
    except Missing as error:
        return [Conflict(fault, (piece.file, fault.file, error.wanted)) for fault in error.faults]
    except Faulty as error:
        return [Conflict(fault, tuple(dict.fromkeys((fault.file, piece.file, *pieces)))) for fault in error.faults]
    try:
        return _compile_flat(flat.file, flat.text, flat.spans, tuple(flat.sources.items()))
    except Faulty as error:
        return [Conflict(fault, tuple(dict.fromkeys((fault.file, *flat.sources)))) for fault in error.faults]
    except Exception as error:  # noqa: BLE001  whatever it is: the files of everybody else still go live
        return [Conflict(tell_unexpected(piece.file, error), tuple(flat.sources))]


@lru_cache(maxsize=256)
def _compile_flat(file: str, text: str, spans: tuple[Span, ...], sources: tuple[tuple[str, str], ...]) -> TemplateFile:
    """Compile a text; while it is chosen which files go live, the same ones come again and again."""
    return compile_mjml(Flat(file, text, spans, dict(sources)))


def _name_of(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]
