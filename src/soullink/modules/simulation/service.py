"""What simulation does: lives courses turn by turn, records them, lives them again."""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.errors import InvalidInputError
from soullink.kernel.ids import RunId, new_uuid7
from soullink.kernel.language import Language
from soullink.modules.personality.api import Persona, Personality
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.agents.base import (
    BaseAgent,
    PartnerSimulationAgent,
    Scene,
    UserProxyAgent,
)
from soullink.modules.simulation.agents.scenario import ScenarioAgent
from soullink.modules.simulation.api import (
    ACTS,
    Act,
    Course,
    Episode,
    EpisodeBegan,
    EpisodeEnded,
    Fork,
    Intervention,
    Moment,
    ReplayMismatchError,
    Replicas,
    Run,
    Scenario,
    Settings,
    Simulation,
    Speech,
    Turn,
    TurnTaken,
    Wall,
)
from soullink.modules.simulation.domain import live as live_domain
from soullink.modules.simulation.domain import replicas as replicas_domain
from soullink.modules.simulation.domain.course import STATE_KEYS, Conditions
from soullink.modules.simulation.domain.live import BareTurn, LiveCourse, Opening
from soullink.modules.simulation.domain.weights import DYNAMICS_VERSION
from soullink.modules.simulation.scenarios import library
from soullink.modules.simulation.store import RecordedRun, RunStore
from soullink.modules.simulation.voice import lines
from soullink.modules.simulation.voice.port import Spoken, Voice

MOST_EPISODES = 40
MOST_REPLICAS = 100_000


