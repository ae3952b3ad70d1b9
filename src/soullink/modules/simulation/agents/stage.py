"""The stage: both agents of one run live its turns, every one durable before the next."""

from collections.abc import Mapping
from dataclasses import dataclass

from soullink.gateways.postgres.database import Database
from soullink.kernel.clock import Clock
from soullink.kernel.language import Language
from soullink.modules.simulation.agents.base import (
    BaseAgent,
    PartnerSimulationAgent,
    Scene,
    UserProxyAgent,
)
from soullink.modules.simulation.agents.meter import Meter
from soullink.modules.simulation.api import (
    ACTS,
    Episode,
    EpisodeBegan,
    EpisodeEnded,
    ReplayMismatchError,
    Run,
    Speech,
    Turn,
    TurnTaken,
    Wall,
)
from soullink.modules.simulation.domain import live as live_domain
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.live import LiveCourse, Opening
from soullink.modules.simulation.domain.turn import Batch
from soullink.modules.simulation.journal import Journal
from soullink.modules.simulation.store import RecordedRun, RunStore
from soullink.modules.simulation.voice.echoes import Echoes
from soullink.modules.simulation.voice.port import Place, Said, SpeechRequest, Spoken, Voice
from soullink.modules.simulation.voice.turnstile import Passing


@dataclass(frozen=True, slots=True)
class Past:
    """A run with the turns known of it, by (episode, sequence). begun: before its first turn."""

    recorded: RecordedRun
    turns: Mapping[tuple[int, int], Turn]
    begun: Batch


