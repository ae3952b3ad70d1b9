"""The base agent: personality traits, memory system, decision engine, communication interface.

Both people of a course are played by agents. What they do is decided by the engine (equations,
explicit seed); what they remember and how they put it into words is the agent's own.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final

import msgspec

from soullink.kernel.errors import ConflictError
from soullink.kernel.language import Language
from soullink.modules.personality.api import Persona
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import ACTS, Document, Scenario, Topic, Turn
from soullink.modules.simulation.domain.acts import meaning
from soullink.modules.simulation.domain.bare import BareTurn
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.live import LiveCourse
from soullink.modules.simulation.domain.memory import Aspect, MemoryItem, MemoryStream
from soullink.modules.simulation.voice.echoes import Echoes
from soullink.modules.simulation.voice.port import (
    Place,
    Recollection,
    Said,
    SpeechRequest,
    Spoken,
    Voice,
)
from soullink.modules.simulation.voice.styles import style_weights
from soullink.modules.simulation.voice.turnstile import Passing

HISTORY_TURNS: Final = 12
RECALLED: Final = 6
RECOLLECTED: Final = 12
"""More than are told: what still stands word for word in the conversation is left out."""
QUOTE_LENGTH: Final = 90


class Scene(msgspec.Struct, frozen=True):
    """What an agent knows of the moment it speaks in.

    setting: rendered. goals: of both people, by position. events: what just happened, in words.
    lines, words: used up. course: every turn so far as each of the two knows it, by position.
    places: the scenes of the episodes up to this one, by position and number. run: its id.
    """

    language: Language
    scenario: Scenario
    setting: str
    goals: tuple[str, str]
    memory_phrases: tuple[str, ...]
    events: tuple[str, ...]
    used_lines: frozenset[str]
    used_words: frozenset[str]
    course: tuple[tuple[Said, ...], tuple[Said, ...]] = ((), ())
    places: tuple[Mapping[int, Place], Mapping[int, Place]] = msgspec.field(
        default_factory=lambda: ({}, {})
    )
    run: str = ""
    echoes: Echoes | None = None
    passing: Passing | None = None


class BaseAgent:
    """One person's agent, from its initialisation to its termination.

    engine: decides what is done, out of traits, state, memory and situation. position: 0 or 1,
    whose columns of the engine are this agent's.
    """

    role: ClassVar[str] = "agent"

    def __init__(
        self, position: int, profile: Profile, persona: Persona, engine: LiveCourse, voice: Voice
    ) -> None:
        self.position = position
        self.profile = profile
        self.persona = persona
        self.engine = engine
        self.voice = voice
        self.memory = MemoryStream()
        self._styles = _styles_of(persona)
        self._alive = True
        self.shown = _shown_of(profile)
        self._spoken_for = profile if self.knows_secrets else self.shown

    @property
    def knows_secrets(self) -> bool:
        """Return whether this agent may use what its person keeps private."""
        return True

    def configure(self, *, voice: Voice | None = None, persona: Persona | None = None) -> None:
        """Take a new voice or persona from the next turn on; what was lived stays."""
        self._require_alive()
        if voice is not None:
            self.voice = voice
        if persona is not None:
            self.persona = persona
            self._styles = _styles_of(persona)

    async def speak(self, turn: BareTurn, partner: "BaseAgent", scene: Scene) -> Spoken:
        """Return this agent's words for an act that the engine has decided."""
        self._require_alive()
        recollected = self.memory.recall(turn.topic, turn.day, RECOLLECTED)
        course = scene.course[self.position]
        request = SpeechRequest(
            language=scene.language,
            act=ACTS[turn.act],
            speaker=self._spoken_for,
            listener=partner.shown,
            styles=self._styles,
            scenario=scene.scenario,
            stage=scene.scenario.stage,
            setting=scene.setting,
            goal=scene.goals[self.position],
            episode=turn.episode,
            sequence=turn.sequence,
            seed=turn.seed,
            heard=turn.heard,
            previous=None if turn.previous is None else ACTS[turn.previous],
            history=tuple([(0 if said.own else 1, said.words) for said in course[-HISTORY_TURNS:]]),
            memories=tuple([item.text for item in recollected[:RECALLED]]),
            memory_phrases=scene.memory_phrases,
            state=turn.before[self.position],
            interrupted=turn.interrupted,
            events=scene.events,
            used_lines=scene.used_lines,
            used_words=scene.used_words,
            course=course,
            places=scene.places[self.position],
            recollections=tuple(
                [Recollection(item.text, item.importance, item.turns) for item in recollected]
            ),
            run=scene.run,
            echoes=scene.echoes,
            passing=scene.passing,
        )
        return await self.voice.speak(request)

    def observe(self, turn: Turn, partner: Profile, day: float, language: Language) -> None:
        """Remember what the partner just did, as it was taken."""
        self._require_alive()
        if turn.speaker == self.position:
            return
        self.memory.observe(
            turn.act,
            turn.topic,
            turn.appraisal.affect,
            turn.appraisal.threat,
            day,
            (turn.episode, turn.sequence),
            _memory_text(turn, partner.name, language),
        )

    def state(self) -> Document:
        """Return everything that this agent has become, as plain data."""
        return {
            "role": self.role,
            "person": str(self.profile.id),
            "alive": self._alive,
            "memory": [
                {
                    **{name: getattr(item, name) for name in _REMEMBERED},
                    "aspect": item.aspect.name.lower(),
                    "topic": str(item.topic),
                }
                for item in self.memory.items
            ],
        }

    def restore(self, document: Mapping[str, object]) -> None:
        """Become what `state` described. Raises ConflictError when it is another person's."""
        self._require_alive()
        if document.get("person") != str(self.profile.id):
            raise ConflictError(f"This state belongs to {document.get('person')!r}.")
        items = document.get("memory")
        if not isinstance(items, list):
            raise ConflictError("This agent state holds no memory.")
        self.memory = MemoryStream([_item(entry) for entry in items])

    async def terminate(self) -> None:
        """Stop for good: let go of memory and voice. Calling it twice does no harm."""
        if self._alive:
            self._alive = False
            self.memory = MemoryStream()
            await self.voice.close()

    def _require_alive(self) -> None:
        if not self._alive:
            raise ConflictError(f"The agent of {self.profile.name} has been terminated.")


