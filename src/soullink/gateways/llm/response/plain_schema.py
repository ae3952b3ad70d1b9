"""The plain kind of JSON Schema, checked without a library: objects, lists, words, enumerations.

Most answers are asked for in no other kind. What is not surely valid here is left to the library.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

Check: TypeAlias = Callable[[Any], bool]

_TYPES: Final[dict[str, type]] = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "null": type(None),
}
_SAID_ONLY: Final = frozenset({"title", "description"})
_KNOWN: Final = _SAID_ONLY | {
    "type", "properties", "required", "additionalProperties", "enum", "items",
}  # fmt: skip


def plain_check(schema: Any) -> Check | None:
    """Return what tells that a value follows `schema`; None where another kind is in it."""
    if not isinstance(schema, dict) or not schema.keys() <= _KNOWN:
        return None
    kind = _TYPES.get(schema["type"]) if isinstance(schema.get("type"), str) else None
    if kind is None or not all(isinstance(schema.get(name, ""), str) for name in _SAID_ONLY):
        return None
    checks = [*_of_object(schema), *_of_list(schema), *_of_choice(schema)]
    if any(check is None for check in checks):
        return None
    known = [check for check in checks if check is not None]
    # bool is no int here: no number is of the plain kind.
    if not known:
        return lambda value: type(value) is kind
    if len(known) == 1:
        only = known[0]
        return lambda value: type(value) is kind and only(value)
    return lambda value: type(value) is kind and all(check(value) for check in known)


def _of_choice(schema: dict[str, Any]) -> list[Check | None]:
    if "enum" not in schema:
        return []
    words = schema["enum"]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        return [None]
    chosen = frozenset(words)
    return [lambda value: isinstance(value, str) and value in chosen]


def _of_list(schema: dict[str, Any]) -> list[Check | None]:
    if "items" not in schema:
        return []
    check = plain_check(schema["items"])
    if check is None:
        return [None]
    return [lambda value: not isinstance(value, list) or all(map(check, value))]


def _of_object(schema: dict[str, Any]) -> list[Check | None]:
    properties = schema.get("properties", {})
    required = schema.get("required", [])
    more = schema.get("additionalProperties", True)
    if (
        not isinstance(properties, dict)
        or not isinstance(required, list)
        or not all(isinstance(name, str) for name in required)
        or len(set(required)) < len(required)
        or not isinstance(more, bool)
    ):
        return [None]
    parts = {name: plain_check(part) for name, part in properties.items()}
    checks = {name: check for name, check in parts.items() if check is not None}
    if len(checks) < len(parts):
        return [None]
    names, needed = frozenset(parts), frozenset(required)

    def of_object(value: Any) -> bool:
        if not isinstance(value, dict):
            return True
        given = value.keys()
        if not (needed <= given and (more or given <= names)):
            return False
        for name, part in value.items():  # a loop: all() of a generator takes twice as long
            check = checks.get(name)
            if check is not None and not check(part):
                return False
        return True

    return [of_object]
