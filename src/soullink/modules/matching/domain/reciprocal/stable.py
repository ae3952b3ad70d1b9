"""Stable matching: nobody finds a pair who would both rather have each other.

Deferred acceptance (Gale & Shapley 1962), with capacities on both sides and partners nobody
need accept. With capacities preferences are responsive: each judges partners one by one (Roth
1985). The result has no blocking pair, and no proposer has a better partner in any other stable
matching. Ties are broken at random by the seed, each person's on its own; then no pair blocks
in which both gain strictly (weak stability, Irving 1994).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Lists, Market, Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Recommendations,
    fixed,
    ranked,
)

Capacities = NDArray[np.int64]
Pairs = NDArray[np.int64]
Proposing = Literal["left", "right"]


@dataclass(frozen=True, slots=True)
class Preferences:
    """Strict preferences of both sides.

    left: (n, m) place of partner j on i's list, from 0; NOBODY where either refuses the other.
    right: (m, n) the reverse.
    """

    left: Lists
    right: Lists


def preferences(
    left_scores: Matrix, right_scores: Matrix, acceptable: Mask, seed: int = 0
) -> Preferences:
    """Strict lists from scores (n, m) and (m, n), higher is better; ties are broken by seed."""
    generator = np.random.default_rng(seed)
    return Preferences(
        _places(left_scores, acceptable, generator),
        _places(right_scores, acceptable.T, generator),
    )


def market_preferences(market: Market, least: float = 0.0, seed: int = 0) -> Preferences:
    """Each prefers whom it would likelier say yes to; a chance below `least` is a refusal."""
    weaker = np.minimum(market.left_yes, market.right_yes.T)
    acceptable = market.allowed & (weaker >= least)
    return preferences(market.left_yes, market.right_yes, acceptable, seed)


def stable_pairs(
    wishes: Preferences,
    left_capacity: Capacities | None = None,
    right_capacity: Capacities | None = None,
    proposing: Proposing = "left",
) -> Pairs:
    """Pairs (left, right) of the stable matching that is best for the proposing side, (p, 2)."""
    count_left, count_right = wishes.left.shape
    left = _counts(left_capacity, count_left, "left_capacity")
    right = _counts(right_capacity, count_right, "right_capacity")
    if proposing == "right":
        swapped = _deferred_acceptance(wishes.right, wishes.left, right, left)
        return _in_order(swapped[:, ::-1])
    return _in_order(_deferred_acceptance(wishes.left, wishes.right, left, right))


def blocking_pairs(
    wishes: Preferences,
    pairs: Pairs,
    left_capacity: Capacities | None = None,
    right_capacity: Capacities | None = None,
) -> Pairs:
    """Pairs not made in which each has room or would rather have the other, (b, 2)."""
    count_left, count_right = wishes.left.shape
    left = _counts(left_capacity, count_left, "left_capacity")
    right = _counts(right_capacity, count_right, "right_capacity")
    made = np.zeros(wishes.left.shape, dtype=bool)
    made[pairs[:, 0], pairs[:, 1]] = True
    worst_left = _worst(wishes.left, made, left)
    worst_right = _worst(wishes.right, made.T, right)
    wanted = (wishes.left < worst_left[:, None]) & (wishes.right < worst_right[:, None]).T
    return np.argwhere(wanted & (wishes.left != NOBODY) & ~made)


def stable_rounds(market: Market, length: int | None = None, seed: int = 0) -> Recommendations:
    """Lists whose rank k holds the partner of the k-th stable matching, earlier pairs set aside.

    Two-sided, the left side proposes. Ranks without a partner are filled by own interest.
    """
    if market.single:
        raise InvalidInputError("stable rounds need two sides; use roommates for one")
    wishes = market_preferences(market, 0.0, seed)
    left, right = wishes.left.copy(), wishes.right.copy()
    people, partners = left.shape
    longest = max(people, partners) if length is None else min(length, max(people, partners))
    rank = np.full(left.shape, float(longest + 1))
    for turn in range(longest):
        pairs = stable_pairs(Preferences(left, right))
        if not len(pairs):
            break
        rank[pairs[:, 0], pairs[:, 1]] = turn + 1
        left[pairs[:, 0], pairs[:, 1]] = NOBODY
        right[pairs[:, 1], pairs[:, 0]] = NOBODY
    return Recommendations(
        fixed(ranked(market.left_yes / 2.0 - rank, market.allowed, length), partners),
        fixed(ranked(market.right_yes / 2.0 - rank.T, market.allowed.T, length), people),
    )


def _deferred_acceptance(
    proposer: Lists, receiver: Lists, capacity: Capacities, room: Capacities
) -> Pairs:
    order = _by_place(proposer)
    asked = np.zeros(len(proposer), dtype=np.int64)
    holding: list[list[tuple[int, int]]] = [[] for _ in receiver]  # (place, proposer)
    free = [i for i, places in enumerate(capacity) for _ in range(places)]
    while free:
        i = free.pop()
        if asked[i] == len(order[i]):
            continue
        j = order[i][asked[i]]
        asked[i] += 1
        held = holding[j]
        held.append((int(receiver[j, i]), i))
        if len(held) > room[j]:
            worst = max(held)
            held.remove(worst)
            free.append(worst[1])
    made = [(i, j) for j, held in enumerate(holding) for _, i in held]
    return np.array(made, dtype=np.int64).reshape(-1, 2)


def _by_place(places: Lists) -> list[list[int]]:
    listed = (places != NOBODY).sum(axis=1)
    order = np.argsort(np.where(places == NOBODY, np.iinfo(np.int32).max, places), axis=1)
    return [row[:count].tolist() for row, count in zip(order, listed, strict=True)]


def _places(scores: Matrix, acceptable: Mask, generator: np.random.Generator) -> Lists:
    lot = generator.permuted(np.tile(np.arange(scores.shape[1]), (len(scores), 1)), axis=1)
    order = np.lexsort((lot, -np.where(acceptable, scores, -np.inf)), axis=1)
    place = np.empty(scores.shape, dtype=np.int32)
    np.put_along_axis(place, order, np.arange(scores.shape[1], dtype=np.int32)[None], axis=1)
    return np.where(acceptable, place, NOBODY).astype(np.int32)


def _worst(places: Lists, made: Mask, capacity: Capacities) -> Vector:
    """The place that a new partner must beat: the worst held, or any if there is room."""
    worst = np.where(made, places, -1).max(axis=1).astype(np.float64)
    full = made.sum(axis=1) >= capacity
    return np.where(full, np.where(capacity == 0, -np.inf, worst), np.inf)


def _counts(given: Capacities | None, people: int, name: str) -> Capacities:
    counts = np.ones(people, dtype=np.int64) if given is None else np.asarray(given, dtype=np.int64)
    if counts.shape != (people,) or bool(np.any(counts < 0)):
        raise InvalidInputError(f"{name} holds a whole number, not below 0, for each of {people}")
    return counts


def _in_order(pairs: Pairs) -> Pairs:
    ordered: Pairs = pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]
    return ordered
