"""The scenario generator agent: chooses what two people live through, and composes new scenes.

By rule without a language model; with one it asks for a scene and checks it against the same
schema, and falls back to the rule when the model gives nothing usable.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from soullink.gateways.llm.port import ChatRequest, LanguageModel, LlmError, Message
from soullink.gateways.log import Log
from soullink.kernel.errors import InvalidInputError
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.agents.base import public_part
from soullink.modules.simulation.api import (
    STAGES,
    InvalidScenarioError,
    Scenario,
    Scenarios,
    Settings,
    Stage,
)
from soullink.modules.simulation.scenarios import document as scenario_document
from soullink.modules.simulation.scenarios import generator, library
from soullink.modules.simulation.scenarios.schema import scenario_schema

_log = Log(__name__)
COMPOSED: Final = "composed"
"""A name in Settings.scenarios that stands for "compose one for these two"."""


@dataclass(frozen=True, slots=True)
class ScenarioAgent(Scenarios):
    """Chooses and composes scenarios for two people."""

    prompts: Prompts
    model: LanguageModel | None = None

    def shipped(self) -> list[Scenario]:
        return list(library.shipped())

    def get(self, scenario_id: str) -> Scenario:
        return library.get(scenario_id)

    def load(self, path: Path) -> Scenario:
        return library.load_file(path)

    def to_document(self, scenario: Scenario) -> dict[str, Any]:
        return scenario_document.to_document(scenario)

    async def close(self) -> None:
        if self.model is not None:
            await self.model.close()

    async def scenarios_for(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        own: Sequence[Scenario] = (),
    ) -> tuple[Scenario, ...]:
        """Return what a course under `settings` lives through, in order.

        own: scenarios that may be named beside the shipped ones, and before them.
        Raises ScenarioNotFoundError, InvalidInputError for "composed:" without a known stage.
        """
        names = settings.scenarios or tuple(
            generator.choose(people, settings.episodes, settings.seed, library.shipped())
        )
        brought = {scenario.id: scenario for scenario in own}
        chosen: list[Scenario] = []
        for number, name in enumerate(names):
            stage_name, _, rest = name.partition(":")
            if stage_name == COMPOSED:
                chosen.append(await self.compose(people, _stage(rest), settings.seed + number))
            else:
                chosen.append(brought.get(name) or library.get(name))
        return tuple(chosen)

    async def compose(self, people: tuple[Profile, Profile], stage: Stage, seed: int) -> Scenario:
        """Return a new scenario for these two at `stage`."""
        if self.model is not None:
            try:
                return await self._from_model(self.model, people, stage, seed)
            except (LlmError, InvalidScenarioError) as error:
                _log.warning("scenario_composed_by_rule", reason=error.code)
        return generator.compose(people, stage, seed)

    async def _from_model(
        self, model: LanguageModel, people: tuple[Profile, Profile], stage: Stage, seed: int
    ) -> Scenario:
        first, second = sorted(people, key=lambda person: person.id)
        prompt = self.prompts.get("simulation.scenario", first.language)
        rendered = self.prompts.render_parts(
            prompt,
            {
                "person_a": _block(first),
                "person_b": _block(second),
                "stage": str(stage),
                "schema": json.dumps(scenario_schema(), ensure_ascii=False),
            },
        )
        messages = (Message("system", rendered.system), Message("user", rendered.user))
        reply = await model.complete(
            ChatRequest(
                messages=messages,
                max_output_tokens=4000,
                json_schema=scenario_schema(),
                seed=seed,
                timeout_seconds=120.0,
                purpose="simulation.scenario",
            )
        )
        return generator.parse_model_scenario(reply.text, stage)


def _stage(name: str) -> Stage:
    if name and name not in list(STAGES):
        raise InvalidInputError(f"There is no stage {name!r}; stages: {', '.join(STAGES)}.")
    return Stage(name) if name else Stage.EARLY_DATING


def _block(profile: Profile) -> str:
    shown = public_part(profile)
    parts = [f"name: {shown.name}"]
    for label, value in (
        ("age", shown.age),
        ("city", shown.city),
        ("occupation", shown.occupation),
        ("interests", ", ".join(shown.interests)),
        ("wants", shown.wants.goal),
    ):
        if value:
            parts.append(f"{label}: {value}")
    return "\n".join(parts)
