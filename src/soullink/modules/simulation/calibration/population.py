"""A population of couples: random pairs that live through the courses that ship.

Traits, attachment and values are standard normal and independent, likeness of interests is
uniform on 0 to .6. Scenarios are those the product itself chooses for two people of whom only
the names are known. Everything follows from the seed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Final

import numpy as np

from soullink.kernel.ids import PersonId
from soullink.modules.profiles.api import Profile
from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    BoolArray,
    FloatArray,
    IntArray,
    Scenario,
    Stage,
)
from soullink.modules.simulation.domain import course, dynamics
from soullink.modules.simulation.domain.layout import N_TRAIT, STATE, Person, Shared
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters, together
from soullink.modules.simulation.domain.turn import Batch, TurnArrays
from soullink.modules.simulation.scenarios import generator, library

EPISODES: Final = 5
ARCS, PAIRS = 40, 25
"""Courses of scenarios, and pairs for each: 1,000 courses."""
N_CLASS: Final = len(dynamics.CLASS_VALENCE)


def arc(number: int, seed: int) -> list[Scenario]:
    """Return the scenarios the product chooses for the `number`th two strangers."""
    people = (Profile(PersonId("first"), "First"), Profile(PersonId("second"), "Second"))
    ids = generator.choose(people, EPISODES, seed + number, library.shipped())
    return [library.get(name) for name in ids]


def strangers(
    size: int, random: np.random.Generator, many: Sequence[Parameters] = (CURRENT,)
) -> Batch:
    """Return `size` random pairs before anything happened, all traits known.

    The same pairs once for each of `many`, one set of them after the other.
    """
    means = random.normal(size=(size, 2, N_TRAIT))
    keys = random.integers(0, 2**63, size=(size, 2)).astype(np.uint64)
    likeness = random.uniform(0.0, 0.6, size)
    means, keys = np.tile(means, (len(many), 1, 1)), np.tile(keys, (len(many), 1))
    p = many[0] if len(many) == 1 else together(many, size)
    return course.begin(means, np.zeros_like(means), np.tile(likeness, len(many)), keys, p=p)


@dataclass(slots=True)
class Record:
    """What R couples lived through in E episodes.

    opening: (R, E, 2, 6) states when an episode begins. closing: when it ends.
    acts: (R, E, 2, A). answered, disclosed, threat, heard, misread_worse: (R, E, 2).
    replies: (R, 2, classes, 3) own negative, positive, all acts by what was heard before.
    first: (R, E) who spoke first. lived: (R, E). crisis: (R, E) the stage is a crisis.
    harm, good: (R, 2, 2) sums of trust lost or won, and of the affect that did it.
    pursued: (R, 2) how often this person pursued and the other withdrew next. ended: (R,) number
    of the episode after which they parted, 0 while together. satisfaction, similarity (perceived),
    commitment: (R, 2) at the end. again: (R, 2) after the first episode. resolutions: (R, E) by
    flow.Resolution, -1 where not lived. peak: (R, E) of conflict.
    repairs: columns (trust before, affect felt), one row per repair heard.
    tension: (R, E, 2) felt threat, hurt and stress. view: (R, 2) beliefs about the other.
    """

    opening: FloatArray
    closing: FloatArray
    acts: IntArray
    answered: IntArray
    disclosed: IntArray
    threat: FloatArray
    heard: IntArray
    misread_worse: IntArray
    replies: IntArray
    first: IntArray
    lived: BoolArray
    crisis: BoolArray
    harm: FloatArray
    good: FloatArray
    tension: FloatArray
    view: FloatArray
    pursued: IntArray
    ended: IntArray
    satisfaction: FloatArray
    similarity: FloatArray
    commitment: FloatArray
    again: BoolArray
    resolutions: IntArray
    peak: FloatArray
    repairs: list[FloatArray] = field(default_factory=list)

    @staticmethod
    def empty(size: int, episodes: int) -> "Record":
        """Return a record of nothing yet."""
        by_person = (size, episodes, 2)

        def counts() -> IntArray:
            return np.zeros(by_person, dtype=np.int64)

        return Record(
            opening=np.zeros((*by_person, len(STATE_VARIABLES))),
            closing=np.zeros((*by_person, len(STATE_VARIABLES))),
            acts=np.zeros((*by_person, len(ACTS)), dtype=np.int64),
            answered=counts(),
            disclosed=counts(),
            threat=np.zeros(by_person),
            heard=counts(),
            misread_worse=counts(),
            replies=np.zeros((size, 2, N_CLASS, 3), dtype=np.int64),
            first=np.full((size, episodes), -1, dtype=np.int64),
            lived=np.zeros((size, episodes), dtype=np.bool_),
            crisis=np.zeros((size, episodes), dtype=np.bool_),
            harm=np.zeros((size, 2, 2)),
            good=np.zeros((size, 2, 2)),
            tension=np.zeros(by_person),
            view=np.zeros((size, 2)),
            pursued=np.zeros((size, 2), dtype=np.int64),
            ended=np.zeros(size, dtype=np.int64),
            satisfaction=np.zeros((size, 2)),
            similarity=np.zeros((size, 2)),
            commitment=np.zeros((size, 2)),
            again=np.zeros((size, 2), dtype=np.bool_),
            resolutions=np.full((size, episodes), -1, dtype=np.int64),
            peak=np.zeros((size, episodes)),
        )

    def see(self, episode: int, taken: TurnArrays) -> None:
        """Count one turn of all courses that are still in the episode."""
        r, s = taken.rows, taken.speaker
        h = 1 - s
        every = np.arange(r.size)
        act, reading = taken.act, taken.reading
        self.acts[r, episode, s, act] += 1
        began = taken.pair[:, Shared.TURNS] == 1
        self.first[r[began], episode] = s[began]
        self.threat[r, episode, h] += reading.threat
        self.heard[r, episode, h] += 1
        worse = dynamics.CLASS_VALENCE[reading.perceived] < dynamics.VALENCE[act]
        self.misread_worse[r, episode, h] += reading.misread & worse
        before = taken.before[every, s, Person.HEARD].astype(np.int64)
        heard = before >= 0
        kinds = (dynamics.NEGATIVE_ACTS[act], dynamics.POSITIVE_ACTS[act], np.ones(r.size, bool))
        for column, hit in enumerate(kinds):
            self.replies[r[heard], s[heard], before[heard], column] += hit[heard]
        waiting = taken.before[every, h, Person.DISCLOSED] > 0
        kind = dynamics.CLASS_OF[act]
        self.disclosed[r, episode, s] += dynamics.DEPTH[act] >= 0.4
        self.answered[r, episode, h] += waiting & np.isin(kind, (dynamics.WARM, dynamics.OPEN))
        change = taken.after[every, h, Person.TRUST] - taken.before[every, h, Person.TRUST]
        for store, hit in ((self.harm, reading.affect < 0), (self.good, reading.affect > 0)):
            store[r[hit], h[hit], 0] += np.abs(change[hit])
            store[r[hit], h[hit], 1] += np.abs(reading.affect[hit])
        pressed = taken.before[every, h, Person.PRESSED] > 0
        self.pursued[r, h] += pressed & (kind == dynamics.DISTANT)
        repair = kind == dynamics.REPAIR
        trust = taken.before[every, h, Person.TRUST]
        self.repairs.append(np.stack([trust[repair], reading.affect[repair]], axis=1))


@dataclass(frozen=True, slots=True)
class Population:
    """R couples, what they are and what they lived through.

    traits: (R, 2, 11). group: (R,) which course of scenarios. member: (R,) by which of several
    sets of numbers they lived.
    """

    traits: FloatArray
    group: IntArray
    member: IntArray
    record: Record

    @property
    def size(self) -> int:
        """Return R."""
        return int(self.group.size)

    def under(self, number: int) -> IntArray:
        """Return the couples that lived by the numbers `number`."""
        return np.flatnonzero(self.member == number)


def live(batch: Batch, scenarios: Sequence[Scenario]) -> Record:
    """Live `scenarios` in every course of `batch` to the end, recording turn by turn."""
    record = Record.empty(batch.size, len(scenarios))
    previous: Scenario | None = None
    calm = course.Conditions()
    for column, scenario in enumerate(scenarios):
        if not batch.alive.any():
            break
        number = column + 1
        opened, situation = course.open_episode(batch, scenario, previous, number, calm)
        record.opening[:, column] = batch.people[..., STATE]
        for taken in course.live_turns(batch, scenario, number, situation, opened, calm):
            record.see(column, taken)
        record.closing[:, column] = batch.people[..., STATE]
        threat = record.threat[:, column] / np.maximum(record.heard[:, column], 1)
        record.tension[:, column] = (
            threat + batch.people[..., Person.HURT] + batch.people[..., Person.STRESS]
        )
        course.close_episode(batch, scenario, number, opened)
        record.lived[:, column] = opened.lived
        record.resolutions[:, column] = np.where(opened.lived, opened.resolution, -1)
        record.peak[:, column] = opened.peak
        record.crisis[:, column] = scenario.stage == Stage.CRISIS
        record.ended[opened.lived & ~batch.alive] = number
        previous = scenario
    record.view[:] = batch.memory.beliefs.mean(axis=2)
    record.satisfaction[:] = batch.people[..., Person.SATISFACTION]
    record.similarity[:] = batch.people[..., Person.SIMILARITY]
    record.commitment[:] = batch.people[..., Person.COMMITMENT]
    record.again[:] = batch.again
    return record


def populate(
    seed: int, arcs: int = ARCS, pairs: int = PAIRS, many: Sequence[Parameters] = (CURRENT,)
) -> Population:
    """Return arcs x pairs couples who lived through the courses the product chooses.

    The same couples once for each of `many`: see Population.under.
    """
    random = np.random.default_rng(seed)
    traits, records = [], []
    for number in range(arcs):
        batch = strangers(pairs, random, many)
        traits.append(batch.traits)
        records.append(live(batch, arc(number, seed)))
    return Population(
        traits=np.concatenate(traits),
        group=np.repeat(np.arange(arcs), pairs * len(many)),
        member=np.tile(np.repeat(np.arange(len(many)), pairs), arcs),
        record=_joined(records),
    )


def _joined(records: list[Record]) -> Record:
    parts = {
        part.name: np.concatenate([getattr(record, part.name) for record in records])
        for part in fields(Record)
        if part.name != "repairs"
    }
    return Record(**parts, repairs=[rows for record in records for rows in record.repairs])
