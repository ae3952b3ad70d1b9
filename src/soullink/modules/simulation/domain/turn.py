"""One turn in many courses at once: the floor, the act, how it is taken, what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from soullink.modules.simulation.api import (
    TOPICS,
    Act,
    BoolArray,
    FloatArray,
    IntArray,
    Scenario,
    Stage,
)
from soullink.modules.simulation.domain import (
    dynamics,
    environment,
    flow,
    memory,
    randomness,
)
from soullink.modules.simulation.domain.acts import INDEX
from soullink.modules.simulation.domain.dynamics import CLASS_OF, Reading, Situation
from soullink.modules.simulation.domain.flow import Ending
from soullink.modules.simulation.domain.layout import (
    Person,
    Shared,
)
from soullink.modules.simulation.domain.memory import MemoryArrays
from soullink.modules.simulation.domain.parameters import CURRENT, Parameters
from soullink.modules.simulation.domain.randomness import KeyArray, Moment, Purpose


@dataclass(slots=True)
class Batch:
    """R courses as they stand. Changed in place by the functions of this file.

    people: (R, 2, columns). pair: (R, columns). traits: (R, 2, 11). drawn: (R, 2) attraction.
    general, sparks: (R, 2) its parts. keys: (R, 2). env: (R,). alive: (R,) the relationship goes
    on. again: (R, 2) after the first episode. parameters: the equations' free numbers.
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
    parameters: Parameters = CURRENT

    @property
    def size(self) -> int:
        """Return R."""
        return int(self.people.shape[0])


