"""SVG: a chart as a picture that needs nothing from elsewhere, and is read in the light and in the dark."""

from html import escape
from typing import Final

from cartwake_cli.charts.cards import Chart
from cartwake_cli.charts.layout import Box, Label, Path, Words, lay_out

_ROUND: Final = 10
_LIGHT: Final = {
    "ground": "#ffffff", "text": "#1f2937", "faint": "#5b6472", "line": "#94a3b8", "card": "#f8fafc", "edge": "#cbd5e1",
    "start": "#15803d", "wait": "#64748b", "email": "#1d4ed8", "sms": "#7e22ce",
    "push": "#be185d", "branch": "#b45309", "end": "#475569",
    "remark": "#0f766e", "goal": "#be123c", "stop": "#475569",
    "note": "#cbd5e1",
}  # fmt: skip
_DARK: Final = {
    "ground": "#0f172a", "text": "#e5e7eb", "faint": "#a3adbb", "line": "#64748b", "card": "#1e293b", "edge": "#334155",
    "start": "#4ade80", "wait": "#94a3b8", "email": "#7aa7ff", "sms": "#c794ff",
    "push": "#f472b6", "branch": "#f5b041", "end": "#94a3b8",
    "remark": "#2dd4bf", "goal": "#fb7185", "stop": "#94a3b8",
    "note": "#334155",
}  # fmt: skip
_MARKS: Final = {
    "start": "M4 2v14l11-7z",
    "wait": "M9 1a8 8 0 1 0 0 16A8 8 0 0 0 9 1zm1 3v5l4 2-1 1.6-5-2.6V4z",
    "email": "M1 4l8 6 8-6v10H1zM1 3h16l-8 5.5z",
    "sms": "M2 2h14v10H9l-4 4v-4H2z",
    "push": "M4 13V8a5 5 0 0 1 10 0v5l2 1H2zM7 15h4l-2 2z",
    "branch": "M9 0l9 9-9 9-9-9z",
    "remark": "M2 2h9l5 5v9H2z",
    "stop": "M2 2h14v14H2z",
    "goal": "M3 1h2v16H3zM6 2h9l-2 4 2 4H6z",
}
_STYLE: Final = """
text{font-family:Helvetica,Arial,'Liberation Sans',sans-serif;fill:var(--text)}
.head{font-size:24px;font-weight:700}
.subtitle{font-size:14px;fill:var(--faint)}
.label{font-size:12px;font-weight:700;fill:var(--faint)}
.title{font-size:15px;font-weight:700}
.text{font-size:13px}
.faint{font-size:13px;fill:var(--faint)}
.way{font-size:12px;font-weight:700;text-anchor:middle}
.pill{font-size:15px;font-weight:700;text-anchor:middle}
.line{fill:none;stroke:var(--line);stroke-width:1.5}
.arrow{fill:var(--line)}
.box{fill:var(--card);stroke:var(--edge)}
.note{fill:none;stroke:var(--edge)}
.way-box{fill:var(--ground);stroke:var(--line)}
"""


def draw(chart: Chart) -> str:
    """Return the picture of a chart; of the same chart it is always the same text."""
    plan = lay_out(chart)
    width, height = _number(plan.width), _number(plan.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"',
        ' role="img" aria-labelledby="title">',
        f'<title id="title">{_escape(f"{chart.title}: {chart.subtitle}")}</title>',
        f"<style>{_say_colors()}{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" fill="var(--ground)"/>',
        *map(_draw_path, plan.paths),
        *map(_draw_box, plan.boxes),
        *map(_draw_label, plan.labels),
        *map(_draw_words, plan.words),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _say_colors() -> str:
    light, dark = (";".join(f"--{name}:{color}" for name, color in it.items()) for it in (_LIGHT, _DARK))
    return f"\nsvg{{{light}}}\n@media(prefers-color-scheme:dark){{svg{{{dark}}}}}"


def _draw_box(box: Box) -> str:
    x, y, width, height = map(_number, (box.x, box.y, box.width, box.height))
    if box.look == "note":
        return f'<rect class="note" x="{x}" y="{y}" width="{width}" height="{height}" rx="{_ROUND}"/>'
    if box.look not in _MARKS:
        return (
            f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="{_number(box.height / 2)}" '
            f'style="stroke:var(--{box.look})"/>'
        )
    place = f"translate({_number(box.x + 12)} {_number(box.y + 13)})"
    mark = f'<path d="{_MARKS[box.look]}" fill-rule="evenodd" transform="{place}"'
    return (
        f'<rect class="box" x="{x}" y="{y}" width="{width}" height="{height}" rx="{_ROUND}" '
        f'style="stroke:var(--{box.look})"/>\n{mark} style="fill:var(--{box.look})"/>'
    )


def _draw_path(path: Path) -> str:
    points = path.points
    steps = [f"{_number(x)} {_number(y)}" for x, y in points]
    drawn = f'<path class="line" d="M{"L".join(steps)}"/>'
    if not path.arrow:
        return drawn
    x, y = points[-1]
    return f'{drawn}\n<path class="arrow" d="M{_number(x)} {_number(y)}l-5 -8h10z"/>'


def _draw_label(label: Label) -> str:
    x, y, width = _number(label.x - label.width / 2), _number(label.y - 10), _number(label.width)
    return (
        f'<rect class="way-box" x="{x}" y="{y}" width="{width}" height="20" rx="10"/>\n'
        f'<text class="way" x="{_number(label.x)}" y="{_number(label.y + 4)}">{_escape(label.text)}</text>'
    )


def _draw_words(words: Words) -> str:
    return f'<text class="{words.kind}" x="{_number(words.x)}" y="{_number(words.y)}">{_escape(words.text)}</text>'


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _escape(text: str) -> str:
    """Return a text as XML may have it: what may not stand in it at all is left out."""
    return escape("".join(letter for letter in text if letter.isprintable()))
