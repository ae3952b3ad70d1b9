"""A/B tests of two versions of a prompt: every change is one transaction."""

import math
import re
from dataclasses import dataclass
from typing import Final

from soullink.gateways.postgres.database import Database, Work
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import new_uuid7
from soullink.modules.prompts.api import (
    PRODUCTION,
    Arm,
    Assignment,
    Experiment,
    ExperimentConcluded,
    Experiments,
    ExperimentStatus,
    Mode,
    PromptConflictError,
    Scale,
)
from soullink.modules.prompts.domain.assignment import arm_of, paired
from soullink.modules.prompts.domain.eprocess import judge_binary, judge_scores
from soullink.modules.prompts.service import FilePrompts
from soullink.modules.prompts.store import ExperimentStore, VersionStore
from soullink.modules.prompts.versions import kept_prompts, move_label

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
_ARMS: Final[tuple[Arm, Arm]] = ("A", "B")


@dataclass(frozen=True, slots=True)
class StoredExperiments(Experiments):
    """Experiments on PostgreSQL."""

    database: Database
    clock: Clock
    shipped: FilePrompts

    async def start_experiment(
        self,
        name: str,
        prompt: str,
        language: str,
        arms: tuple[int, int],
        metric: str = "accepted",
        *,
        scale: Scale = "binary",
        mode: Mode = "paired",
        alpha: float = 0.05,
        by: str = "",
    ) -> Experiment:
        _check(name, metric, arms, alpha)
        experiment = Experiment(
            id=new_uuid7(),
            name=name,
            prompt=prompt,
            language=language,
            arms=arms,
            metric=metric.strip(),
            scale=scale,
            mode=mode,
            alpha=alpha,
            status="running",
            winner=None,
            started_by=by,
            started_at=self.clock.now(),
            concluded_at=None,
        )
        async with self.database.work() as work:
            kept = await kept_prompts(self.shipped, work)
            for version in arms:
                kept.require_fillable(kept.get(prompt, language, version))
            store = ExperimentStore(work.session)
            if mode == "live":
                await VersionStore(work.session).alone("experiment", prompt, language)
                for other in await store.list_experiments("running", "live"):
                    if (other.prompt, other.language) == (prompt, language):
                        raise PromptConflictError(
                            f"The live experiment {other.name} is running on {prompt} "
                            f"({language}) already; conclude it first."
                        )
            await store.add(experiment)
        return experiment

    async def assign(self, experiment: str, unit: str) -> Assignment:
        async with self.database.work() as work:
            found = await ExperimentStore(work.session).get(experiment)
        arm = arm_of(found.id, unit)
        return Assignment(arm, found.arms[_ARMS.index(arm)])

    async def record_pair(
        self, experiment: str, unit: str, outcome_a: float, outcome_b: float
    ) -> bool:
        async with self.database.work() as work:
            found = await self._open(work, experiment, "paired")
            a, b = _outcome(found, outcome_a), _outcome(found, outcome_b)
            return await ExperimentStore(work.session).record(
                found, _unit(unit), a, b, self.clock.now()
            )

    async def record(self, experiment: str, unit: str, outcome: float) -> bool:
        async with self.database.work() as work:
            found = await self._open(work, experiment, "live")
            value = _outcome(found, outcome)
            first = arm_of(found.id, _unit(unit)) == "A"
            a, b = (value, None) if first else (None, value)
            return await ExperimentStore(work.session).record(found, unit, a, b, self.clock.now())

    async def _open(self, work: Work, name: str, mode: Mode) -> Experiment:
        """Return the experiment; nothing concludes it until the work ends."""
        found = await ExperimentStore(work.session).get(name, lock=True)
        if found.status == "concluded":
            raise PromptConflictError(f"The experiment {name} is concluded; start another one.")
        if found.mode != mode:
            raise PromptConflictError(
                f"The experiment {name} is {found.mode}, so it takes "
                + ("both outcomes of a unit." if found.mode == "paired" else "one a unit.")
            )
        return found

    async def units(self, experiment: str) -> frozenset[str]:
        async with self.database.work() as work:
            store = ExperimentStore(work.session)
            return await store.units((await store.get(experiment)).id)

    async def status(self, experiment: str) -> ExperimentStatus:
        async with self.database.work() as work:
            found = await ExperimentStore(work.session).get(experiment)
            return await _status(work, found)

    async def conclude(self, experiment: str, *, by: str = "") -> ExperimentStatus:
        async with self.database.work() as work:
            store = ExperimentStore(work.session)
            found = await store.get(experiment, lock=True)
            if found.status == "concluded":
                raise PromptConflictError(f"The experiment {experiment} is concluded already.")
            decided = await _status(work, found)
            now = self.clock.now()
            version = None
            if decided.winner is not None:
                version = found.arms[_ARMS.index(decided.winner)]
                place = (found.prompt, found.language, PRODUCTION)
                await move_label(work, self.clock, place, version, f"experiment {found.name}", by)
            await store.conclude(found.id, decided.winner, by, now)
            await work.publish(
                ExperimentConcluded(
                    experiment=found.name,
                    prompt=found.prompt,
                    language=found.language,
                    winner=decided.winner,
                    version=version,
                    pairs=decided.pairs,
                    concluded_at=now,
                )
            )
            return await _status(work, await store.get(experiment))

    async def list_experiments(self) -> list[Experiment]:
        async with self.database.work() as work:
            return await ExperimentStore(work.session).list_experiments()


async def _status(work: Work, experiment: Experiment) -> ExperimentStatus:
    pairs = paired(await ExperimentStore(work.session).outcomes(experiment.id))
    judge = judge_binary if experiment.scale == "binary" else judge_scores
    evidence = judge(pairs, experiment.alpha)
    return ExperimentStatus(
        experiment=experiment,
        pairs=evidence.pairs,
        discordant=evidence.discordant,
        wins=evidence.wins,
        means=evidence.means,
        e_value=evidence.e_value,
        peak=evidence.peak,
        decided_after=evidence.decided_after,
        winner=None if evidence.winner is None else _ARMS[evidence.winner],
        interval=evidence.interval,
    )


def _check(name: str, metric: str, arms: tuple[int, int], alpha: float) -> None:
    if not _NAME.fullmatch(name):
        raise InvalidInputError(
            f"{name!r} is no name of an experiment; take lower-case letters, digits, ., - and _."
        )
    if not metric.strip() or "\0" in metric:
        raise InvalidInputError("Say in a word what is measured, e.g. accepted.")
    if not 0.0 < alpha < 1.0:
        raise InvalidInputError(f"alpha is between 0 and 1, not {alpha}.")
    if min(arms) < 1:
        raise InvalidInputError("Versions count from 1.")


def _unit(unit: str) -> str:
    if not unit.strip() or "\0" in unit or len(unit) > 500:
        raise InvalidInputError("A unit has a name of 1 to 500 characters.")
    return unit


def _outcome(experiment: Experiment, outcome: float) -> float:
    value = float(outcome)
    if experiment.scale == "binary" and value not in (0.0, 1.0):
        raise InvalidInputError(f"An outcome of {experiment.name} is 0 or 1, not {outcome}.")
    if math.isnan(value) or not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"An outcome of {experiment.name} is 0 to 1, not {outcome}.")
    return value
