"""Intervals for what is counted over replicas."""

import math
from typing import Final

import numpy as np

from soullink.modules.simulation.api import BoolArray, FloatArray

Z95: Final = 1.959964
QUANTILES_80: Final = (0.1, 0.5, 0.9)


def wilson(hits: int, cases: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), (0, 1) without cases."""
    if cases == 0:
        return 0.0, 1.0
    share = hits / cases
    middle = share + Z95**2 / (2 * cases)
    half = Z95 * math.sqrt(share * (1 - share) / cases + Z95**2 / (4 * cases**2))
    scale = 1 + Z95**2 / cases
    # At 0 and 1 the interval begins and ends there; only rounding says otherwise.
    low, high = (middle - half) / scale, (middle + half) / scale
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def paired_change(before: BoolArray, after: BoolArray) -> tuple[float, float, float]:
    """Return the change of a share between the same cases and its 95 % interval.

    The adjusted Wald interval for matched proportions of Agresti & Min (2005, Statistics in
    Medicine 24), which adds half a case to each cell of the table. before, after: (R,), R >= 1.
    """
    cases = int(before.size)
    gained, lost = int((~before & after).sum()), int((before & ~after).sum())
    effect = (gained - lost) / cases
    middle = (gained - lost) / (cases + 2)
    half = Z95 * math.sqrt(gained + lost + 1 - (gained - lost) ** 2 / (cases + 2)) / (cases + 2)
    return (
        effect,
        max(-1.0, min(middle - half, effect)),
        min(1.0, max(middle + half, effect)),
    )


def eighty(values: FloatArray) -> tuple[float, float, float] | None:
    """Return (low, median, high) of an 80 % interval; NaN is left out, None where nothing is."""
    known = values[np.isfinite(values)]
    if known.size == 0:
        return None
    low, middle, high = (float(q) for q in np.quantile(known, QUANTILES_80))
    return low, middle, high
