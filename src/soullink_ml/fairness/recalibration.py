"""Recalibration learned from the other waves, with and without looking at groups.

Each fits log-odds = offset + correction to what a model said of waves that it had not seen, and
is then used on a wave that neither the model nor the correction saw.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from soullink_ml.fairness import logistic, predictions
from soullink_ml.fairness.dates import Dates, Scores
from soullink_ml.fairness.measures import chance, logit
from soullink_ml.fairness.resampling import FloatArray, IntArray
from soullink_ml.fairness.rows import MIN_PEOPLE

Kind: TypeAlias = Literal["recalibrated", "evened", "by-group"]
KINDS: Final[tuple[Kind, ...]] = ("recalibrated", "evened", "by-group")
"""recalibrated: intercept and slope (Platt 1999), no group anywhere.
evened: also answers of both, fitted with a penalty on what groups are promised too much; groups
are read to fit, not to score. by-group: an intercept for each group, which has to know the group
of everybody when it scores: a yardstick, not for use."""
AUDITED: Final = "race"
_RIDGE: Final = 300.0
_RIDGE_BY_GROUP: Final = 20.0
_EVENNESS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Correction:
    """A fitted recalibration."""

    kind: Kind
    names: tuple[str, ...]
    standard: logistic.Standard
    coefficients: FloatArray

    def applied(self, dates: Dates, rows: IntArray, scores: Scores) -> Scores:
        """Return the corrected scores of `rows`, whose scores (rows,) are given.

        A match moves in log-odds as the product of both decisions does.
        """
        told = scores.decision
        columns = self.standard.applied(_columns(self.kind, self.names, dates, rows, told))
        decision = chance(logit(told) + logistic.predicted(columns, self.coefficients))
        other = predictions.inside(dates, rows)
        moved = logit(decision * decision[other]) - logit(told * told[other])
        return Scores(decision, chance(logit(scores.match) + moved))


def learned(kind: Kind, dates: Dates, rows: IntArray, scores: Scores) -> Correction:
    """Fit to `rows`, whose out-of-wave scores (rows,) are given."""
    names = _large(dates)
    columns = _columns(kind, names, dates, rows, scores.decision)
    standard = logistic.Standard.of(columns)
    ridge = {"recalibrated": 1.0, "evened": _RIDGE, "by-group": _RIDGE_BY_GROUP}[kind]
    coefficients = logistic.fitted(
        standard.applied(columns),
        dates.said_yes[rows],
        ridge,
        offset=logit(scores.decision),
        members=_memberships(names, dates, rows) if kind == "evened" else None,
        evenness=_EVENNESS,
    )
    return Correction(kind, names, standard, coefficients)


def _columns(
    kind: Kind, names: tuple[str, ...], dates: Dates, rows: IntArray, told: FloatArray
) -> FloatArray:
    own = logit(told)[:, None]
    if kind == "by-group":
        return np.concatenate([own, _memberships(names, dates, rows)], axis=1)
    if kind == "evened":
        people = dates.person_features
        return np.concatenate([own, people[dates.viewer[rows]], people[dates.shown[rows]]], axis=1)
    return own


def _large(dates: Dates) -> tuple[str, ...]:
    names, counts = np.unique(np.array(dates.groups[AUDITED]), return_counts=True)
    return tuple(
        str(name) for name, count in zip(names, counts, strict=True) if name and count >= MIN_PEOPLE
    )


def _memberships(names: tuple[str, ...], dates: Dates, rows: IntArray) -> FloatArray:
    """Whether the viewer, and whether the one shown, is of each group: (rows, 2 x groups)."""
    labels = np.array(dates.groups[AUDITED])
    return np.stack(
        [
            (labels[who[rows]] == name).astype(np.float64)
            for who in (dates.viewer, dates.shown)
            for name in names
        ],
        axis=1,
    )
