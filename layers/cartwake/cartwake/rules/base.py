"""The base of all models of marketers' files: nothing unknown passes, and every fault is a sentence."""

import json
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from cartwake.rules.faults import Fault, find_nearest, name_all
from cartwake.rules.vocabulary import CONDITIONS, MEANT, SAME, VALUES

_MOST_NAMED: Final = 12
_SHORTEST: Final = 3
_ALIKE: Final = 0.75
_KINDS: Final = {
    "string_type": "should be text, in double quotes",
    "int_type": "should be a whole number, without quotes",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number, without quotes",
    "bool_type": "should be true or false, without quotes",
    "list_type": "should be a list: [ … ]",
    "dict_type": "should be an object: { … }",
    "model_type": "should be an object: { … }",
    "model_attributes_type": "should be an object: { … }",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "string_pattern_mismatch": "is not written as it should be",
    "string_too_long": "should have at most {max_length} characters",
    "too_long": "should have at most {max_length} entries",
    "greater_than_equal": "should be {ge} or more",
    "greater_than": "should be more than {gt}",
    "less_than_equal": "should be {le} or less",
    "less_than": "should be less than {lt}",
    "finite_number": "should be a number that can be compared",
}
_GROUPS: Final = ("all", "any", "none")
_STEPS: Final = (
    "wait",
    "wait_until",
    "wait_until_date_in",
    "wait_for",
    "email",
    "sms",
    "push",
    "webhook",
    "give",
    "if",
    "choose",
    "test",
    "set",
    "untag",
    "goal",
    "end",
)
_LEADING: Final = frozenset(("$schema", *CONDITIONS, "when", *_STEPS, "event", "segment"))


class Rule(BaseModel):
    """A part of a marketer's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, serialize_by_alias=True)
    later: ClassVar[dict[str, str]] = {}
    """Keys that the design knows and this version does not."""
    elsewhere: ClassVar[dict[str, str]] = {}
    """Keys that one looks for here, and a sentence on how to say it."""
    begins: ClassVar[str] = ""
    """Of a condition: the key with which it begins."""
    shown: ClassVar[tuple[dict[str, Any], ...]] = ()
    """Whole objects as one would write them, for the reference; the tests evaluate them."""

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, value: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            lines = [_rewrite(cls, line) for line in error.errors(include_url=False)]
            raise ValidationError.from_exception_data(cls.__name__, lines) from None


class File(Rule):
    """What every file may have."""

    schema_: str | None = Field(
        None, alias="$schema", description="Tells editors which keys there are.", examples=["../schemas/segment.json"]
    )


def check[Model: Rule](model: type[Model], data: Any, file: str) -> Model | list[Fault]:
    """Return *data* as a model, or every fault in it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        return [_to_fault(line, file) for line in error.errors(include_url=False)]


def dump(rule: Rule) -> dict[str, Any]:
    """Return the JSON of a model as somebody would write it: what was left out stays out."""
    dumped: dict[str, Any] = _lead(rule.model_dump(mode="json", by_alias=True, exclude_unset=True))
    return dumped


def _lead(data: Any) -> Any:
    """Put first, in every object, the key that says what it is."""
    if isinstance(data, list):
        return [_lead(item) for item in data]
    if not isinstance(data, dict):
        return data
    keys = sorted(data, key=lambda key: key not in _LEADING)
    return {key: _lead(data[key]) for key in keys}


def complain(message: str, *, suggestion: str = "", example: str = "", path: str = "") -> PydanticCustomError:
    """Return the error that a validator raises to tell one fault.

    Args:
        message: The rest of a sentence whose subject is the path, or a whole sentence.
        suggestion: The nearest right thing.
        example: Something right.
        path: The key, below the model, that is to blame.
    """
    told = {"message": message, "suggestion": suggestion, "example": example, "path": path}
    return PydanticCustomError("fault", "{message}", told)


def choose_kind(kinds: tuple[str, ...]) -> Callable[[Any], str | None]:
    """Return a discriminator: the first key of an object that is one of *kinds*, as a tag such as `<did>`."""

    def choose(value: Any) -> str | None:
        if isinstance(value, Rule) and value.begins:
            names = [value.begins]
        elif isinstance(value, Rule):
            names = [field.alias or name for name, field in type(value).model_fields.items()]
        else:
            names = list(value) if isinstance(value, dict) else []
        return next((f"<{name}>" for name in names if name in kinds), None)

    return choose


def list_keys(model: type[Rule]) -> list[str]:
    """Return the keys that a model's object may have, first the one that says what it is."""
    keys = [field.alias or name for name, field in model.model_fields.items()]
    return sorted(keys, key=lambda key: key not in _LEADING)


