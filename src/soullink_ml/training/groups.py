"""Linear regression whose coefficients share a spread by group, fitted by EM.

    y_i = x_i . beta + person_i + noise_i,   beta_j ~ N(0, v[group of j]),
    person_i ~ N(0, s),   noise_i ~ N(0, known variance)

Groups of answers that foretell nothing get a spread near 0, so nobody has to choose them by hand
(empirical Bayes: MacKay 1992, "Bayesian interpolation"). A weak prior keeps the spreads of small
groups from running off.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray

PRIOR_COEFFICIENTS: Final = 2.0
PRIOR_SHARE: Final = 0.03
"""The prior of each group's spread: worth two coefficients, 3 % of the variance of y in all."""
_SWEEPS: Final = 60


@dataclass(frozen=True, slots=True)
class GroupFit:
    """mean, covariance: of the coefficients, (d,) and (d, d). spreads: (groups,) variances.

    rest: variance s of what no answer tells about a person.
    """

    mean: FloatArray
    covariance: FloatArray
    spreads: FloatArray
    rest: float


def fit(x: FloatArray, groups: IntArray, y: FloatArray, noise: FloatArray) -> GroupFit:
    """Fit on x (n, d), groups (d,) from 0, y (n,), noise (n,) variances of y's error."""
    count = int(groups.max()) + 1
    size = np.bincount(groups, minlength=count).astype(np.float64)
    scale = float(y.var()) or 1.0
    usual = PRIOR_SHARE * scale / size
    spreads, rest = usual.copy(), 0.5 * scale
    mean, covariance = posterior(x, spreads[groups], y, rest + noise)
    for _ in range(_SWEEPS):
        second = mean**2 + np.diag(covariance)
        summed = np.bincount(groups, second, minlength=count)
        spreads = (summed + PRIOR_COEFFICIENTS * usual) / (size + PRIOR_COEFFICIENTS)
        residual = y - x @ mean
        share = rest / (rest + noise)
        doubt = np.einsum("ij,jk,ik->i", x, covariance, x)
        rest = float(np.mean(share**2 * (residual**2 + doubt) + share * noise))
        mean, covariance = posterior(x, spreads[groups], y, rest + noise)
    return GroupFit(mean, covariance, spreads, rest)


def posterior(
    x: FloatArray, prior: FloatArray, y: FloatArray, noise: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of the coefficients given their prior variances, (d,)."""
    weighted = x.T / noise
    precision = weighted @ x + np.diag(1.0 / prior)
    covariance: FloatArray = np.linalg.inv(precision).astype(np.float64)
    return covariance @ (weighted @ y), covariance
