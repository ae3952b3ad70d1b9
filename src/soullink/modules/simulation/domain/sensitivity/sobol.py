"""Sobol indices of a model that is partly chance.

Y(x, w) depends on inputs x that are varied and on chance w. What is decomposed is the variance of
E[Y | x], so chance counts for nobody: it has a share of its own. First-order indices by the
estimator (b) of Saltelli et al. (2010, Computer Physics Communications 181, table 2), total indices
by Jansen (1999, Computer Physics Communications 117). Squares are taken over pairs of different
replicas of chance, which makes them unbiased however few replicas there are; within a point all
blocks share their chance (common random numbers), but for block B, which has its own, so that what
A and B have in common is the input and not the luck.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.simulation.api import FloatArray

RESAMPLES: Final = 400
LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Indices:
    """Sobol indices of k inputs with the ends of their 95 % bootstrap intervals.

    first, total, beyond: (k, 3) value, low, high; beyond: total less first, what an input does
    together with others. varied: (3,) share of the variance of single outcomes that all inputs
    make together; the rest is chance. Values are None where the inputs make none that could be
    told from chance.
    """

    first: FloatArray | None
    total: FloatArray | None
    beyond: FloatArray | None
    varied: FloatArray


def _products(left: FloatArray, right: FloatArray) -> FloatArray:
    """Return the mean of left * right over pairs of different replicas; (..., R) -> (...)."""
    count = left.shape[-1]
    if count == 1:
        plain: FloatArray = (left * right)[..., 0]
        return plain
    both = left.sum(axis=-1) * right.sum(axis=-1) - (left * right).sum(axis=-1)
    crossed: FloatArray = both / (count * (count - 1))
    return crossed


def indices(a: FloatArray, b: FloatArray, mixed: FloatArray, seed: int) -> Indices:
    """Return the indices.

    a, b: (N, R) outcomes at N points, R replicas of chance; R = 1 says that there is no chance.
    mixed: (k, N, R), the points of `a` with input j (or group of inputs) from `b`, and the chance
    of `a`. seed: of the bootstrap over the points.
    """
    middle = 0.5 * (a.mean() + b.mean())
    a, b, mixed = a - middle, b - middle, mixed - middle
    first = b.mean(axis=1) * (mixed.mean(axis=2) - a.mean(axis=1))
    total = 0.5 * _products(mixed - a, mixed - a)
    spread = 0.5 * (_products(a, a) + _products(b, b))
    every = 0.5 * ((a**2).mean(axis=1) + (b**2).mean(axis=1))
    mean = 0.5 * (a.mean(axis=1) + b.mean(axis=1))
    points = a.shape[0]
    picks = np.random.default_rng(seed).integers(0, points, (RESAMPLES, points))
    weights = np.zeros((RESAMPLES + 1, points))
    weights[0] = 1.0  # as it is, then resampled
    for row, picked in enumerate(picks, start=1):
        weights[row] = np.bincount(picked, minlength=points)
    weights /= points
    off = (weights @ mean) ** 2
    variance, whole = weights @ spread - off, weights @ every - off
    varied = np.divide(variance, whole, out=np.zeros_like(whole), where=whole > 0)
    shares = np.clip(_with_ends(varied[:, None]), 0.0, 1.0)[0]
    if variance[0] <= 0 or np.quantile(variance[1:], (1 - LEVEL) / 2) <= 0:
        return Indices(None, None, None, shares)
    safe = np.where(variance > 0, variance, np.nan)[:, None]
    ones, all_in = (weights @ first.T) / safe, (weights @ total.T) / safe
    return Indices(_with_ends(ones), _with_ends(all_in), _with_ends(all_in - ones), shares)


def _with_ends(values: FloatArray) -> FloatArray:
    """Return (k, 3) value, low, high of (1 + RESAMPLES, k), the first row being the value."""
    low, high = np.nanquantile(values[1:], ((1 - LEVEL) / 2, (1 + LEVEL) / 2), axis=0)
    found: FloatArray = np.stack(
        [values[0], np.minimum(low, values[0]), np.maximum(high, values[0])], axis=1
    )
    return found
