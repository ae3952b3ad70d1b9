"""Simulation: how two people behave together. Nothing else here is public.

A course is a run of episodes over simulated time; an episode is one scenario lived through;
a turn is one agent's act and words.
"""

import re
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    SoulLinkError,
)
from soullink.kernel.ids import RunId
from soullink.kernel.language import Language, Text
from soullink.modules.profiles.api import Profile
from soullink.modules.prompts.api import Prompts

_SLOT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
_SENTENCE = re.compile(r"(?:^|[.!?] )[a-z]")

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
BoolArray: TypeAlias = NDArray[np.bool_]


class Act(StrEnum):
    """A dialogue act: what a turn does. Meanings and sources: domain/acts.py."""

    GREET = "greet"
    SMALL_TALK = "small_talk"
    ASK = "ask"
    DISCLOSE = "disclose"
    CONFIDE = "confide"
    JOKE = "joke"
    TEASE = "tease"
    COMPLIMENT = "compliment"
    AFFECTION = "affection"
    THANK = "thank"
    AGREE = "agree"
    VALIDATE = "validate"
    SUPPORT = "support"
    PLAN = "plan"
    PROMISE = "promise"
    REQUEST = "request"
    COMPROMISE = "compromise"
    CONCEDE = "concede"
    INSIST = "insist"
    SEEK_REASSURANCE = "seek_reassurance"
    COMPLAIN = "complain"
    CRITICISE = "criticise"
    BELITTLE = "belittle"
    DEFEND = "defend"
    STONEWALL = "stonewall"
    WITHDRAW = "withdraw"
    SILENCE = "silence"
    REPAIR = "repair"
    APOLOGISE = "apologise"
    FORGIVE = "forgive"
    SET_BOUNDARY = "set_boundary"
    REFUSE = "refuse"
    CLOSE = "close"
    LEAVE = "leave"


ACTS: tuple[Act, ...] = tuple(Act)


class Topic(StrEnum):
    """What a scenario, a memory or a turn is about."""

    EVERYDAY = "everyday"
    LEISURE = "leisure"
    WORK = "work"
    MONEY = "money"
    FAMILY = "family"
    FRIENDS = "friends"
    HEALTH = "health"
    INTIMACY = "intimacy"
    FUTURE = "future"
    TRUST = "trust"


TOPICS: tuple[Topic, ...] = tuple(Topic)


class Stage(StrEnum):
    """Where in a relationship a scenario belongs."""

    FIRST_MEETING = "first_meeting"
    EARLY_DATING = "early_dating"
    COMMITTED = "committed"
    CRISIS = "crisis"
    LONG_DISTANCE = "long_distance"
    FAMILY = "family"


STAGES: tuple[Stage, ...] = tuple(Stage)

FACTORS: tuple[str, ...] = ("money", "work", "health", "friends")
"""External factors. Each is a load on a person, 0.0 (none) to 1.0 (crushing)."""

DEMANDS: tuple[str, ...] = ("threat", "closeness", "autonomy", "cooperation", "play", "novelty")
"""What a situation asks of people, each 0.0 (not at all) to 1.0 (very much)."""

CONDITION_VARIABLES: tuple[str, ...] = (
    "turn",  # turns so far in the episode, counted from 0
    "conflict",  # level of open conflict, 0..1
    "positivity",  # share of positive turns so far, 0..1 (0.5 before the first)
    "silence",  # silent or stonewalling turns in a row
    "distance",  # how far the two are from agreeing on the decision, 0..1
    "repairs",  # repair attempts so far
    "disclosures",  # disclosures so far (disclose and confide)
    "mood_low",  # the lower of the two moods, -1..1
    "mood_high",
    "arousal_high",  # 0..1
    "stress_high",  # 0..1
    "trust_low",  # 0..1
    "closeness_low",  # 0..1
    "closeness_high",
    "commitment_low",  # 0..1
    "left",  # 1 when somebody walked away
    "agreed",  # 1 when the decision was settled between them
    "arbitrated",  # 1 when the situation settled it for them
)
"""What conditions of triggers and outcomes may look at. `_low` and `_high` are the lower and
the higher value of the two people."""


@dataclass(frozen=True, slots=True)
class Condition:
    """`variable` lies at or above `at_least` and at or below `at_most` (None: no bound)."""

    variable: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Effect:
    """A change to both people's state, added and then clipped to the state's range."""

    mood: float = 0.0
    arousal: float = 0.0
    stress: float = 0.0
    trust: float = 0.0
    closeness: float = 0.0
    commitment: float = 0.0


