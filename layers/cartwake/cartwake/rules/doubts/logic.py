"""Doubts about logic: conditions that can never hold, or always do."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Final, Literal, NamedTuple

from cartwake.rules.amount_models import TotalOf
from cartwake.rules.compile_conditions import ConditionCompiler
from cartwake.rules.compiling.desk import Shop
from cartwake.rules.condition_models import AllOf, AnyCondition, AnyOf, NoneOf
from cartwake.rules.doubts.claims import Claim, claim_test, deny, exclude_each_other, list_claims
from cartwake.rules.doubts.walks import Placed, list_inner
from cartwake.rules.needs import Needs, compile_where, listed
from cartwake.rules.profile_models import Score as ScoreTest
from cartwake.rules.profile_models import Share
from cartwake.rules.score_models import Score
from cartwake.rules.state_models import Engagement, Lifecycle
from cartwake.rules.value_models import list_bounds

type Always = Literal["never", "always"] | None
"""Whether something can never hold, or always does."""


class Doubt(NamedTuple):
    """A sentence about a place."""

    path: str
    message: str


class Placing(NamedTuple):
    """What is claimed, and where."""

    path: str
    claims: list[Claim]


class Judge:
    """Says of conditions whether they can hold, and collects what it finds.

    Attributes:
        doubts: Of the conditions that were judged.
        zone: Where the days of the shop begin.
    """

    def __init__(self, shop: Shop, scores: Mapping[str, Score]) -> None:
        self.doubts: list[Doubt] = []
        self._scores = scores
        self.zone = shop.zone
        self._needs = Needs()
        self._compiler = ConditionCompiler(shop, self._needs)

    def judge(self, rule: AnyCondition, path: str, *, beside: Placing | None = None) -> Always:
        """Return whether *rule* never holds, or always; *beside* is what is true anyway when it is asked."""
        placed = [*([beside] if beside else []), *self._list_claims(rule, path)]
        clash = _find_clash(placed)
        if clash:
            self._doubt_pair(clash, beside)
            return "never"
        return self._judge_inner(rule, path)

    def _judge_inner(self, rule: AnyCondition, path: str) -> Always:
        inner = list_inner(rule, path)
        match rule:
            case AllOf():
                found = [self.judge(each, place) for place, each in inner]
                return _combine(found, decisive="never")
            case AnyOf():
                found = [self.judge(each, place) for place, each in inner]
                if self._doubt_any(inner):
                    return "always"
                return _combine(found, decisive="always")
            case NoneOf():
                found = [_OPPOSITE[self.judge(each, place)] for place, each in inner]
                return _combine(found, decisive="never")
            case _:
                return self._judge_alone(rule, path)

    def _judge_alone(self, rule: AnyCondition, path: str) -> Always:
        match rule:
            case Share(share=100):
                return self._doubt(f"{path}.share", "Everybody is in a share of 100 percent.", "always")
            case TotalOf(at_least=at_least) if at_least is not None and at_least <= 0:
                message = "Always holds: a total is 0 or more, unless there are amounts below 0."
                return self._doubt(f"{path}.at_least", message, "always")
            case ScoreTest(score=name) if name in self._scores:
                return self._judge_score(rule, self._scores[name], path)
        tests = compile_where(getattr(rule, "where", None), self.zone)
        placed = [Placing(each.path, list(claim_test(each.path, each.test))) for each in tests]
        clash = _find_clash(placed)
        if clash:
            self._doubt(f"{path}.where.{clash[1]}", "Hardly ever holds: what it says excludes itself.", None)
        return None

    def _judge_score(self, rule: ScoreTest, score: Score, path: str) -> Always:
        for name, bound in list_bounds(rule).items():
            beyond = bound >= (score.cap or 0) if name == "more_than" else bound > (score.cap or 0)
            if name in ("more_than", "at_least") and score.cap is not None and beyond:
                message = f'Can never hold: the score "{rule.score}" is at most {score.cap:g}.'
                return self._doubt(f"{path}.{name}", message, "never")
        return None

    def _doubt(self, path: str, message: str, found: Always) -> Always:
        self.doubts.append(Doubt(path, message))
        return found

    def _list_claims(self, rule: AnyCondition, path: str) -> Iterator[Placing]:
        """Yield everything that is claimed together with *rule*: by itself, by each of an "all", denied by a "none"."""
        match rule:
            case AllOf():
                for place, each in list_inner(rule, path):
                    yield from self._list_claims(each, place)
            case NoneOf():
                for place, each in list_inner(rule, path):
                    yield Placing(place, self._deny(each, place))
            case AnyOf(any=[only]):
                yield from self._list_claims(only, f"{path}.any[0]")
            case _:
                yield Placing(path, self._claim(rule, path))

    def _claim(self, rule: AnyCondition, path: str) -> list[Claim]:
        claims = list_claims(self._compiler.compile(rule, path), self._needs.by_key)
        match rule:
            case Lifecycle(lifecycle=names):
                claims.append(Claim("lifecycle", among=frozenset(listed(names))))
            case Engagement(engagement=names):
                claims.append(Claim("engagement", among=frozenset(listed(names))))
        return claims

    def _deny(self, rule: AnyCondition, path: str) -> list[Claim]:
        """Return what is certain when *rule* does not hold."""
        return deny(self._compiler.compile(rule, path), self._needs.by_key)

    def _doubt_any(self, inner: list[Placed]) -> bool:
        denied = [Placing(place, self._deny(each, place)) for place, each in inner]
        clash = _find_clash(denied)
        if clash is None:
            return False
        first, second = clash
        message = f"Always holds, of everybody: this or {first} is true of anybody."
        self.doubts.append(Doubt(second, message))
        return True

    def _doubt_pair(self, clash: tuple[str, str], beside: Placing | None) -> None:
        first, second = clash
        if first == second:
            message = "Can never hold: what it says excludes itself."
        elif beside and first == beside.path:
            message = f"Can never hold: {first} says the opposite of it."
        else:
            message = f"Can never hold together with {first}: they exclude each other."
        self.doubts.append(Doubt(second, message))


def _find_clash(placed: list[Placing]) -> tuple[str, str] | None:
    """Return the paths of the first two claims that exclude each other."""
    claims = [(path, claim) for path, claims in placed for claim in claims]
    for (first, left), (second, right) in combinations(claims, 2):
        if exclude_each_other(left, right):
            return first, second
    return None


def _combine(found: list[Always], *, decisive: Always) -> Always:
    """One *decisive* child decides; else all must agree."""
    if decisive in found:
        return decisive
    other = _OPPOSITE[decisive]
    return other if all(each == other for each in found) else None


_OPPOSITE: Final[dict[Always, Always]] = {"never": "always", "always": "never", None: None}
