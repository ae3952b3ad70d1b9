"""Variances of the social relations model (Kenny & La Voie 1984), by moments.

    y_k(a, b) = mean_k(sex of a) + wave_k + actor_k(a) + partner_k(b) + rest_k(a, b)

for several recorded things k at once. A product of two records of one actor about different
partners has the actors' covariance as its mean, and so on; no distribution is assumed.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.features.known import mean as known_mean

_FLOOR: Final = 1e-4
_WAVES_SHRUNK: Final = 0.8
"""What part of the spread of wave means is of waves; the rest is of the people in them."""


@dataclass(frozen=True, slots=True)
class Relations:
    """K things recorded. mean: (2, K) by sex of who decides, 0 woman, 1 man.

    person: (2K, 2K) covariance of a person's actor effects, then partner effects.
    rest: (K, K) of what is of the pair, and error. wave: (K, K) of a side's mean in a wave.
    """

    mean: FloatArray
    person: FloatArray
    rest: FloatArray
    wave: FloatArray


def learn(dates: SpeedDates, values: FloatArray, expected: FloatArray) -> Relations:
    """Estimate from values (rows, K), NaN where not given, less what answers let expect."""
    left = values - expected
    sex = dates.man[dates.decider]
    mean = np.array([known_mean(left[sex == side]) for side in (0.0, 1.0)])
    inner = np.full_like(left, np.nan)
    shifts = []
    for wave in dates.waves:
        for side in (0, 1):
            rows = (dates.wave_of_row == wave) & (sex == side)
            if rows.any():
                here = _mean(left[rows], mean[side])
                shifts.append(here - mean[side])
                inner[rows] = left[rows] - here
    known = np.isfinite(inner).astype(np.float64)
    inner = np.where(known > 0.0, inner, 0.0)
    actor = _sums(dates.decider, inner, known, dates.people)
    partner = _sums(dates.about, inner, known, dates.people)
    same = inner.T @ inner, known.T @ known
    other = inner.T @ inner[dates.reverse], known.T @ known[dates.reverse]
    actors = _ratio(actor[0].T @ actor[0] - same[0], actor[1].T @ actor[1] - same[1])
    partners = _ratio(partner[0].T @ partner[0] - same[0], partner[1].T @ partner[1] - same[1])
    both = _ratio(actor[0].T @ partner[0] - other[0], actor[1].T @ partner[1] - other[1])
    return Relations(
        mean=mean,
        person=_positive(np.block([[actors, both], [both.T, partners]])),
        rest=_positive(_ratio(*same) - actors - partners),
        wave=_positive(_WAVES_SHRUNK * np.cov(np.array(shifts).T, bias=True)),
    )


def _mean(values: FloatArray, instead: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    n = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(n > 0, total / np.maximum(n, 1), instead)


def _sums(
    who: IntArray, values: FloatArray, known: FloatArray, people: int
) -> tuple[FloatArray, FloatArray]:
    total = np.zeros((people, values.shape[1]))
    count = np.zeros_like(total)
    np.add.at(total, who, values)
    np.add.at(count, who, known)
    return total, count


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    return np.asarray(numerator / np.maximum(denominator, 1.0))


def _positive(matrix: FloatArray) -> FloatArray:
    """Return the nearest covariance: eigenvalues below a ten-thousandth of the largest raised."""
    values, vectors = np.linalg.eigh((np.atleast_2d(matrix) + np.atleast_2d(matrix).T) / 2.0)
    least = max(_FLOOR * float(values[-1]), 1e-9)
    return np.asarray((vectors * np.maximum(values, least)) @ vectors.T)
