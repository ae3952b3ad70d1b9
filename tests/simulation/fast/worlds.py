"""Pairs to live with, and the same courses by the NumPy equations beside the compiled ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pytest

from soullink.modules.simulation.api import FloatArray, IntArray, Scenario
from soullink.modules.simulation.domain import (
    course,
    dynamics,
    environment,
    flow,
    memory,
    randomness,
)
from soullink.modules.simulation.domain.course import Conditions
from soullink.modules.simulation.domain.fast import Population
from soullink.modules.simulation.domain.layout import Person, Shared
from soullink.modules.simulation.domain.turn import Batch
from soullink.modules.simulation.scenarios import library

COLUMNS: tuple[tuple[int, Person], ...] = (
    *((n, Person(n)) for n in range(9)),
    (12, Person.THREAT),
    (13, Person.POSITION),
    (14, Person.FELT),
    (16, Person.SATISFACTION),
    (18, Person.HURT),
    (19, Person.GUILT),
    (20, Person.OPENED),
    (21, Person.SIMILARITY),
)
"""Rows of the kernel beside columns of the equations."""


def people(pairs: int, seed: int, sd: float = 0.5) -> Population:
    random = np.random.default_rng(seed)
    return Population(
        means=random.normal(size=(pairs, 2, 11)),
        sds=np.full((pairs, 2, 11), sd),
        likeness=random.uniform(0.0, 0.6, pairs),
        names=random.integers(0, 2**63, (pairs, 2)).astype(np.uint64),
        seed=seed,
    )


def scenarios(*names: str) -> list[Scenario]:
    return [library.get(name) for name in names]


@lru_cache
def every_scenario() -> tuple[Scenario, ...]:
    return tuple(library.shipped())


def keys_of(population: Population, replicas: int, first: int = 0) -> Any:
    """Keys of each pair's replicas, pair by pair, as `randomness.person_keys` makes them."""
    seed = np.array([population.seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)
    numbers = np.arange(first, first + replicas, dtype=np.uint64)
    base = randomness.mix(randomness.mix(seed) + numbers)
    keys = randomness.mix(base[None, :, None] ^ randomness.mix(population.names)[:, None, :])
    return keys.reshape(-1, 2)


def batch_of(population: Population, replicas: int, first: int = 0) -> Batch:
    return course.begin(
        np.repeat(population.means, replicas, axis=0),
        np.repeat(population.sds, replicas, axis=0),
        np.repeat(population.likeness, replicas),
        keys_of(population, replicas, first),
    )


@dataclass
class Lived:
    """What the equations make of it. speakers, acts: (R, E, turns), -1 where none. states:
    (R, E, turns, 2, columns). nearest: (R, E, turns) least distance of any draw or value from the
    threshold it was compared with, in this turn or before; ends: (R, E + 1, 2, columns)."""

    speakers: IntArray
    acts: IntArray
    states: FloatArray
    nearest: FloatArray
    ends: FloatArray
    alive: FloatArray
    outcomes: IntArray
    again: Any


class _Margins:
    """How close each course has come to going another way."""

    def __init__(self, size: int) -> None:
        self.least = np.full(size, np.inf)
        self.rows = np.arange(size)

    def see(self, distance: Any) -> None:
        distance = np.abs(np.asarray(distance))
        if distance.ndim > 1:
            distance = distance.reshape(distance.shape[0], -1).min(axis=1)
        rows = self.rows if distance.shape[0] == self.rows.size else np.arange(self.least.size)
        self.least[rows] = np.minimum(self.least[rows], distance)


@contextmanager
def watched(  # noqa: C901 - one wrapper for each comparison
    margins: _Margins, patch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Let the equations tell how far every decision was from its threshold."""

    def choose(probabilities: FloatArray, draw: FloatArray) -> Any:
        cumulative = np.cumsum(probabilities, axis=1)
        margins.see((cumulative / cumulative[:, -1:])[:, :-1] - draw[:, None])
        return real_choose(probabilities, draw)

    def read(*arguments: Any) -> Any:
        chance, draws = arguments[6], arguments[7]
        margins.see(chance - draws[0])
        listener, traits = arguments[1], arguments[2]
        worse = dynamics.sigmoid(
            0.6 + 0.6 * traits[:, 5] + 0.3 * traits[:, 4]
            - 3.0 * (listener[:, Person.TRUST] - 0.5) - 1.0 * listener[:, Person.MOOD]
        )  # fmt: skip
        margins.see(np.where(draws[0] < chance + 1e-4, worse - draws[1], 1.0))
        return real_read(*arguments)

    def floor(people: Any, traits: Any, pair: Any, draws: Any) -> Any:
        speaker = real_floor(people, traits, pair, draws)
        for step in (1e-5, -1e-5):  # a nudge that turns the decision is a near tie
            nudged = draws.copy()
            nudged[:, 0] += step
            margins.see(np.where(real_floor(people, traits, pair, nudged) == speaker, 1.0, 0.0))
        return speaker

    def holds(conditions: Any, values: Any, n: int) -> Any:
        for condition in conditions:
            for bound in (condition.at_least, condition.at_most):
                if bound is not None:
                    distance = np.abs(values[condition.variable] - bound)
                    # An exact hit of a count or a flag is no accident.
                    counted = condition.variable in ("turn", "silence", "repairs", "disclosures",
                                                     "left", "agreed", "arbitrated")  # fmt: skip
                    margins.see(np.ones(n) if counted else distance)
        return real_holds(conditions, values, n)

    def settled(distance: Any, act: Any) -> Any:
        margins.see(distance - flow.CONSENSUS_DISTANCE)
        return real_settled(distance, act)

    def heated(*arguments: Any) -> Any:
        conflict = real_heated(*arguments)
        margins.see(conflict - flow.ESCALATED_AT)
        return conflict

    def allowed(speaker: Any, pair: Any, *arguments: Any) -> Any:
        margins.see(pair[:, Shared.CONFLICT] - 0.12)
        margins.see(speaker[:, Person.HURT] - 0.1)
        margins.see(speaker[:, Person.GUILT] - 0.08)
        return real_allowed(speaker, pair, *arguments)

    def remember(kept: Any, rows: Any, who: Any, act: Any, topic: int, *felt: Any) -> None:
        affect, threat = felt[0], felt[1]
        salience = np.clip(0.75 * np.abs(affect) + 0.35 * threat, 0.0, 1.0)
        aspect = memory.ASPECT_OF_ACT[act]
        cell = (rows, who, np.maximum(aspect, 0), topic)
        fresh = np.clip(0.5 * memory.SIGN_OF_ACT[act] + 0.5 * affect, -1.0, 1.0)
        near = np.minimum(
            np.abs(salience - memory.NOTICED),
            np.where(
                kept.count[cell] > 0,
                np.minimum(
                    np.abs(kept.valence[cell] * fresh),
                    np.abs(salience - 0.5 * kept.importance[cell]),
                ),
                1.0,
            ),
        )
        margins.see(np.where(aspect >= 0, near, 1.0))
        real_remember(kept, rows, who, act, topic, *felt)

    real_choose, real_read, real_floor = dynamics.choose, dynamics.read, flow.floor
    real_heated, real_allowed, real_remember = dynamics.heated, dynamics.allowed, memory.remember
    real_holds, real_settled = environment.holds, flow.settled
    with patch.context() as inner:
        inner.setattr(dynamics, "choose", choose)
        inner.setattr(dynamics, "read", read)
        inner.setattr(flow, "floor", floor)
        inner.setattr(dynamics, "heated", heated)
        inner.setattr(dynamics, "allowed", allowed)
        inner.setattr(memory, "remember", remember)
        inner.setattr(environment, "holds", holds)
        inner.setattr(flow, "settled", settled)
        yield


def lived(
    population: Population,
    some: list[Scenario],
    replicas: int,
    patch: pytest.MonkeyPatch,
    conditions: Conditions | None = None,
) -> Lived:
    batch = batch_of(population, replicas)
    size, most = batch.size, max(scenario.turns[1] for scenario in some)
    episodes = len(some)
    out = Lived(
        speakers=np.full((size, episodes, most), -1),
        acts=np.full((size, episodes, most), -1),
        states=np.full((size, episodes, most, 2, batch.people.shape[2] + 1), np.nan),
        nearest=np.full((size, episodes, most), np.nan),
        ends=np.zeros((size, episodes + 1, 2, batch.people.shape[2])),
        alive=np.ones((size, episodes + 1)),
        outcomes=np.full((size, episodes), -1),
        again=None,
    )
    out.ends[:, 0] = batch.people
    margins = _Margins(size)
    previous = None
    with watched(margins, patch):
        for e, scenario in enumerate(some):
            given = conditions or Conditions()
            record, situation = course.open_episode(batch, scenario, previous, e + 1, given)
            margins.rows = np.flatnonzero(record.lived)
            turns = course.live_turns(batch, scenario, e + 1, situation, record, given)
            for t, taken in enumerate(turns):
                out.speakers[taken.rows, e, t] = taken.speaker
                out.acts[taken.rows, e, t] = taken.act
                out.states[taken.rows, e, t, :, :-1] = taken.after
                out.states[taken.rows, e, t, 0, -1] = taken.pair[:, Shared.CONFLICT]
                out.states[taken.rows, e, t, 1, -1] = taken.pair[:, Shared.MINUTE]
                out.nearest[taken.rows, e, t] = margins.least[taken.rows]
                over = batch_over(record, taken.rows)
                margins.rows = taken.rows[~over]
            margins.rows = np.arange(size)
            course.close_episode(batch, scenario, e + 1, record)
            out.ends[:, e + 1] = batch.people
            out.alive[:, e + 1] = batch.alive
            out.outcomes[:, e] = record.outcome
            previous = scenario
    out.again = batch.again
    return out


def batch_over(record: Any, rows: Any) -> Any:
    return record.ending[rows] >= 0
