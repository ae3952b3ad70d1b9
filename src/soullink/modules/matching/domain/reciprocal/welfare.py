"""Lotteries over rankings that make the most matches, or share them without envy.

Both look for ranking lotteries of the two sides. Social welfare is the expected number of
matches, sum_ij W_ij E_ij F_ji with W = P * Q^T and E, F who looks at whom. Nash welfare is the
sum of the logarithms of people's own expected matches; alpha lies between (1 social, 0 Nash):
sum u^alpha / alpha. Tomita & Yokoyama 2024 climb by alternating Frank-Wolfe: the other side's
lists are moved a step towards the best for this side, then the reverse.

The linear programme inside each step needs no solver: examination falls with rank, so by the
rearrangement inequality the best list sorts by the coefficient. A step costs one sort, and the
policy is at any time a short lottery over rankings that can be drawn from exactly.
"""

from dataclasses import dataclass

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import (
    Lists,
    Market,
    Mask,
    Matrix,
    Vector,
)
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Policy,
    Recommendations,
    ranked,
)

STEP = 0.1
STEPS = 100
TOLERANCE = 0.01
STARTS = 64
"""At most so many rankings stand for the first, uniform lottery; exact up to so many partners."""
_LEAST = 1e-6


@dataclass(slots=True)
class _Side:
    """One side's lottery as it grows: its rankings, their weights, who is looked at."""

    lists: list[Lists]
    weights: Vector
    seen: Matrix

    def move(self, lists: Lists, seen: Matrix, step: float) -> None:
        self.lists.append(lists)
        self.weights = np.append(self.weights * (1.0 - step), step)
        self.seen = (1.0 - step) * self.seen + step * seen

    def policy(self, partners: int) -> Policy:
        return Policy(np.stack(self.lists), self.weights / self.weights.sum(), partners)


def social_welfare(
    market: Market, step: float = STEP, steps: int = STEPS, tolerance: float = TOLERANCE
) -> Recommendations:
    """Lotteries towards the most expected matches; stops when a step changes them < tolerance."""
    return alpha_welfare(market, 1.0, step, steps, tolerance)


def nash_welfare(
    market: Market, step: float = STEP, steps: int = STEPS, tolerance: float = TOLERANCE
) -> Recommendations:
    """Lotteries towards the most Nash welfare: hardly anybody wants another's place in lists."""
    return alpha_welfare(market, 0.0, step, steps, tolerance)


def alpha_welfare(
    market: Market,
    alpha: float,
    step: float = STEP,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
) -> Recommendations:
    """Lotteries towards sum u^alpha / alpha; 1 is social and 0 is Nash welfare. Deterministic."""
    if not 0.0 <= alpha <= 1.0 or not 0.0 < step <= 1.0 or steps < 1:
        raise InvalidInputError("alpha lies in [0, 1], step in (0, 1], and steps is at least 1")
    mutual = market.mutual
    left = _uniform(market.allowed, market.left_looks)
    right = left if market.single else _uniform(market.allowed.T, market.right_looks)
    reached = 0.0
    for _ in range(steps):
        _improve(right, mutual * left.seen, market.allowed.T, market.right_looks, alpha, step)
        if not market.single:
            _improve(left, mutual.T * right.seen, market.allowed, market.left_looks, alpha, step)
        matches = float(np.sum(mutual * left.seen * right.seen.T))
        if abs(matches - reached) < tolerance:
            break
        reached = matches
    shown = left.policy(mutual.shape[1])
    return Recommendations(shown, shown if market.single else right.policy(mutual.shape[0]))


def _improve(
    side: _Side, own: Matrix, allowed: Mask, looks: Vector, alpha: float, step: float
) -> None:
    """Move a side's lists, (m, n), towards the best for the others, whose chances own (n, m) is."""
    utility = np.sum(own * side.seen.T, axis=1)
    worth = own * np.maximum(utility, _LEAST)[:, None] ** (alpha - 1.0)
    lists = ranked(worth.T, allowed, int(np.count_nonzero(looks)))
    best = Policy(lists[None], np.ones(1), own.shape[0]).examination(looks)
    side.move(lists, best, step)


def _uniform(allowed: Mask, looks: Vector) -> _Side:
    """Everybody allowed at every rank equally often: one order, turned by one place at a time."""
    people, partners = allowed.shape
    order = ranked(np.zeros(allowed.shape), allowed)
    counts = (order != NOBODY).sum(axis=1)
    turns = min(partners, STARTS)
    length = int(np.count_nonzero(looks))
    lists = np.full((turns, people, length), NOBODY, dtype=np.int32)
    place = np.arange(length)
    for turn in range(turns):
        offset = (turn * counts) // turns
        source = (place[None, :] + offset[:, None]) % np.maximum(counts, 1)[:, None]
        turned = np.take_along_axis(order, source, axis=1)
        lists[turn] = np.where(place[None, :] < counts[:, None], turned, NOBODY)
    weights = np.full(turns, 1.0 / turns)
    return _Side(list(lists), weights, Policy(lists, weights, partners).examination(looks))
