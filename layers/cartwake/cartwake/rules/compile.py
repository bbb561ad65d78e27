"""Compiling: files that are right by themselves become one bundle, or it is said which do not fit together."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from cartwake import bundles
from cartwake.conditions import Condition
from cartwake.rules.compile_conditions import Reads, compile_condition
from cartwake.rules.compile_journeys import JourneyCompiler
from cartwake.rules.compile_settings import PLACEHOLDER, compile_settings
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault, find_nearest
from cartwake.rules.files import SETTINGS, Content, TemplateFile, name_of
from cartwake.rules.leftovers import carry
from cartwake.rules.models import Journey, Segment
from cartwake.rules.needs import Needs
from cartwake.rules.settings_models import Settings
from cartwake.times import Instant


@dataclass(frozen=True, slots=True)
class Linked:
    """What files make together."""

    bundle: bundles.Bundle
    conflicts: list[Conflict]


def link(
    files: Mapping[str, Content], *, previous: bundles.Bundle | None = None, now: Instant = 0, partial: bool = False
) -> Linked:
    """Return the bundle that *files* make, and every conflict between them; with conflicts it is not to be used.

    Args:
        files: What each file says, by its path.
        previous: What is live: a segment that is the same in it keeps the generation in which it changed.
        now: The time of the publish.
        partial: Only a part of all files is there: what is named in a folder without files is not missed.
    """
    return _Linker(files, previous=previous, now=now, partial=partial).link()


class _Linker:
    """Compiles files one after the other and notes where they do not fit."""

    def __init__(
        self, files: Mapping[str, Content], *, previous: bundles.Bundle | None, now: Instant, partial: bool
    ) -> None:
        self._files = files
        self._previous = previous
        self._generation = previous.generation + 1 if previous else 1
        self._now = now
        self._partial = partial
        self._needs = Needs()
        self._reads: dict[str, Reads] = {}
        self._conflicts: list[Conflict] = []

    def link(self) -> Linked:
        settings = self._files.get(SETTINGS)
        if not isinstance(settings, Settings) and not self._partial:
            fault = Fault(file=SETTINGS, message="The file is missing; nothing goes live without it.")
            self._conflicts.append(Conflict(fault, (SETTINGS,)))
        compiled = compile_settings(settings) if isinstance(settings, Settings) else PLACEHOLDER
        wheres = {name_of(file): self._compile_segment(file, it) for file, it in self._of(Segment)}
        self._refuse_cycles(wheres)
        templates = self._join_templates()
        journeys = {
            name_of(file): self._compile_journey(file, it, templates, compiled) for file, it in self._of(Journey)
        }
        left = carry(journeys, self._needs.by_key, previous=self._previous, now=self._now)
        for leftover in left.values():
            self._needs.add(leftover.need)
        bundle = bundles.Bundle(
            generation=self._generation,
            settings=compiled,
            needs=dict(sorted(self._needs.by_key.items())),
            leftovers=left,
            segments={} if self._conflicts else self._finish_segments(wheres),
            journeys=journeys,
            templates=templates,
            retired=self._retire(journeys),
        )
        return Linked(bundle, self._conflicts)

    def _retire(self, journeys: Mapping[str, bundles.Journey]) -> tuple[str, ...]:
        """Return the journeys that were there and are no more, so that runs which a pause holds can be ended."""
        if self._previous is None:
            return ()
        names = dict.fromkeys((*self._previous.retired, *self._previous.journeys))
        return tuple(name for name in names if name not in journeys)[-bundles.MOST_RETIRED :]

    def _of[Kind: (Segment, Journey)](self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        return [(file, it) for file, it in sorted(self._files.items()) if isinstance(it, kind)]

    def _compile_segment(self, file: str, rule: Segment) -> Condition:
        reads = self._reads[name_of(file)] = Reads()
        where = compile_condition(rule.where, self._needs, reads, path="where")
        for path in reads.since_start:
            fault = Fault(
                file=file,
                path=path,
                message='"since": "start" counts from the start of a journey; a segment has none.',
                example='"in_last": "30 days"',
            )
            self._conflicts.append(Conflict(fault, (file,)))
        self._refuse_unknown_segments(file, reads)
        return where

    def _compile_journey(
        self, file: str, rule: Journey, templates: dict[str, bundles.Template], settings: bundles.Settings
    ) -> bundles.Journey:
        compiler = JourneyCompiler(
            file, self._needs, demo=settings.demo or (self._partial and SETTINGS not in self._files)
        )
        journey = compiler.compile(rule)
        self._conflicts += compiler.conflicts
        self._refuse_unknown_segments(file, compiler.reads)
        if not (self._partial and not templates):
            self._conflicts += compiler.check_templates(rule, templates, self._always_shown())
        return journey

    def _refuse_unknown_segments(self, file: str, reads: Reads) -> None:
        known = [name_of(other) for other, _ in self._of(Segment)]
        if self._partial and not known:
            return
        for name, path in reads.segments:
            if name not in known:
                fault = Fault(
                    file=file,
                    path=path,
                    message=f'There is no segment "{name}" (segments/{name}.json).',
                    suggestion=find_nearest(name, known),
                )
                self._conflicts.append(Conflict(fault, (file, f"segments/{name}.json")))

    def _refuse_cycles(self, wheres: dict[str, Condition]) -> None:
        """Refuse segments that refer to themselves, be it through others."""
        for name in wheres:
            way = self._find_way(name, name, ())
            if way:
                fault = Fault(
                    file=f"segments/{name}.json",
                    path="where",
                    message=f"The segment refers to itself: {' → '.join((*way, name))}.",
                )
                self._conflicts.append(Conflict(fault, tuple(f"segments/{each}.json" for each in way)))

    def _find_way(self, at: str, goal: str, passed: tuple[str, ...]) -> tuple[str, ...]:
        if at in passed or at not in self._reads:
            return ()
        for name, _ in self._reads[at].segments:
            way = (*passed, at) if name == goal else self._find_way(name, goal, (*passed, at))
            if way:
                return way
        return ()

    def _join_templates(self) -> dict[str, bundles.Template]:
        """Join an email with its own plain text; a text alone is an SMS."""
        joined: dict[str, bundles.Template] = {}
        for file, content in sorted(self._files.items()):  # .mjml sorts before .txt
            if isinstance(content, TemplateFile):
                email = joined.get(name_of(file))
                template = content.template
                joined[name_of(file)] = msgspec.structs.replace(email, text=template.text) if email else template
        return joined

    def _always_shown(self) -> dict[str, set[str]]:
        return {
            name_of(file): content.findings.always
            for file, content in self._files.items()
            if isinstance(content, TemplateFile) and file.endswith(".mjml")
        }

    def _finish_segments(self, wheres: dict[str, Condition]) -> dict[str, bundles.Segment]:
        """Add what each segment reads, through others too, and when its definition last changed."""
        titles = {name_of(file): it.name for file, it in self._of(Segment)}
        before = self._previous.segments if self._previous else {}
        below = {name: self._closure(name) for name in wheres}
        changed = {name for name, where in wheres.items() if name not in before or before[name].where != where}
        return {
            name: bundles.Segment(
                title=titles[name],
                where=where,
                events=tuple(sorted({event for each in below[name] for event in self._reads[each].events})),
                traits=tuple(sorted({trait for each in below[name] for trait in self._reads[each].traits})),
                changed_generation=self._generation if below[name] & changed else before[name].changed_generation,
            )
            for name, where in wheres.items()
        }

    def _closure(self, name: str) -> set[str]:
        found = {name}
        waiting = [name]
        while waiting:
            for other, _ in self._reads[waiting.pop()].segments:
                if other in self._reads and other not in found:
                    found.add(other)
                    waiting.append(other)
        return found
