"""Out-of-wave scores: nobody is scored by a model that saw anybody of the same evening."""

import numpy as np

from soullink_ml.fairness import logistic
from soullink_ml.fairness.dates import Dates, Predictor, Scores
from soullink_ml.fairness.measures import chance
from soullink_ml.fairness.resampling import FloatArray, IntArray

RIDGE = 1000.0


def design(dates: Dates, rows: IntArray) -> FloatArray:
    """Return the columns of the plain model (rows, 2 p + q): of each person and of both."""
    people = dates.person_features
    return np.concatenate(
        [people[dates.viewer[rows]], people[dates.shown[rows]], dates.pair_features[rows]], axis=1
    )


def plain(train: Dates, train_rows: IntArray, test: Dates, test_rows: IntArray) -> Scores:
    """Learn a ridge logistic regression on sign-up answers and score `test_rows`."""
    columns = design(train, train_rows)
    standard = logistic.Standard.of(columns)
    coefficients = logistic.fitted(standard.applied(columns), train.said_yes[train_rows], RIDGE)
    return chance(logistic.predicted(standard.applied(design(test, test_rows)), coefficients))


def out_of_wave(dates: Dates, predictor: Predictor) -> Scores:
    """Return P(yes) of every row by a model that learned from all other waves, (rows,)."""
    waves = dates.wave_of_row
    scores = np.empty(dates.viewer.size)
    for wave in np.unique(waves):
        inside = np.flatnonzero(waves == wave)
        scores[inside] = predictor(dates, np.flatnonzero(waves != wave), dates, inside)
    return scores


def within(dates: Dates, rows: IntArray, predictor: Predictor, folds: int = 4) -> Scores:
    """Return P(yes) of the given rows, each scored out of its wave and out of all other rows.

    The inner half of nested cross-validation: what is fitted to these scores later (a
    recalibration) has seen nothing of the wave that it will be used for.
    """
    waves = dates.wave_of_row[rows]
    names = np.unique(waves)
    fold = np.searchsorted(names, waves) % min(folds, names.size)
    scores = np.empty(rows.size)
    for number in np.unique(fold):
        inside = fold == number
        scores[inside] = predictor(dates, rows[~inside], dates, rows[inside])
    return scores
