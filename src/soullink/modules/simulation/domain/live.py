"""One course, step by step: the batch of one behind a run that people watch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from soullink.kernel.language import Language
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.api import (
    ACTS,
    FACTORS,
    Appraisal,
    Episode,
    FloatArray,
    Pair,
    PersonState,
    Scenario,
    Topic,
)
from soullink.modules.simulation.domain import course, environment, flow, memory, randomness
from soullink.modules.simulation.domain.course import Conditions, EpisodeArrays
from soullink.modules.simulation.domain.dynamics import Situation, class_name
from soullink.modules.simulation.domain.layout import N_TRAIT, Person, Shared
from soullink.modules.simulation.domain.turn import Batch, TurnArrays

DIGITS = 6
"""Decimals kept in records; the equations themselves run at full precision."""


@dataclass(frozen=True, slots=True)
class BareTurn:
    """A turn before anybody has put it into words; fields as in api.Turn.

    heard: what the speaker last took the other for, a name of ActClass, or None. previous: index
    of the other's last act, or None.
    """

    episode: int
    sequence: int
    speaker: int
    act: int
    distribution: Mapping[str, float]
    seed: int
    topic: Topic
    interrupted: bool
    double: bool
    minute: float
    day: float
    heard: str | None
    previous: int | None
    appraisal: Appraisal
    before: Pair
    after: Pair
    conflict: float
    positions: tuple[float, float] | None
    memories: tuple[str, ...]
    events: tuple[str, ...]


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


def trait_arrays(personas: tuple[Persona, Persona]) -> tuple[FloatArray, FloatArray]:
    """Return means and standard deviations of both, each (2, 11), in the order of layout.Trait."""
    means, sds = np.zeros((2, N_TRAIT)), np.zeros((2, N_TRAIT))
    for row, persona in enumerate(personas):
        estimates = [
            *(persona.traits[name] for name in DOMAINS),
            persona.anxiety,
            persona.avoidance,
            *(persona.values[name] for name in HIGHER_ORDER_VALUES),
        ]
        means[row] = [estimate.mean for estimate in estimates]
        sds[row] = [estimate.sd for estimate in estimates]
    return means, sds


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


class LiveCourse:
    """Lives one course; ask for openings, turns and closings in that order."""

    def __init__(self, batch: Batch, scenarios: Sequence[Scenario], conditions: Conditions) -> None:
        self.batch = batch
        self.scenarios = scenarios
        self._conditions = conditions
        self._number = 0
        self._record: EpisodeArrays | None = None
        self._opening: Opening | None = None
        self._turns: Iterator[TurnArrays] = iter(())

    @property
    def over(self) -> bool:
        """Return whether no episode is left to live."""
        return self._number >= len(self.scenarios) or not bool(self.batch.alive[0])

    def open(self) -> Opening:
        """Let time pass and set the scene of the next episode."""
        previous = self.scenarios[self._number - 1] if self._number else None
        scenario = self.scenarios[self._number]
        self._number += 1
        record, situation = course.open_episode(
            self.batch, scenario, previous, self._number, self._conditions
        )
        self._record = record
        self._start(scenario, situation, record)
        happened = record.happened[0]
        self._opening = Opening(
            number=self._number,
            scenario=scenario,
            day=_kept(record.days[0], 2),
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

    def _start(self, scenario: Scenario, situation: Situation, record: EpisodeArrays) -> None:
        self._turns = course.live_turns(
            self.batch, scenario, self._number, situation, record, self._conditions
        )

    def _loads(self, person: int) -> Mapping[str, float]:
        row = self.batch.people[0, person]
        return {name: _kept(row[Person.LOAD + number]) for number, name in enumerate(FACTORS)}

    def states(self) -> Pair:
        """Return both people's states now."""
        return _pair(self.batch.people[0])

    def turn(self) -> BareTurn | None:
        """Take the next turn of the episode; None when it is over."""
        taken = next(self._turns, None)
        return None if taken is None else self._bare(taken)

    def _bare(self, taken: TurnArrays) -> BareTurn:
        scenario = self.scenarios[self._number - 1]
        speaker, act = int(taken.speaker[0]), int(taken.act[0])
        sequence = int(taken.pair[0, Shared.TURNS])
        reading = taken.reading
        heard = int(taken.before[0, speaker, Person.HEARD])
        previous = int(taken.before[0, 1 - speaker, Person.LAST_ACT])
        positions = None
        if scenario.decision is not None:
            positions = (
                _kept(taken.after[0, 0, Person.POSITION]),
                _kept(taken.after[0, 1, Person.POSITION]),
            )
        return BareTurn(
            episode=self._number,
            sequence=sequence,
            speaker=speaker,
            act=act,
            distribution={
                str(name): _kept(p) for name, p in zip(ACTS, taken.probabilities[0], strict=True)
            },
            seed=randomness.turn_seed(int(self.batch.keys[0, speaker]), self._number, sequence),
            topic=scenario.topic,
            interrupted=bool(taken.interrupted[0]),
            double=bool(taken.double[0]),
            minute=_kept(taken.pair[0, Shared.MINUTE], 2),
            day=float(taken.pair[0, Shared.DAY]),
            heard=None if heard < 0 else class_name(heard),
            previous=None if previous < 0 else previous,
            appraisal=Appraisal(
                perceived=class_name(int(reading.perceived[0])),
                misread=bool(reading.misread[0]),
                affect=_kept(reading.affect[0]),
                needs={
                    "connection": _kept(reading.connection[0]),
                    "autonomy": _kept(reading.autonomy[0]),
                    "esteem": _kept(reading.esteem[0]),
                },
                threat=_kept(reading.threat[0]),
                values=_kept(reading.values[0]),
            ),
            before=_pair(taken.before[0]),
            after=_pair(taken.after[0]),
            conflict=_kept(taken.pair[0, Shared.CONFLICT]),
            positions=positions,
            memories=_strongest(taken.recalled[0]),
            events=_events(scenario, taken),
        )

    def close(self) -> Episode:
        """Settle the episode whose turns are used up."""
        if self._record is None or self._opening is None:
            raise RuntimeError("no episode is open")
        record, opening = self._record, self._opening
        course.close_episode(self.batch, opening.scenario, self._number, record)
        outcome = int(record.outcome[0])
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
            turns=int(record.turns[0].sum()),
            outcome=opening.scenario.outcomes[outcome].id,
            success=float(record.success[0]),
            resolution=flow.RESOLUTIONS[int(record.resolution[0])],
            ended_by=flow.ENDINGS[int(record.ending[0])],
            farewell=None if self.batch.alive[0] else int(record.left_by[0]),
        )