TIME_OUT_KEEPS = 0.75
"""Share of the open conflict that is left after the time-out of ENVIRONMENT_EVENTS."""

ENVIRONMENT_EVENTS: Mapping[str, Text] = {
    "time_out": {
        "en": "It has got too loud; they take ten minutes apart.",
        "zh": "话越说越冲，两人先各自冷静十分钟。",
    },
    "deadline": {
        "en": "Time is up, and the situation decides: {default}",
        "zh": "时间到了，只好由情况来定：{default}",
    },
}
"""What the situation itself does in any episode: it calls a pause when conflict escalates and
settles a decision that two people leave open. {default}: Decision.default."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that happens in an episode, once, when all conditions hold.

    text: what both notice, one sentence. ends: the episode is over after it.
    """

    id: str
    when: tuple[Condition, ...]
    effect: Effect
    text: Text
    ends: bool = False


@dataclass(frozen=True, slots=True)
class Goal:
    """What one side privately wants from the situation.

    acts: log-odds added to acts that serve it, -2.0..2.0.
    """

    id: str
    text: Text
    acts: Mapping[Act, float]


@dataclass(frozen=True, slots=True)
class Decision:
    """A question the two must settle.

    pull: weights on standardised traits and values (see domain/decision rules in
      docs/reference/scenario.md) that say to which side somebody leans: -1.0 is `option_minus`,
      +1.0 is `option_plus`.
    deadline_turn: from this turn the situation decides. default: what it then imposes.
    """

    question: Text
    option_minus: Text
    option_plus: Text
    default: Text
    pull: Mapping[str, float]
    deadline_turn: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """One way an episode can end; the first whose conditions all hold is the outcome.

    success: how good this is for the two, -1.0..1.0; effect: what stays behind.
    """

    id: str
    title: Text
    when: tuple[Condition, ...]
    success: float
    effect: Effect


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a scenario's parameter.

    demands: added to the template's demands; values: what slots say for it, by slot name.
    """

    id: str
    text: Text
    demands: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something about a scenario that varies from one course to the next."""

    name: str
    choices: tuple[Choice, ...]


