"""Many courses without words, counted as they go."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from soullink.kernel.ids import PersonId
from soullink.modules.personality.api import HIGHER_ORDER_VALUES, UNKNOWN, Persona
from soullink.modules.profiles.api import DOMAINS
from soullink.modules.simulation.api import (
    ACTS,
    STATE_VARIABLES,
    Intervention,
    Replicas,
    Scenario,
)
from soullink.modules.simulation.domain import course, dynamics, live
from soullink.modules.simulation.domain.course import Conditions, Overrides
from soullink.modules.simulation.domain.dynamics import (
    CLASS_OF,
    DISTANT,
    OPEN,
    PLAYFUL,
    REPAIR,
    WARM,
)
from soullink.modules.simulation.domain.layout import STATE, Person, Shared
from soullink.modules.simulation.domain.turn import Batch, TurnArrays

REPAIR_ACCEPTED = 0.28
"""Least appraised affect that counts as accepting: a calm stranger's response to a repair is .3,
somebody hurt, stressed or mistrustful feels less."""


class _Tally:
    """Counts per replica and person; `see` takes one turn of all replicas."""

    def __init__(self, replicas: int) -> None:
        shape = (replicas, 2)
        self.acts = np.zeros((replicas, 2, len(ACTS)), dtype=np.int64)
        (
            self.positive, self.negative, self.repairs, self.accepted, self.pursued,
            self.answered, self.disclosed, self.misreads, self.matched, self.play,
        ) = (np.zeros(shape, dtype=np.int64) for _ in range(10))  # fmt: skip

    def see(self, taken: TurnArrays) -> None:
        r, s, h = taken.rows, taken.speaker, 1 - taken.speaker
        kind = CLASS_OF[taken.act]
        self.acts[r, s, taken.act] += 1
        positive = dynamics.POSITIVE_ACTS[taken.act]
        self.positive[r, s] += positive
        self.negative[r, s] += dynamics.NEGATIVE_ACTS[taken.act]
        repairing = kind == REPAIR
        self.repairs[r, s] += repairing
        self.accepted[r, s] += repairing & (taken.reading.affect >= REPAIR_ACCEPTED)
        waiting = taken.before[np.arange(r.size), h]
        self.pursued[r, h] += (waiting[:, Person.PRESSED] > 0) & (kind == DISTANT)
        self.answered[r, h] += (waiting[:, Person.DISCLOSED] > 0) & np.isin(kind, (WARM, OPEN))
        self.matched[r, h] += (waiting[:, Person.WARMED] > 0) & positive
        self.disclosed[r, s] += dynamics.DEPTH[taken.act] >= 0.4
        self.misreads[r, h] += taken.reading.misread
        self.play[r, s] += kind == PLAYFUL


LIKENESS_OF_STRANGERS = 0.1
"""Share of interests that two strangers have in common; it moves next to nothing."""
MOST_ROWS = 20_000
"""Courses computed together at most: bounds the memory, not the result."""


def of_pair(
    personas: tuple[Persona, Persona],
    alike: float,
    seed: int,
    count: int,
    scenarios: Sequence[Scenario],
    overrides: Overrides,
    interventions: Sequence[Intervention] = (),
) -> tuple[Replicas, ...]:
    """Return `count` replicas of two people as they are, then under each intervention.

    Replica k has number k + 1 (the course shown is number 0) and the same draws in all of them.
    """
    names = (str(personas[0].person), str(personas[1].person))
    together = max(MOST_ROWS // count, 1)
    arms = list(range(-1, len(interventions)))
    found: list[Replicas] = []
    for start in range(0, len(arms), together):
        some = arms[start : start + together]
        batch = live.batch_of(personas, alike, seed, count, 1, sampled=True, repeated=len(some))
        conditions = Conditions(
            tuple(interventions),
            overrides,
            arms=np.repeat(np.array(some, dtype=np.int64), count),
        )
        result = run(batch, names, scenarios, conditions)
        found += [_part(result, slice(n * count, (n + 1) * count)) for n in range(len(some))]
    return tuple(found)


def of_anyone(seed: int, count: int, scenarios: Sequence[Scenario]) -> Replicas:
    """Return `count` replicas of two people of whom nothing is known, in the same scenarios."""
    names = ("anyone", "anyone else")
    first, second = (
        Persona(
            PersonId(name),
            dict.fromkeys(DOMAINS, UNKNOWN),
            {},
            UNKNOWN,
            UNKNOWN,
            dict.fromkeys(HIGHER_ORDER_VALUES, UNKNOWN),
        )
        for name in names
    )
    batch = live.batch_of((first, second), LIKENESS_OF_STRANGERS, seed, count, 1, sampled=True)
    return run(batch, names, scenarios, Conditions())


def _part(whole: Replicas, rows: slice) -> Replicas:
    arrays: dict[str, Any] = {
        name: value[rows]
        for name in Replicas.__dataclass_fields__
        if isinstance(value := getattr(whole, name), np.ndarray)
    }
    return replace(whole, **arrays)


def run(
    batch: Batch,
    people: tuple[str, str],
    scenarios: Sequence[Scenario],
    conditions: Conditions,
) -> Replicas:
    """Live `scenarios` in every course of `batch` to the end and return what came of it."""
    size, episodes = batch.size, len(scenarios)
    tally = _Tally(size)
    states = np.zeros((size, episodes + 1, 2, len(STATE_VARIABLES)))
    states[:, 0] = batch.people[..., STATE]
    days = np.zeros((size, episodes + 1))
    lived = np.zeros((size, episodes), dtype=np.bool_)
    turns = np.zeros((size, episodes, 2), dtype=np.int64)
    peak, success = np.zeros((size, episodes)), np.zeros((size, episodes))
    outcomes = np.full((size, episodes), -1, dtype=np.int64)
    resolutions = np.zeros((size, episodes), dtype=np.int64)
    ended = np.zeros(size, dtype=np.int64)
    left_by = np.full(size, -1, dtype=np.int64)
    previous: Scenario | None = None
    for number, scenario in enumerate(scenarios, start=1):
        if not batch.alive.any():
            break
        record, situation = course.open_episode(batch, scenario, previous, number, conditions)
        for taken in course.live_turns(batch, scenario, number, situation, record, conditions):
            tally.see(taken)
        course.close_episode(batch, scenario, number, record)
        previous = scenario
        column = number - 1
        lived[:, column], turns[:, column] = record.lived, record.turns
        peak[:, column], success[:, column] = record.peak, record.success
        outcomes[:, column], resolutions[:, column] = record.outcome, record.resolution
        over = record.lived & ~batch.alive
        ended[over] = number
        left_by[over] = record.left_by[over]
        states[:, number:] = batch.people[:, None, :, STATE]
        days[:, number:] = batch.pair[:, None, Shared.DAY]
    spoken = np.maximum(tally.acts.sum(axis=2), 1)
    return Replicas(
        people=people,
        scenarios=tuple(scenario.id for scenario in scenarios),
        states=states,
        days=days,
        lived=lived,
        ended=ended,
        left_by=left_by,
        turns=turns,
        acts=tally.acts,
        positive=tally.positive,
        negative=tally.negative,
        repairs=tally.repairs,
        repairs_accepted=tally.accepted,
        pursue_withdraw=tally.pursued,
        answered=tally.answered,
        disclosures=tally.disclosed,
        misreads=tally.misreads,
        matched=tally.matched,
        conflict_peak=peak,
        success=success,
        outcomes=outcomes,
        resolutions=resolutions,
        satisfaction=batch.people[..., Person.SATISFACTION].copy(),
        again=batch.again.copy(),
        attraction=batch.drawn.copy(),
        fun=tally.play / spoken,
        perceived_similarity=batch.people[..., Person.SIMILARITY].copy(),
    )
