"""One seed: two people, their course, and everything that goes wrong while they live it."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final
from uuid import UUID

import msgspec

from soullink.kernel.errors import UnavailableError
from soullink.kernel.ids import PersonId, RunId
from soullink.modules.personality import wiring as personality
from soullink.modules.profiles.api import DOMAINS, Attachment, Profile
from soullink.modules.prompts.api import Prompts
from soullink.modules.simulation.agents.scenario import ScenarioAgent
from soullink.modules.simulation.api import (
    STATE_VARIABLES,
    Course,
    Fork,
    RunConflictError,
    RunNotFoundError,
    Scenario,
    Settings,
    TurnTaken,
)
from soullink.modules.simulation.service import SimulationService
from soullink.modules.simulation.voice.builtin import BuiltInVoice
from tests.e2e.seeds.faults import STOPPED, FaultyDatabase, PowerCut, Script, voice_of
from tests.e2e.seeds.invariants import Witness, check_course, check_turn, require
from tests.e2e.seeds.memory import MemoryDatabase
from tests.simulation.courses import ADA, BEN, XIA, YUE, SteppingClock, the_prompts

LIVES_WITH_FAULTS: Final = 6
"""After so many the weather calms, so that every course comes to its end."""
LIVES_MOST: Final = 40


@dataclass
class Report:
    """What became of a seed. happened: faults and lives, by name."""

    seed: int
    turns: int = 0
    lives: int = 0
    happened: Counter[str] = field(default_factory=Counter)


@cache
def _prompts() -> Prompts:
    return the_prompts()


@cache
def _agent() -> ScenarioAgent:
    return ScenarioAgent(_prompts())


@cache
def _shipped() -> tuple[tuple[Scenario, Scenario], ...]:
    """Return every shipped scenario, in full and cut short."""
    return tuple((scenario, _short(scenario)) for scenario in _agent().shipped())


def _scenarios(draws: random.Random) -> tuple[Scenario, ...]:
    """Return one to three of the shipped scenarios, most of them cut short to get through more."""
    wanted = draws.choice((1, 1, 1, 2, 2, 3))
    chosen = draws.sample(_shipped(), wanted)
    return tuple(one if draws.random() < 0.05 else short for one, short in chosen)


def _short(scenario: Scenario) -> Scenario:
    decision = scenario.decision
    return replace(
        scenario,
        id=f"{scenario.id}-in-short",
        turns=(4, 9),
        decision=None if decision is None else replace(decision, deadline_turn=7),
    )


@dataclass
class World:
    """The engine on one database, lived by one script. hangs: whether waiting takes no time."""

    inner: Any
    seed: int
    hangs: bool
    report: Report = field(init=False)
    script: Script = field(init=False)
    clock: SteppingClock = field(default_factory=SteppingClock)
    company: RunId | None = None

    def __post_init__(self) -> None:
        self.script = Script(self.seed)
        self.report = Report(self.seed, happened=self.script.happened)

    def process(self, faulty: bool = True) -> SimulationService:
        """Return the service as a new process would have it."""
        return SimulationService(
            database=FaultyDatabase(self.inner, self.script) if faulty else self.inner,
            personality=personality.build(self.clock),
            scenario_agent=_agent(),
            clock=self.clock,
            voice=voice_of(self.script, _prompts(), self.hangs),
            version="seeds",
        )

    async def live(self) -> Report:
        """Live the seed's course, and what else the script has, and check all of it.

        Raises BrokenError, or whatever the engine should not have raised.
        """
        draws = self.script.draws
        people, own = _people(draws), _scenarios(draws)
        settings = self._settings(draws, own)
        run_id = await self._begun(people, settings, own)
        if self.script.strikes(0.15):
            self.company = await self._begun(people, replace(settings, seed=self.seed + 1), own)
        if self.script.strikes(0.03):
            await self._erased_midway(run_id)
            return self.report
        course = await self._lived(run_id)
        if self.company is not None:
            company, self.company = self.company, None
            self.script.happened["company"] += 1
            await self._lived(company)
        if settings.voice == "built-in" and self.seed % 4 == 0:
            await self._compared(course, people, settings, own)
        if self.script.strikes(0.1) and course.turns:
            await self._forked(course)
        return self.report

    def _settings(self, draws: random.Random, own: Sequence[Scenario]) -> Settings:
        return Settings(
            seed=self.seed,
            language=draws.choice(("en", "zh")),
            voice=draws.choice(("built-in", "fake:scripted")),
            scenarios=tuple(scenario.id for scenario in own),
        )

    async def _begun(
        self, people: tuple[Profile, Profile], settings: Settings, own: Sequence[Scenario]
    ) -> RunId:
        """Record the run, as often as it takes; what was recorded already is left alone."""
        run_id = RunId(UUID(int=self.script.draws.getrandbits(128), version=4))
        for _ in range(LIVES_MOST):
            try:
                await self.process().start(people, settings, run_id, own)
                break
            except RunConflictError:
                require(self.script.happened.total() > 0, "a new run is said to be there")
                break
            except (UnavailableError, *STOPPED):
                continue
        if self.script.strikes(0.2):
            await self._refused(self.process(faulty=False).start(people, settings, run_id, own))
        return run_id

    async def _refused(self, delivery: Any) -> None:
        """See that something that is delivered twice is refused."""
        self.script.happened["delivered_twice"] += 1
        try:
            await delivery
        except RunConflictError:
            return
        require(False, "what was delivered twice was taken twice")

    async def _lived(self, run_id: RunId, jump: tuple[int, int] | None = None) -> Course:
        """Live the run to its end through all faults, and check the record."""
        witness = Witness(jump=jump)
        for life in range(LIVES_MOST):
            self.script.calm = life >= LIVES_WITH_FAULTS
            self.report.lives += 1
            witness = witness.again()
            if await self._life(run_id, witness):
                break
        else:
            require(False, f"after {LIVES_MOST} lives it has not come to its end")
        self.script.calm = False
        course = await self.process(faulty=False).course(run_id)
        check_course(course)
        require(course.run.status == "finished", "it came to its end and is not finished")
        require(list(course.turns) == witness.turns, "the record is not what was announced")
        self.report.turns += len(course.turns)
        if self.script.draws.random() < 0.3:
            await self._replayed(run_id, course)
        return course

    async def _life(self, run_id: RunId, witness: Witness) -> bool:
        """Live the run until it ends (True) or something stops it (False)."""
        draws = self.script.draws
        stop = 0 if self.script.calm else draws.choice((0, 0, 0, 0, draws.randint(1, 30)))
        twin = not self.script.calm and draws.random() < 0.1
        process = self.process()
        beside = asyncio.ensure_future(self._beside(process, self.company))
        try:
            async with aclosing(process.live(run_id)) as moments:
                second = self.process().live(run_id) if twin else None
                try:
                    number = 0
                    async for moment in moments:
                        witness.see(moment)
                        number += 1
                        if isinstance(moment, TurnTaken):
                            await self._is_durable(run_id, moment)
                        if second is not None and not await self._stepped(second):
                            second = None
                        if number == stop:
                            self.script.happened["stopped"] += 1
                            return False
                finally:
                    if second is not None:
                        await second.aclose()
        except (UnavailableError, *STOPPED):
            self.script.happened["restarted"] += 1
            return False
        except RunConflictError:
            require(twin, "told of another process where there is none")
            self.script.happened["overtaken"] += 1
            return False
        finally:
            beside.cancel()
            await asyncio.wait([beside])
        return True

    async def _beside(self, process: SimulationService, run_id: RunId | None) -> None:
        """Live another run in the same process, as far as it comes: both share transactions."""
        if run_id is None:
            return
        try:
            async with aclosing(process.live(run_id)) as moments:
                async for moment in moments:
                    if isinstance(moment, TurnTaken):
                        check_turn(moment.turn)
        except (UnavailableError, PowerCut):
            return

    async def _stepped(self, second: Any) -> bool:
        """Let the second process that lives the same run go on; return whether it still does."""
        self.script.happened["twin_steps"] += 1
        try:
            for _ in range(self.script.draws.randint(0, 2)):
                moment = await anext(second)
                if isinstance(moment, TurnTaken):
                    check_turn(moment.turn)
        except (StopAsyncIteration, RunConflictError, UnavailableError, *STOPPED):
            return False
        return True

    async def _is_durable(self, run_id: RunId, taken: TurnTaken) -> None:
        """See that a turn that was announced is on record, as it was announced."""
        if isinstance(self.inner, MemoryDatabase):
            rows = self.inner.kept(run_id, taken.turn.episode, taken.turn.sequence)
        elif taken.turn.sequence == 1:  # a real database takes its time; its end is looked at
            course = await self.process(faulty=False).course(run_id)
            rows = [turn for turn in course.turns if turn.episode == taken.turn.episode]
            rows = [turn for turn in rows if turn.sequence == 1]
        else:
            return
        place = (taken.turn.episode, taken.turn.sequence)
        require(rows == [taken.turn], f"turn {place} is announced and has {len(rows)} rows")

    async def _replayed(self, run_id: RunId, course: Course) -> None:
        """See that the record is lived again without a voice, and that this writes nothing."""

        def nobody(name: str) -> Any:
            require(False, f"{name} was asked to speak in a replay")

        quiet = replace(self.process(faulty=False), voice=nobody)
        turns = [m.turn async for m in quiet.replay(run_id) if isinstance(m, TurnTaken)]
        require(turns == list(course.turns), "a replay is not the record")
        require(await quiet.course(run_id) == course, "a replay has changed the record")
        if self.seed % 4:
            return
        require(
            [m async for m in quiet.live(run_id) if isinstance(m, TurnTaken) and not m.replayed]
            == [],
            "a finished run was lived on",
        )

    async def _compared(
        self,
        course: Course,
        people: tuple[Profile, Profile],
        settings: Settings,
        own: Sequence[Scenario],
    ) -> None:
        """See that the same course without any fault is the same, word for word."""
        service = replace(self.process(faulty=False), voice=lambda _: BuiltInVoice())
        run = await service.start(people, settings, None, own)
        async for _ in service.live(run.id):
            pass
        whole = await service.course(run.id)
        require(_plain(whole) == _plain(course), "faults have changed the course")
        await service.delete(run.id)

    async def _forked(self, course: Course) -> None:
        """Fork the run somewhere and live the fork through faults, too; the parent stays."""
        draws = self.script.draws
        turn = draws.choice(course.turns)
        person = str(draws.choice(course.run.people).id)
        key = draws.choice(STATE_VARIABLES)
        fork = Fork(
            course.run.id, turn.episode, turn.sequence, {f"{person}.{key}": f"{draws.random():.3f}"}
        )
        run_id = RunId(UUID(int=draws.getrandbits(128), version=4))
        for _ in range(LIVES_MOST):
            try:
                await self.process().fork(fork, run_id)
                break
            except RunConflictError:
                break  # it was recorded, and the answer was lost
            except (UnavailableError, *STOPPED):
                continue
        else:
            return
        self.script.happened["forked"] += 1
        branch = await self._lived(run_id, (fork.episode, fork.turn))
        earlier = [t for t in course.turns if (t.episode, t.sequence) < (fork.episode, fork.turn)]
        require(list(branch.turns[: len(earlier)]) == earlier, "a fork has another past")
        parent = await self.process(faulty=False).course(course.run.id)
        require(parent == course, "a fork has changed its parent")

    async def _erased_midway(self, run_id: RunId) -> None:
        """Erase the run while it is lived; nothing of it may stay or come back."""
        self.script.happened["erased"] += 1
        calm = self.process(faulty=False)
        with suppress(UnavailableError, RunNotFoundError, *STOPPED):
            async with aclosing(self.process().live(run_id)) as moments:
                number = 0
                async for _ in moments:
                    number += 1
                    if number == 4:
                        await calm.delete(run_id)
                    require(number < 9, "it is lived on after it was erased")
        with suppress(RunNotFoundError):
            await calm.delete(run_id)
        try:
            await calm.course(run_id)
        except RunNotFoundError:
            return
        require(False, "an erased run is still there")


def _plain(course: Course) -> list[Any]:
    return [msgspec.to_builtins(part) for part in (course.episodes, course.turns)]


def _people(draws: random.Random) -> tuple[Profile, Profile]:
    """Return two of the known people, or with traits from one end to the other."""
    pair = draws.choice(((ADA, BEN), (XIA, YUE), (ADA, YUE), (BEN, XIA)))
    return _varied(pair[0], draws), _varied(pair[1], draws)


def _varied(person: Profile, draws: random.Random) -> Profile:
    if draws.random() < 0.3:
        return person
    edge: Callable[[], float] = lambda: draws.choice((0.5, 99.5, draws.uniform(1, 99)))  # noqa: E731
    return replace(
        person,
        id=PersonId(f"{person.id}-{draws.randint(0, 999)}"),
        levels={},
        percentiles={name: edge() for name in DOMAINS if draws.random() < 0.8},
        attachment=Attachment(anxiety=draws.uniform(1, 7), avoidance=draws.uniform(1, 7)),
    )
