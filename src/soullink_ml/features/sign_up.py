"""Features of sign-up answers, told apart within an evening.

An answer counts against the others of the same sex who come to the same evening: they all have
signed up before it begins. Small evenings borrow their centre and spread from the training data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink_ml.datasets.moments import ACTIVITIES, ATTRIBUTES
from soullink_ml.datasets.speed_dates import FloatArray, IntArray, SpeedDates
from soullink_ml.features.known import mean
from soullink_ml.features.registry import (
    PAIR,
    PERSON,
    SELF,
    THOUGHT_WANTED,
    WANTED,
)

CENTRE_PRIOR: Final = 2.0
SPREAD_PRIOR: Final = 5.0
"""How many people of the training data stand beside those of one side of an evening."""
WIDEST_GAP_YEARS: Final = 10.0
USUAL_AGE: Final = 26.0
_LEAST_SPREAD: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Scale:
    """Centre and spread of each person feature by sex (0 woman, 1 man), (2, features)."""

    centre: FloatArray
    spread: FloatArray


def raw(dates: SpeedDates) -> FloatArray:
    """Return the person features as answered, (people, PERSON), NaN where not answered."""
    for feature in PERSON:
        feature.check()
    made = dict(_made(dates))
    return np.column_stack([made[feature.name] for feature in PERSON])


def learn_scale(values: FloatArray, dates: SpeedDates) -> Scale:
    """Return centre and within-wave spread of training people, by sex."""
    centre, spread = [], []
    for sex in (0.0, 1.0):
        side = values[dates.man == sex]
        waves = dates.wave[dates.man == sex]
        middle = mean(side)
        inner = side.copy()
        for wave in np.unique(waves):
            inner[waves == wave] -= mean(side[waves == wave])
        centre.append(middle)
        spread.append(np.sqrt(mean(inner**2)))
    return Scale(np.array(centre), np.array(spread))


def standardise(values: FloatArray, dates: SpeedDates, scale: Scale) -> FloatArray:
    """Return (people, PERSON) in standard deviations within wave and sex; unknown is 0."""
    made = np.zeros_like(values)
    for wave in dates.waves:
        for sex in (0, 1):
            side = (dates.wave == wave) & (dates.man == sex)
            if side.any():
                made[side] = _side(values[side], scale.centre[sex], scale.spread[sex])
    return made


def _side(values: FloatArray, centre: FloatArray, spread: FloatArray) -> FloatArray:
    known = np.isfinite(values)
    n = known.sum(axis=0)
    filled = np.where(known, values, 0.0)
    middle = (filled.sum(axis=0) + CENTRE_PRIOR * centre) / (n + CENTRE_PRIOR)
    squares = (np.where(known, values - middle, 0.0) ** 2).sum(axis=0)
    width = np.sqrt((squares + SPREAD_PRIOR * spread**2) / (n + SPREAD_PRIOR))
    return np.where(known & (width > _LEAST_SPREAD), (values - middle) / _or_one(width), 0.0)


def pair(dates: SpeedDates) -> FloatArray:
    """Return (rows, PAIR), NaN where unknown."""
    for feature in PAIR:
        feature.check()
    a, b = dates.decider, dates.about
    age = dates.signed_up("age")
    gap = np.abs(age[b] - age[a])
    field = dates.signed_up("field_cd")
    same = np.where(np.isfinite(field[a]) & np.isfinite(field[b]), field[a] == field[b], np.nan)
    return np.column_stack(
        [
            dates.man[a],
            np.minimum(gap, WIDEST_GAP_YEARS),
            alike(activities(dates), a, b),
            same,
            dates.turn == 1,
            dates.turn / 20.0,
        ]
    )


def activities(dates: SpeedDates) -> FloatArray:
    """Return the interest in each activity, (people, 17)."""
    return np.column_stack([dates.signed_up(name) for name in ACTIVITIES])


def alike(interests: FloatArray, a: IntArray, b: IntArray) -> FloatArray:
    """Return Pearson's correlation of the interests of a and b, (rows,), NaN where unknown."""
    left, right = interests[a], interests[b]
    left = left - left.mean(axis=1, keepdims=True)
    right = right - right.mean(axis=1, keepdims=True)
    size = np.sqrt((left * left).sum(axis=1) * (right * right).sum(axis=1))
    found = (left * right).sum(axis=1) / _or_one(size)
    return np.where(size > _LEAST_SPREAD, found, np.nan)


def shares(dates: SpeedDates, columns: tuple[str, ...]) -> FloatArray:
    """Return importances in shares of 1: some waves gave out 100 points, others rated 1 to 10."""
    given = np.column_stack([dates.signed_up(name) for name in columns])
    total = np.nansum(given, axis=1, keepdims=True)
    return np.where(total > 0.0, np.nan_to_num(given) / _or_one(total), np.nan)


def _made(dates: SpeedDates) -> Iterator[tuple[str, FloatArray]]:
    age = dates.signed_up("age")
    yield "age", age
    yield "age_squared", (age - USUAL_AGE) ** 2
    for feature in PERSON:
        if feature.level is not None:
            code = dates.signed_up(feature.columns[0])
            yield feature.name, np.where(np.isfinite(code), code == feature.level, np.nan)
    yield "dates_often", dates.signed_up("date")
    yield "goes_out", dates.signed_up("go_out")
    yield "expects_joy", dates.signed_up("exphappy")
    wanted = shares(dates, WANTED)
    thought = shares(dates, THOUGHT_WANTED)
    for index, name in enumerate(ATTRIBUTES):
        yield f"wants_{name}", wanted[:, index]
        yield f"thinks_wanted_{name}", thought[:, index]
    own = np.column_stack([dates.signed_up(name) for name in SELF])
    for index, column in enumerate(SELF):
        yield f"self_{column[:-3]}", own[:, index]
    interests = activities(dates)
    for index, name in enumerate(ACTIVITIES):
        yield f"likes_{name}", interests[:, index]
    yield "self_mean", own.mean(axis=1)
    yield "interests_mean", interests.mean(axis=1)
    yield "interests_spread", interests.std(axis=1)
    yield "wants_spread", wanted.std(axis=1)


def _or_one(values: FloatArray) -> FloatArray:
    return np.where(values > _LEAST_SPREAD, values, 1.0)
