# ruff: noqa: F403, F405, C901, PLR0912 - rows by the score; one loop for each variable
"""What happens to a tile because of where it stands: triggers and outcomes, lane by lane.

Plain Python over a tile, made into source by `source.py` like `lanes.py`.
"""

from soullink.modules.simulation.domain.fast.cells import Rows, Words, put
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    anywhere,
    byte,
    clip,
    floor,
    larger,
    magnitude,
    pick,
    smaller,
)
from soullink.modules.simulation.domain.fast.rows import *


def narrow(x: Rows, which: int, low: float, high: float) -> None:
    """Leave in HIT the lanes where a condition holds.

    which: index of api.CONDITION_VARIABLES. `environment.variables` and `holds`.
    """
    if which == 0:
        for i in range(L):
            narrow_lane(x, i, x[TURNS, i], low, high)
    elif which == 1:
        for i in range(L):
            narrow_lane(x, i, x[CONFLICT, i], low, high)
    elif which == 2:
        for i in range(L):
            valenced = x[POSITIVE, i] + x[NEGATIVE, i]
            none = pick(valenced == 0.0, 0.5, 0.0)
            share = (x[POSITIVE, i] + none) / larger(valenced, 1.0)
            narrow_lane(x, i, share, low, high)
    elif which == 3:
        for i in range(L):
            narrow_lane(x, i, x[SILENCE, i], low, high)
    elif which == 4:
        for i in range(L):
            apart = x[POSITION, i] - x[P1 + POSITION, i]
            open_question = (x[AGREED, i] + x[ARBITRATED, i]) == 0.0
            distance = pick(open_question, magnitude(apart) * 0.5, 0.0)
            narrow_lane(x, i, distance, low, high)
    elif which == 5:
        for i in range(L):
            narrow_lane(x, i, x[REPAIRS, i], low, high)
    elif which == 6:
        for i in range(L):
            narrow_lane(x, i, x[DISCLOSURES, i], low, high)
    elif which == 7:
        for i in range(L):
            narrow_lane(x, i, smaller(x[MOOD, i], x[P1 + MOOD, i]), low, high)
    elif which == 8:
        for i in range(L):
            narrow_lane(x, i, larger(x[MOOD, i], x[P1 + MOOD, i]), low, high)
    elif which == 9:
        for i in range(L):
            narrow_lane(x, i, larger(x[AROUSAL, i], x[P1 + AROUSAL, i]), low, high)
    elif which == 10:
        for i in range(L):
            narrow_lane(x, i, larger(x[STRESS, i], x[P1 + STRESS, i]), low, high)
    elif which == 11:
        for i in range(L):
            narrow_lane(x, i, smaller(x[TRUST, i], x[P1 + TRUST, i]), low, high)
    elif which == 12:
        for i in range(L):
            narrow_lane(x, i, smaller(x[CLOSENESS, i], x[P1 + CLOSENESS, i]), low, high)
    elif which == 13:
        for i in range(L):
            narrow_lane(x, i, larger(x[CLOSENESS, i], x[P1 + CLOSENESS, i]), low, high)
    elif which == 14:
        for i in range(L):
            narrow_lane(x, i, smaller(x[COMMITMENT, i], x[P1 + COMMITMENT, i]), low, high)
    elif which == 15:
        for i in range(L):
            narrow_lane(x, i, x[LEFT, i], low, high)
    elif which == 16:
        for i in range(L):
            narrow_lane(x, i, x[AGREED, i], low, high)
    else:
        for i in range(L):
            narrow_lane(x, i, x[ARBITRATED, i], low, high)


def narrow_lane(x: Rows, i: int, value: float, low: float, high: float) -> None:
    """Leave one lane's HIT as it is where `value` lies between the bounds."""
    x[HIT, i] = pick((value >= low) & (value <= high), x[HIT, i], 0.0)


def found(x: Rows, row: int) -> bool:
    """Return whether a row of ones and zeros has a one."""
    for i in range(L):
        out = anywhere(x[row, i] > 0.5)
    return out


def affect(x: Rows, mood: float, arousal: float, stress: float, trust: float, close: float,
           commit: float) -> None:  # fmt: skip
    """Change both people's state where HIT: `environment.affected`."""
    for i in range(L):
        where = x[HIT, i] > 0.5
        for person in UNROLL(2):
            put(x, P1 * person + MOOD, i, where, clip(x[P1 * person + MOOD, i] + mood, -1.0, 1.0))
            put(
                x,
                P1 * person + AROUSAL,
                i,
                where,
                clip(x[P1 * person + AROUSAL, i] + arousal, 0.0, 1.0),
            )
            put(
                x,
                P1 * person + STRESS,
                i,
                where,
                clip(x[P1 * person + STRESS, i] + stress, 0.0, 1.0),
            )
            put(x, P1 * person + TRUST, i, where, clip(x[P1 * person + TRUST, i] + trust, 0.0, 1.0))
            put(
                x,
                P1 * person + CLOSENESS,
                i,
                where,
                clip(x[P1 * person + CLOSENESS, i] + close, 0.0, 1.0),
            )
            put(
                x,
                P1 * person + COMMITMENT,
                i,
                where,
                clip(x[P1 * person + COMMITMENT, i] + commit, 0.0, 1.0),
            )


def unfired(x: Rows, bit: float) -> None:
    """Put into HIT the lanes that go on and where a trigger, a bit of FIRED, has not fired."""
    for i in range(L):
        half = floor(x[FIRED, i] / bit)
        odd = half - 2.0 * floor(half * 0.5)
        x[HIT, i] = pick(odd < 0.5, x[LIVE, i], 0.0)


def arm(x: Rows, bit: float) -> None:
    """Note in FIRING that a trigger fires where HIT, once all have been looked at."""
    for i in range(L):
        x[FIRING, i] += x[HIT, i] * bit


def fire(x: Rows, bit: float, ends: float) -> None:
    """Put into HIT the lanes where a trigger fires, and note that it has."""
    for i in range(L):
        half = floor(x[FIRING, i] / bit)
        hit = half - 2.0 * floor(half * 0.5)
        x[HIT, i] = hit
        x[FIRED, i] += hit * bit
        x[ENDS, i] = larger(x[ENDS, i], hit * ends)


def first_unmet(x: Rows) -> None:
    """Put into HIT the lanes whose episode has no outcome yet."""
    for i in range(L):
        x[HIT, i] = pick(x[OUTCOME, i] < 0.0, x[LIVED, i], 0.0)


def give_outcome(x: Rows, number: float, success: float) -> None:
    """Give an outcome where HIT."""
    for i in range(L):
        where = x[HIT, i] > 0.5
        put(x, OUTCOME, i, where, number)
        put(x, SUCCESS, i, where, success)


def log_acts(x: Rows, log: Words, turn: int) -> None:
    """Write down who does what, one byte a lane; N_ACT * 2 where nobody does anything."""
    for i in range(L):
        does = x[ACT, i] + pick(x[NOW, i] > 0.5, N_ACT * 1.0, 0.0)
        log[turn, i] = byte(pick(x[LIVE, i] > 0.5, does, N_ACT * 2.0))
