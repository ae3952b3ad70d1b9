"""The JSON Schema of a scenario document, built from the same limits as the reader.

What a schema cannot say, the reader still checks: names used in a setting, unique ids, the
order of outcomes, a decision that conditions look at, spans whose ends are in order.
"""

from typing import Any, Final

from soullink.kernel.language import LANGUAGES
from soullink.modules.simulation.api import ACTS, DEMANDS, FACTORS, STAGES, TOPICS, WORD_SLOTS
from soullink.modules.simulation.scenarios import limits

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

_Schema = dict[str, Any]


def scenario_schema() -> _Schema:
    """Return the JSON Schema (draft 2020-12) of a scenario document."""
    fields: _Schema = {
        "id": _pattern(limits.SCENARIO_ID, limits.SCENARIO_ID_LENGTH),
        "version": _integer(*limits.VERSION),
        "stage": {"enum": [stage.value for stage in STAGES]},
        "topic": {"enum": [topic.value for topic in TOPICS]},
        "title": _text(limits.TITLE_LENGTH),
        "setting": _text(limits.SETTING_LENGTH, braces=True),
        "turns": _span(limits.TURNS),
        "minutes": _integer(*limits.MINUTES),
        "gap_days": _span(limits.GAP_DAYS),
        "demands": _numbers(DEMANDS, 0.0, 1.0),
        "pressures": _numbers(FACTORS, 0.0, 1.0),
        "parameters": _list(_parameter(), 0, limits.PARAMETERS_MOST),
        "goals": _list(_goal(), 2, 2),
        "acts": {"$ref": "#/$defs/acts"},
        "decision": {"anyOf": [_decision(), {"type": "null"}]},
        "triggers": _list(_trigger(), 0, limits.TRIGGERS_MOST),
        "outcomes": _list(_outcome(), 1, limits.OUTCOMES_MOST),
        "words": _object({slot: {"$ref": "#/$defs/phrases"} for slot in WORD_SLOTS}),
        "origin": {"enum": list(limits.ORIGINS)},
    }
    return {
        "$schema": DIALECT,
        "title": "A scenario",
        "description": "A situation two people can live through.",
        **_object(fields, limits.REQUIRED_KEYS),
        "$defs": {
            "acts": _numbers([act.value for act in ACTS], -limits.LOG_ODDS, limits.LOG_ODDS),
            "conditions": {
                "type": "array",
                "maxItems": limits.CONDITIONS_MOST,
                "items": {"type": "string", "pattern": limits.CONDITION},
            },
            "effect": _numbers(limits.EFFECTS, -1.0, 1.0),
            "phrases": _object(dict.fromkeys(LANGUAGES, _phrases())),
        },
    }


def _parameter() -> _Schema:
    choice = _object(
        {
            "id": _pattern(limits.NAME),
            "text": _text(limits.OPTION_LENGTH),
            "demands": _numbers(DEMANDS, -1.0, 1.0),
        },
        ("id", "text"),
    )
    return _object({"name": _pattern(limits.NAME), "choices": _list(choice, *limits.CHOICES)})


def _goal() -> _Schema:
    return _object(
        {
            "id": _pattern(limits.NAME),
            "text": _text(limits.SENTENCE_LENGTH),
            "acts": {"$ref": "#/$defs/acts"},
        }
    )


def _decision() -> _Schema:
    return _object(
        {
            "question": _text(limits.SENTENCE_LENGTH),
            "option_minus": _text(limits.OPTION_LENGTH),
            "option_plus": _text(limits.OPTION_LENGTH),
            "default": _text(limits.SENTENCE_LENGTH),
            "pull": _numbers(limits.PULLS, -1.0, 1.0),
            "deadline_turn": _integer(limits.DEADLINE_FIRST, limits.TURNS[1]),
        }
    )


def _trigger() -> _Schema:
    return _object(
        {
            "id": _pattern(limits.NAME),
            "when": {"$ref": "#/$defs/conditions", "minItems": 1},
            "text": _text(limits.SENTENCE_LENGTH),
            "effect": {"$ref": "#/$defs/effect"},
            "ends": {"type": "boolean"},
        },
        ("id", "when", "text"),
    )


def _outcome() -> _Schema:
    return _object(
        {
            "id": _pattern(limits.NAME),
            "title": _text(limits.SENTENCE_LENGTH),
            "when": {"$ref": "#/$defs/conditions"},
            "success": {"type": "number", "minimum": -1.0, "maximum": 1.0},
            "effect": {"$ref": "#/$defs/effect"},
        },
        ("id", "title", "when", "success"),
    )


def _object(properties: _Schema, required: tuple[str, ...] | None = None) -> _Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties if required is None else required),
        "additionalProperties": False,
    }


def _list(items: _Schema, fewest: int, most: int) -> _Schema:
    return {"type": "array", "items": items, "minItems": fewest, "maxItems": most}


def _line(longest: int, braces: bool = False) -> _Schema:
    pattern = r"^\S(.*\S)?$" if braces else r"^[^\s{}]([^{}]*[^\s{}])?$"
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": pattern}


def _text(longest: int, braces: bool = False) -> _Schema:
    return _object({language: _line(longest, braces) for language in LANGUAGES})


def _phrases() -> _Schema:
    return {**_list(_line(limits.PHRASE_LENGTH), *limits.PHRASES), "uniqueItems": True}


def _pattern(pattern: str, longest: int | None = None) -> _Schema:
    schema: _Schema = {"type": "string", "pattern": pattern}
    return schema if longest is None else {**schema, "maxLength": longest}


def _integer(lowest: int, highest: int) -> _Schema:
    return {"type": "integer", "minimum": lowest, "maximum": highest}


def _span(bounds: tuple[int, int]) -> _Schema:
    return _list(_integer(*bounds), 2, 2)


def _numbers(names: tuple[str, ...] | list[str], lowest: float, highest: float) -> _Schema:
    number = {"type": "number", "minimum": lowest, "maximum": highest}
    return _object(dict.fromkeys(names, number), ())
