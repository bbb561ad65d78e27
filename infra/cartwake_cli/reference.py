"""The reference of rules, and the schemas beside the starter files: generated from the models that read the files.

Run `python -m cartwake_cli.reference` in the project's environment after changing a model.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cartwake.rules import (
    behaviour_models,
    campaign_models,
    condition_models,
    coupon_models,
    group_models,
    groups,
    models,
    prediction_models,
    push_models,
    score_models,
    settings_models,
    step_models,
    trigger_models,
    value_models,
    vocabulary,
)
from cartwake.rules.base import Rule, list_keys
from cartwake.rules.schemas import build_schema, build_schemas
from cartwake.sending.filters import FILTERS
from cartwake.sending.template_data import SEEN
from cartwake_cli import reference_texts as texts

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "rules.md"
STARTER: Final = ROOT / "infra" / "starter"

type Parts = tuple[tuple[str, type[Rule]], ...]

_SETTINGS: Final[Parts] = (
    ("The file", settings_models.Settings),
    ("`shop`", settings_models.Shop),
    ("`sender`", settings_models.Sender),
    ("`caps`", settings_models.Caps),
    ("`sending_hours`", settings_models.SendingHours),
    ("`sending_hours.email`, `sending_hours.sms`, `sending_hours.push`", settings_models.Hours),
    ("`orders`", group_models.Orders),
    ("`lifecycle`", group_models.LifecycleSettings),
    ("`engagement`", group_models.EngagementSettings),
    ("`known`", group_models.KnownNames),
    ("`limits`", group_models.Limits),
)
_SEGMENTS: Final[Parts] = (("The file", models.Segment), ("`then`", models.Mark))
_TESTS: Final[Parts] = (
    ("What follows: `then`, `did`", behaviour_models.ThenDid),
    ("What does not follow: `then`, `did_not`", behaviour_models.ThenDidNot),
    ("An object of tests, in `where`", value_models.ValueTestObject),
    ("An object of bounds, in `cart`", value_models.NumberTests),
)
_SCORES: Final[Parts] = (
    ("The file", score_models.Score),
    ("Points for events", score_models.EventPoints),
    ("Points while something holds", score_models.StatePoints),
)
_PREDICTIONS: Final[Parts] = (
    ("The file", prediction_models.Predictions),
    ("`buying`", prediction_models.Buying),
    ("`spending`", prediction_models.Spending),
)
_JOURNEYS: Final[Parts] = (
    ("The file", models.Journey),
    ("A trigger or an exit: an event", trigger_models.ByEvent),
    ("A trigger or an exit: a segment", trigger_models.BySegment),
    ("A trigger: a date", trigger_models.ByDate),
    ("A trigger: by hand", trigger_models.ByHand),
    *((f"A step: `{lead}`", model) for lead, model in step_models.STEPS.items()),
    ("One way of a `split`", step_models.Way),
)
_CAMPAIGNS: Final[Parts] = (
    ("The file", campaign_models.Campaign),
    ("`test_first`", campaign_models.TestFirst),
)
_COUPONS: Final[Parts] = (
    ("The file", coupon_models.Coupons),
    ("`generate`", coupon_models.Generate),
)
_PUSHES: Final[Parts] = (("The file", push_models.PushText),)
_FILES: Final[dict[type[Rule], str]] = {
    settings_models.Settings: "settings.json",
    models.Segment: "segments/vip.json",
    models.Journey: "journeys/abandoned-cart.json",
    campaign_models.Campaign: "campaigns/newsletter.json",
    score_models.Score: "scores/engagement.json",
    prediction_models.Predictions: "predictions.json",
}
"""Whole examples that stand among the starter files."""


def write_page() -> str:
    """Return the whole page."""
    parts = [
        texts.INTRODUCTION,
        *_write_section("settings.json", _SETTINGS),
        *_write_section("Segments", _SEGMENTS),
        f"{texts.LIBRARY}\n{_write_library()}\n",
        "## Conditions\n",
        texts.CONDITIONS,
        *(_write_model(f"`{model.begins}`", model) for model in condition_models.MODELS),
        _write_groups(),
        *(_write_model(name, model) for name, model in _TESTS),
        *_write_section("Scores", _SCORES),
        *_write_section("predictions.json", _PREDICTIONS),
        texts.PREDICTIONS,
        *_write_section("Journeys", _JOURNEYS),
        *_write_section("Campaigns", _CAMPAIGNS),
        *_write_section("Coupons", _COUPONS),
        texts.COUPONS,
        texts.TEMPLATES,
        *_write_template_words(),
        *_write_section("Push messages", _PUSHES),
        f"## Events\n\nAny name will do. Those that editors offer: {_list(vocabulary.EVENTS)}.\n",
        texts.TAGS,
        f"## Traits\n\nAny name will do. Those that editors offer: {_list(vocabulary.TRAITS)}.\n",
    ]
    return "\n".join(parts)


def write_files() -> None:
    """Write the page and the schemas."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(write_page())
    for name, content in build_schemas().items():
        (STARTER / name).parent.mkdir(exist_ok=True)
        (STARTER / name).write_bytes(content)


