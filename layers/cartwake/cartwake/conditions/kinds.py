"""The kinds of conditions in their compiled form: data, evaluated elsewhere."""

from enum import StrEnum
from typing import Final, Literal

import msgspec

from cartwake.times import NEVER, Instant
from cartwake.values import Test

_MOST_HALF_LIVES: Final = 20
"""After so many, a millionth is left."""

type CountOp = Literal["at_least", "at_most", "exactly"]
type BoundOp = Literal["more_than", "less_than", "at_least", "at_most"]


class Answer(StrEnum):
    """What a condition says at an instant; unknown when the state does not reach far enough back."""

    HOLDS = "holds"
    FAILS = "fails"
    UNKNOWN = "unknown"


class Verdict(msgspec.Struct, frozen=True):
    """An answer, and the instant until which it stays, as long as nothing new happens."""

    answer: Answer
    until: Instant = NEVER


HOLDS: Final = Verdict(Answer.HOLDS)
FAILS: Final = Verdict(Answer.FAILS)
UNKNOWN: Final = Verdict(Answer.UNKNOWN)


class Start(msgspec.Struct, frozen=True, omit_defaults=True):
    """What "since: start" counts from: the triggering event's own time, and its short id, which does not count.

    Attributes:
        key: What stands for the run's key; 0: it has none.
    """

    at: Instant
    id: int = 0
    key: int = 0


class _Kind(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", omit_defaults=True):
    """What all kinds have in common."""


class _Events(_Kind, frozen=True, kw_only=True, omit_defaults=True):
    """What all conditions on events have in common.

    Attributes:
        tracker: The key of the tracker that remembers them.
        within_ms: Only those later than so long ago count; 0: no matter how old.
        before_ms: Only those that are at least so old.
        from_at: The tracker holds nothing earlier: from here on the past must be known.
    """

    tracker: str
    within_ms: int = 0
    before_ms: int = 0
    from_at: Instant = 0


class Did(_Events, frozen=True, kw_only=True, tag="did", omit_defaults=True):
    """How often something happened: at least, at most or exactly `count` times, in a window, since the start, or ever.

    Over a tracker of distinct values it is how many of them there were.

    Attributes:
        keyed: Seen from a run with a key, only events with the same key count, and those that carry none.
    """

    op: CountOp = "at_least"
    count: int = 1
    since_start: bool = False
    keyed: bool = False


class Amount(_Events, frozen=True, kw_only=True, tag="total", omit_defaults=True):
    """The total, the average or the largest of an amount against a bound in the amount's own unit."""

    of: Literal["total", "average", "largest"] = "total"
    op: BoundOp
    bound: float
    since_start: bool = False


class Then(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What must, or must not, follow within a time after what came before it.

    Attributes:
        then: What must follow it in its turn.
    """

    tracker: str
    within_ms: int
    did: bool = True
    then: "Then | None" = None


class Sequence(_Events, frozen=True, kw_only=True, tag="sequence", omit_defaults=True):
    """How often something happened that was followed by something else, or was not."""

    then: Then
    op: CountOp = "at_least"
    count: int = 1
    since_start: bool = False


class Edge(_Events, frozen=True, kw_only=True, tag="edge", omit_defaults=True):
    """The first or the last of all such events: when it was and, if `marked`, whether it passed the need's marks."""

    last: bool
    marked: bool = False


class Trait(_Kind, frozen=True, kw_only=True, tag="trait"):
    """A test on a trait of the profile."""

    name: str
    test: Test


class Known(_Kind, frozen=True, kw_only=True, tag="known"):
    """A test on something that Cartwake itself knows of a shopper, such as `device` or `cart.value`."""

    name: str
    test: Test


class Moment(_Kind, frozen=True, kw_only=True, tag="moment", omit_defaults=True):
    """A date as it is seen from now: in the last, in the next, or longer ago than a time; one of the three is said.

    Attributes:
        known: It is not a trait but something that Cartwake knows, such as `last_seen`.
    """

    name: str
    known: bool = False
    within_ms: int = 0
    ahead_ms: int = 0
    before_ms: int = 0


class Age(_Kind, frozen=True, kw_only=True, tag="age"):
    """Full years since the date in a trait, by the shopper's own calendar."""

    trait: str
    op: BoundOp
    years: int


class Anniversary(_Kind, frozen=True, kw_only=True, tag="anniversary", omit_defaults=True):
    """The day of the year in a trait lies so few days behind or ahead; today counts, by the shopper's own calendar."""

    trait: str
    last_days: int = 0
    next_days: int = 0


class Score(_Kind, frozen=True, kw_only=True, tag="score"):
    """A score against a bound."""

    name: str
    op: BoundOp
    bound: float


class Share(_Kind, frozen=True, kw_only=True, tag="share"):
    """The shopper is among a share, in millionths, of all: always the same ones for the same salt."""

    micros: int
    salt: str


type Prediction = Literal["next_order", "churn_risk", "rhythm", "orders", "value", "expected_orders", "expected_value"]


class Predicted(_Kind, frozen=True, kw_only=True, tag="predicted", omit_defaults=True):
    """What the shopper's own orders let expect, against a bound; the next order, against a time from now."""

    of: Prediction
    tracker: str
    op: BoundOp = "at_least"
    bound: float = 0.0
    within_ms: int = 0
    ahead_ms: int = 0
    before_ms: int = 0


class InSegment(_Kind, frozen=True, kw_only=True, tag="in_segment"):
    """Membership of another segment."""

    segment: str


class EverIn(_Kind, frozen=True, kw_only=True, tag="ever_in"):
    """Membership of a segment, now or at any time before."""

    segment: str


class AllOf(_Kind, frozen=True, kw_only=True, tag="all"):
    """Every one of the conditions holds."""

    of: tuple["Condition", ...]


class AnyOf(_Kind, frozen=True, kw_only=True, tag="any"):
    """At least one of the conditions holds."""

    of: tuple["Condition", ...]


class NoneOf(_Kind, frozen=True, kw_only=True, tag="none"):
    """None of the conditions holds."""

    of: tuple["Condition", ...]


Condition = (
    Did
    | Amount
    | Sequence
    | Edge
    | Trait
    | Known
    | Moment
    | Age
    | Anniversary
    | Score
    | Share
    | Predicted
    | InSegment
    | EverIn
    | AllOf
    | AnyOf
    | NoneOf
)


class Points(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What gives points: each event that a tracker remembers, or a condition while it holds.

    Attributes:
        most: No more points than this come from it.
    """

    points: float
    tracker: str = ""
    condition: Condition | None = None
    most: float | None = None


class ScoreRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a score is reckoned.

    Attributes:
        half_life_ms: An event's points halve in this time, and are nothing after twenty of them; 0: they stay.
        within_ms: Only events later than so long ago count; 0: no matter how old.
        cap: It is never more.
        floor: It is never less.
    """

    title: str
    points: tuple[Points, ...]
    half_life_ms: int = 0
    within_ms: int = 0
    cap: float | None = None
    floor: float = 0.0

    @property
    def reach_ms(self) -> int:
        """How far back events count; 0: no matter how old."""
        return self.within_ms or _MOST_HALF_LIVES * self.half_life_ms