def show_example(model: type[Rule], key: str) -> str:
    """Return `"key": value` with the first example of the field, or ""."""
    field = next((it for name, it in model.model_fields.items() if (it.alias or name) == key), None)
    return f"{json.dumps(key)}: {json.dumps(field.examples[0], ensure_ascii=False)}" if field and field.examples else ""


def _rewrite(model: type[Rule], line: ErrorDetails) -> InitErrorDetails:
    return InitErrorDetails(type=_to_complaint(model, line), loc=line["loc"], input=line["input"])


def _to_complaint(model: type[Rule], line: ErrorDetails) -> PydanticCustomError:
    """Return one of pydantic's errors as a fault in our words."""
    key = next((str(part) for part in line["loc"] if not str(part).startswith("<")), "")
    context = line.get("ctx", {})
    match line["type"]:
        case "fault":
            return complain(**context)
        case "extra_forbidden":
            return _tell_unknown_key(model, key)
        case "missing":
            return complain(f'"{key}" is missing.', example=show_example(model, key))
        case "no_kind":
            return _tell_no_kind(line["input"], context["kinds"].split())
        case "literal_error":
            return _tell_choices(line["input"], context["expected"])
        case "value_error":
            return complain(str(context["error"]), example=show_example(model, key))
        case kind:
            message = _KINDS.get(kind, line["msg"].removeprefix("Input ").rstrip("."))
            for name, value in context.items():
                message = message.replace(f"{{{name}}}", f"{value:g}" if isinstance(value, float) else str(value))
            return complain(f"{message[0].upper()}{message[1:]}.", example=show_example(model, key))


def _tell_unknown_key(model: type[Rule], key: str) -> PydanticCustomError:
    keys = list_keys(model)
    if key in model.later:
        return complain(f'"{key}" is not there yet: {model.later[key]}.')
    if key in model.elsewhere:
        return complain(model.elsewhere[key])
    if model.begins and key in CONDITIONS:
        if model.begins in _GROUPS:
            message = f'"{key}" begins a condition of its own; write it into the list of "{model.begins}".'
            return complain(message, example=f'{{"{model.begins}": [ … , {{"{key}": …}}]}}')
        message = f'"{key}" begins a condition of its own; write both into an "all".'
        return complain(message, example=f'{{"all": [{{"{model.begins}": …}}, {{"{key}": …}}]}}')
    nearest = SAME[key] if SAME.get(key) in keys else find_nearest(key, keys)
    return complain(
        f'There is no "{key}" here; what may stand here is {name_all(name for name in keys if name != "$schema")}.',
        suggestion=nearest,
        example=show_example(model, nearest) if nearest else "",
    )


def _tell_no_kind(value: Any, kinds: list[str]) -> PydanticCustomError:
    begins = f"begins with {name_all(kinds)}"
    if not isinstance(value, dict):
        return complain(f"Should be an object that {begins}.")
    first = next(iter(value), "")
    if not first:
        return complain(f"The object is empty; it {begins}.")
    nearest = MEANT[first] if MEANT.get(first) in kinds else find_nearest(first, kinds)
    message = f'"{first}" is not what an object here begins with'
    few = len(kinds) <= _MOST_NAMED or not nearest
    return complain(f"{message}: {name_all(kinds)}." if few else f"{message}.", suggestion=nearest)


def _tell_choices(value: Any, expected: str) -> PydanticCustomError:
    choices = [word for word in expected.replace(" or ", ", ").replace("'", "").split(", ") if word]
    nearest = _find_meant(value, choices) if isinstance(value, str) else ""
    return complain(f"Should be {name_all(choices)}.", suggestion=nearest)


def _find_meant(value: str, choices: list[str]) -> str:
    """Return the choice that is meant, or "": of values the one with the likest letters may say the opposite."""
    word = re.sub(r"[\W_]", "", value.lower())
    meant = [each for each in VALUES.get(word, ()) if each in choices]
    begun = [each for each in choices if len(word) >= _SHORTEST and each.startswith(word)]
    alike = "" if word.startswith(("non", "not")) else find_nearest(value, choices, likeness=_ALIKE)
    return (meant or (begun if len(begun) == 1 else []) or [alike])[0]


def _to_fault(line: ErrorDetails, file: str) -> Fault:
    told = line.get("ctx", {})
    parts = [part for part in (*line["loc"], told["path"]) if part != "" and not str(part).startswith("<")]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).removeprefix(".")
    return Fault(file=file, path=path, message=told["message"], suggestion=told["suggestion"], example=told["example"])
