"""Pairing for the largest sum, beside a search through all pairings; coordinated lists."""

from itertools import permutations

import numpy as np
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.modules.matching.domain.reciprocal.assignment import best_pairing, greedy_pairing
from soullink.modules.matching.domain.reciprocal.coordinated import coordinated
from soullink.modules.matching.domain.reciprocal.market import Mask, Matrix
from soullink.modules.matching.domain.reciprocal.measures import expected_matches
from soullink.modules.matching.domain.reciprocal.policies import NOBODY
from soullink.modules.matching.domain.reciprocal.recommend import recommend
from tests.matching.reciprocal.markets import group_of, market_of, seeds


def value(weights: Matrix, partner: np.ndarray) -> float:
    rows = np.flatnonzero(partner != NOBODY)
    return float(weights[rows, partner[rows]].sum())


def searched(weights: Matrix, allowed: Mask) -> float:
    worth = np.where(allowed, weights, 0.0)
    if worth.shape[0] > worth.shape[1]:
        worth = worth.T
    rows, columns = worth.shape
    return max(
        float(worth[np.arange(rows), list(order)].sum())
        for order in permutations(range(columns), rows)
    )


@given(
    rows=st.integers(1, 5),
    columns=st.integers(1, 5),
    seed=seeds,
    share=st.sampled_from((1.0, 0.6, 0.2)),
)
@hypothesis_settings(max_examples=100)
def test_no_pairing_is_worth_more(rows: int, columns: int, seed: int, share: float) -> None:
    draw = np.random.default_rng(seed)
    # Few different weights, so that many pairings tie.
    weights = draw.integers(0, 4, (rows, columns)) / 4.0
    allowed = draw.random((rows, columns)) < share
    partner = best_pairing(weights, allowed)
    taken = partner[partner != NOBODY]
    assert len(set(taken.tolist())) == len(taken)
    assert all(allowed[i, j] for i, j in enumerate(partner) if j != NOBODY)
    assert value(weights, partner) == searched(weights, allowed)


@given(people=st.integers(2, 8), seed=seeds)
@hypothesis_settings(max_examples=50)
def test_pairs_of_one_group_are_mutual_and_heaviest_first(people: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    weights = draw.random((people, people))
    weights = np.triu(weights, 1) + np.triu(weights, 1).T
    partner = greedy_pairing(weights, ~np.eye(people, dtype=bool))
    assert (partner == NOBODY).sum() == people % 2
    for i, j in enumerate(partner):
        if j != NOBODY:
            assert partner[j] == i
    own = np.where(partner == NOBODY, -1.0, weights[np.arange(people), partner])
    stronger = (weights > own[:, None]) & (weights > own[None, :])
    np.fill_diagonal(stronger, val=False)
    assert not stronger.any()


def test_two_find_each_other_at_the_first_rank() -> None:
    market = market_of(8, 8, 4, popularity=0.0)
    shown = coordinated(market)
    first = shown.left.lists[0, :, 0]
    np.testing.assert_array_equal(shown.right.lists[0, first, 0], np.arange(8))
    assert value(market.mutual, first) == value(
        market.mutual, best_pairing(market.mutual, market.allowed)
    )


def test_no_list_of_one_person_would_make_more_matches() -> None:
    market = market_of(5, 5, 9)
    shown = coordinated(market)
    seen = shown.right.examination(market.right_looks).T
    for person in range(5):
        worth = market.mutual[person] * seen[person]
        most = max(
            float((worth[list(order)] * market.left_looks).sum())
            for order in permutations(range(5))
        )
        mine = worth @ shown.left.examination(market.left_looks)[person]
        assert abs(mine - most) < 1e-12


def test_one_group_gains_too() -> None:
    for seed in range(5):
        market = group_of(12, seed, open_share=0.8)
        assert expected_matches(market, recommend(market, "coordinated")) > expected_matches(
            market, recommend(market, "product")
        )
