"""What simulation does: lives courses turn by turn, records them, lives them again."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final

from soullink.gateways.postgres.database import Database
from soullink.gateways.postgres.grouped import Grouped
from soullink.kernel.canonical import digest
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError, SoulLinkError
from soullink.kernel.ids import RunId, new_uuid7
from soullink.kernel.language import LANGUAGES
from soullink.modules.personality.api import Persona, Personality
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Prompts, PromptStore
from soullink.modules.simulation.agents.ensemble import Ensemble
from soullink.modules.simulation.agents.meter import Meter
from soullink.modules.simulation.agents.scenario import ScenarioAgent
from soullink.modules.simulation.agents.stage import Past, Stage
from soullink.modules.simulation.api import (
    Course,
    Fork,
    Intervention,
    Moment,
    Replicas,
    Run,
    RunNotFoundError,
    Scenario,
    Settings,
    Simulation,
    Turn,
)
from soullink.modules.simulation.begun import Begun
from soullink.modules.simulation.domain import forking
from soullink.modules.simulation.domain import live as live_domain
from soullink.modules.simulation.domain import replicas as replicas_domain
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.live import LiveCourse
from soullink.modules.simulation.domain.version import DYNAMICS_VERSION
from soullink.modules.simulation.journal import Journal
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.store import RecordedRun, RunStore
from soullink.modules.simulation.voice import lines
from soullink.modules.simulation.voice.builtin import NAME as BUILT_IN
from soullink.modules.simulation.voice.port import Voice
from soullink.modules.simulation.voice.turnstile import Passing, Turnstile

MOST_EPISODES = 40
MOST_REPLICAS = 100_000
MOST_PASTS: Final = 96
"""Runs read in one round: they are begun together, which costs each a quarter of it alone."""

MOST_PERSONAS: Final = 256
"""Kept at once: one person is tried with many others."""


TOLD: Final = "told"
"""Key in a run's versions: references of the prompts that its model is asked by, all along."""


@dataclass(frozen=True, slots=True)
class Telling:
    """Prompts whose versions labels and live experiments decide. voice: opens a model with them."""

    store: PromptStore
    voice: Callable[[str, Prompts], Voice]

    async def references(self, run_id: RunId, settings: Settings) -> dict[str, str]:
        """Return what a new run keeps in its versions."""
        kept = await self.store.snapshot(str(run_id))
        return {TOLD: " ".join(kept.references(settings.language))}

    async def open(self, run: Run) -> Voice:
        """Return the run's voice, asked by the versions that it began with."""
        kept = await self.store.snapshot()
        return self.voice(run.settings.voice, kept.pinned(run.versions.get(TOLD, "").split()))


