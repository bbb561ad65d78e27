"""Compiling segments: what each of them reads, through others too, and when its meaning last changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from cartwake import bundles
from cartwake.conditions.kinds import Condition, ScoreRule
from cartwake.conditions.predictions import Parameters
from cartwake.rules.compiling.desk import Reads
from cartwake.rules.files import name_of
from cartwake.rules.models import Segment
from cartwake.rules.needs import listed
from cartwake.rules.references import References, gather


@dataclass(frozen=True)
class Meanings:
    """What conditions and scores mean now, beside what they meant in what is live.

    Attributes:
        generation: Of what is compiled.
        settings: Compiled.
        predictions: The fitted model.
        wheres: The conditions of segments, by their names.
        scores: By their names.
    """

    previous: bundles.Bundle
    generation: int
    settings: bundles.Settings
    predictions: Parameters | None
    wheres: Mapping[str, Condition]
    scores: Mapping[str, ScoreRule]

    def finish(self, segments: Iterable[tuple[str, Segment]], references: References) -> dict[str, bundles.Segment]:
        """Return segments, by their names, of the files that define them."""
        return {name_of(file): self._finish(file, rule, references) for file, rule in segments}

    def find_defined(self, segments: Mapping[str, bundles.Segment]) -> int:
        """Return when a definition last changed: now, if one did or is no more."""
        changed = any(it.changed_generation == self.generation for it in segments.values())
        gone = self.previous.segments.keys() - segments.keys()
        return self.generation if changed or gone else self.previous.defined_generation

    def _finish(self, file: str, rule: Segment, references: References) -> bundles.Segment:
        name, below = name_of(file), references.close(file)
        reads = gather(references.reads, below)
        moved = bool(below & self._changed) or self._reads_changed(reads)
        return bundles.Segment(
            title=rule.name,
            where=self.wheres[name],
            events=tuple(sorted(reads.events)),
            traits=tuple(sorted(reads.traits)),
            known=tuple(sorted(reads.known)),
            changed_generation=self.generation if moved else self.previous.segments[name].changed_generation,
            tags=listed(rule.then.tag) if rule.then else (),
            sticky=rule.then is not None and rule.then.sticky,
        )

    @cached_property
    def _changed(self) -> set[str]:
        """The files of segments and scores that mean something else than before."""
        before: dict[str, Any] = {f"segments/{name}.json": it.where for name, it in self.previous.segments.items()}
        before |= {f"scores/{name}.json": _mean(it) for name, it in self.previous.scores.items()}
        after: dict[str, Any] = {f"segments/{name}.json": where for name, where in self.wheres.items()}
        after |= {f"scores/{name}.json": _mean(it) for name, it in self.scores.items()}
        return {file for file, meant in after.items() if file not in before or before[file] != meant}

    def _reads_changed(self, reads: Reads) -> bool:
        """Say whether the shop's own clock or its fitted model, where they are read, are others than before."""
        clock = "timezone" in reads.traits and self.settings.timezone != self.previous.settings.timezone
        return clock or (bool(reads.fitted) and self.predictions != self.previous.predictions)


def _mean(score: ScoreRule) -> ScoreRule:
    return replace(score, title="")