class Stage:
    """The people of one run on stage: their agents, what was said, what is already known."""

    def __init__(
        self,
        database: Database,
        journal: Journal,
        clock: Clock,
        past: Past,
        course: LiveCourse,
        voice: Voice | None,
        meter: Meter,
        passing: Passing,
    ) -> None:
        self._database = database
        self._journal = journal
        self._clock = clock
        self._meter = meter
        self._passing = passing
        self._past = past
        self._run = run = past.recorded.run
        self._left = set(past.turns)
        self._mute = voice is None
        speaking = voice or _Mute()
        personas = past.recorded.personas
        self._agents: tuple[BaseAgent, BaseAgent] = (
            UserProxyAgent(0, run.people[0], personas[0], course, speaking),
            PartnerSimulationAgent(1, run.people[1], personas[1], course, speaking),
        )
        # Shared with the requests made of them, so they are replaced and never changed.
        self._course: tuple[tuple[Said, ...], tuple[Said, ...]] = ((), ())
        self._places: tuple[Mapping[int, Place], Mapping[int, Place]] = ({}, {})
        self._lines: frozenset[str] = frozenset()
        self._words: frozenset[str] = frozenset()
        self._echoes = Echoes()
        self._phrases: tuple[str, ...] = ()
        self._run_id = str(run.id)
        self._setting = ""
        self._goals = ("", "")

    @property
    def silent(self) -> bool:
        """Return whether nobody can say more: a replay has come to where the run stands."""
        return self._mute and not self._left and self._run.status != "finished"

    def require_nothing_left(self) -> None:
        """Raise ReplayMismatchError when turns are recorded that the course never came to."""
        if self._left:
            episode, sequence = min(self._left)
            raise ReplayMismatchError(
                f"Run {self._run.id} records a turn {episode}.{sequence}, but its course ends"
                " before it."
            )

    async def terminate(self) -> None:
        """Let both agents go, and the voice with them."""
        for agent in self._agents:
            await agent.terminate()

    def begin(self, opening: Opening) -> EpisodeBegan:
        language = self._run.settings.language
        names = (self._run.people[0].name, self._run.people[1].name)
        self._setting = opening.scenario.rendered_setting(opening.parameters, language)
        title = opening.scenario.title[language]
        self._goals = goals = _goals(opening, language)
        first, second = self._places
        self._places = (
            {**first, opening.number: Place(title, self._setting, goals[0])},
            {**second, opening.number: Place(title, self._setting, goals[1])},
        )
        return EpisodeBegan(
            number=opening.number,
            title=opening.scenario.title[language],
            setting=self._setting,
            day=opening.day,
            stage=opening.scenario.stage,
            between=tuple(
                live_domain.between_text(event, names, language) for event in opening.between
            ),
        )

    async def take(self, bare: BareTurn, opening: Opening) -> TurnTaken:
        """Put the turn into words, make it durable, let both agents take it in."""
        language = self._run.settings.language
        known = self._past.turns.get((bare.episode, bare.sequence))
        events = tuple(opening.scenario.event_text(event, language) for event in bare.events)
        if known is not None:
            turn = _turn(bare, known.speech)
            if turn != known:
                raise ReplayMismatchError(_difference(self._run, turn, known))
            self._left.remove((bare.episode, bare.sequence))
        else:
            turn = await self._live(bare, opening, events)
        self._remember(turn, bare, events)
        return TurnTaken(turn, self._run.people[turn.speaker].name, events, known is not None)

    async def _live(self, bare: BareTurn, opening: Opening, events: tuple[str, ...]) -> Turn:
        started_at, cpu = self._clock.now(), self._meter.cpu_seconds()
        try:
            spoken = await self._speak(bare, opening, events)
            turn = _turn(bare, spoken.speech)
            wall = Wall(
                started_at=started_at.isoformat(),
                latency_seconds=spoken.latency_seconds,
                cpu_seconds=self._meter.cpu_seconds() - cpu,
                memory_mb=self._meter.memory_mb,
            )
            await self._journal.take(self._run.id, turn, wall)
        finally:
            self._passing.leave()
        return turn

    async def _speak(self, bare: BareTurn, opening: Opening, events: tuple[str, ...]) -> Spoken:
        language = self._run.settings.language
        scene = Scene(
            language=language,
            scenario=opening.scenario,
            setting=self._setting,
            goals=self._goals,
            memory_phrases=self._phrases,
            events=events,
            used_lines=self._lines,
            used_words=self._words,
            course=self._course,
            places=self._places,
            run=self._run_id,
            echoes=self._echoes,
            passing=self._passing,
        )
        speaker, listener = self._agents[bare.speaker], self._agents[1 - bare.speaker]
        return await speaker.speak(bare, listener, scene)

    def _remember(self, turn: Turn, bare: BareTurn, events: tuple[str, ...]) -> None:
        words = turn.speech.words
        first, second = self._course
        what = (turn.act, words, events)
        self._course = (
            (*first, Said(turn.episode, turn.sequence, turn.speaker == 0, *what)),
            (*second, Said(turn.episode, turn.sequence, turn.speaker == 1, *what)),
        )
        self._words |= {words}
        self._echoes.add(words)
        if turn.speech.line is not None:
            self._lines |= {turn.speech.line}
        for agent in self._agents:
            partner = self._run.people[1 - agent.position]
            agent.observe(turn, partner, bare.day, self._run.settings.language)

    async def end(self, episode: Episode, opening: Opening) -> EpisodeEnded:
        """Make the episode durable, with what both agents have become."""
        language = self._run.settings.language
        entry = (self._run.id, episode, [agent.state() for agent in self._agents])
        if self._mute:
            async with self._database.work() as work:
                same = await RunStore(work.session).same_episode(*entry)
        else:
            same = await self._journal.end(*entry)
        if same is False or (same is None and self._run.status == "finished"):
            raise ReplayMismatchError(
                f"Episode {episode.number} of run {self._run.id} ends differently than recorded, "
                "or its agents remember something else."
            )
        phrases = opening.scenario.words.get("memory", {}).get(language, ())
        if phrases:
            self._phrases += (phrases[opening.number % len(phrases)],)
        outcome = next(o for o in opening.scenario.outcomes if o.id == episode.outcome)
        return EpisodeEnded(episode, outcome.title[language])


def _goals(opening: Opening, language: Language) -> tuple[str, str]:
    goals = opening.scenario.goals
    first, second = opening.roles
    return goals[first].text[language], goals[second].text[language]


class _Mute:
    """The voice of a replay: it is never asked, because every turn has its words."""

    @property
    def name(self) -> str:
        return "replay"

    async def speak(self, request: SpeechRequest) -> Spoken:
        raise ReplayMismatchError(
            f"The record of this run lacks turn {request.episode}.{request.sequence}, so it cannot"
            " be lived again without a voice."
        )

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
    fields = [n for n in Turn.__struct_fields__ if getattr(lived, n) != getattr(known, n)]
    return (
        f"Turn {known.episode}.{known.sequence} of run {run.id} comes out differently "
        f"({', '.join(fields)}); it was recorded by soullink {run.versions.get('soullink')}, "
        f"dynamics {run.versions.get('dynamics')}."
    )
