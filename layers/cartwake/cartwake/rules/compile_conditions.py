"""Conditions as marketers write them become conditions as they are evaluated, and what these read is noted."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter

from cartwake.conditions import kinds
from cartwake.rules import condition_models as models
from cartwake.rules import state_models as state
from cartwake.rules.amount_models import AverageOf, DistinctOf, LargestOf, TotalOf
from cartwake.rules.behaviour_models import Did, DidNot, First, Last
from cartwake.rules.compiling.behaviour import compile_behaviour
from cartwake.rules.compiling.desk import Desk, Reads, Shop
from cartwake.rules.compiling.person import compile_personal
from cartwake.rules.condition_models import AnyCondition
from cartwake.rules.groups import Spelled, spell_engagement, spell_lifecycle
from cartwake.rules.needs import Needs, listed


class ConditionCompiler:
    """Compiles the conditions of one file.

    Attributes:
        reads: What they read, when they have been compiled.
    """

    def __init__(self, shop: Shop, needs: Needs) -> None:
        self._desk = Desk(shop, needs)
        self.reads: Reads = self._desk.reads

    def compile(self, rule: AnyCondition, path: str) -> kinds.Condition:
        """Return the compiled form of *rule*, which stands at *path*."""
        match rule:
            case models.AllOf():
                return kinds.AllOf(of=self._compile_each(rule.all, f"{path}.all"))
            case models.AnyOf():
                return kinds.AnyOf(of=self._compile_each(rule.any, f"{path}.any"))
            case models.NoneOf():
                return kinds.NoneOf(of=self._compile_each(rule.none, f"{path}.none"))
            case models.InSegment():
                self.reads.segments.append((rule.in_segment, f"{path}.in_segment"))
                return kinds.InSegment(segment=rule.in_segment)
            case state.Lifecycle() | state.Engagement():
                return self._compile_group(rule, path)
            case Did() | DidNot() | DistinctOf() | TotalOf() | AverageOf() | LargestOf() | First() | Last():
                return compile_behaviour(rule, self._desk, path)
            case _:
                return compile_personal(rule, self._desk, path)

    def _compile_each(self, rules: list[AnyCondition], path: str) -> tuple[kinds.Condition, ...]:
        return tuple(self.compile(rule, f"{path}[{index}]") for index, rule in enumerate(rules))

    def _compile_group(self, rule: state.Lifecycle | state.Engagement, path: str) -> kinds.Condition:
        shop = self._desk.shop
        names: str | list[Any]
        if isinstance(rule, state.Lifecycle):
            spelled, names = spell_lifecycle(shop.lifecycle, shop.orders), rule.lifecycle
        else:
            spelled, names = spell_engagement(shop.engagement), rule.engagement
        found = [self.compile(read_condition(spelled[name]), path) for name in dict.fromkeys(listed(names))]
        return found[0] if len(found) == 1 else kinds.AnyOf(of=tuple(found))


def read_condition(spelled: Spelled) -> AnyCondition:
    """Return the condition that an object says, which is known to be right."""
    read: AnyCondition = _adapter().validate_python(spelled)
    return read


@cache
def _adapter() -> TypeAdapter[AnyCondition]:
    return TypeAdapter(models.Condition)
