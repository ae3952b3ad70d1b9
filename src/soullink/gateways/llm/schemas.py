"""JSON Schemas in the narrower forms that single providers accept."""

import copy
import json
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

_Given = TypeVar("_Given")
_Form = TypeVar("_Form")

NAME = "answer"
"""The name of the schema where a provider wants one."""

_CONSTRAINTS = frozenset(
    {
        "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf",
        "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
    }
)  # fmt: skip
_OPEN_API = frozenset(
    {
        "type", "format", "title", "description", "enum", "items", "properties", "required",
        "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength", "pattern", "anyOf",
        "nullable",
    }
)  # fmt: skip


class Remembered(Generic[_Given, _Form]):
    """Makes the form of a schema once: the same few are sent with every call.

    They are compared by value, so that a caller may change a schema between calls.
    """

    def __init__(self, make: Callable[[_Given], _Form], kept: int = 8) -> None:
        self._make = make
        self._kept = kept
        self._forms: list[tuple[_Given, _Form]] = []

    def __call__(self, given: _Given) -> _Form:
        for known, form in self._forms:
            if known == given:
                return form
        form = self._make(given)
        self._forms = [(copy.deepcopy(given), form), *self._forms[: self._kept - 1]]
        return form


class Refused(Generic[_Form]):
    """Forms of schemas that a server did not take; the oldest are tried again.

    Each by itself: what is wrong with one caller's schema says nothing of the others'.
    """

    def __init__(self, kept: int = 64) -> None:
        self._kept = kept
        self._forms: list[_Form] = []

    def __contains__(self, form: _Form) -> bool:
        return form in self._forms

    def add(self, form: _Form) -> None:
        if form not in self._forms:
            self._forms = [copy.deepcopy(form), *self._forms[: self._kept - 1]]


def closed(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` as constrained decoding of OpenAI and Anthropic takes it.

    Objects allow no further keys; constraints that those providers reject move into the
    description, where the model still reads them. Callers check them on the answer anyway.
    """
    result: dict[str, Any] = {}
    moved: list[str] = []
    for key, value in schema.items():
        if key in _CONSTRAINTS:
            moved.append(f"{key}: {json.dumps(value)}")
        elif key in {"properties", "$defs"}:
            result[key] = {name: closed(part) for name, part in value.items()}
        else:
            result[key] = _each(value, closed) if key not in {"enum", "const"} else value
    if result.get("type") == "object":
        result["additionalProperties"] = False
    if moved:
        note = "{" + ", ".join(moved) + "}"
        result["description"] = f"{result.get('description', '')} {note}".strip()
    return result


def is_strict(schema: Mapping[str, Any]) -> bool:
    """Return whether every object of `schema` is closed and requires all its keys.

    OpenAI's strict mode asks for that.
    """
    if schema.get("type") == "object":
        names = set(schema.get("properties", {}))
        if schema.get("additionalProperties") is not False:
            return False
        if set(schema.get("required", ())) != names:
            return False
    parts = [*schema.get("properties", {}).values(), *schema.get("$defs", {}).values()]
    parts += [part for part in schema.get("anyOf", ()) if isinstance(part, Mapping)]
    if isinstance(schema.get("items"), Mapping):
        parts.append(schema["items"])
    return all(is_strict(part) for part in parts)


def open_api(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return `schema` in the OpenAPI 3.0 subset of Gemini's older `responseSchema`."""
    result: dict[str, Any] = {}
    for key, value in schema.items():
        if key == "type" and isinstance(value, list):
            kinds = [kind for kind in value if kind != "null"]
            result["type"] = str(kinds[0]).upper() if kinds else "STRING"
            result["nullable"] = "null" in value
        elif key == "type":
            result["type"] = str(value).upper()
        elif key == "properties":
            result[key] = {name: open_api(part) for name, part in value.items()}
        elif key in _OPEN_API:
            result[key] = _each(value, open_api) if key in {"items", "anyOf"} else value
    return result


def in_words(schema: Mapping[str, Any]) -> str:
    """Return a sentence that asks for `schema`, for servers that cannot be held to one."""
    text = json.dumps(schema, ensure_ascii=False, sort_keys=True)
    return (
        f"Answer with one JSON object that follows this JSON Schema, and with nothing else: {text}"
    )


def _each(value: Any, change: Any) -> Any:
    if isinstance(value, Mapping):
        return change(value)
    if isinstance(value, list):
        return [change(part) if isinstance(part, Mapping) else part for part in value]
    return value


def of_arguments(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of a tool's arguments; no parameters are an object without keys."""
    if not parameters:
        return {"type": "object", "properties": {}}
    return dict(parameters)
