"""Build simulation from the things it needs. Only bootstrap imports this file.

What is no part of living a course is imported where it is built.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from soullink.gateways.llm.port import LanguageModel
from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.modules.personality.api import Personality
from soullink.modules.prompts.api import Prompts, PromptStore, SpokenTurns
from soullink.modules.simulation.agents.scenario import ScenarioAgent
from soullink.modules.simulation.api import BiasAudits, Rehearsals, Scenarios, Simulation
from soullink.modules.simulation.service import SimulationService, Telling
from soullink.modules.simulation.turn_counts import RecordedTurns
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from soullink.modules.simulation.voice.llm import LlmVoice
from soullink.modules.simulation.voice.port import Voice

if TYPE_CHECKING:
    from soullink.modules.simulation.calibration.api import Calibrations
    from soullink.modules.simulation.screening.api import Screening
    from soullink.modules.simulation.sensitivity.api import Sensitivity

PROMPTS: Final = Path(__file__).parent / "prompts"
BUILT_IN: Final = "built-in"


def build_scenarios(prompts: Prompts, model: LanguageModel | None = None) -> Scenarios:
    """Return the scenario generator agent; without a model it composes by rule."""
    return ScenarioAgent(prompts, model)


def build(
    database: Database,
    personality: Personality,
    prompts: Prompts,
    clock: Clock,
    version: str,
    open_model: Callable[[str], LanguageModel],
    workers: Executor | None = None,
    store: PromptStore | None = None,
) -> Simulation:
    """Return the simulation. open_model: opens "provider:model".

    store: whose labels and live experiments decide on versions; None takes the newest shipped.
    """

    def asked(name: str, told: Prompts) -> Voice:
        return LlmVoice(open_model(name), told, BuiltInVoice())

    def voice(name: str) -> Voice:
        return BuiltInVoice() if name == BUILT_IN else asked(name, prompts)

    return SimulationService(
        database,
        personality,
        ScenarioAgent(prompts),
        clock,
        voice,
        version,
        workers,
        None if store is None else Telling(store, asked),
    )


def build_rehearsals(
    database: Database,
    personality: Personality,
    prompts: Prompts,
    clock: Clock,
    version: str,
    open_model: Callable[[str], LanguageModel],
) -> Rehearsals:
    """Return courses lived only to compare prompts. open_model: opens "provider:model"."""
    from soullink.modules.simulation.rehearsal import Rehearsal  # noqa: PLC0415

    simulation = SimulationService(
        database, personality, ScenarioAgent(prompts), clock, lambda _: BuiltInVoice(), version
    )
    return Rehearsal(simulation, lambda name, arm: LlmVoice(open_model(name), arm, BuiltInVoice()))


def build_turn_counts(database: Database) -> SpokenTurns:
    """Return how recorded turns went, by prompt."""
    return RecordedTurns(database)


def build_bias_audits(prompts: Prompts, model: LanguageModel) -> BiasAudits:
    """Return audits of `model`, which is closed with them."""
    from soullink.modules.simulation.agents.bias import BiasAudit  # noqa: PLC0415

    return BiasAudit(LlmVoice(model, prompts, BuiltInVoice()))


def build_sensitivity(database: Database, workers: Executor | None = None) -> "Sensitivity":
    """Return what finds out what moved recorded runs."""
    from soullink.modules.simulation.sensitivity.service import SensitivityService  # noqa: PLC0415

    return SensitivityService(database, workers)


def build_screening(personality: Personality, version: str) -> "Screening":
    """Return screening, which needs no database. version: of the code."""
    from soullink.modules.simulation.screening.service import ScreeningService  # noqa: PLC0415

    return ScreeningService(personality, version)


def build_calibrations(clock: Clock, version: str) -> "Calibrations":
    """Return calibrations, which need no database. version: of the code."""
    from soullink.modules.simulation.calibration.service import CalibrationService  # noqa: PLC0415

    return CalibrationService(clock, version)
