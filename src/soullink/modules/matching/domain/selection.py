"""From the best candidates to a list: different ones, some to learn from, with known chances."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from soullink.modules.matching.domain.interest.people import FloatArray
from soullink.modules.matching.domain.search import likeness


@dataclass(frozen=True, slots=True)
class Place:
    """One place of a list.

    candidate: place among the candidates. propensity: the chance with which just this candidate
    stands here. explored: drawn from further down.
    """

    candidate: int
    propensity: float
    explored: bool


def mutual_log_odds(out: FloatArray, into: FloatArray) -> FloatArray:
    """Return (n,) log of the chance that both say yes."""
    return np.asarray(-np.logaddexp(0.0, -out) - np.logaddexp(0.0, -into))


def diverse(scores: FloatArray, texts: NDArray[np.int8], weight: float) -> list[int]:
    """Return all candidates in order: the best first, then whoever is best and unlike those before.

    scores: (n,) higher is better. texts: (n, width). weight: what being quite like the most alike
    of those before costs, in the unit of scores. Maximal marginal relevance (Carbonell & Goldstein
    1998). Ties by place; with weight 0 simply the order of the scores.
    """
    if weight == 0.0:
        return [int(place) for place in np.argsort(-scores, kind="stable")]
    left = list(range(len(scores)))
    worth = scores.astype(np.float64).copy()
    most = np.zeros(len(scores))
    chosen: list[int] = []
    while left:
        pick = max(left, key=lambda k: (worth[k] - weight * most[k], -k))
        chosen.append(pick)
        left.remove(pick)
        alike = np.nan_to_num(likeness(texts[pick], texts))
        most = np.maximum(most, alike)
    return chosen


def explored(
    order: list[int], top: int, share: float, generator: np.random.Generator
) -> list[Place]:
    """Return up to `top` places of `order`; each goes with chance `share` to one further down.

    Who comes into such a place is drawn evenly, without putting back, from the next 5 * top. By
    symmetry the chance that a certain one of m stands at a certain place is share / m; the one
    whose place it is stands there with 1 - share. Nobody further down: nothing is explored.
    """
    first, reserve = order[:top], order[top : 6 * top]
    chance = share if len(reserve) >= len(first) else 0.0
    given_away = generator.random(len(first)) < chance
    drawn = iter(generator.permutation(len(reserve))[: int(given_away.sum())].tolist())
    return [
        Place(reserve[next(drawn)], chance / len(reserve), True)
        if away
        else Place(candidate, 1.0 - chance, False)
        for candidate, away in zip(first, given_away.tolist(), strict=True)
    ]
