"""The synthetic market of Tomita & Yokoyama 2024, and their published table beside ours.

Everybody's chance of a yes is a convex combination of a uniform draw and the other's general
popularity, which falls evenly from 1 to 0 along the side: (1 - lambda) U + lambda popularity.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from soullink.modules.matching.domain.reciprocal.market import Market, two_sided
from soullink.modules.matching.domain.reciprocal.measures import (
    envious_pairs,
    expected_matches,
    expected_matches_each,
    gini,
)
from soullink.modules.matching.domain.reciprocal.recommend import Method, recommend

LEFT, RIGHT, SEED, POPULARITY = 30, 20, 0, 0.5

PUBLISHED: Final[dict[Method, tuple[float, int]]] = {
    "one-sided": (6.10, 555),
    "product": (13.21, 292),
    "equilibrium": (15.45, 73),
    "social-welfare": (16.51, 35),
    "nash-welfare": (15.76, 0),
}
"""Expected matches and envious pairs (both sides) as published with the paper's code, for 30 x 20
people, seed 0, lambda 0.5, examination 1/rank."""


@dataclass(frozen=True, slots=True)
class Row:
    """One method on one market; published figures are None where there are none.

    gini_left and gini_right: of people's expected matches, 0 all have the same.
    """

    method: Method
    expected_matches: float
    envious_left: int
    envious_right: int
    gini_left: float
    gini_right: float
    published_matches: float | None
    published_envious: int | None


def synthetic_market(
    left: int = LEFT, right: int = RIGHT, seed: int = SEED, popularity: float = POPULARITY
) -> Market:
    """The market; the published one by default. popularity is the paper's lambda, in [0, 1]."""
    # The published table rests on this older generator's stream.
    draw = np.random.RandomState(seed)
    tastes_left, tastes_right = draw.random_sample((left, right)), draw.random_sample((right, left))
    return two_sided(
        (1.0 - popularity) * tastes_left + popularity * np.linspace(1.0, 0.0, right),
        (1.0 - popularity) * tastes_right + popularity * np.linspace(1.0, 0.0, left),
    )


def table(seed: int = SEED) -> tuple[Row, ...]:
    """Every method on the 30 x 20 market; the published figures beside ours for seed 0."""
    market = synthetic_market(seed=seed)
    methods: tuple[Method, ...] = ("random", *PUBLISHED, "stable", "coordinated")
    rows = []
    for method in methods:
        shown = recommend(market, method, seed)
        left, right = envious_pairs(market, shown)
        mine, theirs = expected_matches_each(market, shown)
        published = PUBLISHED.get(method) if seed == SEED else None
        rows.append(
            Row(
                method,
                expected_matches(market, shown),
                left,
                right,
                gini(mine),
                gini(theirs),
                published[0] if published else None,
                published[1] if published else None,
            )
        )
    return tuple(rows)
