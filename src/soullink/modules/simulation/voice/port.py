"""A voice turns an act into words. The dynamics have decided the act; a voice cannot change it.

What is made on every turn is a msgspec.Struct, which takes a tenth of a frozen dataclass's time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import msgspec

from soullink.kernel.language import Language
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import Act, PersonState, Scenario, Speech, Stage
from soullink.modules.simulation.voice.echoes import Echoes
from soullink.modules.simulation.voice.turnstile import Passing

STYLES: Final[tuple[str, ...]] = (
    "plain",  # nothing stands out
    "lively",  # high extraversion: quick, many words, exclamations
    "reserved",  # low extraversion or high avoidance: short, dry, understated
    "anxious",  # high neuroticism or attachment anxiety: hedges, checks, apologises
    "orderly",  # high conscientiousness: precise, times and lists, keeps promises
    "dreamy",  # high openness: images, what-ifs, associations
    "blunt",  # low agreeableness: direct, little padding
    "warm",  # high agreeableness: attentive, gentle
)


@dataclass(frozen=True, slots=True)
class Place:
    """The scene of one episode as the speaker knows it: title, setting and the own goal."""

    title: str
    setting: str
    goal: str


class Said(msgspec.Struct, frozen=True, gc=False):
    """One turn of the course so far. own: the speaker's. events: what happened before it."""

    episode: int
    sequence: int
    own: bool
    act: Act
    words: str
    events: tuple[str, ...] = ()


class Recollection(msgspec.Struct, frozen=True, gc=False):
    """Something the speaker recalls: a line, how much it matters (0..1), where it was lived."""

    text: str
    importance: float
    turns: tuple[tuple[int, int], ...] = ()


class SpeechRequest(msgspec.Struct, frozen=True):
    """Everything a voice may know when it speaks for `speaker`.

    styles: weight 0.0..1.0 of each of STYLES for the speaker, sums to 1.
    heard: the listener's last act as the speaker understood it, a name of ActClass, or None.
    previous: the act itself, or None. history: the last 12 turns as (0 speaker or 1 listener,
    words), oldest first. memories: what the speaker recalls now, one line each, in `language`.
    memory_phrases: noun phrases for earlier episodes ("the night we missed the last train").
    setting, goal: rendered, in `language`. used_lines: ids of authored lines already spoken in
    this run. used_words: words already spoken in this run. seed: of this turn's draws.

    echoes: the same words, ready to be compared with others; None: they are made ready then.
    passing: left before a model is asked and entered when it has answered; None: nobody waits.

    For voices that tell a model of the whole course: course: every turn so far, oldest first;
    places: the scenes of all episodes up to this one, by number; recollections: what the speaker
    recalls now, strongest first. run: its id, for the account of what calls cost.
    """

    language: Language
    act: Act
    speaker: Profile
    listener: Profile
    styles: Mapping[str, float]
    scenario: Scenario
    stage: Stage
    setting: str
    goal: str
    episode: int
    sequence: int
    seed: int
    heard: str | None
    previous: Act | None
    history: tuple[tuple[int, str], ...]
    memories: tuple[str, ...]
    memory_phrases: tuple[str, ...]
    state: PersonState
    interrupted: bool
    events: tuple[str, ...]
    used_lines: frozenset[str]
    used_words: frozenset[str]
    course: tuple[Said, ...] = ()
    places: Mapping[int, Place] = msgspec.field(default_factory=dict)
    recollections: tuple[Recollection, ...] = ()
    run: str = ""
    echoes: Echoes | None = None
    passing: Passing | None = None

    def likeness(self, words: str) -> float:
        """Return how like `words` are to the most alike of `used_words`, 0..1."""
        echoes = self.echoes
        return (Echoes(self.used_words) if echoes is None else echoes).likeness(words)


class Spoken(msgspec.Struct, frozen=True):
    """The words of a turn, and the wall time they took, which belongs in Wall and never in Speech.

    latency_seconds: over all model calls of the turn; 0.0 where no model was asked.
    """

    speech: Speech
    latency_seconds: float


class Voice(Protocol):
    """Speaks for both people of a run."""

    @property
    def name(self) -> str:
        """Return "built-in" or "provider:model"."""
        ...

    async def speak(self, request: SpeechRequest) -> Spoken:
        """Return the words of this turn. Never fails for what a provider does: it falls back."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
