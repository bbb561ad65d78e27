"""Layout: where each card of a chart stands; ways stand side by side below what decides, and meet again below."""

from dataclasses import dataclass, field
from typing import Final

from cartwake_cli.charts.cards import Card, Chart, Note, Text, Way
from cartwake_cli.charts.texts import SIZE, measure, wrap

CARD: Final = 290.0
PADDING: Final = 14.0
ICON: Final = 26.0
"""Of a card, left for the mark of its kind."""
LINE: Final = 18.0
TITLE: Final = 15.0
GAP: Final = 30.0
"""Between a card and the next."""
APART: Final = 28.0
"""Between ways."""
LABEL: Final = 50.0
"""Below what decides, for the names of the ways."""
JOIN: Final = 26.0
INDENT: Final = 14.0
MARGIN: Final = 28.0
PILL: Final = 34.0
_HEAD: Final = 24.0
_SUBTITLE: Final = 14.0
_NOTES: Final = 2 * CARD + APART


@dataclass(frozen=True, slots=True)
class Words:
    """One line of text where it stands; x is its left end, y its base line."""

    x: float
    y: float
    text: str
    kind: str


@dataclass(frozen=True, slots=True)
class Box:
    """A card, by its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    look: str


@dataclass(frozen=True, slots=True)
class Path:
    """A line through points; the last one may be an arrow's."""

    points: tuple[tuple[float, float], ...]
    arrow: bool = False


@dataclass(frozen=True, slots=True)
class Label:
    """The name of a way, in the middle of its line."""

    x: float
    y: float
    width: float
    text: str


@dataclass
class Plan:
    """Everything that is drawn."""

    width: float = 0
    height: float = 0
    boxes: list[Box] = field(default_factory=list)
    paths: list[Path] = field(default_factory=list)
    labels: list[Label] = field(default_factory=list)
    words: list[Words] = field(default_factory=list)


def lay_out(chart: Chart) -> Plan:
    """Return where everything of a chart stands."""
    width = max(_measure_all(chart.cards), _NOTES) + 2 * MARGIN
    plan = Plan(width=width)
    y = _lay_head(plan, chart, width)
    for note in chart.notes:
        y = _lay_note(plan, note, y, width)
    y = _lay_all(plan, chart.cards, width / 2, y + GAP / 2, first=True)
    plan.height = y + MARGIN
    return plan


def _lay_head(plan: Plan, chart: Chart, width: float) -> float:
    y = MARGIN
    for line in wrap(chart.title, width - 2 * MARGIN, size=_HEAD, bold=True):
        y += _HEAD + 4
        plan.words.append(Words(MARGIN, y - 6, line, "head"))
    for line in wrap(chart.subtitle, width - 2 * MARGIN, size=_SUBTITLE):
        y += LINE
        plan.words.append(Words(MARGIN, y, line, "subtitle"))
    return y + 16


def _lay_note(plan: Plan, note: Note, y: float, width: float) -> float:
    inner = width - 2 * MARGIN - 2 * PADDING
    lines = [(text, line) for text in note.texts for line in wrap(text.words, inner - text.depth * INDENT)]
    height = 2 * 10 + LINE * (len(lines) + 1)
    plan.boxes.append(Box(MARGIN, y, width - 2 * MARGIN, height, "note"))
    plan.words.append(Words(MARGIN + PADDING, y + 24, note.title, "label"))
    for number, (text, line) in enumerate(lines, 1):
        x = MARGIN + PADDING + text.depth * INDENT
        plan.words.append(Words(x, y + 24 + number * LINE, line, "faint" if text.faint else "text"))
    return y + height + 8


def _measure_all(cards: tuple[Card, ...]) -> float:
    """Return how wide cards are, one below the other."""
    return max(map(_measure_card, cards), default=CARD)


def _measure_card(card: Card) -> float:
    if not card.ways:
        return CARD
    return max(CARD, sum(map(_measure_way, card.ways)) + APART * (len(card.ways) - 1))


def _measure_way(way: Way) -> float:
    return max(_measure_all(way.cards), _measure_label(way)) if way.cards else max(_measure_label(way), CARD / 2)


def _measure_label(way: Way) -> float:
    return min(measure(way.label, size=12) + 22, CARD)


def _lay_all(plan: Plan, cards: tuple[Card, ...], middle: float, y: float, *, first: bool = False) -> float:
    """Place cards one below the other, and return where the last one ends."""
    for card in cards:
        if not first:
            plan.paths.append(Path(((middle, y), (middle, y + GAP)), arrow=True))
            y += GAP
        first = False
        y = _lay_card(plan, card, middle, y)
        if card.ways:
            y = _lay_ways(plan, card.ways, middle, y)
    return y


def _lay_card(plan: Plan, card: Card, middle: float, y: float) -> float:
    """Place one card, and return where it ends."""
    if card.look == "end":
        width = measure(card.title, size=TITLE, bold=True) + 44
        plan.boxes.append(Box(middle - width / 2, y, width, PILL, card.look))
        plan.words.append(Words(middle, y + 22, card.title, "pill"))
        return y + PILL
    inner = CARD - 2 * PADDING - ICON
    titles = wrap(card.title, inner, size=TITLE, bold=True)
    lines = [(text, line) for text in card.texts for line in _wrap(text, inner)]
    height = 2 * 11 + 20 * len(titles) + LINE * len(lines) + (3 if lines else 0)
    left = middle - CARD / 2
    plan.boxes.append(Box(left, y, CARD, height, card.look))
    base, x = y + 11 + 15, left + PADDING + ICON
    for number, line in enumerate(titles):
        plan.words.append(Words(x, base + number * 20, line, "title"))
    base += 20 * len(titles) + 1
    for number, (text, line) in enumerate(lines):
        kind = "faint" if text.faint else "text"
        plan.words.append(Words(x + text.depth * INDENT, base + number * LINE, line, kind))
    return y + height


def _wrap(text: Text, inner: float) -> list[str]:
    return wrap(text.words, inner - text.depth * INDENT, size=SIZE)


def _lay_ways(plan: Plan, ways: tuple[Way, ...], middle: float, y: float) -> float:
    """Place ways side by side, and return where they have met again."""
    widths = [_measure_way(way) for way in ways]
    left = middle - (sum(widths) + APART * (len(ways) - 1)) / 2
    bend, ends = y + 14, []
    for way, width in zip(ways, widths, strict=True):
        x = left + width / 2
        start = y + LABEL
        plan.paths.append(Path(((middle, y), (middle, bend), (x, bend), (x, start)), arrow=bool(way.cards)))
        size = _measure_label(way)
        plan.labels.append(Label(x, bend + 14, size, way.label))
        ends.append((x, _lay_all(plan, way.cards, x, start, first=True), _goes_on(way)))
        left += width + APART
    low = max(end for _, end, _ in ends) + JOIN
    for x, end, goes_on in ends:
        if goes_on:
            plan.paths.append(Path(((x, end), (x, low - 10), (middle, low - 10), (middle, low))))
    return low


def _goes_on(way: Way) -> bool:
    """Say whether anything comes after a way: not if it ends the journey, or leads elsewhere."""
    return not way.cards or not way.cards[-1].ends
