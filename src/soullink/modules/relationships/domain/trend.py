"""Whether a series of answers goes up or down: Mann and Kendall's test, exact, for many looks.

Mann (1945), Kendall (1955): S counts pairs of answers in rising order less those in falling order.
In answers without any trend every order of them is equally likely, so S has a distribution that
depends on nothing but how often each answer was given; with ties it is that of the inversions of a
multiset, a Gaussian multinomial (MacMahon 1915). The slope is the median over pairs, with the
interval that the same distribution gives (Sen 1968).

Somebody looks after every answer. So look k is held against .05 / (k (k + 1)), which sums to .05
over all looks: the chance of ever being told of a change where answers only scatter stays below
that (union bound). Answers of one person lean on those before; then less than this is promised.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from statistics import median
from typing import Final

from soullink.modules.relationships.api import Trend, TrendDirection

FEWEST: Final = 5
"""Answers below which no order of them could be told from chance at the first level."""
MOST: Final = 60
"""Answers that are counted, the latest: the distribution is worked out exactly."""
LEVEL: Final = 0.05
_DAYS: Final = 30.0


def trend_of(days: Sequence[date], values: Sequence[int]) -> Trend:
    """Return the trend of `values` over `days`, which are distinct and in order."""
    looks = len(values) - FEWEST + 1
    days, values = days[-MOST:], values[-MOST:]
    n = len(values)
    if n < FEWEST:
        return Trend("too_few", n, None, None, None, None)
    level = LEVEL / (looks * (looks + 1))
    score = _score(values)
    counts = _distribution(tuple(sorted(Counter(values).values())))
    p_value = _two_sided(counts, score)
    slopes = sorted(
        _DAYS * (values[j] - values[i]) / (days[j] - days[i]).days
        for i in range(n)
        for j in range(i + 1, n)
    )
    direction: TrendDirection = "no_change_seen"
    if p_value <= level:
        direction = "rising" if score > 0 else "falling"
    return Trend(
        direction=direction,
        answers=n,
        per_30_days=median(slopes),
        interval=_interval(slopes, n, level),
        p_value=p_value,
        level=level,
    )


def _score(values: Sequence[int]) -> int:
    """Return S."""
    n = len(values)
    return sum(
        (values[j] > values[i]) - (values[j] < values[i]) for i in range(n) for j in range(i + 1, n)
    )


@lru_cache(maxsize=256)
def _distribution(groups: tuple[int, ...]) -> tuple[int, ...]:
    """Return how many orders have 0, 1, 2, ... inversions, with `groups` of equal answers.

    The coefficients of the Gaussian multinomial: a product of Gaussian binomials.
    """
    counts, total = [1], 0
    for group in groups:
        total += group
        counts = _times(counts, _gaussian(total, group))
    return tuple(counts)


def _gaussian(n: int, k: int) -> list[int]:
    """Return the coefficients of the Gaussian binomial of n over k.

    Product over i of (1 - q^(n - k + i)) / (1 - q^i), of degree k (n - k).
    """
    degree = k * (n - k)
    found = [1] + [0] * degree
    for i in range(1, k + 1):
        high = n - k + i
        for at in range(degree, high - 1, -1):
            found[at] -= found[at - high]
        for at in range(i, degree + 1):
            found[at] += found[at - i]
    return found


def _times(one: Sequence[int], other: Sequence[int]) -> list[int]:
    product = [0] * (len(one) + len(other) - 1)
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            product[i + j] += a * b
    return product


def _two_sided(counts: Sequence[int], score: int) -> float:
    """Return the chance of a score at least as far from 0. S = pairs - 2 inversions."""
    pairs = len(counts) - 1
    far = sum(c for inversions, c in enumerate(counts) if abs(pairs - 2 * inversions) >= abs(score))
    return far / sum(counts)


def _interval(slopes: Sequence[float], n: int, level: float) -> tuple[float, float] | None:
    """Return Sen's interval of the slope; None where so few answers give none at this level."""
    counts = _distribution((1,) * n)
    whole, tail, c = sum(counts), 0, None
    pairs = len(counts) - 1
    for inversions, count in enumerate(counts):
        tail += count
        if 2 * tail > level * whole:
            break
        c = pairs - 2 * inversions
    if c is None:
        return None
    low = (len(slopes) - c) // 2
    return slopes[max(0, low)], slopes[min(len(slopes) - 1, len(slopes) - 1 - low)]
