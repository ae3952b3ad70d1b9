"""Lists with a known share of chance, and the chance each had: what later evaluation needs.

Without chance a log tells nothing of lists that were never shown. Two ways: now and then a whole
list in random order (epsilon), or every list drawn by Plackett & Luce, partner by partner in
proportion to exp(score / temperature). Lotteries of `welfare` explore by themselves; their
chances are `Policy.placement`.
"""

from dataclasses import dataclass

import numpy as np

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Lists, Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import NOBODY


@dataclass(frozen=True, slots=True)
class Explored:
    """Lists (n, k) as drawn, with the chances to log.

    propensity: (n, k), 0 where NOBODY stands. Of epsilon lists: the chance that this partner
    stands at this rank, over all draws. Of Plackett-Luce lists: the chance of this partner at this
    rank given those above it, so that products along a row are chances of the list's beginnings.
    """

    lists: Lists
    propensity: Matrix


def epsilon_lists(best: Lists, allowed: Mask, epsilon: float, seed: int) -> Explored:
    """With chance epsilon a person's list is in random order, else the best one, (n, k)."""
    if not 0.0 <= epsilon <= 1.0:
        raise InvalidInputError("epsilon lies between 0 and 1")
    generator = np.random.default_rng(seed)
    random = _drawn(generator.random(allowed.shape), allowed, best.shape[1])
    explore = generator.random(len(best)) < epsilon
    lists = np.where(explore[:, None], random, best).astype(np.int32)
    return Explored(lists, epsilon_placement(lists, best, allowed, epsilon))


def epsilon_placement(lists: Lists, best: Lists, allowed: Mask, epsilon: float) -> Matrix:
    """(n, k) chance that the partners of `lists` stand at their ranks under epsilon exploration."""
    choices = np.maximum(allowed.sum(axis=1), 1)
    chance = (1.0 - epsilon) * (lists == best) + epsilon / choices[:, None]
    may = np.take_along_axis(allowed, np.maximum(lists, 0), axis=1)
    return np.where((lists != NOBODY) & may, chance, 0.0)


def plackett_luce_lists(
    scores: Matrix, allowed: Mask, temperature: float, length: int, seed: int
) -> Explored:
    """Lists drawn partner by partner in proportion to exp(score / temperature), (n, length)."""
    if temperature <= 0.0:
        raise InvalidInputError("temperature is above 0")
    noise = np.random.default_rng(seed).gumbel(size=scores.shape)
    # The order of scores plus Gumbel noise is a Plackett-Luce draw (Yellott 1977).
    lists = _drawn(scores / temperature + noise, allowed, length)
    return Explored(lists, plackett_luce_chances(lists, scores, allowed, temperature))


def plackett_luce_chances(
    lists: Lists, scores: Matrix, allowed: Mask, temperature: float
) -> Matrix:
    """(n, k) chance of each list's partner at its rank, given the ranks above; 0 for NOBODY."""
    strength = np.where(allowed, scores / temperature, -np.inf)
    top = strength.max(axis=1)
    top = np.where(np.isfinite(top), top, 0.0)
    weight = np.exp(strength - top[:, None])
    rows = np.arange(len(lists))
    chances = np.zeros(lists.shape)
    for rank in range(lists.shape[1]):
        partner = lists[:, rank]
        here = partner != NOBODY
        taken = weight[rows[here], partner[here]]
        # Summed anew at each rank: a running difference would lose the small ones.
        chances[here, rank] = taken / weight[here].sum(axis=1)
        weight[rows[here], partner[here]] = 0.0
    return chances


def list_chance(chances: Matrix) -> Vector:
    """(n,) chance of the whole list, from the chances of its ranks given those above."""
    return np.asarray(np.where(chances > 0.0, chances, 1.0).prod(axis=1))


def _drawn(keys: Matrix, allowed: Mask, length: int) -> Lists:
    order = np.argsort(-np.where(allowed, keys, -np.inf), axis=1, kind="stable")[:, :length]
    kept = np.take_along_axis(allowed, order, axis=1)
    return np.where(kept, order, NOBODY).astype(np.int32)
