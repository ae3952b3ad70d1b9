"""Effects with intervals. NumPy alone.

Couples are the independent unit: two people of a couple are not, so every standard error is
clustered by couple (Liang & Zeger 1986). What a course of scenarios does to everybody in it is
taken out first, by centring within courses of the same scenarios.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.api import BoolArray, FloatArray, IntArray

Z: Final = 1.959964


@dataclass(frozen=True, slots=True)
class Effect:
    """An estimate with its 95 % interval, low < value < high, and what it rests on."""

    value: float
    low: float
    high: float
    courses: int

    def points(self, direction: int) -> bool:
        """Return whether the whole interval lies on the side of `direction`, +1 or -1."""
        return self.low > 0 if direction > 0 else self.high < 0


def centred(y: FloatArray, group: IntArray) -> FloatArray:
    """Return y less the mean of its group, all of shape (n,)."""
    means = np.bincount(group, weights=y) / np.maximum(np.bincount(group), 1)
    out: FloatArray = y - np.asarray(means, dtype=np.float64)[group]
    return out


def standard(y: FloatArray) -> FloatArray:
    """Return y in standard deviations."""
    spread = float(y.std())
    out: FloatArray = (y - y.mean()) / spread if spread > 0 else y - y.mean()
    return out


def slopes(
    predictors: list[FloatArray], y: FloatArray, couple: IntArray, group: IntArray
) -> list[Effect]:
    """Return the standardised regression weights of y on `predictors`, clustered by couple.

    All arrays (n,), one entry per person (or person and episode).
    """
    x = np.stack([standard(centred(p, group)) for p in predictors], axis=1)
    target = standard(centred(y, group))
    bread = np.linalg.inv(x.T @ x)
    weights = bread @ (x.T @ target)
    scores = x * (target - x @ weights)[:, None]
    sums = np.stack([np.bincount(couple, weights=scores[:, k]) for k in range(x.shape[1])], axis=1)
    variance = bread @ (sums.T @ sums) @ bread
    n = int(np.unique(couple).size)
    half = Z * np.sqrt(np.diag(variance) * n / max(n - 1, 1))
    return [
        Effect(float(w), float(w - h), float(w + h), n) for w, h in zip(weights, half, strict=True)
    ]


def difference(y: FloatArray, where: BoolArray) -> Effect:
    """Return the difference of means, in standard deviations of y; one entry per couple."""
    scale = float(y.std())
    a, b = y[where] / scale, y[~where] / scale
    value = float(a.mean() - b.mean())
    half = Z * float(np.sqrt(a.var(ddof=1) / a.size + b.var(ddof=1) / b.size))
    return Effect(value, value - half, value + half, int(y.size))


def mean(y: FloatArray) -> Effect:
    """Return the mean of y, one entry per couple."""
    half = Z * float(y.std(ddof=1)) / float(np.sqrt(y.size))
    value = float(y.mean())
    return Effect(value, value - half, value + half, int(y.size))


def resampled(
    statistic: Callable[[IntArray], float], units: int, seed: int, draws: int = 400
) -> Effect:
    """Return `statistic` of all units, with the percentile interval of a bootstrap over units."""
    random = np.random.default_rng(seed)
    values = [statistic(random.integers(0, units, units)) for _ in range(draws)]
    low, high = np.nanquantile(values, (0.025, 0.975))
    return Effect(statistic(np.arange(units)), float(low), float(high), units)


def fisher(r: float, n: int) -> tuple[float, float]:
    """Return the 95 % interval of a correlation r in n independent pairs (Fisher 1915)."""
    z, half = np.arctanh(r), Z / np.sqrt(n - 3)
    return float(np.tanh(z - half)), float(np.tanh(z + half))


def correlation(x: FloatArray, y: FloatArray) -> float:
    """Return Pearson's r of two arrays of any one shape."""
    return float(np.corrcoef(x.ravel(), y.ravel())[0, 1])
