"""Analysis: what a lived course tells, with evidence and honest uncertainty.

Nothing else here is public. Every text in a report is in the report's language; `name` fields
are stable codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from soullink.kernel.language import Language
from soullink.modules.simulation.api import Course, Replicas
from soullink.modules.simulation.sensitivity.api import FactorEffect, Shares, TurningPoints

DIMENSIONS: tuple[str, ...] = (
    "warmth",  # kindness and appreciation in what they say to each other
    "understanding",  # disclosures are met; little is misread
    "trust",  # safety with each other
    "conflict",  # how well they argue and repair
    "fun",  # play, shared interests, ease
    "values",  # agreement on what matters and on decisions
    "rhythm",  # balance of closeness and space, of talk, under stress
    "spark",  # being drawn to each other; mostly unknown before a meeting
)

RELATIONSHIP_STATES: tuple[str, ...] = ("strangers", "dating", "committed", "strained", "ended")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A turn that a statement rests on. speaker: 0 or 1. why: one short sentence."""

    episode: int
    turn: int
    speaker: int
    act: str
    quote: str
    why: str


@dataclass(frozen=True, slots=True)
class TraitView:
    """One attribute of a person: percentile 0..100 with an 80 % interval; source as in Estimate."""

    name: str
    title: str
    percentile: float
    low: float
    high: float
    source: str


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person as the report shows them. unknown: what they did not tell, in words."""

    id: str
    name: str
    age: int | None
    pronouns: str | None
    city: str | None
    occupation: str | None
    interests: tuple[str, ...]
    traits: tuple[TraitView, ...]
    attachment: tuple[TraitView, ...]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnView:
    """A turn in short. moods, closeness: of both after it. events: what happened, in words."""

    sequence: int
    speaker: int
    act: str
    act_title: str
    words: str
    inner_thought: str
    interrupted: bool
    misread: bool
    conflict: float
    moods: tuple[float, float]
    closeness: tuple[float, float]
    trust: tuple[float, float]
    stress: tuple[float, float]
    voice_status: str
    events: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpisodeView:
    """An episode in short. day: simulated days since the beginning. success: -1..1."""

    number: int
    scenario: str
    title: str
    stage: str
    setting: str
    day: float
    goals: tuple[str, str]
    outcome: str
    outcome_title: str
    success: float
    resolution: str
    ended_by: str
    between: tuple[str, ...]
    before: Mapping[str, tuple[float, float]]
    after: Mapping[str, tuple[float, float]]
    turns: tuple[TurnView, ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """Compatibility in one respect.

    value, low, high: 0..100, median and 80 % interval over the replicas. here: 0..100, the same
    measure in the course shown. level: "low", "mixed" or "high", or "unclear" when the interval
    is wider than 50 or there are fewer than 50 replicas. rests_on: e.g. "simulated interaction,
    stated traits". summary: one sentence.
    """

    name: str
    title: str
    value: float
    low: float
    high: float
    here: float
    level: str
    rests_on: str
    summary: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """A measure of how they behave. here: in the course shown, for both (or twice the same).

    median, low, high: of the pair over the replicas. unit: "ratio", "share" or "count".
    note: what the literature says of it, with its source.
    """

    name: str
    title: str
    here: tuple[float | None, float | None]
    median: float | None
    low: float | None
    high: float | None
    unit: str
    note: str
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class StateShare:
    """Probability of one relationship state, with a 95 % Wilson interval over the replicas."""

    state: str
    title: str
    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Horizon:
    """The states after an episode. day: median simulated day."""

    episode: int
    day: float
    scenario_title: str
    states: tuple[StateShare, ...]


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """What would change the course: the same replicas with one thing different.

    person: 0, 1 or None for both. effect: change in the probability of being together at the
    end, -1..1, low..high its 95 % paired interval; closeness: change in mean closeness, 0..1 scale.
    """

    name: str
    title: str
    person: int | None
    effect: float
    low: float
    high: float
    closeness: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """How it may go on: horizons over the course, the end, and what would change it most.

    together: at the end of the course, which assumes that they meet again after the first episode.
    again: both would want to. anyone: together for two people of whom nothing is known, in the
    same situations; None where that was not asked.
    """

    summary: str
    horizons: tuple[Horizon, ...]
    together: StateShare
    counterfactuals: tuple[Counterfactual, ...]
    again: StateShare
    anyone: StateShare | None = None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of replicas in bins. edges: one more than counts. here: value of the course shown."""

    name: str
    title: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    here: float


@dataclass(frozen=True, slots=True)
class Moment:
    """A turn that moved them most. change: signed sum of changes in trust and closeness."""

    evidence: Evidence
    change: float
    episode_title: str


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of an outcome with its 95 % interval, in the outcome's own unit, 0..1."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Influence:
    """What one thing does to the outcome.

    kind: "trait", "attraction", "state", "load" (from one end of its range to the other) or
    "conduct" (from as it is to what the title says). person: 0, 1 or None for both.
    told: whether the profile says anything of it; None where no profile could.
    """

    name: str
    title: str
    kind: str
    person: int | None
    told: bool | None
    together: Shift
    satisfaction: Shift


