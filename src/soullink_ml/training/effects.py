"""How readily each person of an evening says yes, and hears it: two-way means.

y(a, b) = mean + actor(a) + partner(b) + rest, within each sex of each wave
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates

_SWEEPS: Final = 25


@dataclass(frozen=True, slots=True)
class Effects:
    """Actor and partner effects against the others of that side, (people,), 0 where no dates.

    given, got: (people,) how many decisions stand behind each.
    """

    actor: FloatArray
    partner: FloatArray
    given: FloatArray
    got: FloatArray


def effects(dates: SpeedDates, values: FloatArray) -> Effects:
    """Return the effects of `values` (rows,), least squares by alternation."""
    actor = np.zeros(dates.people)
    partner = np.zeros(dates.people)
    given = np.zeros(dates.people)
    got = np.zeros(dates.people)
    known = np.isfinite(values)
    for wave in dates.waves:
        for sex in (0.0, 1.0):
            rows = known & (dates.wave_of_row == wave) & (dates.man[dates.decider] == sex)
            if rows.any():
                a, b = dates.decider[rows], dates.about[rows]
                found = _two_way(a, b, values[rows] - values[rows].mean(), dates.people)
                actor += found[0]
                partner += found[1]
                given += np.bincount(a, minlength=dates.people)
                got += np.bincount(b, minlength=dates.people)
    return Effects(actor, partner, given, got)


def _two_way(
    a: IntArray, b: IntArray, values: FloatArray, people: int
) -> tuple[FloatArray, FloatArray]:
    size_a = np.maximum(np.bincount(a, minlength=people), 1)
    size_b = np.maximum(np.bincount(b, minlength=people), 1)
    there = np.bincount(b, minlength=people) > 0
    left, right = np.zeros(people), np.zeros(people)
    for _ in range(_SWEEPS):
        left = np.bincount(a, values - right[b], people) / size_a
        right = np.bincount(b, values - left[a], people) / size_b
        right[there] -= right[there].mean()
    return left, right
