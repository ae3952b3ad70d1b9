"""What a scenario document may hold: keys, ranges and sizes, for the reader and the schema."""

import re
from typing import Final

from soullink.modules.simulation.api import CONDITION_VARIABLES

REQUIRED_KEYS: Final[tuple[str, ...]] = (
    "id",
    "version",
    "stage",
    "topic",
    "title",
    "setting",
    "turns",
    "minutes",
    "gap_days",
    "demands",
    "pressures",
    "parameters",
    "goals",
    "acts",
    "triggers",
    "outcomes",
    "words",
)
OPTIONAL_KEYS: Final[tuple[str, ...]] = ("decision", "origin")
ORIGINS: Final[tuple[str, ...]] = ("template", "composed", "model")
PULLS: Final[tuple[str, ...]] = (
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "neuroticism",
    "anxiety",
    "avoidance",
    "openness_to_change",
    "self_enhancement",
    "conservation",
    "self_transcendence",
)
"""Attributes that may pull somebody to a side of a decision; all standardised."""

EFFECTS: Final[tuple[str, ...]] = ("mood", "arousal", "stress", "trust", "closeness", "commitment")
DECISION_VARIABLES: Final[tuple[str, ...]] = ("distance", "agreed", "arbitrated")
"""Condition variables that only mean something where there is a decision."""

TURNS: Final[tuple[int, int]] = (4, 40)
MINUTES: Final[tuple[int, int]] = (5, 2880)
GAP_DAYS: Final[tuple[int, int]] = (0, 365)
VERSION: Final[tuple[int, int]] = (1, 9999)
LOG_ODDS: Final[float] = 2.0
DEADLINE_FIRST: Final[int] = 2

TITLE_LENGTH: Final[int] = 80
SETTING_LENGTH: Final[int] = 700
SENTENCE_LENGTH: Final[int] = 240
OPTION_LENGTH: Final[int] = 140
PHRASE_LENGTH: Final[int] = 60
PHRASES: Final[tuple[int, int]] = (2, 12)
PARAMETERS_MOST: Final[int] = 6
CHOICES: Final[tuple[int, int]] = (2, 8)
TRIGGERS_MOST: Final[int] = 12
OUTCOMES_MOST: Final[int] = 20
CONDITIONS_MOST: Final[int] = 8

SCENARIO_ID: Final[str] = r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$"
SCENARIO_ID_LENGTH: Final[int] = 64
NAME: Final[str] = r"^[a-z][a-z0-9_]{0,39}$"
"""Ids of goals, triggers, outcomes and choices, and names of parameters."""

CONDITION: Final[str] = rf"^({'|'.join(CONDITION_VARIABLES)}) (>=|<=) (-?[0-9]+(?:\.[0-9]+)?)$"
CONDITION_PATTERN: Final[re.Pattern[str]] = re.compile(CONDITION)

_COUNTS: Final[tuple[str, ...]] = ("turn", "silence", "repairs", "disclosures")
_MOODS: Final[tuple[str, ...]] = ("mood_low", "mood_high")


def variable_range(variable: str) -> tuple[float, float]:
    """Return the lowest and highest value that a condition on `variable` may name."""
    if variable in _COUNTS:
        return 0.0, float(TURNS[1])
    return (-1.0, 1.0) if variable in _MOODS else (0.0, 1.0)
