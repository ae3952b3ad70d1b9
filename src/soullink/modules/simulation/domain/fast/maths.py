"""Functions that lanes need, written so that a compiler can run sixteen at once.

Exponential, logarithm and cosine are range reductions and short polynomials for float32; their
errors are bounded by a test. In float64, where the kernel only has to agree with NumPy, they are
the library's. Plain functions of one number each: `source.py` picks the ones of its precision.
"""

import math
from typing import Any, Final

import numpy as np

LN_2_HIGH: Final = 0.693145751953125  # 16 bits, so that its products with small integers are exact
LN_2_LOW: Final = math.log(2.0) - LN_2_HIGH
LOG2_E: Final = 1.0 / math.log(2.0)
TWO_PI: Final = 2.0 * math.pi
BELOW_ONE: Final = 1.0 - 2.0**-24
UNIT: Final = 2.0**-53


def pick(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`; both are at hand, so nothing branches."""
    return yes if condition else no


def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers."""
    return max(b, a)


def smaller(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers."""
    return min(b, a)


def clip(value: Any, low: Any, high: Any) -> Any:
    """Return `value` within [low, high]."""
    value = max(value, low)
    return min(value, high)


def at(index: Any) -> Any:
    """Return a number of a row as an index of a table; never below 0, so nothing wraps around."""
    return np.int32(index) & 63


def bit_of(word: Any, mask: Any) -> Any:
    """Return whether a 32-bit word has any bit of a mask, in 32 bits all the way."""
    return np.not_equal(np.bitwise_and(word, np.int32(mask)), np.int32(0))


def sqrt(value: Any) -> Any:
    """Return the square root."""
    return np.sqrt(value)


def fresh_bits(z: Any) -> Any:
    """Return the SplitMix64 hash of a 64-bit word (Steele, Lea & Flood 2014)."""
    z = z + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def counted(purpose: int, episode: int, turn: int, n: int) -> Any:
    """Return the hashed counter of a draw, as `randomness.uniform` makes it."""
    return fresh_bits(np.uint64((np.int64(purpose) << 48) | (episode << 32) | (turn << 16) | n))


def drawn_bits(key: Any, counter: Any) -> Any:
    """Return the 53 random bits of a key's draw; counter: from `counted`."""
    return fresh_bits(key ^ counter) >> np.uint64(11)


def other_side(bits: Any) -> Any:
    """Return the bits of 1 - u for those of a draw u, so that neither end loses digits."""
    return bits ^ np.uint64(0x1FFFFFFFFFFFFF)


def exp_32(x: Any) -> Any:
    """Return e to the x for -87 < x < 88, relative error below 2e-7.

    The polynomial interpolates at Chebyshev nodes of [-ln 2 / 2, ln 2 / 2].
    """
    x = clip(x, -87.0, 88.0)
    n = np.rint(x * LOG2_E)
    r = x - n * LN_2_HIGH
    r = r - n * LN_2_LOW
    y = 0.0013926184037700295
    y = y * r + 0.008363178931176662
    y = y * r + 0.041666556149721146
    y = y * r + 0.16666576266288757
    y = y * r + 0.5
    y = y * r * r + r + 1.0
    power = np.int32(np.int32(n) + 127)
    return y * np.int32(power << 23).view(np.float32)


def exp_2_32(x: Any) -> Any:
    """Return 2 to the x for -126 < x < 127, relative error below 3e-7; less than -126 is -126.

    The polynomial interpolates (2^r - 1) / r at Chebyshev nodes of [-1/2, 1/2].
    """
    x = max(-126.0, x)
    n = np.rint(x)
    r = x - n
    y = 0.0013381321914494038
    y = y * r + 0.009666387923061848
    y = y * r + 0.055503811687231064
    y = y * r + 0.2402234822511673
    y = y * r + 0.6931471824645996
    y = y * r + 1.0
    power = np.int32(np.int32(n) << 23)
    return np.int32(np.float32(y).view(np.int32) + power).view(np.float32)


def log_32(x: Any) -> Any:
    """Return the natural logarithm of a normal number above 0, error below 3e-7 (|log| < 1: abs).

    log m = 2 artanh((m - 1) / (m + 1)) for the mantissa m in [sqrt(1/2), sqrt(2)).
    """
    bits = np.int32(np.float32(x).view(np.int32) - 0x3F3504F3)
    n = np.float32(np.int32(bits >> 23))
    m = np.int32((bits & 0x7FFFFF) + 0x3F3504F3).view(np.float32)
    s: Any = (m - 1.0) / (m + 1.0)
    t = s * s
    y: Any = 0.2222222222222222
    y = y * t + 0.2857142857142857
    y = y * t + 0.4
    y = y * t + 0.6666666666666666
    return n * LN_2_HIGH + (n * LN_2_LOW + (2.0 * s + s * t * y))


def cos_2pi_32(u: Any) -> Any:
    """Return the cosine of u full turns, 0 <= u <= 1, absolute error below 3e-7.

    cos(2 pi u) = sin(2 pi (1/4 - |u - nearest integer|)), by the sine's series up to z^11.
    """
    v = u - np.rint(u)
    v = v if v > 0.0 else -v
    z = TWO_PI * (0.25 - v)
    t = z * z
    y = -2.505210838544172e-08
    y = y * t + 2.7557319223985893e-06
    y = y * t - 0.0001984126984126984
    y = y * t + 0.008333333333333333
    y = y * t - 0.16666666666666666
    return z + z * t * y


def to_unit_32(bits: Any) -> Any:
    """Return a draw from (0, 1) of 53 random bits; never 1, which float32 would round up to."""
    u = (np.float32(bits) + 0.5) * UNIT
    return min(BELOW_ONE, u)


def exp_64(x: Any) -> Any:
    """Return e to the x."""
    return np.exp(x)


def exp_2_64(x: Any) -> Any:
    """Return 2 to the x."""
    return np.exp2(x)


def log_64(x: Any) -> Any:
    """Return the natural logarithm."""
    return np.log(x)


def cos_2pi_64(u: Any) -> Any:
    """Return the cosine of u full turns."""
    return np.cos(TWO_PI * u)


def to_unit_64(bits: Any) -> Any:
    """Return a draw from (0, 1) of 53 random bits, as `randomness.uniform` does."""
    return (np.float64(bits) + 0.5) * UNIT


exp, exp_2, log, cos_2pi, to_unit = exp_64, exp_2_64, log_64, cos_2pi_64, to_unit_64
"""The names that lanes use; `source.py` gives them the meaning of its precision."""


def sigmoid(x: Any) -> Any:
    """Return the logistic function."""
    return 1.0 / (1.0 + exp(-clip(x, -40.0, 40.0)))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    e = exp(-2.0 * clip(x if x > 0.0 else -x, 0.0, 20.0))
    y = (1.0 - e) / (1.0 + e)
    return y if x > 0.0 else -y


def normal(u1: Any, u2: Any) -> Any:
    """Return a standard normal draw of two uniform ones (Box & Muller 1958)."""
    return sqrt(-2.0 * log(u1)) * cos_2pi(u2)


def real(value: Any) -> Any:
    """Return an integer as a number of the kernel's precision."""
    return np.float64(value)


UNROLL = range
"""A loop that `source.py` writes out."""
