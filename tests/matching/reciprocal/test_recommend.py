"""What holds for every method: lists are lists, and the better methods make more matches."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings

from soullink.kernel.errors import InvalidInputError
from soullink.modules.matching.domain.reciprocal.market import Market, looks, one_sided, two_sided
from soullink.modules.matching.domain.reciprocal.measures import (
    envious_pairs,
    envy,
    expected_matches,
    expected_matches_each,
    exposure,
    gini,
    match_chances,
)
from soullink.modules.matching.domain.reciprocal.policies import (
    NOBODY,
    Policy,
    Recommendations,
    fixed,
)
from soullink.modules.matching.domain.reciprocal.recommend import METHODS, Method, recommend
from soullink.modules.matching.domain.reciprocal.welfare import nash_welfare
from tests.matching.reciprocal.markets import group_of, groups, market_of, two_sided_markets

BALANCED: tuple[Method, ...] = (
    "equilibrium",
    "social-welfare",
    "nash-welfare",
    "coordinated",
    "stable",
)


def holds_only_whom_it_may(policy: Policy, allowed: np.ndarray) -> None:
    assert policy.weights.sum() == pytest.approx(1.0)
    for ranking in policy.lists:
        for person, row in enumerate(ranking):
            shown = row[row != NOBODY]
            assert len(set(shown.tolist())) == len(shown)
            assert allowed[person, shown].all()
            assert len(shown) == min(allowed[person].sum(), len(row))


@given(market=two_sided_markets())
@hypothesis_settings(max_examples=25)
def test_lists_hold_everybody_allowed_once_and_nobody_else(market: Market) -> None:
    for method in METHODS:
        shown = recommend(market, method)
        holds_only_whom_it_may(shown.left, market.allowed)
        holds_only_whom_it_may(shown.right, market.allowed.T)


@given(market=groups())
@hypothesis_settings(max_examples=25)
def test_in_one_group_nobody_is_shown_to_themselves(market: Market) -> None:
    for method in METHODS:
        if method == "stable":
            continue
        shown = recommend(market, method)
        holds_only_whom_it_may(shown.left, market.allowed)
        np.testing.assert_array_equal(shown.left.lists, shown.right.lists)
        chances = match_chances(market, shown)
        np.testing.assert_allclose(chances, chances.T, atol=1e-12)
        assert expected_matches(market, shown) == pytest.approx(chances.sum() / 2)


@given(market=two_sided_markets())
@hypothesis_settings(max_examples=25)
def test_lotteries_are_doubly_stochastic_where_everybody_is_allowed(market: Market) -> None:
    open_market = replace(market, allowed=np.ones_like(market.allowed))
    for method in ("social-welfare", "nash-welfare"):
        shown = recommend(open_market, method)
        for policy in (shown.left, shown.right):
            placement = policy.placement()
            np.testing.assert_allclose(placement.sum(axis=1), 1.0, atol=1e-9)
            np.testing.assert_allclose(placement.sum(axis=2), 1.0, atol=1e-9)


def test_examination_is_the_placement_weighed_by_how_far_people_look() -> None:
    market = market_of(6, 5, 1, open_share=0.7)
    policy = recommend(market, "nash-welfare").left
    np.testing.assert_allclose(
        policy.examination(market.left_looks), policy.placement() @ market.left_looks
    )


def test_draws_follow_the_lottery() -> None:
    market = market_of(4, 4, 3)
    policy = recommend(market, "nash-welfare").left
    draw = np.random.default_rng(0)
    seen = np.mean(
        [fixed(policy.draw(draw), 4).examination(market.left_looks) for _ in range(4_000)], axis=0
    )
    np.testing.assert_allclose(seen, policy.examination(market.left_looks), atol=0.04)


def test_better_methods_make_more_matches_in_the_mean() -> None:
    order: tuple[Method, ...] = (
        "random",
        "one-sided",
        "product",
        "equilibrium",
        "social-welfare",
        "coordinated",
    )
    matches = np.array(
        [
            [expected_matches(market, recommend(market, method, seed)) for method in order]
            for seed in range(12)
            for market in (market_of(14, 11, seed, popularity=0.5),)
        ]
    ).mean(axis=0)
    assert (np.diff(matches) > 0.0).all(), dict(zip(order, matches, strict=True))


def test_exposure_is_more_even_than_by_one_sided_rankings() -> None:
    spread: dict[Method, list[float]] = {method: [] for method in ("one-sided", *BALANCED)}
    for seed in range(8):
        market = market_of(14, 11, seed, popularity=0.5)
        for method, values in spread.items():
            left, right = exposure(market, recommend(market, method, seed))
            values.append((gini(left) + gini(right)) / 2)
    one_sided_mean = np.mean(spread.pop("one-sided"))
    for method, values in spread.items():
        assert np.mean(values) < 0.8 * one_sided_mean, method


@given(market=two_sided_markets())
@hypothesis_settings(max_examples=20)
def test_numbering_people_differently_changes_nothing(market: Market) -> None:
    draw = np.random.default_rng(0)
    rows = draw.permutation(market.allowed.shape[0])
    columns = draw.permutation(market.allowed.shape[1])
    moved = two_sided(
        market.left_yes[np.ix_(rows, columns)],
        market.right_yes[np.ix_(columns, rows)],
        market.allowed[np.ix_(rows, columns)],
    )
    # The welfare methods start from an order of people, so they are equivariant in the limit only.
    for method in ("one-sided", "product", "equilibrium", "coordinated", "stable"):
        before = match_chances(market, recommend(market, method))
        after = match_chances(moved, recommend(moved, method))
        np.testing.assert_allclose(after, before[np.ix_(rows, columns)], atol=1e-9)


@given(market=two_sided_markets())
@hypothesis_settings(max_examples=20)
def test_swapping_the_sides_swaps_the_lists(market: Market) -> None:
    for method in ("one-sided", "product", "equilibrium"):
        shown = recommend(market, method)
        mirrored = recommend(market.mirrored(), method)
        np.testing.assert_array_equal(shown.left.lists, mirrored.right.lists)
        np.testing.assert_array_equal(shown.right.lists, mirrored.left.lists)


@pytest.mark.parametrize("seed", range(6))
def test_nash_welfare_leaves_no_envy(seed: int) -> None:
    for market in (
        market_of(15, 10, seed, popularity=0.5),
        market_of(12, 16, seed, popularity=0.3, open_share=0.6),
        group_of(14, seed, open_share=0.7),
    ):
        assert envious_pairs(market, recommend(market, "one-sided")) != (0, 0)
        assert envious_pairs(market, recommend(market, "nash-welfare")) == (0, 0)


def test_without_settling_no_exchange_of_places_would_pay() -> None:
    for seed in range(6):
        market = market_of(15, 10, seed, popularity=0.5)
        shown = nash_welfare(market, tolerance=1e-3, steps=400, settling=0)
        own = expected_matches_each(market, shown)
        for gain, matches in zip(envy(market, shown), own, strict=True):
            relative = gain / matches[:, None]
            exchanged = relative + relative.T
            assert exchanged[~np.eye(len(exchanged), dtype=bool)].max() < 0.0


def test_envy_is_the_gain_of_anothers_place() -> None:
    # Both right people see left person 0 first; person 1, as welcome, would have twice the looks.
    market = two_sided(np.ones((2, 2)), np.ones((2, 2)))
    first = fixed(np.array([[0, 1], [0, 1]], dtype=np.int32), 2)
    left, right = envy(market, Recommendations(first, first))
    np.testing.assert_allclose(left, [[0.0, -0.75], [0.75, 0.0]])
    np.testing.assert_allclose(right, [[0.0, -0.75], [0.75, 0.0]])
    assert envious_pairs(market, Recommendations(first, first)) == (1, 1)


@pytest.mark.parametrize(
    ("attention", "expected"),
    [
        ("inverse", [1.0, 0.5, 1 / 3]),
        ("logarithmic", [1.0, 1 / np.log2(3), 0.5]),
        ("geometric", [1.0, 0.8, 0.64]),
        ("exponential", [1.0, np.exp(-1), np.exp(-2)]),
        ("top", [1.0, 0.0, 0.0]),
        ("uniform", [1.0, 1.0, 1.0]),
    ],
)
def test_attention_by_rank(attention: str, expected: list[float]) -> None:
    np.testing.assert_allclose(looks(3, attention), expected)  # type: ignore[arg-type]


def test_nobody_looks_beyond_what_is_shown() -> None:
    market = two_sided(np.full((4, 6), 0.5), np.full((6, 4), 0.5), shown=2)
    np.testing.assert_allclose(market.left_looks, [1.0, 0.5, 0, 0, 0, 0])
    for method in METHODS:
        seen = recommend(market, method).left.examination(market.left_looks)
        np.testing.assert_allclose(seen.sum(axis=1), 1.5)


def test_gini_of_equal_and_of_one_sided_amounts() -> None:
    assert gini(np.ones(5)) == pytest.approx(0.0)
    assert gini(np.array([0.0, 0.0, 0.0, 1.0])) == pytest.approx(0.75)
    assert gini(np.zeros(3)) == 0.0


def test_what_makes_no_market_is_refused() -> None:
    half = np.full((2, 3), 0.5)
    with pytest.raises(InvalidInputError, match="right_yes must be"):
        two_sided(half, half)
    with pytest.raises(InvalidInputError, match="between 0 and 1"):
        two_sided(half * 3, half.T)
    with pytest.raises(InvalidInputError, match="square"):
        one_sided(half)
    with pytest.raises(InvalidInputError, match="symmetric"):
        one_sided(half[:, :2], np.array([[True, True], [False, True]]))
    with pytest.raises(InvalidInputError, match="two sides"):
        recommend(group_of(3, 0), "stable")
    with pytest.raises(InvalidInputError, match="one of random"):
        recommend(group_of(3, 0), "best")  # type: ignore[arg-type]
