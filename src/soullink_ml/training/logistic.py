"""Ridge logistic regression by Newton's method."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray

_STEPS: Final = 50
_TOLERANCE: Final = 1e-10
_EDGE: Final = 1e-6
_LEAST_SPREAD: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Logistic:
    """centre, spread: (d,) of the training columns. coefficients: (d,) per spread. intercept."""

    centre: FloatArray
    spread: FloatArray
    coefficients: FloatArray
    intercept: float

    def log_odds(self, x: FloatArray) -> FloatArray:
        """Return (n,) log-odds; NaN in x (n, d) counts as the training mean."""
        scaled = np.nan_to_num((x - self.centre) / self.spread)
        return np.asarray(self.intercept + scaled @ self.coefficients)

    def chance(self, x: FloatArray) -> FloatArray:
        """Return (n,) chances."""
        return chance(self.log_odds(x))


def fit(x: FloatArray, y: FloatArray, penalty: float) -> Logistic:
    """Fit y (n,) of 0 and 1 on x (n, d). penalty: of half the squared standardised coefficients.

    The intercept is not penalised, so on average the chances are the base rate.
    """
    known = np.isfinite(x)
    n = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, x, 0.0).sum(axis=0) / n
    spread = np.sqrt((np.where(known, x - centre, 0.0) ** 2).sum(axis=0) / n)
    spread = np.where(spread > _LEAST_SPREAD, spread, 1.0)
    design = np.column_stack([np.ones(len(y)), np.nan_to_num((x - centre) / spread)])
    ridge = np.full(design.shape[1], penalty)
    ridge[0] = 1e-9
    beta = np.zeros(design.shape[1])
    beta[0] = log_odds(np.array([y.mean()]))[0]
    for _ in range(_STEPS):
        p = chance(design @ beta)
        slope = design.T @ (y - p) - ridge * beta
        curve = (design.T * (p * (1.0 - p))) @ design + np.diag(ridge)
        step = np.linalg.solve(curve, slope)
        beta = beta + step
        if float(np.abs(step).max()) < _TOLERANCE:
            break
    return Logistic(centre, spread, beta[1:], float(beta[0]))


def chance(log_odds_: FloatArray) -> FloatArray:
    """Return 1 / (1 + exp(-x))."""
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * log_odds_)))


def log_odds(chances: FloatArray) -> FloatArray:
    """Return log(p / (1 - p)), p kept a millionth away from 0 and 1."""
    inside = np.clip(chances, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(inside / (1.0 - inside)))
