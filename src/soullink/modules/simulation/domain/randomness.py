"""Random draws that depend on what they are for, never on what was drawn before.

Every draw is a hash of (seed, who, episode, turn, purpose): a counter-based generator in the
manner of Salmon et al. (2011), "Parallel random numbers: as easy as 1, 2, 3", with the SplitMix64
finaliser of Steele, Lea & Flood (2014) as the hash. So replica k has the same draws in every
batch, an intervention leaves all other draws alone (common random numbers), and swapping two
people swaps their draws.
"""

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from soullink.modules.simulation.api import FloatArray, IntArray

KeyArray: TypeAlias = NDArray[np.uint64]
Moment: TypeAlias = int | IntArray
"""Number of an episode or turn, the same in all courses or one for each."""

_GOLDEN: Final = np.uint64(0x9E3779B97F4A7C15)
_MIX_1: Final = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2: Final = np.uint64(0x94D049BB133111EB)
_ALL_BITS: Final = 0xFFFFFFFFFFFFFFFF
_TO_UNIT: Final = 2.0**-53
_FEW: Final = 4
"""Keys of which draws are quicker made one by one."""
_MANY: Final = 1024
"""Keys of which draws for several purposes are quicker made one purpose after the other."""


class Purpose(IntEnum):
    """What a draw decides. Numbers are part of every recorded run: append, never renumber."""

    TRAIT = 1
    ACTOR = 2
    PARTNER = 3
    SPARK = 4
    ROLE = 5
    PARAMETER = 6
    GAP = 7
    LOAD = 8
    LIFE_EVENT = 9
    POSITION = 10
    FLOOR = 11
    ACT = 12
    MISREAD = 13
    MISREAD_SIGN = 14
    MOOD = 15
    INTERRUPT = 16
    MINUTE = 17
    STAY = 18
    SIMILARITY = 19
    AGAIN = 20
    SPEECH = 21
    FACTOR = 22
    SCENARIO = 23
    SATISFACTION = 24
    SENSITIVITY = 25


def mix(value: KeyArray) -> KeyArray:
    """Return the SplitMix64 hash of each element; shape kept."""
    z = value + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * _MIX_1
    z = (z ^ (z >> np.uint64(27))) * _MIX_2
    return z ^ (z >> np.uint64(31))


def key_of(text: str) -> int:
    """Return a stable 64-bit key for a name, e.g. a person's id."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def person_keys(seed: int, names: tuple[str, str], replicas: int, first: int = 0) -> KeyArray:
    """Return one key per replica and person, shape (replicas, 2).

    first: number of the first replica. Depends on the name, not on the position.
    """
    numbers = np.arange(first, first + replicas, dtype=np.uint64)
    base = mix(mix(np.array([seed & 0xFFFFFFFFFFFFFFFF], dtype=np.uint64)) + numbers)
    names_key = mix(np.array([key_of(name) for name in names], dtype=np.uint64))
    return mix(base[:, None] ^ names_key[None, :])


def pair_keys(keys: KeyArray) -> KeyArray:
    """Return one key per replica that is the same when the two people swap, shape (R,)."""
    return mix(keys[:, 0] + keys[:, 1])


def uniform(
    keys: KeyArray, purpose: Purpose, episode: Moment = 0, turn: Moment = 0, n: int = 0
) -> FloatArray:
    """Return draws from (0, 1), one per key; shape of `keys`.

    n tells several draws for the same purpose apart. episode, turn: of all courses, or of each,
    shape (R,).
    """
    counter = (int(purpose) << 48) | (episode << 32) | (turn << 16) | n
    if isinstance(counter, int) and keys.size <= _FEW:
        # The same numbers to the last bit, in a quarter of the time.
        mixed = _mixed(counter)
        few = [((_mixed(key ^ mixed) >> 11) + 0.5) * _TO_UNIT for key in keys.ravel().tolist()]
        return np.array(few).reshape(keys.shape)
    counters = np.asarray(counter, dtype=np.uint64).reshape(-1, *(1,) * (keys.ndim - 1))
    bits = mix(keys ^ mix(counters))
    return ((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT


def uniforms(
    asked: Sequence[tuple[KeyArray, Purpose, int]], episode: Moment, turn: Moment
) -> list[FloatArray]:
    """Return the `uniform` draws of several purposes, each (n,). asked: keys (n,), purpose, n."""
    if asked[0][0].size > _MANY or (asked[0][0].size <= _FEW and isinstance(turn, int)):
        return [uniform(keys, purpose, episode, turn, n) for keys, purpose, n in asked]
    counters = [(int(purpose) << 48) | n for _, purpose, n in asked]
    moments = np.asarray((episode << 32) | (turn << 16), dtype=np.uint64)
    mixed = mix(np.array(counters, dtype=np.uint64)[:, None] | moments)
    bits = mix(np.array([keys for keys, _, _ in asked]) ^ mixed)
    return list(((bits >> np.uint64(11)).astype(np.float64) + 0.5) * _TO_UNIT)


def logistic(
    keys: KeyArray, purpose: Purpose, episode: Moment = 0, turn: Moment = 0, n: int = 0
) -> FloatArray:
    """Return draws from the standard logistic distribution; shape of `keys`."""
    u = uniform(keys, purpose, episode, turn, n)
    return np.log(u / (1.0 - u))


def normal(
    keys: KeyArray, purpose: Purpose, episode: Moment = 0, turn: Moment = 0, n: int = 0
) -> FloatArray:
    """Return draws from the standard normal distribution; shape of `keys`.

    Box & Muller (1958) on two uniforms.
    """
    u1 = uniform(keys, purpose, episode, turn, 2 * n)
    u2 = uniform(keys, purpose, episode, turn, 2 * n + 1)
    return normal_of(u1, u2)


def normal_of(u1: FloatArray, u2: FloatArray) -> FloatArray:
    """Return standard normal draws out of two uniform ones each."""
    out: FloatArray = np.sqrt(-2.0 * np.log(u1)) * np.cos(2.0 * np.pi * u2)
    return out


def turn_seed(key: int, episode: int, turn: int) -> int:
    """Return the 63-bit seed that one turn's words are drawn from."""
    counter = (int(Purpose.SPEECH) << 48) | (episode << 32) | (turn << 16)
    return _mixed(key ^ _mixed(counter)) >> 1


def turn_seeds(keys: KeyArray, episode: Moment, turn: Moment) -> list[int]:
    """Return the `turn_seed` of each key, (n,). episode, turn: of all of them, or of each."""
    if isinstance(episode, int) and isinstance(turn, int):
        return [turn_seed(key, episode, turn) for key in keys.tolist()]
    counters = (int(Purpose.SPEECH) << 48) | (episode << 32) | (turn << 16)
    mixed = mix(keys ^ mix(np.asarray(counters, dtype=np.uint64)))
    seeds: list[int] = (mixed >> np.uint64(1)).tolist()
    return seeds


def _mixed(value: int) -> int:
    """Return `mix` of one number."""
    z = (value + 0x9E3779B97F4A7C15) & _ALL_BITS
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _ALL_BITS
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _ALL_BITS
    return z ^ (z >> 31)