@dataclass(frozen=True, slots=True)
class SimulationService(Simulation):
    """Simulation on PostgreSQL.

    voice: opens the voice of a name. workers: where replicas are computed, None for a thread.
    version: of the code. telling: None tells models by the newest shipped prompts.
    """

    database: Database
    personality: Personality
    scenario_agent: ScenarioAgent
    clock: Clock
    voice: Callable[[str], Voice]
    version: str
    workers: Executor | None = None
    telling: Telling | None = None
    _ensemble: Ensemble = field(init=False, default_factory=Ensemble)
    _meter: Meter = field(init=False, default_factory=Meter)
    _turnstile: Turnstile = field(init=False, default_factory=Turnstile)
    _journal: Journal = field(init=False)
    _begun: Begun = field(init=False, default_factory=Begun)
    _pasts: Grouped[RunId, Past] = field(init=False)
    _personas: Kept[Persona] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_journal", Journal(self.database))
        object.__setattr__(self, "_pasts", Grouped(self._read, MOST_PASTS))
        object.__setattr__(self, "_personas", Kept(self.personality.persona, MOST_PERSONAS))

    async def start(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        run_id: RunId | None = None,
        own: Sequence[Scenario] = (),
    ) -> Run:
        _check(people, settings)
        await self.voice(settings.voice).close()  # one that cannot be opened is told of now
        personas = (self._personas(people[0]), self._personas(people[1]))
        scenarios = await self.scenario_agent.scenarios_for(people, settings, own)
        new_id = run_id or RunId(new_uuid7())
        told: Mapping[str, str] = {}
        if self.telling is not None and settings.voice != BUILT_IN:
            told = await self.telling.references(new_id, settings)
        run = Run(
            id=new_id,
            people=people,
            settings=settings,
            status="running",
            versions={**self._versions(), **told},
            fork=None,
            created_at="",
            finished_at=None,
        )
        return await self._record(RecordedRun(run, personas, scenarios, ()))

    async def _record(
        self, recorded: RecordedRun, copy_before: tuple[RunId, int, int] | None = None
    ) -> Run:
        now = self.clock.now()
        if copy_before is None:
            self._begun.add(recorded, await self._journal.begin(recorded, now))
        else:
            async with self.database.work() as work:
                store = RunStore(work.session)
                await store.add(recorded, now)
                parent, episode, turn = copy_before
                await store.copy_turns(parent, recorded.run.id, episode, turn)
        return replace(recorded.run, created_at=now.isoformat())

    def _versions(self) -> Mapping[str, str]:
        return {
            "soullink": self.version,
            "dynamics": DYNAMICS_VERSION,
            "scenarios": library.version_digest()[:12],
            "lines": lines.version_digest()[:12],
            "prompts": _prompts_digest(
                tuple(p.content_hash for p in self.scenario_agent.prompts.list_prompts())
            ),
        }

    async def live(self, run_id: RunId) -> AsyncGenerator[Moment, None]:
        past = await self._past(run_id)
        finished = past.recorded.run.status == "finished"
        voice = None if finished else await self._voice(past.recorded.run)
        async with aclosing(self._walk(past, voice)) as moments:
            async for moment in moments:
                yield moment
        if not finished:
            await self._journal.finish(run_id, self.clock.now())

    async def live_many(
        self, run_ids: Iterable[RunId], concurrency: int = 100
    ) -> AsyncGenerator[tuple[RunId, Moment | SoulLinkError], None]:
        if concurrency < 1:
            raise InvalidInputError(f"Live at least one run at a time, not {concurrency}.")
        waiting = iter(run_ids)
        told: asyncio.Queue[tuple[RunId, Moment | SoulLinkError] | None]
        told = asyncio.Queue(concurrency)  # who listens slowly is not run away from

        async def one_after_another() -> None:
            for run_id in waiting:
                try:
                    async with aclosing(self.live(run_id)) as moments:
                        async for moment in moments:
                            await told.put((run_id, moment))
                except SoulLinkError as error:
                    await told.put((run_id, error))

        async def all_of_them() -> None:
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(concurrency):
                        group.create_task(one_after_another())
            except ExceptionGroup:
                await told.put(None)
                raise
            await told.put(None)

        lives = asyncio.get_running_loop().create_task(all_of_them())
        try:
            while (announced := await told.get()) is not None:
                yield announced
            await lives
        finally:
            lives.cancel()
            await asyncio.wait([lives])

    async def _voice(self, run: Run) -> Voice:
        if self.telling is None or run.settings.voice == BUILT_IN:
            return self.voice(run.settings.voice)
        return await self.telling.open(run)

    async def replay(self, run_id: RunId) -> AsyncGenerator[Moment, None]:
        async with aclosing(self._walk(await self._past(run_id), None)) as moments:
            async for moment in moments:
                yield moment

    async def _past(self, run_id: RunId) -> Past:
        return await self._pasts.ask(run_id)

    async def _read(self, run_ids: Sequence[RunId]) -> Sequence[Past | Exception]:
        begun = await self._begun.take(self.database.direct, run_ids)
        found: dict[RunId, tuple[RecordedRun, list[Turn]]]
        found = {run_id: (recorded, []) for run_id, recorded in begun.items()}
        others = [run_id for run_id in run_ids if run_id not in begun]
        if others:
            async with self.database.work() as work:
                found |= await RunStore(work.session).pasts(others)
        pairs = [_pair(found[run_id][0]) for run_id in run_ids if run_id in found]
        batches = iter(live_domain.batches_of(pairs))
        pasts: list[Past | Exception] = []
        for run_id in run_ids:
            if run_id in found:
                recorded, turns = found[run_id]
                known = {(turn.episode, turn.sequence): turn for turn in turns}
                pasts.append(Past(recorded, known, next(batches)))
            else:
                why = f"There is no run {run_id}; see `soullink runs list`."
                pasts.append(RunNotFoundError(why))
        return pasts

    async def _walk(self, past: Past, voice: Voice | None) -> AsyncGenerator[Moment, None]:
        """Live the course; what is known keeps its words. No voice: only what is known."""
        recorded = past.recorded
        course = LiveCourse(past.begun, recorded.scenarios, _conditions(recorded))
        meter, passing = self._meter, Passing(self._turnstile)
        stage = Stage(self.database, self._journal, self.clock, past, course, voice, meter, passing)
        with self._ensemble.joined(course), meter.attached():
            try:
                while not course.over and not stage.silent:
                    opening = await self._ensemble.open(course)
                    yield stage.begin(opening)
                    while (bare := await self._ensemble.turn(course)) is not None:
                        if stage.silent:
                            return
                        yield await stage.take(bare, opening)
                    yield await stage.end(self._ensemble.close(course), opening)
                stage.require_nothing_left()
            finally:
                await stage.terminate()

    async def fork(self, fork: Fork, run_id: RunId | None = None) -> Run:
        past = await self._past(fork.parent)
        recorded = past.recorded
        forking.check_changes(fork, _ids(recorded))
        if (fork.episode, fork.turn) not in past.turns:
            raise InvalidInputError(
                f"Run {fork.parent} has no turn {fork.turn} in episode {fork.episode}; "
                "see `soullink runs show`."
            )
        run = replace(
            recorded.run,
            id=run_id or RunId(new_uuid7()),
            status="running",
            versions={
                **self._versions(),
                **{key: text for key, text in recorded.run.versions.items() if key == TOLD},
            },
            fork=fork,
            finished_at=None,
        )
        overrides = (*recorded.overrides, (fork.episode, fork.turn, fork.changes))
        return await self._record(
            RecordedRun(run, recorded.personas, recorded.scenarios, overrides),
            (fork.parent, fork.episode, fork.turn),
        )

    async def replicas(
        self, run_id: RunId, count: int, interventions: Sequence[Intervention] = ()
    ) -> tuple[Replicas, ...]:
        recorded = await self._to_replicate(run_id, count)
        run = recorded.run
        job = (
            recorded.personas,
            live_domain.likeness(run.people[0].interests, run.people[1].interests),
            run.settings.seed,
            count,
            recorded.scenarios,
            _conditions(recorded).overrides,
            tuple(interventions),
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, replicas_domain.of_pair, *job)

    async def baseline(self, run_id: RunId, count: int) -> Replicas:
        recorded = await self._to_replicate(run_id, count)
        job = (recorded.run.settings.seed, count, recorded.scenarios)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, replicas_domain.of_anyone, *job)

    async def _to_replicate(self, run_id: RunId, count: int) -> RecordedRun:
        if not 1 <= count <= MOST_REPLICAS:
            raise InvalidInputError(f"Ask for 1 to {MOST_REPLICAS} replicas, not {count}.")
        async with self.database.work() as work:
            return await RunStore(work.session).get(run_id)

    async def course(self, run_id: RunId) -> Course:
        async with self.database.work() as work:
            store = RunStore(work.session)
            recorded = await store.get(run_id)
            turns, walls = await store.turns(run_id)
            episodes = await store.episodes(run_id, recorded.scenarios)
        return Course(recorded.run, tuple(episodes), tuple(turns), tuple(walls))

    async def list_runs(self, limit: int = 50, before: RunId | None = None) -> list[Run]:
        async with self.database.work() as work:
            return await RunStore(work.session).list_runs(limit, before)

    async def delete(self, run_id: RunId) -> None:
        async with self.database.work() as work:
            await RunStore(work.session).delete(run_id)


