"""Bootstrap weights for dates: every date has two people, and both sides are drawn anew."""

from statistics import NormalDist
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

FloatArray: TypeAlias = npt.NDArray[np.float64]
IntArray: TypeAlias = npt.NDArray[np.int64]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
Cluster: TypeAlias = Literal["people", "wave"]


def person_weights(
    cells: IntArray, waves: IntArray, draws: int, seed: int, cluster: Cluster = "people"
) -> FloatArray:
    """Return weights (draws + 1, people); row 0 is all ones, the sample as it is.

    people: in every cell (one side of one wave) as many people are drawn with replacement as
    there are. A date then weighs the product of the weights of its two people: the pigeonhole
    bootstrap for two crossed factors (Owen 2007, Annals of Applied Statistics 1).
    wave: whole waves are drawn with replacement; the weights are square roots of counts, so that
    the same product gives the count of the wave.
    cells, waves: (people,) whole numbers, the same number for the same cell or wave.
    """
    random = np.random.default_rng(seed)
    weights = np.ones((draws + 1, cells.size))
    if cluster == "wave":
        names = np.unique(waves)
        counts = random.multinomial(names.size, np.full(names.size, 1 / names.size), size=draws)
        weights[1:] = np.sqrt(counts)[:, np.searchsorted(names, waves)]
        return weights
    for cell in np.unique(cells):
        members = np.flatnonzero(cells == cell)
        equal = np.full(members.size, 1 / members.size)
        weights[1:, members] = random.multinomial(members.size, equal, size=draws)
    return weights


def date_weights(people: FloatArray, left: IntArray, right: IntArray) -> FloatArray:
    """Return the weights (draws + 1, dates) of dates between `left` and `right` (dates,)."""
    return people[:, left] * people[:, right]


def interval(
    values: FloatArray, level: float = 0.95, people: int | None = None
) -> tuple[float, float] | None:
    """Return the percentile interval of `values[1:]`, None where too few draws give a value.

    people: how many the figure is of; of few the interval is wider, since a bootstrap sees less
    of the spread the fewer there are (expanded percentiles, Hesterberg 2015, The American
    Statistician 69). A draw without the cases that a measure needs gives NaN. More than a tenth of
    such draws means that the group is too small for an interval.
    """
    drawn = values[1:]
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(values[0]) or known.size < 0.9 * drawn.size or known.size == 0:
        return None
    tail = (1 - level) / 2
    if people is not None and people > 1:
        tail = _expanded(tail, people)
    low, high = (float(q) for q in np.quantile(known, (tail, 1 - tail)))
    # A figure that cannot be below 0, such as a distance, may lie below all of its draws.
    return min(low, float(values[0])), max(high, float(values[0]))


def _expanded(tail: float, people: int) -> float:
    """Return the share to be left out at each end where `people` were drawn.

    The t quantile is Abramowitz & Stegun (1964) 26.7.5: to .001 from ten degrees of freedom on.
    """
    normal, degrees = NormalDist(), people - 1
    z = -normal.inv_cdf(tail)
    student = (
        z
        + (z**3 + z) / (4 * degrees)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)
    )
    return normal.cdf(-student * (people / degrees) ** 0.5)
