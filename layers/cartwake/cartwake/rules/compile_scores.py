"""Scores as marketers write them become scores as they are reckoned."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from cartwake.conditions.kinds import Points, ScoreRule
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compiling.desk import Desk, Shop
from cartwake.rules.needs import Needs, compile_where
from cartwake.rules.score_models import AnyPoints, EventPoints, Score
from cartwake.rules.words import LONGEST_WINDOW
from cartwake.statements import POINTS_GIVEN
from cartwake.times import parse_duration
from cartwake.trackers import Need
from cartwake.values import Is, PropertyTest

_NOTHING: Final = ScoreRule(title="", points=())


class ScoreCompiler:
    """Compiles one score.

    Attributes:
        reads: What it reads.
    """

    def __init__(self, shop: Shop, needs: Needs) -> None:
        self._conditions = ConditionCompiler(shop, needs)
        self.reads = self._conditions.reads
        self._desk = Desk(shop, needs, self.reads)

    def compile(self, rule: Score, given: Sequence[tuple[str, float]] = ()) -> ScoreRule:
        """Return the score; events are remembered for as long as they bring points.

        Args:
            rule: As it is written.
            given: Its name and the points, for each number of points that steps of journeys give.
        """
        frame = replace(
            _NOTHING,
            title=rule.name,
            half_life_ms=parse_duration(rule.half_life) if rule.half_life else 0,
            within_ms=parse_duration(rule.in_last) if rule.in_last else 0,
            cap=rule.cap,
            floor=rule.floor,
        )
        if frame.reach_ms > LONGEST_WINDOW:
            frame = replace(frame, within_ms=LONGEST_WINDOW)
        points = [self._compile_points(each, frame.reach_ms, index) for index, each in enumerate(rule.points)]
        more = [self._compile_given(name, count, frame.reach_ms) for name, count in given]
        return replace(frame, points=(*points, *more))

    def _compile_given(self, name: str, points: float, reach_ms: int) -> Points:
        where = (PropertyTest("points", Is((points,))), PropertyTest("score", Is((name,))))
        return Points(points=points, tracker=self._track(POINTS_GIVEN, where, reach_ms))

    def _track(self, event: str, where: tuple[PropertyTest, ...], reach_ms: int) -> str:
        need = Need(event=event, where=where, summed=True)
        return self._desk.track(replace(need, within_ms=reach_ms) if reach_ms else replace(need, whole=True))

    def _compile_points(self, rule: AnyPoints, reach_ms: int, index: int) -> Points:
        if isinstance(rule, EventPoints):
            where = compile_where(rule.where, self._desk.shop.zone)
            return Points(points=rule.points, tracker=self._track(rule.did, where, reach_ms), most=rule.most)
        return Points(points=rule.points, condition=self._conditions.compile(rule.when, f"points[{index}].when"))