@dataclass(frozen=True, slots=True)
class TurnArrays:
    """One turn in those courses that are still in the episode, n of them.

    rows: (n,) index into the batch. before, after: (n, 2, columns). fired: (n, triggers).
    paused: the situation called a time-out; arbitrated: it settled the decision.
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
    paused: BoolArray
    arbitrated: BoolArray
    recalled: FloatArray


def _forced_acts(
    act: IntArray, speaker: IntArray, forced: Mapping[str, float | IntArray], rows: IntArray
) -> IntArray:
    for person in (0, 1):
        if f"{person}.act" in forced:
            wanted = np.asarray(forced[f"{person}.act"], dtype=np.int64)
            act = np.where(speaker == person, wanted[rows] if wanted.ndim else wanted, act)
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


def take_turn(
    batch: Batch,
    scenario: Scenario,
    number: Moment,
    turn: Moment,
    full: Situation,
    rows: IntArray,
    fired: BoolArray,
    forced: Mapping[str, float | IntArray],
) -> tuple[TurnArrays, IntArray]:
    """Take the next turn in the courses `rows` of the batch, in place.

    number, turn: of the episode and of the turn in it, both from 1; of all courses or, where
    `rows` are all of them, of each. fired: (R, triggers), those
    that have fired already; changed in place. forced: overrides of this turn, e.g. {"1.act": 4},
    or acts of all R courses, shape (R,).
    Returns the turn and the Ending of each course, shape (n,).
    """
    n = rows.size
    every = np.arange(n)
    p = batch.parameters.at(rows)
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
    cuts, picks, misreads, worse, *moods, wait = randomness.uniforms(
        (
            (s_keys, Purpose.INTERRUPT, 0),
            (s_keys, Purpose.ACT, 0),
            (h_keys, Purpose.MISREAD, 0),
            (h_keys, Purpose.MISREAD_SIGN, 0),
            *((keys_of, Purpose.MOOD, n) for keys_of in (h_keys, s_keys) for n in (0, 1)),
            (env, Purpose.MINUTE, 0),
        ),
        number,
        turn,
    )
    h_noise, s_noise = randomness.normal_of(*moods[:2]), randomness.normal_of(*moods[2:])
    begun = pair[:, Shared.SPEAKER] >= 0
    interrupted = (
        begun & ~double & (cuts < flow.interruption_chance(s, s_traits, pair[:, Shared.CONFLICT]))
    )
    gap = np.abs(s[:, Person.POSITION] - h[:, Person.POSITION]) / 2.0
    undecided = pair[:, Shared.AGREED] + pair[:, Shared.ARBITRATED] == 0
    disagreement = np.where(undecided & situation.decides, gap, 0.0)

    twice, both = np.concatenate((rows, rows)), np.concatenate((speaker, listener))
    weight, signal, hurt = memory.recalled(
        batch.memory, twice, both, topic, np.concatenate((day, day))
    )
    respected = batch.memory.beliefs[rows, speaker, memory.Aspect.RESPECT]
    x = dynamics.features(
        s,
        s_traits,
        pair,
        situation,
        batch.drawn[rows, speaker],
        (signal[:n], hurt[:n]),
        respected,
        disagreement,
    )
    answers = np.where(begun & ~double, h[:, Person.LAST_ACT].astype(np.int64), -1)
    extra = (
        situation.scenario_acts
        + situation.goal_acts[every, speaker]
        + dynamics.allowed(s, pair, situation, scenario.stage is Stage.FIRST_MEETING, answers)
    )
    probabilities = dynamics.distribution(dynamics.utilities(x, extra, p))
    act = dynamics.choose(probabilities, picks)
    act = _forced_acts(act, speaker, forced, rows)

    reading = dynamics.read(
        act,
        h,
        h_traits,
        situation.demands[:, 0],
        signal[n:],
        disagreement,
        dynamics.misread_chance(h, h_traits, pair[:, Shared.CONFLICT])
        * situation.misreading[every, listener],
        (misreads, worse),
    )
    strain = situation.strain[every, listener]
    heard = dynamics.hear(h, h_traits, s[:, Person.MOOD], act, reading, strain, h_noise, p)
    spoke = dynamics.act_on_self(s, s_traits, act, s_noise, p)
    spoke[:, Person.POSITION], heard[:, Person.POSITION] = flow.moved(s, h, act)
    people[every, speaker], people[every, listener] = spoke, heard
    memory.remember(batch.memory, rows, listener, act, topic, reading.affect, reading.threat, day)

    minutes = (scenario.minutes / situation.most) * (0.6 + 0.8 * wait)
    pair[:, Shared.MINUTE] += minutes
    was_closing = pair[:, Shared.CLOSING] > 0
    _count(pair, act, reading, double, speaker, p)
    people, paused, arbitrated = _resolve(scenario, people, pair, act)
    people, ends, fired_now = _triggers(scenario, people, pair, fired, rows)
    over = flow.ending(pair, act, was_closing, situation.most)
    over = np.where((over < 0) & ends, int(Ending.TRIGGER), over)
    pair[:, Shared.LEFT] = np.where(over == Ending.LEFT, 1.0, pair[:, Shared.LEFT])
    batch.people[rows], batch.pair[rows] = people, pair
    return TurnArrays(
        rows, speaker, act, probabilities, reading, interrupted, double, before, people, pair,
        fired_now, paused, arbitrated, weight[:n],
    ), over  # fmt: skip


def _count(
    pair: FloatArray,
    act: IntArray,
    reading: Reading,
    double: BoolArray,
    speaker: IntArray,
    p: Parameters,
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
    conflict = dynamics.heated(pair[:, Shared.CONFLICT], act, reading.perceived, reading.affect, p)
    pair[:, Shared.CONFLICT] = conflict
    pair[:, Shared.PEAK] = np.maximum(pair[:, Shared.PEAK], conflict)


def _resolve(
    scenario: Scenario, people: FloatArray, pair: FloatArray, act: IntArray
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return people after conflict resolution, and where it paused them and where it decided."""
    loud = pair[:, Shared.CONFLICT] >= flow.ESCALATED_AT
    paused = loud & (pair[:, Shared.ESCALATED] == 0)
    pair[:, Shared.ESCALATED] = np.maximum(pair[:, Shared.ESCALATED], loud)
    people = flow.cooled(people, pair, paused)
    before = pair[:, Shared.ARBITRATED] > 0
    if scenario.decision is not None:
        _decide(people, pair, act, scenario.decision.deadline_turn)
    return people, paused, (pair[:, Shared.ARBITRATED] > 0) & ~before


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
    values = environment.variables(people, pair, environment.looked_at(scenario.triggers))
    for number, trigger in enumerate(scenario.triggers):
        hit = environment.holds(trigger.when, values, n) & ~fired[rows, number]
        if hit.any():
            now[:, number] = hit
            fired[rows[hit], number] = True
            people = environment.affected(people, trigger.effect, hit)
            ends |= hit & trigger.ends
    return people, ends, now
