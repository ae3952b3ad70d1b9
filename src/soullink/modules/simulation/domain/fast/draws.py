# ruff: noqa: F403, F405 - rows by the score
"""The draws of a tile: the same counters of the same keys as `domain.randomness`.

Plain Python over a tile, made into source by `source.py` like `lanes.py`.
"""

from typing import Any

from soullink.modules.simulation.domain.fast.cells import Rows, Words
from soullink.modules.simulation.domain.fast.maths import (
    UNROLL,
    counted,
    drawn_bits,
    fresh_bits,
    log,
    normal,
    other_side,
    pick,
    to_unit,
)
from soullink.modules.simulation.domain.fast.rows import *


def key_lanes(
    k: Words, seed: Any, replica: Words, pair: Words, names: Words, first_lane: int
) -> None:
    """Give each lane its people's keys: `randomness.person_keys` and `pair_keys`."""
    for lane in range(L):
        n = pair[first_lane + lane]
        k[0, lane] = names[n, 0]
        k[1, lane] = names[n, 1]
        k[2, lane] = replica[first_lane + lane]
    for i in range(L):
        base = fresh_bits(k[2, i] + seed)
        k[0, i] = fresh_bits(base ^ fresh_bits(k[0, i]))
        k[1, i] = fresh_bits(base ^ fresh_bits(k[1, i]))
        k[2, i] = fresh_bits(k[0, i] + k[1, i])


def draw_normal(x: Rows, k: Words, row: int, who: int, purpose: int, episode: int, n: int) -> None:
    """Put a standard normal draw into a row: `randomness.normal`."""
    c1, c2 = counted(purpose, episode, 0, 2 * n), counted(purpose, episode, 0, 2 * n + 1)
    for i in range(L):
        x[row, i] = normal(to_unit(drawn_bits(k[who, i], c1)), to_unit(drawn_bits(k[who, i], c2)))


def draw_uniform(x: Rows, k: Words, row: int, who: int, purpose: int, episode: int, n: int) -> None:
    """Put a uniform draw into a row: `randomness.uniform`."""
    c = counted(purpose, episode, 0, n)
    for i in range(L):
        x[row, i] = to_unit(drawn_bits(k[who, i], c))


def draw_floor(x: Rows, k: Words, counters: Words, e: int, turn: int) -> None:
    """Draw who takes the floor, and what whoever does decides by.

    counters: by episode, turn and the places of `plans.DRAWN`.
    """
    floor = counters[e, turn, 0]
    for i in range(L):
        # The odds of both draws, as one fraction.
        bits = drawn_bits(k[0, i], floor)
        other = drawn_bits(k[1, i], floor)
        odds = (to_unit(other) * to_unit(other_side(bits))) / (
            to_unit(other_side(other)) * to_unit(bits)
        )
        x[FLOOR_ODDS, i] = log(odds)


def draw_act(x: Rows, k: Words, counters: Words, e: int, turn: int) -> None:
    """Draw what the speaker decides by."""
    act = counters[e, turn, 4]
    for i in range(L):
        x[U_ACT, i] = to_unit(drawn_bits(pick(x[NOW, i] > 0.5, k[1, i], k[0, i]), act))


def draw_answer(x: Rows, k: Words, counters: Words, e: int, turn: int) -> None:
    """Draw what the listener misreads by, both moods' noise, and the minute."""
    minute, misread, sign = counters[e, turn, 1], counters[e, turn, 5], counters[e, turn, 6]
    mood, mood_2 = counters[e, turn, 2], counters[e, turn, 3]
    for i in range(L):
        listener = pick(x[NOW, i] > 0.5, k[0, i], k[1, i])
        x[U_MISREAD, i] = to_unit(drawn_bits(listener, misread))
        x[U_SIGN, i] = to_unit(drawn_bits(listener, sign))
        for n in UNROLL(2):
            x[P1 * n + NOISE, i] = normal(
                to_unit(drawn_bits(k[n, i], mood)), to_unit(drawn_bits(k[n, i], mood_2))
            )
        x[U_MINUTE, i] = to_unit(drawn_bits(k[2, i], minute))
