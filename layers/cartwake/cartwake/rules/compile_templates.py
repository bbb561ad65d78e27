"""Templates as marketers write them, with layouts and parts, become templates as they are filled."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from msgspec.structs import replace

from cartwake import bundles
from cartwake.rules.assembly import Flat, NotWhole, assemble
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, Faulty
from cartwake.rules.files import EMAILS, Content, name_of, tell_unexpected
from cartwake.rules.mjml import TemplateFile, compile_mjml
from cartwake.rules.pieces import LAYOUTS, PARTS, Piece
from cartwake.rules.translations import find_strangers, read_locale, split_locale
from cartwake.sending.locales import list_fallbacks

_MOST_KEPT: Final = 4
"""Of a template: with its layout as it is and as it was live, and its parts likewise."""


@dataclass(frozen=True)
class Templates:
    """What the files of templates make together.

    Attributes:
        files: Each template that can be sent, by its file.
        conflicts: Where they do not fit.
    """

    files: dict[str, TemplateFile] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    @cached_property
    def joined(self) -> dict[str, bundles.Template]:
        """The templates by their names: an email has its own plain text, a text alone is an SMS."""
        stems: dict[str, bundles.Template] = {}
        for file, content in sorted(self.files.items()):  # emails sort before .txt
            stem = _stem_of(file)
            email = stems.get(stem)
            stems[stem] = replace(email, text=content.template.text) if email else content.template
        joined = {stem: it for stem, it in stems.items() if not split_locale(stem)[1]}
        for stem, template in sorted(stems.items()):
            name, locale = split_locale(stem)
            if locale and name in joined:
                translations = joined[name].translations | {locale: template}
                joined[name] = replace(joined[name], translations=translations)
        return joined

    def find_strangers(self) -> list[Conflict]:
        """Return a fault for each translation of what is not there."""
        emails, texts, pushes = (
            {_stem_of(file): file for file in self.files if file.endswith(endings)}
            for endings in (EMAILS, (".txt",), (".json",))
        )
        return find_strangers(emails, texts, pushes)

    @cached_property
    def by_name(self) -> dict[str, dict[str, TemplateFile]]:
        """The files of each template, by its name: the original, then its translations."""
        found: dict[str, dict[str, TemplateFile]] = {}
        for file, content in sorted(self.files.items(), key=lambda it: _stem_of(it[0])):
            found.setdefault(name_of(file), {})[file] = content
        return found


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
    made.conflicts.extend(_find_doubles(made.files))
    if not made.conflicts:
        made.conflicts.extend(made.find_strangers())
    return made


def _find_doubles(files: Mapping[str, TemplateFile]) -> list[Conflict]:
    """Return a fault for each email that is there as HTML and as MJML, and each push message of another's name."""
    doubles = [(file, f"{file.removesuffix('.html')}.mjml") for file in sorted(files) if file.endswith(".html")]
    pushes = [file for file in sorted(files) if file.endswith(".json")]
    doubles += [(file, f"{file.removesuffix('.json')}{ending}") for file in pushes for ending in (*EMAILS, ".txt")]
    return [
        Conflict(Fault(file=file, message=f"There is {other} too: keep one of the two."), (file, other))
        for file, other in doubles
        if other in files
    ]


def _compile(piece: Piece, pieces: Mapping[str, Piece]) -> TemplateFile | list[Conflict]:
    files: tuple[str, ...] = (piece.file,)
    try:
        flat = assemble(piece, pieces, locales=list_fallbacks(read_locale(piece.file)))
        files = (*flat.sources, *dict.fromkeys(flat.absent))
        return dataclasses.replace(_compile_once(piece, flat), files=files)
    except Faulty as error:
        files = error.files if isinstance(error, NotWhole) else files
        return [Conflict(fault, tuple(dict.fromkeys((fault.file, *files)))) for fault in error.faults]
    except Exception as error:  # noqa: BLE001  whatever it is: the files of everybody else still go live
        return [Conflict(tell_unexpected(piece.file, error), files)]


def _compile_once(piece: Piece, flat: Flat) -> TemplateFile:
    """Compile a text; while it is chosen which files go live, the same ones come again and again.

    What was compiled lives as long as what was read of its file, so it is kept of as many files as there are.
    """
    key = (flat.text, flat.spans, tuple(flat.sources.items()))
    if key not in piece.compiled:
        if len(piece.compiled) == _MOST_KEPT:
            piece.compiled.pop(next(iter(piece.compiled)))
        piece.compiled[key] = _try_to_compile(flat)
    compiled: TemplateFile | list[Fault] = piece.compiled[key]
    if isinstance(compiled, list):
        raise Faulty(compiled)
    return compiled


def _try_to_compile(flat: Flat) -> TemplateFile | list[Fault]:
    try:
        return compile_mjml(flat)
    except Faulty as error:
        return list(error.faults)


def _stem_of(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0]
