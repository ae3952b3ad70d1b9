"""How well chances foretell: order, sharpness, calibration, with intervals over people."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray

BINS: Final = 10
_EDGE: Final = 1e-9
CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and its interval."""

    value: float
    low: float
    high: float


def auc(y: FloatArray, scores: FloatArray, weights: FloatArray | None = None) -> float:
    """Return the chance that a 1 is scored above a 0, ties one half; NaN without both kinds."""
    order = np.argsort(scores, kind="stable")
    return _auc_sorted(
        y[order], _ties(scores[order]), np.ones(len(y)) if weights is None else weights[order]
    )


def auc_over_people(
    y: FloatArray, scores: FloatArray, a: IntArray, b: IntArray, seed: int, resamples: int
) -> Interval:
    """Return the AUC and its 95 % bootstrap interval over people.

    a, b: (n,) the two people of each row. Each resample draws people with replacement; a row
    counts as often as both its people were drawn (the pigeonhole bootstrap of Owen 2007, which
    for crossed effects errs on the wide side).
    """
    people, index = np.unique(np.concatenate([a, b]), return_inverse=True)
    first, second = index[: len(a)], index[len(a) :]
    order = np.argsort(scores, kind="stable")
    y, ties = y[order], _ties(scores[order])
    first, second = first[order], second[order]
    generator = np.random.default_rng(seed)
    found = []
    for _ in range(resamples):
        drawn = np.bincount(
            generator.integers(0, len(people), len(people)), minlength=len(people)
        ).astype(np.float64)
        found.append(_auc_sorted(y, ties, drawn[first] * drawn[second]))
    tail = (1.0 - CONFIDENCE) / 2.0
    low, high = np.nanquantile(found, (tail, 1.0 - tail))
    return Interval(_auc_sorted(y, ties, np.ones(len(y))), float(low), float(high))


def _ties(ordered: FloatArray) -> IntArray:
    """Return for each of ascending scores the number of its tie group, from 0."""
    return np.concatenate([[0], np.cumsum(np.diff(ordered) > 0.0)]).astype(np.int64)


def _auc_sorted(y: FloatArray, ties: IntArray, weights: FloatArray) -> float:
    groups = int(ties[-1]) + 1
    ones = np.bincount(ties, weights * y, groups)
    zeros = np.bincount(ties, weights * (1.0 - y), groups)
    total = ones.sum() * zeros.sum()
    if total <= 0.0:
        return float("nan")
    below = np.cumsum(zeros) - zeros
    return float((ones * (below + 0.5 * zeros)).sum() / total)


def log_loss(y: FloatArray, p: FloatArray) -> float:
    """Return the mean of -log of the chance that was given to what happened, in nats."""
    inside = np.clip(p, _EDGE, 1.0 - _EDGE)
    return float(-np.mean(y * np.log(inside) + (1.0 - y) * np.log(1.0 - inside)))


def base_log_loss(y: FloatArray) -> float:
    """Return the log loss of always saying the share of ones in y itself.

    No constant does better, nor may a model know this one: the strictest base rate.
    """
    return log_loss(y, np.full(len(y), y.mean()))


def calibration_error(y: FloatArray, p: FloatArray) -> float:
    """Return the expected calibration error: ten bins of equal width over 0..1, in each the mean
    chance against the share of ones, weighted by rows (Naeini, Cooper & Hauskrecht 2015)."""
    bins = np.minimum((p * BINS).astype(np.int64), BINS - 1)
    off = np.bincount(bins, p - y, BINS)
    return float(np.abs(off).sum() / len(y))
