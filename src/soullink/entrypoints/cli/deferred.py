"""The work behind the commands, imported when a command runs: `soullink --help` stays quick.

Numerics, the database driver and the terminal tables together take longer to import than help
takes to print.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from soullink.entrypoints.cli import (
        archiving,
        batch,
        bias_audits,
        calibrating,
        comparing,
        consenting,
        course,
        delivering,
        doctor,
        explaining,
        fairness_audits,
        feeding_back,
        following,
        learning,
        llm_budgets,
        llm_calls,
        llm_keys,
        llm_serving,
        llm_usage,
        logs,
        matchmaking,
        people,
        prompt_tests,
        prompt_versions,
        questionnaire,
        recorded,
        scenes,
        screening,
        templates,
    )

__all__ = [
    "archiving",
    "batch",
    "bias_audits",
    "calibrating",
    "comparing",
    "consenting",
    "course",
    "delivering",
    "doctor",
    "explaining",
    "fairness_audits",
    "feeding_back",
    "following",
    "learning",
    "llm_budgets",
    "llm_calls",
    "llm_keys",
    "llm_serving",
    "llm_usage",
    "logs",
    "matchmaking",
    "people",
    "prompt_tests",
    "prompt_versions",
    "questionnaire",
    "recorded",
    "scenes",
    "screening",
    "templates",
]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(name)
    return import_module(f"soullink.entrypoints.cli.{name}")
