"""The shipped scenarios, and scenarios from files."""

import re
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources
from pathlib import Path

from soullink.kernel.canonical import digest
from soullink.kernel.language import Language
from soullink.modules.simulation.api import (
    STAGES,
    InvalidScenarioError,
    Scenario,
    ScenarioNotFoundError,
)
from soullink.modules.simulation.scenarios.cursor import hint, short
from soullink.modules.simulation.scenarios.document import from_document, to_document
from soullink.modules.simulation.scenarios.reading import parse, read_file

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@lru_cache(maxsize=1)
def shipped() -> tuple[Scenario, ...]:
    """Return the shipped scenarios, by stage and id; read once per process."""
    folder = resources.files("soullink.modules.simulation.scenarios") / "templates"
    found = [
        from_document(parse(entry.read_text(encoding="utf-8"), entry.name), entry.name)
        for entry in folder.iterdir()
        if entry.name.endswith(".yaml")
    ]
    return tuple(sorted(found, key=lambda scenario: (STAGES.index(scenario.stage), scenario.id)))


def find(scenario_id: str) -> Scenario | None:
    """Return the shipped scenario with this id, or None."""
    return _by_id().get(scenario_id)


def get(scenario_id: str) -> Scenario:
    """Return the shipped scenario with this id. Raises ScenarioNotFoundError."""
    found = find(scenario_id)
    if found is None:
        known = _by_id()
        suggestion = hint(scenario_id, known) or "; `soullink scenarios list` shows all"
        raise ScenarioNotFoundError(f"No scenario is called '{short(scenario_id)}'{suggestion}.")
    return found


def load_file(path: Path) -> Scenario:
    """Return the scenario in a YAML or JSON file. Raises InvalidScenarioError."""
    return from_document(read_file(path), path.name)


def render_setting(scenario: Scenario, parameters: Mapping[str, str], language: Language) -> str:
    """Return the setting with the chosen values of its parameters, given by name and choice id.

    Raises InvalidScenarioError when a parameter of the setting is not chosen or unknown.
    """
    texts: dict[str, str] = {}
    for parameter in scenario.parameters:
        for choice in parameter.choices:
            if parameters.get(parameter.name) == choice.id:
                texts[parameter.name] = choice.text[language]

    def chosen(slot: re.Match[str]) -> str:
        name = slot.group(1)
        if name not in texts:
            raise InvalidScenarioError(
                f"{scenario.id}: parameter '{name}' needs one of its choices; "
                f"it has '{short(parameters.get(name, ''))}'."
            )
        return texts[name]

    text = _SLOT.sub(chosen, scenario.setting[language])
    # A choice may open a sentence of the setting.
    return _sentence_case(text) if language == "en" else text


@lru_cache(maxsize=1)
def version_digest() -> str:
    """Return the SHA-256 of all shipped scenarios, 64 hexadecimal digits."""
    return digest([to_document(scenario) for scenario in shipped()])


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Scenario]:
    return {scenario.id: scenario for scenario in shipped()}


def _sentence_case(text: str) -> str:
    return re.sub(r"(^|[.!?] )([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)
