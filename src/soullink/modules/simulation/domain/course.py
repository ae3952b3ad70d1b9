"""Courses as arrays: R times the same two people (or R pairs) through the same scenarios.

The course that is shown turn by turn is a batch of one; replicas are a batch of many. Both run
the equations of this file.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from soullink.modules.simulation.api import (
    TOPICS,
    Act,
    BoolArray,
    FloatArray,
    IntArray,
    Intervention,
    Scenario,
    Stage,
)
from soullink.modules.simulation.domain import (
    attraction,
    dynamics,
    environment,
    flow,
    memory,
    randomness,
)
from soullink.modules.simulation.domain.acts import INDEX
from soullink.modules.simulation.domain.dynamics import CLASS_OF, Reading, Situation
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
from soullink.modules.simulation.domain.randomness import KeyArray, Purpose


@dataclass(slots=True)
class Batch:
    """R courses as they stand. Changed in place by the functions of this file.

    people: (R, 2, columns). pair: (R, columns). traits: (R, 2, 11). drawn: (R, 2) attraction.
    general, sparks: (R, 2) its parts. keys: (R, 2). env: (R,). alive: (R,) the relationship goes
    on. again: (R, 2) after the first episode.
    """

    people: FloatArray
    pair: FloatArray
    traits: FloatArray
    memory: MemoryArrays
    general: FloatArray
    sparks: FloatArray
    drawn: FloatArray
    keys: KeyArray
    env: KeyArray
    alive: BoolArray
    again: BoolArray

    @property
    def size(self) -> int:
        """Return R."""
        return int(self.people.shape[0])


@dataclass(frozen=True, slots=True)
class TurnArrays:
    """One turn in those courses that are still in the episode, n of them.

    rows: (n,) index into the batch. before, after: (n, 2, columns). fired: (n, triggers).
    settled: the turn brought consensus. A = number of acts.
    """

    rows: IntArray
    speaker: IntArray
    act: IntArray
    probabilities: FloatArray
    reading: Reading
    interrupted: BoolArray
    double: BoolArray
    before: FloatArray
    after: FloatArray
    pair: FloatArray
    fired: BoolArray
    recalled: FloatArray


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


Overrides = Mapping[tuple[int, int], Mapping[str, float]]
"""By (episode, turn): changes like {"0.mood": -0.5, "1.act": 17.0} set before the turn."""

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
    """What a course is lived under besides its people: interventions and overrides."""

    interventions: tuple[Intervention, ...] = ()
    overrides: Overrides = field(default_factory=dict)


def begin(
    means: FloatArray,
    sds: FloatArray,
    likeness: FloatArray,
    keys: KeyArray,
    actor_keys: KeyArray | None = None,
) -> Batch:
    """Return R courses before anything happened.

    means, sds: (R, 2, 11) of the traits; sd 0 takes the mean itself. likeness: (R,) how much of
    interests and values the two share, 0..1. keys: (R, 2). actor_keys: keys of choosiness and
    appeal, (R, 2), where the same people meet several others; else `keys`.
    """
    replicas = means.shape[0]
    env = randomness.pair_keys(keys)
    draws = np.stack(
        [randomness.normal(keys, Purpose.TRAIT, n=number) for number in range(len(Trait))], axis=2
    )
    traits = means + sds * draws
    general = attraction.general(keys if actor_keys is None else actor_keys)
    sparks = attraction.spark(keys, env)
    drawn = np.clip(general + np.sqrt(attraction.PAIR_SHARE) * sparks, -3.0, 3.0)
    people = np.zeros((replicas, 2, N_PERSON))
    anxious, avoidant = traits[..., Trait.ANXIETY], traits[..., Trait.AVOIDANCE]
    people[..., LOADS] = np.stack(
        [0.12 + 0.3 * randomness.uniform(keys, Purpose.LOAD, n=number) for number in range(4)],
        axis=2,
    )
    people[..., Person.MOOD] = dynamics.set_point(traits) + 0.06 * drawn
    people[..., Person.AROUSAL] = 0.35 + 0.03 * drawn
    people[..., Person.STRESS] = (
        0.12 + 0.55 * people[..., LOADS].mean(axis=2) + 0.04 * traits[..., Trait.NEUROTICISM]
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
        + 0.09 * drawn
        + 0.06 * (likeness[:, None] - 0.3)
        + 0.12 * randomness.normal(keys, Purpose.SIMILARITY)
    )
    people[..., Person.HEARD] = -1.0
    people[..., Person.LAST_ACT] = -1.0
    people[..., Person.LAST_ACT_2] = -1.0
    people[..., Person.SIMILARITY] = np.clip(people[..., Person.SIMILARITY], 0.0, 1.0)
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
        for change in conditions.interventions:
            for person in (0, 1) if change.person is None else (change.person,):
                extra[:, person] += change.stress
        people, happened = environment.pass_time(
            batch.people, batch.traits, batch.memory, batch.keys, number, gap, extra
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
    situation = environment.situation_of(scenario, choices, roles, people, conditions.interventions)
    minus = np.full(replicas, -1, dtype=np.int64)
    return EpisodeArrays(
        choices=choices,
        roles=roles,
        days=day,
        happened=happened,
        before=people.copy(),
        lived=batch.alive.copy(),
        ending=minus.copy(),
        resolution=np.zeros(replicas, dtype=np.int64),
        outcome=minus.copy(),
        success=np.zeros(replicas),
        peak=np.zeros(replicas),
        turns=np.zeros((replicas, 2), dtype=np.int64),
        left_by=minus.copy(),
    ), situation


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
    turn = 0
    while rows.size:
        turn += 1
        for key, value in conditions.overrides.get((number, turn), {}).items():
            _override(batch, rows, key, value)
        forced = conditions.overrides.get((number, turn), {})
        taken, over = _one_turn(batch, scenario, number, turn, situation, rows, fired, forced)
        record.turns[taken.rows, taken.speaker] += 1
        done = over >= 0
        record.ending[rows[done]] = over[done]
        left = done & (over == Ending.LEFT)
        record.left_by[rows[left]] = taken.speaker[left]
        yield taken
        rows = rows[~done]


def _override(batch: Batch, rows: IntArray, key: str, value: float) -> None:
    person, name = key.split(".", 1)
    if name in STATE_KEYS:
        batch.people[rows, int(person), STATE_KEYS[name]] = value
        dynamics.bounded(batch.people)


def _forced_acts(act: IntArray, speaker: IntArray, forced: Mapping[str, float]) -> IntArray:
    for person in (0, 1):
        if f"{person}.act" in forced:
            act = np.where(speaker == person, int(forced[f"{person}.act"]), act)
    return act


def _narrow(situation: Situation, rows: IntArray) -> Situation:
    if rows.size == situation.demands.shape[0]:
        return situation
    return Situation(
        demands=situation.demands[rows],
        scenario_acts=situation.scenario_acts,
        goal_acts=situation.goal_acts[rows],
        decides=situation.decides,
        fewest=situation.fewest,
        most=situation.most,
        strain=situation.strain[rows],
        misreading=situation.misreading[rows],
    )


def _one_turn(
    batch: Batch,
    scenario: Scenario,
    number: int,
    turn: int,
    full: Situation,
    rows: IntArray,
    fired: BoolArray,
    forced: Mapping[str, float],
) -> tuple[TurnArrays, IntArray]:
    n = rows.size
    every = np.arange(n)
    situation = _narrow(full, rows)
    people, pair, traits = batch.people[rows], batch.pair[rows], batch.traits[rows]
    keys, env = batch.keys[rows], batch.env[rows]
    before = people.copy()
    topic = TOPICS.index(scenario.topic)
    day = pair[:, Shared.DAY] + pair[:, Shared.MINUTE] / 1440.0

    speaker = flow.floor(
        people, traits, pair, randomness.logistic(keys, Purpose.FLOOR, number, turn)
    )
    for person in (0, 1):
        if f"{person}.act" in forced:
            speaker = np.full(n, person)
    listener = 1 - speaker
    double = pair[:, Shared.SPEAKER] == speaker
    s, s_traits, s_keys = people[every, speaker], traits[every, speaker], keys[every, speaker]
    h, h_traits, h_keys = people[every, listener], traits[every, listener], keys[every, listener]
    begun = pair[:, Shared.SPEAKER] >= 0
    interrupted = (
        begun
        & ~double
        & (
            randomness.uniform(s_keys, Purpose.INTERRUPT, number, turn)
            < flow.interruption_chance(s, s_traits, pair[:, Shared.CONFLICT])
        )
    )
    gap = np.abs(s[:, Person.POSITION] - h[:, Person.POSITION]) / 2.0
    undecided = pair[:, Shared.AGREED] + pair[:, Shared.ARBITRATED] == 0
    disagreement = np.where(undecided & situation.decides, gap, 0.0)

    signal, hurt = memory.recall(batch.memory, rows, speaker, topic, day)
    recalled = memory.weights(batch.memory, rows, speaker, topic, day)
    respected = batch.memory.beliefs[rows, speaker, memory.Aspect.RESPECT]
    x = dynamics.features(
        s,
        s_traits,
        pair,
        situation,
        batch.drawn[rows, speaker],
        (signal, hurt),
        respected,
        disagreement,
    )
    extra = (
        situation.scenario_acts
        + situation.goal_acts[every, speaker]
        + dynamics.allowed(s, pair, situation, scenario.stage is Stage.FIRST_MEETING)
    )
    probabilities = dynamics.distribution(dynamics.utilities(x, extra))
    act = dynamics.choose(probabilities, randomness.uniform(s_keys, Purpose.ACT, number, turn))
    act = _forced_acts(act, speaker, forced)

    listener_signal, _ = memory.recall(batch.memory, rows, listener, topic, day)
    reading = dynamics.read(
        act,
        h,
        h_traits,
        situation.demands[:, 0],
        listener_signal,
        disagreement,
        dynamics.misread_chance(h, h_traits, pair[:, Shared.CONFLICT])
        * situation.misreading[every, listener],
        (
            randomness.uniform(h_keys, Purpose.MISREAD, number, turn),
            randomness.uniform(h_keys, Purpose.MISREAD_SIGN, number, turn),
        ),
    )
    noise = randomness.normal(h_keys, Purpose.MOOD, number, turn)
    heard = dynamics.hear(
        h, h_traits, s[:, Person.MOOD], act, reading, situation.strain[every, listener], noise
    )
    spoke = dynamics.act_on_self(s, s_traits, act)
    spoke[:, Person.POSITION], heard[:, Person.POSITION] = flow.moved(s, h, act)
    people[every, speaker], people[every, listener] = spoke, heard
    memory.remember(batch.memory, rows, listener, act, topic, reading.affect, reading.threat, day)

    was_closing = pair[:, Shared.CLOSING] > 0
    _count(pair, act, reading, double, speaker)
    pair[:, Shared.MINUTE] += (scenario.minutes / situation.most) * (
        0.6 + 0.8 * randomness.uniform(env, Purpose.MINUTE, number, turn)
    )
    if scenario.decision is not None:
        _decide(people, pair, act, scenario.decision.deadline_turn)
    people, ends, fired_now = _triggers(scenario, people, pair, fired, rows)
    over = flow.ending(pair, act, was_closing, situation.most)
    over = np.where((over < 0) & ends, int(Ending.TRIGGER), over)
    pair[:, Shared.LEFT] = np.where(over == Ending.LEFT, 1.0, pair[:, Shared.LEFT])
    batch.people[rows], batch.pair[rows] = people, pair
    return TurnArrays(
        rows, speaker, act, probabilities, reading, interrupted, double, before, people, pair,
        fired_now, recalled,
    ), over  # fmt: skip


def _count(
    pair: FloatArray, act: IntArray, reading: Reading, double: BoolArray, speaker: IntArray
) -> None:
    pair[:, Shared.TURNS] += 1
    pair[:, Shared.ROW] = np.where(double, pair[:, Shared.ROW] + 1, 1)
    pair[:, Shared.SPEAKER] = speaker
    pair[:, Shared.POSITIVE] += dynamics.POSITIVE_ACTS[act]
    pair[:, Shared.NEGATIVE] += dynamics.NEGATIVE_ACTS[act]
    pair[:, Shared.SILENCE] = flow.silence(pair[:, Shared.SILENCE], act)
    pair[:, Shared.REPAIRS] += CLASS_OF[act] == dynamics.REPAIR
    pair[:, Shared.DISCLOSURES] += dynamics.DEPTH[act] >= 0.4
    pair[:, Shared.CLOSING] = np.maximum(pair[:, Shared.CLOSING], act == INDEX[Act.CLOSE])
    conflict = dynamics.heated(pair[:, Shared.CONFLICT], act, reading.perceived, reading.affect)
    pair[:, Shared.CONFLICT] = conflict
    pair[:, Shared.PEAK] = np.maximum(pair[:, Shared.PEAK], conflict)
    pair[:, Shared.ESCALATED] = np.maximum(
        pair[:, Shared.ESCALATED], conflict >= flow.ESCALATION_LEVELS[2]
    )


def _decide(people: FloatArray, pair: FloatArray, act: IntArray, deadline: int) -> None:
    distance = np.abs(people[:, 0, Person.POSITION] - people[:, 1, Person.POSITION]) / 2.0
    undecided = pair[:, Shared.AGREED] + pair[:, Shared.ARBITRATED] == 0
    agreed = undecided & flow.settled(distance, act) & (pair[:, Shared.TURNS] >= 4)
    pair[:, Shared.AGREED] = np.where(agreed, 1.0, pair[:, Shared.AGREED])
    late = undecided & ~agreed & (pair[:, Shared.TURNS] >= deadline)
    pair[:, Shared.ARBITRATED] = np.where(late, 1.0, pair[:, Shared.ARBITRATED])


def _triggers(
    scenario: Scenario, people: FloatArray, pair: FloatArray, fired: BoolArray, rows: IntArray
) -> tuple[FloatArray, BoolArray, BoolArray]:
    n = rows.size
    ends = np.zeros(n, dtype=np.bool_)
    now = np.zeros((n, len(scenario.triggers)), dtype=np.bool_)
    if not scenario.triggers:
        return people, ends, now
    values = environment.variables(people, pair)
    for number, trigger in enumerate(scenario.triggers):
        hit = environment.holds(trigger.when, values, n) & ~fired[rows, number]
        if hit.any():
            now[:, number] = hit
            fired[rows[hit], number] = True
            people = environment.affected(people, trigger.effect, hit)
            ends |= hit & trigger.ends
    return people, ends, now


def close_episode(batch: Batch, scenario: Scenario, number: int, record: EpisodeArrays) -> None:
    """Settle the outcome, what stays behind, and whether each of the two goes on."""
    lived = record.lived
    people, pair = batch.people, batch.pair
    values = environment.variables(people, pair)
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
    people = _look_back(people, batch.traits, felt, record.success)
    batch.people = np.where(lived[:, None, None], people, batch.people)
    memory.reflect(batch.memory, np.flatnonzero(lived), pair[lived, Shared.DAY])
    if number == 1:
        batch.again = attraction.wants_again(batch.general, batch.sparks, felt)
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
    out = np.where(pair[:, Shared.ESCALATED] > 0, int(Resolution.ESCALATION), out)
    out = np.where(pair[:, Shared.ARBITRATED] > 0, int(Resolution.ARBITRATION), out)
    out = np.where(pair[:, Shared.AGREED] > 0, int(Resolution.CONSENSUS), out)
    return np.where(lived, out, int(Resolution.NONE))


def _look_back(
    people: FloatArray, traits: FloatArray, felt: FloatArray, success: FloatArray
) -> FloatArray:
    """Return people with satisfaction and commitment renewed after an episode.

    Commitment follows the investment model (Rusbult 1980; Le & Agnew 2003): satisfaction,
    closeness as investment, less for the avoidant.
    """
    new = people.copy()
    now = np.clip(
        0.5
        + 0.9 * (felt - 0.22)
        + 0.35 * (people[..., Person.CLOSENESS] - 0.3)
        + 0.3 * (people[..., Person.TRUST] - 0.5)
        - 0.3 * (people[..., Person.STRESS] - 0.25)
        - 0.5 * people[..., Person.HURT]
        + 0.06 * success[:, None],
        0.0,
        1.0,
    )
    satisfaction = 0.55 * people[..., Person.SATISFACTION] + 0.45 * now
    new[..., Person.SATISFACTION] = satisfaction
    target = np.clip(
        0.55 * satisfaction
        + 0.6 * people[..., Person.CLOSENESS]
        - 0.08 * traits[..., Trait.AVOIDANCE]
        + 0.03 * traits[..., Trait.CONSCIENTIOUSNESS]
        - 0.12,
        0.0,
        1.0,
    )
    new[..., Person.COMMITMENT] += 0.35 * (target - people[..., Person.COMMITMENT])
    return dynamics.bounded(new)


def stay_hazard(batch: Batch, number: int) -> BoolArray:
    """Return who ends the relationship after episode `number`, (R, 2)."""
    p = batch.people
    chance = dynamics.sigmoid(
        -4.3
        + 9.0 * (0.45 - p[..., Person.SATISFACTION])
        - 2.5 * p[..., Person.COMMITMENT]
        + 1.5 * p[..., Person.HURT]
        - 0.5 * batch.drawn
    )
    out: BoolArray = randomness.uniform(batch.keys, Purpose.STAY, number) < chance
    return out
