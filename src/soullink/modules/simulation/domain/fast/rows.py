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

L: Final = 16
"""Lanes of a tile: one 512-bit register of float32."""
N_ACT: Final = len(ACTS)
NO_ACT: Final = N_ACT
TRIGGERS_MOST: Final = 12
N_TOPIC: Final = len(TOPICS)

N_LOGGED: Final = 2 * N_ACT + 1
N_NOTED: Final = 20
"""Variables of which sums and histograms are kept: `statistics.VARIABLES`."""
TURNS_MOST: Final = 1024
BINS: Final = 128
"""Bins of a histogram: quantiles are known to 1/128 of a variable's range."""
SCALE: Final = 2.0**32
"""Sums are whole multiples of 1/SCALE, so that adding them up in any order gives the same."""

# One person.
(
    MOOD, AROUSAL, STRESS, TRUST, CLOSENESS, COMMITMENT, CONNECTION, AUTONOMY, ESTEEM, LAST_ACT,
    LAST_ACT_2, HEARD, THREAT, POSITION, FELT, HEARD_TURNS, SATISFACTION, DISCLOSED, HURT, GUILT,
    OPENED, SIMILARITY, SPOKEN, PRESSED, WARMED, SENSITIVITY, MISREADING, ROLE, DRAWN,
    GENERAL, SPARK, AGAIN, NOISE, SIGNAL, ACHE, SUM, PRODUCT, PAIN,
    ACCEPTED, PURSUED, ANSWERED, MATCHED, MISREADS,
    # What the equations make of traits, the same for a course: `between.derive`.
    BIDS, CONNECTS, FREES, LESS_FREE, ESTEEMS, THREAT_CONNECTION, THREAT_AUTONOMY, THREAT_ESTEEM,
    REST, INERTIA, GAIN_BAD, GAIN_GOOD, NOISY, STRESSED, TRUSTS, OPENS, HURTS, GUILTY,
    MISREADS_AT, WORSE_AT,
    # And for an episode: `between.open_episode`.
    POINT, STRESS_POINT, THREAT_DEMAND, N_SINGLE,
) = range(67)  # fmt: skip
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
    NOW, ACT, PREVIOUS, DISAGREEMENT, FLOOR_ODDS, U_ACT, U_MISREAD, U_SIGN, U_MINUTE, DOUBLE,
    WAS_CLOSING, VALUE, HIT, ENDS, GAP, LIKENESS, SETTLES, SCRATCH, N_PAIR,
) = range(2 * P1, 2 * P1 + 50)  # fmt: skip
DEMAND_ROW: Final = N_PAIR
FIRED: Final = DEMAND_ROW + len(DEMANDS)
FIRING: Final = FIRED + 1
TABLES: Final = FIRING + 1
# Tables by act, with an entry for none: three rows each.
(
    A_VALENCE, A_CONNECTION, A_AUTONOMY, A_ESTEEM, A_HEAT, A_DEPTH, A_KIND, A_SETTLES, A_ASKS,
    A_ASPECT, A_SIGN, A_OWN, A_OTHER, A_FOLLOWED,
) = range(TABLES, TABLES + 3 * 14, 3)  # fmt: skip
C_VALENCE: Final = A_FOLLOWED + 3  # by class: one row
C_TAKEN: Final = C_VALENCE + 1  # by class, better and worse: two rows
POWERS: Final = C_TAKEN + 2  # of 2, by sixteenths: one row
HEARD_ODDS: Final = POWERS + 1  # by class heard: a row for each act
FOLLOWING_ODDS: Final = HEARD_ODDS + N_ACT  # by kind of the act before: two rows for each act
WEIGHT: Final = FOLLOWING_ODDS + 2 * N_ACT  # of what moves in an episode: 16 to a row
N_WEIGHT_ROWS: Final = 10
MEMORY: Final = WEIGHT + N_WEIGHT_ROWS  # (2, topics, aspects, 4)
N_ROWS: Final = MEMORY + 2 * N_TOPIC * N_ASPECT * 4


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

WARM, OPEN, PLAYFUL, TASK, DEMAND, HOSTILE, DISTANT, REPAIR, BOUNDARY = (
    float(number) for number in range(9)
)
APOLOGISE, FORGIVE, CLOSE, LEAVE = (
    float(ACT_INDEX[act]) for act in (Act.APOLOGISE, Act.FORGIVE, Act.CLOSE, Act.LEAVE)
)


def _moves() -> tuple[FloatArray, FloatArray]:
    """Return how far each act moves (the speaker, the listener), each (N_ACT,).

    Asked of `flow.moved` itself, with positions one apart: a share of the way to the other, or,
    below zero, a fixed step away from the other.
    """
    speaker, listener = np.zeros((N_ACT, N_PERSON)), np.zeros((N_ACT, N_PERSON))
    speaker[:, Person.POSITION], listener[:, Person.POSITION] = -0.5, 0.5
    p, q = flow.moved(speaker, listener, np.arange(N_ACT))
    return p + 0.5, 0.5 - q


def tables() -> FloatArray:
    """Return the numbers of TABLES up to HEARD_ODDS, one after the other, (rows * L,)."""
    own, other = _moves()
    by_act = {
        A_VALENCE: dynamics.VALENCE, A_CONNECTION: dynamics.CONNECTION,
        A_AUTONOMY: dynamics.AUTONOMY, A_ESTEEM: dynamics.ESTEEM, A_HEAT: dynamics.HEAT,
        A_DEPTH: dynamics.DEPTH, A_KIND: dynamics.CLASS_OF, A_SETTLES: dynamics.SETTLING,
        A_ASKS: flow.ASKING, A_ASPECT: ASPECT_OF_ACT, A_SIGN: SIGN_OF_ACT, A_OWN: own,
        A_OTHER: other,
    }  # fmt: skip
    out = np.zeros((HEARD_ODDS - TABLES) * L)
    for row, values in by_act.items():
        out[(row - TABLES) * L :][: len(values)] = values
    out[(C_VALENCE - TABLES) * L :][: len(dynamics.CLASS_VALENCE)] = dynamics.CLASS_VALENCE
    taken = np.concatenate([dynamics.BETTER, dynamics.WORSE])
    out[(C_TAKEN - TABLES) * L :][: len(taken)] = taken
    # Less what the sixteenths add to the bits when they are shifted to the exponent: `choice`.
    steps = np.arange(16, dtype=np.int32)
    powers = np.exp2(steps / 16.0).astype(np.float32).view(np.int32) - (steps << 19)
    out[(POWERS - TABLES) * L :][:16] = powers.view(np.float32)
    return out


N_EVENT: Final = len(LIFE_EVENTS)
EVENTS: Final = np.array(
    [
        (np.log2(1.0 - e.per_month), e.load, e.stress, e.mood, FACTORS.index(e.factor))
        for e in LIFE_EVENTS
    ]
)
"""Life events, (N_EVENT, 5): log2 of no event in a month, load, stress, mood, number of factor."""
