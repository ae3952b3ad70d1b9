"""Coordinated rounds: lists on which two people find each other at the same rank.

A match needs both to look. Where examination falls with rank, it pays that i and j stand at the
same rank of each other's lists, and highest where a mutual yes is likeliest. So rank by rank
everybody is paired for the largest sum of P_ij Q_ji among pairs not yet made (an assignment
problem), and then each side's lists are sorted anew by P_ij Q_ji F_ji, what the partner's list
makes it worth, until nothing improves. Every step of that cannot lower expected matches, so the
end is a local optimum of social welfare among deterministic lists, where an optimum must lie:
welfare is linear in each person's list.
"""

import numpy as np

from soullink.modules.matching.domain.reciprocal.assignment import best_pairing, greedy_pairing
from soullink.modules.matching.domain.reciprocal.market import Lists, Market, Mask, Matrix, Vector
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Policy,
    Recommendations,
    fixed,
    ranked,
)

ROUNDS = 50
PAIRINGS = 32
"""Ranks paired if nothing else is said: at 1/k a later pairing adds under a thousandth."""
_GAIN = 1e-12


def coordinated(market: Market, length: int | None = None) -> Recommendations:
    """Deterministic lists near the most expected matches; both sides find each other by rank.

    length: pairings made before the rest of the lists follows by chance of a mutual yes.
    """
    people, partners = market.allowed.shape
    longest = min(PAIRINGS if length is None else length, max(people, partners))
    left, right = _paired_ranks(market, longest)
    if market.single:
        lists = _settle_single(market, left)
        policy = fixed(lists, partners)
        return Recommendations(policy, policy)
    mutual = market.mutual
    mine = _seen(ranked(-left, market.allowed), market.left_looks, partners)
    value = -np.inf
    for _ in range(ROUNDS):
        theirs_lists = _sorted(mutual.T * mine.T, -right, market.allowed.T)
        theirs = _seen(theirs_lists, market.right_looks, people)
        mine_lists = _sorted(mutual * theirs.T, -left, market.allowed)
        mine = _seen(mine_lists, market.left_looks, partners)
        reached = float(np.sum(mutual * mine * theirs.T))
        if reached <= value + _GAIN:
            break
        value = reached
    return Recommendations(fixed(mine_lists, partners), fixed(theirs_lists, people))


def _paired_ranks(market: Market, longest: int) -> tuple[Matrix, Matrix]:
    """The round in which two are paired, (n, m) and (m, n); pairs never made come last."""
    mutual, left_open = market.mutual, market.allowed.copy()
    rank = np.full(mutual.shape, float(longest + 1))
    everybody = np.arange(len(mutual))
    for turn in range(longest):
        pair = greedy_pairing if market.single else best_pairing
        partner = pair(mutual, left_open)
        made = partner != NOBODY
        if not made.any():
            break
        rank[everybody[made], partner[made]] = turn + 1
        left_open[everybody[made], partner[made]] = False
    # Below the last pairing, the likelier stand first; a mutual chance is less than one rank.
    return rank - mutual / 2.0, rank.T - mutual.T / 2.0


def _sorted(worth: Matrix, otherwise: Matrix, allowed: Mask) -> Lists:
    """Lists by falling worth; equal worth (none is looked at) by `otherwise`."""
    order = np.lexsort((-otherwise, -np.where(allowed, worth, -1.0)), axis=1)
    kept = np.take_along_axis(allowed, order, axis=1)
    return np.where(kept, order, NOBODY).astype(np.int32)


def _seen(lists: Lists, looks: Vector, partners: int) -> Matrix:
    return Policy(lists[None], np.ones(1), partners).examination(looks)


def _settle_single(market: Market, rank: Matrix) -> Lists:
    """One group: person by person, for two lists changed at once could undo each other."""
    mutual, count = market.mutual, len(market.mutual)
    lists = ranked(-rank, market.allowed)
    seen = _seen(lists, market.left_looks, count)
    value = float(np.sum(mutual * seen * seen.T))
    for _ in range(ROUNDS):
        for i in range(count):
            own = slice(i, i + 1)
            worth = (mutual[i] * seen[:, i])[None]
            lists[own] = _sorted(worth, -rank[own], market.allowed[own])
            seen[own] = _seen(lists[own], market.left_looks, count)
        reached = float(np.sum(mutual * seen * seen.T))
        if reached <= value + _GAIN:
            break
        value = reached
    return lists