def list_examples(model: type[Rule]) -> list[dict[str, Any]]:
    """Return what is shown of a model: whole objects; at least one of every condition."""
    if model.shown or not model.begins:
        return list(model.shown)
    properties = _find_properties(model)
    required = [key for key in list_keys(model) if key in properties["required"]] or [model.begins]
    return [{key: properties["properties"][key]["examples"][0] for key in required}]


def _write_section(title: str, kinds: Parts) -> Iterator[str]:
    yield f"## {title}\n"
    yield from (_write_model(name, model) for name, model in kinds)


def _write_model(name: str, model: type[Rule]) -> str:
    rows = "\n".join(_write_rows(model))
    if model in _FILES:
        example = (STARTER / _FILES[model]).read_text().strip()
    else:
        example = "\n".join(json.dumps(each, ensure_ascii=False) for each in list_examples(model))
    shown = f"\n```json\n{example}\n```\n" if example else ""
    later = f"\nNot there yet: {_list(tuple(model.later))}.\n" if model.later else ""
    text = _find_properties(model)["description"]
    return f"### {name}\n\n{text}\n\n| key | is | example |\n|---|---|---|\n{rows}\n{shown}{later}"


def _write_rows(model: type[Rule]) -> Iterator[str]:
    schema = _find_properties(model)
    required = schema.get("required", [])
    for key in sorted(list_keys(model), key=lambda key: key not in required):
        field: dict[str, Any] = schema["properties"][key]
        text = field.get("description") or next(
            each.description or "" for name, each in model.model_fields.items() if (each.alias or name) == key
        )
        default = field.get("default")
        words_of = (" Required." if key in required else "") + (_tell_default(default) if default is not None else "")
        examples = field.get("examples", [])
        example = f"`{json.dumps(examples[0], ensure_ascii=False)}`" if examples else ""
        words = _find_choices(field)
        choices = f" One of {_list(words)}." if words else ""
        yield f"| `{key}` | {text}{choices}{words_of} | {example.replace('|', chr(92) + '|')} |"


def _find_choices(field: dict[str, Any]) -> tuple[str, ...]:
    """Return the words of a closed list, of which one may stand there, or several in a list."""
    first, *others = field.get("anyOf", [field])
    closed = all(each.get("type") == "array" for each in others)
    return tuple(first.get("enum", ())) if closed else ()


def _find_properties(model: type[Rule]) -> dict[str, Any]:
    schema = build_schema(model)
    if "$ref" in schema:
        found: dict[str, Any] = schema["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        return found
    return schema


def _tell_default(default: Any) -> str:
    return f" If nothing is said: `{json.dumps(default, ensure_ascii=False)}`." if not isinstance(default, dict) else ""


def _write_library() -> str:
    rows = []
    for path in sorted((STARTER / "segments").glob("*.json")):
        segment = json.loads(path.read_text())
        rows.append(f"| `{path.stem}` | {segment['name']} |")
    return "\n".join(("| segment | is |", "|---|---|", *rows))


def _write_groups() -> str:
    lifecycle = groups.tell_lifecycle(group_models.LifecycleSettings())
    engagement = groups.tell_engagement(group_models.EngagementSettings())
    tables = (
        "\n".join((f"| {kind} | is |", "|---|---|", *(f"| `{name}` | {text} |" for name, text in told.items())))
        for kind, told in (("lifecycle", lifecycle), ("engagement", engagement))
    )
    return "\n\n".join((texts.GROUPS.strip(), *tables)) + "\n"


def _write_template_words() -> Iterator[str]:
    seen = "\n".join(f"| `{name.replace('*', '<name>')}` | {text} |" for name, text in SEEN.items())
    filters = "\n".join(f"| `{name}` | {_explain(name, filter_)} |" for name, filter_ in sorted(FILTERS.items()))
    yield f"### What a template sees\n\n| name | is |\n|---|---|\n{seen}\n"
    yield f"### Filters\n\n| filter | does |\n|---|---|\n{filters}\n"


def _explain(name: str, filter_: Any) -> str:
    if filter_.__module__ == "cartwake.sending.filters":
        return str(filter_.__doc__).replace("|", "\\|")
    return texts.FILTERS[name]


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    write_files()