WORD_SLOTS: tuple[str, ...] = ("place", "activity", "issue", "plan", "detail", "memory")
"""Slots of authored lines that a scenario fills.

place: where they are ("this little noodle bar"); activity: what they are doing, a gerund phrase
("waiting for the last train"); issue: what is difficult, a noun phrase ("the money question");
plan: something they could do next, a verb phrase ("take the early ferry");
detail: something in view, a noun phrase ("that leaking umbrella"); memory: how one speaks of it
later, a noun phrase ("the night we missed the last train").
"""


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation two people can live through; the schema is in docs/reference/scenario.md.

    setting: two or three sentences; may name parameters as {name}.
    turns: (fewest, most) turns. minutes: how long it lasts in simulated time.
    gap_days: (fewest, most) days until the next episode.
    goals: for the two sides; who takes which side is drawn.
    acts: log-odds added to acts by the situation itself, -2.0..2.0.
    words: for each of WORD_SLOTS and language two or more phrases.
    origin: "template", "composed" (by rule) or "model".
    """

    id: str
    version: int
    stage: Stage
    topic: Topic
    title: Text
    setting: Text
    turns: tuple[int, int]
    minutes: int
    gap_days: tuple[int, int]
    demands: Mapping[str, float]
    pressures: Mapping[str, float]
    parameters: tuple[Parameter, ...]
    goals: tuple[Goal, Goal]
    acts: Mapping[Act, float]
    decision: Decision | None
    triggers: tuple[Trigger, ...]
    outcomes: tuple[Outcome, ...]
    words: Mapping[str, Mapping[Language, tuple[str, ...]]]
    origin: Literal["template", "composed", "model"] = "template"

    def rendered_setting(self, parameters: Mapping[str, str], language: Language) -> str:
        """Return the setting with the chosen values of its parameters, by name and choice id.

        Raises InvalidScenarioError when a parameter of the setting is not chosen or unknown.
        """
        texts = {
            parameter.name: choice.text[language]
            for parameter in self.parameters
            for choice in parameter.choices
            if parameters.get(parameter.name) == choice.id
        }

        def chosen(slot: re.Match[str]) -> str:
            name = slot.group(1)
            if name not in texts:
                raise InvalidScenarioError(
                    f"{self.id}: parameter '{name}' needs one of its choices; "
                    f"it has '{parameters.get(name, ''):.40}'."
                )
            return texts[name]

        text = _SLOT.sub(chosen, self.setting[language])
        if language != "en":
            return text
        # A choice may open a sentence of the setting.
        return _SENTENCE.sub(lambda start: start.group().upper(), text)

    def event_text(self, event: str, language: Language) -> str:
        """Return what an event of a turn says: of a trigger or of ENVIRONMENT_EVENTS.

        Empty for an id that this scenario does not have.
        """
        if event in ENVIRONMENT_EVENTS:
            default = "" if self.decision is None else self.decision.default[language]
            return ENVIRONMENT_EVENTS[event][language].replace("{default}", default)
        found = next((trigger for trigger in self.triggers if trigger.id == event), None)
        return "" if found is None else found.text[language]


class InvalidScenarioError(InvalidInputError):
    """A scenario breaks the schema; the message names the field."""

    code = "invalid_scenario"


class ScenarioNotFoundError(NotFoundError):
    """No scenario has this id."""

    code = "scenario_not_found"


class PersonState(msgspec.Struct, frozen=True, gc=False):
    """One person's state towards the other.

    mood: -1.0..1.0. arousal, stress, trust, closeness, commitment: 0.0..1.0.
    """

    mood: float
    arousal: float
    stress: float
    trust: float
    closeness: float
    commitment: float


Settled: TypeAlias = Literal["none", "consensus", "arbitration", "escalation", "open"]
EndedBy: TypeAlias = Literal["turns", "closed", "left", "trigger", "timeout"]
Pair: TypeAlias = tuple[PersonState, PersonState]


class Appraisal(msgspec.Struct, frozen=True, gc=False):
    """What the listener made of a turn.

    perceived: the class of act that the listener took it for (domain/acts.py); misread: it was
    another. affect: -1.0..1.0. needs: change in felt connection, autonomy and esteem, -1.0..1.0.
    threat: 0.0..1.0. values: how far it touches what the listener holds dear, -1.0..1.0.
    """

    perceived: str
    misread: bool
    affect: float
    needs: Mapping[str, float]
    threat: float
    values: float


class Speech(msgspec.Struct, frozen=True, gc=False):
    """The words of a turn and how they came about.

    voice: "built-in" or "provider:model". status: "ok"; "repaired" (asked twice); "fallback"
    (the built-in voice spoke instead); "silent" (no words were due).
    faults: why, e.g. "wrong_act", "invented_fact", "llm_timeout". line: id of the authored line.
    quality: named scores 0.0..1.0 of the words. cost_nano_usd: None when unknown.
    """

    words: str
    inner_thought: str
    voice: str
    status: Literal["ok", "repaired", "fallback", "silent"]
    faults: tuple[str, ...] = ()
    line: str | None = None
    model: str | None = None
    prompt: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_nano_usd: int | None = 0
    calls: int = 0
    quality: Mapping[str, float] = msgspec.field(default_factory=dict)


class Wall(msgspec.Struct, frozen=True, gc=False):
    """What depends on the machine and the hour; never compared.

    started_at: ISO 8601, UTC. latency_seconds: of the voice. cpu_seconds: what the process used
    from the beginning of the turn to its end, for other courses too that it lives meanwhile.
    memory_mb: peak resident memory of the process.
    """

    started_at: str
    latency_seconds: float
    cpu_seconds: float
    memory_mb: float


class Turn(msgspec.Struct, frozen=True, gc=False):
    """One agent's act and words, and what it did to both.

    episode, sequence: from 1. speaker: 0 or 1, the position in the run's people.
    distribution: probability of every act, sums to 1. seed: of this turn's draws.
    interrupted: it cut the other short; double: the same person spoke twice in a row.
    minute: simulated minutes since the episode began. conflict: level 0..1 after the turn.
    positions: where each stands on the decision, -1..1, or None. memories: ids of the memories
    that the speaker recalled. events: ids of triggers that fired, then of ENVIRONMENT_EVENTS.
    """

    episode: int
    sequence: int
    speaker: int
    act: Act
    distribution: Mapping[str, float]
    seed: int
    topic: Topic
    interrupted: bool
    double: bool
    minute: float
    appraisal: Appraisal
    before: Pair
    after: Pair
    conflict: float
    positions: tuple[float, float] | None
    memories: tuple[str, ...]
    events: tuple[str, ...]
    speech: Speech


@dataclass(frozen=True, slots=True)
class Episode:
    """One scenario lived through.

    number: from 1. day: simulated days since the course began. parameters: chosen values by name.
    roles: which goal each person holds (index into scenario.goals). before, after: states around
    it. outcome: id of the scenario's outcome; resolution: how the decision was settled.
    farewell: who ended the relationship after it, 0 or 1; None when it goes on.
    loads: the external factors' load on each person. between: life events before it, by id.
    """

    number: int
    scenario: Scenario
    day: float
    parameters: Mapping[str, str]
    roles: tuple[int, int]
    loads: tuple[Mapping[str, float], Mapping[str, float]]
    between: tuple[str, ...]
    before: Pair
    after: Pair
    turns: int
    outcome: str
    success: float
    resolution: Settled
    ended_by: EndedBy
    farewell: int | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How a course is to be lived; together with the profiles and the seed it fixes everything.

    scenarios: ids in order, or empty to let the scenario agent choose `episodes` of them.
    voice: "built-in" or "provider:model".
    """

    seed: int = 0
    episodes: int = 5
    language: Language = "en"
    voice: str = "built-in"
    scenarios: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fork:
    """What a forked run changes: at `turn` of `episode` (before it is decided), `key` := `value`.

    key: e.g. "ada.mood", "ben.trust", "ada.act" (forces the act of that turn).
    """

    parent: RunId
    episode: int
    turn: int
    changes: Mapping[str, str]