@dataclass(frozen=True, slots=True)
class SimulationService(Simulation):
    """Simulation on PostgreSQL.

    voice: opens the voice of a name. workers: where replicas are computed, None for a thread.
    version: of the code.
    """

    database: Database
    personality: Personality
    scenario_agent: ScenarioAgent
    clock: Clock
    voice: Callable[[str], Voice]
    version: str
    workers: Executor | None = None

    async def start(
        self, people: tuple[Profile, Profile], settings: Settings, run_id: RunId | None = None
    ) -> Run:
        _check(people, settings)
        personas = (self.personality.persona(people[0]), self.personality.persona(people[1]))
        scenarios = await self.scenario_agent.scenarios_for(people, settings)
        run = Run(
            id=run_id or RunId(new_uuid7()),
            people=people,
            settings=settings,
            status="running",
            versions=self._versions(),
            fork=None,
            created_at="",
            finished_at=None,
        )
        return await self._record(RecordedRun(run, personas, scenarios, ()))

    async def _record(
        self, recorded: RecordedRun, copy_before: tuple[RunId, int, int] | None = None
    ) -> Run:
        now = self.clock.now()
        async with self.database.work() as work:
            store = RunStore(work.session)
            await store.add(recorded, now)
            if copy_before is not None:
                parent, episode, turn = copy_before
                await store.copy_turns(parent, recorded.run.id, episode, turn)
        return replace(recorded.run, created_at=now.isoformat())

    def _versions(self) -> Mapping[str, str]:
        return {
            "soullink": self.version,
            "dynamics": DYNAMICS_VERSION,
            "scenarios": library.version_digest()[:12],
            "lines": lines.version_digest()[:12],
        }

    async def live(self, run_id: RunId) -> AsyncIterator[Moment]:
        recorded, known = await self._load(run_id)
        voice = self.voice(recorded.run.settings.voice)
        try:
            async for moment in self._walk(recorded, known, voice):
                yield moment
        finally:
            await voice.close()
        if recorded.run.status != "finished":
            async with self.database.work() as work:
                await RunStore(work.session).set_status(run_id, "finished", self.clock.now())

    async def replay(self, run_id: RunId) -> AsyncIterator[Moment]:
        recorded, known = await self._load(run_id)
        async for moment in self._walk(recorded, known, None):
            yield moment

    async def _load(self, run_id: RunId) -> tuple[RecordedRun, list[Turn]]:
        async with self.database.work() as work:
            store = RunStore(work.session)
            recorded = await store.get(run_id)
            known, _ = await store.turns(run_id)
        return recorded, known

    async def _walk(
        self, recorded: RecordedRun, known: list[Turn], voice: Voice | None
    ) -> AsyncIterator[Moment]:
        """Live the course; turns in `known` keep their words. No voice: only what is known."""
        run = recorded.run
        personas = recorded.personas
        alike = live_domain.likeness(run.people[0].interests, run.people[1].interests)
        batch = live_domain.batch_of(personas, alike, run.settings.seed, 1, 0, sampled=False)
        course = LiveCourse(batch, recorded.scenarios, _conditions(recorded))
        stage = _Stage(self, run, personas, course, voice, known)
        while not course.over:
            if voice is None and stage.exhausted:
                break
            opening = course.open()
            yield stage.begin(opening)
            while (bare := course.turn()) is not None:
                if voice is None and stage.exhausted:
                    return
                yield await stage.take(bare, opening)
            yield await stage.end(course.close(), opening)

    async def fork(self, fork: Fork, run_id: RunId | None = None) -> Run:
        recorded, known = await self._load(fork.parent)
        changes = _checked_changes(fork, recorded.run.people)
        if not any((t.episode, t.sequence) == (fork.episode, fork.turn) for t in known):
            raise InvalidInputError(
                f"Run {fork.parent} has no turn {fork.turn} in episode {fork.episode}; "
                "see `soullink runs show`."
            )
        run = replace(
            recorded.run,
            id=run_id or RunId(new_uuid7()),
            status="running",
            versions=self._versions(),
            fork=fork,
            finished_at=None,
        )
        overrides = (*recorded.overrides, (fork.episode, fork.turn, changes))
        return await self._record(
            RecordedRun(run, recorded.personas, recorded.scenarios, overrides),
            (fork.parent, fork.episode, fork.turn),
        )

    async def replicas(
        self, run_id: RunId, count: int, intervention: Intervention | None = None
    ) -> Replicas:
        if not 1 <= count <= MOST_REPLICAS:
            raise InvalidInputError(f"Ask for 1 to {MOST_REPLICAS} replicas, not {count}.")
        async with self.database.work() as work:
            recorded = await RunStore(work.session).get(run_id)
        run = recorded.run
        job = (
            recorded.personas,
            live_domain.likeness(run.people[0].interests, run.people[1].interests),
            run.settings.seed,
            count,
            recorded.scenarios,
            _conditions(recorded, intervention),
        )
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self.workers, _replicate, *job)

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

    def event_text(self, scenario: Scenario, event: str, language: Language) -> str:
        return live_domain.event_text(scenario, event, language)


