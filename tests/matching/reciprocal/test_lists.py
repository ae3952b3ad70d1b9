"""Limits, exploration and diversity of lists."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.diversity import (
    determinantal,
    marginal_relevance,
)
from soullink.modules.matching.domain.reciprocal.exploration import (
    epsilon_lists,
    epsilon_placement,
    list_chance,
    plackett_luce_chances,
    plackett_luce_lists,
)
from soullink.modules.matching.domain.reciprocal.limits import limited_lists
from soullink.modules.matching.domain.reciprocal.market import Market, looks
from soullink.modules.matching.domain.reciprocal.measures import gini
from soullink.modules.matching.domain.reciprocal.policies import NOBODY, fixed, ranked
from tests.matching.reciprocal.markets import market_of, seeds, two_sided_markets


@given(market=two_sided_markets(), seed=seeds)
@hypothesis_settings(max_examples=60)
def test_no_exposure_limit_is_exceeded(market: Market, seed: int) -> None:
    draw = np.random.default_rng(seed)
    people, partners = market.allowed.shape
    most = draw.uniform(0.0, 2.5, partners)
    length = int(draw.integers(1, partners + 1))
    lists = limited_lists(
        market.left_yes, market.allowed, market.left_looks, length, most, market.right_yes
    )
    seen = fixed(lists, partners).examination(market.left_looks)
    assert (seen.sum(axis=0) <= most + 1e-6).all()
    for person in range(people):
        shown = lists[person][lists[person] != NOBODY]
        assert len(set(shown.tolist())) == len(shown)
        assert market.allowed[person, shown].all()


def test_without_need_a_limit_changes_nothing_and_with_need_it_evens_out() -> None:
    market = market_of(12, 12, 1, popularity=0.8)
    wide = limited_lists(market.left_yes, market.allowed, market.left_looks, 12, np.full(12, 100.0))
    np.testing.assert_array_equal(wide, ranked(market.left_yes, market.allowed))
    even = limited_lists(market.left_yes, market.allowed, market.left_looks, 5, np.full(12, 2.5))
    seen = [fixed(lists, 12).examination(market.left_looks).sum(axis=0) for lists in (wide, even)]
    assert gini(seen[1]) < 0.5 * gini(seen[0])
    with pytest.raises(InvalidInputError, match="most_exposure"):
        limited_lists(market.left_yes, market.allowed, market.left_looks, 3, np.ones(3))
    with pytest.raises(InvalidInputError, match="looked at"):
        limited_lists(market.left_yes, market.allowed, looks(12, "top"), 3, np.ones(12))


@given(seed=seeds, temperature=st.sampled_from((0.05, 0.3, 3.0)))
@hypothesis_settings(max_examples=30)
def test_chances_of_all_lists_sum_to_one(seed: int, temperature: float) -> None:
    draw = np.random.default_rng(seed)
    scores, allowed = draw.random((1, 5)), np.array([[True, True, False, True, True]])
    total = sum(
        float(
            list_chance(plackett_luce_chances(np.array([order]), scores, allowed, temperature))[0]
        )
        for order in permutations((0, 1, 3, 4))
    )
    assert total == pytest.approx(1.0)


def test_plackett_luce_draws_follow_their_logged_chances() -> None:
    scores = np.tile(np.array([1.0, 0.5, 0.0]), (20_000, 1))
    drawn = plackett_luce_lists(scores, np.ones_like(scores, dtype=bool), 0.7, 3, seed=0)
    for order in permutations(range(3)):
        here = (drawn.lists == np.array(order)).all(axis=1)
        assert here.mean() == pytest.approx(list_chance(drawn.propensity[here])[0], abs=0.01)
    np.testing.assert_allclose(drawn.propensity[:, 2], 1.0)


def test_epsilon_placements_sum_to_one_and_are_what_is_drawn() -> None:
    market = market_of(3, 4, 0)
    best = ranked(market.left_yes, market.allowed)
    everywhere = np.stack(
        [
            epsilon_placement(np.full((3, 4), partner, dtype=np.int32), best, market.allowed, 0.3)
            for partner in range(4)
        ]
    )
    np.testing.assert_allclose(everywhere.sum(axis=0), 1.0)
    stood = np.zeros((4, 3, 4))
    for seed in range(4_000):
        lists = epsilon_lists(best, market.allowed, 0.3, seed).lists
        for partner in range(4):
            stood[partner] += (lists == partner) / 4_000
    np.testing.assert_allclose(stood, everywhere, atol=0.03)


def test_exploration_shows_only_whom_it_may() -> None:
    market = market_of(6, 7, 2, open_share=0.4)
    best = ranked(market.left_yes, market.allowed)
    for explored in (
        epsilon_lists(best, market.allowed, 1.0, seed=1),
        plackett_luce_lists(market.left_yes, market.allowed, 0.5, 7, seed=1),
    ):
        for person, row in enumerate(explored.lists):
            shown = row[row != NOBODY]
            assert sorted(shown.tolist()) == np.flatnonzero(market.allowed[person]).tolist()
            assert (explored.propensity[person, : len(shown)] > 0.0).all()
            assert (explored.propensity[person, len(shown) :] == 0.0).all()
    with pytest.raises(InvalidInputError, match="epsilon"):
        epsilon_lists(best, market.allowed, 1.5, 0)
    with pytest.raises(InvalidInputError, match="temperature"):
        plackett_luce_lists(market.left_yes, market.allowed, 0.0, 3, 0)


# Two near copies, good; one other, less good.
SCORES = np.array([1.0, 0.95, 0.6])
ALIKE = np.array([[1.0, 0.99, 0.0], [0.99, 1.0, 0.0], [0.0, 0.0, 1.0]])


def test_the_second_is_another_kind_of_person() -> None:
    assert marginal_relevance(SCORES, ALIKE, 3, relevance=0.5).tolist() == [0, 2, 1]
    assert marginal_relevance(SCORES, ALIKE, 3, relevance=1.0).tolist() == [0, 1, 2]
    assert determinantal(SCORES, ALIKE, 3).tolist() == [0, 2, 1]
    assert determinantal(SCORES, np.ones((3, 3)), 3).tolist() == [0]
    with pytest.raises(InvalidInputError, match="square"):
        marginal_relevance(SCORES, ALIKE[:2], 2)
    with pytest.raises(InvalidInputError, match="above 0"):
        determinantal(-SCORES, ALIKE, 2)


@given(people=st.integers(2, 7), seed=seeds)
@hypothesis_settings(max_examples=50)
def test_each_step_adds_the_largest_determinant(people: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    features = draw.normal(size=(people, people + 1))
    features /= np.linalg.norm(features, axis=1, keepdims=True)
    similarity, scores = features @ features.T, draw.uniform(0.5, 1.5, people)
    kernel = scores[:, None] * similarity * scores
    chosen = determinantal(scores, similarity, people).tolist()
    for size in range(1, len(chosen) + 1):
        before = chosen[: size - 1]
        gains = [
            np.linalg.det(kernel[np.ix_([*before, other], [*before, other])])
            for other in range(people)
            if other not in before
        ]
        mine = np.linalg.det(kernel[np.ix_(chosen[:size], chosen[:size])])
        assert mine >= max(gains) * (1 - 1e-6)
