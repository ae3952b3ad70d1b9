"""Scenarios and interventions as the arrays that the kernel reads."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from soullink.modules.simulation.api import (
    ACTS,
    CONDITION_VARIABLES,
    DEMANDS,
    FACTORS,
    STATE_VARIABLES,
    TOPICS,
    Condition,
    FloatArray,
    Intervention,
    Scenario,
    Stage,
)
from soullink.modules.simulation.domain import dynamics, environment, randomness
from soullink.modules.simulation.domain.fast.drive import Plan
from soullink.modules.simulation.domain.fast.maths import LOG2_E
from soullink.modules.simulation.domain.fast.rows import (
    ACT_PURPOSE,
    FLOOR,
    MINUTE_PURPOSE,
    MISREAD,
    MISREAD_SIGN,
    MOOD_PURPOSE,
    TRIGGERS_MOST,
)
from soullink.modules.simulation.domain.flow import PAUSE_MINUTES
from soullink.modules.simulation.domain.layout import N_PERSON, N_SHARED, Person
from soullink.modules.simulation.domain.memory import RELEVANCE_ELSEWHERE
from soullink.modules.simulation.domain.randomness import KeyArray

NO_BOUND: Final = 1e30
DRAWN: Final = (
    (FLOOR, 0), (MINUTE_PURPOSE, 0), (MOOD_PURPOSE, 0), (MOOD_PURPOSE, 1), (ACT_PURPOSE, 0),
    (MISREAD, 0), (MISREAD_SIGN, 0),
)  # fmt: skip
"""Purpose and number of every draw of a turn."""


def _counters(episodes: int, turns: int) -> KeyArray:
    """Return the hashed counters of the draws of every turn, (E, turns + 1, 7)."""
    episode = np.arange(1, episodes + 1, dtype=np.uint64)[:, None, None]
    turn = np.arange(turns + 1, dtype=np.uint64)[None, :, None]
    drawn = np.array([(purpose << 48) | n for purpose, n in DRAWN], dtype=np.uint64)
    shifted = (episode << np.uint64(32)) | (turn << np.uint64(16))
    return randomness.mix(shifted | drawn)


def _first_meeting() -> FloatArray:
    """Return what a first meeting adds to each act, asked of `dynamics.allowed` itself."""
    situation = dynamics.Situation(
        demands=np.zeros((1, len(DEMANDS))),
        scenario_acts=np.zeros(len(ACTS)),
        goal_acts=np.zeros((1, 2, len(ACTS))),
        decides=False,
        fewest=4,
        most=8,
        strain=np.zeros((1, 2)),
        misreading=np.ones((1, 2)),
    )
    speaker = np.zeros((1, N_PERSON))
    speaker[:, (Person.LAST_ACT, Person.LAST_ACT_2)] = -1.0
    pair, answers = np.zeros((1, N_SHARED)), np.array([-1])
    first, later = (
        dynamics.allowed(speaker, pair, situation, stage, answers)[0] for stage in (True, False)
    )
    odds: FloatArray = first - later
    return odds


def _effects(effects: Sequence[Any], most: int) -> FloatArray:
    out = np.zeros((most, len(STATE_VARIABLES)))
    for n, effect in enumerate(effects):
        out[n] = [getattr(effect, name) for name in STATE_VARIABLES]
    return out


def _conditions(
    groups: Sequence[Sequence[Condition]], most: int, width: int
) -> tuple[Any, Any, FloatArray, FloatArray]:
    counts = np.zeros(most, dtype=np.int64)
    which = np.zeros((most, width), dtype=np.int64)
    low, high = np.full((most, width), -NO_BOUND), np.full((most, width), NO_BOUND)
    for row, group in enumerate(groups):
        counts[row] = len(group)
        for n, condition in enumerate(group):
            which[row, n] = CONDITION_VARIABLES.index(condition.variable)
            if condition.at_least is not None:
                low[row, n] = condition.at_least
            if condition.at_most is not None:
                high[row, n] = condition.at_most
    return counts, which, low, high


def _younger(scenarios: Sequence[Scenario], episode: int) -> bool:
    """Return whether a memory may be younger than the beginning of the episode."""
    days = 0.0
    for earlier in reversed(scenarios[:episode]):
        days += round(earlier.gap_days[0], 1)
        if days <= (1.4 * earlier.minutes + PAUSE_MINUTES) / 1440.0:
            return True
    return False


def plan_of(
    scenarios: Sequence[Scenario], arm: Intervention | None, dtype: type[np.floating[Any]]
) -> Plan:
    """Return the arrays of `scenarios`, lived under `arm` if there is one; floats of `dtype`."""
    count = len(scenarios)
    parameters = max((len(s.parameters) for s in scenarios), default=0)
    choices = max((len(p.choices) for s in scenarios for p in s.parameters), default=0)
    outcomes = max(len(s.outcomes) for s in scenarios)
    width = max(
        (
            len(when)
            for s in scenarios
            for when in (*(t.when for t in s.triggers), *(o.when for o in s.outcomes))
        ),
        default=0,
    )
    topics = [topic for topic in TOPICS if any(s.topic is topic for s in scenarios)]
    table = np.zeros((count, parameters, choices, len(DEMANDS)))
    sizes = np.zeros((count, parameters), dtype=np.int64)
    odds = np.zeros((count, 2, 2, len(ACTS)))
    numbers, gaps = np.zeros((count, 7)), np.zeros((count, 2))
    pull = np.zeros((count, len(environment.PULL_NAMES)))
    for e, s in enumerate(scenarios):
        for n, parameter in enumerate(s.parameters):
            sizes[e, n] = len(parameter.choices)
            for m, choice in enumerate(parameter.choices):
                table[e, n, m] = [choice.demands.get(name, 0.0) for name in DEMANDS]
        shared = environment.act_odds(s.acts)
        if s.stage is Stage.FIRST_MEETING:
            shared = shared + _first_meeting()
        odds[e] = shared + np.stack([environment.act_odds(goal.acts) for goal in s.goals])
        if arm is not None:
            odds[e, list(arm.people)] += environment.act_odds(arm.acts)
        decision = s.decision
        numbers[e] = (
            s.minutes / s.turns[1],
            decision is not None,
            0 if decision is None else decision.deadline_turn,
            *s.turns,
            max(s.turns[1] - s.turns[0], 1),
            _younger(scenarios, e),
        )
        if e:
            gaps[e] = scenarios[e - 1].gap_days
        if decision is not None:
            pull[e] = [decision.pull.get(name, 0.0) for name in environment.PULL_NAMES]
    relevance = np.full((count, len(topics)), RELEVANCE_ELSEWHERE)
    for e, s in enumerate(scenarios):
        relevance[e, topics.index(s.topic)] = 1.0
    triggers = [_conditions([t.when for t in s.triggers], TRIGGERS_MOST, width) for s in scenarios]
    ends = [_conditions([o.when for o in s.outcomes], outcomes, width) for s in scenarios]
    trigger_ends, successes = np.zeros((count, TRIGGERS_MOST)), np.zeros((count, outcomes))
    for e, s in enumerate(scenarios):
        trigger_ends[e, : len(s.triggers)] = [t.ends for t in s.triggers]
        successes[e, : len(s.outcomes)] = [o.success for o in s.outcomes]
    extra, misreading = np.zeros(2), np.ones(2)
    if arm is not None:
        extra[list(arm.people)] = arm.stress
        misreading[list(arm.people)] = arm.misreading

    def real(values: Any) -> Any:
        return np.ascontiguousarray(values, dtype=dtype)

    return Plan(
        counters=_counters(count, max(s.turns[1] for s in scenarios)),
        numbers=real(numbers),
        gaps=gaps,
        odds=real(odds.reshape(count, -1) * LOG2_E),  # the kernel's odds are to the base 2
        demands=real([[s.demands.get(name, 0.0) for name in DEMANDS] for s in scenarios]),
        choices=real(table),
        sizes=sizes,
        pressures=real([[s.pressures.get(name, 0.0) for name in FACTORS] for s in scenarios]),
        pull=real(pull),
        slots=np.array([topics.index(s.topic) for s in scenarios], dtype=np.int64),
        relevance=real(relevance),
        topics=len(topics),
        triggers=np.array([len(s.triggers) for s in scenarios], dtype=np.int64),
        trigger_ends=real(trigger_ends),
        trigger_effects=real(
            [_effects([t.effect for t in s.triggers], TRIGGERS_MOST) for s in scenarios]
        ),
        trigger_counts=np.array([t[0] for t in triggers]),
        trigger_which=np.array([t[1] for t in triggers]),
        trigger_low=real([t[2] for t in triggers]),
        trigger_high=real([t[3] for t in triggers]),
        outcomes=np.array([len(s.outcomes) for s in scenarios], dtype=np.int64),
        successes=real(successes),
        outcome_effects=real(
            [_effects([o.effect for o in s.outcomes], outcomes) for s in scenarios]
        ),
        outcome_counts=np.array([t[0] for t in ends]),
        outcome_which=np.array([t[1] for t in ends]),
        outcome_low=real([t[2] for t in ends]),
        outcome_high=real([t[3] for t in ends]),
        extra=real(extra),
        misreading=real(misreading),
    )