class _Stage:
    """The people of one run on stage: their agents, what was said, what is already known."""

    def __init__(
        self,
        service: SimulationService,
        run: Run,
        personas: tuple[Persona, Persona],
        course: LiveCourse,
        voice: Voice | None,
        known: list[Turn],
    ) -> None:
        self._service = service
        self._run = run
        self._known = {(turn.episode, turn.sequence): turn for turn in known}
        self._left = len(known)
        speaking = voice or _Mute()
        self._agents: tuple[BaseAgent, BaseAgent] = (
            UserProxyAgent(0, run.people[0], personas[0], course, speaking),
            PartnerSimulationAgent(1, run.people[1], personas[1], course, speaking),
        )
        self._history: list[tuple[int, str]] = []
        self._lines: set[str] = set()
        self._words: set[str] = set()
        self._phrases: list[str] = []

    @property
    def exhausted(self) -> bool:
        """Return whether every known turn has been lived again."""
        return self._left == 0

    def begin(self, opening: Opening) -> EpisodeBegan:
        language = self._run.settings.language
        names = (self._run.people[0].name, self._run.people[1].name)
        return EpisodeBegan(
            number=opening.number,
            title=opening.scenario.title[language],
            setting=library.render_setting(opening.scenario, opening.parameters, language),
            day=opening.day,
            stage=opening.scenario.stage,
            between=tuple(
                live_domain.between_text(event, names, language) for event in opening.between
            ),
        )

    async def take(self, bare: BareTurn, opening: Opening) -> TurnTaken:
        """Put the turn into words, make it durable, let both agents take it in."""
        language = self._run.settings.language
        known = self._known.get((bare.episode, bare.sequence))
        events = tuple(
            live_domain.event_text(opening.scenario, event, language) for event in bare.events
        )
        if known is not None:
            turn = _turn(bare, known.speech)
            if turn != known:
                raise ReplayMismatchError(_difference(self._run, turn, known))
            self._left -= 1
        else:
            turn = await self._live(bare, opening, events)
        self._remember(turn, bare)
        return TurnTaken(turn, self._run.people[turn.speaker].name, events, known is not None)

    async def _live(self, bare: BareTurn, opening: Opening, events: tuple[str, ...]) -> Turn:
        started_at, cpu = self._service.clock.now(), time.process_time()
        spoken = await self._speak(bare, opening, events)
        turn = _turn(bare, spoken.speech)
        wall = Wall(
            started_at=started_at.isoformat(),
            latency_seconds=spoken.latency_seconds,
            cpu_seconds=time.process_time() - cpu,
            memory_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        )
        async with self._service.database.work() as work:
            await RunStore(work.session).add_turn(self._run.id, turn, wall)
        return turn

    async def _speak(self, bare: BareTurn, opening: Opening, events: tuple[str, ...]) -> Spoken:
        language = self._run.settings.language
        scenario = opening.scenario
        goals = tuple(scenario.goals[role].text[language] for role in opening.roles)
        scene = Scene(
            language=language,
            scenario=scenario,
            setting=library.render_setting(scenario, opening.parameters, language),
            goals=(goals[0], goals[1]),
            history=tuple(self._history),
            memory_phrases=tuple(self._phrases),
            events=events,
            used_lines=frozenset(self._lines),
            used_words=frozenset(self._words),
        )
        speaker, listener = self._agents[bare.speaker], self._agents[1 - bare.speaker]
        return await speaker.speak(bare, listener, scene)

    def _remember(self, turn: Turn, bare: BareTurn) -> None:
        self._history.append((turn.speaker, turn.speech.words))
        self._words.add(turn.speech.words)
        if turn.speech.line is not None:
            self._lines.add(turn.speech.line)
        for agent in self._agents:
            partner = self._run.people[1 - agent.position]
            agent.observe(turn, partner, bare.day, self._run.settings.language)

    async def end(self, episode: Episode, opening: Opening) -> EpisodeEnded:
        """Make the episode durable, with what both agents have become."""
        language = self._run.settings.language
        async with self._service.database.work() as work:
            same = await RunStore(work.session).put_episode(
                self._run.id, episode, [agent.state() for agent in self._agents]
            )
        if not same:
            raise ReplayMismatchError(
                f"After episode {episode.number} of run {self._run.id} the agents remember "
                "something else than was recorded."
            )
        phrases = opening.scenario.words.get("memory", {}).get(language, ())
        if phrases:
            self._phrases.append(phrases[opening.number % len(phrases)])
        outcome = next(o for o in opening.scenario.outcomes if o.id == episode.outcome)
        return EpisodeEnded(episode, outcome.title[language])


class _Mute:
    """The voice of a replay: it is never asked, because every turn has its words."""

    @property
    def name(self) -> str:
        return "replay"

    async def speak(self, request: object) -> Spoken:
        raise ReplayMismatchError(f"The record holds no words for this turn: {request!r:.80}")

    async def close(self) -> None:
        return