RunStatus: TypeAlias = Literal["running", "finished"]


@dataclass(frozen=True, slots=True)
class Run:
    """A course as recorded. versions: of code, dynamics, scenarios, lines, prompts."""

    id: RunId
    people: tuple[Profile, Profile]
    settings: Settings
    status: RunStatus
    versions: Mapping[str, str]
    fork: Fork | None
    created_at: str
    finished_at: str | None


@dataclass(frozen=True, slots=True)
class Course:
    """A run with everything that happened in it. walls: one per turn, never compared."""

    run: Run
    episodes: tuple[Episode, ...]
    turns: tuple[Turn, ...]
    walls: tuple[Wall, ...]


@dataclass(frozen=True, slots=True)
class EpisodeBegan:
    """Announced before the first turn of an episode."""

    number: int
    title: str
    setting: str
    day: float
    stage: Stage
    between: tuple[str, ...]


class TurnTaken(msgspec.Struct, frozen=True, gc=False):
    """Announced once a turn is durable. event_texts: what the triggers said."""

    turn: Turn
    speaker_name: str
    event_texts: tuple[str, ...]
    replayed: bool


@dataclass(frozen=True, slots=True)
class EpisodeEnded:
    """Announced once an episode is durable."""

    episode: Episode
    outcome_title: str


Moment: TypeAlias = EpisodeBegan | TurnTaken | EpisodeEnded


STATE_VARIABLES: tuple[str, ...] = (
    "mood",
    "arousal",
    "stress",
    "trust",
    "closeness",
    "commitment",
)
"""The order of the last axis of Replicas.states."""


@dataclass(frozen=True, slots=True)
class Intervention:
    """A change of behaviour to try out on replicas.

    person: 0, 1 or None for both. acts: log-odds added to that person's acts in every turn.
    stress: added to the baseline of stress. misreading: factor on the chance to misread.
    """

    id: str
    person: int | None
    acts: Mapping[Act, float] = field(default_factory=dict)
    stress: float = 0.0
    misreading: float = 1.0

    @property
    def people(self) -> tuple[int, ...]:
        """Return whom it concerns, by position."""
        return (0, 1) if self.person is None else (self.person,)