@lru_cache(maxsize=4)
def _prompts_digest(hashes: tuple[str, ...]) -> str:
    return digest(list(hashes))[:12]


def _check(people: tuple[Profile, Profile], settings: Settings) -> None:
    if people[0].id == people[1].id:
        raise InvalidInputError(
            f"Both people have the id {people[0].id!r}; give one profile another `id`."
        )
    episodes = len(settings.scenarios) or settings.episodes
    if not 1 <= episodes <= MOST_EPISODES:
        raise InvalidInputError(f"A course has 1 to {MOST_EPISODES} episodes, not {episodes}.")
    if settings.language not in LANGUAGES:
        raise InvalidInputError(
            f"There is no language {settings.language!r}; choose one of {', '.join(LANGUAGES)}."
        )


def _pair(recorded: RecordedRun) -> tuple[tuple[Persona, Persona], float, int]:
    run = recorded.run
    alike = live_domain.likeness(run.people[0].interests, run.people[1].interests)
    return recorded.personas, alike, run.settings.seed


def _ids(recorded: RecordedRun) -> tuple[str, str]:
    return str(recorded.run.people[0].id), str(recorded.run.people[1].id)


def _conditions(recorded: RecordedRun) -> Conditions:
    return Conditions(overrides=forking.overrides_of(recorded.overrides, _ids(recorded)))
