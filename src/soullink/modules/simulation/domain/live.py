"""One course, step by step: the batch of one behind a run that people watch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.api import (
    FACTORS,
    BoolArray,
    Episode,
    FloatArray,
    IntArray,
    Pair,
    Scenario,
)
from soullink.modules.simulation.domain import (
    course,
    environment,
    flow,
    packed,
    randomness,
    together,
)
from soullink.modules.simulation.domain.bare import BareTurn, kept, states_of, turns
from soullink.modules.simulation.domain.course import Conditions, EpisodeArrays
from soullink.modules.simulation.domain.dynamics import Situation
from soullink.modules.simulation.domain.kept import Kept
from soullink.modules.simulation.domain.layout import N_TRAIT, Person
from soullink.modules.simulation.domain.parameters import Parameters
from soullink.modules.simulation.domain.turn import Batch, take_turn


@dataclass(frozen=True, slots=True)
class Opening:
    """The scene of an episode; fields as in api.Episode."""

    number: int
    scenario: Scenario
    day: float
    parameters: Mapping[str, str]
    roles: tuple[int, int]
    loads: tuple[Mapping[str, float], Mapping[str, float]]
    between: tuple[str, ...]
    before: Pair


@dataclass(slots=True)
class Underway:
    """An episode that has a next turn.

    sequence: of its last turn. fired: (1, triggers). turns: taken by each person. stays: what no
    turn of it changes, once turns are taken together (packed.py).
    """

    scenario: Scenario
    number: int
    situation: Situation
    fired: BoolArray
    sequence: int = 0
    turns: list[int] = field(default_factory=lambda: [0, 0])
    stays: FloatArray | None = None


def trait_arrays(personas: tuple[Persona, Persona]) -> tuple[FloatArray, FloatArray]:
    """Return means and standard deviations of both, each (2, 11), in the order of layout.Trait."""
    rows = [_estimates(persona) for persona in personas]
    return np.array([means for means, _ in rows]), np.array([sds for _, sds in rows])


def _estimated(persona: Persona) -> tuple[list[float], list[float]]:
    estimates = [
        *(persona.traits[name] for name in DOMAINS),
        persona.anxiety,
        persona.avoidance,
        *(persona.values[name] for name in HIGHER_ORDER_VALUES),
    ]
    return [estimate.mean for estimate in estimates], [estimate.sd for estimate in estimates]


_estimates: Final = Kept(_estimated, 256)


def likeness(left: Sequence[str], right: Sequence[str]) -> float:
    """Return how much two lists of interests overlap, 0.0..1.0 (Szymkiewicz-Simpson)."""
    a = {text.casefold().strip() for text in left}
    b = {text.casefold().strip() for text in right}
    return len(a & b) / min(len(a), len(b)) if a and b else 0.0


def batch_of(
    personas: tuple[Persona, Persona],
    alike: float,
    seed: int,
    replicas: int,
    first: int,
    *,
    sampled: bool,
    repeated: int = 1,
) -> Batch:
    """Return `replicas` courses of two people before anything happened.

    first: number of the first replica; the course shown is number 0. sampled: draw traits from
    what is known of them; else take the means, which for unknown traits is the population's.
    repeated: how often the whole block of replicas stands below itself.
    """
    means, sds = trait_arrays(personas)
    names = (str(personas[0].person), str(personas[1].person))
    shape = (replicas * repeated, 2, N_TRAIT)
    return course.begin(
        np.broadcast_to(means, shape),
        np.broadcast_to(sds if sampled else np.zeros_like(sds), shape),
        np.full(replicas * repeated, alike),
        np.tile(randomness.person_keys(seed, names, replicas, first), (repeated, 1)),
    )


def batches_of(
    pairs: Sequence[tuple[tuple[Persona, Persona], float, int]],
) -> list[Batch]:
    """Return the courses shown of many runs, each as `batch_of` returns it, begun in one go.

    pairs: personas, likeness and seed of each run.
    """
    if not pairs:
        return []
    keys = [
        randomness.person_keys(seed, (str(one.person), str(other.person)), 1)
        for (one, other), _, seed in pairs
    ]
    means = np.stack([trait_arrays(personas)[0] for personas, _, _ in pairs])
    alike = np.array([likeness for _, likeness, _ in pairs])
    return together.parted(course.begin(means, np.zeros_like(means), alike, np.concatenate(keys)))


class LiveCourse:
    """Lives one course; ask for openings, turns and closings in that order."""

    def __init__(self, batch: Batch, scenarios: Sequence[Scenario], conditions: Conditions) -> None:
        self.scenarios = scenarios
        self._batch = batch
        self._conditions = conditions
        self._number = 0
        self._record: EpisodeArrays | None = None
        self._opening: Opening | None = None
        self.underway: Underway | None = None
        # What turns have changed, where they were taken together with others (packed.py), until
        # somebody asks for the batch.
        self._changes: FloatArray | None = None
        # Both people's states now, until somebody may have changed them.
        self._states: Pair | None = None

    @property
    def batch(self) -> Batch:
        """Return the course as it stands, to be looked at and changed."""
        if self._changes is not None:
            fired = packed.give(self._changes, self._batch)
            if self.underway is not None:
                self.underway.fired = fired
        self._changes = self._states = None
        return self._batch

    @property
    def over(self) -> bool:
        """Return whether no episode is left to live."""
        return self._number >= len(self.scenarios) or not bool(self._batch.alive[0])

    @property
    def parameters(self) -> Parameters:
        """Return the numbers that the course is lived by."""
        return self._batch.parameters

    def open(self) -> Opening:
        """Let time pass and set the scene of the next episode."""
        previous = self.scenarios[self._number - 1] if self._number else None
        scenario = self.scenarios[self._number]
        self._number += 1
        record, situation = course.open_episode(
            self.batch, scenario, previous, self._number, self._conditions
        )
        self._record = record
        if record.lived[0]:
            fired = np.zeros((1, len(scenario.triggers)), dtype=np.bool_)
            self.underway = Underway(scenario, self._number, situation, fired)
        happened = record.happened[0]
        self._opening = Opening(
            number=self._number,
            scenario=scenario,
            day=kept(record.days[0], 2),
            parameters={
                parameter.name: parameter.choices[int(picked[0])].id
                for parameter, picked in zip(scenario.parameters, record.choices, strict=True)
            },
            roles=(int(record.roles[0, 0]), int(record.roles[0, 1])),
            loads=(self._loads(0), self._loads(1)),
            between=tuple(
                f"{person}:{event.id}"
                for index, event in enumerate(environment.LIFE_EVENTS)
                for person in (0, 1)
                if happened[person, index]
            ),
            before=self.states(),
        )
        return self._opening

    def _loads(self, person: int) -> Mapping[str, float]:
        row = self._batch.people[0, person]
        return {name: kept(row[Person.LOAD + number]) for number, name in enumerate(FACTORS)}

    def states(self) -> Pair:
        """Return both people's states now."""
        if self._states is None:
            changes = self._changes
            people = self._batch.people[0] if changes is None else packed.people_of(changes)
            self._states = states_of(people)
        return self._states

    def turn(self) -> BareTurn | None:
        """Take the next turn of the episode; None when it is over."""
        return turns_of((self,))[0]

    def forced(self, underway: "Underway") -> Mapping[str, float | IntArray]:
        """Return what a fork has set for the next turn."""
        return self._conditions.overrides.get((underway.number, underway.sequence + 1), {})

    def rows(self, underway: Underway) -> tuple[FloatArray, FloatArray]:
        """Return what turns change of this course and what they do not, as rows (packed.py)."""
        changes, stays = self._changes, underway.stays
        if changes is None:
            changes = packed.changing(self._batch, underway.fired)
        if stays is None:
            stays = underway.stays = packed.staying(self._batch, underway.situation)
        return changes, stays

    def noted(self, bare: BareTurn, over: int, changes: FloatArray | None) -> None:
        """Keep account of a turn just taken. changes: the row after it, where it was packed."""
        underway, record = self.underway, self._record
        if underway is None or record is None:
            raise RuntimeError("no episode is open")
        if changes is not None:
            self._changes = changes
        self._states = bare.after
        underway.turns[bare.speaker] += 1
        if over >= 0:
            self.underway = None
            record.turns[0] = underway.turns
            record.ending[0] = over
            if over == flow.Ending.LEFT:
                record.left_by[0] = bare.speaker

    def close(self) -> Episode:
        """Settle the episode whose turns are used up."""
        return closings_of((self,))[0]

    def ended(self) -> tuple[Opening, EpisodeArrays]:
        """Return the episode whose turns are used up, to be settled."""
        if self._record is None or self._opening is None or self.underway is not None:
            raise RuntimeError("no episode is at its end")
        return self._opening, self._record

    def settled(self, opening: Opening, record: EpisodeArrays, row: int) -> Episode:
        """Return the episode that was settled in `row` of the record."""
        outcome = int(record.outcome[row])
        return Episode(
            number=opening.number,
            scenario=opening.scenario,
            day=opening.day,
            parameters=opening.parameters,
            roles=opening.roles,
            loads=opening.loads,
            between=opening.between,
            before=opening.before,
            after=self.states(),
            turns=int(record.turns[row].sum()),
            outcome=opening.scenario.outcomes[outcome].id,
            success=float(record.success[row]),
            resolution=flow.RESOLUTIONS[int(record.resolution[row])],
            ended_by=flow.ENDINGS[int(record.ending[row])],
            farewell=None if self._batch.alive[0] else int(record.left_by[row]),
        )


