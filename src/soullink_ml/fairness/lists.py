"""Lists made from scores, wave by wave, and what they come to on true decisions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from soullink.modules.matching.domain.reciprocal import recommend
from soullink.modules.matching.domain.reciprocal.market import Market, two_sided
from soullink.modules.matching.domain.reciprocal.policies import Recommendations
from soullink_ml.fairness import floors
from soullink_ml.fairness.dates import Dates, Scores, of_independent
from soullink_ml.fairness.resampling import FloatArray, IntArray

TOP: Final = 5
"""Somebody is recommended who stands in the first five places."""

UNINFORMED: Final = "uninformed"
ORDERS: Final = 20

Labels: TypeAlias = Sequence[str]
Method: TypeAlias = Callable[[Market, tuple[Labels, Labels]], Recommendations]
"""Lists for one wave. The labels are of both sides; only a yardstick looks at them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a method shows, for every row of the dates, (rows,).

    attention: chance that the viewer looks at the person shown (1 / rank, expected over the
    lottery where lists are drawn). chosen: chance that the person shown is in the top five.
    both: chance that the two look at each other.
    """

    attention: FloatArray
    chosen: FloatArray
    both: FloatArray


def by_recommender(name: recommend.Method) -> Method:
    """Return a method of the product itself; none of them looks at groups."""

    def method(market: Market, _: tuple[Labels, Labels]) -> Recommendations:
        return recommend.recommend(market, name)

    return method


def floor_of(share: float) -> Method:
    """Return the method that leaves nobody below `share` of the mean attention of their side."""

    def method(market: Market, _: tuple[Labels, Labels]) -> Recommendations:
        return floors.with_floor(market, share)

    return method


FLOOR: Final = 0.7
METHODS: Final[Mapping[str, Method]] = {
    "product": by_recommender("product"),
    "floor": floor_of(FLOOR),
    "group-parity": floors.with_parity,
    "equilibrium": by_recommender("equilibrium"),
    "social-welfare": by_recommender("social-welfare"),
    "nash-welfare": by_recommender("nash-welfare"),
    "coordinated": by_recommender("coordinated"),
}
"""The first one is before mitigation. `group-parity` uses race: a yardstick, not for use."""


def shown_by(dates: Dates, scores: Scores, labels: Labels, method: Method) -> Shown:
    """Return what `method` shows in every wave. labels: the group of every person."""
    attention = np.zeros(dates.viewer.size)
    chosen = np.zeros(dates.viewer.size)
    for wave in np.unique(dates.wave):
        sides = [np.flatnonzero((dates.wave == wave) & (dates.side == side)) for side in (0, 1)]
        left, right = sides
        rows = row_table(dates, left, right)
        known = rows >= 0
        back = np.where(known, dates.reverse[np.maximum(rows, 0)], -1)
        yes = scores.decision
        market = two_sided(
            np.where(known, yes[rows], 0.0), np.where(known, yes[back], 0.0).T, known
        )
        named = (tuple(labels[int(i)] for i in left), tuple(labels[int(j)] for j in right))
        made = method(market, named)
        for policy, looks, index in (
            (made.left, market.left_looks, rows),
            (made.right, market.right_looks, back.T),
        ):
            held = index >= 0
            attention[index[held]] = policy.examination(looks)[held]
            top = (np.arange(looks.size) < TOP).astype(np.float64)
            chosen[index[held]] = policy.examination(top)[held]
    return Shown(attention, chosen, attention * attention[dates.reverse])


def uninformed(dates: Dates, labels: Labels) -> Shown:
    """Return what is shown by lists that agree with each other and know nothing of anybody.

    The mean over ORDERS seeds of coordinated lists of random scores. What a method gains over the
    product is its own merit only as far as it goes beyond these.
    """
    made = []
    for seed in range(ORDERS):
        noise = np.random.default_rng(seed).uniform(0.4, 0.41, dates.viewer.size)
        scores = of_independent(noise, dates.reverse)
        made.append(shown_by(dates, scores, labels, METHODS["coordinated"]))
    attention, chosen, both = (
        np.mean([getattr(one, name) for one in made], axis=0)
        for name in ("attention", "chosen", "both")
    )
    return Shown(attention, chosen, both)


def row_table(dates: Dates, left: IntArray, right: IntArray) -> IntArray:
    """Return the row where left[i] decides about right[j], (n, m); -1 where they did not meet."""
    place = np.full((2, dates.people), -1)
    place[0, left] = np.arange(left.size)
    place[1, right] = np.arange(right.size)
    at, whom = place[0, dates.viewer], place[1, dates.shown]
    rows = np.full((left.size, right.size), -1, dtype=np.int64)
    found = np.flatnonzero((at >= 0) & (whom >= 0))
    rows[at[found], whom[found]] = found
    return rows
