"""The JSON Schema of a report, made from its dataclasses."""

import dataclasses
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from soullink.modules.analysis.api import DIMENSIONS, Report
from soullink.modules.analysis.domain.document import SCHEMA
from soullink.modules.analysis.domain.document_fields import FIELDS, PARTS

_SCALARS: Final[dict[Any, str]] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
}

_CLOSED: Final[dict[tuple[str, str], list[Any]]] = {
    ("Report", "schema"): [SCHEMA],
    ("Dimension", "name"): list(DIMENSIONS),
    ("Dimension", "level"): ["low", "mixed", "high", "unclear"],
    ("Behaviour", "unit"): ["ratio", "share", "count"],
    ("Influence", "kind"): ["trait", "attraction", "state", "load", "conduct"],
}
"""Texts that can only be one of a few codes."""

_BOUNDS: Final[dict[tuple[str, str], tuple[float, float]]] = {
    ("TraitView", "percentile"): (0, 100),
    ("TraitView", "low"): (0, 100),
    ("TraitView", "high"): (0, 100),
    ("Dimension", "value"): (0, 100),
    ("Dimension", "low"): (0, 100),
    ("Dimension", "high"): (0, 100),
    ("Dimension", "here"): (0, 100),
    ("StateShare", "probability"): (0, 1),
    ("StateShare", "low"): (0, 1),
    ("StateShare", "high"): (0, 1),
    ("Counterfactual", "effect"): (-1, 1),
    ("Counterfactual", "low"): (-1, 1),
    ("Counterfactual", "high"): (-1, 1),
    ("Shift", "value"): (-1, 1),
    ("Shift", "low"): (-1, 1),
    ("Shift", "high"): (-1, 1),
    ("Influences", "with_moments"): (0, 1),
    ("Influences", "without_moments"): (0, 1),
    ("TurningMoment", "person"): (0, 1),
    ("EpisodeView", "success"): (-1, 1),
    ("TurnView", "conflict"): (0, 1),
    ("TurnView", "speaker"): (0, 1),
    ("Evidence", "speaker"): (0, 1),
    ("Feedback", "person"): (0, 1),
}


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that every document of a report follows."""
    definitions: dict[str, Any] = {}
    top = _object(Report, definitions)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{SCHEMA.replace('.', ':')}",
        "title": "Report",
        **top,
        "$defs": dict(sorted(definitions.items())),
    }


def parts() -> list[type]:
    """Return the report's dataclass and all that it is made of, each once, outermost first."""
    found: list[type] = []
    waiting: list[type] = [Report]
    while waiting:
        kind = waiting.pop(0)
        if kind in found:
            continue
        found.append(kind)
        for hint in get_type_hints(kind).values():
            waiting.extend(_dataclasses_in(hint))
    return found


def _dataclasses_in(hint: Any) -> list[type]:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    return [kind for argument in get_args(hint) for kind in _dataclasses_in(argument)]


def _object(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    hints = get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    properties = {
        name: {
            **_bounded(kind.__name__, name, _typed(hints[name], definitions)),
            "description": FIELDS[kind.__name__][name],
        }
        for name in names
    }
    return {
        "description": PARTS[kind.__name__],
        "type": "object",
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }


def _bounded(kind: str, name: str, typed: dict[str, Any]) -> dict[str, Any]:
    if (kind, name) in _CLOSED:
        return {**typed, "enum": _CLOSED[kind, name]}
    if (kind, name) in _BOUNDS:
        lowest, highest = _BOUNDS[kind, name]
        return {**typed, "minimum": lowest, "maximum": highest}
    return typed


def _typed(hint: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    origin = get_origin(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _reference(hint, definitions)
    if origin is tuple:
        return _array(get_args(hint), definitions)
    if origin is Mapping:
        return {
            "type": "object",
            "additionalProperties": _typed(get_args(hint)[1], definitions),
        }
    if origin in (Union, types.UnionType):
        kinds = [kind for kind in get_args(hint) if kind is not types.NoneType]
        return {"anyOf": [*(_typed(kind, definitions) for kind in kinds), {"type": "null"}]}
    if origin is Literal:
        return {"type": "string", "enum": list(get_args(hint))}
    return {} if hint is Any else {"type": _SCALARS[hint]}


def _reference(kind: type, definitions: dict[str, Any]) -> dict[str, Any]:
    if kind.__name__ not in definitions:
        definitions[kind.__name__] = {}  # holds the place while its own parts are described
        definitions[kind.__name__] = _object(kind, definitions)
    return {"$ref": f"#/$defs/{kind.__name__}"}


def _array(kinds: tuple[Any, ...], definitions: dict[str, Any]) -> dict[str, Any]:
    if kinds[-1] is Ellipsis:
        return {"type": "array", "items": _typed(kinds[0], definitions)}
    return {
        "type": "array",
        "prefixItems": [_typed(kind, definitions) for kind in kinds],
        "minItems": len(kinds),
        "maxItems": len(kinds),
    }
