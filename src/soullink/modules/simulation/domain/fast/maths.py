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
UNIT: Final = 2.0**-53
SMALLEST: Final = 2.0**-64
LEAST: Final = 2.0**-54


def pick(condition: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the condition holds, else `no`; both are at hand, so nothing branches."""
    return yes if condition else no


def larger(a: Any, b: Any) -> Any:
    """Return the larger of two numbers."""
    return max(a, b)


def smaller(a: Any, b: Any) -> Any:
    """Return the smaller of two numbers."""
    return min(a, b)


def magnitude(value: Any) -> Any:
    """Return a number without its sign."""
    return abs(value)


def rint(value: Any) -> Any:
    """Return the nearest integer, as a real number."""
    return np.rint(value)


def floor(value: Any) -> Any:
    """Return the next integer below, as a real number."""
    return np.floor(value)


def sqrt(value: Any) -> Any:
    """Return the square root."""
    return np.sqrt(value)


def whole(value: Any) -> Any:
    """Return a real number as an integer of 32 bits, cut off."""
    return np.int32(value)


def byte(value: Any) -> Any:
    """Return a real number as a byte, cut off."""
    return np.uint8(value)


def bits_of(value: Any) -> Any:
    """Return the 32 bits of a number of single precision."""
    return np.float32(value).view(np.int32)


def of_bits(value: Any) -> Any:
    """Return the number of single precision that has these 32 bits."""
    return np.int32(value).view(np.float32)


def shifted(value: Any, places: int) -> Any:
    """Return a signed integer of 32 bits shifted to the right, its sign kept."""
    return value >> places


def single_of_whole(value: Any) -> Any:
    """Return an integer of 32 bits in single precision."""
    return np.float32(value)


def single_of_word(value: Any) -> Any:
    """Return an integer of 64 bits in single precision."""
    return np.float32(value)


def double_of_word(value: Any) -> Any:
    """Return an integer of 64 bits in double precision."""
    return np.float64(value)


def exp_of(x: Any) -> Any:
    """Return e to the x, by the library."""
    return np.exp(x)


def exp2_of(x: Any) -> Any:
    """Return 2 to the x, by the library."""
    return np.exp2(x)


def log_of(x: Any) -> Any:
    """Return the natural logarithm, by the library."""
    return np.log(x)


def cos_of(x: Any) -> Any:
    """Return the cosine, by the library."""
    return np.cos(x)


def put_where(x: Any, start: int, where: Any, value: Any) -> None:
    """Set the number of a tile at an index if the condition holds."""
    if where:
        x[start] = value


def anywhere(where: Any) -> bool:
    """Return whether a condition holds in any lane."""
    return bool(where)


def total_of(values: Any) -> Any:
    """Return the sum of integers in all lanes."""
    return np.int64(values)


def tile_of(array: Any) -> Any:
    """Return an array as a tile."""
    return array


def look_up_16(x: Any, start: int, index: Any) -> Any:
    """Return the number at `index` of a tile's table of 16 that begins at `start`."""
    return x[start + int(index)]


def look_up_32(x: Any, start: int, index: Any) -> Any:
    """Return the number at `index` of a tile's table of 32 that begins at `start`."""
    return x[start + int(index)]


def look_up_48(x: Any, start: int, index: Any) -> Any:
    """Return the number at `index` of a tile's table of 48 that begins at `start`."""
    return x[start + int(index)]


def long_of(value: Any) -> Any:
    """Return a number of double precision as an integer, cut off."""
    return np.int64(value)


def double_of_single(value: Any) -> Any:
    """Return a number of single precision in double precision."""
    return np.float64(value)


def single_of_double(value: Any) -> Any:
    """Return a number of double precision in single precision."""
    return np.float32(value)


def double_of_32(value: Any) -> Any:
    """Return the kernel's number in double precision."""
    return double_of_single(value)


def double_of_64(value: Any) -> Any:
    """Return the kernel's number in double precision."""
    return value


def real_of_double_32(value: Any) -> Any:
    """Return a number of double precision in the kernel's."""
    return single_of_double(value)


def real_of_double_64(value: Any) -> Any:
    """Return a number of double precision in the kernel's."""
    return value


def clip(value: Any, low: Any, high: Any) -> Any:
    """Return `value` within [low, high]."""
    return smaller(larger(value, low), high)


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
    """Return 64 random bits of a key's draw, of which draws take the upper 53.

    counter: from `counted`.
    """
    return fresh_bits(key ^ counter)


def other_side(bits: Any) -> Any:
    """Return the bits of 1 - u for those of a draw u, so that neither end loses digits."""
    return bits ^ np.uint64(0xFFFFFFFFFFFFFFFF)


def exp_32(x: Any) -> Any:
    """Return e to the x for -87 < x < 88, relative error below 2e-7.

    The polynomial interpolates at Chebyshev nodes of [-ln 2 / 2, ln 2 / 2].
    """
    x = clip(x, -87.0, 88.0)
    n = rint(x * LOG2_E)
    r = x - n * LN_2_HIGH
    r = r - n * LN_2_LOW
    y = 0.0013926184037700295 * r + 0.008363178931176662
    y = y * r + 0.041666556149721146
    y = y * r + 0.16666576266288757
    y = y * r + 0.5
    y = y * r * r + r + 1.0
    return of_bits(bits_of(y) + (whole(n) << 23))


def exp_2_32(x: Any) -> Any:
    """Return 2 to the x for -126 < x < 127, relative error below 3e-7; less than -126 is -126.

    The polynomial interpolates (2^r - 1) / r at Chebyshev nodes of [-1/2, 1/2].
    """
    x = larger(x, -126.0)
    n = rint(x)
    r = x - n
    y = 0.0013381321914494038 * r + 0.009666387923061848
    y = y * r + 0.055503811687231064
    y = y * r + 0.2402234822511673
    y = y * r + 0.6931471824645996
    y = y * r + 1.0
    return of_bits(bits_of(y) + (whole(n) << 23))


def log_32(x: Any) -> Any:
    """Return the natural logarithm of a normal number above 0, error below 3e-7 (|log| < 1: abs).

    log m = 2 artanh((m - 1) / (m + 1)) for the mantissa m in [sqrt(1/2), sqrt(2)).
    """
    bits = bits_of(x) - 0x3F3504F3
    n = single_of_whole(shifted(bits, 23))
    m = of_bits((bits & 0x7FFFFF) + 0x3F3504F3)
    s = (m - 1.0) / (m + 1.0)
    t = s * s
    y = 0.2222222222222222 * t + 0.2857142857142857
    y = y * t + 0.4
    y = y * t + 0.6666666666666666
    return n * LN_2_HIGH + (n * LN_2_LOW + (2.0 * s + s * t * y))


def cos_2pi_32(u: Any) -> Any:
    """Return the cosine of u full turns, 0 <= u <= 1, absolute error below 3e-7.

    cos(2 pi u) = sin(2 pi (1/4 - |u - nearest integer|)), by the sine's series up to z^11.
    """
    z = TWO_PI * (0.25 - magnitude(u - rint(u)))
    t = z * z
    y = -2.505210838544172e-08 * t + 2.7557319223985893e-06
    y = y * t - 0.0001984126984126984
    y = y * t + 0.008333333333333333
    y = y * t - 0.16666666666666666
    return z + z * t * y


def to_unit_32(bits: Any) -> Any:
    """Return a draw from (0, 1] of 64 random bits; never 0, to which float32 would round."""
    return larger(single_of_word(bits) * SMALLEST, LEAST)


def exp_64(x: Any) -> Any:
    """Return e to the x."""
    return exp_of(x)


def exp_2_64(x: Any) -> Any:
    """Return 2 to the x."""
    return exp2_of(x)


def log_64(x: Any) -> Any:
    """Return the natural logarithm."""
    return log_of(x)


def cos_2pi_64(u: Any) -> Any:
    """Return the cosine of u full turns."""
    return cos_of(TWO_PI * u)


def to_unit_64(bits: Any) -> Any:
    """Return a draw from (0, 1) of the upper 53 bits, as `randomness.uniform` does."""
    return (double_of_word(bits >> np.uint64(11)) + 0.5) * UNIT


exp, exp_2, log, cos_2pi, to_unit = exp_64, exp_2_64, log_64, cos_2pi_64, to_unit_64
double_of, real_of_double = double_of_64, real_of_double_64
"""The names that lanes use; `source.py` gives them the meaning of its precision."""


def sigmoid(x: Any) -> Any:
    """Return the logistic function."""
    return 1.0 / (1.0 + odds_against(x))


def odds_against(x: Any) -> Any:
    """Return 1 / p - 1 where p is the logistic function of x."""
    return exp_2(clip(x * -LOG2_E, -58.0, 58.0))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    e = exp(-2.0 * smaller(magnitude(x), 20.0))
    y = (1.0 - e) / (1.0 + e)
    return pick(x > 0.0, y, -y)


def normal(u1: Any, u2: Any) -> Any:
    """Return a standard normal draw of two uniform ones (Box & Muller 1958)."""
    return sqrt(-2.0 * log(u1)) * cos_2pi(u2)


def real(value: Any) -> Any:
    """Return an integer as a number of the kernel's precision."""
    return np.float64(value)


UNROLL = range
"""A loop that `source.py` writes out."""
