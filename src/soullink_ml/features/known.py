"""Means and spreads over what is known; where nothing is known, 0 and 1."""

from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray

_LEAST: Final = 1e-9


def mean(values: FloatArray) -> FloatArray:
    """Return the means of the columns of (n, d) over what is not NaN, 0 where all is."""
    there = np.isfinite(values)
    total = np.where(there, values, 0.0).sum(axis=0)
    return np.asarray(total / np.maximum(there.sum(axis=0), 1))


def spread(values: FloatArray) -> FloatArray:
    """Return the standard deviations of the columns of (n, d), 1 where nothing varies."""
    found = np.sqrt(mean((values - mean(values)) ** 2))
    return np.where(found > _LEAST, found, 1.0)
