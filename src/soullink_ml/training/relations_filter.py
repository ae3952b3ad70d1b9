"""The social relations filter: what an evening has shown so far about who is there.

The state is every person's actor and partner effects and the two sides' shifts of the evening. It
begins at what sign-up answers let expect, and after each round is updated by what that round's
dates recorded (Kalman 1960; nothing moves in between, so this is Bayesian linear regression read
in the order of time). The forecast of a date is taken before its round is heard.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.training.relations import Relations

_SIDES_ALIKE: Final = 0.3
"""Correlation of the two sides' shifts: an evening that pleases women more pleases men more."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """mean: (rows, K) expected records. doubt: (rows,) variance of the first one's effects."""

    mean: FloatArray
    doubt: FloatArray


def forecast(
    dates: SpeedDates, values: FloatArray, expected: FloatArray, relations: Relations
) -> Forecast:
    """Return what was to be expected of each date from all that ended before it began.

    values: (rows, K) as recorded; expected: (rows, K) what sign-up answers add to the mean.
    """
    mean = np.full(values.shape, np.nan)
    doubt = np.full(len(values), np.nan)
    for wave in dates.waves:
        rows = np.flatnonzero(dates.wave_of_row == wave)
        evening = _Evening(dates, rows, relations)
        for turn in np.unique(dates.round[rows]):
            now = rows[dates.round[rows] == turn]
            mean[now], doubt[now] = evening.hear(now, values[now], expected[now])
    return Forecast(mean, doubt)


class _Evening:
    """The state of one evening: people's effects, then the shifts of women and men."""

    def __init__(self, dates: SpeedDates, rows: IntArray, relations: Relations) -> None:
        self._dates, self._relations = dates, relations
        self._k = k = relations.rest.shape[0]
        people = np.unique(np.concatenate([dates.decider[rows], dates.about[rows]]))
        self._at = dict(zip(people.tolist(), range(len(people)), strict=True))
        self._sides = 2 * k * len(people)
        size = self._sides + 2 * k
        self._state = np.zeros(size)
        self._cov = np.zeros((size, size))
        for index in range(len(people)):
            own = slice(2 * k * index, 2 * k * (index + 1))
            self._cov[own, own] = relations.person
        sides = np.array([[1.0, _SIDES_ALIKE], [_SIDES_ALIKE, 1.0]])
        self._cov[self._sides :, self._sides :] = np.kron(sides, relations.wave)

    def hear(
        self, rows: IntArray, values: FloatArray, expected: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return the forecast of the dates `rows`, then learn from what they recorded."""
        k, reads = self._k, self._reads(rows)
        sex = self._dates.man[self._dates.decider[rows]].astype(np.int64)
        base = (self._relations.mean[sex] + expected).ravel()
        mean = base + reads @ self._state
        cross = self._cov @ reads.T
        spread = reads @ cross
        known = np.isfinite(values.ravel())
        total = (spread + np.kron(np.eye(len(rows)), self._relations.rest))[np.ix_(known, known)]
        gain = np.linalg.solve(total, cross[:, known].T).T
        self._state = self._state + gain @ (values.ravel() - mean)[known]
        self._cov = self._cov - gain @ cross[:, known].T
        return mean.reshape(-1, k), np.diag(spread)[::k].copy()

    def _reads(self, rows: IntArray) -> FloatArray:
        """Return (rows x K, state): which effects each record is the sum of."""
        k = self._k
        reads = np.zeros((len(rows) * k, len(self._state)))
        for index, row in enumerate(rows):
            actor = self._at[int(self._dates.decider[row])] * 2 * k
            partner = self._at[int(self._dates.about[row])] * 2 * k + k
            side = self._sides + int(self._dates.man[self._dates.decider[row]]) * k
            for thing in range(k):
                here = index * k + thing
                reads[here, [actor + thing, partner + thing, side + thing]] = 1.0
        return reads
