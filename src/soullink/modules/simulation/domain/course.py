"""Courses as arrays: R times the same two people (or R pairs) through the same scenarios.

The course that is shown turn by turn is a batch of one; replicas are a batch of many. Both run
the equations of this file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from soullink.modules.simulation.api import (
    BoolArray,
    FloatArray,
    IntArray,
    Intervention,
    Scenario,
)
from soullink.modules.simulation.domain import (
    attraction,
    dynamics,
    environment,
    memory,
    randomness,
)
from soullink.modules.simulation.domain.dynamics import Situation
from soullink.modules.simulation.domain.flow import Ending, Resolution
from soullink.modules.simulation.domain.layout import (
    LOADS,
    N_PERSON,
    N_SHARED,
    Person,
    Shared,
    Trait,
)
from soullink.modules.simulation.domain.memory import MemoryArrays
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.randomness import KeyArray, Purpose
from soullink.modules.simulation.domain.turn import Batch, TurnArrays, take_turn


@dataclass(slots=True)
class EpisodeArrays:
    """One episode in all R courses; rows of courses that did not live it hold -1 or 0.

    choices: drawn parameters. roles: (R, 2). ending, resolution, outcome: (R,). success: (R,).
    lived: (R,). peak: (R,). happened: (R, 2, life events) before it. counts: see Tally.
    """

    choices: list[IntArray]
    roles: IntArray
    days: FloatArray
    happened: BoolArray
    before: FloatArray
    lived: BoolArray
    ending: IntArray
    resolution: IntArray
    outcome: IntArray
    success: FloatArray
    peak: FloatArray
    turns: IntArray
    left_by: IntArray

    @staticmethod
    def of(batch: Batch) -> "EpisodeArrays":
        """Return an episode that begins as the batch stands, with nothing drawn for it yet."""
        replicas = batch.size
        minus = np.full(replicas, -1, dtype=np.int64)
        return EpisodeArrays(
            choices=[],
            roles=np.zeros((replicas, 2), dtype=np.int64),
            days=batch.pair[:, Shared.DAY].copy(),
            happened=np.zeros((replicas, 2, len(environment.LIFE_EVENTS)), dtype=np.bool_),
            before=batch.people.copy(),
            lived=batch.alive.copy(),
            ending=minus.copy(),
            resolution=np.zeros(replicas, dtype=np.int64),
            outcome=minus.copy(),
            success=np.zeros(replicas),
            peak=np.zeros(replicas),
            turns=np.zeros((replicas, 2), dtype=np.int64),
            left_by=minus,
        )


Overrides = Mapping[tuple[int, int], Mapping[str, float | IntArray]]
"""By (episode, turn): changes like {"0.mood": -0.5, "1.act": 17.0} set before the turn; an act may
be another one in each course, shape (R,)."""

STATE_KEYS = {
    "mood": Person.MOOD,
    "arousal": Person.AROUSAL,
    "stress": Person.STRESS,
    "trust": Person.TRUST,
    "closeness": Person.CLOSENESS,
    "commitment": Person.COMMITMENT,
}


@dataclass(frozen=True, slots=True)
class Conditions:
    """What courses are lived under besides their people.

    interventions: all of them hold in every course, or with `arms`, shape (R,), only the one
    whose index stands there, none where it is -1. without: by episode, life events that are kept
    from happening before it, shape (R, 2, life events).
    """

    interventions: tuple[Intervention, ...] = ()
    overrides: Overrides = field(default_factory=dict)
    arms: IntArray | None = None
    without: Mapping[int, BoolArray] = field(default_factory=dict)

    def where(self, number: int, replicas: int) -> BoolArray:
        """Return in which courses intervention `number` holds, shape (R,)."""
        if self.arms is None:
            return np.ones(replicas, dtype=np.bool_)
        held: BoolArray = self.arms == number
        return held


def begin(
    means: FloatArray,
    sds: FloatArray,
    likeness: FloatArray,
    keys: KeyArray,
    actor_keys: KeyArray | None = None,
    p: Parameters = CURRENT,
) -> Batch:
    """Return R courses before anything happened.

    means, sds: (R, 2, 11) of the traits; sd 0 takes the mean itself. likeness: (R,) how much of
    interests and values the two share, 0..1. keys: (R, 2). actor_keys: keys of choosiness and
    appeal, (R, 2), where the same people meet several others; else `keys`. p: the free numbers that
    these courses are lived by.
    """
    replicas = means.shape[0]
    env = randomness.pair_keys(keys)
    traits = means.copy()
    if sds.any():
        draws = np.stack(
            [randomness.normal(keys, Purpose.TRAIT, n=number) for number in range(len(Trait))],
            axis=2,
        )
        traits = means + sds * draws
    general = attraction.general(keys if actor_keys is None else actor_keys, p)
    sparks = attraction.spark(keys, env, p)
    drawn = (general + np.sqrt(p.pair_share) * sparks).clip(-3.0, 3.0)
    people = np.zeros((replicas, 2, N_PERSON))
    anxious, avoidant = traits[..., Trait.ANXIETY], traits[..., Trait.AVOIDANCE]
    people[..., LOADS] = np.stack(
        [0.12 + 0.3 * randomness.uniform(keys, Purpose.LOAD, n=number) for number in range(4)],
        axis=2,
    )
    people[..., Person.MOOD] = dynamics.set_point(traits) + 0.06 * drawn
    people[..., Person.AROUSAL] = 0.35 + 0.03 * drawn
    people[..., Person.STRESS] = (
        0.12
        + p.stress_of_load * people[..., LOADS].mean(axis=2)
        + 0.04 * traits[..., Trait.NEUROTICISM]
    )
    # The insecure trust strangers less (Mikulincer 1998); the agreeable more.
    people[..., Person.TRUST] = (
        0.42 - 0.03 * anxious - 0.03 * avoidant + 0.03 * traits[..., Trait.AGREEABLENESS]
    )
    people[..., Person.CLOSENESS] = 0.1 + 0.025 * drawn - 0.015 * avoidant
    people[..., Person.COMMITMENT] = 0.05 + 0.02 * drawn
    people[..., Person.SATISFACTION] = 0.5 + 0.05 * drawn
    # Perceived likeness goes with liking (r about .4); actual likeness hardly enters it.
    people[..., Person.SIMILARITY] = (
        0.45
        + p.similarity_liking * drawn
        + 0.06 * (likeness[:, None] - 0.3)
        + 0.12 * randomness.normal(keys, Purpose.SIMILARITY)
    )
    people[..., Person.HEARD] = -1.0
    people[..., Person.LAST_ACT] = -1.0
    people[..., Person.LAST_ACT_2] = -1.0
    people[..., Person.SIMILARITY] = people[..., Person.SIMILARITY].clip(0.0, 1.0)
    standing = randomness.normal(keys, Purpose.SENSITIVITY)
    people[..., Person.SENSITIVITY] = (1.0 + p.sensitivity_sd * standing).clip(0.1, 3.0)
    return Batch(
        people=dynamics.bounded(people),
        pair=np.zeros((replicas, N_SHARED)),
        traits=traits,
        memory=MemoryArrays.empty(replicas),
        general=general,
        sparks=sparks,
        drawn=drawn,
        keys=keys,
        env=env,
        alive=np.ones(replicas, dtype=np.bool_),
        again=np.zeros((replicas, 2), dtype=np.bool_),
        parameters=p,
    )


def open_episode(
    batch: Batch, scenario: Scenario, previous: Scenario | None, number: int, conditions: Conditions
) -> tuple[EpisodeArrays, Situation]:
    """Let time pass, then set the scene of episode `number` in all courses."""
    replicas = batch.size
    happened = np.zeros((replicas, 2, len(environment.LIFE_EVENTS)), dtype=np.bool_)
    if previous is not None:
        low, high = previous.gap_days
        gap = low + (high - low) * randomness.uniform(batch.env, Purpose.GAP, number)
        gap = np.round(gap, 1)
        extra = np.zeros((replicas, 2))
        for index, change in enumerate(conditions.interventions):
            held = conditions.where(index, replicas)
            for person in change.people:
                extra[held, person] += change.stress
        people, happened = environment.pass_time(
            batch.people,
            batch.traits,
            batch.memory,
            batch.keys,
            number,
            gap,
            extra,
            batch.parameters,
            conditions.without.get(number),
        )
        batch.people = np.where(batch.alive[:, None, None], people, batch.people)
        happened &= batch.alive[:, None, None]
        batch.pair[:, Shared.DAY] += np.where(batch.alive, gap, 0.0)
    choices = environment.parameters_of(scenario, batch.env, number)
    roles = environment.roles_of(batch.keys, number)
    people = batch.people
    people[..., Person.POSITION] = environment.positions_of(
        scenario, batch.traits, batch.keys, number
    )
    for column in (Person.LAST_ACT, Person.LAST_ACT_2, Person.HEARD):
        people[..., column] = -1.0
    for column in (
        Person.THREAT, Person.FELT, Person.HEARD_TURNS, Person.DISCLOSED, Person.PRESSED,
        Person.WARMED, Person.SPOKEN,
    ):  # fmt: skip
        people[..., column] = 0.0
    day = batch.pair[:, Shared.DAY].copy()
    batch.pair[:] = 0.0
    batch.pair[:, Shared.DAY] = day
    batch.pair[:, Shared.SPEAKER] = -1.0
    # What still hurts is in the room before the first word.
    batch.pair[:, Shared.CONFLICT] = 0.4 * people[..., Person.HURT].max(axis=1)
    situation = environment.situation_of(scenario, choices, roles, people)
    for index, change in enumerate(conditions.interventions):
        environment.intervene(situation, change, conditions.where(index, replicas))
    record = EpisodeArrays.of(batch)
    record.choices, record.roles, record.happened = choices, roles, happened
    return record, situation


def live_turns(
    batch: Batch,
    scenario: Scenario,
    number: int,
    situation: Situation,
    record: EpisodeArrays,
    conditions: Conditions,
) -> Iterator[TurnArrays]:
    """Live the episode turn by turn until it is over in every course."""
    rows = np.flatnonzero(record.lived)
    fired = np.zeros((batch.size, len(scenario.triggers)), dtype=np.bool_)
    sequence = 0
    while rows.size:
        sequence += 1
        for key, value in conditions.overrides.get((number, sequence), {}).items():
            override(batch, rows, key, value)
        forced = conditions.overrides.get((number, sequence), {})
        taken, over = take_turn(batch, scenario, number, sequence, situation, rows, fired, forced)
        record.turns[taken.rows, taken.speaker] += 1
        done = over >= 0
        record.ending[rows[done]] = over[done]
        left = done & (over == Ending.LEFT)
        record.left_by[rows[left]] = taken.speaker[left]
        yield taken
        rows = rows[~done]


def override(batch: Batch, rows: IntArray, key: str, value: float | IntArray) -> None:
    """Set a person's state in the courses `rows`; an act is forced when the turn is taken."""
    person, name = key.split(".", 1)
    if name in STATE_KEYS:
        batch.people[rows, int(person), STATE_KEYS[name]] = value
        dynamics.bounded(batch.people)


