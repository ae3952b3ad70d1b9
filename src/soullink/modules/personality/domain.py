"""The maths of personality: percentiles, levels, attachment and values as normal estimates."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from statistics import NormalDist

from soullink.modules.personality.api import (
    HIGHER_ORDER_VALUES,
    UNKNOWN,
    Estimate,
)
from soullink.modules.profiles.api import SCHWARTZ_VALUES, Level

NORMAL = NormalDist()

LOW_PERCENTILE, HIGH_PERCENTILE = 30.0, 70.0
"""Below and above these a score counts as low and high, as is usual with IPIP-NEO."""

EXTREME_PERCENTILES = (1.0, 98.9)
"""Percentiles are held within these. five-factor-e approximates them by a cubic of T that is only
good between 1 and 99 and falls back from 99.7 to 98.93 before it ends at T = 73; holding at 98.9
keeps a higher sum from ever giving a lower percentile."""

STATED_SD = 0.3
"""Uncertainty of a trait given as a percentile: a domain score of reliability .91."""

ATTACHMENT_NORMS = {"anxiety": (3.56, 1.12), "avoidance": (2.92, 1.19)}
"""Mean and standard deviation of ECR-R in a large online sample of adults: approximations to the
norms that R. C. Fraley gives with the questionnaire (Fraley, Waller & Brennan 2000)."""

ATTACHMENT_SD = 0.3
"""Standard error of an ECR-R score in its own standard deviations: sqrt(1 - .91), an approximate
internal consistency (Sibley, Fischer & Liu 2005 study the reliability of ECR-R)."""

VALUE_WEIGHTS: Mapping[str, Mapping[str, float]] = {
    "openness_to_change": {"self_direction": 1.0, "stimulation": 1.0, "hedonism": 0.5},
    "self_enhancement": {"achievement": 1.0, "power": 1.0, "hedonism": 0.5},
    "conservation": {"security": 1.0, "conformity": 1.0, "tradition": 1.0},
    "self_transcendence": {"benevolence": 1.0, "universalism": 1.0},
}
"""Schwartz (1992); hedonism belongs to two higher-order values and counts half in each."""

TYPICAL_IMPORTANCE: Mapping[str, float] = dict(
    zip(SCHWARTZ_VALUES, (4.1, 3.1, 3.5, 3.6, 2.5, 4.0, 3.9, 2.9, 4.3, 4.1), strict=True)
)
"""How important people find each value on average, 0.0..6.0: the pan-cultural means of Schwartz &
Bardi (2001), carried from their scale of -1..7 to ours by (mean + 1) * 0.75. Approximate."""

VALUE_SPREAD = 0.8
"""Standard deviation between people of a centred higher-order value on the scale of 0..6.
An approximation: published ones lie about .5 to .7 on the six steps of the PVQ."""

VALUE_RELIABILITY = 0.7
"""Reliability of a higher-order value when all its values are rated; approximate."""

STRAIGHT_LINE_SHARE = 1 / 3
"""A run of one answer over this share of the items is no answer to the questions. Johnson (2005)
sorts out careless protocols by such runs too, with stricter limits."""


def z_of_percentile(percentile: float) -> float:
    """Return the standard deviations above the mean at `percentile`, held to EXTREME_PERCENTILES.

    The inverse of the normal distribution function.
    """
    low, high = EXTREME_PERCENTILES
    return NORMAL.inv_cdf(min(max(percentile, low), high) / 100.0)


def level_of_percentile(percentile: float) -> Level:
    """Return low below the 30th percentile, high above the 70th, else average."""
    if percentile < LOW_PERCENTILE:
        return "low"
    return "high" if percentile > HIGH_PERCENTILE else "average"


def truncated_normal(low: float, high: float) -> tuple[float, float]:
    """Return mean and sd of a standard normal known to lie between `low` and `high`.

    mean = (f(a) - f(b)) / Z and variance = 1 + (a f(a) - b f(b)) / Z - mean**2 with
    Z = F(b) - F(a) (Johnson, Kotz & Balakrishnan 1994, Continuous Univariate Distributions 1,
    section 13.10.1). Either bound may be infinite.
    """
    mass = NORMAL.cdf(high) - NORMAL.cdf(low)
    density_low, density_high = (NORMAL.pdf(x) for x in (low, high))
    edge_low = 0.0 if math.isinf(low) else low * density_low
    edge_high = 0.0 if math.isinf(high) else high * density_high
    mean = (density_low - density_high) / mass
    return mean, math.sqrt(1.0 + (edge_low - edge_high) / mass - mean**2)


def estimate_of_level(level: Level) -> Estimate:
    """Return what a word says: the lowest 30 %, the middle 40 % or the highest 30 % of people."""
    low, high = NORMAL.inv_cdf(LOW_PERCENTILE / 100), NORMAL.inv_cdf(HIGH_PERCENTILE / 100)
    bounds = {"low": (-math.inf, low), "average": (low, high), "high": (high, math.inf)}
    mean, sd = truncated_normal(*bounds[level])
    return Estimate(mean, sd, "level")


def estimate_of_percentile(percentile: float) -> Estimate:
    """Return the estimate for a percentile stated by or for the person."""
    return Estimate(z_of_percentile(percentile), STATED_SD, "percentile")


def estimate_of_attachment(scale: str, stated: float | Level | None) -> Estimate:
    """Return anxiety or avoidance (`scale`) from an ECR-R mean of 1.0..7.0 or a word."""
    if stated is None:
        return UNKNOWN
    if isinstance(stated, str):
        return estimate_of_level(stated)
    mean, sd = ATTACHMENT_NORMS[scale]
    return Estimate((stated - mean) / sd, ATTACHMENT_SD, "stated")


def standard_error(reliability: float) -> float:
    """Return the standard error of measurement in standard deviations: sqrt(1 - reliability)."""
    return math.sqrt(1.0 - reliability)


def estimates_of_values(stated: Mapping[str, float]) -> dict[str, Estimate]:
    """Return all four HIGHER_ORDER_VALUES from ratings of 0.0..6.0, some or all of ten.

    Each rating is centred on the person's own mean over the ten values (Schwartz's correction for
    individual differences in using the scale, 1992), where a value that was not rated stands at
    its TYPICAL_IMPORTANCE, and compared with the centred typical importance. A higher-order value
    is the weighted mean of its rated values over VALUE_SPREAD, drawn towards 0.0 and kept wide by
    the share that was not rated: with reliability r and share s, mean * s and
    sd = sqrt(1 - r * s). Nothing rated, nothing known.
    """
    own_mean = _mean([stated.get(name, TYPICAL_IMPORTANCE[name]) for name in SCHWARTZ_VALUES])
    typical_mean = _mean(list(TYPICAL_IMPORTANCE.values()))
    estimates: dict[str, Estimate] = {}
    for higher in HIGHER_ORDER_VALUES:
        weights = {name: w for name, w in VALUE_WEIGHTS[higher].items() if name in stated}
        known = sum(weights.values())
        if not known:
            estimates[higher] = UNKNOWN
            continue
        centred = sum(
            weight * ((stated[name] - own_mean) - (TYPICAL_IMPORTANCE[name] - typical_mean))
            for name, weight in weights.items()
        )
        share = known / sum(VALUE_WEIGHTS[higher].values())
        mean = centred / known / VALUE_SPREAD * share
        sd = math.sqrt(1.0 - VALUE_RELIABILITY * share)
        estimates[higher] = Estimate(min(max(mean, -2.5), 2.5), sd, "stated")
    return estimates


def is_straight_line(answers: Sequence[int]) -> bool:
    """Tell whether one answer runs on over a third of the questionnaire or more."""
    longest = max(sum(1 for _ in run) for _, run in groupby(answers))
    return longest >= len(answers) * STRAIGHT_LINE_SHARE


def _mean(numbers: Sequence[float]) -> float:
    return sum(numbers) / len(numbers)