def _turn(bare: BareTurn, speech: Speech) -> Turn:
    return Turn(
        episode=bare.episode,
        sequence=bare.sequence,
        speaker=bare.speaker,
        act=ACTS[bare.act],
        distribution=bare.distribution,
        seed=bare.seed,
        topic=bare.topic,
        interrupted=bare.interrupted,
        double=bare.double,
        minute=bare.minute,
        appraisal=bare.appraisal,
        before=bare.before,
        after=bare.after,
        conflict=bare.conflict,
        positions=bare.positions,
        memories=bare.memories,
        events=bare.events,
        speech=speech,
    )


def _difference(run: Run, lived: Turn, known: Turn) -> str:
    fields = [n for n in Turn.__dataclass_fields__ if getattr(lived, n) != getattr(known, n)]
    return (
        f"Turn {known.episode}.{known.sequence} of run {run.id} comes out differently "
        f"({', '.join(fields)}); it was recorded by soullink {run.versions.get('soullink')}, "
        f"dynamics {run.versions.get('dynamics')}."
    )


def _check(people: tuple[Profile, Profile], settings: Settings) -> None:
    if people[0].id == people[1].id:
        raise InvalidInputError(
            f"Both people have the id {people[0].id!r}; give one profile another `id`."
        )
    if not settings.scenarios and not 1 <= settings.episodes <= MOST_EPISODES:
        raise InvalidInputError(
            f"A course has 1 to {MOST_EPISODES} episodes, not {settings.episodes}."
        )


def _conditions(recorded: RecordedRun, intervention: Intervention | None = None) -> Conditions:
    overrides: dict[tuple[int, int], dict[str, float]] = {}
    positions = {str(person.id): n for n, person in enumerate(recorded.run.people)}
    for episode, turn, changes in recorded.overrides:
        place = overrides.setdefault((episode, turn), {})
        for key, value in changes.items():
            person, _, name = key.rpartition(".")
            number = float(ACTS.index(Act(value))) if name == "act" else float(value)
            place[f"{positions[person]}.{name}"] = number
    return Conditions(() if intervention is None else (intervention,), overrides)


def _checked_changes(fork: Fork, people: tuple[Profile, Profile]) -> Mapping[str, str]:
    ids = [str(person.id) for person in people]
    if not fork.changes:
        raise InvalidInputError("Say what changes, e.g. --set ada.mood=0.5.")
    acts = [key for key in fork.changes if key.endswith(".act")]
    if len(acts) > 1:
        raise InvalidInputError("One turn has one speaker: set the act of one person only.")
    for key, value in fork.changes.items():
        person, _, name = key.rpartition(".")
        if person not in ids or name not in (*STATE_KEYS, "act"):
            raise InvalidInputError(
                f"Cannot set {key!r}; set PERSON.KEY with PERSON one of {', '.join(ids)} and KEY "
                f"one of act, {', '.join(STATE_KEYS)}."
            )
        if name == "act":
            if value not in list(ACTS):
                raise InvalidInputError(f"There is no act {value!r}; acts: {', '.join(ACTS)}.")
            continue
        _checked_number(key, name, value)
    return fork.changes


def _checked_number(key: str, name: str, value: str) -> None:
    low = -1.0 if name == "mood" else 0.0
    try:
        number = float(value)
    except ValueError as error:
        raise InvalidInputError(f"{key} takes a number, not {value!r}.") from error
    if not low <= number <= 1.0:
        raise InvalidInputError(f"{key} lies between {low:g} and 1, not {value}.")


def _replicate(
    personas: tuple[Persona, Persona],
    alike: float,
    seed: int,
    count: int,
    scenarios: tuple[Scenario, ...],
    conditions: Conditions,
) -> Replicas:
    batch = live_domain.batch_of(personas, alike, seed, count, 1, sampled=True)
    names = (str(personas[0].person), str(personas[1].person))
    return replicas_domain.run(batch, names, scenarios, conditions)