def close_episode(batch: Batch, scenario: Scenario, number: int, record: EpisodeArrays) -> None:
    """Settle the outcome, what stays behind, and whether each of the two goes on."""
    lived = record.lived
    people, pair = batch.people, batch.pair
    values = environment.variables(people, pair, environment.looked_at(scenario.outcomes))
    open_outcome = lived.copy()
    for index, outcome in enumerate(scenario.outcomes):
        hit = environment.holds(outcome.when, values, batch.size) & open_outcome
        record.outcome[hit] = index
        record.success[hit] = outcome.success
        open_outcome &= ~hit
        if hit.any():
            people = environment.affected(people, outcome.effect, hit)
    record.resolution[:] = _resolutions(scenario, pair, lived)
    record.peak[:] = np.where(lived, pair[:, Shared.PEAK], 0.0)
    felt = people[..., Person.FELT] / np.maximum(people[..., Person.HEARD_TURNS], 1.0)
    standard = randomness.normal(batch.keys, Purpose.SATISFACTION)
    people = _look_back(people, batch.traits, felt, record.success, standard, batch.parameters)
    batch.people = np.where(lived[:, None, None], people, batch.people)
    memory.reflect(batch.memory, np.flatnonzero(lived), pair[lived, Shared.DAY])
    if number == 1:
        batch.again = attraction.wants_again(batch.general, batch.sparks, felt, batch.parameters)
    leaves = stay_hazard(batch, number) & lived[:, None]
    stormed = (
        lived
        & (pair[:, Shared.LEFT] > 0)
        & (batch.people[..., Person.COMMITMENT].max(axis=1) < 0.2)
    )
    ended = leaves.any(axis=1) | stormed
    # Who ends it: the one whose reasons are stronger where both would.
    weaker = np.where(
        batch.people[:, 0, Person.SATISFACTION] <= batch.people[:, 1, Person.SATISFACTION], 0, 1
    )
    by = np.where(leaves.all(axis=1), weaker, np.where(leaves[:, 1], 1, 0))
    record.left_by[ended & ~stormed] = by[ended & ~stormed]
    batch.alive &= ~(ended & lived)