def closings_of(courses: Sequence[LiveCourse]) -> list[Episode]:
    """Settle the episode of each course whose turns are used up, in one go where they can."""
    found: dict[int, Episode] = {}
    groups: dict[tuple[int, int, int], list[int]] = {}
    for place, one in enumerate(courses):
        opening, _ = one.ended()
        company = (id(opening.scenario), opening.number, id(one.parameters))
        groups.setdefault(company, []).append(place)
    for places in groups.values():
        alike = [courses[place] for place in places]
        openings, records = zip(*[one.ended() for one in alike], strict=True)
        batch, record = alike[0].batch, records[0]
        if len(alike) > 1:
            batch = together.joined([one.batch for one in alike])
            record = together.joined_records(records)
        course.close_episode(batch, openings[0].scenario, openings[0].number, record)
        for row, (place, one, opening) in enumerate(zip(places, alike, openings, strict=True)):
            if len(alike) > 1:
                together.part_settled(batch, row, one.batch)
            found[place] = one.settled(opening, record, row)
    return [found[place] for place in range(len(courses))]


def turns_of(courses: Sequence[LiveCourse]) -> list[BareTurn | None]:
    """Take the next turn of each course, in one go where they can; None where an episode is over.

    What a course does is the same whoever is taken along; see together.py.
    """
    found: list[BareTurn | None] = [None] * len(courses)
    groups: dict[tuple[int, int, int], list[int]] = {}
    for place, one in enumerate(courses):
        underway = one.underway
        if underway is not None:
            # Scenarios are shared by all courses that were read with the same one.
            alone = place if one.forced(underway) else -1
            company = (id(underway.scenario), id(one.parameters), alone)
            groups.setdefault(company, []).append(place)
    for places in groups.values():
        for place, bare in zip(places, _take([courses[place] for place in places]), strict=True):
            found[place] = bare
    return found


