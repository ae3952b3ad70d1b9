"""The shipped scenarios, and scenarios from files."""

from functools import lru_cache
from importlib import resources
from pathlib import Path

from soullink.kernel.canonical import digest
from soullink.modules.simulation.api import (
    STAGES,
    Scenario,
    ScenarioNotFoundError,
)
from soullink.modules.simulation.scenarios.cursor import hint, short
from soullink.modules.simulation.scenarios.document import from_document, to_document
from soullink.modules.simulation.scenarios.reading import parse, read_file


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


@lru_cache(maxsize=1)
def version_digest() -> str:
    """Return the SHA-256 of all shipped scenarios, 64 hexadecimal digits."""
    return digest([to_document(scenario) for scenario in shipped()])


@lru_cache(maxsize=1)
def _by_id() -> dict[str, Scenario]:
    return {scenario.id: scenario for scenario in shipped()}
