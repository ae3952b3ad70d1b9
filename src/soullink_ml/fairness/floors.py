"""Ranking with a floor on attention, or with equal attention for groups.

For one side that looks at the other: maximise sum_ij R_ij X_ij over lotteries of rankings, X_ij
the attention of i to j, R the chance that both say yes, subject to sum_i X_ij >= floor for every
j (a floor for each person; no group is looked at), or to equal mean attention of groups (the
demographic parity of exposure of Singh & Joachims 2018). Both are linear programmes. Their
Lagrangian is solved by sorting R_ij + price_j, prices move against what is missing, and the mean
of the later rankings is the lottery (subgradient method, Nedic & Ozdaglar 2009).
"""

from collections.abc import Callable, Sequence

import numpy as np

from soullink.modules.matching.domain.reciprocal.market import Market
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Policy,
    Recommendations,
    ranked,
)
from soullink_ml.fairness.resampling import FloatArray

STEPS = 240
"""Rankings tried; the later half of them is the lottery."""
_FIRST_STEP = 1.0


def with_floor(market: Market, share: float) -> Recommendations:
    """Return lists that give everybody at least `share` (0..1) of their side's mean attention.

    Exact in expectation wherever everybody may be shown to everybody: what the lottery misses is
    made up by mixing in as much of an even lottery as it takes.
    """
    return Recommendations(_floored(market, share), _floored(market.mirrored(), share))


def with_parity(market: Market, labels: tuple[Sequence[str], Sequence[str]]) -> Recommendations:
    """Return lists in which the groups of a side have about the same mean attention a person.

    labels: group of each left and each right person; "" has no constraint. It has to know the
    group of everybody when it ranks, so it serves to show what parity would cost.
    """
    left, right = labels
    return Recommendations(_at_parity(market, right), _at_parity(market.mirrored(), left))


def _floored(market: Market, share: float) -> Policy:
    mean = _mean_attention(market)
    least = share * mean

    def moved(prices: FloatArray, seen: FloatArray) -> FloatArray:
        return np.asarray(np.maximum(0.0, prices + (least - seen) / mean))

    policy = _lottery(market, moved)
    return _made_up(policy, market, least)


def _at_parity(market: Market, labels: Sequence[str]) -> Policy:
    mean = _mean_attention(market)
    names = sorted({label for label in labels if label})
    members = np.array([[label == name for name in names] for label in labels], dtype=np.float64)
    sizes = np.maximum(members.sum(axis=0), 1.0)

    def moved(prices: FloatArray, seen: FloatArray) -> FloatArray:
        return np.asarray(prices + members @ (1.0 - (seen @ members) / sizes / mean))

    return _lottery(market, moved)


def _mean_attention(market: Market) -> float:
    totals = np.append(0.0, np.cumsum(market.left_looks))
    received = float(totals[market.allowed.sum(axis=1)].sum())
    return received / int(market.allowed.shape[1])


def _lottery(market: Market, moved: Callable[[FloatArray, FloatArray], FloatArray]) -> Policy:
    """Return the mean of the later rankings. moved: prices and attention (m,) -> new prices.

    Prices are in units of the spread of the chances; steps fall with the square root of time.
    """
    worth = market.mutual
    spread = float(worth[market.allowed].std()) or 1.0
    partners = worth.shape[1]
    prices = np.zeros(partners)
    kept = []
    for step in range(STEPS):
        order = ranked(worth / spread + prices, market.allowed)
        if step >= STEPS // 2:
            kept.append(order)
        seen = Policy(order[None], np.ones(1), partners).examination(market.left_looks).sum(axis=0)
        prices = prices + _FIRST_STEP / np.sqrt(step + 1) * (moved(prices, seen) - prices)
    return Policy(np.stack(kept), np.full(len(kept), 1 / len(kept)), partners)


def _made_up(policy: Policy, market: Market, least: float) -> Policy:
    """Mix in the even lottery until nobody is below `least`."""
    seen = policy.examination(market.left_looks).sum(axis=0)
    even = _even(market)
    fair = even.examination(market.left_looks).sum(axis=0)
    missing = (seen < least) & (fair > seen)
    if not missing.any():
        return policy
    share = float(np.max((least - seen[missing]) / (fair[missing] - seen[missing])))
    share = min(1.0, share)
    return Policy(
        np.concatenate([policy.lists, even.lists]),
        np.concatenate([policy.weights * (1 - share), even.weights * share]),
        policy.partners,
    )


def _even(market: Market) -> Policy:
    """Return the lottery that shows everybody allowed at every rank equally often."""
    people, partners = market.allowed.shape
    lists = np.full((partners, people, partners), NOBODY, dtype=np.int32)
    for person in range(people):
        known = np.flatnonzero(market.allowed[person])
        for turn in range(partners):
            # Not all may be allowed: turned by chances of a part of a turn, as even as can be.
            offset = turn * known.size // partners
            lists[turn, person, : known.size] = np.roll(known, -offset)
    return Policy(lists, np.full(partners, 1 / partners), partners)