@dataclass(frozen=True, slots=True)
class Replicas:
    """Many courses of the same two people without words, on the same scenarios.

    R replicas, E episodes, 2 people in the run's order, A = len(ACTS). Episodes after the end
    of a relationship repeat its last state. Where intervals are asked, take quantiles over R.

    states: (R, E + 1, 2, 6) floats, before the first and after each episode (STATE_VARIABLES).
    days: (R, E + 1) simulated days. lived: (R, E) bool, the episode took place.
    ended: (R,) int, number of the episode that ended the relationship, 0 if it goes on.
    left_by: (R,) int, 0 or 1 who ended it, -1 nobody.
    turns: (R, E, 2) int. acts: (R, 2, A) int, how often each person did each act.
    positive, negative: (R, 2) int, turns by valence. repairs, repairs_accepted: (R, 2) int.
    pursue_withdraw: (R, 2) int, how often this person pursued and the other withdrew next.
    answered: (R, 2) int, disclosures that the other met with warmth or openness.
    disclosures: (R, 2) int. misreads: (R, 2) int. matched: (R, 2) int, positive turns answered
    by a positive turn. conflict_peak: (R, E). success: (R, E) of outcomes, -1..1.
    outcomes: (R, E) int, index into the scenario's outcomes, -1 where not lived.
    resolutions: (R, E) int, index into ("none", "consensus", "arbitration", "escalation", "open").
    satisfaction: (R, 2) 0..1, each person's own at the end. again: (R, 2) bool, would each see the
    other again after the first episode. attraction: (R, 2), -3..3, how drawn each is to the
    other; unknown before a meeting, so drawn anew in each replica.
    fun: (R, 2) 0..1, share of pleasant, playful time. perceived_similarity: (R, 2) 0..1.
    """

    people: tuple[str, str]
    scenarios: tuple[str, ...]
    states: FloatArray
    days: FloatArray
    lived: BoolArray
    ended: IntArray
    left_by: IntArray
    turns: IntArray
    acts: IntArray
    positive: IntArray
    negative: IntArray
    repairs: IntArray
    repairs_accepted: IntArray
    pursue_withdraw: IntArray
    answered: IntArray
    disclosures: IntArray
    misreads: IntArray
    matched: IntArray
    conflict_peak: FloatArray
    success: FloatArray
    outcomes: IntArray
    resolutions: IntArray
    satisfaction: FloatArray
    again: BoolArray
    attraction: FloatArray
    fun: FloatArray
    perceived_similarity: FloatArray


class RunNotFoundError(NotFoundError):
    """No run has this id."""

    code = "run_not_found"


class RunConflictError(ConflictError):
    """The run's state or version does not allow this."""

    code = "run_conflict"


class ReplayMismatchError(ConflictError):
    """A replay came out differently from the record; the message names the first turn."""

    code = "replay_mismatch"


class Scenarios(Protocol):
    """What people can live through: the shipped scenarios, and new ones for two people."""

    def shipped(self) -> list[Scenario]:
        """Return the shipped scenarios, by stage and id."""
        ...

    def get(self, scenario_id: str) -> Scenario:
        """Return one shipped scenario. Raises ScenarioNotFoundError."""
        ...

    async def compose(self, people: tuple[Profile, Profile], stage: Stage, seed: int) -> Scenario:
        """Return a new scenario for these two; by a language model where one is configured."""
        ...

    def load(self, path: Path) -> Scenario:
        """Return the scenario in a YAML or JSON file. Raises InvalidScenarioError."""
        ...

    def to_document(self, scenario: Scenario) -> dict[str, Any]:
        """Return the scenario as plain data that `load` reads back."""
        ...

    async def close(self) -> None:
        """Let go of the language model, where one is configured."""
        ...


class Simulation(Protocol):
    """Lives courses, records them and reads them back."""

    async def start(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        run_id: RunId | None = None,
        own: Sequence[Scenario] = (),
    ) -> Run:
        """Record a new run, nothing lived yet.

        own: scenarios of the caller's, which settings.scenarios may name by their ids beside
        the shipped ones. Raises InvalidInputError, RunConflictError, ScenarioNotFoundError.
        """
        ...

    def live(self, run_id: RunId) -> AsyncIterator[Moment]:
        """Live the run from where it stands to its end; every turn is durable when announced.

        What was already lived is announced again with `replayed`, from the record.
        Raises RunNotFoundError, ReplayMismatchError, UnavailableError.
        """
        ...

    def live_many(
        self, run_ids: Iterable[RunId], concurrency: int = 100
    ) -> AsyncIterator[tuple[RunId, Moment | SoulLinkError]]:
        """Live many runs, `concurrency` at a time, and announce what happens in any of them.

        Each is lived as by `live`; together they cost less, since those that wait at the same
        moment share transactions and equations. A run that fails is announced with its error, and
        the others go on. Who stops listening stops them all. Raises InvalidInputError.
        """
        ...

    def replay(self, run_id: RunId) -> AsyncIterator[Moment]:
        """Live a recorded run again without any model call, comparing every turn.

        Raises ReplayMismatchError at the first difference.
        """
        ...

    async def fork(self, fork: Fork, run_id: RunId | None = None) -> Run:
        """Record a new run that shares the parent's past. Raises InvalidInputError."""
        ...

    async def replicas(
        self, run_id: RunId, count: int, interventions: Sequence[Intervention] = ()
    ) -> tuple[Replicas, ...]:
        """Live the run's course `count` times without words, the same scenarios and people.

        Returns the replicas as they are, then under each intervention. Replica k has the same
        draws in all of them (common random numbers).
        """
        ...

    async def baseline(self, run_id: RunId, count: int) -> Replicas:
        """Live the run's scenarios `count` times with two people of whom nothing is known.

        What any two people would make of the same situations: traits are drawn from the
        population for both, anew in each replica.
        """
        ...

    async def course(self, run_id: RunId) -> Course:
        """Return what has been recorded. Raises RunNotFoundError."""
        ...

    async def list_runs(self, limit: int = 50, before: RunId | None = None) -> list[Run]:
        """Return runs, newest first, at most `limit`, those before `before`."""
        ...

    async def delete(self, run_id: RunId) -> None:
        """Erase the run and all its records; forks of it stay. Raises RunNotFoundError."""
        ...


