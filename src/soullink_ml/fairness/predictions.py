"""Out-of-wave scores: nobody is scored by a model that saw anybody of the same evening."""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink_ml.datasets.speed_dates import SpeedDates
from soullink_ml.fairness import logistic
from soullink_ml.fairness.dates import Dates, Predictor, Scores, of_independent
from soullink_ml.fairness.measures import chance
from soullink_ml.fairness.resampling import FloatArray, IntArray
from soullink_ml.training import ours as our_training

RIDGE: Final = 1000.0
FOLDS: Final = 3

Model: TypeAlias = Literal["ours", "logistic"]


def ours(train: Dates, train_rows: IntArray, test: Dates, test_rows: IntArray) -> Scores:
    """Learn our model from sign-up answers, as it is before anybody met, and score."""
    model = our_training.train(_waves(train, train_rows))
    waves = _waves(test, test_rows)
    told = model.predict(waves, "profiles", any_turn=True)
    decision, match = (
        _spread(chances, test, waves)[test.source_rows[test_rows]]
        for chances in (told.decision, told.match)
    )
    return Scores(decision, match)


def _waves(dates: Dates, rows: IntArray) -> SpeedDates:
    if dates.source is None:
        raise ValueError("Our model needs the dates of a file.")
    return dates.source.in_waves(np.unique(dates.wave_of_row[rows]).tolist())


def _spread(chances: FloatArray, dates: Dates, waves: SpeedDates) -> FloatArray:
    """Return chances of some waves in the rows of the whole file."""
    if dates.source is None:
        raise ValueError("Our model needs the dates of a file.")
    made = np.full(dates.source.decider.size, np.nan)
    made[np.isin(dates.source.wave_of_row, waves.waves)] = chances
    return made


def plain(train: Dates, train_rows: IntArray, test: Dates, test_rows: IntArray) -> Scores:
    """Learn a ridge logistic regression on sign-up answers of each and of both, and score."""
    columns = design(train, train_rows)
    standard = logistic.Standard.of(columns)
    coefficients = logistic.fitted(standard.applied(columns), train.said_yes[train_rows], RIDGE)
    told = chance(logistic.predicted(standard.applied(design(test, test_rows)), coefficients))
    return of_independent(told, inside(test, test_rows))


def design(dates: Dates, rows: IntArray) -> FloatArray:
    """Return the columns of the plain model (rows, 2 p + q)."""
    people = dates.person_features
    return np.concatenate(
        [people[dates.viewer[rows]], people[dates.shown[rows]], dates.pair_features[rows]], axis=1
    )


MODELS: Final[Mapping[Model, Predictor]] = {"ours": ours, "logistic": plain}


def inside(dates: Dates, rows: IntArray) -> IntArray:
    """Return for each of `rows` where among them the other direction stands."""
    place = np.empty(dates.viewer.size, dtype=np.int64)
    place[rows] = np.arange(rows.size)
    return np.asarray(place[dates.reverse[rows]])


def within(dates: Dates, rows: IntArray, predictor: Predictor) -> Scores:
    """Return scores of the given rows, each out of its wave and out of all other rows.

    The inner part of nested cross-validation: what is fitted to these scores later (a
    recalibration) has seen nothing of the wave that it will be used for.
    """
    waves = dates.wave_of_row[rows]
    names = np.unique(waves)
    fold = np.searchsorted(names, waves) % min(FOLDS, names.size)
    scores = Scores(np.empty(rows.size), np.empty(rows.size))
    for number in np.unique(fold):
        here = fold == number
        put(scores, here, predictor(dates, rows[~here], dates, rows[here]))
    return scores


def put(into: Scores, at: IntArray | np.ndarray, scores: Scores) -> None:
    """Write `scores` into the places `at` of `into`."""
    into.decision[at] = scores.decision
    into.match[at] = scores.match
