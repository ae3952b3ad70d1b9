"""Lotteries over rankings that make the most matches, or share them without envy.

Both look for ranking lotteries of the two sides. Social welfare is the expected number of
matches, sum_ij W_ij E_ij F_ji with W = P * Q^T and E, F who looks at whom. Nash welfare is the
sum of the logarithms of people's own expected matches; alpha lies between (1 social, 0 Nash):
sum u^alpha / alpha. Tomita & Yokoyama 2024 climb by alternating Frank-Wolfe: the other side's
lists are moved a step towards the best for this side, then the reverse.

The linear programme inside each step needs no solver: examination falls with rank, so by the
rearrangement inequality the best list sorts by the coefficient. A step costs one sort, and the
policy is at any time a short lottery over rankings that can be drawn from exactly. It holds one
ranking a step, 4 bytes a person and rank: for a thousand people build the market with `shown`.
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
SETTLING = 400
ENVY = 1e-9
"""A gain below this is no envy, as in the published count."""
_SETTLING_STEP = 0.02
_HEED = 0.3
_LEAST = 1e-6
_MANY = 10.0
"""Where fewer matches are to be had, the tolerance shrinks in proportion."""


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
    market: Market,
    step: float = STEP,
    steps: int = STEPS,
    tolerance: float = TOLERANCE,
    settling: int = SETTLING,
) -> Recommendations:
    """Lotteries of high Nash welfare in which nobody would gain by another's place in the lists.

    Nash welfare alone makes envy rare, not impossible: at its optimum no exchange of two people's
    places pays (i's relative gain is at most k's relative loss), but i alone may still gain. So
    where envy is left, the logarithms of the envious count for more, step by step, until none is
    (at most `settling` steps; 0 is the published method).
    """
    left, right = _climb(market, 0.0, step, steps, tolerance)
    heard = np.ones(len(market.left_yes)), np.ones(len(market.right_yes))
    for _ in range(settling):
        envious = _envious(market, left, right), _envious(market.mirrored(), right, left)
        if max(envious[0].max(), envious[1].max()) <= 0.0:
            break
        heard = heard[0] * np.exp(_HEED * envious[0]), heard[1] * np.exp(_HEED * envious[1])
        _improve(market, left, right, 0.0, _SETTLING_STEP, heard[0])
        if not market.single:
            _improve(market.mirrored(), right, left, 0.0, _SETTLING_STEP, heard[1])
    return _policies(market, left, right)


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
    left, right = _climb(market, alpha, step, steps, tolerance)
    return _policies(market, left, right)


def _climb(
    market: Market, alpha: float, step: float, steps: int, tolerance: float
) -> tuple[_Side, _Side]:
    left = _uniform(market.allowed, market.left_looks)
    right = left if market.single else _uniform(market.allowed.T, market.right_looks)
    mirrored, mutual = market.mirrored(), market.mutual
    everybody = np.ones(len(market.left_yes)), np.ones(len(market.right_yes))
    reached = 0.0
    for _ in range(steps):
        _improve(market, left, right, alpha, step, everybody[0])
        if not market.single:
            _improve(mirrored, right, left, alpha, step, everybody[1])
        matches = float(np.sum(mutual * left.seen * right.seen.T))
        if abs(matches - reached) < tolerance * min(1.0, matches / _MANY):
            break
        reached = matches
    return left, right


def _policies(market: Market, left: _Side, right: _Side) -> Recommendations:
    people, partners = market.allowed.shape
    shown = left.policy(partners)
    return Recommendations(shown, shown if market.single else right.policy(people))


def _improve(
    market: Market, left: _Side, right: _Side, alpha: float, step: float, heard: Vector
) -> None:
    """Move the right side's lists towards the best for the left people, weighed by heard (n,)."""
    own = market.mutual * left.seen
    utility = np.sum(own * right.seen.T, axis=1)
    worth = own * (heard * np.maximum(utility, _LEAST) ** (alpha - 1.0))[:, None]
    looks = market.right_looks
    lists = ranked(worth.T, market.allowed.T, int(np.count_nonzero(looks)))
    best = Policy(lists[None], np.ones(1), own.shape[0]).examination(looks)
    right.move(lists, best, step)


def _envious(market: Market, left: _Side, right: _Side) -> Vector:
    """By how much of its own matches each left person gains at best in another's place, (n,)."""
    swapped = (market.mutual * left.seen) @ right.seen
    own = np.diag(swapped)
    gain = swapped.max(axis=1) - own
    return np.where(gain > ENVY, gain / np.maximum(own, _LEAST), 0.0)


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