class UserProxyAgent(BaseAgent):
    """Stands for the member who asked: knows everything the member told, secrets included."""

    role = "user_proxy"


class PartnerSimulationAgent(BaseAgent):
    """Stands for the other person, who may not have agreed to show more than the profile.

    It decides by the same equations; its words never draw on what the person keeps private.
    """

    role = "partner_simulation"

    @property
    def knows_secrets(self) -> bool:
        return False


def public_part(profile: Profile) -> Profile:
    """Return what the other side may know: no secrets, questionnaires, scores or deal-breakers."""
    return replace(
        profile,
        birth_date=None,
        answers=None,
        percentiles={},
        levels={},
        attachment=replace(profile.attachment, anxiety=None, avoidance=None),
        deal_breakers=(),
        secrets=(),
    )


# Courses of the same people share them.
_styles_of: Final = Kept(style_weights, 256)
_shown_of: Final = Kept(public_part, 256)

_REMEMBERED: Final = MemoryItem.__struct_fields__


def _memory_text(turn: Turn, name: str, language: Language) -> str:
    what = meaning(turn.act)[language]
    words = turn.speech.words
    quote = words if len(words) <= QUOTE_LENGTH else words[: QUOTE_LENGTH - 1] + "…"
    return f"{name} {what}: “{quote}”" if language == "en" else f"{name}{what}：“{quote}”"


def _item(entry: Mapping[str, object]) -> MemoryItem:
    values = dict(entry)
    turns = values["turns"]
    if not isinstance(turns, list | tuple):
        raise ConflictError("This agent state holds a memory without turns.")
    values["turns"] = tuple((int(e), int(t)) for e, t in turns)
    values["aspect"] = Aspect[str(values["aspect"]).upper()]
    values["topic"] = Topic(str(values["topic"]))
    return MemoryItem(**values)  # type: ignore[arg-type]  # checked by its own fields
