"""Whether two halves of pairs differ: exact sign-flip tests, Holm's correction, what is detectable.

Under the hypothesis that both halves are treated alike, swapping the halves of any pair changes
nothing, so every pattern of signs of the differences is as likely as the one that was seen
(Fisher 1935, The Design of Experiments, section 21). No distribution is assumed.
"""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray

STEPS: Final = 4000
"""Differences are rounded to this part of their absolute sum; the test is exact for the rounded."""

LEVEL: Final = 0.05
POWER: Final = 0.8
RESAMPLES: Final = 2000


def sign_flip_p(differences: Sequence[float]) -> float:
    """Return the two-sided probability of a sum at least as far from zero, over all signs.

    All 2^n patterns of signs are counted, by convolution over the grid of sums.
    """
    sizes = np.abs(np.asarray(differences, dtype=np.float64))
    total = float(sizes.sum())
    if total == 0.0:
        return 1.0
    steps = np.rint(np.asarray(differences, dtype=np.float64) / total * STEPS).astype(np.int64)
    observed = abs(int(steps.sum()))
    reach = int(np.abs(steps).sum())
    chance = np.zeros(2 * reach + 1)
    chance[reach] = 1.0
    for size in np.abs(steps[steps != 0]):
        half = 0.5 * chance
        chance = np.zeros_like(chance)
        chance[size:] += half[:-size]
        chance[:-size] += half[size:]
    far = np.abs(np.arange(-reach, reach + 1)) >= observed
    return min(1.0, float(chance[far].sum()))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for their number: Holm (1979), Scand. J. Statist. 6."""
    order = sorted(range(len(p_values)), key=lambda place: p_values[place])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return adjusted


def interval(differences: Sequence[float], seed: int) -> tuple[float, float]:
    """Return the 95 % interval of the mean: percentiles of resampled pairs (Efron 1979)."""
    values: FloatArray = np.asarray(differences, dtype=np.float64)
    draws = np.random.default_rng(seed).integers(0, len(values), (RESAMPLES, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), (LEVEL / 2, 1 - LEVEL / 2))
    return float(low), float(high)


def detectable(differences: Sequence[float], tests: int) -> float | None:
    """Return the mean difference found in POWER of audits like this, None without any spread.

    The normal approximation at Holm's first and strictest step, LEVEL / `tests`.
    """
    if len(differences) < 2:
        return None
    spread = float(np.std(np.asarray(differences, dtype=np.float64), ddof=1))
    if spread == 0.0:
        return None
    normal = NormalDist()
    reach = normal.inv_cdf(1 - LEVEL / (2 * tests)) + normal.inv_cdf(POWER)
    return float(reach * spread / len(differences) ** 0.5)
