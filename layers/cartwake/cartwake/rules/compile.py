"""Compiling: files that are right by themselves become one bundle, or it is said which do not fit together."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from cartwake import bundles
from cartwake.conditions.kinds import Condition, ScoreRule
from cartwake.journeys import Journey as Runnable
from cartwake.rules.campaign_models import Campaign
from cartwake.rules.compile_campaigns import (
    Case,
    aim_reads,
    compile_course,
    enrol_campaign,
    enrol_existing,
    find_doubled,
    is_campaign,
    list_launched,
    refuse_existing,
    unfold,
)
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compile_journeys import JourneyCompiler
from cartwake.rules.compile_scores import ScoreCompiler
from cartwake.rules.compile_segments import Meanings
from cartwake.rules.compile_settings import PLACEHOLDER, compile_settings
from cartwake.rules.compile_templates import Templates, compile_templates
from cartwake.rules.compile_variants import Tests, date_tests
from cartwake.rules.compiling.desk import Reads, describe_shop
from cartwake.rules.confirmations import find_unfit
from cartwake.rules.conflicts import Conflict
from cartwake.rules.faults import Fault
from cartwake.rules.files import PREDICTIONS, SETTINGS, Content, list_subjects, name_of, tell_unexpected, walk
from cartwake.rules.lacking import Logo, find_lacking
from cartwake.rules.leftovers import Stock, carry
from cartwake.rules.models import Journey, Segment
from cartwake.rules.needs import Needs, listed
from cartwake.rules.outward import find_barred
from cartwake.rules.pools import compile_pools, find_pool_conflicts
from cartwake.rules.prediction_models import Predictions, compile_predictions
from cartwake.rules.references import References
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.rules.step_models import ScoreStep
from cartwake.rules.watches import watch
from cartwake.times import Instant

if TYPE_CHECKING:
    from cartwake.enrolments import Enrolment

_RESTING: Final = ("paused", "archived")


@dataclass(frozen=True, slots=True)
class Linked:
    """What files make together.

    Attributes:
        problem: What failed though nobody foresaw it; the one conflict there is then names the files it comes from.
        borne: What is amiss and keeps nothing from going live, as warnings.
    """

    bundle: bundles.Bundle
    conflicts: list[Conflict]
    problem: str = ""
    borne: tuple[Fault, ...] = ()


def link(  # noqa: PLR0913  what there is, what is live, and how much of all that is known
    files: Mapping[str, Content],
    *,
    previous: bundles.Bundle | None = None,
    changed: Collection[str] | None = None,
    now: Instant = 0,
    partial: bool = False,
) -> Linked:
    """Return the bundle that *files* make, and every conflict between them; with conflicts it is not to be used.

    Args:
        files: What each file says, by its path.
        previous: What is live: a segment that is the same in it keeps the generation in which it changed.
        changed: The files that are not as they are live; None: all of them.
        now: The time of the publish.
        partial: Only a part of all files is there: what is named in a folder without files is not missed.
    """
    try:
        return _Linker(files, previous=previous, now=now, partial=partial).link(changed)
    except Exception as error:  # noqa: BLE001  whatever it is: what was live stays, and it is told
        guilty = _find_guilty(files, previous, now)
        fault = tell_unexpected(guilty[0] if guilty else SETTINGS, error)
        problem = f"{type(error).__name__}: {str(error)[:200]}"
        return Linked(bundles.Bundle(settings=PLACEHOLDER), [Conflict(fault, guilty)], problem)


def _find_guilty(files: Mapping[str, Content], previous: bundles.Bundle | None, now: Instant) -> tuple[str, ...]:
    """Return the files without any of which all the others could be compiled; none when it is not one alone."""

    def fails(some: Mapping[str, Content]) -> bool:
        try:
            _Linker(some, previous=previous, now=now, partial=True).link()
        except Exception:  # noqa: BLE001  this is what is asked
            return True
        return False

    if fails({}):
        return ()
    return tuple(file for file in sorted(files) if not fails({name: it for name, it in files.items() if name != file}))


class _Linker:
    """Compiles files one after the other and notes where they do not fit."""

    def __init__(
        self, files: Mapping[str, Content], *, previous: bundles.Bundle | None, now: Instant, partial: bool
    ) -> None:
        self._files = unfold(files)
        self._campaigns = {file: it for file, it in files.items() if isinstance(it, Campaign)}
        self._previous = previous or bundles.Bundle(settings=PLACEHOLDER)
        self._now = now
        self._partial = partial
        self._needs = Needs()
        self._conflicts: list[Conflict] = []
        self._borne: list[Fault] = []
        self._watched: dict[str, Reads] = {}
        self._tests: dict[str, Tests] = {}
        settings = files.get(SETTINGS)
        self._settings = settings if isinstance(settings, Settings) else None
        self._compiled = compile_settings(self._settings) if self._settings else PLACEHOLDER
        predictions = files.get(PREDICTIONS)
        self._predictions = compile_predictions(predictions) if isinstance(predictions, Predictions) else None
        self._given = self._collect_given()
        self._shop = describe_shop(self._settings, self._collect_tags())
        self._case = Case(self._previous, self._shop.zone, now, partial)
        self._enrolments: dict[str, Enrolment] = {}
        self._references = References(
            segments=[name_of(file) for file, _ in self._of(Segment)],
            scores=[name_of(file) for file, _ in self._of(Score)],
            are_fitted=self._predictions is not None or (partial and self._settings is None),
            partial=partial,
        )

    def link(self, changed: Collection[str] | None = None) -> Linked:
        if self._settings is None and not self._partial:
            fault = Fault(file=SETTINGS, message="The file is missing; nothing goes live without it.")
            self._conflicts.append(Conflict(fault, (SETTINGS,)))
        wheres = self._compile_each(Segment, self._compile_segment)
        scores = self._compile_each(Score, self._compile_score)
        self._conflicts += self._references.find_cycles() + self._references.find_chains()
        made = compile_templates(self._files)
        self._conflicts += made.conflicts + self._find_unknown_shown(made)
        self._conflicts += find_pool_conflicts(self._files, made, partial=self._partial) + find_doubled(self._files)
        journeys = self._compile_each(Journey, lambda file, it: self._compile_journey(file, it, made))
        if changed is not None:
            # what an earlier version of Cartwake let pass must not keep everything else from going live
            self._bear(lambda it: not any(file in changed for file in it.files))
        left = {} if self._conflicts else self._carry(journeys, scores)
        meanings = Meanings(self._previous, self._generation, self._compiled, self._predictions, wheres, scores)
        segments = {} if self._conflicts else self._finish_segments(meanings)
        watches = {} if self._conflicts else watch(self._watched, self._references, self._previous, self._now)
        bundle = bundles.Bundle(
            generation=self._generation,
            defined_generation=meanings.find_defined(segments),
            settings=self._compiled,
            needs=dict(sorted(self._needs.by_key.items())),
            leftovers=left,
            segments=segments,
            scores=scores,
            predictions=self._predictions,
            journeys=journeys,
            watches=watches,
            tests=date_tests(self._tests, journeys, self._previous, self._now),
            templates=made.joined,
            pools=compile_pools(self._files),
            retired=self._retire(journeys),
            enrolments=dict(sorted(self._enrolments.items())),
            launched=list_launched(self._previous, self._now),
        )
        return Linked(bundle, self._conflicts, borne=tuple(replace(it, severity="warning") for it in self._borne))

    def _bear(self, may: Callable[[Conflict], bool]) -> None:
        """Make warnings of the conflicts that can be borne, and may be."""
        borne = [it for it in self._conflicts if it.bearable and may(it)]
        self._borne += [it.fault for it in borne]
        self._conflicts = [it for it in self._conflicts if it not in borne]

    def _carry(self, journeys: dict[str, Runnable], scores: dict[str, ScoreRule]) -> dict[str, bundles.Leftover]:
        """Return what runs in steps that are no more need besides, and keep that too."""
        left = carry(Stock(journeys, self._needs.by_key, scores), previous=self._previous, now=self._now)
        for leftover in left.values():
            self._needs.add(leftover.need)
        return left

    @property
    def _generation(self) -> int:
        return self._previous.generation + 1

    def _of[Kind: (Segment, Journey, Score)](self, kind: type[Kind]) -> list[tuple[str, Kind]]:
        return [(file, it) for file, it in sorted(self._files.items()) if isinstance(it, kind)]

    def _compile_each[Kind: (Segment, Journey, Score), Made](
        self, kind: type[Kind], compile_one: Callable[[str, Kind], Made]
    ) -> dict[str, Made]:
        """Return what is made of each file, by its name; what nobody foresaw is a fault of that file alone."""
        made: dict[str, Made] = {}
        for file, rule in self._of(kind):
            try:
                made[name_of(file)] = compile_one(file, rule)
            except Exception as error:  # noqa: BLE001  whatever it is: the files of everybody else still go live
                # What the settings say may be what it does not bear: one of the two changed.
                self._conflicts.append(Conflict(tell_unexpected(file, error), (file, SETTINGS)))
        return made

    def _collect_tags(self) -> dict[str, list[tuple[str, bool]]]:
        found: dict[str, list[tuple[str, bool]]] = {}
        for file, rule in self._of(Segment):
            for tag in listed(rule.then.tag) if rule.then else ():
                found.setdefault(tag.casefold(), []).append((name_of(file), rule.then is not None and rule.then.sticky))
        return found

    def _collect_given(self) -> dict[str, tuple[float, ...]]:
        """Return by score how many points journeys give."""
        found: dict[str, set[float]] = {}
        for _, rule in self._of(Journey):
            for _, step in walk(rule.steps):
                if isinstance(step, ScoreStep):
                    found.setdefault(step.score, set()).add(step.points)
        return {score: tuple(sorted(points)) for score, points in found.items()}

    def _compile_segment(self, file: str, rule: Segment) -> Condition:
        compiler = ConditionCompiler(self._shop, self._needs)
        where = compiler.compile(rule.where, "where")
        self._references.reads[file] = compiler.reads
        self._conflicts += self._references.find_faults(file)
        return where

    def _compile_score(self, file: str, rule: Score) -> ScoreRule:
        compiler = ScoreCompiler(self._shop, self._needs)
        score = compiler.compile(rule, [(name_of(file), points) for points in self._given.get(name_of(file), ())])
        self._references.reads[file] = compiler.reads
        self._conflicts += self._references.find_faults(file)
        return score

    def _compile_journey(self, file: str, rule: Journey, made: Templates) -> Runnable:
        demo = self._compiled.demo or (self._partial and self._settings is None)
        compiler = JourneyCompiler(file, self._shop, self._needs, demo=demo)
        journey = compiler.compile(rule)
        if self._settings is not None:
            compiler.check_topic(rule, self._settings.topics)
        self._conflicts += find_barred(file, rule, self._settings)
        self._watched[name_of(file)] = compiler.watched
        self._references.reads[file] = aim_reads(compiler.reads) if is_campaign(file) else compiler.reads
        journey = self._enrol(file, rule, journey)
        self._tests[name_of(file)] = compiler.tests
        self._conflicts += compiler.conflicts + self._references.find_faults(file)
        # of a template that does not fit it is not said besides that it is not there
        if not (self._partial and not made.files) and not made.conflicts:
            self._conflicts += compiler.check_templates(rule, made.joined, made.by_name)
            self._conflicts += find_unfit(file, rule, made)
            self._conflicts += find_lacking(file, rule, made, self._find_logo())
            if rule.status in _RESTING:
                # nobody gets its messages, and that it is stopped must never be refused
                self._bear(lambda it: file in it.files)
        return self._finish_date(name_of(file), self._open(name_of(file), journey))

    def _find_logo(self) -> Logo:
        is_there = self._settings is None or bool(self._settings.shop.logo_url)
        return Logo(is_there, is_lost=not is_there and bool(self._previous.settings.shop.logo_url))

    def _enrol(self, file: str, rule: Journey, journey: Runnable) -> Runnable:
        """Note who is brought into a journey all together; return it as it is run then."""
        if file in self._campaigns:
            aim, conflicts = enrol_campaign(file, self._campaigns[file], self._case)
            self._conflicts += conflicts
            self._enrolments[name_of(file)] = aim
            return compile_course(name_of(file), journey, aim)
        self._conflicts += refuse_existing(file, rule)
        existing = enrol_existing(file, rule, self._case)
        if existing is not None:
            self._enrolments[name_of(file)] = existing
        return journey

    def _find_unknown_shown(self, made: Templates) -> list[Conflict]:
        """Return what is wrong with the scores that templates and subjects show."""
        found: list[Conflict] = []
        for content in made.files.values():
            for name, (file, path) in content.scores.items():
                told = self._references.find_unknown_shown(file, {name: path})
                found += [Conflict(each.fault, (*each.files, *content.files)) for each in told]
        for file, rule in self._of(Journey):
            for path, step in list_subjects(rule):
                shown = dict.fromkeys(step.said.scores, path)
                found += self._references.find_unknown_shown(file, shown)
        return found

    def _retire(self, journeys: Mapping[str, Runnable]) -> tuple[str, ...]:
        """Return the journeys that were there and are no more, so that runs which a pause holds can be ended."""
        names = dict.fromkeys((*self._previous.retired, *self._previous.journeys))
        return tuple(name for name in names if name not in journeys)[-bundles.MOST_RETIRED :]

    def _finish_segments(self, meanings: Meanings) -> dict[str, bundles.Segment]:
        return meanings.finish(self._of(Segment), self._references)

    def _open(self, name: str, journey: Runnable) -> Runnable:
        """Add from when on its event starts it: as long as it is active and waits for the same, that stays.

        Before the first rules of all nothing was derived.
        """
        if not self._previous.generation or not journey.trigger.event or not journey.is_active:
            return journey
        before = self._previous.journeys.get(name)
        same = before is not None and before.is_active and before.trigger.event == journey.trigger.event
        return replace(journey, since=before.since if before is not None and same else self._now)

    def _finish_date(self, name: str, journey: Runnable) -> Runnable:
        """Add when the date that starts a journey last changed: the shop's own clock is part of it."""
        dated, before = journey.trigger.dated, self._previous.dates.get(bundles.name_dated(name))
        if dated is None or not journey.is_active:
            return journey  # one that starts nobody is not dated anew by every publish
        same = before is not None and replace(before, changed_generation=0) == dated
        if not same or self._compiled.timezone != self._previous.settings.timezone:
            before = None
        dated = before or replace(dated, changed_generation=self._generation)
        return replace(journey, trigger=replace(journey.trigger, dated=dated))
