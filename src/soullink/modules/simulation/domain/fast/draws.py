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
    for i in range(L):
        base = fresh_bits(seed + replica[first_lane + i])
        n = pair[first_lane + i]
        k[0, i] = fresh_bits(base ^ fresh_bits(names[n, 0]))
        k[1, i] = fresh_bits(base ^ fresh_bits(names[n, 1]))
        k[2, i] = fresh_bits(k[0, i] + k[1, i])


def draw_normal(x: Rows, k: Words, row: int, who: int, purpose: int, episode: int, n: int) -> None:
    """Put a standard normal draw into a row: `randomness.normal`."""
    c1, c2 = counted(purpose, episode, 0, 2 * n), counted(purpose, episode, 0, 2 * n + 1)
    for i in range(L):
        x[NOISE_1, i] = to_unit(drawn_bits(k[who, i], c1))
        x[NOISE_2, i] = to_unit(drawn_bits(k[who, i], c2))
    for i in range(L):
        x[row, i] = normal(x[NOISE_1, i], x[NOISE_2, i])


def draw_uniform(x: Rows, k: Words, row: int, who: int, purpose: int, episode: int, n: int) -> None:
    """Put a uniform draw into a row: `randomness.uniform`."""
    c = counted(purpose, episode, 0, n)
    for i in range(L):
        x[row, i] = to_unit(drawn_bits(k[who, i], c))


def draw_floor(x: Rows, k: Words, episode: int, turn: int) -> None:
    """Draw what does not depend on who speaks."""
    floor, minute = counted(FLOOR, episode, turn, 0), counted(MINUTE_PURPOSE, episode, turn, 0)
    mood, mood_2 = counted(MOOD_PURPOSE, episode, turn, 0), counted(MOOD_PURPOSE, episode, turn, 1)
    for n in UNROLL(2):
        for i in range(L):
            bits = drawn_bits(k[n, i], floor)
            x[P1 * n + FLOOR_ODDS, i] = to_unit(bits) / to_unit(other_side(bits))
        for i in range(L):
            x[P1 * n + NOISE_1, i] = to_unit(drawn_bits(k[n, i], mood))
            x[P1 * n + NOISE_2, i] = to_unit(drawn_bits(k[n, i], mood_2))
    for i in range(L):
        x[U_MINUTE, i] = to_unit(drawn_bits(k[2, i], minute))


def draw_turn(x: Rows, k: Words, episode: int, turn: int) -> None:
    """Draw what the speaker decides by and the listener misreads by."""
    act, misread = counted(ACT_PURPOSE, episode, turn, 0), counted(MISREAD, episode, turn, 0)
    sign = counted(MISREAD_SIGN, episode, turn, 0)
    for i in range(L):
        one = x[NOW, i] > 0.5
        first, second = k[0, i], k[1, i]
        speaker, listener = pick(one, second, first), pick(one, first, second)
        x[U_ACT, i] = to_unit(drawn_bits(speaker, act))
        x[U_MISREAD, i] = to_unit(drawn_bits(listener, misread))
        x[U_SIGN, i] = to_unit(drawn_bits(listener, sign))