def _resolutions(scenario: Scenario, pair: FloatArray, lived: BoolArray) -> IntArray:
    if scenario.decision is None:
        escalated = (pair[:, Shared.ESCALATED] > 0) & lived
        return np.where(escalated, int(Resolution.ESCALATION), int(Resolution.NONE))
    out = np.full(pair.shape[0], int(Resolution.OPEN))
    out = np.where(pair[:, Shared.ARBITRATED] > 0, int(Resolution.ARBITRATION), out)
    out = np.where(pair[:, Shared.ESCALATED] > 0, int(Resolution.ESCALATION), out)
    out = np.where(pair[:, Shared.AGREED] > 0, int(Resolution.CONSENSUS), out)
    return np.where(lived, out, int(Resolution.NONE))


def _look_back(
    people: FloatArray,
    traits: FloatArray,
    felt: FloatArray,
    success: FloatArray,
    standard: FloatArray,
    p: Parameters = CURRENT,
) -> FloatArray:
    """Return people with satisfaction and commitment renewed after an episode.

    Commitment follows the investment model (Rusbult 1980; Le & Agnew 2003): satisfaction,
    closeness as investment, less for the avoidant. standard: (n, 2) comparison levels (Thibaut &
    Kelley 1959), standard normal: the same evening satisfies one person more than another. Strain
    crosses over: a partner's stress and hurt cost one's own satisfaction too (Westman 2001).
    """
    new, other = people.copy(), people[:, ::-1]
    now = (
        0.56
        + p.satisfaction_felt * (felt - 0.22)
        + p.satisfaction_closeness * (people[..., Person.CLOSENESS] - 0.3)
        + 0.3 * (people[..., Person.TRUST] - 0.5)
        - p.satisfaction_stress * (people[..., Person.STRESS] - 0.25)
        - p.satisfaction_hurt * people[..., Person.HURT]
        - p.satisfaction_of_other * (other[..., Person.STRESS] - 0.25 + other[..., Person.HURT])
        + p.satisfaction_success * success[:, None]
        + p.comparison_sd * standard
    ).clip(
        0.0,
        1.0,
    )
    satisfaction = 0.55 * people[..., Person.SATISFACTION] + 0.45 * now
    new[..., Person.SATISFACTION] = satisfaction
    target = (
        0.55 * satisfaction
        + 0.6 * people[..., Person.CLOSENESS]
        - 0.08 * traits[..., Trait.AVOIDANCE]
        + 0.03 * traits[..., Trait.CONSCIENTIOUSNESS]
        - 0.12
    ).clip(
        0.0,
        1.0,
    )
    new[..., Person.COMMITMENT] += 0.35 * (target - people[..., Person.COMMITMENT])
    return dynamics.bounded(new)


def stay_hazard(batch: Batch, number: int) -> BoolArray:
    """Return who ends the relationship after episode `number`, (R, 2)."""
    people, p = batch.people, batch.parameters
    chance = dynamics.sigmoid(
        -4.6
        + p.stay_satisfaction * (0.45 - people[..., Person.SATISFACTION])
        - 2.5 * people[..., Person.COMMITMENT]
        + 1.5 * people[..., Person.HURT]
        - 0.5 * batch.drawn
    )
    out: BoolArray = randomness.uniform(batch.keys, Purpose.STAY, number) < chance
    return out
