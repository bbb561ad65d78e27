"""The reference of rules, and the schemas beside the starter files: generated from the models that read the files.

Run `python -m cartwake_cli.reference` in the project's environment after changing a model.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from cartwake.rules import condition_models, models, settings_models, words
from cartwake.rules.base import Rule, list_keys
from cartwake.rules.schemas import build_schema, build_schemas
from cartwake.sending.filters import FILTERS
from cartwake.sending.template_data import SEEN

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs" / "rules.md"
STARTER: Final = ROOT / "infra" / "starter"

_INTRODUCTION: Final = """\
# Rules

What marketers write: the files in the bucket. This page is generated from the models that read them
(`python -m cartwake_cli.reference`); `cartwake check FOLDER` checks files before they are uploaded.

| file | is |
|---|---|
| `settings.json` | what holds for the whole shop; without it nothing goes live |
| `segments/<name>.json` | shoppers for whom a condition holds |
| `journeys/<name>.json` | what happens to a shopper, step by step |
| `templates/<name>.mjml` | an email |
| `templates/<name>.txt` | an SMS; beside an `.mjml` of that name: the plain text of the email, else made of its HTML |
| `_status/status.json` | written for you: which files are live, and what is wrong where |
| `schemas/*.json` | written for you: with `"$schema": "../schemas/segment.json"` an editor explains every key |

Names have lower-case letters, digits and hyphens. A file with a fault is not taken over: its last good version stays in
use. A file that others need cannot be deleted before they are changed. Files are UTF-8 and at most 256 KB.

Times are words: a number and `second`, `minute`, `hour`, `day` or `week`, such as `"90 days"`. A day is 24 hours.
Numbers are written without quotes. A key that is not listed here is refused, with the nearest right one.
"""

_SECTIONS: Final[tuple[tuple[str, str, tuple[tuple[str, type[Rule]], ...]], ...]] = (
    (
        "settings.json",
        "",
        (
            ("The file", settings_models.Settings),
            ("`shop`", settings_models.Shop),
            ("`sender`", settings_models.Sender),
            ("`caps`", settings_models.Caps),
            ("`sending_hours`", settings_models.SendingHours),
            ("`sending_hours.email`, `sending_hours.sms`", settings_models.Hours),
        ),
    ),
    ("Segments", "", (("The file", models.Segment),)),
    (
        "Conditions",
        "The first key says what a condition is. Conditions stand in segments, in a journey's `filter`, and in `if`.",
        (
            ("`did`", condition_models.Did),
            ("`did_not`", condition_models.DidNot),
            ("`total_of`", condition_models.TotalOf),
            ("`trait`", condition_models.Trait),
            ("`in_segment`", condition_models.InSegment),
            ("`all`", condition_models.AllOf),
            ("`any`", condition_models.AnyOf),
            ("`none`", condition_models.NoneOf),
            ("An object of tests, in `where`", words.ValueTestObject),
        ),
    ),
    (
        "Journeys",
        "",
        (
            ("The file", models.Journey),
            ("A trigger or an exit: an event", models.ByEvent),
            ("A trigger or an exit: a segment", models.BySegment),
            ("A step: `wait`", models.WaitStep),
            ("A step: `email`", models.EmailStep),
            ("A step: `sms`", models.SmsStep),
            ("A step: `if`", models.IfStep),
        ),
    ),
)

_TEMPLATES: Final = """\
## Templates

