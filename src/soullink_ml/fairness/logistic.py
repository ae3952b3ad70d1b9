"""Logistic regression with a ridge, and with a penalty on what groups are promised too much."""

from dataclasses import dataclass

import numpy as np

from soullink_ml.fairness.measures import chance
from soullink_ml.fairness.resampling import FloatArray

_STEPS = 30


@dataclass(frozen=True, slots=True)
class Standard:
    """Means and spreads of training columns; what is unknown becomes the mean."""

    mean: FloatArray
    spread: FloatArray

    @classmethod
    def of(cls, columns: FloatArray) -> "Standard":
        """Learn from `columns` (rows, p); NaN is unknown."""
        known = np.isfinite(columns)
        count = np.maximum(known.sum(axis=0), 1)
        mean = np.where(known, columns, 0.0).sum(axis=0) / count
        spread = np.sqrt((np.where(known, columns - mean, 0.0) ** 2).sum(axis=0) / count)
        return cls(mean, np.where(spread > 1e-9, spread, 1.0))

    def applied(self, columns: FloatArray) -> FloatArray:
        """Return (columns - mean) / spread, 0 for the unknown."""
        return np.asarray(np.where(np.isfinite(columns), (columns - self.mean) / self.spread, 0.0))


def fitted(
    columns: FloatArray,
    outcomes: FloatArray,
    ridge: float,
    *,
    offset: FloatArray | None = None,
    members: FloatArray | None = None,
    evenness: float = 0.0,
) -> FloatArray:
    """Return the coefficients (p + 1,), the intercept first, by Newton's method.

    Minimises the negative log likelihood + ridge / 2 |coefficients|^2
    + evenness / 2 sum_g (sum of residuals in g)^2 / size of g, residual = chance - outcome.
    columns: (rows, p). offset: (rows,) log-odds known already. members: (rows, groups) of 0 and 1;
    they are needed to fit only, never to predict.
    """
    rows = columns.shape[0]
    design = np.concatenate([np.ones((rows, 1)), columns], axis=1)
    start = np.zeros(rows) if offset is None else offset
    penalty = np.full(design.shape[1], ridge)
    penalty[0] = 1e-6
    coefficients = np.zeros(design.shape[1])
    for _ in range(_STEPS):
        chances = chance(start + design @ coefficients)
        residual = chances - outcomes
        slope = chances * (1 - chances)
        gradient = design.T @ residual + penalty * coefficients
        curvature = (design * slope[:, None]).T @ design + np.diag(penalty)
        if members is not None and evenness > 0:
            sizes = np.maximum(members.sum(axis=0), 1.0)
            jacobian = (design * slope[:, None]).T @ members
            gradient = gradient + evenness * jacobian @ ((members.T @ residual) / sizes)
            # Gauss-Newton: the second derivative of the residuals is left out.
            curvature = curvature + evenness * (jacobian / sizes) @ jacobian.T
        step = np.linalg.solve(curvature, gradient)
        coefficients = coefficients - np.clip(step, -3, 3)
        if float(np.abs(step).max()) < 1e-7:
            break
    return np.asarray(coefficients)


def predicted(columns: FloatArray, coefficients: FloatArray) -> FloatArray:
    """Return the log-odds (rows,) of `fitted` coefficients."""
    return np.asarray(coefficients[0] + columns @ coefficients[1:])
