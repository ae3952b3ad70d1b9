"""Logistic regression with people and evenings as random effects.

    logit P = Z u,   u_j ~ N(0, v[group of j])

u holds coefficients, every actor, every partner and every evening. Penalised quasi-likelihood
(Breslow & Clayton 1993): Newton steps to the mode of u, and after each the variances by EM with
Laplace's covariance. With a dozen binary decisions a person it understates variances a little,
which makes histories count a little less than they might.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray
from soullink_ml.training.logistic import chance, log_odds

PRIOR_COEFFICIENTS: Final = 2.0
FREE: Final = 1e4
"""Variance of the intercept: as good as none of a prior."""


@dataclass(frozen=True, slots=True)
class MixedFit:
    """mode, covariance: of u, (d,) and (d, d). variances: (groups,)."""

    mode: FloatArray
    covariance: FloatArray
    variances: FloatArray


def fit(
    fixed: FloatArray,
    members: Sequence[IntArray],
    y: FloatArray,
    groups: IntArray,
    usual: FloatArray,
    sweeps: int,
    variances: FloatArray | None = None,
) -> MixedFit:
    """Fit on fixed (n, f), whose column 0 is the intercept, and y (n,) of 0 and 1.

    members: for each random effect (n,) the column of u that a row belongs to, from f upwards.
    groups: (d,) from 0; group 0 is the intercept alone. usual: (groups,) variance at which each
    begins and, with the weight of PRIOR_COEFFICIENTS, is drawn to. variances: where given they
    are kept and only u is fitted.
    """
    size = np.bincount(groups, minlength=len(usual)).astype(np.float64)
    found = usual.copy() if variances is None else variances.copy()
    found[0] = FREE
    mode = np.zeros(len(groups))
    mode[0] = log_odds(np.array([y.mean()]))[0]
    covariance = np.zeros((len(mode), len(mode)))
    f = fixed.shape[1]
    for _ in range(sweeps):
        p = chance(fixed @ mode[:f] + sum((mode[one] for one in members), np.zeros(len(y))))
        curve = _information(fixed, members, p * (1.0 - p), len(mode))
        curve[np.diag_indices(len(mode))] += 1.0 / found[groups]
        slope = -mode / found[groups]
        slope[:f] += fixed.T @ (y - p)
        for one in members:
            slope += np.bincount(one, y - p, len(mode))
        covariance = np.linalg.inv(curve).astype(np.float64)
        mode = mode + covariance @ slope
        if variances is None:
            second = np.bincount(groups, mode**2 + np.diag(covariance), len(usual))
            found = (second + PRIOR_COEFFICIENTS * usual) / (size + PRIOR_COEFFICIENTS)
            found[0] = FREE
    return MixedFit(mode, covariance, found)


def _information(
    fixed: FloatArray, members: Sequence[IntArray], weights: FloatArray, size: int
) -> FloatArray:
    """Return Z' W Z, (size, size), without making the zeros of Z."""
    f = fixed.shape[1]
    made = np.zeros((size, size))
    made[:f, :f] = (fixed.T * weights) @ fixed
    for one in members:
        for column in range(f):
            summed = np.bincount(one, weights * fixed[:, column], size)
            made[column, f:] += summed[f:]
            made[f:, column] += summed[f:]
        for other in members:
            np.add.at(made, (one, other), weights)
    return made
