"""Where each number of a tile of trajectories stands: one row of L lanes for each.

The columns of `domain.layout`, turned round: a tile is an array (N_ROWS, L), so that a step of a
turn is a loop over lanes. Person 1's columns stand P1 rows below person 0's. What an act is "not
yet done" is NO_ACT, one past the last act, so that every table has a row for it.
"""

from typing import Final

import numpy as np

from soullink.modules.simulation.api import ACTS, DEMANDS, FACTORS, TOPICS, Act, FloatArray
from soullink.modules.simulation.domain import dynamics, flow, memory
from soullink.modules.simulation.domain.acts import INDEX as ACT_INDEX
from soullink.modules.simulation.domain.environment import LIFE_EVENTS
from soullink.modules.simulation.domain.layout import N_PERSON, N_TRAIT, Person
from soullink.modules.simulation.domain.memory import ASPECT_OF_ACT, N_ASPECT, SIGN_OF_ACT
from soullink.modules.simulation.domain.randomness import Purpose

L: Final = 128
"""Lanes of a tile: eight 512-bit registers of float32."""
N_ACT: Final = len(ACTS)
NO_ACT: Final = N_ACT
TRIGGERS_MOST: Final = 12
N_TOPIC: Final = len(TOPICS)

N_LOGGED: Final = 2 * N_ACT + 1
TURNS_MOST: Final = 1024
BINS: Final = 128
"""Bins of a histogram: quantiles are known to 1/128 of a variable's range."""
SCALE: Final = 2.0**32
"""Sums are whole multiples of 1/SCALE, so that adding them up in any order gives the same."""

# One person.
(
    MOOD, AROUSAL, STRESS, TRUST, CLOSENESS, COMMITMENT, CONNECTION, AUTONOMY, ESTEEM, LAST_ACT,
    LAST_ACT_2, HEARD, THREAT, POSITION, FELT, HEARD_TURNS, SATISFACTION, DISCLOSED, HURT, GUILT,
    OPENED, SIMILARITY, SPOKEN, PRESSED, WARMED, SENSITIVITY, STRAIN, MISREADING, ROLE, DRAWN,
    GENERAL, SPARK, AGAIN, FLOOR_ODDS, NOISE_1, NOISE_2, SIGNAL, ACHE, SUM, PRODUCT, PAIN,
    ACCEPTED, PURSUED, ANSWERED, MATCHED, MISREADS, N_SINGLE,
) = range(47)  # fmt: skip
# fmt: off
TRAIT: Final = N_SINGLE
OPENNESS, CONSCIENTIOUSNESS, EXTRAVERSION, AGREEABLENESS, NEUROTICISM, ANXIETY, AVOIDANCE = range(
    TRAIT, TRAIT + 7
)
# fmt: on
LOAD: Final = TRAIT + N_TRAIT
BELIEF: Final = LOAD + 4
RESPECTED: Final = BELIEF + int(memory.Aspect.RESPECT)
CELL: Final = BELIEF + N_ASPECT  # memories on this episode's topic: 4 rows for each aspect
BASE: Final = CELL + 4 * N_ASPECT  # log-odds that stay the same in this episode
P1: Final = BASE + N_ACT
TRACED: Final = SPOKEN + 1
# A memory: how it stands now, how important, min(count, 5), and what is left of its recency when
# the episode begins.
VALENCE_NOW, IMPORTANCE, COUNT, RECENCY = range(4)

# The pair.
(
    CONFLICT, PEAK, POSITIVE, NEGATIVE, SILENCE, REPAIRS, DISCLOSURES, TURNS, AGREED, ARBITRATED,
    LEFT, CLOSING, SPEAKER, ROW, MINUTE, ESCALATED, ASKED, PURSUING, LIVE, LIVED, ALIVE, ENDING,
    LEFT_BY, OUTCOME, SUCCESS, HIGHEST, SUCCESSES, EPISODES, ENDED, ENDED_BY, RESOLUTION,
    NOW, ACT, PREVIOUS, DISAGREEMENT, U_ACT, U_MISREAD, U_SIGN, U_MINUTE, DOUBLE, WAS_CLOSING,
    VALUE, HIT, ENDS, GAP, LIKENESS, SETTLES, ASPECT, SCRATCH, N_PAIR,
) = range(2 * P1, 2 * P1 + 50)  # fmt: skip
DEMAND_ROW: Final = N_PAIR
FIRED: Final = DEMAND_ROW + len(DEMANDS)
FIRING: Final = FIRED + 1
MEMORY: Final = FIRING + 1  # (2, topics, aspects, 4)
N_ROWS: Final = MEMORY + 2 * N_TOPIC * N_ASPECT * 4


