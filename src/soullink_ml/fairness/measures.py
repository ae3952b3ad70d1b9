"""Weighted measures of scores and lists, for all draws of a bootstrap at once.

`weights` is (draws, cases) everywhere, results are (draws,). NaN where a measure has no cases.
"""

import numpy as np

from soullink_ml.fairness.resampling import FloatArray, IntArray

BINS = 10
_STEPS = 12
_STEPS_OF_DRAWS = 3
_LARGEST_LOGIT = 12.0


def logit(chances: FloatArray) -> FloatArray:
    """Return log-odds, chances kept 6e-6 away from 0 and 1."""
    least = 1 / (1 + np.exp(_LARGEST_LOGIT))
    kept = np.clip(chances, least, 1 - least)
    return np.asarray(np.log(kept / (1 - kept)))


def chance(logits: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-logits))."""
    return np.asarray(1 / (1 + np.exp(-np.clip(logits, -500, 500))))


def mean(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the weighted mean of `values` (cases,)."""
    return _ratio(weights @ values, weights.sum(axis=1))


def area_under_curve(scores: FloatArray, outcomes: FloatArray, weights: FloatArray) -> FloatArray:
    """Return P(score of a yes > score of a no) + half of P(equal) (Hanley & McNeil 1982)."""
    order = np.argsort(scores, kind="stable")
    ranked, happened = scores[order], outcomes[order]
    starts = np.flatnonzero(np.r_[True, ranked[1:] != ranked[:-1]])
    sorted_weights = weights[:, order]
    yes = np.add.reduceat(sorted_weights * happened, starts, axis=1)
    no = np.add.reduceat(sorted_weights * (1 - happened), starts, axis=1)
    below = np.cumsum(no, axis=1) - no / 2
    return _ratio((yes * below).sum(axis=1), yes.sum(axis=1) * no.sum(axis=1))


def calibration_in_the_large(
    chances: FloatArray, outcomes: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return mean predicted chance less share that happened: above 0 is too high a promise."""
    return mean(chances - outcomes, weights)


def calibration_slope(chances: FloatArray, outcomes: FloatArray, weights: FloatArray) -> FloatArray:
    """Return b of logit P(yes) = a + b logit(chance); below 1 is too extreme (Cox 1958).

    Newton's method for the two parameters: to the end for draw 0, and from there three steps for
    every other draw.
    """
    x = logit(chances)
    start = np.array([[0.0], [1.0]])
    for _ in range(_STEPS):
        start = _newton(x, outcomes, weights[:1], start)
    both = np.broadcast_to(start, (2, weights.shape[0]))
    for _ in range(_STEPS_OF_DRAWS):
        both = _newton(x, outcomes, weights, both)
    return np.asarray(both[1])


def _newton(x: FloatArray, outcomes: FloatArray, weights: FloatArray, at: FloatArray) -> FloatArray:
    """Return intercepts and slopes (2, draws) one step further."""
    a, b = at
    fitted = chance(a[:, None] + b[:, None] * x)
    residual = weights * (outcomes - fitted)
    spread = weights * fitted * (1 - fitted)
    g0, g1 = residual.sum(axis=1), residual @ x
    h0, h1, h2 = spread.sum(axis=1), spread @ x, spread @ (x * x)
    determinant = h0 * h2 - h1 * h1
    steps = np.stack(
        [_ratio(h2 * g0 - h1 * g1, determinant), _ratio(h0 * g1 - h1 * g0, determinant)]
    )
    return at + np.clip(steps, -2, 2)


def bins_of(chances: FloatArray, bins: int = BINS) -> IntArray:
    """Return the bin of every case, (cases,), bins of about equal size by predicted chance."""
    edges = np.quantile(chances, np.linspace(0, 1, bins + 1)[1:-1])
    return np.asarray(np.searchsorted(edges, chances, side="right"), dtype=np.int64)


def expected_calibration_error(
    chances: FloatArray, outcomes: FloatArray, weights: FloatArray, bins: IntArray
) -> FloatArray:
    """Return the mean distance of predicted and observed share over bins (Naeini et al. 2015).

    It is above 0 by chance alone, the more so the fewer the cases: read it beside `ece_by_chance`.
    """
    one_hot = np.zeros((chances.size, int(bins.max(initial=0)) + 1))
    one_hot[np.arange(chances.size), bins] = 1
    distances = np.abs((weights * (chances - outcomes)) @ one_hot).sum(axis=1)
    return _ratio(distances, weights.sum(axis=1))


def ece_by_chance(chances: FloatArray, bins: IntArray, draws: int, seed: int) -> float:
    """Return the 95th percentile of the error if every chance were true and dates independent."""
    random = np.random.default_rng(seed)
    one_hot = np.zeros((chances.size, int(bins.max(initial=0)) + 1))
    one_hot[np.arange(chances.size), bins] = 1
    outcomes = random.random((draws, chances.size)) < chances
    errors = np.abs((chances - outcomes) @ one_hot).sum(axis=1) / chances.size
    return float(np.quantile(errors, 0.95))


def gini(values: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the Gini coefficient of `values` (draws, cases), >= 0: 0 equal, near 1 one has all.

    Half the relative mean absolute difference, from the weighted Lorenz curve.
    """
    order = np.argsort(values, axis=1, kind="stable")
    ranked = np.take_along_axis(values, order, axis=1)
    heavy = np.take_along_axis(weights, order, axis=1)
    people = np.cumsum(heavy, axis=1)
    income = np.cumsum(heavy * ranked, axis=1)
    before = np.concatenate([np.zeros((values.shape[0], 1)), income[:, :-1]], axis=1)
    area = (heavy * (income + before)).sum(axis=1)
    return 1 - _ratio(area, people[:, -1] * income[:, -1])


def log_loss(chances: FloatArray, outcomes: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the mean negative log likelihood in nats."""
    x = logit(chances)
    return mean(np.logaddexp(0, x) - outcomes * x, weights)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    known = np.abs(below) > 1e-12
    return np.where(known, above / np.where(known, below, 1.0), np.nan)
