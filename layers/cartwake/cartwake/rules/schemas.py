"""JSON Schemas of the files, made of the models that read them, for editors to complete and explain."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cartwake.rules.base import Rule
from cartwake.rules.campaign_models import Campaign
from cartwake.rules.coupon_models import Coupons
from cartwake.rules.models import Journey, Segment
from cartwake.rules.prediction_models import Predictions
from cartwake.rules.push_models import PushText
from cartwake.rules.score_models import Score
from cartwake.rules.settings_models import Settings
from cartwake.rules.value_models import Where
from cartwake.rules.words import Duration, EventName, TraitName

SCHEMAS: Final[dict[str, type[Rule]]] = {
    "settings": Settings,
    "segment": Segment,
    "score": Score,
    "predictions": Predictions,
    "journey": Journey,
    "campaign": Campaign,
    "coupons": Coupons,
    "push": PushText,
}
_SHARED: Final[dict[str, Any]] = {"Event": EventName, "TraitName": TraitName, "Time": Duration, "Where": Where}
_KINDS: Final = "x-kinds"
_DEFS: Final = "#/$defs/"


class _Generator(GenerateJsonSchema):
    """Leaves out what editors stumble over: null where a key is simply left out, and titles that say nothing."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Offer no null for a key that may be left out; null stays where it means something."""
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().default_schema(schema)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Leave out the name of the class."""
        made = super().model_schema(schema)
        made.pop("title", None)
        return made

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Write `anyOf`, which names the nearest fault and not all; note where a key says what an object is."""
        made = super().tagged_union_schema(schema)
        what = schema.get("custom_error_message", "")
        if not what:
            return _by_type(schema, made["oneOf"])
        kinds = {str(tag).strip("<>"): self.generate_inner(kind) for tag, kind in schema["choices"].items()}
        return {_KINDS: [what.removeprefix("not a ").removeprefix("not an ").capitalize(), kinds]}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Keep the order of the models: the key that says what something is comes first."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  a name is title enough
        """Set no titles."""
        return False


@cache
def build_schemas() -> Mapping[str, bytes]:
    """Return each schema by its file: `schemas/segment.json` and so on. It takes a good part of a second."""
    return {f"schemas/{name}.json": _write(build_schema(model)) for name, model in SCHEMAS.items()}


def build_schema(model: type[Rule]) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file."""
    made = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    shared = _share(made)
    definitions: dict[str, Any] = made.pop("$defs", {}) | shared
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", **made, "$defs": definitions}
    unions = {}
    for part in list(_walk(whole)):
        if _KINDS in part:
            name, unions[name] = part.pop(_KINDS)
            part["$ref"] = f"{_DEFS}{name}"
    for part in list(_walk(whole)):
        if "$ref" in part and "description" in part:
            _say_first(part)
    definitions |= {name: _narrow(kinds, definitions) for name, kinds in unions.items()}
    return whole


def _share(schema: dict[str, Any]) -> dict[str, Any]:
    """Refer to what fields have in common, and return it by its names."""
    found = {}
    for name, kind in _SHARED.items():
        made = TypeAdapter(kind).json_schema(schema_generator=_Generator)
        shared = {key: value for key, value in made.items() if key not in ("$defs", "description", "examples")}
        for part in [it for it in _walk(schema) if all(it.get(key) == value for key, value in shared.items())]:
            for key in shared:
                del part[key]
            part["$ref"] = f"{_DEFS}{name}"
            found[name] = shared
    return found


def _narrow(kinds: dict[str, dict[str, str]], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return one schema for objects of several kinds, so that only the keys of the kind that one is are offered.

    An `anyOf` would offer those of all kinds to somebody who has written none, and wherever several fit as well.

    Args:
        kinds: The reference of each kind, by the key that says it.
        definitions: All kinds, by their name.
    """
    for lead, kind in kinds.items():
        named = definitions[kind["$ref"].removeprefix(_DEFS)]
        field = named["properties"][lead]
        for said in (field, *field.get("allOf", [])[:1]):
            said["markdownDescription"] = f"{named['description']}\n\n{field['description']}"
    offered = {lead: {"$ref": f"{kind['$ref']}/properties/{lead}"} for lead, kind in kinds.items()}
    unsaid = {
        "if": _has_none_of(list(kinds)),
        "then": {"properties": offered, "additionalProperties": False, "minProperties": 1},
    }
    # by its name alone, for while somebody writes it a key has no value yet, and counts as missing
    said = ({"if": {"not": _has_none_of([lead])}, "then": kind} for lead, kind in kinds.items())
    return {"type": "object", "allOf": [*said, unsaid]}


def _has_none_of(names: list[str]) -> dict[str, Any]:
    return {"propertyNames": {"not": {"enum": names}}}


def _by_type(schema: core_schema.TaggedUnionSchema, choices: list[JsonSchemaValue]) -> JsonSchemaValue:
    """Return one schema of several that differ by type: what is an object is held against the object alone."""
    by_tag = dict(zip(schema["choices"], choices, strict=True))
    tests = by_tag.pop("<tests>", None)
    others = {"anyOf": list(by_tag.values())}
    return others if tests is None else {"if": {"type": "object"}, "then": tests, "else": others}


def _say_first(part: dict[str, Any]) -> None:
    """Let a field's own words come before those of what it refers to: beside a `$ref` editors overlook them."""
    part["allOf"] = [{"description": part["description"]}, {"$ref": part.pop("$ref")}]


def _walk(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a schema, the inner ones first."""
    if isinstance(schema, list):
        for item in schema:
            yield from _walk(item)
    if isinstance(schema, dict):
        for value in schema.values():
            yield from _walk(value)
        yield schema


def _write(schema: dict[str, Any]) -> bytes:
    return (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()
