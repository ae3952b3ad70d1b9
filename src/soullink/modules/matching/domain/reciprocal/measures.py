"""What a recommendation comes to: expected matches, envy, exposure.

A match happens where both look and both say yes; the two lists are drawn apart, so the chances
multiply: sum over i, j of P[i, j] E[i, j] Q[j, i] F[j, i], with E and F who looks at whom.
"""

import numpy as np

from soullink.modules.matching.domain.reciprocal.market import Market, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import Recommendations

TOLERANCE = 1e-9
"""A gain below this is no envy, as in Tomita & Yokoyama's own count."""


def match_chances(market: Market, shown: Recommendations) -> Matrix:
    """(n, m) chance that i and j match; in a one-sided market symmetric, each pair twice."""
    left = shown.left.examination(market.left_looks)
    right = shown.right.examination(market.right_looks)
    return market.mutual * left * right.T


def expected_matches(market: Market, shown: Recommendations) -> float:
    """Expected number of matched pairs; each pair of a one-sided market counts once."""
    total = float(match_chances(market, shown).sum())
    return total / 2.0 if market.single else total


def expected_matches_each(market: Market, shown: Recommendations) -> tuple[Vector, Vector]:
    """Expected matches of each left person (n,) and of each right person (m,)."""
    chances = match_chances(market, shown)
    return chances.sum(axis=1), chances.sum(axis=0)


def envy(market: Market, shown: Recommendations) -> tuple[Matrix, Matrix]:
    """What each would gain by standing in another's place in all lists; (n, n) and (m, m).

    Entry (i, k) is how many more expected matches i would have if the other side saw i where it
    sees k, i's own list as it is (Tomita & Yokoyama 2024, section 4). Above 0: i envies k.
    """
    left = shown.left.examination(market.left_looks)
    right = shown.right.examination(market.right_looks)
    mutual = market.mutual
    return _gain(mutual * left, right), _gain(mutual.T * right, left)


def envious_pairs(
    market: Market, shown: Recommendations, tolerance: float = TOLERANCE
) -> tuple[int, int]:
    """How many ordered pairs (i, k) envy, on the left and on the right."""
    left, right = envy(market, shown)
    return int((left > tolerance).sum()), int((right > tolerance).sum())


def _gain(own: Matrix, seen: Matrix) -> Matrix:
    swapped = np.asarray(own @ seen)
    return swapped - np.diag(swapped)[:, None]


def exposure(market: Market, shown: Recommendations) -> tuple[Vector, Vector]:
    """How much each left person (n,) and each right person (m,) is looked at, summed over lists."""
    left = shown.left.examination(market.left_looks)
    right = shown.right.examination(market.right_looks)
    return right.sum(axis=0), left.sum(axis=0)


def gini(amounts: Vector) -> float:
    """Gini index of amounts not below 0: 0 all have the same, near 1 one has all; 0 if all is 0."""
    ordered = np.sort(np.asarray(amounts, dtype=np.float64))
    total = float(ordered.sum())
    if total <= 0.0:
        return 0.0
    count = len(ordered)
    position = np.arange(1, count + 1)
    return float(2.0 * (position @ ordered) / (count * total) - (count + 1.0) / count)
