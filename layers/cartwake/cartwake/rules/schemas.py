"""JSON Schemas of the files, made of the models that read them, for editors to complete and explain."""

import json
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cartwake.rules.base import Rule
from cartwake.rules.models import Journey, Segment
from cartwake.rules.settings_models import Settings

SCHEMAS: Final[dict[str, type[Rule]]] = {"settings": Settings, "segment": Segment, "journey": Journey}


class _Generator(GenerateJsonSchema):
    """Leaves out what editors stumble over: null where a key is simply left out, and titles that say nothing."""

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Offer no null for a key that may be left out; null stays where it means something."""
        inner = schema["schema"]
        if schema.get("default", ...) is None and inner["type"] == "nullable":
            return self.generate_inner(inner["schema"])
        return super().default_schema(schema)

    def tagged_union_schema(self, schema: core_schema.TaggedUnionSchema) -> JsonSchemaValue:
        """Write `anyOf`: editors then tell the faults of the nearest kind, and not of all."""
        made = super().tagged_union_schema(schema)
        return {("anyOf" if key == "oneOf" else key): value for key, value in made.items()}

    def sort(self, value: JsonSchemaValue, parent_key: str | None = None) -> JsonSchemaValue:  # noqa: ARG002
        """Keep the order of the models: the key that says what something is comes first."""
        return value

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002  a name is title enough
        """Set no titles."""
        return False


def build_schemas() -> dict[str, bytes]:
    """Return each schema by its file: `schemas/segment.json` and so on."""
    return {f"schemas/{name}.json": _write(build_schema(model)) for name, model in SCHEMAS.items()}


def build_schema(model: type[Rule]) -> dict[str, Any]:
    """Return the JSON Schema of one kind of file."""
    made = model.model_json_schema(by_alias=True, schema_generator=_Generator)
    return {"$schema": "http://json-schema.org/draft-07/schema#", **made}


def _write(schema: dict[str, Any]) -> bytes:
    return (json.dumps(schema, ensure_ascii=False, indent=2) + "\n").encode()