def _of_act(values: FloatArray, without: float = 0.0) -> FloatArray:
    return np.append(np.asarray(values, dtype=np.float64), without)


# Purposes of draws; most names are taken by rows.
FLOOR, MISREAD, MISREAD_SIGN, PARTNER, ACTOR, LIFE_EVENT = (
    int(Purpose[name])
    for name in ("FLOOR", "MISREAD", "MISREAD_SIGN", "PARTNER", "ACTOR", "LIFE_EVENT")
)
(
    ACT_PURPOSE, MOOD_PURPOSE, MINUTE_PURPOSE, TRAIT_PURPOSE, SPARK_PURPOSE, LOAD_PURPOSE,
    SIMILARITY_PURPOSE, SENSITIVITY_PURPOSE, GAP_PURPOSE, FACTOR_PURPOSE,
    PARAMETER_PURPOSE, ROLE_PURPOSE, POSITION_PURPOSE, SATISFACTION_PURPOSE, STAY_PURPOSE,
) = (
    int(Purpose[name])
    for name in (
        "ACT", "MOOD", "MINUTE", "TRAIT", "SPARK", "LOAD", "SIMILARITY", "SENSITIVITY", "GAP",
        "FACTOR", "PARAMETER", "ROLE", "POSITION", "SATISFACTION", "STAY",
    )
)  # fmt: skip

# By act, with a last entry for none; read by lanes.
A_VALENCE: Final = _of_act(dynamics.VALENCE)
A_CONNECTION: Final = _of_act(dynamics.CONNECTION)
A_AUTONOMY: Final = _of_act(dynamics.AUTONOMY)
A_ESTEEM: Final = _of_act(dynamics.ESTEEM)
A_HEAT: Final = _of_act(dynamics.HEAT)
A_DEPTH: Final = _of_act(dynamics.DEPTH)
A_CODE: Final = _of_act(
    dynamics.CLASS_OF + 16 * dynamics.SETTLING + 32 * flow.ASKING + 64 * (ASPECT_OF_ACT + 1)
)
"""Class, whether it settles, whether it asks, and the aspect plus one, in one look-up."""
A_SIGN: Final = _of_act(SIGN_OF_ACT)
WARM, OPEN, PLAYFUL, TASK, DEMAND, HOSTILE, DISTANT, REPAIR, BOUNDARY = (
    float(number) for number in range(9)
)
APOLOGISE, FORGIVE, CLOSE, LEAVE = (
    float(ACT_INDEX[act]) for act in (Act.APOLOGISE, Act.FORGIVE, Act.CLOSE, Act.LEAVE)
)
C_VALENCE: Final = np.asarray(dynamics.CLASS_VALENCE)
C_TAKEN: Final = np.concatenate([dynamics.BETTER, dynamics.WORSE]).astype(np.float64)


def _moves() -> tuple[FloatArray, FloatArray]:
    """Return how far each act moves (the speaker, the listener), each (N_ACT + 1,).

    Asked of `flow.moved` itself, with positions one apart: a share of the way to the other, or,
    below zero, a fixed step away from the other.
    """
    speaker, listener = np.zeros((N_ACT, N_PERSON)), np.zeros((N_ACT, N_PERSON))
    speaker[:, Person.POSITION], listener[:, Person.POSITION] = -0.5, 0.5
    p, q = flow.moved(speaker, listener, np.arange(N_ACT))
    return _of_act(p + 0.5), _of_act(0.5 - q)


A_OWN, A_OTHER = _moves()
N_EVENT: Final = len(LIFE_EVENTS)
EVENTS: Final = np.array(
    [
        (np.log(1.0 - e.per_month), e.load, e.stress, e.mood, FACTORS.index(e.factor))
        for e in LIFE_EVENTS
    ]
)
"""Life events, (N_EVENT, 5): log of no event in a month, load, stress, mood, number of factor."""