def _take(courses: list[LiveCourse]) -> list[BareTurn]:
    """Take the next turn of courses in one scenario; more than one where no fork changes it."""
    underway = [one.underway for one in courses if one.underway is not None]
    if len(underway) > 1:
        return _take_together(courses, underway)
    one, first = courses[0], underway[0]
    forced, row, batch = one.forced(first), np.zeros(1, dtype=np.int64), one.batch
    first.sequence += 1
    for key, value in forced.items():
        course.override(batch, row, key, value)
    before, at = one.states(), (first.number, first.sequence)
    taken, over = take_turn(batch, first.scenario, *at, first.situation, row, first.fired, forced)
    seeds = [randomness.turn_seed(int(batch.keys[0, taken.speaker[0]]), *at)]
    (bare,) = turns(taken, first.scenario, [first.number], seeds, [before])
    one.noted(bare, int(over[0]), None)
    return [bare]


def _take_together(courses: list[LiveCourse], underway: list[Underway]) -> list[BareTurn]:
    first, count = underway[0], len(underway)
    for episode in underway:
        episode.sequence += 1
    numbers = [episode.number for episode in underway]
    at = np.array(numbers), np.array([episode.sequence for episode in underway])
    changes, stays = zip(*map(LiveCourse.rows, courses, underway), strict=True)
    joint = packed.Packed(changes, stays, (courses[0].parameters, first.situation))
    before = [one.states() for one in courses]
    taken, over = take_turn(
        joint.batch, first.scenario, *at, joint.situation, np.arange(count), joint.fired, {}
    )
    seeds = randomness.turn_seeds(joint.batch.keys[taken.rows, taken.speaker], *at)
    found = turns(taken, first.scenario, numbers, seeds, before)
    for one, bare, ending, row in zip(courses, found, over.tolist(), joint.rows(), strict=True):
        one.noted(bare, ending, row)
    return found


def between_text(event: str, names: tuple[str, str], language: Language) -> str:
    """Return what a life event "0:deadline" says, with the person's name."""
    person, _, name = event.partition(":")
    return environment.EVENT_INDEX[name].text[language].replace("{name}", names[int(person)])
