"""Running means of what was recorded earlier the same evening, for the models beside ours.

A record counts from the round after its own: `round` is the evening's clock, the same for both of
a pair, so a date that goes on at the same time at another table is not known yet.
"""

from typing import Final

import numpy as np

from soullink_ml.datasets.moments import Moment, require
from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.features import known
from soullink_ml.features.registry import COUNTED

PRIOR_DATES: Final = 3.0
"""Shrinkage: a mean of n dates stands with n, that of the training data with three."""


def learn_means(dates: SpeedDates) -> FloatArray:
    """Return the mean of each of COUNTED over training rows."""
    return known.mean(np.column_stack([_recorded(dates, name) for name in COUNTED]))


def running(dates: SpeedDates, means: FloatArray) -> FloatArray:
    """Return (rows, 4 x COUNTED): given by the decider, got by the other, got by the decider,
    given by the other, each before the row's round began."""
    made = []
    for name, mean in zip(COUNTED, means, strict=True):
        values = _recorded(dates, name)
        given = before(dates, values, dates.decider)
        got = before(dates, values, dates.about)
        for who, (total, count) in (
            (dates.decider, given),
            (dates.about, got),
            (dates.decider, got),
            (dates.about, given),
        ):
            at = (who, dates.round)
            made.append((total[at] + PRIOR_DATES * mean) / (count[at] + PRIOR_DATES))
    return np.column_stack(made)


def before(dates: SpeedDates, values: FloatArray, who: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return sums and counts of `values` by person of the rounds before each round.

    Each (people, last round + 1); [i, t] holds what person i's dates of rounds 1 to t - 1 recorded.
    """
    rounds = int(dates.round.max())
    there = np.isfinite(values)
    total = np.zeros((dates.people, rounds + 2))
    count = np.zeros_like(total)
    np.add.at(total, (who[there], dates.round[there] + 1), values[there])
    np.add.at(count, (who[there], dates.round[there] + 1), 1.0)
    return total.cumsum(axis=1), count.cumsum(axis=1)


def _recorded(dates: SpeedDates, name: str) -> FloatArray:
    require(name, Moment.DATE)
    return dates.outcomes[name]