@dataclass(frozen=True, slots=True)
class TurningMoment:
    """What one moment of the course shown did: its Shapley value.

    turn: 0 for a life event before the episode. evidence: the turn itself, None for a life event.
    title: the moment in words. instead: what would else have happened, in words.
    """

    name: str
    title: str
    episode: int
    turn: int
    person: int
    instead: str
    evidence: Evidence | None
    together: Shift
    satisfaction: Shift


@dataclass(frozen=True, slots=True)
class Influences:
    """What would change the outcome most, and what did in the course shown.

    factors: the strongest of `tried`, strongest first. courses: lived for them. moments: the
    largest effect on satisfaction first; their values sum to with_moments less without_moments,
    the satisfaction expected with all of them as they were and without all. futures: draws of
    what came after them.
    """

    summary: str
    factors: tuple[Influence, ...]
    tried: int
    courses: int
    moments: tuple[TurningMoment, ...]
    with_moments: float
    without_moments: float
    futures: int


@dataclass(frozen=True, slots=True)
class Moved:
    """What simulation found to move a run. courses: lived for the effects."""

    effects: tuple[FactorEffect, ...]
    courses: int
    points: TurningPoints


@dataclass(frozen=True, slots=True)
class ExplainedFactor:
    """What one thing does to the outcome that was asked for; fields as in Influence."""

    name: str
    title: str
    kind: str
    person: int | None
    told: bool | None
    change: Shift


@dataclass(frozen=True, slots=True)
class ExplainedGroup:
    """How much of the outcome's variance a group of inputs makes (Sobol indices).

    first: alone. total: with all interactions. interacts: a good part of it only with others.
    """

    name: str
    title: str
    person: int | None
    first: Shift
    total: Shift
    interacts: bool


@dataclass(frozen=True, slots=True)
class ExplainedMoment:
    """What one moment of the course shown did to the outcome; fields as in TurningMoment."""

    title: str
    episode: int
    turn: int
    person: int
    instead: str
    change: Shift


@dataclass(frozen=True, slots=True)
class Explanation:
    """What moved one outcome of a run.

    factors: strongest first. varied: share of the variance of single courses that all groups make
    together. groups: largest total first, empty where nothing can be told from chance. moments:
    strongest first; their changes sum to with_moments less without_moments.
    """

    outcome: str
    outcome_title: str
    over: str
    factors: tuple[ExplainedFactor, ...]
    varied: Shift
    groups: tuple[ExplainedGroup, ...]
    moments: tuple[ExplainedMoment, ...]
    with_moments: float
    without_moments: float
    caveat: str


@dataclass(frozen=True, slots=True)
class Feedback:
    """For one person, in plain words. steps: what this person could try."""

    person: int
    strengths: tuple[str, ...]
    frictions: tuple[str, ...]
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A fork beside its parent. differs_from: (episode, turn) of the first difference."""

    parent: str
    changes: Mapping[str, str]
    differs_from: tuple[int, int] | None
    rows: tuple[tuple[str, str, float, float], ...]
    """name, title, value in the parent, value here."""


@dataclass(frozen=True, slots=True)
class Monitoring:
    """What the run took and how its words fared. statuses, faults: counts by name."""

    turns: int
    calls: int
    input_tokens: int
    output_tokens: int
    cost_nano_usd: int | None
    statuses: Mapping[str, int]
    faults: Mapping[str, int]
    quality: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything the report says. digest: SHA-256 over all but run_id, digest and wall."""

    schema: str
    run_id: str
    seed: int
    voice: str
    language: Language
    versions: Mapping[str, str]
    people: tuple[PersonView, PersonView]
    summary: str
    episodes: tuple[EpisodeView, ...]
    dimensions: tuple[Dimension, ...]
    behaviour: tuple[Behaviour, ...]
    prediction: Prediction
    replicas: int
    histograms: tuple[Histogram, ...]
    moments: tuple[Moment, ...]
    influences: Influences | None
    feedback: tuple[Feedback, Feedback]
    limits: tuple[str, ...]
    monitoring: Monitoring
    comparison: Comparison | None
    digest: str
    wall: Mapping[str, Any]


class Analysis(Protocol):
    """Turns a course and its replicas into a report, and a report into a page."""

    def report(
        self,
        course: Course,
        replicas: Replicas,
        alternatives: Mapping[str, Replicas],
        language: Language,
        parent: Course | None = None,
        *,
        baseline: Replicas | None = None,
        moved: Moved | None = None,
    ) -> Report:
        """Return the report. alternatives: replicas under each of `interventions()`, by id.

        baseline: replicas of two people of whom nothing is known, in the same situations.
        moved: what moved the outcome of this run; None leaves it out.
        """
        ...

    def explanation(
        self,
        course: Course,
        replicas: Replicas,
        alternatives: Mapping[str, Replicas],
        moved: Moved,
        shares: Shares,
        language: Language,
    ) -> Explanation:
        """Return what moved the outcome that `shares` is of. alternatives: as for `report`."""
        ...

    def interventions(self) -> list[Any]:
        """Return the Interventions (simulation.api) to try out as counterfactuals."""
        ...

    def document(self, report: Report) -> dict[str, Any]:
        """Return the report as plain JSON data that follows `schema()`."""
        ...

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema (2020-12) of `document`."""
        ...

    def page(self, report: Report) -> str:
        """Return the report as one self-contained HTML page in its language."""
        ...
