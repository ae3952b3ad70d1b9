"""Sensitivity: what moved the outcome of a run. Part of simulation's contract."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from soullink.kernel.ids import RunId
from soullink.modules.simulation.api import Intervention

OutcomeName: TypeAlias = Literal["together", "satisfaction", "conflict", "again", "trust"]
OUTCOMES: Final[tuple[OutcomeName, ...]] = (
    "together",  # share of courses in which the two are together at the end, 0..1
    "satisfaction",  # mean of both at the end, 0..1
    "conflict",  # the highest level of open conflict in a course, 0..1
    "again",  # share in which both want to meet again after the first episode, 0..1
    "trust",  # mean of both at the end, 0..1
)

Over: TypeAlias = Literal["range", "profile"]
OVERS: Final[tuple[Over, ...]] = ("range", "profile")

MOST_COURSES: Final = 200_000
MOST_MOMENTS: Final = 16
MOST_FUTURES: Final = 5_000


@dataclass(frozen=True, slots=True)
class Change:
    """A change of an outcome with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class FactorEffect:
    """What one thing about one person does, from the lower end of its range to the upper.

    name: a trait, "attraction" (how drawn this person is to the other), "mood", "stress", "trust"
    or "closeness" at the first meeting, or "load_money" and the like. half: half of the range;
    of traits and attraction in standard deviations of people in general, else on the variable's
    own scale. open: standard deviation that the profile leaves of a trait, None of all else.
    """

    person: int
    name: str
    kind: Literal["trait", "attraction", "state", "load"]
    half: float
    open: float | None
    outcomes: Mapping[OutcomeName, Change]


@dataclass(frozen=True, slots=True)
class Group:
    """Sobol indices of a group of inputs, for one outcome.

    name: personality, attachment, values, attraction, start, load or conduct of a person, or
    circumstances (person None). first: share of the variance of the expected outcome that the
    group makes alone; total: with all its interactions. Both 0..1, as far as estimates go.
    interacts: it does a good part of what it does only together with others.
    """

    name: str
    person: int | None
    first: Change
    total: Change
    interacts: bool


@dataclass(frozen=True, slots=True)
class Shares:
    """Which groups make how much of an outcome's variance.

    varied: share of the variance of single courses that all groups together make; the rest is
    chance, and with `over` = "profile" also attraction and life outside. groups: the largest
    total first; empty where what they make cannot be told from chance.
    """

    outcome: OutcomeName
    over: Over
    points: int
    replicas: int
    varied: Change
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class TurningPoint:
    """What one turn or life event of the course shown did: its Shapley value.

    turn: 0 for a life event before `episode`, which `event` names. act, instead: of the turn, as
    it was and as it would else most likely have been.
    """

    episode: int
    turn: int
    person: int
    act: str | None
    instead: str | None
    event: str | None
    outcomes: Mapping[OutcomeName, Change]


@dataclass(frozen=True, slots=True)
class TurningPoints:
    """What the strongest moments of the course shown did, in order of time.

    with_all, without: the outcome expected after them as they were, and without all of them;
    the moments' values sum to the difference. futures: draws of what came after the last.
    """

    points: tuple[TurningPoint, ...]
    with_all: Mapping[OutcomeName, float]
    without: Mapping[OutcomeName, float]
    futures: int


class Sensitivity(Protocol):
    """Finds out what moved a run's outcome, by living it again without words.

    The same run and sizes give the same numbers.
    """

    async def effects(self, run_id: RunId, courses: int) -> tuple[FactorEffect, ...]:
        """Return what each thing about each person does, from about `courses` lives.

        In the order of the run's people. Raises RunNotFoundError, InvalidInputError.
        """
        ...

    async def shares(
        self,
        run_id: RunId,
        outcome: OutcomeName,
        courses: int,
        over: Over = "range",
        interventions: Sequence[Intervention] = (),
    ) -> Shares:
        """Return Sobol indices of an outcome, from about `courses` lives.

        over: "range" varies everything evenly over its range; "profile" the traits alone, as far
        as the profiles leave them open. interventions: tried under "range".
        Raises RunNotFoundError, InvalidInputError.
        """
        ...

    async def turning_points(self, run_id: RunId, most: int, futures: int) -> TurningPoints:
        """Return what the `most` strongest moments of the course shown did.

        Raises RunNotFoundError, InvalidInputError.
        """
        ...