METRICS: Final[Mapping[str, Literal["binary", "score"]]] = {
    "accepted": "binary",  # the first answer had no fault
    "spoken": "binary",  # the model's words were taken, at once or repaired
    "readable": "binary",  # the answer was the JSON that was asked for
    "quality": "score",  # mean of the scores of the words taken, 0 where none were
}
"""What two prompts can be compared by, and how it is measured."""


@dataclass(frozen=True, slots=True)
class PairedTurn:
    """One turn that two versions of a prompt spoke to the same request.

    unit: names people, settings, seed and turn; the same ones have the same name.
    outcomes: of both arms by METRICS, 0.0..1.0. prompts: references that each was asked by.
    reached: the provider answered both; else their outcomes say nothing of the prompts.
    """

    unit: str
    outcomes: Mapping[str, tuple[float, float]]
    prompts: tuple[str, str]
    reached: bool


class Rehearsals(Protocol):
    """Lives courses only to compare prompts; nothing of them is kept."""

    def compare(
        self,
        people: tuple[Profile, Profile],
        settings: Settings,
        arms: tuple[Prompts, Prompts],
        wanted: Callable[[str], bool],
        own: Sequence[Scenario] = (),
    ) -> AsyncGenerator[PairedTurn, None]:
        """Yield each turn of the course as the model settings.voice speaks it by both arms.

        The built-in voice speaks the course itself, so that both are always asked the same.
        wanted: whether a unit is to be asked for. Raises as Simulation.start and live do.
        """
        ...


@dataclass(frozen=True, slots=True)
class BiasFinding:
    """How one score of a model's words moves when one attribute of the speaker changes.

    values: what the two personas of a pair are. difference: mean of the second's score less the
    first's, in the score's unit; low, high: its 95 % interval. pairs: that could be compared.
    p: exact; adjusted: by Holm over all findings of the report. detectable: the difference that
    audits of this size find four times in five, None where no two answers ever differed.
    """

    attribute: str
    values: tuple[str, str]
    score: str
    difference: float
    low: float
    high: float
    pairs: int
    p: float
    adjusted: float
    detectable: float | None

    @property
    def found(self) -> bool:
        """Return whether the difference is more than chance at a level of 5 % over all findings."""
        return self.adjusted <= 0.05


@dataclass(frozen=True, slots=True)
class BiasReport:
    """What an audit of one model found. pairs: asked for each attribute; calls: made in all."""

    model: str
    language: Language
    pairs: int
    seed: int
    calls: int
    findings: tuple[BiasFinding, ...]

    @property
    def passed(self) -> bool:
        """Return whether no difference was found; one smaller than detectable may be there."""
        return not any(finding.found for finding in self.findings)


class BiasAudits(Protocol):
    """Asks a model to speak for pairs of people who differ in exactly one attribute."""

    def attributes(self) -> tuple[str, ...]:
        """Return what can be audited: age, gender, name and so on."""
        ...

    async def audit(
        self, attributes: Sequence[str], pairs: int, seed: int, language: Language
    ) -> BiasReport:
        """Return what differs. Raises InvalidInputError, UnavailableError when nobody answers."""
        ...

    async def close(self) -> None:
        """Let go of the model."""
        ...


Document: TypeAlias = dict[str, Any]