Emails are [MJML](https://documentation.mjml.io); `<mj-title>` is the subject unless the step says another, and
`<mj-preview>` what inboxes show beside it. What stands between two blocks, such as a loop over sections, goes into
`<mj-raw>`. Between `{{` and `}}` stands what differs from shopper to shopper; `{% if … %}…{% endif %}` and
`{% for item in cart.items %}…{% endfor %}` show things sometimes, or once for each. Calls, `set`, `macro` and the like
are not there.

What is absent is false in an `if`, and equal to nothing. Shown without `|default('…')` it is an error: the message is
not sent: `template_error`, with the name, in `cartwake explain`. A marketing email must always show
`{{ unsubscribe_url }}` and `{{ shop.postal_address }}`; otherwise it is not taken over.

Much of what a template sees was said by browsers. So texts have no links in them and at most 500 characters, names that
look like addresses are absent, lists have at most 50 entries, and a key that ends in `url` leads to the shop's domain
(pictures may come from anywhere).
"""


def write_page() -> str:
    """Return the whole page."""
    parts = [_INTRODUCTION]
    for title, text, kinds in _SECTIONS:
        parts.append(f"## {title}\n" + (f"\n{text}\n" if text else ""))
        parts += [_write_model(name, model) for name, model in kinds]
    seen = "\n".join(f"| `{name.replace('*', '<name>')}` | {text} |" for name, text in SEEN.items())
    filters = "\n".join(f"| `{name}` | {_explain(name, filter_)} |" for name, filter_ in sorted(FILTERS.items()))
    events = ", ".join(f"`{name}`" for name in words.EVENTS)
    parts += [
        _TEMPLATES,
        f"### What a template sees\n\n| name | is |\n|---|---|\n{seen}\n",
        f"### Filters\n\n| filter | does |\n|---|---|\n{filters}\n",
        f"## Events\n\nAny name will do. Those that editors offer: {events}.\n",
    ]
    return "\n".join(parts)


def write_files() -> None:
    """Write the page and the schemas."""
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(write_page())
    for name, content in build_schemas().items():
        (STARTER / name).parent.mkdir(exist_ok=True)
        (STARTER / name).write_bytes(content)


def _write_model(name: str, model: type[Rule]) -> str:
    rows = "\n".join(_write_rows(model))
    example = _find_example(model)
    shown = f"\n```json\n{example}\n```\n" if example else ""
    later = ", ".join(f"`{key}`" for key in model.later)
    note = f"\nNot there yet: {later}.\n" if later else ""
    text = (model.__doc__ or "").strip()
    return f"### {name}\n\n{text}\n\n| key | is | example |\n|---|---|---|\n{rows}\n{shown}{note}"


def _write_rows(model: type[Rule]) -> Iterator[str]:
    properties = build_schema(model)
    if "$ref" in properties:
        properties = properties["$defs"][properties["$ref"].rsplit("/", 1)[1]]
    required = properties.get("required", [])
    for key in sorted(list_keys(model), key=lambda key: key not in required):
        field: dict[str, Any] = properties["properties"][key]
        text = field.get("description") or next(
            each.description or "" for name, each in model.model_fields.items() if (each.alias or name) == key
        )
        default = field.get("default")
        words_of = (" Required." if key in required else "") + (_tell_default(default) if default is not None else "")
        examples = field.get("examples", [])
        example = f"`{json.dumps(examples[0], ensure_ascii=False)}`" if examples else ""
        choices = f" One of {', '.join(f'`{choice}`' for choice in field['enum'])}." if "enum" in field else ""
        yield f"| `{key}` | {text}{choices}{words_of} | {example.replace('|', chr(92) + '|')} |"


def _tell_default(default: Any) -> str:
    return f" If nothing is said: `{json.dumps(default, ensure_ascii=False)}`." if not isinstance(default, dict) else ""


def _explain(name: str, filter_: Any) -> str:
    if filter_.__module__ == "cartwake.sending.filters":
        return str(filter_.__doc__).replace("|", "\\|")
    return {
        "capitalize": "First letter upper-case, the others lower-case.",
        "first": "The first of a list, or of a text.",
        "join": "The entries of a list as one text: `{{ event.tags\\|join(', ') }}`.",
        "last": "The last of a list, or of a text.",
        "length": "How many entries, or characters.",
        "lower": "In lower-case letters.",
        "round": "A number, rounded: `{{ event.rating\\|round(1) }}`.",
        "title": "Each Word With An Upper-case Letter.",
        "trim": "Without spaces around it.",
        "truncate": "At most so many characters, cut at a word: `{{ item.name\\|truncate(40) }}`.",
        "upper": "In upper-case letters.",
        "urlencode": "As a part of an address: `?q={{ item.name\\|urlencode }}`.",
    }[name]


def _find_example(model: type[Rule]) -> str:
    """Return a whole example, from the starter files where there is one."""
    file = {
        settings_models.Settings: "settings.json",
        models.Segment: "segments/vip.json",
        models.Journey: "journeys/abandoned-cart.json",
    }
    return (STARTER / file[model]).read_text().strip() if model in file else ""


if __name__ == "__main__":
    write_files()
