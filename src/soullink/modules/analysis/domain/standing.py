"""Where a couple or a person stands among people in general, who lived through the like."""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from soullink.modules.analysis.domain import measures, reference
from soullink.modules.analysis.domain.counts import Counts
from soullink.modules.simulation.api import FloatArray, IntArray

_LOG_LENGTHS = np.log(np.array(reference.LENGTHS, dtype=np.float64))
_NORMAL_SCORES = np.array([NormalDist().inv_cdf(p) for p in reference.PROBABILITIES])


def scores(dimension: str, counts: Counts, scenarios: Sequence[str]) -> FloatArray:
    """Return each course's value in `dimension` on the scale 0..100, (R,).

    50 is the average couple; one standard deviation among couples in general lies at 27 and 73,
    two at 12 and 88: 100 / (1 + exp(-z)), with z the normal score (Blom 1958) of the mean standard
    score of the dimension's components, among courses as long and with what the scenarios
    themselves do taken out. scenarios: (E,) ids. Beyond one couple in a thousand z stays as it is.
    """
    score = combined(dimension, counts, scenarios)
    lengths = counts.lengths
    z = np.empty(counts.size)
    tables = np.array(reference.QUANTILES[dimension])
    for length in np.unique(lengths):
        here = lengths == length
        z[here] = np.interp(score[here], _at_length(tables, float(length)), _NORMAL_SCORES)
    out: FloatArray = 100.0 / (1.0 + np.exp(-z))
    return out


def combined(dimension: str, counts: Counts, scenarios: Sequence[str]) -> FloatArray:
    """Return the weighted mean of the standard scores of a dimension's components, (R,)."""
    parts = [f"{dimension}.{part}" for part in measures.COMPONENTS[dimension]]
    weights = np.array([measures.WEIGHTS.get(name, 1.0) for name in parts])
    scores = np.stack([standard(name, counts, scenarios) for name in parts])
    out: FloatArray = weights @ scores / weights.sum()
    return out


def standard(name: str, counts: Counts, scenarios: Sequence[str]) -> FloatArray:
    """Return a measure in standard deviations of courses in general, (R,) or (R, 2)."""
    value = measures.measured(name, counts)
    return (value - _shaped(expected(name, counts, scenarios), value)) / _shaped(
        _spread(name, counts.lengths), value
    )


def person_scores(counts: Counts, scenarios: Sequence[str]) -> dict[str, FloatArray]:
    """Return, for each personal measure, where the two stand in general, (2,).

    The mean over the replicas in standard deviations between people, so chance has averaged out;
    0 where the difference is too small for anybody to notice.
    """
    scores = {}
    for part in measures.PERSONAL:
        name = f"person.{part}"
        value = measures.measured(name, counts)
        usual = expected(name, counts, scenarios)[:, None]
        differs = (value - usual).mean(axis=0)
        differs[np.abs(differs) < measures.NOTICEABLE[part]] = 0.0
        scores[part] = differs / reference.BETWEEN_PEOPLE[part]
    return scores


def expected(name: str, counts: Counts, scenarios: Sequence[str]) -> FloatArray:
    """Return what is usual for a measure in courses as long, through the same scenarios, (R,)."""
    lengths = counts.lengths.astype(np.float64)
    usual = np.interp(np.log(lengths), _LOG_LENGTHS, reference.MEANS[name])
    column = reference.MEASURES.index(name)
    effects = np.array(
        [reference.SCENARIOS[s][column] if s in reference.SCENARIOS else 0.0 for s in scenarios]
    )
    out: FloatArray = usual + scenario_share(name, counts, lengths) @ effects
    return out


def scenario_share(name: str, counts: Counts, lengths: FloatArray) -> FloatArray:
    """Return with which weight each episode's scenario enters a measure, (R, E)."""
    lived = counts.lived.astype(np.float64)
    kind = measures.reach(name)
    if kind == "sum":
        return lived
    if kind == "first":
        first = np.zeros_like(lived)
        first[:, 0] = lived[:, 0]
        return first
    return lived / lengths[:, None]


def _spread(name: str, lengths: IntArray) -> FloatArray:
    return np.interp(np.log(lengths.astype(np.float64)), _LOG_LENGTHS, reference.SPREADS[name])


def _at_length(tables: FloatArray, length: float) -> FloatArray:
    """Return the row of `tables` (one per reference.LENGTHS) for `length`, interpolated."""
    return np.array([np.interp(np.log(length), _LOG_LENGTHS, column) for column in tables.T])


def _shaped(per_course: FloatArray, value: FloatArray) -> FloatArray:
    return per_course if value.ndim == 1 else per_course[:, None]
