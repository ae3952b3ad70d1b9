"""What a new ranker would have got, from the logs of an old one.

A yes at a rank is taken to depend on the partner and the rank alone, not on who else stands in
the list (the position-based model). Then each shown partner counts with the weight target /
propensity (item-position inverse propensity scoring, Li et al. 2018):
    IPS    mean over lists of sum_k w_k r_k,
    SNIPS  sum w r / sum w, times ranks a list (Swaminathan & Joachims 2015),
    DR     mean of target_predicted + sum_k w_k (r_k - predicted_k) (Dudik et al. 2011).
Lists of one viewer stay together in the variance. Where the new ranker shows people at ranks at
which the old one hardly ever or never did, the logs cannot tell, and the answer is a refusal.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink_ml.off_policy.logs import Logs, Rows

LEAST_EFFECTIVE: Final = 50.0
"""Fewer effective lists than this give intervals that cannot be trusted."""
_MOST_MISSING: Final = 0.05
_SURE: Final = 4.0
_LEVEL_95: Final = 1.959964


class MissingOverlapError(InvalidInputError):
    """The logs hold too little of what the new ranker would show."""

    code = "missing_overlap"


@dataclass(frozen=True, slots=True)
class Estimate:
    """Rewards a list: value with its 95 % interval."""

    name: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The old ranker as logged, the new one by each estimator.

    lists, viewers: how many. effective_lists: Kish's (sum w)^2 / sum w^2 over lists. covered: mean
    weight, 1 in expectation where the logs cover all that the new ranker shows.
    """

    logged: Estimate
    estimates: tuple[Estimate, ...]
    lists: int
    viewers: int
    effective_lists: float
    covered: float


def evaluate(logs: Logs) -> Evaluation:
    """Estimate the new ranker's rewards a list; raises MissingOverlapError."""
    weights = logs.target / logs.propensity
    by_list = weights.sum(axis=1)
    effective = _effective(by_list)
    covered = _check_overlap(logs, by_list, effective)
    estimates = [
        _mean("IPS", (weights * logs.reward).sum(axis=1), logs),
        _normalised(weights, logs),
    ]
    if logs.predicted is not None and logs.target_predicted is not None:
        corrected = (weights * (logs.reward - logs.predicted)).sum(axis=1)
        estimates.append(_mean("doubly robust", logs.target_predicted + corrected, logs))
    return Evaluation(
        logged=_mean("as logged", logs.reward.sum(axis=1), logs),
        estimates=tuple(estimates),
        lists=len(logs.ranks),
        viewers=len(np.unique(logs.viewers)),
        effective_lists=effective,
        covered=covered,
    )


def _check_overlap(logs: Logs, by_list: Rows, effective: float) -> float:
    # At every rank some partner stands, under either ranker: the weights of a list have the mean
    # `ranks`, unless the new ranker shows what the old never did. Weights are skewed, so a 95 %
    # interval would refuse good logs too often: four standard errors.
    share = _mean("covered", by_list / logs.ranks, logs)
    error = (share.high - share.value) / _LEVEL_95
    if share.value + _SURE * error < 1.0 - _MOST_MISSING:
        raise MissingOverlapError(
            f"the logs cover only {share.value:.0%} of what the new ranker would show: it puts "
            "people at ranks where the logging ranker never put them; log with more exploration"
        )
    if effective < LEAST_EFFECTIVE:
        raise MissingOverlapError(
            f"{len(by_list)} lists count as only {effective:.0f} for the new ranker, fewer than "
            f"{LEAST_EFFECTIVE:.0f}: it seldom agrees with the logging ranker; log more, or with "
            "more exploration"
        )
    return share.value


def _effective(weights: Rows) -> float:
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def _mean(name: str, values: Rows, logs: Logs) -> Estimate:
    mean = float(values.mean())
    return _interval(name, mean, values - mean, logs)


def _normalised(weights: Rows, logs: Logs) -> Estimate:
    rewards, sizes = (weights * logs.reward).sum(axis=1), weights.sum(axis=1)
    ratio = float(rewards.sum() / sizes.sum())
    ranks = float(logs.ranks.mean())
    # The delta method for a ratio of two means.
    return _interval("SNIPS", ranks * ratio, ranks * (rewards - ratio * sizes) / sizes.mean(), logs)


def _interval(name: str, value: float, deviations: Rows, logs: Logs) -> Estimate:
    sums = np.bincount(logs.viewers, weights=deviations)
    groups = len(sums)
    variance = groups / max(groups - 1, 1) * float((sums**2).sum()) / len(deviations) ** 2
    half = _LEVEL_95 * float(np.sqrt(variance))
    return Estimate(name, value, value - half, value + half)
