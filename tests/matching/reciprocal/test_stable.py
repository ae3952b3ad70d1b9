"""Deferred acceptance: no blocking pair, best for the proposers, never beyond capacity."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.measures import expected_matches
from soullink.modules.matching.domain.reciprocal.policies import NOBODY
from soullink.modules.matching.domain.reciprocal.recommend import recommend
from soullink.modules.matching.domain.reciprocal.stable import (
    Preferences,
    blocking_pairs,
    market_preferences,
    preferences,
    stable_pairs,
)
from tests.matching.reciprocal.markets import market_of, seeds


@st.composite
def wishes(draw: st.DrawFn, most: int = 8) -> Preferences:
    """Lists with refusals and, as scores are few whole numbers, with ties broken by seed."""
    left, right = draw(st.integers(1, most)), draw(st.integers(1, most))
    generator = np.random.default_rng(draw(seeds))
    return preferences(
        generator.integers(0, 4, (left, right)).astype(float),
        generator.integers(0, 4, (right, left)).astype(float),
        generator.random((left, right)) < draw(st.sampled_from((1.0, 0.8, 0.4))),
        draw(seeds),
    )


@given(wishes=wishes(), seed=seeds, proposing=st.sampled_from(("left", "right")))
@hypothesis_settings(max_examples=200)
def test_no_pair_blocks_and_no_capacity_is_exceeded(
    wishes: Preferences, seed: int, proposing: str
) -> None:
    draw = np.random.default_rng(seed)
    left = draw.integers(0, 4, len(wishes.left))
    right = draw.integers(0, 4, len(wishes.right))
    pairs = stable_pairs(wishes, left, right, proposing)  # type: ignore[arg-type]
    assert len(blocking_pairs(wishes, pairs, left, right)) == 0
    assert (np.bincount(pairs[:, 0], minlength=len(left)) <= left).all()
    assert (np.bincount(pairs[:, 1], minlength=len(right)) <= right).all()
    assert (wishes.left[pairs[:, 0], pairs[:, 1]] != NOBODY).all()
    assert len({tuple(pair) for pair in pairs.tolist()}) == len(pairs)


def stable_by_search(wishes: Preferences) -> list[np.ndarray]:
    """Every stable matching of a small market of equal sides, one partner each."""
    people = len(wishes.left)
    found = {}
    for order in permutations(range(people)):
        pairs = np.array(
            [(i, j) for i, j in enumerate(order) if wishes.left[i, j] != NOBODY], dtype=np.int64
        ).reshape(-1, 2)
        if len(blocking_pairs(wishes, pairs)) == 0:
            found[pairs.tobytes()] = pairs
    return list(found.values())


@given(seed=seeds, share=st.sampled_from((1.0, 0.7)))
@hypothesis_settings(max_examples=40)
def test_proposers_have_nobody_better_in_any_stable_matching(seed: int, share: float) -> None:
    market = market_of(5, 5, seed, popularity=0.0, open_share=share)
    given_lists = market_preferences(market)
    every = stable_by_search(given_lists)
    for proposing, places, column in (
        ("left", given_lists.left, 0),
        ("right", given_lists.right, 1),
    ):
        best = stable_pairs(given_lists, proposing=proposing)  # type: ignore[arg-type]
        mine = {int(pair[column]): int(places[pair[column], pair[1 - column]]) for pair in best}
        assert any(np.array_equal(best, other) for other in every)
        for other in every:
            for pair in other:
                assert mine[int(pair[column])] <= places[pair[column], pair[1 - column]]


def test_left_and_right_may_differ_and_a_refusal_leaves_alone() -> None:
    # Each prefers another than the one who prefers them.
    left = np.array([[2.0, 1.0], [1.0, 2.0]])
    right = np.array([[1.0, 2.0], [2.0, 1.0]])
    everybody = np.ones((2, 2), dtype=bool)
    both = preferences(left, right, everybody)
    assert stable_pairs(both).tolist() == [[0, 0], [1, 1]]
    assert stable_pairs(both, proposing="right").tolist() == [[0, 1], [1, 0]]
    assert blocking_pairs(both, np.empty((0, 2), dtype=np.int64)).tolist() == [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
    ]
    only_first = preferences(left, right, np.array([[True, False], [True, False]]))
    assert stable_pairs(only_first).tolist() == [[1, 0]]


def test_ties_are_broken_by_the_seed_alone() -> None:
    level = np.ones((6, 6))
    everybody = np.ones((6, 6), dtype=bool)
    made = {
        stable_pairs(preferences(level, level, everybody, seed)).tobytes() for seed in range(20)
    }
    again = stable_pairs(preferences(level, level, everybody, 3)).tobytes()
    assert len(made) > 5
    assert again in made


def test_a_chance_below_the_least_is_a_refusal() -> None:
    market = market_of(6, 6, 2)
    pairs = stable_pairs(market_preferences(market, least=0.5))
    assert (market.left_yes[pairs[:, 0], pairs[:, 1]] >= 0.5).all()
    assert (market.right_yes[pairs[:, 1], pairs[:, 0]] >= 0.5).all()


def test_the_first_of_both_lists_is_the_stable_partner() -> None:
    market = market_of(7, 7, 5)
    shown = recommend(market, "stable")
    for i, j in stable_pairs(market_preferences(market)):
        assert shown.left.lists[0, i, 0] == j
        assert shown.right.lists[0, j, 0] == i
    assert expected_matches(market, shown) > expected_matches(market, recommend(market, "random"))


def test_capacities_must_fit() -> None:
    market = market_of(3, 3, 0)
    with pytest.raises(InvalidInputError, match="left_capacity"):
        stable_pairs(market_preferences(market), np.array([1, 2]))
    with pytest.raises(InvalidInputError, match="right_capacity"):
        stable_pairs(market_preferences(market), None, np.array([1, -1, 0]))