def _kept(value: float, digits: int = DIGITS) -> float:
    """Return a number as records keep it: rounded, and never a negative zero."""
    return round(float(value), digits) + 0.0


def _pair(people: FloatArray) -> Pair:
    first, second = (
        PersonState(*(_kept(value) for value in people[person, :6])) for person in (0, 1)
    )
    return first, second


def _strongest(weight: FloatArray, limit: int = 3) -> tuple[str, ...]:
    """Return the keys "aspect/topic" of the memories that came back, strongest first."""
    flat = weight.ravel()
    order = np.lexsort((np.arange(flat.size), -flat))[:limit]
    return tuple(memory.key_at(int(cell)) for cell in order if flat[cell] > 0.0)


def _events(scenario: Scenario, taken: TurnArrays) -> tuple[str, ...]:
    fired = [t.id for number, t in enumerate(scenario.triggers) if taken.fired[0, number]]
    if taken.paused[0]:
        fired.append("time_out")
    if taken.arbitrated[0]:
        fired.append("deadline")
    return tuple(fired)


def between_text(event: str, names: tuple[str, str], language: Language) -> str:
    """Return what a life event "0:deadline" says, with the person's name."""
    person, _, name = event.partition(":")
    return environment.EVENT_INDEX[name].text[language].replace("{name}", names[int(person)])
